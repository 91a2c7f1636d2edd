import Chronology

/// What a run knows so far: columns by member and order.
///
/// `@unchecked Sendable`: one run fills it; its tasks read columns and write only their own ranges. Afterwards it is only
/// read.
final class RunState: @unchecked Sendable {
    let plan: Plan
    let facts: Facts
    let carry: Carry
    let threads: Int
    let active: Column<UInt8>
    let achieved: Column<UInt8>
    let paidAs: Column<UInt8>
    let highest: Column<UInt8>
    let forced: Column<UInt8>
    let missed: Column<Int32>
    let kept: Column<UInt8>
    let activityWaived: Column<UInt8>
    var eligibilityWaived: [String: Set<Int>] = [:]
    private var eligibilityColumns: [String: Column<UInt8>] = [:]
    /// One word per tracker and member.
    let trackers: [Column<UInt64>]
    /// Tags by bit; empty columns where the plan marks nothing.
    let orderTags: Column<UInt32>
    let tagBits: [String: UInt32]
    /// From then on metrics that read ranks are computed when they are asked for.
    var areRanksKnown = false
    var metricColumns: [MetricKey: Column<Int64>] = [:]
    /// bonus → order → what it paid, for bonuses that others read.
    var orderCommissions: [Int: Column<Int64>] = [:]
    let hasLateRefunds: Bool
    /// carry entries of known members, by member
    let carryOfMember: Column<Int32>

    static let noForcedRank: UInt8 = 255

    init(plan: Plan, facts: Facts, carry: Carry, threads: Int) {
        self.plan = plan
        self.facts = facts
        self.carry = carry
        self.threads = threads
        let count = facts.memberCount
        active = Column(count, repeating: 0)
        achieved = Column(count, repeating: 0)
        paidAs = Column(count, repeating: 0)
        highest = Column(count, repeating: 0)
        kept = Column(count, repeating: 0)
        missed = Column(count, repeating: 0)
        forced = Column(count, repeating: Self.noForcedRank)
        activityWaived = Column(count, repeating: 0)
        carryOfMember = Column(count, repeating: -1)
        hasLateRefunds = !facts.lateRefunds.isEmpty
        trackers = plan.trackers.map { _ in Column(count, repeating: 0) }
        var bits: [String: UInt32] = [:]
        for bonus in plan.bonuses {
            if let tag = bonus.marks?.tag, bits[tag] == nil { bits[tag] = 1 << UInt32(bits.count) }
        }
        tagBits = bits
        orderTags = Column(bits.isEmpty ? 0 : facts.orderCount, repeating: 0)
        for (place, entry) in carry.members.enumerated() {
            guard let member = facts.member(id: entry.id) else { continue }
            carryOfMember[member] = Int32(place)
            // A plan with fewer ranks than the one before: what was above its last rank is its last rank.
            highest[member] = UInt8(clamping: min(entry.highestRank, plan.ranks.count))
            kept[member] = UInt8(clamping: min(entry.keptRank, plan.ranks.count))
            missed[member] = Int32(clamping: entry.missedPeriods)
            for (tracker, bits) in zip(trackers, entry.trackers) { tracker[member] = bits }
        }
    }

    func take(_ overrides: [Override]) throws(RunFailure) {
        for override in overrides {
            guard let member = facts.member(id: override.memberId) else { throw .unknownMember(override.memberId) }
            switch override.kind {
            case .forcedRank(let rank):
                guard (0...plan.ranks.count).contains(rank) else {
                    throw .plan(PlanProblem(place: "overrides", reason: .unknownRank(rank)))
                }
                forced[member] = UInt8(rank)
            case .activityWaiver: activityWaived[member] = 1
            case .eligibilityWaiver(let bonus): eligibilityWaived[bonus, default: []].insert(member)
            case .adjustment: break
            }
        }
    }

    func tree(_ code: TreeCode) throws(RunFailure) -> Tree {
        guard let tree = facts.tree(code) else {
            throw .plan(PlanProblem(place: "trees", reason: .unknownTree(code.code)))
        }
        return tree
    }

    /// Member ranges with about equal numbers of orders and members.
    func ranges() -> [Range<Int>] {
        let count = facts.memberCount
        let parts = max(1, min(threads, count))
        let total = Int(facts.firstOrder[count]) + count
        var bounds = [0]
        for part in 1..<max(parts, 1) where parts > 1 {
            var low = bounds[part - 1]
            var high = count
            while low < high {
                let middle = (low + high) / 2
                if Int(facts.firstOrder[middle]) + middle < total * part / parts { low = middle + 1 } else { high = middle }
            }
            bounds.append(low)
        }
        bounds.append(count)
        return zip(bounds, bounds.dropFirst()).map { $0..<$1 }
    }

    /// Whether an earlier period knows an order of the member.
    func hasOrderedBefore(_ member: Int) -> Bool {
        carryOfMember[member] >= 0 && carry.members[Int(carryOfMember[member])].hasOrdered
    }

    /// Eligible promoters of a bonus.
    func eligibility(of bonus: Bonus) throws(RunFailure) -> Column<UInt8> {
        if let known = eligibilityColumns[bonus.code] { return known }
        let column = try holds(bonus.eligibility)
        for member in 0..<facts.memberCount where facts.kind[member] == MemberKind.customer.rawValue { column[member] = 0 }
        if let waived = eligibilityWaived[bonus.code] {
            for member in waived where facts.isPromoter(member) { column[member] = 1 }
        }
        eligibilityColumns[bonus.code] = column
        return column
    }

    /// The rank column that a bonus's rates read.
    func ranks(of bonus: Bonus) -> Column<UInt8> { bonus.rankBasis == .paidAs ? paidAs : highest }

    /// A condition over all members.
    func holds(_ condition: Condition) throws(RunFailure) -> Column<UInt8> {
        try ConditionProgram(condition, state: self).column()
    }
}
