import Compensation

/// Refunds of orders of earlier periods.
extension Payroll {
    func refund(_ bonus: Bonus, _ number: Int) throws -> [Draft] {
        var drafts: [Draft] = []
        for sale in society.sales where sale.isRefund {
            guard let name = sale.row.refundOf, let place = history.firstIndex(where: { $0.orderId == name }) else {
                throw OracleFailure.unknownRefundedOrder(sale.row.refundOf ?? "")
            }
            guard treatment(bonus) != .volume else { continue }
            let order = history[place]
            // Flat amounts are paid on orders without a base too; then their money counts.
            let volume = whole(order, baseVolume(bonus)) == 0 ? Volume.amount : baseVolume(bonus)
            let whole = whole(order, volume)
            // With what the earlier refunds of this period took.
            let before = society.sales.filter { $0.row.refundOf == name && $0.precedes(sale) }.reduce(Int64(0)) { $0 - $1.volume(volume) }
            let now = -sale.volume(volume)
            var averaged: Set<String> = []
            for paid in order.paid.indices where order.paid[paid].bonus == bonus.code {
                let line = order.paid[paid]
                guard let person = society.byId[line.memberId] else { continue }
                let amount: Int64
                switch treatment(bonus) {
                case .volume: continue
                case .debit:
                    guard whole > 0 else { continue }
                    let share = Fraction(Int128(min(whole, refunded(order, volume) + before + now)), over: Int128(whole))
                    amount = rounded(share * Fraction(line.amountMinor), .halfEven) - line.reversedMinor
                case .averageRate:
                    guard line.periodBaseMinor != 0, averaged.insert(line.memberId).inserted else { continue }
                    let rate = Fraction(Int128(line.periodPaidMinor), over: Int128(line.periodBaseMinor))
                    amount = rounded(rate * Fraction(now), .halfEven)
                }
                history[place].paid[paid].reversedMinor += amount
                drafts.append(
                    Draft(
                        person: person, sale: sale, level: line.level, reason: .refund, exact: Fraction(-amount),
                        event: "", amount: -amount, bonus: number))
            }
        }
        return drafts
    }

    /// What was paid on the period's orders after all caps, for refunds to come.
    func paidOrders() -> [String: [PastOrder.Paid]] {
        let isPaid = { (line: Draft) in line.sale != nil && ![.refund, .adjustment, .clawback, .capBonus, .capSoldOrUsed, .capPerson, .capPlan].contains(line.reason) }
        var found: [String: [PastOrder.Paid]] = [:]
        for line in lines.filter(isPaid) where line.amount != line.cut {
            let bonus = plan.bonuses[line.bonus]
            let own = lines.filter { $0.person == line.person && $0.bonus == line.bonus }
            var orders: [String: Int64] = [:]
            for other in own.filter(isPaid) { if let sale = other.sale { orders[sale.id] = sale.volume(baseVolume(bonus)) } }
            found[line.sale?.id ?? "", default: []].append(
                PastOrder.Paid(
                    memberId: line.person.id, bonus: bonus.code, level: line.level, amountMinor: line.amount - line.cut,
                    periodPaidMinor: own.reduce(0) { $0 + $1.amount }, periodBaseMinor: orders.values.reduce(0, +)))
        }
        return found
    }

    /// After all bonuses: what has been refunded of each order by now.
    func settleRefunds() {
        for sale in society.sales where sale.isRefund {
            guard let place = history.firstIndex(where: { $0.orderId == sale.row.refundOf }) else { continue }
            history[place].refundedAmountMinor -= sale.amount
            history[place].refundedCommissionVolume -= sale.commissionVolume
            history[place].refundedQualifyingVolume -= sale.qualifyingVolume
        }
        let touched = Set(society.sales.compactMap(\.row.refundOf))
        history = history.filter { touched.contains($0.orderId) }.sorted { bytesPrecede($0.orderId, $1.orderId) }
    }

    private func baseVolume(_ bonus: Bonus) -> Volume {
        if case .volume(let volume) = bonus.base { return volume }
        return .commission
    }
    private func whole(_ order: PastOrder, _ volume: Volume) -> Int64 {
        switch volume {
        case .commission: order.commissionVolume
        case .qualifying: order.qualifyingVolume
        case .amount: order.amountMinor
        }
    }
    private func refunded(_ order: PastOrder, _ volume: Volume) -> Int64 {
        switch volume {
        case .commission: order.refundedCommissionVolume
        case .qualifying: order.refundedQualifyingVolume
        case .amount: order.refundedAmountMinor
        }
    }
}
