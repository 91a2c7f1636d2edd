import Chronology
import Crypto
import Hummingbird
import Logging
import Persistence
import Web

/// A person who is signed in, and the workspace they look at. Only `SessionDoor` makes one.
struct OperatorSession: Sendable {
    let operatorID: OperatorID
    let workspace: Workspace
    let role: Role
    /// What to call them; nil when their key is gone.
    let name: String?
    /// The other workspaces they may look at: the test twin first.
    let switches: [Workspace]
    /// SHA-256 of the token, by which the session is stored.
    let tokenHash: [UInt8]
    let startedAt: Instant
    /// When they last proved who they are.
    let confirmedAt: Instant?

    fileprivate init(_ stored: StoredSession, workspace: Workspace, role: Role, name: String?, switches: [Workspace]) {
        operatorID = stored.operatorID
        self.workspace = workspace
        self.role = role
        self.name = name
        self.switches = switches
        tokenHash = stored.tokenHash
        startedAt = stored.createdAt
        confirmedAt = stored.confirmedAt
    }

    func may(_ right: Right) -> Bool { role.may(right) }

    var actor: Actor { .operator_(operatorID) }

    /// Bound to the session, not to its token: a form that was opened before the token was rotated can still be sent.
    func csrf(_ installation: Installation) -> CSRFToken {
        CSRFToken(
            sessionHash: Array(SHA256.hash(data: Array("\(operatorID.text):\(startedAt.millisecondsSince1970)".utf8))),
            key: installation.formKey)
    }
}

extension Installation {
    /// The key of the proofs in forms.
    var formKey: [UInt8] { secrets.key("forms").withUnsafeBytes { Array($0) } }
}

/// Finds the session of a request and keeps it fresh.
struct SessionDoor: Sendable {
    static let cookie = HostCookie("kith_session")
    /// Age at which a token is replaced.
    static let rotateMs: Int64 = 15 * 60_000
    /// A replaced token is honoured this long, for requests already under way.
    static let graceMs: Int64 = 30_000
    static let idleMs: Int64 = 12 * 3_600_000
    static let lifeMs: Int64 = 30 * 86_400_000
    /// How exact `seen_at` is.
    static let seenStepMs: Int64 = 60_000

    struct Admission: Sendable {
        var session: OperatorSession
        /// Set when the token was replaced.
        var newToken: SessionToken?
        var remainingSeconds: Int
    }

    private let installation: Installation

    init(_ installation: Installation) { self.installation = installation }

    /// Nil when nobody is signed in.
    func admit(_ request: Request) async throws -> Admission? {
        guard let token = Self.cookie.value(in: request).flatMap({ SessionToken(text: $0) }) else { return nil }
        let now = installation.world.now()
        let vault = installation.vault
        let found = try await installation.main.read { connection -> (StoredSession, OperatorSession)? in
            guard let stored = try SessionStore.find(token.hash, at: now, on: connection),
                let workspace = try WorkspaceStore.find(stored.workspaceID, on: connection),
                let role = try TeamStore.role(of: stored.operatorID, in: workspace.teamID, on: connection)
            else { return nil }
            let identity = try TeamStore.identity(of: stored.operatorID, vault: vault, on: connection)
            let session = OperatorSession(
                stored, workspace: workspace, role: role, name: identity.name ?? identity.email.map { String($0.prefix { $0 != "@" }) },
                switches: try SessionStore.workspaces(of: stored.operatorID, on: connection).filter { $0.id != workspace.id }
                    .sorted { one, _ in one.teamID == workspace.teamID })
            return (stored, session)
        }
        guard let (stored, session) = found else { return nil }
        let remaining = Int(stored.expiresAt.millisecondsClamped(since: now) / 1000)
        let newToken = await freshen(stored, presented: token, now: now, isRead: request.method == .get)
        return Admission(session: session, newToken: newToken, remainingSeconds: remaining)
    }

    /// Replaces an old token and notes that the session lives. Reading goes on while nothing can be written.
    private func freshen(_ stored: StoredSession, presented: SessionToken, now: Instant, isRead: Bool) async -> SessionToken? {
        do {
            if isRead, presented.hash == stored.tokenHash, now.millisecondsClamped(since: stored.rotatedAt) >= Self.rotateMs {
                let token = SessionToken()
                let graceEnd = try now.adding(milliseconds: Self.graceMs)
                let isReplaced = try await installation.writeAnywhere { connection in
                    try SessionStore.rotate(stored.tokenHash, to: token.hash, at: now, previousUntil: graceEnd, on: connection)
                }
                return isReplaced ? token : nil
            }
            if now.millisecondsClamped(since: stored.seenAt) >= Self.seenStepMs {
                try await installation.writeAnywhere { connection in try SessionStore.setSeen(stored.tokenHash, at: now, on: connection) }
            }
        } catch {
            installation.logger.warning("A session was not renewed", metadata: ["error": "\(error)"])
        }
        return nil
    }
}
