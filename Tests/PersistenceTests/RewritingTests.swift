import Foundation
import Persistence
import TestSupport
import Testing

/// What was deleted from PostgreSQL is in none of its files after the table was written anew.
@Suite struct RewritingTests {
    private static let notes = Migration(
        number: 1, name: "notes", text: "CREATE TABLE note (id INTEGER NOT NULL PRIMARY KEY, text TEXT NOT NULL) STRICT;\nCREATE INDEX note_text ON note (text);")

    @Test func whatWasDeletedLeavesTheFiles() async throws {
        try await TestDatabase.with(.postgres, migrations: [Self.notes]) { test in
            let database = try #require(test.database as? PostgresDatabase)
            let (gone, kept) = ("gone-\(UUID().uuidString)", "kept-\(UUID().uuidString)")
            try await database.write { connection in
                for id in 0..<20 { try connection.execute("INSERT INTO note (id, text) VALUES (\(id), \("\(id.isMultiple(of: 2) ? gone : kept) \(id)"))") }
            }
            let number = try await database.write { connection in
                try connection.execute("DELETE FROM note WHERE text LIKE \(gone + "%")")
                return try PostgresDatabase.transactionNumber(on: connection)
            }
            // Vacuumed it is free space, in which the text still stands.
            try await PostgresDatabase.outsideTransaction(url: test.location, "VACUUM note")
            try await PostgresDatabase.outsideTransaction(url: test.location, "CHECKPOINT")
            let files = try await DataFiles.of(database)
            #expect(files.hold(gone) && files.hold(kept), "the test looks where the text is")
            while try await !database.isSettled(number) { await Task.yield() }
            let left = try await database.rewrite(["note"], bytesMax: .max)
            #expect(left.busy == [] && left.tooLarge == [])
            #expect(!files.hold(gone))
            #expect(files.hold(kept))
            #expect(try await database.rewrite(["note"], bytesMax: 1).tooLarge == ["note"])
        }
    }

    @Test func anOldSnapshotIsWaitedFor() async throws {
        try await TestDatabase.with(.postgres, migrations: [Self.notes]) { test in
            let database = try #require(test.database as? PostgresDatabase)
            try await database.write { try $0.execute("INSERT INTO note (id, text) VALUES (1, 'a')") }
            let (begun, ended) = (Released(), Released())
            async let reading: Int? = database.read { connection in
                _ = try connection.rows("SELECT id FROM note")
                begun.signal()
                ended.wait()
                return try connection.value("SELECT count(*) FROM note")
            }
            await Task.detached { begun.wait() }.value
            let number = try await database.write { connection in
                try connection.execute("DELETE FROM note")
                return try PostgresDatabase.transactionNumber(on: connection)
            }
            #expect(try await !database.isSettled(number), "somebody still reads the row")
            ended.signal()
            #expect(try await reading == 1)
            while try await !database.isSettled(number) { await Task.yield() }
            // Numbers of a server that this database was copied from say nothing here.
            #expect(try await database.isSettled(number + 1_000_000))
        }
    }

    @Test func aTableInUseIsLeftForLater() async throws {
        try await TestDatabase.with(.postgres, migrations: [Self.notes]) { test in
            let database = try #require(test.database as? PostgresDatabase)
            let (begun, ended) = (Released(), Released())
            async let reading: Void = database.read { connection in
                _ = try connection.rows("SELECT id FROM note")
                begun.signal()
                ended.wait()
            }
            await Task.detached { begun.wait() }.value
            #expect(try await database.rewrite(["note"], bytesMax: .max).busy == ["note"])
            ended.signal()
            try await reading
            #expect(try await database.rewrite(["note"], bytesMax: .max).busy == [])
        }
    }
}
