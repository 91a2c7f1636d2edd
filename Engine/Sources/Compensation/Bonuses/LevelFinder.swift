import Money

/// The next promoter above who fulfils something, for everybody.
func nextAbove(_ tree: Tree, where fulfils: (Int) -> Bool) -> Column<Int32> {
    let count = tree.above.count
    let next = Column<Int32>(count, repeating: -1)
    for place in 0..<count {
        let member = Int(tree.sequence[place])
        let above = tree.above[member]
        guard above >= 0 else { continue }
        next[member] = fulfils(Int(above)) ? above : next[Int(above)]
    }
    return next
}

/// Unilevel paths with every kind of compression.
///
/// `@unchecked Sendable`: everything behind the pointers is only read once the finder is made, and `columns` keeps it.
struct LevelFinder: PathFinder, @unchecked Sendable {
    private enum Way {
        case physical
        /// The next counted promoter above, and who is counted.
        case compressed(Next, counted: UnsafeMutablePointer<UInt8>)
        /// level − 1 → next promoter above who is qualified for the level
        case perLevel([Next])
        case rollUp([Next])
    }
    private typealias Next = UnsafeMutablePointer<Int32>
    private let above: Next
    private let isPromoter: UnsafeMutablePointer<UInt8>
    private let eligible: UnsafeMutablePointer<UInt8>
    private let ranks: UnsafeMutablePointer<UInt8>
    private let columns: [AnyObject]
    private let way: Way
    private let firstLevel: FirstLevel
    private let depth: Int
    /// rank × depth + level − 1
    private let rates: UnsafeMutablePointer<Int64>
    /// level − 1 → the highest rate of its column; sums from that level on.
    private let highest: [Int64]
    private let highestFrom: [Int64]
    let mostRate: Int128
    var stepsHint: Int { depth }

    init(
        _ table: RateTable, _ compression: Compression, _ firstLevel: FirstLevel, tree: Tree, bonus: Bonus, state: RunState
    ) throws(RunFailure) {
        let rankCount = state.plan.ranks.count + 1
        let depth = table.depth
        guard depth <= Plan.levelsLimit else {
            throw .plan(PlanProblem(place: "bonuses.\(bonus.code).rates", reason: .tooMany("levels")))
        }
        self.depth = depth
        self.firstLevel = firstLevel
        var columns: [AnyObject] = [tree.above, state.facts.kind]
        above = tree.above.base
        isPromoter = state.facts.kind.base
        let eligible = try state.eligibility(of: bonus)
        self.eligible = eligible.base
        let ranks = state.ranks(of: bonus)
        self.ranks = ranks.base
        columns.append(eligible)
        columns.append(ranks)
        var rates = [Int64](repeating: 0, count: rankCount * depth)
        for rank in 0..<rankCount {
            for level in 0..<depth { rates[rank * depth + level] = table.rate(rank: rank, level: level + 1).billionths }
        }
        let rateColumn = Column(rates, else: 0)
        self.rates = rateColumn.base
        columns.append(rateColumn)
        let highest = (0..<depth).map { table.highest(level: $0 + 1).billionths }
        self.highest = highest
        var sums = [Int64](repeating: 0, count: depth + 1)
        for level in (0..<depth).reversed() { sums[level] = sums[level + 1] + highest[level] }
        highestFrom = sums
        mostRate = Int128(sums[0])

        func qualified() -> [Column<Int32>] {
            var known: [UInt64: Column<Int32>] = [:]
            return (0..<depth).map { level in
                var mask: UInt64 = 0
                for rank in 0..<rankCount where rates[rank * depth + level] > 0 { mask |= 1 << UInt64(rank) }
                if let column = known[mask] { return column }
                let column = nextAbove(tree) { eligible[$0] != 0 && mask & (1 << UInt64(ranks[$0])) != 0 }
                known[mask] = column
                return column
            }
        }
        switch compression {
        case .none: way = .physical
        case .removeInactive(let condition):
            let counted = try state.holds(condition)
            let next = nextAbove(tree) { counted[$0] != 0 }
            columns.append(next)
            columns.append(counted)
            way = .compressed(next.base, counted: counted.base)
        case .perLevel, .rollUp(stacks: false):
            let next = qualified()
            columns.append(contentsOf: next)
            way = .perLevel(next.map(\.base))
        case .rollUp(stacks: true):
            let next = qualified()
            columns.append(contentsOf: next)
            way = .rollUp(next.map(\.base))
        }
        self.columns = columns
    }

    func find(_ buyer: Int, _ path: inout Path) {
        switch way {
        case .physical:
            let (below, isFirst) = start(buyer)
            walk(below, isFirst: isFirst, above, &path)
        case .compressed(let next, let counted):
            let (below, isFirst) = start(buyer)
            walk(below, isFirst: isFirst && counted[below] != 0, next, &path)
        case .perLevel(let next): walkPerLevel(buyer, next, &path)
        case .rollUp(let next): walkRollingUp(buyer, next, &path)
        }
    }

    @inline(__always) private func rate(_ member: Int, _ level: Int) -> Int64 {
        eligible[member] == 0 ? 0 : rates[Int(ranks[member]) &* depth &+ level]
    }

    /// The member below level 1, and whether level 1 is that member.
    private func start(_ buyer: Int) -> (below: Int, isFirst: Bool) {
        switch firstLevel {
        case .aboveBuyer: (buyer, false)
        case .buyer: (buyer, isPromoter[buyer] == MemberKind.promoter.rawValue)
        case .aboveSeller: (Int(above[buyer]), false)
        }
    }

    private func walk(_ below: Int, isFirst: Bool, _ next: Next, _ path: inout Path) {
        var member = below < 0 ? -1 : isFirst ? below : Int(next[below])
        var level = 0
        while level < depth {
            guard member >= 0 else {
                path.nobodyRate &+= highestFrom[level]
                return
            }
            let rate = rate(member, level)
            if rate > 0 {
                path.pay(member, level: level + 1, rate: rate)
            } else {
                path.unqualifiedRate &+= highest[level]
            }
            member = Int(next[member])
            level += 1
        }
    }

    private func walkPerLevel(_ buyer: Int, _ next: [Next], _ path: inout Path) {
        var (below, isFirst) = start(buyer)
        for level in 0..<depth {
            guard highest[level] > 0 else {
                // A level that pays nobody is passed physically.
                if isFirst { isFirst = false } else if below >= 0 { below = Int(above[below]) }
                continue
            }
            guard below >= 0 else {
                path.nobodyRate &+= highest[level]
                continue
            }
            if isFirst, rate(below, level) > 0 {
                path.pay(below, level: level + 1, rate: rate(below, level))
                isFirst = false
                continue
            }
            let payee = Int(next[level][below])
            if payee >= 0 {
                path.pay(payee, level: level + 1, rate: rate(payee, level))
            } else if isFirst || above[below] >= 0 {
                path.unqualifiedRate &+= highest[level]
            } else {
                path.nobodyRate &+= highest[level]
            }
            isFirst = false
            below = payee
        }
    }

    private func walkRollingUp(_ buyer: Int, _ next: [Next], _ path: inout Path) {
        let (below, isFirst) = start(buyer)
        var member = below < 0 ? -1 : isFirst ? below : Int(above[below])
        for level in 0..<depth {
            guard member >= 0 else {
                path.nobodyRate &+= highestFrom[level]
                return
            }
            let own = rate(member, level)
            if own > 0 {
                note(member, &path)
                path.pay(member, level: level + 1, rate: own)
            } else if highest[level] > 0 {
                let receiver = Int(next[level][member])
                if receiver >= 0 {
                    note(receiver, &path)
                    path.pay(receiver, level: level + 1, rate: rate(receiver, level), reason: .rolledUp)
                } else {
                    path.unqualifiedRate &+= highest[level]
                }
            }
            member = Int(above[member])
        }
    }

    private func note(_ payee: Int, _ path: inout Path) {
        if path.steps.contains(where: { Int($0.payee) == payee }) { path.hasRepeats = true }
    }
}
