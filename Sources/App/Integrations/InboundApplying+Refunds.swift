import Chronology
import Money
import Persistence
import Web

/// What a vendor gives back: each refund once, in the sale's currency, and of no sale but its own.
extension InboundApplying {
    func record(_ refund: VendorRefund, _ outcome: inout InboundOutcome, in write: Write) throws {
        guard var order = try references.order(of: refund.references, on: write.connection) else { throw try waiting(refund.references, in: write) }
        try notePerson(of: order, &outcome, in: write)
        if let currency = refund.currency { try check(currency, of: order, in: write) }
        let own = refund.refundID ?? "refund"
        if try known(own, of: order, in: write) != nil {
            outcome.note(.ignored, "known_refund", "This refund was counted already.")
            return
        }
        let id = try refundID(own, of: order, in: write)
        if try !takeShare(id, refund.grossMinor ?? order.grossMinor, &order, refund.occurredAt, &outcome, in: write) {
            outcome.note(.ignored, "known_refund", "Nothing of the sale is left to take back by this refund.")
        }
    }

    /// Only what is above the highest sum so far is new: in any order, and in whatever shape it was told, the highest counts in the end.
    func record(_ refund: VendorChargeRefund, _ outcome: inout InboundOutcome, in write: Write) throws {
        guard var order = try references.order(of: refund.references, on: write.connection) else { throw try waiting(refund.references, in: write) }
        try notePerson(of: order, &outcome, in: write)
        try check(refund.currency, of: order, in: write)
        let key = references.thing(refund.charge)
        var charge = try references.find(key, on: write.connection) ?? InboundReference(reference: key)
        charge.invoiceID = charge.invoiceID ?? order.invoiceID
        var fresh: [VendorChargeRefund.Part] = []
        var toldMinor: Int64 = 0
        for part in refund.parts where try references.find(references.thing(part.refundID), on: write.connection) == nil {
            if try known(part.refundID, of: order, in: write) == nil {
                fresh.append(part)
            } else {
                toldMinor += part.grossMinor
                try tie([part.refundID], to: order.invoiceID, in: write)
            }
        }
        // Refunds that were counted by their own ids before sums were noted stand in the order alone; those that the API told in neither.
        let notedMinor = try InboundReferenceStore.refundedMinor(of: order.invoiceID, integration.vendor, in: write.workspace.id, on: write.connection)
        let formerMinor = max(0, order.refundedMinor - notedMinor)
        charge.refundedMinor += max(formerMinor, toldMinor)
        order.refundedMinor = min(order.grossMinor, order.refundedMinor + max(0, toldMinor - formerMinor))
        var restMinor = max(0, refund.grossMinor - charge.refundedMinor)
        charge.refundedMinor += restMinor
        try references.put(charge, on: write.connection)
        try references.put(order, on: write.connection)
        var isTaken = false
        let newestFirst = fresh.sorted { ($0.occurredAt ?? event.receivedAt, $0.refundID) > ($1.occurredAt ?? event.receivedAt, $1.refundID) }
        for part in newestFirst where restMinor > 0 {
            let partMinor = min(part.grossMinor, restMinor)
            restMinor -= partMinor
            let id = try refundID(part.refundID, of: order, in: write)
            try tie([part.refundID], to: order.invoiceID, in: write)
            if try takeShare(id, partMinor, &order, part.occurredAt ?? refund.occurredAt, &outcome, in: write) { isTaken = true }
        }
        if restMinor > 0, try takeShare("\(refund.charge)/\(refund.grossMinor)", restMinor, &order, refund.occurredAt, &outcome, in: write) { isTaken = true }
        if !isTaken { outcome.note(.ignored, "known_refund", "This refund was counted already.") }
    }

    func cancel(_ cancellation: VendorCancellation, _ outcome: inout InboundOutcome, in write: Write) throws {
        guard let order = try references.order(of: [cancellation.invoiceID], on: write.connection) else {
            throw try waiting([cancellation.invoiceID], in: write)
        }
        try notePerson(of: order, &outcome, in: write)
        let refundID = "\(order.invoiceID)/cancelled"
        guard try RefundStore.find(refundID, in: write.workspace.id, on: write.connection) == nil,
            let sale = try SaleStore.find(invoice: order.invoiceID, in: write.workspace.id, on: write.connection), sale.keptMinor > 0
        else {
            outcome.note(.ignored, "known_refund", "The order was given back already.")
            return
        }
        try take(refundID, nil, order, cancellation.occurredAt, &outcome, in: write)
    }

    /// Takes back the sale's part of money that was told with tax; false when nothing is left of it.
    private func takeShare(
        _ refundID: String, _ grossMinor: Int64, _ order: inout InboundOrder, _ told: Instant?, _ outcome: inout InboundOutcome, in write: Write
    ) throws -> Bool {
        let before = try net(of: order)
        order.refundedMinor = min(order.grossMinor, order.refundedMinor + min(grossMinor, order.grossMinor))
        let amountMinor = try net(of: order) - before
        try references.put(order, on: write.connection)
        guard amountMinor > 0 else { return false }
        try take(refundID, amountMinor, order, told, &outcome, in: write)
        return true
    }

    func take(
        _ refundID: String, _ amountMinor: Int64?, _ order: InboundOrder, _ told: Instant?, _ outcome: inout InboundOutcome, in write: Write
    ) throws {
        var members: [JSONMember] = [
            JSONMember("invoiceId", .text(order.invoiceID)), JSONMember("refundId", .text(refundID)),
            JSONMember("occurredAt", .text(time(told, .none, in: write).rfc3339)),
        ]
        if let amountMinor { members.append(JSONMember("amount", .integer(amountMinor))) }
        let (recorded, isRepeated) = try Refund.record(Self.read(NewRefund.read, .object(members)), in: write)
        outcome.note(isRepeated ? .ignored : .handled)
        outcome.subjectID = recorded.saleID?.text
    }

    /// The part of the sale that the refunds so far take back.
    func net(of order: InboundOrder) throws -> Int64 {
        try VendorMoney.share(of: order.refundedMinor, net: order.netMinor, gross: order.grossMinor)
    }

    func notePerson(of order: InboundOrder, _ outcome: inout InboundOutcome, in write: Write) throws {
        guard let sale = try SaleStore.find(invoice: order.invoiceID, in: write.workspace.id, on: write.connection) else { return }
        outcome.personID = try CustomerStore.find(sale.customerID, in: write.workspace.id, on: write.connection)?.personID
    }

    private func check(_ currency: String, of order: InboundOrder, in write: Write) throws {
        guard let sale = try SaleStore.find(invoice: order.invoiceID, in: write.workspace.id, on: write.connection), sale.currency.code != currency else { return }
        throw VendorRefusal(
            code: "refund_currency",
            detail: "The sale is in \(sale.currency.code) and the refund in \(currency). Nothing was taken back: tell the refund in the sale's currency.")
    }

    /// A refund of this order that is known by the vendor's id of it, bare or behind the order's.
    private func known(_ own: String, of order: InboundOrder, in write: Write) throws -> Refund? {
        for id in [own, "\(order.invoiceID)/\(own)"] {
            if let known = try RefundStore.find(id, in: write.workspace.id, on: write.connection), known.invoiceID == order.invoiceID { return known }
        }
        return nil
    }

    /// Our id of a refund. Sources of one's own number refunds as they like, within an order mostly; shops have ids that are theirs alone, and
    /// where one is another sale's refund all the same, the order stands before it.
    private func refundID(_ own: String, of order: InboundOrder, in write: Write) throws -> String {
        let behindOrder = "\(order.invoiceID)/\(own)"
        switch integration.vendor {
        case .generic, .postback: return behindOrder
        case .stripe, .shopify, .wooCommerce:
            return try RefundStore.find(own, in: write.workspace.id, on: write.connection) == nil ? own : behindOrder
        }
    }

    /// For the sale, whichever id of it comes first; and for the invoice that a payment turns out to belong to.
    private func waiting(_ ids: [String], in write: Write) throws -> Waiting {
        let keys = ids.map(references.thing)
        let invoices = try keys.compactMap { try references.find($0, on: write.connection)?.invoiceID }
        return Waiting(
            references: keys + invoices.map(references.thing), code: "waits_for_sale", reason: "Its sale is not known yet. It is applied when the sale comes.",
            waitMs: InboundEvent.orderWaitMs)
    }
}
