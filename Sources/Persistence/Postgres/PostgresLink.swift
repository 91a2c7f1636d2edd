internal import CLibpq

/// Owns libpq's handle and the names of the statements prepared on it. Used by one thread.
final class PostgresLink {
    /// Prepared statements kept per connection; when more are asked for, all are let go and prepared anew.
    private static let preparedLimit = 1_024
    /// Longer texts are parsed for one use.
    private static let preparedTextLimitBytes = 8_192
    /// Statements sent before their answers are read. The answers must fit in the socket's buffers, or both sides would wait.
    private static let pipelineLimit = 128

    private let handle: OpaquePointer
    private var prepared: [String: String] = [:]
    private var preparedCount = 0

    init(_ settings: PostgresSession.Settings) throws {
        let keys = ["dbname", "connect_timeout", "client_encoding", "application_name"]
        let values = [settings.url, String(PostgresDatabase.connectTimeoutSeconds), "UTF8", "kith"]
        guard let handle = withTexts(keys, { keys in withTexts(values) { PQconnectdbParams(keys, $0, 1) } }) else {
            throw DatabaseFailure(.unavailable, "libpq is out of memory")
        }
        self.handle = handle
        guard PQstatus(handle) == CONNECTION_OK else {
            throw DatabaseFailure(.unavailable, "can't reach PostgreSQL: \(PostgresFailure.message(handle))")
        }
        PQsetNoticeProcessor(handle, { _, _ in }, nil)
        _ = try run(
            """
            SET statement_timeout = \(settings.timeouts.statementMs); SET lock_timeout = \(settings.timeouts.lockMs);
            SET client_min_messages = warning; SET timezone = 'UTC'; SET cursor_tuple_fraction = 1;
            SET standard_conforming_strings = on
            """)
    }

    deinit { PQfinish(handle) }

    /// The process that the other end said serves this connection.
    var announcedProcess: Int64 { Int64(PQbackendPID(handle)) }

    var isUsable: Bool { PQstatus(handle) == CONNECTION_OK }

    var isInTransaction: Bool {
        isUsable && [PQTRANS_INTRANS, PQTRANS_INERROR].contains(PQtransactionStatus(handle))
    }

    /// Runs text without parameters, of one statement or several, and answers the last one's command tag.
    func run(_ text: String) throws -> String {
        if text.utf8.contains(0) { throw PostgresFailure.nul }
        let result = try take(PQexec(handle, text))
        return String(cString: PQcmdStatus(result.handle))
    }

    func execute(_ sql: SQL) throws -> PostgresResult {
        if sql.text.utf8.count > Self.preparedTextLimitBytes { return try executeOnce(sql) }
        let parameters = try PostgresParameters(sql.values)
        let name = try preparedName(sql.text, parameters) { name, types in _ = try take(PQprepare(handle, name, sql.text, parameters.count, types)) }
        return try parameters.withPointers { _, values, lengths, formats in
            try take(PQexecPrepared(handle, name, parameters.count, values, lengths, formats, 1))
        }
    }

    /// Runs a statement without keeping it prepared.
    func executeOnce(_ sql: SQL) throws -> PostgresResult {
        let parameters = try PostgresParameters(sql.values)
        return try parameters.withPointers { types, values, lengths, formats in
            try take(PQexecParams(handle, sql.text, parameters.count, types, values, lengths, formats, 1))
        }
    }

    /// Sends statements without waiting for each answer. The first that fails ends the rest.
    func executeAll(_ statements: [SQL], _ answer: (PostgresResult) throws -> Void) throws {
        var start = 0
        while start < statements.count {
            let end = min(start + Self.pipelineLimit, statements.count)
            try pipeline(statements[start..<end], answer)
            start = end
        }
    }

    // MARK: - Pipeline

    private func pipeline(_ statements: ArraySlice<SQL>, _ answer: (PostgresResult) throws -> Void) throws {
        if prepared.count + statements.count > Self.preparedLimit { try forgetPrepared() }
        let bound = try statements.map { ($0.text, try PostgresParameters($0.values)) }
        guard PQenterPipelineMode(handle) == 1 else { throw PostgresFailure.broken(handle) }
        var expectsRows: [Bool] = []
        var newNames: [String] = []
        var failure: (any Error)?
        do {
            for (text, parameters) in bound {
                let name = try preparedName(text, parameters) { name, types in
                    guard PQsendPrepare(handle, name, text, parameters.count, types) == 1 else { throw PostgresFailure.broken(handle) }
                    expectsRows.append(false)
                    newNames.append(parameters.cacheKey(text))
                }
                let sent = parameters.withPointers { _, values, lengths, formats in
                    PQsendQueryPrepared(handle, name, parameters.count, values, lengths, formats, 1)
                }
                guard sent == 1 else { throw PostgresFailure.broken(handle) }
                expectsRows.append(true)
            }
        } catch { failure = error }
        guard PQpipelineSync(handle) == 1 else { throw failure ?? PostgresFailure.broken(handle) }
        for isAnswer in expectsRows {
            do {
                let result = try takeNext()
                if isAnswer && failure == nil { try answer(result) }
            } catch {
                failure = failure ?? error
                if !isUsable { throw error }
            }
        }
        // The answer to the synchronisation point itself.
        if let end = PQgetResult(handle) { PQclear(end) }
        guard PQexitPipelineMode(handle) == 1 else { throw failure ?? PostgresFailure.broken(handle) }
        if let failure {
            // Which of the new names the server knows is uncertain.
            for key in newNames { prepared[key] = nil }
            throw failure
        }
    }

    /// The next statement's answer in a pipeline, which a null result ends.
    private func takeNext() throws -> PostgresResult {
        let first = PQgetResult(handle)
        if first != nil {
            while let extra = PQgetResult(handle) { PQclear(extra) }
        }
        return try take(first)
    }

    // MARK: - Prepared statements

    private func preparedName(_ text: String, _ parameters: PostgresParameters, _ prepare: (String, [Oid]) throws -> Void) throws -> String {
        let key = parameters.cacheKey(text)
        if let name = prepared[key] { return name }
        if prepared.count >= Self.preparedLimit { try forgetPrepared() }
        preparedCount += 1
        let name = "k\(preparedCount)"
        try prepare(name, parameters.types)
        prepared[key] = name
        return name
    }

    private func forgetPrepared() throws {
        if prepared.isEmpty { return }
        _ = try run("DEALLOCATE ALL")
        prepared = [:]
    }

    private func take(_ result: OpaquePointer?) throws -> PostgresResult {
        guard let result else { throw PostgresFailure.broken(handle) }
        let owned = PostgresResult(result)
        switch PQresultStatus(result) {
        case PGRES_COMMAND_OK, PGRES_TUPLES_OK, PGRES_SINGLE_TUPLE, PGRES_EMPTY_QUERY, PGRES_PIPELINE_SYNC: return owned
        default: throw PostgresFailure.map(owned, handle)
        }
    }
}

/// Calls `body` with C strings and a null at their end.
private func withTexts<T>(_ texts: [String], _ body: (UnsafePointer<UnsafePointer<CChar>?>) -> T) -> T {
    var bytes: [CChar] = []
    let starts = texts.map { text in
        defer { bytes += text.utf8CString }
        return bytes.count
    }
    return bytes.withUnsafeBufferPointer { buffer in
        let pointers = starts.map { start in buffer.baseAddress.map { $0 + start } } + [nil]
        return pointers.withUnsafeBufferPointer { list in
            // Never empty: it holds at least the null at its end.
            withExtendedLifetime(buffer) { list.baseAddress.map(body) }
        }
    }.unsafelyUnwrapped
}
