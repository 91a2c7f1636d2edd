import ArgumentParser
import Persistence
import Web

struct MailDomainCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "mail-domain", abstract: "Whom a company's letters come from.", subcommands: [Show.self, Set.self, Check.self, Remove.self])

    struct Options: ParsableArguments {
        @OptionGroup var options: DatabaseOptions
        @OptionGroup var workspace: WorkspaceOptions
        @Flag(help: "Print JSON.") var json = false

        func send(_ verb: String, _ more: [(String, JSONValue)] = []) async throws {
            try await plainly {
                let arguments = workspace.arguments + more
                let answer = try await Commands.write("mail-domain-\(verb)", .object(arguments.map { JSONMember($0.0, $0.1) }), options.settings())
                guard !json, verb != "remove" else { return Commands.show(answer, json: json) }
                print("\(answer.string("senderAddress") ?? "")  \(answer.string("state") ?? "")")
                for record in answer.list("records") {
                    print("  enter \(record.string("type") ?? "")  \(record.string("name") ?? "")  \(record.string("value") ?? "")")
                }
                for finding in answer.list("findings") {
                    print("  \(finding.string("level") ?? "")  \(finding.string("code") ?? "")  \(finding.string("found") ?? "")")
                }
            }
        }
    }

    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(commandName: "show", abstract: "The sender, what to enter in DNS, and what the last check found.")

        @OptionGroup var shared: Options

        func run() async throws { try await shared.send("show") }
    }

    struct Set: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "set", abstract: "Say whom letters come from, and what your mail provider tells you to enter; prints the records.",
            discussion: "What is left out is empty afterwards.")

        @OptionGroup var shared: Options
        @Argument(help: "The sender's address.") var senderAddress: String
        @Option(help: "Of the provider's SPF record, as in spf.provider.example.") var spfInclude: String?
        @Option(help: "Of the provider's key, as in s1.") var dkimSelector: String?
        @Option(help: "The name that the selector leads to, or the text of its key.") var dkimValue: String?
        @Option(help: "Where letters come back to, as in bounce.shop.example.") var returnPathHost: String?
        @Option(help: "Where that host leads.") var returnPathTarget: String?

        func run() async throws {
            let given = [
                ("spfInclude", spfInclude), ("dkimSelector", dkimSelector), ("dkimValue", dkimValue), ("returnPathHost", returnPathHost), ("returnPathTarget", returnPathTarget),
            ].compactMap { name, value in value.map { (name, JSONValue.text($0)) } }
            try await shared.send("set", [("senderAddress", .text(senderAddress))] + given)
        }
    }

    struct Check: AsyncParsableCommand {
        static let configuration = CommandConfiguration(commandName: "check", abstract: "Ask the name servers now, as receivers do.")

        @OptionGroup var shared: Options

        func run() async throws { try await shared.send("check") }
    }

    struct Remove: AsyncParsableCommand {
        static let configuration = CommandConfiguration(commandName: "remove", abstract: "Have letters come from the server's own address again.")

        @OptionGroup var shared: Options

        func run() async throws { try await shared.send("remove") }
    }
}

extension CommandVerbs {
    static func mailDomain(_ verb: String, _ reader: JSONReader, _ installation: Installation) async throws -> JSONValue {
        let choice = WorkspaceChoice(reader)
        let input = verb == "mail-domain-set" ? MailDomainRoutes.read(reader) : nil
        try reader.finish()
        let workspace = try await installation.main.read { connection in try choice.find(on: connection) }
        switch verb {
        case "mail-domain-check": return try await installation.checkMailDomain(in: workspace.id, actor: .command).json(installation)
        case "mail-domain-remove":
            try await installation.write(workspace.id, actor: .command) { write in try MailDomain.remove(in: write) }
            return ["removed": true]
        default: break
        }
        if let input { return try await installation.write(workspace.id, actor: .command) { write in try MailDomain.set(input, in: write) }.json(installation) }
        guard let domain = try await installation.main.read({ connection in try MailDomainStore.find(workspace, on: connection) }) else {
            throw Problem.notFound(detail: "Letters come from the server's own address. Name another with kith mail-domain set.")
        }
        return domain.json(installation)
    }
}
