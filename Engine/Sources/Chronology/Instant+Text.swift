extension Instant {
    /// Reads RFC 3339: `2026-11-22T10:15:30Z`, with 1…9 fraction digits (those past the millisecond are cut) and any offset.
    /// Throws `.malformed` for other text, `.outOfRange` for dates that don't exist, leap seconds (`:60`) and results
    /// outside 1970…9999 in UTC.
    public init(rfc3339 text: String) throws(ChronologyFailure) {
        var digits = DigitReader(text)
        guard text.utf8.count <= Self.longestTextBytes else { throw .malformed }
        let (year, month, day) = try digits.readDate()
        guard digits.skip("T") || digits.skip("t") else { throw .malformed }
        let hour = try digits.read(2)
        guard digits.skip(":") else { throw .malformed }
        let minute = try digits.read(2)
        guard digits.skip(":") else { throw .malformed }
        let second = try digits.read(2)
        let millisecond = digits.skip(".") ? try digits.readMilliseconds() : 0
        let offsetMinutes = try digits.readOffsetMinutes()
        guard digits.isAtEnd else { throw .malformed }
        guard hour < 24, minute < 60, second < 60, let date = LocalDay(year: Int(year), month: Int(month), day: Int(day)) else {
            throw .outOfRange
        }
        let secondOfDay = hour * 3_600 + minute * 60 + second
        let milliseconds =
            date.dayNumber * millisecondsPerDay + secondOfDay * 1_000 + millisecond - offsetMinutes * 60_000
        guard (Instant.earliest.millisecondsSince1970...Instant.latest.millisecondsSince1970).contains(milliseconds)
        else { throw .outOfRange }
        self.init(millisecondsSince1970: milliseconds)
    }

    /// RFC 3339 in UTC with `Z`; milliseconds (three digits) only when they are not zero. Instants outside 0001…9999,
    /// which only arithmetic makes, are written as `@` and their milliseconds.
    public var rfc3339: String {
        let (dayNumber, millisecondOfDay) = floorDivide(millisecondsSince1970, millisecondsPerDay)
        guard let day = LocalDay(dayNumber: dayNumber) else { return "@\(millisecondsSince1970)" }
        let second = millisecondOfDay / 1_000
        let millisecond = millisecondOfDay % 1_000
        let time = "\(padded(second / 3_600, 2)):\(padded(second / 60 % 60, 2)):\(padded(second % 60, 2))"
        let fraction = millisecond == 0 ? "" : ".\(padded(millisecond, 3))"
        return "\(day.iso8601)T\(time)\(fraction)Z"
    }

    /// The longest text that `init(rfc3339:)` looks at.
    static let longestTextBytes = 35
}

extension Instant: CustomStringConvertible {
    public var description: String { rfc3339 }
}

extension DigitReader {
    /// Digits after the point: at least one, at most nine, cut to milliseconds.
    fileprivate mutating func readMilliseconds() throws(ChronologyFailure) -> Int64 {
        var milliseconds: Int64 = 0
        var digitCount = 0
        while let digit = readDigit() {
            digitCount += 1
            guard digitCount <= 9 else { throw .malformed }
            if digitCount <= 3 { milliseconds = milliseconds * 10 + digit }
        }
        guard digitCount > 0 else { throw .malformed }
        if digitCount == 1 { milliseconds *= 100 }
        if digitCount == 2 { milliseconds *= 10 }
        return milliseconds
    }

    fileprivate mutating func readOffsetMinutes() throws(ChronologyFailure) -> Int64 {
        if skip("Z") || skip("z") { return 0 }
        let sign: Int64
        if skip("+") { sign = 1 } else if skip("-") { sign = -1 } else { throw .malformed }
        let hours = try read(2)
        guard skip(":") else { throw .malformed }
        let minutes = try read(2)
        guard hours < 24, minutes < 60 else { throw .outOfRange }
        return sign * (hours * 60 + minutes)
    }
}
