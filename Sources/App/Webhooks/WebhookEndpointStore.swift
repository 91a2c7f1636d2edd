import Chronology
import Persistence
import Web

enum WebhookEndpointStore {
    private static let columns = """
        id, workspace_id, kind, member_id, url, url_sealed, events, state, disabled_reason, secret_sealed, previous_secret_sealed,
        previous_secret_until, since_sequence, replay_from, replay_until, failures_in_row, failing_since, paused_until, created_at
        """

    static func insert(_ endpoint: WebhookEndpoint, on connection: any Connection) throws {
        try connection.execute(
            """
            INSERT INTO webhook_endpoint (id, workspace_id, kind, member_id, url, url_sealed, events, state, secret_sealed, since_sequence, created_at)
            VALUES (\(endpoint.id), \(endpoint.workspaceID), \(endpoint.kind.rawValue), \(endpoint.memberID), \(endpoint.url), \(endpoint.urlSealed),
                    \(JSONText(endpoint.events.json).text), \(endpoint.state.rawValue), \(endpoint.secretSealed), \(endpoint.sinceSequence), \(endpoint.createdAt))
            """)
    }

    /// One that people know of.
    static func find(
        _ id: WebhookID, _ kind: WebhookEndpoint.Kind, in workspace: WorkspaceID, on connection: any Connection
    ) throws -> WebhookEndpoint? {
        try connection.row(
            """
            SELECT \(raw: columns) FROM webhook_endpoint
            WHERE id = \(id) AND workspace_id = \(workspace) AND kind = \(kind.rawValue) AND state <> 'removed'
            """
        ).flatMap(read)
    }

    static func find(_ id: WebhookID, on connection: any Connection) throws -> WebhookEndpoint? {
        try connection.row("SELECT \(raw: columns) FROM webhook_endpoint WHERE id = \(id)").flatMap(read)
    }

    static func find(member: MemberID, in workspace: WorkspaceID, on connection: any Connection) throws -> WebhookEndpoint? {
        try connection.row(
            """
            SELECT \(raw: columns) FROM webhook_endpoint
            WHERE member_id = \(member) AND workspace_id = \(workspace) AND state <> 'removed'
            """
        ).flatMap(read)
    }

    /// A workspace's own endpoints, in the order in which they were made.
    static func list(in workspace: WorkspaceID, after: String?, limit: Int, on connection: any Connection) throws -> [WebhookEndpoint] {
        try connection.rows(
            """
            SELECT \(raw: columns) FROM webhook_endpoint
            WHERE workspace_id = \(workspace) AND kind = 'webhook' AND state <> 'removed' AND id > \(after ?? "") ORDER BY id LIMIT \(limit)
            """
        ).compactMap(read)
    }

    static func count(in workspace: WorkspaceID, on connection: any Connection) throws -> Int64 {
        try connection.value(
            "SELECT count(*) FROM webhook_endpoint WHERE workspace_id = \(workspace) AND kind = 'webhook' AND state <> 'removed'") ?? 0
    }

    /// Those of some members that are told of what they earn.
    static func postbacks(of members: [MemberID], in workspace: WorkspaceID, on connection: any Connection) throws -> [MemberID: WebhookEndpoint] {
        guard !members.isEmpty else { return [:] }
        let found = try connection.rows(
            """
            SELECT \(raw: columns) FROM webhook_endpoint
            WHERE member_id IN \(list: members) AND workspace_id = \(workspace) AND state = 'enabled'
            """
        ).compactMap(read)
        return Dictionary(found.compactMap { endpoint in endpoint.memberID.map { ($0, endpoint) } }, uniquingKeysWith: { first, _ in first })
    }

    // MARK: Changing

    static func setTarget(_ endpoint: WebhookEndpoint, on connection: any Connection) throws {
        try connection.execute(
            """
            UPDATE webhook_endpoint SET url = \(endpoint.url), url_sealed = \(endpoint.urlSealed), events = \(JSONText(endpoint.events.json).text)
            WHERE id = \(endpoint.id)
            """)
    }

    /// Enabling begins with a clean slate.
    static func setState(
        _ id: WebhookID, _ state: WebhookEndpoint.State, because reason: WebhookEndpoint.DisabledReason?, on connection: any Connection
    ) throws {
        try connection.execute(
            """
            UPDATE webhook_endpoint SET state = \(state.rawValue), disabled_reason = \(reason?.rawValue), failures_in_row = 0, failing_since = NULL,
                paused_until = NULL WHERE id = \(id)
            """)
    }

    static func setSecrets(
        _ id: WebhookID, _ secret: [UInt8], previous: [UInt8]?, previousUntil: Instant?, on connection: any Connection
    ) throws {
        try connection.execute(
            """
            UPDATE webhook_endpoint SET secret_sealed = \(secret), previous_secret_sealed = \(previous), previous_secret_until = \(previousUntil)
            WHERE id = \(id)
            """)
    }

    static func setReplay(_ id: WebhookID, _ replay: (from: Int64, until: Int64)?, on connection: any Connection) throws {
        try connection.execute(
            "UPDATE webhook_endpoint SET replay_from = \(replay?.from), replay_until = \(replay?.until) WHERE id = \(id)")
    }

    static func noteSuccess(_ id: WebhookID, on connection: any Connection) throws {
        try connection.execute(
            """
            UPDATE webhook_endpoint SET failures_in_row = 0, failing_since = NULL, paused_until = NULL
            WHERE id = \(id) AND (failures_in_row > 0 OR paused_until IS NOT NULL)
            """)
    }

    /// Counts a failure. Answers how it stands with the endpoint now.
    static func noteFailure(_ id: WebhookID, at now: Instant, on connection: any Connection) throws -> WebhookEndpoint.Health {
        try connection.execute(
            """
            UPDATE webhook_endpoint SET failures_in_row = failures_in_row + 1, failing_since = coalesce(failing_since, \(now)) WHERE id = \(id)
            """)
        guard var health = try find(id, on: connection)?.health else { return WebhookEndpoint.Health() }
        if let pause = WebhookEndpoint.pauseMs(afterFailures: health.failuresInRow) {
            health.pausedUntil = try now.adding(milliseconds: pause)
            try connection.execute("UPDATE webhook_endpoint SET paused_until = \(health.pausedUntil) WHERE id = \(id)")
        }
        return health
    }

    /// Removed ones whose deliveries are all deleted go now.
    static func deleteRemoved(limit: Int, on connection: any Connection) throws {
        try connection.execute(
            """
            DELETE FROM webhook_delivery WHERE id IN (
                SELECT d.id FROM webhook_endpoint e JOIN webhook_delivery d ON d.endpoint_id = e.id WHERE e.state = 'removed' LIMIT \(limit))
            """)
        try connection.execute(
            """
            DELETE FROM webhook_endpoint WHERE state = 'removed'
                AND NOT EXISTS (SELECT 1 FROM webhook_delivery d WHERE d.endpoint_id = webhook_endpoint.id)
            """)
    }

    static func hasRemoved(on connection: any Connection) throws -> Bool {
        try connection.row("SELECT 1 FROM webhook_endpoint WHERE state = 'removed' LIMIT 1") != nil
    }

    private static func read(_ row: Row) throws -> WebhookEndpoint? {
        let names = JSONText(text: try row.get(at: 6)).value
        guard let kind = WebhookEndpoint.Kind(rawValue: try row.get(at: 2)), let state = WebhookEndpoint.State(rawValue: try row.get(at: 7)) else { return nil }
        let replayFrom: Int64? = try row.get(at: 13)
        let replayUntil: Int64? = try row.get(at: 14)
        var endpoint = WebhookEndpoint(
            id: try row.get(at: 0), workspaceID: try row.get(at: 1), kind: kind, memberID: try row.get(at: 3), url: try row.get(at: 4),
            urlSealed: try row.get(at: 5), events: selection(names), state: state,
            disabledReason: try row.get(at: 8, as: String?.self).flatMap(WebhookEndpoint.DisabledReason.init(rawValue:)),
            secretSealed: try row.get(at: 9), previousSecretSealed: try row.get(at: 10), previousSecretUntil: try row.get(at: 11),
            sinceSequence: try row.get(at: 12), createdAt: try row.get(at: 18))
        if let replayFrom, let replayUntil { endpoint.replay = (replayFrom, replayUntil) }
        endpoint.health = WebhookEndpoint.Health(
            failuresInRow: try row.get(at: 15), failingSince: try row.get(at: 16), pausedUntil: try row.get(at: 17))
        return endpoint
    }

    /// Types that this version does not know are left out.
    private static func selection(_ value: JSONValue) -> EventSelection {
        guard case .array(let elements) = value else { return .types([]) }
        let names = elements.compactMap(\.string)
        if names == [EventSelection.everything] { return .all }
        return .types(names.compactMap(EventType.init(rawValue:)))
    }
}

/// How far a workspace's events were given to its endpoints.
enum WebhookCursorStore {
    /// From now on, when the workspace has no cursor yet.
    static func begin(in workspace: WorkspaceID, on connection: any Connection) throws {
        let last = try EventStore.lastSequence(in: workspace, on: connection)
        try connection.execute(
            "INSERT INTO webhook_cursor (workspace_id, position) VALUES (\(workspace), \(last)) ON CONFLICT (workspace_id) DO NOTHING")
    }

    static func position(in workspace: WorkspaceID, on connection: any Connection) throws -> Int64? {
        try connection.value("SELECT position FROM webhook_cursor WHERE workspace_id = \(workspace)")
    }

    static func set(_ position: Int64, in workspace: WorkspaceID, on connection: any Connection) throws {
        try connection.execute("UPDATE webhook_cursor SET position = \(position) WHERE workspace_id = \(workspace)")
    }

    /// Workspaces with events that no endpoint was given yet, with a replay under way, or with endpoints that came with an import.
    static func due(limit: Int, on connection: any Connection) throws -> [WorkspaceID] {
        try connection.rows(
            """
            SELECT c.workspace_id FROM webhook_cursor c
            WHERE EXISTS (SELECT 1 FROM outbox o WHERE o.workspace_id = c.workspace_id AND o.sequence > c.position)
               OR EXISTS (SELECT 1 FROM webhook_endpoint e WHERE e.workspace_id = c.workspace_id AND e.replay_from IS NOT NULL)
            ORDER BY c.workspace_id LIMIT \(limit)
            """
        ).map { try $0.get(at: 0) }
    }

    /// Endpoints with a replay under way.
    static func replaying(in workspace: WorkspaceID, on connection: any Connection) throws -> [WebhookID] {
        try connection.rows(
            "SELECT id FROM webhook_endpoint WHERE workspace_id = \(workspace) AND replay_from IS NOT NULL AND state <> 'removed' ORDER BY id"
        ).map { try $0.get(at: 0) }
    }
}
