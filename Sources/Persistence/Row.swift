/// One row of an answer: values by column name.
public struct Row: Sendable {
    /// The names of an answer's columns, shared by all its rows.
    public final class Columns: Sendable {
        public let names: [String]
        let positions: [String: Int]

        public init(_ names: [String]) {
            self.names = names
            positions = Dictionary(names.enumerated().map { ($1, $0) }, uniquingKeysWith: { first, _ in first })
        }
    }

    public let columns: Columns
    public let values: [Value]

    public init(columns: Columns, values: [Value]) {
        self.columns = columns
        self.values = values
    }

    /// The value of a column as the type that is asked for.
    public func get<T: Readable>(_ name: String, as type: T.Type = T.self) throws -> T {
        guard let position = columns.positions[name] else { throw DatabaseFailure(.mismatch, "the answer has no column \(name)") }
        do {
            return try T(databaseValue: values[position])
        } catch let failure as DatabaseFailure where failure.kind == .mismatch {
            throw DatabaseFailure(.mismatch, "column \(name): \(failure.message)")
        }
    }

    /// The value of a column by its position, for hot paths.
    public func get<T: Readable>(at position: Int, as type: T.Type = T.self) throws -> T {
        try T(databaseValue: values[position])
    }
}
