import Chronology
import Ledger
import Money
import Persistence

/// Payouts as lists show them, and what is due before one is made.
enum PayoutListStore {
    struct Summary: Sendable {
        var id: PayoutID
        var programID: ProgramID
        var state: Payout.State
        var unit: String
        var totalMinor: Int64
        var itemCount: Int64
        var paidCount: Int64
        var createdBy: String
        var createdAt: Instant
        var approvedBy: String?
        var approvedAt: Instant?
        var sentAt: Instant?
    }

    struct Filter: Sendable {
        var state: Payout.State?
        var program: ProgramID?

        var isEmpty: Bool { state == nil && program == nil }
    }

    /// Payouts that match, from one on.
    static func list(
        in workspace: WorkspaceID, _ filter: Filter, order: ListOrder, behind cursor: PayoutID?, limit: Int, on connection: any Connection
    ) throws -> [Summary] {
        var sql: SQL = """
            SELECT p.id, p.program_id, p.state, p.unit, p.total - CASE WHEN p.state = 'canceled' THEN 0 ELSE (
                    SELECT CAST(coalesce(sum(i.amount), 0) AS BIGINT) FROM payout_item i WHERE i.payout_id = p.id AND i.state = 'canceled') END,
                (SELECT count(*) FROM payout_item i WHERE i.payout_id = p.id AND (i.state <> 'canceled' OR p.state = 'canceled')),
                (SELECT count(*) FROM payout_item i WHERE i.payout_id = p.id AND i.state = 'paid'), p.created_by, p.created_at,
                p.approved_by, p.approved_at, p.sent_at
            FROM payout p WHERE p.workspace_id = \(workspace)
            """
        if let state = filter.state { sql = "\(sql: sql) AND p.state = \(state.rawValue)" }
        if let program = filter.program { sql = "\(sql: sql) AND p.program_id = \(program)" }
        return try connection.rows(order.rows(of: sql, "p.id", behind: cursor?.text, limit: limit)).map { row in
            Summary(
                id: try row.get(at: 0), programID: try row.get(at: 1), state: Payout.State(rawValue: try row.get(at: 2)) ?? .unknown,
                unit: try row.get(at: 3), totalMinor: try row.get(at: 4), itemCount: try row.get(at: 5), paidCount: try row.get(at: 6),
                createdBy: try row.get(at: 7), createdAt: try row.get(at: 8), approvedBy: try row.get(at: 9), approvedAt: try row.get(at: 10),
                sentAt: try row.get(at: 11))
        }
    }

    struct Due: Sendable {
        var programID: ProgramID
        var unit: String
        var memberCount: Int64
        var amountMinor: Int64
    }

    /// What the next batches would pay at most, by program and currency: what is approved, out of hold and in no payout, and what funded runs
    /// gave, as far as it is available to the member and was not used up by a debt; and what waits in requests.
    static func due(in workspace: WorkspaceID, at instant: Instant, on connection: any Connection) throws -> [Due] {
        try connection.rows(
            """
            WITH due AS (
                SELECT program_id, unit, member_id, CAST(sum(amount) AS BIGINT) AS amount FROM (
                    SELECT c.program_id AS program_id, c.unit AS unit, c.member_id AS member_id, c.amount - c.reversed_amount AS amount FROM commission c
                    WHERE c.workspace_id = \(workspace) AND c.state = 'approved' AND c.hold_until <= \(instant)
                      AND NOT EXISTS (SELECT 1 FROM payout_commission x WHERE x.commission_id = c.id)
                      AND NOT EXISTS (SELECT 1 FROM payout_request_commission x WHERE x.commission_id = c.id)
                    UNION ALL
                    SELECT r.program_id, y.unit, y.member_id, y.amount FROM run r JOIN run_payable y ON y.run_id = r.id
                    WHERE r.workspace_id = \(workspace) AND r.state = 'funded' AND r.funded_at <= \(instant) AND y.state = 'funded'
                      AND y.payout_id IS NULL AND y.request_id IS NULL AND y.amount > 0) parts
                GROUP BY program_id, unit, member_id),
            payable AS (
                SELECT due.program_id AS program_id, due.unit AS unit, due.member_id AS member_id,
                    CASE WHEN due.amount > coalesce(-a.balance, 0) THEN coalesce(-a.balance, 0) ELSE due.amount END AS amount
                FROM due LEFT JOIN account a
                    ON a.workspace_id = \(workspace) AND a.unit = due.unit AND a.name = \(AccountName.available("").path) || due.member_id
                UNION ALL
                SELECT program_id, unit, member_id, amount FROM payout_request WHERE workspace_id = \(workspace) AND state = 'waiting')
            SELECT program_id, unit, count(DISTINCT member_id), CAST(sum(amount) AS BIGINT) FROM payable
            WHERE amount > 0 GROUP BY program_id, unit ORDER BY program_id, unit
            """
        ).map { Due(programID: try $0.get(at: 0), unit: try $0.get(at: 1), memberCount: try $0.get(at: 2), amountMinor: try $0.get(at: 3)) }
            .filter { Currency(code: $0.unit) != nil }
    }

    /// A commission that an item pays, and the sale it came from.
    struct Paid: Sendable {
        var memberID: MemberID
        var amountMinor: Int64
        var saleID: SaleID?
        var invoiceID: String?
    }

    static func commissions(
        of payout: PayoutID, members: [MemberID], limit: Int, on connection: any Connection
    ) throws -> [MemberID: [Paid]] {
        guard !members.isEmpty else { return [:] }
        let rows = try connection.rows(
            """
            SELECT x.member_id, c.amount - c.reversed_amount, c.sale_id, s.invoice_id FROM payout_commission x
            JOIN commission c ON c.id = x.commission_id LEFT JOIN sale s ON s.id = c.sale_id
            WHERE x.payout_id = \(payout) AND x.member_id IN \(list: members) ORDER BY x.member_id, c.occurred_at, c.id LIMIT \(limit)
            """
        ).map {
            Paid(memberID: try $0.get(at: 0), amountMinor: try $0.get(at: 1), saleID: try $0.get(at: 2), invoiceID: try $0.get(at: 3))
        }
        return Dictionary(grouping: rows, by: \.memberID)
    }
}
