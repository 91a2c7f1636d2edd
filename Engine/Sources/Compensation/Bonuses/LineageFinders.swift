import Money

/// Rates by rank for eligible members, 0 for the others.
private func personalRates(_ rates: [Rate], _ bonus: Bonus, _ state: RunState) throws(RunFailure) -> Column<Int64> {
    let byRank = ByRank(values: rates.map(\.billionths), otherwise: 0)
    let eligible = try state.eligibility(of: bonus)
    let ranks = state.ranks(of: bonus)
    let own = Column<Int64>(state.facts.memberCount, repeating: 0)
    for member in 0..<own.count where eligible[member] != 0 { own[member] = byRank(Int(ranks[member])) }
    return own
}

/// Each eligible person above whose rate is higher than all collected so far earns the difference.
struct RankDifferentialFinder: PathFinder {
    private let own: Column<Int64>
    /// The nearest eligible person above with any rate, and with a rate above the own one.
    private let firstPaid: Column<Int32>
    private let higher: Column<Int32>
    private let buyerCollects: Bool
    private let top: Int64
    let mostRate: Int128

    init(_ rule: RankDifferentialRule, tree: Tree, bonus: Bonus, state: RunState) throws(RunFailure) {
        let own = try personalRates(rule.rates, bonus, state)
        self.own = own
        buyerCollects = rule.buyerCollects
        top = rule.rates.map(\.billionths).max() ?? 0
        mostRate = Int128(top)
        let firstPaid = nextAbove(tree) { own[$0] > 0 }
        self.firstPaid = firstPaid
        higher = Column(own.count, repeating: -1)
        for place in 0..<own.count {
            let member = Int(tree.sequence[place])
            var candidate = Int(firstPaid[member])
            // Each step goes to a higher rate, so there are at most as many as ranks.
            while candidate >= 0, own[candidate] <= own[member] { candidate = Int(higher[candidate]) }
            higher[member] = Int32(candidate)
        }
    }

    func find(_ buyer: Int, _ path: inout Path) {
        var collected: Int64 = 0
        var member = buyerCollects && own[buyer] > 0 ? buyer : Int(firstPaid[buyer])
        var level = 0
        while member >= 0 {
            level += 1
            path.pay(member, level: level, rate: own[member] - collected)
            collected = own[member]
            member = Int(higher[member])
        }
        path.nobodyRate = top - collected
    }
}

/// A % on what is deeper than the last paid level, until an equal or higher rank.
struct InfinityFinder: PathFinder {
    private let tree: Tree
    private let eligible: Column<UInt8>
    private let ranks: Column<UInt8>
    /// rank − 1 → the nearest promoter above of that rank or higher
    private let atLeast: [Column<Int32>]
    private let rates: [Int64]
    private let rule: InfinityRule
    let mostRate: Int128

    init(_ rule: InfinityRule, tree: Tree, bonus: Bonus, state: RunState) throws(RunFailure) {
        self.rule = rule
        self.tree = tree
        eligible = try state.eligibility(of: bonus)
        let ranks = state.ranks(of: bonus)
        self.ranks = ranks
        let byRank = ByRank(values: rule.rates.map(\.billionths), otherwise: 0)
        rates = (0...state.plan.ranks.count).map { byRank($0) }
        atLeast = state.plan.ranks.indices.map { rank in nextAbove(tree) { Int(ranks[$0]) > rank } }
        mostRate = rates.reduce(0) { $0 + Int128($1) }
    }

    /// For each rank only the nearest person above of that rank or higher can be unblocked.
    func find(_ buyer: Int, _ path: inout Path) {
        let top = Int(tree.level[buyer])
        var collected: Int64 = 0
        for rank in 1..<max(1, rates.count) where rates.count > 1 {
            guard rates[rank] > 0, Int(ranks[buyer]) < rank else { continue }
            let payee = Int(atLeast[rank - 1][buyer])
            guard payee >= 0, Int(ranks[payee]) == rank, eligible[payee] != 0 else { continue }
            let level = top - Int(tree.level[payee])
            guard level > rule.belowLevel else { continue }
            let rate = rule.blocking == .stop ? rates[rank] : rates[rank] - collected
            guard rate > 0 else { continue }
            if rule.blocking == .difference { collected = rates[rank] }
            path.pay(payee, level: level, rate: rate)
        }
    }
}

/// Generations of leaders between the payee and the buyer, the buyer included.
struct GenerationFinder: PathFinder {
    private let tree: Tree
    private let eligible: Column<UInt8>
    private let ranks: Column<UInt8>
    private let rule: GenerationRule
    private let depth: Int
    private let rankCount: Int
    private let rates: [Int64]
    /// Own rank: rank − 1 → the nearest leader above of that rank or higher. Fixed: one column.
    private let leaders: [Column<Int32>]
    /// Fixed boundary: the nearest promoter above whom some generation pays.
    private let payable: Column<Int32>
    let mostRate: Int128

    init(_ rule: GenerationRule, tree: Tree, bonus: Bonus, state: RunState) throws(RunFailure) {
        self.rule = rule
        self.tree = tree
        let eligible = try state.eligibility(of: bonus)
        self.eligible = eligible
        let ranks = state.ranks(of: bonus)
        self.ranks = ranks
        depth = rule.rates.depth
        rankCount = state.plan.ranks.count + 1
        var rates = [Int64](repeating: 0, count: rankCount * max(depth, 1))
        for rank in max(0, rule.fromRank)..<max(rankCount, rule.fromRank) where rank < rankCount {
            for generation in 0..<depth {
                rates[rank * depth + generation] = rule.rates.rate(rank: rank, level: generation + 1).billionths
            }
        }
        self.rates = rates
        let skips = rule.unqualifiedLeaders == .compress
        func isLeader(_ member: Int, _ rank: Int) -> Bool {
            Int(ranks[member]) >= rank && (!skips || eligible[member] != 0)
        }
        switch rule.boundary {
        case .ownRank:
            leaders = (1..<max(rankCount, 1)).map { rank in nextAbove(tree) { isLeader($0, rank) } }
            payable = Column(0, repeating: 0)
        case .rank(let rank):
            leaders = [nextAbove(tree) { isLeader($0, rank) }]
            let depth = depth
            payable = nextAbove(tree) { member in
                (!skips || eligible[member] != 0) && (0..<depth).contains { rates[Int(ranks[member]) * depth + $0] > 0 }
            }
        }
        mostRate = Int128(rates.max() ?? 0)
    }

    func find(_ buyer: Int, _ path: inout Path) {
        guard depth > 0 else { return }
        switch rule.boundary {
        case .ownRank: for rank in 1..<max(1, rankCount) where rankCount > 1 { walk(buyer, ownRank: rank, &path) }
        case .rank(let rank): walk(buyer, boundary: rank, &path)
        }
        path.steps.sort { ($0.level, $0.payee) < ($1.level, $1.payee) }
    }

    private func isLeader(_ member: Int, _ rank: Int) -> Bool {
        Int(ranks[member]) >= rank && (rule.unqualifiedLeaders == .block || eligible[member] != 0)
    }

    /// Payees of exactly this rank are leaders to themselves, so they are among the leaders of the line.
    private func walk(_ buyer: Int, ownRank rank: Int, _ path: inout Path) {
        var generation = isLeader(buyer, rank) ? 1 : 0
        var leader = Int(leaders[rank - 1][buyer])
        while leader >= 0, generation <= depth {
            if generation >= 1, Int(ranks[leader]) == rank { pay(leader, generation, &path) }
            generation += 1
            leader = Int(leaders[rank - 1][leader])
        }
    }

    private func walk(_ buyer: Int, boundary rank: Int, _ path: inout Path) {
        var generation = 1
        var leader = isLeader(buyer, rank) ? buyer : Int(leaders[0][buyer])
        while leader >= 0, generation <= depth {
            // Everybody above this leader, up to and including the next one.
            let next = Int(leaders[0][leader])
            let end = next < 0 ? -1 : Int(tree.level[next])
            var payee = Int(payable[leader])
            while payee >= 0, Int(tree.level[payee]) >= end {
                pay(payee, generation, &path)
                payee = Int(payable[payee])
            }
            generation += 1
            leader = next
        }
    }

    private func pay(_ payee: Int, _ generation: Int, _ path: inout Path) {
        guard eligible[payee] != 0 else {
            let lost = rates[Int(ranks[payee]) * depth + generation - 1]
            path.unqualifiedRate &+= lost
            return
        }
        let rate = rates[Int(ranks[payee]) * depth + generation - 1]
        if rate > 0 { path.pay(payee, level: generation, rate: rate) }
    }
}
