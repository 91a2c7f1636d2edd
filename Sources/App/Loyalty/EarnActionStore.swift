import Chronology
import Money
import Persistence

enum EarnActionStore {
    private static let columns = "id, workspace_id, program_id, key, name, description, unit, amount, times, days, archived_at, created_at"
    private static let earnedColumns = "id, action_id, member_id, reference, movement_id, earned_at"

    static func insert(_ action: EarnAction, on connection: any Connection) throws {
        try connection.execute(
            """
            INSERT INTO earn_action (\(raw: columns))
            VALUES (\(action.id), \(action.workspaceID), \(action.programID), \(action.key), \(action.name), \(action.description), \(action.unit.code),
                    \(action.amountMinor), \(action.times), \(action.days), \(action.archivedAt), \(action.createdAt))
            """)
    }

    static func archive(_ id: EarnActionID, at now: Instant, on connection: any Connection) throws {
        try connection.execute("UPDATE earn_action SET archived_at = \(now) WHERE id = \(id)")
    }

    static func find(_ id: EarnActionID, in workspace: WorkspaceID, on connection: any Connection) throws -> EarnAction? {
        try connection.row("SELECT \(raw: columns) FROM earn_action WHERE id = \(id) AND workspace_id = \(workspace)").map(read)
    }

    static func find(key: String, in program: ProgramID, on connection: any Connection) throws -> EarnAction? {
        try connection.row("SELECT \(raw: columns) FROM earn_action WHERE program_id = \(program) AND key = \(key)").map(read)
    }

    static func offered(by program: ProgramID, on connection: any Connection) throws -> [EarnAction] {
        try connection.rows(
            "SELECT \(raw: columns) FROM earn_action WHERE program_id = \(program) AND archived_at IS NULL ORDER BY key LIMIT \(Int64(EarnAction.countMax))"
        ).map(read)
    }

    static func list(in workspace: WorkspaceID, after: String?, limit: Int, on connection: any Connection) throws -> [EarnAction] {
        try connection.rows(
            "SELECT \(raw: columns) FROM earn_action WHERE workspace_id = \(workspace) AND id > \(after ?? "") ORDER BY id LIMIT \(Int64(limit))"
        ).map(read)
    }

    static func insert(_ earned: EarnedAction, in workspace: WorkspaceID, on connection: any Connection) throws {
        try connection.execute(
            """
            INSERT INTO earned_action (id, workspace_id, action_id, member_id, reference, movement_id, earned_at)
            VALUES (\(earned.id), \(workspace), \(earned.actionID), \(earned.memberID), \(earned.reference), \(earned.movementID), \(earned.earnedAt))
            """)
    }

    static func earned(reference: String, action: EarnActionID, on connection: any Connection) throws -> EarnedAction? {
        try connection.row("SELECT \(raw: earnedColumns) FROM earned_action WHERE action_id = \(action) AND reference = \(reference)").map(readEarned)
    }

    /// How often a member did it, ever or since an instant.
    static func count(_ action: EarnActionID, by member: MemberID, since: Instant?, on connection: any Connection) throws -> Int64 {
        try connection.value(
            """
            SELECT count(*) FROM earned_action
            WHERE member_id = \(member) AND action_id = \(action) AND earned_at > \(since ?? Instant(millisecondsSince1970: 0))
            """) ?? 0
    }

    private static func read(_ row: Row) throws -> EarnAction {
        EarnAction(
            id: try row.get(at: 0), workspaceID: try row.get(at: 1), programID: try row.get(at: 2), key: try row.get(at: 3), name: try row.get(at: 4),
            description: try row.get(at: 5), unit: try UnitCode(try row.get(at: 6, as: String.self)), amountMinor: try row.get(at: 7),
            times: try row.get(at: 8), days: try row.get(at: 9), archivedAt: try row.get(at: 10), createdAt: try row.get(at: 11))
    }

    private static func readEarned(_ row: Row) throws -> EarnedAction {
        EarnedAction(
            id: try row.get(at: 0), actionID: try row.get(at: 1), memberID: try row.get(at: 2), reference: try row.get(at: 3),
            movementID: try row.get(at: 4), earnedAt: try row.get(at: 5))
    }
}
