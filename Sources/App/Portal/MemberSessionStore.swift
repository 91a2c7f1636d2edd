import Chronology
import Persistence

/// A member's session as it is stored.
struct StoredMemberSession: Sendable {
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

    /// The session of a token, or of the token it had a moment ago; nil when it has ended or nobody used it for too long.
    static func find(_ hash: [UInt8], at now: Instant, on connection: any Connection) throws -> StoredMemberSession? {
        let row =
            try connection.row("SELECT \(raw: columns) FROM member_session WHERE token_hash = \(hash)")
            ?? connection.row("SELECT \(raw: columns) FROM member_session WHERE previous_hash = \(hash) AND previous_until > \(now)")
        guard let session = try row.map(read), session.expiresAt > now, now.millisecondsClamped(since: session.seenAt) < PortalDoor.idleMs
        else { return nil }
        return session
    }

    static func insert(_ session: StoredMemberSession, on connection: any Connection) throws {
        try connection.execute(
            """
            INSERT INTO member_session (\(raw: columns))
            VALUES (\(session.tokenHash), \(session.memberID), \(session.createdAt), \(session.seenAt), \(session.rotatedAt), \(session.expiresAt))
            """)
    }

    /// False when another request was faster.
    static func rotate(_ hash: [UInt8], to new: [UInt8], at now: Instant, previousUntil: Instant, on connection: any Connection) throws -> Bool {
        try connection.execute(
            """
            UPDATE member_session SET token_hash = \(new), previous_hash = \(hash), previous_until = \(previousUntil), rotated_at = \(now),
                seen_at = \(now) WHERE token_hash = \(hash)
            """) == 1
    }

    static func setSeen(_ hash: [UInt8], at now: Instant, on connection: any Connection) throws {
        try connection.execute("UPDATE member_session SET seen_at = \(now) WHERE token_hash = \(hash)")
    }

    static func delete(_ hash: [UInt8], on connection: any Connection) throws {
        try connection.execute("DELETE FROM member_session WHERE token_hash = \(hash)")
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
