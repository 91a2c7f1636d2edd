import Chronology
import Persistence
import Synchronization
import Web

/// The rows that make a write happen once: (workspace, endpoint, key) and the answer it got.
enum IdempotencyRows {
    /// Answers are kept this long.
    static let keptMs: Int64 = 86_400_000

    static func find(
        _ workspace: WorkspaceID, _ endpoint: String, _ key: IdempotencyKey, on connection: any Connection
    ) throws -> IdempotencyState {
        guard
            let row = try connection.row(
                """
                SELECT input_hash, status, answer FROM idempotency
                WHERE workspace_id = \(workspace) AND endpoint = \(endpoint) AND key = \(key.text)
                """)
        else { return .unknown }
        let status: Int = try row.get(at: 1)
        let answer: String = try row.get(at: 2)
        return .answered(
            input: InputHash(stored: try row.get(at: 0)),
            StoredAnswer(
                status: status, contentType: status < 400 ? "application/json" : "application/problem+json", body: Array(answer.utf8)))
    }

    static func insert(
        _ workspace: WorkspaceID, _ endpoint: String, _ key: IdempotencyKey, input: InputHash, _ answer: StoredAnswer, at: Instant,
        on connection: any Connection
    ) throws {
        try connection.execute(
            """
            INSERT INTO idempotency (workspace_id, endpoint, key, input_hash, status, answer, created_at)
            VALUES (\(workspace), \(endpoint), \(key.text), \(input.bytes), \(answer.status), \(String(decoding: answer.body, as: UTF8.self)), \(at))
            """)
    }

    /// Forgets answers that are too old to be asked for again. Answers how many.
    static func forget(before: Instant, on connection: any Connection) throws -> Int {
        try connection.execute("DELETE FROM idempotency WHERE created_at < \(before)")
    }

    /// Blanks the answers that speak of a person who is erased.
    static func blank(mentioning ids: [String], in workspace: WorkspaceID, on connection: any Connection) throws {
        for id in ids {
            try connection.execute(
                "UPDATE idempotency SET answer = '{}' WHERE workspace_id = \(workspace) AND answer LIKE \("%" + id + "%")")
        }
    }
}

/// Keys whose first request is still running in this process.
final class KeysInFlight: Sendable {
    private let keys = Mutex(Set<String>())

    func begin(_ scope: String) -> Bool { keys.withLock { $0.insert(scope).inserted } }
    func end(_ scope: String) { keys.withLock { _ = $0.remove(scope) } }
}
