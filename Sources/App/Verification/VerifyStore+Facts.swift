import Chronology
import Persistence
import Web

extension VerifyStore {
    private typealias Found = Verification.Found

    // MARK: Workspaces

    /// Workspaces that something is told of, but that are not there.
    static func strayWorkspaces(on connection: any Connection) throws -> [WorkspaceID] {
        let tables = ["journal_head", "journal_transaction", "audit_head", "account", "program", "member", "customer", "sale", "commission", "payout"]
        let all = tables.map { "SELECT workspace_id AS id FROM \($0)" }.joined(separator: " UNION ")
        return try connection.rows("SELECT id FROM (\(raw: all)) told WHERE id NOT IN (SELECT id FROM workspace) ORDER BY id").map { try $0.get(at: 0) }
    }

    // MARK: Credit

    /// Who is credited for a sale, against its attribution.
    static func credits(_ workspace: WorkspaceID, on connection: any Connection) throws -> [Verification.Found] {
        var findings: [Found] = []
        var sale = ""
        var told: [String: Int64] = [:]
        var kept: [String: Int64] = [:]
        func close() {
            if told != kept, findings.count < Verification.findingsMax {
                findings.append(
                    Found(
                        kind: "creditWrong", workspace: workspace.text, subject: sale,
                        detail: "its attribution credits \(text(told)), the table of credits \(text(kept))"))
            }
        }
        func text(_ shares: [String: Int64]) -> String {
            shares.isEmpty ? "nobody" : shares.sorted { $0.key < $1.key }.map { "\($0.key) with \($0.value) ppm" }.joined(separator: ", ")
        }
        try connection.forEachRow(
            """
            SELECT s.id, s.attribution, c.member_id, c.share_ppm FROM sale s LEFT JOIN sale_credit c ON c.sale_id = s.id
            WHERE s.workspace_id = \(workspace) ORDER BY s.id
            """
        ) { row in
            let id: String = try row.get(at: 0)
            if id != sale {
                close()
                (sale, told, kept) = (id, [:], [:])
                for share in JSONText(text: try row.get(at: 1)).value["shares"]?.elements ?? [] {
                    if let member = share["memberId"]?.string, let ppm = share["sharePpm"]?.int64 { told[member, default: 0] &+= ppm }
                }
            }
            if let member: String = try row.get(at: 2) { kept[member] = try row.get(at: 3) }
        }
        close()
        return findings
    }

    /// Who is credited for a customer's later sales: a whole, of members who are there.
    static func bindings(_ workspace: WorkspaceID, on connection: any Connection) throws -> [Verification.Found] {
        var findings: [Found] = []
        try connection.forEachRow(
            "SELECT program_id, customer_id, shares FROM customer_binding WHERE workspace_id = \(workspace) ORDER BY customer_id, program_id"
        ) { row in
            guard findings.count < Verification.findingsMax else { return }
            let subject = "\(try row.get(at: 1, as: String.self)) in \(try row.get(at: 0, as: String.self))"
            let shares = JSONText(text: try row.get(at: 2)).value.elements
            let total = shares.reduce(Int64(0)) { $0 &+ ($1["sharePpm"]?.int64 ?? .min / 4) }
            if shares.isEmpty || total != 1_000_000 {
                findings.append(Found(kind: "bindingWrong", workspace: workspace.text, subject: subject, detail: "its shares are no whole"))
            }
            for share in shares {
                let member = share["memberId"]?.string ?? ""
                if try MemberStore.find(MemberID(stored: member), in: workspace, on: connection) == nil {
                    findings.append(
                        Found(kind: "bindingWrong", workspace: workspace.text, subject: subject, detail: "names the member \(member), who is not there"))
                }
            }
        }
        return findings
    }

    /// Members of whose enrollers one leads back to themselves, or nowhere.
    static func enrollers(_ workspace: WorkspaceID, on connection: any Connection) throws -> [Verification.Found] {
        try connection.rows(
            """
            WITH RECURSIVE reached (id) AS (
                SELECT id FROM member WHERE workspace_id = \(workspace) AND enroller_id IS NULL
                UNION ALL SELECT m.id FROM member m JOIN reached r ON m.enroller_id = r.id
            )
            SELECT m.id, m.enroller_id FROM member m LEFT JOIN reached r ON r.id = m.id
            WHERE m.workspace_id = \(workspace) AND r.id IS NULL ORDER BY m.id LIMIT \(Int64(Verification.findingsMax))
            """
        ).map { row in
            Found(
                kind: "enrollerLineBroken", workspace: workspace.text, subject: try row.get(at: 0),
                detail: "was introduced by \(row.values[1].named), and that line ends nowhere or goes round")
        }
    }

    // MARK: Events and causes

    /// What subscribers were told of sales and commissions, against what is stored.
    static func told(_ workspace: WorkspaceID, on connection: any Connection) throws -> [Verification.Found] {
        let sales: [(member: String, column: String)] = [
            ("programId", "program_id"), ("customerId", "customer_id"), ("invoiceId", "invoice_id"), ("amount", "amount"), ("currency", "currency"),
            ("saleNumber", "sale_number"), ("country", "country"), ("eventName", "event_name"), ("occurredAt", "occurred_at"), ("recordedAt", "recorded_at"),
        ]
        let commissions: [(member: String, column: String)] = [
            ("programId", "program_id"), ("memberId", "member_id"), ("saleId", "sale_id"), ("cause", "cause_kind"), ("amount", "amount"),
            ("currency", "unit"), ("rule", "rule_id"), ("ruleVersion", "rule_version"), ("level", "level"), ("base", "base"), ("rate", "rate"),
            ("sharePpm", "share_ppm"), ("occurredAt", "occurred_at"),
        ]
        return try told(.saleCreated, "sale", sales, workspace, on: connection) + told(.commissionCreated, "commission", commissions, workspace, on: connection)
            + told(.leadCreated, "lead", [], workspace, on: connection)
    }

    private static func told(
        _ type: EventType, _ table: String, _ facts: [(member: String, column: String)], _ workspace: WorkspaceID, on connection: any Connection
    ) throws -> [Found] {
        var findings: [Found] = []
        let columns = facts.map { ", t.\($0.column)" }.joined()
        try connection.forEachRow(
            """
            SELECT o.subject_id, o.data, t.id\(raw: columns) FROM outbox o LEFT JOIN \(raw: table) t ON t.id = o.subject_id
            WHERE o.workspace_id = \(workspace) AND o.type = \(type.rawValue) ORDER BY o.sequence
            """
        ) { row in
            guard findings.count < Verification.findingsMax else { return }
            let subject: String = try row.get(at: 0)
            guard row.values[2] != .null else {
                findings.append(
                    Found(kind: "factMissing", workspace: workspace.text, subject: subject, detail: "was told to subscribers as \(type.rawValue), and is not there"))
                return
            }
            let data = JSONText(text: try row.get(at: 1)).value
            for (position, fact) in facts.enumerated() {
                guard let member = data[fact.member] else { continue }
                let stored = row.values[3 + position]
                if !isSame(member, stored) {
                    findings.append(
                        Found(
                            kind: "factChanged", workspace: workspace.text, subject: subject,
                            detail: "has the \(fact.column) \(stored.named), subscribers were told otherwise when it was made"))
                }
            }
        }
        return findings
    }

    private static func isSame(_ told: JSONValue, _ stored: Value) -> Bool {
        switch (told, stored) {
        case (.null, .null): true
        case (.text(let text), .text(let other)): text == other
        case (.text(let text), .integer(let ms)): text == Instant(millisecondsSince1970: ms).rfc3339
        case (.number(let number), .integer(let other)): number.integer == other
        default: false
        }
    }

    /// Postings whose cause is not there.
    static func causes(_ workspace: WorkspaceID, on connection: any Connection) throws -> [Verification.Found] {
        let kinds = [
            (SaleKind.prefix, "sale"), (RefundKind.prefix, "refund"), (LeadKind.prefix, "lead"), (PayoutKind.prefix, "payout"), (RunKind.prefix, "run"),
            (PayoutRequestKind.prefix, "payout_request"), (AdjustmentKind.prefix, "adjustment"), (WalletMovementKind.prefix, "wallet_movement"),
        ]
        return try kinds.flatMap { prefix, table in
            try connection.rows(
                """
                SELECT t.sequence, t.cause FROM journal_transaction t WHERE t.workspace_id = \(workspace)
                    AND substr(t.cause, 1, \(raw: String(prefix.utf8.count))) = \(prefix)
                    AND NOT EXISTS (SELECT 1 FROM \(raw: table) c WHERE c.id = \(sql: cause(after: prefix)))
                ORDER BY t.sequence LIMIT \(Int64(Verification.findingsMax))
                """
            ).map { row in
                Found(
                    kind: "causeMissing", workspace: workspace.text, subject: row.values[1].named,
                    detail: "transaction \(row.values[0].named) was posted for it, and the \(table) is not there")
            }
        }
    }

    /// A cause may say more behind its id.
    private static func cause(after prefix: String) -> SQL { "substr(t.cause, 1, \(raw: String(prefix.utf8.count + 26)))" }

    /// Sales of a customer are counted without a gap, as far back as rows have hashes.
    static func saleNumbers(_ workspace: WorkspaceID, on connection: any Connection) throws -> [Verification.Found] {
        try connection.rows(
            """
            SELECT customer_id, coalesce(program_id, ''), count(*), max(sale_number) FROM sale WHERE workspace_id = \(workspace) AND row_hash IS NOT NULL
            GROUP BY customer_id, coalesce(program_id, '') HAVING max(sale_number) - min(sale_number) + 1 > count(*)
            ORDER BY 1, 2 LIMIT \(Int64(Verification.findingsMax))
            """
        ).map { row in
            Found(
                kind: "saleNumbersWrong", workspace: workspace.text, subject: row.values[0].named,
                detail: "has \(row.values[2].named) sales in \(row.values[1].named), numbered to \(row.values[3].named): some are gone")
        }
    }

    // MARK: Refunds

    /// What a refund asked for, was given, and is known by.
    static func refundFacts(_ workspace: WorkspaceID, on connection: any Connection) throws -> [Verification.Found] {
        var findings: [Found] = []
        try connection.forEachRow(
            """
            SELECT r.id, r.invoice_id, r.amount, r.applied_amount, r.reason, r.facts_hash, r.occurred_at, r.state, s.invoice_id, s.amount, s.refunded_amount
            FROM refund r LEFT JOIN sale s ON s.id = r.sale_id WHERE r.workspace_id = \(workspace) ORDER BY r.id
            """
        ) { row in
            guard findings.count < Verification.findingsMax else { return }
            let id: String = try row.get(at: 0)
            func add(_ detail: String) { findings.append(Found(kind: "refundWrong", workspace: workspace.text, subject: id, detail: detail)) }
            let invoice: String = try row.get(at: 1)
            let asked: Int64? = try row.get(at: 2)
            let applied: Int64? = try row.get(at: 3)
            let reason: String? = try row.get(at: 4)
            let at: Instant = try row.get(at: 6)
            let state: String = try row.get(at: 7)
            let facts = [invoice, asked.map(String.init) ?? ""]
            // By the API with or without a time, or by hand with a reason, which erasing the buyer takes away.
            let known = [at.rfc3339, ""] + (reason.map { [$0] } ?? [])
            let stored: [UInt8] = try row.get(at: 5)
            if reason != nil || state == "parked", !known.contains(where: { FactsHash.of(facts + [$0]) == stored }) {
                add("its invoice, amount or time is not what was told")
            }
            if let sold: String = try row.get(at: 8), sold != invoice { add("is for the invoice \(invoice), its sale has \(sold)") }
            guard let applied, let amount: Int64 = try row.get(at: 9), let refunded: Int64 = try row.get(at: 10) else { return }
            if applied > asked ?? .max || asked ?? 0 > amount { add("gives back \(applied) of \(asked ?? amount) that were asked for, of a sale of \(amount)") }
            if refunded < amount, applied != asked { add("gives back \(applied), asked for \(asked.map(String.init) ?? "all"), and the sale has \(amount - refunded) left") }
        }
        return findings
    }

    /// Whether something else than refunds of its sale changed what a commission is worth: a tier of the month, or somebody's hand.
    static func isMovedOtherwise(_ commission: Commission, on connection: any Connection) throws -> Bool {
        try connection.row("SELECT 1 FROM adjustment WHERE commission_id = \(commission.id)") != nil || isOfTier(commission, on: connection)
    }

    /// What it is worth depends on the other sales of its month.
    static func isOfTier(_ commission: Commission, on connection: any Connection) throws -> Bool {
        try connection.row(
            """
            SELECT 1 FROM tier_entry WHERE sale_id = \(commission.saleID) AND rule_id = \(commission.ruleID) AND member_id = \(commission.memberID)
            """) != nil
    }
}
