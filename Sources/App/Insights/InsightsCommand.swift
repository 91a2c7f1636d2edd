import ArgumentParser
import Web

struct InsightsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "insights", abstract: "What is counted from the events.", subcommands: [Rebuild.self])

    struct Rebuild: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "rebuild", abstract: "Count days and stages anew from the events, in all workspaces. Gives the same as before.")

        @OptionGroup var options: DatabaseOptions
        @Flag(help: "Print JSON.") var json = false

        func run() async throws {
            try await plainly { Commands.show(try await Commands.write("insights-rebuild", [:], options.settings()), json: json) }
        }
    }
}
