import Chronology
import Persistence

/// A key as the store holds it: wrapped under the master key.
struct WrappedKey: Sendable {
    var id: PersonKeyID
    var bytes: [UInt8]
    var createdAt: Instant
}

/// A key that was destroyed.
struct Tombstone: Sendable {
    var id: PersonKeyID
    var erasedAt: Instant
}

/// The SQL of the store of keys, which is a database of its own, and of what the main database knows of it.
enum KeyStore {
    /// Rows read or written at a time.
    static let pageRows = 500

    // MARK: The store of keys

    static func insert(_ keys: [WrappedKey], on connection: any Connection) throws {
        // A key with a tombstone never comes back.
        try connection.executeAll(
            keys.map { key in
                """
                INSERT INTO person_key (id, wrapped, created_at) SELECT \(key.id), \(key.bytes), \(key.createdAt)
                WHERE NOT EXISTS (SELECT 1 FROM tombstone WHERE key_id = \(key.id)) ON CONFLICT (id) DO NOTHING
                """
            })
    }

    static func destroy(_ tombstones: [Tombstone], on connection: any Connection) throws {
        if !tombstones.isEmpty { try RemainsStore.note(["person_key"], on: connection) }
        try connection.executeAll(
            tombstones.flatMap { tombstone -> [SQL] in
                [
                    "DELETE FROM person_key WHERE id = \(tombstone.id)",
                    "INSERT INTO tombstone (key_id, erased_at) VALUES (\(tombstone.id), \(tombstone.erasedAt)) ON CONFLICT (key_id) DO NOTHING",
                ]
            })
    }

    /// Takes away keys that nobody has used: no tombstone is needed.
    static func delete(_ ids: [PersonKeyID], on connection: any Connection) throws {
        if !ids.isEmpty { try connection.execute("DELETE FROM person_key WHERE id IN \(list: ids)") }
    }

    static func claim(_ ids: [PersonKeyID], on connection: any Connection) throws {
        if !ids.isEmpty { try connection.execute("UPDATE person_key SET claimed = 1 WHERE id IN \(list: ids)") }
    }

    static func wrapped(_ ids: [PersonKeyID]) -> SQL { "SELECT id, wrapped FROM person_key WHERE id IN \(list: ids)" }

    static func present(_ ids: [PersonKeyID], on connection: any Connection) throws -> Set<PersonKeyID> {
        guard !ids.isEmpty else { return [] }
        return Set(try connection.rows("SELECT id FROM person_key WHERE id IN \(list: ids)").map { try $0.get(at: 0) })
    }

    /// Keys older than `before` that nobody was seen to use.
    static func unclaimed(before: Instant, on connection: any Connection) throws -> [PersonKeyID] {
        try connection.rows(
            "SELECT id FROM person_key WHERE claimed = 0 AND created_at < \(before) ORDER BY created_at LIMIT \(Int64(pageRows))"
        ).map { try $0.get(at: 0) }
    }

    static func keys(after: String, in place: KeyTables = .own, on connection: any Connection) throws -> [WrappedKey] {
        try connection.rows(
            "SELECT id, wrapped, created_at FROM \(raw: place.keys) WHERE id > \(after) ORDER BY id LIMIT \(Int64(pageRows))"
        ).map { WrappedKey(id: try $0.get(at: 0), bytes: try $0.get(at: 1), createdAt: try $0.get(at: 2)) }
    }

    static func tombstones(after: String, in place: KeyTables = .own, on connection: any Connection) throws -> [Tombstone] {
        try connection.rows(
            "SELECT key_id, erased_at FROM \(raw: place.tombstones) WHERE key_id > \(after) ORDER BY key_id LIMIT \(Int64(pageRows))"
        ).map { Tombstone(id: try $0.get(at: 0), erasedAt: try $0.get(at: 1)) }
    }

    static func tombstones(since: Instant, on connection: any Connection) throws -> [PersonKeyID] {
        try connection.rows("SELECT key_id FROM tombstone WHERE erased_at >= \(since)").map { try $0.get(at: 0) }
    }

    static func tombstoneCount(on connection: any Connection) throws -> Int64 { try connection.value("SELECT count(*) FROM tombstone") ?? 0 }

    static func isEmpty(on connection: any Connection) throws -> Bool { try connection.row("SELECT 1 FROM person_key LIMIT 1") == nil }

    // MARK: The main database

    /// Which of these keys people or operators have.
    static func used(_ ids: [PersonKeyID], on connection: any Connection) throws -> Set<PersonKeyID> {
        guard !ids.isEmpty else { return [] }
        return Set(
            try connection.rows(
                "SELECT key_id FROM person WHERE key_id IN \(list: ids) UNION SELECT key_id FROM operator WHERE key_id IN \(list: ids)"
            ).map { try $0.get(at: 0) })
    }

    /// A few keys that must be there, to see that store and database belong together.
    static func someInUse(on connection: any Connection) throws -> [PersonKeyID] {
        let operators = try connection.rows("SELECT key_id FROM operator ORDER BY id LIMIT 10")
        let people = try connection.rows("SELECT key_id FROM person WHERE erased_at IS NULL ORDER BY id LIMIT 10")
        return try (operators + people).map { try $0.get(at: 0) }
    }

    /// People who are not erased although their key was destroyed.
    static func people(
        with keys: [PersonKeyID], on connection: any Connection
    ) throws -> [(person: PersonID, workspace: WorkspaceID)] {
        guard !keys.isEmpty else { return [] }
        return try connection.rows("SELECT id, workspace_id FROM person WHERE erased_at IS NULL AND key_id IN \(list: keys) ORDER BY id").map {
            (try $0.get(at: 0), try $0.get(at: 1))
        }
    }

    static func noteToDestroy(_ id: PersonKeyID, on connection: any Connection) throws {
        try connection.execute("INSERT INTO key_to_destroy (key_id) VALUES (\(id)) ON CONFLICT (key_id) DO NOTHING")
    }

    static func toDestroy(on connection: any Connection) throws -> [PersonKeyID] {
        try connection.rows("SELECT key_id FROM key_to_destroy ORDER BY key_id LIMIT \(Int64(pageRows))").map { try $0.get(at: 0) }
    }

    static func noteDestroyed(_ ids: [PersonKeyID], on connection: any Connection) throws {
        if !ids.isEmpty { try connection.execute("DELETE FROM key_to_destroy WHERE key_id IN \(list: ids)") }
    }

    static func tombstonesReplayed(on connection: any Connection) throws -> Int64 {
        try connection.value("SELECT tombstones_replayed FROM key_store WHERE id = 1") ?? 0
    }

    static func setTombstonesReplayed(_ count: Int64, on connection: any Connection) throws {
        try connection.execute("UPDATE key_store SET tombstones_replayed = \(count) WHERE id = 1")
    }
}

/// The names under which the two tables stand.
struct KeyTables: Sendable {
    var keys: String
    var tombstones: String

    static let own = KeyTables(keys: "person_key", tombstones: "tombstone")
}

extension KeyStore {
    /// Adds what one store holds to another, page by page. What either knows as destroyed is destroyed in the other, at every moment:
    /// tombstones go first, and once more at the end for what was erased meanwhile.
    static func copy(from source: any Database, _ place: KeyTables = .own, to target: any Database) async throws {
        try await copyTombstones(from: source, place, to: target)
        var after = ""
        while true {
            let start = after
            let page = try await source.read { connection in try keys(after: start, in: place, on: connection) }
            guard let last = page.last else { break }
            after = last.id.text
            try await target.write { connection in try insert(page, on: connection) }
        }
        try await copyTombstones(from: source, place, to: target)
    }

    private static func copyTombstones(from source: any Database, _ place: KeyTables, to target: any Database) async throws {
        var after = ""
        while true {
            let start = after
            let page = try await source.read { connection in try tombstones(after: start, in: place, on: connection) }
            guard let last = page.last else { return }
            after = last.id.text
            try await target.write { connection in try destroy(page, on: connection) }
        }
    }
}
