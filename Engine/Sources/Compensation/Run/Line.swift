/// One line of a run. Numbers of members, orders and bonuses are those of the facts and the plan.
public struct Line: Hashable, Sendable, BitwiseCopyable {
    public var member: Int32
    /// −1: none.
    public var order: Int32
    /// The member whose earnings or leg gave the line; −1: none.
    public var source: Int32
    public var bonus: Int16
    /// 0: no level.
    public var level: Int16
    public var reason: LineReason
    public var baseMinor: Int64
    /// Billionths; 0 where the amount is not base × rate.
    public var rateBillionths: Int64
    public var amountMinor: Int64
    /// How much of the amount the caps took; cap lines carry it as their own negative amounts.
    public var cutMinor: Int64

    init(
        member: Int32, order: Int32 = -1, source: Int32 = -1, bonus: Int, level: Int = 0, reason: LineReason = .earned,
        base: Int64 = 0, rate: Int64 = 0, amount: Int64 = 0
    ) {
        self.member = member
        self.order = order
        self.source = source
        self.bonus = Int16(truncatingIfNeeded: bonus)
        self.level = Int16(truncatingIfNeeded: level)
        self.reason = reason
        baseMinor = base
        rateBillionths = rate
        amountMinor = amount
        cutMinor = 0
    }
}

public enum LineReason: UInt8, Hashable, Sendable, CaseIterable, BitwiseCopyable {
    case earned, rolledUp, trueUp, overrideOnLeg, banked, payment, clawback, refund, adjustment, capBonus, capPerson
    case capPlan
    /// Last, as stored lines know reasons by their number.
    case capSoldOrUsed

    public var code: String {
        switch self {
        case .earned: "earned"
        case .rolledUp: "rolledUp"
        case .trueUp: "trueUp"
        case .overrideOnLeg: "overrideOnLeg"
        case .banked: "banked"
        case .payment: "payment"
        case .clawback: "clawback"
        case .refund: "refund"
        case .adjustment: "adjustment"
        case .capBonus: "cap.bonus"
        case .capPerson: "cap.person"
        case .capPlan: "cap.plan"
        case .capSoldOrUsed: "cap.soldOrUsed"
        }
    }

    /// Corrections of earlier periods and by hand stand beside the caps: they neither fill nor empty them.
    var isOutsideCaps: Bool { self == .refund || self == .adjustment || self == .clawback }
    var isCap: Bool { self == .capBonus || self == .capPerson || self == .capPlan || self == .capSoldOrUsed }
}
