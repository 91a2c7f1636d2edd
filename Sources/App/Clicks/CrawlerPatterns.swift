import Foundation
import Web

/// The list of crawlers' user agents (crawler-user-agents, MIT), fetched by `bin/setup`. Most entries are plain words, which are
/// searched as bytes; the few real expressions are one combined expression.
struct CrawlerPatterns: Sendable {
    private let words: [[UInt8]]
    private let expression: NSRegularExpression?

    init(_ vendor: [EmbeddedFile]) throws {
        var patterns = Self.always
        if let file = vendor.first(where: { $0.name == "crawlers.json" }),
            case .array(let listed) = try JSONValue.parse(file.bytes, maximumBytes: 4_000_000)
        {
            patterns += listed.compactMap { if case .text(let text) = $0 { text } else { nil } }
        }
        var words: [[UInt8]] = []
        var expressions: [String] = []
        for pattern in patterns {
            if let word = Self.word(pattern) { words.append(Array(word.utf8)) } else { expressions.append("(?:\(pattern))") }
        }
        self.words = words
        expression = try NSRegularExpression(pattern: expressions.joined(separator: "|"))
    }

    func matches(_ agent: String) -> Bool {
        // Viber's own browser adds its name to Chrome's; its link previews say only "Viber".
        if agent.hasSuffix(" Viber"), agent.contains(" Chrome/"), agent.contains(" Safari/") { return false }
        let bytes = Array(agent.utf8)
        if words.contains(where: { bytes.contains($0) }) { return true }
        return expression?.firstMatch(in: agent, range: NSRange(agent.startIndex..., in: agent)) != nil
    }

    /// What no person's browser says of itself, whatever the list has. Cubot is a maker of phones.
    private static let always = [
        "(?i)(?<!cu)bot\\b", "(?i)crawl", "(?i)spider", "(?i)scrap(er|y)", "HeadlessChrome", "(?i)^curl/", "(?i)^wget/", "python-requests",
        "(?i)^python", "(?i)httpclient", "^Go-http-client", "^okhttp", "^Java/", "^axios", "^node-fetch", "^undici", "^got ", "^PostmanRuntime",
        "(?i)link ?preview", "facebookexternalhit", "WhatsApp/", "TelegramBot", "Slackbot", "Discordbot", "SkypeUriPreview", "Google-Safety",
        "(?i)ms-office", "^Microsoft Office", "^Mozilla/[45]\\.0$", "^-$", "CFNetwork/", "Google-PageRenderer", "Lighthouse", "^insomnia",
        "^Dart/", "^PHP", "(?i)^ruby", "^node$", "(?i)barracuda", "(?i)proofpoint", "(?i)mimecast", "(?i)safelinks", "(?i)urldefense",
    ]

    /// The plain word behind a pattern; nil when it is a real expression.
    private static func word(_ pattern: String) -> String? {
        var word = ""
        var isEscaped = false
        for character in pattern.unicodeScalars {
            if isEscaped {
                guard !("a"..."z").contains(character), !("A"..."Z").contains(character), !("0"..."9").contains(character) else { return nil }
                word.unicodeScalars.append(character)
                isEscaped = false
            } else if character == "\\" {
                isEscaped = true
            } else if "^$.|?*+()[]{}".unicodeScalars.contains(character) {
                return nil
            } else {
                word.unicodeScalars.append(character)
            }
        }
        return isEscaped || word.isEmpty ? nil : word
    }
}

extension Array where Element == UInt8 {
    fileprivate func contains(_ word: [UInt8]) -> Bool {
        guard let first = word.first, count >= word.count else { return false }
        return withUnsafeBufferPointer { bytes in
            word.withUnsafeBufferPointer { word in
                var position = 0
                let last = bytes.count - word.count
                while position <= last {
                    if bytes[position] == first {
                        var length = 1
                        while length < word.count && bytes[position + length] == word[length] { length += 1 }
                        if length == word.count { return true }
                    }
                    position += 1
                }
                return false
            }
        }
    }
}
