import Chronology
import Persistence
import Web

/// What happened, as it is told to subscribers.
enum EventRoutes {
    static func add(to api: inout API) {
        let installation = api.installation
        api.read(
            "/events", id: "listEvents", "Events, in order", tag: "Events", access: .right(.salesRead), parameters: APIParameter.page,
            answer: .page(.reference("Event"))
        ) { request, _, caller in
            let page = try PageRequest.from(request, EventKind.self)
            let events = try await installation.main.read { connection in
                try EventStore.list(in: caller.workspaceID, after: page.startingAfter, limit: page.limit + 1, on: connection)
            }
            return ListAnswer.response(events, page, cursor: \.id.text, json: \.json)
        }
    }
}

struct Event: Sendable {
    static let apiVersion = "2026-11-01"

    var id: EventID
    var type: String
    var data: JSONText
    /// By field, what was before and is after.
    var changes: JSONText?
    var createdAt: Instant
    /// Its place among the workspace's events; 0 before it is stored.
    var sequence: Int64 = 0

    var json: JSONValue {
        var members = [
            JSONMember("id", .text(id.text)), JSONMember("type", .text(type)), JSONMember("createdAt", .text(createdAt.rfc3339)),
            JSONMember("apiVersion", .text(Self.apiVersion)), JSONMember("data", data.value),
        ]
        if let changes { members.append(JSONMember("changes", changes.value)) }
        return .object(members)
    }
}

enum EventStore {
    static func insert(_ event: Event, subject: String, in workspace: WorkspaceID, on connection: any Connection) throws {
        try connection.executeLater(
            """
            INSERT INTO outbox (id, workspace_id, type, subject_id, data, changes, created_at, sequence)
            VALUES (\(event.id), \(workspace), \(event.type), \(subject), \(event.data.text), \(event.changes?.text), \(event.createdAt),
                    (SELECT coalesce(max(sequence), 0) + 1 FROM outbox WHERE workspace_id = \(workspace)))
            """)
    }

    private static let columns = "id, type, data, changes, created_at, sequence"

    /// Events after one, in the order of their commits.
    static func list(in workspace: WorkspaceID, after: String?, limit: Int, on connection: any Connection) throws -> [Event] {
        var start: Int64 = 0
        if let after { start = try sequence(of: EventID(stored: after), in: workspace, on: connection) ?? 0 }
        return try list(in: workspace, afterSequence: start, limit: limit, on: connection)
    }

    static func list(
        in workspace: WorkspaceID, afterSequence start: Int64, until end: Int64 = .max, limit: Int, on connection: any Connection
    ) throws -> [Event] {
        try connection.rows(
            """
            SELECT \(raw: columns) FROM outbox WHERE workspace_id = \(workspace) AND sequence > \(start) AND sequence <= \(end)
            ORDER BY sequence LIMIT \(limit)
            """
        ).map(read)
    }

    static func count(
        _ types: [String], in workspace: WorkspaceID, afterSequence start: Int64, until end: Int64, on connection: any Connection
    ) throws -> Int64 {
        try connection.value(
            "SELECT count(*) FROM outbox WHERE workspace_id = \(workspace) AND sequence > \(start) AND sequence <= \(end) AND type IN \(list: types)") ?? 0
    }

    static func find(_ id: EventID, in workspace: WorkspaceID, on connection: any Connection) throws -> Event? {
        try connection.row("SELECT \(raw: columns) FROM outbox WHERE id = \(id) AND workspace_id = \(workspace)").map(read)
    }

    static func sequence(of id: EventID, in workspace: WorkspaceID, on connection: any Connection) throws -> Int64? {
        try connection.value("SELECT sequence FROM outbox WHERE id = \(id) AND workspace_id = \(workspace)")
    }

    /// The number of the last event; 0 when there is none.
    static func lastSequence(in workspace: WorkspaceID, on connection: any Connection) throws -> Int64 {
        try connection.value("SELECT coalesce(max(sequence), 0) FROM outbox WHERE workspace_id = \(workspace)") ?? 0
    }

    /// The number of the last event before a time. Numbers leave out none and times follow them, so it is found by halving.
    static func lastSequence(before instant: Instant, in workspace: WorkspaceID, on connection: any Connection) throws -> Int64 {
        var (low, high) = (Int64(0), try lastSequence(in: workspace, on: connection))
        while low < high {
            let middle = low + (high - low + 1) / 2
            let at: Instant? = try connection.value("SELECT created_at FROM outbox WHERE workspace_id = \(workspace) AND sequence = \(middle)")
            if let at, at < instant { low = middle } else { high = middle - 1 }
        }
        return low
    }

    private static func read(_ row: Row) throws -> Event {
        Event(
            id: try row.get(at: 0), type: try row.get(at: 1), data: JSONText(text: try row.get(at: 2)),
            changes: try row.get(at: 3, as: String?.self).map(JSONText.init(text:)), createdAt: try row.get(at: 4), sequence: try row.get(at: 5))
    }
}
