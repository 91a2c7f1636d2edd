/// A point in time: whole milliseconds since 1970-01-01T00:00:00Z, without leap seconds.
public struct Instant: Hashable, Comparable, Sendable {
    public let millisecondsSince1970: Int64

    /// The first instant that text can name: 1970-01-01T00:00:00Z.
    public static let earliest = Instant(millisecondsSince1970: 0)
    /// The last instant that text can name: 9999-12-31T23:59:59.999Z.
    public static let latest = Instant(millisecondsSince1970: 253_402_300_799_999)

    public init(millisecondsSince1970: Int64) {
        self.millisecondsSince1970 = millisecondsSince1970
    }

    public static func < (earlier: Instant, later: Instant) -> Bool {
        earlier.millisecondsSince1970 < later.millisecondsSince1970
    }

    /// This instant moved by `milliseconds` (negative: back). Throws `.overflow` beyond Int64.
    public func adding(milliseconds: Int64) throws(ChronologyFailure) -> Instant {
        let (sum, overflow) = millisecondsSince1970.addingReportingOverflow(milliseconds)
        guard !overflow else { throw .overflow }
        return Instant(millisecondsSince1970: sum)
    }

    /// Milliseconds from `other` to this instant, negative when `other` is later. Throws `.overflow` beyond Int64.
    public func milliseconds(since other: Instant) throws(ChronologyFailure) -> Int64 {
        let (difference, overflow) = millisecondsSince1970.subtractingReportingOverflow(other.millisecondsSince1970)
        guard !overflow else { throw .overflow }
        return difference
    }

    /// Milliseconds from `other` to this instant, held at Int64's ends instead of overflowing. For ages in reasons, never for money.
    public func millisecondsClamped(since other: Instant) -> Int64 {
        let (difference, overflow) = millisecondsSince1970.subtractingReportingOverflow(other.millisecondsSince1970)
        guard overflow else { return difference }
        return other.millisecondsSince1970 < 0 ? .max : .min
    }

    /// The calendar day of this instant in UTC, or nil outside the years 1…9999.
    public var dayInUTC: LocalDay? {
        LocalDay(dayNumber: floorDivide(millisecondsSince1970, millisecondsPerDay).quotient)
    }
}
