import Chronology
import Crypto
import Foundation
import Persistence
import Web

/// A key that programs call with. Its text is shown once; only a hash is stored.
struct APIKey: Sendable {
    enum Kind: String, Sendable { case secret, publishable }

    var id: APIKeyID
    var workspaceID: WorkspaceID
    var operatorID: OperatorID
    var name: String
    var kind: Kind
    var ending: String
    var role: Role?
    var scopes: [Right]
    var createdAt: Instant
    var revokedAt: Instant?

    /// What the key may do: its scopes, or its role's rights. A publishable key may only do what is marked for browsers.
    var rights: Set<Right> {
        if kind == .publishable { return [] }
        if let role { return Role.rights[role] ?? [] }
        return Set(scopes)
    }
}

extension APIKey {
    /// Makes a key for an operator; its text is in the answer and nowhere else. No key can do more than who makes it.
    static func create(
        name: String, kind: Kind, role: Role?, scopes: [Right], for operatorID: OperatorID, in write: Write
    ) throws -> (key: APIKey, text: String) {
        let text = (kind == .secret ? "kith_sk_" : "kith_pk_") + (write.workspace.isTest ? "test_" : "") + Base64URL.encode(write.world.random.bytes(32))
        let key = try create(name: name, kind: kind, role: role, scopes: scopes, for: operatorID, id: write.world.newID(), text: text, in: write)
        return (key, text)
    }

    @discardableResult
    static func create(
        name: String, kind: Kind, role: Role?, scopes: [Right], for operatorID: OperatorID, id: APIKeyID, text: String, in write: Write
    ) throws -> APIKey {
        let key = APIKey(
            id: id, workspaceID: write.workspace.id, operatorID: operatorID, name: name, kind: kind, ending: String(text.suffix(4)), role: role,
            scopes: scopes, createdAt: write.world.now(), revokedAt: nil)
        try APIKeyStore.insert(key, hash: hash(text), on: write.connection)
        try write.audit("key.create", subject: key.id.text, JSONText(["kind": .text(kind.rawValue), "role": role.map { .text($0.rawValue) } ?? .null]))
        return key
    }

    static func revoke(_ id: APIKeyID, in write: Write) throws {
        guard try APIKeyStore.revoke(id, in: write.workspace.id, at: write.world.now(), on: write.connection) else { throw Refusal.unknown("key") }
        try write.audit("key.revoke", subject: id.text)
    }

    /// Keys are 256 random bits, so a plain hash is enough: there is nothing to guess.
    static func hash(_ text: String) -> [UInt8] { Array(SHA256.hash(data: Data(text.utf8))) }
}

enum APIKeyStore {
    private static let columns = "id, workspace_id, operator_id, name, kind, ending, role, scopes, created_at, revoked_at"

    static func insert(_ key: APIKey, hash: [UInt8], on connection: any Connection) throws {
        let scopes = key.kind == .publishable || key.role != nil ? nil : key.scopes.map(\.rawValue).joined(separator: " ")
        try connection.execute(
            """
            INSERT INTO api_key (\(raw: columns), key_hash)
            VALUES (\(key.id), \(key.workspaceID), \(key.operatorID), \(key.name), \(key.kind.rawValue), \(key.ending), \(key.role?.rawValue), \(scopes),
                    \(key.createdAt), \(key.revokedAt), \(hash))
            """)
    }

    static func find(hash: [UInt8], on connection: any Connection) throws -> APIKey? {
        try connection.row("SELECT \(raw: columns) FROM api_key WHERE key_hash = \(hash)").map(read)
    }

    static func find(_ id: APIKeyID, in workspace: WorkspaceID, on connection: any Connection) throws -> APIKey? {
        try connection.row("SELECT \(raw: columns) FROM api_key WHERE id = \(id) AND workspace_id = \(workspace)").map(read)
    }

    static func list(in workspace: WorkspaceID, after: String?, limit: Int, on connection: any Connection) throws -> [APIKey] {
        try connection.rows(
            "SELECT \(raw: columns) FROM api_key WHERE workspace_id = \(workspace) AND id > \(after ?? "") ORDER BY id LIMIT \(limit)"
        ).map(read)
    }

    static func revoke(_ id: APIKeyID, in workspace: WorkspaceID, at: Instant, on connection: any Connection) throws -> Bool {
        try connection.execute(
            "UPDATE api_key SET revoked_at = \(at) WHERE id = \(id) AND workspace_id = \(workspace) AND revoked_at IS NULL") > 0
    }

    private static func read(_ row: Row) throws -> APIKey {
        let role: String? = try row.get(at: 6)
        let scopes: String? = try row.get(at: 7)
        return APIKey(
            id: try row.get(at: 0), workspaceID: try row.get(at: 1), operatorID: try row.get(at: 2), name: try row.get(at: 3),
            kind: APIKey.Kind(rawValue: try row.get(at: 4)) ?? .publishable, ending: try row.get(at: 5), role: role.flatMap(Role.init(rawValue:)),
            scopes: (scopes ?? "").split(separator: " ").compactMap { Right(rawValue: String($0)) }, createdAt: try row.get(at: 8),
            revokedAt: try row.get(at: 9))
    }
}
