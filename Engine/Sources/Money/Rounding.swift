/// The one rounding of an exact result.
public enum Rounding {
    /// The integer nearest to `numerator / denominator`; exactly half way, the even one. Throws `.divisionByZero` and,
    /// when the result does not fit Int64, `.overflow`.
    public static func halfEven(_ numerator: Int128, over denominator: Int128) throws(MoneyFailure) -> Int64 {
        guard denominator != 0 else { throw .divisionByZero }
        let magnitude = try halfEvenMagnitude(numerator.magnitude, over: denominator.magnitude)
        guard (numerator < 0) != (denominator < 0) else {
            guard let result = Int64(exactly: magnitude) else { throw .overflow }
            return result
        }
        guard magnitude <= UInt128(Int64.max) + 1 else { throw .overflow }
        return Int64(truncatingIfNeeded: 0 &- magnitude)
    }

    private static func halfEvenMagnitude(
        _ numerator: UInt128, over denominator: UInt128
    ) throws(MoneyFailure) -> UInt128 {
        let (quotient, remainder) = numerator.quotientAndRemainder(dividingBy: denominator)
        // Compares the remainder with the rest instead of doubling it, which could overflow.
        let rest = denominator - remainder
        let roundsUp = remainder > rest || (remainder == rest && quotient % 2 == 1)
        guard roundsUp else { return quotient }
        let (result, overflow) = quotient.addingReportingOverflow(1)
        guard !overflow else { throw .overflow }
        return result
    }
}
