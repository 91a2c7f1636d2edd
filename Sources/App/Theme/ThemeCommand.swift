import ArgumentParser
import Foundation
import Persistence
import Web

struct ThemeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "theme", abstract: "How the portal, letters and public pages look.", subcommands: [Show.self, Set.self])

    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(commandName: "show", abstract: "The theme, and the contrast of what it shows.")

        @OptionGroup var options: DatabaseOptions
        @OptionGroup var workspace: WorkspaceOptions
        @Flag(help: "Print JSON.") var json = false

        func run() async throws {
            try await plainly {
                ThemeCommand.show(
                    try await Commands.write("theme-show", .object(workspace.arguments.map { JSONMember($0.0, $0.1) }), options.settings()), json: json)
            }
        }
    }

    struct Set: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "set", abstract: "Change it; what is left out stays.",
            discussion: "What can't be read is refused, with the nearest colour that would pass.")

        @OptionGroup var options: DatabaseOptions
        @OptionGroup var workspace: WorkspaceOptions
        @Option(help: "A colour such as #0a7d4f.") var accent: String?
        @Option(help: "Of corners, 0 to 20 pixels.") var radius: Int?
        @Option(help: "system, inter, serif or rounded.") var typeface: String?
        @Option(help: "auto, light or dark.") var scheme: String?
        @Option(help: ArgumentHelp("An own value, as in --token=--kith-page=#ffffff; those given are all there are then.", valueName: "NAME=VALUE")) var token: [String] = []
        @Option(help: "A PNG, JPEG or WebP.") var logo: String?
        @Flag(help: "No own values any more.") var noTokens = false
        @Flag(help: "No logo any more.") var noLogo = false
        @Flag(help: "Print JSON.") var json = false

        func run() async throws {
            try await plainly {
                guard noTokens == false || token.isEmpty, noLogo == false || logo == nil else {
                    throw Problem.badRequest(detail: "Say one of the two: what is to be there, or that nothing is.")
                }
                let tokens: [JSONMember] = try token.map { text in
                    let halves = text.split(separator: "=", maxSplits: 1).map(String.init)
                    guard halves.count == 2 else { throw Problem.badRequest(detail: "Write --token=NAME=VALUE, as in --token=--kith-page=#ffffff.") }
                    return JSONMember(halves[0], .text(halves[1]))
                }
                var change: [JSONMember] = []
                for (name, value) in [("accent", accent), ("typeface", typeface), ("scheme", scheme)] {
                    if let value { change.append(JSONMember(name, .text(value))) }
                }
                if let radius { change.append(JSONMember("radius", .integer(Int64(radius)))) }
                if !tokens.isEmpty || noTokens { change.append(JSONMember("tokens", .object(tokens))) }
                var arguments = workspace.arguments.map { JSONMember($0.0, $0.1) } + [JSONMember("change", .object(change))]
                if let logo { arguments.append(JSONMember("logo", ["base64": .text(try Self.base64(logo))])) }
                if noLogo { arguments.append(JSONMember("logo", ["base64": .null])) }
                ThemeCommand.show(try await Commands.write("theme-set", .object(arguments), options.settings()), json: json)
            }
        }

        /// One byte more than may be is enough to say that it is too large.
        private static func base64(_ file: String) throws -> String {
            let path = Commands.absolute(file)
            guard let handle = FileHandle(forReadingAtPath: path) else { throw Problem.notFound(detail: "There is nothing at \(path) that can be read.") }
            defer { try? handle.close() }
            let bytes = try handle.read(upToCount: ThemeLogo.bytesMax + 1) ?? Data()
            guard bytes.count <= ThemeLogo.bytesMax else {
                throw Problem.badRequest(detail: "A logo has at most \(ThemeLogo.bytesMax / 1024) kB: \(path) is larger.")
            }
            return bytes.base64EncodedString()
        }
    }

    private static func show(_ answer: JSONValue, json: Bool) {
        guard !json, case .object(let members) = answer else { return Commands.show(answer, json: json) }
        Commands.show(.object(members.filter { !["contrast", "tokens"].contains($0.name) }), json: false)
        if case .object(let tokens)? = answer["tokens"] {
            for token in tokens { print("\(token.name): \(token.value.string ?? "")") }
        }
        for pair in answer.list("contrast") {
            print("\(pair.string("scheme") ?? ""), \(pair.string("pair") ?? ""): \(pair.string("ratio") ?? "") of \(pair.string("needs") ?? "")")
        }
    }
}

extension CommandVerbs {
    static func theme(_ verb: String, _ reader: JSONReader, _ installation: Installation) async throws -> JSONValue {
        let choice = WorkspaceChoice(reader)
        let change = verb == "theme-set" ? reader.optionalObject("change") { ThemeRoutes.read($0) } : nil
        let logo = verb == "theme-set" ? reader.optionalObject("logo") { ThemeRoutes.readLogo($0) } : nil
        try reader.finish()
        let id = try await installation.main.read { connection in try choice.find(on: connection).id }
        if verb == "theme-set" {
            try await installation.write(id, actor: .command) { write in
                if let change { _ = try Theme.change(change, in: write) }
                if let logo { try Theme.setLogo(logo, in: write) }
            }
        }
        let found = try await installation.main.read { connection -> (Workspace, Theme)? in
            guard let workspace = try WorkspaceStore.find(id, on: connection) else { return nil }
            return (workspace, try ThemeStore.find(workspace, on: connection))
        }
        guard let (workspace, theme) = found else { throw Refusal.unknown("workspace") }
        return theme.json(logoURL: workspace.logoURL.map { installation.publicURL(of: id) + $0 })
    }
}
