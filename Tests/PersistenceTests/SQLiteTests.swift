import Foundation
import Persistence
import TestSupport
import Testing

@Suite struct SQLiteTests {
    @Test func commitsAreDurable() async throws {
        try await TestDatabase.with(.sqlite) { test in
            let settings = try await test.database.write { connection in
                try ["synchronous", "foreign_keys", "secure_delete"].map { try connection.value("PRAGMA \(raw: $0)", as: Int.self) }
            }
            #expect(settings == [2, 1, 1])
            #expect(try await test.database.read { try $0.value("PRAGMA journal_mode", as: String.self) } == "wal")
        }
    }

    @Test func aSecondWriterIsRefusedAndAReaderIsNot() async throws {
        try await TestDatabase.with(.sqlite, migrations: [accounts]) { test in
            #expect(await kind { _ = try await test.openAgain() } == .locked)
            let link = test.location + "-link"
            try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: test.location)
            #expect(await kind { _ = try await SQLiteDatabase.open(path: link) } == .locked)
            // Another name of the same file has another write-ahead log: two writers would destroy it.
            let hard = test.location + "-hard"
            try FileManager.default.linkItem(atPath: test.location, toPath: hard)
            #expect(await kind { _ = try await SQLiteDatabase.open(path: hard) } == .locked)
            let reader = try await test.openAgain(readOnly: true)
            try await test.database.write { try $0.execute("INSERT INTO account (id, name, balance) VALUES (1, 'a', 0)") }
            #expect(try await reader.read { try $0.value("SELECT count(*) FROM account", as: Int.self) } == 1)
            #expect(await kind { _ = try await reader.write { try $0.execute("DELETE FROM account") } } == .readOnly)
            await reader.close()
            await test.database.close()
            let next = try await test.openAgain()
            #expect(try await next.read { try $0.value("SELECT count(*) FROM account", as: Int.self) } == 1)
            await next.close()
        }
    }

    @Test func aMissingOrForeignFileIsRefused() async throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("kith-test-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let path = folder.appendingPathComponent("x.sqlite").path
        #expect(await kind { _ = try await SQLiteDatabase.open(path: path, mayCreate: false) } == .other)
        #expect(await kind { _ = try await SQLiteDatabase.open(path: path, readOnly: true) } == .other)
        try Data(repeating: 65, count: 8_192).write(to: URL(fileURLWithPath: path))
        for readOnly in [false, true] {
            let failure = await failure { _ = try await SQLiteDatabase.open(path: path, readOnly: readOnly) }
            #expect(failure?.kind == .corrupt)
            #expect(failure?.message.hasPrefix("\(path) is no SQLite database") == true, "the file is named: \(failure?.message ?? "")")
        }
        #expect(try Data(contentsOf: URL(fileURLWithPath: path)) == Data(repeating: 65, count: 8_192), "it is left as it is")
    }

    /// The system frees the lock of a killed process only when all of it is gone: who starts at once waits that long.
    @Test func anOpeningMayWaitForAProcessThatIsEnding() async throws {
        try await TestDatabase.with(.sqlite, migrations: [accounts]) { test in
            let holder = Process()
            holder.executableURL = URL(fileURLWithPath: "/usr/bin/flock")
            // Holds the lock as another Kith would that takes a second to end.
            holder.arguments = ["--exclusive", test.location + ".lock", "sh", "-c", "echo held; sleep 1"]
            let output = Pipe()
            holder.standardOutput = output
            await test.database.close()
            try holder.run()
            #expect(output.fileHandleForReading.availableData == Data("held\n".utf8))
            #expect(await kind { _ = try await test.openAgain() } == .locked, "at once")
            let database = try await SQLiteDatabase.open(path: test.location, lockWaitMs: SQLiteDatabase.lockWaitMaxMs)
            #expect(try await database.read { try $0.value("SELECT count(*) FROM account", as: Int.self) } == 0)
            // Who is there to stay is waited for in vain, and not for long.
            #expect(await kind { _ = try await SQLiteDatabase.open(path: test.location, lockWaitMs: 50) } == .locked)
            await database.close()
            holder.waitUntilExit()
        }
    }

    @Test func aBackupTakenWhileWritingIsWhole() async throws {
        try await TestDatabase.with(.sqlite, migrations: [accounts]) { test in
            let database = try #require(test.database as? SQLiteDatabase)
            let copy = test.location + ".backup"
            async let writing: Void = {
                for id in 0..<200 {
                    try await database.write { connection in
                        try connection.execute("INSERT INTO account (id, name, balance) VALUES (\(id * 2), \("a\(id)"), 1)")
                        try connection.execute("INSERT INTO account (id, name, balance) VALUES (\(id * 2 + 1), \("b\(id)"), 1)")
                    }
                }
            }()
            try await database.backup(to: copy)
            try await writing
            let restored = try await SQLiteDatabase.open(path: copy, mayCreate: false)
            let found = try await restored.read { connection in
                (try connection.value("PRAGMA integrity_check", as: String.self), try connection.value("SELECT count(*) FROM account", as: Int.self) ?? -1)
            }
            #expect(found.0 == "ok")
            #expect(found.1 % 2 == 0)
            await restored.close()
            #expect(await kind { try await database.backup(to: copy) } == .other)
        }
    }

    @Test func aCheckpointEmptiesTheLog() async throws {
        try await TestDatabase.with(.sqlite, migrations: [accounts]) { test in
            try await test.database.write { try $0.execute("INSERT INTO account (id, name, balance) VALUES (1, 'a', 0)") }
            try await test.database.checkpoint()
            let size = try FileManager.default.attributesOfItem(atPath: test.location + "-wal")[.size] as? Int
            #expect(size == 0)
        }
    }

    @Test func writingStopsAfterTheDiskFailed() async throws {
        try await TestDatabase.with(.sqlite, migrations: [accounts]) { test in
            let database = try #require(test.database as? SQLiteDatabase)
            database.simulateDiskFailure("disk I/O error")
            #expect(database.writeStop?.contains("disk I/O error") == true)
            #expect(await kind { _ = try await database.write { try $0.execute("DELETE FROM account") } } == .disk)
            #expect(try await database.read { try $0.value("SELECT count(*) FROM account", as: Int.self) } == 0)
        }
    }

    /// A file that a write found damaged is not written to any more, wherever; the parts that are whole can be read.
    @Test(arguments: [false, true]) func writingStopsWhenTheFileIsDamaged(isSwallowed: Bool) async throws {
        try await TestDatabase.with(.sqlite, migrations: [accounts]) { test in
            try await test.database.write { connection in
                try connection.executeScript("CREATE TABLE victim (id INTEGER PRIMARY KEY, text TEXT NOT NULL) STRICT")
                for id in 0..<500 { try connection.execute("INSERT INTO victim (id, text) VALUES (\(id), \(String(repeating: "x", count: 100)))") }
            }
            let root = try await test.database.read { try $0.value("SELECT rootpage FROM sqlite_master WHERE name = 'victim'", as: Int.self) }
            try await test.database.checkpoint()
            await test.database.close()
            let file = try FileHandle(forUpdating: URL(fileURLWithPath: test.location))
            try file.seek(toOffset: UInt64(4_096 * ((root ?? 0) - 1)))
            try file.write(contentsOf: Data(repeating: 0xff, count: 64))
            try file.close()

            let database = try await SQLiteDatabase.open(path: test.location)
            #expect(database.writeStop == nil)
            try await database.write { try $0.execute("INSERT INTO account (id, name, balance) VALUES (1, 'a', 0)") }
            #expect(await kind {
                try await database.write { connection in
                    try connection.execute("INSERT INTO account (id, name, balance) VALUES (2, 'b', 0)")
                    if isSwallowed {
                        _ = try? connection.savepoint { try connection.execute("INSERT INTO victim (id, text) VALUES (1000, 'y')") }
                    } else {
                        try connection.execute("INSERT INTO victim (id, text) VALUES (1000, 'y')")
                    }
                }
            } == .corrupt)
            #expect(database.writeStop != nil)
            #expect(await kind { _ = try await database.write { try $0.execute("INSERT INTO account (id, name, balance) VALUES (3, 'c', 0)") } } == .corrupt)
            #expect(try await database.read { try $0.value("SELECT count(*) FROM account", as: Int.self) } == 1)
            await database.close()
        }
    }

    /// What the program itself calls corrupt, of one row, stops nobody else.
    @Test func aRowThatMakesNoSenseStopsNothing() async throws {
        try await TestDatabase.with(.sqlite, migrations: [accounts]) { test in
            #expect(await kind { try await test.database.write { _ in throw DatabaseFailure(.corrupt, "this row makes no sense") } } == .corrupt)
            #expect(test.database.writeStop == nil)
            try await test.database.write { try $0.execute("INSERT INTO account (id, name, balance) VALUES (1, 'a', 0)") }
        }
    }

    @Test func oneInMemoryNeedsNoFile() async throws {
        let database = try await SQLiteDatabase.inMemory()
        try await Migrator.migrate(database, timeline: "main", migrations: [accounts])
        try await database.write { try $0.execute("INSERT INTO account (id, name, balance) VALUES (1, 'a', 0)") }
        #expect(try await database.read { try $0.value("SELECT count(*) FROM account", as: Int.self) } == 1)
        await database.close()
    }
}
