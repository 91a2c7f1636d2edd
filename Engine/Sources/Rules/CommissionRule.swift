public import Chronology
internal import Money

public enum RuleEvent: String, Hashable, Sendable, CaseIterable {
    case click
    case lead
    case sale
    /// Every sale of a customer inside the rule's months, the first one included.
    case recurring

    /// Whether the event has an amount.
    public var isSale: Bool { self == .sale || self == .recurring }
}

public enum RuleRecipient: String, Hashable, Sendable, CaseIterable {
    case member
    case friend
}

/// How long after the customer's first sale a rule pays.
public enum RecurringMonths: Hashable, Sendable {
    /// Nothing said: no limit.
    case none
    /// While fewer than this many whole months have passed since the first sale, which is month 0.
    case count(Int64)
    case lifetime

    /// A hundred years.
    public static let limit: Int64 = 1_200
}

/// One version of a commission or reward rule.
public struct CommissionRule: Hashable, Sendable {
    public let id: String
    public let version: Int
    public let event: RuleEvent
    public let reward: RewardTerms
    public let recipient: RuleRecipient
    /// 0 the sharing member, 1 their enroller, and so on.
    public let level: Int
    public let conditions: Condition
    public let months: RecurringMonths
    /// Conditions are judged item by item, and the base is the amounts of the items that pass.
    public let isPerItem: Bool
    public let cap: Cap?
    public let effectiveFrom: Instant
    /// Exclusive; nil while nothing ends it.
    public let effectiveUntil: Instant?

    public static let levelLimit = 50

    /// Throws what `RuleFailure` names; a rule that exists can be evaluated.
    public init(
        id: String, version: Int, event: RuleEvent, reward: RewardTerms, recipient: RuleRecipient = .member,
        level: Int = 0, conditions: Condition = .always, months: RecurringMonths = .none, isPerItem: Bool = false,
        cap: Cap? = nil, effectiveFrom: Instant, effectiveUntil: Instant? = nil
    ) throws(RuleFailure) {
        guard version >= 1 else { throw .versionOutOfRange }
        guard (0...Self.levelLimit).contains(level) else { throw .levelOutOfRange }
        guard recipient == .member || level == 0 else { throw .friendHasNoLevel }
        if recipient == .friend, case .tiered = reward { throw .friendHasNoTiers }
        if !event.isSale {
            guard level == 0 else { throw .levelNeedsSale }
            guard !reward.isPartOfAmount else { throw .rewardNeedsSale }
            guard !isPerItem else { throw .itemsNeedSale }
            guard months == .none else { throw .monthsNeedSale }
        }
        if case .count(let months) = months {
            guard (1...RecurringMonths.limit).contains(months) else { throw .monthsOutOfRange }
        }
        guard reward.isInRange else { throw .rewardOutOfRange }
        if let effectiveUntil { guard effectiveUntil > effectiveFrom else { throw .neverInForce } }
        self.id = id
        self.version = version
        self.event = event
        self.reward = reward
        self.recipient = recipient
        self.level = level
        self.conditions = conditions
        self.months = months
        self.isPerItem = isPerItem
        self.cap = cap
        self.effectiveFrom = effectiveFrom
        self.effectiveUntil = effectiveUntil
    }

    /// The version of one rule that counts at `at`: of those that have begun, the one that began last (then the highest version number),
    /// unless it has ended. A version's end does not bring an older one back.
    public static func version(of versions: some Sequence<CommissionRule>, inForceAt at: Instant) -> CommissionRule? {
        let begun = versions.filter { $0.effectiveFrom <= at }
        let latest = begun.max { ($0.effectiveFrom, $0.version) < ($1.effectiveFrom, $1.version) }
        guard let latest, latest.isInForce(at: at) else { return nil }
        return latest
    }

    /// Half-open: from `effectiveFrom` on, before `effectiveUntil`.
    public func isInForce(at: Instant) -> Bool {
        guard effectiveFrom <= at else { return false }
        guard let effectiveUntil else { return true }
        return at < effectiveUntil
    }
}

extension RewardTerms {
    fileprivate var isInRange: Bool {
        switch self {
        case .flat(let amount, _), .credit(let amount, _): return amount > .zero
        case .points(let amount, let unit):
            guard case .points = unit.kind else { return false }
            return amount > .zero
        case .freeMonths(let months): return (1...RecurringMonths.limit).contains(Int64(months))
        case .gift(_, let valueMinor), .custom(_, let valueMinor): return (valueMinor ?? 0) >= 0
        case .percent, .tiered, .coupon, .freeShipping: return true
        }
    }
}
