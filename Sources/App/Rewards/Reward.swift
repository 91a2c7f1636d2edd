import Chronology
import Money
import Persistence
import Rules
import Web

enum RewardKind: Identified { static let prefix = "rwd_" }
typealias RewardID = Identifier<RewardKind>

/// What a rule gives that is no money, points or credit: a coupon, a gift, free months, free shipping, or something of the company's own.
struct Reward: Sendable {
    enum State: String, Sendable, CaseIterable {
        /// Inside the program's hold.
        case pending
        /// Its receiver may choose what it is.
        case choosing
        /// The company is asked.
        case checking
        case issued, redeemed, expired, reversed, refused, held
    }

    enum Side: String, Sendable, CaseIterable { case member, friend }

    /// Rewards that are moved on in one transaction.
    static let dueMax = 200
    /// What stands in the way today is tried again a day later.
    static let postponedMs: Int64 = 86_400_000
    static let reasonLengthMax = 200
    /// How often the company is asked, a day apart.
    static let checksMax = 7

    var id: RewardID
    var workspaceID: WorkspaceID
    var programID: ProgramID
    var ruleID: RuleID
    var ruleVersion: Int
    var cause: Commission.Cause
    var causeID: String
    var saleID: SaleID?
    var side: Side
    /// Who gets it; on the friend's side who brought them.
    var memberID: MemberID
    /// Whose act it is for, and who gets it on the friend's side.
    var customerID: CustomerID?
    /// The reward as its rule says it.
    var terms: JSONText
    /// What its receiver may have instead.
    var choices = JSONText(text: "[]")
    var isChecked = false
    var valueMinor: Int64?
    /// The program's currency, by which a cap counts it.
    var unit: UnitCode
    var state = State.pending
    /// Why it is so.
    var reason: String?
    var holdUntil: Instant
    var dueAt: Instant?
    var checks = 0
    var couponCodeID: CouponCodeID?
    var occurredAt: Instant
    var recordedAt: Instant
    var issuedAt: Instant?
    var endedAt: Instant?

    var kind: String { terms.value["kind"]?.string ?? "" }

    /// Whether it has come to nothing or has been used: nothing happens to it any more.
    var isOver: Bool { [.redeemed, .expired, .reversed, .refused].contains(state) }
}

/// The name of its shape in the API: `Reward` is what a rule promises.
typealias IssuedReward = Reward

extension RewardTerms {
    /// Whether it is given by the rewards feature, and not by the ledger.
    var isGivenApart: Bool {
        switch self {
        case .flat, .percent, .tiered, .points, .credit: false
        case .coupon, .gift, .freeMonths, .freeShipping, .custom: true
        }
    }

    /// What it is worth, where that is known.
    var valueMinor: Int64? {
        switch self {
        case .gift(_, let value), .custom(_, let value): value
        default: nil
        }
    }
}

extension Reward {
    /// `code`: the coupon's, for those who may see it.
    func json(code: String?) -> JSONValue {
        [
            "id": .text(id.text), "programId": .text(programID.text), "side": .text(side.rawValue), "memberId": .text(memberID.text),
            "customerId": customerID.map { .text($0.text) } ?? .null, "kind": .text(kind), "reward": terms.value, "choices": choices.value,
            "value": valueMinor.map { .integer($0) } ?? .null, "unit": valueMinor == nil ? .null : .text(unit.code), "state": .text(state.rawValue),
            "reason": reason.map { .text($0) } ?? .null, "cause": .text(cause.rawValue), "causeId": .text(causeID),
            "saleId": saleID.map { .text($0.text) } ?? .null, "ruleId": .text(ruleID.text), "ruleVersion": .integer(Int64(ruleVersion)),
            "commissionId": .null, "couponCode": code.map { .text($0) } ?? .null, "holdUntil": .text(holdUntil.rfc3339),
            "occurredAt": .text(occurredAt.rfc3339), "issuedAt": issuedAt.map { .text($0.rfc3339) } ?? .null,
            "endedAt": endedAt.map { .text($0.rfc3339) } ?? .null, "receiptUrl": receiptURL.map { .text(API.base + $0) } ?? .null,
        ]
    }

    /// Where it says why; a click has no receipt of its own.
    var receiptURL: String? {
        switch cause {
        case .sale: "/sales/\(causeID)/receipt"
        case .lead: "/leads/\(causeID)/receipt"
        case .click, .manual: nil
        }
    }

    static let schema = APISchema.object([
        .required("id", .text), .required("programId", .text), .required("side", .enumeration(Side.allCases.map(\.rawValue))),
        .required("memberId", .described(.text, description: "Who gets it; on the friend's side who brought them.")),
        .required("customerId", .described(.nullable(.text), description: "Whose act it is for, and who gets it on the friend's side.")),
        .required("kind", .text), .required("reward", .any), .required("choices", .array(.any)), .required("value", .nullable(.integer())),
        .required("unit", .nullable(.text)), .required("state", .enumeration(State.allCases.map(\.rawValue))), .required("reason", .nullable(.text)),
        .required("cause", .text), .required("causeId", .text), .required("saleId", .nullable(.text)), .required("ruleId", .nullable(.text)),
        .required("ruleVersion", .nullable(.integer())),
        .required("commissionId", .described(.nullable(.text), description: "Of points and credit: the commission that holds them.")),
        .required("couponCode", .nullable(.text)), .required("holdUntil", .dateTime), .required("occurredAt", .dateTime),
        .required("issuedAt", .nullable(.dateTime)), .required("endedAt", .nullable(.dateTime)), .required("receiptUrl", .nullable(.text)),
    ])
}

extension Commission {
    /// Points and credit, as a reward among others.
    func rewardJSON(side: Reward.Side, customer: CustomerID?) -> JSONValue {
        let kind = if case .credit = unit.kind { "credit" } else { "points" }
        let state: Reward.State =
            switch state {
            case .pending: .pending
            case .approved, .paid: .issued
            case .held: .held
            case .canceled, .refused: .refused
            case .reversed: .reversed
            }
        return [
            "id": .text(id.text), "programId": .text(programID.text), "side": .text(side.rawValue), "memberId": .text(memberID.text),
            "customerId": customer.map { .text($0.text) } ?? .null, "kind": .text(kind),
            "reward": ["kind": .text(kind), "amount": .integer(amountMinor), "unit": .text(unit.code)], "choices": [],
            "value": .integer(keptMinor), "unit": .text(unit.code), "state": .text(state.rawValue), "reason": .null, "cause": .text(cause.rawValue),
            "causeId": .text(causeID), "saleId": saleID.map { .text($0.text) } ?? .null, "ruleId": self.cause == .manual ? .null : .text(ruleID.text),
            "ruleVersion": self.cause == .manual ? .null : .integer(Int64(ruleVersion)), "commissionId": .text(id.text), "couponCode": .null,
            "holdUntil": .text(holdUntil.rfc3339), "occurredAt": .text(occurredAt.rfc3339), "issuedAt": .null, "endedAt": .null,
            "receiptUrl": .text("\(API.base)/commissions/\(id.text)/receipt"),
        ]
    }
}
