public import Money

/// A rate chosen by one metric, times another.
public struct SlabRule: Hashable, Sendable {
    public var slabs: [Slab]
    public var by: Metric
    public var on: Metric
    public init(slabs: [Slab], by: Metric, on: Metric) {
        self.slabs = slabs
        self.by = by
        self.on = on
    }
}

/// Own slab % × own group volume − Σ leg slab % × leg volume.
public struct DifferentialRule: Hashable, Sendable {
    public enum Clamp: Hashable, Sendable, CaseIterable {
        /// The total is never below 0.
        case total
        /// No leg's part is below 0.
        case leg
        public var code: String { self == .total ? "total" : "leg" }
    }
    public enum Ineligible: Hashable, Sendable, CaseIterable {
        /// The slab of an ineligible person still deducts above; the amount stays with the company.
        case breakage
        /// Only what eligible people below have taken deducts above.
        case passUp
        public var code: String { self == .breakage ? "breakage" : "passUp" }
    }
    /// By the group's volume of `slabVolume`.
    public var slabs: [Slab]
    public var slabVolume: Volume
    public var clamp: Clamp
    public var ineligible: Ineligible
    public init(
        slabs: [Slab], slabVolume: Volume = .qualifying, clamp: Clamp = .total, ineligible: Ineligible = .breakage
    ) {
        self.slabs = slabs
        self.slabVolume = slabVolume
        self.clamp = clamp
        self.ineligible = ineligible
    }
}

/// A differential in which legs at the top slab leave the group, with an override on them.
public struct BreakawayRule: Hashable, Sendable {
    /// By the whole group's volume of `slabVolume`; the last slab is the top.
    public var slabs: [Slab]
    public var slabVolume: Volume
    public var override: Rate
    /// Base volume that the guarantee of the override is counted on; 0: no guarantee.
    public var guaranteedMinor: Int64
    public init(slabs: [Slab], override: Rate, slabVolume: Volume = .qualifying, guaranteedMinor: Int64 = 0) {
        self.slabs = slabs
        self.override = override
        self.slabVolume = slabVolume
        self.guaranteedMinor = guaranteedMinor
    }
}

/// Left and right volume with carry.
public struct BinaryRule: Hashable, Sendable {
    public enum Match: Hashable, Sendable {
        /// rate[rank] × the weaker leg; both legs lose the weaker leg's volume.
        case percentOfWeaker([Rate])
        /// Whole cycles of left : right units at a value by rank. Mirrored: the larger part from the fuller leg.
        case cycles(left: Int64, right: Int64, mirrored: Bool, valueMinor: [Int64])
        /// The highest step that both legs reach; both lose its volume, once a period.
        case steps([Step])
        /// Pairs of `unit` : `unit`, or 2 × `unit` : `unit` mirrored; rate[rank] × `unit` for each pair.
        case unitPairs(unit: Int64, twoToOne: Bool, rates: [Rate])

        public var code: String {
            switch self {
            case .percentOfWeaker: "percentOfWeaker"
            case .cycles: "cycles"
            case .steps: "steps"
            case .unitPairs: "unitPairs"
            }
        }
    }
    public struct Step: Hashable, Sendable {
        public var volume: Int64
        public var amountMinor: Int64
        public init(volume: Int64, amountMinor: Int64) {
            self.volume = volume
            self.amountMinor = amountMinor
        }
    }
    public enum OverCap: Hashable, Sendable, CaseIterable {
        /// The volume is used up, the amount cut.
        case truncate
        /// Volume above the cap stays unmatched.
        case bankVolume
        /// The cut amount is paid in later periods, under their caps.
        case bankAmount
        public var code: String {
            switch self {
            case .truncate: "truncate"
            case .bankVolume: "bankVolume"
            case .bankAmount: "bankAmount"
            }
        }
    }
    public enum OwnVolume: Hashable, Sendable, CaseIterable {
        case none, weaker, left, right
        public var code: String {
            switch self {
            case .none: "none"
            case .weaker: "weaker"
            case .left: "left"
            case .right: "right"
            }
        }
    }
    public var match: Match
    /// By rank, per period; empty: none. This cap belongs to the match and stands before `Bonus.capMinor`.
    public var capMinor: [Int64]
    public var overCap: OverCap
    /// Whose volume is flushed. Default: the inactive.
    public var flush: Condition
    /// Volume older than so many periods expires after matching, oldest first; 1: nothing outlives the next period;
    /// nil: never.
    public var expiresAfterPeriods: Int?
    public var ownVolume: OwnVolume
    public init(
        match: Match, capMinor: [Int64] = [], overCap: OverCap = .truncate, flush: Condition = .not(.active),
        expiresAfterPeriods: Int? = nil, ownVolume: OwnVolume = .none
    ) {
        self.match = match
        self.capMinor = capMinor
        self.overCap = overCap
        self.flush = flush
        self.expiresAfterPeriods = expiresAfterPeriods
        self.ownVolume = ownVolume
    }
}

/// rate[rank][k] of what the k-th generation below earned from the named bonuses, after their caps.
public struct MatchingRule: Hashable, Sendable {
    public var bonuses: Set<String>
    public var rates: RateTable
    public var compression: Compression
    public init(bonuses: Set<String>, rates: RateTable, compression: Compression = .none) {
        self.bonuses = bonuses
        self.rates = rates
        self.compression = compression
    }
}

/// A share of the company's base volume, split among those eligible.
public struct PoolRule: Hashable, Sendable {
    public enum Shares: Hashable, Sendable {
        /// By rank; the last entry goes on.
        case byRank([Int64])
        /// Whole units of a metric.
        case byMetric(Metric, per: Int64)
        /// Position 1 is the highest score; ties: whose last order is earlier, then `joined_at`, then id.
        case byPosition(score: Metric, weights: [Int64])
        public var code: String {
            switch self {
            case .byRank: "byRank"
            case .byMetric: "byMetric"
            case .byPosition: "byPosition"
            }
        }
    }
    public var rate: Rate
    public var shares: Shares
    /// Set: one pool for each value of this attribute, fed by buyers and shared by members with that value.
    public var perAttribute: String?
    public init(rate: Rate, shares: Shares, perAttribute: String? = nil) {
        self.rate = rate
        self.shares = shares
        self.perAttribute = perAttribute
    }
}

/// Fixed amounts for reaching a rank for the first time.
public struct RankAdvancementRule: Hashable, Sendable {
    /// By rank (entry 0 is rank 1).
    public var amountsMinor: [Int64]
    /// Equal payments, the first in the period of the achievement, split by largest remainder.
    public var payments: Int
    /// A rank lost within so many periods after the achievement: what was paid is taken back and the rest not paid.
    public var keepPeriods: Int
    /// Whether ranks that were jumped over pay too.
    public var paysSkipped: Bool
    public init(amountsMinor: [Int64], payments: Int = 1, keepPeriods: Int = 0, paysSkipped: Bool = true) {
        self.amountsMinor = amountsMinor
        self.payments = payments
        self.keepPeriods = keepPeriods
        self.paysSkipped = paysSkipped
    }
}

/// A fixed amount the first time that the bonus's eligibility and the condition hold.
public struct MilestoneRule: Hashable, Sendable {
    public var condition: Condition
    public var amountMinor: Int64
    public var payments: Int
    /// The condition must hold for so many periods after; else what was paid is taken back.
    public var keepPeriods: Int
    public init(condition: Condition, amountMinor: Int64, payments: Int = 1, keepPeriods: Int = 0) {
        self.condition = condition
        self.amountMinor = amountMinor
        self.payments = payments
        self.keepPeriods = keepPeriods
    }
}
