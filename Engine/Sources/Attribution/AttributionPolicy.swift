/// How credit is divided among the touches that count.
public enum AttributionModel: String, Hashable, Sendable, CaseIterable {
    /// All to the latest.
    case last
    /// All to the earliest.
    case first
    /// Equal parts.
    case linear
    /// 40 % to the earliest, 40 % to the latest, 20 % in equal parts to those between; two touches share 50/50.
    case position
    /// In proportion to 2^(−age / half-life).
    case timeDecay
}

/// Why a policy can't be made.
public enum AttributionPolicyFailure: Error, Hashable, Sendable {
    /// The window is not between 1 ms and `AttributionPolicy.longestWindowMs`.
    case windowOutOfRange
    /// The half-life is not between 1 ms and `AttributionPolicy.longestWindowMs`.
    case halfLifeOutOfRange
    /// The stand-down is negative or longer than `AttributionPolicy.longestWindowMs`.
    case standDownOutOfRange
    /// A kind stands twice in the order.
    case repeatedKind(TouchKind)
}

/// A program's rules of credit, as data.
public struct AttributionPolicy: Hashable, Sendable {
    public let model: AttributionModel
    /// How far back a touch counts: see `attribute`.
    public let windowMs: Int64
    /// The age at which a touch weighs half, for `timeDecay`.
    public let halfLifeMs: Int64
    /// Kinds from the strongest claim to the weakest. `manual` stands before all others unless it is named;
    /// other kinds that are not named share the last rank.
    public let conflictOrder: [TouchKind]
    /// How long coupons and paid ads stand down after another member's link or friend code; 0 is never.
    public let standDownMs: Int64

    /// Friend's code, then coupon, then link, then paid ad.
    public static let defaultConflictOrder: [TouchKind] = [.friendCode, .coupon, .link, .paid]
    /// Ten years of 365 days.
    public static let longestWindowMs: Int64 = 10 * 365 * 86_400_000

    public init(
        model: AttributionModel, windowMs: Int64, halfLifeMs: Int64 = 7 * 86_400_000,
        conflictOrder: [TouchKind] = AttributionPolicy.defaultConflictOrder, standDownMs: Int64 = 0
    ) throws(AttributionPolicyFailure) {
        guard (1...Self.longestWindowMs).contains(windowMs) else { throw .windowOutOfRange }
        guard (1...Self.longestWindowMs).contains(halfLifeMs) else { throw .halfLifeOutOfRange }
        guard (0...Self.longestWindowMs).contains(standDownMs) else { throw .standDownOutOfRange }
        var seen: Set<TouchKind> = []
        for kind in conflictOrder {
            guard seen.insert(kind).inserted else { throw .repeatedKind(kind) }
        }
        self.model = model
        self.windowMs = windowMs
        self.halfLifeMs = halfLifeMs
        self.conflictOrder = conflictOrder
        self.standDownMs = standDownMs
    }

    /// The strength of a kind's claim, 0 the strongest.
    func rank(of kind: TouchKind) -> Int {
        if let position = conflictOrder.firstIndex(of: kind) { return position }
        return kind == .manual ? -1 : conflictOrder.count
    }
}
