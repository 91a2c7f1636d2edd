import Chronology
import Ledger
import Money
import Persistence
import Web

/// What members can spend: points and store credit. The ledger holds the balances; lots say until when each part may be spent.
enum Wallet {
    /// The most that one movement may move.
    static let amountMax: Int64 = 1_000_000_000_000
    static let reasonLengthMax = 500
    static let unitLengthMax = 39
    static let unitAllowed = "Must be a name of points in small letters, such as points, or credit: and a currency, such as credit:EUR."

    /// Money is paid out, everything else is spent.
    static func holds(_ unit: UnitCode) -> Bool {
        if case .currency = unit.kind { false } else { true }
    }

    static func unit(_ text: String) -> UnitCode? {
        guard let unit = try? UnitCode(text), holds(unit) else { return nil }
        return unit
    }
}

/// How a company wants a unit to be spent.
struct WalletUnit: Sendable {
    static let expiresAfterDaysMax: Int64 = 3_650
    static let countMax = 50

    var unit: UnitCode
    /// Nil when nothing lapses.
    var expiresAfterDays: Int64?
    var mayTransfer: Bool

    /// The end of the day (UTC) on which what arrives now lapses.
    func expiry(of received: Instant) throws -> Instant? {
        guard let expiresAfterDays else { return nil }
        let day = received.millisecondsSince1970 / Self.dayMs + expiresAfterDays + 1
        return Instant(millisecondsSince1970: day * Self.dayMs)
    }

    private static let dayMs: Int64 = 86_400_000

    static func set(_ wanted: WalletUnit, in write: Write) throws {
        let known = try WalletUnitStore.all(in: write.workspace.id, on: write.connection)
        guard known.count < countMax || known.contains(where: { $0.unit == wanted.unit }) else {
            throw Refusal.field("unit", "Is one too many: a company has \(countMax) at most.", code: "too_many_units")
        }
        try WalletUnitStore.put(wanted, at: write.now, in: write.workspace.id, on: write.connection)
        try write.audit(
            "wallet.unit", subject: wanted.unit.code,
            JSONText(["expiresAfterDays": wanted.expiresAfterDays.map { .integer($0) } ?? .null, "mayTransfer": .boolean(wanted.mayTransfer)]))
    }
}

/// One change of a wallet beside commissions.
struct WalletMovement: Sendable {
    enum Kind: String, Sendable, CaseIterable {
        /// Given or taken by the team, with a reason.
        case adjustment
        /// Spent.
        case redemption
        /// Came back from what was spent.
        case `return`
        case sent, received
        /// Not spent in time.
        case expiry
        /// Had lapsed, and was given back before what it was given for was taken back.
        case restored
        /// Given for something that is no sale.
        case bonus
    }

    var id: WalletMovementID
    var memberID: MemberID
    var programID: ProgramID
    var unit: UnitCode
    var kind: Kind
    var amountMinor: Int64
    /// The movement that the ledger names.
    var causeID: WalletMovementID
    var subject: String?
    /// Nil when there was none, or when its member was erased.
    var reason: String?
    var author: String
    var madeAt: Instant

    var json: JSONValue {
        [
            "id": .text(id.text), "memberId": .text(memberID.text), "programId": .text(programID.text), "kind": .text(kind.rawValue),
            "unit": .text(unit.code), "amount": .integer(amountMinor), "subject": subject.map { .text($0) } ?? .null,
            "reason": reason.map { .text($0) } ?? .null, "author": .text(author), "madeAt": .text(madeAt.rfc3339),
        ]
    }

    static let schema = APISchema.object([
        .required("id", .text), .required("memberId", .text), .required("programId", .text),
        .required("kind", .enumeration(Kind.allCases.map(\.rawValue))), .required("unit", .text),
        .required("amount", .described(.integer(), description: "What the member has more, or less when it is below zero.")),
        .required("subject", .described(.nullable(.text), description: "What it is for: an item of the catalogue, a badge.")),
        .required("reason", .nullable(.text)), .required("author", .text), .required("madeAt", .dateTime),
    ])
}

enum WalletLotKind: Identified { static let prefix = "wlt_" }
typealias WalletLotID = Identifier<WalletLotKind>
enum WalletMovementKind: Identified { static let prefix = "wmv_" }
typealias WalletMovementID = Identifier<WalletMovementKind>
