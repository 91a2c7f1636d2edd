import Chronology
import Persistence
import Web

enum ReconciliationStore {
    // MARK: Files

    private static let fileColumns =
        "id, format, content_hash, state, account_ending, currency, opening, closing, entry_count, known_count, created_by, created_at"

    static func insert(_ file: Reconciliation, in workspace: WorkspaceID, on connection: any Connection) throws {
        try connection.execute(
            """
            INSERT INTO reconciliation (id, workspace_id, format, content_hash, state, account_ending, currency, opening, closing, entry_count,
                known_count, created_by, created_at)
            VALUES (\(file.id), \(workspace), \(file.format.rawValue), \(file.hash), \(file.state.rawValue), \(file.accountEnding),
                \(file.balance?.currency), \(file.balance?.openingMinor), \(file.balance?.closingMinor), \(file.entryCount), \(file.knownCount),
                \(file.createdBy), \(file.createdAt))
            """)
    }

    static func finish(_ id: ReconciliationID, known: Int64, on connection: any Connection) throws {
        try connection.execute("UPDATE reconciliation SET state = 'done', known_count = \(known) WHERE id = \(id)")
    }

    static func file(hash: String, in workspace: WorkspaceID, on connection: any Connection) throws -> Reconciliation? {
        try connection.row("SELECT \(raw: fileColumns) FROM reconciliation WHERE workspace_id = \(workspace) AND content_hash = \(hash)").flatMap(readFile)
    }

    static func file(_ id: ReconciliationID, in workspace: WorkspaceID, on connection: any Connection) throws -> Reconciliation? {
        try connection.row("SELECT \(raw: fileColumns) FROM reconciliation WHERE workspace_id = \(workspace) AND id = \(id)").flatMap(readFile)
    }

    /// The newest first.
    static func files(in workspace: WorkspaceID, before: String?, limit: Int, on connection: any Connection) throws -> [Reconciliation] {
        var sql: SQL = "SELECT \(raw: fileColumns) FROM reconciliation WHERE workspace_id = \(workspace)"
        if let before { sql = "\(sql: sql) AND id < \(before)" }
        return try connection.rows("\(sql: sql) ORDER BY id DESC LIMIT \(limit)").compactMap(readFile)
    }

    private static func readFile(_ row: Row) throws -> Reconciliation? {
        guard let format = BankFile.Format(rawValue: try row.get(at: 1)) else { return nil }
        var balance: BankFile.Balance?
        if let currency: String = try row.get(at: 5), let opening: Int64 = try row.get(at: 6), let closing: Int64 = try row.get(at: 7) {
            balance = BankFile.Balance(currency: currency, openingMinor: opening, closingMinor: closing)
        }
        return Reconciliation(
            id: try row.get(at: 0), format: format, hash: try row.get(at: 2), state: Reconciliation.State(rawValue: try row.get(at: 3)) ?? .reading,
            accountEnding: try row.get(at: 4), balance: balance, entryCount: try row.get(at: 8), knownCount: try row.get(at: 9),
            createdBy: try row.get(at: 10), createdAt: try row.get(at: 11))
    }

    // MARK: Entries

    private static let columns = """
        id, reconciliation_id, line, meaning, is_batch, state, difference, payout_id, member_id, amount, currency, booked_on, status, reason_codes, \
        bank_reference, payload_sealed IS NOT NULL, person_id, decided_by, decided_at, decision_reason, created_at
        """

    static func insert(
        _ row: ReconciliationEntry, identity: String, payload: [UInt8]?, expiresAt: Instant, in workspace: WorkspaceID, on connection: any Connection
    ) throws {
        let entry = row.entry
        try connection.execute(
            """
            INSERT INTO reconciliation_entry (id, workspace_id, reconciliation_id, identity, line, meaning, is_batch, state, difference, payout_id,
                member_id, amount, currency, booked_on, status, reason_codes, bank_reference, payload_sealed, person_id, expires_at, created_at)
            VALUES (\(row.id), \(workspace), \(row.reconciliationID), \(identity), \(entry.line), \(entry.meaning.rawValue), \(entry.isBatch),
                \(row.state.rawValue), \(row.difference?.rawValue), \(row.payoutID), \(row.memberID), \(entry.amountMinor), \(entry.currency),
                \(entry.bookedOn?.iso8601), \(entry.status), \(entry.reasonCodes.joined(separator: " ")), \(row.payoutID == nil ? nil : entry.bankReference),
                \(payload), \(row.personID), \(expiresAt), \(row.createdAt))
            """)
    }

    static func known(_ identities: [String], in workspace: WorkspaceID, on connection: any Connection) throws -> Set<String> {
        var known: Set<String> = []
        for start in stride(from: 0, to: identities.count, by: 500) {
            let part = Array(identities[start..<min(start + 500, identities.count)])
            for row in try connection.rows("SELECT identity FROM reconciliation_entry WHERE workspace_id = \(workspace) AND identity IN \(list: part)") {
                known.insert(try row.get(at: 0))
            }
        }
        return known
    }

    static func find(_ id: ReconciliationEntryID, in workspace: WorkspaceID, on connection: any Connection) throws -> ReconciliationEntry? {
        try connection.row("SELECT \(raw: columns) FROM reconciliation_entry WHERE id = \(id) AND workspace_id = \(workspace)").flatMap(read)
    }

    struct Filter: Sendable {
        var state: ReconciliationEntry.State?
        var payout: PayoutID?
        var file: ReconciliationID?
    }

    /// The newest first.
    static func list(
        in workspace: WorkspaceID, _ filter: Filter, before: String?, limit: Int, on connection: any Connection
    ) throws -> [ReconciliationEntry] {
        var sql: SQL = "SELECT \(raw: columns) FROM reconciliation_entry WHERE workspace_id = \(workspace)"
        if let state = filter.state { sql = "\(sql: sql) AND state = \(state.rawValue)" }
        if let payout = filter.payout { sql = "\(sql: sql) AND payout_id = \(payout)" }
        if let file = filter.file { sql = "\(sql: sql) AND reconciliation_id = \(file)" }
        if let before { sql = "\(sql: sql) AND id < \(before)" }
        return try connection.rows("\(sql: sql) ORDER BY id DESC LIMIT \(limit)").compactMap(read)
    }

    /// Differences of a batch that nobody has decided about, the oldest first.
    static func differences(of payout: PayoutID, limit: Int, on connection: any Connection) throws -> [ReconciliationEntry] {
        try connection.rows(
            "SELECT \(raw: columns) FROM reconciliation_entry WHERE payout_id = \(payout) AND state = 'difference' ORDER BY id LIMIT \(limit)"
        ).compactMap(read)
    }

    static func settle(_ row: ReconciliationEntry, on connection: any Connection) throws {
        try connection.execute(
            """
            UPDATE reconciliation_entry SET state = \(row.state.rawValue), difference = \(row.difference?.rawValue), payout_id = \(row.payoutID),
                member_id = \(row.memberID), meaning = \(row.entry.meaning.rawValue), decided_by = \(row.decidedBy), decided_at = \(row.decidedAt),
                decision_reason = \(row.decisionReason)
            WHERE id = \(row.id)
            """)
    }

    static func counts(in workspace: WorkspaceID, on connection: any Connection) throws -> [ReconciliationEntry.State: Int64] {
        var counts: [ReconciliationEntry.State: Int64] = [:]
        for row in try connection.rows("SELECT state, count(*) FROM reconciliation_entry WHERE workspace_id = \(workspace) GROUP BY state ORDER BY state") {
            if let state = ReconciliationEntry.State(rawValue: try row.get(at: 0)) { counts[state] = try row.get(at: 1) }
        }
        return counts
    }

    private static func read(_ row: Row) throws -> ReconciliationEntry? {
        guard let meaning = BankEntry.Meaning(rawValue: try row.get(at: 3)), let state = ReconciliationEntry.State(rawValue: try row.get(at: 5)) else {
            return nil
        }
        let codes: String = try row.get(at: 13)
        let day: String? = try row.get(at: 11)
        let entry = BankEntry(
            line: Int(try row.get(at: 2, as: Int64.self)), meaning: meaning, isBatch: try row.get(at: 4), bankReference: try row.get(at: 14),
            amountMinor: try row.get(at: 9), currency: try row.get(at: 10), bookedOn: day.flatMap { BankFile.day($0) }, status: try row.get(at: 12),
            reasonCodes: codes.split(separator: " ").map(String.init))
        let difference: String? = try row.get(at: 6)
        return ReconciliationEntry(
            id: try row.get(at: 0), reconciliationID: try row.get(at: 1), entry: entry, state: state,
            difference: difference.flatMap { ReconciliationEntry.Difference(rawValue: $0) }, payoutID: try row.get(at: 7), memberID: try row.get(at: 8),
            hasPayload: try row.get(at: 15), personID: try row.get(at: 16), decidedBy: try row.get(at: 17), decidedAt: try row.get(at: 18),
            decisionReason: try row.get(at: 19), createdAt: try row.get(at: 20))
    }

    // MARK: Evidence

    static func addEvidence(
        _ entry: ReconciliationEntryID, _ payout: PayoutID, _ member: MemberID, _ meaning: BankEntry.Meaning, isChange: Bool, on connection: any Connection
    ) throws {
        try connection.execute(
            """
            INSERT INTO reconciliation_evidence (entry_id, payout_id, member_id, meaning, is_change)
            VALUES (\(entry), \(payout), \(member), \(meaning.rawValue), \(isChange))
            """)
    }

    /// What stands for each payment of a batch so far.
    static func evidence(of payout: PayoutID, on connection: any Connection) throws -> [MemberID: Set<BankEntry.Meaning>] {
        var found: [MemberID: Set<BankEntry.Meaning>] = [:]
        for row in try connection.rows("SELECT member_id, meaning FROM reconciliation_evidence WHERE payout_id = \(payout) ORDER BY member_id, meaning") {
            guard let meaning = BankEntry.Meaning(rawValue: try row.get(at: 1)) else { continue }
            found[try row.get(at: 0), default: []].insert(meaning)
        }
        return found
    }

    /// The entries that are evidence of a batch's payments.
    static func entries(of payout: PayoutID, limit: Int, on connection: any Connection) throws -> [(member: MemberID, entry: ReconciliationEntryID, meaning: String)] {
        try connection.rows(
            "SELECT member_id, entry_id, meaning FROM reconciliation_evidence WHERE payout_id = \(payout) ORDER BY member_id, entry_id LIMIT \(limit)"
        ).map { (try $0.get(at: 0), try $0.get(at: 1), try $0.get(at: 2)) }
    }

    struct Telling: Sendable {
        var format: BankFile.Format
        var day: LocalDay?
    }

    /// How often each format told a charge or return of a payment, alone or with its batch; of a batch when there is no member.
    static func told(
        _ meaning: BankEntry.Meaning, _ payout: PayoutID, _ member: MemberID?, on connection: any Connection
    ) throws -> [Telling] {
        var sql: SQL = """
            SELECT r.format, e.booked_on FROM reconciliation_entry e JOIN reconciliation r ON r.id = e.reconciliation_id
            WHERE e.payout_id = \(payout) AND e.meaning = \(meaning.rawValue) AND (e.state = 'matched' OR e.difference IN ('bookedTwice', 'returnedTwice'))
            """
        if let member {
            sql = """
                \(sql: sql) AND (e.member_id = \(member) OR e.id IN (
                    SELECT v.entry_id FROM reconciliation_evidence v WHERE v.payout_id = \(payout) AND v.member_id = \(member)))
                """
        } else {
            sql = "\(sql: sql) AND e.member_id IS NULL"
        }
        return try connection.rows("\(sql: sql) ORDER BY e.id LIMIT \(tellingsMax)").compactMap { row in
            let day: String? = try row.get(at: 1)
            return BankFile.Format(rawValue: try row.get(at: 0)).map { Telling(format: $0, day: day.flatMap { BankFile.day($0) }) }
        }
    }

    /// Looked at of one payment; more are told twice in any case.
    private static let tellingsMax = 200

    /// The batch in dollars that was handed over as a file and whose id ends so; nil when there are several.
    static func filed(endingIn signs: String, in workspace: WorkspaceID, on connection: any Connection) throws -> PayoutID? {
        let ending = "%" + signs
        let rows = try connection.rows(
            "SELECT id FROM payout WHERE workspace_id = \(workspace) AND unit = 'USD' AND rail IS NULL AND id LIKE \(ending) ORDER BY id LIMIT 2")
        return rows.count == 1 ? try rows.first?.get(at: 0) : nil
    }

    // MARK: People's data

    static func payload(_ id: ReconciliationEntryID, on connection: any Connection) throws -> [UInt8]? {
        try connection.row("SELECT payload_sealed FROM reconciliation_entry WHERE id = \(id)").flatMap { try $0.get(at: 0) }
    }

    static func setPayload(_ id: ReconciliationEntryID, _ sealed: [UInt8]?, person: PersonID?, on connection: any Connection) throws {
        try connection.execute("UPDATE reconciliation_entry SET payload_sealed = \(sealed), person_id = \(person) WHERE id = \(id)")
    }

    static func hasExpired(at now: Instant, on connection: any Connection) throws -> Bool {
        try connection.row("SELECT 1 FROM reconciliation_entry WHERE payload_sealed IS NOT NULL AND expires_at <= \(now) LIMIT 1") != nil
    }

    static func expire(at now: Instant, on connection: any Connection) throws {
        try connection.execute(
            "UPDATE reconciliation_entry SET payload_sealed = NULL, person_id = NULL WHERE payload_sealed IS NOT NULL AND expires_at <= \(now)")
    }

    /// A person who is erased: what their bank said of them goes.
    static func forget(_ person: PersonID, on connection: any Connection) throws {
        try connection.execute("UPDATE reconciliation_entry SET payload_sealed = NULL, person_id = NULL WHERE person_id = \(person)")
    }
}
