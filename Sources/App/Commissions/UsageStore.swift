import Money
import Persistence

/// The counters behind caps and tiers. They change in the transaction of the commission, so no rival can pass a limit.
enum UsageStore {
    static func cap(_ rule: RuleID, scope: String, period: String, unit: UnitCode, on connection: any Connection) throws -> (amountMinor: Int64, count: Int64) {
        guard
            let row = try connection.row(
                """
                SELECT used_amount, used_count FROM cap_usage
                WHERE rule_id = \(rule) AND scope = \(scope) AND period = \(period) AND unit = \(unit.code)
                """)
        else { return (0, 0) }
        return (try row.get(at: 0), try row.get(at: 1))
    }

    static func addToCap(
        _ rule: RuleID, scope: String, period: String, unit: UnitCode, amountMinor: Int64, count: Int64, on connection: any Connection
    ) throws {
        try connection.execute(
            """
            INSERT INTO cap_usage (rule_id, scope, period, unit, used_amount, used_count)
            VALUES (\(rule), \(scope), \(period), \(unit.code), \(amountMinor), \(count))
            ON CONFLICT (rule_id, scope, period, unit) DO UPDATE SET used_amount = cap_usage.used_amount + excluded.used_amount,
                used_count = cap_usage.used_count + excluded.used_count
            """)
    }

    /// Gives back what a refund took: the insert half of an upsert would be negative, so the row is known to exist.
    static func takeFromCap(
        _ rule: RuleID, scope: String, period: String, unit: UnitCode, amountMinor: Int64, count: Int64, on connection: any Connection
    ) throws {
        try connection.execute(
            """
            UPDATE cap_usage SET used_amount = used_amount - \(amountMinor), used_count = used_count - \(count)
            WHERE rule_id = \(rule) AND scope = \(scope) AND period = \(period) AND unit = \(unit.code)
            """)
    }

    static func tier(_ rule: RuleID, member: MemberID, period: String, on connection: any Connection) throws -> Int64 {
        try connection.value(
            "SELECT base FROM tier_usage WHERE rule_id = \(rule) AND member_id = \(member) AND period = \(period)") ?? 0
    }

    static func insertTierEntry(
        sale: SaleID, rule: RuleID, member: MemberID, period: String, baseMinor: Int64, on connection: any Connection
    ) throws {
        try connection.execute(
            """
            INSERT INTO tier_entry (sale_id, rule_id, member_id, period, base) VALUES (\(sale), \(rule), \(member), \(period), \(baseMinor))
            """)
        try addToTier(rule, member: member, period: period, baseMinor: baseMinor, on: connection)
    }

    /// Takes the refunded part of a sale out of the tiers it counted for. However a refund is cut up, the parts add up.
    static func takeFromTiers(sale: SaleID, refundedMinor: Int64, amountMinor: Int64, on connection: any Connection) throws {
        guard amountMinor > 0 else { return }
        for row in try connection.rows(
            "SELECT rule_id, member_id, period, base, taken_back FROM tier_entry WHERE sale_id = \(sale) ORDER BY rule_id, member_id")
        {
            let rule: RuleID = try row.get(at: 0)
            let member: MemberID = try row.get(at: 1)
            let base: Int64 = try row.get(at: 3)
            let takenBack: Int64 = try row.get(at: 4)
            let target = try Allocation.proportion(of: Amount(minor: base), part: refundedMinor, whole: amountMinor).minor
            guard target != takenBack else { continue }
            try connection.execute(
                "UPDATE tier_entry SET taken_back = \(target) WHERE sale_id = \(sale) AND rule_id = \(rule) AND member_id = \(member)")
            try addToTier(rule, member: member, period: try row.get(at: 2), baseMinor: takenBack - target, on: connection)
        }
    }

    static func addToTier(_ rule: RuleID, member: MemberID, period: String, baseMinor: Int64, on connection: any Connection) throws {
        try connection.execute(
            """
            INSERT INTO tier_usage (rule_id, member_id, period, base) VALUES (\(rule), \(member), \(period), \(baseMinor))
            ON CONFLICT (rule_id, member_id, period) DO UPDATE SET base = tier_usage.base + excluded.base
            """)
    }
}
