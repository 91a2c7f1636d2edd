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
    private let messagesByLocale: [String: [String: Message]]

    /// Catalogue files, named by their locale, for instance `pt-BR.json`. The pseudo-locale is made from `en.json`.
    public init(_ files: [EmbeddedFile]) throws(CatalogueError) {
        try self.init(files.map { (String($0.name.split(separator: "/").last?.split(separator: ".").first ?? ""), $0.bytes) })
    }

    /// Flat JSON objects by locale: key to text, or key to an object of plural forms.
    public init(_ files: [(locale: String, bytes: [UInt8])]) throws(CatalogueError) {
        var messages: [String: [String: Message]] = [:]
        for file in files { messages[file.locale] = try Self.read(file.locale, file.bytes) }
        let english = messages[Self.defaultLocale] ?? [:]
        messages[PseudoLocale.identifier] = english.mapValues(PseudoLocale.message)
        var merged: [String: [String: Message]] = [:]
        for locale in messages.keys {
            let own = messages[locale] ?? [:]
            let parent = messages[Self.language(of: locale)] ?? [:]
            merged[locale] = english.merging(parent) { _, new in new }.merging(own) { _, new in new }
        }
        missing = messages.mapValues { own in Set(english.keys).subtracting(own.keys) }
        messagesByLocale = merged
    }

    private let missing: [String: Set<String>]

    /// All locales, sorted, with the pseudo-locale.
    public var locales: [String] { messagesByLocale.keys.sorted() }

    /// All locales that people speak, sorted: without the pseudo-locale.
    public var spokenLocales: [String] { locales.filter { $0 != PseudoLocale.identifier } }

    /// Every key of the English catalogue, sorted.
    public var keys: [String] { (messagesByLocale[Self.defaultLocale] ?? [:]).keys.sorted() }

    /// The texts for a person: of this locale, else of its language, else English.
    public func messages(for locale: String) -> Messages {
        let known = [locale, Self.language(of: locale)].first { messagesByLocale[$0] != nil } ?? Self.defaultLocale
        return Messages(
            locale: known, formatter: LocaleFormatter(locale: locale), messages: messagesByLocale[known] ?? [:])
    }

    /// The best locale for an `Accept-Language` header. The pseudo-locale is never chosen.
    public func locale(acceptLanguage header: String?) -> String {
        let wishes: [(locale: String, quality: Double)] = (header ?? "").split(separator: ",").prefix(20).compactMap { entry in
            let parts = entry.split(separator: ";").map { $0.trimmingASCIISpace() }
            guard let name = parts.first, !name.isEmpty else { return nil }
            let quality = parts.dropFirst().first { $0.hasPrefix("q=") }.flatMap { Double($0.dropFirst(2)) } ?? 1
            return quality > 0 ? (name, quality) : nil
        }
        for wish in wishes.enumerated().sorted(by: { ($1.element.quality, $0.offset) < ($0.element.quality, $1.offset) }).map(\.element) {
            for candidate in [wish.locale, Self.language(of: wish.locale)] {
                if let match = messagesByLocale.keys.first(where: { $0.lowercased() == candidate.lowercased() && $0 != PseudoLocale.identifier }) {
                    return match
                }
            }
        }
        return Self.defaultLocale
    }

    /// Keys other locales lack, unknown keys, places that differ from the English text, missing plural forms: a test wants none.
    public func faults() -> [CatalogueError] {
        let english = messagesByLocale[Self.defaultLocale] ?? [:]
        var faults: [CatalogueError] = []
        for locale in locales where locale != PseudoLocale.identifier {
            for key in (missing[locale] ?? []).sorted() { faults.append(CatalogueError(locale: locale, key: key, reason: "is missing")) }
            for (key, message) in (messagesByLocale[locale] ?? [:]).sorted(by: { $0.key < $1.key }) {
                func add(_ reason: String) { faults.append(CatalogueError(locale: locale, key: key, reason: reason)) }
                guard let original = english[key] else {
                    add("is not in \(Self.defaultLocale).json")
                    continue
                }
                if original.placeholders != message.placeholders { add("has the places \(message.placeholders), not \(original.placeholders)") }
                if case .plural(let forms) = message {
                    let needed = PluralRules.categories(language: Self.language(of: locale))
                    let lacking = needed.subtracting(forms.keys).map(\.rawValue).sorted()
                    if !lacking.isEmpty, missing[locale]?.contains(key) != true { add("lacks the forms \(lacking)") }
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

    private static func read(_ locale: String, _ bytes: [UInt8]) throws(CatalogueError) -> [String: Message] {
        let document: JSONValue
        do {
            document = try JSONValue.parse(bytes, maximumBytes: maximumBytes)
        } catch {
            throw CatalogueError(locale: locale, key: "byte \(error.offset)", reason: error.reason)
        }
        guard case .object(let members) = document else { throw CatalogueError(locale: locale, key: "", reason: "must be an object") }
        var messages: [String: Message] = [:]
        for member in members {
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
