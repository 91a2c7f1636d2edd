import Chronology
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

    /// What is approved, out of hold and in no payout, by program; what funded runs gave, too.
    static func due(in workspace: WorkspaceID, at instant: Instant, on connection: any Connection) throws -> [Due] {
        var due = try connection.rows(
            """
            SELECT c.program_id, c.unit, count(DISTINCT c.member_id), CAST(sum(c.amount - c.reversed_amount) AS BIGINT)
            FROM commission c
            WHERE c.workspace_id = \(workspace) AND c.state = 'approved' AND c.hold_until <= \(instant)
              AND NOT EXISTS (SELECT 1 FROM payout_commission x WHERE x.commission_id = c.id)
            GROUP BY c.program_id, c.unit ORDER BY c.program_id, c.unit
            """
        ).map { Due(programID: try $0.get(at: 0), unit: try $0.get(at: 1), memberCount: try $0.get(at: 2), amountMinor: try $0.get(at: 3)) }
            .filter { Currency(code: $0.unit) != nil }
        // Who has both is counted once.
        let fromRuns = try connection.rows(
            """
            SELECT r.program_id, y.unit, count(DISTINCT CASE WHEN EXISTS (
                    SELECT 1 FROM commission c WHERE c.member_id = y.member_id AND c.program_id = r.program_id AND c.state = 'approved'
                        AND c.unit = y.unit AND c.hold_until <= \(instant)
                        AND NOT EXISTS (SELECT 1 FROM payout_commission x WHERE x.commission_id = c.id)) THEN NULL ELSE y.member_id END),
                CAST(sum(y.amount) AS BIGINT)
            FROM run r JOIN run_payable y ON y.run_id = r.id JOIN program p ON p.id = r.program_id AND p.currency = y.unit
            WHERE r.workspace_id = \(workspace) AND r.state = 'funded' AND r.funded_at <= \(instant) AND y.state = 'funded'
              AND y.payout_id IS NULL AND y.amount > 0 GROUP BY r.program_id, y.unit ORDER BY r.program_id
            """
        ).map { Due(programID: try $0.get(at: 0), unit: try $0.get(at: 1), memberCount: try $0.get(at: 2), amountMinor: try $0.get(at: 3)) }
        for run in fromRuns {
            if let known = due.firstIndex(where: { $0.programID == run.programID && $0.unit == run.unit }) {
                due[known].memberCount += run.memberCount
                due[known].amountMinor = due[known].amountMinor.addingReportingOverflow(run.amountMinor).partialValue
            } else {
                due.append(run)
            }
        }
        return due
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
