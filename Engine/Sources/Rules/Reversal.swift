public import Money

/// What a refund takes back.
public enum Reversal {
    public enum Failure: Error, Hashable, Sendable {
        /// Refunds are below 0 or together above the sale.
        case refundOutOfRange
        /// A refund of a sale of 0, or of less.
        case nothingSold
        case overflow
    }

    /// What a further refund takes from one commission: half-even(`commission` × `refundedTotal` / `saleAmount`) − `alreadyReversed`, where
    /// `refundedTotal` includes this refund. However a refund is cut up, the parts add up to what one refund would take, and a full
    /// refund takes the commission exactly. A negative commission (a correction) gives negative results.
    public static func amount(
        commission: Amount, alreadyReversed: Amount, refundedTotal: Amount, saleAmount: Amount
    ) throws(Failure) -> Amount {
        guard refundedTotal >= .zero, refundedTotal <= saleAmount else { throw .refundOutOfRange }
        guard saleAmount > .zero else { throw .nothingSold }
        do {
            let target = try Allocation.proportion(of: commission, part: refundedTotal.minor, whole: saleAmount.minor)
            return try target.subtracting(alreadyReversed)
        } catch {
            throw .overflow
        }
    }

    /// What a further refund takes from each of the commissions that one amount was split into: together what ``amount(commission:alreadyReversed:refundedTotal:saleAmount:)``
    /// takes of their sum. The part of each depends on `refundedTotal` alone and never goes down as it grows, so that partial refunds
    /// in any order end alike: parts follow the divisors 1, 3, 5 … (Webster), not largest remainders, which can take a cent back
    /// when more is refunded. Ties go to the earlier position.
    public static func amounts(
        commissions: [(amount: Amount, alreadyReversed: Amount)], refundedTotal: Amount, saleAmount: Amount
    ) throws(Failure) -> [Amount] {
        var sum = Amount.zero
        do {
            for commission in commissions { sum = try sum.adding(commission.amount) }
        } catch {
            throw .overflow
        }
        let whole = try amount(commission: sum, alreadyReversed: .zero, refundedTotal: refundedTotal, saleAmount: saleAmount)
        let targets = divided(whole.minor, among: commissions.map(\.amount.minor))
        var taken: [Amount] = []
        for (target, commission) in zip(targets, commissions) {
            // What is reversed already is less, unless it was reckoned otherwise: nobody is paid again by a refund.
            taken.append(Amount(minor: max(0, target - commission.alreadyReversed.minor)))
        }
        return taken
    }

    /// `total` in proportion to weights of 0 or more, whose sum is at least `total`.
    private static func divided(_ total: Int64, among weights: [Int64]) -> [Int64] {
        let sum = weights.reduce(Int128(0)) { $0 + Int128($1) }
        guard sum > 0, total > 0 else { return weights.map { _ in 0 } }
        var parts = weights.map { Int64((Int128($0) * Int128(total) * 2 + sum) / (2 * sum)) }
        var left = total - parts.reduce(0, +)
        // Rounding each part is off by half a unit at most, so this ends after as many steps as there are parts.
        while left != 0 {
            var best = -1
            for position in weights.indices where left > 0 || parts[position] > 0 {
                guard best >= 0 else {
                    best = position
                    continue
                }
                let divisor = { (part: Int64) in Int128(2) * Int128(part) + (left > 0 ? 1 : -1) }
                let mine = Int128(weights[position]) * divisor(parts[best])
                let theirs = Int128(weights[best]) * divisor(parts[position])
                if left > 0 ? mine > theirs : mine <= theirs { best = position }
            }
            guard best >= 0 else { return parts }
            parts[best] += left > 0 ? 1 : -1
            left += left > 0 ? -1 : 1
        }
        return parts
    }
}
