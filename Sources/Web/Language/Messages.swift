/// The texts of one locale, for one person's page or mail.
public struct Messages: Sendable {
    /// The locale whose texts these are.
    public let locale: String
    /// Formats values as this person expects; its region may be finer than the texts'.
    public let formatter: LocaleFormatter
    /// The locale's own texts, then the English ones.
    private let layers: [[String: Message]]

    init(locale: String, formatter: LocaleFormatter, layers: [[String: Message]]) {
        self.locale = locale
        self.formatter = formatter
        self.layers = layers
    }

    /// A text with values in its places. A missing key shows itself.
    public func callAsFunction(_ key: String, _ values: [String: String] = [:]) -> String {
        Message.fill(form(key), isolated(values))
    }

    /// The form of a text for a count, which also fills the place `{count}`.
    public func plural(_ key: String, count: Int64, _ values: [String: String] = [:]) -> String {
        var values = values
        values["count"] = values["count"] ?? formatter.integer(count)
        return Message.fill(form(key, count: count), isolated(values))
    }

    /// The fixed texts below a prefix, as templates name them: `links.filter.find` is `filter_find` below `links`.
    public func texts(prefix: String) -> PageObject {
        var texts: [String: PageValue] = [:]
        for layer in layers.reversed() {
            for (key, message) in layer where key.hasPrefix(prefix + ".") {
                guard case .text(let text) = message else { continue }
                let name = key.dropFirst(prefix.count + 1)
                texts[String(name.map { $0 == "." ? "_" : $0 })] = .text(text)
            }
        }
        return PageObject(texts)
    }

    /// A sentence whose text has stressed words in `<b>` and quiet ones in `<soft>`, as parts for the partial `words`.
    /// Values are put in after the text is cut, so they can't bring markup.
    public func sentence(_ key: String, count: Int64? = nil, _ values: [String: String] = [:]) -> PageValue {
        var values = values
        if let count { values["count"] = values["count"] ?? formatter.integer(count) }
        let marked = count.map { form(key, count: $0) } ?? form(key)
        return .list(SentencePart.parts(of: marked).map { .object([$0.kind: .text(Message.fill($0.text, isolated(values)))]) })
    }

    /// A day seen from today: yesterday, in 3 days. Needs the keys `relativeDay.today`, `.tomorrow`, `.yesterday`, `.inDays`, `.daysAgo`.
    public func relativeDay(days: Int64) -> String {
        switch days {
        case 0: self("relativeDay.today")
        case 1: self("relativeDay.tomorrow")
        case -1: self("relativeDay.yesterday")
        case 1...: plural("relativeDay.inDays", count: days)
        default: plural("relativeDay.daysAgo", count: Int64(clamping: days.magnitude))
        }
    }

    /// Where the script runs from right to left, names and numbers keep their own order and leave that of the text around them alone
    /// (first strong isolate, Unicode Standard Annex 9). Addresses stay as they are: they are copied.
    private func isolated(_ values: [String: String]) -> [String: String] {
        guard isRightToLeft else { return values }
        return values.mapValues { $0.isEmpty || $0.hasPrefix("http") ? $0 : "\u{2068}\($0)\u{2069}" }
    }

    private func form(_ key: String, count: Int64? = nil) -> String {
        switch layers.lazy.compactMap({ $0[key] }).first {
        case .text(let text): return text
        case .plural(let forms):
            let category = count.map { PluralRules.category(of: $0, language: MessageCatalogue.language(of: locale)) } ?? .other
            return forms[category] ?? forms[.other] ?? key
        case nil: return key
        }
    }

    /// Whether the script runs from right to left.
    public var isRightToLeft: Bool { TextDirection(locale: locale) == .rightToLeft }
}

/// The direction of a locale's script.
public enum TextDirection: String, Sendable {
    case leftToRight = "ltr"
    case rightToLeft = "rtl"

    public init(locale: String) {
        let languages: Set<String> = ["ar", "he", "fa", "ur", "yi", "ps", "sd", "ug", "dv", "ckb"]
        self = languages.contains(MessageCatalogue.language(of: locale)) ? .rightToLeft : .leftToRight
    }
}

/// A piece of a sentence with the same stress.
struct SentencePart: Equatable {
    /// `plain`, `strong`, `soft` or `softStrong`.
    let kind: String
    let text: String

    /// The text cut at `<b>`, `</b>`, `<soft>` and `</soft>`.
    static func parts(of text: String) -> [SentencePart] {
        var parts: [SentencePart] = []
        var isStrong = false
        var isSoft = false
        var rest = text[...]
        var current = ""
        func kind() -> String { isSoft ? (isStrong ? "softStrong" : "soft") : (isStrong ? "strong" : "plain") }
        while !rest.isEmpty {
            let tag = ["<b>", "</b>", "<soft>", "</soft>"].first { rest.hasPrefix($0) }
            guard let tag else {
                current.append(rest.removeFirst())
                continue
            }
            if !current.isEmpty { parts.append(SentencePart(kind: kind(), text: current)) }
            current = ""
            rest = rest.dropFirst(tag.count)
            if tag.hasSuffix("b>") { isStrong = tag == "<b>" } else { isSoft = tag == "<soft>" }
        }
        if !current.isEmpty { parts.append(SentencePart(kind: kind(), text: current)) }
        return parts
    }
}
