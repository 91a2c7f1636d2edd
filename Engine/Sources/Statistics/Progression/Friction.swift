/// Where people are lost more than their peers: each group beside everybody else at the same step.
///
/// It finds association. Groups are as people came, nobody drew lots: what is found is a place to look, not a cause.
public enum Friction {
    /// Groups compared at once at most.
    public static let groupsMax = 10_000
    /// Below it a group or its peers are too few to say anything.
    public static let peopleMin = 30

    /// People who came to a step by one way.
    public struct Group<Name: Hashable & Sendable>: Sendable {
        /// Groups of one scope are each other's peers: the same step, the same kind of difference.
        public let scope: Name
        public let name: Name
        public let came: Int
        public let moved: Int

        public init(scope: Name, name: Name, came: Int, moved: Int) {
            self.scope = scope
            self.name = name
            self.came = came
            self.moved = moved
        }
    }

    /// A group beside its peers.
    public struct Finding<Name: Hashable & Sendable>: Sendable {
        public let group: Group<Name>
        /// Everybody else of the same scope.
        public let peers: Proportion
        /// Of the group less of the peers; below 0 it loses more.
        public let difference: Double
        /// By Newcombe's hybrid score method, of this comparison by itself.
        public let interval: Interval
        /// Fisher's exact test of this comparison by itself.
        public let pValue: Double
        /// After all comparisons made at once (Benjamini and Hochberg).
        public let adjustedPValue: Double
        /// How many more would have moved on if it went as with the peers.
        public var lost: Double { -difference * Double(group.came) }
    }

    /// Every comparison that people suffice for, those that lose most first. Who reports one states `adjustedPValue`.
    public static func compare<Name>(_ groups: [Group<Name>], alpha: ErrorRate = .fivePercent) -> [Finding<Name>] {
        var sums: [Name: (came: Int, moved: Int)] = [:]
        for group in groups.prefix(groupsMax) {
            sums[group.scope, default: (0, 0)].came += group.came
            sums[group.scope, default: (0, 0)].moved += group.moved
        }
        let pairs = groups.prefix(groupsMax).compactMap { group -> (Group<Name>, TwoProportions)? in
            guard let all = sums[group.scope], group.came >= peopleMin, all.came - group.came >= peopleMin,
                let own = Proportion(conversions: group.moved, users: group.came),
                let peers = Proportion(conversions: all.moved - group.moved, users: all.came - group.came)
            else { return nil }
            return (group, TwoProportions(control: peers, treatment: own))
        }
        let pValues = pairs.map { $0.1.fisherExact() }
        let adjusted = FalseDiscovery.adjusted(pValues)
        return pairs.indices.map { index in
            let (group, both) = pairs[index]
            return Finding(
                group: group, peers: both.control, difference: both.difference, interval: both.newcombe(alpha), pValue: pValues[index],
                adjustedPValue: adjusted[index])
        }.sorted { $0.lost > $1.lost }
    }
}
