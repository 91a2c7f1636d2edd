import Chronology
import Persistence

/// The figures of the overview, each by an index over time.
enum OverviewStore {
    /// Sales are counted in steps of this length, which every zone's offset is a multiple of.
    static let stepMs: Int64 = 900_000

    struct Figures: Sendable {
        var clicks: Int64 = 0
        var leads: Int64 = 0
        var sales: Int64 = 0
        var valueMinor: Int64 = 0
        var payMinor: Int64 = 0
    }

    struct Channel: Sendable {
        var cameBy: String
        var sales: Int64 = 0
        var valueMinor: Int64 = 0
        var payMinor: Int64 = 0
        var weeks: [Int64] = []
    }

    static func figures(
        in workspace: WorkspaceID, days: ClosedRange<LocalDay>, from: Instant, until: Instant, currency: String, on connection: any Connection
    ) throws -> Figures {
        let first = days.lowerBound.iso8601
        let last = days.upperBound.iso8601
        let sales = try connection.row(
            """
            SELECT count(*), CAST(coalesce(sum(CASE WHEN currency = \(currency) THEN amount - refunded_amount ELSE 0 END), 0) AS BIGINT)
            FROM sale WHERE workspace_id = \(workspace) AND occurred_at >= \(from) AND occurred_at < \(until)
            """)
        return Figures(
            clicks: try connection.value(
                "SELECT CAST(coalesce(sum(clicks), 0) AS BIGINT) FROM click_day WHERE workspace_id = \(workspace) AND day >= \(first) AND day <= \(last)")
                ?? 0,
            leads: try connection.value(
                """
                SELECT count(*) FROM lead WHERE workspace_id = \(workspace) AND occurred_at >= \(from) AND occurred_at < \(until)
                    AND counted_at IS NOT NULL
                """) ?? 0,
            sales: try sales?.get(at: 0) ?? 0, valueMinor: try sales?.get(at: 1) ?? 0,
            payMinor: try connection.value(
                """
                SELECT CAST(coalesce(sum(amount - reversed_amount), 0) AS BIGINT) FROM commission
                WHERE workspace_id = \(workspace) AND occurred_at >= \(from) AND occurred_at < \(until) AND unit = \(currency)
                """) ?? 0)
    }

    /// Currencies of the sales since an instant, the most used first; else of the programs.
    static func currencies(in workspace: WorkspaceID, since: Instant, on connection: any Connection) throws -> [String] {
        let used: [String] = try connection.rows(
            """
            SELECT currency FROM sale WHERE workspace_id = \(workspace) AND occurred_at >= \(since) GROUP BY currency
            ORDER BY count(*) DESC, currency
            """
        ).map { try $0.get(at: 0) }
        if !used.isEmpty { return used }
        return try connection.rows("SELECT currency FROM program WHERE workspace_id = \(workspace) ORDER BY id LIMIT 1").map { try $0.get(at: 0) }
    }

    /// Counts of sales by quarter of an hour.
    static func salesByStep(
        in workspace: WorkspaceID, from: Instant, until: Instant, on connection: any Connection
    ) throws -> [(at: Instant, count: Int64)] {
        try connection.rows(
            """
            SELECT occurred_at / \(raw: String(stepMs)) AS step, count(*) FROM sale
            WHERE workspace_id = \(workspace) AND occurred_at >= \(from) AND occurred_at < \(until) GROUP BY step ORDER BY step
            """
        ).map { (Instant(millisecondsSince1970: try $0.get(at: 0, as: Int64.self) * stepMs), try $0.get(at: 1)) }
    }

    static func channels(
        in workspace: WorkspaceID, from: Instant, until: Instant, currency: String, weeksFrom: Instant, weeksCount: Int,
        on connection: any Connection
    ) throws -> [Channel] {
        var channels: [String: Channel] = [:]
        for row in try connection.rows(
            """
            SELECT coalesce(came_by, 'nobody') AS channel, count(*),
                CAST(coalesce(sum(CASE WHEN currency = \(currency) THEN amount - refunded_amount ELSE 0 END), 0) AS BIGINT)
            FROM sale WHERE workspace_id = \(workspace) AND occurred_at >= \(from) AND occurred_at < \(until) GROUP BY channel
            """)
        {
            let name: String = try row.get(at: 0)
            channels[name] = Channel(cameBy: name, sales: try row.get(at: 1), valueMinor: try row.get(at: 2))
        }
        for row in try connection.rows(
            """
            SELECT coalesce(s.came_by, 'nobody') AS channel, CAST(sum(c.amount - c.reversed_amount) AS BIGINT)
            FROM commission c JOIN sale s ON s.id = c.sale_id
            WHERE c.workspace_id = \(workspace) AND c.occurred_at >= \(from) AND c.occurred_at < \(until) AND c.unit = \(currency)
            GROUP BY channel
            """)
        {
            channels[try row.get(at: 0)]?.payMinor = try row.get(at: 1)
        }
        let start = weeksFrom.millisecondsSince1970
        for name in channels.keys { channels[name]?.weeks = Array(repeating: 0, count: weeksCount) }
        for row in try connection.rows(
            """
            SELECT coalesce(came_by, 'nobody') AS channel, (occurred_at - \(raw: String(start))) / 604800000 AS week, count(*) FROM sale
            WHERE workspace_id = \(workspace) AND occurred_at >= \(weeksFrom) AND occurred_at < \(until) GROUP BY channel, week
            """)
        {
            let week = try row.get(at: 1, as: Int64.self)
            if (0..<Int64(weeksCount)).contains(week) { channels[try row.get(at: 0)]?.weeks[Int(week)] += try row.get(at: 2, as: Int64.self) }
        }
        return channels.values.sorted { ($1.sales, $0.cameBy) < ($0.sales, $1.cameBy) }
    }

    struct Needs: Sendable {
        var parkedCount: Int64 = 0
        var parkedSince: Instant?
        var nobodyCount: Int64 = 0
        var nobodyMinor: Int64 = 0
        var debtorCount: Int64 = 0
        var debtMinor: Int64 = 0
        var endingCount: Int64 = 0
    }

    static func needs(
        in workspace: WorkspaceID, from: Instant, until: Instant, now: Instant, endingUntil: Instant, currency: String,
        on connection: any Connection
    ) throws -> Needs {
        var needs = Needs()
        if let row = try connection.row("SELECT count(*), min(recorded_at) FROM refund WHERE workspace_id = \(workspace) AND state = 'parked'") {
            needs.parkedCount = try row.get(at: 0)
            needs.parkedSince = try row.get(at: 1)
        }
        if let row = try connection.row(
            """
            SELECT count(*), CAST(coalesce(sum(CASE WHEN currency = \(currency) THEN amount - refunded_amount ELSE 0 END), 0) AS BIGINT)
            FROM sale WHERE workspace_id = \(workspace) AND occurred_at >= \(from) AND occurred_at < \(until) AND came_by = 'nobody'
            """)
        {
            needs.nobodyCount = try row.get(at: 0)
            needs.nobodyMinor = try row.get(at: 1)
        }
        if let row = try connection.row(
            """
            SELECT count(*), CAST(coalesce(sum(balance), 0) AS BIGINT) FROM account
            WHERE workspace_id = \(workspace) AND name LIKE 'assets:debt:%' AND unit = \(currency) AND balance > 0
            """)
        {
            needs.debtorCount = try row.get(at: 0)
            needs.debtMinor = try row.get(at: 1)
        }
        needs.endingCount =
            try connection.value(
                """
                SELECT count(*) FROM link WHERE workspace_id = \(workspace) AND expires_at > \(now) AND expires_at <= \(endingUntil)
                    AND archived_at IS NULL
                """) ?? 0
        return needs
    }

    static func hasLinks(in workspace: WorkspaceID, on connection: any Connection) throws -> Bool {
        try connection.row("SELECT 1 FROM link WHERE workspace_id = \(workspace) LIMIT 1") != nil
    }

    /// Versions of rules that came into force in a period.
    static func ruleStarts(
        in workspace: WorkspaceID, from: Instant, until: Instant, limit: Int, on connection: any Connection
    ) throws -> [(at: Instant, rule: RuleID, version: Int)] {
        try connection.rows(
            """
            SELECT v.effective_from, v.rule_id, v.version FROM rule r JOIN rule_version v ON v.rule_id = r.id
            WHERE r.workspace_id = \(workspace) AND v.effective_from >= \(from) AND v.effective_from < \(until)
            ORDER BY v.effective_from DESC LIMIT \(limit)
            """
        ).map { (try $0.get(at: 0), try $0.get(at: 1), try $0.get(at: 2)) }
    }
}
