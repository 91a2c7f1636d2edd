/// Why a rule can't be made.
public enum RuleFailure: Error, Hashable, Sendable {
    case tiersEmpty
    case tooManyTiers
    case tiersNotRising
    /// Below 0 or above `CommissionRule.levelLimit`.
    case levelOutOfRange
    /// Clicks and leads pay the sharing member alone.
    case levelNeedsSale
    /// A friend stands on no level.
    case friendHasNoLevel
    /// Tiers go by a member's volume.
    case friendHasNoTiers
    /// A part of an amount needs a sale.
    case rewardNeedsSale
    /// Items and months come with sales.
    case itemsNeedSale
    case monthsNeedSale
    /// Not between 1 and `RecurringMonths.limit`.
    case monthsOutOfRange
    /// An amount that is not positive, or a unit that is not points.
    case rewardOutOfRange
    /// A cap below 0.
    case capOutOfRange
    /// `effectiveUntil` is not after `effectiveFrom`.
    case neverInForce
    /// A version below 1.
    case versionOutOfRange
}
