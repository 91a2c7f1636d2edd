import Persistence
import TestSupport
import Testing

/// Kith keeps limits, prepared statements and locks in sessions: a pooler that parts them from connections is refused before it does harm.
@Suite struct PoolerTests {
    @Test(arguments: TestPooler.Mode.allCases) func onlyPoolingBySessionIsTaken(_ mode: TestPooler.Mode) async throws {
        try await TestDatabase.with(.postgres, migrations: [accounts]) { test in
            let pooler = try TestPooler.start(mode, before: test.location)
            defer { pooler.stop() }
            let refused = await opening(pooler.location)
            if mode == .session {
                #expect(refused == nil)
                let database = try await PostgresDatabase.open(url: pooler.location, connections: 4)
                try await database.write { try $0.execute("INSERT INTO account (id, name, balance) VALUES (1, 'a', 0)") }
                await database.close()
                let (one, two) = (PostgresLocks(url: pooler.location), PostgresLocks(url: pooler.location))
                #expect(try await one.tryLock(7))
                #expect(try await !two.tryLock(7))
                await one.unlock(7)
                #expect(try await two.tryLock(7))
                await one.close()
                await two.close()
            } else {
                #expect(refused?.message.contains("pooler") == true && refused?.message.contains("pool_mode") == true, "\(String(describing: refused))")
            }
        }
    }

    /// The failure of opening; waits for the pooler to come up.
    private func opening(_ location: String) async -> DatabaseFailure? {
        for _ in 0..<10_000 {
            let found = await failure { await (try PostgresDatabase.open(url: location, connections: 4)).close() }
            if found?.kind != .unavailable { return found }
            await Task.yield()
        }
        return DatabaseFailure(.unavailable, "the pooler does not come up")
    }
}
