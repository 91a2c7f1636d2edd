/// A calendar day without a time zone, in the proleptic Gregorian calendar, years 1…9999.
public struct LocalDay: Hashable, Comparable, Sendable {
    /// Whole days since 1970-01-01, negative before it.
    public let dayNumber: Int64

    /// 1 January of the year 1.
    public static let earliest = LocalDay(knownDayNumber: firstDayNumber)
    /// 31 December of the year 9999.
    public static let latest = LocalDay(knownDayNumber: lastDayNumber)

    private init(knownDayNumber: Int64) { dayNumber = knownDayNumber }

    /// Nil when the day does not exist or the year is outside 1…9999.
    public init?(year: Int, month: Int, day: Int) {
        guard (1...9_999).contains(year), (1...12).contains(month),
            (1...LocalDay.dayCount(year: year, month: month)).contains(day)
        else { return nil }
        dayNumber = LocalDay.dayNumber(existingYear: year, month: month, day: day)
    }

    /// Nil outside the years 1…9999.
    public init?(dayNumber: Int64) {
        guard (LocalDay.firstDayNumber...LocalDay.lastDayNumber).contains(dayNumber) else { return nil }
        self.dayNumber = dayNumber
    }

    public static func < (earlier: LocalDay, later: LocalDay) -> Bool { earlier.dayNumber < later.dayNumber }

    public var year: Int { civil.year }
    public var month: Int { civil.month }
    public var day: Int { civil.day }

    /// 1 Monday … 7 Sunday (ISO 8601).
    public var weekday: Int { Int(floorDivide(dayNumber + 3, 7).remainder) + 1 }

    /// Midnight of this day in UTC.
    public var startInUTC: Instant { Instant(millisecondsSince1970: dayNumber * millisecondsPerDay) }

    /// This day moved by whole days. Throws `.outOfRange` outside the years 1…9999.
    public func adding(days: Int64) throws(ChronologyFailure) -> LocalDay {
        let (sum, overflow) = dayNumber.addingReportingOverflow(days)
        guard !overflow, let day = LocalDay(dayNumber: sum) else { throw .outOfRange }
        return day
    }

    /// This day as the anchor, `months` later: the same day of the month, or the last one where the month is shorter.
    /// The n-th period from an anchor is `anchor.adding(months: n)`; adding 1 to the previous result would drift
    /// (31 January, 28 February, 28 March). Throws `.outOfRange` outside the years 1…9999.
    public func adding(months: Int64) throws(ChronologyFailure) -> LocalDay {
        guard (-120_000...120_000).contains(months) else { throw .outOfRange }
        let (year, month, day) = civil
        let (targetYear, monthIndex) = floorDivide(Int64(year) * 12 + Int64(month) - 1 + months, 12)
        guard (1...9_999).contains(targetYear) else { throw .outOfRange }
        let length = LocalDay.dayCount(year: Int(targetYear), month: Int(monthIndex) + 1)
        return LocalDay(
            existing: LocalDay.dayNumber(
                existingYear: Int(targetYear), month: Int(monthIndex) + 1, day: min(day, length)))
    }

    /// Whole months from this day as the anchor to `later`: the largest n with `adding(months: n) <= later`; 0 when `later` is before it.
    public func wholeMonths(until later: LocalDay) -> Int64 {
        guard later > self else { return 0 }
        let from = civil
        let to = later.civil
        let months = Int64(to.year - from.year) * 12 + Int64(to.month - from.month)
        let reached = min(from.day, LocalDay.dayCount(year: to.year, month: to.month)) <= to.day
        return reached ? months : months - 1
    }

    /// Number of days in a month that exists.
    public static func dayCount(year: Int, month: Int) -> Int {
        switch month {
        case 2: isLeap(year) ? 29 : 28
        case 4, 6, 9, 11: 30
        default: 31
        }
    }

    static func isLeap(_ year: Int) -> Bool {
        year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
    }

    private init(existing dayNumber: Int64) {
        self.dayNumber = dayNumber
    }

    private static let firstDayNumber = dayNumber(existingYear: 1, month: 1, day: 1)
    private static let lastDayNumber = dayNumber(existingYear: 9_999, month: 12, day: 31)

    /// Counts years from March, so that the leap day is the last of its year, in eras of 400 years (146,097 days).
    private static func dayNumber(existingYear: Int, month: Int, day: Int) -> Int64 {
        let year = month <= 2 ? existingYear - 1 : existingYear
        let (era, yearOfEra) = floorDivide(Int64(year), 400)
        let monthFromMarch = Int64(month > 2 ? month - 3 : month + 9)
        let dayOfYear = (153 * monthFromMarch + 2) / 5 + Int64(day) - 1
        let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
        return era * 146_097 + dayOfEra - 719_468
    }

    private var civil: (year: Int, month: Int, day: Int) {
        let (era, dayOfEra) = floorDivide(dayNumber + 719_468, 146_097)
        let yearOfEra = (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let monthFromMarch = (5 * dayOfYear + 2) / 153
        let day = dayOfYear - (153 * monthFromMarch + 2) / 5 + 1
        let month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9
        return (Int(yearOfEra + era * 400 + (month <= 2 ? 1 : 0)), Int(month), Int(day))
    }
}

extension LocalDay: CustomStringConvertible {
    /// `YYYY-MM-DD`.
    public var iso8601: String { "\(padded(Int64(year), 4))-\(padded(Int64(month), 2))-\(padded(Int64(day), 2))" }

    public var description: String { iso8601 }

    /// Reads `YYYY-MM-DD`. Throws `.malformed` for other text and `.outOfRange` for days that don't exist.
    public init(iso8601 text: String) throws(ChronologyFailure) {
        var digits = DigitReader(text)
        let (year, month, day) = try digits.readDate()
        guard digits.isAtEnd else { throw .malformed }
        guard let existing = LocalDay(year: Int(year), month: Int(month), day: Int(day)) else { throw .outOfRange }
        self = existing
    }
}
