import Chronology
import Persistence

/// The tables of sessions, as far as they are alike.
enum TokenStore: String, Sendable {
    case operators = "operator_session"
    case members = "member_session"

    /// The row of a token, or of the token it had a moment ago.
    func row(_ columns: String, _ hash: [UInt8], at now: Instant, on connection: any Connection) throws -> Row? {
        try connection.row("SELECT \(raw: columns) FROM \(raw: rawValue) WHERE token_hash = \(hash)")
            ?? connection.row("SELECT \(raw: columns) FROM \(raw: rawValue) WHERE previous_hash = \(hash) AND previous_until > \(now)")
    }

    /// False when another request was faster.
    func rotate(_ hash: [UInt8], to new: [UInt8], at now: Instant, previousUntil: Instant, on connection: any Connection) throws -> Bool {
        try connection.execute(
            """
            UPDATE \(raw: rawValue) SET token_hash = \(new), previous_hash = \(hash), previous_until = \(previousUntil), rotated_at = \(now),
                seen_at = \(now) WHERE token_hash = \(hash)
            """) == 1
    }

    func setSeen(_ hash: [UInt8], at now: Instant, on connection: any Connection) throws {
        try connection.execute("UPDATE \(raw: rawValue) SET seen_at = \(now) WHERE token_hash = \(hash)")
    }

    func delete(_ hash: [UInt8], on connection: any Connection) throws {
        try connection.execute("DELETE FROM \(raw: rawValue) WHERE token_hash = \(hash)")
    }
}
