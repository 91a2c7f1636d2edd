import ArgumentParser
import Foundation
import Persistence
import Web

struct ExportCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "export",
        abstract: "Write a workspace into a folder, whole and lossless, as JSON Lines with a manifest; kith import takes it in again.",
        discussion: "Names and mails are in it, readable: keep it as safe as the database.")

    @OptionGroup var options: DatabaseOptions
    @OptionGroup var workspace: WorkspaceOptions
    @Argument(help: "A folder that does not exist yet, or is empty.") var folder: String
    @Flag(help: "Print JSON.") var json = false

    func run() async throws {
        let choice = WorkspaceChoice(workspace)
        try await plainly {
            let (settings, folder) = (try options.settings(), folder)
            // Links' counters and the click file are exported as of the same click.
            _ = try await Commands.write("apply-clicks", [:], settings)
            let manifest = try await ProgressLine.drawing {
                try await Commands.read(settings) { stores in
                    let workspace = try await stores.main.read { connection in try choice.find(on: connection) }
                    return try await WorkspaceExport(workspace: workspace, folder: Commands.absolute(folder), vault: stores.vault)
                        .write(main: stores.main, clicks: stores.clicks)
                }
            }
            if json {
                Commands.show(manifest, json: true)
            } else if case .array(let files)? = manifest["files"] {
                for file in files {
                    guard case .text(let name)? = file["name"], case .number(let rows)? = file["rows"] else { continue }
                    print("\(name): \(rows.token)")
                }
            }
        }
    }
}

extension CommandVerbs {
    static func importFolder(_ reader: JSONReader, _ installation: Installation) async throws -> JSONValue {
        let folder = reader.text("path", maximumLength: 4_096)
        for unused in ["workspace", "test", "kind", "from", "program"] { _ = reader.raw(unused) }
        let isDryRun = reader.optionalBoolean("dryRun") ?? false
        try reader.finish()
        return try await WorkspaceImport(installation: installation, folder: folder, isDryRun: isDryRun).run()
    }
}
