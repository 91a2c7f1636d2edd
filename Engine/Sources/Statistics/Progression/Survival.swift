/// How many have not moved on yet, by the time since they came, when some could be watched for a while only.
/// Source: Kaplan and Meier, "Nonparametric Estimation from Incomplete Observations", JASA 53 (1958).
public struct Survival: Hashable, Sendable {
    /// People who were watched for equally long and did the same.
    public struct Watched: Hashable, Sendable {
        /// Whole units of time, such as days, since they came; at least 0.
        public let time: Int64
        /// Whether they moved on then, or were no longer watched.
        public let moved: Bool
        public let count: Int

        public init(time: Int64, moved: Bool, count: Int = 1) {
            self.time = time
            self.moved = moved
            self.count = count
        }
    }

    /// What is known right after a time at which somebody moved on.
    public struct Step: Hashable, Sendable {
        public let time: Int64
        /// Still there right before, and watched.
        public let atRisk: Int
        public let moved: Int
        /// The share that has not moved on.
        public let share: Double
        /// Of that share. From 0 to 1 where the formula has no answer: nobody is left, or everybody is.
        public let interval: Interval
    }

    /// In order of time; empty when nobody moved on.
    public let steps: [Step]
    /// Everybody who was watched.
    public let count: Int
    /// How long whoever was watched longest was watched; beyond it nothing is known.
    public let longest: Int64

    /// Nil when nobody was watched, or a time or a count is negative.
    /// - Parameter alpha: of each step's interval by itself.
    public init?(_ watched: [Watched], alpha: ErrorRate = .fivePercent) {
        guard watched.allSatisfy({ $0.time >= 0 && $0.count >= 0 }), let longest = watched.filter({ $0.count > 0 }).map(\.time).max() else { return nil }
        var (moved, left): ([Int64: Int], [Int64: Int]) = ([:], [:])
        for one in watched where one.count > 0 {
            if one.moved { moved[one.time, default: 0] += one.count }
            left[one.time, default: 0] += one.count
        }
        count = left.values.reduce(0, +)
        self.longest = longest
        var (atRisk, share, hazards) = (count, 1.0, 0.0)
        var steps: [Step] = []
        for time in left.keys.sorted() {
            if let moves = moved[time] {
                share *= 1 - Double(moves) / Double(atRisk)
                hazards += Double(moves) / (Double(atRisk) * Double(atRisk - moves))
                steps.append(Step(time: time, atRisk: atRisk, moved: moves, share: share, interval: Self.interval(share, hazards, alpha)))
            }
            atRisk -= left[time] ?? 0
        }
        self.steps = steps
    }

    /// The share that has not moved on at a time; nil beyond the longest watch.
    public func share(at time: Int64) -> Double? {
        guard time <= longest else { return nil }
        return steps.last { $0.time <= time }?.share ?? 1
    }

    /// The first time at which half have moved on; nil when that was not seen.
    public var median: Int64? { steps.first { $0.share <= 0.5 }?.time }

    /// Greenwood's variance on the scale of ln(−ln share), so that it stays between 0 and 1.
    /// Source: Kalbfleisch and Prentice, The Statistical Analysis of Failure Time Data (1980), section 1.3.
    private static func interval(_ share: Double, _ hazards: Double, _ alpha: ErrorRate) -> Interval {
        guard share > 0, share < 1 else { return Interval(0, 1) }
        let half = alpha.twoSidedBound * hazards.squareRoot() / -logarithm(share)
        return Interval(exponential(logarithm(share) * exponential(half)), exponential(logarithm(share) * exponential(-half)))
    }
}
