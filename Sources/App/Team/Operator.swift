import Chronology
import Crypto
import Persistence
import Web

/// A person who operates workspaces. Their mail and name are sealed under a key of their own.
struct Operator: Sendable {
    var id: OperatorID
    var keyID: PersonKeyID
    var passwordHash: String?
    var failures: Int
    var lockedUntil: Instant?
}

extension Operator {
    /// Tries before an account waits; it opens again by itself.
    static let failuresMax = 10
    static let lockMs: Int64 = 15 * 60_000

    /// The operator with a mail address, made when there is none. `passwordHash` replaces what they had only for a new one.
    static func findOrCreate(
        email: String, name: String?, passwordHash: String?, vault: Vault, world: World, on connection: any Connection
    ) throws -> (operator_: Operator, isNew: Bool) {
        let hash = vault.lookupHash(nil, "operator", email)
        if let known = try TeamStore.find(emailHash: hash, on: connection) { return (known, false) }
        let key = try vault.takeKey()
        let id = world.newID(OperatorKind.self)
        try TeamStore.insert(
            id: id, keyID: key.id, emailHash: hash, emailSealed: try Vault.seal(Array(email.utf8), under: key.key, for: "\(id.text):email"),
            nameSealed: try name.map { try Vault.seal(Array($0.utf8), under: key.key, for: "\(id.text):name") }, passwordHash: passwordHash,
            createdAt: world.now(), on: connection)
        return (Operator(id: id, keyID: key.id, passwordHash: passwordHash, failures: 0, lockedUntil: nil), true)
    }

    /// What the team calls somebody.
    static func setName(_ name: String, of id: OperatorID, in write: Write) throws {
        guard let person = try TeamStore.find(id, on: write.connection), let key = try write.vault.key(person.keyID) else { throw Problem.notFound() }
        try TeamStore.setName(id, try Vault.seal(Array(name.utf8), under: key, for: "\(id.text):name"), on: write.connection)
        try write.audit("operator.name", subject: id.text)
    }

    /// A password nobody has to think of: 20 letters and digits, ~98 bits.
    static func newPassword(_ world: World) -> String {
        let text = String(decoding: world.random.bytes(20).map { Base32.digits[Int($0 & 31)] }, as: UTF8.self)
        return stride(from: 0, to: 20, by: 5).map { start in String(text.dropFirst(start).prefix(5)) }.joined(separator: "-")
    }
}

enum TeamStore {
    static func insert(
        id: OperatorID, keyID: PersonKeyID, emailHash: [UInt8], emailSealed: [UInt8], nameSealed: [UInt8]?, passwordHash: String?,
        createdAt: Instant, on connection: any Connection
    ) throws {
        try connection.execute(
            """
            INSERT INTO operator (id, key_id, email_hash, email_sealed, name_sealed, password_hash, created_at)
            VALUES (\(id), \(keyID), \(emailHash), \(emailSealed), \(nameSealed), \(passwordHash), \(createdAt))
            """)
    }

    private static let columns = "id, key_id, password_hash, failures, locked_until"

    static func find(emailHash: [UInt8], on connection: any Connection) throws -> Operator? {
        try connection.row("SELECT \(raw: columns) FROM operator WHERE email_hash = \(emailHash)").map(read)
    }

    static func find(_ id: OperatorID, on connection: any Connection) throws -> Operator? {
        try connection.row("SELECT \(raw: columns) FROM operator WHERE id = \(id)").map(read)
    }

    /// The mail and name of an operator.
    static func identity(of id: OperatorID, vault: Vault, on connection: any Connection) throws -> (email: String?, name: String?) {
        guard let row = try connection.row("SELECT key_id, email_sealed, name_sealed FROM operator WHERE id = \(id)"),
            let key = try vault.key(try row.get(at: 0))
        else { return (nil, nil) }
        let sealedName: [UInt8]? = try row.get(at: 2)
        return (
            String(decoding: try Vault.open(try row.get(at: 1), under: key, for: "\(id.text):email"), as: UTF8.self),
            try sealedName.map { String(decoding: try Vault.open($0, under: key, for: "\(id.text):name"), as: UTF8.self) }
        )
    }

    static func setName(_ id: OperatorID, _ sealed: [UInt8], on connection: any Connection) throws {
        try connection.execute("UPDATE operator SET name_sealed = \(sealed) WHERE id = \(id)")
    }

    static func setPassword(_ id: OperatorID, _ hash: String, on connection: any Connection) throws {
        try connection.execute(
            "UPDATE operator SET password_hash = \(hash), failures = 0, locked_until = NULL WHERE id = \(id)")
    }

    static func endSessions(of id: OperatorID, on connection: any Connection) throws {
        try connection.execute("DELETE FROM operator_session WHERE operator_id = \(id)")
    }

    static func setFailures(_ id: OperatorID, _ failures: Int, lockedUntil: Instant?, on connection: any Connection) throws {
        try connection.execute("UPDATE operator SET failures = \(failures), locked_until = \(lockedUntil) WHERE id = \(id)")
    }

    static func join(_ id: OperatorID, _ workspace: WorkspaceID, role: Role, at: Instant, approvesFrom: Instant? = nil, on connection: any Connection) throws {
        try connection.execute(
            """
            INSERT INTO team_member (workspace_id, operator_id, role, created_at, approves_from)
            VALUES (\(workspace), \(id), \(role.rawValue), \(at), \(approvesFrom))
            ON CONFLICT (workspace_id, operator_id) DO UPDATE SET role = excluded.role, removed_at = NULL, approves_from = excluded.approves_from
            """)
    }

    static func role(of id: OperatorID, in workspace: WorkspaceID, on connection: any Connection) throws -> Role? {
        let role: String? = try connection.value(
            "SELECT role FROM team_member WHERE workspace_id = \(workspace) AND operator_id = \(id) AND removed_at IS NULL")
        return role.flatMap(Role.init(rawValue:))
    }

    /// The live workspaces of an operator.
    static func workspaces(of id: OperatorID, on connection: any Connection) throws -> [WorkspaceID] {
        try connection.rows(
            "SELECT workspace_id FROM team_member WHERE operator_id = \(id) AND removed_at IS NULL ORDER BY workspace_id"
        ).map { try $0.get(at: 0) }
    }

    static func team(of workspace: WorkspaceID, on connection: any Connection) throws -> [(id: OperatorID, role: Role, since: Instant)] {
        try connection.rows(
            "SELECT operator_id, role, created_at FROM team_member WHERE workspace_id = \(workspace) AND removed_at IS NULL ORDER BY created_at, operator_id"
        ).map { row in
            (try row.get(at: 0), Role(rawValue: try row.get(at: 1)) ?? .viewer, try row.get(at: 2))
        }
    }

    static func insertInvitation(
        _ id: InvitationID, workspace: WorkspaceID, operator_: OperatorID, role: Role, tokenHash: [UInt8], at: Instant, until: Instant,
        on connection: any Connection
    ) throws {
        try connection.execute(
            """
            INSERT INTO invitation (id, workspace_id, operator_id, role, token_hash, created_at, expires_at)
            VALUES (\(id), \(workspace), \(operator_), \(role.rawValue), \(tokenHash), \(at), \(until))
            """)
    }

    private static func read(_ row: Row) throws -> Operator {
        Operator(
            id: try row.get(at: 0), keyID: try row.get(at: 1), passwordHash: try row.get(at: 2), failures: try row.get(at: 3),
            lockedUntil: try row.get(at: 4))
    }
}
