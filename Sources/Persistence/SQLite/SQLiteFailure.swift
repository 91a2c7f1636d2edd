internal import GRDB

/// SQLite's result codes in the words of ``DatabaseFailure``.
enum SQLiteFailure {
    static func mapping<T>(_ body: () throws -> T) throws -> T {
        do { return try body() } catch { throw map(error) }
    }

    static func map(_ error: any Error) -> any Error {
        guard let error = error as? DatabaseError else { return error }
        return failure(code: error.extendedResultCode.rawValue, message: error.message ?? "SQLite error \(error.extendedResultCode.rawValue)")
    }

    static func failure(code: Int32, message: String) -> DatabaseFailure {
        if code & 0xff == ResultCode.SQLITE_CONSTRAINT.rawValue { return constraint(code: code, message: message) }
        let kind: DatabaseFailure.Kind =
            switch ResultCode(rawValue: code & 0xff) {
            case .SQLITE_FULL: .diskFull
            case .SQLITE_IOERR: .disk
            case .SQLITE_BUSY, .SQLITE_LOCKED: .retryable
            case .SQLITE_CORRUPT, .SQLITE_NOTADB: .corrupt
            case .SQLITE_READONLY, .SQLITE_PERM: .readOnly
            case .SQLITE_MISMATCH, .SQLITE_RANGE, .SQLITE_TOOBIG: .mismatch
            case .SQLITE_CANTOPEN, .SQLITE_MISUSE: .unavailable
            default: .other
            }
        return DatabaseFailure(kind, message)
    }

    private static func constraint(code: Int32, message: String) -> DatabaseFailure {
        let subject = message.split(separator: ": ", maxSplits: 1).dropFirst().first.map(String.init)
        switch ResultCode(rawValue: code) {
        case .SQLITE_CONSTRAINT_UNIQUE, .SQLITE_CONSTRAINT_PRIMARYKEY, .SQLITE_CONSTRAINT_ROWID:
            if let subject, subject.hasPrefix("index '") {
                return DatabaseFailure(.unique, message, constraint: String(subject.dropFirst(7).dropLast()))
            }
            return DatabaseFailure(.unique, message, columns: columns(subject))
        case .SQLITE_CONSTRAINT_FOREIGNKEY: return DatabaseFailure(.foreignKey, message)
        case .SQLITE_CONSTRAINT_CHECK: return DatabaseFailure(.check, message, constraint: subject)
        case .SQLITE_CONSTRAINT_NOTNULL: return DatabaseFailure(.notNull, message, columns: columns(subject))
        case .SQLITE_CONSTRAINT_DATATYPE: return DatabaseFailure(.mismatch, message)
        default: return DatabaseFailure(.other, message)
        }
    }

    /// `member.workspace_id, member.id` without the table's name.
    private static func columns(_ subject: String?) -> [String] {
        guard let subject else { return [] }
        return subject.split(separator: ", ").map { $0.split(separator: ".").last.map(String.init) ?? String($0) }
    }
}
