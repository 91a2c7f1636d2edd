import Chronology
import Crypto
import Persistence
import Web

enum ReconciliationKind: Identified { static let prefix = "rec_" }
typealias ReconciliationID = Identifier<ReconciliationKind>

enum ReconciliationEntryKind: Identified { static let prefix = "ren_" }
typealias ReconciliationEntryID = Identifier<ReconciliationEntryKind>

/// A file of a bank or provider that was taken in.
struct Reconciliation: Sendable {
    enum State: String, Sendable, CaseIterable { case reading, done }

    var id: ReconciliationID
    var format: BankFile.Format
    var hash: String
    var state: State
    var accountEnding: String?
    var balance: BankFile.Balance?
    var entryCount: Int64
    var knownCount: Int64
    var createdBy: String
    var createdAt: Instant

    var json: JSONValue {
        [
            "id": .text(id.text), "format": .text(format.rawValue), "state": .text(state.rawValue), "accountEnding": accountEnding.map { .text($0) } ?? .null,
            "currency": balance.map { .text($0.currency) } ?? .null, "opening": balance.map { .integer($0.openingMinor) } ?? .null,
            "closing": balance.map { .integer($0.closingMinor) } ?? .null, "entryCount": .integer(entryCount), "knownCount": .integer(knownCount),
            "createdBy": .text(createdBy), "createdAt": .text(createdAt.rfc3339),
        ]
    }
}

/// One entry of such a file, and what became of it.
struct ReconciliationEntry: Sendable {
    enum State: String, Sendable, CaseIterable {
        /// Evidence of the payments that it is about.
        case matched
        /// It says that a payment is on its way, and changes nothing.
        case noted
        /// It is about a payment of ours and does not fit: people must look.
        case difference
        /// Money came or went, and nobody knows what for.
        case unmatched
        /// A person said that there is nothing to do.
        case setAside
        /// Money that came, and has nothing to do with payouts.
        case ignored

        /// What a person may decide about.
        var isOpen: Bool { self == .difference || self == .unmatched }
        /// Banks may strip what we called a payment when it comes back: a person may see it in money that nobody knew.
        var mayBeAssigned: Bool { isOpen || self == .ignored }
    }

    /// Why an entry does not fit.
    enum Difference: String, Sendable, CaseIterable {
        case amountDiffers, currencyDiffers, amountMissing, batchAmountDiffers
        /// The account was charged twice for one payment, or got it back twice.
        case bookedTwice, returnedTwice
        /// The payment had failed, and the account was charged.
        case paidAfterFailed
        /// It had been paid, and was rejected.
        case rejectedAfterPaid
        /// It has not been handed over yet.
        case notSent
        /// It was left out of its batch, or the batch was canceled.
        case leftOut
    }

    var id: ReconciliationEntryID
    var reconciliationID: ReconciliationID
    var entry: BankEntry
    var state: State
    var difference: Difference?
    var payoutID: PayoutID?
    var memberID: MemberID?
    var hasPayload: Bool
    var personID: PersonID?
    var decidedBy: String?
    var decidedAt: Instant?
    var decisionReason: String?
    var createdAt: Instant

    /// What is known of people in it is kept this long: a bank takes months to answer.
    static let payloadKeptMs: Int64 = 400 * 86_400_000
    static let reasonMax = 200

    var json: JSONValue {
        func text(_ value: String?) -> JSONValue { value.map { .text($0) } ?? .null }
        return [
            "id": .text(id.text), "reconciliationId": .text(reconciliationID.text), "line": .integer(Int64(entry.line)), "meaning": .text(entry.meaning.rawValue),
            "batch": .boolean(entry.isBatch), "state": .text(state.rawValue), "difference": text(difference?.rawValue), "payoutId": text(payoutID?.text),
            "memberId": text(memberID?.text), "amount": entry.amountMinor.map { .integer($0) } ?? .null, "currency": text(entry.currency),
            "bookedOn": text(entry.bookedOn?.iso8601), "status": text(entry.status), "reasonCodes": .array(entry.reasonCodes.map { .text($0) }),
            "bankReference": text(entry.bankReference), "decidedBy": text(decidedBy), "decidedAt": text(decidedAt?.rfc3339), "reason": text(decisionReason),
            "createdAt": .text(createdAt.rfc3339),
        ]
    }

    // MARK: People's data

    /// What seals entries while nobody knows whose they are: a key of the installation's, apart from all others.
    struct Seal: Sendable {
        private let key: SymmetricKey

        init(_ secrets: Secrets) { key = secrets.key("reconciliation") }

        func seal(_ plain: [UInt8], for place: String) throws -> [UInt8] { try Vault.seal(plain, under: key, for: place) }
        func open(_ sealed: [UInt8], for place: String) throws -> [UInt8] { try Vault.open(sealed, under: key, for: place) }
    }

    /// Whom an entry names and what it says to its reader, for those who decide about it.
    static func counterparty(_ entry: ReconciliationEntry, seal: Seal, vault: Vault, on connection: any Connection) throws -> BankEntry.Counterparty {
        guard let sealed = try ReconciliationStore.payload(entry.id, on: connection) else { return BankEntry.Counterparty() }
        let plain: [UInt8]
        if let person = entry.personID {
            guard let key = try PersonStore.key(of: person, vault: vault, on: connection) else { return BankEntry.Counterparty() }
            plain = try Vault.open(sealed, under: key, for: entry.id.text)
        } else {
            plain = try seal.open(sealed, for: entry.id.text)
        }
        let json = try JSONValue.parse(plain, maximumBytes: 64 * 1024)
        func text(_ name: String) -> String? { if case .text(let text)? = json[name] { text } else { nil } }
        return BankEntry.Counterparty(name: text("name"), account: text("account"), text: text("text"))
    }

    /// The same as it is sealed; nil when it names nobody and says nothing.
    static func payload(_ entry: BankEntry) -> [UInt8]? {
        let said = [
            ("name", entry.counterparty.name), ("account", entry.counterparty.account), ("text", entry.counterparty.text),
            ("endToEndId", entry.endToEndID), ("batchReference", entry.batchReference), ("bankReference", entry.bankReference),
        ].compactMap { name, value in value.map { JSONMember(name, .text($0)) } }
        return said.isEmpty ? nil : JSONValue.object(said).bytes
    }
}

extension Installation {
    var reconciliationSeal: ReconciliationEntry.Seal { ReconciliationEntry.Seal(secrets) }
}
