import ArgumentParser
import Web

struct GenerateCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "generate",
        abstract: "Write a made-up organisation with one month of sales into a program of a test workspace, to try out runs at full size.")

    @OptionGroup var options: DatabaseOptions
    @OptionGroup var workspace: WorkspaceOptions
    @Option(help: "The program (prog_…).") var program: String
    @Option(help: "Promoters.") var members = 10_000
    @Option(help: "The seed.") var seed: Int64 = 1
    @Option(help: "A day of the month, such as 2026-10-01.") var day: String
    @Flag(help: "Print JSON.") var json = false

    func run() async throws {
        let arguments =
            workspace.arguments + [
                ("program", .text(program)), ("members", .integer(Int64(members))), ("seed", .integer(seed)), ("day", .text(day)),
            ]
        try await plainly {
            Commands.show(
                try await Commands.write("generate", .object(arguments.map { JSONMember($0.0, $0.1) }), options.settings()), json: json)
        }
    }
}
