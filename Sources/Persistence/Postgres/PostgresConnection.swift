/// A PostgreSQL connection for the length of one transaction.
final class PostgresConnection: Connection {
    /// Rows fetched at a time when a query is walked.
    private static let fetchedRowsLimit = 500

    let dialect = Dialect.postgres
    private let link: PostgresLink
    private var savepointDepth = 0
    private var cursorCount = 0

    init(_ link: PostgresLink) { self.link = link }

    @discardableResult
    func execute(_ sql: SQL) throws -> Int { try link.execute(sql).changed }

    @discardableResult
    func executeAll(_ statements: [SQL]) throws -> [Int] {
        var counts: [Int] = []
        counts.reserveCapacity(statements.count)
        try link.executeAll(statements) { counts.append($0.changed) }
        return counts
    }

    func rowsOfAll(_ queries: [SQL]) throws -> [[Row]] {
        var answers: [[Row]] = []
        answers.reserveCapacity(queries.count)
        try link.executeAll(queries) { answers.append(try $0.rows()) }
        return answers
    }

    func executeScript(_ text: String) throws { _ = try link.run(text) }

    func rows(_ sql: SQL) throws -> [Row] { try link.execute(sql).rows() }

    func forEachRow(_ sql: SQL, _ body: (Row) throws -> Void) throws {
        // A cursor rather than libpq's row mode: `body` may ask further questions, and may throw without the rest being read.
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
        _ = try link.run("SAVEPOINT \(name)")
        do {
            let result = try body()
            _ = try link.run("RELEASE \(name)")
            return result
        } catch {
            if link.isUsable { _ = try link.run("ROLLBACK TO \(name); RELEASE \(name)") }
            throw error
        }
    }
}
