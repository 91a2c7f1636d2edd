import Chronology
import Money
import Persistence

/// The SQL of the sales page.
enum SaleListStore {
    /// Buyers that one search looks through.
    static let buyersMax = 200

    struct Filter: Sendable {
        var find: String?
        /// Customers whose mail or id is what was looked for.
        var buyers: [CustomerID] = []
        var state: SaleState?
        var from: Instant?
        var until: Instant?

        var isEmpty: Bool { find == nil && state == nil && from == nil && until == nil }
    }

    struct Totals: Sendable {
        var count: Int64 = 0
        var nobodyCount: Int64 = 0
        var values: [(currency: String, minor: Int64)] = []
        var pay: [(unit: String, minor: Int64)] = []
    }

    /// Ids of a page, the newest first. Reading backwards, the rows right after `cursor` in time.
    static func ids(
        in workspace: WorkspaceID, _ filter: Filter, cursor: SaleID?, isBackwards: Bool, limit: Int, on connection: any Connection
    ) throws -> [SaleID] {
        var sql: SQL = "SELECT s.id FROM sale s WHERE \(sql: condition(workspace, filter))"
        if let cursor, let row = try connection.row("SELECT occurred_at FROM sale WHERE id = \(cursor) AND workspace_id = \(workspace)") {
            let at: Instant = try row.get(at: 0)
            let sign = isBackwards ? ">" : "<"
            sql = "\(sql: sql) AND (s.occurred_at \(raw: sign) \(at) OR (s.occurred_at = \(at) AND s.id \(raw: sign) \(cursor)))"
        }
        let order = isBackwards ? "ASC" : "DESC"
        let found: [SaleID] = try connection.rows(
            "\(sql: sql) ORDER BY s.occurred_at \(raw: order), s.id \(raw: order) LIMIT \(limit)"
        ).map { try $0.get(at: 0) }
        return isBackwards ? found.reversed() : found
    }

    static func hasAny(in workspace: WorkspaceID, on connection: any Connection) throws -> Bool {
        try connection.row("SELECT 1 FROM sale WHERE workspace_id = \(workspace) LIMIT 1") != nil
    }

    static func totals(in workspace: WorkspaceID, _ filter: Filter, on connection: any Connection) throws -> Totals {
        let condition = condition(workspace, filter)
        var totals = Totals()
        for row in try connection.rows(
            """
            SELECT s.currency, CAST(sum(s.amount - s.refunded_amount) AS BIGINT), count(*),
                CAST(sum(CASE WHEN s.came_by = 'nobody' THEN 1 ELSE 0 END) AS BIGINT)
            FROM sale s WHERE \(sql: condition) GROUP BY s.currency ORDER BY count(*) DESC, s.currency
            """)
        {
            totals.values.append((try row.get(at: 0), try row.get(at: 1)))
            totals.count += try row.get(at: 2, as: Int64.self)
            totals.nobodyCount += try row.get(at: 3, as: Int64.self)
        }
        totals.pay = try connection.rows(
            """
            SELECT c.unit, CAST(sum(c.amount - c.reversed_amount) AS BIGINT) FROM sale s JOIN commission c ON c.sale_id = s.id
            WHERE \(sql: condition) GROUP BY c.unit ORDER BY count(*) DESC, c.unit
            """
        ).map { (try $0.get(at: 0), try $0.get(at: 1)) }
        return totals
    }

    static func customers(of people: [PersonID], in workspace: WorkspaceID, on connection: any Connection) throws -> [CustomerID] {
        guard !people.isEmpty else { return [] }
        return try connection.rows("SELECT id FROM customer WHERE workspace_id = \(workspace) AND person_id IN \(list: people) LIMIT \(buyersMax)")
            .map { try $0.get(at: 0) }
    }

    static func people(emailHash: [UInt8], in workspace: WorkspaceID, on connection: any Connection) throws -> [PersonID] {
        try connection.rows(
            "SELECT person_id FROM person_lookup WHERE workspace_id = \(workspace) AND kind = 'email' AND hash = \(emailHash) LIMIT \(buyersMax)"
        ).map { try $0.get(at: 0) }
    }

    struct ParkedRefund: Sendable {
        var refundID: String
        var invoiceID: String
        var amountMinor: Int64?
        var recordedAt: Instant
    }

    static func parked(in workspace: WorkspaceID, limit: Int, on connection: any Connection) throws -> [ParkedRefund] {
        try connection.rows(
            """
            SELECT refund_id, invoice_id, amount, recorded_at FROM refund WHERE workspace_id = \(workspace) AND state = 'parked'
            ORDER BY recorded_at LIMIT \(limit)
            """
        ).map {
            ParkedRefund(
                refundID: try $0.get(at: 0), invoiceID: try $0.get(at: 1), amountMinor: try $0.get(at: 2), recordedAt: try $0.get(at: 3))
        }
    }

    private static func condition(_ workspace: WorkspaceID, _ filter: Filter) -> SQL {
        var sql: SQL = "s.workspace_id = \(workspace)"
        if let from = filter.from { sql = "\(sql: sql) AND s.occurred_at >= \(from)" }
        if let until = filter.until { sql = "\(sql: sql) AND s.occurred_at < \(until)" }
        if let find = filter.find {
            let pattern = LikePattern.containing(find)
            sql = "\(sql: sql) AND (lower(s.invoice_id) LIKE \(pattern) ESCAPE '\\' OR s.customer_id IN \(list: filter.buyers))"
        }
        if let state = filter.state { sql = "\(sql: sql) AND \(sql: self.condition(state))" }
        return sql
    }

    private static func condition(_ state: SaleState) -> SQL {
        func has(_ state: Commission.State) -> SQL {
            "EXISTS (SELECT 1 FROM commission c WHERE c.sale_id = s.id AND c.state = \(state.rawValue))"
        }
        switch state {
        case .returned: return "s.amount > 0 AND s.refunded_amount = s.amount"
        case .partlyReturned: return "s.refunded_amount > 0 AND s.refunded_amount < s.amount"
        case .nobody: return "s.came_by = 'nobody'"
        case .nothing: return "NOT EXISTS (SELECT 1 FROM commission c WHERE c.sale_id = s.id)"
        case .pending: return has(.pending)
        case .approved: return has(.approved)
        case .held: return has(.held)
        case .paid: return has(.paid)
        case .refused: return has(.refused)
        case .canceled: return has(.canceled)
        case .parked: return "1 = 0"
        }
    }
}
