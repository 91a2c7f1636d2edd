import Chronology
import Foundation
import Persistence
import TestSupport
import Testing
import Web

@testable import App

/// The keys of people are a store of their own: the main database alone brings nobody back, and no crash between the two loses anybody.
@Suite struct KeyStoreTests {
    static let email = "anna@members.test"

    /// An older copy of the main database, made by whatever means and put beside the keys as they are now.
    @Test(arguments: Engine.allCases) func anOlderDumpOfTheMainDatabaseBringsNobodyBack(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let (anna, _) = try await app.someHistory()
            let root = try await app.get("/members")["data"].list.map { $0["id"].text }.first { $0 != anna } ?? ""
            try await OtherPlace.with(app) { settings, folder in
                try await Self.dumpMain(app, folder)
                guard let (person, workspace) = try await app.installation.person(named: anna) else { throw Refusal.unknown("person") }
                try await app.installation.erase(person: person, in: workspace, actor: .command)
                try await Self.restoreMain(app, settings, folder)

                var there = settings
                if engine == .postgres { there.keysDatabase = KeysDatabase.replaceName(app.location, by: (KeysDatabase.databaseName(app.location) ?? "") + "_keys") }
                let restored = try await Installation.open(there, world: app.installation.world, logger: Commands.quiet)
                let kept = try await restored.main.read { connection in
                    try connection.rows("SELECT field FROM person_field WHERE person_id = \(person)").count
                }
                #expect(kept == 0, "the fields are erased once more")
                #expect(try await restored.person(named: anna) != nil)
                let other = try await restored.person(named: root)?.person
                let names = try await restored.main.read { connection in
                    try PersonStore.fields(of: [person, other].compactMap { $0 }, [.name], vault: restored.vault, on: connection)
                }
                #expect(names[person] == nil)
                #expect(other.flatMap { names[$0]?[.name] } == "root")
                let found = try await Verification.run(main: restored.main, clicks: restored.clicks, keys: restored.keys).findings
                #expect(found.map(\.detail) == [])
                await restored.close()
            }
        }
    }

    /// A dump of the main database holds neither keys nor what could open them.
    @Test func theMainDatabaseOfPostgreSQLHasNoKeys() async throws {
        try await AppHarness.with(.postgres) { app in
            _ = try await app.someHistory()
            let tables = try await app.rowCounts()
            #expect(tables["person"] ?? 0 > 0)
            #expect(tables["person_key"] == nil && tables["tombstone"] == nil && tables["schema_migration_keys"] == nil)
            let wrapped = try await app.installation.keys.read { connection in
                try connection.rows("SELECT wrapped FROM person_key").map { try $0.get(at: 0, as: [UInt8].self) }
            }
            #expect(!wrapped.isEmpty)
            let hexadecimal = wrapped.map { bytes in bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined() }
            #expect(try await app.search(for: hexadecimal) == [])
        }
    }

    /// An installation of before: its keys stand in the main database.
    @Test func keysInTheMainDatabaseAreMoved() async throws {
        try await AppHarness.with(.postgres) { app in
            let (anna, customer) = try await app.someHistory()
            try await app.eraseCustomer(customer)
            try await Self.putKeysIntoMain(app)
            #expect(try await KeyMove.isNeeded(app.installation.main))
            try await app.withSecondServer { (moved: AppHarness) async throws in
                #expect(try await moved.get("/members/\(anna)")["email"].text == Self.email)
                let tables = try await moved.rowCounts()
                #expect(tables.keys.filter { $0.hasPrefix("person_key") || $0.hasPrefix("tombstone") || $0 == "schema_migration_keys" } == [])
                let tombstones = try await moved.installation.keys.read { connection in try KeyStore.tombstoneCount(on: connection) }
                #expect(tombstones == 1)
                #expect(try await moved.findings() == [])
            }
        }
    }

    /// A move that was cut short after its first step goes on.
    @Test func aMoveThatWasCutShortGoesOn() async throws {
        try await AppHarness.with(.postgres) { app in
            let (anna, _) = try await app.someHistory()
            try await Self.putKeysIntoMain(app)
            try await app.installation.main.write { connection in try KeyMoveStore.setAside(on: connection) }
            try await app.withSecondServer { (moved: AppHarness) async throws in
                #expect(try await moved.get("/members/\(anna)")["email"].text == Self.email)
                #expect(try await moved.findings() == [])
            }
        }
    }

    /// The process died after it erased the person's rows and before it destroyed the key.
    @Test(arguments: Engine.allCases) func anErasureThatWasCutShortIsFinished(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let (anna, _) = try await app.someHistory()
            let installation = app.installation
            let program = try await app.get("/programs")["data"].list.first["id"].text
            try await app.link(program, anna, code: "anna-logtrace-2b")
            guard let (person, workspace) = try await installation.person(named: anna) else { throw Refusal.unknown("person") }
            let key = try await installation.write(workspace, actor: .command) { write -> PersonKeyID in
                let key = try ErasureStore.erase(person, at: write.world.now(), in: write)
                try KeyStore.noteToDestroy(key, on: write.connection)
                return key
            }
            #expect(try await app.present([key]) == [key])
            #expect(try await app.findings() == [], "an erasure under way is no fault")
            try await installation.finishErasures()
            #expect(try await app.present([key]) == [])
            #expect(try await app.search(for: ["anna-logtrace-2b"]) == [], "nor does a log hold what was erased")
            #expect(try await app.findings() == [])
        }
    }

    @Test func anotherServerForgetsTheKey() async throws {
        try await AppHarness.with(.postgres) { app in
            let (anna, _) = try await app.someHistory()
            try await app.withSecondServer { other in
                #expect(try await other.get("/members/\(anna)")["email"].text == Self.email)
                guard let (person, workspace) = try await app.installation.person(named: anna) else { throw Refusal.unknown("person") }
                let key: PersonKeyID? = try await app.installation.main.read { connection in
                    try connection.value("SELECT key_id FROM person WHERE id = \(person)")
                }
                guard let key else { throw Refusal.unknown("person") }
                try await app.installation.erase(person: person, in: workspace, actor: .command)
                #expect(!app.installation.vault.remembers(key))
                #expect(other.installation.vault.remembers(key), "the other has read it before")
                // What it remembers opens nothing and seals nothing any more.
                #expect(try await other.get("/members/\(anna)")["email"] == .some(.null))
                let usable = try await other.installation.main.read { connection in
                    try PersonStore.key(of: person, vault: other.installation.vault, on: connection) != nil
                }
                #expect(!usable)
                try await other.installation.keepKeys()
                #expect(!other.installation.vault.remembers(key))
            }
        }
    }

    /// Keys that were made for nobody go after 30 days; nobody gets one that is about to go.
    @Test(arguments: Engine.allCases) func keysNobodyUsesAreSwept(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let program = try await app.program()
            let anna = try await app.member(program, "anna")
            func count() async throws -> Int64 {
                try await app.installation.keys.read { connection in try connection.value("SELECT count(*) FROM person_key") ?? 0 }
            }
            let before = try await count()
            #expect(before >= Int64(Vault.sparesMade))
            app.clock.advance(ms: Installation.unusedKeysKeptMs - 1)
            try await app.installation.keepKeys()
            #expect(try await count() == before)
            app.clock.advance(ms: 2)
            for _ in 0...(before / Int64(KeyStore.pageRows)) { try await app.installation.keepKeys() }
            let kept = try await count()
            #expect(kept < 10, "people and operators keep theirs")
            let bert = try await app.member(program, "bert")
            #expect(try await app.get("/members/\(bert)")["email"].text == "bert@members.test")
            try await app.installation.keepKeys()
            #expect(try await app.get("/members/\(anna)")["email"].text == Self.email)
            #expect(try await app.findings() == [])
        }
    }

    @Test(arguments: Engine.allCases) func whatWasMadeAheadIsGivenBack(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            try await app.installation.vault.giveBackSpares()
            let left: Int64 = try await app.installation.keys.read { connection in try connection.value("SELECT count(*) FROM person_key") ?? 0 }
            #expect(left < 10)
            #expect(try await app.findings() == [])
            _ = try await app.member(try await app.program(), "anna")
            #expect(try await app.findings() == [])
        }
    }

    // MARK: Finding the store

    @Test func aStoreOfAnotherDatabaseIsRefused() async throws {
        try await AppHarness.with(.postgres) { app in
            let empty = try await TestDatabase.make(.postgres, connections: 2)
            await empty.database.close()
            let refusal = await #expect(throws: Problem.self) {
                try await app.withSecondServer(settings: { $0.keysDatabase = empty.location }) { _ in }
            }
            #expect(refusal?.code == "keys_missing")
            try await empty.remove()
            await #expect(throws: SettingFailure.self, "the main database itself") {
                try await app.withSecondServer(settings: { $0.keysDatabase = $0.database }) { _ in }
            }
        }
    }

    @Test func whoMayNotMakeTheStoreIsTold() async throws {
        try await AppHarness.with(.postgres) { app in
            let role = "kith_plain_\(UUID().uuidString.prefix(8).lowercased())"
            let bare = try await TestDatabase.make(.postgres, connections: 2)
            await bare.database.close()
            try await PostgresDatabase.outsideTransaction(url: bare.location, "CREATE ROLE \(role) LOGIN")
            try await PostgresDatabase.outsideTransaction(url: bare.location, "GRANT ALL ON SCHEMA public TO \(role)")
            var settings = app.installation.settings
            settings.database = bare.location.replacingOccurrences(of: "postgres@", with: "\(role)@")
            let plain = settings
            let refusal = await #expect(throws: Problem.self) { try await Installation.open(plain, logger: Commands.quiet).close() }
            #expect(refusal?.code == "keys_database_missing")
            #expect(refusal?.detail.contains("KITH_KEYS_DATABASE") == true)
            try await bare.remove()
            try await PostgresDatabase.outsideTransaction(url: app.location, "DROP ROLE \(role)")
        }
    }

    @Test(arguments: [
        ("postgres://kith:secret@db.example:5432/kith", "kith", "postgres://kith:secret@db.example:5432/other"),
        ("postgres://kith@/kith?host=/run/postgresql", "kith", "postgres://kith@/other?host=/run/postgresql"),
        ("postgresql://one:5432,two:5432/kith?target_session_attrs=read-write", "kith", "postgresql://one:5432,two:5432/other?target_session_attrs=read-write"),
        ("postgres://kith@db.example", nil, "postgres://kith@db.example/other"),
        ("postgres://db.example/?dbname=kith&sslmode=require", "kith", "postgres://db.example/other?sslmode=require"),
    ]) func theNameInAURLIsReplaced(_ url: String, _ name: String?, _ other: String) {
        #expect(KeysDatabase.databaseName(url) == name)
        #expect(KeysDatabase.replaceName(url, by: "other") == other)
    }

    // MARK: Other places

    private static func dumpMain(_ app: AppHarness, _ folder: String) async throws {
        switch app.engine {
        case .sqlite: try await app.installation.main.backUp(to: folder + "/kith.sqlite")
        case .postgres: try await PostgresTools.dump(app.location, to: folder + "/dump")
        }
    }

    private static func restoreMain(_ app: AppHarness, _ settings: Settings, _ folder: String) async throws {
        switch app.engine {
        case .sqlite:
            try await app.installation.clicks.backUp(to: folder + "/kith.sqlite.clicks")
            try await app.installation.keys.backUp(to: folder + "/kith.sqlite.keys")
        case .postgres: try await PostgresTools.restore(settings.database, path: folder + "/dump", replaces: false)
        }
    }

    /// As versions of before had it.
    private static func putKeysIntoMain(_ app: AppHarness) async throws {
        let first = Schema.migrations(Embedded.files(.keySchema)).prefix(1)
        try await Migrator.migrate(app.installation.main, timeline: "keys", migrations: Array(first))
        try await KeyStore.copy(from: app.installation.keys, to: app.installation.main)
        try await app.installation.keys.write { connection in
            try connection.execute("DELETE FROM person_key")
            try connection.execute("DELETE FROM tombstone")
        }
    }
}

extension AppHarness {
    /// What `kith verify` finds.
    func findings() async throws -> [String] {
        try await Verification.run(main: installation.main, clicks: installation.clicks, keys: installation.keys).findings.map { "\($0.kind): \($0.detail)" }
    }

    func present(_ keys: [PersonKeyID]) async throws -> Set<PersonKeyID> {
        try await installation.keys.read { connection in try KeyStore.present(keys, on: connection) }
    }
}
