public import Chronology
internal import Crypto
public import Money

/// One line of a transaction: debits positive, credits negative.
public struct Entry: Sendable, Hashable {
    public var account: AccountName
    public var unit: UnitCode
    public var amount: Amount

    public init(_ account: AccountName, _ unit: UnitCode, _ amount: Amount) {
        self.account = account
        self.unit = unit
        self.amount = amount
    }
}

/// A transaction to be written. A cause (`sale_…`) has at most one transaction per purpose (`commission`).
public struct Posting: Sendable, Hashable {
    /// The transaction that this one takes back.
    public enum Correction: Sendable, Hashable {
        /// A share of it; there may be several.
        case partial(of: String)
        /// All of it; there can be one.
        case whole(of: String)
    }

    /// Entries of one transaction. Larger postings go in several with purposes of their own.
    public static let entriesLimit = 2_000

    public var workspace: String
    public var cause: String
    public var purpose: String
    public var effectiveAt: Instant
    /// Sums to zero in every unit. Entries of nothing are left out when it is written.
    public var entries: [Entry]
    public var corrects: Correction?

    public init(
        workspace: String, cause: String, purpose: String, effectiveAt: Instant, entries: [Entry], corrects: Correction? = nil
    ) {
        self.workspace = workspace
        self.cause = cause
        self.purpose = purpose
        self.effectiveAt = effectiveAt
        self.entries = entries
        self.corrects = corrects
    }

    /// Follows from workspace, cause and purpose, which no other transaction shares.
    public var id: String {
        var bytes = CanonicalBytes()
        for text in [workspace, cause, purpose] { bytes.append(text) }
        return "jtx_" + hexadecimal(SHA256.hash(data: bytes.bytes).prefix(16))
    }
}

/// What a posting became.
public struct PostedTransaction: Sendable, Hashable {
    public var id: String
    public var sequence: Int64
    public var hash: [UInt8]
}

/// Why a posting was not written. Balances and journal are as they were.
public enum PostingRefusal: Error, Sendable, Hashable, CustomStringConvertible {
    case unbalanced(unit: UnitCode)
    case fewerThanTwoEntries
    case tooManyEntries(limit: Int)
    /// One call brought more postings than ``Journal/postingsLimit``: bring them in parts.
    case tooManyPostings(limit: Int)
    /// The account's balance would leave the range of 64 bits.
    case overflow(account: AccountName)
    /// `balance` and `amount` are signed as in the books.
    case wouldGoNegative(account: AccountName, unit: UnitCode, balance: Amount, amount: Amount)
    /// The cause has a transaction for this purpose.
    case alreadyPosted(PostedTransaction)
    /// The transaction was taken back as a whole before.
    case alreadyReversed(id: String)
    /// The transaction to be corrected is not in this journal.
    case unknownTransaction(id: String)

    public var description: String {
        switch self {
        case .unbalanced(let unit): "the entries in \(unit) don't sum to zero"
        case .fewerThanTwoEntries: "a transaction needs at least two entries"
        case .tooManyEntries(let limit): "a transaction has at most \(limit) entries"
        case .tooManyPostings(let limit): "one call writes at most \(limit) transactions"
        case .overflow(let account): "the amount is too large for \(account.path)"
        case .wouldGoNegative(let account, let unit, let balance, let amount):
            "\(account.path) holds \(balance) \(unit) and can't take \(amount)"
        case .alreadyPosted(let existing): "already posted as transaction \(existing.sequence)"
        case .alreadyReversed(let id): "\(id) was reversed before"
        case .unknownTransaction(let id): "there is no transaction \(id)"
        }
    }
}

extension Posting {
    /// The entries that count. Throws what is wrong with the posting by itself.
    func checkedEntries() throws(PostingRefusal) -> [Entry] {
        let kept = entries.filter { $0.amount != .zero }
        guard kept.count >= 2 else { throw .fewerThanTwoEntries }
        guard kept.count <= Self.entriesLimit else { throw .tooManyEntries(limit: Self.entriesLimit) }
        var sums: [UnitCode: Int128] = [:]
        for entry in kept { sums[entry.unit, default: 0] += Int128(entry.amount.minor) }
        if let unit = sums.filter({ $0.value != 0 }).keys.min() { throw .unbalanced(unit: unit) }
        return kept
    }
}
