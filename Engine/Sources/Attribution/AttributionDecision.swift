public import Money

/// Who gets the credit of a sale, and why nobody else does. Every touch given is in exactly one of `shares` and `rejected`.
public struct AttributionDecision: Hashable, Sendable {
    public let status: AttributionStatus
    /// Nil when no model was applied, as for a bound customer.
    public let model: AttributionModel?
    /// In the order of the touches' times; they sum to the whole, or there are none. A member with several touches has several.
    public let shares: [AttributionShare]
    /// In the order of the touches' times.
    public let rejected: [Rejection]

    public init(
        status: AttributionStatus, model: AttributionModel?, shares: [AttributionShare], rejected: [Rejection]
    ) {
        self.status = status
        self.model = model
        self.shares = shares
        self.rejected = rejected
    }
}

public enum AttributionStatus: Hashable, Sendable {
    case attributed
    case unattributed(UnattributedReason)

    /// `attributed` or `unattributed`.
    public var code: String {
        switch self {
        case .attributed: "attributed"
        case .unattributed: "unattributed"
        }
    }
}

/// Why a sale has no member.
public enum UnattributedReason: Hashable, Sendable {
    /// No touch is known.
    case noTouches
    /// Touches are known, and each was rejected.
    case noneEligible
    /// A paid ad has the strongest claim and takes the credit away.
    case paidAd(touchID: String)

    public var code: String {
        switch self {
        case .noTouches: "noTouches"
        case .noneEligible: "noneEligible"
        case .paidAd: "paidAd"
        }
    }
}

/// One touch's part of a sale.
public struct AttributionShare: Hashable, Sendable {
    public let memberID: String
    public let share: SharePPM
    public let touchID: String
    public let reason: ShareReason
    /// The rate of the code that was used, in place of the rule's.
    public let rateOverride: Rate?

    public init(memberID: String, share: SharePPM, touchID: String, reason: ShareReason, rateOverride: Rate? = nil) {
        self.memberID = memberID
        self.share = share
        self.touchID = touchID
        self.reason = reason
        self.rateOverride = rateOverride
    }
}

/// Why a touch has its share.
public enum ShareReason: Hashable, Sendable {
    /// The only touch that counts.
    case onlyTouch
    /// The latest of `touchCount` that count.
    case lastTouch(touchCount: Int)
    /// The earliest of `touchCount` that count.
    case firstTouch(touchCount: Int)
    /// An equal part among `touchCount`.
    case equalPart(touchCount: Int)
    /// By its place, counted from 1, among `touchCount`.
    case position(place: Int, touchCount: Int)
    /// By its age.
    case timeDecay(ageMs: Int64, halfLifeMs: Int64)
    /// The customer was bound to the member by an earlier sale (made by the caller, never by `attribute`).
    case boundCustomer
    /// The customer was given to the member by hand (made by the caller, never by `attribute`).
    case assignedByHand
    /// The program's default for customers without a member (made by the caller, never by `attribute`).
    case orphanDefault

    public var code: String {
        switch self {
        case .onlyTouch: "onlyTouch"
        case .lastTouch: "lastTouch"
        case .firstTouch: "firstTouch"
        case .equalPart: "equalPart"
        case .position: "position"
        case .timeDecay: "timeDecay"
        case .boundCustomer: "boundCustomer"
        case .assignedByHand: "assignedByHand"
        case .orphanDefault: "orphanDefault"
        }
    }
}

/// A touch that gets nothing, with the first reason that applies.
public struct Rejection: Hashable, Sendable {
    public let touchID: String
    public let reason: RejectionReason

    public init(touchID: String, reason: RejectionReason) {
        self.touchID = touchID
        self.reason = reason
    }
}

/// Why a touch gets nothing; in the order in which they are tried.
public enum RejectionReason: Hashable, Sendable {
    /// Two touches came with one id; the earlier in the order of time stays.
    case repeatedTouch
    case discarded(DiscardReason)
    case otherProgram(programID: String)
    case afterSale(byMs: Int64)
    /// `ageMs` is at least `windowMs`.
    case tooOld(ageMs: Int64, windowMs: Int64)
    case ownPurchase
    /// A link that no member owns.
    case noMember
    /// More than `limit` touches count; only the latest are considered.
    case tooManyTouches(limit: Int)
    /// The code counts only for visitors of its member's links, and this buyer was none.
    case codeNeedsReferral
    /// Within `seconds` after the other member's touch `touchID`.
    case standDown(seconds: Int64, touchID: String)
    /// A kind with a stronger claim is there; `touchID` is its latest touch.
    case outranked(by: TouchKind, touchID: String)
    /// A paid ad belongs to no member. When nothing outranks it, the sale has no member.
    case paidAdHasNoMember
    /// The model takes the latest, `touchID`.
    case notLast(touchID: String)
    /// The model takes the earliest, `touchID`.
    case notFirst(touchID: String)
    /// The customer is bound to somebody by an earlier sale or by hand (made by the caller, never by `attribute`).
    case customerBound
    /// So many half-lives old that less than a millionth remains.
    case decayed(ageMs: Int64, halfLifeMs: Int64)

    public var code: String {
        switch self {
        case .repeatedTouch: "repeatedTouch"
        case .discarded: "discarded"
        case .otherProgram: "otherProgram"
        case .afterSale: "afterSale"
        case .tooOld: "tooOld"
        case .ownPurchase: "ownPurchase"
        case .noMember: "noMember"
        case .tooManyTouches: "tooManyTouches"
        case .codeNeedsReferral: "codeNeedsReferral"
        case .standDown: "standDown"
        case .outranked: "outranked"
        case .paidAdHasNoMember: "paidAdHasNoMember"
        case .notLast: "notLast"
        case .notFirst: "notFirst"
        case .customerBound: "customerBound"
        case .decayed: "decayed"
        }
    }
}
