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
            INSERT INTO outbox (id, workspace_id, type, subject_id, data, changes, created_at)
            VALUES (\(event.id), \(workspace), \(event.type), \(subject), \(event.data.text), \(event.changes?.text), \(event.createdAt))
            """)
    }

    static func list(in workspace: WorkspaceID, after: String?, limit: Int, on connection: any Connection) throws -> [Event] {
        try connection.rows(
            """
            SELECT id, type, data, changes, created_at FROM outbox
            WHERE workspace_id = \(workspace) AND id > \(after ?? "") ORDER BY id LIMIT \(limit)
            """
        ).map { row in
            Event(
                id: try row.get(at: 0), type: try row.get(at: 1), data: JSONText(text: try row.get(at: 2)),
                changes: try row.get(at: 3, as: String?.self).map(JSONText.init(text:)), createdAt: try row.get(at: 4))
        }
    }
}
