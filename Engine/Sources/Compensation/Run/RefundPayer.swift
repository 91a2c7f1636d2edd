import Money

/// Takes back what was paid on orders of earlier periods that are refunded in this one.
struct RefundPayer {
    let state: RunState
    let history: [PastOrder]

    struct Outcome {
        var lines: [Line] = []
        /// The refunded orders as they stand now, by order id bytes.
        var updated: [PastOrder] = []
    }

    func run() throws(RunFailure) -> Outcome {
        var outcome = Outcome()
        guard !state.facts.lateRefunds.isEmpty else { return outcome }
        let facts = state.facts
        var byId: [IdKey: PastOrder] = [:]
        for past in history { byId[IdKey(past.orderId)] = past }
        var touched: Set<IdKey> = []
        for refund in facts.lateRefunds.sorted(by: { facts.orderPrecedes(Int($0.order), Int($1.order)) }) {
            guard var past = byId[IdKey(refund.refundedOrderId)] else {
                throw .unknownRefundedOrder(
                    refund: facts.orderId(Int(refund.order)), order: refund.refundedOrderId)
            }
            let order = Int(refund.order)
            var averaged: Set<IdKey> = []
            for place in past.paid.indices {
                guard let number = state.plan.bonuses.firstIndex(where: { $0.code == past.paid[place].bonus }) else {
                    continue
                }
                let bonus = state.plan.bonuses[number]
                // The average rate is that of payee and bonus, however many lines the order gave them.
                if bonus.refundTreatment == .averageRate,
                    !averaged.insert(IdKey("\(bonus.code) \(past.paid[place].memberId)")).inserted
                {
                    continue
                }
                let amount = try reversal(of: past.paid[place], past, order, bonus)
                guard amount != 0 else { continue }
                guard let member = facts.member(id: past.paid[place].memberId) else {
                    throw .unknownMember(past.paid[place].memberId)
                }
                past.paid[place].reversedMinor = try sum(past.paid[place].reversedMinor, amount)
                outcome.lines.append(
                    Line(
                        member: Int32(member), order: refund.order, bonus: number, level: past.paid[place].level,
                        reason: .refund, amount: -amount))
            }
            past.refundedAmountMinor = try sum(past.refundedAmountMinor, 0 - facts.amount[order])
            past.refundedCommissionVolume = try sum(past.refundedCommissionVolume, 0 - facts.commissionVolume[order])
            past.refundedQualifyingVolume = try sum(past.refundedQualifyingVolume, 0 - facts.qualifyingVolume[order])
            byId[IdKey(past.orderId)] = past
            touched.insert(IdKey(past.orderId))
        }
        outcome.updated = touched.compactMap { byId[$0] }.sorted { $0.orderId.utf8.lexicographicallyPrecedes($1.orderId.utf8) }
        return outcome
    }

    /// History comes from outside, so nothing keeps it small.
    private func sum(_ one: Int64, _ other: Int64) throws(RunFailure) -> Int64 {
        let (sum, overflow) = one.addingReportingOverflow(other)
        guard !overflow else { throw .overflow(where: "refunds") }
        return sum
    }

    /// Debit: paid × all refunded so far ÷ the order, rounded, less what was already taken back; the last refund takes the rest
    /// exactly. Average rate: the payee's paid ÷ base of the purchase period × what is refunded now.
    private func reversal(
        of paid: PastOrder.Paid, _ past: PastOrder, _ order: Int, _ bonus: Bonus
    ) throws(RunFailure) -> Int64 {
        let facts = state.facts
        // An order without any base was paid by flat amounts; its money tells how much of it is refunded.
        let volume = past.volume(bonus.base.volumeOfOrder) == 0 ? Volume.amount : bonus.base.volumeOfOrder
        let whole = past.volume(volume)
        let before = past.refunded(volume)
        let now = 0 - facts.volume(volume)[order]
        do {
            switch bonus.refundTreatment {
            case .volume: return 0
            case .debit:
                guard whole > 0 else { return 0 }
                let refunded = min(Int128(whole), Int128(before) + Int128(now))
                let share = try Rounding.halfEven(Int128(paid.amountMinor) * refunded, over: Int128(whole))
                let (left, overflow) = share.subtractingReportingOverflow(paid.reversedMinor)
                guard !overflow, left != .min else { throw MoneyFailure.overflow }
                return left
            case .averageRate:
                guard paid.periodBaseMinor != 0 else { return 0 }
                return try Rounding.halfEven(
                    Int128(paid.periodPaidMinor) * Int128(now), over: Int128(paid.periodBaseMinor))
            }
        } catch { throw .overflow(where: bonus.code) }
    }
}

extension BonusBase {
    /// What refunds of an order are measured by: the base's volume, CV where the base is a commission.
    var volumeOfOrder: Volume {
        if case .volume(let volume) = self { return volume }
        return .commission
    }
}

extension PastOrder {
    fileprivate func volume(_ volume: Volume) -> Int64 {
        switch volume {
        case .commission: commissionVolume
        case .qualifying: qualifyingVolume
        case .amount: amountMinor
        }
    }

    fileprivate func refunded(_ volume: Volume) -> Int64 {
        switch volume {
        case .commission: refundedCommissionVolume
        case .qualifying: refundedQualifyingVolume
        case .amount: refundedAmountMinor
        }
    }
}
