import Chronology
import Persistence

/// Sales as the forecast of customers' value reads them: what is left of each after refunds.
enum CustomerValueStore {
    /// How much was sold in a currency; it changes with every sale and refund.
    struct Volume: Hashable, Sendable {
        var currency: String
        var sales: Int64
        var keptMinor: Int64
        var newestAt: Instant
    }

    struct Purchase: Sendable {
        var customer: CustomerID
        var at: Instant
        var keptMinor: Int64
    }

    /// The currency with most sales first.
    static func volumes(in workspace: WorkspaceID, program: ProgramID?, on connection: any Connection) throws -> [Volume] {
        var sql: SQL = """
            SELECT currency, count(*), CAST(sum(amount - refunded_amount) AS BIGINT), max(occurred_at) FROM sale WHERE workspace_id = \(workspace)
            """
        if let program { sql = "\(sql: sql) AND program_id = \(program)" }
        return try connection.rows("\(sql: sql) GROUP BY currency ORDER BY 2 DESC, currency").map { row in
            Volume(currency: try row.get(at: 0), sales: try row.get(at: 1), keptMinor: try row.get(at: 2), newestAt: try row.get(at: 3))
        }
    }

    /// What was bought before an instant and not given back whole, customer by customer.
    static func purchases(
        in workspace: WorkspaceID, program: ProgramID?, currency: String, before end: Instant, limit: Int, on connection: any Connection
    ) throws -> [Purchase] {
        var sql: SQL = """
            SELECT customer_id, occurred_at, amount - refunded_amount FROM sale
            WHERE workspace_id = \(workspace) AND currency = \(currency) AND occurred_at < \(end) AND (amount = 0 OR refunded_amount < amount)
            """
        if let program { sql = "\(sql: sql) AND program_id = \(program)" }
        return try connection.rows("\(sql: sql) ORDER BY customer_id, occurred_at, id LIMIT \(limit)").map { row in
            Purchase(customer: try row.get(at: 0), at: try row.get(at: 1), keptMinor: try row.get(at: 2))
        }
    }
}
