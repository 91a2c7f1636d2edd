import Persistence

extension VerifyStore {
    /// Payouts against the journal: what is set aside, what left, and that nothing left twice.
    static func payouts(_ workspace: WorkspaceID, on connection: any Connection) throws -> [Verification.Found] {
        try setAside(workspace, on: connection) + paidOut(workspace, on: connection) + postings(workspace, on: connection)
            + reservations(workspace, on: connection) + totals(workspace, on: connection) + states(workspace, on: connection)
            + contents(workspace, on: connection) + people(workspace, on: connection)
    }

    /// What is in an item, against what it pays: its commissions, runs and the member they belong to. Debt may make it less, never more;
    /// what was taken back since it was made still counts.
    private static func contents(_ workspace: WorkspaceID, on connection: any Connection) throws -> [Verification.Found] {
        let items = try connection.rows(
            """
            SELECT i.payout_id, i.member_id, i.amount, CAST(coalesce((
                    SELECT sum(c.amount) FROM payout_commission x JOIN commission c ON c.id = x.commission_id
                    WHERE x.payout_id = i.payout_id AND x.member_id = i.member_id), 0) + coalesce((
                    SELECT sum(r.amount) FROM run_payable r WHERE r.payout_id = i.payout_id AND r.member_id = i.member_id), 0) AS BIGINT)
            FROM payout_item i JOIN payout p ON p.id = i.payout_id
            WHERE p.workspace_id = \(workspace) AND i.state IN ('waiting', 'sent', 'paid', 'unknown') ORDER BY i.payout_id, i.member_id
            """
        ).compactMap { row -> Verification.Found? in
            let (amount, content): (Int64, Int64) = (try row.get(at: 2), try row.get(at: 3))
            guard amount > content else { return nil }
            return found(
                "payoutContentWrong", workspace, row.values[0].named, "pays \(amount) to \(row.values[1].named), what is in it is worth \(content)")
        }
        let commissions = try connection.rows(
            """
            SELECT c.id, x.payout_id FROM payout_commission x JOIN commission c ON c.id = x.commission_id JOIN payout p ON p.id = x.payout_id
            WHERE c.workspace_id = \(workspace) AND (c.member_id <> x.member_id OR c.unit <> p.unit OR c.program_id <> p.program_id)
            ORDER BY c.id LIMIT \(Int64(Verification.findingsMax))
            """
        ).map { found("payoutContentWrong", workspace, $0.values[0].named, "is in the payout \($0.values[1].named) of another member, unit or program") }
        let paid = try connection.rows(
            """
            SELECT c.id FROM commission c WHERE c.workspace_id = \(workspace) AND c.state = 'paid'
                AND NOT EXISTS (SELECT 1 FROM payout_commission x WHERE x.commission_id = c.id) ORDER BY c.id LIMIT \(Int64(Verification.findingsMax))
            """
        ).map { found("payoutContentWrong", workspace, $0.values[0].named, "is paid, and no payout has it") }
        return Array(items.prefix(Verification.findingsMax)) + commissions + paid
    }

    /// Who made and who approved a batch, against the audit chain: two people, both of whom the chain saw do it.
    private static func people(_ workspace: WorkspaceID, on connection: any Connection) throws -> [Verification.Found] {
        let steps = [("created_by", "payout.create", "created"), ("approved_by", "payout.approve", "approved")]
        return try steps.flatMap { column, action, word in
            // A key stands for its operator; an imported workspace knows neither.
            try connection.rows(
                """
                SELECT p.id, p.\(raw: column) FROM payout p WHERE p.workspace_id = \(workspace) AND p.\(raw: column) IS NOT NULL AND NOT EXISTS (
                    SELECT 1 FROM audit_entry a LEFT JOIN api_key k ON k.id = a.actor
                    WHERE a.workspace_id = p.workspace_id AND a.subject = p.id AND a.action = \(action) AND (a.actor = p.\(raw: column)
                        OR k.operator_id = p.\(raw: column) OR (k.id IS NULL AND substr(a.actor, 1, 4) = \(APIKeyKind.prefix))))
                ORDER BY p.id LIMIT \(Int64(Verification.findingsMax))
                """
            ).map { found("payoutPersonWrong", workspace, $0.values[0].named, "says \($0.values[1].named) \(word) it, the audit chain does not") }
        } + connection.rows(
            """
            SELECT id, created_by FROM payout WHERE workspace_id = \(workspace) AND approved_by = created_by
            ORDER BY id LIMIT \(Int64(Verification.findingsMax))
            """
        ).map { found("payoutPersonWrong", workspace, $0.values[0].named, "was made and approved by the same person, \($0.values[1].named)") }
    }

    /// Items on their way and requests that wait, against what members have in payout.
    private static func setAside(_ workspace: WorkspaceID, on connection: any Connection) throws -> [Verification.Found] {
        let live: SQL = """
            SELECT '' AS cause, member, unit, CAST(sum(amount) AS BIGINT) AS amount FROM (
                SELECT i.member_id AS member, p.unit AS unit, i.amount AS amount FROM payout_item i JOIN payout p ON p.id = i.payout_id
                WHERE p.workspace_id = \(workspace) AND i.state IN ('waiting', 'sent', 'unknown')
                UNION ALL SELECT member_id, unit, amount FROM payout_request WHERE workspace_id = \(workspace) AND state = 'waiting') live
            GROUP BY member, unit
            """
        return try differences(live, booked("liabilities:payable:inpayout:", workspace), on: connection).map { row in
            found("payoutNotSetAside", workspace, row.member, "has \(row.left) \(row.unit) in payouts and requests, the journal \(row.right)")
        }
    }

    /// Items that arrived and what was spent of wallets, against what the journal says has left for each member.
    private static func paidOut(_ workspace: WorkspaceID, on connection: any Connection) throws -> [Verification.Found] {
        let paid: SQL = """
            SELECT '' AS cause, member, unit, CAST(sum(amount) AS BIGINT) AS amount FROM (
                SELECT i.member_id AS member, p.unit AS unit, i.amount AS amount
                FROM payout_item i JOIN payout p ON p.id = i.payout_id WHERE p.workspace_id = \(workspace) AND i.state = 'paid'
                UNION ALL SELECT member_id, unit, -amount FROM wallet_movement WHERE workspace_id = \(workspace) AND kind IN ('redemption', 'return')) paid
            GROUP BY member, unit
            """
        return try differences(paid, booked("assets:paid:", workspace), on: connection).map { row in
            found("paidNotPosted", workspace, row.member, "was paid \(row.left) \(row.unit), the journal says \(row.right)")
        }
    }

    /// Each item that arrived has its one posting, and each such posting its item.
    private static func postings(_ workspace: WorkspaceID, on connection: any Connection) throws -> [Verification.Found] {
        let prefix = "assets:paid:"
        let items: SQL = """
            SELECT i.payout_id AS cause, i.member_id AS member, p.unit AS unit, i.amount AS amount
            FROM payout_item i JOIN payout p ON p.id = i.payout_id WHERE p.workspace_id = \(workspace) AND (i.state = 'paid' OR i.returned_at IS NOT NULL)
            """
        let posted: SQL = """
            SELECT t.cause AS cause, replace(a.name, \(prefix), '') AS member, a.unit AS unit, CAST(-sum(e.amount) AS BIGINT) AS amount
            FROM journal_transaction t JOIN journal_entry e ON e.workspace_id = t.workspace_id AND e.sequence = t.sequence
            JOIN account a ON a.id = e.account_id
            WHERE t.workspace_id = \(workspace) AND t.purpose LIKE 'paid.%' AND a.name LIKE \(prefix + "%") GROUP BY t.cause, a.name, a.unit
            """
        return try differences(items, posted, on: connection).map { row in
            found("payoutItemNotPosted", workspace, row.subject, "paid \(row.member) \(row.left) \(row.unit), the journal posted \(row.right)")
        }
    }

    /// A batch's total is what it set aside and what it took over from requests.
    private static func reservations(_ workspace: WorkspaceID, on connection: any Connection) throws -> [Verification.Found] {
        let prefix = "liabilities:payable:inpayout:"
        let batches: SQL = "SELECT id AS cause, '' AS member, unit, total AS amount FROM payout WHERE workspace_id = \(workspace)"
        let reserved: SQL = """
            SELECT cause, '' AS member, unit, CAST(sum(amount) AS BIGINT) AS amount FROM (
                SELECT t.cause AS cause, a.unit AS unit, -e.amount AS amount
                FROM journal_transaction t JOIN journal_entry e ON e.workspace_id = t.workspace_id AND e.sequence = t.sequence
                JOIN account a ON a.id = e.account_id JOIN payout p ON p.id = t.cause
                WHERE t.workspace_id = \(workspace) AND t.purpose LIKE 'reserve%' AND a.name LIKE \(prefix + "%")
                UNION ALL SELECT payout_id, unit, amount FROM payout_request WHERE workspace_id = \(workspace) AND state = 'taken') parts
            GROUP BY cause, unit
            """
        return try differences(batches, reserved, on: connection).map { row in
            found("payoutNotReserved", workspace, row.subject, "is of \(row.left) \(row.unit), the journal set \(row.right) aside for it")
        }
    }

    private static func totals(_ workspace: WorkspaceID, on connection: any Connection) throws -> [Verification.Found] {
        try connection.rows(
            """
            SELECT p.id, p.total, CAST(coalesce(sum(i.amount), 0) AS BIGINT) FROM payout p LEFT JOIN payout_item i ON i.payout_id = p.id
            WHERE p.workspace_id = \(workspace) GROUP BY p.id, p.total HAVING p.total <> coalesce(sum(i.amount), 0)
            ORDER BY p.id LIMIT \(Int64(Verification.findingsMax))
            """
        ).map { row in
            found(
                "payoutTotalWrong", workspace, try row.get(at: 0),
                "says \(try row.get(at: 1, as: Int64.self)), its items sum to \(try row.get(at: 2, as: Int64.self))")
        }
    }

    /// What an item's state says of its commissions, and a batch's of its items.
    private static func states(_ workspace: WorkspaceID, on connection: any Connection) throws -> [Verification.Found] {
        let commissions = try connection.rows(
            """
            SELECT c.id, c.state, i.state FROM payout_commission x JOIN payout p ON p.id = x.payout_id
            JOIN payout_item i ON i.payout_id = x.payout_id AND i.member_id = x.member_id JOIN commission c ON c.id = x.commission_id
            WHERE p.workspace_id = \(workspace) AND (i.state IN ('failed', 'canceled') OR (i.state = 'paid') <> (c.state IN ('paid', 'reversed', 'canceled')))
                AND NOT (i.state IN ('waiting', 'sent', 'unknown') AND c.state IN ('reversed', 'canceled'))
            ORDER BY c.id LIMIT \(Int64(Verification.findingsMax))
            """
        ).map { row in
            found(
                "commissionStateWrong", workspace, try row.get(at: 0),
                "is \(try row.get(at: 1, as: String.self)), its payment is \(try row.get(at: 2, as: String.self))")
        }
        let batches = try connection.rows(
            """
            SELECT p.id, p.state, count(*) FROM payout p JOIN payout_item i ON i.payout_id = p.id
            WHERE p.workspace_id = \(workspace) AND (
                (p.state = 'paid' AND i.state NOT IN ('paid', 'canceled')) OR (p.state = 'canceled' AND i.state <> 'canceled')
                OR (p.state IN ('draft', 'approved') AND i.state NOT IN ('waiting', 'canceled'))
                OR (p.state = 'failed' AND i.state NOT IN ('paid', 'failed', 'canceled'))
                OR (p.state = 'sent' AND i.state NOT IN ('sent', 'paid', 'failed', 'canceled')) OR (p.state = 'unknown' AND i.state = 'waiting'))
            GROUP BY p.id, p.state ORDER BY p.id LIMIT \(Int64(Verification.findingsMax))
            """
        ).map { row in
            found(
                "payoutStateWrong", workspace, try row.get(at: 0),
                "is \(try row.get(at: 1, as: String.self)), which \(try row.get(at: 2, as: Int64.self)) of its items contradict")
        }
        return commissions + batches
    }

    private static func booked(_ prefix: String, _ workspace: WorkspaceID) -> SQL {
        """
        SELECT '' AS cause, replace(name, \(prefix), '') AS member, unit, CAST(-sum(balance) AS BIGINT) AS amount FROM account
        WHERE workspace_id = \(workspace) AND name LIKE \(prefix + "%") GROUP BY name, unit
        """
    }

    private static func found(_ kind: String, _ workspace: WorkspaceID, _ subject: String, _ detail: String) -> Verification.Found {
        Verification.Found(kind: kind, workspace: workspace.text, subject: subject, detail: detail)
    }
}
