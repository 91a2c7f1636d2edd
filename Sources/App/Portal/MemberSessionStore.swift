import Chronology
import Persistence

/// A member's session as it is stored.
struct StoredMemberSession: StoredToken {
    var tokenHash: [UInt8]
    var memberID: MemberID
    var createdAt: Instant
    var seenAt: Instant
    var rotatedAt: Instant
    var expiresAt: Instant
}

/// The SQL of members' sessions and of the links that begin them.
enum MemberSessionStore {
    private static let columns = "token_hash, member_id, created_at, seen_at, rotated_at, expires_at"

    /// Nil when it has ended or nobody used it for too long.
    static func find(_ hash: [UInt8], at now: Instant, on connection: any Connection) throws -> StoredMemberSession? {
        try TokenStore.members.row(columns, hash, at: now, on: connection).map(read).flatMap { PortalDoor.isGood($0, at: now) ? $0 : nil }
    }

    static func insert(_ session: StoredMemberSession, on connection: any Connection) throws {
        try connection.execute(
            """
            INSERT INTO member_session (\(raw: columns))
            VALUES (\(session.tokenHash), \(session.memberID), \(session.createdAt), \(session.seenAt), \(session.rotatedAt), \(session.expiresAt))
            """)
    }

    static func deleteAll(of member: MemberID, on connection: any Connection) throws {
        try connection.execute("DELETE FROM member_session WHERE member_id = \(member)")
        try connection.execute("DELETE FROM magic_link WHERE member_id = \(member)")
    }

    static func deleteEnded(at now: Instant, on connection: any Connection) throws {
        try connection.execute("DELETE FROM member_session WHERE expires_at <= \(now)")
        try connection.execute("DELETE FROM magic_link WHERE expires_at <= \(now)")
    }

    // MARK: Links in letters

    static func insertLink(_ hash: [UInt8], of member: MemberID, at now: Instant, until: Instant, on connection: any Connection) throws {
        try connection.execute(
            "INSERT INTO magic_link (token_hash, member_id, created_at, expires_at) VALUES (\(hash), \(member), \(now), \(until))")
    }

    /// How many links a member was sent that still could be used.
    static func countLinks(of member: MemberID, at now: Instant, on connection: any Connection) throws -> Int64 {
        try connection.value("SELECT count(*) FROM magic_link WHERE member_id = \(member) AND expires_at > \(now)") ?? 0
    }

    static func member(ofLink hash: [UInt8], at now: Instant, on connection: any Connection) throws -> MemberID? {
        try connection.value("SELECT member_id FROM magic_link WHERE token_hash = \(hash) AND used_at IS NULL AND expires_at > \(now)")
    }

    /// Uses a link up. Nil when it was used before, or has ended.
    static func useLink(_ hash: [UInt8], at now: Instant, on connection: any Connection) throws -> MemberID? {
        guard let member = try member(ofLink: hash, at: now, on: connection),
            try connection.execute("UPDATE magic_link SET used_at = \(now) WHERE token_hash = \(hash) AND used_at IS NULL") == 1
        else { return nil }
        return member
    }

    private static func read(_ row: Row) throws -> StoredMemberSession {
        StoredMemberSession(
            tokenHash: try row.get(at: 0), memberID: try row.get(at: 1), createdAt: try row.get(at: 2), seenAt: try row.get(at: 3),
            rotatedAt: try row.get(at: 4), expiresAt: try row.get(at: 5))
    }
}
