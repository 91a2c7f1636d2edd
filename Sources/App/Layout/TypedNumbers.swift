import Chronology
import Money
import Web

/// What people write into fields: the one reader of amounts, rates, counts and days that all forms use. What it cannot read is nil, and the
/// form says so at the field.
extension PageLanguage {
    /// The last day that a field takes, so many years from today.
    static let yearsAheadMax: Int64 = 20

    var numbers: NumberReader { messages.formatter.numbers }

    /// An amount of zero or more in the smallest units of a currency.
    func typedAmount(_ text: String, exponent: Int) -> Int64? { numbers.amountMinor(text, exponent: exponent) }

    /// A whole number within a range.
    func typedCount(_ text: String, in range: ClosedRange<Int64>) -> Int64? { numbers.count(text, in: range) }

    /// An amount such as 12.50, as this person would write it.
    func exampleAmount(exponent: Int) -> String { numbers.exampleAmount(exponent: exponent) }

    /// A day as fields of that kind send it, not further away than anybody means.
    func typedDay(_ text: String, now: Instant) -> LocalDay? { TypedDay.read(text, today: zone.day(of: now)) }
}

extension NumberReader {
    func amountMinor(_ text: String, exponent: Int) -> Int64? {
        decimalText(text, fractionDigitsMax: exponent).flatMap { try? Amount(decimalText: $0, exponent: exponent) }?.minor
    }

    func count(_ text: String, in range: ClosedRange<Int64>) -> Int64? {
        decimalText(text, fractionDigitsMax: 0).flatMap { Int64($0) }.flatMap { range.contains($0) ? $0 : nil }
    }

    /// Percent, with or without its sign.
    func rate(_ text: String) -> Rate? {
        var number = text[...]
        if number.hasSuffix("%") {
            number = number.dropLast()
            while number.last?.isWhitespace == true { number = number.dropLast() }
        }
        guard let plain = decimalText(String(number), fractionDigitsMax: 7), let percent = try? Amount(decimalText: plain, exponent: 7) else { return nil }
        return try? Rate(billionths: percent.minor)
    }

    func exampleAmount(exponent: Int) -> String {
        written(exponent == 0 ? "12" : "12.5" + String(repeating: "0", count: exponent - 1))
    }
}

enum TypedDay {
    /// Nil when it is no day, before 1970, or further away than anybody means.
    static func read(_ text: String, today: LocalDay) -> LocalDay? {
        guard let day = try? LocalDay(iso8601: text), day.startInUTC >= Instant(millisecondsSince1970: 0),
            let last = try? today.adding(months: PageLanguage.yearsAheadMax * 12), day <= last
        else { return nil }
        return day
    }
}
