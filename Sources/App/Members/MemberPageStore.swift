import Chronology
import Persistence

/// Members as pages show them.
enum MemberPageStore {
    struct Filter: Sendable {
        var program: ProgramID?
        var stage: Member.Stage?
        var status: Member.Status?
        /// Those that a mail or an id of the company's belongs to; nil when nobody was looked for.
        var ids: [MemberID]?
    }

    /// Members that match, the newest first unless another order is named.
    static func newest(
        in workspace: WorkspaceID, _ filter: Filter, order: ListOrder = .newest, before cursor: MemberID?, limit: Int, on connection: any Connection
    ) throws -> [Member] {
        if filter.ids?.isEmpty == true { return [] }
        var sql: SQL = "SELECT m.id FROM member m WHERE m.workspace_id = \(workspace)"
        if let stage = filter.stage { sql = "\(sql: sql) AND m.stage = \(stage.rawValue)" }
        if let status = filter.status { sql = "\(sql: sql) AND m.status = \(status.rawValue)" }
        if let ids = filter.ids { sql = "\(sql: sql) AND m.id IN \(list: ids)" }
        if let program = filter.program {
            sql = "\(sql: sql) AND EXISTS (SELECT 1 FROM enrollment e WHERE e.program_id = \(program) AND e.member_id = m.id)"
        }
        let ids: [MemberID] = try connection.rows(
            order.rows(of: sql, "m.id", behind: cursor?.text, limit: limit)
        ).map { try $0.get(at: 0) }
        let members = try MemberStore.find(ids, on: connection)
        return ids.compactMap { members[$0] }
    }

    /// Active members by stage.
    static func stages(in workspace: WorkspaceID, on connection: any Connection) throws -> [Member.Stage: Int64] {
        var counts: [Member.Stage: Int64] = [:]
        for row in try connection.rows(
            "SELECT stage, count(*) FROM member WHERE workspace_id = \(workspace) AND status = 'active' GROUP BY stage")
        {
            if let stage = Member.Stage(rawValue: try row.get(at: 0)) { counts[stage] = try row.get(at: 1) }
        }
        return counts
    }

    static func members(emailHash: [UInt8], in workspace: WorkspaceID, on connection: any Connection) throws -> [MemberID] {
        try connection.rows(
            """
            SELECT m.id FROM person_lookup l JOIN member m ON m.person_id = l.person_id
            WHERE l.workspace_id = \(workspace) AND l.kind = 'email' AND l.hash = \(emailHash) LIMIT 100
            """
        ).map { try $0.get(at: 0) }
    }

    struct Earned: Sendable {
        var unit: String
        var keptMinor: Int64
    }

    /// What each of these members has earned so far, by unit.
    static func earned(by members: [MemberID], on connection: any Connection) throws -> [MemberID: [Earned]] {
        guard !members.isEmpty else { return [:] }
        var found: [MemberID: [Earned]] = [:]
        for row in try connection.rows(
            """
            SELECT member_id, unit, CAST(sum(amount - reversed_amount) AS BIGINT) FROM commission
            WHERE member_id IN \(list: members) AND state IN ('pending', 'approved', 'held', 'paid') GROUP BY member_id, unit ORDER BY member_id, unit
            """)
        {
            found[try row.get(at: 0), default: []].append(Earned(unit: try row.get(at: 1), keptMinor: try row.get(at: 2)))
        }
        return found
    }

    /// The sales that each of these members brought.
    static func salesBrought(by members: [MemberID], on connection: any Connection) throws -> [MemberID: Int64] {
        guard !members.isEmpty else { return [:] }
        let rows = try connection.rows(
            """
            SELECT member_id, count(DISTINCT sale_id) FROM commission
            WHERE member_id IN \(list: members) AND level = 0 AND sale_id IS NOT NULL GROUP BY member_id
            """)
        return Dictionary(try rows.map { (try $0.get(at: 0), try $0.get(at: 1)) }, uniquingKeysWith: { first, _ in first })
    }

    struct Line: Sendable {
        var saleID: SaleID?
        var invoiceID: String?
        var level: Int
        var unit: String
        var keptMinor: Int64
        var state: Commission.State
        var occurredAt: Instant
    }

    /// What a member earned last.
    static func lines(of member: MemberID, limit: Int, on connection: any Connection) throws -> [Line] {
        try connection.rows(
            """
            SELECT c.sale_id, s.invoice_id, c.level, c.unit, c.amount - c.reversed_amount, c.state, c.occurred_at
            FROM commission c LEFT JOIN sale s ON s.id = c.sale_id WHERE c.member_id = \(member) ORDER BY c.id DESC LIMIT \(limit)
            """
        ).map { row in
            Line(
                saleID: try row.get(at: 0), invoiceID: try row.get(at: 1), level: try row.get(at: 2), unit: try row.get(at: 3),
                keptMinor: try row.get(at: 4), state: Commission.State(rawValue: try row.get(at: 5)) ?? .held, occurredAt: try row.get(at: 6))
        }
    }

    struct Move: Sendable {
        var to: Member.Stage
        var at: Instant
    }

    static func moves(of member: MemberID, limit: Int, on connection: any Connection) throws -> [Move] {
        try connection.rows(
            "SELECT to_stage, at FROM stage_move WHERE member_id = \(member) ORDER BY at DESC, id DESC LIMIT \(limit)"
        ).compactMap { row in
            guard let stage = Member.Stage(rawValue: try row.get(at: 0)) else { return nil }
            return Move(to: stage, at: try row.get(at: 1))
        }
    }

    /// Whom a member introduced, the newest first.
    static func introduced(by member: MemberID, limit: Int, on connection: any Connection) throws -> [MemberID] {
        try connection.rows("SELECT id FROM member WHERE enroller_id = \(member) ORDER BY id DESC LIMIT \(limit)").map { try $0.get(at: 0) }
    }

    struct Paid: Sendable {
        var payoutID: PayoutID
        var amountMinor: Int64
        var unit: String
        var state: String
        var at: Instant
    }

    /// Payouts that a member was part of, the newest first.
    static func payouts(of member: MemberID, limit: Int, on connection: any Connection) throws -> [Paid] {
        try connection.rows(
            """
            SELECT i.payout_id, i.amount, p.unit, i.state, coalesce(i.settled_at, p.sent_at, p.created_at) FROM payout_item i
            JOIN payout p ON p.id = i.payout_id WHERE i.member_id = \(member) ORDER BY i.payout_id DESC LIMIT \(limit)
            """
        ).map {
            Paid(payoutID: try $0.get(at: 0), amountMinor: try $0.get(at: 1), unit: try $0.get(at: 2), state: try $0.get(at: 3), at: try $0.get(at: 4))
        }
    }
}
