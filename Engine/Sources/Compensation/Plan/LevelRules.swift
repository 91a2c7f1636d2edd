public import Money

/// % or a flat amount to the seller: the nearest promoter above the buyer. The first term whose filter fits decides.
public struct DirectRule: Hashable, Sendable {
    public enum Reward: Hashable, Sendable {
        /// By rank; the last entry goes on.
        case percent([Rate])
        /// Minor units per order, by rank; negative orders pay the negative amount.
        case flat([Int64])
    }
    public struct Term: Hashable, Sendable {
        public var orders: OrderFilter
        public var reward: Reward
        public init(orders: OrderFilter = OrderFilter(), reward: Reward) {
            self.orders = orders
            self.reward = reward
        }
    }
    public enum OwnPurchases: Hashable, Sendable, CaseIterable {
        /// A promoter's own orders pay nobody.
        case excluded
        /// They pay the nearest promoter above the buyer.
        case paySeller
        /// They pay the buyer.
        case payBuyer
        public var code: String {
            switch self {
            case .excluded: "excluded"
            case .paySeller: "paySeller"
            case .payBuyer: "payBuyer"
            }
        }
    }
    public var terms: [Term]
    public var ownPurchases: OwnPurchases
    public init(terms: [Term], ownPurchases: OwnPurchases = .excluded) {
        self.terms = terms
        self.ownPurchases = ownPurchases
    }
}

/// What happens where the person at a level is not qualified.
public enum Compression: Hashable, Sendable {
    /// The level earns nothing: breakage.
    case none
    /// Promoters who don't meet the condition are dropped before levels are counted.
    case removeInactive(Condition)
    /// For each level go up to the next person qualified for that level; later levels go on above that person. Once a
    /// level finds nobody, the rest find nobody.
    case perLevel
    /// Physical levels keep their numbers; the level of an unqualified person goes to the next person above qualified
    /// for it, at that person's rate for it. Not stacking: as `perLevel`.
    case rollUp(stacks: Bool)

    public var code: String {
        switch self {
        case .none: "none"
        case .removeInactive: "removeInactive"
        case .perLevel: "perLevel"
        case .rollUp: "rollUp"
        }
    }
}

/// Where level 1 is.
public enum FirstLevel: Hashable, Sendable, CaseIterable {
    /// The nearest promoter above the buyer.
    case aboveBuyer
    /// The buyer, when a promoter; else as `aboveBuyer`.
    case buyer
    /// The nearest promoter above the seller (who is the nearest promoter above the buyer).
    case aboveSeller
    public var code: String {
        switch self {
        case .aboveBuyer: "aboveBuyer"
        case .buyer: "buyer"
        case .aboveSeller: "aboveSeller"
        }
    }
}

/// The n-th counted ancestor of the buyer earns rate[rank][n] × base.
public struct UnilevelRule: Hashable, Sendable {
    public var rates: RateTable
    public var compression: Compression
    public var firstLevel: FirstLevel
    public init(rates: RateTable, compression: Compression = .none, firstLevel: FirstLevel = .aboveBuyer) {
        self.rates = rates
        self.compression = compression
        self.firstLevel = firstLevel
    }
}

/// Unilevel on the orders of new members. Local dates: the joining day is day 1, the joining month month 1.
public struct FastStartRule: Hashable, Sendable {
    public enum Window: Hashable, Sendable {
        case days(Int)
        case calendarMonths(Int)
    }
    public var rates: RateTable
    public var window: Window
    public var compression: Compression
    public init(rates: RateTable, window: Window, compression: Compression = .none) {
        self.rates = rates
        self.window = window
        self.compression = compression
    }
}

/// Slabs over a running total of the payee's base.
public struct TieredRule: Hashable, Sendable {
    public enum Mode: Hashable, Sendable, CaseIterable {
        /// Each part of an order earns the rate of the slab it falls in.
        case marginal
        /// As marginal, and when a slab is reached a true-up line pays its rate on all that came before.
        case retroactive
        public var code: String { self == .marginal ? "marginal" : "retroactive" }
    }
    public enum Scope: Hashable, Sendable, CaseIterable {
        case order, period, year, lifetime
        public var code: String {
            switch self {
            case .order: "order"
            case .period: "period"
            case .year: "year"
            case .lifetime: "lifetime"
            }
        }
    }
    public enum Measure: Hashable, Sendable, CaseIterable {
        /// Slab bounds are volumes of the base.
        case base
        /// Slab bounds are what the company has kept: base − paid. Only marginal; rates of at most 1.
        case companyShare
        public var code: String { self == .base ? "base" : "companyShare" }
    }
    public var tiers: [Slab]
    public var mode: Mode
    public var scope: Scope
    public var measure: Measure
    public var ownPurchases: DirectRule.OwnPurchases
    public init(
        tiers: [Slab], mode: Mode = .marginal, scope: Scope = .period, measure: Measure = .base,
        ownPurchases: DirectRule.OwnPurchases = .excluded
    ) {
        self.tiers = tiers
        self.mode = mode
        self.scope = scope
        self.measure = measure
        self.ownPurchases = ownPurchases
    }
}

/// Going up from the buyer, each eligible person whose rate is above all rates collected so far earns the difference.
public struct RankDifferentialRule: Hashable, Sendable {
    /// By rank; the last entry goes on.
    public var rates: [Rate]
    /// Whether a buyer who is an eligible promoter collects first.
    public var buyerCollects: Bool
    public init(rates: [Rate], buyerCollects: Bool = false) {
        self.rates = rates
        self.buyerCollects = buyerCollects
    }
}

/// Volume by generations of leaders: the number of leaders below the payee, down to and including the buyer.
public struct GenerationRule: Hashable, Sendable {
    public enum Boundary: Hashable, Sendable {
        /// Leaders are those at the payee's rank or above.
        case ownRank
        /// Leaders are those at this rank or above, whoever the payee is.
        case rank(Int)
        public var code: String { self == .ownRank ? "ownRank" : "rank" }
    }
    public enum Unqualified: Hashable, Sendable, CaseIterable {
        /// A leader who isn't eligible is no boundary.
        case compress
        /// Such a leader closes a generation all the same.
        case block
        public var code: String { self == .compress ? "compress" : "block" }
    }
    /// rate[rank][generation]
    public var rates: RateTable
    public var boundary: Boundary
    public var unqualifiedLeaders: Unqualified
    /// The lowest rank that earns.
    public var fromRank: Int
    public init(
        rates: RateTable, boundary: Boundary = .ownRank, unqualifiedLeaders: Unqualified = .compress, fromRank: Int = 1
    ) {
        self.rates = rates
        self.boundary = boundary
        self.unqualifiedLeaders = unqualifiedLeaders
        self.fromRank = fromRank
    }
}

/// A % on everything deeper than `belowLevel`, until a leader of an equal or higher rank.
public struct InfinityRule: Hashable, Sendable {
    public enum Blocking: Hashable, Sendable, CaseIterable {
        case stop
        /// Only what exceeds the rates collected below on the line.
        case difference
        public var code: String { self == .stop ? "stop" : "difference" }
    }
    /// By rank; the last entry goes on.
    public var rates: [Rate]
    /// The last level that another bonus pays; levels count promoters above the buyer.
    public var belowLevel: Int
    public var blocking: Blocking
    public init(rates: [Rate], belowLevel: Int, blocking: Blocking = .stop) {
        self.rates = rates
        self.belowLevel = belowLevel
        self.blocking = blocking
    }
}
