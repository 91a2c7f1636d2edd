/// A PostgreSQL database over libpq: a pool of connections for reading and one for writing.
///
/// `read` runs at REPEATABLE READ, READ ONLY: one snapshot. `write` runs at READ COMMITTED: constraints and row locks keep
/// what must hold, and a `.retryable` failure is the caller's to run again. When the server is gone calls throw
/// `.unavailable`, and a connection is made anew by the next call after it has come back.
public final class PostgresDatabase: Database {
    /// How long a connection waits for the server to answer its opening.
    public static let connectTimeoutSeconds = 5
    /// How many calls may wait for a free connection, in each of the two pools.
    public static let waitingLimit = 1_024

    public let dialect = Dialect.postgres
    private let readers: PostgresPool
    private let writers: PostgresPool
    private let lookups: PostgresLookups
    let settings: PostgresSession.Settings

    /// Limits the server keeps for each connection.
    public struct Timeouts: Sendable {
        /// The longest a statement may run, in milliseconds.
        public var statementMs: Int
        /// The longest a statement may wait for a lock, in milliseconds.
        public var lockMs: Int

        public init(statementMs: Int = 60_000, lockMs: Int = 10_000) {
            self.statementMs = statementMs
            self.lockMs = lockMs
        }
    }

    private init(_ settings: PostgresSession.Settings, connections: Int) {
        let writing = max(1, connections / 2)
        let reading = max(1, connections - writing)
        readers = PostgresPool((0..<reading).map { _ in PostgresSession(settings) }, waitingLimit: Self.waitingLimit)
        writers = PostgresPool((0..<writing).map { _ in PostgresSession(settings) }, waitingLimit: Self.waitingLimit)
        lookups = PostgresLookups(settings)
        self.settings = settings
    }

    /// Opens a pool of `connections`, half of them for reading, and makes one connection to see that the server answers.
    ///
    /// - Parameter url: `postgres://user:password@host:port/database`, or any other form libpq reads.
    /// - Throws: `.unavailable` when the server does not answer, `.other` when a pooler stands before it that parts sessions from connections.
    public static func open(url: String, connections: Int = 16, timeouts: Timeouts = Timeouts()) async throws -> PostgresDatabase {
        let settings = PostgresSession.Settings(url: url, timeouts: timeouts)
        try await onQueue { try PostgresPooler.refuse(settings) }
        return PostgresDatabase(settings, connections: connections)
    }

    public func read<T: Sendable>(_ body: @escaping @Sendable (any Connection) throws -> T) async throws -> T {
        try await readers.run(.read, body)
    }

    @discardableResult
    public func write<T: Sendable>(_ body: @escaping @Sendable (any Connection) throws -> T) async throws -> T {
        try await writers.run(.write, body)
    }

    public func rowsBlocking(_ query: SQL) throws -> [Row] { try lookups.rows(query) }

    /// PostgreSQL keeps itself from writing to what failed.
    public var writeStop: String? { nil }

    public func checkpoint() async throws {}

    public func close() async {
        await readers.close()
        await writers.close()
        lookups.close()
    }

    /// Runs a statement that refuses to stand in a transaction, on a connection of its own: CREATE DATABASE and its like. It takes
    /// no parameters and must never hold user text.
    public static func outsideTransaction(url: String, _ text: String) async throws {
        try await onQueue { _ = try PostgresLink(PostgresSession.Settings(url: url, timeouts: Timeouts())).run(text) }
    }
}
