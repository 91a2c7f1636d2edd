import Attribution
import Chronology
import Persistence

/// A touch as it is kept: what a customer brought along by name.
struct KeptTouch: Sendable {
    var id: TouchID
    var programID: ProgramID
    var kind: TouchKind
    var linkID: LinkID?
    var clickID: ClickID?
    var memberID: MemberID?
    var at: Instant
}

enum TouchStore {
    /// Touches of one customer that are looked at, the latest first; the engine considers 1,000.
    static let touchesMax = 1_000

    static func insert(
        _ touch: KeptTouch, of customer: CustomerID, cause: String, workspace: WorkspaceID, on connection: any Connection
    ) throws {
        let hash = HashedTable.touch.hash([
            touch.id, workspace, customer, touch.programID, touch.kind.rawValue, touch.linkID, touch.clickID, touch.memberID, cause, touch.at,
        ])
        try connection.executeLater(
            """
            INSERT INTO touch (id, workspace_id, customer_id, program_id, kind, link_id, click_id, member_id, cause_id, at, row_hash)
            VALUES (\(touch.id), \(workspace), \(customer), \(touch.programID), \(touch.kind.rawValue), \(touch.linkID), \(touch.clickID),
                    \(touch.memberID), \(cause), \(touch.at), \(hash))
            """)
    }

    static func of(_ customer: CustomerID, on connection: any Connection) throws -> [KeptTouch] {
        try connection.rows(
            """
            SELECT id, program_id, kind, link_id, click_id, member_id, at FROM touch WHERE customer_id = \(customer)
            ORDER BY at DESC, id DESC LIMIT \(touchesMax)
            """
        ).map { row in
            KeptTouch(
                id: try row.get(at: 0), programID: try row.get(at: 1), kind: TouchKind(rawValue: try row.get(at: 2)) ?? .link,
                linkID: try row.get(at: 3), clickID: try row.get(at: 4), memberID: try row.get(at: 5), at: try row.get(at: 6))
        }
    }
}
