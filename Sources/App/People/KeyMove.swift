import Persistence

/// Moves the keys of an installation on PostgreSQL that still has them in its main database into the store of their own.
///
/// The tables are renamed first, so that a program of the older version that still runs fails instead of making keys that would
/// be missed. Each step may be repeated: a move that was cut short goes on at the next `kith migrate`.
enum KeyMove {
    static func run(from main: any Database, to keys: any Database) async throws {
        guard try await isNeeded(main) else { return }
        try await main.write { connection in try KeyMoveStore.setAside(on: connection) }
        do {
            try await KeyStore.copy(from: main, KeyMoveStore.aside, to: keys)
            try await main.write { connection in try KeyMoveStore.drop(on: connection) }
        } catch {
            // Another process may have finished the move while this one copied.
            guard try await !isNeeded(main) else { throw error }
        }
    }

    static func isNeeded(_ main: any Database) async throws -> Bool {
        guard main.dialect == .postgres else { return false }
        return try await main.read { connection in try KeyMoveStore.isThere(on: connection) }
    }
}

enum KeyMoveStore {
    static let aside = KeyTables(keys: "person_key_aside", tombstones: "tombstone_aside")
    private static let tables = [(KeyTables.own.keys, aside.keys), (KeyTables.own.tombstones, aside.tombstones)]

    static func isThere(on connection: any Connection) throws -> Bool {
        let names = tables.flatMap { [$0.0, $0.1] }
        let count: Int64? = try connection.value(
            "SELECT count(*) FROM pg_tables WHERE schemaname = current_schema() AND tablename IN \(list: names)")
        return count != 0
    }

    static func setAside(on connection: any Connection) throws {
        // Two processes that move at once take turns.
        _ = try connection.rows("SELECT pg_advisory_xact_lock(\(lock))")
        for (name, aside) in tables {
            let exists: Int64? = try connection.value(
                "SELECT count(*) FROM pg_tables WHERE schemaname = current_schema() AND tablename = \(name)")
            if exists == 1 { try connection.execute("ALTER TABLE \(raw: name) RENAME TO \(raw: aside)") }
        }
        try connection.execute("DROP TABLE IF EXISTS schema_migration_keys")
    }

    static func drop(on connection: any Connection) throws {
        _ = try connection.rows("SELECT pg_advisory_xact_lock(\(lock))")
        for (_, aside) in tables { try connection.execute("DROP TABLE IF EXISTS \(raw: aside)") }
    }

    private static let lock: Int64 = 0x6b69_7468_6b65_7973  // "kithkeys"
}
