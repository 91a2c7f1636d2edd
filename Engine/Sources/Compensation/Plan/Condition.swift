public import Money

/// A condition on one member in one period.
public indirect enum Condition: Hashable, Sendable {
    case always
    case never
    /// All hold; true when empty.
    case all([Condition])
    /// At least one holds; false when empty.
    case any([Condition])
    case not(Condition)
    case atLeast(Metric, Int64)
    case status(Set<MemberStatus>)
    /// The attribute's text is exactly this one.
    case attribute(String, equals: String)
    /// The plan's `active` condition, or a waiver.
    case active
    /// The paid-as rank is this one or higher. Only where ranks are known: bonuses and late trackers.
    case paidRank(atLeast: Int)
    /// The highest rank ever, this period included.
    case highestRank(atLeast: Int)

    public static let depthLimit = 32
    public static let termsLimit = 256
}

/// A volume of an order.
public enum Volume: Hashable, Sendable, CaseIterable {
    /// CV, the base of most bonuses.
    case commission
    /// QV, which selects ranks and slabs.
    case qualifying
    /// The money of the order, in minor units.
    case amount

    public var code: String {
        switch self {
        case .commission: "cv"
        case .qualifying: "qv"
        case .amount: "amount"
        }
    }
}

/// Whose orders a personal volume counts.
public enum VolumeOwner: Hashable, Sendable, CaseIterable {
    /// The own purchases.
    case own
    /// Those of customers whose nearest promoter above is this member.
    case customers
    case both

    public var code: String {
        switch self {
        case .own: "own"
        case .customers: "customers"
        case .both: "both"
        }
    }
}

/// A number per member and period. Volumes are in minor units.
public enum Metric: Hashable, Sendable {
    case personalVolume(Volume, of: VolumeOwner, on: TreeCode)
    /// Own + own customers' + every promoter's below with theirs; `depth` counts promoters, nil is without end.
    case groupVolume(Volume, on: TreeCode, depth: Int?)
    /// Group volume with a limit on what one leg may add. With a limit of the requirement, the requirement is the
    /// number that the condition compares with.
    case limitedGroupVolume(Volume, on: TreeCode, limit: LegLimit)
    /// Group volume without every head at `rank` or above (achieved rank) and all that is below such a head.
    case groupVolumeOutside(Volume, on: TreeCode, rank: Int)
    /// Group volume − largest leg.
    case outsideVolume(Volume, on: TreeCode)
    case largestLeg(Volume, on: TreeCode)
    /// Legs whose group volume is at least `volume`.
    case legsWithVolume(Volume, on: TreeCode, atLeast: Int64)
    /// Legs whose head has achieved `rank` or above; `anywhere`: anybody in the leg.
    case legsWithRank(Int, on: TreeCode, anywhere: Bool)
    /// Legs whose head is active; `anywhere`: anybody in the leg.
    case activeLegs(on: TreeCode, anywhere: Bool)
    /// Active promoters with this member as enroller.
    case enrolledActive
    /// Active promoters enrolled by this member that stand in the left (1) or right (2) leg of the tree.
    case enrolledActiveInLeg(Int, on: TreeCode)
    /// Own customers whose volume in the period is at least this.
    case customers(Volume, atLeast: Int64)
    /// Whole months from the local day of joining to the last day of the period.
    case tenureMonths
    /// How many periods in a row, up to this one, the tracker held (at most 64).
    case consecutivePeriods(tracker: String)
    /// In how many of the last `within` periods, this one included, the tracker held.
    case qualifiedPeriods(tracker: String, within: Int)

    public var code: String {
        switch self {
        case .personalVolume: "personalVolume"
        case .groupVolume: "groupVolume"
        case .limitedGroupVolume: "limitedGroupVolume"
        case .groupVolumeOutside: "groupVolumeOutside"
        case .outsideVolume: "outsideVolume"
        case .largestLeg: "largestLeg"
        case .legsWithVolume: "legsWithVolume"
        case .legsWithRank: "legsWithRank"
        case .activeLegs: "activeLegs"
        case .enrolledActive: "enrolledActive"
        case .enrolledActiveInLeg: "enrolledActiveInLeg"
        case .customers: "customers"
        case .tenureMonths: "tenureMonths"
        case .consecutivePeriods: "consecutivePeriods"
        case .qualifiedPeriods: "qualifiedPeriods"
        }
    }

    /// Metrics that can only be known while ranks are being given.
    var readsRank: Bool {
        switch self {
        case .legsWithRank, .groupVolumeOutside: true
        default: false
        }
    }
}


/// How much of a group volume one leg may be.
public struct LegLimit: Hashable, Sendable {
    public enum Of: Hashable, Sendable, CaseIterable {
        /// Each leg counts at most `share` × the required volume, cut to whole minor units.
        case requirement
        /// The largest counted legs with leg ≤ `share` × (personal + counted legs); compared exactly, shown cut.
        case total
        public var code: String { self == .requirement ? "requirement" : "total" }
    }
    public var share: SharePPM
    public var of: Of
    /// Whether the own and own customers' volume is limited like a leg.
    public var limitsPersonal: Bool

    /// `limitsPersonal` nil: true for the requirement, false for the total.
    public init(share: SharePPM, of: Of, limitsPersonal: Bool? = nil) {
        self.share = share
        self.of = of
        self.limitsPersonal = limitsPersonal ?? (of == .requirement)
    }
}
