import Chronology
import Hummingbird
import HTTPTypes
import Persistence
import Synchronization
import Web

/// Who calls the API: made only by `CallerDirectory`, so a handler that takes one cannot be reached without a valid key.
struct Caller: Sendable {
    let workspaceID: WorkspaceID
    let actor: Actor
    let operatorID: OperatorID
    let rights: Set<Right>
    let isPublishable: Bool
    /// What the rate limit counts by.
    let keyID: String
    /// The address of the connection, for calls that browsers make.
    var address: String?

    fileprivate init(_ key: APIKey, teamRole: Role?) {
        workspaceID = key.workspaceID
        actor = .apiKey(key.id, of: key.operatorID)
        operatorID = key.operatorID
        // A key never outlives or exceeds its owner's own rights.
        rights = teamRole.map { key.rights.intersection(Role.rights[$0] ?? []) } ?? []
        isPublishable = key.kind == .publishable
        keyID = key.id.text
    }

    func may(_ right: Right) -> Bool { rights.contains(right) }
}

/// Finds callers by their keys, remembering them for a moment: a revoked key works for one second more at most.
final class CallerDirectory: Sendable {
    static let freshMs: Int64 = 1_000
    static let rememberedMax = 10_000

    private let database: any Database
    private let world: World
    /// How exact the last use of a key is.
    static let usedStepMs: Int64 = 60_000
    private let uses = Mutex<(noted: [APIKeyID: Instant], waiting: [APIKeyID: Instant])>(([:], [:]))
    private let known = Mutex<[String: (caller: Caller, until: Instant)]>([:])

    init(_ database: any Database, world: World) {
        self.database = database
        self.world = world
    }

    func caller(of request: Request) async throws -> Caller {
        guard let header = request.headers[.authorization], header.lowercased().hasPrefix("bearer "), header.utf8.count <= 300 else {
            throw Problem.unauthorized(detail: "Send your key as Authorization: Bearer kith_sk_….")
        }
        let text = String(header.dropFirst("bearer ".count)).trimmingPrefix(while: { $0 == " " })
        return try await caller(key: String(text))
    }

    func caller(key text: String) async throws -> Caller {
        let now = world.now()
        if let entry = known.withLock({ $0[text] }), entry.until > now { return entry.caller }
        let hash = APIKey.hash(text)
        let found = try await database.read { connection -> (APIKey, Role?)? in
            guard let key = try APIKeyStore.find(hash: hash, on: connection), key.revokedAt == nil else { return nil }
            guard let workspace = try WorkspaceStore.find(key.workspaceID, on: connection) else { return nil }
            return (key, try TeamStore.role(of: key.operatorID, in: workspace.teamID, on: connection))
        }
        guard let (key, role) = found, role != nil else {
            throw Problem.unauthorized(detail: "This key is not known, or it was revoked.")
        }
        let caller = Caller(key, teamRole: role)
        noteUse(of: key.id, at: now)
        known.withLock { known in
            if known.count >= Self.rememberedMax { known.removeAll() }
            known[text] = (caller, (try? now.adding(milliseconds: Self.freshMs)) ?? now)
        }
        return caller
    }

    private func noteUse(of key: APIKeyID, at now: Instant) {
        uses.withLock { uses in
            if let last = uses.noted[key], now.millisecondsClamped(since: last) < Self.usedStepMs { return }
            if uses.noted.count >= Self.rememberedMax { uses.noted.removeAll() }
            uses.noted[key] = now
            uses.waiting[key] = now
        }
    }

    /// Uses since they were last taken, to be written down.
    func takeUses() -> [APIKeyID: Instant] {
        uses.withLock { uses in
            defer { uses.waiting = [:] }
            return uses.waiting
        }
    }

    func forgetAll() { known.withLock { $0.removeAll() } }
}
