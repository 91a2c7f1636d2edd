import Money

/// Finds the lines of one member after another in lines that are by member.
struct LineRuns {
    private var place = 0
    init(_ lines: [Line]) {}

    /// Members must come in rising order.
    mutating func places(of member: Int, in lines: [Line]) -> Range<Int> {
        while place < lines.count, Int(lines[place].member) < member { place += 1 }
        let start = place
        while place < lines.count, Int(lines[place].member) == member { place += 1 }
        return start..<place
    }
}

/// Cuts an amount out of lines in proportion to what each still pays, by largest remainder.
struct Proration {
    let facts: Facts
    /// Lines that may be cut, beside what stands outside of caps.
    var takes: (Line) -> Bool = { _ in true }

    /// Ties: member by joining and id, bonus in plan order, order by time and id, level.
    func cut(_ amount: Int64, from places: Range<Int>, in lines: inout [Line]) throws(RunFailure) {
        var weightSum: UInt128 = 0
        for place in places { weightSum += UInt128(weight(lines[place])) }
        guard weightSum > 0 else { return }
        var left = UInt128(amount)
        var remainders: [(remainder: UInt128, place: Int)] = []
        for place in places {
            let weight = weight(lines[place])
            guard weight > 0 else { continue }
            let (part, remainder) = (UInt128(amount) * UInt128(weight)).quotientAndRemainder(dividingBy: weightSum)
            lines[place].cutMinor += Int64(truncatingIfNeeded: part)
            left -= part
            if remainder > 0 { remainders.append((remainder, place)) }
        }
        guard left > 0 else { return }
        let known = lines
        remainders.sort {
            $0.remainder != $1.remainder
                ? $0.remainder > $1.remainder : precedes(known[$0.place], known[$1.place])
        }
        for entry in remainders.prefix(Int(left)) { lines[entry.place].cutMinor += 1 }
    }

    private func weight(_ line: Line) -> UInt64 {
        line.reason.isCap || line.reason.isOutsideCaps || !takes(line) ? 0 : UInt64(max(0, line.amountMinor - line.cutMinor))
    }

    private func precedes(_ one: Line, _ other: Line) -> Bool {
        if one.member != other.member { return facts.memberPrecedes(Int(one.member), Int(other.member)) }
        if one.bonus != other.bonus { return one.bonus < other.bonus }
        return facts.lineTiePrecedes(one, other)
    }
}

/// What cuts across bonuses, after all of them: the 70 % rule, the cap of a person, the cap of the plan, in this order.
struct CapPass {
    let state: RunState
    let amounts: Column<Int64>
    let bonusTotals: [Column<Int64>]
    var breakage: [Breakage]
    var lines: [Line] = []
    /// Who is below the share of the 70 % rule, by member.
    var shortfalls: [SoldOrUsedShortfall] = []

    init(state: RunState, amounts: Column<Int64>, bonusTotals: [Column<Int64>], breakage: [Breakage]) {
        self.state = state
        self.amounts = amounts
        self.bonusTotals = bonusTotals
        self.breakage = breakage
    }

    /// False when a cap bites but lines are not kept.
    mutating func run(_ bonusLines: inout [[Line]], keepsLines: Bool) throws(RunFailure) -> Bool {
        let plan = state.plan
        let facts = state.facts
        guard plan.soldOrUsed != nil || !plan.personCapMinor.isEmpty || plan.planCap != nil else { return true }
        guard keepsLines else { return false }
        var all = LineOrder.byMember(bonusLines, memberCount: facts.memberCount)
        if let rule = plan.soldOrUsed { try scaleToSold(rule, &all) }
        if !plan.personCapMinor.isEmpty { try capPersons(&all) }
        if let share = plan.planCap { try capPlan(share, &all) }
        bonusLines = [all]
        return true
    }

    private mutating func capPersons(_ all: inout [Line]) throws(RunFailure) {
        let byRank = ByRank(values: state.plan.personCapMinor, otherwise: 0)
        var runs = LineRuns(all)
        var next = 0
        for member in 0..<state.facts.memberCount {
            let places = runs.places(of: member, in: all)
            var earned = places.reduce(Int128(0)) { all[$1].reason.isOutsideCaps ? $0 : $0 + Int128(all[$1].amountMinor) }
            if next < shortfalls.count, shortfalls[next].member == member {
                earned -= Int128(shortfalls[next].earnedMinor - shortfalls[next].paidMinor)
                next += 1
            }
            let excess = earned - Int128(max(0, byRank(Int(state.paidAs[member]))))
            guard excess > 0 else { continue }
            guard let cut = Int64(exactly: excess) else { throw .overflow(where: "personCap") }
            try take(cut, places, .capPerson, &all)
        }
    }

    /// The whole plan pays at most the share of the company's CV, cut to whole minor units.
    private mutating func capPlan(_ share: Rate, _ all: inout [Line]) throws(RunFailure) {
        var volume: Int128 = 0
        for order in 0..<state.facts.orderCount { volume += Int128(state.facts.commissionVolume[order]) }
        let most = max(0, volume) * Int128(share.billionths) / Int128(billion)
        var paid: Int128 = 0
        for line in all where !line.reason.isOutsideCaps { paid += Int128(line.amountMinor) }
        for line in lines { paid += Int128(line.amountMinor) }
        guard paid > most else { return }
        guard let cut = Int64(exactly: paid - most) else { throw .overflow(where: "planCap") }
        try take(cut, 0..<all.count, .capPlan, &all)
    }

    mutating func take(
        _ cut: Int64, _ places: Range<Int>, _ reason: LineReason, _ all: inout [Line], from takes: @escaping (Line) -> Bool = { _ in true }
    ) throws(RunFailure) {
        let before = places.map { all[$0].cutMinor }
        try Proration(facts: state.facts, takes: takes).cut(cut, from: places, in: &all)
        // One line per member and bonus that lost something.
        var sum: Int64 = 0
        for place in places {
            sum += all[place].cutMinor - before[place - places.lowerBound]
            let isLast = place + 1 == places.upperBound || all[place + 1].member != all[place].member
                || all[place + 1].bonus != all[place].bonus
            guard isLast, sum != 0 else { continue }
            let member = Int(all[place].member)
            let number = Int(all[place].bonus)
            lines.append(Line(member: all[place].member, bonus: number, reason: reason, amount: -sum))
            amounts[member] -= sum
            bonusTotals[number][member] -= sum
            switch reason {
            case .capSoldOrUsed: breakage[number].capSoldOrUsedMinor += Int128(sum)
            case .capPlan: breakage[number].capPlanMinor += Int128(sum)
            default: breakage[number].capPersonMinor += Int128(sum)
            }
            sum = 0
        }
    }
}

/// What a bonus did not pay, and why.
public struct Breakage: Hashable, Sendable {
    public var bonus: String
    /// In billionths of a minor unit: levels with nobody there, and with somebody unqualified.
    public var nobodyExact: Int128
    public var unqualifiedExact: Int128
    public var capBonusMinor: Int128 = 0
    /// What the 70 % rule took.
    public var capSoldOrUsedMinor: Int128 = 0
    public var capPersonMinor: Int128 = 0
    public var capPlanMinor: Int128 = 0
    /// What all caps and the 70 % rule took.
    public var cappedMinor: Int128 { capBonusMinor + capSoldOrUsedMinor + capPersonMinor + capPlanMinor }

    /// Rounded once, half to even; nil beyond Int64.
    public var nobodyMinor: Int64? { rounded(exact: nobodyExact, .halfEven) }
    public var unqualifiedMinor: Int64? { rounded(exact: unqualifiedExact, .halfEven) }
}
