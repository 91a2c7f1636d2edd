import Chronology
import Persistence

/// Rows of the store of keys, as a restore moves them.
struct KeyRows: Sendable {
    var keys: [(id: String, wrapped: [UInt8], createdAt: Int64)] = []
    var tombstones: [(id: String, erasedAt: Int64)] = []
}

enum KeyStore {
    static func all(on connection: any Connection) throws -> KeyRows {
        KeyRows(
            keys: try connection.rows("SELECT id, wrapped, created_at FROM person_key").map {
                (try $0.get(at: 0), try $0.get(at: 1), try $0.get(at: 2))
            },
            tombstones: try connection.rows("SELECT key_id, erased_at FROM tombstone").map { (try $0.get(at: 0), try $0.get(at: 1)) })
    }

    /// Adds the rows of another store, then destroys every key that has a tombstone.
    static func merge(_ rows: KeyRows, on connection: any Connection) throws {
        for key in rows.keys {
            try connection.execute(
                "INSERT INTO person_key (id, wrapped, created_at) VALUES (\(key.id), \(key.wrapped), \(key.createdAt)) ON CONFLICT (id) DO NOTHING")
        }
        for tombstone in rows.tombstones {
            try connection.execute(
                "INSERT INTO tombstone (key_id, erased_at) VALUES (\(tombstone.id), \(tombstone.erasedAt)) ON CONFLICT (key_id) DO NOTHING")
        }
        try connection.execute("DELETE FROM person_key WHERE id IN (SELECT key_id FROM tombstone)")
    }

    /// A key that somebody uses, to try the secrets file with.
    static func anyInUse(on connection: any Connection) throws -> PersonKeyID? {
        try connection.value(
            "SELECT k.id FROM person_key k WHERE k.id IN (SELECT key_id FROM operator UNION SELECT key_id FROM person WHERE erased_at IS NULL) LIMIT 1")
    }

    /// People who are not erased although their key was destroyed.
    static func people(
        with keys: [PersonKeyID], on connection: any Connection
    ) throws -> [(person: PersonID, workspace: WorkspaceID)] {
        try connection.rows("SELECT id, workspace_id FROM person WHERE erased_at IS NULL AND key_id IN \(list: keys) ORDER BY id").map {
            (try $0.get(at: 0), try $0.get(at: 1))
        }
    }

    static func tableCount(on connection: any Connection) throws -> Int64 {
        try connection.value("SELECT count(*) FROM pg_tables WHERE schemaname = current_schema()") ?? 0
    }

    static func hasKeys(on connection: any Connection) throws -> Bool {
        try connection.value("SELECT count(*) FROM pg_tables WHERE schemaname = current_schema() AND tablename = 'tombstone'", as: Int64.self) == 1
    }

    /// Connections of other programs to this PostgreSQL database.
    static func otherClients(on connection: any Connection) throws -> Int64 {
        try connection.value(
            """
            SELECT count(*) FROM pg_stat_activity
            WHERE datname = current_database() AND backend_type = 'client backend' AND pid <> pg_backend_pid()
            """) ?? 0
    }
}
