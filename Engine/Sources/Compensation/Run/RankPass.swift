/// Gives every promoter the achieved, paid-as and highest rank.
struct RankPass {
    /// Most rounds when ranks read legs of several trees.
    static let roundsLimit = 64

    let state: RunState

    func run() throws(RunFailure) {
        try track(.beforeActivity)
        try giveActivity()
        try track(.beforeRanks)
        try giveAchieved()
        givePaidAs()
        try track(.afterRanks)
    }

    private func giveActivity() throws(RunFailure) {
        let holds = try state.holds(state.plan.active)
        for member in 0..<state.facts.memberCount {
            state.active[member] = holds[member] != 0 || state.activityWaived[member] != 0 ? 1 : 0
        }
    }

    /// Trackers of promoters, each as early as what it reads is known.
    private func track(_ moment: Tracker.Moment) throws(RunFailure) {
        for (tracker, history) in zip(state.plan.trackers, state.trackers) where tracker.moment == moment {
            let holds = try state.holds(tracker.condition)
            for member in 0..<state.facts.memberCount {
                let isPromoter = state.facts.isPromoter(member)
                history[member] = history[member] << 1 | (isPromoter ? UInt64(holds[member]) : 0)
            }
        }
    }

    private func giveAchieved() throws(RunFailure) {
        defer { state.areRanksKnown = true }
        let plan = state.plan
        let facts = state.facts
        guard !plan.ranks.isEmpty else {
            for member in 0..<facts.memberCount where state.forced[member] != RunState.noForcedRank {
                state.achieved[member] = state.forced[member]
            }
            return
        }
        var tests: [RankTest] = []
        for rank in plan.ranks {
            let program = try ConditionProgram(rank.condition, state: state)
            tests.append(rank.condition.readsRank ? .program(program) : .column(program.column()))
        }
        var followers: [RankFollower] = []
        for (key, column) in state.metricColumns where key.metric.readsRank {
            followers.append(try RankFollower(key.metric, column, state))
        }
        let trees = Set(followers.map(\.tree.code))
        var tree = try state.tree(.enroller)
        if let follower = followers.first { tree = follower.tree }
        guard trees.count > 1 else {
            for follower in followers { follower.reset() }
            pass(tree, tests, followers)
            return
        }
        for _ in 0..<Self.roundsLimit {
            let before = state.achieved.array
            for follower in followers { follower.fill(facts, ranks: state.achieved) }
            pass(tree, tests, [])
            if state.achieved.array == before { return }
        }
        throw .ranksDoNotSettle
    }

    private func pass(_ tree: Tree, _ tests: [RankTest], _ followers: [RankFollower]) {
        if followers.isEmpty, !state.plan.rankRule.isCumulative, tests.allSatisfy(\.isColumn) {
            // No rank reads another: rank by rank, the highest written last.
            for (rank, test) in tests.enumerated() {
                guard case .column(let holds) = test else { continue }
                for member in 0..<holds.count where holds[member] != 0 && state.facts.isPromoter(member) {
                    state.achieved[member] = UInt8(rank + 1)
                }
            }
            for member in 0..<state.facts.memberCount
            where state.forced[member] != RunState.noForcedRank && state.facts.isPromoter(member) {
                state.achieved[member] = state.forced[member]
            }
            return
        }
        var place = state.facts.memberCount
        while place > 0 {
            place -= 1
            let member = Int(tree.sequence[place])
            guard state.facts.isPromoter(member) else { continue }
            let forced = state.forced[member]
            let rank = forced != RunState.noForcedRank ? forced : achieved(member, tests)
            state.achieved[member] = rank
            for follower in followers { follower.follow(member, rank: rank) }
        }
    }

    private func achieved(_ member: Int, _ tests: [RankTest]) -> UInt8 {
        if state.plan.rankRule.isCumulative {
            var rank = 0
            while rank < tests.count, tests[rank].holds(member) { rank += 1 }
            return UInt8(rank)
        }
        var rank = tests.count
        while rank > 0, !tests[rank - 1].holds(member) { rank -= 1 }
        return UInt8(rank)
    }

    /// A rank missed for at most `gracePeriods` periods in a row is paid all the same; then the kept rank falls to the
    /// achieved one. The inactive have no paid-as rank.
    private func givePaidAs() {
        let grace = Int32(clamping: state.plan.rankRule.gracePeriods)
        for member in 0..<state.facts.memberCount {
            let achieved = state.achieved[member]
            var paid = achieved
            if achieved >= state.kept[member] {
                state.kept[member] = achieved
                state.missed[member] = 0
            } else if state.missed[member] < grace {
                state.missed[member] += 1
                paid = state.kept[member]
            } else {
                state.kept[member] = achieved
                state.missed[member] = 0
            }
            let isForced = state.forced[member] != RunState.noForcedRank
            if isForced { paid = achieved }
            let isPaid = (state.active[member] != 0 || isForced) && state.facts.isPromoter(member)
            state.paidAs[member] = isPaid ? paid : 0
            state.highest[member] = max(state.highest[member], state.paidAs[member])
        }
    }
}

/// Conditions that read no rank are known for everybody before ranks are given.
private enum RankTest {
    case column(Column<UInt8>)
    case program(ConditionProgram)

    var isColumn: Bool {
        if case .column = self { return true }
        return false
    }

    func holds(_ member: Int) -> Bool {
        switch self {
        case .column(let column): column[member] != 0
        case .program(let program): program.holds(member)
        }
    }
}

/// Keeps one rank-reading metric up to date while ranks are given from the leaves up.
struct RankFollower {
    let tree: Tree
    private let column: Column<Int64>
    private let bound: UInt8
    private let anywhere: Bool
    private let personal: Column<Int64>?
    private let found: Column<UInt8>

    init(_ metric: Metric, _ column: Column<Int64>, _ state: RunState) throws(RunFailure) {
        self.column = column
        found = Column(state.facts.memberCount, repeating: 0)
        switch metric {
        case .groupVolumeOutside(let volume, let code, let rank):
            tree = try state.tree(code)
            bound = UInt8(clamping: rank)
            anywhere = false
            personal = try state.column(.personalVolume(volume, of: .both, on: code))
        case .legsWithRank(let rank, let code, let everywhere):
            tree = try state.tree(code)
            bound = UInt8(clamping: rank)
            anywhere = everywhere
            personal = nil
        default:
            tree = try state.tree(.enroller)
            bound = 0
            anywhere = false
            personal = nil
        }
    }

    /// From ranks that everybody has.
    func fill(_ facts: Facts, ranks: Column<UInt8>) {
        reset()
        var place = facts.memberCount
        while place > 0 {
            place -= 1
            let member = Int(tree.sequence[place])
            if facts.isPromoter(member) { follow(member, rank: ranks[member]) }
        }
    }

    func reset() {
        for member in 0..<column.count {
            column[member] = personal?[member] ?? 0
            found[member] = 0
        }
    }

    func follow(_ member: Int, rank: UInt8) {
        let above = tree.above[member]
        guard above >= 0 else { return }
        let isQualified = rank >= bound
        if personal != nil {
            if !isQualified { column[Int(above)] &+= column[member] }
        } else if isQualified || (anywhere && found[member] != 0) {
            column[Int(above)] += 1
            found[Int(above)] = 1
        }
    }
}

extension Condition {
    /// Whether the condition can only be judged when ranks are known.
    var readsRank: Bool { contains { leaf in
        switch leaf {
        case .paidRank, .highestRank: true
        case .atLeast(let metric, _): metric.readsRank
        default: false
        }
    } }

    /// Whether one of the leaves satisfies `test`.
    func contains(_ test: (Condition) -> Bool) -> Bool {
        var pending = [self]
        var steps = 0
        while let next = pending.popLast(), steps <= Condition.termsLimit * Condition.depthLimit {
            steps += 1
            switch next {
            case .all(let parts), .any(let parts): pending.append(contentsOf: parts)
            case .not(let part): pending.append(part)
            default: if test(next) { return true }
            }
        }
        return false
    }
}
