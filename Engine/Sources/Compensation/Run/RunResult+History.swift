extension RunResult {
    /// What this run paid on orders, after all caps, for refunds in later periods. Needs kept lines; by order id bytes.
    public func pastOrders(ids: Set<String>) -> [PastOrder] {
        var found: [Int32: PastOrder] = [:]
        for order in 0..<facts.orderCount where ids.contains(facts.orderId(order)) {
            found[Int32(order)] = PastOrder(
                orderId: facts.orderId(order), amountMinor: facts.amount[order],
                commissionVolume: facts.commissionVolume[order], qualifyingVolume: facts.qualifyingVolume[order], paid: [])
        }
        var start = 0
        while start < lines.count {
            var end = start
            var bases: [Int16: Int64] = [:]
            while end < lines.count, lines[end].member == lines[start].member {
                if !lines[end].reason.isCap, !lines[end].reason.isOutsideCaps, lines[end].reason != .trueUp {
                    bases[lines[end].bonus, default: 0] &+= lines[end].baseMinor
                }
                end += 1
            }
            for line in lines[start..<end] where !line.reason.isCap && !line.reason.isOutsideCaps {
                let net = line.amountMinor - line.cutMinor
                guard net != 0, found[line.order] != nil else { continue }
                found[line.order]?.paid.append(
                    PastOrder.Paid(
                        memberId: facts.memberId(Int(line.member)), bonus: plan.bonuses[Int(line.bonus)].code,
                        level: Int(line.level), amountMinor: net,
                        periodPaidMinor: amountMinor(of: Int(line.member), bonus: Int(line.bonus)),
                        periodBaseMinor: bases[line.bonus] ?? 0))
            }
            start = end
        }
        return found.values.sorted { $0.orderId.utf8.lexicographicallyPrecedes($1.orderId.utf8) }
    }
}
