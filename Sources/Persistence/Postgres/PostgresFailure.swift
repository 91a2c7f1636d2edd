internal import CLibpq

/// PostgreSQL's states in the words of ``DatabaseFailure``.
enum PostgresFailure {
    static let nul = DatabaseFailure(.mismatch, "text with a NUL character can't be stored")

    static func broken(_ handle: OpaquePointer) -> DatabaseFailure {
        DatabaseFailure(PQstatus(handle) == CONNECTION_OK ? .other : .unavailable, message(handle))
    }

    static func message(_ handle: OpaquePointer) -> String { trimmed(PQerrorMessage(handle)) ?? "no connection" }

    static func map(_ result: PostgresResult, _ handle: OpaquePointer) -> DatabaseFailure {
        func field(_ code: UnicodeScalar) -> String? { trimmed(PQresultErrorField(result.handle, Int32(code.value))) }
        let message = field("M") ?? trimmed(PQresultErrorMessage(result.handle)) ?? "PostgreSQL failed"
        // An error without a state, or any on a lost connection, says that the server is gone.
        guard let state = field("C") else {
            if PQresultStatus(result.handle) == PGRES_PIPELINE_ABORTED { return DatabaseFailure(.other, "an earlier statement failed") }
            return DatabaseFailure(.unavailable, message)
        }
        let kind = kind(state: state)
        switch kind {
        case .unique: return DatabaseFailure(kind, message, constraint: field("n"), columns: columns(detail: field("D")))
        case .notNull: return DatabaseFailure(kind, message, columns: field("c").map { [$0] } ?? [])
        default: return DatabaseFailure(kind, message, constraint: field("n"))
        }
    }

    static func kind(state: String) -> DatabaseFailure.Kind {
        switch state {
        case "23505", "23P01": return .unique
        case "23503": return .foreignKey
        case "23514": return .check
        case "23502": return .notNull
        case "40001", "40P01", "55P03": return .retryable
        case "53100": return .diskFull
        case "58030": return .disk
        case "25006": return .readOnly
        case "57P01", "57P02", "57P03", "57P05", "57014", "53300", "25P03": return .unavailable
        case "XX001", "XX002": return .corrupt
        default: break
        }
        switch state.prefix(2) {
        case "08", "53": return .unavailable
        case "22": return .mismatch
        case "58": return .disk
        default: return .other
        }
    }

    /// The columns of `Key (workspace_id, id)=(…) already exists.`, whatever the language of the words around them.
    static func columns(detail: String?) -> [String] {
        guard let names = detail?.split(separator: ")=(", maxSplits: 1).first?.split(separator: "(", maxSplits: 1).last else { return [] }
        return names.split(separator: ", ").map { String($0.hasPrefix("\"") ? $0.dropFirst().dropLast() : $0) }
    }

    private static func trimmed(_ text: UnsafePointer<CChar>?) -> String? {
        guard let text else { return nil }
        let string = String(cString: text)
        return String(string.reversed().drop { $0.isWhitespace }.reversed())
    }
}
