import Money
import Persistence
import Web

/// An order that is known already, told once more or by somebody else.
extension InboundApplying {
    /// The same order told again by its vendor: another amount is noted, and an invoice corrects what its session said.
    func compare(_ sale: VendorSale, _ known: InboundOrder, _ outcome: inout InboundOutcome, in write: Write) throws {
        let currency = try SaleStore.find(invoice: known.invoiceID, in: write.workspace.id, on: write.connection)?.currency.code
        let isSameCurrency = currency == nil || currency == sale.currency
        if sale.hasLastWord, isSameCurrency, sale.netMinor < known.netMinor, sale.grossMinor < known.grossMinor {
            try correct(known, sale, &outcome, in: write)
        } else if !isSameCurrency || (!sale.waitsForInvoice && (known.netMinor != sale.netMinor || known.grossMinor != sale.grossMinor)) {
            outcome.note(.ignored, "amount_changed", "The order was counted with another amount. Send a refund for less; correct a commission by hand for more.")
        } else {
            outcome.note(.ignored, "known_sale", "This payment was counted already.")
        }
    }

    /// A session was counted with more than its invoice took in: the difference goes back, so that both orders of coming keep the same.
    private func correct(_ known: InboundOrder, _ sale: VendorSale, _ outcome: inout InboundOutcome, in write: Write) throws {
        let kept = try known.netMinor - net(of: known)
        var order = known
        (order.grossMinor, order.netMinor, order.refundedMinor) = (sale.grossMinor, sale.netMinor, min(known.refundedMinor, sale.grossMinor))
        let less = try kept - (order.netMinor - net(of: order))
        try references.put(order, on: write.connection)
        try notePerson(of: order, &outcome, in: write)
        guard less > 0 else { return outcome.note(.ignored, "known_sale", "This payment was counted already.") }
        try take("\(order.invoiceID)/corrected", less, order, sale.occurredAt, &outcome, in: write)
    }

    /// Whether a sale that somebody else told under this id is this one. Ids of several sources may be alike by chance: then the event is
    /// refused, so that neither its amount nor its refunds are taken for another's.
    func checkIsSame(_ known: Sale, _ sale: VendorSale, in write: Write) throws {
        var differences: [String] = []
        if known.currency.code != sale.currency {
            differences.append("currency")
        } else if known.amountMinor != sale.netMinor, known.amountMinor != sale.grossMinor {
            differences.append("amount")
        }
        if try !isSameBuyer(known, sale, in: write) { differences.append("customer") }
        guard differences.isEmpty else {
            throw VendorRefusal(
                code: "invoice_conflict",
                detail: "Another source told the sale \(known.id.text) under the same id, with another \(differences.joined(separator: " and ")). "
                    + "This one is not counted, nor are its refunds. Tell it to the API under an id of its own.")
        }
    }

    private func isSameBuyer(_ known: Sale, _ sale: VendorSale, in write: Write) throws -> Bool {
        guard let customer = try CustomerStore.find(known.customerID, in: write.workspace.id, on: write.connection) else { return false }
        let fields = try PersonStore.fields(of: [customer.personID], [.externalId, .email], vault: write.vault, on: write.connection)[customer.personID] ?? [:]
        let buyer = try InboundBuyer.resolve(InboundBuyer.Told(sale), references, on: write.connection)
        if let externalID = fields[.externalId] {
            if externalID == buyer.externalID { return true }
            if sale.touch.customerExternalID != nil { return false }
        }
        if let one = fields[.email], let other = sale.email { return Normalised.mailbox(one) == Normalised.mailbox(other) }
        // Nothing says who it is. The company's own word on its invoice is taken; another vendor's id only looks like this one's.
        return try !InboundReferenceStore.isTold(known.invoiceID, byOtherThan: integration.vendor, in: write.workspace.id, on: write.connection)
    }
}
