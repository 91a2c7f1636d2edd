import Chronology
import Crypto
import Foundation
import Persistence
import Synchronization
import Web

/// The rows that make a write happen once: (workspace, endpoint, key) and the answer it got.
enum IdempotencyRows {
    /// Answers are kept this long.
    static let keptMs: Int64 = 86_400_000

    /// `input`: what is asked now. A row of a version before this one has the hash without the key.
    static func find(
        _ workspace: WorkspaceID, _ endpoint: String, _ key: IdempotencyKey, input: InputHash, vault: Vault, on connection: any Connection
    ) throws -> IdempotencyState {
        guard
            let row = try connection.row(
                """
                SELECT input_hash, status, answer, person_id FROM idempotency
                WHERE workspace_id = \(workspace) AND endpoint = \(endpoint) AND key = \(column(key, workspace, vault))
                """)
        else { return .unknown }
        let status: Int = try row.get(at: 1)
        var answer: String = try row.get(at: 2)
        if let person: PersonID = try row.get(at: 3) { answer = try open(answer, of: person, key, vault: vault, on: connection) }
        let known: [UInt8] = try row.get(at: 0)
        return .answered(
            input: known == column(input, workspace, vault) ? input : InputHash(stored: known),
            StoredAnswer(
                status: status, contentType: status < 400 ? "application/json" : "application/problem+json", body: Array(answer.utf8)))
    }

    static func insert(
        _ workspace: WorkspaceID, _ endpoint: String, _ key: IdempotencyKey, input: InputHash, _ answer: Answer, vault: Vault, at: Instant,
        on connection: any Connection
    ) throws {
        let stored = answer.blanked
        let text = try answer.person.map { try seal(stored.body, of: $0, key, vault: vault, on: connection) } ?? String(decoding: stored.body, as: UTF8.self)
        try connection.execute(
            """
            INSERT INTO idempotency (workspace_id, endpoint, key, input_hash, status, answer, person_id, created_at)
            VALUES (\(workspace), \(endpoint), \(column(key, workspace, vault)), \(column(input, workspace, vault)), \(stored.status), \(text), \(answer.person), \(at))
            """)
    }

    /// A key as the row has it: hashed, for callers make their keys of names and mail addresses too.
    static func column(_ key: IdempotencyKey, _ workspace: WorkspaceID, _ vault: Vault) -> String {
        Base64URL.encode(vault.lookupHash(workspace, "idempotencyKey", key.text))
    }

    /// What was asked, as the row has it: under a key, for a plain hash of a short body tells whoever guesses what stood in it, a mail address too.
    private static func column(_ input: InputHash, _ workspace: WorkspaceID, _ vault: Vault) -> [UInt8] {
        vault.lookupHash(workspace, "idempotencyInput", Base64URL.encode(input.bytes))
    }

    private static func seal(
        _ body: [UInt8], of person: PersonID, _ key: IdempotencyKey, vault: Vault, on connection: any Connection
    ) throws -> String {
        guard let secret = try PersonStore.key(of: person, vault: vault, on: connection) else { return "" }
        return Base64URL.encode(try Vault.seal(body, under: secret, for: "answer:\(key.text)"))
    }

    /// What was sealed; nothing when the person is erased.
    private static func open(
        _ text: String, of person: PersonID, _ key: IdempotencyKey, vault: Vault, on connection: any Connection
    ) throws -> String {
        guard let sealed = Base64URL.decode(text), !sealed.isEmpty, let secret = try PersonStore.key(of: person, vault: vault, on: connection)
        else { return "{}" }
        return String(decoding: try Vault.open(sealed, under: secret, for: "answer:\(key.text)"), as: UTF8.self)
    }

    /// Forgets answers that are too old to be asked for again. Answers how many.
    static func forget(before: Instant, on connection: any Connection) throws -> Int {
        try connection.execute("DELETE FROM idempotency WHERE created_at < \(before)")
    }

    static func forget(_ person: PersonID, on connection: any Connection) throws {
        try connection.execute("UPDATE idempotency SET answer = '' WHERE person_id = \(person)")
    }

    /// Blanks the answers that speak of a person who is erased. Answers how many.
    static func blank(mentioning ids: [String], in workspace: WorkspaceID, on connection: any Connection) throws -> Int {
        try ids.reduce(0) { count, id in
            try count + connection.execute(
                "UPDATE idempotency SET answer = '{}' WHERE workspace_id = \(workspace) AND answer LIKE \("%" + id + "%")")
        }
    }
}

/// Keys whose first request is still running: in this process, and on PostgreSQL in any that has the same database.
final class KeysInFlight: Sendable {
    private let keys = Mutex(Set<String>())
    private let locks: PostgresLocks?

    init(_ locks: PostgresLocks?) { self.locks = locks }

    /// False when the key is in flight already. Whoever got true calls `end`.
    func begin(_ scope: String) async throws -> Bool {
        guard keys.withLock({ $0.insert(scope).inserted }) else { return false }
        guard let locks else { return true }
        do {
            if try await locks.tryLock(Self.number(scope)) { return true }
        } catch {
            forget(scope)
            throw error
        }
        forget(scope)
        return false
    }

    /// Returns when the next request with the key may begin, in any process.
    func end(_ scope: String) async {
        await locks?.unlock(Self.number(scope))
        forget(scope)
    }

    func close() async { await locks?.close() }

    private func forget(_ scope: String) { keys.withLock { _ = $0.remove(scope) } }

    private static func number(_ scope: String) -> Int64 {
        SHA256.hash(data: Data(scope.utf8)).prefix(8).reduce(0) { $0 << 8 | Int64($1) }
    }
}
