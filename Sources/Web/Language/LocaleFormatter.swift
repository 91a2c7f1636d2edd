import Foundation

/// Writes money, numbers, rates and times as the readers of a locale expect. Money never passes through floating point.
public struct LocaleFormatter: Sendable {
    private let locale: Locale
    let name: String

    /// - Parameter locale: a BCP 47 name, for instance `de-AT`; the pseudo-locale formats as English.
    public init(locale: String) {
        name = locale
        self.locale = Locale(identifier: locale == PseudoLocale.identifier ? "en" : locale)
    }

    /// An amount of money with its currency's sign.
    /// - Parameters:
    ///   - amountMinor: in the smallest units.
    ///   - exponent: decimal places of the currency, 0 for JPY, 2 for EUR, 3 for BHD.
    public func money(amountMinor: Int64, currency: String, exponent: Int) -> String {
        decimal(amountMinor, exponent: exponent)
            .formatted(.currency(code: currency).precision(.fractionLength(exponent)).locale(locale)).withMinusSign
    }

    /// An amount without the currency, with all its decimal places.
    public func amount(amountMinor: Int64, exponent: Int) -> String {
        decimal(amountMinor, exponent: exponent).formatted(.number.precision(.fractionLength(exponent)).locale(locale)).withMinusSign
    }

    public func integer(_ value: Int64) -> String { value.formatted(.number.locale(locale)).withMinusSign }

    /// A rate given in millionths: 125_000 is 12.5 %. At most `maximumDecimals` decimal places.
    public func percent(ppm: Int64, maximumDecimals: Int = 2) -> String {
        decimal(ppm, exponent: 6).formatted(.percent.precision(.fractionLength(0...maximumDecimals)).locale(locale)).withMinusSign
    }

    /// A day, for instance 22 Nov 2026.
    public func date(epochMs: Int64, timeZone: String) -> String {
        instant(epochMs).formatted(style(timeZone, date: .abbreviated, time: .omitted))
    }

    /// A day without its year, for instance 22 Nov.
    public func shortDate(epochMs: Int64, timeZone: String) -> String {
        instant(epochMs).formatted(
            Date.FormatStyle(locale: locale, calendar: Calendar(identifier: .gregorian), timeZone: zone(timeZone)).day().month(.abbreviated))
    }

    /// The whole name of a month.
    public func monthName(epochMs: Int64, timeZone: String) -> String {
        instant(epochMs).formatted(
            Date.FormatStyle(locale: locale, calendar: Calendar(identifier: .gregorian), timeZone: zone(timeZone)).month(.wide))
    }

    /// A country by its ISO 3166 code, for instance Germany; the code itself when there is no such country.
    public func countryName(_ code: String) -> String { locale.localizedString(forRegionCode: code) ?? code }

    /// The month and its year, for instance October 2026.
    public func monthAndYear(epochMs: Int64, timeZone: String) -> String {
        instant(epochMs).formatted(
            Date.FormatStyle(locale: locale, calendar: Calendar(identifier: .gregorian), timeZone: zone(timeZone)).month(.wide).year())
    }

    /// Day and minute, for instance 22 Nov 2026 at 14:05.
    public func dateTime(epochMs: Int64, timeZone: String) -> String {
        instant(epochMs).formatted(style(timeZone, date: .abbreviated, time: .shortened))
    }

    /// For lists: the time alone on the day of `nowEpochMs`, the day and its time within that year, the day with its year otherwise.
    public func shortDateTime(epochMs: Int64, nowEpochMs: Int64, timeZone: String) -> String {
        var calendar = Calendar(identifier: .gregorian)
        calendar.timeZone = zone(timeZone)
        let (then, now) = (instant(epochMs), instant(nowEpochMs))
        if calendar.isDate(then, inSameDayAs: now) { return then.formatted(style(timeZone, date: .omitted, time: .shortened)) }
        guard calendar.component(.year, from: then) == calendar.component(.year, from: now) else { return date(epochMs: epochMs, timeZone: timeZone) }
        return then.formatted(
            Date.FormatStyle(locale: locale, calendar: Calendar(identifier: .gregorian), timeZone: zone(timeZone)).day().month(.abbreviated).hour().minute())
    }

    /// Day, second and zone, for places where people compare with other records.
    public func exactDateTime(epochMs: Int64, timeZone: String) -> String {
        instant(epochMs).formatted(style(timeZone, date: .long, time: .complete))
    }

    /// Whole days between two instants as the calendar of a zone counts them; negative when the instant lies before now.
    public func calendarDays(from nowEpochMs: Int64, to epochMs: Int64, timeZone: String) -> Int64 {
        var calendar = Calendar(identifier: .gregorian)
        calendar.timeZone = zone(timeZone)
        let start = calendar.startOfDay(for: instant(nowEpochMs))
        let end = calendar.startOfDay(for: instant(epochMs))
        return Int64(calendar.dateComponents([.day], from: start, to: end).day ?? 0)
    }

    private func decimal(_ units: Int64, exponent: Int) -> Decimal {
        Decimal(sign: units < 0 ? .minus : .plus, exponent: -exponent, significand: Decimal(units.magnitude))
    }

    private func instant(_ epochMs: Int64) -> Date { Date(timeIntervalSince1970: Double(epochMs) / 1000) }

    private func zone(_ name: String) -> TimeZone { TimeZone(identifier: name) ?? .gmt }

    private func style(_ timeZone: String, date: Date.FormatStyle.DateStyle, time: Date.FormatStyle.TimeStyle) -> Date.FormatStyle {
        Date.FormatStyle(date: date, time: time, locale: locale, calendar: Calendar(identifier: .gregorian), timeZone: zone(timeZone))
    }
}

extension String {
    /// The minus of mathematics, as wide as a plus, where a locale writes a hyphen.
    fileprivate var withMinusSign: String { replacingOccurrences(of: "-", with: "−") }
}
