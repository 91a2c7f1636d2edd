import ArgumentParser
import Foundation
import Persistence
import Web

struct ImportCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "import", abstract: "Take in a CSV file (--kind), or a folder that kith export wrote.",
        discussion: "Beside a running server the server reads the file. A file with any bad row writes nothing; the same file again writes nothing twice.")

    /// The exit status when a part of the file was written.
    static let partlyStatus: Int32 = 2

    @OptionGroup var options: DatabaseOptions
    @OptionGroup var workspace: WorkspaceOptions
    @Argument(help: "A CSV file, or a folder of kith export.") var path: String
    @Option(help: "members, links, sales, refunds, balances or clicks; with --from, what is wanted of the file.") var kind: String?
    @Option(help: "The system that exported the file: rewardful, firstpromoter, partnerstack, tapfiliate or tolt.") var from: String?
    @Option(help: "The program of the members or sales (default: the only one).") var program: String?
    @Flag(help: "Do everything, then take it back: shows what would happen.") var dryRun = false
    @Flag(help: "Print JSON.") var json = false

    func run() async throws {
        let isPartly = try await plainly { () -> Bool in
            let path = Commands.absolute(path)
            var isFolder: ObjCBool = false
            guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else {
                throw Problem.notFound(detail: "There is nothing at \(path). Name a CSV file, or a folder of kith export.")
            }
            guard isFolder.boolValue || kind != nil || from != nil else {
                throw Problem.badRequest(detail: "Say what the file holds: --kind members, links, sales, refunds, balances or clicks; or where it is --from.")
            }
            let arguments =
                workspace.arguments + [
                    ("path", .text(path)), ("kind", kind.map { .text($0) } ?? .null), ("from", from.map { .text($0) } ?? .null), ("program", program.map { .text($0) } ?? .null),
                    ("dryRun", .boolean(dryRun)),
                ]
            let answer = try await ProgressLine.following(
                isFolder.boolValue ? "import-folder" : "import-file", arguments.map { JSONMember($0.0, $0.1) }, options.settings())
            if json { Commands.show(answer, json: true) } else { Self.show(answer) }
            if !json, answer["resumed"] == true, let before = answer["writtenBefore"]?.int64 {
                print("An earlier start at this file broke off after \(before) rows. They were known, and the rest was gone on with.")
            }
            if case .number(let number)? = answer["errorCount"], let count = number.integer, count > 0 {
                let mistakes = "\(count) \(count == 1 ? "mistake" : "mistakes") in \(path)"
                guard answer["written"] == "partly" else {
                    throw Problem.badRequest(detail: "\(mistakes); nothing was written. Mend the lines that are named and try again.")
                }
                let sentence = "\(mistakes); a part was written and stays. Mend the lines that are named and take the same file in again: nothing is written twice."
                FileHandle.standardError.write(Data((sentence + "\n").utf8))
                return true
            }
            return false
        }
        if isPartly { throw ExitCode(Self.partlyStatus) }
    }

    private static func show(_ answer: JSONValue) {
        guard case .object(let members) = answer else { return }
        Commands.show(.object(members.filter { $0.name != "errors" }), json: false)
        guard case .array(let errors)? = answer["errors"] else { return }
        for error in errors {
            guard case .number(let line)? = error["line"], case .text(let column)? = error["column"], case .text(let message)? = error["message"]
            else { continue }
            print("line \(line.token)\(column.isEmpty ? "" : ", \(column)"): \(message)")
        }
    }
}

extension CommandVerbs {
    static func importFile(_ reader: JSONReader, _ installation: Installation) async throws -> JSONValue {
        let choice = WorkspaceChoice(reader)
        let path = reader.text("path", maximumLength: 4_096)
        let vendor = reader.optionalOneOf("from", VendorExport.self)
        let kind = reader.optionalOneOf("kind", ImportKind.self)
        let wanted = reader.optionalCustom("program") { idReading($0, ProgramKind.self, "program") }
        let isDryRun = reader.optionalBoolean("dryRun") ?? false
        if vendor == nil, kind == nil, !reader.hasErrors { reader.note("kind", "Is required.") }
        try reader.finish()
        let (workspace, program) = try await installation.main.read { connection -> (Workspace, Program?) in
            let workspace = try choice.find(on: connection)
            if let wanted {
                guard let program = try ProgramStore.find(wanted, in: workspace.id, at: workspace.now(installation.world), on: connection) else { throw Refusal.unknownProgram() }
                return (workspace, program)
            }
            guard vendor != nil || kind?.needsProgram == true else { return (workspace, nil) }
            let programs = try ProgramStore.list(in: workspace.id, at: workspace.now(installation.world), after: nil, limit: 2, on: connection)
            guard programs.count == 1, let only = programs.first else {
                throw Problem.badRequest(
                    detail: programs.isEmpty
                        ? "The workspace has no program yet. Make one in the page Programs or by POST /programs, then import again."
                        : "The workspace has several programs. Name one with --program.")
            }
            return (workspace, only)
        }
        var parts = kind.map { [FileImport.Part(kind: $0)] } ?? []
        if let vendor, let program {
            let defaults = VendorExport.Defaults(program)
            do {
                parts = try vendor.parts(CSVReader(path: path).columns, kind, defaults)
            } catch let malformed as CSVReader.Malformed {
                throw Problem.badRequest(detail: malformed.description)
            }
        }
        return try await FileImport(installation: installation, workspace: workspace, program: program?.id, parts: parts, path: path)
            .run(isDryRun: isDryRun)
    }
}
