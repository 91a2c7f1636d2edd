import Chronology
import Money
import Persistence

/// Who was credited for which sale, also where no rule paid.
enum CreditStore {
    static func insert(_ credit: Credit, sale: SaleID, on connection: any Connection) throws {
        for member in credit.creditedMembers {
            try connection.executeLater(
                "INSERT INTO sale_credit (sale_id, member_id, share_ppm) VALUES (\(sale), \(member.memberID), \(member.share.ppm))")
        }
    }

    /// What members sold before, for conditions on their totals: the sales in the program's currency that they were credited for, and
    /// what is left of them after refunds. Sums beyond 64 bits stand at their end.
    static func totals(
        of members: [MemberID], in program: Program, until: Instant = .latest, on connection: any Connection
    ) throws -> [String: [String: Int64]] {
        guard !members.isEmpty else { return [:] }
        var totals: [String: [String: Int64]] = [:]
        // The halves are summed apart: neither sum overflows. The cross join keeps SQLite from reading all sales of the program for a few members'.
        let rows = try connection.rows(
            """
            SELECT c.member_id, count(*), CAST(sum((s.amount - s.refunded_amount) / \(half)) AS BIGINT),
                CAST(sum((s.amount - s.refunded_amount) % \(half)) AS BIGINT)
            FROM sale_credit c CROSS JOIN sale s
            WHERE s.id = c.sale_id AND c.member_id IN \(list: members) AND s.program_id = \(program.id) AND s.currency = \(program.currency)
                AND s.occurred_at < \(until) GROUP BY c.member_id
            """)
        for row in rows {
            let member: String = try row.get(at: 0)
            let amount = Int128(try row.get(at: 2, as: Int64.self)) * Int128(half) + Int128(try row.get(at: 3, as: Int64.self))
            totals[member] = ["sales": try row.get(at: 1), "amount": Int64(clamping: amount)]
        }
        return totals
    }

    private static let half: Int64 = 1 << 32
}
