public import Money

/// One version of a compensation plan: plain data, no code. Ranks count from 1 (the lowest) in the order of `ranks`;
/// 0 means "no rank". Every option has the default that `docs/plans.md` documents.
public struct Plan: Hashable, Sendable {
    public var code: String
    public var version: Int
    /// Amounts are whole minor units of this unit.
    public var unit: UnitCode
    public var calendar: PlanCalendar
    /// What "active" means. It may not read ranks.
    public var active: Condition
    public var ranks: [Rank]
    public var rankRule: RankRule
    /// Conditions whose outcome is remembered period by period.
    public var trackers: [Tracker]
    /// Computed in this order; a bonus that reads another (matching, commission as base, tags) stands after it.
    public var bonuses: [Bonus]
    /// What becomes of the earnings of those who have sold or used too little of what they bought; nil: nothing. It stands before the caps of
    /// person and plan.
    public var soldOrUsed: SoldOrUsedRule?
    /// The most one person may earn in a period, by paid-as rank (the last entry goes on); empty: no cap.
    public var personCapMinor: [Int64]
    /// The most the plan may pay as a share of the company's CV of the period; nil: no cap.
    public var planCap: Rate?
    /// Most ranks, bonuses, trackers.
    public static let ranksLimit = 60
    public static let bonusesLimit = 64
    public static let trackersLimit = 16
    /// Most levels of a rate table, and the deepest counted group volume.
    public static let levelsLimit = 100

    public init(
        code: String, version: Int = 1, unit: UnitCode, calendar: PlanCalendar = PlanCalendar(),
        active: Condition = .status([.active]), ranks: [Rank] = [], rankRule: RankRule = RankRule(),
        trackers: [Tracker] = [], bonuses: [Bonus], soldOrUsed: SoldOrUsedRule? = nil, personCapMinor: [Int64] = [],
        planCap: Rate? = nil
    ) {
        self.code = code
        self.version = version
        self.unit = unit
        self.calendar = calendar
        self.active = active
        self.ranks = ranks
        self.rankRule = rankRule
        self.trackers = trackers
        self.bonuses = bonuses
        self.soldOrUsed = soldOrUsed
        self.personCapMinor = personCapMinor
        self.planCap = planCap
    }
}

/// The name of a tree: `enroller` (who introduced; never changes), `placement`, or a placement tree of the plan's own.
public struct TreeCode: Hashable, Sendable {
    public let code: String
    public init(_ code: String) { self.code = code }
    public static let enroller = TreeCode("enroller")
    public static let placement = TreeCode("placement")
}

public enum MemberKind: UInt8, Hashable, Sendable, CaseIterable {
    case customer, promoter
    public var code: String { self == .customer ? "customer" : "promoter" }
}

public enum MemberStatus: UInt8, Hashable, Sendable, CaseIterable {
    case active, inactive, suspended, terminated, erased
    public var code: String {
        switch self {
        case .active: "active"
        case .inactive: "inactive"
        case .suspended: "suspended"
        case .terminated: "terminated"
        case .erased: "erased"
        }
    }
}

/// A rank and its own conditions.
public struct Rank: Hashable, Sendable {
    public var code: String
    /// May read metrics, leg ranks of `RankRule.tree`'s legs, and trackers that read no rank; not the own rank.
    public var condition: Condition

    public init(code: String, condition: Condition) {
        self.code = code
        self.condition = condition
    }
}

/// How ranks are given and kept.
public struct RankRule: Hashable, Sendable {
    /// True: a rank also needs the conditions of all ranks below it. False (default): only its own.
    public var isCumulative: Bool
    /// For how many periods after the last one in which it was achieved a paid-as rank is kept.
    public var gracePeriods: Int
    /// The tree whose QV stands in statements.
    public var tree: TreeCode

    public init(isCumulative: Bool = false, gracePeriods: Int = 0, tree: TreeCode = .enroller) {
        self.isCumulative = isCumulative
        self.gracePeriods = gracePeriods
        self.tree = tree
    }
}

/// A named condition whose outcome is remembered for the last 64 periods.
public struct Tracker: Hashable, Sendable {
    public var code: String
    public var condition: Condition

    public init(code: String, condition: Condition) {
        self.code = code
        self.condition = condition
    }
}
