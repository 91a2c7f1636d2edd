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
            let page = try PageRequest.from(request)
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
    var createdAt: Instant

    var json: JSONValue {
        [
            "id": .text(id.text), "type": .text(type), "createdAt": .text(createdAt.rfc3339), "apiVersion": .text(Self.apiVersion), "data": data.value,
        ]
    }
}

enum EventStore {
    static func list(in workspace: WorkspaceID, after: String?, limit: Int, on connection: any Connection) throws -> [Event] {
        try connection.rows(
            "SELECT id, type, data, created_at FROM outbox WHERE workspace_id = \(workspace) AND id > \(after ?? "") ORDER BY id LIMIT \(limit)"
        ).map { Event(id: try $0.get(at: 0), type: try $0.get(at: 1), data: JSONText(text: try $0.get(at: 2)), createdAt: try $0.get(at: 3)) }
    }
}
