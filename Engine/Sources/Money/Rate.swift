/// An exact rate from 0 to 1000 with up to nine fraction digits: `0.1` is ten percent, `1` the whole.
public struct Rate: Hashable, Comparable, Sendable {
    /// The rate times 1,000,000,000.
    public let billionths: Int64

    /// What `billionths` is divided by.
    public static let billionthsPerWhole: Int64 = 1_000_000_000
    public static let zero = Rate(valid: 0)
    public static let whole = Rate(valid: billionthsPerWhole)

    /// Throws `.outOfRange` outside 0…1000.
    public init(billionths: Int64) throws(MoneyFailure) {
        guard (0...1_000 * Self.billionthsPerWhole).contains(billionths) else { throw .outOfRange }
        self.billionths = billionths
    }

    /// Reads decimal text such as `0.10` or `1.5`: no sign, exponent, leading zeros or bare point. Throws `.malformed`
    /// for other text (also for more than nine fraction digits) and `.outOfRange` above 1000.
    public init(_ text: String) throws(MoneyFailure) {
        guard text.utf8.count <= Self.longestTextBytes else { throw .malformed }
        let decimal = try PlainDecimal(text, fractionDigits: 9)
        guard let billionths = Int64(exactly: decimal.scaled) else { throw .outOfRange }
        try self.init(billionths: billionths)
    }

    public static func < (smaller: Rate, larger: Rate) -> Bool { smaller.billionths < larger.billionths }

    /// The canonical text, without trailing zeros: `0.1`. Reading it gives the same rate.
    public var text: String { Self.trimmed(billionths, fractionDigits: 9) }

    /// The rate in percent as plain text without a sign: `10`, `1.5`, `0.0000001`.
    public var percentText: String { Self.trimmed(billionths, fractionDigits: 7) }

    /// This part of `amount`, rounded once, half to even. Throws `.overflow` beyond Int64.
    public func applied(to amount: Amount) throws(MoneyFailure) -> Amount {
        Amount(
            minor: try Rounding.halfEven(
                Int128(amount.minor) * Int128(billionths), over: Int128(Self.billionthsPerWhole)))
    }

    private init(valid billionths: Int64) {
        self.billionths = billionths
    }

    private static let longestTextBytes = 32

    private static func trimmed(_ value: Int64, fractionDigits: Int) -> String {
        var text = Amount(minor: value).decimalText(exponent: fractionDigits)
        while text.utf8.last == UInt8(ascii: "0") { text.removeLast() }
        if text.utf8.last == UInt8(ascii: ".") { text.removeLast() }
        return text
    }
}

extension Rate: CustomStringConvertible {
    public var description: String { text }
}
