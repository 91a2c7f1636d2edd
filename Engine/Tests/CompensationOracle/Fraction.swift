/// An exact rational number in 128 bits; arithmetic beyond them traps, and no test comes near.
public struct Fraction: Hashable, Comparable, Sendable {
    public let numerator: Int128
    /// Above 0, without a common divisor.
    public let denominator: Int128

    public static let zero = Fraction(0)
    public init(_ whole: Int64) { self.init(Int128(whole), over: 1) }
    public init(_ numerator: Int128, over denominator: Int128) {
        let divisor = denominator == 1 ? 1 : Self.greatestCommonDivisor(numerator, denominator)
        let sign: Int128 = denominator < 0 ? -1 : 1
        self.numerator = sign * numerator / divisor
        self.denominator = sign * denominator / divisor
    }

    public var isNegative: Bool { numerator < 0 }
    /// The largest whole number that is not above.
    public var floor: Int128 {
        let quotient = numerator / denominator
        return numerator < 0 && quotient * denominator != numerator ? quotient - 1 : quotient
    }
    public var ceiling: Int128 { -(Fraction.zero - self).floor }
    public var fractionalPart: Fraction { self - Fraction(floor, over: 1) }

    public static func + (one: Fraction, other: Fraction) -> Fraction {
        if one.denominator == other.denominator {
            return Fraction(one.numerator + other.numerator, over: one.denominator)
        }
        return Fraction(
            one.numerator * other.denominator + other.numerator * one.denominator,
            over: one.denominator * other.denominator)
    }
    public static func - (one: Fraction, other: Fraction) -> Fraction {
        one + Fraction(-other.numerator, over: other.denominator)
    }
    public static func * (one: Fraction, other: Fraction) -> Fraction {
        let left = Fraction(one.numerator, over: other.denominator)
        let right = Fraction(other.numerator, over: one.denominator)
        return Fraction(left.numerator * right.numerator, over: left.denominator * right.denominator)
    }
    public static func / (one: Fraction, other: Fraction) -> Fraction {
        one * Fraction(other.denominator, over: other.numerator)
    }
    public static func < (one: Fraction, other: Fraction) -> Bool {
        one.numerator * other.denominator < other.numerator * one.denominator
    }

    private static func greatestCommonDivisor(_ one: Int128, _ other: Int128) -> Int128 {
        var (high, low) = (one.magnitude, other.magnitude)
        while low != 0 { (high, low) = (low, high % low) }
        return Int128(high)
    }
}
