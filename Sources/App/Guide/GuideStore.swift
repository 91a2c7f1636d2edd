import Chronology
import Persistence
import Web

/// What the set-up guide looks at.
enum GuideStore {
    struct State: Sendable {
        var programCount: Int64
        var linkCount: Int64
        var saleCount: Int64
    }

    static func state(of workspace: WorkspaceID, on connection: any Connection) throws -> State {
        State(
            programCount: try exists("program", in: workspace, on: connection), linkCount: try exists("link", in: workspace, on: connection),
            saleCount: try exists("sale", in: workspace, on: connection))
    }

    /// 1 when a table has a row of the workspace: nobody counts millions to say that there are some.
    private static func exists(_ table: String, in workspace: WorkspaceID, on connection: any Connection) throws -> Int64 {
        try connection.row("SELECT 1 FROM \(raw: table) WHERE workspace_id = \(workspace) LIMIT 1") == nil ? 0 : 1
    }

    /// The latest events, the newest first.
    static func events(in workspace: WorkspaceID, types: [EventType], limit: Int, on connection: any Connection) throws -> [(event: Event, subject: String)] {
        try connection.rows(
            """
            SELECT id, type, data, created_at, subject_id FROM outbox WHERE workspace_id = \(workspace) AND type IN \(list: types.map(\.rawValue))
            ORDER BY sequence DESC LIMIT \(limit)
            """
        ).map { row in
            (
                Event(id: try row.get(at: 0), type: try row.get(at: 1), data: JSONText(text: try row.get(at: 2)), createdAt: try row.get(at: 3)),
                try row.get(at: 4)
            )
        }
    }

    /// Whether the workspace's first program was told by the demo.
    static func isDemo(_ workspace: WorkspaceID, on connection: any Connection) throws -> Bool {
        try connection.row(
            """
            SELECT 1 FROM program p JOIN program_version v ON v.program_id = p.id AND v.version = 1
            WHERE p.workspace_id = \(workspace) AND v.author = \(Actor.system("demo").text) LIMIT 1
            """) != nil
    }
}
