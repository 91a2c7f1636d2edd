import Chronology
import Crypto
import Foundation
import Persistence

enum MailStore {
    private static let columns =
        "id, workspace_id, person_id, operator_id, kind, locale, state, tries, due_at, created_at, sent_at, last_failure"

    /// Adds a letter. Answers false when there is one about the same occasion already.
    static func insert(
        _ mail: Mail, occasion: String?, _ letter: Letter, under key: SymmetricKey, on connection: any Connection
    ) throws -> Bool {
        let sealed = try seal(letter, of: mail.id, under: key)
        let (person, operator_): (PersonID?, OperatorID?) =
            switch mail.addressee {
            case .person(let id): (id, nil)
            case .operator_(let id): (nil, id)
            }
        let added = try connection.execute(
            """
            INSERT INTO mail (id, workspace_id, person_id, operator_id, kind, occasion, locale, state, tries, due_at, sealed, created_at)
            VALUES (\(mail.id), \(mail.workspaceID), \(person), \(operator_), \(mail.kind.rawValue), \(occasion), \(mail.locale),
                    \(mail.state.rawValue), \(mail.tries), \(mail.dueAt), \(sealed), \(mail.createdAt))
            ON CONFLICT DO NOTHING
            """)
        return added == 1
    }

    /// The letter about an occasion that has not gone out.
    static func unsent(_ kind: Mail.Kind, about occasion: String, in workspace: WorkspaceID, on connection: any Connection) throws -> Mail? {
        try connection.row(
            """
            SELECT \(raw: columns) FROM mail
            WHERE workspace_id = \(workspace) AND kind = \(kind.rawValue) AND occasion = \(occasion) AND sealed IS NOT NULL AND tries = 0
            """
        ).flatMap(read)
    }

    static func find(_ id: MailID, on connection: any Connection) throws -> Mail? {
        try connection.row("SELECT \(raw: columns) FROM mail WHERE id = \(id)").flatMap(read)
    }

    /// The newest letters of all workspaces.
    static func newest(limit: Int, on connection: any Connection) throws -> [Mail] {
        try connection.rows("SELECT \(raw: columns) FROM mail ORDER BY created_at DESC, id DESC LIMIT \(limit)").compactMap(read)
    }

    // MARK: What it says

    /// Nil when the letter was sent, or its person erased.
    static func letter(_ mail: Mail, vault: Vault, on connection: any Connection) throws -> Letter? {
        guard let sealed: [UInt8] = try connection.row("SELECT sealed FROM mail WHERE id = \(mail.id)")?.get(at: 0),
            let key = try key(of: mail.addressee, vault: vault, on: connection)
        else { return nil }
        return try JSONDecoder().decode(Letter.self, from: Data(try Vault.open(sealed, under: key, for: place(mail.id))))
    }

    static func setLetter(_ letter: Letter, of id: MailID, under key: SymmetricKey, on connection: any Connection) throws {
        try connection.execute("UPDATE mail SET sealed = \(try seal(letter, of: id, under: key)) WHERE id = \(id)")
    }

    static func key(of addressee: Mail.Addressee, vault: Vault, on connection: any Connection) throws -> SymmetricKey? {
        switch addressee {
        case .person(let id): try PersonStore.key(of: id, vault: vault, on: connection)
        case .operator_(let id): try TeamStore.find(id, on: connection).flatMap { try vault.key($0.keyID) }
        }
    }

    private static func seal(_ letter: Letter, of id: MailID, under key: SymmetricKey) throws -> [UInt8] {
        try Vault.seal(Array(try JSONEncoder().encode(letter)), under: key, for: place(id))
    }

    private static func place(_ id: MailID) -> String { "\(id.text):letter" }

    // MARK: Sending

    static func due(at now: Instant, limit: Int, on connection: any Connection) throws -> [Mail] {
        try connection.rows(
            "SELECT \(raw: columns) FROM mail WHERE state = 'waiting' AND due_at <= \(now) ORDER BY due_at, id LIMIT \(limit)"
        ).compactMap(read)
    }

    /// Counts a try and keeps other processes away until `until`. Answers false when another was faster.
    static func claim(_ mail: Mail, until: Instant, on connection: any Connection) throws -> Bool {
        let claimed = try connection.execute(
            """
            UPDATE mail SET tries = tries + 1, due_at = \(until)
            WHERE id = \(mail.id) AND state = 'waiting' AND due_at = \(mail.dueAt) AND tries = \(mail.tries)
            """)
        return claimed == 1
    }

    static func setSent(_ id: MailID, at now: Instant, on connection: any Connection) throws {
        try connection.execute(
            "UPDATE mail SET state = 'sent', sent_at = \(now), due_at = NULL, sealed = NULL, last_failure = NULL WHERE id = \(id)")
    }

    static func setEnded(_ id: MailID, _ state: Mail.State, because failure: String, on connection: any Connection) throws {
        try connection.execute(
            "UPDATE mail SET state = \(state.rawValue), due_at = NULL, sealed = NULL, last_failure = \(failure) WHERE id = \(id) AND state = 'waiting'")
    }

    static func setAgain(_ id: MailID, at due: Instant, because failure: String, on connection: any Connection) throws {
        try connection.execute("UPDATE mail SET due_at = \(due), last_failure = \(failure) WHERE id = \(id) AND state = 'waiting'")
    }

    // MARK: Forgetting

    /// Gives up letters written before an instant that still wait.
    static func expire(before: Instant, on connection: any Connection) throws {
        try connection.execute(
            """
            UPDATE mail SET state = 'suppressed', due_at = NULL, sealed = NULL, last_failure = 'It waited too long.'
            WHERE state = 'waiting' AND created_at < \(before)
            """)
    }

    /// Whether there is anything to give up or to remove.
    static func hasOld(_ expired: Instant, _ forgotten: Instant, on connection: any Connection) throws -> Bool {
        try connection.row(
            "SELECT 1 FROM mail WHERE created_at < \(forgotten) OR (state = 'waiting' AND created_at < \(expired)) LIMIT 1") != nil
    }

    static func remove(before: Instant, on connection: any Connection) throws {
        try connection.execute("DELETE FROM mail WHERE created_at < \(before)")
    }

    /// What was written to a person goes with them.
    static func forget(_ person: PersonID, on connection: any Connection) throws {
        try connection.execute(
            """
            UPDATE mail SET sealed = NULL, due_at = NULL, state = CASE WHEN state = 'waiting' THEN 'suppressed' ELSE state END
            WHERE person_id = \(person)
            """)
    }

    /// The letter to a stranger has ended: nobody is behind it any more. Answers the key that has to go.
    static func forgetStranger(_ mail: Mail, at now: Instant, on connection: any Connection) throws -> PersonKeyID? {
        guard case .person(let person) = mail.addressee else { return nil }
        return try ErasureStore.forgetNobody(person, at: now, on: connection)
    }

    /// Letters to strangers, written before an instant, that still wait.
    static func oldStrangers(before: Instant, limit: Int, on connection: any Connection) throws -> [Mail] {
        try connection.rows(
            """
            SELECT \(raw: columns) FROM mail
            WHERE state = 'waiting' AND kind IN \(list: Mail.Kind.allCases.filter(\.isForStranger).map(\.rawValue)) AND created_at < \(before)
            ORDER BY created_at LIMIT \(limit)
            """
        ).compactMap(read)
    }

    // MARK: Stopping

    static func isStopped(_ kind: Mail.Kind, for person: PersonID, on connection: any Connection) throws -> Bool {
        try connection.row("SELECT 1 FROM mail_stop WHERE person_id = \(person) AND kind = \(kind.rawValue)") != nil
    }

    static func allow(_ kind: Mail.Kind, for person: PersonID, at now: Instant, on connection: any Connection) throws {
        guard try connection.execute("DELETE FROM mail_stop WHERE person_id = \(person) AND kind = \(kind.rawValue)") > 0 else { return }
        try keepChoice(kind, isWanted: true, for: person, at: now, on: connection)
    }

    static func stop(_ kind: Mail.Kind, for person: PersonID, at now: Instant, on connection: any Connection) throws {
        guard try connection.row("SELECT 1 FROM person WHERE id = \(person)") != nil else { return }
        let stopped = try connection.execute(
            """
            INSERT INTO mail_stop (person_id, kind, stopped_at) VALUES (\(person), \(kind.rawValue), \(now))
            ON CONFLICT (person_id, kind) DO NOTHING
            """)
        if stopped > 0 { try keepChoice(kind, isWanted: false, for: person, at: now, on: connection) }
        try connection.execute(
            """
            UPDATE mail SET state = 'suppressed', due_at = NULL, sealed = NULL, last_failure = 'Such letters are not wanted.'
            WHERE person_id = \(person) AND kind = \(kind.rawValue) AND state = 'waiting'
            """)
    }

    private static func keepChoice(_ kind: Mail.Kind, isWanted: Bool, for person: PersonID, at now: Instant, on connection: any Connection) throws {
        try connection.execute(
            """
            INSERT INTO letter_choice (person_id, kind, chosen_at, is_wanted) VALUES (\(person), \(kind.rawValue), \(now), \(isWanted))
            ON CONFLICT (person_id, kind, chosen_at) DO UPDATE SET is_wanted = excluded.is_wanted
            """)
    }

    struct Choice: Sendable {
        var kind: Mail.Kind
        var at: Instant
        var isWanted: Bool
    }

    /// What a person decided about letters, the newest first.
    static func choices(of person: PersonID, limit: Int, on connection: any Connection) throws -> [Choice] {
        try connection.rows(
            "SELECT kind, chosen_at, is_wanted FROM letter_choice WHERE person_id = \(person) ORDER BY chosen_at DESC, kind LIMIT \(limit)"
        ).compactMap { row in
            guard let kind = Mail.Kind(rawValue: try row.get(at: 0)) else { return nil }
            return Choice(kind: kind, at: try row.get(at: 1), isWanted: try row.get(at: 2))
        }
    }

    private static func read(_ row: Row) throws -> Mail? {
        let person: PersonID? = try row.get(at: 2)
        let operator_: OperatorID? = try row.get(at: 3)
        // A kind that this version does not know is left to the one that does.
        guard let kind = Mail.Kind(rawValue: try row.get(at: 4)), let state = Mail.State(rawValue: try row.get(at: 6)),
            let addressee = person.map(Mail.Addressee.person) ?? operator_.map(Mail.Addressee.operator_)
        else { return nil }
        return Mail(
            id: try row.get(at: 0), workspaceID: try row.get(at: 1), addressee: addressee, kind: kind, locale: try row.get(at: 5), state: state,
            tries: try row.get(at: 7), dueAt: try row.get(at: 8), createdAt: try row.get(at: 9), sentAt: try row.get(at: 10),
            lastFailure: try row.get(at: 11))
    }
}
