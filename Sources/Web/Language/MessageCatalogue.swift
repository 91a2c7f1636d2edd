/// Why a catalogue file can't be used.
public struct CatalogueError: Error, Sendable, Equatable, CustomStringConvertible {
    public let locale: String
    public let key: String
    public let reason: String

    public var description: String { "\(locale).json: \(key): \(reason)" }
}

/// Every text people see, by locale and key. English is complete; other locales fall back to it.
public struct MessageCatalogue: Sendable {
    public static let defaultLocale = "en"
    /// Bytes of one catalogue file.
    public static let maximumBytes = 4 * 1024 * 1024
    /// A member of a catalogue file that is no text: who wrote it, `machine` until somebody who speaks the language has signed it.
    static let originKey = "@origin"
    private let messagesByLocale: [String: [String: Message]]
    private let localesByAudience: [TextAudience: Set<String>]

    /// Catalogue files, named by their locale, for instance `pt-BR.json`. The pseudo-locale is made from `en.json`.
    public init(_ files: [EmbeddedFile], audiences: [TextAudience] = []) throws(CatalogueError) {
        try self.init(files.map { (String($0.name.split(separator: "/").last?.split(separator: ".").first ?? ""), $0.bytes) }, audiences: audiences)
    }

    /// Flat JSON objects by locale: key to text, or key to an object of plural forms.
    /// - Parameter audiences: the parts of the catalogue that a language may have alone.
    public init(_ files: [(locale: String, bytes: [UInt8])], audiences: [TextAudience] = []) throws(CatalogueError) {
        var messages: [String: [String: Message]] = [:]
        for file in files { messages[file.locale] = try Self.read(file.locale, file.bytes) }
        let english = messages[Self.defaultLocale] ?? [:]
        messages[PseudoLocale.identifier] = english.mapValues(PseudoLocale.message)
        let lacking = messages.mapValues { own in english.keys.filter { own[$0] == nil } }
        var covered: [TextAudience: Set<String>] = [:]
        for audience in audiences + [.everybody] {
            covered[audience] = Set(lacking.filter { !$0.value.contains(where: audience.reads) }.keys)
        }
        messagesByLocale = messages
        localesByAudience = covered
    }

    /// The locales that have every text of an audience, sorted, with the pseudo-locale.
    public func locales(for audience: TextAudience = .everybody) -> [String] { (localesByAudience[audience] ?? []).sorted() }

    /// The locales that people speak, sorted: without the pseudo-locale.
    public func spokenLocales(for audience: TextAudience = .everybody) -> [String] { locales(for: audience).filter { $0 != PseudoLocale.identifier } }

    /// Every key of the English catalogue, sorted.
    public var keys: [String] { (messagesByLocale[Self.defaultLocale] ?? [:]).keys.sorted() }

    /// The texts for a person: of this locale, else of its language, else English.
    public func messages(for locale: String, audience: TextAudience = .everybody) -> Messages {
        let known = match(locale, among: localesByAudience[audience] ?? []) ?? Self.defaultLocale
        let layers = (known == Self.defaultLocale ? [known] : [known, Self.defaultLocale]).compactMap { messagesByLocale[$0] }
        return Messages(locale: known, formatter: LocaleFormatter(locale: locale), layers: layers)
    }

    /// The best locale for an `Accept-Language` header. The pseudo-locale is never chosen.
    public func locale(acceptLanguage header: String?, audience: TextAudience = .everybody) -> String {
        let wishes: [(locale: String, quality: Double)] = (header ?? "").split(separator: ",").prefix(20).compactMap { entry in
            let parts = entry.split(separator: ";").map { $0.trimmingASCIISpace() }
            guard let name = parts.first, !name.isEmpty else { return nil }
            let quality = parts.dropFirst().first { $0.hasPrefix("q=") }.flatMap { Double($0.dropFirst(2)) } ?? 1
            return quality > 0 ? (name, quality) : nil
        }
        let spoken = (localesByAudience[audience] ?? []).subtracting([PseudoLocale.identifier])
        let ordered = wishes.enumerated().sorted { ($1.element.quality, $0.offset) < ($0.element.quality, $1.offset) }
        return ordered.lazy.compactMap { match($0.element.locale, among: spoken) }.first ?? Self.defaultLocale
    }

    /// Texts of an audience that a language it should speak lacks, unknown keys, places that differ from the English text, missing plural
    /// forms: a test wants none.
    public func faults(_ wanted: [String] = [], audience: TextAudience = .everybody) -> [CatalogueError] {
        let english = messagesByLocale[Self.defaultLocale] ?? [:]
        var faults: [CatalogueError] = []
        for locale in wanted.sorted() {
            let own = messagesByLocale[locale] ?? [:]
            for key in english.keys.sorted() where own[key] == nil && audience.reads(key) {
                faults.append(CatalogueError(locale: locale, key: key, reason: "is missing"))
            }
        }
        for (locale, own) in messagesByLocale.sorted(by: { $0.key < $1.key }) where locale != PseudoLocale.identifier {
            for (key, message) in own.sorted(by: { $0.key < $1.key }) {
                func add(_ reason: String) { faults.append(CatalogueError(locale: locale, key: key, reason: reason)) }
                guard let original = english[key] else {
                    add("is not in \(Self.defaultLocale).json")
                    continue
                }
                if original.placeholders != message.placeholders { add("has the places \(message.placeholders), not \(original.placeholders)") }
                switch (original, message) {
                case (.text, .text): break
                case (.plural, .plural(let forms)):
                    let lacking = PluralRules.categories(language: Self.language(of: locale)).subtracting(forms.keys).map(\.rawValue).sorted()
                    if !lacking.isEmpty { add("lacks the forms \(lacking)") }
                default: add("has plural forms in one language and not in the other")
                }
            }
        }
        return faults
    }

    /// The fixed texts that templates name as `{{t.NAME}}` below their prefix and that don't exist.
    public func missingKeys(in templates: TemplateLibrary) -> [TemplateError] {
        let english = messages(for: Self.defaultLocale)
        return templates.names.flatMap { name in
            let known = templates.textPrefix(of: name).map { english.texts(prefix: $0) } ?? PageObject()
            return templates.tags(of: name).compactMap { (tag) -> TemplateError? in
                guard tag.name.hasPrefix("t."), tag.kind == .variable, known[String(tag.name.dropFirst(2))] == nil else { return nil }
                return TemplateError(template: name, line: tag.line, reason: "the catalogue has no text for \(tag.name)")
            }
        }
    }

    static func language(of locale: String) -> String {
        locale.split(whereSeparator: { $0 == "-" || $0 == "_" }).first.map { $0.lowercased() } ?? locale
    }

    /// A locale itself, else its language, else the script that the language is written in here.
    private func match(_ wish: String, among locales: Set<String>) -> String? {
        let language = Self.language(of: wish)
        let isTraditional = ["hant", "tw", "hk", "mo"].contains { wish.lowercased().contains("-\($0)") }
        let candidates = [wish, language] + (language == "zh" && !isTraditional ? ["zh-Hans"] : [])
        return candidates.lazy.compactMap { candidate in locales.first { $0.lowercased() == candidate.lowercased() } }.first
    }

    private static func read(_ locale: String, _ bytes: [UInt8]) throws(CatalogueError) -> [String: Message] {
        let document: JSONValue
        do {
            document = try JSONValue.parse(bytes, maximumBytes: maximumBytes)
        } catch {
            throw CatalogueError(locale: locale, key: "byte \(error.offset)", reason: error.reason)
        }
        guard case .object(let members) = document else { throw CatalogueError(locale: locale, key: "", reason: "must be an object") }
        var messages: [String: Message] = [:]
        for member in members where member.name != originKey {
            switch member.value {
            case .text(let text): messages[member.name] = .text(text)
            case .object(let forms):
                var plural: [PluralCategory: String] = [:]
                for form in forms {
                    guard let category = PluralCategory(rawValue: form.name), case .text(let text) = form.value else {
                        throw CatalogueError(locale: locale, key: member.name, reason: "\(form.name) is no plural form with a text")
                    }
                    plural[category] = text
                }
                guard plural[.other] != nil else { throw CatalogueError(locale: locale, key: member.name, reason: "lacks the form other") }
                messages[member.name] = .plural(plural)
            default: throw CatalogueError(locale: locale, key: member.name, reason: "must be a text or an object of plural forms")
            }
        }
        return messages
    }
}
