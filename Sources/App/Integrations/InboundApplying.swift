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
        var refused: InboundOutcome?
        for (place, fact) in facts.enumerated() {
            switch fact {
            case .identity(let identity): learnt += try learn(identity, &outcome, in: write)
            case .sale(let sale): learnt += try record(sale, place, &outcome, in: write)
            case .lead(let lead): try record(lead, place, &outcome, in: write)
            case .refund(let refund): refused = try apart(&outcome, in: write) { try record(refund, &$0, in: write) } ?? refused
            case .chargeRefund(let refund): refused = try apart(&outcome, in: write) { try record(refund, &$0, in: write) } ?? refused
            case .cancellation(let cancellation): refused = try apart(&outcome, in: write) { try cancel(cancellation, &$0, in: write) } ?? refused
            case .alias(let reference, let invoice):
                try tie([reference], to: invoice, in: write)
                learnt.append(references.thing(reference))
                outcome.note(.handled)
            case .promotion(let reference, let code):
                try references.put(InboundReference(reference: references.thing(reference), code: code), on: write.connection)
                outcome.note(.handled)
            case .erasure(let erasure): try erase(erasure, &outcome, in: write)
            case .attention(let code, let reason):
                try write.audit("integration.attention", subject: integration.vendor.rawValue, JSONText(["code": .text(code)]))
                outcome.note(.handled)
                (outcome.reasonCode, outcome.reason) = (code, reason)
            }
        }
        outcome.woken = try InboundStore.waiting(for: learnt, in: write.workspace.id, integration.vendor, on: write.connection)
        if let refused {
            // What else the event says stands; the refusal is what somebody has to look at.
            (outcome.state, outcome.reasonCode, outcome.reason) = (.refused, refused.reasonCode, refused.reason)
        } else if let waiting = outcome.pause {
            (outcome.state, outcome.reasonCode, outcome.reason) = (.waiting, waiting.code, waiting.reason)
            outcome.dueAt = try write.now.adding(milliseconds: waiting.waitMs)
            outcome.waitsFor = waiting.references
        }
        return outcome
    }

    /// Does a part of an event that may be refused without the rest: a refund that can't be takes no sale with it.
    private func apart(
        _ outcome: inout InboundOutcome, in write: Write, _ work: (inout InboundOutcome) throws -> Void
    ) throws -> InboundOutcome? {
        var changed = outcome
        do {
            try write.connection.savepoint { try work(&changed) }
        } catch {
            guard let refused = InboundOutcome.refused(by: error) else { throw error }
            return refused
        }
        outcome = changed
        return nil
    }

    // MARK: Buyers

    private func learn(_ identity: VendorIdentity, _ outcome: inout InboundOutcome, in write: Write) throws -> [String] {
        var customerID: CustomerID?
        if let externalID = identity.touch.customerExternalID {
            let customer = try Customer.recognise(
                externalID: externalID, email: identity.email, name: identity.name.map { String($0.prefix(200)) }, country: Self.country(identity.country),
                keepsKnown: true, in: write)
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
            try compare(sale, known, &outcome, in: write)
            return keys.map(references.thing)
        }
        if let known = try SaleStore.find(invoice: invoiceID, in: write.workspace.id, on: write.connection) {
            try checkIsSame(known, sale, in: write)
            try references.put(InboundOrder(invoiceID: invoiceID, grossMinor: max(sale.grossMinor, known.amountMinor), netMinor: known.amountMinor), on: write.connection)
            try tie(keys, to: invoiceID, in: write)
            outcome.note(.ignored, "known_sale", "This payment was counted already: the API told it.")
            return keys.map(references.thing)
        }
        if sale.waitsForInvoice, isPatient {
            outcome.pause = Waiting(
                references: [references.thing(invoiceID)], code: "waits_for_invoice",
                reason: "What was paid is its invoice's to say. It is counted when invoice.paid comes, or in ten minutes as it is.",
                waitMs: InboundEvent.identityWaitMs)
            return []
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

    private func body(_ sale: VendorSale, _ invoiceID: String, _ buyer: InboundBuyer, _ known: Evidence, in write: Write) throws -> JSONValue {
        var members: [JSONMember] = [
            JSONMember("programId", .text(integration.programID.text)), JSONMember("customerExternalId", .text(buyer.externalID)),
            JSONMember("amount", .integer(sale.netMinor)), JSONMember("currency", .text(sale.currency)), JSONMember("invoiceId", .text(invoiceID)),
            JSONMember("occurredAt", .text(time(sale.occurredAt, known, in: write).rfc3339)),
        ]
        members += try person(buyer, email: sale.email, name: sale.name, country: sale.country, in: write)
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
        members += try person(buyer, email: lead.email, name: lead.name, country: lead.country, in: write)
        let recorded = try Lead.record(Self.read(NewLead.read, .object(members)), evidence: known, in: write)
        _ = try remember(recorded.lead.customerID, InboundBuyer.Told(lead), in: write)
        outcome.note(recorded.isRepeated ? .ignored : .handled, recorded.isRepeated ? "known_lead" : nil, recorded.isRepeated ? "This lead was counted already." : nil)
        outcome.subjectID = recorded.lead.id.text
        outcome.personID = try CustomerStore.find(recorded.lead.customerID, in: write.workspace.id, on: write.connection)?.personID
    }

    /// What a vendor says of a person never replaces what the company itself knows of a customer of its own.
    private func person(_ buyer: InboundBuyer, email: String?, name: String?, country: String?, in write: Write) throws -> [JSONMember] {
        var (email, name) = (email, name)
        if !references.isVendors(buyer.externalID), let fields = try fields(ofCustomer: buyer.externalID, in: write) {
            if fields[.email] != nil { email = nil }
            if fields[.name] != nil { name = nil }
        }
        let texts: [(String, String?)] = [
            ("clickId", buyer.clickID), ("code", buyer.code), ("customerEmail", email), ("customerName", name.map { String($0.prefix(200)) }),
            ("country", Self.country(country)),
        ]
        return texts.compactMap { name, text in text.map { JSONMember(name, .text($0)) } }
    }

    /// When it happened, for the books. Vendors tell whole seconds: a click that the event names came before it. A time before the vendor was
    /// connected can't be that of an event it sent by itself (somebody sent it again by hand), so the time of its arrival counts.
    func time(_ told: Instant?, _ known: Evidence, in write: Write) -> Instant {
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

    func tie(_ ids: [String], to invoiceID: String, in write: Write) throws {
        for id in ids {
            let key = references.thing(id)
            var row = try references.find(key, on: write.connection) ?? InboundReference(reference: key)
            row.invoiceID = row.invoiceID ?? invoiceID
            try references.put(row, on: write.connection)
        }
    }

    private func fields(ofCustomer externalID: String, in write: Write) throws -> [PersonField: String]? {
        let hash = write.vault.lookupHash(write.workspace.id, "customer", externalID)
        guard let customer = try CustomerStore.find(externalHash: hash, in: write.workspace.id, on: write.connection) else { return nil }
        return try PersonStore.fields(of: [customer.personID], [.email, .name], vault: write.vault, on: write.connection)[customer.personID]
    }

    private static func country(_ text: String?) -> String? {
        guard case .accepted(let country)? = text.map({ Country.read(.text($0)) }) else { return nil }
        return country
    }

    /// A body for the API's own reading, so that both refuse the same in the same words.
    static func read<Input>(_ read: (JSONReader) -> Input, _ body: JSONValue) throws -> Input {
        let reader = try JSONReader(body)
        let input = read(reader)
        try reader.finish()
        return input
    }
}

extension InboundOutcome {
    /// What a failure means for the event: nil when it is a failure of ours, or when others wrote the same just now.
    static func refused(by error: any Error) -> InboundOutcome? {
        if let refusal = error as? VendorRefusal { return .refused(refusal.code, refusal.detail) }
        if let failure = error as? DatabaseFailure, failure.kind == .unique { return nil }
        guard let problem = Refusal.of(error) else { return nil }
        let fields = problem.errors.map { "\($0.field): \($0.message)" }.joined(separator: " ")
        return .refused(problem.code, fields.isEmpty ? problem.detail : fields)
    }

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
