import Chronology
import Persistence

/// A session as it is stored.
struct StoredSession: StoredToken {
    var tokenHash: [UInt8]
    var operatorID: OperatorID
    var workspaceID: WorkspaceID
    var createdAt: Instant
    var seenAt: Instant
    var rotatedAt: Instant
    var expiresAt: Instant
    /// When the person last proved who they are.
    var confirmedAt: Instant?
}

/// The SQL of sessions and invitations.
enum SessionStore {
    private static let columns = "token_hash, operator_id, workspace_id, created_at, seen_at, rotated_at, expires_at, confirmed_at"

    /// Nil when it has ended or nobody used it for too long.
    static func find(_ hash: [UInt8], at now: Instant, on connection: any Connection) throws -> StoredSession? {
        try TokenStore.operators.row(columns, hash, at: now, on: connection).map(read).flatMap { SessionDoor.isGood($0, at: now) ? $0 : nil }
    }

    static func insert(_ session: StoredSession, on connection: any Connection) throws {
        try connection.execute(
            """
            INSERT INTO operator_session (\(raw: columns))
            VALUES (\(session.tokenHash), \(session.operatorID), \(session.workspaceID), \(session.createdAt), \(session.seenAt),
                    \(session.rotatedAt), \(session.expiresAt), \(session.confirmedAt))
            """)
    }

    static func setWorkspace(_ hash: [UInt8], _ workspace: WorkspaceID, on connection: any Connection) throws {
        try connection.execute("UPDATE operator_session SET workspace_id = \(workspace) WHERE token_hash = \(hash)")
    }

    static func setConfirmed(_ hash: [UInt8], at now: Instant, on connection: any Connection) throws {
        try connection.execute("UPDATE operator_session SET confirmed_at = \(now) WHERE token_hash = \(hash)")
    }

    /// Ends every session of a person but one. Answers how many.
    static func deleteOthers(than hash: [UInt8], of id: OperatorID, on connection: any Connection) throws -> Int {
        try connection.execute("DELETE FROM operator_session WHERE operator_id = \(id) AND token_hash <> \(hash)")
    }

    static func countOthers(than hash: [UInt8], of id: OperatorID, at now: Instant, on connection: any Connection) throws -> Int64 {
        try connection.value(
            "SELECT count(*) FROM operator_session WHERE operator_id = \(id) AND token_hash <> \(hash) AND expires_at > \(now)") ?? 0
    }

    static func deleteEnded(at now: Instant, on connection: any Connection) throws {
        try connection.execute("DELETE FROM operator_session WHERE expires_at <= \(now)")
    }

    /// After a new password nobody stays signed in by the old one.
    static func deleteAll(of id: OperatorID, on connection: any Connection) throws {
        try connection.execute("DELETE FROM operator_session WHERE operator_id = \(id)")
    }

    /// The workspaces of a person with their test twins.
    static func workspaces(of id: OperatorID, on connection: any Connection) throws -> [Workspace] {
        try TeamStore.workspaces(of: id, on: connection).flatMap { live -> [Workspace] in
            [try WorkspaceStore.find(live, on: connection), try WorkspaceStore.twin(of: live, on: connection)].compactMap { $0 }
        }
    }

    /// Counts a wrong password; the account waits after too many.
    static func addFailure(_ id: OperatorID, max: Int, lockedUntil: Instant, on connection: any Connection) throws {
        try connection.execute(
            """
            UPDATE operator SET failures = CASE WHEN failures + 1 >= \(max) THEN 0 ELSE failures + 1 END,
                locked_until = CASE WHEN failures + 1 >= \(max) THEN \(lockedUntil) ELSE locked_until END
            WHERE id = \(id)
            """)
    }

    struct Invitation: Sendable {
        var id: InvitationID
        var workspaceID: WorkspaceID
        var operatorID: OperatorID
        var passwordHash: String?
        var role: Role
        var hasPassword: Bool { passwordHash != nil }
    }

    /// An invitation that still works.
    static func invitation(_ tokenHash: [UInt8], at now: Instant, on connection: any Connection) throws -> Invitation? {
        try connection.row(
            """
            SELECT i.id, i.workspace_id, i.operator_id, o.password_hash, i.role
            FROM invitation i JOIN operator o ON o.id = i.operator_id
            WHERE i.token_hash = \(tokenHash) AND i.accepted_at IS NULL AND i.expires_at > \(now)
            """
        ).map { row in
            Invitation(
                id: try row.get(at: 0), workspaceID: try row.get(at: 1), operatorID: try row.get(at: 2), passwordHash: try row.get(at: 3),
                role: Role(rawValue: try row.get(at: 4)) ?? .viewer)
        }
    }

    /// False when it was taken already.
    static func accept(_ id: InvitationID, at now: Instant, on connection: any Connection) throws -> Bool {
        try connection.execute("UPDATE invitation SET accepted_at = \(now) WHERE id = \(id) AND accepted_at IS NULL") == 1
    }

    private static func read(_ row: Row) throws -> StoredSession {
        StoredSession(
            tokenHash: try row.get(at: 0), operatorID: try row.get(at: 1), workspaceID: try row.get(at: 2), createdAt: try row.get(at: 3),
            seenAt: try row.get(at: 4), rotatedAt: try row.get(at: 5), expiresAt: try row.get(at: 6), confirmedAt: try row.get(at: 7))
    }
}
