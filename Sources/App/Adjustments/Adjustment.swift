import Chronology
import Money
import Persistence

/// What a person of the team changed about pay by hand, and why.
struct Adjustment: Sendable {
    enum Kind: String, Sendable, CaseIterable {
        /// Pay that no rule gave.
        case commission
        /// Another amount than was reckoned.
        case correction
        /// Nothing of a commission is left.
        case void
    }

    static let reasonLengthMax = 500

    var id: AdjustmentID
    var workspaceID: WorkspaceID
    var kind: Kind
    var programID: ProgramID
    var memberID: MemberID
    var commissionID: CommissionID
    var unit: UnitCode
    /// What the member has more, or less when it is below zero.
    var amountMinor: Int64
    /// Nil when its member was erased.
    var reason: String?
    var author: String
    var madeAt: Instant
    /// The commission that a correction corrects. Nil for those from before corrections named it.
    var correctsID: CommissionID?
    /// What a correction made that commission worth, with all its corrections.
    var worthMinor: Int64?
}

enum AdjustmentKind: Identified { static let prefix = "adj_" }
typealias AdjustmentID = Identifier<AdjustmentKind>

enum AdjustmentStore {
    private static let columns = "id, workspace_id, kind, program_id, member_id, commission_id, unit, amount, reason, author, made_at, corrects_id, worth"

    static func insert(_ adjustment: Adjustment, on connection: any Connection) throws {
        try connection.execute(
            """
            INSERT INTO adjustment (\(raw: columns))
            VALUES (\(adjustment.id), \(adjustment.workspaceID), \(adjustment.kind.rawValue), \(adjustment.programID), \(adjustment.memberID),
                    \(adjustment.commissionID), \(adjustment.unit.code), \(adjustment.amountMinor), \(adjustment.reason), \(adjustment.author),
                    \(adjustment.madeAt), \(adjustment.correctsID), \(adjustment.worthMinor))
            """)
    }

    static func find(_ id: AdjustmentID, in workspace: WorkspaceID, on connection: any Connection) throws -> Adjustment? {
        try connection.row("SELECT \(raw: columns) FROM adjustment WHERE id = \(id) AND workspace_id = \(workspace)").map(read)
    }

    /// What people changed about commissions, in the order of time.
    static func changes(of commissions: [CommissionID], on connection: any Connection) throws -> [Adjustment] {
        guard !commissions.isEmpty else { return [] }
        return try connection.rows(
            """
            SELECT \(raw: columns) FROM adjustment WHERE commission_id IN \(list: commissions) OR corrects_id IN \(list: commissions)
            ORDER BY made_at, id
            """
        ).map(read)
    }

    /// What stops a commission from being changed: a payout or a request that has it.
    static func isInPayout(_ commission: CommissionID, on connection: any Connection) throws -> Bool {
        try connection.row(
            """
            SELECT 1 FROM payout_commission c JOIN payout_item i ON i.payout_id = c.payout_id AND i.member_id = c.member_id
            WHERE c.commission_id = \(commission) AND i.state IN ('waiting', 'sent', 'unknown')
            """) != nil
            || connection.row("SELECT 1 FROM payout_request_commission WHERE commission_id = \(commission)") != nil
    }

    private static func read(_ row: Row) throws -> Adjustment {
        Adjustment(
            id: try row.get(at: 0), workspaceID: try row.get(at: 1), kind: Adjustment.Kind(rawValue: try row.get(at: 2)) ?? .correction,
            programID: try row.get(at: 3), memberID: try row.get(at: 4), commissionID: try row.get(at: 5),
            unit: try UnitCode(row.get(at: 6, as: String.self)), amountMinor: try row.get(at: 7), reason: try row.get(at: 8),
            author: try row.get(at: 9), madeAt: try row.get(at: 10), correctsID: try row.get(at: 11), worthMinor: try row.get(at: 12))
    }
}
