import Chronology
import Crypto
import Hummingbird
import Logging
import Persistence
import Web

/// Finds the session of a request and keeps it fresh. Operators and members have a door each: a cookie, a table and times of their own.
protocol Door: Sendable {
    associatedtype Session: SignedIn
    associatedtype Stored: StoredToken

    static var cookie: HostCookie { get }
    static var table: TokenStore { get }
    /// Age at which a token is replaced.
    static var rotateMs: Int64 { get }
    static var idleMs: Int64 { get }
    static var lifeMs: Int64 { get }
    /// How exact `seen_at` is.
    static var seenStepMs: Int64 { get }

    var installation: Installation { get }

    init(_ installation: Installation)

    /// The session of a token, with who is behind it; nil when there is none, or they may not come in any more.
    func find(_ hash: [UInt8], at now: Instant) async throws -> (Stored, Session)?
}

/// Somebody who is signed in.
protocol SignedIn: Sendable {
    /// Whose session it is.
    var holder: String { get }
    /// SHA-256 of the token, by which the session is stored.
    var tokenHash: [UInt8] { get }
    var startedAt: Instant { get }
}

extension SignedIn {
    /// Bound to the session, not to its token: a form that was opened before the token was rotated can still be sent.
    func csrf(_ installation: Installation) -> CSRFToken {
        CSRFToken(sessionHash: Array(SHA256.hash(data: Array("\(holder):\(startedAt.millisecondsSince1970)".utf8))), key: installation.formKey)
    }
}

/// What every stored session has.
protocol StoredToken: Sendable {
    var tokenHash: [UInt8] { get }
    var seenAt: Instant { get }
    var rotatedAt: Instant { get }
    var expiresAt: Instant { get }
}

struct Admission<Session: SignedIn>: Sendable {
    var session: Session
    /// Set when the token was replaced.
    var newToken: SessionToken?
    var remainingSeconds: Int
}

extension Door {
    /// A replaced token is honoured this long, for requests already under way.
    static var graceMs: Int64 { 30_000 }

    /// Nil when nobody is signed in.
    func admit(_ request: Request) async throws -> Admission<Session>? {
        guard let token = Self.cookie.value(in: request).flatMap({ SessionToken(text: $0) }) else { return nil }
        let now = installation.world.now()
        guard let (stored, session) = try await find(token.hash, at: now) else { return nil }
        let remaining = Int(stored.expiresAt.millisecondsClamped(since: now) / 1000)
        let newToken = await freshen(stored, presented: token, now: now, isRead: request.method == .get)
        return Admission(session: session, newToken: newToken, remainingSeconds: remaining)
    }

    /// Neither at its end, nor unused for too long.
    static func isGood(_ stored: Stored, at now: Instant) -> Bool {
        stored.expiresAt > now && now.millisecondsClamped(since: stored.seenAt) < idleMs
    }

    /// Replaces an old token and notes that the session lives. Reading goes on while nothing can be written.
    private func freshen(_ stored: Stored, presented: SessionToken, now: Instant, isRead: Bool) async -> SessionToken? {
        let table = Self.table
        do {
            if isRead, presented.hash == stored.tokenHash, now.millisecondsClamped(since: stored.rotatedAt) >= Self.rotateMs {
                let token = SessionToken()
                let graceEnd = try now.adding(milliseconds: Self.graceMs)
                let isReplaced = try await installation.writeAnywhere { connection in
                    try table.rotate(stored.tokenHash, to: token.hash, at: now, previousUntil: graceEnd, on: connection)
                }
                return isReplaced ? token : nil
            }
            if now.millisecondsClamped(since: stored.seenAt) >= Self.seenStepMs {
                try await installation.writeAnywhere { connection in try table.setSeen(stored.tokenHash, at: now, on: connection) }
            }
        } catch {
            installation.logger.warning("A session was not renewed", metadata: ["error": "\(error)"])
        }
        return nil
    }
}
