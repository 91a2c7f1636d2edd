import Chronology

/// One payee of a buyer's orders.
struct PathStep {
    var payee: Int32
    var level: Int16
    var reason: LineReason
    var rate: Int64
}

/// Who is paid for a buyer's orders, at which rates, and what is left over. Rates are billionths.
struct Path {
    var steps: [PathStep] = []
    var nobodyRate: Int64 = 0
    var unqualifiedRate: Int64 = 0
    /// A payee occurs twice, so that a line is not a rounding group.
    var hasRepeats = false

    mutating func clear() {
        steps.removeAll(keepingCapacity: true)
        nobodyRate = 0
        unqualifiedRate = 0
        hasRepeats = false
    }

    mutating func pay(_ payee: Int, level: Int, rate: Int64, reason: LineReason = .earned) {
        steps.append(
            PathStep(payee: Int32(payee), level: Int16(truncatingIfNeeded: level), reason: reason, rate: rate))
    }
}

/// Finds the path of one buyer; called from several tasks at once.
protocol PathFinder: Sendable {
    /// The highest sum of rates that one person can get for one order.
    var mostRate: Int128 { get }
    /// About how many people one order pays, at most; 0: unknown.
    var stepsHint: Int { get }
    func find(_ buyer: Int, _ path: inout Path)
}

extension PathFinder {
    var stepsHint: Int { 0 }
}

/// What a bonus gave before caps.
struct BonusOutcome {
    /// By payee, unless only totals were wanted.
    var lines: [Line] = []
    /// member → sum of amounts
    var totals: Column<Int64>
    var nobodyExact: Int128 = 0
    var unqualifiedExact: Int128 = 0
    var lineCount = 0
}

/// Pays a bonus order by order along the paths that a finder finds.
struct OrderWalk<Finder: PathFinder> {
    let state: RunState
    let bonus: Bonus
    let number: Int
    let finder: Finder
    /// Lines are kept; otherwise only totals.
    let keepsLines: Bool
    let linesLimit: Int
    /// Which orders count beside the bonus's filter.
    var window: Window?

    struct Window: Sendable {
        let joinedDay: Column<Int32>
        let rule: FastStartRule.Window
        let orderDay: Column<Int32>

        /// Local dates; the joining day is day 1, the joining month month 1.
        func holds(order: Int, buyer: Int) -> Bool {
            let joined = Int64(joinedDay[buyer])
            let ordered = Int64(orderDay[order])
            guard ordered >= joined else { return false }
            switch rule {
            case .days(let days): return ordered - joined < Int64(days)
            case .calendarMonths(let months):
                return monthNumber(ordered) - monthNumber(joined) < Int64(months)
            }
        }
    }

    func run() async throws(RunFailure) -> BonusOutcome {
        let facts = state.facts
        let base = try orderBase()
        let isSmall = try checkRange(base)
        let wantsLines = keepsLines || bonus.roundingScope == .period
        let ranges = state.ranges()
        let commissions = state.orderCommissions[number]
        let tag = bonus.marks.flatMap { state.tagBits[$0.tag] } ?? 0
        let work = WalkTask(
            facts: facts, base: base, test: OrderTest(bonus, state: state), window: window,
            finder: finder, bonus: Int16(number), rounding: bonus.rounding, commissions: commissions,
            tags: state.orderTags, tag: tag, marksUnpaid: bonus.marks?.scope == .everyOrder, wantsLines: wantsLines,
            linesLimit: linesLimit, isPeriodScoped: bonus.roundingScope == .period,
            isSmall: isSmall)
        let results = WalkResults(parts: ranges.count)
        await concurrently(ranges.count) { part in results.store(work.run(ranges[part]), at: part) }
        let parts = results.all
        guard !parts.contains(where: \.isTooLong) else { throw .tooManyLines }
        guard !parts.contains(where: \.overflowed) else { throw .overflow(where: bonus.code) }

        let totals = parts[0].totals
        var outcome = BonusOutcome(totals: totals)
        for part in parts.dropFirst() {
            for member in 0..<facts.memberCount { totals[member] &+= part.totals[member] }
        }
        for part in parts {
            outcome.nobodyExact += part.nobody
            outcome.unqualifiedExact += part.unqualified
            outcome.lineCount += part.lineCount
        }
        guard outcome.lineCount <= linesLimit else { throw .tooManyLines }
        if wantsLines {
            outcome.lines = LineOrder.byMember(parts.map(\.lines), memberCount: facts.memberCount)
            if bonus.roundingScope == .period { try PeriodRounding(facts: facts, bonus: bonus, commissions: commissions).apply(&outcome) }
            if !keepsLines { outcome.lines = [] }
        }
        return outcome
    }

    private func orderBase() throws(RunFailure) -> Column<Int64> {
        switch bonus.base {
        case .volume(let volume): return state.facts.volume(volume)
        case .commission(let code):
            guard let other = state.plan.bonuses.firstIndex(where: { $0.code == code }),
                let column = state.orderCommissions[other], other < number
            else { throw .plan(PlanProblem(place: "bonuses.\(bonus.code).base", reason: .unknownBonus(code))) }
            return column
        }
    }

    /// Inside the loops sums wrap; here it is made sure that none can. Whether every product fits Int64 too.
    private func checkRange(_ base: Column<Int64>) throws(RunFailure) -> Bool {
        var wide: (high: UInt64, low: UInt64) = (0, 0)
        var most: UInt64 = 0
        for order in 0..<base.count {
            let magnitude = base[order].magnitude
            let (low, carried) = wide.low.addingReportingOverflow(magnitude)
            wide = (carried ? wide.high &+ 1 : wide.high, low)
            most = max(most, magnitude)
        }
        guard wide.high == 0 else { throw .overflow(where: bonus.code) }
        let sum = Int128(wide.low)
        let (product, overflow) = sum.multipliedReportingOverflow(by: max(finder.mostRate, 1))
        guard !overflow, product / Int128(billion) < Int128(Int64.max / 4) else { throw .overflow(where: bonus.code) }
        return Int128(most) * max(finder.mostRate, 1) < Int128(Int64.max / 4)
    }
}

extension Facts {
    /// Orders by time and id, then level, then source by joining and id, then reason, rate and base.
    func lineTiePrecedes(_ one: Line, _ other: Line) -> Bool {
        if one.order != other.order {
            if one.order < 0 || other.order < 0 { return one.order < other.order }
            return orderPrecedes(Int(one.order), Int(other.order))
        }
        if one.level != other.level { return one.level < other.level }
        if one.source != other.source {
            if one.source < 0 || other.source < 0 { return one.source < other.source }
            return memberPrecedes(Int(one.source), Int(other.source))
        }
        if one.reason != other.reason { return one.reason.rawValue < other.reason.rawValue }
        if one.rateBillionths != other.rateBillionths { return one.rateBillionths < other.rateBillionths }
        return one.baseMinor < other.baseMinor
    }
}

/// The month of a local day, counted from the year 0.
func monthNumber(_ dayNumber: Int64) -> Int64 {
    guard let day = LocalDay(dayNumber: dayNumber) else { return 0 }
    return Int64(day.year) * 12 + Int64(day.month) - 1
}
