import Chronology
import Persistence
import Statistics

/// Reads how people who came to a stage went on. `moved` is to a later stage; who fell back is watched until then.
enum JourneyStore {
    /// Combinations of how people came that one question looks at.
    static let combinationsMax = 50_000
    /// People whose acts one question looks at.
    static let peopleMax = 300_000

    /// Who came to a stage, when.
    struct Arrivals: Sendable {
        var stage: Member.Stage
        var from: Instant
        var until: Instant
        var now: Instant
        var workspace: WorkspaceID

        /// Without the plus SQLite would look for times among all stages, in their order, and for each origin anew: 9 s instead of 2 s
        /// at 100,000 customers. Rows `f` of `fan_stage`, with `moved_at` and `ended_at` (nil while they stand there).
        fileprivate var rows: SQL {
            let later = Member.Stage.allCases.filter { $0 > stage }.map { "'\($0.rawValue)'" }.joined(separator: ", ")
            return """
                (SELECT f.fan_id, f.at, f.until_at AS ended_at, CASE WHEN f.next_stage IN (\(raw: later.isEmpty ? "''" : later)) THEN f.until_at END AS moved_at
                 FROM fan_stage f WHERE f.workspace_id = \(workspace) AND f.stage = \(stage.rawValue) AND +f.at >= \(from) AND +f.at < \(until)) f
                """
        }
    }

    private static let dayMs: Int64 = 86_400_000

    /// In whole days.
    static func watched(_ arrivals: Arrivals, on connection: any Connection) throws -> [Survival.Watched] {
        try connection.rows(
            """
            SELECT CASE WHEN coalesce(f.ended_at, \(arrivals.now)) < f.at THEN 0 ELSE (coalesce(f.ended_at, \(arrivals.now)) - f.at) / \(dayMs) END AS days,
                CASE WHEN f.moved_at IS NULL THEN 0 ELSE 1 END AS moved, count(*)
            FROM \(sql: arrivals.rows) GROUP BY 1, 2 ORDER BY 1, 2
            """
        ).map { Survival.Watched(time: try $0.get(at: 0), moved: try $0.get(at: 1, as: Int64.self) == 1, count: Int(try $0.get(at: 2, as: Int64.self))) }
    }

    /// People who came alike, and how many of them moved on within the horizon.
    struct Alike: Sendable {
        /// By `FrictionDimension.columns`.
        var values: [String]
        var came: Int
        var moved: Int
    }

    /// Only people who could be watched for the whole horizon are given by `arrivals`.
    static func alike(_ arrivals: Arrivals, horizonMs: Int64, on connection: any Connection) throws -> [Alike] {
        let dimensions = FrictionDimension.ofPeople
        let rows = try connection.rows(
            """
            SELECT \(raw: dimensions.map(\.column).joined(separator: ", ")), count(*), CAST(sum(CASE WHEN f.moved_at - f.at <= \(horizonMs) THEN 1 ELSE 0 END) AS BIGINT)
            FROM \(sql: arrivals.rows) LEFT JOIN fan t ON t.workspace_id = \(arrivals.workspace) AND t.fan_id = f.fan_id
            LEFT JOIN member m ON m.id = f.fan_id
            GROUP BY \(raw: dimensions.indices.map { String($0 + 1) }.joined(separator: ", ")) LIMIT \(combinationsMax)
            """)
        return try rows.map { row in
            Alike(
                values: try dimensions.indices.map { try row.get(at: $0, as: String.self) }, came: Int(try row.get(at: dimensions.count, as: Int64.self)),
                moved: Int(try row.get(at: dimensions.count + 1, as: Int64.self)))
        }
    }

    /// How many came within some time, and moved on within the horizon.
    static func cohort(_ arrivals: Arrivals, horizonMs: Int64, on connection: any Connection) throws -> (came: Int, moved: Int) {
        guard
            let row = try connection.row(
                "SELECT count(*), CAST(coalesce(sum(CASE WHEN f.moved_at - f.at <= \(horizonMs) THEN 1 ELSE 0 END), 0) AS BIGINT) FROM \(sql: arrivals.rows)")
        else { return (0, 0) }
        return (Int(try row.get(at: 0, as: Int64.self)), Int(try row.get(at: 1, as: Int64.self)))
    }

    /// Who of them came by one way and did not move on within the horizon, those who came last first.
    static func lost(
        _ arrivals: Arrivals, by dimension: FrictionDimension, value: String, horizonMs: Int64, limit: Int, on connection: any Connection
    ) throws -> (fans: [(id: String, at: Instant)], count: Int64) {
        let which: SQL = """
            FROM \(sql: arrivals.rows) LEFT JOIN fan t ON t.workspace_id = \(arrivals.workspace) AND t.fan_id = f.fan_id LEFT JOIN member m ON m.id = f.fan_id
            WHERE (f.moved_at IS NULL OR f.moved_at - f.at > \(horizonMs)) AND \(raw: dimension.column) = \(value)
            """
        let fans = try connection.rows("SELECT f.fan_id, f.at \(sql: which) ORDER BY f.at DESC, f.fan_id LIMIT \(limit)").map {
            (id: try $0.get(at: 0, as: String.self), at: try $0.get(at: 1, as: Instant.self))
        }
        return (fans, try connection.value("SELECT count(*) \(sql: which)") ?? 0)
    }

    // MARK: What people did

    /// When each of them came, and when they moved on or stopped being watched, in days since.
    static func people(_ arrivals: Arrivals, on connection: any Connection) throws -> [String: (movedAt: Int64?, watchedFor: Int64)] {
        var people: [String: (movedAt: Int64?, watchedFor: Int64)] = [:]
        let rows = try connection.rows(
            """
            SELECT f.fan_id, (f.moved_at - f.at) / \(dayMs), (\(arrivals.now) - f.at) / \(dayMs), (f.ended_at - f.at) / \(dayMs)
            FROM \(sql: arrivals.rows) ORDER BY f.at DESC LIMIT \(peopleMax)
            """)
        people.reserveCapacity(rows.count)
        for row in rows {
            let moved: Int64? = try row.get(at: 1)
            let (watched, ended): (Int64, Int64?) = (try row.get(at: 2), try row.get(at: 3))
            // Who fell back was watched until then; who moved on would have been until now.
            people[try row.get(at: 0)] = (moved.map { max(0, $0) }, max(0, moved == nil ? ended ?? watched : watched))
        }
        return people
    }

    /// When each of them first did something after they came, in days since.
    static func firsts(_ act: DriverAct, _ arrivals: Arrivals, zone: Zone, on connection: any Connection) throws -> [String: Int64] {
        let acts: SQL
        switch act {
        case .sharedAgain: return try shares(arrivals, zone: zone, on: connection)
        case .leadAgain:
            acts = "(SELECT customer_id AS fan_id, occurred_at AS at FROM lead WHERE workspace_id = \(arrivals.workspace))"
        case .couponUsed:
            acts = "(SELECT u.customer_id AS fan_id, u.used_at AS at FROM coupon_use u WHERE u.customer_id IS NOT NULL)"
        case .boughtAgain:
            acts = "(SELECT k.member_id AS fan_id, s.occurred_at AS at FROM customer_member k JOIN sale s ON s.customer_id = k.customer_id)"
        case .invited: acts = "(SELECT member_id AS fan_id, created_at AS at FROM friend_invitation WHERE workspace_id = \(arrivals.workspace))"
        case .rewarded: acts = "(SELECT member_id AS fan_id, issued_at AS at FROM reward WHERE workspace_id = \(arrivals.workspace) AND side = 'member' AND issued_at IS NOT NULL)"
        case .redeemed: acts = "(SELECT member_id AS fan_id, requested_at AS at FROM redemption WHERE workspace_id = \(arrivals.workspace))"
        case .badge: acts = "(SELECT b.member_id AS fan_id, b.awarded_at AS at FROM badge_award b)"
        case .attended: acts = "(SELECT a.member_id AS fan_id, a.attended_at AS at FROM occasion_answer a WHERE a.attended_at IS NOT NULL)"
        case .hosted: acts = "(SELECT host_id AS fan_id, starts_at AS at FROM party WHERE workspace_id = \(arrivals.workspace))"
        case .brought:
            acts = "(SELECT c.member_id AS fan_id, s.occurred_at AS at FROM sale_credit c JOIN sale s ON s.id = c.sale_id)"
        }
        var firsts: [String: Int64] = [:]
        for row in try connection.rows(
            """
            SELECT f.fan_id, min((x.at - f.at) / \(dayMs)) FROM \(sql: arrivals.rows) JOIN \(sql: acts) x ON x.fan_id = f.fan_id AND +x.at > f.at
            GROUP BY f.fan_id LIMIT \(peopleMax)
            """)
        {
            firsts[try row.get(at: 0)] = try row.get(at: 1)
        }
        return firsts
    }

    /// Shares are counted by day: the first day after the one on which they came.
    private static func shares(_ arrivals: Arrivals, zone: Zone, on connection: any Connection) throws -> [String: Int64] {
        var firsts: [String: Int64] = [:]
        for row in try connection.rows(
            """
            SELECT f.fan_id, f.at, h.day FROM \(sql: arrivals.rows) JOIN share_day h ON h.member_id = f.fan_id
            WHERE h.day >= \(zone.day(of: arrivals.from).iso8601) ORDER BY h.day DESC LIMIT \(peopleMax)
            """)
        {
            let at: Instant = try row.get(at: 1)
            let start = zone.start(of: try LocalDay(iso8601: row.get(at: 2)))
            if start > at { firsts[try row.get(at: 0)] = start.millisecondsClamped(since: at) / dayMs }
        }
        return firsts
    }

    // MARK: What was spent

    struct Spent: Sendable {
        /// Nil: the company did not say for which move.
        var stage: Member.Stage?
        var channel: String
        var currency: String
        var amountMinor: Int64
    }

    static func spent(_ days: ClosedRange<LocalDay>, in workspace: WorkspaceID, on connection: any Connection) throws -> [Spent] {
        try connection.rows(
            """
            SELECT stage, channel, currency, CAST(sum(amount) AS BIGINT) FROM cost
            WHERE workspace_id = \(workspace) AND day >= \(days.lowerBound.iso8601) AND day <= \(days.upperBound.iso8601)
            GROUP BY stage, channel, currency HAVING sum(amount) > 0 ORDER BY coalesce(stage, ''), channel, currency
            """
        ).map { row in
            let stage: String? = try row.get(at: 0)
            return Spent(
                stage: stage.flatMap { Member.Stage(rawValue: $0) }, channel: try row.get(at: 1), currency: try row.get(at: 2), amountMinor: try row.get(at: 3))
        }
    }
}
