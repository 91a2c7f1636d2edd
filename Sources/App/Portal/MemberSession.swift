import Chronology
import Hummingbird
import Persistence
import Web

/// A member who is signed in to the portal. Only `PortalDoor` makes one.
struct MemberSession: SignedIn {
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

    var holder: String { member.id.text }
}

struct PortalDoor: Door {
    static let cookie = HostCookie("kith_member")
    static let table = TokenStore.members
    static let rotateMs: Int64 = 60 * 60_000
    /// On a phone nobody signs in every day.
    static let idleMs: Int64 = 30 * 86_400_000
    static let lifeMs: Int64 = 90 * 86_400_000
    static let seenStepMs: Int64 = 5 * 60_000

    let installation: Installation

    init(_ installation: Installation) { self.installation = installation }

    func find(_ hash: [UInt8], at now: Instant) async throws -> (StoredMemberSession, MemberSession)? {
        try await installation.main.read { [vault = installation.vault] connection in
            guard let stored = try MemberSessionStore.find(hash, at: now, on: connection),
                let member = try MemberStore.find([stored.memberID], on: connection)[stored.memberID], member.mayEnterPortal,
                let workspace = try WorkspaceStore.find(member.workspaceID, on: connection)
            else { return nil }
            let fields = try PersonStore.fields(of: [member.personID], [.name, .email], vault: vault, on: connection)[member.personID]
            let name = fields?[.name] ?? fields?[.email].map { String($0.prefix { $0 != "@" }) }
            return (stored, MemberSession(stored, member: member, workspace: workspace, name: name))
        }
    }

    /// A new session. Answers its token.
    func begin(for member: MemberID, on device: SignInDevice?, lifeMs: Int64 = PortalDoor.lifeMs, in write: Write) throws -> SessionToken {
        let token = SessionToken()
        let now = write.world.now()
        try MemberSessionStore.deleteEnded(at: now, on: write.connection)
        try MemberSessionStore.insert(
            StoredMemberSession(
                tokenHash: token.hash, memberID: member, createdAt: now, seenAt: now, rotatedAt: now,
                expiresAt: try now.adding(milliseconds: lifeMs)), on: write.connection)
        try device?.note(for: .member(member), in: write, profileURL: "\(installation.publicURL(of: write.workspace.id))/portal/profile#sessions")
        try write.audit("member.session.start", subject: member.text)
        return token
    }
}

extension Response {
    /// The address holds a token: no other site may learn it. (With `no-referrer` browsers call the page's own form one of nobody's.)
    mutating func keepAddressHere() { headers[.referrerPolicy] = "same-origin" }

    /// Signs a member's browser in: by the session's cookie, and that which knows the browser again.
    mutating func signIn(_ session: SessionToken, on device: SignInDevice) {
        set(PortalDoor.cookie, value: session.text, maximumAgeSeconds: Int(PortalDoor.lifeMs / 1000))
        remove(AnonymousForm.cookie)
        device.remember(in: &self)
    }
}

extension Member {
    /// Who was suspended still sees what they have; who was terminated or erased does not come in.
    var mayEnterPortal: Bool { status == .active || status == .inactive || status == .suspended }
}
