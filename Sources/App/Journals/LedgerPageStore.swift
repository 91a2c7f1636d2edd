import Chronology
import Ledger
import Money
import Persistence

/// The journal as pages look at it.
enum LedgerPageStore {
    struct Head: Sendable {
        var sequence: Int64
        var hash: [UInt8]
        var entryCount: Int64
    }

    static func head(_ workspace: WorkspaceID, on connection: any Connection) throws -> Head? {
        try connection.row("SELECT sequence, hash, entry_count FROM journal_head WHERE workspace_id = \(workspace)").map {
            Head(sequence: try $0.get(at: 0), hash: try $0.get(at: 1), entryCount: try $0.get(at: 2))
        }
    }

    // MARK: Accounts

    struct Account: Sendable {
        var id: String
        var path: String
        var unit: String
        var balanceMinor: Int64
    }

    struct Total: Sendable {
        var unit: String
        var balanceMinor: Int64
        var count: Int64
    }

    /// Sums of the accounts of a kind, by unit.
    static func totals(_ kind: LedgerAccountKind, in workspace: WorkspaceID, on connection: any Connection) throws -> [Total] {
        try connection.rows(
            """
            SELECT unit, CAST(sum(balance) AS BIGINT), count(*) FROM account
            WHERE workspace_id = \(workspace) AND name >= \(kind.prefix) AND name < \(kind.prefixEnd) AND balance <> 0 GROUP BY unit ORDER BY unit
            """
        ).map { Total(unit: try $0.get(at: 0), balanceMinor: try $0.get(at: 1), count: try $0.get(at: 2)) }
    }

    struct Filter: Sendable {
        var kind: LedgerAccountKind?
        var unit: String?
        /// Accounts of these members only.
        var members: [MemberID]?
        var withEmpty = false
    }

    static func accounts(
        in workspace: WorkspaceID, _ filter: Filter, after: (path: String, unit: String)?, limit: Int, on connection: any Connection
    ) throws -> [Account] {
        var sql: SQL = "SELECT id, name, unit, balance FROM account WHERE workspace_id = \(workspace)"
        if let kind = filter.kind { sql = "\(sql: sql) AND name >= \(kind.prefix) AND name < \(kind.prefixEnd)" }
        if let members = filter.members {
            let paths = members.flatMap { member in LedgerAccountKind.ofMembers.map { $0.prefix + member.text } }
            guard !paths.isEmpty else { return [] }
            sql = "\(sql: sql) AND name IN \(list: paths)"
        }
        if let unit = filter.unit { sql = "\(sql: sql) AND unit = \(unit)" }
        if !filter.withEmpty { sql = "\(sql: sql) AND balance <> 0" }
        if let after { sql = "\(sql: sql) AND (name > \(after.path) OR (name = \(after.path) AND unit > \(after.unit)))" }
        return try connection.rows("\(sql: sql) ORDER BY name, unit LIMIT \(limit)").map(account)
    }

    static func account(_ id: String, in workspace: WorkspaceID, on connection: any Connection) throws -> Account? {
        try connection.row("SELECT id, name, unit, balance FROM account WHERE id = \(id) AND workspace_id = \(workspace)").map(account)
    }

    static func units(in workspace: WorkspaceID, on connection: any Connection) throws -> [String] {
        try connection.rows("SELECT unit FROM journal_total WHERE workspace_id = \(workspace) ORDER BY unit").map { try $0.get(at: 0) }
    }

    private static func account(_ row: Row) throws -> Account {
        Account(id: try row.get(at: 0), path: try row.get(at: 1), unit: try row.get(at: 2), balanceMinor: try row.get(at: 3))
    }

    // MARK: Postings and transactions

    struct Posting: Sendable {
        var sequence: Int64
        var position: Int64
        var recordedAt: Instant
        var cause: String
        var purpose: String
        var amountMinor: Int64
        var balanceAfterMinor: Int64
    }

    /// The entries of an account, the newest first.
    static func postings(
        of account: String, before: (sequence: Int64, position: Int64)?, limit: Int, on connection: any Connection
    ) throws -> [Posting] {
        let (sequence, position) = before ?? (.max, .max)
        return try connection.rows(
            """
            SELECT e.sequence, e.position, t.recorded_at, t.cause, t.purpose, e.amount, e.balance_after FROM journal_entry e
            JOIN journal_transaction t ON t.workspace_id = e.workspace_id AND t.sequence = e.sequence
            WHERE e.account_id = \(account) AND e.sequence <= \(sequence) AND (e.sequence < \(sequence) OR e.position < \(position))
            ORDER BY e.sequence DESC, e.position DESC LIMIT \(limit)
            """
        ).map { row in
            Posting(
                sequence: try row.get(at: 0), position: try row.get(at: 1), recordedAt: try row.get(at: 2), cause: try row.get(at: 3),
                purpose: try row.get(at: 4), amountMinor: try row.get(at: 5), balanceAfterMinor: try row.get(at: 6))
        }
    }

    struct TransactionFilter: Sendable {
        /// The beginning of a cause's id: what kind of thing it is.
        var causePrefix: String?
        /// One cause.
        var cause: String?
        var since: Instant?
        var until: Instant?
    }

    /// Sequences of transactions, the newest first.
    static func sequences(
        in workspace: WorkspaceID, _ filter: TransactionFilter, before: Int64, limit: Int, on connection: any Connection
    ) throws -> [Int64] {
        var sql: SQL = "SELECT sequence FROM journal_transaction WHERE workspace_id = \(workspace) AND sequence < \(before)"
        if let cause = filter.cause { sql = "\(sql: sql) AND cause = \(cause)" }
        // The character after the prefix's last one ends the range.
        if let prefix = filter.causePrefix { sql = "\(sql: sql) AND cause >= \(prefix) AND cause < \(LedgerAccountKind.end(of: prefix))" }
        if let since = filter.since { sql = "\(sql: sql) AND recorded_at >= \(since)" }
        if let until = filter.until { sql = "\(sql: sql) AND recorded_at < \(until)" }
        return try connection.rows("\(sql: sql) ORDER BY sequence DESC LIMIT \(limit)").map { try $0.get(at: 0) }
    }

    static func transaction(_ sequence: Int64, in workspace: WorkspaceID, on connection: any Connection) throws -> RecordedTransaction? {
        try Journal.transactions(workspace: workspace.text, after: sequence - 1, limit: 1, on: connection).first { $0.sequence == sequence }
    }

    static func sequence(of id: String, in workspace: WorkspaceID, on connection: any Connection) throws -> Int64? {
        try connection.value("SELECT sequence FROM journal_transaction WHERE workspace_id = \(workspace) AND id = \(id)")
    }

    static func accountIDs(_ paths: [String], in workspace: WorkspaceID, on connection: any Connection) throws -> [AccountKey: String] {
        guard !paths.isEmpty else { return [:] }
        let rows = try connection.rows("SELECT name, unit, id FROM account WHERE workspace_id = \(workspace) AND name IN \(list: paths)")
        return Dictionary(
            try rows.map { (AccountKey(path: try $0.get(at: 0), unit: try $0.get(at: 1)), try $0.get(at: 2)) }, uniquingKeysWith: { one, _ in one })
    }

    struct AccountKey: Hashable {
        var path: String
        var unit: String
    }

    // MARK: Debtors

    struct Debtor: Sendable {
        var account: Account
        /// When the debt that is owed now began.
        var since: Instant
        /// What made it, the oldest first.
        var causes: [String]
    }

    static let causesMax = 3

    static func debtors(
        in workspace: WorkspaceID, after: (path: String, unit: String)?, limit: Int, on connection: any Connection
    ) throws -> [Debtor] {
        try accounts(in: workspace, Filter(kind: .debt), after: after, limit: limit, on: connection).map { account in
            let rows = try connection.rows(
                """
                SELECT t.recorded_at, t.cause FROM journal_entry e
                JOIN journal_transaction t ON t.workspace_id = e.workspace_id AND t.sequence = e.sequence
                WHERE e.account_id = \(account.id) AND e.amount > 0
                    AND e.sequence > coalesce((SELECT max(z.sequence) FROM journal_entry z WHERE z.account_id = \(account.id) AND z.balance_after = 0), 0)
                ORDER BY e.sequence LIMIT \(causesMax)
                """)
            return Debtor(
                account: account, since: try rows.first?.get(at: 0) ?? Instant.earliest, causes: try rows.map { try $0.get(at: 1) })
        }
    }

    // MARK: Checks

    struct Check: Sendable {
        var at: Instant
        var sequence: Int64
        var findings: Int64
    }

    static func check(of workspace: WorkspaceID, on connection: any Connection) throws -> Check? {
        try connection.row("SELECT checked_at, sequence, findings FROM journal_check WHERE workspace_id = \(workspace)").map {
            Check(at: try $0.get(at: 0), sequence: try $0.get(at: 1), findings: try $0.get(at: 2))
        }
    }

    static func keep(_ check: Check, of workspace: WorkspaceID, on connection: any Connection) throws {
        try connection.execute(
            """
            INSERT INTO journal_check (workspace_id, checked_at, sequence, findings)
            VALUES (\(workspace), \(check.at), \(check.sequence), \(check.findings))
            ON CONFLICT (workspace_id) DO UPDATE SET checked_at = excluded.checked_at, sequence = excluded.sequence, findings = excluded.findings
            """)
    }

    // MARK: What causes mean

    /// Sales and invoices behind causes: a sale itself, a refund's sale, a commission's.
    static func sales(_ causes: [String], on connection: any Connection) throws -> [String: (sale: SaleID, invoice: String)] {
        var found: [String: (sale: SaleID, invoice: String)] = [:]
        let queries: [(String, SQL)] = [
            ("sale_", "SELECT s.id, s.id, s.invoice_id FROM sale s WHERE s.id IN "),
            ("ref_", "SELECT r.id, s.id, s.invoice_id FROM refund r JOIN sale s ON s.id = r.sale_id WHERE r.id IN "),
            ("com_", "SELECT c.id, s.id, s.invoice_id FROM commission c JOIN sale s ON s.id = c.sale_id WHERE c.id IN "),
        ]
        for (prefix, sql) in queries {
            let ids = Set(causes.filter { $0.hasPrefix(prefix) }).sorted()
            guard !ids.isEmpty else { continue }
            for row in try connection.rows("\(sql: sql)\(list: ids)") {
                found[try row.get(at: 0)] = (sale: try row.get(at: 1), invoice: try row.get(at: 2))
            }
        }
        return found
    }

    /// The commissions that adjustments made or changed.
    static func commissions(_ causes: [String], on connection: any Connection) throws -> [String: CommissionID] {
        let ids = Set(causes.filter { $0.hasPrefix(AdjustmentKind.prefix) }).sorted()
        guard !ids.isEmpty else { return [:] }
        return Dictionary(
            try connection.rows("SELECT id, commission_id FROM adjustment WHERE id IN \(list: ids)").map { (try $0.get(at: 0), try $0.get(at: 1)) },
            uniquingKeysWith: { one, _ in one })
    }
}
