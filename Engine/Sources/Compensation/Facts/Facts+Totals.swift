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
    public var refundedOrderIds: Set<IdKey> { Set(orders.refunds.map { IdKey($0.refunded) }) }

    /// The row of a member, as the caller numbered it; nil: there is none.
    public func row(ofMember id: String) -> Int? {
        guard let number = members.ids.number(of: id), members.rowOfId[Int(number)] >= 0 else { return nil }
        return members.rows[Int(members.rowOfId[Int(number)])]
    }

    /// The row of an order; nil: there is none.
    public func row(ofOrder id: String) -> Int? { orders.ids.number(of: id).map { orders.entries[Int($0)].row } }

    /// These members have orders of earlier periods; unknown ids are passed over.
    public mutating func markEarlierOrders(_ ids: some Sequence<String>) {
        for id in ids {
            guard let number = members.ids.number(of: id), members.rowOfId[Int(number)] >= 0 else { continue }
            members.earlier[Int(members.rowOfId[Int(number)])] = 1
        }
    }
    public var memberCount: Int { members.numbers.count }
    public var orderCount: Int { orders.entries.count }
}
