/// Reads fixed-width ASCII digits from the front of a text.
struct DigitReader {
    private var rest: Substring.UTF8View

    init(_ text: String) {
        rest = text[...].utf8
    }

    var isAtEnd: Bool { rest.isEmpty }

    /// `YYYY-MM-DD`, not yet checked against the calendar.
    mutating func readDate() throws(ChronologyFailure) -> (year: Int64, month: Int64, day: Int64) {
        let year = try read(4)
        guard skip("-") else { throw .malformed }
        let month = try read(2)
        guard skip("-") else { throw .malformed }
        return (year, month, try read(2))
    }

    mutating func read(_ width: Int) throws(ChronologyFailure) -> Int64 {
        var value: Int64 = 0
        for _ in 0..<width {
            guard let digit = readDigit() else { throw .malformed }
            value = value * 10 + digit
        }
        return value
    }

    mutating func readDigit() -> Int64? {
        guard let byte = rest.first, (48...57).contains(byte) else { return nil }
        rest.removeFirst()
        return Int64(byte) - 48
    }

    mutating func skip(_ mark: Unicode.Scalar) -> Bool {
        guard let byte = rest.first, UInt32(byte) == mark.value else { return false }
        rest.removeFirst()
        return true
    }
}
