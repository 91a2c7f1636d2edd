public import Chronology
public import Money

/// How a visitor came into contact with the program.
public enum TouchKind: String, Hashable, Sendable, CaseIterable {
    /// A friend's personal code, typed in.
    case friendCode
    /// A coupon code of a partner or campaign.
    case coupon
    /// A click on a member's link.
    case link
    /// A click on a paid advertisement.
    case paid
    /// Credit given by hand by an operator.
    case manual
}

/// Why a recorded contact counts for nothing, whatever the sale.
public enum DiscardReason: String, Hashable, Sendable, CaseIterable {
    case crawler
    case prefetch
    case embeddedImage
    case embeddedFrame
    case headRequest
    case mailScanner
    case expiredLink
    case expiredCode
    case disabledLink
    case inactiveMember
    case paidSearchOnBrand
    case unlistedCouponSite
    case fraud
}

/// One contact of the buyer with the program before (or after) a sale, with everything that decides about it.
public struct Touch: Hashable, Sendable {
    /// Unique within one sale; ties in time are broken by its bytes.
    public let id: String
    public let at: Instant
    public let kind: TouchKind
    /// The member who would be credited; nil for a paid ad or a link nobody owns.
    public let memberID: String?
    public let programID: String
    /// The code counts only for visitors who came by a link of the same member before.
    public let requiresReferral: Bool
    /// The buyer is the member, under normalised identity.
    public let isOwnPurchase: Bool
    public let discarded: DiscardReason?
    /// The code's own rate, handed through to its share.
    public let rateOverride: Rate?

    public init(
        id: String, at: Instant, kind: TouchKind, memberID: String?, programID: String, requiresReferral: Bool = false,
        isOwnPurchase: Bool = false, discarded: DiscardReason? = nil, rateOverride: Rate? = nil
    ) {
        self.id = id
        self.at = at
        self.kind = kind
        self.memberID = memberID
        self.programID = programID
        self.requiresReferral = requiresReferral
        self.isOwnPurchase = isOwnPurchase
        self.discarded = discarded
        self.rateOverride = rateOverride
    }
}
