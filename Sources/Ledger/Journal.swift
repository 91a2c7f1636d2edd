public import Chronology
internal import Crypto
internal import Money
public import Persistence

/// The journal of every workspace: balanced transactions in the order of their commits, each hashed together with the one before.
///
/// Locks are taken in one order: balances by account id, the workspace's head row last and until commit. So the sequence is
/// the order of commits on any number of nodes, whatever their clocks say.
public enum Journal {
    /// Postings written by one call.
    public static let postingsLimit = 1_000

    /// Writes one posting. The caller's transaction decides whether it stays.
    ///
    /// - Throws: ``PostingRefusal`` before anything of the posting is written; `DatabaseFailure`.
    @discardableResult
    public static func post(_ posting: Posting, recordedAt: Instant, on connection: any Connection) throws -> PostedTransaction {
        guard let posted = try post([posting], recordedAt: recordedAt, on: connection).first else { throw PostingRefusal.fewerThanTwoEntries }
        return posted
    }

    /// Writes postings in their order, all or none, in two round trips on PostgreSQL.
    ///
    /// - Throws: ``PostingRefusal/tooManyPostings(limit:)`` for more than ``postingsLimit``, before anything is locked; what is
    ///   wrong with one of them; `DatabaseFailure`.
    @discardableResult
    public static func post(_ postings: [Posting], recordedAt: Instant, on connection: any Connection) throws -> [PostedTransaction] {
        guard postings.count <= postingsLimit else { throw PostingRefusal.tooManyPostings(limit: postingsLimit) }
        // Workspaces in the order of their ids, so that two callers never wait for each other.
        let groups = Dictionary(grouping: postings.indices) { postings[$0].workspace }
        var posted: [Int: PostedTransaction] = [:]
        for (workspace, positions) in groups.sorted(by: { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }) {
            var book = try OpenBook(workspace: workspace, postings: positions.map { postings[$0] }, on: connection)
            for position in positions { posted[position] = try book.add(postings[position], recordedAt: recordedAt) }
            for statement in book.statements() { try connection.executeLater(statement) }
        }
        return postings.indices.compactMap { posted[$0] }
    }
}

/// The rows of one workspace that a call has locked, and what it will write.
private struct OpenBook {
    private struct AccountState {
        var name: AccountName
        var unit: UnitCode
        var balance: Amount
        var changed = false
    }

    private let workspace: String
    private var accounts: [String: AccountState] = [:]
    /// Ids of accounts by name and unit: each is a hash, and a batch names the same ones again and again.
    private var accountIDs: [AccountInUnit: String] = [:]
    private var sequence: Int64
    private var hash: [UInt8]
    private var transactionCount: Int64
    private var entryCount: Int64
    /// Sums of debits, modulo 2^64: a control, not an amount, so a huge posting never stops those after it.
    private var totals: [UnitCode: Int64] = [:]
    private var changedUnits: Set<UnitCode> = []
    private var known: [CauseAndPurpose: PostedTransaction] = [:]
    private var ids: Set<String> = []
    private var reversed: Set<String> = []
    private var writes: [SQL] = []

    private struct AccountInUnit: Hashable {
        var name: AccountName
        var unit: UnitCode
    }

    private struct CauseAndPurpose: Hashable {
        var cause: [UInt8]
        var purpose: [UInt8]
        init(_ cause: String, _ purpose: String) { (self.cause, self.purpose) = (Array(cause.utf8), Array(purpose.utf8)) }
    }

    init(workspace: String, postings: [Posting], on connection: any Connection) throws {
        self.workspace = workspace
        for posting in postings {
            for entry in try posting.checkedEntries() {
                let id = Self.accountID(entry, in: workspace, known: &accountIDs)
                accounts[id] = AccountState(name: entry.account, unit: entry.unit, balance: .zero)
            }
        }
        let ordered = accounts.sorted { $0.key < $1.key }
        let forUpdate = connection.dialect == .postgres ? " FOR UPDATE" : ""
        // One round trip. Each statement sees what was committed before it, so what follows the locks is up to date.
        var queries: [SQL] = ordered.map { id, account in
            """
            INSERT INTO account (id, workspace_id, name, unit, side, may_go_negative, balance)
            VALUES (\(id), \(workspace), \(account.name.path), \(account.unit.code), \(account.name.side.rawValue), \(account.name.mayGoNegative), 0)
            ON CONFLICT DO NOTHING
            """
        }
        let firstAccount = queries.count
        queries += ordered.map { id, _ in "SELECT balance FROM account WHERE id = \(id)\(raw: forUpdate)" }
        queries.append(
            """
            INSERT INTO journal_head (workspace_id, sequence, hash, transaction_count, entry_count)
            VALUES (\(workspace), 0, \(firstHash), 0, 0) ON CONFLICT (workspace_id) DO NOTHING
            """)
        let head = queries.count
        queries.append(
            "SELECT sequence, hash, transaction_count, entry_count FROM journal_head WHERE workspace_id = \(workspace)\(raw: forUpdate)")
        let units = Set(accounts.values.map(\.unit)).sorted()
        queries += units.map { "SELECT debit_total FROM journal_total WHERE workspace_id = \(workspace) AND unit = \($0.code)" }
        let existing = queries.count
        queries += postings.map {
            "SELECT id, sequence, hash FROM journal_transaction WHERE workspace_id = \(workspace) AND cause = \($0.cause) AND purpose = \($0.purpose)"
        }
        let corrected = Set(postings.compactMap(\.corrects?.transaction)).sorted()
        queries += corrected.map { "SELECT id FROM journal_transaction WHERE workspace_id = \(workspace) AND id = \($0)" }
        queries += corrected.map {
            "SELECT corrects FROM journal_transaction WHERE workspace_id = \(workspace) AND corrects = \($0) AND correction = 'whole'"
        }
        let answers = try connection.rowsOfAll(queries)

        for (offset, account) in ordered.enumerated() {
            guard let row = answers[firstAccount + offset].first else {
                throw DatabaseFailure(.corrupt, "account \(account.value.name.path) stands under another id: run kith verify")
            }
            accounts[account.key]?.balance = Amount(minor: try row.get(at: 0))
        }
        guard let row = answers[head].first else { throw DatabaseFailure(.other, "workspace \(workspace) has no journal head") }
        sequence = try row.get(at: 0)
        hash = try row.get(at: 1)
        transactionCount = try row.get(at: 2)
        entryCount = try row.get(at: 3)
        for (offset, unit) in units.enumerated() {
            totals[unit] = try answers[head + 1 + offset].first?.get(at: 0) ?? 0
        }
        for (offset, posting) in postings.enumerated() {
            guard let row = answers[existing + offset].first else { continue }
            known[CauseAndPurpose(posting.cause, posting.purpose)] = PostedTransaction(
                id: try row.get(at: 0), sequence: try row.get(at: 1), hash: try row.get(at: 2))
        }
        for answer in answers[(existing + postings.count)...].prefix(corrected.count) { if let row = answer.first { ids.insert(try row.get(at: 0)) } }
        for answer in answers.suffix(corrected.count) { if let row = answer.first { reversed.insert(try row.get(at: 0)) } }
    }

    /// Reckons one posting and keeps its statements for later.
    mutating func add(_ posting: Posting, recordedAt: Instant) throws -> PostedTransaction {
        let key = CauseAndPurpose(posting.cause, posting.purpose)
        if let existing = known[key] { throw PostingRefusal.alreadyPosted(existing) }
        if let id = posting.corrects?.transaction {
            guard ids.contains(id) else { throw PostingRefusal.unknownTransaction(id: id) }
            if case .whole = posting.corrects, !reversed.insert(id).inserted { throw PostingRefusal.alreadyReversed(id: id) }
        }
        let entries = try posting.checkedEntries()
        sequence += 1
        let recorded = RecordedTransaction(
            workspace: workspace, sequence: sequence, id: posting.id, recordedAt: recordedAt, effectiveAt: posting.effectiveAt,
            cause: posting.cause, purpose: posting.purpose, corrects: posting.corrects,
            entries: entries.map { RecordedEntry(account: $0.account.path, unit: $0.unit.code, amount: $0.amount) })
        hash = recorded.hash(after: hash)
        let corrects: Value = posting.corrects.map { .text($0.transaction) } ?? .null
        let correction: Value = posting.corrects.map { .text($0.word) } ?? .null
        writes.append(
            """
            INSERT INTO journal_transaction (workspace_id, sequence, id, recorded_at, effective_at, cause, purpose, corrects, correction, hash)
            VALUES (\(workspace), \(sequence), \(posting.id), \(recordedAt.millisecondsSince1970), \(posting.effectiveAt.millisecondsSince1970),
              \(posting.cause), \(posting.purpose), \(corrects), \(correction), \(hash))
            """)
        // Only where the transaction leaves an account counts, not what it passes through.
        var before: [String: Amount] = [:]
        for entry in entries {
            let id = Self.accountID(entry, in: workspace, known: &accountIDs)
            if before[id] == nil { before[id] = accounts[id]?.balance ?? .zero }
        }
        for (position, entry) in entries.enumerated() { try add(entry, at: position) }
        for (id, balance) in before {
            guard let account = accounts[id], account.balance != balance, !account.name.allows(account.balance) else { continue }
            throw PostingRefusal.wouldGoNegative(
                account: account.name, unit: account.unit, balance: balance, amount: try account.balance.subtracting(balance))
        }
        transactionCount += 1
        entryCount += Int64(entries.count)
        let posted = PostedTransaction(id: posting.id, sequence: sequence, hash: hash)
        known[key] = posted
        ids.insert(posting.id)
        return posted
    }

    private mutating func add(_ entry: Entry, at position: Int) throws {
        let id = Self.accountID(entry, in: workspace, known: &accountIDs)
        do {
            let balance = try (accounts[id]?.balance ?? .zero).adding(entry.amount)
            accounts[id]?.balance = balance
            accounts[id]?.changed = true
            if entry.amount > .zero {
                totals[entry.unit] = (totals[entry.unit] ?? 0) &+ entry.amount.minor
                changedUnits.insert(entry.unit)
            }
            writes.append(
                """
                INSERT INTO journal_entry (workspace_id, sequence, position, account_id, amount, balance_after)
                VALUES (\(workspace), \(sequence), \(position), \(id), \(entry.amount.minor), \(balance.minor))
                """)
        } catch { throw PostingRefusal.overflow(account: entry.account) }
    }

    private static func accountID(_ entry: Entry, in workspace: String, known: inout [AccountInUnit: String]) -> String {
        let key = AccountInUnit(name: entry.account, unit: entry.unit)
        if let id = known[key] { return id }
        let id = entry.account.id(workspace: workspace, unit: entry.unit.code)
        known[key] = id
        return id
    }

    /// Everything to be written, in one batch.
    func statements() -> [SQL] {
        var statements = writes
        for (id, account) in accounts.sorted(by: { $0.key < $1.key }) where account.changed {
            statements.append("UPDATE account SET balance = \(account.balance.minor) WHERE id = \(id)")
        }
        for unit in changedUnits.sorted() {
            let total = totals[unit] ?? 0
            statements.append(
                """
                INSERT INTO journal_total (workspace_id, unit, debit_total) VALUES (\(workspace), \(unit.code), \(total))
                ON CONFLICT (workspace_id, unit) DO UPDATE SET debit_total = excluded.debit_total
                """)
        }
        statements.append(
            """
            UPDATE journal_head SET sequence = \(sequence), hash = \(hash), transaction_count = \(transactionCount), entry_count = \(entryCount)
            WHERE workspace_id = \(workspace)
            """)
        return statements
    }
}

extension AccountName {
    fileprivate func allows(_ balance: Amount) -> Bool {
        mayGoNegative || (side == .debit ? balance >= .zero : balance <= .zero)
    }
}
