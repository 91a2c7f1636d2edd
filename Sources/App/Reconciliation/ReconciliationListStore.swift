import Chronology
import Persistence

/// What reconciliation shows of batches and their payments.
enum ReconciliationListStore {
    /// A batch that was handed over: how many of its payments are in each state, and what does not fit.
    struct Batch: Sendable {
        var id: PayoutID
        var programID: ProgramID
        var unit: String
        var sentAt: Instant?
        /// Nil: it went by file.
        var rail: RailKind?
        var counts: [Payout.Item.State: Int64] = [:]
        var differenceCount: Int64 = 0
    }

    /// The newest first.
    static func batches(in workspace: WorkspaceID, limit: Int, on connection: any Connection) throws -> [Batch] {
        let rows = try connection.rows(
            """
            SELECT p.id, p.program_id, p.unit, p.sent_at, CASE WHEN i.returned_at IS NULL THEN i.state ELSE 'returned' END AS item_state, count(*), p.rail
            FROM payout p JOIN payout_item i ON i.payout_id = p.id
            WHERE p.id IN (
                SELECT id FROM payout WHERE workspace_id = \(workspace) AND state IN ('sent', 'paid', 'failed', 'unknown') ORDER BY id DESC LIMIT \(limit))
            GROUP BY p.id, p.program_id, p.unit, p.sent_at, p.rail, CASE WHEN i.returned_at IS NULL THEN i.state ELSE 'returned' END ORDER BY p.id DESC
            """)
        var batches: [Batch] = []
        for row in rows {
            let id: PayoutID = try row.get(at: 0)
            if batches.last?.id != id {
                let rail: String? = try row.get(at: 6)
                batches.append(
                    Batch(
                        id: id, programID: try row.get(at: 1), unit: try row.get(at: 2), sentAt: try row.get(at: 3), rail: rail.flatMap { RailKind(rawValue: $0) }))
            }
            if let state = Payout.Item.State(rawValue: try row.get(at: 4)) { batches[batches.count - 1].counts[state] = try row.get(at: 5) }
        }
        var differences: [PayoutID: Int64] = [:]
        for row in try connection.rows(
            """
            SELECT payout_id, count(*) FROM reconciliation_entry WHERE workspace_id = \(workspace) AND state = 'difference' AND payout_id IS NOT NULL
            GROUP BY payout_id ORDER BY payout_id
            """)
        {
            differences[try row.get(at: 0)] = try row.get(at: 1)
        }
        for place in batches.indices { batches[place].differenceCount = differences[batches[place].id] ?? 0 }
        return batches
    }

    struct Candidate: Sendable {
        var payoutID: PayoutID
        var memberID: MemberID
        var amountMinor: Int64
        var state: Payout.Item.State
        var sentAt: Instant?
        var accountEnding: String?
    }

    /// Payments of the same amount and currency that an entry may be about, the newest first.
    static func candidates(
        for entry: BankEntry, in workspace: WorkspaceID, limit: Int, on connection: any Connection
    ) throws -> [Candidate] {
        guard let amount = entry.amountMinor, let currency = entry.currency else { return [] }
        let mayBePaid = entry.meaning == .returned || entry.meaning == .other
        let states = mayBePaid ? ["sent", "unknown", "paid"] : ["sent", "unknown"]
        return try connection.rows(
            """
            SELECT i.payout_id, i.member_id, i.amount, i.state, p.sent_at, a.ending FROM payout p JOIN payout_item i ON i.payout_id = p.id
            LEFT JOIN payout_account a ON a.member_id = i.member_id
            WHERE p.workspace_id = \(workspace) AND p.unit = \(currency) AND i.amount = \(amount) AND i.state IN \(list: states)
            ORDER BY i.payout_id DESC, i.member_id LIMIT \(limit)
            """
        ).map { row in
            Candidate(
                payoutID: try row.get(at: 0), memberID: try row.get(at: 1), amountMinor: try row.get(at: 2),
                state: Payout.Item.State(rawValue: try row.get(at: 3)) ?? .unknown, sentAt: try row.get(at: 4), accountEnding: try row.get(at: 5))
        }
    }
}
