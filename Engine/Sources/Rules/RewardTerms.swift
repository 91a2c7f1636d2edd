public import Money

/// What a rule gives.
public enum RewardTerms: Hashable, Sendable {
    case flat(Amount, Currency)
    case percent(Rate)
    case tiered(TierTable)
    /// Whole points of a points unit.
    case points(Amount, UnitCode)
    /// Credit to be spent at the company.
    case credit(Amount, Currency)

    // Not payable in a ledger unit: `evaluate` answers `.notPayable` when everything else about the rule holds,
    // and the feature that issues rewards takes over.
    case coupon(couponID: String)
    case gift(description: String, valueMinor: Int64?)
    case freeMonths(Int)
    case freeShipping
    case custom(description: String, valueMinor: Int64?)

    /// The `kind` of the contract.
    public var code: String {
        switch self {
        case .flat: "flat"
        case .percent: "percent"
        case .tiered: "tiered"
        case .points: "points"
        case .credit: "credit"
        case .coupon: "coupon"
        case .gift: "gift"
        case .freeMonths: "freeMonths"
        case .freeShipping: "freeShipping"
        case .custom: "custom"
        }
    }

    /// Whether the reward is a part of a sale's amount, and so needs a sale.
    public var isPartOfAmount: Bool {
        switch self {
        case .percent, .tiered: true
        default: false
        }
    }
}
