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
        var byId: [String: PastOrder] = [:]
        for past in history { byId[past.orderId] = past }
        var touched: Set<String> = []
        for refund in facts.lateRefunds.sorted(by: { facts.orderPrecedes(Int($0.order), Int($1.order)) }) {
            guard var past = byId[refund.refundedOrderId] else {
                throw .unknownRefundedOrder(
                    refund: facts.orderId(Int(refund.order)), order: refund.refundedOrderId)
            }
            let order = Int(refund.order)
            for place in past.paid.indices {
                guard let number = state.plan.bonuses.firstIndex(where: { $0.code == past.paid[place].bonus }) else {
                    continue
                }
                let amount = try reversal(of: past.paid[place], past, order, state.plan.bonuses[number])
                guard amount != 0 else { continue }
                guard let member = facts.member(id: past.paid[place].memberId) else {
                    throw .unknownMember(past.paid[place].memberId)
                }
                past.paid[place].reversedMinor += amount
                outcome.lines.append(
                    Line(
                        member: Int32(member), order: refund.order, bonus: number, level: past.paid[place].level,
                        reason: .refund, amount: -amount))
            }
            past.refundedAmountMinor -= facts.amount[order]
            past.refundedCommissionVolume -= facts.commissionVolume[order]
            past.refundedQualifyingVolume -= facts.qualifyingVolume[order]
            byId[past.orderId] = past
            touched.insert(past.orderId)
        }
        outcome.updated = touched.compactMap { byId[$0] }.sorted { $0.orderId.utf8.lexicographicallyPrecedes($1.orderId.utf8) }
        return outcome
    }

    /// Debit: paid × all refunded so far ÷ the order, rounded, less what was already taken back; the last refund takes the rest
    /// exactly. Average rate: the payee's paid ÷ base of the purchase period × what is refunded now.
    private func reversal(
        of paid: PastOrder.Paid, _ past: PastOrder, _ order: Int, _ bonus: Bonus
    ) throws(RunFailure) -> Int64 {
        let facts = state.facts
        let whole: Int64
        let before: Int64
        let now: Int64
        switch bonus.base {
        case .volume(.qualifying):
            (whole, before, now) = (
                past.qualifyingVolume, past.refundedQualifyingVolume, 0 - facts.qualifyingVolume[order]
            )
        case .volume(.amount):
            (whole, before, now) = (past.amountMinor, past.refundedAmountMinor, 0 - facts.amount[order])
        case .volume(.commission), .commission:
            (whole, before, now) = (
                past.commissionVolume, past.refundedCommissionVolume, 0 - facts.commissionVolume[order]
            )
        }
        do {
            switch bonus.refundTreatment {
            case .volume: return 0
            case .debit:
                guard whole > 0 else { return 0 }
                let refunded = min(whole, before + now)
                return try Rounding.halfEven(Int128(paid.amountMinor) * Int128(refunded), over: Int128(whole))
                    - paid.reversedMinor
            case .averageRate:
                guard paid.periodBaseMinor != 0 else { return 0 }
                return try Rounding.halfEven(
                    Int128(paid.periodPaidMinor) * Int128(now), over: Int128(paid.periodBaseMinor))
            }
        } catch { throw .overflow(where: bonus.code) }
    }
}
