import Chronology
import Persistence
import Web

/// Applies the facts of one event in one transaction, through the same verbs as the API. Whatever order events come in, and however often,
/// the books end the same: one sale for each invoice, refunds by their own ids, and what is not known yet is waited for.
struct InboundApplying: Sendable {
    let event: InboundEvent
    let integration: Integration
    let references: InboundReferences
    let facts: [InboundFact]
    /// What was known of each buyer when the clicks were read, by the fact's place.
    let buyers: [Int: InboundBuyer]
    let evidence: [Int: Evidence]
    /// Whether a sale may wait for somebody to say who bought.
    let isPatient: Bool

    /// Something that the event speaks of is not known yet.
    struct Waiting: Error {
        var references: [String]
        var code: String
        var reason: String
        var waitMs: Int64
    }

    /// A buyer became known between the reading of clicks and this transaction.
    struct Outdated: Error {}

    func apply(in write: Write) throws -> InboundOutcome {
        var outcome = InboundOutcome.ignored("nothing_new", "Everything that the event says is known.")
        var learnt: [String] = []
        for (place, fact) in facts.enumerated() {
            switch fact {
            case .identity(let identity): learnt += try learn(identity, &outcome, in: write)
            case .sale(let sale): learnt += try record(sale, place, &outcome, in: write)
            case .lead(let lead): try record(lead, place, &outcome, in: write)
            case .refund(let refund): try record(refund, &outcome, in: write)
            case .cancellation(let cancellation): try cancel(cancellation, &outcome, in: write)
            case .alias(let reference, let invoice):
                try tie([reference], to: invoice, in: write)
                learnt.append(references.thing(reference))
                outcome.note(.handled)
            case .promotion(let reference, let code):
                try references.put(InboundReference(reference: references.thing(reference), code: code), on: write.connection)
                outcome.note(.handled)
            case .erasure(let ids):
                for id in ids {
                    let hash = write.vault.lookupHash(write.workspace.id, "customer", id)
                    if let customer = try CustomerStore.find(externalHash: hash, in: write.workspace.id, on: write.connection) {
                        outcome.erased.append(customer.personID)
                    }
                }
                try write.audit("integration.erase", subject: integration.vendor.rawValue, JSONText(["people": .integer(Int64(outcome.erased.count))]))
                outcome.note(.handled)
            case .attention(let code, let reason):
                try write.audit("integration.attention", subject: integration.vendor.rawValue, JSONText(["code": .text(code)]))
                outcome.note(.handled)
                (outcome.reasonCode, outcome.reason) = (code, reason)
            }
        }
        outcome.woken = try InboundStore.waiting(for: learnt, in: write.workspace.id, integration.vendor, on: write.connection)
        return outcome
    }

    // MARK: Buyers

    private func learn(_ identity: VendorIdentity, _ outcome: inout InboundOutcome, in write: Write) throws -> [String] {
        var customerID: CustomerID?
        if let externalID = identity.touch.customerExternalID {
            let customer = try Customer.recognise(
                externalID: externalID, email: identity.email, name: identity.name.map { String($0.prefix(200)) }, country: Self.country(identity.country), in: write)
            customerID = customer.id
            outcome.personID = customer.personID
        }
        let code = try InboundBuyer.resolve(
            InboundBuyer.Told(customer: nil, fallbackExternalID: "", touch: VendorTouch(codes: identity.touch.codes)), references, on: write.connection
        ).code
        let keys = identity.customers.map(references.person)
        for key in keys {
            var row = try references.find(key, on: write.connection) ?? InboundReference(reference: key)
            // Who says it in so many words knows better.
            row.customerID = customerID ?? row.customerID
            row.clickID = row.clickID ?? identity.touch.clickID
            row.code = row.code ?? code
            try references.put(row, on: write.connection)
        }
        if !identity.touch.isEmpty { outcome.note(.handled) }
        return keys
    }

    private func buyer(_ fact: InboundFact, _ place: Int, in write: Write) throws -> InboundBuyer? {
        guard let told = fact.told else { return nil }
        let now = try InboundBuyer.resolve(told, references, on: write.connection)
        // Which clicks count was read for the buyer as known then. An event's own identity makes nobody else of them.
        guard let before = buyers[place], before.externalID == now.externalID, before.clickID == now.clickID, before.code == now.code else {
            throw Outdated()
        }
        return now
    }

    // MARK: Sales and leads

    private func record(_ sale: VendorSale, _ place: Int, _ outcome: inout InboundOutcome, in write: Write) throws -> [String] {
        if sale.isTest, !write.workspace.isTest {
            outcome.note(.ignored, "test_order", "An order of the vendor's test gateway is no sale here; send it to the test workspace.")
            return []
        }
        guard let invoiceID = Normalised.externalID(sale.invoiceID) else {
            throw Refusal.field("invoiceId", "Must be a text of 1 to \(Normalised.externalIDLengthMax) characters without control characters.")
        }
        let keys = [invoiceID] + sale.references
        if let known = try references.order(invoiceID, on: write.connection) {
            try tie(keys, to: invoiceID, in: write)
            if known.netMinor != sale.netMinor, known.grossMinor != sale.grossMinor {
                outcome.note(.ignored, "amount_changed", "The order was counted with another amount. Send a refund for less; correct a commission by hand for more.")
            } else {
                outcome.note(.ignored, "known_sale", "This payment was counted already.")
            }
            return keys.map(references.thing)
        }
        if let known = try SaleStore.find(invoice: invoiceID, in: write.workspace.id, on: write.connection) {
            try references.put(InboundOrder(invoiceID: invoiceID, grossMinor: max(sale.grossMinor, known.amountMinor), netMinor: known.amountMinor), on: write.connection)
            try tie(keys, to: invoiceID, in: write)
            outcome.note(.ignored, "known_sale", "This payment was counted already: the API told it.")
            return keys.map(references.thing)
        }
        guard let buyer = try buyer(.sale(sale), place, in: write) else { return [] }
        if sale.waitsForIdentity, isPatient, !buyer.isKnown {
            throw Waiting(
                references: InboundBuyer.Told(sale).ids.map(references.person) + [references.thing(invoiceID)], code: "waits_for_buyer",
                reason: "Nobody has said yet who bought. It is counted when the checkout session or the customer tells, or in ten minutes as it is.",
                waitMs: InboundEvent.identityWaitMs)
        }
        let known = evidence[place] ?? .none
        let recorded = try Sale.record(Self.read(NewSale.read, body(sale, invoiceID, buyer, known, in: write)), evidence: known, in: write)
        try references.put(InboundOrder(invoiceID: invoiceID, grossMinor: sale.grossMinor, netMinor: recorded.sale.amountMinor), on: write.connection)
        try tie(keys, to: invoiceID, in: write)
        let people = try remember(recorded.sale.customerID, InboundBuyer.Told(sale), in: write)
        outcome.note(.handled)
        outcome.subjectID = recorded.sale.id.text
        outcome.personID = try CustomerStore.find(recorded.sale.customerID, in: write.workspace.id, on: write.connection)?.personID
        return keys.map(references.thing) + people
    }

    private func body(_ sale: VendorSale, _ invoiceID: String, _ buyer: InboundBuyer, _ known: Evidence, in write: Write) -> JSONValue {
        var members: [JSONMember] = [
            JSONMember("programId", .text(integration.programID.text)), JSONMember("customerExternalId", .text(buyer.externalID)),
            JSONMember("amount", .integer(sale.netMinor)), JSONMember("currency", .text(sale.currency)), JSONMember("invoiceId", .text(invoiceID)),
            JSONMember("occurredAt", .text(time(sale.occurredAt, known, in: write).rfc3339)),
        ]
        members += Self.person(buyer, email: sale.email, name: sale.name, country: sale.country)
        if let eventName = sale.eventName { members.append(JSONMember("eventName", .text(String(eventName.prefix(100))))) }
        if !sale.items.isEmpty { members.append(JSONMember("items", .array(sale.items.map(\.json)))) }
        if !sale.metadata.isEmpty { members.append(JSONMember("metadata", .object(sale.metadata))) }
        return .object(members)
    }

    private func record(_ lead: VendorLead, _ place: Int, _ outcome: inout InboundOutcome, in write: Write) throws {
        guard let buyer = try buyer(.lead(lead), place, in: write) else { return }
        let known = evidence[place] ?? .none
        var members: [JSONMember] = [
            JSONMember("programId", .text(integration.programID.text)), JSONMember("eventName", .text(String(lead.eventName.prefix(100)))),
            JSONMember("customerExternalId", .text(buyer.externalID)), JSONMember("occurredAt", .text(time(lead.occurredAt, known, in: write).rfc3339)),
        ]
        members += Self.person(buyer, email: lead.email, name: lead.name, country: lead.country)
        let recorded = try Lead.record(Self.read(NewLead.read, .object(members)), evidence: known, in: write)
        _ = try remember(recorded.lead.customerID, InboundBuyer.Told(lead), in: write)
        outcome.note(recorded.isRepeated ? .ignored : .handled, recorded.isRepeated ? "known_lead" : nil, recorded.isRepeated ? "This lead was counted already." : nil)
        outcome.subjectID = recorded.lead.id.text
        outcome.personID = try CustomerStore.find(recorded.lead.customerID, in: write.workspace.id, on: write.connection)?.personID
    }

    private static func person(_ buyer: InboundBuyer, email: String?, name: String?, country: String?) -> [JSONMember] {
        let texts: [(String, String?)] = [
            ("clickId", buyer.clickID), ("code", buyer.code), ("customerEmail", email), ("customerName", name.map { String($0.prefix(200)) }),
            ("country", Self.country(country)),
        ]
        return texts.compactMap { name, text in text.map { JSONMember(name, .text($0)) } }
    }

    /// When it happened, for the books. Vendors tell whole seconds: a click that the event names came before it. A time before the vendor was
    /// connected can't be that of an event it sent by itself (somebody sent it again by hand), so the time of its arrival counts.
    private func time(_ told: Instant?, _ known: Evidence, in write: Write) -> Instant {
        var at = min(told ?? event.receivedAt, write.now)
        if at < integration.createdAt { at = min(event.receivedAt, write.now) }
        if let click = known.namedClick?.at, at < click { at = min(click, write.now) }
        return at
    }

    /// The vendor's ids mean this customer from now on; their codes have counted.
    private func remember(_ customer: CustomerID, _ told: InboundBuyer.Told, in write: Write) throws -> [String] {
        let keys = told.ids.map(references.person)
        for key in keys {
            var row = try references.find(key, on: write.connection) ?? InboundReference(reference: key)
            row.customerID = row.customerID ?? customer
            row.code = InboundBuyer.spentCode
            try references.put(row, on: write.connection)
        }
        return keys
    }

    private func tie(_ ids: [String], to invoiceID: String, in write: Write) throws {
        for id in ids {
            let key = references.thing(id)
            var row = try references.find(key, on: write.connection) ?? InboundReference(reference: key)
            row.invoiceID = row.invoiceID ?? invoiceID
            try references.put(row, on: write.connection)
        }
    }

    // MARK: Refunds

    private func record(_ refund: VendorRefund, _ outcome: inout InboundOutcome, in write: Write) throws {
        guard var order = try references.order(of: refund.references, on: write.connection) else { throw try waiting(refund.references, in: write) }
        try notePerson(of: order, &outcome, in: write)
        var gross = refund.grossMinor ?? order.grossMinor
        var charge: InboundReference?
        if let id = refund.isCumulativeOf {
            // Only the sum is told: what is above the highest sum so far is new. In any order the highest counts in the end.
            var row = try references.find(references.thing(id), on: write.connection) ?? InboundReference(reference: references.thing(id), invoiceID: order.invoiceID)
            (gross, row.refundedMinor) = (max(0, gross - row.refundedMinor), max(row.refundedMinor, gross))
            charge = row
        }
        let refundID = refund.refundID ?? "\(refund.isCumulativeOf ?? order.invoiceID)/\(refund.grossMinor.map(String.init) ?? "all")"
        if let known = try RefundStore.find(refundID, in: write.workspace.id, on: write.connection), known.invoiceID == order.invoiceID {
            outcome.note(.ignored, "known_refund", "This refund was counted already.")
            return
        }
        let before = try net(of: order)
        order.refundedMinor = min(order.grossMinor, order.refundedMinor + min(gross, order.grossMinor))
        let amount = try net(of: order) - before
        if let charge { try references.put(charge, on: write.connection) }
        try references.put(order, on: write.connection)
        guard amount > 0 else {
            outcome.note(.ignored, "known_refund", "Nothing of the sale is left to take back by this refund.")
            return
        }
        try take(refundID, amount, order, refund.occurredAt, &outcome, in: write)
    }

    private func cancel(_ cancellation: VendorCancellation, _ outcome: inout InboundOutcome, in write: Write) throws {
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

    private func take(
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
    private func net(of order: InboundOrder) throws -> Int64 {
        try VendorMoney.share(of: order.refundedMinor, net: order.netMinor, gross: order.grossMinor)
    }

    private func notePerson(of order: InboundOrder, _ outcome: inout InboundOutcome, in write: Write) throws {
        guard let sale = try SaleStore.find(invoice: order.invoiceID, in: write.workspace.id, on: write.connection) else { return }
        outcome.personID = try CustomerStore.find(sale.customerID, in: write.workspace.id, on: write.connection)?.personID
    }

    /// For the sale, whichever id of it comes first; and for the invoice that a payment turns out to belong to.
    private func waiting(_ ids: [String], in write: Write) throws -> Waiting {
        let keys = ids.map(references.thing)
        let invoices = try keys.compactMap { try references.find($0, on: write.connection)?.invoiceID }
        return Waiting(
            references: keys + invoices.map(references.thing), code: "waits_for_sale", reason: "Its sale is not known yet. It is applied when the sale comes.",
            waitMs: InboundEvent.orderWaitMs)
    }

    private static func country(_ text: String?) -> String? {
        guard case .accepted(let country)? = text.map({ Country.read(.text($0)) }) else { return nil }
        return country
    }

    /// A body for the API's own reading, so that both refuse the same in the same words.
    private static func read<Input>(_ read: (JSONReader) -> Input, _ body: JSONValue) throws -> Input {
        let reader = try JSONReader(body)
        let input = read(reader)
        try reader.finish()
        return input
    }
}

extension InboundOutcome {
    /// What was done outweighs what was known already.
    mutating func note(_ state: InboundEvent.State, _ code: String? = nil, _ reason: String? = nil) {
        if state == .handled {
            (self.state, reasonCode, self.reason) = (.handled, nil, nil)
        } else if self.state != .handled {
            self.state = state
            if let code { (reasonCode, self.reason) = (code, reason) }
        }
    }
}

extension InboundBuyer.Told {
    init(customer: String?, fallbackExternalID: String, touch: VendorTouch) {
        (self.customer, self.fallbackExternalID, self.touch) = (customer, fallbackExternalID, touch)
    }
}
