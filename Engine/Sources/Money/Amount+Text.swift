extension Amount {
    /// Plain decimal text with exactly `exponent` fraction digits: 1250 with 2 is `12.50`. For files and tests; people get
    /// a locale's own format.
    public func decimalText(exponent: Int) -> String {
        let sign = minor < 0 ? "-" : ""
        let digits = String(minor.magnitude)
        guard exponent > 0 else { return sign + digits }
        let wide = String(repeating: "0", count: max(0, exponent + 1 - digits.utf8.count)) + digits
        return "\(sign)\(wide.dropLast(exponent)).\(wide.suffix(exponent))"
    }

    /// Reads plain decimal text: an optional `-`, digits, and a point with at most `exponent` digits. Throws `.malformed`
    /// for anything else (more digits are never rounded away) and `.overflow` beyond Int64.
    public init(decimalText text: String, exponent: Int) throws(MoneyFailure) {
        guard text.utf8.count <= Self.longestTextBytes, (0...9).contains(exponent) else { throw .malformed }
        let isNegative = text.utf8.first == UInt8(ascii: "-")
        let decimal = try PlainDecimal(isNegative ? String(text.dropFirst()) : text, fractionDigits: exponent)
        guard let value = Int64(exactly: isNegative ? -decimal.scaled : decimal.scaled) else { throw .overflow }
        self.init(minor: value)
    }

    /// The longest text that `init(decimalText:exponent:)` looks at.
    static let longestTextBytes = 32
}

extension Amount: CustomStringConvertible {
    public var description: String { String(minor) }
}
