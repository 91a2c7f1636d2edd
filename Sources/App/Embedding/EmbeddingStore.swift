import Chronology
import Persistence

enum EmbeddingStore {
    static func origins(of workspace: WorkspaceID, on connection: any Connection) throws -> [String] {
        let text: String? = try connection.value("SELECT origins FROM embedding WHERE workspace_id = \(workspace)")
        return (text ?? "").split(separator: "\n").map(String.init)
    }

    static func all(on connection: any Connection) throws -> [WorkspaceID: [String]] {
        var all: [WorkspaceID: [String]] = [:]
        for row in try connection.rows("SELECT workspace_id, origins FROM embedding ORDER BY workspace_id") {
            let text: String = try row.get(at: 1)
            all[try row.get(at: 0)] = text.split(separator: "\n").map(String.init)
        }
        return all
    }

    static func put(_ origins: [String], of workspace: WorkspaceID, at now: Instant, on connection: any Connection) throws {
        try connection.execute(
            """
            INSERT INTO embedding (workspace_id, origins, changed_at) VALUES (\(workspace), \(origins.joined(separator: "\n")), \(now))
            ON CONFLICT (workspace_id) DO UPDATE SET origins = excluded.origins, changed_at = excluded.changed_at
            """)
    }

    /// Notes that a token was changed into a session. False when it was before.
    static func use(_ hash: [UInt8], until end: Instant, at now: Instant, on connection: any Connection) throws -> Bool {
        try connection.execute("DELETE FROM embed_token_use WHERE expires_at <= \(now)")
        return try connection.execute("INSERT INTO embed_token_use (token_hash, expires_at) VALUES (\(hash), \(end)) ON CONFLICT (token_hash) DO NOTHING") == 1
    }
}
