extension RunResult {
    /// What this run paid on orders, after all caps, for refunds in later periods. Needs kept lines; by order id bytes.
    public func pastOrders(ids: some Sequence<String>) -> [PastOrder] {
        let wanted = Set(ids.map { IdKey($0) })
        guard !wanted.isEmpty else { return [] }
        var found: [Int32: PastOrder] = [:]
        for order in 0..<facts.orderCount where wanted.contains(IdKey(facts.orderId(order))) {
            found[Int32(order)] = PastOrder(
                orderId: facts.orderId(order), amountMinor: facts.amount[order],
                commissionVolume: facts.commissionVolume[order], qualifyingVolume: facts.qualifyingVolume[order], paid: [])
        }
        let volumes = plan.bonuses.map { facts.volume($0.base.volumeOfOrder) }
        var start = 0
        while start < lines.count {
            var end = start
            // Lines of one order stand beside each other: each order that paid counts once.
            var bases: [Int16: Int64] = [:]
            var counted: [Int16: Int32] = [:]
            while end < lines.count, lines[end].member == lines[start].member {
                let line = lines[end]
                if line.order >= 0, !line.reason.isCap, !line.reason.isOutsideCaps, counted[line.bonus] != line.order {
                    counted[line.bonus] = line.order
                    bases[line.bonus, default: 0] &+= volumes[Int(line.bonus)][Int(line.order)]
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
