import Chronology
import Persistence

enum WebhookDeliveryStore {
    private static let columns = """
        d.id, d.workspace_id, d.endpoint_id, d.event_id, d.event_type, d.state, d.tries, d.due_at, d.created_at, d.tried_at, d.duration_ms,
        d.status, d.answer_sealed, d.failure
        """

    /// A delivery that is due at once. One that is there already stays as it is.
    static func insert(
        _ id: WebhookDeliveryID, of event: Event, to endpoint: WebhookEndpoint, at now: Instant, on connection: any Connection
    ) throws {
        try connection.executeLater(
            """
            INSERT INTO webhook_delivery (id, workspace_id, endpoint_id, event_id, event_type, event_sequence, state, due_at, created_at)
            VALUES (\(id), \(endpoint.workspaceID), \(endpoint.id), \(event.id), \(event.type), \(event.sequence), 'waiting', \(now), \(now))
            ON CONFLICT (endpoint_id, event_id) DO NOTHING
            """)
    }

    /// The same, but one that has ended is tried anew.
    static func insertAgain(
        _ id: WebhookDeliveryID, of event: Event, to endpoint: WebhookEndpoint, at now: Instant, on connection: any Connection
    ) throws {
        try connection.executeLater(
            """
            INSERT INTO webhook_delivery (id, workspace_id, endpoint_id, event_id, event_type, event_sequence, state, due_at, created_at)
            VALUES (\(id), \(endpoint.workspaceID), \(endpoint.id), \(event.id), \(event.type), \(event.sequence), 'waiting', \(now), \(now))
            ON CONFLICT (endpoint_id, event_id) DO UPDATE SET state = 'waiting', tries = 0, due_at = \(now)
            WHERE webhook_delivery.state <> 'waiting'
            """)
    }

    static func find(_ id: WebhookDeliveryID, in workspace: WorkspaceID, on connection: any Connection) throws -> WebhookDelivery? {
        try connection.row("SELECT \(raw: columns) FROM webhook_delivery d WHERE d.id = \(id) AND d.workspace_id = \(workspace)").flatMap(read)
    }

    /// The newest of an endpoint.
    static func list(
        of endpoint: WebhookID, state: WebhookDelivery.State?, before: String?, limit: Int, on connection: any Connection
    ) throws -> [WebhookDelivery] {
        var sql: SQL = "SELECT \(raw: columns) FROM webhook_delivery d WHERE d.endpoint_id = \(endpoint)"
        if let state { sql = "\(sql: sql) AND d.state = \(state.rawValue)" }
        if let before { sql = "\(sql: sql) AND d.id < \(before)" }
        return try connection.rows("\(sql: sql) ORDER BY d.id DESC LIMIT \(limit)").compactMap(read)
    }

    /// How many of an endpoint's are in each state, of the newest ones.
    static func counts(of endpoints: [WebhookID], on connection: any Connection) throws -> [WebhookID: [WebhookDelivery.State: Int64]] {
        var counts: [WebhookID: [WebhookDelivery.State: Int64]] = [:]
        for id in endpoints {
            for state in WebhookDelivery.State.allCases {
                counts[id, default: [:]][state] = try connection.value(
                    """
                    SELECT count(*) FROM (
                        SELECT 1 FROM webhook_delivery WHERE endpoint_id = \(id) AND state = \(state.rawValue) LIMIT \(countedMax)) AS counted
                    """)
            }
        }
        return counts
    }

    /// More than so many are said to be at least so many.
    static let countedMax = 10_000

    // MARK: Sending

    /// Endpoints that something is due for, those first that wait longest; of each workspace so many. From one endpoint that something waits
    /// for to the next: members' trackers are many, and mostly nothing waits for them.
    static func endpointsDue(
        at now: Instant, limit: Int, limitOfWorkspace: Int, on connection: any Connection
    ) throws -> [(id: WebhookID, workspaceID: WorkspaceID)] {
        try connection.rows(
            """
            WITH RECURSIVE due (endpoint_id) AS (
                SELECT min(d.endpoint_id) FROM webhook_delivery d WHERE d.state = 'waiting' AND d.endpoint_id > ''
                UNION ALL
                SELECT (SELECT min(d.endpoint_id) FROM webhook_delivery d WHERE d.state = 'waiting' AND d.endpoint_id > due.endpoint_id) FROM due
                WHERE due.endpoint_id IS NOT NULL)
            SELECT id, workspace_id FROM (
                SELECT id, workspace_id, first_due, row_number() OVER (PARTITION BY workspace_id ORDER BY first_due, id) AS place FROM (
                    SELECT e.id, e.workspace_id,
                        (SELECT min(d.due_at) FROM webhook_delivery d WHERE d.endpoint_id = e.id AND d.state = 'waiting') AS first_due
                    FROM due JOIN webhook_endpoint e ON e.id = due.endpoint_id
                    WHERE e.state = 'enabled' AND (e.paused_until IS NULL OR e.paused_until <= \(now))) AS ready
                WHERE first_due <= \(now)) AS placed
            WHERE place <= \(limitOfWorkspace) ORDER BY first_due, id LIMIT \(limit)
            """
        ).map { (try $0.get(at: 0), try $0.get(at: 1)) }
    }

    static func due(_ endpoint: WebhookID, at now: Instant, limit: Int, on connection: any Connection) throws -> [WebhookDelivery] {
        try connection.rows(
            """
            SELECT \(raw: columns) FROM webhook_delivery d WHERE d.endpoint_id = \(endpoint) AND d.state = 'waiting' AND d.due_at <= \(now)
            ORDER BY d.due_at, d.event_sequence LIMIT \(limit)
            """
        ).compactMap(read)
    }

    /// Keeps others away until a time. Answers false when another process was faster.
    static func claim(_ delivery: WebhookDelivery, until lease: Instant, on connection: any Connection) throws -> Bool {
        try connection.execute(
            """
            UPDATE webhook_delivery SET due_at = \(lease) WHERE id = \(delivery.id) AND state = 'waiting' AND due_at = \(delivery.dueAt)
            """) == 1
    }

    /// Gives claimed ones back that were not tried.
    static func release(_ deliveries: [WebhookDelivery], on connection: any Connection) throws {
        for delivery in deliveries {
            try connection.executeLater(
                "UPDATE webhook_delivery SET due_at = \(delivery.dueAt) WHERE id = \(delivery.id) AND state = 'waiting'")
        }
    }

    /// What came of a try. `due`: when the next is, while it waits.
    static func record(
        _ attempt: WebhookAttempt, of id: WebhookDeliveryID, _ state: WebhookDelivery.State, due: Instant?, answerSealed: [UInt8]?,
        on connection: any Connection
    ) throws {
        try connection.execute(
            """
            UPDATE webhook_delivery SET state = \(state.rawValue), tries = tries + 1, due_at = \(due), tried_at = \(attempt.triedAt),
                duration_ms = \(attempt.durationMs), status = \(attempt.status), answer_sealed = \(answerSealed), failure = \(attempt.failure)
            WHERE id = \(id) AND state = 'waiting'
            """)
    }

    static func sendAgain(_ id: WebhookDeliveryID, at now: Instant, on connection: any Connection) throws {
        try connection.execute("UPDATE webhook_delivery SET state = 'waiting', tries = 0, due_at = \(now) WHERE id = \(id)")
    }

    /// Ends what waits for somebody who can't be told any more.
    static func giveUp(_ id: WebhookDeliveryID, because failure: String, on connection: any Connection) throws {
        try connection.execute(
            "UPDATE webhook_delivery SET state = 'failed', due_at = NULL, failure = \(failure) WHERE id = \(id) AND state = 'waiting'")
    }

    // MARK: Forgetting

    static func hasOld(before: Instant, on connection: any Connection) throws -> Bool {
        try connection.row("SELECT 1 FROM webhook_delivery WHERE created_at < \(before) LIMIT 1") != nil
    }

    static func forget(before: Instant, limit: Int, on connection: any Connection) throws {
        try connection.execute(
            "DELETE FROM webhook_delivery WHERE id IN (SELECT id FROM webhook_delivery WHERE created_at < \(before) ORDER BY created_at LIMIT \(limit))")
    }

    private static func read(_ row: Row) throws -> WebhookDelivery? {
        guard let state = WebhookDelivery.State(rawValue: try row.get(at: 5)) else { return nil }
        return WebhookDelivery(
            id: try row.get(at: 0), workspaceID: try row.get(at: 1), endpointID: try row.get(at: 2), eventID: try row.get(at: 3),
            eventType: try row.get(at: 4), state: state, tries: try row.get(at: 6), dueAt: try row.get(at: 7), createdAt: try row.get(at: 8),
            triedAt: try row.get(at: 9), durationMs: try row.get(at: 10), status: try row.get(at: 11), answerSealed: try row.get(at: 12),
            failure: try row.get(at: 13))
    }
}
