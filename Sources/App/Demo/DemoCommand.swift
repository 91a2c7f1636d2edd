import ArgumentParser
import Persistence
import Web

struct DemoCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "demo", abstract: "Fill a workspace with invented, believable data of the last four months.")

    @OptionGroup var options: DatabaseOptions
    @OptionGroup var workspace: WorkspaceOptions
    @Option(help: "The same number gives the same story.") var seed: Int64 = 7
    @Flag(help: "Print JSON.") var json = false

    func run() async throws {
        try await plainly {
            let arguments = workspace.arguments + [("seed", .integer(seed))]
            Commands.show(
                try await Commands.write("demo", .object(arguments.map { JSONMember($0.0, $0.1) }), options.settings()), json: json)
        }
    }
}

extension CommandVerbs {
    static func fillDemo(_ reader: JSONReader, _ installation: Installation) async throws -> JSONValue {
        let choice = WorkspaceChoice(reader)
        let seed = reader.optionalInteger("seed") ?? 7
        try reader.finish()
        let workspace = try await installation.main.read { connection in
            let workspace = try choice.find(on: connection)
            guard try ProgramStore.list(in: workspace.id, at: workspace.now(installation.world), after: nil, limit: 1, on: connection).isEmpty else {
                throw Problem.conflict(
                    code: "workspace_in_use", detail: "The workspace \(workspace.id) has programs already. Make a new one with kith setup.")
            }
            return workspace
        }
        return try await DemoStory(installation, workspace: workspace, seed: seed).tell()
    }
}
