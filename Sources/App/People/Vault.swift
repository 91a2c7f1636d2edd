import Chronology
import Crypto
import Foundation
import Persistence
import Synchronization

/// The people vault: seals what names a person under a key of that person's own, and finds people by keyed hashes.
///
/// A person's key is random, wrapped under the master key, and kept in a database apart (`KeyStore`). New keys are made in
/// advance and are durable before any person uses one, so that no acknowledged person can ever lack a key. Erasing a person
/// destroys the key: every copy of the sealed fields, in backups too, becomes noise.
///
/// Keys that were read are remembered. Another process may have erased somebody since, so whoever asks for a person's key first sees
/// in their own transaction that the person is not erased (`PersonStore`).
final class Vault: Sendable {
    /// Keys made at a time; a lone member uses one, an import thousands.
    static let sparesMade = 512
    static let sparesLow = 128
    /// Unwrapped keys remembered.
    static let rememberedMax = 20_000
    /// Keys that nobody came to use are swept one day (`Installation.unusedKeysKeptMs`); long before that they are not given out any more.
    static let spareKeptMs: Int64 = 7 * 86_400_000

    /// No spare key is left for a new person: make some, then run the write again.
    struct OutOfKeys: Error {}

    struct PersonKey: Sendable {
        let id: PersonKeyID
        let key: SymmetricKey
    }

    private struct State {
        var spares: [PersonKey] = []
        var sparesMadeAt: Instant?
        var remembered: [PersonKeyID: SymmetricKey] = [:]
        /// Grows whenever keys are forgotten, so that one read before is not remembered after.
        var forgettings = 0
        var refilling: Task<Void, any Error>?
    }

    private let store: any Database
    private let world: World
    private let wrapping: SymmetricKey
    private let lookup: SymmetricKey
    private let state = Mutex(State())
    /// Makes keys that are stored nowhere, for writes that are rolled back.
    private let isRehearsing: Bool

    /// `store` is the database of keys: a file beside the main one, or another PostgreSQL database.
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
        let now = world.now()
        let taken = state.withLock { state -> PersonKey? in
            if let madeAt = state.sparesMadeAt, now.millisecondsSince1970 - madeAt.millisecondsSince1970 > Self.spareKeptMs { state.spares = [] }
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
        let rows = try fresh.map {
            WrappedKey(id: $0.id, bytes: try Self.seal($0.key.withUnsafeBytes { Array($0) }, under: wrapping, for: $0.id.text), createdAt: now)
        }
        try await store.write { connection in try KeyStore.insert(rows, on: connection) }
        state.withLock { state in
            // The oldest decide for all how long they are good.
            if state.spares.isEmpty { state.sparesMadeAt = now }
            state.spares = fresh + state.spares
        }
    }

    /// Takes the keys that nobody came to use out of the store again, when the process ends in good order.
    func giveBackSpares() async throws {
        let ids = state.withLock { state -> [PersonKeyID] in
            defer { state.spares = [] }
            return state.spares.map(\.id)
        }
        guard !ids.isEmpty else { return }
        try await store.write { connection in
            for start in stride(from: 0, to: ids.count, by: KeyStore.pageRows) {
                try KeyStore.delete(Array(ids[start..<min(start + KeyStore.pageRows, ids.count)]), on: connection)
            }
        }
    }

    /// A key, or nil when it was destroyed. Blocks the thread while it asks the store of keys; callers stand in a transaction of the
    /// main database.
    func key(_ id: PersonKeyID) throws -> SymmetricKey? { try keys([id])[id] }

    /// Those of the keys that were not destroyed. Ask for many at once: those not remembered are read together.
    func keys(_ ids: [PersonKeyID]) throws -> [PersonKeyID: SymmetricKey] {
        let wanted = Set(ids)
        let (known, forgettings) = state.withLock { state in
            (Dictionary(wanted.compactMap { id in state.remembered[id].map { (id, $0) } }, uniquingKeysWith: { first, _ in first }), state.forgettings)
        }
        var found = known
        guard found.count < wanted.count else { return found }
        let missing = wanted.filter { found[$0] == nil }.sorted { $0.text < $1.text }
        var read: [PersonKeyID: SymmetricKey] = [:]
        for start in stride(from: 0, to: missing.count, by: KeyStore.pageRows) {
            let page = Array(missing[start..<min(start + KeyStore.pageRows, missing.count)])
            for row in try store.rowsBlocking(KeyStore.wrapped(page)) {
                let id: PersonKeyID = try row.get(at: 0)
                read[id] = SymmetricKey(data: try Self.open(try row.get(at: 1), under: wrapping, for: id.text))
            }
        }
        state.withLock { state in
            guard state.forgettings == forgettings else { return }
            if state.remembered.count + read.count > Self.rememberedMax { state.remembered.removeAll(keepingCapacity: true) }
            state.remembered.merge(read.prefix(Self.rememberedMax).map { ($0.key, $0.value) }) { known, _ in known }
        }
        found.merge(read) { known, _ in known }
        return found
    }

    /// Destroys keys for good and leaves tombstones that a restore replays.
    func destroy(_ ids: [PersonKeyID]) async throws {
        let now = world.now()
        try await store.write { connection in try KeyStore.destroy(ids.map { Tombstone(id: $0, erasedAt: now) }, on: connection) }
        try await store.checkpoint()
        forget(ids)
    }

    /// Forgets the keys that other processes have destroyed.
    func forgetErased(since: Instant) async throws {
        let ids = try await store.read { connection in try KeyStore.tombstones(since: since, on: connection) }
        if !ids.isEmpty { forget(ids) }
    }

    private func forget(_ ids: [PersonKeyID]) {
        state.withLock { state in
            state.forgettings += 1
            for id in ids { state.remembered[id] = nil }
        }
    }

    /// Whether this process could still open what the key sealed without asking the store.
    func remembers(_ id: PersonKeyID) -> Bool { state.withLock { $0.remembered[id] != nil } }

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
