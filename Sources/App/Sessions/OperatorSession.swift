import Chronology
import Crypto
import Persistence
import Web

/// A person who is signed in, and the workspace they look at. Only `SessionDoor` makes one.
struct OperatorSession: SignedIn {
    let operatorID: OperatorID
    let workspace: Workspace
    let role: Role
    /// What to call them; nil when their key is gone.
    let name: String?
    /// The other workspaces they may look at: the test twin first.
    let switches: [Workspace]
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

    var holder: String { operatorID.text }
}

extension Installation {
    /// The key of the proofs in forms.
    var formKey: [UInt8] { secrets.key("forms").withUnsafeBytes { Array($0) } }
}

struct SessionDoor: Door {
    static let cookie = HostCookie("kith_session")
    static let table = TokenStore.operators
    static let rotateMs: Int64 = 15 * 60_000
    static let idleMs: Int64 = 12 * 3_600_000
    static let lifeMs: Int64 = 30 * 86_400_000
    static let seenStepMs: Int64 = 60_000

    let installation: Installation

    init(_ installation: Installation) { self.installation = installation }

    func find(_ hash: [UInt8], at now: Instant) async throws -> (StoredSession, OperatorSession)? {
        let vault = installation.vault
        return try await installation.main.read { connection in
            guard let stored = try SessionStore.find(hash, at: now, on: connection),
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
    }
}
