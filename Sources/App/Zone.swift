import Chronology
import Foundation

/// A time zone by its IANA name, and the calendar days it makes of instants. Offsets come from the system's zone data.
struct Zone: Sendable, Hashable {
    let name: String
    private let zone: TimeZone

    private static let known = Memo<String, TimeZone?>(limit: 1_000)
    static let utc = Zone(name: "UTC", zone: .gmt)

    private init(name: String, zone: TimeZone) {
        self.name = name
        self.zone = zone
    }

    /// Nil when the name is not one of the zone data's.
    init?(_ name: String) {
        guard let zone = Self.known.value(name, { name == "UTC" || name.contains("/") ? TimeZone(identifier: name) : nil }) else { return nil }
        self.init(name: name, zone: zone)
    }

    /// The local day in which an instant falls.
    func day(of instant: Instant) -> LocalDay {
        let offset = Int64(zone.secondsFromGMT(for: instant.date))
        let shifted = instant.millisecondsSince1970 + offset * 1000
        let number = shifted >= 0 ? shifted / 86_400_000 : -((-shifted + 86_399_999) / 86_400_000)
        return LocalDay(dayNumber: number) ?? (number < 0 ? .earliest : .latest)
    }

    /// The first instant of a local day. Where midnight does not exist (clocks go forward at midnight) the day starts later.
    func start(of day: LocalDay) -> Instant {
        let midnight = day.startInUTC.millisecondsSince1970
        // Two corrections reach the right side of any change of offset.
        var guess = midnight - Int64(zone.secondsFromGMT(for: Instant(millisecondsSince1970: midnight).date)) * 1000
        guess = midnight - Int64(zone.secondsFromGMT(for: Instant(millisecondsSince1970: guess).date)) * 1000
        var result = Instant(millisecondsSince1970: guess)
        if self.day(of: result) < day, let change = zone.nextDaylightSavingTimeTransition(after: result.date) {
            result = Instant(change)
        }
        return result
    }

    /// Milliseconds that clocks on the wall show since midnight.
    func timeOfDayMs(of instant: Instant) -> Int64 {
        let wall = instant.millisecondsSince1970 + Int64(zone.secondsFromGMT(for: instant.date)) * 1000
        return wall - day(of: instant).startInUTC.millisecondsSince1970
    }

    /// When clocks on the wall show a time on a day: the first such instant, or just after a gap.
    func instant(at timeOfDayMs: Int64, on day: LocalDay) throws -> Instant {
        let wall = try day.startInUTC.adding(milliseconds: timeOfDayMs)
        let guess = try wall.adding(milliseconds: -Int64(zone.secondsFromGMT(for: wall.date)) * 1000)
        return try wall.adding(milliseconds: -Int64(zone.secondsFromGMT(for: guess.date)) * 1000)
    }

    /// The period of a kind that holds an instant, as a word that sorts: `2026-11`, `2026-W47`, `2026`, `2026-11-22`.
    func period(_ kind: PeriodKind, of instant: Instant) -> String {
        let day = day(of: instant)
        switch kind {
        case .day: return day.iso8601
        case .week:
            // The week's Monday names it: no year-end cases.
            return "W" + ((try? day.adding(days: Int64(1 - day.weekday))) ?? day).iso8601
        case .month: return String(day.iso8601.prefix(7))
        case .year: return String(day.iso8601.prefix(4))
        case .lifetime: return ""
        }
    }

    var timeZone: TimeZone { zone }


}

enum PeriodKind: String, Sendable, CaseIterable { case day, week, month, year, lifetime }

extension Instant {
    var date: Date { Date(timeIntervalSince1970: Double(millisecondsSince1970) / 1000) }
    init(_ date: Date) { self.init(millisecondsSince1970: Int64((date.timeIntervalSince1970 * 1000).rounded())) }
}
