import Chronology
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
    }

    /// The newest payouts, or those made before one.
    static func newest(in workspace: WorkspaceID, before: PayoutID?, limit: Int, on connection: any Connection) throws -> [Summary] {
        var sql: SQL = """
            SELECT p.id, p.program_id, p.state, p.unit, p.total, (SELECT count(*) FROM payout_item i WHERE i.payout_id = p.id),
                (SELECT count(*) FROM payout_item i WHERE i.payout_id = p.id AND i.state = 'paid'), p.created_by, p.created_at
            FROM payout p WHERE p.workspace_id = \(workspace)
            """
        if let before { sql = "\(sql: sql) AND p.id < \(before)" }
        return try connection.rows("\(sql: sql) ORDER BY p.id DESC LIMIT \(limit)").map { row in
            Summary(
                id: try row.get(at: 0), programID: try row.get(at: 1), state: Payout.State(rawValue: try row.get(at: 2)) ?? .unknown,
                unit: try row.get(at: 3), totalMinor: try row.get(at: 4), itemCount: try row.get(at: 5), paidCount: try row.get(at: 6),
                createdBy: try row.get(at: 7), createdAt: try row.get(at: 8))
        }
    }

    struct Due: Sendable {
        var programID: ProgramID
        var unit: String
        var memberCount: Int64
        var amountMinor: Int64
    }

    /// What is approved, out of hold and in no payout, by program; what funded runs gave, too.
    static func due(in workspace: WorkspaceID, at instant: Instant, on connection: any Connection) throws -> [Due] {
        try connection.rows(
            """
            SELECT program_id, unit, count(DISTINCT member_id), CAST(sum(amount) AS BIGINT) FROM (
                SELECT c.program_id AS program_id, c.unit AS unit, c.member_id AS member_id, c.amount - c.reversed_amount AS amount
                FROM commission c JOIN program p ON p.id = c.program_id AND p.currency = c.unit
                WHERE c.workspace_id = \(workspace) AND c.state = 'approved' AND c.hold_until <= \(instant)
                  AND NOT EXISTS (SELECT 1 FROM payout_commission x WHERE x.commission_id = c.id)
                UNION ALL SELECT r.program_id, y.unit, y.member_id, y.amount
                FROM run r JOIN run_payable y ON y.run_id = r.id JOIN program p ON p.id = r.program_id AND p.currency = y.unit
                WHERE r.workspace_id = \(workspace) AND r.state = 'funded' AND r.funded_at <= \(instant) AND y.state = 'funded'
                  AND y.payout_id IS NULL AND y.amount > 0) due
            GROUP BY program_id, unit ORDER BY program_id
            """
        ).map { Due(programID: try $0.get(at: 0), unit: try $0.get(at: 1), memberCount: try $0.get(at: 2), amountMinor: try $0.get(at: 3)) }
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
