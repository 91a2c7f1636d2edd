import Chronology
import Persistence

/// Commissions as pages and files list them.
enum CommissionListStore {
    struct Filter: Sendable {
        var state: Commission.State?
        var program: ProgramID?
        var member: MemberID?

        var isEmpty: Bool { state == nil && program == nil && member == nil }
    }

    struct Row: Sendable {
        var id: CommissionID
        var programID: ProgramID
        var memberID: MemberID
        var cause: Commission.Cause
        var causeID: String
        var saleID: SaleID?
        var invoiceID: String?
        var level: Int
        var unit: String
        var amountMinor: Int64
        var reversedMinor: Int64
        var state: Commission.State
        var holdUntil: Instant
        var occurredAt: Instant

        /// The page that says why; clicks have none.
        var receiptURL: String? {
            switch cause {
            case .sale: saleID.map { "/sales/\($0.text)/receipt" }
            case .lead: "/leads/\(causeID)/receipt"
            case .click: nil
            case .manual: "/commissions/\(id.text)"
            }
        }
    }

    static func list(
        in workspace: WorkspaceID, _ filter: Filter, order: ListOrder = .newest, behind cursor: CommissionID?, limit: Int, on connection: any Connection
    ) throws -> [Row] {
        let sql: SQL = """
            SELECT c.id, c.program_id, c.member_id, c.sale_id, s.invoice_id, c.level, c.unit, c.amount, c.reversed_amount, c.state, c.hold_until, c.occurred_at, c.cause_kind, c.cause_id
            FROM commission c LEFT JOIN sale s ON s.id = c.sale_id WHERE \(sql: condition(workspace, filter))
            """
        return try connection.rows(order.rows(of: sql, "c.id", behind: cursor?.text, limit: limit)).map { row in
            Row(
                id: try row.get(at: 0), programID: try row.get(at: 1), memberID: try row.get(at: 2), cause: Commission.Cause(rawValue: try row.get(at: 12)) ?? .sale,
                causeID: try row.get(at: 13), saleID: try row.get(at: 3),
                invoiceID: try row.get(at: 4), level: try row.get(at: 5), unit: try row.get(at: 6), amountMinor: try row.get(at: 7),
                reversedMinor: try row.get(at: 8), state: Commission.State(rawValue: try row.get(at: 9)) ?? .held, holdUntil: try row.get(at: 10),
                occurredAt: try row.get(at: 11))
        }
    }

    struct Total: Sendable {
        var unit: String
        var keptMinor: Int64
        var count: Int64
    }

    static func totals(in workspace: WorkspaceID, _ filter: Filter, on connection: any Connection) throws -> [Total] {
        try connection.rows(
            """
            SELECT c.unit, CAST(sum(c.amount - c.reversed_amount) AS BIGINT), count(*) FROM commission c
            WHERE \(sql: condition(workspace, filter)) GROUP BY c.unit ORDER BY count(*) DESC, c.unit
            """
        ).map { Total(unit: try $0.get(at: 0), keptMinor: try $0.get(at: 1), count: try $0.get(at: 2)) }
    }

    private static func condition(_ workspace: WorkspaceID, _ filter: Filter) -> SQL {
        var sql: SQL = "c.workspace_id = \(workspace)"
        if let state = filter.state { sql = "\(sql: sql) AND c.state = \(state.rawValue)" }
        if let program = filter.program { sql = "\(sql: sql) AND c.program_id = \(program)" }
        if let member = filter.member { sql = "\(sql: sql) AND c.member_id = \(member)" }
        return sql
    }
}
