import ArgumentParser
import Persistence
import Web

struct DomainCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "domain", abstract: "A company's own hosts.", subcommands: [List.self, Add.self, Check.self, Main.self, Remove.self])

    struct Options: ParsableArguments {
        @OptionGroup var options: DatabaseOptions
        @OptionGroup var workspace: WorkspaceOptions
        @Flag(help: "Print JSON.") var json = false

        func send(_ verb: String, host: String? = nil) async throws {
            try await plainly {
                let arguments = workspace.arguments + (host.map { [("host", JSONValue.text($0))] } ?? [])
                let answer = try await Commands.write("domain-\(verb)", .object(arguments.map { JSONMember($0.0, $0.1) }), options.settings())
                guard !json, verb != "remove" else { return Commands.show(answer, json: json) }
                guard verb == "list" else { return DomainCommand.show(answer) }
                for domain in answer.list("domains") { DomainCommand.show(domain) }
            }
        }
    }

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(commandName: "list", abstract: "The hosts, and what their last check found.")

        @OptionGroup var shared: Options

        func run() async throws { try await shared.send("list") }
    }

    struct Add: AsyncParsableCommand {
        static let configuration = CommandConfiguration(commandName: "add", abstract: "Ask for a host; prints what to enter in its DNS.")

        @OptionGroup var shared: Options
        @Argument(help: "A host name such as partners.shop.example.") var host: String

        func run() async throws { try await shared.send("add", host: host) }
    }

    struct Check: AsyncParsableCommand {
        static let configuration = CommandConfiguration(commandName: "check", abstract: "Look now whether the proof is there.")

        @OptionGroup var shared: Options
        @Argument(help: "The host.") var host: String

        func run() async throws { try await shared.send("check", host: host) }
    }

    struct Main: AsyncParsableCommand {
        static let configuration = CommandConfiguration(commandName: "main", abstract: "Have letters and links name this host.")

        @OptionGroup var shared: Options
        @Argument(help: "A verified host.") var host: String

        func run() async throws { try await shared.send("main", host: host) }
    }

    struct Remove: AsyncParsableCommand {
        static let configuration = CommandConfiguration(commandName: "remove", abstract: "Give a host up.")

        @OptionGroup var shared: Options
        @Argument(help: "The host.") var host: String

        func run() async throws { try await shared.send("remove", host: host) }
    }

    /// A host in a line, and below it what is to be done about it.
    private static func show(_ domain: JSONValue) {
        print("\(domain.string("host") ?? "")  \(domain.string("state") ?? "")\(domain["isMain"] == true ? "  main" : "")")
        guard domain.string("state") != CompanyDomain.State.verified.rawValue else { return }
        for record in domain.list("records") {
            print("  enter \(record.string("type") ?? "")  \(record.string("name") ?? "")  \(record.string("value") ?? "")")
        }
        guard let found = domain["found"], domain.string("checkedAt") != nil else { return }
        let texts = found.list("texts").compactMap(\.string)
        let failure = found.string("record") ?? ""
        print("  found \(!failure.isEmpty ? failure : texts.isEmpty ? "no such record" : texts.joined(separator: ", "))")
    }
}

extension CommandVerbs {
    static func domain(_ verb: String, _ reader: JSONReader, _ installation: Installation) async throws -> JSONValue {
        let choice = WorkspaceChoice(reader)
        let typed = verb == "domain-list" ? nil : reader.text("host", maximumLength: 253)
        try reader.finish()
        let id = try await installation.main.read { connection in try choice.find(on: connection).id }
        guard let typed else {
            let domains = try await installation.main.read { connection in try DomainStore.list(in: id, on: connection) }
            return ["domains": .array(domains.map { $0.json(installation) })]
        }
        guard let host = HostName(typed: typed) else { throw Refusal.field("host", DomainRoutes.hostAllowed) }
        defer { installation.hosts.forget() }
        switch verb {
        case "domain-add":
            let ownHost = installation.ownHost
            return try await installation.write(id, actor: .command) { write in try CompanyDomain.add(host, ownHost: ownHost, in: write) }.json(installation)
        case "domain-check":
            return try await installation.checkDomain(host.text, in: id, actor: .command).json(installation)
        case "domain-main":
            return try await installation.write(id, actor: .command) { write in try CompanyDomain.makeMain(host.text, in: write) }.json(installation)
        default:
            try await installation.write(id, actor: .command) { write in try CompanyDomain.remove(host.text, in: write) }
            return ["host": .text(host.text), "removed": true]
        }
    }
}
