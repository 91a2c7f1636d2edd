import Dispatch
import Persistence
import TestSupport
import Testing

private struct Stop: Error {}

@Suite struct TransactionTests {
    @Test(arguments: Engine.allCases) func aBodyThatThrowsLeavesNothing(_ engine: Engine) async throws {
        try await TestDatabase.with(engine, migrations: [accounts]) { test in
            await #expect(throws: Stop.self) {
                try await test.database.write { connection in
                    try connection.execute("INSERT INTO account (id, name, balance) VALUES (1, 'a', 1)")
                    throw Stop()
                }
            }
            let left = try await count(test)
            #expect(left == 0)
        }
    }

    @Test(arguments: Engine.allCases) func savepointsNest(_ engine: Engine) async throws {
        try await TestDatabase.with(engine, migrations: [accounts]) { test in
            try await test.database.write { connection in
                func insert(_ id: Int) throws { try connection.execute("INSERT INTO account (id, name, balance) VALUES (\(id), \("n\(id)"), 0)") }
                try insert(1)
                try connection.savepoint {
                    try insert(2)
                    try? connection.savepoint {
                        try insert(3)
                        throw Stop()
                    }
                    try insert(4)
                }
                // A failed statement inside a savepoint does not end the transaction on either engine.
                #expect(throws: DatabaseFailure.self) { try connection.savepoint { try insert(1) } }
                try? connection.savepoint {
                    try insert(5)
                    try connection.savepoint { try insert(6) }
                    throw Stop()
                }
                try insert(7)
            }
            let ids = try await test.database.read { try $0.rows("SELECT id FROM account ORDER BY id").map { try $0.get("id", as: Int.self) } }
            #expect(ids == [1, 2, 4, 7])
        }
    }

    /// What was put off before a savepoint and fails in it has ended the transaction: its cause is told, there and by all that follows.
    @Test(arguments: Engine.allCases) func theFirstCauseIsTold(_ engine: Engine) async throws {
        try await TestDatabase.with(engine, migrations: [accounts]) { test in
            try await test.database.write { try $0.execute("INSERT INTO account (id, name, balance) VALUES (1, 'a', 0)") }
            let inSavepoint = await kind {
                try await test.database.write { connection in
                    try connection.executeLater("INSERT INTO account (id, name, balance) VALUES (1, 'a', 0)")
                    try connection.savepoint { _ = try connection.rows("SELECT id FROM account") }
                }
            }
            #expect(inSavepoint == .unique)
            let afterwards = await kind {
                try await test.database.write { connection in
                    try connection.executeLater("INSERT INTO account (id, name, balance) VALUES (1, 'a', 0)")
                    try? connection.savepoint { try connection.savepoint { _ = try connection.rows("SELECT id FROM account") } }
                    _ = try connection.rows("SELECT id FROM account")
                }
            }
            #expect(afterwards == .unique)
            let swallowed = await kind {
                try await test.database.write { connection in
                    try connection.executeLater("INSERT INTO account (id, name, balance) VALUES (1, 'a', 0)")
                    try? connection.savepoint { _ = try connection.rows("SELECT id FROM account") }
                }
            }
            #expect(swallowed == .unique)
        }
    }

    /// What is put off is done before anybody can look, and fails where it stands.
    @Test(arguments: Engine.allCases) func statementsPutOffStandInTheirPlace(_ engine: Engine) async throws {
        try await TestDatabase.with(engine, migrations: [accounts]) { test in
            try await test.database.write { connection in
                func later(_ id: Int) throws { try connection.executeLater("INSERT INTO account (id, name, balance) VALUES (\(id), \("n\(id)"), 0)") }
                func ids() throws -> [Int] { try connection.rows("SELECT id FROM account ORDER BY id").map { try $0.get("id", as: Int.self) } }
                try later(1)
                #expect(try ids() == [1])
                // Nothing is asked before the savepoint is left: what it put off goes, what stood before it stays.
                try later(2)
                try? connection.savepoint {
                    try later(3)
                    throw Stop()
                }
                #expect(try ids() == [1, 2])
                // The failure belongs to the savepoint that put the statement off, and the transaction goes on.
                #expect(throws: DatabaseFailure.self) { try connection.savepoint { try later(1) } }
                #expect(throws: DatabaseFailure.self) {
                    try connection.savepoint {
                        try later(4)
                        try later(1)
                        _ = try ids()
                    }
                }
                try connection.savepoint {
                    try later(5)
                    #expect(throws: DatabaseFailure.self) { try connection.savepoint { try later(5) } }
                    try connection.savepoint { try later(6) }
                    try connection.savepoint {}
                }
                #expect(try ids() == [1, 2, 5, 6])
                #expect(try connection.execute("UPDATE account SET balance = 1") == 4)
                for id in 100..<300 { try later(id) }
                #expect(try connection.executeAll(["UPDATE account SET balance = 2 WHERE id < 100", "DELETE FROM account WHERE id >= 110"]) == [4, 190])
                try later(7)
            }
            let left = try await test.database.read { try $0.rows("SELECT id FROM account ORDER BY id").map { try $0.get("id", as: Int.self) } }
            #expect(left == [1, 2, 5, 6, 7] + Array(100..<110))
            await #expect(throws: DatabaseFailure.self) {
                try await test.database.write { connection in
                    try connection.executeLater("INSERT INTO account (id, name, balance) VALUES (8, 'n8', 0)")
                    try connection.executeLater("INSERT INTO account (id, name, balance) VALUES (1, 'n1', 0)")
                }
            }
            #expect(try await count(test) == 15, "a transaction whose last statements fail leaves nothing")
        }
    }

    @Test(arguments: Engine.allCases) func aReadSeesOneMoment(_ engine: Engine) async throws {
        try await TestDatabase.with(engine, migrations: [accounts]) { test in
            let opened = AsyncStream<Void>.makeStream()
            let written = DispatchSemaphore(value: 0)
            let database = test.database
            async let seen = database.read { connection in
                let before = try connection.value("SELECT count(*) FROM account", as: Int.self)
                opened.continuation.yield()
                written.wait()
                return [before, try connection.value("SELECT count(*) FROM account", as: Int.self)]
            }
            for await _ in opened.stream { break }
            do {
                defer { written.signal() }
                try await database.write { try $0.execute("INSERT INTO account (id, name, balance) VALUES (1, 'a', 1)") }
            }
            #expect(try await seen == [0, 0])
            #expect(try await count(test) == 1)
        }
    }

    @Test(arguments: Engine.allCases) func twentyWritersLoseNothing(_ engine: Engine) async throws {
        try await TestDatabase.with(engine, migrations: [accounts]) { test in
            try await test.database.write { try $0.execute("INSERT INTO account (id, name, balance) VALUES (1, 'a', 0)") }
            try await withThrowingTaskGroup(of: Void.self) { group in
                for writer in 0..<20 {
                    group.addTask {
                        for turn in 0..<25 {
                            try await test.database.write { connection in
                                try connection.execute("UPDATE account SET balance = balance + 1 WHERE id = 1")
                                try connection.execute("INSERT INTO account (id, name, balance) VALUES (\(100 + writer * 25 + turn), \("\(writer)/\(turn)"), 0)")
                            }
                        }
                    }
                }
                try await group.waitForAll()
            }
            let balance = try await test.database.read { try $0.value("SELECT balance FROM account WHERE id = 1", as: Int.self) }
            #expect(balance == 500)
            #expect(try await count(test) == 501)
        }
    }

    @Test(arguments: Engine.allCases) func batchesAnswerEachStatementAndStopAtTheFirstFailure(_ engine: Engine) async throws {
        try await TestDatabase.with(engine, migrations: [accounts]) { test in
            let counts = try await test.database.write { connection in
                let inserts = (1...400).map { "INSERT INTO account (id, name, balance) VALUES (\($0), \("n\($0)"), \($0 % 7))" as SQL }
                let inserted = try connection.executeAll(inserts)
                let changed = try connection.executeAll(["UPDATE account SET balance = 1 WHERE id <= 10", "DELETE FROM account WHERE id = 9999", "DELETE FROM account WHERE id > 390"])
                let rows = try connection.rowsOfAll(["SELECT count(*) AS n FROM account", "UPDATE account SET balance = 5 WHERE id = 1 RETURNING balance AS n"])
                return [inserted.reduce(0, +)] + changed + (try rows.map { try $0[0].get("n", as: Int.self) })
            }
            #expect(counts == [400, 10, 0, 10, 390, 5])
            #expect(await kind {
                _ = try await test.database.write { connection in
                    try connection.executeAll(["INSERT INTO account (id, name, balance) VALUES (1000, 'x', 0)", "INSERT INTO account (id, name, balance) VALUES (1, 'again', 0)", "INSERT INTO account (id, name, balance) VALUES (1001, 'y', 0)"])
                }
            } == .unique)
            #expect(try await count(test) == 390)
            // The connection is fit for use after a failed batch, also within the same transaction.
            try await test.database.write { connection in
                for turn in 0..<3 {
                    _ = try? connection.savepoint { try connection.executeAll(["INSERT INTO account (id, name, balance) VALUES (1, \("a\(turn)"), 0)"]) }
                }
                try connection.executeAll(["INSERT INTO account (id, name, balance) VALUES (2000, 'last', 0)"])
            }
            #expect(try await count(test) == 391)
        }
    }

    @Test(arguments: Engine.allCases) func walkingRowsMayEndEarlyAndAskMore(_ engine: Engine) async throws {
        try await TestDatabase.with(engine, migrations: [accounts]) { test in
            try await test.database.write { connection in
                try connection.executeAll((1...1_200).map { "INSERT INTO account (id, name, balance) VALUES (\($0), \("n\($0)"), \($0))" })
            }
            let sum = try await test.database.read { connection in
                var sum = 0
                try connection.forEachRow("SELECT id FROM account WHERE id > \(0) ORDER BY id") { row in
                    sum += try connection.value("SELECT balance FROM account WHERE id = \(try row.get("id", as: Int.self))") ?? 0
                }
                return sum
            }
            #expect(sum == 1_200 * 1_201 / 2)
            let walked = try await test.database.read { connection in
                var walked = 0
                try? connection.forEachRow("SELECT id FROM account") { _ in
                    walked += 1
                    if walked == 3 { throw Stop() }
                }
                return walked + (try connection.value("SELECT count(*) FROM account") ?? 0)
            }
            #expect(walked == 1_203)
        }
    }

    @Test(arguments: Engine.allCases) func failuresHaveOneWordOnBothEngines(_ engine: Engine) async throws {
        try await TestDatabase.with(engine, migrations: [accounts]) { test in
            func failure(_ sql: SQL) async -> DatabaseFailure? {
                do { _ = try await test.database.write { try $0.execute(sql) } } catch { return error as? DatabaseFailure }
                return nil
            }
            #expect(await failure("INSERT INTO account (id, name, balance) VALUES (1, 'a', 0)") == nil)
            let primary = await failure("INSERT INTO account (id, name, balance) VALUES (1, 'b', 0)")
            #expect(primary?.kind == .unique && primary?.columns == ["id"])
            let unique = await failure("INSERT INTO account (id, name, balance) VALUES (2, 'a', 0)")
            #expect(unique?.kind == .unique && unique?.columns == ["name", "region"])
            let check = await failure("INSERT INTO account (id, name, balance) VALUES (3, 'c', -1)")
            #expect(check?.kind == .check && check?.constraint == "balance_not_negative")
            let missing = await failure("INSERT INTO account (id, name, balance) VALUES (4, NULL, 0)")
            #expect(missing?.kind == .notNull && missing?.columns == ["name"])
            #expect(await failure("INSERT INTO account (id, name, balance, parent) VALUES (5, 'e', 0, 77)")?.kind == .foreignKey)
            #expect(await failure("INSERT INTO account (id, name, balance) VALUES (\("one"), 'f', 0)") != nil)
            #expect(await failure("INSERT INTO nowhere (id) VALUES (1)")?.kind == .other)
            let left = try await count(test)
            #expect(left == 1)
            #expect(await kind { _ = try await test.database.read { try $0.execute("DELETE FROM account") } } == .readOnly)
        }
    }

    @Test(arguments: Engine.allCases) func aClosedDatabaseSaysSo(_ engine: Engine) async throws {
        let test = try await TestDatabase.make(engine)
        await test.database.close()
        #expect(await kind { _ = try await test.database.read { try $0.rows("SELECT 1") } } == .unavailable)
        #expect(await kind { _ = try await test.database.write { try $0.rows("SELECT 1") } } == .unavailable)
        try await test.remove()
    }

    private func count(_ test: TestDatabase) async throws -> Int {
        try await test.database.read { try $0.value("SELECT count(*) FROM account") ?? -1 }
    }
}

let accounts = Migration(
    number: 1, name: "account",
    text: """
        CREATE TABLE account (
          id INTEGER PRIMARY KEY,
          name TEXT NOT NULL,
          region TEXT NOT NULL DEFAULT 'x',
          balance INTEGER NOT NULL CONSTRAINT balance_not_negative CHECK (balance >= 0),
          parent INTEGER REFERENCES account (id),
          UNIQUE (name, region)
        ) STRICT;
        """)
