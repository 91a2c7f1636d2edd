public import Chronology
internal import Crypto
public import Money
public import Persistence

/// A line of the journal as it was read back.
public struct RecordedEntry: Sendable, Hashable {
    public var account: String
    public var unit: String
    public var amount: Amount
}

/// A transaction of the journal as it was read back.
public struct RecordedTransaction: Sendable, Hashable {
    public var workspace: String
    public var sequence: Int64
    public var id: String
    public var recordedAt: Instant
    public var effectiveAt: Instant
    public var cause: String
    public var purpose: String
    public var corrects: Posting.Correction?
    public var entries: [RecordedEntry]
    /// The chain's value after this transaction, as it is stored.
    public var hash: [UInt8] = []

    /// The chain's value after this transaction, from the value before it.
    public func hash(after previous: [UInt8]) -> [UInt8] {
        var bytes = CanonicalBytes()
        bytes.append(hash: previous)
        bytes.append("kith journal 1")
        bytes.append(workspace)
        bytes.append(sequence)
        bytes.append(id)
        bytes.append(recordedAt.millisecondsSince1970)
        bytes.append(effectiveAt.millisecondsSince1970)
        bytes.append(cause)
        bytes.append(purpose)
        bytes.append(corrects?.word ?? "")
        bytes.append(corrects?.transaction ?? "")
        bytes.append(Int64(entries.count))
        for entry in entries {
            bytes.append(entry.account)
            bytes.append(entry.unit)
            bytes.append(entry.amount.minor)
        }
        return Array(SHA256.hash(data: bytes.bytes))
    }
}

extension Posting.Correction {
    /// The id of the transaction that is taken back.
    public var transaction: String {
        switch self {
        case .partial(let id), .whole(let id): id
        }
    }

    var word: String {
        switch self {
        case .partial: "partial"
        case .whole: "whole"
        }
    }
}

extension Journal {
    /// Transactions read by one call of `transactions`.
    public static let pageLimit = 1_000

    /// The journal in its order, from behind `sequence`.
    public static func transactions(workspace: String, after sequence: Int64, limit: Int, on connection: any Connection) throws -> [RecordedTransaction] {
        var page: [RecordedTransaction] = []
        try forEach(workspace: workspace, after: sequence, limit: min(max(limit, 0), pageLimit), on: connection) { page.append($0) }
        return page
    }

    /// Walks the journal in its order and bounded memory.
    public static func forEachTransaction(
        workspace: String, on connection: any Connection, _ body: (RecordedTransaction) throws -> Void
    ) throws {
        try forEach(workspace: workspace, after: 0, limit: nil, on: connection, body)
    }

    private static func forEach(
        workspace: String, after sequence: Int64, limit: Int?, on connection: any Connection, _ body: (RecordedTransaction) throws -> Void
    ) throws {
        let last = limit.map { sequence.addingReportingOverflow(Int64($0)).partialValue } ?? Int64.max
        var current: RecordedTransaction?
        try connection.forEachRow(
            """
            SELECT t.sequence, t.id, t.recorded_at, t.effective_at, t.cause, t.purpose, t.corrects, t.correction, t.hash, e.amount, a.name, a.unit
            FROM journal_transaction t
            LEFT JOIN journal_entry e ON e.workspace_id = t.workspace_id AND e.sequence = t.sequence
            LEFT JOIN account a ON a.id = e.account_id
            WHERE t.workspace_id = \(workspace) AND t.sequence > \(sequence) AND t.sequence <= \(last)
            ORDER BY t.sequence, e.position
            """
        ) { row in
            let number: Int64 = try row.get(at: 0)
            if let done = current, done.sequence != number {
                try body(done)
                current = nil
            }
            var transaction = try current ?? read(row, workspace: workspace)
            if let amount: Int64 = try row.get(at: 9, as: Int64?.self) {
                transaction.entries.append(RecordedEntry(
                    account: try row.get(at: 10, as: String?.self) ?? "", unit: try row.get(at: 11, as: String?.self) ?? "", amount: Amount(minor: amount)))
            }
            current = transaction
        }
        if let current { try body(current) }
    }

    private static func read(_ row: Row, workspace: String) throws -> RecordedTransaction {
        let corrects: String? = try row.get(at: 6)
        let correction: String? = try row.get(at: 7)
        return RecordedTransaction(
            workspace: workspace, sequence: try row.get(at: 0), id: try row.get(at: 1),
            recordedAt: Instant(millisecondsSince1970: try row.get(at: 2)), effectiveAt: Instant(millisecondsSince1970: try row.get(at: 3)),
            cause: try row.get(at: 4), purpose: try row.get(at: 5),
            corrects: corrects.map { correction == "whole" ? .whole(of: $0) : .partial(of: $0) }, entries: [], hash: try row.get(at: 8))
    }
}
