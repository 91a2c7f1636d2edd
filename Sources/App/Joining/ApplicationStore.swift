import Chronology
import Persistence
import Web

enum ApplicationStore {
    /// What applications say of a person who is erased: their own answers, and why the team declined.
    static func forget(_ person: PersonID, on connection: any Connection) throws {
        try connection.execute(
            """
            UPDATE application SET answers_sealed = NULL, reason = NULL, locale = NULL, token_hash = NULL, token_expires_at = NULL
            WHERE person_id = \(person)
            """)
        try ApplicationTraitStore.forget(person, on: connection)
    }

    private static let columns =
        "id, workspace_id, program_id, person_id, enroller_id, state, terms_version, locale, member_id, reason, decided_by, decided_at, created_at, source, partner_invitation_id"

    static func insert(
        _ application: Application, answers: JSONValue, tokenHash: [UInt8], until: Instant, in write: Write
    ) throws {
        let sealed = try PersonStore.key(of: application.personID, vault: write.vault, on: write.connection).map {
            try Vault.seal(answers.bytes, under: $0, for: application.id.text)
        }
        try write.connection.execute(
            """
            INSERT INTO application (\(raw: columns), answers_sealed, token_hash, token_expires_at)
            VALUES (\(application.id), \(application.workspaceID), \(application.programID), \(application.personID), \(application.enrollerID),
                    \(application.state.rawValue), \(application.termsVersion), \(application.locale), \(application.memberID), \(application.reason),
                    \(application.decidedBy), \(application.decidedAt), \(application.createdAt), \(application.source),
                    \(application.partnerInvitationID), \(sealed), \(tokenHash), \(until))
            """)
    }

    /// What applicants call themselves; the erased have no name.
    static func names(of ids: [ApplicationID], in workspace: WorkspaceID, vault: Vault, on connection: any Connection) throws -> [ApplicationID: String] {
        guard !ids.isEmpty else { return [:] }
        let people = try connection.rows("SELECT id, person_id FROM application WHERE workspace_id = \(workspace) AND id IN \(list: ids)").map {
            (id: try $0.get(at: 0, as: ApplicationID.self), person: try $0.get(at: 1, as: PersonID.self))
        }
        let fields = try PersonStore.fields(of: people.map(\.person), [.name], vault: vault, on: connection)
        return Dictionary(people.compactMap { one in fields[one.person]?[.name].map { (one.id, $0) } }, uniquingKeysWith: { first, _ in first })
    }

    static func update(_ application: Application, on connection: any Connection) throws {
        try connection.execute(
            """
            UPDATE application SET state = \(application.state.rawValue), member_id = \(application.memberID), reason = \(application.reason),
                decided_by = \(application.decidedBy), decided_at = \(application.decidedAt) WHERE id = \(application.id)
            """)
    }

    /// Takes away what the applicant wrote about themselves.
    static func forget(_ application: Application, in write: Write) throws {
        try PersonStore.set(.email, nil, of: application.personID, in: write)
        try PersonStore.set(.name, nil, of: application.personID, in: write)
        try write.connection.execute("UPDATE application SET answers_sealed = NULL WHERE id = \(application.id)")
    }

    static func dropToken(of id: ApplicationID, on connection: any Connection) throws {
        try connection.execute("UPDATE application SET token_hash = NULL, token_expires_at = NULL WHERE id = \(id)")
    }

    static func find(_ id: ApplicationID, in workspace: WorkspaceID, on connection: any Connection) throws -> Application? {
        try connection.row("SELECT \(raw: columns) FROM application WHERE id = \(id) AND workspace_id = \(workspace)").map(read)
    }

    static func find(tokenHash: [UInt8], at now: Instant, in workspace: WorkspaceID, on connection: any Connection) throws -> Application? {
        try connection.row(
            """
            SELECT \(raw: columns) FROM application
            WHERE token_hash = \(tokenHash) AND token_expires_at > \(now) AND workspace_id = \(workspace)
            """
        ).map(read)
    }

    /// The workspace and program of a letter's link; nil when it is no good.
    static func place(tokenHash: [UInt8], at now: Instant, on connection: any Connection) throws -> (workspace: WorkspaceID, program: ProgramID)? {
        try connection.row("SELECT workspace_id, program_id FROM application WHERE token_hash = \(tokenHash) AND token_expires_at > \(now)").map {
            (try $0.get(at: 0), try $0.get(at: 1))
        }
    }

    static func list(
        in workspace: WorkspaceID, state: Application.State?, after: String?, limit: Int, on connection: any Connection
    ) throws -> [Application] {
        var sql: SQL = "SELECT \(raw: columns) FROM application WHERE workspace_id = \(workspace) AND id > \(after ?? "")"
        if let state { sql = "\(sql: sql) AND state = \(state.rawValue)" }
        return try connection.rows("\(sql: sql) ORDER BY id LIMIT \(limit)").map(read)
    }

    /// Question and answer, as they were written; empty when the person was erased.
    static func answers(of application: Application, vault: Vault, on connection: any Connection) throws -> [(question: String, answer: String)] {
        guard let sealed: [UInt8] = try connection.row("SELECT answers_sealed FROM application WHERE id = \(application.id)")?.get(at: 0),
            let key = try PersonStore.key(of: application.personID, vault: vault, on: connection)
        else { return [] }
        let text = String(decoding: try Vault.open(sealed, under: key, for: application.id.text), as: UTF8.self)
        return JSONText(text: text).value.elements.map { ($0["question"]?.string ?? "", $0["answer"]?.string ?? "") }
    }

    private static func read(_ row: Row) throws -> Application {
        Application(
            id: try row.get(at: 0), workspaceID: try row.get(at: 1), programID: try row.get(at: 2), personID: try row.get(at: 3),
            enrollerID: try row.get(at: 4), state: Application.State(rawValue: try row.get(at: 5)) ?? .waiting, termsVersion: try row.get(at: 6),
            locale: try row.get(at: 7), memberID: try row.get(at: 8), reason: try row.get(at: 9), decidedBy: try row.get(at: 10),
            decidedAt: try row.get(at: 11), createdAt: try row.get(at: 12), source: try row.get(at: 13), partnerInvitationID: try row.get(at: 14))
    }
}
