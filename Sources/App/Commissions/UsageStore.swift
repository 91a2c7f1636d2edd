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

    static func addToTier(_ rule: RuleID, member: MemberID, period: String, baseMinor: Int64, on connection: any Connection) throws {
        try connection.execute(
            """
            INSERT INTO tier_usage (rule_id, member_id, period, base) VALUES (\(rule), \(member), \(period), \(baseMinor))
            ON CONFLICT (rule_id, member_id, period) DO UPDATE SET base = tier_usage.base + excluded.base
            """)
    }
}
