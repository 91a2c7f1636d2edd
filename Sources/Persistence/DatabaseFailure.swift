/// What went wrong at a database, in the same words for both engines.
public struct DatabaseFailure: Error, Sendable, CustomStringConvertible {
    public enum Kind: Sendable, Hashable {
        /// A UNIQUE or PRIMARY KEY constraint refused the row; `columns` are its columns on both engines.
        case unique
        case foreignKey
        case check
        case notNull
        /// Deadlock, serialization failure or a lock that timed out: the same transaction may succeed when run again.
        case retryable
        /// The server is gone, or the connection broke. Whether a COMMIT under way took effect is unknown.
        case unavailable
        case diskFull
        /// A read or write error of the disk. The outcome of the commit under way is unknown: stop writing.
        case disk
        case readOnly
        /// Another process holds the file.
        case locked
        case corrupt
        /// A column held another type than was asked for.
        case mismatch
        case other
    }

    public var kind: Kind
    public var message: String
    /// The name of the constraint. SQLite names only CHECK constraints and unique indexes on expressions.
    public var constraint: String?
    /// The columns of a unique or not-null constraint, in its order, without the table's name. The same on both engines.
    public var columns: [String]

    public init(_ kind: Kind, _ message: String, constraint: String? = nil, columns: [String] = []) {
        self.kind = kind
        self.message = message
        self.constraint = constraint
        self.columns = columns
    }

    static func mismatch(_ wanted: String, _ found: Value) -> DatabaseFailure {
        let name =
            switch found {
            case .null: "null"
            case .integer: "an integer"
            case .text: "text"
            case .blob: "bytes"
            case .real: "a real number"
            }
        return DatabaseFailure(.mismatch, "expected \(wanted), found \(name)")
    }

    public var description: String { "\(kind): \(message)" }
}
