import Chronology
import Money
import Persistence

enum PayoutStore {
    // MARK: Accounts

    static func put(_ account: PayoutAccount, workspace: WorkspaceID, on connection: any Connection) throws {
        try connection.execute(
            """
            INSERT INTO payout_account (member_id, workspace_id, kind, ending, changed_at, usable_from)
            VALUES (\(account.memberID), \(workspace), \(account.kind.rawValue), \(account.ending), \(account.changedAt), \(account.usableFrom))
            ON CONFLICT (member_id) DO UPDATE SET kind = excluded.kind, ending = excluded.ending, changed_at = excluded.changed_at,
                usable_from = excluded.usable_from, version = payout_account.version + 1
            """)
    }

    static func account(of member: MemberID, on connection: any Connection) throws -> PayoutAccount? {
        try connection.row(
            "SELECT member_id, kind, ending, changed_at, usable_from, version FROM payout_account WHERE member_id = \(member)"
        ).map { row in
            PayoutAccount(
                memberID: try row.get(at: 0), kind: PayoutAccount.Kind(rawValue: try row.get(at: 1)) ?? .external, ending: try row.get(at: 2),
                changedAt: try row.get(at: 3), usableFrom: try row.get(at: 4), version: try row.get(at: 5))
        }
    }

    // MARK: Batches

    /// Approved commissions of a program whose hold ended by the cut-off and that no live payout or request has, by member.
    static func payable(
        program: ProgramID, member: MemberID? = nil, unit: UnitCode, cutoff: Instant, on connection: any Connection
    ) throws -> [(member: MemberID, commission: CommissionID, keptMinor: Int64)] {
        var sql: SQL = """
            SELECT c.member_id, c.id, c.amount - c.reversed_amount FROM commission c
            WHERE c.program_id = \(program) AND c.state = 'approved' AND c.unit = \(unit.code) AND c.hold_until <= \(cutoff)
              AND NOT EXISTS (SELECT 1 FROM payout_commission p WHERE p.commission_id = c.id)
              AND NOT EXISTS (SELECT 1 FROM payout_request_commission r WHERE r.commission_id = c.id)
            """
        if let member { sql = "\(sql: sql) AND c.member_id = \(member)" }
        return try connection.rows("\(sql: sql) ORDER BY c.member_id, c.id").map { (try $0.get(at: 0), try $0.get(at: 1), try $0.get(at: 2)) }
    }

    /// Currencies other than the program's in which it owes a member something that is out of its hold or may come to be.
    static func otherUnits(program: Program, member: MemberID, on connection: any Connection) throws -> [UnitCode] {
        try connection.rows(
            """
            SELECT DISTINCT unit FROM commission WHERE program_id = \(program.id) AND member_id = \(member) AND state = 'approved'
                AND unit <> \(program.currency) ORDER BY unit
            """
        ).compactMap { row in
            let code: String = try row.get(at: 0)
            return Currency(code: code).map { .currency($0) }
        }
    }

    static func insert(_ payout: Payout, on connection: any Connection) throws {
        let hash = HashedTable.payout.hash([
            payout.id, payout.workspaceID, payout.programID, payout.unit.code, payout.cutoff, payout.totalMinor, payout.createdBy, payout.createdAt,
        ])
        try connection.execute(
            """
            INSERT INTO payout (id, workspace_id, program_id, state, unit, cutoff, total, created_by, created_at, row_hash)
            VALUES (\(payout.id), \(payout.workspaceID), \(payout.programID), \(payout.state.rawValue), \(payout.unit.code), \(payout.cutoff),
                    \(payout.totalMinor), \(payout.createdBy), \(payout.createdAt), \(hash))
            """)
        var statements: [SQL] = []
        for item in payout.items {
            statements.append(
                """
                INSERT INTO payout_item (payout_id, member_id, amount, state, account_version)
                VALUES (\(payout.id), \(item.memberID), \(item.amountMinor), \(item.state.rawValue), \(item.accountVersion))
                """)
            for commission in item.commissionIDs {
                statements.append(
                    "INSERT INTO payout_commission (commission_id, payout_id, member_id) VALUES (\(commission), \(payout.id), \(item.memberID))")
            }
        }
        try connection.executeAll(statements)
        try exclude(payout.excluded, from: payout.id, on: connection)
    }

    /// Keeps who is not paid by a batch.
    static func exclude(_ excluded: [Payout.Exclusion], from payout: PayoutID, on connection: any Connection) throws {
        try connection.executeAll(
            excluded.map {
                """
                INSERT INTO payout_exclusion (payout_id, member_id, amount, reason)
                VALUES (\(payout), \($0.memberID), \($0.amountMinor), \($0.reason.rawValue)) ON CONFLICT (payout_id, member_id) DO NOTHING
                """
            })
    }

    static func setState(_ payout: Payout, on connection: any Connection) throws {
        try connection.execute(
            """
            UPDATE payout SET state = \(payout.state.rawValue), approved_by = \(payout.approvedBy), approved_at = \(payout.approvedAt),
                sent_at = \(payout.sentAt) WHERE id = \(payout.id)
            """)
    }

    static func setItem(
        _ payout: PayoutID, _ member: MemberID, state: Payout.Item.State, reference: String?, settledAt: Instant?, on connection: any Connection
    ) throws {
        try connection.execute(
            """
            UPDATE payout_item SET state = \(state.rawValue), reference = coalesce(\(reference), reference), settled_at = \(settledAt)
            WHERE payout_id = \(payout) AND member_id = \(member)
            """)
    }

    /// It had arrived: its own reference stays beside that of the return.
    /// How many batches in the same unit were approved before this one.
    static func approvedBefore(_ payout: Payout, in workspace: WorkspaceID, on connection: any Connection) throws -> Int {
        guard let approvedAt = payout.approvedAt else { return 0 }
        let count: Int64? = try connection.value(
            """
            SELECT count(*) FROM payout WHERE workspace_id = \(workspace) AND unit = \(payout.unit.code)
                AND (approved_at < \(approvedAt) OR approved_at = \(approvedAt) AND id < \(payout.id))
            """)
        return Int(count ?? 0)
    }

    static func setReturned(_ payout: PayoutID, _ member: MemberID, reference: String, at instant: Instant, on connection: any Connection) throws {
        try connection.execute(
            """
            UPDATE payout_item SET state = 'failed', returned_at = \(instant), return_reference = \(reference)
            WHERE payout_id = \(payout) AND member_id = \(member)
            """)
    }

    /// Whether a reference stands for the payment of another member in the batch.
    static func isReferenceTaken(_ reference: String, of payout: PayoutID, by member: MemberID, on connection: any Connection) throws -> Bool {
        try connection.row(
            "SELECT 1 FROM payout_item WHERE payout_id = \(payout) AND reference = \(reference) AND member_id <> \(member) LIMIT 1") != nil
    }

    static func leaveOut(_ payout: PayoutID, _ member: MemberID, reason: String, at instant: Instant, on connection: any Connection) throws {
        try connection.execute(
            """
            UPDATE payout_item SET state = 'canceled', settled_at = \(instant), left_out_reason = \(reason)
            WHERE payout_id = \(payout) AND member_id = \(member)
            """)
    }

    static func release(_ payout: PayoutID, _ member: MemberID, on connection: any Connection) throws {
        try connection.execute("DELETE FROM payout_commission WHERE payout_id = \(payout) AND member_id = \(member)")
        try RunPayableStore.release(payout, member, on: connection)
    }

    static func markPaid(_ commissions: [CommissionID], on connection: any Connection) throws {
        try connection.executeAll(
            commissions.map { "UPDATE commission SET state = 'paid' WHERE id = \($0) AND state = 'approved'" })
    }

    static func markUnpaid(_ commissions: [CommissionID], on connection: any Connection) throws {
        try connection.executeAll(
            commissions.map { "UPDATE commission SET state = 'approved' WHERE id = \($0) AND state = 'paid'" })
    }

    private static let columns =
        "id, workspace_id, program_id, state, unit, cutoff, created_by, created_at, approved_by, approved_at, sent_at"

    static func find(_ id: PayoutID, in workspace: WorkspaceID, on connection: any Connection) throws -> Payout? {
        guard let row = try connection.row("SELECT \(raw: columns) FROM payout WHERE id = \(id) AND workspace_id = \(workspace)") else { return nil }
        var payout = try read(row)
        var commissions: [MemberID: [CommissionID]] = [:]
        for row in try connection.rows(
            "SELECT member_id, commission_id FROM payout_commission WHERE payout_id = \(id) ORDER BY member_id, commission_id")
        {
            commissions[try row.get(at: 0), default: []].append(try row.get(at: 1))
        }
        payout.items = try connection.rows(
            """
            SELECT member_id, amount, CASE WHEN returned_at IS NULL THEN state ELSE 'returned' END, reference, account_version, left_out_reason,
                return_reference
            FROM payout_item WHERE payout_id = \(id) ORDER BY member_id
            """
        ).map { row in
            let member: MemberID = try row.get(at: 0)
            return Payout.Item(
                memberID: member, amountMinor: try row.get(at: 1), state: Payout.Item.State(rawValue: try row.get(at: 2)) ?? .unknown,
                reference: try row.get(at: 3), commissionIDs: commissions[member] ?? [], accountVersion: try row.get(at: 4),
                leftOutReason: try row.get(at: 5), returnReference: try row.get(at: 6))
        }
        payout.excluded = try connection.rows(
            "SELECT member_id, amount, reason FROM payout_exclusion WHERE payout_id = \(id) ORDER BY member_id"
        ).compactMap { row in
            guard let reason = Payout.Exclusion.Reason(rawValue: try row.get(at: 2)) else { return nil }
            return Payout.Exclusion(memberID: try row.get(at: 0), amountMinor: try row.get(at: 1), reason: reason)
        }
        return payout
    }

    static func list(in workspace: WorkspaceID, after: String?, limit: Int, on connection: any Connection) throws -> [PayoutID] {
        try connection.rows(
            "SELECT id FROM payout WHERE workspace_id = \(workspace) AND id > \(after ?? "") ORDER BY id LIMIT \(limit)"
        ).map { try $0.get(at: 0) }
    }

    private static func read(_ row: Row) throws -> Payout {
        let unit: String = try row.get(at: 4)
        return Payout(
            id: try row.get(at: 0), workspaceID: try row.get(at: 1), programID: try row.get(at: 2),
            state: Payout.State(rawValue: try row.get(at: 3)) ?? .unknown, unit: try UnitCode(unit), cutoff: try row.get(at: 5), items: [],
            createdBy: try row.get(at: 6), createdAt: try row.get(at: 7), approvedBy: try row.get(at: 8), approvedAt: try row.get(at: 9),
            sentAt: try row.get(at: 10))
    }
}
