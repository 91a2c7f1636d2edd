import Chronology
import Persistence

/// The queues behind "three things need you".
enum OverviewNeedsStore {
    struct Money: Sendable {
        /// Payouts that a second person has to approve, and what they come to in the overview's currency.
        var draftCount: Int64 = 0
        var draftMinor: Int64 = 0
        /// Payments that came back, or of which nobody knows.
        var failureCount: Int64 = 0
        var heldCount: Int64 = 0
        var heldMinor: Int64 = 0
        var requestCount: Int64 = 0
        var requestMinor: Int64 = 0
        var dueCount: Int64 = 0
        var dueMinor: Int64 = 0
    }

    /// People who asked to take part and wait for an answer.
    static func applications(in workspace: WorkspaceID, on connection: any Connection) throws -> Int64 {
        try connection.value("SELECT count(*) FROM application WHERE workspace_id = \(workspace) AND state = 'waiting'") ?? 0
    }

    /// `maker` made payouts that somebody else must approve: those do not wait for them.
    static func money(
        in workspace: WorkspaceID, at now: Instant, currency: String, maker: OperatorID, on connection: any Connection
    ) throws -> Money {
        var money = Money()
        if let row = try connection.row(
            """
            SELECT count(*), CAST(coalesce(sum(CASE WHEN unit = \(currency) THEN total ELSE 0 END), 0) AS BIGINT) FROM payout
            WHERE workspace_id = \(workspace) AND state = 'draft' AND created_by <> \(maker.text)
            """)
        {
            (money.draftCount, money.draftMinor) = (try row.get(at: 0), try row.get(at: 1))
        }
        money.failureCount =
            try connection.value(
                """
                SELECT count(*) FROM payout p JOIN payout_item i ON i.payout_id = p.id AND i.state IN ('failed', 'unknown')
                WHERE p.workspace_id = \(workspace) AND p.state IN ('sent', 'failed', 'unknown')
                """) ?? 0
        if let row = try connection.row(
            """
            SELECT count(*), CAST(coalesce(sum(CASE WHEN unit = \(currency) THEN amount - reversed_amount ELSE 0 END), 0) AS BIGINT) FROM commission
            WHERE workspace_id = \(workspace) AND state = 'held'
            """)
        {
            (money.heldCount, money.heldMinor) = (try row.get(at: 0), try row.get(at: 1))
        }
        if let row = try connection.row(
            """
            SELECT count(*), CAST(coalesce(sum(CASE WHEN unit = \(currency) THEN amount ELSE 0 END), 0) AS BIGINT) FROM payout_request
            WHERE workspace_id = \(workspace) AND state = 'waiting'
            """)
        {
            (money.requestCount, money.requestMinor) = (try row.get(at: 0), try row.get(at: 1))
        }
        for due in try PayoutListStore.due(in: workspace, at: now, on: connection) where due.unit == currency {
            money.dueCount += due.memberCount
            money.dueMinor = money.dueMinor.addingReportingOverflow(due.amountMinor).partialValue
        }
        return money
    }
}
