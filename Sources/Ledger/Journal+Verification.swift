internal import Money
public import Persistence

extension Journal {
    /// Findings reported before verification stops looking for more.
    public static let findingsLimit = 1_000

    /// Recomputes everything that follows from the entries: sums per transaction and unit, running and stored balances, the
    /// chain, gaps, head, counts and totals. Memory grows with accounts, not with transactions. Call it inside one `read`.
    public static func verify(workspace: String, on connection: any Connection) throws -> [Finding] {
        var check = JournalCheck(workspace: workspace)
        try check.transactions(on: connection)
        try check.accounts(on: connection)
        try check.head(on: connection)
        try check.totals(on: connection)
        try check.corrections(on: connection)
        return check.findings
    }
}

private struct JournalCheck {
    let workspace: String
    private(set) var findings: [Finding] = []
    private var balances: [String: Int128] = [:]
    private var debits: [String: Int128] = [:]
    private var previousHash = firstHash
    private var previousSequence: Int64 = 0
    private var transactionCount: Int64 = 0
    private var entryCount: Int64 = 0
    private var positionSequence: Int64 = 0
    private var expectedPosition: Int64 = 0

    init(workspace: String) { self.workspace = workspace }

    /// Two walks side by side would need two cursors, so running balances are checked by the second query.
    mutating func transactions(on connection: any Connection) throws {
        try Journal.forEachTransaction(workspace: workspace, on: connection) { check($0) }
        try connection.forEachRow(
            """
            SELECT e.sequence, e.account_id, e.amount, e.balance_after, a.name, a.unit, t.id, e.position
            FROM journal_entry e LEFT JOIN account a ON a.id = e.account_id
            LEFT JOIN journal_transaction t ON t.workspace_id = e.workspace_id AND t.sequence = e.sequence
            WHERE e.workspace_id = \(workspace) ORDER BY e.sequence, e.position
            """
        ) { row in
            let sequence: Int64 = try row.get(at: 0)
            let position: Int64 = try row.get(at: 7)
            expectedPosition = sequence == positionSequence ? expectedPosition + 1 : 0
            positionSequence = sequence
            if position != expectedPosition { add(.gap, sequence, nil, "has an entry at \(position) where \(expectedPosition) comes") }
            let id: String = try row.get(at: 1)
            let amount: Int64 = try row.get(at: 2)
            let name: String? = try row.get(at: 4)
            entryCount += 1
            balances[id, default: 0] += Int128(amount)
            if amount > 0 { debits[try row.get(at: 5, as: String?.self) ?? "", default: 0] += Int128(amount) }
            if try row.get(at: 6, as: String?.self) == nil { add(.orphanEntry, sequence, name, "the entry's transaction is missing") }
            let after: Int64 = try row.get(at: 3)
            if balances[id] != Int128(after) {
                add(.runningBalanceWrong, sequence, name ?? id, "entries sum to \(balances[id] ?? 0), the entry says \(after)")
            }
        }
    }

    private mutating func check(_ transaction: RecordedTransaction) {
        transactionCount += 1
        let sequence = transaction.sequence
        if sequence != previousSequence + 1 { add(.gap, sequence, nil, "follows \(previousSequence)") }
        previousSequence = sequence
        if transaction.entries.count < 2 { add(.tooFewEntries, sequence, nil, "has \(transaction.entries.count) entries") }
        var sums: [String: Int128] = [:]
        for entry in transaction.entries { sums[entry.unit, default: 0] += Int128(entry.amount.minor) }
        for (unit, sum) in sums.sorted(by: { $0.key < $1.key }) where sum != 0 { add(.unbalanced, sequence, nil, "sums to \(sum) in \(unit)") }
        if transaction.hash(after: previousHash) != transaction.hash { add(.chainBroken, sequence, nil, "the hash does not follow from the content and the hash before") }
        previousHash = transaction.hash
    }

    mutating func accounts(on connection: any Connection) throws {
        var sums: [String: Int128] = [:]
        try connection.forEachRow("SELECT id, name, unit, side, may_go_negative, balance FROM account WHERE workspace_id = \(workspace) ORDER BY id") { row in
            let id: String = try row.get(at: 0)
            let name: String = try row.get(at: 1)
            let balance: Int64 = try row.get(at: 5)
            let sum = balances.removeValue(forKey: id) ?? 0
            sums[try row.get(at: 2), default: 0] += Int128(balance)
            if sum != Int128(balance) { add(.balanceWrong, nil, name, "entries sum to \(sum), the account says \(balance)") }
            let isCredit = try row.get(at: 3, as: String.self) == "credit"
            let isKnown = AccountName.isWellFormed(
                id: id, path: name, unit: try row.get(at: 2), workspace: workspace, isCredit: isCredit, mayGoNegative: try row.get(at: 4))
            if !isKnown { add(.accountWrong, nil, name, "its id, side or limit does not follow from its name") }
            if try !row.get(at: 4, as: Bool.self), isCredit ? balance > 0 : balance < 0 { add(.negative, nil, name, "the balance is \(balance)") }
        }
        for (id, sum) in balances.sorted(by: { $0.key < $1.key }) { add(.balanceWrong, nil, id, "entries sum to \(sum), the account is missing") }
        for (unit, sum) in sums.sorted(by: { $0.key < $1.key }) where sum != 0 { add(.unbalanced, nil, nil, "all accounts sum to \(sum) in \(unit)") }
    }

    mutating func head(on connection: any Connection) throws {
        guard let row = try connection.row("SELECT sequence, hash, transaction_count, entry_count FROM journal_head WHERE workspace_id = \(workspace)") else {
            if transactionCount > 0 { add(.headWrong, nil, nil, "the head is missing") }
            return
        }
        let sequence: Int64 = try row.get(at: 0)
        if sequence != previousSequence { add(.headWrong, sequence, nil, "the journal ends at \(previousSequence), the head says \(sequence)") }
        if try row.get(at: 1, as: [UInt8].self) != previousHash { add(.headWrong, sequence, nil, "the head's hash is not the last transaction's") }
        let transactions: Int64 = try row.get(at: 2)
        if transactions != transactionCount { add(.countWrong, nil, nil, "\(transactionCount) transactions, the head says \(transactions)") }
        let entries: Int64 = try row.get(at: 3)
        if entries != entryCount { add(.countWrong, nil, nil, "\(entryCount) entries, the head says \(entries)") }
    }

    mutating func totals(on connection: any Connection) throws {
        for row in try connection.rows("SELECT unit, debit_total FROM journal_total WHERE workspace_id = \(workspace) ORDER BY unit") {
            let unit: String = try row.get(at: 0)
            let stored: Int64 = try row.get(at: 1)
            let sum = debits.removeValue(forKey: unit) ?? 0
            if Int64(truncatingIfNeeded: sum) != stored { add(.totalWrong, nil, nil, "debits in \(unit) sum to \(sum), the total says \(stored)") }
        }
        for (unit, sum) in debits.sorted(by: { $0.key < $1.key }) { add(.totalWrong, nil, nil, "debits in \(unit) sum to \(sum), the total is missing") }
    }

    mutating func corrections(on connection: any Connection) throws {
        try connection.forEachRow(
            """
            SELECT corrects, count(*) FROM journal_transaction WHERE workspace_id = \(workspace) AND correction = 'whole'
            GROUP BY corrects HAVING count(*) > 1 ORDER BY corrects
            """
        ) { add(.doubleReversal, nil, nil, "\(try $0.get(at: 0, as: String.self)) was reversed \(try $0.get(at: 1, as: Int64.self)) times") }
        try connection.forEachRow(
            """
            SELECT t.sequence, t.corrects FROM journal_transaction t
            LEFT JOIN journal_transaction o ON o.workspace_id = t.workspace_id AND o.id = t.corrects
            WHERE t.workspace_id = \(workspace) AND t.corrects IS NOT NULL AND (o.sequence IS NULL OR o.sequence >= t.sequence) ORDER BY t.sequence
            """
        ) { add(.unknownCorrection, try $0.get(at: 0), nil, "corrects \(try $0.get(at: 1, as: String.self)), which does not stand before it") }
    }

    private mutating func add(_ kind: Finding.Kind, _ sequence: Int64?, _ account: String?, _ detail: String) {
        guard findings.count < Journal.findingsLimit else { return }
        findings.append(Finding(kind: kind, workspace: workspace, sequence: sequence, account: account, detail: detail))
    }
}
