import Chronology
import Persistence

/// What a person of the team decided about commissions, one or many at once.
struct CommissionDecision: Sendable {
    enum Action: String, Sendable, CaseIterable {
        /// Before its hold is over, or out of a hold.
        case approve
        /// Stopped until somebody says otherwise.
        case hold
        /// Back to where the hold found it.
        case release
    }

    struct Item: Sendable {
        var commissionID: CommissionID
        var before: Commission.State
        var after: Commission.State
        var holdUntilBefore: Instant
    }

    /// A commission that stayed as it was, and why.
    struct Skipped: Sendable {
        var commissionID: CommissionID
        var code: String
    }

    static let reasonLengthMax = 500
    /// How long it can be taken back.
    static let undoMs: Int64 = 10 * 60_000

    var id: CommissionDecisionID
    var workspaceID: WorkspaceID
    var action: Action
    /// Nil when none was given, or when somebody it speaks of was erased.
    var reason: String?
    var author: String
    var decidedAt: Instant
    var undoneBy: String?
    var undoneAt: Instant?
    var items: [Item]
    /// Known only to whoever decided.
    var skipped: [Skipped] = []

    func mayBeUndone(at now: Instant) -> Bool {
        undoneAt == nil && now.millisecondsSince1970 <= decidedAt.millisecondsSince1970 + Self.undoMs
    }
}

enum CommissionDecisionKind: Identified { static let prefix = "dec_" }
typealias CommissionDecisionID = Identifier<CommissionDecisionKind>

enum CommissionDecisionStore {
    private static let columns = "id, workspace_id, action, reason, author, decided_at, undone_by, undone_at"

    static func insert(_ decision: CommissionDecision, on connection: any Connection) throws {
        try connection.execute(
            """
            INSERT INTO commission_decision (\(raw: columns))
            VALUES (\(decision.id), \(decision.workspaceID), \(decision.action.rawValue), \(decision.reason), \(decision.author),
                    \(decision.decidedAt), \(decision.undoneBy), \(decision.undoneAt))
            """)
        try connection.executeAll(
            decision.items.map {
                """
                INSERT INTO commission_decision_item (commission_decision_id, commission_id, state_before, state_after, hold_until_before)
                VALUES (\(decision.id), \($0.commissionID), \($0.before.rawValue), \($0.after.rawValue), \($0.holdUntilBefore))
                """
            })
    }

    static func markUndone(_ decision: CommissionDecision, on connection: any Connection) throws {
        try connection.execute(
            "UPDATE commission_decision SET undone_by = \(decision.undoneBy), undone_at = \(decision.undoneAt) WHERE id = \(decision.id)")
    }

    static func find(_ id: CommissionDecisionID, in workspace: WorkspaceID, on connection: any Connection) throws -> CommissionDecision? {
        guard let row = try connection.row("SELECT \(raw: columns) FROM commission_decision WHERE id = \(id) AND workspace_id = \(workspace)") else {
            return nil
        }
        var decision = try read(row)
        decision.items = try connection.rows(
            """
            SELECT commission_id, state_before, state_after, hold_until_before FROM commission_decision_item
            WHERE commission_decision_id = \(id) ORDER BY commission_id
            """
        ).map {
            CommissionDecision.Item(
                commissionID: try $0.get(at: 0), before: Commission.State(rawValue: try $0.get(at: 1)) ?? .held,
                after: Commission.State(rawValue: try $0.get(at: 2)) ?? .held, holdUntilBefore: try $0.get(at: 3))
        }
        return decision
    }

    /// What was decided about one commission, the oldest first. The items of others are not read.
    static func of(_ commission: CommissionID, limit: Int, on connection: any Connection) throws -> [CommissionDecision] {
        try connection.rows(
            """
            SELECT \(raw: columns) FROM commission_decision WHERE id IN (
                SELECT commission_decision_id FROM commission_decision_item WHERE commission_id = \(commission)) ORDER BY id LIMIT \(limit)
            """
        ).map(read)
    }

    private static func read(_ row: Row) throws -> CommissionDecision {
        CommissionDecision(
            id: try row.get(at: 0), workspaceID: try row.get(at: 1), action: CommissionDecision.Action(rawValue: try row.get(at: 2)) ?? .hold,
            reason: try row.get(at: 3), author: try row.get(at: 4), decidedAt: try row.get(at: 5), undoneBy: try row.get(at: 6),
            undoneAt: try row.get(at: 7), items: [])
    }
}
