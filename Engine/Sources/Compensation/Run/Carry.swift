public import Chronology

/// What one period hands to the next. Everything is by id, sorted by id bytes, so that it outlives renumbering.
public struct Carry: Hashable, Sendable {
    public struct Member: Hashable, Sendable {
        public var id: String
        public var highestRank: Int
        /// The paid-as rank that grace keeps, and for how many periods it has been missed.
        public var keptRank: Int
        public var missedPeriods: Int
        /// One bit per period for each tracker, the last period lowest.
        public var trackers: [UInt64]
        public var hasOrdered: Bool
        /// What could not be recovered, ≥ 0.
        public var debtMinor: Int64
        public init(
            id: String, highestRank: Int = 0, keptRank: Int = 0, missedPeriods: Int = 0, trackers: [UInt64] = [],
            hasOrdered: Bool = false, debtMinor: Int64 = 0
        ) {
            self.id = id
            self.highestRank = highestRank
            self.keptRank = keptRank
            self.missedPeriods = missedPeriods
            self.trackers = trackers
            self.hasOrdered = hasOrdered
            self.debtMinor = debtMinor
        }
    }
    /// A layer of unmatched volume of one leg, born in the period that starts on that day.
    public struct Leg: Hashable, Sendable {
        public var bonus: String
        public var id: String
        /// 1 left, 2 right.
        public var slot: Int
        public var bornOn: LocalDay
        /// How many periods old it is.
        public var agePeriods: Int
        public var volume: Int64
        public init(bonus: String, id: String, slot: Int, bornOn: LocalDay, agePeriods: Int, volume: Int64) {
            self.bonus = bonus
            self.id = id
            self.slot = slot
            self.bornOn = bornOn
            self.agePeriods = agePeriods
            self.volume = volume
        }
    }
    /// Money over a cap that is banked.
    public struct Banked: Hashable, Sendable {
        public var bonus: String
        public var id: String
        public var amountMinor: Int64
        public init(bonus: String, id: String, amountMinor: Int64) {
            self.bonus = bonus
            self.id = id
            self.amountMinor = amountMinor
        }
    }
    /// The running total of a tiered bonus; `yearOf` is 0 for a lifetime's.
    public struct Tier: Hashable, Sendable {
        public var bonus: String
        public var id: String
        public var year: Int
        public var baseMinor: Int64
        /// What the company kept, in billionths of a minor unit.
        public var companyExact: Int128
        public init(bonus: String, id: String, year: Int, baseMinor: Int64, companyExact: Int128 = 0) {
            self.bonus = bonus
            self.id = id
            self.year = year
            self.baseMinor = baseMinor
            self.companyExact = companyExact
        }
    }
    /// A rank advancement or milestone that was reached.
    public struct Award: Hashable, Sendable {
        public var bonus: String
        public var id: String
        /// 0 for milestones.
        public var rank: Int
        public var agePeriods: Int
        public var paymentsMade: Int
        public var paidMinor: Int64
        public var isClawedBack: Bool
        public init(
            bonus: String, id: String, rank: Int, agePeriods: Int = 0, paymentsMade: Int = 0, paidMinor: Int64 = 0,
            isClawedBack: Bool = false
        ) {
            self.bonus = bonus
            self.id = id
            self.rank = rank
            self.agePeriods = agePeriods
            self.paymentsMade = paymentsMade
            self.paidMinor = paidMinor
            self.isClawedBack = isClawedBack
        }
    }

    public var members: [Member] = []
    public var legs: [Leg] = []
    public var banked: [Banked] = []
    public var tiers: [Tier] = []
    public var awards: [Award] = []

    public init() {}
}

/// An order of an earlier period that is being refunded now: what was paid on it, after caps.
public struct PastOrder: Hashable, Sendable {
    public struct Paid: Hashable, Sendable {
        public var memberId: String
        public var bonus: String
        public var level: Int
        /// After caps.
        public var amountMinor: Int64
        /// Already taken back by earlier refunds.
        public var reversedMinor: Int64
        /// For `averageRate`: what the payee got from the bonus in that period, and on which base.
        public var periodPaidMinor: Int64
        public var periodBaseMinor: Int64
        public init(
            memberId: String, bonus: String, level: Int = 0, amountMinor: Int64, reversedMinor: Int64 = 0,
            periodPaidMinor: Int64 = 0, periodBaseMinor: Int64 = 0
        ) {
            self.memberId = memberId
            self.bonus = bonus
            self.level = level
            self.amountMinor = amountMinor
            self.reversedMinor = reversedMinor
            self.periodPaidMinor = periodPaidMinor
            self.periodBaseMinor = periodBaseMinor
        }
    }
    public var orderId: String
    public var amountMinor: Int64
    public var commissionVolume: Int64
    public var qualifyingVolume: Int64
    /// Refunded in earlier periods, as positive numbers.
    public var refundedAmountMinor: Int64
    public var refundedCommissionVolume: Int64
    public var refundedQualifyingVolume: Int64
    public var paid: [Paid]
    public init(
        orderId: String, amountMinor: Int64, commissionVolume: Int64? = nil, qualifyingVolume: Int64? = nil,
        refundedAmountMinor: Int64 = 0, refundedCommissionVolume: Int64 = 0, refundedQualifyingVolume: Int64 = 0,
        paid: [Paid]
    ) {
        self.orderId = orderId
        self.amountMinor = amountMinor
        self.commissionVolume = commissionVolume ?? amountMinor
        self.qualifyingVolume = qualifyingVolume ?? amountMinor
        self.refundedAmountMinor = refundedAmountMinor
        self.refundedCommissionVolume = refundedCommissionVolume
        self.refundedQualifyingVolume = refundedQualifyingVolume
        self.paid = paid
    }
}

/// A decision by a person, with author and reason, shown on the receipt.
public struct Override: Hashable, Sendable {
    public enum Kind: Hashable, Sendable {
        /// Achieved and paid-as rank, seen by the upline too.
        case forcedRank(Int)
        /// Counts as active.
        case activityWaiver
        /// Counts as eligible for the bonus.
        case eligibilityWaiver(bonus: String)
        /// A line of its own under the bonus.
        case adjustment(bonus: String, amountMinor: Int64)
        public var code: String {
            switch self {
            case .forcedRank: "forcedRank"
            case .activityWaiver: "activityWaiver"
            case .eligibilityWaiver: "eligibilityWaiver"
            case .adjustment: "adjustment"
            }
        }
        /// What two decisions of one kind differ in.
        var detail: String {
            switch self {
            case .forcedRank(let rank): "\(rank)"
            case .activityWaiver: ""
            case .eligibilityWaiver(let bonus): bonus
            case .adjustment(let bonus, let amount): "\(bonus) \(amount)"
            }
        }
    }
    public var memberId: String
    public var kind: Kind
    public var author: String
    public var reason: String
    public init(memberId: String, kind: Kind, author: String, reason: String) {
        self.memberId = memberId
        self.kind = kind
        self.author = author
        self.reason = reason
    }
}
