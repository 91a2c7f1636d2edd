public import Chronology

/// The periods of a plan, on local days of its zone.
public struct PlanCalendar: Hashable, Sendable {
    public enum Length: Hashable, Sendable {
        case month
        /// Seven days from this ISO weekday (1 Monday … 7 Sunday).
        case week(startWeekday: Int)
        /// Fourteen and twenty-eight days, counted from a day that starts one.
        case fortnight(anchor: LocalDay)
        case fourWeeks(anchor: LocalDay)
        case day

        public var code: String {
            switch self {
            case .month: "month"
            case .week: "week"
            case .fortnight: "fortnight"
            case .fourWeeks: "fourWeeks"
            case .day: "day"
            }
        }
    }

    /// Which time of an order decides its period.
    public enum OrderTime: Hashable, Sendable, CaseIterable {
        /// `occurred_at`: when it was paid.
        case paid
        /// `placed_at`, or the paid time where an order has none.
        case placed
        public var code: String { self == .paid ? "paid" : "placed" }
    }

    public var length: Length
    public var zone: ZoneOffsets
    public var orderTime: OrderTime

    public init(length: Length = .month, zone: ZoneOffsets = .utc, orderTime: OrderTime = .paid) {
        self.length = length
        self.zone = zone
        self.orderTime = orderTime
    }

    /// The period that holds the day. Throws `.outOfRange` at the ends of the calendar.
    public func period(containing day: LocalDay) throws(ChronologyFailure) -> Period {
        switch length {
        case .month:
            guard let start = LocalDay(year: day.year, month: day.month, day: 1) else { throw .outOfRange }
            return Period(start: start, end: try start.adding(months: 1))
        case .week(let weekday): return try fixed(day, days: 7, offset: Int64(weekday) - 4)
        case .fortnight(let anchor): return try fixed(day, days: 14, offset: anchor.dayNumber)
        case .fourWeeks(let anchor): return try fixed(day, days: 28, offset: anchor.dayNumber)
        case .day: return Period(start: day, end: try day.adding(days: 1))
        }
    }

    /// 1970-01-01 was a Thursday (4), so day `weekday − 4` starts such a week.
    private func fixed(_ day: LocalDay, days: Int64, offset: Int64) throws(ChronologyFailure) -> Period {
        let remainder = (day.dayNumber - offset) % days
        let start = try day.adding(days: -(remainder < 0 ? remainder + days : remainder))
        return Period(start: start, end: try start.adding(days: days))
    }
}

/// Local days from `start` up to, not including, `end`.
public struct Period: Hashable, Comparable, Sendable {
    public let start: LocalDay
    public let end: LocalDay

    public init(start: LocalDay, end: LocalDay) {
        self.start = start
        self.end = end
    }

    public func contains(_ day: LocalDay) -> Bool { start <= day && day < end }
    public static func < (earlier: Period, later: Period) -> Bool { earlier.start < later.start }
}

/// The offsets of a time zone from UTC, as a list: from each instant on, local time is UTC + offset.
public struct ZoneOffsets: Hashable, Sendable {
    public struct Change: Hashable, Sendable {
        public let from: Instant
        public let offsetMs: Int64
        public init(from: Instant, offsetMs: Int64) {
            self.from = from
            self.offsetMs = offsetMs
        }
    }
    /// The IANA name, for the record.
    public let name: String
    /// Sorted by `from`; before the first one its own offset holds.
    public let changes: [Change]

    public static let utc = ZoneOffsets(name: "UTC", changes: [])
    public init(name: String, changes: [Change]) {
        self.name = name
        self.changes = changes.sorted { $0.from < $1.from }
    }

    /// Nil outside the years 1…9999.
    public func localDay(of instant: Instant) -> LocalDay? {
        LocalDay(dayNumber: localDayNumber(ofMs: instant.millisecondsSince1970))
    }

    func offsetMs(at milliseconds: Int64) -> Int64 {
        var low = 0
        var high = changes.count
        while low < high {
            let middle = (low + high) / 2
            if changes[middle].from.millisecondsSince1970 <= milliseconds { low = middle + 1 } else { high = middle }
        }
        return changes.isEmpty ? 0 : changes[max(0, low - 1)].offsetMs
    }

    func localDayNumber(ofMs milliseconds: Int64) -> Int64 {
        let (local, overflow) = milliseconds.addingReportingOverflow(offsetMs(at: milliseconds))
        let moment = overflow ? milliseconds : local
        let quotient = moment / 86_400_000
        return moment % 86_400_000 < 0 ? quotient - 1 : quotient
    }
}
