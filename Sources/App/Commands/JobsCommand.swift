import ArgumentParser
import Web

struct JobsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "jobs", abstract: "Work that is due.", subcommands: [Run.self])

    struct Run: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "run", abstract: "Do now what is due: apply clicks, approve commissions past their hold, forget old answers.")

        @OptionGroup var options: DatabaseOptions
        @Flag(help: "PostgreSQL: write tables anew that people were erased from, also large ones, which nobody can use meanwhile.") var rewrite = false
        @Flag(help: "Print JSON.") var json = false

        func run() async throws {
            try await plainly { Commands.show(try await Commands.write("jobs-run", ["rewrite": .boolean(rewrite)], options.settings()), json: json) }
        }
    }
}
