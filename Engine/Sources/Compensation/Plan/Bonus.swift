import Money

/// One bonus of a plan: its rule and what all bonuses share.
public struct Bonus: Hashable, Sendable {
    /// Lower-case name, unique in the plan; stands in lines and files.
    public var code: String
    public var rule: BonusRule
    /// Who may earn it. Default: active.
    public var eligibility: Condition
    /// What rates multiply. Default: CV.
    public var base: BonusBase
    /// Where levels and legs are counted. Default: enroller.
    public var tree: TreeCode
    /// Which orders count.
    public var orders: OrderFilter
    /// One rounding per payee, bonus and event, or per payee, bonus and period.
    public var roundingScope: RoundingScope
    public var rounding: RoundingMode
    /// The most one person earns from it in a period, by paid-as rank (the last entry goes on); empty: no cap.
    public var capMinor: [Int64]
    /// Orders that this bonus takes get the tag.
    public var marks: OrderMark?
    /// Orders with one of these tags are left alone.
    public var skipsTags: Set<String>
    /// What a refund of an order of an earlier period does; nil: the rule's default.
    public var refunds: RefundTreatment?
    /// Whether ranks that rates depend on are paid-as (default) or highest ever.
    public var rankBasis: RankBasis

    public init(
        code: String, rule: BonusRule, eligibility: Condition = .active, base: BonusBase = .volume(.commission),
        tree: TreeCode = .enroller, orders: OrderFilter = OrderFilter(), roundingScope: RoundingScope = .order,
        rounding: RoundingMode = .halfEven, capMinor: [Int64] = [], marks: OrderMark? = nil,
        skipsTags: Set<String> = [], refunds: RefundTreatment? = nil, rankBasis: RankBasis = .paidAs
    ) {
        self.code = code
        self.rule = rule
        self.eligibility = eligibility
        self.base = base
        self.tree = tree
        self.orders = orders
        self.roundingScope = roundingScope
        self.rounding = rounding
        self.capMinor = capMinor
        self.marks = marks
        self.skipsTags = skipsTags
        self.refunds = refunds
        self.rankBasis = rankBasis
    }

    /// `refunds`, or the default: debit where lines belong to orders, negative volume elsewhere.
    public var refundTreatment: RefundTreatment { refunds ?? (rule.hasOrderLines ? .debit : .volume) }
}

public enum BonusRule: Hashable, Sendable {
    case direct(DirectRule)
    case unilevel(UnilevelRule)
    case fastStart(FastStartRule)
    case tiered(TieredRule)
    case slab(SlabRule)
    case differential(DifferentialRule)
    case rankDifferential(RankDifferentialRule)
    case breakaway(BreakawayRule)
    case generation(GenerationRule)
    case infinity(InfinityRule)
    case binary(BinaryRule)
    /// A unilevel on a placement tree of a fixed width.
    case matrix(UnilevelRule, width: Int)
    case matching(MatchingRule)
    case pool(PoolRule)
    case rankAdvancement(RankAdvancementRule)
    case milestone(MilestoneRule)

    public var code: String {
        switch self {
        case .direct: "direct"
        case .unilevel: "unilevel"
        case .fastStart: "fastStart"
        case .tiered: "tiered"
        case .slab: "slab"
        case .differential: "differential"
        case .rankDifferential: "rankDifferential"
        case .breakaway: "breakaway"
        case .generation: "generation"
        case .infinity: "infinity"
        case .binary: "binary"
        case .matrix: "matrix"
        case .matching: "matching"
        case .pool: "pool"
        case .rankAdvancement: "rankAdvancement"
        case .milestone: "milestone"
        }
    }

    /// Whether each line belongs to one order, so that a refund can take it back.
    public var hasOrderLines: Bool {
        switch self {
        case .direct, .unilevel, .fastStart, .rankDifferential, .generation, .infinity, .matrix, .tiered: true
        case .slab, .differential, .breakaway, .binary, .matching, .pool, .rankAdvancement, .milestone: false
        }
    }
}

extension BonusRule {
    /// Whether the base is a volume that the bonus's orders make.
    var hasVolumeBase: Bool {
        switch self {
        case .differential, .breakaway, .binary, .pool: true
        default: false
        }
    }
}

public enum BonusBase: Hashable, Sendable {
    case volume(Volume)
    /// What the named earlier bonus paid on the same order, rounded, before caps. Only for bonuses with order lines.
    case commission(of: String)
}

public enum RoundingScope: Hashable, Sendable, CaseIterable {
    /// Per payee, bonus and order (or other event: the matched member, the true-up).
    case order
    /// Per payee, bonus and period; lines get floor or ceiling by largest remainder.
    case period
    public var code: String { self == .order ? "order" : "period" }
}

public enum RoundingMode: Hashable, Sendable, CaseIterable {
    case halfEven
    /// Halves away from zero.
    case halfUp
    /// Towards zero.
    case down
    public var code: String {
        switch self {
        case .halfEven: "halfEven"
        case .halfUp: "halfUp"
        case .down: "down"
        }
    }
}

public enum RankBasis: Hashable, Sendable, CaseIterable {
    case paidAs
    /// The highest rank ever.
    case career
    public var code: String { self == .paidAs ? "paidAs" : "career" }
}

public enum RefundTreatment: Hashable, Sendable, CaseIterable {
    /// The paid lines of that order are taken back in proportion, as paid after caps.
    case debit
    /// The refund is negative volume in its own period.
    case volume
    /// Paid ÷ base of the payee and bonus in the purchase period, times the refunded base.
    case averageRate
    public var code: String {
        switch self {
        case .debit: "debit"
        case .volume: "volume"
        case .averageRate: "averageRate"
        }
    }
}

public struct OrderMark: Hashable, Sendable {
    public enum Scope: Hashable, Sendable, CaseIterable {
        /// Every order that passes the filter (and the fast start window), paid or not.
        case everyOrder
        /// Only orders that gave at least one line.
        case onlyPaid
        public var code: String { self == .everyOrder ? "everyOrder" : "onlyPaid" }
    }
    public var tag: String
    public var scope: Scope
    public init(tag: String, scope: Scope = .everyOrder) {
        self.tag = tag
        self.scope = scope
    }
    /// Most different tags of a plan.
    public static let tagsLimit = 32
}

/// Orders must pass every part that is set.
public struct OrderFilter: Hashable, Sendable {
    public enum Turn: Hashable, Sendable, CaseIterable {
        case any, first, renewal
        public var code: String {
            switch self {
            case .any: "any"
            case .first: "first"
            case .renewal: "renewal"
            }
        }
    }
    /// Nil: buyers of both kinds.
    public var buyer: MemberKind?
    /// Empty: every product.
    public var products: Set<String>
    public var excludedProducts: Set<String>
    /// The buyer's first order ever, or a later one.
    public var turn: Turn
    /// Order money, half-open: from ≤ amount < below.
    public var fromMinor: Int64?
    public var belowMinor: Int64?

    public init(
        buyer: MemberKind? = nil, products: Set<String> = [], excludedProducts: Set<String> = [], turn: Turn = .any,
        fromMinor: Int64? = nil, belowMinor: Int64? = nil
    ) {
        self.buyer = buyer
        self.products = products
        self.excludedProducts = excludedProducts
        self.turn = turn
        self.fromMinor = fromMinor
        self.belowMinor = belowMinor
    }
}
