public import Chronology
public import Money

/// What one rule makes of one event. Lines and `retained` sum to the rule's amount exactly.
public struct RuleOutcome: Hashable, Sendable {
    public let ruleID: String
    public let version: Int
    public let lines: [RuleLine]
    public let refusals: [RuleRefusal]
    /// What stays with the company because a level is empty or a member's condition fails, while others are paid. 0 for tiers, whose
    /// rate depends on who is paid.
    public let retained: Amount
    /// What a tiered rule counts for each payee from now on, also where that paid nothing. Empty for other rewards, and when the rule as a
    /// whole is refused.
    public let counted: [String: Amount]
}

public enum RulePayee: Hashable, Sendable {
    case member(String)
    case friend

    public var memberID: String? {
        guard case .member(let id) = self else { return nil }
        return id
    }
}

/// One amount for one payee, before caps.
public struct RuleLine: Hashable, Sendable {
    public enum Purpose: String, Hashable, Sendable {
        /// For this sale.
        case reward
        /// What a retroactive tier that is newly reached pays on the volume before this sale.
        case trueUp
    }

    public let ruleID: String
    public let version: Int
    public let level: Int
    public let payee: RulePayee
    public let purpose: Purpose
    /// The payee's part of the credit.
    public let share: SharePPM
    /// What the rate was applied to: the whole base of the rule for percent, the payee's part for tiers (for a true-up the volume before);
    /// nil for fixed amounts.
    public let base: Amount?
    /// Nil for fixed amounts, for marginal tiers (see `slices`) and where codes with different rates meet.
    public let rate: Rate?
    /// The tiers of a marginal table; empty otherwise.
    public let slices: [TierSlice]
    public let amount: Amount
    public let unit: UnitCode

    /// The same line after a cap; base and rate still say what was earned.
    public func limited(to amount: Amount) -> RuleLine {
        RuleLine(
            ruleID: ruleID, version: version, level: level, payee: payee, purpose: purpose, share: share, base: base,
            rate: rate, slices: slices, amount: amount, unit: unit)
    }
}

/// Why a rule, or one payee of it, gets nothing.
public struct RuleRefusal: Hashable, Sendable {
    public let ruleID: String
    public let version: Int
    /// The member concerned, where it is one.
    public let memberID: String?
    public let reason: RuleRefusalReason

    public init(ruleID: String, version: Int, memberID: String?, reason: RuleRefusalReason) {
        self.ruleID = ruleID
        self.version = version
        self.memberID = memberID
        self.reason = reason
    }
}

public enum RuleRefusalReason: Hashable, Sendable {
    case notInForce(from: Instant, until: Instant?)
    case otherEvent(RuleEvent)
    /// The sale has no member.
    case noAttribution
    case monthsOver(months: Int64, monthsSinceFirstSale: Int64)
    /// All that a failed tree needs to be explained, at least one.
    case conditionFailed([LeafFailure])
    /// The rule is per item and the sale has none.
    case noItems
    /// Nobody stands on this level above the member.
    case noSuchLevel(level: Int)
    /// A fixed amount in another currency than the program's.
    case otherCurrency(rule: Currency, program: Currency)
    /// A sale in another currency than the program's, in which the bounds of tiers and the amounts of caps are.
    case saleInOtherCurrency(sale: Currency, program: Currency)
    /// The tier that is reached pays less than has been paid already.
    case tiersFall
    /// A sale below 0.
    case negativeAmount
    /// The exact result rounds to nothing.
    case zeroAmount
    /// A number beyond Int64.
    case overflow
    /// A reward that no ledger unit can hold; everything else about the rule holds.
    case notPayable(kind: String)
    /// The shares given are more than the whole.
    case sharesExceedWhole
    /// More credited members than `creditedMembersLimit`.
    case tooManyMembers(limit: Int)
    /// More items than `SaleFacts.itemsLimit`.
    case tooManyItems(limit: Int)
    /// Found by the caller with `Cap.allow`.
    case capReached(withheld: Amount)

    public var code: String {
        switch self {
        case .notInForce: "notInForce"
        case .otherEvent: "otherEvent"
        case .noAttribution: "noAttribution"
        case .monthsOver: "monthsOver"
        case .conditionFailed: "conditionFailed"
        case .noItems: "noItems"
        case .noSuchLevel: "noSuchLevel"
        case .otherCurrency: "otherCurrency"
        case .saleInOtherCurrency: "saleInOtherCurrency"
        case .tiersFall: "tiersFall"
        case .negativeAmount: "negativeAmount"
        case .zeroAmount: "zeroAmount"
        case .overflow: "overflow"
        case .notPayable: "notPayable"
        case .sharesExceedWhole: "sharesExceedWhole"
        case .tooManyMembers: "tooManyMembers"
        case .tooManyItems: "tooManyItems"
        case .capReached: "capReached"
        }
    }
}
