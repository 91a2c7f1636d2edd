import Chronology
import Money
import Persistence
import Web

/// What a rule gives a member for a cause.
struct Commission: Sendable {
    enum Cause: String, Sendable {
        case click, lead, sale
        /// A person of the team gave it, or added it to another; no rule stands behind it.
        case manual
    }

    /// A true-up is what a retroactive tier pays on the volume before its sale.
    enum Purpose: String, Sendable { case reward, trueUp }
    enum State: String, Sendable, CaseIterable { case pending, approved, held, paid, canceled, reversed, refused }

    var id: CommissionID
    var workspaceID: WorkspaceID
    var programID: ProgramID
    var cause: Cause
    var causeID: String
    var saleID: SaleID?
    var memberID: MemberID
    /// Empty, and version 0, when it was given by hand.
    var ruleID: RuleID
    var ruleVersion: Int
    var line: Int
    var purpose: Purpose
    var level: Int
    var baseMinor: Int64
    var rate: String?
    var sharePPM: Int
    var unit: UnitCode
    var amountMinor: Int64
    var reversedMinor: Int64 = 0
    var state: State
    var holdUntil: Instant
    var explanation: JSONText
    var occurredAt: Instant
    var recordedAt: Instant

    var keptMinor: Int64 { amountMinor - reversedMinor }
}

enum CommissionStore {
    static let columns = """
        id, workspace_id, program_id, cause_kind, cause_id, sale_id, member_id, coalesce(rule_id, ''), coalesce(rule_version, 0), line, level, base, rate, share_ppm, unit, amount, \
        reversed_amount, state, hold_until, explanation, occurred_at, recorded_at, purpose
        """

    /// What rules gave, then what was added to it by hand.
    private static let order = "CASE cause_kind WHEN 'manual' THEN 1 ELSE 0 END, level, rule_id, line, id"

    static func insert(_ commission: Commission, on connection: any Connection) throws {
        let rule = commission.cause == .manual ? nil : commission.ruleID
        let version = commission.cause == .manual ? nil : commission.ruleVersion
        let hash = HashedTable.commission.hash([
            commission.id, commission.workspaceID, commission.programID, commission.cause.rawValue, commission.causeID, commission.saleID,
            commission.memberID, rule, version, commission.line, commission.level, commission.baseMinor, commission.rate, commission.sharePPM,
            commission.unit.code, commission.amountMinor, commission.explanation.text, commission.occurredAt, commission.recordedAt,
            commission.purpose.rawValue,
        ])
        try connection.executeLater(
            """
            INSERT INTO commission (id, workspace_id, program_id, cause_kind, cause_id, sale_id, member_id, rule_id, rule_version, line, level, base, rate,
                    share_ppm, unit, amount, reversed_amount, state, hold_until, explanation, occurred_at, recorded_at, purpose, row_hash)
            VALUES (\(commission.id), \(commission.workspaceID), \(commission.programID), \(commission.cause.rawValue), \(commission.causeID),
                    \(commission.saleID), \(commission.memberID), \(rule), \(version), \(commission.line),
                    \(commission.level), \(commission.baseMinor), \(commission.rate), \(commission.sharePPM), \(commission.unit.code),
                    \(commission.amountMinor), \(commission.reversedMinor), \(commission.state.rawValue), \(commission.holdUntil),
                    \(commission.explanation.text), \(commission.occurredAt), \(commission.recordedAt),
                    \(commission.purpose.rawValue), \(hash))
            """)
    }

    static func update(_ commission: Commission, on connection: any Connection) throws {
        try connection.executeLater(
            """
            UPDATE commission SET reversed_amount = \(commission.reversedMinor), state = \(commission.state.rawValue) WHERE id = \(commission.id)
            """)
    }

    static func of(cause: String, on connection: any Connection) throws -> [Commission] {
        try connection.rows("SELECT \(raw: columns) FROM commission WHERE cause_id = \(cause) ORDER BY level, rule_id, line").map(read)
    }

    /// By cause.
    static func of(causes: [String], on connection: any Connection) throws -> [String: [Commission]] {
        guard !causes.isEmpty else { return [:] }
        let all = try connection.rows(
            "SELECT \(raw: columns) FROM commission WHERE cause_id IN \(list: causes) ORDER BY level, rule_id, line"
        ).map(read)
        return Dictionary(grouping: all, by: \.causeID)
    }

    static func postpone(_ id: CommissionID, until: Instant, on connection: any Connection) throws {
        try connection.executeLater("UPDATE commission SET hold_until = \(until) WHERE id = \(id)")
    }

    static func of(sale: SaleID, on connection: any Connection) throws -> [Commission] {
        try connection.rows("SELECT \(raw: columns) FROM commission WHERE sale_id = \(sale) ORDER BY \(raw: order)").map(read)
    }

    static func of(sales: [SaleID], on connection: any Connection) throws -> [Commission] {
        guard !sales.isEmpty else { return [] }
        return try connection.rows("SELECT \(raw: columns) FROM commission WHERE sale_id IN \(list: sales) ORDER BY \(raw: order)").map(read)
    }

    static func find(_ id: CommissionID, in workspace: WorkspaceID, on connection: any Connection) throws -> Commission? {
        try connection.row("SELECT \(raw: columns) FROM commission WHERE id = \(id) AND workspace_id = \(workspace)").map(read)
    }

    static func due(in workspace: WorkspaceID, at instant: Instant, limit: Int, on connection: any Connection) throws -> [Commission] {
        try connection.rows(
            """
            SELECT \(raw: columns) FROM commission
            WHERE workspace_id = \(workspace) AND state = 'pending' AND hold_until <= \(instant) ORDER BY hold_until, id LIMIT \(limit)
            """
        ).map(read)
    }

    struct Filter: Sendable {
        var program: ProgramID?
        var member: MemberID?
        var sale: SaleID?
        var state: Commission.State?
    }

    static func list(
        in workspace: WorkspaceID, _ filter: Filter, after: String?, limit: Int, on connection: any Connection
    ) throws -> [Commission] {
        var sql: SQL = "SELECT \(raw: columns) FROM commission WHERE workspace_id = \(workspace) AND id > \(after ?? "")"
        if let program = filter.program { sql = "\(sql: sql) AND program_id = \(program)" }
        if let member = filter.member { sql = "\(sql: sql) AND member_id = \(member)" }
        if let sale = filter.sale { sql = "\(sql: sql) AND sale_id = \(sale)" }
        if let state = filter.state { sql = "\(sql: sql) AND state = \(state.rawValue)" }
        return try connection.rows("\(sql: sql) ORDER BY id LIMIT \(limit)").map(read)
    }

    /// What a tiered rule pays a member for a month is kept of, of all sales that counted. At most the counted volume, so it fits.
    static func kept(in place: TierPlace, on connection: any Connection) throws -> Int64 {
        try connection.value(
            """
            SELECT CAST(coalesce(sum(c.amount - c.reversed_amount), 0) AS BIGINT) FROM tier_entry e
            JOIN commission c ON c.sale_id = e.sale_id AND c.rule_id = e.rule_id AND c.member_id = e.member_id
            WHERE e.rule_id = \(place.rule) AND e.member_id = \(place.member) AND e.period = \(place.period) AND e.unit = \(place.unit.code)
                AND c.state IN ('pending', 'approved', 'held', 'paid')
            """) ?? 0
    }

    /// Commissions of a month's tiers of which something is kept: true-ups first, then the newest first.
    static func takeable(in place: TierPlace, limit: Int, on connection: any Connection) throws -> [Commission] {
        try connection.rows(
            """
            SELECT \(raw: columns) FROM commission WHERE id IN (
                SELECT c.id FROM tier_entry e JOIN commission c ON c.sale_id = e.sale_id AND c.rule_id = e.rule_id AND c.member_id = e.member_id
                WHERE e.rule_id = \(place.rule) AND e.member_id = \(place.member) AND e.period = \(place.period) AND e.unit = \(place.unit.code))
                AND amount > reversed_amount AND state IN ('pending', 'approved', 'held', 'paid')
            ORDER BY CASE purpose WHEN 'trueUp' THEN 0 ELSE 1 END, recorded_at DESC, id DESC LIMIT \(limit)
            """
        ).map(read)
    }

    static func read(_ row: Row) throws -> Commission {
        let unit: String = try row.get(at: 14)
        return Commission(
            id: try row.get(at: 0), workspaceID: try row.get(at: 1), programID: try row.get(at: 2),
            cause: Commission.Cause(rawValue: try row.get(at: 3)) ?? .sale, causeID: try row.get(at: 4), saleID: try row.get(at: 5),
            memberID: try row.get(at: 6), ruleID: try row.get(at: 7), ruleVersion: try row.get(at: 8), line: try row.get(at: 9),
            purpose: Commission.Purpose(rawValue: try row.get(at: 22)) ?? .reward,
            level: try row.get(at: 10), baseMinor: try row.get(at: 11), rate: try row.get(at: 12), sharePPM: try row.get(at: 13),
            unit: try UnitCode(unit), amountMinor: try row.get(at: 15), reversedMinor: try row.get(at: 16),
            state: Commission.State(rawValue: try row.get(at: 17)) ?? .held, holdUntil: try row.get(at: 18),
            explanation: JSONText(text: try row.get(at: 19)), occurredAt: try row.get(at: 20), recordedAt: try row.get(at: 21))
    }
}
