import Chronology
import Persistence
import Web

enum ReferralReportStore {
    static func brought(_ program: Program, _ span: Range<Instant>, on connection: any Connection) throws -> ReferralReport.Brought {
        let row = try connection.row(
            """
            SELECT count(*), CAST(coalesce(sum(CASE WHEN s.sale_number = 1 THEN 1 ELSE 0 END), 0) AS BIGINT),
                CAST(coalesce(sum(CASE WHEN s.currency = \(program.currency) THEN s.amount - s.refunded_amount ELSE 0 END), 0) AS BIGINT)
            FROM sale s WHERE s.program_id = \(program.id) AND s.occurred_at >= \(span.lowerBound) AND s.occurred_at < \(span.upperBound)
                AND EXISTS (SELECT 1 FROM sale_credit k WHERE k.sale_id = s.id)
            """)
        let sharers: Int64? = try connection.value(
            """
            SELECT count(DISTINCT k.member_id) FROM sale s JOIN sale_credit k ON k.sale_id = s.id
            WHERE s.program_id = \(program.id) AND s.occurred_at >= \(span.lowerBound) AND s.occurred_at < \(span.upperBound)
            """)
        guard let row else { return ReferralReport.Brought() }
        return ReferralReport.Brought(
            sharers: sharers ?? 0, newFriends: try row.get(at: 1), orders: try row.get(at: 0), revenueMinor: try row.get(at: 2))
    }

    struct Part: Sendable {
        var rule: String
        var version: Int64
        var unit: String
        var count: Int64
        var amountMinor: Int64
        var waiting: Int64
        var undone: Int64

        func given(_ side: Reward.Side, kind: String) -> ReferralReport.Given {
            ReferralReport.Given(side: side, kind: kind, unit: unit, count: count, amountMinor: amountMinor, waiting: waiting, undone: undone)
        }
    }

    /// Commissions that their rules gave; corrections by hand are nobody's reward.
    static func commissions(_ program: ProgramID, in workspace: WorkspaceID, _ span: Range<Instant>, on connection: any Connection) throws -> [Part] {
        try connection.rows(
            """
            SELECT rule_id, rule_version, unit,
                CAST(sum(CASE WHEN state IN ('pending', 'held', 'approved', 'paid') THEN 1 ELSE 0 END) AS BIGINT),
                CAST(sum(CASE WHEN state IN ('pending', 'held', 'approved', 'paid') THEN amount - reversed_amount ELSE 0 END) AS BIGINT),
                CAST(sum(CASE WHEN state IN ('pending', 'held') THEN 1 ELSE 0 END) AS BIGINT),
                CAST(sum(CASE WHEN state IN ('canceled', 'reversed', 'refused') THEN 1 ELSE 0 END) AS BIGINT)
            FROM commission WHERE workspace_id = \(workspace) AND program_id = \(program) AND occurred_at >= \(span.lowerBound) AND occurred_at < \(span.upperBound) AND rule_id IS NOT NULL
            GROUP BY rule_id, rule_version, unit
            """
        ).map {
            Part(
                rule: try $0.get(at: 0), version: try $0.get(at: 1), unit: try $0.get(at: 2), count: try $0.get(at: 3), amountMinor: try $0.get(at: 4),
                waiting: try $0.get(at: 5), undone: try $0.get(at: 6))
        }
    }

    /// What codes that members gave to friends took off orders.
    static func discounts(_ program: Program, _ span: Range<Instant>, on connection: any Connection) throws -> ReferralReport.Given? {
        let row = try connection.row(
            """
            SELECT count(*), CAST(coalesce(sum(u.discount), 0) AS BIGINT)
            FROM sale s JOIN coupon_use u ON u.sale_id = s.id JOIN coupon_code k ON k.id = u.code_id
            WHERE s.program_id = \(program.id) AND s.occurred_at >= \(span.lowerBound) AND s.occurred_at < \(span.upperBound) AND k.member_id IS NOT NULL
            """)
        guard let row, let count: Int64 = try row.get(at: 0), count > 0 else { return nil }
        return ReferralReport.Given(side: .friend, kind: "discount", unit: program.currency, count: count, amountMinor: try row.get(at: 1))
    }

    static func rewards(_ program: ProgramID, _ span: Range<Instant>, on connection: any Connection) throws -> [ReferralReport.Given] {
        try connection.rows(
            """
            SELECT side, kind, unit,
                CAST(sum(CASE WHEN state IN ('expired', 'reversed', 'refused') THEN 0 ELSE 1 END) AS BIGINT),
                CAST(sum(CASE WHEN state IN ('expired', 'reversed', 'refused') THEN 0 ELSE coalesce(value, 0) END) AS BIGINT),
                CAST(sum(CASE WHEN state IN ('issued', 'redeemed', 'expired', 'reversed', 'refused') THEN 0 ELSE 1 END) AS BIGINT),
                CAST(sum(CASE WHEN state IN ('expired', 'reversed', 'refused') THEN 1 ELSE 0 END) AS BIGINT)
            FROM reward WHERE program_id = \(program) AND occurred_at >= \(span.lowerBound) AND occurred_at < \(span.upperBound) GROUP BY side, kind, unit
            """
        ).compactMap { row in
            guard let side = Reward.Side(rawValue: try row.get(at: 0)) else { return nil }
            return ReferralReport.Given(
                side: side, kind: try row.get(at: 1), unit: try row.get(at: 2), count: try row.get(at: 3), amountMinor: try row.get(at: 4),
                waiting: try row.get(at: 5), undone: try row.get(at: 6))
        }
    }
}
