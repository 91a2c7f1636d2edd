/// A database of either engine. Everything above this seam writes one SQL text and reads `Row`s.
public protocol Database: Sendable {
    var dialect: Dialect { get }

    /// Runs `body` on a consistent snapshot; nothing it does is kept. Many may run at a time.
    func read<T: Sendable>(_ body: @escaping @Sendable (any Connection) throws -> T) async throws -> T

    /// Runs `body` in one transaction: committed durably when it returns, rolled back when it throws.
    @discardableResult
    func write<T: Sendable>(_ body: @escaping @Sendable (any Connection) throws -> T) async throws -> T

    /// The rows of one query, on a connection of its own, blocking the thread until they are there. For code that stands in a
    /// transaction of another database; must not be called from this one's.
    func rowsBlocking(_ query: SQL) throws -> [Row]

    /// Why nothing is written any more until the process starts anew; nil while writing is allowed. Reads go on either way.
    var writeStop: String? { get }

    /// Folds what is only in the write-ahead log into the main file and empties the log (SQLite); no effect on PostgreSQL.
    func checkpoint() async throws

    /// Closes every connection. Later calls throw `.unavailable`.
    func close() async
}

public enum Dialect: String, Sendable {
    case sqlite
    case postgres
}

/// One connection inside a transaction. It is only valid in the closure that received it, and never leaves its thread.
///
/// A statement that fails ends the whole transaction on PostgreSQL, but only itself on SQLite. Code that means to go on
/// after a failure wraps the statement in ``savepoint(_:)``, which behaves the same on both.
public protocol Connection: AnyObject {
    var dialect: Dialect { get }

    /// Runs a statement and answers how many rows it changed.
    @discardableResult
    func execute(_ sql: SQL) throws -> Int

    /// Runs a statement whose answer nobody needs: at the latest before the next question, and before the savepoint or the transaction
    /// that it stands in ends. Its failure is thrown there. PostgreSQL sends it together with what comes next; SQLite runs it at once.
    func executeLater(_ sql: SQL) throws

    /// Runs statements in order, in one round trip where the engine can (PostgreSQL's pipeline mode); stops at the first that fails.
    /// Answers how many rows each changed.
    @discardableResult
    func executeAll(_ statements: [SQL]) throws -> [Int]

    /// The rows of several queries, in one round trip where the engine can. A query may be a statement with RETURNING.
    func rowsOfAll(_ queries: [SQL]) throws -> [[Row]]

    /// Runs the statements of a schema file, parted by semicolons. It takes no parameters and must never hold user text.
    func executeScript(_ text: String) throws

    /// All rows of a query.
    func rows(_ sql: SQL) throws -> [Row]

    /// Rows one after the other, in bounded memory. `body` must not use the connection for writing.
    func forEachRow(_ sql: SQL, _ body: (Row) throws -> Void) throws

    /// Runs `body` in a savepoint: its effects stay when it returns and go when it throws, and the transaction goes on.
    func savepoint<T>(_ body: () throws -> T) throws -> T
}

extension Connection {
    /// The first row of a query.
    public func row(_ sql: SQL) throws -> Row? { try rows(sql).first }

    /// The first column of the first row; nil when there is no row, or it holds null.
    public func value<T: Readable>(_ sql: SQL, as type: T.Type = T.self) throws -> T? {
        guard let row = try row(sql) else { return nil }
        return try row.get(at: 0)
    }
}
