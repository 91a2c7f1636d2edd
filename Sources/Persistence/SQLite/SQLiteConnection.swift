internal import GRDB
internal import GRDBSQLite

/// A SQLite connection for the length of one transaction. Statements are prepared once and kept by their text.
final class SQLiteConnection: Connection {
    /// Longer texts (lists of many parameters) are prepared for one use, so that the cache stays small.
    private static let cachedTextLimitBytes = 4_096

    let dialect = Dialect.sqlite
    private let database: GRDB.Database
    private var savepointDepth = 0
    /// The first failure of the disk or damage of the file that a statement met.
    private(set) var damage: DatabaseFailure?

    init(open database: GRDB.Database) throws {
        // A closing that overtook this transaction leaves no handle.
        if database.sqliteConnection == nil { throw DatabaseFailure(.unavailable, "the database is closed") }
        self.database = database
    }

    @discardableResult
    func execute(_ sql: SQL) throws -> Int {
        let before = sqlite3_total_changes(database.sqliteConnection)
        let statement = try prepare(sql)
        defer { release(statement) }
        while try step(statement) {}
        if sqlite3_stmt_readonly(statement.sqliteStatement) != 0 { return 0 }
        return sqlite3_total_changes(database.sqliteConnection) == before ? 0 : Int(sqlite3_changes(database.sqliteConnection))
    }

    func executeLater(_ sql: SQL) throws { try execute(sql) }

    @discardableResult
    func executeAll(_ statements: [SQL]) throws -> [Int] { try statements.map { try execute($0) } }

    func rowsOfAll(_ queries: [SQL]) throws -> [[Row]] { try queries.map { try rows($0) } }

    func executeScript(_ text: String) throws { try noting { try database.execute(sql: text) } }

    func rows(_ sql: SQL) throws -> [Row] {
        var rows: [Row] = []
        try forEachRow(sql) { rows.append($0) }
        return rows
    }

    func forEachRow(_ sql: SQL, _ body: (Row) throws -> Void) throws {
        let statement = try prepare(sql)
        defer { release(statement) }
        let handle = statement.sqliteStatement
        let count = sqlite3_column_count(handle)
        var columns: Row.Columns?
        while try step(statement) {
            let shared = columns ?? Row.Columns((0..<count).map { String(cString: sqlite3_column_name(handle, $0)) })
            columns = shared
            try body(Row(columns: shared, values: (0..<count).map { value(handle, $0) }))
        }
    }

    func savepoint<T>(_ body: () throws -> T) throws -> T {
        savepointDepth += 1
        defer { savepointDepth -= 1 }
        let name = "kith_\(savepointDepth)"
        try execute("SAVEPOINT \(raw: name)")
        do {
            let result = try body()
            try execute("RELEASE \(raw: name)")
            return result
        } catch {
            // After some errors SQLite has rolled the whole transaction back, and the savepoint with it.
            if sqlite3_get_autocommit(database.sqliteConnection) == 0 {
                try execute("ROLLBACK TO \(raw: name)")
                try execute("RELEASE \(raw: name)")
            }
            throw error
        }
    }

    // MARK: - Statements

    private func prepare(_ sql: SQL) throws -> Statement {
        try noting {
            var statement: Statement
            if sql.text.utf8.count <= Self.cachedTextLimitBytes {
                statement = try database.cachedStatement(sql: sql.text)
                if sqlite3_stmt_busy(statement.sqliteStatement) != 0 { statement = try database.makeStatement(sql: sql.text) }
            } else {
                statement = try database.makeStatement(sql: sql.text)
            }
            try bind(sql.values, to: statement.sqliteStatement)
            return statement
        }
    }

    private func bind(_ values: [Value], to handle: OpaquePointer) throws {
        guard sqlite3_bind_parameter_count(handle) == values.count else {
            throw DatabaseFailure(.mismatch, "the statement has \(sqlite3_bind_parameter_count(handle)) parameters, \(values.count) were given")
        }
        for (offset, value) in values.enumerated() {
            let position = Int32(offset + 1)
            let code: Int32
            switch value {
            case .null: code = sqlite3_bind_null(handle, position)
            case .integer(let number): code = sqlite3_bind_int64(handle, position, number)
            case .real(let number): code = sqlite3_bind_double(handle, position, number)
            case .text(var text):
                code = try text.withUTF8 { bytes in
                    if bytes.contains(0) { throw DatabaseFailure(.mismatch, "text with a NUL character can't be stored") }
                    return bytes.withMemoryRebound(to: CChar.self) { characters in
                        guard let start = characters.baseAddress else { return sqlite3_bind_text(handle, position, "", 0, transient) }
                        return sqlite3_bind_text(handle, position, start, Int32(clamping: characters.count), transient)
                    }
                }
            case .blob(let bytes):
                code = bytes.isEmpty
                    ? sqlite3_bind_zeroblob(handle, position, 0)
                    : sqlite3_bind_blob(handle, position, bytes, Int32(clamping: bytes.count), transient)
            }
            if code != SQLITE_OK { throw failure(code) }
        }
    }

    /// Goes to the next row; false at the end.
    private func step(_ statement: Statement) throws -> Bool {
        switch sqlite3_step(statement.sqliteStatement) {
        case SQLITE_ROW: return true
        case SQLITE_DONE: return false
        case let code: throw failure(code)
        }
    }

    private func release(_ statement: Statement) {
        sqlite3_reset(statement.sqliteStatement)
        sqlite3_clear_bindings(statement.sqliteStatement)
    }

    private func value(_ handle: OpaquePointer, _ column: Int32) -> Value {
        switch sqlite3_column_type(handle, column) {
        case SQLITE_INTEGER: return .integer(sqlite3_column_int64(handle, column))
        case SQLITE_FLOAT: return .real(sqlite3_column_double(handle, column))
        case SQLITE_TEXT:
            guard let start = sqlite3_column_text(handle, column) else { return .text("") }
            let bytes = UnsafeBufferPointer(start: start, count: Int(sqlite3_column_bytes(handle, column)))
            return .text(String(decoding: bytes, as: UTF8.self))
        case SQLITE_BLOB:
            guard let start = sqlite3_column_blob(handle, column) else { return .blob([]) }
            return .blob(Array(UnsafeRawBufferPointer(start: start, count: Int(sqlite3_column_bytes(handle, column)))))
        default: return .null
        }
    }

    private func failure(_ code: Int32) -> DatabaseFailure {
        let extended = sqlite3_extended_errcode(database.sqliteConnection)
        let failure = SQLiteFailure.failure(
            code: extended & 0xff == code & 0xff ? extended : code, message: String(cString: sqlite3_errmsg(database.sqliteConnection)))
        note(failure)
        return failure
    }

    /// Runs what may throw an error of GRDB, and throws ours.
    private func noting<T>(_ body: () throws -> T) throws -> T {
        do {
            return try body()
        } catch {
            let mapped = SQLiteFailure.map(error)
            if let failure = mapped as? DatabaseFailure { note(failure) }
            throw mapped
        }
    }

    private func note(_ failure: DatabaseFailure) {
        if damage == nil && (failure.kind == .disk || failure.kind == .corrupt) { damage = failure }
    }
}

/// Tells SQLite to copy the bytes before the call returns (SQLITE_TRANSIENT, a macro Swift can't see). A value that is never
/// followed as a pointer, so any thread may hold it.
private nonisolated(unsafe) let transient = unsafeBitCast(-1, to: sqlite3_destructor_type.self)
