/// A PostgreSQL connection for the length of one transaction.
final class PostgresConnection: Connection {
    /// Rows fetched at a time when a query is walked.
    private static let fetchedRowsLimit = 500

    /// Statements put off at most; with more the next one sends them.
    private static let deferredLimit = 64

    let dialect = Dialect.postgres
    private let link: PostgresLink
    private var savepointDepth = 0
    private var cursorCount = 0
    /// Statements that go out together with the next question.
    private var deferred: [SQL] = []
    /// How often deferred statements were sent.
    private var sendings = 0
    /// What made the whole transaction fail, when what followed can only say that it has failed.
    private(set) var cause: (any Error)?

    init(_ link: PostgresLink) { self.link = link }

    @discardableResult
    func execute(_ sql: SQL) throws -> Int { try executeAll([sql]).first ?? 0 }

    func executeLater(_ sql: SQL) throws {
        deferred.append(sql)
        if deferred.count >= Self.deferredLimit { try sendDeferred() }
    }

    @discardableResult
    func executeAll(_ statements: [SQL]) throws -> [Int] {
        var counts: [Int] = []
        counts.reserveCapacity(statements.count)
        try send(statements) { counts.append($0.changed) }
        return counts
    }

    func rowsOfAll(_ queries: [SQL]) throws -> [[Row]] {
        var answers: [[Row]] = []
        answers.reserveCapacity(queries.count)
        try send(queries) { answers.append(try $0.rows()) }
        return answers
    }

    func executeScript(_ text: String) throws {
        if let cause { throw cause }
        try sendDeferred()
        _ = try link.run(text)
    }

    func rows(_ sql: SQL) throws -> [Row] { try rowsOfAll([sql]).first ?? [] }

    /// Sends what was put off. To be called before the transaction ends.
    func sendDeferred() throws { if !deferred.isEmpty { try send([]) { _ in } } }

    private func send(_ statements: [SQL], _ answer: (PostgresResult) throws -> Void) throws {
        if let cause { throw cause }
        let earlier = deferred
        deferred = []
        if !earlier.isEmpty { sendings += 1 }
        if earlier.isEmpty, statements.count == 1 { return try answer(try link.execute(statements[0])) }
        var place = 0
        try link.executeAll(earlier + statements) { result in
            defer { place += 1 }
            if place >= earlier.count { try answer(result) }
        }
    }

    func forEachRow(_ sql: SQL, _ body: (Row) throws -> Void) throws {
        // A cursor rather than libpq's row mode: `body` may ask further questions, and may throw without the rest being read.
        if let cause { throw cause }
        try sendDeferred()
        cursorCount += 1
        let name = "kith_\(cursorCount)"
        _ = try link.executeOnce("DECLARE \(raw: name) NO SCROLL CURSOR FOR \(sql: sql)")
        do {
            while true {
                let rows = try link.executeOnce("FETCH \(raw: String(Self.fetchedRowsLimit)) FROM \(raw: name)").rows()
                for row in rows { try body(row) }
                if rows.count < Self.fetchedRowsLimit { break }
            }
        } catch {
            // Fails when the transaction has failed, which closes the cursor too.
            _ = try? link.run("CLOSE \(name)")
            throw error
        }
        _ = try link.run("CLOSE \(name)")
    }

    func savepoint<T>(_ body: () throws -> T) throws -> T {
        savepointDepth += 1
        defer { savepointDepth -= 1 }
        let name = "kith_\(savepointDepth)"
        let (before, sendingsBefore) = (deferred.count, sendings)
        deferred.append("SAVEPOINT \(raw: name)")
        do {
            let result = try body()
            if sendings == sendingsBefore && deferred.count == before + 1 {
                deferred.removeLast()
            } else {
                // What was put off in here must fail in here.
                _ = try executeAll(["RELEASE \(raw: name)"])
            }
            return result
        } catch let failure {
            if sendings == sendingsBefore {
                deferred.removeSubrange(before...)
            } else {
                deferred = []
                if link.isUsable {
                    do {
                        _ = try link.run("ROLLBACK TO \(name); RELEASE \(name)")
                    } catch {
                        // A statement put off before the savepoint failed, and with it the transaction: there is no savepoint to go back to.
                        cause = cause ?? failure
                    }
                }
            }
            throw cause ?? failure
        }
    }
}
