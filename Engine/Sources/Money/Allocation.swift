/// Splits that lose nothing and proportions that are rounded once.
public enum Allocation {
    /// The most weights one split takes.
    public static let weightsLimit = 10_000_000

    /// Splits `total` in proportion to `weights` so that the parts sum to it exactly: each part is cut towards zero, then
    /// the units left over go one each to the largest remainders, ties to the earlier position. A negative total is the
    /// mirror image of the positive one; a weight of 0 gets 0.
    /// Throws `.noWeight` when no weight is positive, `.negativeWeight`, `.tooManyWeights`.
    public static func largestRemainder(total: Int64, weights: [Int64]) throws(MoneyFailure) -> [Int64] {
        guard weights.count <= weightsLimit else { throw .tooManyWeights }
        var weightSum: UInt128 = 0
        for weight in weights {
            guard weight >= 0 else { throw .negativeWeight }
            weightSum += UInt128(weight)
        }
        guard weightSum > 0 else { throw .noWeight }

        let magnitude = UInt128(total.magnitude)
        var parts: [UInt64] = []
        parts.reserveCapacity(weights.count)
        var remainders: [(remainder: UInt128, position: Int)] = []
        var left = magnitude
        for (position, weight) in weights.enumerated() {
            // At most 2^63 × 2^63, so the product always fits.
            let (part, remainder) = (magnitude * UInt128(weight)).quotientAndRemainder(dividingBy: weightSum)
            parts.append(UInt64(part))
            left -= part
            if remainder > 0 { remainders.append((remainder, position)) }
        }
        if left > 0 {
            remainders.sort { ($1.remainder, $0.position) < ($0.remainder, $1.position) }
            for entry in remainders.prefix(Int(left)) { parts[entry.position] += 1 }
        }
        return parts.map { total < 0 ? Int64(truncatingIfNeeded: 0 &- $0) : Int64($0) }
    }

    /// `amount` × `part` / `whole`, rounded once, half to even. Throws `.divisionByZero` when `whole` is 0, `.overflow`
    /// when the result does not fit Int64.
    public static func proportion(of amount: Amount, part: Int64, whole: Int64) throws(MoneyFailure) -> Amount {
        Amount(minor: try Rounding.halfEven(Int128(amount.minor) * Int128(part), over: Int128(whole)))
    }

    /// Splits `amount` over shares as `largestRemainder` does.
    public static func split(_ amount: Amount, over shares: [SharePPM]) throws(MoneyFailure) -> [Amount] {
        try largestRemainder(total: amount.minor, weights: shares.map { Int64($0.ppm) }).map(Amount.init(minor:))
    }
}
