import Chronology
import Ledger
import Money
import Persistence
import Rules
import Web

extension Refund {
    /// Takes a refund in: applied to its sale, or parked until the sale comes.
    static func record(_ input: NewRefund, in write: Write) throws -> (refund: Refund, isRepeated: Bool) {
        if let known = try RefundStore.find(input.refundID, in: write.workspace.id, on: write.connection) {
            guard known.factsHash == input.factsHash else {
                throw Problem.conflict(
                    code: "refund_conflict", detail: "The refund \(input.refundID) is known with other facts. Send another refundId.")
            }
            return (known, true)
        }
        let occurredAt = input.occurredAt ?? write.now
        guard occurredAt.millisecondsClamped(since: write.now) <= Sale.clockSkewMs else {
            throw Refusal.field("occurredAt", "Must not be in the future.", code: "refund_in_future")
        }
        var refund = Refund(
            id: write.world.newID(), workspaceID: write.workspace.id, invoiceID: input.invoiceID, refundID: input.refundID, saleID: nil,
            amountMinor: input.amountMinor, reason: input.reason, state: .parked, factsHash: input.factsHash, occurredAt: occurredAt,
            recordedAt: write.now)
        guard var sale = try SaleStore.find(invoice: input.invoiceID, in: write.workspace.id, on: write.connection) else {
            let waiting = try RefundStore.parked(invoice: input.invoiceID, in: write.workspace.id, on: write.connection).count
            guard waiting < RefundStore.parkedMax else {
                throw Problem.conflict(
                    code: "too_many_parked", detail: "\(RefundStore.parkedMax) refunds wait for this invoice already. Send its sale first.")
            }
            try RefundStore.insert(refund, on: write.connection)
            return (refund, false)
        }
        if let amount = input.amountMinor, amount > sale.amountMinor {
            throw Refusal.field("amount", "Must be at most \(sale.amountMinor), which is the whole sale.", code: "refund_above_sale")
        }
        try RefundStore.insert(refund, on: write.connection)
        refund = try settle(refund, of: &sale, in: write)
        return (refund, false)
    }

    /// Applies a refund to its sale: every level's commission goes down by the same proportion, rounded once on the total refunded,
    /// so that partial refunds add up exactly.
    ///
    /// Whether a refund counts depends on it and its sale alone, never on what came before: one that is more than the whole sale is refused,
    /// any other takes what it asks for or what is left. So the same refunds in any order, parked or not, give back the same: the least of
    /// the sale and their sum.
    @discardableResult
    static func settle(_ waiting: Refund, of sale: inout Sale, in write: Write) throws -> Refund {
        var refund = waiting
        refund.saleID = sale.id
        let wanted = refund.amountMinor ?? sale.keptMinor
        guard wanted <= sale.amountMinor else {
            // Parked before anyone knew how much was sold: more than there is cannot be given back.
            refund.state = .refused
            try RefundStore.update(refund, on: write.connection)
            return refund
        }
        let applied = min(wanted, sale.keptMinor)
        refund.appliedMinor = applied
        refund.state = .applied
        try RefundStore.update(refund, on: write.connection)
        // A sale for nothing may have paid a fixed amount.
        if applied > 0 || sale.amountMinor == 0 {
            try SaleStore.addRefund(sale.id, applied, on: write.connection)
            sale.refundedMinor += applied
            try Commission.reverse(for: sale, cause: refund, in: write)
            try Reward.reverse(for: sale, in: write)
            try SaleCoupon.giveBack(for: sale, in: write)
            try Party.returned(sale, in: write)
        }
        try write.emit(
            .saleRefunded, subject: sale.id.text,
            JSONText([
                "saleId": .text(sale.id.text), "refundId": .text(refund.id.text), "amount": .integer(applied),
                "currency": .text(sale.currency.code), "refundedAmount": .integer(sale.refundedMinor),
            ]))
        return refund
    }
}
