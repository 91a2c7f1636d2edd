import Chronology
import HTTPTypes
import Hummingbird
import Money
import Web

/// How one person reads a page: the texts and formats of their locale, the times of a zone.
struct PageLanguage: Sendable {
    let messages: Messages
    let zone: Zone
    /// What lists measure their short times against; nil: they are as long as elsewhere.
    let now: Instant?

    /// `?lang=` names a locale that has every text of the audience; else the browser's wishes decide.
    init(_ request: Request, site: Site, zone: Zone, audience: TextAudience = .everybody, now: Instant? = nil) {
        let header = request.headers[.acceptLanguage]
        let wished = request.uri.queryParameters["lang"].map(String.init)
        let texts = wished.flatMap { site.catalogue.locales(for: audience).contains($0) ? $0 : nil }
            ?? site.catalogue.locale(acceptLanguage: header, audience: audience)
        messages = site.catalogue.messages(for: wished == nil ? Self.withRegion(texts, header) : texts, audience: audience)
        self.zone = zone
        self.now = now
    }

    init(messages: Messages, zone: Zone, now: Instant? = nil) {
        self.messages = messages
        self.zone = zone
        self.now = now
    }

    func inZone(_ zone: Zone) -> PageLanguage { PageLanguage(messages: messages, zone: zone, now: now) }

    /// The region says how dates and numbers are written, also where the texts have none.
    private static func withRegion(_ locale: String, _ header: String?) -> String {
        let tags = (header ?? "").split(separator: ",").prefix(20).map { $0.prefix { $0 != ";" }.filter { $0 != " " } }
        let fits = tags.first { tag in
            tag.utf8.count <= 20 && tag.utf8.allSatisfy { ($0 | 0x20 >= 0x61 && $0 | 0x20 <= 0x7A) || ($0 >= 0x30 && $0 <= 0x39) || $0 == 0x2D }
                && tag.lowercased().hasPrefix(locale.lowercased() + "-") && tag != PseudoLocale.identifier
        }
        return fits ?? locale
    }

    func callAsFunction(_ key: String, _ values: [String: String] = [:]) -> String { messages(key, values) }

    func plural(_ key: String, _ count: Int64, _ values: [String: String] = [:]) -> String { messages.plural(key, count: count, values) }

    func sentence(_ key: String, count: Int64? = nil, _ values: [String: String] = [:]) -> PageValue {
        messages.sentence(key, count: count, values)
    }

    /// A time as templates show it: for programs, as day and minute, and whole on hover.
    func time(_ instant: Instant) -> PageValue { time(instant, text: minute(instant)) }

    /// A time in a list, where many stand below each other: no longer than it must be.
    func shortTime(_ instant: Instant) -> PageValue {
        guard let now else { return time(instant) }
        return time(
            instant,
            text: messages.formatter.shortDateTime(
                epochMs: instant.millisecondsSince1970, nowEpochMs: now.millisecondsSince1970, timeZone: zone.name))
    }

    private func time(_ instant: Instant, text: String) -> PageValue {
        [
            "iso": .text(instant.rfc3339), "text": .text(text),
            "exact": .text(messages.formatter.exactDateTime(epochMs: instant.millisecondsSince1970, timeZone: zone.name)),
        ]
    }

    /// Day and minute as plain text.
    func minute(_ instant: Instant) -> String {
        messages.formatter.dateTime(epochMs: instant.millisecondsSince1970, timeZone: zone.name)
    }

    func day(_ instant: Instant) -> String { messages.formatter.date(epochMs: instant.millisecondsSince1970, timeZone: zone.name) }

    func wholeDay(_ day: LocalDay) -> String { messages.formatter.date(epochMs: day.startInUTC.millisecondsSince1970, timeZone: "UTC") }

    /// A day and its month, where the year is clear.
    func shortDay(_ day: LocalDay) -> String { messages.formatter.shortDate(epochMs: day.startInUTC.millisecondsSince1970, timeZone: "UTC") }

    func integer(_ value: Int64) -> String { messages.formatter.integer(value) }

    func percent(ppm: Int64, decimals: Int = 1) -> String { messages.formatter.percent(ppm: ppm, maximumDecimals: decimals) }

    func money(_ minor: Int64, _ unit: UnitCode) -> String {
        switch unit.kind {
        case .currency(let currency): messages.formatter.money(amountMinor: minor, currency: currency.code, exponent: currency.exponent)
        case .credit(let currency):
            messages("unit.credit", ["amount": messages.formatter.money(amountMinor: minor, currency: currency.code, exponent: currency.exponent)])
        case .points: messages.plural("unit.points", count: minor)
        }
    }

    /// The number alone, for columns whose heading names the unit.
    func amount(_ minor: Int64, _ unit: UnitCode) -> String { messages.formatter.amount(amountMinor: minor, exponent: unit.exponent) }
}
