import Chronology
import Persistence
import Web

extension Installation {
    /// Erases a person for good: fields, look-ups and key. What the law lets stand (amounts, ids) stands; nothing that names the person
    /// does, in the file, its log, exports or backups.
    ///
    /// The first step notes what is left to do, in its transaction: whatever dies on the way is done by a later start, or as due work.
    func erase(person: PersonID, in workspace: WorkspaceID, actor: Actor) async throws {
        let key = try await write(workspace, actor: actor) { write in try ErasureStore.erase(person, in: write) }
        try await finishErasing([key])
    }

    /// What follows on the transaction that erased people. When the process dies before, it is made good later.
    func finishErasing(_ keys: [PersonKeyID]) async throws {
        linkIndex.forgetAll()
        // The key goes after the fields: when the process dies in between, the person is erased already and the key names nobody.
        try await destroyKeys(keys)
        // Clicks that were on the way to the file are in it now.
        await clickLog.flush()
        try await blankClicks()
        try await main.checkpoint()
        try await clicks.checkpoint()
        await rewriteErased()
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

    /// Erases a person and notes their key for destruction, in one transaction with whatever asked for it.
    static func erase(_ person: PersonID, in write: Write) throws -> PersonKeyID {
        let key = try erase(person, at: write.world.now(), in: write)
        try KeyStore.noteToDestroy(key, on: write.connection)
        try write.audit("person.erase", subject: person.text)
        return key
    }

    /// Forgets somebody who is neither member nor customer nor applicant: whom a letter went to, and no more. Answers the key that has to go;
    /// it is noted, so due work destroys it if nobody does before.
    static func forgetNobody(_ person: PersonID, at now: Instant, on connection: any Connection) throws -> PersonKeyID? {
        guard let key: PersonKeyID = try connection.value("SELECT key_id FROM person WHERE id = \(person) AND erased_at IS NULL") else { return nil }
        try connection.execute("DELETE FROM person_field WHERE person_id = \(person)")
        try connection.execute("DELETE FROM person_lookup WHERE person_id = \(person)")
        try NameIndexStore.forget(person, on: connection)
        try MailStore.forget(person, on: connection)
        try connection.execute("UPDATE person SET erased_at = \(now) WHERE id = \(person)")
        try KeyStore.noteToDestroy(key, on: connection)
        return key
    }

    static func erase(_ person: PersonID, at now: Instant, in write: Write) throws -> PersonKeyID {
        let connection = write.connection
        guard
            let key: PersonKeyID = try connection.value(
                "SELECT key_id FROM person WHERE id = \(person) AND workspace_id = \(write.workspace.id)")
        else { throw Refusal.unknown("person") }
        let members = try connection.rows("SELECT id FROM member WHERE person_id = \(person)").map { try $0.get(at: 0, as: String.self) }
        let customers = try connection.rows("SELECT id FROM customer WHERE person_id = \(person)").map { try $0.get(at: 0, as: String.self) }
        // First, while what leads to the clicks is there: nobody adds to it until this transaction has ended.
        try ClickBlankStore.note(person, at: now, in: write.workspace.id, on: connection)
        // While it is known by what the person could be found.
        try InboundStore.forget(person, on: connection)
        _ = try FileImportStore.drop(in: write.workspace.id, on: connection)
        try connection.execute("DELETE FROM person_field WHERE person_id = \(person)")
        try connection.execute("DELETE FROM person_lookup WHERE person_id = \(person)")
        try NameIndexStore.forget(person, on: connection)
        try MailStore.forget(person, on: connection)
        try SurveyAnswerStore.forget(person, on: connection)
        try connection.execute("UPDATE person SET erased_at = \(now) WHERE id = \(person)")
        var readable = Readable(connection)
        try readable.blank("application", "UPDATE application SET reason = NULL WHERE person_id = \(person) AND reason IS NOT NULL")
        try ApplicationStore.forget(person, on: connection)
        try ReconciliationStore.forget(person, on: connection)
        for member in members { try erase(member: member, at: now, &readable) }
        for customer in customers { try erase(customer: customer, in: write.workspace.id, &readable) }
        try IdempotencyRows.forget(person, on: connection)
        try readable.blank("idempotency") { try IdempotencyRows.blank(mentioning: members + customers, in: write.workspace.id, on: connection) }
        try RemainsStore.note(readable.tables, on: connection)
        return key
    }

    /// Tables in which something stood that could be read without a key, and stands no more.
    private struct Readable {
        let connection: any Connection
        private(set) var tables: Set<String> = []

        init(_ connection: any Connection) { self.connection = connection }

        mutating func blank(_ table: String, _ statement: SQL) throws {
            if try connection.execute(statement) > 0 { tables.insert(table) }
        }

        mutating func blank(_ table: String, _ work: () throws -> Int) throws {
            if try work() > 0 { tables.insert(table) }
        }
    }

    private static func erase(member: String, at now: Instant, _ readable: inout Readable) throws {
        let connection = readable.connection
        try MemberSessionStore.deleteAll(of: MemberID(stored: member), on: connection)
        try DeviceStore.forget(.member(MemberID(stored: member)), on: connection)
        try connection.execute(
            "UPDATE member SET status = 'erased', external_hash = NULL, country = NULL, locale = NULL, time_zone = NULL WHERE id = \(member)")
        // Links say a name in their code as often as not: they end, and their codes become ids.
        try readable.blank(
            "link", "UPDATE link SET archived_at = \(now), code = id, code_folded = id, destination = 'about:blank' WHERE member_id = \(member)")
        try readable.blank(
            "coupon_code", "UPDATE coupon_code SET code = id, code_folded = id WHERE member_id = \(member) AND customer_id IS NULL")
        try readable.blank("group_move", "UPDATE group_move SET reason = '' WHERE member_id = \(member) AND reason <> ''")
        try readable.blank("earned_action", "UPDATE earned_action SET reference = id WHERE member_id = \(member) AND reference <> id")
        try readable.blank("reward", "UPDATE reward SET reason = NULL WHERE member_id = \(member) AND reason IS NOT NULL")
        try FindableStore.remove(MemberID(stored: member), on: connection)
        try readable.blank("party", "UPDATE party SET title = '', place = NULL WHERE host_id = \(member) AND (title <> '' OR place IS NOT NULL)")
        try connection.execute("DELETE FROM occasion_answer WHERE member_id = \(member)")
        try connection.execute("DELETE FROM recommendation WHERE member_id = \(member)")
        try connection.execute("DELETE FROM invitation_pause WHERE member_id = \(member)")
        try readable.blank("link_variant", "DELETE FROM link_variant WHERE link_id IN (SELECT id FROM link WHERE member_id = \(member))")
        try readable.blank("wallet_movement", "UPDATE wallet_movement SET reason = NULL WHERE member_id = \(member) AND reason IS NOT NULL")
        try readable.blank("redemption", "UPDATE redemption SET note = NULL WHERE member_id = \(member) AND note IS NOT NULL")
        try readable.blank("adjustment", "UPDATE adjustment SET reason = NULL WHERE member_id = \(member) AND reason IS NOT NULL")
        try readable.blank(
            "commission_decision",
            """
            UPDATE commission_decision SET reason = NULL WHERE reason IS NOT NULL AND id IN (
                SELECT i.commission_decision_id FROM commission_decision_item i JOIN commission c ON c.id = i.commission_id WHERE c.member_id = \(member))
            """)
        try readable.blank(
            "payout_item", "UPDATE payout_item SET left_out_reason = '' WHERE member_id = \(member) AND left_out_reason IS NOT NULL")
        try readable.blank(
            "reconciliation_entry",
            "UPDATE reconciliation_entry SET decision_reason = NULL WHERE member_id = \(member) AND decision_reason IS NOT NULL")
        try readable.blank(
            "member_merge", "UPDATE member_merge SET reason = '' WHERE reason <> '' AND (kept_id = \(member) OR duplicate_id = \(member))")
    }

    private static func erase(customer: String, in workspace: WorkspaceID, _ readable: inout Readable) throws {
        let connection = readable.connection
        try connection.execute("UPDATE customer SET external_hash = NULL, country = NULL WHERE id = \(customer)")
        try connection.execute("UPDATE sale SET metadata_sealed = NULL WHERE customer_id = \(customer)")
        try connection.execute("UPDATE lead SET metadata_sealed = NULL WHERE workspace_id = \(workspace) AND customer_id = \(customer)")
        try readable.blank(
            "refund",
            "UPDATE refund SET reason = NULL WHERE reason IS NOT NULL AND sale_id IN (SELECT id FROM sale WHERE customer_id = \(customer))")
        try readable.blank(
            "customer_binding", "UPDATE customer_binding SET reason = NULL WHERE customer_id = \(customer) AND reason IS NOT NULL")
        for table in ["sale", "lead"] { try readable.blank(table) { try forgetTypedCodes(of: customer, workspace, in: table, on: connection) } }
        try connection.execute("DELETE FROM customer_visitor WHERE customer_id = \(customer)")
    }

    /// What a buyer typed as a code that was none may be anything, a name too. Answers how many rows had some.
    private static func forgetTypedCodes(of customer: String, _ workspace: WorkspaceID, in table: String, on connection: any Connection) throws -> Int {
        let rows = try connection.rows(
            """
            SELECT id, attribution FROM \(raw: table) WHERE workspace_id = \(workspace) AND customer_id = \(customer)
            AND (attribution LIKE '%"unknownCode"%' OR attribution LIKE '%"unknownClick"%')
            """)
        for row in rows {
            let kept = JSONText(JSONText(text: try row.get(at: 1)).value.without(["unknownCode", "unknownClick"]))
            try connection.execute("UPDATE \(raw: table) SET attribution = \(kept.text) WHERE id = \(try row.get(at: 0, as: String.self))")
            if table == HashedTable.sale.name { try RowHashStore.renew(.sale, row.get(at: 0), on: connection) }
        }
        return rows.count
    }
}
