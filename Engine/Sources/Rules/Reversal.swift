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
}
