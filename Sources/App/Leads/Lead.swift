import Attribution
import Chronology
import Money
import Persistence
import Rules
import Web

/// Interest that a customer showed: a sign-up, a trial, a question.
struct Lead: Sendable {
    enum Mode: String, Sendable, CaseIterable { case wait, async, deferred }

    var id: LeadID
    var workspaceID: WorkspaceID
    var programID: ProgramID?
    var customerID: CustomerID
    var eventName: String
    var mode: Mode
    /// Nil while a deferred lead waits for the customer to be named again.
    var countedAt: Instant?
    var clickID: String?
    var linkID: LinkID?
    var attribution: JSONText
    /// Which rules paid nothing, and why.
    var refusals = JSONText(text: "[]")
    var occurredAt: Instant
    var recordedAt: Instant
}

struct NewLead: Sendable {
    var programID: ProgramID?
    var clickID: String?
    var code: String?
    var eventName: String
    var customerExternalID: String
    var customerEmail: String?
    var customerName: String?
    var mode: Lead.Mode
    var metadata: [JSONMember]
    var occurredAt: Instant?
    var visitorID: String?
    var deviceID: String?
    var country: String?
    /// Told by a page with a publishable key.
    var isFromBrowser = false
}

struct RecordedLead: Sendable {
    var lead: Lead
    var commissions: [Commission]
    var isRepeated: Bool
}

extension Lead {
    /// Takes a lead in. One customer leads once for each event name; naming a deferred one again counts it.
    static func record(_ input: NewLead, evidence: Evidence, in write: Write) throws -> RecordedLead {
        let occurredAt = input.occurredAt ?? write.now
        guard occurredAt.millisecondsClamped(since: write.now) <= Sale.clockSkewMs else {
            throw Refusal.field("occurredAt", "Must not be in the future.", code: "lead_in_future")
        }
        let customer = try Customer.recognise(
            externalID: input.customerExternalID, email: input.customerEmail, name: input.customerName, country: input.country,
            keepsKnown: input.isFromBrowser, in: write)
        if let visitor = input.visitorID { try customer.isSeen(as: visitor, in: write) }
        if let visitor = evidence.namedClick?.visitorID { try customer.isSeen(as: visitor, in: write) }
        if let device = input.deviceID { try PersonStore.setLookup(.device, device, of: customer.personID, in: write) }
        var notes: [JSONMember] = []
        let named = try Named.resolve(clickID: input.clickID, code: input.code, evidence: evidence, notes: &notes, in: write)

        if let known = try LeadStore.find(customer.id, input.eventName, on: write.connection) {
            return try repeated(known, input, customer, named, evidence, notes, at: occurredAt, in: write)
        }
        let program = try findProgram(input, named, customer, evidence, at: occurredAt, in: write)
        let id = write.world.newID(LeadKind.self)
        try named.keep(of: customer, cause: id.text, at: occurredAt, in: write)
        var lead = Lead(
            id: id, workspaceID: write.workspace.id, programID: program?.id, customerID: customer.id, eventName: input.eventName, mode: input.mode,
            countedAt: nil, clickID: evidence.namedClick?.id.text, linkID: evidence.namedClick?.linkID ?? named.code?.id, attribution: .empty,
            occurredAt: occurredAt, recordedAt: write.now)
        let credit = try program.map { try Credit.decide(customer, program: $0, at: occurredAt, evidence: evidence, in: write) }
        lead.attribution = JSONText(attribution(credit, notes))
        let isCounted = input.mode != .deferred
        if isCounted { lead.countedAt = write.now }
        try LeadStore.insert(lead, metadataSealed: try seal(input.metadata, id, customer, in: write), on: write.connection)
        try DimensionStore.keep(Dimensions(input.metadata), of: id.text, in: write.workspace.id, on: write.connection)
        let commissions = isCounted ? try lead.count(program, credit, input, code: named.code, in: write) : []
        return RecordedLead(lead: lead, commissions: commissions, isRepeated: false)
    }

    /// A deferred lead that is named again is counted now; any other is answered as it was.
    private static func repeated(
        _ known: Lead, _ input: NewLead, _ customer: Customer, _ named: Named, _ evidence: Evidence, _ notes: [JSONMember], at instant: Instant,
        in write: Write
    ) throws -> RecordedLead {
        guard known.countedAt == nil, input.mode != .deferred else {
            return RecordedLead(lead: known, commissions: try CommissionStore.of(cause: known.id.text, on: write.connection), isRepeated: true)
        }
        try named.keep(of: customer, cause: known.id.text, at: instant, in: write)
        let program = try known.programID.flatMap {
            try ProgramStore.find($0, in: write.workspace.id, at: instant, on: write.connection)
        } ?? findProgram(input, named, customer, evidence, at: instant, in: write)
        var lead = known
        lead.countedAt = write.now
        // What named the program may have come only now.
        lead.programID = program?.id
        lead.clickID = known.clickID ?? evidence.namedClick?.id.text
        lead.linkID = known.linkID ?? evidence.namedClick?.linkID ?? named.code?.id
        let credit = try program.map { try Credit.decide(customer, program: $0, at: instant, evidence: evidence, in: write) }
        lead.attribution = JSONText(attribution(credit, notes))
        try LeadStore.markCounted(lead, on: write.connection)
        return RecordedLead(lead: lead, commissions: try lead.count(program, credit, input, code: named.code, in: write), isRepeated: false)
    }

    /// Pays by the rules for leads and tells subscribers.
    private func count(_ program: Program?, _ credit: Credit?, _ input: NewLead, code: Link?, in write: Write) throws -> [Commission] {
        var commissions: [Commission] = []
        if let program, let credit, let currency = Currency(code: program.currency) {
            let facts = SaleFacts(
                event: .lead, occurredAt: occurredAt, programCurrency: currency, currency: currency, amount: .zero, country: input.country,
                couponUsed: code.flatMap { $0.coupon(in: program) }, customerIsNew: true,
                metadata: Dictionary(
                    input.metadata.compactMap { member in member.value.fact.map { (member.name, $0) } }, uniquingKeysWith: { first, _ in first }))
            let earned = try Commission.earn(
                Commission.Occasion(
                    cause: .lead, causeID: id.text, saleID: nil, customerID: customerID, facts: facts, credit: credit, program: program),
                rules: try RuleStore.all(of: program.id, on: write.connection), in: write)
            commissions = earned.commissions
            try LeadStore.setRefusals(id, JSONText(.array(earned.refusals)), on: write.connection)
        }
        try write.emit(.leadCreated, subject: id.text, JSONText(json))
        return commissions
    }

    private static func findProgram(
        _ input: NewLead, _ named: Named, _ customer: Customer, _ evidence: Evidence, at instant: Instant, in write: Write
    ) throws -> Program? {
        if let id = input.programID {
            guard let program = try ProgramStore.find(id, in: write.workspace.id, at: write.now, on: write.connection) else {
                throw Refusal.unknown("program", field: "programId")
            }
            return program
        }
        if let id = named.programID { return try ProgramStore.find(id, in: write.workspace.id, at: write.now, on: write.connection) }
        if let program = try evidence.program(of: customer, at: instant, in: write) { return program }
        let all = try ProgramStore.list(in: write.workspace.id, at: write.now, after: nil, limit: 2, on: write.connection)
        return all.count == 1 ? all.first : nil
    }

    private static func attribution(_ credit: Credit?, _ notes: [JSONMember]) -> JSONValue {
        guard let credit, case .object(let members) = credit.json else {
            return .object([JSONMember("status", "unattributed"), JSONMember("reason", "noProgram")] + notes)
        }
        return .object(members + [JSONMember("touches", credit.touchesJSON)] + notes)
    }

    private static func seal(_ metadata: [JSONMember], _ id: LeadID, _ customer: Customer, in write: Write) throws -> [UInt8]? {
        guard !metadata.isEmpty, let key = try PersonStore.key(of: customer.personID, vault: write.vault, on: write.connection) else { return nil }
        return try Vault.seal(JSONValue.object(metadata).bytes, under: key, for: id.text)
    }
}

enum LeadStore {
    private static let columns =
        "id, workspace_id, program_id, customer_id, event_name, mode, counted_at, click_id, link_id, attribution, occurred_at, recorded_at, refusals"

    static func insert(_ lead: Lead, metadataSealed: [UInt8]?, on connection: any Connection) throws {
        let hash = HashedTable.lead.hash([
            lead.id, lead.workspaceID, lead.customerID, lead.eventName, lead.mode.rawValue, lead.occurredAt, lead.recordedAt,
        ])
        try connection.executeLater(
            """
            INSERT INTO lead (\(raw: columns), metadata_sealed, row_hash)
            VALUES (\(lead.id), \(lead.workspaceID), \(lead.programID), \(lead.customerID), \(lead.eventName), \(lead.mode.rawValue),
                    \(lead.countedAt), \(lead.clickID), \(lead.linkID), \(lead.attribution.text), \(lead.occurredAt), \(lead.recordedAt), \(lead.refusals.text), \(metadataSealed),
                    \(hash))
            """)
    }

    static func markCounted(_ lead: Lead, on connection: any Connection) throws {
        try connection.executeLater(
            """
            UPDATE lead SET counted_at = \(lead.countedAt), attribution = \(lead.attribution.text), program_id = \(lead.programID),
                click_id = \(lead.clickID), link_id = \(lead.linkID) WHERE id = \(lead.id)
            """)
    }

    static func setRefusals(_ lead: LeadID, _ refusals: JSONText, on connection: any Connection) throws {
        try connection.executeLater("UPDATE lead SET refusals = \(refusals.text) WHERE id = \(lead)")
    }

    static func find(_ id: LeadID, in workspace: WorkspaceID, on connection: any Connection) throws -> Lead? {
        try connection.row("SELECT \(raw: columns) FROM lead WHERE id = \(id) AND workspace_id = \(workspace)").map(read)
    }

    static func find(_ customer: CustomerID, _ eventName: String, on connection: any Connection) throws -> Lead? {
        try connection.row(
            """
            SELECT \(raw: columns) FROM lead
            WHERE workspace_id = (SELECT workspace_id FROM customer WHERE id = \(customer)) AND customer_id = \(customer) AND event_name = \(eventName)
            """
        ).map(read)
    }

    /// Leads, the newest first.
    static func newest(in workspace: WorkspaceID, before: String?, limit: Int, on connection: any Connection) throws -> [Lead] {
        var sql: SQL = "SELECT \(raw: columns) FROM lead WHERE workspace_id = \(workspace)"
        if let before {
            guard let last = try find(LeadID(stored: before), in: workspace, on: connection) else {
                throw Refusal.field("startingAfter", "Is not a lead of this workspace.")
            }
            sql = "\(sql: sql) AND (occurred_at < \(last.occurredAt) OR (occurred_at = \(last.occurredAt) AND id < \(before)))"
        }
        return try connection.rows("\(sql: sql) ORDER BY occurred_at DESC, id DESC LIMIT \(limit)").map(read)
    }

    private static func read(_ row: Row) throws -> Lead {
        Lead(
            id: try row.get(at: 0), workspaceID: try row.get(at: 1), programID: try row.get(at: 2), customerID: try row.get(at: 3),
            eventName: try row.get(at: 4), mode: Lead.Mode(rawValue: try row.get(at: 5)) ?? .wait, countedAt: try row.get(at: 6),
            clickID: try row.get(at: 7), linkID: try row.get(at: 8), attribution: JSONText(text: try row.get(at: 9)),
            refusals: JSONText(text: try row.get(at: 12)),
            occurredAt: try row.get(at: 10), recordedAt: try row.get(at: 11))
    }
}

extension Lead {
    var json: JSONValue {
        [
            "leadId": .text(id.text), "customerId": .text(customerID.text), "programId": programID.map { .text($0.text) } ?? .null,
            "eventName": .text(eventName), "clickId": clickID.map { .text($0) } ?? .null, "occurredAt": .text(occurredAt.rfc3339),
            "state": .text(countedAt == nil ? "deferred" : "counted"), "receiptUrl": .text("\(API.base)/leads/\(id.text)/receipt"),
        ]
    }
}
