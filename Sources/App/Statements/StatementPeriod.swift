import Chronology
import Web

/// The days of a statement, as an address names them: a month, or from a day to a day, both within.
struct StatementPeriod: Sendable {
    var fromDay: LocalDay
    var lastDay: LocalDay
    var from: Instant
    var until: Instant

    /// Whether days were asked for that no statement can be of.
    var isRefused = false

    /// The days of an address; without any, or with days that can't be, the month in which `now` lies.
    init(from: String?, until: String?, now: Instant, zone: Zone) {
        let today = zone.day(of: now)
        let first = (try? LocalDay(iso8601: String(today.iso8601.prefix(8)) + "01")) ?? today
        func day(_ text: String?, _ standard: LocalDay) -> LocalDay? {
            guard let text, !text.isEmpty else { return standard }
            return try? LocalDay(iso8601: text)
        }
        if let from = day(from, first), let until = day(until, today), let period = StatementPeriod(from, until, zone) {
            self = period
        } else {
            fromDay = first
            lastDay = today
            self.from = zone.start(of: first)
            self.until = zone.start(of: (try? today.adding(days: 1)) ?? today)
            isRefused = true
        }
    }

    /// Nil for days in the wrong order, or more of them than a statement may have.
    private init?(_ first: LocalDay, _ last: LocalDay, _ zone: Zone) {
        guard first <= last, Self.years.contains(first.year), Self.years.contains(last.year), let end = try? last.adding(days: 1) else { return nil }
        fromDay = first
        lastDay = last
        from = zone.start(of: first)
        until = zone.start(of: end)
        guard until.millisecondsClamped(since: from) <= Statement.daysMax * 86_400_000 else { return nil }
    }

    /// No company's books are older, and none are written so far ahead.
    private static let years = 1_970...2_999
}
