import Attribution
import Chronology
import Money
import Persistence
import Rules
import Web

/// What a sale led to: itself, and what it gave.
struct RecordedSale: Sendable {
    var sale: Sale
    var commissions: [Commission]
    /// What it gave that is no money.
    var rewards: [Reward] = []
    /// The invoice was known already, with the same facts.
    var isRepeated: Bool
}

extension Sale {
    /// How far ahead of our clock a shop's may be.
    static let clockSkewMs: Int64 = 300_000

    /// Takes a sale in: finds the customer and the program, decides who is credited, pays by rule, and applies refunds that came before.
    static func record(_ input: NewSale, evidence: Evidence, in write: Write) throws -> RecordedSale {
        if let known = try SaleStore.find(invoice: input.invoiceID, in: write.workspace.id, on: write.connection) {
            return try repeated(known, input, in: write)
        }
        let occurredAt = input.occurredAt ?? write.now
        guard occurredAt.millisecondsClamped(since: write.now) <= clockSkewMs else {
            throw Refusal.field("occurredAt", "Must not be in the future.", code: "sale_in_future")
        }
        let customer = try Customer.recognise(
            externalID: input.customerExternalID, email: input.customerEmail, name: input.customerName, country: input.country, in: write)
        try noteIdentity(input, customer, evidence: evidence, in: write)

        let saleID = write.world.newID(SaleKind.self)
        var notes: [JSONMember] = []
        var named = try Named.resolve(input, evidence: evidence, notes: &notes, in: write)
        let coupon = try SaleCoupon.judge(input, customer, named: &named, evidence: evidence, notes: &notes, in: write)
        notes += coupon.note
        let program = try findProgram(input, named: named, customer: customer, evidence: evidence, at: occurredAt, in: write)
        try named.keep(of: customer, cause: saleID.text, at: occurredAt, in: write)

        let credit = try program.map { try Credit.decide(customer, program: $0, at: occurredAt, evidence: evidence, in: write) }
        var sale = Sale(
            id: saleID, workspaceID: write.workspace.id, programID: program?.id, programVersion: program?.version, customerID: customer.id,
            invoiceID: input.invoiceID, amountMinor: input.amountMinor, currency: input.currency,
            saleNumber: try SaleStore.count(of: customer.id, in: program?.id, on: write.connection) + 1, eventName: input.eventName,
            country: input.country ?? customer.country, couponUsed: named.code != nil || named.coupon != nil, items: input.items, factsHash: input.factsHash,
            attribution: Self.attribution(credit, notes: notes), refusals: JSONText(text: "[]"), occurredAt: occurredAt, recordedAt: write.now)
        try SaleStore.insert(sale, metadataSealed: try seal(input.metadata, saleID, customer, in: write), on: write.connection)
        try DimensionStore.keep(Dimensions(input.metadata), of: saleID.text, in: write.workspace.id, on: write.connection)
        try coupon.redeem(for: sale, in: write)

        var commissions: [Commission] = []
        var refusals = coupon.refusals
        if let program, let credit {
            try bind(customer, to: credit, program: program, sale: sale, in: write)
            let earned = try Commission.earn(
                for: sale, input: input, code: named.code, program: program, credit: credit, in: write)
            commissions = earned.commissions
            try CreditStore.insert(credit, sale: sale.id, on: write.connection)
            try Standing.note(credit.creditedMembers.map(\.memberID), in: program.id, write)
            try Party.note(sale, in: write)
            refusals = earned.refusals + refusals
        }
        if !refusals.isEmpty {
            sale.refusals = JSONText(.array(refusals))
            try SaleStore.setRefusals(sale.id, sale.refusals, on: write.connection)
        }
        try write.emit(.saleCreated, subject: sale.id.text, JSONText(sale.json))
        try advanceBuyer(customer, in: write)
        let parked = try RefundStore.parked(invoice: sale.invoiceID, in: write.workspace.id, on: write.connection)
        for refund in parked { try Refund.settle(refund, of: &sale, in: write) }
        if !parked.isEmpty { commissions = try CommissionStore.of(sale: sale.id, on: write.connection) }
        let rewards = try RewardStore.of(sale: sale.id, on: write.connection)
        return RecordedSale(sale: sale, commissions: commissions, rewards: rewards, isRepeated: false)
    }

    private static func repeated(_ known: Sale, _ input: NewSale, in write: Write) throws -> RecordedSale {
        // A time that was our own, because none was told, does not contradict one that is told later.
        let isOtherTime = input.occurredAt.map { $0 != known.occurredAt && known.occurredAt != known.recordedAt } ?? false
        guard known.factsHash == input.factsHash, !isOtherTime else {
            throw Problem.conflict(
                code: "invoice_conflict",
                detail: "The invoice \(input.invoiceID) is known as \(known.id) with other facts. Send a refund, or another invoiceId.")
        }
        return RecordedSale(
            sale: known, commissions: try CommissionStore.of(sale: known.id, on: write.connection), rewards: try RewardStore.of(sale: known.id, on: write.connection),
            isRepeated: true)
    }

    /// Browsers, devices and payment means of the buyer.
    private static func noteIdentity(_ input: NewSale, _ customer: Customer, evidence: Evidence, in write: Write) throws {
        if let visitor = input.visitorID { try customer.isSeen(as: visitor, in: write) }
        if let visitor = evidence.namedClick?.visitorID { try customer.isSeen(as: visitor, in: write) }
        for (kind, value) in [
            (PersonLookup.device, input.deviceID), (.paymentFingerprint, input.paymentFingerprint), (.homeAddress, input.shippingAddressHash),
        ] {
            if let value { try PersonStore.setLookup(kind, value, of: customer.personID, in: write) }
        }
    }

    /// The program is the body's, else the touch's, else the customer's binding's, else the only one.
    private static func findProgram(
        _ input: NewSale, named: Named, customer: Customer, evidence: Evidence, at instant: Instant, in write: Write
    ) throws -> Program? {
        func program(_ id: ProgramID) throws -> Program? {
            try ProgramStore.find(id, in: write.workspace.id, at: instant, on: write.connection)
        }
        if let id = input.programID {
            guard let found = try program(id) else { throw Refusal.unknown("program", field: "programId") }
            return found
        }
        if let id = named.programID { return try program(id) }
        if let touched = try evidence.program(of: customer, at: instant, in: write) { return touched }
        if let binding = try BindingStore.newest(of: customer.id, at: instant, on: write.connection).filter({ $0.holds(at: instant) })
            .max(by: { $0.boundAt < $1.boundAt })
        {
            return try program(binding.programID)
        }
        let all = try ProgramStore.list(in: write.workspace.id, at: write.now, after: nil, limit: 2, on: write.connection)
        guard all.count == 1, let only = all.first else { return nil }
        return try program(only.id)
    }

    /// The first attributed sale binds the customer to its shares.
    private static func bind(_ customer: Customer, to credit: Credit, program: Program, sale: Sale, in write: Write) throws {
        guard credit.decision.model != nil, !credit.decision.shares.isEmpty, program.settings.binding != .none else { return }
        // What began later, by a newer sale or by an operator, goes on from its own time.
        let existing = try BindingStore.latest(at: sale.occurredAt, program: program.id, customer: customer.id, on: write.connection)
        guard !(existing?.holds(at: sale.occurredAt) ?? false) else { return }
        let binding = CustomerBinding(
            programID: program.id, customerID: customer.id,
            shares: credit.creditedMembers.map { CustomerBinding.Share(memberID: $0.memberID, ppm: $0.share.ppm) }, source: .sale,
            sourceID: sale.id.text, reason: nil, boundAt: sale.occurredAt,
            untilAt: try CustomerBinding.end(program.settings.binding, from: sale.occurredAt, zone: program.zone))
        try BindingStore.put(binding, workspace: write.workspace.id, on: write.connection)
    }

    /// A prospect who buys becomes a customer.
    private static func advanceBuyer(_ customer: Customer, in write: Write) throws {
        for member in try MemberStore.sameMailbox(as: customer.personID, in: write.workspace.id, on: write.connection) {
            try Member.advance(member, to: .customer, cause: "purchase", in: write)
        }
    }

    private static func seal(_ metadata: [JSONMember], _ id: SaleID, _ customer: Customer, in write: Write) throws -> [UInt8]? {
        guard !metadata.isEmpty, let key = try PersonStore.key(of: customer.personID, vault: write.vault, on: write.connection) else { return nil }
        return try Vault.seal(JSONValue.object(metadata).bytes, under: key, for: id.text)
    }

    private static func attribution(_ credit: Credit?, notes: [JSONMember]) -> JSONText {
        guard let credit else {
            return JSONText(
                .object(
                    [
                        JSONMember("status", "unattributed"), JSONMember("reason", "noProgram"), JSONMember("model", .null), JSONMember("shares", []),
                        JSONMember("rejected", []), JSONMember("touches", []),
                    ] + notes))
        }
        guard case .object(let members) = credit.json else { return .empty }
        return JSONText(.object(members + [JSONMember("touches", credit.touchesJSON)] + notes))
    }
}
