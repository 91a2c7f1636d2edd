/// How far a member is from a rank: each part of the rank's condition with what there is and what is needed.
public struct RankProgress: Hashable, Sendable {
    public struct Part: Hashable, Sendable {
        /// Nil for parts that are no numbers, such as being active.
        public var metric: Metric?
        public var have: Int64
        public var need: Int64
        public var isMet: Bool
    }
    /// The rank aimed at, from 1.
    public var rank: Int
    public var parts: [Part]
    /// Parts shown at most.
    public static let partsLimit = 32
}

extension RunResult {
    /// The way to the rank above the achieved one; nil at the highest. Reads only what the run computed already.
    public func nextRank(of member: Int) -> RankProgress? {
        let next = Int(state.achieved[member]) + 1
        guard next <= plan.ranks.count, facts.isPromoter(member) else { return nil }
        var progress = RankProgress(rank: next, parts: [])
        var pending = [plan.ranks[next - 1].condition]
        while let condition = pending.popLast(), progress.parts.count < RankProgress.partsLimit {
            switch condition {
            case .all(let parts), .any(let parts): pending += parts.reversed()
            case .atLeast(let metric, let bound):
                var needed: Int64 = 0
                if case .limitedGroupVolume(_, _, let limit) = metric, limit.of == .requirement { needed = bound }
                guard let column = engineState.metricColumns[MetricKey(metric: metric, requirement: needed)] else { continue }
                progress.parts.append(
                    RankProgress.Part(metric: metric, have: column[member], need: bound, isMet: column[member] >= bound))
            case .active:
                let isActive = state.active[member] != 0
                progress.parts.append(RankProgress.Part(metric: nil, have: isActive ? 1 : 0, need: 1, isMet: isActive))
            default: continue
            }
        }
        return progress
    }

    /// QV of each leg right below a member on the tree of ranks, the largest first; ties by the members' numbers.
    public func legs(of member: Int, limit: Int) -> [(head: Int, volume: Int64)] {
        guard let tree = facts.tree(plan.rankRule.tree) else { return [] }
        var legs: [(head: Int, volume: Int64)] = []
        for other in 0..<facts.memberCount where facts.isPromoter(other) && Int(tree.above[other]) == member {
            legs.append((other, groupVolume[other]))
        }
        legs.sort { $0.volume != $1.volume ? $0.volume > $1.volume : $0.head < $1.head }
        return Array(legs.prefix(limit))
    }
}
