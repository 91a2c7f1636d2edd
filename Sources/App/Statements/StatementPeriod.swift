import Chronology
import Web

/// The days of a statement, as an address names them: a month, or from a day to a day, both within.
struct StatementPeriod: Sendable {
    var fromDay: LocalDay
    var lastDay: LocalDay
    var from: Instant
    var until: Instant

    /// Without days: the month in which `now` lies.
    init(from: String?, until: String?, now: Instant, zone: Zone) throws {
        let today = zone.day(of: now)
        func day(_ field: String, _ text: String?, _ standard: LocalDay) throws -> LocalDay {
            guard let text, !text.isEmpty else { return standard }
            guard let day = try? LocalDay(iso8601: text) else { throw Refusal.field(field, "Must be a day such as 2026-11-22.") }
            return day
        }
        let first = (try? LocalDay(iso8601: String(today.iso8601.prefix(8)) + "01")) ?? today
        fromDay = try day("from", from, first)
        lastDay = try day("until", until, today)
        self.from = zone.start(of: fromDay)
        self.until = zone.start(of: try lastDay.adding(days: 1))
    }
}
