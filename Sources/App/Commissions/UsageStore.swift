import Money
import Persistence
import Rules

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

    /// All counters of a rule's cap in one period.
    static func caps(
        _ rule: RuleID, period: String, unit: UnitCode, on connection: any Connection
    ) throws -> [(scope: String, amountMinor: Int64, count: Int64)] {
        try connection.rows(
            "SELECT scope, used_amount, used_count FROM cap_usage WHERE rule_id = \(rule) AND period = \(period) AND unit = \(unit.code)"
        ).map { (try $0.get(at: 0), try $0.get(at: 1), try $0.get(at: 2)) }
    }

    static func addToCap(
        _ rule: RuleID, scope: String, period: String, unit: UnitCode, amountMinor: Int64, count: Int64, on connection: any Connection
    ) throws {
        try connection.executeLater(
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
        try connection.executeLater(
            """
            UPDATE cap_usage SET used_amount = used_amount - \(amountMinor), used_count = used_count - \(count)
            WHERE rule_id = \(rule) AND scope = \(scope) AND period = \(period) AND unit = \(unit.code)
            """)
    }

    /// What a member has in a month's tiers, by the version of the rule that counted it.
    static func tier(_ place: TierPlace, on connection: any Connection) throws -> [(version: Int, baseMinor: Int64)] {
        try connection.rows(
            """
            SELECT rule_version, base FROM tier_usage
            WHERE rule_id = \(place.rule) AND member_id = \(place.member) AND period = \(place.period) AND unit = \(place.unit.code)
            ORDER BY rule_version
            """
        ).map { (try $0.get(at: 0), try $0.get(at: 1)) }
    }

    static func insertTierEntry(
        sale: SaleID, _ place: TierPlace, version: Int, baseMinor: Int64, on connection: any Connection
    ) throws {
        try connection.executeLater(
            """
            INSERT INTO tier_entry (sale_id, rule_id, rule_version, member_id, period, unit, base)
            VALUES (\(sale), \(place.rule), \(version), \(place.member), \(place.period), \(place.unit.code), \(baseMinor))
            """)
        try connection.executeLater(
            """
            INSERT INTO tier_usage (rule_id, rule_version, member_id, period, unit, base)
            VALUES (\(place.rule), \(version), \(place.member), \(place.period), \(place.unit.code), \(baseMinor))
            ON CONFLICT (rule_id, member_id, period, unit, rule_version) DO UPDATE SET base = tier_usage.base + excluded.base
            """)
    }

    /// Takes the refunded part of a sale out of the tiers it counted for, all of it where its commission was voided, and answers those.
    /// However a refund is cut up, the parts add up.
    static func takeFromTiers(sale: Sale, on connection: any Connection) throws -> [TierPlace] {
        guard sale.amountMinor > 0 else { return [] }
        var places: [TierPlace] = []
        for row in try connection.rows(
            """
            SELECT e.rule_id, e.member_id, e.period, e.unit, e.rule_version, e.base, e.taken_back, CASE WHEN EXISTS (
                SELECT 1 FROM commission c WHERE c.sale_id = e.sale_id AND c.rule_id = e.rule_id AND c.member_id = e.member_id
                    AND c.purpose = 'reward' AND c.state = 'canceled') THEN 1 ELSE 0 END
            FROM tier_entry e WHERE e.sale_id = \(sale.id) ORDER BY e.rule_id, e.member_id
            """)
        {
            let place = TierPlace(
                rule: try row.get(at: 0), member: try row.get(at: 1), period: try row.get(at: 2), unit: try UnitCode(row.get(at: 3, as: String.self)))
            places.append(place)
            let version: Int = try row.get(at: 4)
            let base: Int64 = try row.get(at: 5)
            let takenBack: Int64 = try row.get(at: 6)
            let isVoided: Int64 = try row.get(at: 7)
            let target =
                isVoided == 1
                ? base : try Allocation.proportion(of: Amount(minor: base), part: sale.refundedMinor, whole: sale.amountMinor).minor
            guard target != takenBack else { continue }
            try connection.executeLater(
                "UPDATE tier_entry SET taken_back = \(target) WHERE sale_id = \(sale.id) AND rule_id = \(place.rule) AND member_id = \(place.member)")
            try connection.executeLater(
                """
                UPDATE tier_usage SET base = base - \(target - takenBack)
                WHERE rule_id = \(place.rule) AND member_id = \(place.member) AND period = \(place.period) AND unit = \(place.unit.code)
                    AND rule_version = \(version)
                """)
        }
        return places
    }
}

/// Whose volume a tiered rule looks at: a member's of one month in one unit.
struct TierPlace: Hashable, Sendable {
    var rule: RuleID
    var member: MemberID
    var period: String
    var unit: UnitCode

    /// What the month is worth by the rule's tables: each version pays on from the volume of those before it.
    func worth(on connection: any Connection) throws -> Amount {
        var worth = Amount.zero
        var volume = Amount.zero
        for (version, baseMinor) in try UsageStore.tier(self, on: connection) {
            guard case .tiered(let table)? = try RuleStore.version(rule, version, on: connection)?.terms.reward else { continue }
            let end = try volume.adding(Amount(minor: baseMinor))
            worth = try worth.adding(try table.worth(of: end).subtracting(try table.worth(of: volume)))
            volume = end
        }
        return worth
    }
}
