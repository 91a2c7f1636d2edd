import Chronology
import Persistence

/// Where people are: members by their stage, and whoever the company's shop told of, who is a prospect before the first purchase and a customer
/// after it. A buyer who is a member counts once, as the member.
enum FanStore {
    static func stages(in workspace: WorkspaceID, on connection: any Connection) throws -> [String: Int64] {
        var stages: [String: Int64] = [:]
        for row in try connection.rows("SELECT stage, count(*) FROM member WHERE workspace_id = \(workspace) AND status <> 'erased' GROUP BY stage") {
            stages[try row.get(at: 0)] = try row.get(at: 1)
        }
        let outside = try outside(in: workspace, on: connection)
        stages["customer", default: 0] += outside.buyers
        stages["prospect", default: 0] += outside.others
        return stages
    }

    /// The company's customers who are no members: those who bought, and those who did not yet.
    static func outside(in workspace: WorkspaceID, on connection: any Connection) throws -> (buyers: Int64, others: Int64) {
        let member: SQL = "NOT EXISTS (SELECT 1 FROM customer_member m WHERE m.customer_id = c.id)"
        return try known(in: workspace, where: member, on: connection)
    }

    /// All of the company's customers: those who bought, and those who did not yet.
    static func customers(in workspace: WorkspaceID, on connection: any Connection) throws -> (buyers: Int64, others: Int64) {
        try known(in: workspace, where: "1 = 1", on: connection)
    }

    private static func known(
        in workspace: WorkspaceID, where condition: SQL, on connection: any Connection
    ) throws -> (buyers: Int64, others: Int64) {
        guard
            let row = try connection.row(
                """
                SELECT count(*), CAST(coalesce(sum(CASE WHEN EXISTS (SELECT 1 FROM sale s WHERE s.customer_id = c.id) THEN 1 ELSE 0 END), 0) AS BIGINT)
                FROM customer c WHERE c.workspace_id = \(workspace) AND \(sql: condition)
                """)
        else { return (0, 0) }
        let (all, buyers): (Int64, Int64) = (try row.get(at: 0), try row.get(at: 1))
        return (buyers, all - buyers)
    }

    /// Moves to each stage in a period. Who bought for the first time in it moved to customer, member or not.
    static func moves(in workspace: WorkspaceID, from: Instant, until: Instant, on connection: any Connection) throws -> [String: Int64] {
        var moves: [String: Int64] = [:]
        for row in try connection.rows(
            """
            SELECT to_stage, count(*) FROM stage_move WHERE workspace_id = \(workspace) AND at >= \(from) AND at < \(until) GROUP BY to_stage
            """)
        {
            moves[try row.get(at: 0)] = try row.get(at: 1)
        }
        moves["customer"] = try connection.value(
            """
            SELECT count(DISTINCT s.customer_id) FROM sale s
            WHERE s.workspace_id = \(workspace) AND s.occurred_at >= \(from) AND s.occurred_at < \(until)
              AND NOT EXISTS (SELECT 1 FROM sale e WHERE e.customer_id = s.customer_id AND e.occurred_at < \(from))
            """)
        moves["prospect"] = nil
        return moves
    }
}
