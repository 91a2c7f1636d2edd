import Chronology
import Persistence
import Web

extension Installation {
    /// Erases a person for good: fields, look-ups and key. What the law lets stand (amounts, ids) stands; nothing that names the person
    /// does, in the file, its log, exports or backups.
    func erase(person: PersonID, in workspace: WorkspaceID, actor: Actor) async throws {
        let traces = try await main.read { connection in try ErasureStore.clickTraces(of: person, on: connection) }
        // Clicks first: what leads to them from the person is gone after the next step.
        try await clicks.write { connection in try ErasureStore.blankClicks(traces, in: workspace, on: connection) }
        let key = try await write(workspace, actor: actor) { write -> PersonKeyID in
            let key = try ErasureStore.erase(person, at: write.world.now(), in: write)
            try KeyStore.noteToDestroy(key, on: write.connection)
            try write.audit("person.erase", subject: person.text)
            return key
        }
        // The key goes after the fields: when the process dies in between, the person is erased already and the key names nobody.
        try await destroyKeys([key])
        linkIndex.forgetAll()
        try await main.checkpoint()
        try await clicks.checkpoint()
    }

    /// The person whom an id names: a person's own, a member's, a customer's or an application's.
    func person(named id: String) async throws -> (person: PersonID, workspace: WorkspaceID)? {
        try await main.read { connection in try ErasureStore.person(named: id, on: connection) }
    }
}

enum ErasureStore {
    static func person(named id: String, on connection: any Connection) throws -> (person: PersonID, workspace: WorkspaceID)? {
        try connection.row(
            """
            SELECT p.id, p.workspace_id FROM person p WHERE p.id = \(id)
                OR p.id IN (SELECT person_id FROM member WHERE id = \(id)) OR p.id IN (SELECT person_id FROM customer WHERE id = \(id))
                OR p.id IN (SELECT person_id FROM application WHERE id = \(id))
            """
        ).map { (try $0.get(at: 0), try $0.get(at: 1)) }
    }

    /// What leads from a person to clicks: members whose links were clicked, and the browsers of a customer.
    struct ClickTraces: Sendable {
        var members: [String]
        var visitors: [String]
    }

    static func clickTraces(of person: PersonID, on connection: any Connection) throws -> ClickTraces {
        ClickTraces(
            members: try connection.rows("SELECT id FROM member WHERE person_id = \(person)").map { try $0.get(at: 0) },
            visitors: try connection.rows(
                """
                SELECT v.visitor_id FROM customer_visitor v JOIN customer c ON c.id = v.customer_id WHERE c.person_id = \(person)
                ORDER BY v.visitor_id
                """
            ).map { try $0.get(at: 0) })
    }

    /// Addresses, agents and referrers of a customer's clicks; of a member's links where they stood and what they were asked with: codes,
    /// campaigns and the sharer's own pages are names as often as not.
    static func blankClicks(_ traces: ClickTraces, in workspace: WorkspaceID, on connection: any Connection) throws {
        for member in traces.members {
            try connection.execute("UPDATE click SET url = NULL, referrer = NULL, signals = '{}' WHERE workspace_id = \(workspace) AND member_id = \(member)")
        }
        for visitor in traces.visitors {
            try connection.execute(
                """
                UPDATE click SET url = NULL, referrer = NULL, user_agent = NULL, address_hash = NULL, signals = '{}'
                WHERE workspace_id = \(workspace) AND visitor_id = \(visitor)
                """)
        }
    }

    static func erase(_ person: PersonID, at now: Instant, in write: Write) throws -> PersonKeyID {
        let connection = write.connection
        guard
            let key: PersonKeyID = try connection.value(
                "SELECT key_id FROM person WHERE id = \(person) AND workspace_id = \(write.workspace.id)")
        else { throw Refusal.unknown("person") }
        let members = try connection.rows("SELECT id FROM member WHERE person_id = \(person)").map { try $0.get(at: 0, as: String.self) }
        let customers = try connection.rows("SELECT id FROM customer WHERE person_id = \(person)").map { try $0.get(at: 0, as: String.self) }
        try connection.execute("DELETE FROM person_field WHERE person_id = \(person)")
        try connection.execute("DELETE FROM person_lookup WHERE person_id = \(person)")
        try NameIndexStore.forget(person, on: connection)
        try MailStore.forget(person, on: connection)
        try connection.execute("UPDATE person SET erased_at = \(now) WHERE id = \(person)")
        try ApplicationStore.forget(person, on: connection)
        for member in members {
            try MemberSessionStore.deleteAll(of: MemberID(stored: member), on: connection)
            try connection.execute(
                "UPDATE member SET status = 'erased', external_hash = NULL, country = NULL, locale = NULL, time_zone = NULL WHERE id = \(member)")
            // Links say a name in their code as often as not: they end, and their codes become ids.
            try connection.execute(
                "UPDATE link SET archived_at = \(now), code = id, code_folded = id, destination = 'about:blank' WHERE member_id = \(member)")
            try connection.execute("UPDATE adjustment SET reason = NULL WHERE member_id = \(member)")
            try connection.execute(
                """
                UPDATE commission_decision SET reason = NULL WHERE id IN (
                    SELECT i.commission_decision_id FROM commission_decision_item i JOIN commission c ON c.id = i.commission_id WHERE c.member_id = \(member))
                """)
            try connection.execute("DELETE FROM link_variant WHERE link_id IN (SELECT id FROM link WHERE member_id = \(member))")
        }
        for customer in customers {
            try connection.execute("UPDATE customer SET external_hash = NULL, country = NULL WHERE id = \(customer)")
            try connection.execute("UPDATE sale SET metadata_sealed = NULL WHERE customer_id = \(customer)")
            try connection.execute("UPDATE lead SET metadata_sealed = NULL WHERE customer_id = \(customer)")
            try connection.execute("UPDATE customer_binding SET reason = NULL WHERE customer_id = \(customer)")
            try connection.execute(
                "UPDATE refund SET reason = NULL WHERE sale_id IN (SELECT id FROM sale WHERE customer_id = \(customer))")
            try forgetTypedCodes(of: customer, on: connection)
            try connection.execute("DELETE FROM customer_visitor WHERE customer_id = \(customer)")
            try connection.execute("UPDATE refund SET reason = NULL WHERE sale_id IN (SELECT id FROM sale WHERE customer_id = \(customer))")
            try connection.execute("UPDATE customer_binding SET reason = NULL WHERE customer_id = \(customer)")
        }
        try IdempotencyRows.forget(person, on: connection)
        try IdempotencyRows.blank(mentioning: members + customers, in: write.workspace.id, on: connection)
        return key
    }

    /// What a buyer typed as a code that was none may be anything, a name too.
    private static func forgetTypedCodes(of customer: String, on connection: any Connection) throws {
        for table in ["sale", "lead"] {
            let rows = try connection.rows(
                "SELECT id, attribution FROM \(raw: table) WHERE customer_id = \(customer) AND attribution LIKE '%\"unknownCode\"%'")
            for row in rows {
                let kept = JSONText(JSONText(text: try row.get(at: 1)).value.without(["unknownCode", "unknownClick"]))
                try connection.execute(
                    "UPDATE \(raw: table) SET attribution = \(kept.text) WHERE id = \(try row.get(at: 0, as: String.self))")
            }
        }
    }
}
