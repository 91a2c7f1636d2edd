import Chronology
import Persistence

/// How far the counts have come, for each workspace.
enum InsightCursorStore {
    struct Cursor: Sendable {
        var position: Int64
        var zone: String
        var customersUntil: Instant
        var updatedAt: Instant
        /// Whom a rebuild works out now, and after whom it goes on.
        var rebuild: InsightTodoStore.Kind?
        var rebuildAfter: String
    }

    struct Noted: Sendable {
        var sequence: Int64
        var type: String
        var subject: String
        var createdAt: Instant
    }

    static func find(_ workspace: WorkspaceID, on connection: any Connection) throws -> Cursor? {
        try connection.row(
            "SELECT position, time_zone, customers_until, updated_at, rebuild_kind, rebuild_after FROM insight_cursor WHERE workspace_id = \(workspace)"
        ).map {
            let rebuild: String? = try $0.get(at: 4)
            return Cursor(
                position: try $0.get(at: 0), zone: try $0.get(at: 1), customersUntil: try $0.get(at: 2), updatedAt: try $0.get(at: 3),
                rebuild: rebuild.flatMap { InsightTodoStore.Kind(rawValue: $0) }, rebuildAfter: try $0.get(at: 5))
        }
    }

    static func put(
        _ workspace: WorkspaceID, position: Int64, zone: String, customersUntil: Instant, rebuild: InsightTodoStore.Kind? = nil, at now: Instant,
        on connection: any Connection
    ) throws {
        try connection.execute(
            """
            INSERT INTO insight_cursor (workspace_id, position, time_zone, customers_until, updated_at, rebuild_kind, rebuild_after)
            VALUES (\(workspace), \(position), \(zone), \(customersUntil), \(now), \(rebuild?.rawValue), '')
            ON CONFLICT (workspace_id) DO UPDATE SET position = excluded.position, time_zone = excluded.time_zone,
                customers_until = excluded.customers_until, updated_at = excluded.updated_at, rebuild_kind = excluded.rebuild_kind, rebuild_after = ''
            """)
    }

    static func setRebuild(_ workspace: WorkspaceID, _ kind: InsightTodoStore.Kind?, after: String, on connection: any Connection) throws {
        try connection.execute(
            "UPDATE insight_cursor SET rebuild_kind = \(kind?.rawValue), rebuild_after = \(after) WHERE workspace_id = \(workspace)")
    }

    static func events(in workspace: WorkspaceID, after position: Int64, limit: Int, on connection: any Connection) throws -> [Noted] {
        try connection.rows(
            "SELECT sequence, type, subject_id, created_at FROM outbox WHERE workspace_id = \(workspace) AND sequence > \(position) ORDER BY sequence LIMIT \(limit)"
        ).map { Noted(sequence: try $0.get(at: 0), type: try $0.get(at: 1), subject: try $0.get(at: 2), createdAt: try $0.get(at: 3)) }
    }

    /// Workspaces with events that are not counted yet, or with parts to count.
    static func due(limit: Int, on connection: any Connection) throws -> [WorkspaceID] {
        try connection.rows(
            """
            SELECT w.id FROM workspace w LEFT JOIN insight_cursor c ON c.workspace_id = w.id
            WHERE EXISTS (SELECT 1 FROM outbox o WHERE o.workspace_id = w.id AND o.sequence > coalesce(c.position, 0))
                OR EXISTS (SELECT 1 FROM insight_todo t WHERE t.workspace_id = w.id) OR c.rebuild_kind IS NOT NULL ORDER BY w.id LIMIT \(limit)
            """
        ).map { try $0.get(at: 0) }
    }
}

/// Works out the counts of days from the events.
enum InsightFactStore {
    private static let into = "INSERT INTO insight_day (workspace_id, day, measure, program_id, came_by, channel, device, country, currency, value)"
    private static let ofSale = """
        coalesce(s.program_id, ''), coalesce(s.came_by, 'nobody'), coalesce(d.channel, ''), coalesce(d.device, ''), coalesce(s.country, '')
        """
    private static let group = "GROUP BY 1, 4, 5, 6, 7, 8, 9"

    static func fill(_ day: LocalDay, in workspace: Workspace, on connection: any Connection) throws {
        let (id, text) = (workspace.id, day.iso8601)
        let (from, until) = (workspace.zone.start(of: day), workspace.zone.start(of: day.plus(days: 1)))
        try connection.execute("DELETE FROM insight_day WHERE workspace_id = \(id) AND day = \(text)")
        func sales(_ measure: String, _ value: String, _ more: String = "") throws {
            try connection.execute(
                """
                \(raw: into) SELECT s.workspace_id, CAST(\(text) AS TEXT), '\(raw: measure)', \(raw: ofSale), s.currency, CAST(\(raw: value) AS BIGINT)
                FROM sale s LEFT JOIN event_dimension d ON d.event_id = s.id
                WHERE s.workspace_id = \(id) AND s.occurred_at >= \(from) AND s.occurred_at < \(until) \(raw: more) \(raw: group)
                """)
        }
        let before = """
            (SELECT count(*) FROM sale e WHERE e.customer_id = s.customer_id AND (e.occurred_at < s.occurred_at OR (e.occurred_at = s.occurred_at AND e.id < s.id)))
            """
        try sales("sales", "count(*)")
        try sales("revenue", "sum(s.amount)")
        try sales("newCustomers", "count(*)", "AND \(before) = 0")
        try sales("secondPurchases", "count(*)", "AND \(before) = 1")
        try connection.execute(
            """
            \(raw: into) SELECT r.workspace_id, CAST(\(text) AS TEXT), 'refunds', \(raw: ofSale), s.currency, CAST(sum(r.applied_amount) AS BIGINT)
            FROM refund r JOIN sale s ON s.id = r.sale_id LEFT JOIN event_dimension d ON d.event_id = s.id
            WHERE r.workspace_id = \(id) AND r.occurred_at >= \(from) AND r.occurred_at < \(until) AND r.state = 'applied' \(raw: group)
            """)
        try connection.execute(
            """
            \(raw: into) SELECT l.workspace_id, CAST(\(text) AS TEXT), 'leads', coalesce(l.program_id, ''), '', coalesce(d.channel, ''), coalesce(d.device, ''), '', '',
                count(*)
            FROM lead l LEFT JOIN event_dimension d ON d.event_id = l.id
            WHERE l.workspace_id = \(id) AND l.occurred_at >= \(from) AND l.occurred_at < \(until) AND l.counted_at IS NOT NULL \(raw: group)
            """)
        try connection.execute(
            """
            \(raw: into) SELECT c.workspace_id, CAST(\(text) AS TEXT), 'commissionCost', c.program_id, coalesce(s.came_by, ''), coalesce(d.channel, ''),
                coalesce(d.device, ''), coalesce(s.country, ''), c.unit, CAST(sum(c.amount - c.reversed_amount) AS BIGINT)
            FROM commission c LEFT JOIN sale s ON s.id = c.sale_id LEFT JOIN event_dimension d ON d.event_id = c.cause_id
            WHERE c.workspace_id = \(id) AND c.occurred_at >= \(from) AND c.occurred_at < \(until) \(raw: group)
            """)
    }

    /// Days since 1970 in UTC on which something happened.
    static func daysWithFacts(in workspace: WorkspaceID, on connection: any Connection) throws -> [Int64] {
        try connection.rows(
            """
            SELECT occurred_at / 86400000 AS number FROM sale WHERE workspace_id = \(workspace)
            UNION SELECT occurred_at / 86400000 FROM refund WHERE workspace_id = \(workspace)
            UNION SELECT occurred_at / 86400000 FROM lead WHERE workspace_id = \(workspace)
            UNION SELECT occurred_at / 86400000 FROM commission WHERE workspace_id = \(workspace)
            ORDER BY number
            """
        ).map { try $0.get(at: 0) }
    }

    static func daysCounted(in workspace: WorkspaceID, on connection: any Connection) throws -> [LocalDay] {
        try connection.rows("SELECT DISTINCT day FROM insight_day WHERE workspace_id = \(workspace)").map { try LocalDay(iso8601: $0.get(at: 0)) }
    }

    /// Everybody who may have stood somewhere, in parts.
    static func fans(
        _ kind: InsightTodoStore.Kind, in workspace: WorkspaceID, after: String, limit: Int, on connection: any Connection
    ) throws -> [String] {
        let table: SQL = kind == .member ? "member" : "customer"
        return try connection.rows(
            "SELECT id FROM \(sql: table) WHERE workspace_id = \(workspace) AND id > \(after) ORDER BY id LIMIT \(limit)"
        ).map { try $0.get(at: 0) }
    }

    // MARK: What an event touches

    static func sale(_ id: String, on connection: any Connection) throws -> (at: Instant, customer: String)? {
        try connection.row("SELECT occurred_at, customer_id FROM sale WHERE id = \(id)").map { (try $0.get(at: 0), try $0.get(at: 1)) }
    }

    static func lead(_ id: String, on connection: any Connection) throws -> (at: Instant, customer: String)? {
        try connection.row("SELECT occurred_at, customer_id FROM lead WHERE id = \(id)").map { (try $0.get(at: 0), try $0.get(at: 1)) }
    }

    static func refunds(of sale: String, on connection: any Connection) throws -> [Instant] {
        try connection.rows("SELECT occurred_at FROM refund WHERE sale_id = \(sale)").map { try $0.get(at: 0) }
    }

    static func commission(_ id: String, on connection: any Connection) throws -> Instant? {
        try connection.value("SELECT occurred_at FROM commission WHERE id = \(id)")
    }

    private static let firstSalesMax = 2_000

    /// When a customer's first sales were, until the third that was counted before: those that come late make others the first and second.
    static func firstSales(of customer: String, recordedBefore start: Instant, on connection: any Connection) throws -> [Instant] {
        var instants: [Instant] = []
        var known = 0
        for row in try connection.rows(
            "SELECT occurred_at, recorded_at FROM sale WHERE customer_id = \(customer) ORDER BY occurred_at, id LIMIT \(firstSalesMax)")
        {
            instants.append(try row.get(at: 0))
            let recordedAt: Instant = try row.get(at: 1)
            if recordedAt < start { known += 1 }
            if known == 3 { break }
        }
        return instants
    }

    static func customers(of member: String, on connection: any Connection) throws -> [String] {
        try connection.rows("SELECT customer_id FROM customer_member WHERE member_id = \(member)").map { try $0.get(at: 0) }
    }

    /// Customers known since a time that have no stage yet and are no members.
    static func customers(
        in workspace: WorkspaceID, since: Instant, limit: Int, on connection: any Connection
    ) throws -> (fresh: [String], last: Instant?, isMore: Bool) {
        let rows = try connection.rows(
            """
            SELECT c.id, c.created_at FROM customer c WHERE c.workspace_id = \(workspace) AND c.created_at >= \(since)
                AND NOT EXISTS (SELECT 1 FROM fan_stage f WHERE f.workspace_id = c.workspace_id AND f.fan_id = c.id)
                AND NOT EXISTS (SELECT 1 FROM customer_member m WHERE m.customer_id = c.id)
            ORDER BY c.created_at, c.id LIMIT \(limit)
            """)
        return (try rows.map { try $0.get(at: 0) }, try rows.last?.get(at: 1), rows.count == limit)
    }
}

/// Who stood where since when: a row for each person and stage, members as their moves say, other customers by their first purchase.
enum FanStageStore {
    private static let into = "INSERT INTO fan_stage (workspace_id, fan_id, step, from_stage, stage, cause, at, until_at, next_stage)"
    private static let together = 200

    static func fill(members: [String], customers: [String], in workspace: WorkspaceID, on connection: any Connection) throws {
        for fans in pieces(members) {
            try connection.execute("DELETE FROM fan_stage WHERE workspace_id = \(workspace) AND fan_id IN \(list: fans)")
            try self.members("AND m.member_id IN \(list: fans)", workspace, connection)
            try FanOriginStore.fill(members: fans, in: workspace, on: connection)
        }
        for fans in pieces(customers) {
            try connection.execute("DELETE FROM fan_stage WHERE workspace_id = \(workspace) AND fan_id IN \(list: fans)")
            try self.customers("AND c.id IN \(list: fans)", workspace, connection)
            try FanOriginStore.fill(customers: fans, in: workspace, on: connection)
        }
    }

    private static func pieces(_ ids: [String]) -> [[String]] {
        stride(from: 0, to: ids.count, by: together).map { Array(ids[$0..<min($0 + together, ids.count)]) }
    }

    private static func members(_ only: SQL, _ workspace: WorkspaceID, _ connection: any Connection) throws {
        let order = "PARTITION BY m.member_id ORDER BY m.at, CASE WHEN m.from_stage IS NULL THEN 0 ELSE 1 END, m.id"
        try connection.execute(
            """
            \(raw: into) SELECT m.workspace_id, m.member_id, row_number() OVER (\(raw: order)), m.from_stage, m.to_stage, m.cause, m.at,
                lead(m.at) OVER (\(raw: order)), lead(m.to_stage) OVER (\(raw: order))
            FROM stage_move m WHERE m.workspace_id = \(workspace) \(sql: only)
            """)
    }

    private static func customers(_ only: SQL, _ workspace: WorkspaceID, _ connection: any Connection) throws {
        let known: SQL = """
            (SELECT c.workspace_id, c.id, c.created_at, (SELECT min(s.occurred_at) FROM sale s WHERE s.customer_id = c.id) AS bought_at
             FROM customer c WHERE c.workspace_id = \(workspace) \(sql: only)
                AND NOT EXISTS (SELECT 1 FROM customer_member m WHERE m.customer_id = c.id)) k
            """
        // Whoever is first known by a purchase was no prospect before.
        try connection.execute(
            """
            \(raw: into) SELECT k.workspace_id, k.id, 1, NULL, CASE WHEN k.bought_at <= k.created_at THEN 'customer' ELSE 'prospect' END, 'known',
                CASE WHEN k.bought_at <= k.created_at THEN k.bought_at ELSE k.created_at END, CASE WHEN k.bought_at > k.created_at THEN k.bought_at END,
                CASE WHEN k.bought_at > k.created_at THEN 'customer' END
            FROM \(sql: known)
            """)
        try connection.execute(
            """
            \(raw: into) SELECT k.workspace_id, k.id, 2, 'prospect', 'customer', 'purchase', k.bought_at, NULL, NULL
            FROM \(sql: known) WHERE k.bought_at > k.created_at
            """)
    }
}
