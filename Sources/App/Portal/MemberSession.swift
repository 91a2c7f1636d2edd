import Chronology
import Crypto
import Hummingbird
import Logging
import Persistence
import Web

/// A member who is signed in to the portal. Only `PortalDoor` makes one.
struct MemberSession: Sendable {
    let member: Member
    let workspace: Workspace
    /// What to call them; nil when their key is gone.
    let name: String?
    let tokenHash: [UInt8]
    let startedAt: Instant

    fileprivate init(_ stored: StoredMemberSession, member: Member, workspace: Workspace, name: String?) {
        self.member = member
        self.workspace = workspace
        self.name = name
        tokenHash = stored.tokenHash
        startedAt = stored.createdAt
    }

    var actor: Actor { .member(member.id) }

    func csrf(_ installation: Installation) -> CSRFToken {
        CSRFToken(
            sessionHash: Array(SHA256.hash(data: Array("\(member.id.text):\(startedAt.millisecondsSince1970)".utf8))), key: installation.formKey)
    }
}

/// Finds the session of a member's request and keeps it fresh. Its cookie and its rows are apart from those of operators.
struct PortalDoor: Sendable {
    static let cookie = HostCookie("kith_member")
    /// Age at which a token is replaced.
    static let rotateMs: Int64 = 60 * 60_000
    /// A replaced token is honoured this long, for requests already under way.
    static let graceMs: Int64 = 30_000
    /// On a phone nobody signs in every day.
    static let idleMs: Int64 = 30 * 86_400_000
    static let lifeMs: Int64 = 90 * 86_400_000
    /// How exact `seen_at` is.
    static let seenStepMs: Int64 = 5 * 60_000

    struct Admission: Sendable {
        var session: MemberSession
        /// Set when the token was replaced.
        var newToken: SessionToken?
        var remainingSeconds: Int
    }

    private let installation: Installation

    init(_ installation: Installation) { self.installation = installation }

    /// Nil when nobody is signed in, or the member may not come in any more.
    func admit(_ request: Request) async throws -> Admission? {
        guard let token = Self.cookie.value(in: request).flatMap({ SessionToken(text: $0) }) else { return nil }
        let now = installation.world.now()
        let found = try await installation.main.read { [vault = installation.vault] connection -> (StoredMemberSession, MemberSession)? in
            guard let stored = try MemberSessionStore.find(token.hash, at: now, on: connection),
                let member = try MemberStore.find([stored.memberID], on: connection)[stored.memberID], member.mayEnterPortal,
                let workspace = try WorkspaceStore.find(member.workspaceID, on: connection)
            else { return nil }
            let fields = try PersonStore.fields(of: [member.personID], [.name, .email], vault: vault, on: connection)[member.personID]
            let name = fields?[.name] ?? fields?[.email].map { String($0.prefix { $0 != "@" }) }
            return (stored, MemberSession(stored, member: member, workspace: workspace, name: name))
        }
        guard let (stored, session) = found else { return nil }
        let newToken = await freshen(stored, presented: token, now: now, isRead: request.method == .get)
        return Admission(
            session: session, newToken: newToken, remainingSeconds: Int(stored.expiresAt.millisecondsClamped(since: now) / 1000))
    }

    /// A new session. Answers its token.
    func begin(for member: MemberID, in write: Write) throws -> SessionToken {
        let token = SessionToken()
        let now = write.world.now()
        try MemberSessionStore.deleteEnded(at: now, on: write.connection)
        try MemberSessionStore.insert(
            StoredMemberSession(
                tokenHash: token.hash, memberID: member, createdAt: now, seenAt: now, rotatedAt: now,
                expiresAt: try now.adding(milliseconds: Self.lifeMs)), on: write.connection)
        try write.audit("member.session.start", subject: member.text)
        return token
    }

    private func freshen(_ stored: StoredMemberSession, presented: SessionToken, now: Instant, isRead: Bool) async -> SessionToken? {
        do {
            if isRead, presented.hash == stored.tokenHash, now.millisecondsClamped(since: stored.rotatedAt) >= Self.rotateMs {
                let token = SessionToken()
                let graceEnd = try now.adding(milliseconds: Self.graceMs)
                let isReplaced = try await installation.writeAnywhere { connection in
                    try MemberSessionStore.rotate(stored.tokenHash, to: token.hash, at: now, previousUntil: graceEnd, on: connection)
                }
                return isReplaced ? token : nil
            }
            if now.millisecondsClamped(since: stored.seenAt) >= Self.seenStepMs {
                try await installation.writeAnywhere { connection in try MemberSessionStore.setSeen(stored.tokenHash, at: now, on: connection) }
            }
        } catch {
            installation.logger.warning("A member's session was not renewed", metadata: ["error": "\(error)"])
        }
        return nil
    }
}

extension Member {
    /// Who was suspended still sees what they have; who was terminated or erased does not come in.
    var mayEnterPortal: Bool { status == .active || status == .inactive || status == .suspended }
}
