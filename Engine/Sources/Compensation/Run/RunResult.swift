import Chronology

/// Everything that a run says. Lines are by member, then bonus in plan order.
public struct RunResult: Sendable {
    public let plan: Plan
    public let facts: Facts
    /// Empty when the run kept none.
    public internal(set) var lines: [Line]
    /// Lines before caps, refunds and adjustments, also when none were kept.
    public let lineCount: Int
    /// One entry per bonus, in plan order.
    public let breakage: [Breakage]
    public let binary: [BinaryStatement]
    /// The orders of earlier periods that were refunded, with what has been taken back by now.
    public let refundedOrders: [PastOrder]
    public let overrides: [Override]
    public let state: MemberStates
    let amounts: Column<Int64>
    let bonusTotals: [Column<Int64>]
    let personalVolume: Column<Int64>
    let groupVolume: Column<Int64>
    let bonusCarry: Carry
    let carryIn: Carry
    /// Read by explanations; nothing is changed after the run.
    let engineState: RunState

    init(
        state: RunState, lines: [Line], amounts: Column<Int64>, bonusTotals: [Column<Int64>], breakage: [Breakage],
        bonusCarry: Carry, binary: [BinaryStatement], refunded: [PastOrder], overrides: [Override], lineCount: Int
    ) throws(RunFailure) {
        plan = state.plan
        facts = state.facts
        self.lines = lines
        self.lineCount = lineCount
        self.breakage = breakage
        self.binary = binary
        refundedOrders = refunded
        self.overrides = overrides
        self.amounts = amounts
        self.bonusTotals = bonusTotals
        self.bonusCarry = bonusCarry
        carryIn = state.carry
        engineState = state
        // Explanations read them later, and must not write.
        for bonus in state.plan.bonuses { _ = try state.eligibility(of: bonus) }
        let tree = state.plan.rankRule.tree
        personalVolume = try state.column(.personalVolume(.qualifying, of: .both, on: tree))
        groupVolume = try state.column(.groupVolume(.qualifying, on: tree, depth: nil))
        self.state = MemberStates(
            active: state.active, achieved: state.achieved, paidAs: state.paidAs, highest: state.highest,
            kept: state.kept, missed: state.missed, trackers: state.trackers, carryOfMember: state.carryOfMember)
    }

    /// Sum of the member's lines.
    public func amountMinor(of member: Int) -> Int64 { amounts[member] }
    /// What one bonus paid the member after all caps.
    public func amountMinor(of member: Int, bonus: Int) -> Int64 { bonusTotals[bonus][member] }

    /// Sum over all members.
    public var totalMinor: Int128 { (0..<facts.memberCount).reduce(0) { $0 + Int128(amounts[$1]) } }
    public func totalMinor(bonus: Int) -> Int128 {
        (0..<facts.memberCount).reduce(0) { $0 + Int128(bonusTotals[bonus][$1]) }
    }

    /// The statement of a promoter.
    public func statement(of member: Int) -> Statement {
        let debt = carryOf(member)?.debtMinor ?? 0
        let net = amounts[member].subtractingReportingOverflow(debt)
        let left = net.overflow ? Int64.min + 1 : net.partialValue
        return Statement(
            member: member, rank: Int(state.achieved[member]), paidRank: Int(state.paidAs[member]),
            highestRank: Int(state.highest[member]), isActive: state.active[member] != 0,
            personalVolume: personalVolume[member], groupVolume: groupVolume[member], amountMinor: amounts[member],
            debtInMinor: debt, payableMinor: max(0, left), debtOutMinor: max(0, 0 - left))
    }

    /// Promoters with any volume, amount, rank or debt, by id bytes.
    public var statementMembers: [Int] {
        (0..<facts.memberCount).filter { member in
            facts.isPromoter(member)
                && (personalVolume[member] != 0 || groupVolume[member] != 0 || amounts[member] != 0
                    || state.achieved[member] != 0 || state.paidAs[member] != 0 || (carryOf(member)?.debtMinor ?? 0) != 0)
        }.sorted { precedesById($0, $1) }
    }

    /// Places in `lines` in the order of files: member id, bonus in plan order, order id, level, source id, reason.
    public var linesInFileOrder: [Int] {
        lines.indices.sorted { one, other in
            let (a, b) = (lines[one], lines[other])
            if a.member != b.member { return precedesById(Int(a.member), Int(b.member)) }
            if a.bonus != b.bonus { return a.bonus < b.bonus }
            if a.order != b.order {
                guard a.order >= 0, b.order >= 0 else { return a.order < b.order }
                return facts.orderIds.precedes(
                    Int(facts.orderIdNumber[Int(a.order)]), Int(facts.orderIdNumber[Int(b.order)]))
            }
            if a.level != b.level { return a.level < b.level }
            if a.source != b.source {
                guard a.source >= 0, b.source >= 0 else { return a.source < b.source }
                return precedesById(Int(a.source), Int(b.source))
            }
            if a.reason != b.reason { return a.reason.rawValue < b.reason.rawValue }
            return a.rateBillionths < b.rateBillionths
        }
    }

    private func precedesById(_ one: Int, _ other: Int) -> Bool {
        facts.memberIds.precedes(Int(facts.memberIdNumber[one]), Int(facts.memberIdNumber[other]))
    }

    private func carryOf(_ member: Int) -> Carry.Member? {
        let place = state.carryOfMember[member]
        return place < 0 ? nil : carryIn.members[Int(place)]
    }

    /// What the next period reads. Entries of members that the facts don't know are handed on.
    public var carryOut: Carry {
        var carry = Carry()
        for member in 0..<facts.memberCount {
            let statement = statement(of: member)
            let hasOrdered = facts.firstOrder[member + 1] > facts.firstOrder[member]
                || facts.hasEarlierOrders[member] != 0 || (carryOf(member)?.hasOrdered ?? false)
            let histories = state.trackers.map { $0[member] }
            guard hasOrdered || statement.highestRank > 0 || statement.debtOutMinor > 0 || state.kept[member] > 0
                || histories.contains(where: { $0 != 0 })
            else { continue }
            carry.members.append(
                Carry.Member(
                    id: facts.memberId(member), highestRank: statement.highestRank, keptRank: Int(state.kept[member]),
                    missedPeriods: Int(state.missed[member]), trackers: histories, hasOrdered: hasOrdered,
                    debtMinor: statement.debtOutMinor))
        }
        for entry in carryIn.members where facts.member(id: entry.id) == nil { carry.members.append(entry) }
        carry.members.sort { $0.id.utf8.lexicographicallyPrecedes($1.id.utf8) }
        carry.legs = bonusCarry.legs.sorted { ($0.bonus, $0.id, $0.slot, $1.agePeriods, $0.bornOn) < ($1.bonus, $1.id, $1.slot, $0.agePeriods, $1.bornOn) }
        carry.banked = bonusCarry.banked.sorted { ($0.bonus, $0.id) < ($1.bonus, $1.id) }
        carry.tiers = bonusCarry.tiers.sorted { ($0.bonus, $0.id, $0.year) < ($1.bonus, $1.id, $1.year) }
        carry.awards = bonusCarry.awards.sorted { ($0.bonus, $0.id, $0.rank) < ($1.bonus, $1.id, $1.rank) }
        return carry
    }
}

/// What a run found out about members.
public struct MemberStates: Sendable {
    let active: Column<UInt8>
    let achieved: Column<UInt8>
    let paidAs: Column<UInt8>
    let highest: Column<UInt8>
    let kept: Column<UInt8>
    let missed: Column<Int32>
    let trackers: [Column<UInt64>]
    let carryOfMember: Column<Int32>
}

/// One member's period. Volumes are QV on the tree of ranks, in minor units.
public struct Statement: Hashable, Sendable {
    public var member: Int
    public var rank: Int
    public var paidRank: Int
    public var highestRank: Int
    public var isActive: Bool
    public var personalVolume: Int64
    public var groupVolume: Int64
    public var amountMinor: Int64
    public var debtInMinor: Int64
    /// What may be paid out: amount − debt, never below 0; the rest is the new debt.
    public var payableMinor: Int64
    public var debtOutMinor: Int64
}
