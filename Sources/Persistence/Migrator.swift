/// One step of a schema's history. Once it has been applied anywhere its text never changes.
public struct Migration: Sendable, Hashable {
    /// Its place in the timeline; the first is 1.
    public let number: Int
    /// What it brings, in words of a file name: `ledger`.
    public let name: String
    /// The statements, in the words of SQLite's STRICT tables; see ``SchemaText`` for what PostgreSQL makes of them.
    public let text: String
    /// The statements for PostgreSQL, where translation is not enough.
    public let postgresText: String?
    /// Changes whenever either text does.
    public let checksum: String

    public init(number: Int, name: String, text: String, postgresText: String? = nil) {
        self.number = number
        self.name = name
        self.text = text
        self.postgresText = postgresText
        checksum = checksum64(text + "\u{0}" + (postgresText ?? ""))
    }

    func script(for dialect: Dialect) -> String {
        switch dialect {
        case .sqlite: text
        case .postgres: postgresText ?? SchemaText.postgres(text)
        }
    }
}

/// Why a schema can't be brought up to date.
public enum MigrationFailure: Error, Sendable, Hashable, CustomStringConvertible {
    /// The program's list is not 1, 2, 3, ….
    case notInOrder(number: Int)
    /// A migration that was applied has another text now.
    case changed(number: Int, name: String)
    /// The database has migrations that this program doesn't know.
    case newer(number: Int, name: String)
    /// Not applied yet, and the database was opened for reading.
    case pending(number: Int, name: String)

    public var description: String {
        switch self {
        case .notInOrder(let number): "migration \(number) is out of order"
        case .changed(let number, let name): "migration \(number) (\(name)) was applied with another text than this program has"
        case .newer(let number, let name): "the database is newer than this program: it has migration \(number) (\(name)). Use a newer program"
        case .pending(let number, let name): "migration \(number) (\(name)) is not applied yet: run kith migrate"
        }
    }
}

/// Brings a schema up to date, one transaction per migration. Any number of processes may try at once: each is applied once.
public enum Migrator {
    /// Applies what is missing.
    ///
    /// - Parameter timeline: several histories can share a PostgreSQL database, each with its own table:
    ///   `main` is kept in `schema_migration`, any other in `schema_migration_NAME`. Lower-case letters and `_` only.
    /// - Returns: the migrations this call applied.
    /// - Throws: ``MigrationFailure`` or ``DatabaseFailure``.
    @discardableResult
    public static func migrate(_ database: any Database, timeline: String, migrations: [Migration]) async throws -> [Migration] {
        try requireOrder(migrations)
        let table = tableName(timeline)
        let missing = try await database.write { connection in
            try lock(connection, table)
            try connection.execute(
                """
                CREATE TABLE IF NOT EXISTS \(raw: table) (number \(raw: connection.dialect == .sqlite ? "INTEGER" : "BIGINT") PRIMARY KEY,
                  name TEXT NOT NULL, checksum TEXT NOT NULL, applied_at \(raw: connection.dialect == .sqlite ? "INTEGER" : "BIGINT") NOT NULL)
                """)
            return try compare(connection, table, migrations)
        }
        var applied: [Migration] = []
        for migration in missing {
            let isNew = try await database.write { connection in
                try lock(connection, table)
                // Another process may have been faster.
                guard try connection.row("SELECT 1 FROM \(raw: table) WHERE number = \(migration.number)") == nil else { return false }
                try connection.executeScript(migration.script(for: connection.dialect))
                try connection.execute(
                    """
                    INSERT INTO \(raw: table) (number, name, checksum, applied_at)
                    VALUES (\(migration.number), \(migration.name), \(migration.checksum), \(raw: nowMs(connection.dialect)))
                    """)
                return true
            }
            if isNew { applied.append(migration) }
        }
        return applied
    }

    /// What is not applied yet; changes nothing. A database without the timeline's table has everything pending.
    ///
    /// - Throws: ``MigrationFailure`` when the database is newer than the program or was made with other texts.
    public static func pending(_ database: any Database, timeline: String, migrations: [Migration]) async throws -> [Migration] {
        try requireOrder(migrations)
        let table = tableName(timeline)
        return try await database.read { connection in
            let found: Int64? =
                switch connection.dialect {
                case .sqlite: try connection.value("SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name = \(table)")
                case .postgres: try connection.value("SELECT count(*) FROM pg_tables WHERE schemaname = current_schema() AND tablename = \(table)")
                }
            if found == 0 { return migrations }
            return try compare(connection, table, migrations)
        }
    }

    private static func requireOrder(_ migrations: [Migration]) throws {
        for (position, migration) in migrations.enumerated() where migration.number != position + 1 {
            throw MigrationFailure.notInOrder(number: migration.number)
        }
    }

    private static func tableName(_ timeline: String) -> String {
        let safe = timeline.filter { ("a"..."z").contains($0) || $0 == "_" }
        return safe == "main" ? "schema_migration" : "schema_migration_\(safe)"
    }

    /// Makes migrating processes wait for each other until their transactions end. On SQLite the write transaction does.
    private static func lock(_ connection: any Connection, _ table: String) throws {
        guard connection.dialect == .postgres else { return }
        let key = checksum64Value("migrate \(table)")
        _ = try connection.rows("SELECT pg_advisory_xact_lock(\(Int64(bitPattern: key)))")
    }

    /// Those not applied yet.
    private static func compare(_ connection: any Connection, _ table: String, _ migrations: [Migration]) throws -> [Migration] {
        var pending = migrations
        for row in try connection.rows("SELECT number, name, checksum FROM \(raw: table) ORDER BY number") {
            let number: Int = try row.get("number")
            guard let known = migrations.first(where: { $0.number == number }) else {
                throw MigrationFailure.newer(number: number, name: try row.get("name"))
            }
            if known.checksum != (try row.get("checksum", as: String.self)) { throw MigrationFailure.changed(number: number, name: known.name) }
            pending.removeAll { $0.number == number }
        }
        return pending
    }

    private static func nowMs(_ dialect: Dialect) -> String {
        switch dialect {
        case .sqlite: "CAST(strftime('%s', 'now') AS INTEGER) * 1000"
        case .postgres: "CAST(extract(epoch FROM now()) * 1000 AS BIGINT)"
        }
    }
}

/// FNV-1a in hexadecimal: tells a changed text, and is not meant to withstand forgery.
private func checksum64(_ text: String) -> String {
    let digits = String(checksum64Value(text), radix: 16)
    return String(repeating: "0", count: 16 - digits.count) + digits
}

private func checksum64Value(_ text: String) -> UInt64 {
    var text = text
    return text.withUTF8 { bytes in
        var value: UInt64 = 0xcbf2_9ce4_8422_2325
        for position in bytes.indices { value = (value ^ UInt64(bytes[position])) &* 0x100_0000_01b3 }
        return value
    }
}
