import Crypto
import Foundation
import Persistence
import Synchronization

/// The people vault: seals what names a person under a key of that person's own, and finds people by keyed hashes.
///
/// A person's key is random, wrapped under the master key, and kept in a store apart (`person_key`). New keys are made in
/// advance and are durable before any person uses one, so that no acknowledged person can ever lack a key. Erasing a person
/// destroys the key: every copy of the sealed fields, in backups too, becomes noise.
final class Vault: Sendable {
    /// Keys made at a time; a lone member uses one, an import thousands.
    static let sparesMade = 512
    static let sparesLow = 128
    /// Unwrapped keys remembered.
    static let rememberedMax = 20_000

    /// No spare key is left for a new person: make some, then run the write again.
    struct OutOfKeys: Error {}

    struct PersonKey: Sendable {
        let id: PersonKeyID
        let key: SymmetricKey
    }

    private struct State {
        var spares: [PersonKey] = []
        var remembered: [PersonKeyID: SymmetricKey] = [:]
        var refilling: Task<Void, any Error>?
    }

    private let store: any Database
    private let world: World
    private let wrapping: SymmetricKey
    private let lookup: SymmetricKey
    private let state = Mutex(State())
    /// Makes keys that are stored nowhere, for writes that are rolled back.
    private let isRehearsing: Bool

    /// `store` is the database of keys: a file beside the main one, or the same PostgreSQL server.
    init(store: any Database, secrets: Secrets, world: World) {
        self.store = store
        self.world = world
        wrapping = secrets.key("wrap")
        lookup = secrets.key("lookup")
        isRehearsing = false
    }

    private init(rehearsing vault: Vault) {
        store = vault.store
        world = vault.world
        wrapping = vault.wrapping
        lookup = vault.lookup
        isRehearsing = true
    }

    /// A vault for a transaction that will be rolled back: new people get keys that exist in memory alone.
    var rehearsal: Vault { Vault(rehearsing: self) }

    // MARK: Keys

    /// A durable key that nobody uses yet. Throws `OutOfKeys`.
    func takeKey() throws(OutOfKeys) -> PersonKey {
        let taken = state.withLock { state -> PersonKey? in
            let made = isRehearsing ? PersonKey(id: world.newID(), key: SymmetricKey(size: .bits256)) : state.spares.popLast()
            guard let key = made else { return nil }
            state.remembered[key.id] = key.key
            return key
        }
        guard let taken else { throw OutOfKeys() }
        return taken
    }

    /// Makes keys ahead when few are left.
    func refillWhenLow() async throws {
        if state.withLock({ $0.spares.count < Self.sparesLow }) { try await refill() }
    }

    /// Makes keys; callers that come while some are being made wait for those.
    func refill() async throws {
        let task = state.withLock { state -> Task<Void, any Error> in
            if let running = state.refilling { return running }
            let task = Task { try await self.make() }
            state.refilling = task
            return task
        }
        defer { state.withLock { if $0.refilling == task { $0.refilling = nil } } }
        try await task.value
    }

    /// Makes keys until this many are ready, for a transaction that needs many.
    func refill(atLeast count: Int) async throws {
        while state.withLock({ $0.spares.count < count }) { try await refill() }
    }

    private func make() async throws {
        let fresh = (0..<Self.sparesMade).map { _ in PersonKey(id: world.newID(), key: SymmetricKey(size: .bits256)) }
        let wrapping = wrapping
        let now = world.now()
        let rows = try fresh.map { ($0.id, try Self.seal($0.key.withUnsafeBytes { Array($0) }, under: wrapping, for: $0.id.text)) }
        try await store.write { connection in
            try connection.executeAll(
                rows.map { id, wrapped in
                    "INSERT INTO person_key (id, wrapped, created_at) VALUES (\(id), \(wrapped), \(now))"
                })
        }
        state.withLock { $0.spares += fresh }
    }

    /// The key of a person, or nil when it was destroyed. Reads the attached store through the caller's connection.
    func key(_ id: PersonKeyID, on connection: any Connection) throws -> SymmetricKey? {
        if let known = state.withLock({ $0.remembered[id] }) { return known }
        guard let wrapped = try connection.value("SELECT wrapped FROM person_key WHERE id = \(id)", as: [UInt8].self) else { return nil }
        let key = SymmetricKey(data: try Self.open(wrapped, under: wrapping, for: id.text))
        state.withLock { state in
            if state.remembered.count >= Self.rememberedMax { state.remembered.removeAll(keepingCapacity: true) }
            state.remembered[id] = key
        }
        return key
    }

    /// Destroys keys for good and leaves tombstones that a restore replays.
    func destroy(_ ids: [PersonKeyID]) async throws {
        let now = world.now()
        try await store.write { connection in
            for id in ids {
                try connection.execute("DELETE FROM person_key WHERE id = \(id)")
                try connection.execute("INSERT INTO tombstone (key_id, erased_at) VALUES (\(id), \(now)) ON CONFLICT (key_id) DO NOTHING")
            }
        }
        try await store.checkpoint()
        state.withLock { state in for id in ids { state.remembered[id] = nil } }
    }

    /// Keys that were destroyed, ever.
    func tombstones() async throws -> [PersonKeyID] {
        try await store.read { connection in try connection.rows("SELECT key_id FROM tombstone ORDER BY key_id").map { try $0.get(at: 0) } }
    }

    func backUp(to path: String) async throws { try await store.backUp(to: path) }

    // MARK: Sealing

    /// AES-256-GCM: 12 bytes of nonce, the ciphertext, 16 bytes of tag. `place` binds it to the field it belongs to.
    static func seal(_ plain: [UInt8], under key: SymmetricKey, for place: String) throws -> [UInt8] {
        let box = try AES.GCM.seal(plain, using: key, authenticating: Array(place.utf8))
        return Array(box.nonce) + box.ciphertext + box.tag
    }

    static func open(_ sealed: [UInt8], under key: SymmetricKey, for place: String) throws -> [UInt8] {
        guard sealed.count >= 28 else { throw CryptoKitError.incorrectParameterSize }
        let box = try AES.GCM.SealedBox(combined: sealed)
        return Array(try AES.GCM.open(box, using: key, authenticating: Array(place.utf8)))
    }

    // MARK: Look-up

    /// A keyed hash of a normalised value. The workspace is part of it, so that equal mails of two companies do not meet.
    func lookupHash(_ workspace: WorkspaceID?, _ kind: String, _ normalised: String) -> [UInt8] {
        var mac = HMAC<SHA256>(key: lookup)
        mac.update(data: Data("\(workspace?.text ?? "")\u{0}\(kind)\u{0}\(normalised)".utf8))
        return Array(mac.finalize())
    }
}

extension Database {
    /// A consistent copy of this database in a file (SQLite only; PostgreSQL has pg_dump).
    func backUp(to path: String) async throws {
        guard let file = self as? SQLiteDatabase else { return }
        try await file.backup(to: path)
    }
}
