import Chronology
import Money
import Persistence
import Web

enum RewardStore {
    static let columns = """
        id, workspace_id, program_id, rule_id, rule_version, cause_kind, cause_id, sale_id, side, member_id, customer_id, terms, choices, is_checked, \
        value, unit, state, reason, hold_until, due_at, checks, coupon_code_id, occurred_at, recorded_at, issued_at, ended_at
        """

    static func insert(_ reward: Reward, on connection: any Connection) throws {
        try connection.executeLater(
            """
            INSERT INTO reward (\(raw: columns), kind)
            VALUES (\(reward.id), \(reward.workspaceID), \(reward.programID), \(reward.ruleID), \(reward.ruleVersion), \(reward.cause.rawValue),
                    \(reward.causeID), \(reward.saleID), \(reward.side.rawValue), \(reward.memberID), \(reward.customerID), \(reward.terms.text),
                    \(reward.choices.text), \(reward.isChecked), \(reward.valueMinor), \(reward.unit.code), \(reward.state.rawValue), \(reward.reason),
                    \(reward.holdUntil), \(reward.dueAt), \(reward.checks), \(reward.couponCodeID), \(reward.occurredAt), \(reward.recordedAt),
                    \(reward.issuedAt), \(reward.endedAt), \(reward.kind))
            """)
    }

    static func update(_ reward: Reward, on connection: any Connection) throws {
        try connection.executeLater(
            """
            UPDATE reward SET terms = \(reward.terms.text), value = \(reward.valueMinor), choices = \(reward.choices.text), kind = \(reward.kind),
                state = \(reward.state.rawValue), reason = \(reward.reason), due_at = \(reward.dueAt), checks = \(reward.checks), coupon_code_id = \(reward.couponCodeID),
                issued_at = \(reward.issuedAt), ended_at = \(reward.endedAt) WHERE id = \(reward.id)
            """)
    }

    static func find(_ id: RewardID, in workspace: WorkspaceID, on connection: any Connection) throws -> Reward? {
        try connection.row("SELECT \(raw: columns) FROM reward WHERE id = \(id) AND workspace_id = \(workspace)").map(read)
    }

    static func of(sale: SaleID, on connection: any Connection) throws -> [Reward] {
        try connection.rows("SELECT \(raw: columns) FROM reward WHERE sale_id = \(sale) ORDER BY id").map(read)
    }

    static func of(cause: String, on connection: any Connection) throws -> [Reward] {
        try connection.rows("SELECT \(raw: columns) FROM reward WHERE cause_id = \(cause) ORDER BY id").map(read)
    }

    static func of(code: CouponCodeID, on connection: any Connection) throws -> Reward? {
        try connection.row("SELECT \(raw: columns) FROM reward WHERE coupon_code_id = \(code) ORDER BY id LIMIT 1").map(read)
    }

    static func due(in workspace: WorkspaceID, at instant: Instant, limit: Int, on connection: any Connection) throws -> [Reward] {
        try connection.rows(
            "SELECT \(raw: columns) FROM reward WHERE workspace_id = \(workspace) AND due_at <= \(instant) AND state IN ('pending', 'checking') ORDER BY due_at, id LIMIT \(limit)"
        ).map(read)
    }

    struct Filter: Sendable {
        var program: ProgramID?
        var member: MemberID?
        /// Of a member, what is theirs alone, not what the friends got whom they brought.
        var isOwn = false
        var state: Reward.State?
        var side: Reward.Side?
    }

    static func list(in workspace: WorkspaceID, _ filter: Filter, after: String?, limit: Int, on connection: any Connection) throws -> [Reward] {
        let sql = narrowed("SELECT \(raw: columns) FROM reward WHERE workspace_id = \(workspace) AND id > \(after ?? "")", filter)
        return try connection.rows("\(sql: sql) ORDER BY id LIMIT \(limit)").map(read)
    }

    /// The newest first.
    static func newest(in workspace: WorkspaceID, _ filter: Filter, before: String?, limit: Int, on connection: any Connection) throws -> [Reward] {
        var sql = narrowed("SELECT \(raw: columns) FROM reward WHERE workspace_id = \(workspace)", filter)
        if let before { sql = "\(sql: sql) AND id < \(before)" }
        return try connection.rows("\(sql: sql) ORDER BY id DESC LIMIT \(limit)").map(read)
    }

    private static func narrowed(_ start: SQL, _ filter: Filter) -> SQL {
        var sql = start
        if let program = filter.program { sql = "\(sql: sql) AND program_id = \(program)" }
        if let member = filter.member { sql = "\(sql: sql) AND member_id = \(member)" }
        if filter.isOwn { sql = "\(sql: sql) AND side = 'member'" }
        if let state = filter.state { sql = "\(sql: sql) AND state = \(state.rawValue)" }
        if let side = filter.side { sql = "\(sql: sql) AND side = \(side.rawValue)" }
        return sql
    }

    /// Points and credit that rules gave, which are commissions.
    static func inTheLedger(
        in workspace: WorkspaceID, program: ProgramID?, member: MemberID?, after: String?, limit: Int, on connection: any Connection
    ) throws -> [Commission] {
        var sql: SQL = """
            SELECT \(raw: CommissionStore.columns) FROM commission WHERE workspace_id = \(workspace) AND id > \(after ?? "")
                AND (unit LIKE 'credit:%' OR unit NOT IN \(list: Currency.all.map(\.code)))
            """
        if let program { sql = "\(sql: sql) AND program_id = \(program)" }
        if let member { sql = "\(sql: sql) AND member_id = \(member)" }
        return try connection.rows("\(sql: sql) ORDER BY id LIMIT \(limit)").map(CommissionStore.read)
    }

    static func read(_ row: Row) throws -> Reward {
        let unit: String = try row.get(at: 15)
        return Reward(
            id: try row.get(at: 0), workspaceID: try row.get(at: 1), programID: try row.get(at: 2), ruleID: try row.get(at: 3),
            ruleVersion: try row.get(at: 4), cause: Commission.Cause(rawValue: try row.get(at: 5)) ?? .sale, causeID: try row.get(at: 6),
            saleID: try row.get(at: 7), side: Reward.Side(rawValue: try row.get(at: 8)) ?? .member, memberID: try row.get(at: 9),
            customerID: try row.get(at: 10), terms: JSONText(text: try row.get(at: 11)), choices: JSONText(text: try row.get(at: 12)),
            isChecked: try row.get(at: 13), valueMinor: try row.get(at: 14), unit: try UnitCode(unit),
            state: Reward.State(rawValue: try row.get(at: 16)) ?? .held, reason: try row.get(at: 17), holdUntil: try row.get(at: 18),
            dueAt: try row.get(at: 19), checks: try row.get(at: 20), couponCodeID: try row.get(at: 21), occurredAt: try row.get(at: 22),
            recordedAt: try row.get(at: 23), issuedAt: try row.get(at: 24), endedAt: try row.get(at: 25))
    }
}
