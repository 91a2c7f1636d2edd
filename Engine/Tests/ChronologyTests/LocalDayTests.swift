import Chronology
import SeededRandom
import Testing

@Suite struct LocalDayTests {
    @Test func everyDayOfTheRangeFollowsTheOneBefore() throws {
        var year = 1
        var month = 1
        var day = 1
        let first = try #require(LocalDay(year: 1, month: 1, day: 1))
        let last = try #require(LocalDay(year: 9_999, month: 12, day: 31))
        // Steps of 1 around leap years of each kind, the whole range by month.
        for dayNumber in first.dayNumber...last.dayNumber {
            let isWatched = [1, 4, 100, 400, 1900, 1970, 2000, 2024, 2026, 2100, 9_999].contains(year)
            if isWatched || day == 1 {
                let local = try #require(LocalDay(dayNumber: dayNumber))
                guard local.year == year, local.month == month, local.day == day,
                    LocalDay(year: year, month: month, day: day) == local
                else {
                    Issue.record("day \(dayNumber) should be \(year)-\(month)-\(day), is \(local)")
                    return
                }
            }
            day += 1
            let isLeap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0
            let length = [31, isLeap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31][month - 1]
            if day > length { (day, month) = (1, month + 1) }
            if month > 12 { (month, year) = (1, year + 1) }
        }
        #expect(year == 10_000)
        #expect(LocalDay(dayNumber: first.dayNumber - 1) == nil)
        #expect(LocalDay(dayNumber: last.dayNumber + 1) == nil)
        #expect(LocalDay(dayNumber: .min) == nil)
        #expect(LocalDay(dayNumber: .max) == nil)
    }

    @Test(arguments: [
        ("2026-01-31", 1, "2026-02-28"), ("2026-01-31", 2, "2026-03-31"), ("2024-01-31", 1, "2024-02-29"),
        ("2026-01-31", -2, "2025-11-30"), ("2024-02-29", 12, "2025-02-28"), ("2024-02-29", 48, "2028-02-29"),
        ("2026-11-22", 0, "2026-11-22"), ("2026-12-15", 1, "2027-01-15"), ("2026-01-15", -1, "2025-12-15"),
    ] as [(String, Int64, String)])
    func addsMonthsFromTheAnchor(anchor: String, months: Int64, expected: String) throws {
        #expect(try LocalDay(iso8601: anchor).adding(months: months).iso8601 == expected)
    }

    @Test func refusesToLeaveTheRange() throws {
        let day = try LocalDay(iso8601: "9999-12-31")
        #expect(throws: ChronologyFailure.outOfRange) { try day.adding(months: 1) }
        #expect(throws: ChronologyFailure.outOfRange) { try day.adding(months: .max) }
        #expect(throws: ChronologyFailure.outOfRange) { try day.adding(months: .min) }
        #expect(throws: ChronologyFailure.outOfRange) { try day.adding(days: 1) }
        #expect(throws: ChronologyFailure.outOfRange) { try day.adding(days: .max) }
        #expect(try day.adding(days: -1).iso8601 == "9999-12-30")
    }

    @Test func wholeMonthsInvertAddingMonths() throws {
        let seed: UInt64 = 2
        var random = SplitMix64(seed: seed)
        for _ in 0..<5_000 {
            let anchor = try #require(LocalDay(dayNumber: Int64.random(in: 0...40_000, using: &random)))
            let later = try anchor.adding(days: Int64.random(in: 0...3_000, using: &random))
            let months = anchor.wholeMonths(until: later)
            #expect(try anchor.adding(months: months) <= later, "seed \(seed) \(anchor) \(later)")
            #expect(try anchor.adding(months: months + 1) > later, "seed \(seed) \(anchor) \(later)")
        }
        #expect(try LocalDay(iso8601: "2026-02-01").wholeMonths(until: try LocalDay(iso8601: "2026-01-01")) == 0)
    }

    @Test func readsAndWritesISO8601() throws {
        let day = try LocalDay(iso8601: "0987-06-05")
        #expect(day.iso8601 == "0987-06-05")
        #expect(try LocalDay(iso8601: "2026-11-22").weekday == 7)
        #expect(try LocalDay(iso8601: "1969-12-29").weekday == 1)
        #expect(try LocalDay(iso8601: "2026-11-22").startInUTC.rfc3339 == "2026-11-22T00:00:00Z")
        #expect(try Instant(rfc3339: "2026-11-22T23:59:59.999Z").dayInUTC?.iso8601 == "2026-11-22")
        for text in ["", "2026-11-2", "2026/11/22", "2026-11-22T", "20261122", "-026-11-22"] {
            #expect(throws: ChronologyFailure.malformed) { try LocalDay(iso8601: text) }
        }
        for text in ["2026-02-30", "2026-00-10", "0000-01-01", "2026-13-01", "2025-02-29"] {
            #expect(throws: ChronologyFailure.outOfRange) { try LocalDay(iso8601: text) }
        }
    }
}
