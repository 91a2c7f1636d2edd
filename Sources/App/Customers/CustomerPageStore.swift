import Chronology
import Persistence

/// Customers as pages show them.
enum CustomerPageStore {
    struct Sums: Sendable {
        var sales: Int64
        var lastAt: Instant?
        /// By currency, after returns.
        var kept: [(currency: String, minor: Int64)]
    }

    /// Customers, the newest first.
    static func newest(
        in workspace: WorkspaceID, ids: [CustomerID]?, before: CustomerID?, limit: Int, on connection: any Connection
    ) throws -> [CustomerID] {
        if ids?.isEmpty == true { return [] }
        var sql: SQL = "SELECT id FROM customer WHERE workspace_id = \(workspace)"
        if let ids { sql = "\(sql: sql) AND id IN \(list: ids)" }
        if let before { sql = "\(sql: sql) AND id < \(before)" }
        return try connection.rows("\(sql: sql) ORDER BY id DESC LIMIT \(limit)").map { try $0.get(at: 0) }
    }

    static func sums(of customers: [CustomerID], on connection: any Connection) throws -> [CustomerID: Sums] {
        guard !customers.isEmpty else { return [:] }
        var found: [CustomerID: Sums] = [:]
        for row in try connection.rows(
            """
            SELECT customer_id, currency, count(*), max(occurred_at), CAST(sum(amount - refunded_amount) AS BIGINT) FROM sale
            WHERE customer_id IN \(list: customers) GROUP BY customer_id, currency ORDER BY customer_id, currency
            """)
        {
            let id: CustomerID = try row.get(at: 0)
            var sums = found[id] ?? Sums(sales: 0, lastAt: nil, kept: [])
            sums.sales += try row.get(at: 2, as: Int64.self)
            let last: Instant = try row.get(at: 3)
            sums.lastAt = sums.lastAt.map { max($0, last) } ?? last
            sums.kept.append((try row.get(at: 1), try row.get(at: 4)))
            found[id] = sums
        }
        return found
    }

    /// Who was credited for each customer's first binding.
    static func bindings(of customers: [CustomerID], on connection: any Connection) throws -> [CustomerID: [CustomerBinding]] {
        var found: [CustomerID: [CustomerBinding]] = [:]
        for id in customers { found[id] = try BindingStore.newest(of: id, on: connection) }
        return found
    }

    static func customers(emailHash: [UInt8], in workspace: WorkspaceID, on connection: any Connection) throws -> [CustomerID] {
        try connection.rows(
            """
            SELECT c.id FROM person_lookup l JOIN customer c ON c.person_id = l.person_id
            WHERE l.workspace_id = \(workspace) AND l.kind = 'email' AND l.hash = \(emailHash) LIMIT 100
            """
        ).map { try $0.get(at: 0) }
    }

    struct Touched: Sendable {
        var kind: String
        var code: String?
        var linkID: LinkID?
        var memberID: MemberID?
        var at: Instant
    }

    static func touches(of customer: CustomerID, limit: Int, on connection: any Connection) throws -> [Touched] {
        try connection.rows(
            """
            SELECT t.kind, l.code, t.link_id, t.member_id, t.at FROM touch t LEFT JOIN link l ON l.id = t.link_id
            WHERE t.customer_id = \(customer) ORDER BY t.at DESC, t.id DESC LIMIT \(limit)
            """
        ).map { Touched(kind: try $0.get(at: 0), code: try $0.get(at: 1), linkID: try $0.get(at: 2), memberID: try $0.get(at: 3), at: try $0.get(at: 4)) }
    }

    static func leads(of customer: CustomerID, in workspace: WorkspaceID, limit: Int, on connection: any Connection) throws -> [(name: String, at: Instant)] {
        try connection.rows(
            """
            SELECT event_name, occurred_at FROM lead WHERE workspace_id = \(workspace) AND customer_id = \(customer)
            ORDER BY occurred_at DESC LIMIT \(limit)
            """
        ).map { (try $0.get(at: 0), try $0.get(at: 1)) }
    }

    /// Who gave the customer to whom by hand, and when.
    static func assignments(
        of customer: CustomerID, in workspace: WorkspaceID, limit: Int, on connection: any Connection
    ) throws -> [(at: Instant, actor: String, detail: JSONText)] {
        try connection.rows(
            """
            SELECT at, actor, detail FROM audit_entry WHERE workspace_id = \(workspace) AND subject = \(customer.text) AND action = 'customer.assign'
            ORDER BY sequence DESC LIMIT \(limit)
            """
        ).map { (try $0.get(at: 0), try $0.get(at: 1), JSONText(text: try $0.get(at: 2))) }
    }
}
