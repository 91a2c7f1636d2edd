import Chronology
import Persistence
import Web

enum InboundKind: Identified { static let prefix = "inb_" }
typealias InboundID = Identifier<InboundKind>

/// Something that a vendor sent, from its arrival to what became of it.
struct InboundEvent: Sendable {
    enum State: String, Sendable, CaseIterable {
        /// On disk, not looked at yet.
        case received
        /// Something that it speaks of is not known yet.
        case waiting
        case handled
        /// Understood, and nothing to do.
        case ignored
        /// It can't be taken in as it is: the reason says what to mend before it is replayed.
        case refused
    }

    var id: InboundID
    var workspaceID: WorkspaceID
    var vendor: Vendor
    var vendorEventID: String
    var type: String
    var state: State
    var reasonCode: String?
    var reason: String?
    var hasPayload: Bool
    var personID: PersonID?
    var subjectID: String?
    var isSample: Bool
    var tries: Int
    var receivedAt: Instant
    var handledAt: Instant?

    /// Raw payloads are kept this long for replays; Stripe itself resends for 30 days.
    static let payloadKeptMs: Int64 = 30 * 86_400_000
    /// How long a sale waits for the event that says who bought.
    static let identityWaitMs: Int64 = 10 * 60_000
    /// How long something waits for its sale before it is looked at again.
    static let orderWaitMs: Int64 = 60 * 60_000
    /// After a failure of ours: times the number of tries.
    static let retryMs: Int64 = 30_000
    static let triesMax = 20

    var json: JSONValue {
        [
            "id": .text(id.text), "vendor": .text(vendor.rawValue), "vendorEventId": .text(vendorEventID), "type": .text(type), "state": .text(state.rawValue),
            "reasonCode": reasonCode.map { .text($0) } ?? .null, "reason": reason.map { .text($0) } ?? .null, "sample": .boolean(isSample),
            "mayReplay": .boolean(hasPayload), "subjectId": subjectID.map { .text($0) } ?? .null, "receivedAt": .text(receivedAt.rfc3339),
            "handledAt": handledAt.map { .text($0.rfc3339) } ?? .null,
        ]
    }
}

enum InboundStore {
    private static let columns = """
        id, workspace_id, vendor, vendor_event_id, type, state, reason_code, reason, payload_sealed IS NOT NULL, person_id, subject_id, is_sample, tries, \
        received_at, handled_at
        """

    /// False when an event with this id of the vendor's is there already.
    static func insert(_ event: InboundEvent, payload: [UInt8], expiresAt: Instant, on connection: any Connection) throws -> Bool {
        try connection.execute(
            """
            INSERT INTO inbound_event (id, workspace_id, vendor, vendor_event_id, type, state, payload_sealed, is_sample, received_at, due_at, expires_at)
            VALUES (\(event.id), \(event.workspaceID), \(event.vendor.rawValue), \(event.vendorEventID), \(event.type), 'received', \(payload),
                    \(event.isSample), \(event.receivedAt), \(event.receivedAt), \(expiresAt))
            ON CONFLICT (workspace_id, vendor, vendor_event_id) DO NOTHING
            """) > 0
    }

    static func find(_ id: InboundID, in workspace: WorkspaceID, on connection: any Connection) throws -> InboundEvent? {
        try connection.row("SELECT \(raw: columns) FROM inbound_event WHERE id = \(id) AND workspace_id = \(workspace)").flatMap(read)
    }

    static func find(_ vendor: Vendor, _ vendorEventID: String, in workspace: WorkspaceID, on connection: any Connection) throws -> InboundEvent? {
        try connection.row(
            """
            SELECT \(raw: columns) FROM inbound_event
            WHERE workspace_id = \(workspace) AND vendor = \(vendor.rawValue) AND vendor_event_id = \(vendorEventID)
            """
        ).flatMap(read)
    }

    /// Events of a vendor, the newest first.
    static func newest(
        _ vendor: Vendor, in workspace: WorkspaceID, before: String?, limit: Int, on connection: any Connection
    ) throws -> [InboundEvent] {
        var sql: SQL = "SELECT \(raw: columns) FROM inbound_event WHERE workspace_id = \(workspace) AND vendor = \(vendor.rawValue)"
        if let before { sql = "\(sql: sql) AND id < \(before)" }
        return try connection.rows("\(sql: sql) ORDER BY id DESC LIMIT \(limit)").compactMap(read)
    }

    /// How many events of each vendor and state came since a time, and the newest of them.
    static func counts(in workspace: WorkspaceID, since: Instant, on connection: any Connection) throws -> [Vendor: [InboundEvent.State: Int64]] {
        var counts: [Vendor: [InboundEvent.State: Int64]] = [:]
        for row in try connection.rows(
            """
            SELECT vendor, state, count(*) FROM inbound_event WHERE workspace_id = \(workspace) AND received_at >= \(since)
            GROUP BY vendor, state ORDER BY vendor, state
            """)
        {
            guard let vendor = Vendor(rawValue: try row.get(at: 0)), let state = InboundEvent.State(rawValue: try row.get(at: 1)) else { continue }
            counts[vendor, default: [:]][state] = try row.get(at: 2)
        }
        return counts
    }

    static func payload(_ id: InboundID, on connection: any Connection) throws -> (sealed: [UInt8], person: PersonID?)? {
        guard let row = try connection.row("SELECT payload_sealed, person_id FROM inbound_event WHERE id = \(id)"),
            let sealed: [UInt8] = try row.get(at: 0)
        else { return nil }
        return (sealed, try row.get(at: 1))
    }

    /// Takes the event's row for this transaction; false when it needs no handling any more.
    static func claim(_ id: InboundID, on connection: any Connection) throws -> Bool {
        try connection.execute("UPDATE inbound_event SET tries = tries + 1 WHERE id = \(id) AND state IN ('received', 'waiting')") > 0
    }

    static func finish(_ id: InboundID, _ outcome: InboundOutcome, at now: Instant, on connection: any Connection) throws {
        try connection.execute(
            """
            UPDATE inbound_event SET state = \(outcome.state.rawValue), reason_code = \(outcome.reasonCode), reason = \(outcome.reason),
                subject_id = coalesce(\(outcome.subjectID), subject_id), handled_at = \(outcome.dueAt == nil ? now : nil), due_at = \(outcome.dueAt)
            WHERE id = \(id)
            """)
        try connection.execute("DELETE FROM inbound_wait WHERE event_id = \(id)")
        for reference in outcome.waitsFor {
            try connection.execute(
                "INSERT INTO inbound_wait (event_id, reference) VALUES (\(id), \(reference)) ON CONFLICT (event_id, reference) DO NOTHING")
        }
    }

    static func setPayload(_ id: InboundID, _ sealed: [UInt8]?, person: PersonID?, on connection: any Connection) throws {
        try connection.execute("UPDATE inbound_event SET payload_sealed = \(sealed), person_id = \(person) WHERE id = \(id)")
        try InboundSubjectStore.forget(id, on: connection)
    }

    /// A refused event that was told again, and is handled as it was told now; false when it is not refused any more.
    static func tellAgain(_ id: InboundID, type: String, payload: [UInt8], at now: Instant, expiresAt: Instant, on connection: any Connection) throws -> Bool {
        try connection.execute(
            """
            UPDATE inbound_event SET state = 'received', type = \(type), reason_code = NULL, reason = NULL, tries = 0, handled_at = NULL, due_at = \(now),
                payload_sealed = \(payload), person_id = NULL, expires_at = \(expiresAt)
            WHERE id = \(id) AND state = 'refused'
            """) > 0
    }

    /// Back to the beginning, if there still is something to read.
    static func reopen(_ id: InboundID, at now: Instant, on connection: any Connection) throws -> Bool {
        try connection.execute(
            """
            UPDATE inbound_event SET state = 'received', reason_code = NULL, reason = NULL, tries = 0, handled_at = NULL, due_at = \(now)
            WHERE id = \(id) AND payload_sealed IS NOT NULL
            """) > 0
    }

    /// Events that wait for one of these references.
    static func waiting(for references: [String], in workspace: WorkspaceID, _ vendor: Vendor, on connection: any Connection) throws -> [InboundID] {
        guard !references.isEmpty else { return [] }
        return try connection.rows(
            """
            SELECT DISTINCT e.id FROM inbound_wait w JOIN inbound_event e ON e.id = w.event_id
            WHERE w.reference IN \(list: references) AND e.workspace_id = \(workspace) AND e.vendor = \(vendor.rawValue) AND e.state = 'waiting'
            ORDER BY e.id LIMIT 200
            """
        ).map { try $0.get(at: 0) }
    }

    /// What is due as each workspace's clock goes.
    static func due(now: Instant, in workspace: WorkspaceID?, limit: Int, on connection: any Connection) throws -> [(InboundID, WorkspaceID)] {
        var sql: SQL = """
            SELECT e.id, e.workspace_id FROM inbound_event e JOIN workspace w ON w.id = e.workspace_id
            WHERE e.due_at IS NOT NULL AND e.due_at <= \(now) + coalesce(w.test_ahead_ms, 0)
            """
        if let workspace { sql = "\(sql: sql) AND e.workspace_id = \(workspace)" }
        return try connection.rows("\(sql: sql) ORDER BY e.due_at, e.id LIMIT \(limit)").map { (try $0.get(at: 0), try $0.get(at: 1)) }
    }

    static func hasExpired(at now: Instant, on connection: any Connection) throws -> Bool {
        try connection.row("SELECT 1 FROM inbound_event WHERE payload_sealed IS NOT NULL AND expires_at <= \(now) LIMIT 1") != nil
    }

    /// Throws away what has expired, and ends the waiting of what can't be read any more.
    static func expire(at now: Instant, on connection: any Connection) throws {
        try connection.execute("UPDATE inbound_event SET payload_sealed = NULL, person_id = NULL WHERE payload_sealed IS NOT NULL AND expires_at <= \(now)")
        try connection.execute(
            """
            UPDATE inbound_event SET state = 'refused', due_at = NULL, handled_at = \(now), reason_code = 'expired',
                reason = 'What it waited for never came, and its payload has expired.'
            WHERE due_at IS NOT NULL AND payload_sealed IS NULL
            """)
        try InboundSubjectStore.sweep(on: connection)
    }

    static func forgetPayloads(of vendor: Vendor, in workspace: WorkspaceID, on connection: any Connection) throws {
        try connection.execute(
            "UPDATE inbound_event SET payload_sealed = NULL, person_id = NULL WHERE workspace_id = \(workspace) AND vendor = \(vendor.rawValue) AND due_at IS NULL")
    }

    /// A person who is erased: what was sent about them goes, and what a vendor calls them is forgotten.
    static func forget(_ person: PersonID, on connection: any Connection) throws {
        try connection.execute("UPDATE inbound_event SET payload_sealed = NULL, person_id = NULL WHERE person_id = \(person)")
        try InboundSubjectStore.forgetPayloads(about: person, on: connection)
        try connection.execute("DELETE FROM inbound_reference WHERE customer_id IN (SELECT id FROM customer WHERE person_id = \(person))")
    }

    private static func read(_ row: Row) throws -> InboundEvent? {
        guard let vendor = Vendor(rawValue: try row.get(at: 2)) else { return nil }
        return InboundEvent(
            id: try row.get(at: 0), workspaceID: try row.get(at: 1), vendor: vendor, vendorEventID: try row.get(at: 3), type: try row.get(at: 4),
            state: InboundEvent.State(rawValue: try row.get(at: 5)) ?? .refused, reasonCode: try row.get(at: 6), reason: try row.get(at: 7),
            hasPayload: try row.get(at: 8), personID: try row.get(at: 9), subjectID: try row.get(at: 10), isSample: try row.get(at: 11),
            tries: try row.get(at: 12), receivedAt: try row.get(at: 13), handledAt: try row.get(at: 14))
    }
}

/// What became of an event.
struct InboundOutcome: Sendable {
    var state: InboundEvent.State
    var reasonCode: String?
    var reason: String?
    var subjectID: String?
    /// When it is looked at again.
    var dueAt: Instant?
    var waitsFor: [String] = []
    /// Whose payload it is.
    var personID: PersonID?
    /// Events that waited for what is known now.
    var woken: [InboundID] = []
    /// Keys of people whom the law wanted erased: they are destroyed after the transaction.
    var erased: [PersonKeyID] = []
    /// Something of the event waits, while the rest of it was done.
    var pause: InboundApplying.Waiting?

    static func refused(_ code: String, _ reason: String) -> InboundOutcome {
        InboundOutcome(state: .refused, reasonCode: code, reason: String(reason.prefix(500)))
    }

    static func ignored(_ code: String, _ reason: String) -> InboundOutcome { InboundOutcome(state: .ignored, reasonCode: code, reason: reason) }
}
