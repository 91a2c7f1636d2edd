import Persistence
import TestSupport
import Testing

@Suite struct PostgresTests {
    @Test func anAbsentServerIsUnavailable() async throws {
        #expect(await kind { _ = try await PostgresDatabase.open(url: "postgres://nobody@/none?host=/nonexistent") } == .unavailable)
    }

    @Test func aTerminatedConnectionIsMadeAnew() async throws {
        try await TestDatabase.with(.postgres, connections: 2, migrations: [accounts]) { test in
            let other = try await test.openAgain(connections: 2)
            // Ends every connection but the one that asks.
            for _ in 0..<3 {
                try await other.write { connection in
                    _ = try connection.rows("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()")
                }
                try await test.database.write { try $0.execute("DELETE FROM account") }
                #expect(try await test.database.read { try $0.value("SELECT count(*) FROM account", as: Int.self) } == 0)
            }
            // In the middle of a transaction it is the caller who must decide.
            #expect(await kind {
                try await test.database.write { connection in
                    _ = try connection.rows("SELECT pg_terminate_backend(pg_backend_pid())")
                    _ = try connection.rows("SELECT 1")
                }
            } == .unavailable)
            try await test.database.write { try $0.execute("DELETE FROM account") }
            await other.close()
        }
    }

    @Test func aServerThatCrashesIsUnavailableUntilItIsBack() async throws {
        let server = TestPostgresServer()
        let database = try await PostgresDatabase.open(url: try server.start(), connections: 2)
        try await Migrator.migrate(database, timeline: "main", migrations: [accounts])
        try await database.write { try $0.execute("INSERT INTO account (id, name, balance) VALUES (1, 'a', 0)") }
        try server.crash()
        for _ in 0..<3 {
            #expect(await kind { _ = try await database.write { try $0.execute("DELETE FROM account") } } == .unavailable)
            #expect(await kind { _ = try await database.read { try $0.rows("SELECT 1") } } == .unavailable)
        }
        _ = try server.start()
        let count = try await database.read { try $0.value("SELECT count(*) FROM account", as: Int.self) }
        #expect(count == 1)
        try await database.write { try $0.execute("DELETE FROM account") }
        await database.close()
        try server.remove()
    }

    @Test func locksAreSeenByEveryOwner() async throws {
        try await TestDatabase.with(.postgres) { test in
            let (one, two) = (PostgresLocks(url: test.location), PostgresLocks(url: test.location))
            #expect(try await one.tryLock(7))
            #expect(try await !two.tryLock(7), "without waiting")
            #expect(try await two.tryLock(8))
            await one.unlock(7)
            #expect(try await two.tryLock(7), "free as soon as unlock returns")
            // Many at once, in few round trips.
            let taken = try await withThrowingTaskGroup(of: Bool.self) { group in
                for number in 100..<400 { group.addTask { try await (number.isMultiple(of: 2) ? one : two).tryLock(Int64(number / 2)) } }
                return try await group.reduce(0) { $0 + ($1 ? 1 : 0) }
            }
            #expect(taken == 150)
            // An owner that is gone holds nothing.
            try await test.database.write { connection in
                _ = try connection.rows("SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND objid = 8 AND pid <> pg_backend_pid()")
            }
            while try await !one.tryLock(8) { await Task.yield() }
            await two.unlock(8)
            await one.close()
            await two.close()
        }
    }

    @Test(arguments: Engine.allCases) func rowsAreReadInsideATransactionOfAnotherDatabase(_ engine: Engine) async throws {
        try await TestDatabase.with(engine, migrations: [accounts]) { test in
            try await TestDatabase.with(engine, migrations: [accounts]) { other in
                try await other.database.write { try $0.execute("INSERT INTO account (id, name, balance) VALUES (7, 'g', 70)") }
                let found = try await withThrowingTaskGroup(of: Int.self) { group in
                    for _ in 0..<20 {
                        group.addTask {
                            try await test.database.write { connection in
                                try connection.execute("UPDATE account SET balance = 1")
                                return try other.database.rowsBlocking("SELECT balance FROM account WHERE id = \(7)").first?.get(at: 0) ?? -1
                            }
                        }
                    }
                    return try await group.reduce(into: []) { $0.append($1) }
                }
                #expect(found == Array(repeating: 70, count: 20))
            }
        }
    }

    @Test func aSwallowedFailureCannotCommit() async throws {
        try await TestDatabase.with(.postgres, migrations: [accounts]) { test in
            #expect(await kind {
                try await test.database.write { connection in
                    try connection.execute("INSERT INTO account (id, name, balance) VALUES (1, 'a', 0)")
                    _ = try? connection.execute("INSERT INTO nowhere VALUES (1)")
                }
            } == .other)
            let count = try await test.database.read { try $0.value("SELECT count(*) FROM account", as: Int.self) }
            #expect(count == 0)
        }
    }

    @Test func aLockHeldTooLongIsRetryable() async throws {
        try await TestDatabase.with(.postgres, migrations: [accounts]) { test in
            let impatient = try await PostgresDatabase.open(
                url: test.location, connections: 2, timeouts: PostgresDatabase.Timeouts(statementMs: 5_000, lockMs: 50))
            try await test.database.write { try $0.execute("INSERT INTO account (id, name, balance) VALUES (1, 'a', 0)") }
            let (held, done) = (AsyncStream<Void>.makeStream(), AsyncStream<Void>.makeStream())
            async let holder: Void = hold(test.database, held.continuation, done.stream)
            for await _ in held.stream { break }
            #expect(await kind { _ = try await impatient.write { try $0.execute("UPDATE account SET balance = 1") } } == .retryable)
            done.continuation.yield()
            try await holder
            await impatient.close()
        }
    }

    @Test func moreStatementsThanAreKeptPrepared() async throws {
        try await TestDatabase.with(.postgres, migrations: [accounts]) { test in
            let sum = try await test.database.write { connection in
                var sum = 0
                for number in 0..<1_100 { sum += try connection.value("SELECT \(number) + \(raw: String(number))") ?? 0 }
                let rows = try connection.rowsOfAll((0..<300).map { "SELECT \($0) + \(raw: String($0)) AS n, 'batch'" })
                return try rows.reduce(sum) { $0 + (try $1[0].get("n", as: Int.self)) }
            }
            #expect(sum == 1_100 * 1_099 + 300 * 299)
        }
    }
}

/// Keeps a row locked until `done` says so.
private func hold(_ database: any Database, _ held: AsyncStream<Void>.Continuation, _ done: AsyncStream<Void>) async throws {
    let released = Released()
    async let waiting: Void = { for await _ in done { break }; released.signal() }()
    try await database.write { connection in
        try connection.execute("UPDATE account SET balance = 2 WHERE id = 1")
        held.yield()
        released.wait()
    }
    await waiting
}
