/// Unsigned decimal text without exponent, leading zeros or bare points, as an integer scaled by 10^fractionDigits.
struct PlainDecimal {
    let scaled: Int128

    init(_ text: String, fractionDigits: Int) throws(MoneyFailure) {
        let parts = text.utf8.split(separator: UInt8(ascii: "."), maxSplits: 2, omittingEmptySubsequences: false)
        guard parts.count <= 2, let whole = parts.first, !whole.isEmpty,
            whole.count == 1 || whole.first != UInt8(ascii: "0")
        else { throw .malformed }
        let fraction = parts.count == 2 ? parts[1] : "".utf8[...]
        guard parts.count == 1 || !fraction.isEmpty, fraction.count <= fractionDigits,
            whole.count + fractionDigits <= 36
        else { throw .malformed }
        var value: Int128 = 0
        for byte in whole { value = value * 10 + (try Self.digit(byte)) }
        for byte in fraction { value = value * 10 + (try Self.digit(byte)) }
        for _ in fraction.count..<fractionDigits { value *= 10 }
        scaled = value
    }

    private static func digit(_ byte: UInt8) throws(MoneyFailure) -> Int128 {
        guard (48...57).contains(byte) else { throw .malformed }
        return Int128(byte) - 48
    }
}
