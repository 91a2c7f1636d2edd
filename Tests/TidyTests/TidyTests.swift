import Foundation
import Testing

/// Rules of the house that a machine can read off the files.
@Suite struct TidyTests {
    struct Word: Sendable {
        var pattern: String
        var reason: String
        /// Where it is allowed: ends of paths, or parts of them.
        var except: [String] = []
        var isAllowedInStores = false
    }

    static let forbidden: [Word] = [
        Word(pattern: #"\btry!"#, reason: "failures are values"),
        Word(pattern: #"\bas!\s"#, reason: "failures are values"),
        Word(pattern: #"\b(fatalError|preconditionFailure|assertionFailure)\("#, reason: "money assertions fail the transaction, not the process"),
        Word(pattern: #"\b(TODO|FIXME|XXX)\b"#, reason: "open work stands in issues"),
        Word(pattern: #"(^|\s)print\("#, reason: "only commands print", except: ["/Commands/", "/embed/", "/Bench/", "Command.swift", "+Command"]),
        Word(pattern: #"\bDate\(\)"#, reason: "time comes from the world", except: ["/World.swift", "Sources/Web/"]),
        Word(
            pattern: #""\s*(SELECT|INSERT|UPDATE|DELETE FROM)\s|^\s*(SELECT|INSERT INTO|UPDATE|DELETE FROM)\s[a-z*(\\]"#, reason: "SQL stands in stores",
            except: ["Sources/Ledger/", "Sources/Persistence/"], isAllowedInStores: true),
        Word(pattern: #"[A-Za-z0-9_\])]!(\.|\)|,|\s*$|\[)"#, reason: "no force unwrap"),
    ]

    /// What was there when the rule came, as counts that may only go down.
    static let ratchet: [String: Int] = Ratchet.counts

    static let longFiles: [String: Int] = Ratchet.longFiles

    /// Tags that the renderer itself gives: the text of a message, the frame around a page.
    static let sections: Set<String> = ["t", "frame"]

    @Test func forbiddenWords() throws {
        var found: [String: [String]] = [:]
        for file in try Files.sources() {
            for (number, line) in file.text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
                let code = Files.code(line)
                for word in Self.forbidden where !(word.isAllowedInStores && file.holdsStore) && !word.except.contains(where: { file.path.contains($0) }) {
                    if code.range(of: word.pattern, options: .regularExpression) != nil {
                        found["\(word.reason) \(file.path)", default: []].append("\(file.path):\(number + 1): \(word.reason): \(line.trimmingCharacters(in: .whitespaces))")
                    }
                }
            }
        }
        for (place, lines) in found.sorted(by: { $0.key < $1.key }) {
            #expect(lines.count <= Self.ratchet[place] ?? 0, "\(place): \(lines.joined(separator: "\n"))")
        }
    }

    @Test func filesAreShort() throws {
        for file in try Files.sources() {
            let lines = file.text.split(separator: "\n", omittingEmptySubsequences: false).count
            #expect(lines <= Self.longFiles[file.path] ?? 400, "\(file.path) has \(lines) lines: split it")
        }
    }

    /// Names say what is in a file, not that it helps.
    @Test func filesAreNamedByWhatTheyHold() throws {
        for file in try Files.sources() {
            let name = file.path.split(separator: "/").last.map(String.init) ?? ""
            for word in ["Util", "Helper", "Manager", "Misc", "Common"] { #expect(!name.contains(word), "\(file.path)") }
            if name.hasSuffix("Store.swift") { #expect(file.path.hasPrefix("Sources/App/"), "\(file.path): stores belong to features") }
            if name.hasSuffix("Routes.swift"), name != "Routes.swift" { #expect(file.text.contains("inout API"), "\(file.path) registers no calls") }
        }
    }

    /// Lower layers know nothing of higher ones.
    @Test func layersLookDownOnly() throws {
        let above: [String: [String]] = [
            "Sources/Persistence/": ["Ledger", "Web", "App", "Hummingbird"], "Sources/Ledger/": ["Web", "App", "Hummingbird"],
            "Sources/Web/": ["Persistence", "Ledger", "App"],
            "Engine/Sources/": ["Persistence", "Ledger", "Web", "App", "Hummingbird", "GRDB", "Foundation"],
        ]
        for file in try Files.sources() {
            for (layer, forbidden) in above where file.path.hasPrefix(layer) {
                // The plan language asks the system for its time zones; what computes reads nothing.
                for module in forbidden where module != "Foundation" || !file.path.hasPrefix("Engine/Sources/PlanLanguage/") {
                    #expect(
                        file.text.range(of: #"(?m)^(public |internal )?import "# + module + "$", options: .regularExpression) == nil,
                        "\(file.path) imports \(module)")
                }
            }
        }
    }

    /// Every tag of a template stands in one of its samples, so that templates can be looked at without a server.
    @Test func everyTagHasASample() throws {
        let templates = try Files.all(below: "Sources/App", extensions: ["mustache"])
        let samples = try Files.all(below: "Sources/App", extensions: ["json"]).filter { $0.path.hasSuffix(".sample.json") }
        for template in templates {
            let stem = String(template.path.dropLast(".mustache".count))
            let own = samples.filter { $0.path.hasPrefix(stem + ".") }
            guard !own.isEmpty else { continue }
            let text = own.map(\.text).joined()
            for tag in Files.matches(#"\{\{[#^&{]?\s*([A-Za-z][A-Za-z0-9]*)"#, in: template.text) where !Self.sections.contains(tag) {
                #expect(text.contains("\"\(tag)\""), "\(template.path): no sample has \(tag)")
            }
        }
    }

    /// Keys of the catalogue that templates and Swift name are there.
    @Test func everyNamedMessageIsInTheCatalogue() throws {
        let catalogue = try Files.all(below: "Sources/App/Catalogue", extensions: ["json"]).filter { $0.path.hasSuffix("/en.json") }
        let text = catalogue.map(\.text).joined()
        for template in try Files.all(below: "Sources/App", extensions: ["mustache"]) {
            for key in Files.matches(#"\{\{#(?:text|t|message)\}\}\s*([a-z][A-Za-z0-9.\-]+)\s*\{\{/"#, in: template.text) {
                #expect(text.contains("\"\(key)\""), "\(template.path): the catalogue lacks \(key)")
            }
        }
    }

    /// Whatever the audit trail may say has words for people.
    @Test func everyAuditedActionHasWords() throws {
        let text = try Files.all(below: "Sources/App/Catalogue", extensions: ["json"]).filter { $0.path.hasSuffix("/en.json") }.map(\.text).joined()
        var seen = 0
        for file in try Files.all(below: "Sources/App", extensions: ["swift"]) where !file.path.contains("/Tests/") {
            for call in Files.matches(#"\.audit\(\s*([^,]+),"#, in: file.text) {
                for action in Files.matches(#""([a-z_]+(?:\.[A-Za-z_]+)+)""#, in: call) {
                    seen += 1
                    #expect(text.contains("\"audit.action.\(action)\""), "\(file.path): the catalogue lacks audit.action.\(action)")
                }
            }
        }
        #expect(seen > 100)
    }
}

/// The files of the package.
enum Files {
    struct File: Sendable {
        /// Below the package.
        var path: String
        var text: String
        /// Whether it holds the statements of a feature: an enum or extension of a store, or one named for its rows.
        var holdsStore: Bool {
            path.hasSuffix("Rows.swift") || text.range(of: #"(enum|extension|struct) \w*Store\b"#, options: .regularExpression) != nil
        }
    }

    static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

    /// Swift files that are part of the product: no tests.
    static func sources() throws -> [File] {
        try (all(below: "Sources", extensions: ["swift"]) + all(below: "Engine/Sources", extensions: ["swift"])).filter { !$0.path.contains("/Tests/") }
    }

    static func all(below folder: String, extensions: Set<String>) throws -> [File] {
        let base = root.appendingPathComponent(folder)
        let names = FileManager.default.enumerator(atPath: base.path)?.compactMap { $0 as? String } ?? []
        return try names.filter { extensions.contains(($0 as NSString).pathExtension) }.sorted().map { name in
            File(path: "\(folder)/\(name)", text: try String(contentsOf: base.appendingPathComponent(name), encoding: .utf8))
        }
    }

    /// A line without its comment. A `//` inside of a text counts as one when a blank stands before it, which is good enough.
    static func code(_ line: Substring) -> String {
        let text = String(line)
        let trimmed = text.trimmingCharacters(in: .whitespaces)
        if trimmed.hasPrefix("//") { return "" }
        guard let comment = text.range(of: " //") else { return text }
        return String(text[..<comment.lowerBound])
    }

    /// The first group of every match.
    static func matches(_ pattern: String, in text: String) -> Set<String> {
        guard let expression = try? NSRegularExpression(pattern: pattern) else { return [] }
        var found: Set<String> = []
        for match in expression.matches(in: text, range: NSRange(text.startIndex..., in: text)) {
            if let range = Range(match.range(at: 1), in: text) { found.insert(String(text[range])) }
        }
        return found
    }
}
