import Persistence
import TestSupport
import Testing

@Suite struct MigratorTests {
    private static let first = Migration(number: 1, name: "first", text: "CREATE TABLE a (id INTEGER PRIMARY KEY) STRICT;\nINSERT INTO a VALUES (1);")
    private static let second = Migration(
        number: 2, name: "second", text: "CREATE TABLE b (text TEXT) STRICT;", postgresText: "CREATE TABLE b (text TEXT, only_here BIGINT);")

    @Test(arguments: Engine.allCases) func aFreshDatabaseGetsAllAndASecondCallNothing(_ engine: Engine) async throws {
        try await TestDatabase.with(engine) { test in
            let all = [Self.first, Self.second]
            #expect(try await Migrator.pending(test.database, timeline: "other", migrations: all).count == 2)
            #expect(try await Migrator.migrate(test.database, timeline: "other", migrations: [Self.first]) == [Self.first])
            #expect(try await Migrator.pending(test.database, timeline: "other", migrations: all) == [Self.second])
            #expect(try await Migrator.migrate(test.database, timeline: "other", migrations: all) == [Self.second])
            #expect(try await Migrator.migrate(test.database, timeline: "other", migrations: all).isEmpty)
            let row = try await test.database.read { try $0.rows("SELECT number, name, applied_at FROM schema_migration_other ORDER BY number")[1] }
            #expect(try row.get("name", as: String.self) == "second")
            #expect(try row.get("applied_at", as: Int.self) > 1_700_000_000_000)
        }
    }

    @Test(arguments: Engine.allCases) func changedTextsAndNewerSchemasAreRefused(_ engine: Engine) async throws {
        try await TestDatabase.with(engine) { test in
            try await Migrator.migrate(test.database, timeline: "x", migrations: [Self.first, Self.second])
            let changed = Migration(number: Self.first.number, name: Self.first.name, text: Self.first.text + " ", postgresText: Self.first.postgresText)
            await #expect(throws: MigrationFailure.changed(number: 1, name: "first")) {
                try await Migrator.migrate(test.database, timeline: "x", migrations: [changed, Self.second])
            }
            await #expect(throws: MigrationFailure.newer(number: 2, name: "second")) {
                try await Migrator.migrate(test.database, timeline: "x", migrations: [Self.first])
            }
            await #expect(throws: MigrationFailure.notInOrder(number: 2)) {
                try await Migrator.migrate(test.database, timeline: "x", migrations: [Self.second])
            }
        }
    }

    @Test(arguments: Engine.allCases) func aFailedMigrationLeavesNothingOfItself(_ engine: Engine) async throws {
        try await TestDatabase.with(engine) { test in
            let broken = Migration(number: 2, name: "broken", text: "CREATE TABLE c (id INTEGER PRIMARY KEY) STRICT; INSERT INTO nowhere VALUES (1);")
            await #expect(throws: DatabaseFailure.self) {
                try await Migrator.migrate(test.database, timeline: "x", migrations: [Self.first, broken])
            }
            let pending = try await Migrator.pending(test.database, timeline: "x", migrations: [Self.first, broken])
            #expect(pending == [broken])
            await #expect(throws: DatabaseFailure.self) { try await test.database.read { try $0.rows("SELECT * FROM c") } }
        }
    }

    @Test func manyProcessesMigrateOnce() async throws {
        try await TestDatabase.with(.postgres) { test in
            let others = [try await test.openAgain(), try await test.openAgain(), try await test.openAgain()]
            let applied = try await withThrowingTaskGroup(of: Int.self) { group in
                for database in others + [test.database] {
                    group.addTask { try await Migrator.migrate(database, timeline: "x", migrations: [Self.first, Self.second]).count }
                }
                return try await group.reduce(0, +)
            }
            #expect(applied == 2)
            for database in others { await database.close() }
        }
    }
}

@Suite struct SchemaTextTests {
    @Test(arguments: [
        ("CREATE TABLE a (x INTEGER, y TEXT NOT NULL, z BLOB, w REAL) STRICT;", "CREATE TABLE a (x BIGINT, y TEXT COLLATE \"C\" NOT NULL, z BYTEA, w DOUBLE PRECISION) ;"),
        ("CREATE TABLE a (x INTEGER PRIMARY KEY) STRICT, WITHOUT ROWID;", "CREATE TABLE a (x BIGINT PRIMARY KEY)   ;"),
        ("CREATE TABLE a (x TEXT) WITHOUT ROWID, STRICT;\nSELECT 1, 2", "CREATE TABLE a (x TEXT COLLATE \"C\")   ;\nSELECT 1, 2"),
        ("CREATE TABLE a (text TEXT, \"TEXT\" BLOB) -- TEXT INTEGER", "CREATE TABLE a (text TEXT COLLATE \"C\", \"TEXT\" BYTEA) -- TEXT INTEGER"),
        ("SELECT CAST(x AS TEXT), CAST(y AS INTEGER)", "SELECT CAST(x AS TEXT), CAST(y AS BIGINT)"),
        ("CHECK (x IN ('TEXT', 'it''s BLOB', 'STRICT')) /* REAL; */ , INTEGERS", "CHECK (x IN ('TEXT', 'it''s BLOB', 'STRICT')) /* REAL; */ , INTEGERS"),
        ("a 'unclosed TEXT", "a 'unclosed TEXT"), ("/* open", "/* open"), ("", ""),
    ])
    func wordsAreTranslatedOnlyWhereTheyAreTypes(_ text: String, _ expected: String) {
        #expect(collapsed(SchemaText.postgres(text)) == collapsed(expected))
    }

    private func collapsed(_ text: String) -> String { text.split(separator: " ").joined(separator: " ") }
}
