import Chronology
import Persistence
import Web

/// The SQL of `kith verify`.
enum VerifyStore {
    static let linksRead = 500

    private typealias Found = Verification.Found

    static func transactions(_ workspace: WorkspaceID, on connection: any Connection) throws -> Int64 {
        try connection.value("SELECT count(*) FROM journal_transaction WHERE workspace_id = \(workspace)") ?? 0
    }

    static func sales(_ workspace: WorkspaceID, on connection: any Connection) throws -> Int64 {
        try connection.value("SELECT count(*) FROM sale WHERE workspace_id = \(workspace)") ?? 0
    }

    /// Everything that can be compared within the main database.
    static func findings(_ workspace: WorkspaceID, on connection: any Connection) throws -> [Verification.Found] {
        let checks: [(name: String, check: (WorkspaceID, any Connection) throws -> [Verification.Found])] = [
            ("commissions and the journal", { try commissions($0, on: $1) }), ("reversals and the journal", { try reversals($0, on: $1) }),
            ("balances", { try balances($0, on: $1) }), ("refunds", { try refunds($0, on: $1) + refundFacts($0, on: $1) }),
            ("receipts", { try receipts($0, on: $1) }), ("credits", { try credits($0, on: $1) }), ("bindings", { try bindings($0, on: $1) }),
            ("enrollers", { try enrollers($0, on: $1) }), ("events", { try told($0, on: $1) }), ("causes", { try causes($0, on: $1) }),
            ("numbers of sales", { try saleNumbers($0, on: $1) }), ("clicks by day", { try clickDays($0, on: $1) }),
            ("tiers", { try tiers($0, on: $1) }), ("payouts", { try payouts($0, on: $1) }),
            ("commissions and their rules", { try CommissionVerification.findings($0, on: $1) }),
            ("wallets", { try WalletVerification.findings($0, on: $1) }),
            ("caps", { try CapVerification.findings($0, on: $1) }), ("coupons", { try CouponVerification.findings($0, on: $1) }),
            ("budgets", { try CapVerification.budgets($0, on: $1) }),
            ("parties", { try PartyVerification.findings($0, on: $1) }),
        ]
        return try checks.flatMap { name, check in
            try Verification.guarded(name, workspace.text, on: connection) { try check(workspace, connection) }
        }
    }

    // MARK: Commissions and the journal

    /// What each cause gave each member, against the posting of that cause; both ways.
    private static func commissions(_ workspace: WorkspaceID, on connection: any Connection) throws -> [Found] {
        let given: SQL = """
            SELECT cause_id AS cause, member_id AS member, unit, CAST(sum(amount) AS BIGINT) AS amount FROM commission
            WHERE workspace_id = \(workspace) GROUP BY cause_id, member_id, unit
            """
        let posted: SQL = """
            SELECT t.cause AS cause, replace(a.name, \(pendingPrefix), '') AS member, a.unit AS unit, CAST(-sum(e.amount) AS BIGINT) AS amount
            FROM journal_transaction t JOIN journal_entry e ON e.workspace_id = t.workspace_id AND e.sequence = t.sequence
            JOIN account a ON a.id = e.account_id
            WHERE t.workspace_id = \(workspace) AND t.purpose = 'commission' AND a.name LIKE \(pendingPrefix + "%") GROUP BY t.cause, a.name, a.unit
            """
        return try differences(given, posted, on: connection).map { row in
            Found(
                kind: "commissionNotPosted", workspace: workspace.text, subject: row.subject,
                detail: "\(row.member) has commissions of \(row.left) \(row.unit), the journal posted \(row.right)")
        }
    }

    /// What was taken back of each sale or gift by hand and member, against the postings that correct what it gave.
    private static func reversals(_ workspace: WorkspaceID, on connection: any Connection) throws -> [Found] {
        let taken: SQL = """
            SELECT cause, member, unit, CAST(sum(amount) AS BIGINT) AS amount FROM (
                SELECT CASE cause_kind WHEN 'manual' THEN cause_id ELSE sale_id END AS cause, member_id AS member, unit, reversed_amount AS amount
                FROM commission WHERE workspace_id = \(workspace) AND (sale_id IS NOT NULL OR cause_kind = 'manual') AND reversed_amount > 0) reversed
            GROUP BY cause, member, unit
            """
        let posted: SQL = """
            SELECT o.cause AS cause, m.id AS member, a.unit AS unit, CAST(sum(e.amount) AS BIGINT) AS amount
            FROM journal_transaction t JOIN journal_transaction o ON o.workspace_id = t.workspace_id AND o.id = t.corrects
            JOIN journal_entry e ON e.workspace_id = t.workspace_id AND e.sequence = t.sequence
            JOIN account a ON a.id = e.account_id
            JOIN member m ON m.workspace_id = t.workspace_id AND a.name IN (
                'liabilities:payable:pending:' || m.id, 'liabilities:payable:held:' || m.id, 'liabilities:payable:available:' || m.id,
                'assets:debt:' || m.id)
            WHERE t.workspace_id = \(workspace) AND o.purpose = 'commission' AND (m.id IN (
                SELECT member_id FROM commission WHERE sale_id = o.cause AND cause_kind <> 'manual')
                OR m.id IN (SELECT member_id FROM commission WHERE cause_id = o.cause AND cause_kind = 'manual'))
            GROUP BY o.cause, m.id, a.unit
            """
        return try differences(taken, posted, on: connection).map { row in
            Found(
                kind: "reversalNotPosted", workspace: workspace.text, subject: row.subject,
                detail: "\(row.left) \(row.unit) of \(row.member) is reversed, the journal took back \(row.right)")
        }
    }

    /// A member's commissions by state against what the books say they have.
    private static func balances(_ workspace: WorkspaceID, on connection: any Connection) throws -> [Found] {
        let parts: [(part: String, states: SQL, runs: SQL, moved: SQL, accounts: [String])] = [
            ("pending", "('pending')", "p.state = 'pending' AND p.amount > 0", "1 = 0", ["liabilities:payable:pending:"]),
            ("held", "('held')", "p.amount = 0", "1 = 0", ["liabilities:payable:held:"]),
            (
                "available, in payout, paid less debt", "('approved', 'paid')", "(p.state = 'funded' OR (p.state = 'pending' AND p.amount < 0))", "kind NOT IN ('redemption', 'return')",
                ["liabilities:payable:available:", "liabilities:payable:inpayout:", "assets:paid:", "assets:debt:"]
            ),
        ]
        var findings: [Found] = []
        for (part, states, runs, moved, accounts) in parts {
            let kept: SQL = """
                SELECT '' AS cause, member_id AS member, unit, CAST(sum(amount) AS BIGINT) AS amount FROM (
                    SELECT member_id, unit, amount - reversed_amount AS amount FROM commission
                    WHERE workspace_id = \(workspace) AND state IN \(sql: states)
                    UNION ALL SELECT p.member_id, p.unit, p.amount FROM run r JOIN run_payable p ON p.run_id = r.id
                    WHERE r.workspace_id = \(workspace) AND \(sql: runs)
                    UNION ALL SELECT member_id, unit, amount FROM wallet_movement WHERE workspace_id = \(workspace) AND \(sql: moved)) earned
                GROUP BY member_id, unit
                """
            let booked: SQL = """
                SELECT '' AS cause, m.id AS member, a.unit AS unit, CAST(-sum(a.balance) AS BIGINT) AS amount
                FROM member m JOIN account a ON a.workspace_id = m.workspace_id AND a.name IN (\(sql: list(accounts)))
                WHERE m.workspace_id = \(workspace) GROUP BY m.id, a.unit
                """
            findings += try differences(kept, booked, on: connection).map { row in
                Found(
                    kind: "balanceNotCommissions", workspace: workspace.text, subject: row.member,
                    detail: "\(part): commissions say \(row.left) \(row.unit), the books \(row.right)")
            }
        }
        return findings
    }

    private static func list(_ accounts: [String]) -> SQL {
        var names: SQL = "\(accounts[0]) || m.id"
        for account in accounts.dropFirst() { names = "\(sql: names), \(account) || m.id" }
        return names
    }

    private static let pendingPrefix = "liabilities:payable:pending:"

    struct Difference {
        var subject: String
        var member: String
        var unit: String
        var left: Int64
        var right: Int64
    }

    /// Rows of two queries (`cause, member, unit, amount`) whose amounts differ; what only one has counts as 0 in the other.
    static func differences(_ left: SQL, _ right: SQL, on connection: any Connection) throws -> [Difference] {
        var found: [Difference] = []
        let sql: SQL = """
            SELECT cause, member, unit, CAST(sum(l) AS BIGINT), CAST(sum(r) AS BIGINT) FROM (
                SELECT cause, member, unit, amount AS l, 0 AS r FROM (\(sql: left)) a
                UNION ALL SELECT cause, member, unit, 0 AS l, amount AS r FROM (\(sql: right)) b) both_sides
            GROUP BY cause, member, unit HAVING sum(l) <> sum(r) ORDER BY cause, member, unit LIMIT \(Int64(Verification.findingsMax))
            """
        try connection.forEachRow(sql) { row in
            found.append(
                Difference(
                    subject: try row.get(at: 0), member: try row.get(at: 1), unit: try row.get(at: 2), left: try row.get(at: 3),
                    right: try row.get(at: 4)))
        }
        return found
    }

    // MARK: Sales

    private static func refunds(_ workspace: WorkspaceID, on connection: any Connection) throws -> [Found] {
        try connection.rows(
            """
            SELECT s.id, s.refunded_amount, CAST(coalesce(sum(r.applied_amount), 0) AS BIGINT) FROM sale s
            LEFT JOIN refund r ON r.sale_id = s.id AND r.state = 'applied'
            WHERE s.workspace_id = \(workspace) GROUP BY s.id, s.refunded_amount
            HAVING s.refunded_amount <> coalesce(sum(r.applied_amount), 0) ORDER BY s.id LIMIT \(Int64(Verification.findingsMax))
            """
        ).map { row in
            let (stored, applied): (Int64, Int64) = (try row.get(at: 1), try row.get(at: 2))
            return Found(
                kind: "refundedAmountWrong", workspace: workspace.text, subject: try row.get(at: 0),
                detail: "says \(stored) is refunded, its refunds are \(applied)")
        }
    }

    /// Every sale can say why it paid what it paid, and its shares are a whole or none.
    private static func receipts(_ workspace: WorkspaceID, on connection: any Connection) throws -> [Found] {
        var findings: [Found] = []
        try connection.forEachRow(
            """
            SELECT s.id, s.attribution, s.refusals,
                CASE WHEN s.program_id IS NULL OR EXISTS (SELECT 1 FROM program_version v
                    WHERE v.program_id = s.program_id AND v.version = s.program_version) THEN 1 ELSE 0 END
            FROM sale s WHERE s.workspace_id = \(workspace) ORDER BY s.id
            """
        ) { row in
            guard findings.count < Verification.findingsMax else { return }
            let sale: String = try row.get(at: 0)
            let attribution = JSONText(text: try row.get(at: 1)).value
            func add(_ kind: String, _ detail: String) {
                findings.append(Found(kind: kind, workspace: workspace.text, subject: sale, detail: detail))
            }
            guard case .text? = attribution["status"], case .array(let shares)? = attribution["shares"],
                case .array = JSONText(text: try row.get(at: 2)).value
            else { return add("receiptMissing", "its receipt cannot be read") }
            if try row.get(at: 3, as: Int64.self) == 0 { add("receiptMissing", "the program's version that it names is gone") }
            let total = shares.reduce(Int64(0)) { sum, share in
                guard case .number(let number)? = share["sharePpm"], let ppm = number.integer else { return sum }
                return sum &+ ppm
            }
            if !shares.isEmpty && total != 1_000_000 { add("sharesNotWhole", "its shares sum to \(total) ppm") }
        }
        return findings
    }

    // MARK: People

    /// Somebody whose fields are sealed under a key.
    struct Sealed: Sendable {
        var id: String
        var keyID: PersonKeyID
        var isErased: Bool
    }

    static func people(_ workspace: WorkspaceID, after: String, limit: Int, on connection: any Connection) throws -> [Sealed] {
        try connection.rows(
            """
            SELECT id, key_id, CASE WHEN erased_at IS NULL THEN 0 ELSE 1 END FROM person
            WHERE workspace_id = \(workspace) AND id > \(after) ORDER BY id LIMIT \(Int64(limit))
            """
        ).map(sealed)
    }

    /// The same people as they are now, without those whose erasure is under way.
    static func people(_ ids: [String], on connection: any Connection) throws -> [Sealed] {
        try connection.rows(
            """
            SELECT id, key_id, CASE WHEN erased_at IS NULL THEN 0 ELSE 1 END FROM person
            WHERE id IN \(list: ids) AND key_id NOT IN (SELECT key_id FROM key_to_destroy) ORDER BY id
            """
        ).map(sealed)
    }

    static func operators(after: String, limit: Int, on connection: any Connection) throws -> [Sealed] {
        try connection.rows("SELECT id, key_id, 0 FROM operator WHERE id > \(after) ORDER BY id LIMIT \(Int64(limit))").map(sealed)
    }

    private static func sealed(_ row: Row) throws -> Sealed {
        Sealed(id: try row.get(at: 0), keyID: try row.get(at: 1), isErased: try row.get(at: 2, as: Int64.self) == 1)
    }

    // MARK: Clicks

    private static func clickDays(_ workspace: WorkspaceID, on connection: any Connection) throws -> [Found] {
        try connection.rows(
            """
            SELECT l.id, l.clicks, CAST(coalesce(sum(d.clicks), 0) AS BIGINT) FROM link l
            LEFT JOIN click_day d ON d.workspace_id = l.workspace_id AND d.link_id = l.id
            WHERE l.workspace_id = \(workspace) GROUP BY l.id, l.clicks, l.clicks_logged
            HAVING l.clicks <> coalesce(sum(d.clicks), 0) OR l.clicks_logged <> coalesce(sum(d.clicks_logged), 0)
            ORDER BY l.id LIMIT \(Int64(Verification.findingsMax))
            """
        ).map { row in
            let (stored, days): (Int64, Int64) = (try row.get(at: 1), try row.get(at: 2))
            return Found(
                kind: "clickDaysWrong", workspace: workspace.text, subject: try row.get(at: 0),
                detail: "counts \(stored) clicks, its days \(days), or the logged ones differ")
        }
    }

    static func linkCounts(
        _ workspace: WorkspaceID, after: String, limit: Int, on connection: any Connection
    ) throws -> [(id: String, clicks: Int64, logged: Int64)] {
        try connection.rows(
            "SELECT id, clicks, clicks_logged FROM link WHERE workspace_id = \(workspace) AND id > \(after) ORDER BY id LIMIT \(Int64(limit))"
        ).map { (try $0.get(at: 0), try $0.get(at: 1), try $0.get(at: 2)) }
    }

    /// Counted and logged clicks of links in the click file.
    static func clickCounts(
        _ links: [String], until cursor: Int64, on connection: any Connection
    ) throws -> [String: (counted: Int64, logged: Int64)] {
        var counts: [String: (counted: Int64, logged: Int64)] = [:]
        for row in try connection.rows(
            """
            SELECT link_id, CAST(sum(CASE WHEN discard IS NULL THEN 1 ELSE 0 END) AS BIGINT), count(*) FROM click
            WHERE link_id IN \(list: links) AND sequence <= \(cursor) GROUP BY link_id
            """)
        {
            counts[try row.get(at: 0)] = (try row.get(at: 1), try row.get(at: 2))
        }
        return counts
    }

    // MARK: Tiers

    /// What tiered rules have counted, against the sales that were counted; both ways.
    private static func tiers(_ workspace: WorkspaceID, on connection: any Connection) throws -> [Found] {
        let counted: SQL = """
            SELECT u.rule_id || ' version ' || u.rule_version || ' in ' || u.period AS cause, u.member_id AS member, u.unit AS unit, u.base AS amount
            FROM tier_usage u JOIN rule r ON r.id = u.rule_id WHERE r.workspace_id = \(workspace)
            """
        let sold: SQL = """
            SELECT e.rule_id || ' version ' || e.rule_version || ' in ' || e.period AS cause, e.member_id AS member, e.unit AS unit,
                CAST(sum(e.base - e.taken_back) AS BIGINT) AS amount
            FROM tier_entry e JOIN rule r ON r.id = e.rule_id WHERE r.workspace_id = \(workspace)
            GROUP BY e.rule_id, e.rule_version, e.period, e.member_id, e.unit
            """
        return try differences(counted, sold, on: connection).map { row in
            Found(
                kind: "tierUsageWrong", workspace: workspace.text, subject: row.subject,
                detail: "counts \(row.left) \(row.unit) of \(row.member), the sales are \(row.right)")
        }
    }

    // MARK: Caps

    static func rules(_ workspace: WorkspaceID, on connection: any Connection) throws -> [RuleID] {
        try connection.rows("SELECT id FROM rule WHERE workspace_id = \(workspace) ORDER BY id").map { try $0.get(at: 0) }
    }

    static func capUsage(
        _ rule: RuleID, on connection: any Connection
    ) throws -> [(scope: String, period: String, unit: String, amountMinor: Int64, count: Int64)] {
        try connection.rows(
            "SELECT scope, period, unit, used_amount, used_count FROM cap_usage WHERE rule_id = \(rule) ORDER BY scope, period, unit"
        ).map { (try $0.get(at: 0), try $0.get(at: 1), try $0.get(at: 2), try $0.get(at: 3), try $0.get(at: 4)) }
    }

    struct Capped {
        var ruleVersion: Int
        var member: MemberID
        var customer: CustomerID?
        var unit: String
        var keptMinor: Int64
        var occurredAt: Instant
        var isReversed: Bool
    }

    static func forEachCapped(_ rule: RuleID, on connection: any Connection, _ body: (Capped) throws -> Void) throws {
        try connection.forEachRow(
            """
            SELECT c.rule_version, c.member_id, coalesce(s.customer_id, l.customer_id), c.unit, c.amount - c.reversed_amount, c.occurred_at,
                CASE WHEN c.state IN ('reversed', 'canceled') THEN 1 ELSE 0 END
            FROM commission c LEFT JOIN sale s ON s.id = c.sale_id LEFT JOIN lead l ON c.cause_kind = 'lead' AND l.id = c.cause_id
            WHERE c.rule_id = \(rule)
            UNION ALL SELECT rule_version, member_id, customer_id, unit, CASE WHEN state IN ('reversed', 'refused') THEN 0 ELSE coalesce(value, 0) END,
                occurred_at, CASE WHEN state IN ('reversed', 'refused') THEN 1 ELSE 0 END FROM reward WHERE rule_id = \(rule)
            """
        ) { row in
            try body(
                Capped(
                    ruleVersion: try row.get(at: 0), member: try row.get(at: 1), customer: try row.get(at: 2), unit: try row.get(at: 3),
                    keptMinor: try row.get(at: 4), occurredAt: try row.get(at: 5), isReversed: try row.get(at: 6, as: Int64.self) == 1))
        }
    }
}

extension RuleStore {
    /// All versions of one rule.
    static func versions(_ id: RuleID, on connection: any Connection) throws -> [Rule] {
        let numbers: [Int] = try connection.rows("SELECT version FROM rule_version WHERE rule_id = \(id) ORDER BY version").map { try $0.get(at: 0) }
        return try numbers.compactMap { try version(id, $0, on: connection) }
    }
}
