/// Sums over the orders of facts, in minor units.
public struct FactTotals: Hashable, Sendable {
    public var amountMinor: Int128 = 0
    public var commissionVolume: Int128 = 0
    public var qualifyingVolume: Int128 = 0
    public var promoterCount = 0
    public var lateRefundCount = 0
}

extension Facts {
    public var totals: FactTotals {
        var totals = FactTotals()
        for order in 0..<orderCount {
            totals.amountMinor += Int128(amount[order])
            totals.commissionVolume += Int128(commissionVolume[order])
            totals.qualifyingVolume += Int128(qualifyingVolume[order])
        }
        for member in 0..<memberCount where isPromoter(member) { totals.promoterCount += 1 }
        totals.lateRefundCount = lateRefunds.count
        return totals
    }
}

extension FactsBuilder {
    /// Ids of orders that refunds name.
    public var refundedOrderIds: Set<String> { Set(orders.refunds.map(\.refunded)) }
    public var memberCount: Int { members.numbers.count }
    public var orderCount: Int { orders.rows.count }
}
