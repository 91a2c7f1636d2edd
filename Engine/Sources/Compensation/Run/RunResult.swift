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
    /// Who is below the share of the plan's 70 % rule, by member.
    public let shortfalls: [SoldOrUsedShortfall]
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
        bonusCarry: Carry, binary: [BinaryStatement], refunded: [PastOrder], overrides: [Override], lineCount: Int,
        shortfalls: [SoldOrUsedShortfall]
    ) throws(RunFailure) {
        plan = state.plan
        facts = state.facts
        self.lines = lines
        self.lineCount = lineCount
        self.breakage = breakage
        self.binary = binary
        refundedOrders = refunded
        self.overrides = overrides
        self.shortfalls = shortfalls
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
    public var statementMembers: [Int] { membersById(hasStatement) }

    /// Whether the member is a promoter with any volume, amount, rank or debt.
    public func hasStatement(_ member: Int) -> Bool {
        facts.isPromoter(member)
            && (personalVolume[member] != 0 || groupVolume[member] != 0 || amounts[member] != 0
                || state.achieved[member] != 0 || state.paidAs[member] != 0 || (carryOf(member)?.debtMinor ?? 0) != 0)
    }

    /// All members by id bytes.
    public var membersById: [Int] { membersById { _ in true } }

    /// Places in `lines` in the order of files: member id, bonus in plan order, order id, level, source id, reason,
    /// rate, base, amount.
    public var linesInFileOrder: [Int] {
        var found: [Int] = []
        found.reserveCapacity(lines.count)
        forLinesInFileOrder { found.append($0) }
        return found
    }

    /// The same one after another, without a list of all. Lines are by member already, so only each member's are sorted.
    public func forLinesInFileOrder(_ body: (Int) throws -> Void) rethrows {
        var ends = [Int](repeating: 0, count: facts.memberCount + 1)
        for line in lines { ends[Int(line.member) + 1] += 1 }
        for member in 0..<facts.memberCount { ends[member + 1] += ends[member] }
        let orderPlaces = facts.orderIds.places()
        let memberPlaces = facts.memberIds.places()
        var own: [(one: UInt64, two: UInt64, place: Int)] = []
        for member in membersById({ ends[$0 + 1] > ends[$0] }) {
            own.removeAll(keepingCapacity: true)
            for place in ends[member]..<ends[member + 1] {
                let line = lines[place]
                let order = line.order < 0 ? 0 : UInt64(orderPlaces[Int(facts.orderIdNumber[Int(line.order)])]) + 1
                let source = line.source < 0 ? 0 : UInt64(memberPlaces[Int(facts.memberIdNumber[Int(line.source)])]) + 1
                own.append((
                    UInt64(line.bonus) << 48 | order, UInt64(UInt16(bitPattern: line.level)) << 48 | source << 8 | UInt64(line.reason.rawValue), place
                ))
            }
            own.sort {
                if $0.one != $1.one { return $0.one < $1.one }
                if $0.two != $1.two { return $0.two < $1.two }
                let (a, b) = (lines[$0.place], lines[$1.place])
                return (a.rateBillionths, a.baseMinor, a.amountMinor) < (b.rateBillionths, b.baseMinor, b.amountMinor)
            }
            for entry in own { try body(entry.place) }
        }
    }

    private func membersById(_ isWanted: (Int) -> Bool) -> [Int] {
        var entries: [(prefix: UInt64, member: Int)] = []
        for member in 0..<facts.memberCount where isWanted(member) {
            entries.append((facts.memberIds.prefix(Int(facts.memberIdNumber[member])), member))
        }
        entries.sort { $0.prefix != $1.prefix ? $0.prefix < $1.prefix : precedesById($0.member, $1.member) }
        return entries.map(\.member)
    }

    private func precedesById(_ one: Int, _ other: Int) -> Bool {
        facts.memberIds.precedes(Int(facts.memberIdNumber[one]), Int(facts.memberIdNumber[other]))
    }

    private func carryOf(_ member: Int) -> Carry.Member? {
        let place = state.carryOfMember[member]
        return place < 0 ? nil : carryIn.members[Int(place)]
    }

    /// What the next period reads. Entries of members that the facts don't know are handed on.
    public var carryOut: Carry { carryOut(membersById: membersById) }

    /// The same where the order of members is known.
    public func carryOut(membersById: [Int]) -> Carry {
        var carry = Carry()
        for member in membersById {
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
        let unknown = carryIn.members.filter { facts.member(id: $0.id) == nil }
        if !unknown.isEmpty {
            carry.members = (carry.members + unknown).sorted { $0.id.utf8.lexicographicallyPrecedes($1.id.utf8) }
        }
        // Bonuses and ids by their bytes, so that no order is left to chance.
        carry.legs = bonusCarry.legs.sorted {
            ($0.bonus.compareBytes($1.bonus), $0.id.compareBytes($1.id), $0.slot, $1.agePeriods, $0.bornOn) < (0, 0, $1.slot, $0.agePeriods, $1.bornOn)
        }
        carry.banked = bonusCarry.banked.sorted { ($0.bonus.compareBytes($1.bonus), $0.id.compareBytes($1.id)) < (0, 0) }
        carry.tiers = bonusCarry.tiers.sorted { ($0.bonus.compareBytes($1.bonus), $0.id.compareBytes($1.id), $0.year) < (0, 0, $1.year) }
        carry.awards = bonusCarry.awards.sorted { ($0.bonus.compareBytes($1.bonus), $0.id.compareBytes($1.id), $0.rank) < (0, 0, $1.rank) }
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

extension RunResult {
    /// Achieved and paid-as rank; 0: none.
    public func ranks(of member: Int) -> (achieved: Int, paidAs: Int) { (Int(state.achieved[member]), Int(state.paidAs[member])) }
}
