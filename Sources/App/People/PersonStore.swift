import Chronology
import Crypto
import Persistence

/// What is known of a person by name: sealed fields.
enum PersonField: String, Sendable, CaseIterable {
    case email, name, externalId, homeAddress, paymentFingerprint, payoutAccount, website, channels, attributes
}

/// What a person can be found by.
enum PersonLookup: String, Sendable {
    case email, mailbox, homeAddress, paymentFingerprint, payoutAccount, device
}

enum PersonStore {
    /// A new person with a key of their own. Throws `Vault.OutOfKeys` when keys must be made first.
    static func insert(in write: Write) throws -> PersonID {
        let key = try write.vault.takeKey()
        let id = write.world.newID(PersonKind.self)
        try write.connection.execute(
            """
            INSERT INTO person (id, workspace_id, key_id, created_at)
            VALUES (\(id), \(write.workspace.id), \(key.id), \(write.world.now()))
            """)
        return id
    }

    /// Seals a field, replacing what it held. Nil removes it.
    static func set(_ field: PersonField, _ value: String?, of person: PersonID, in write: Write) throws {
        if field == .name || field == .email { try NameIndexStore.markChanged(person, on: write.connection) }
        guard let value else {
            try write.connection.execute("DELETE FROM person_field WHERE person_id = \(person) AND field = \(field.rawValue)")
            return
        }
        guard let key = try key(of: person, vault: write.vault, on: write.connection) else { return }
        let sealed = try Vault.seal(Array(value.utf8), under: key, for: "\(person.text):\(field.rawValue)")
        try write.connection.execute(
            """
            INSERT INTO person_field (person_id, field, sealed) VALUES (\(person), \(field.rawValue), \(sealed))
            ON CONFLICT (person_id, field) DO UPDATE SET sealed = excluded.sealed
            """)
    }

    /// Makes a person findable by a value that is already normalised.
    static func setLookup(_ kind: PersonLookup, _ normalised: String, of person: PersonID, in write: Write) throws {
        let hash = write.vault.lookupHash(write.workspace.id, kind.rawValue, normalised)
        try write.connection.execute(
            """
            INSERT INTO person_lookup (workspace_id, kind, hash, person_id) VALUES (\(write.workspace.id), \(kind.rawValue), \(hash), \(person))
            ON CONFLICT (workspace_id, kind, hash, person_id) DO NOTHING
            """)
    }

    static func replaceLookup(_ kind: PersonLookup, _ normalised: String, of person: PersonID, in write: Write) throws {
        try write.connection.execute("DELETE FROM person_lookup WHERE person_id = \(person) AND kind = \(kind.rawValue)")
        try setLookup(kind, normalised, of: person, in: write)
    }

    /// Whether two people share a mailbox, address, payment means or device.
    static func sharedTraits(of one: PersonID, and other: PersonID, on connection: any Connection) throws -> [String] {
        try connection.rows(
            """
            SELECT DISTINCT a.kind FROM person_lookup a
            JOIN person_lookup b ON b.workspace_id = a.workspace_id AND b.kind = a.kind AND b.hash = a.hash
            WHERE a.person_id = \(one) AND b.person_id = \(other) AND a.kind <> 'email' ORDER BY a.kind
            """
        ).map { try $0.get(at: 0) }
    }

    /// The readable fields of people; an erased person has none.
    static func fields(
        of people: [PersonID], _ wanted: [PersonField], vault: Vault, on connection: any Connection
    ) throws -> [PersonID: [PersonField: String]] {
        var found: [PersonID: [PersonField: String]] = [:]
        // 500 ids at a time: both engines limit the parameters of a statement.
        var start = 0
        while start < people.count {
            let part = Array(people[start..<min(start + 500, people.count)])
            start += 500
            let rows = try connection.rows(
                """
                SELECT p.id, p.key_id, f.field, f.sealed FROM person p JOIN person_field f ON f.person_id = p.id
                WHERE p.id IN \(list: part) AND p.erased_at IS NULL AND f.field IN \(list: wanted.map(\.rawValue))
                """)
            let keys = try vault.keys(try rows.map { try $0.get(at: 1) })
            for row in rows {
                let id: PersonID = try row.get(at: 0)
                guard let key = keys[try row.get(at: 1)],
                    let field = PersonField(rawValue: try row.get(at: 2))
                else { continue }
                let plain = try Vault.open(try row.get(at: 3), under: key, for: "\(id.text):\(field.rawValue)")
                found[id, default: [:]][field] = String(decoding: plain, as: UTF8.self)
            }
        }
        return found
    }

    /// The key of a person who is not erased as this transaction sees it.
    static func key(of person: PersonID, vault: Vault, on connection: any Connection) throws -> SymmetricKey? {
        guard let id: PersonKeyID = try connection.value("SELECT key_id FROM person WHERE id = \(person) AND erased_at IS NULL") else { return nil }
        return try vault.key(id)
    }
}
