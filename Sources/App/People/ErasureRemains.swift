import Chronology
import Logging
import Persistence
import Synchronization

/// What PostgreSQL still has in its files of rows that were blanked or deleted. Most of what is personal is sealed, and unreadable once
/// the key is gone; of the tables where something could be read, and of the keys themselves, the file is written anew. SQLite overwrites
/// what it deletes.
final class ErasureRemains: Sendable {
    /// Larger tables are not written anew while people work: they could not be used for seconds. `kith jobs run --rewrite` does it.
    static let tableMaxBytes: Int64 = 256 << 20
    /// Between two rewritings of a busy server; erasures meanwhile share one.
    static let pauseMs: Int64 = 10_000

    private struct State {
        var isRunning = false
        var endedAt: Instant?
        var toldTooLarge: Set<String> = []
    }
    private let state = Mutex(State())

    /// Whether the caller shall begin now. Whoever got true calls `end`.
    func begin(at now: Instant, isForced: Bool) -> Bool {
        state.withLock { state in
            let isEarly = state.endedAt.map { now.millisecondsClamped(since: $0) < Self.pauseMs } ?? false
            guard !state.isRunning, isForced || !isEarly else { return false }
            state.isRunning = true
            return true
        }
    }

    /// `didWrite`: whether tables were written; looking alone costs nobody anything.
    func end(at now: Instant, didWrite: Bool) {
        state.withLock { state in
            state.isRunning = false
            if didWrite { state.endedAt = now }
        }
    }

    /// Those of the tables that nobody was told of yet.
    func untold(_ tables: [String]) -> [String] {
        state.withLock { state in tables.filter { state.toldTooLarge.insert($0).inserted } }
    }
}

extension Installation {
    /// Writes anew what somebody was erased from. What can't be done now (an old transaction still sees the rows, a table is in use) is
    /// done as due work. `isForced`: at once, and however large the tables are.
    func rewriteErased(isForced: Bool = false) async {
        guard main.dialect == .postgres, remains.begin(at: world.now(), isForced: isForced) else { return }
        var didWrite = false
        for database in [main, keys] {
            do {
                if try await rewriteErased(database, isForced: isForced) { didWrite = true }
            } catch {
                logger.error("Tables could not be written anew after an erasure; it is tried again", metadata: ["error": "\(error)"])
            }
        }
        remains.end(at: world.now(), didWrite: didWrite)
    }

    /// Whether there was something to write, and nobody in the way.
    private func rewriteErased(_ database: any Database, isForced: Bool) async throws -> Bool {
        guard let postgres = database as? PostgresDatabase else { return false }
        let notes = try await postgres.read { connection in try RemainsStore.notes(includesLarge: isForced, on: connection) }
        guard let last = notes.last, try await postgres.isSettled(last.transaction) else { return false }
        let tables = Set(notes.flatMap(\.tables)).intersection(RemainsStore.tables).sorted()
        let left = try await postgres.rewrite(tables, bytesMax: isForced ? .max : ErasureRemains.tableMaxBytes)
        try await postgres.write { connection in
            for note in notes {
                let kept = note.tables.filter { left.busy.contains($0) || left.tooLarge.contains($0) }
                try RemainsStore.put(note.transaction, kept, isLarge: !kept.contains { left.busy.contains($0) }, on: connection)
            }
        }
        for table in remains.untold(left.tooLarge) {
            logger.warning(
                "Somebody was erased from a table too large to be written anew while people work. Run kith jobs run --rewrite when few do",
                metadata: ["table": "\(table)"])
        }
        return true
    }

    /// Erasures whose text may still stand in files of PostgreSQL.
    func erasureRemains() async throws -> Int64 {
        var count: Int64 = 0
        for database in [main, keys] { count += try await database.read { connection in try RemainsStore.count(on: connection) } }
        return count
    }
}

enum RemainsStore {
    /// Tables in which something can be read that names a person.
    static let tables: Set<String> = [
        "adjustment", "application", "click", "commission_decision", "customer_binding", "earned_action", "group_move", "idempotency", "lead", "link", "link_variant", "member_merge",
        "party", "person_key", "redemption", "refund", "sale", "wallet_movement",
    ]
    /// Notes taken at a time.
    private static let notesMax = 1_000

    struct Note: Sendable {
        var transaction: Int64
        var tables: [String]
    }

    /// Notes that the transaction of `connection` takes text out of these tables.
    static func note(_ tables: Set<String>, on connection: any Connection) throws {
        guard connection.dialect == .postgres, !tables.isEmpty else { return }
        let number = try PostgresDatabase.transactionNumber(on: connection)
        let known: String? = try connection.value("SELECT tables FROM erasure_remains WHERE transaction_number = \(number)")
        try put(number, tables.union(known.map(split) ?? []).sorted(), isLarge: false, on: connection)
    }

    /// The oldest first; those of which only large tables are left when asked for.
    static func notes(includesLarge: Bool, on connection: any Connection) throws -> [Note] {
        let which: SQL = includesLarge ? "" : "WHERE is_large = 0"
        return try connection.rows(
            "SELECT transaction_number, tables FROM erasure_remains \(sql: which) ORDER BY transaction_number LIMIT \(notesMax)"
        ).map { Note(transaction: try $0.get(at: 0), tables: split(try $0.get(at: 1))) }
    }

    static func put(_ number: Int64, _ tables: [String], isLarge: Bool, on connection: any Connection) throws {
        try connection.execute("DELETE FROM erasure_remains WHERE transaction_number = \(number)")
        guard !tables.isEmpty else { return }
        try connection.execute(
            "INSERT INTO erasure_remains (transaction_number, tables, is_large) VALUES (\(number), \(tables.joined(separator: " ")), \(isLarge))")
    }

    static func count(on connection: any Connection) throws -> Int64 { try connection.value("SELECT count(*) FROM erasure_remains") ?? 0 }

    private static func split(_ text: String) -> [String] { text.split(separator: " ").map(String.init) }
}
