import Chronology
import Money

/// How a run is computed; nothing here changes a result.
public struct RunOptions: Hashable, Sendable {
    /// Parts computed beside each other.
    public var threads: Int
    /// Whether lines are kept; amounts are the same without them.
    public var keepsLines: Bool
    /// More lines are a failure.
    public var linesLimit: Int

    /// Lines that are counted and not kept.
    public static let countedLinesMax = 1_000_000_000
    /// Kept ones have 56 bytes each: 11 GB. Ten million members with fifty million orders had 182 million.
    public static let keptLinesMax = 200_000_000

    /// `linesLimit` nil: the greatest.
    public init(threads: Int = 1, keepsLines: Bool = true, linesLimit: Int? = nil) {
        self.threads = max(1, threads)
        self.keepsLines = keepsLines
        self.linesLimit = linesLimit ?? (keepsLines ? Self.keptLinesMax : Self.countedLinesMax)
    }
}

/// Computes one period of a plan. A pure function of its arguments: the same for any order of rows and number of threads.
public func run(
    _ plan: Plan, facts: Facts, carryIn: Carry = Carry(), overrides: [Override] = [], history: [PastOrder] = [],
    options: RunOptions = RunOptions()
) async throws(RunFailure) -> RunResult {
    try check(plan, facts)
    var computation = try Computation(plan, facts, carryIn, overrides, history, options)
    if let result = try await computation.run() { return result }
    // A cap that is spread over lines needs them.
    var withLines = options
    withLines.keepsLines = true
    withLines.linesLimit = min(withLines.linesLimit, RunOptions.keptLinesMax)
    var again = try Computation(plan, facts, carryIn, overrides, history, withLines)
    guard var whole = try await again.run() else {
        throw .overflow(where: "caps")
    }
    whole.lines = []
    return whole
}

private func check(_ plan: Plan, _ facts: Facts) throws(RunFailure) {
    if let problem = plan.problems.first { throw .plan(problem) }
}

private struct Computation {
    let state: RunState
    let plan: Plan
    let facts: Facts
    let overrides: [Override]
    let history: [PastOrder]
    let options: RunOptions
    /// Bonus → lines, and → member → what it paid after its cap.
    var bonusLines: [[Line]] = []
    var bonusTotals: [Column<Int64>] = []
    var breakage: [Breakage] = []
    var carry = Carry()
    var binary: [BinaryStatement] = []
    var lineCount = 0

    init(
        _ plan: Plan, _ facts: Facts, _ carryIn: Carry, _ overrides: [Override], _ history: [PastOrder],
        _ options: RunOptions
    ) throws(RunFailure) {
        self.plan = plan
        self.facts = facts
        // The order of overrides and history never shows.
        self.overrides = overrides.sorted {
            ($0.memberId, $0.kind.code, $0.kind.detail, $0.author, $0.reason) < ($1.memberId, $1.kind.code, $1.kind.detail, $1.author, $1.reason)
        }
        self.history = history
        self.options = options
        state = RunState(plan: plan, facts: facts, carry: carryIn, threads: options.threads)
        try state.take(self.overrides)
    }

    /// Nil when lines are needed but not kept.
    mutating func run() async throws(RunFailure) -> RunResult? {
        try RankPass(state: state).run()
        for bonus in plan.bonuses {
            if case .commission(let code) = bonus.base, let other = plan.bonuses.firstIndex(where: { $0.code == code }),
                state.orderCommissions[other] == nil
            {
                state.orderCommissions[other] = Column(facts.orderCount, repeating: 0)
            }
        }
        let refunds = try RefundPayer(state: state, history: history).run()
        for (number, bonus) in plan.bonuses.enumerated() {
            var outcome = try await pay(bonus, number)
            markVolume(bonus)
            var extra = try adjustments(bonus, number)
            extra.append(contentsOf: refunds.lines.filter { Int($0.bonus) == number })
            if bonus.roundingScope == .period, outcome.lineCount > 0, isOrderPaid(bonus.rule) {
                try roundByPeriod(&outcome, bonus, number)
            }
            var record = Breakage(
                bonus: bonus.code, nobodyExact: outcome.nobodyExact, unqualifiedExact: outcome.unqualifiedExact)
            try capBonus(bonus, number, &outcome, &record)
            for line in extra {
                let (sum, overflow) = outcome.totals[Int(line.member)].addingReportingOverflow(line.amountMinor)
                guard !overflow else { throw .overflow(where: bonus.code) }
                outcome.totals[Int(line.member)] = sum
            }
            if !extra.isEmpty, options.keepsLines || !outcome.lines.isEmpty {
                outcome.lines = LineOrder.byMember([outcome.lines, extra], memberCount: facts.memberCount)
            }
            lineCount += outcome.lineCount
            guard lineCount <= options.linesLimit else { throw .tooManyLines }
            bonusLines.append(options.keepsLines ? outcome.lines : [])
            bonusTotals.append(outcome.totals)
            breakage.append(record)
        }
        let amounts = Column<Int64>(facts.memberCount, repeating: 0)
        for totals in bonusTotals {
            for member in 0..<facts.memberCount {
                let (sum, overflow) = amounts[member].addingReportingOverflow(totals[member])
                guard !overflow else { throw .overflow(where: "statements") }
                amounts[member] = sum
            }
        }
        var caps = CapPass(state: state, amounts: amounts, bonusTotals: bonusTotals, breakage: breakage)
        guard try caps.run(&bonusLines, keepsLines: options.keepsLines) else { return nil }
        let lines = bonusLines.count == 1 && caps.lines.isEmpty
            ? bonusLines[0] : LineOrder.byMember(bonusLines + [caps.lines], memberCount: facts.memberCount)
        return try RunResult(
            state: state, lines: lines, amounts: amounts, bonusTotals: bonusTotals, breakage: caps.breakage,
            bonusCarry: carry, binary: binary, refunded: refunds.updated, overrides: overrides, lineCount: lineCount,
            shortfalls: caps.shortfalls)
    }

    /// Whether lines are base × rate and were not yet rounded by period.
    private func isOrderPaid(_ rule: BonusRule) -> Bool {
        switch rule {
        case .direct, .tiered: true
        case .matching: true
        default: false
        }
    }

    private mutating func pay(_ bonus: Bonus, _ number: Int) async throws(RunFailure) -> BonusOutcome {
        switch bonus.rule {
        case .unilevel(let rule), .matrix(let rule, _):
            return try await walk(bonus, number, LevelFinder(
                rule.rates, rule.compression, rule.firstLevel, tree: try state.tree(bonus.tree), bonus: bonus, state: state))
        case .fastStart(let rule):
            let finder = try LevelFinder(
                rule.rates, rule.compression, .aboveBuyer, tree: try state.tree(bonus.tree), bonus: bonus, state: state)
            return try await walk(bonus, number, finder, window: rule.window)
        case .rankDifferential(let rule):
            return try await walk(
                bonus, number, RankDifferentialFinder(rule, tree: try state.tree(bonus.tree), bonus: bonus, state: state))
        case .infinity(let rule):
            return try await walk(
                bonus, number, InfinityFinder(rule, tree: try state.tree(bonus.tree), bonus: bonus, state: state))
        case .generation(let rule):
            return try await walk(
                bonus, number, GenerationFinder(rule, tree: try state.tree(bonus.tree), bonus: bonus, state: state))
        case .direct(let rule):
            return try gather(DirectPayer(rule: rule, bonus: bonus, number: number, state: state).run(base: orderBase(bonus, number)))
        case .tiered(let rule):
            let tiered = try TieredPayer(rule: rule, bonus: bonus, number: number, state: state).run(base: orderBase(bonus, number))
            carry.tiers.append(contentsOf: tiered.tiers)
            return try gather(tiered.lines)
        case .slab(let rule): return try gather(SlabPayer(rule: rule, bonus: bonus, number: number, state: state).run())
        case .differential(let rule):
            return try DifferentialPayer(rule: rule, bonus: bonus, number: number, state: state).run()
        case .breakaway(let rule): return try BreakawayPayer(rule: rule, bonus: bonus, number: number, state: state).run()
        case .binary(let rule):
            let outcome = try BinaryPayer(rule: rule, bonus: bonus, number: number, state: state).run()
            carry.legs.append(contentsOf: outcome.legs)
            carry.banked.append(contentsOf: outcome.banked)
            binary.append(contentsOf: outcome.statements)
            return try gather(outcome.lines)
        case .matching(let rule):
            let earned = Column<Int64>(facts.memberCount, repeating: 0)
            for (place, other) in plan.bonuses.enumerated() where rule.bonuses.contains(other.code) && place < number {
                for member in 0..<facts.memberCount {
                    let (sum, overflow) = earned[member].addingReportingOverflow(bonusTotals[place][member])
                    guard !overflow else { throw .overflow(where: bonus.code) }
                    earned[member] = sum
                }
            }
            let outcome = try MatchingPayer(rule: rule, bonus: bonus, number: number, state: state).run(earned: earned)
            var gathered = try gather(outcome.lines)
            gathered.nobodyExact = outcome.nobodyExact
            gathered.unqualifiedExact = outcome.unqualifiedExact
            return gathered
        case .pool(let rule):
            let outcome = try PoolPayer(rule: rule, bonus: bonus, number: number, state: state).run()
            var gathered = try gather(outcome.lines)
            gathered.nobodyExact = outcome.nobodyExact
            return gathered
        case .rankAdvancement(let rule):
            let outcome = try AwardPayer(bonus: bonus, number: number, state: state).run(rule)
            carry.awards.append(contentsOf: outcome.awards)
            return try gather(outcome.lines)
        case .milestone(let rule):
            let outcome = try AwardPayer(bonus: bonus, number: number, state: state).run(rule)
            carry.awards.append(contentsOf: outcome.awards)
            return try gather(outcome.lines)
        }
    }

    /// Bonuses of volumes pay no single order; what their base takes gets the tag.
    private func markVolume(_ bonus: Bonus) {
        guard let mark = bonus.marks, mark.scope == .everyOrder, let tag = state.tagBits[mark.tag], bonus.rule.hasVolumeBase
        else { return }
        let test = OrderTest(bonus, state: state)
        for order in 0..<facts.orderCount where test.passes(order) { state.orderTags[order] |= tag }
    }

    private func walk(
        _ bonus: Bonus, _ number: Int, _ finder: some PathFinder, window: FastStartRule.Window? = nil
    ) async throws(RunFailure) -> BonusOutcome {
        var walk = OrderWalk(
            state: state, bonus: bonus, number: number, finder: finder,
            keepsLines: options.keepsLines, linesLimit: options.linesLimit)
        if let window {
            walk.window = .init(joinedDay: facts.joinedDay, rule: window, orderDay: facts.orderDay)
        }
        return try await walk.run()
    }

    private func orderBase(_ bonus: Bonus, _ number: Int) throws(RunFailure) -> Column<Int64> {
        switch bonus.base {
        case .volume(let volume): return facts.volume(volume)
        case .commission(let code):
            guard let other = plan.bonuses.firstIndex(where: { $0.code == code }), other < number,
                let column = state.orderCommissions[other]
            else { throw .plan(PlanProblem(place: "bonuses.\(bonus.code).base", reason: .unknownBonus(code))) }
            return column
        }
    }

    /// Lines to an outcome, sums checked.
    private func gather(_ lines: [Line]) throws(RunFailure) -> BonusOutcome {
        var outcome = BonusOutcome(totals: Column(facts.memberCount, repeating: 0))
        for line in lines {
            let member = Int(line.member)
            let (sum, overflow) = outcome.totals[member].addingReportingOverflow(line.amountMinor)
            guard !overflow else { throw .overflow(where: plan.bonuses[Int(line.bonus)].code) }
            outcome.totals[member] = sum
        }
        outcome.lines = LineOrder.byMember([lines], memberCount: facts.memberCount)
        outcome.lineCount = lines.count
        return outcome
    }

    private func roundByPeriod(_ outcome: inout BonusOutcome, _ bonus: Bonus, _ number: Int) throws(RunFailure) {
        try PeriodRounding(facts: facts, bonus: bonus, commissions: state.orderCommissions[number]).apply(&outcome)
    }

    private func adjustments(_ bonus: Bonus, _ number: Int) throws(RunFailure) -> [Line] {
        var lines: [Line] = []
        for override in overrides {
            guard case .adjustment(bonus.code, let amount) = override.kind, amount != 0,
                let member = facts.member(id: override.memberId)
            else { continue }
            lines.append(Line(member: Int32(member), bonus: number, reason: .adjustment, amount: amount))
        }
        return lines
    }

    /// What one person earned above the bonus's cap is cut pro rata over the lines.
    private mutating func capBonus(
        _ bonus: Bonus, _ number: Int, _ outcome: inout BonusOutcome, _ record: inout Breakage
    ) throws(RunFailure) {
        for line in outcome.lines where line.reason == .capBonus { record.capBonusMinor -= Int128(line.amountMinor) }
        guard !bonus.capMinor.isEmpty else { return }
        let byRank = ByRank(values: bonus.capMinor, otherwise: 0)
        var caps: [Line] = []
        var runs = LineRuns(outcome.lines)
        for member in 0..<facts.memberCount {
            let cap = byRank(Int(state.paidAs[member]))
            let places = runs.places(of: member, in: outcome.lines)
            // Awards that are taken back stand beside the cap.
            let beside = places.reduce(Int128(0)) { outcome.lines[$1].reason.isOutsideCaps ? $0 + Int128(outcome.lines[$1].amountMinor) : $0 }
            let excess = Int128(outcome.totals[member]) - beside - Int128(max(0, cap))
            guard excess > 0 else { continue }
            guard let cut = Int64(exactly: excess) else { throw .overflow(where: bonus.code) }
            try Proration(facts: facts).cut(cut, from: places, in: &outcome.lines)
            outcome.totals[member] -= cut
            record.capBonusMinor += Int128(cut)
            caps.append(Line(member: Int32(member), bonus: number, reason: .capBonus, amount: -cut))
        }
        guard !caps.isEmpty else { return }
        if options.keepsLines {
            outcome.lines = LineOrder.byMember([outcome.lines, caps], memberCount: facts.memberCount)
        }
    }
}
