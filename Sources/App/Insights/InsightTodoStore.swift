import Persistence

/// What is to be counted anew.
enum InsightTodoStore {
    enum Kind: String, Sendable, CaseIterable { case member, customer, day }

    static func add(_ kind: Kind, _ items: [String], in workspace: WorkspaceID, on connection: any Connection) throws {
        for item in items.sorted() {
            try connection.executeLater(
                """
                INSERT INTO insight_todo (workspace_id, kind, item) VALUES (\(workspace), \(kind.rawValue), \(item))
                ON CONFLICT (workspace_id, kind, item) DO NOTHING
                """)
        }
    }

    static func next(_ kind: Kind, in workspace: WorkspaceID, limit: Int, on connection: any Connection) throws -> [String] {
        try connection.rows(
            "SELECT item FROM insight_todo WHERE workspace_id = \(workspace) AND kind = \(kind.rawValue) ORDER BY item DESC LIMIT \(limit)"
        ).map { try $0.get(at: 0) }
    }

    static func remove(_ kind: Kind, _ items: [String], in workspace: WorkspaceID, on connection: any Connection) throws {
        try connection.execute("DELETE FROM insight_todo WHERE workspace_id = \(workspace) AND kind = \(kind.rawValue) AND item IN \(list: items)")
    }

    static func count(in workspace: WorkspaceID, on connection: any Connection) throws -> Int64 {
        try connection.value("SELECT count(*) FROM insight_todo WHERE workspace_id = \(workspace)") ?? 0
    }
}
