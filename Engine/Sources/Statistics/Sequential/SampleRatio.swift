/// Whether people came to the variants in the shares they were meant to. When they did not, something loses or doubles people, and
/// no other figure of the experiment can be trusted.
/// Source: Fabijan et al., "Diagnosing Sample Ratio Mismatch in Online Controlled Experiments", KDD 2019.
public struct SampleRatio: Hashable, Sendable {
    /// An alarm is raised below it, by either test.
    public static let alarmBelow = 0.001

    public let observed: [Int]
    /// What share each was meant to get; they sum to 1.
    public let shares: [Double]

    /// Nil unless there are two counts or more, as many weights, no count is negative, each weight is positive, and somebody came.
    public init?(observed: [Int], weights: [Int]) {
        guard observed.count >= 2, observed.count == weights.count, observed.allSatisfy({ $0 >= 0 && $0 <= Proportion.usersLimit }),
            observed.contains(where: { $0 > 0 }), weights.allSatisfy({ $0 > 0 })
        else { return nil }
        let whole = weights.reduce(0.0) { $0 + Double($1) }
        self.observed = observed
        shares = weights.map { Double($0) / whole }
    }

    /// Pearson's χ² against the shares. For one look only: looked at daily it cries wolf (see `evidence`).
    public func chiSquared() -> TestResult {
        let all = total
        var sum = 0.0
        for (count, share) in zip(observed, shares) {
            let gap = Double(count) - all * share
            sum += gap * gap / (all * share)
        }
        return TestResult(statistic: sum, pValue: ChiSquaredDistribution.upperTail(sum, degreesOfFreedom: observed.count - 1))
    }

    /// ln of how much likelier the counts are when the true shares were drawn from a Dirichlet distribution around the wanted ones
    /// than with the wanted ones. While the shares hold, e to this is a martingale with mean 1, so it exceeds 1/α ever, on any day, with a
    /// chance of at most α.
    /// Source: Lindon and Malek, "Anytime-Valid Inference for Multinomial Count Data", NeurIPS 2022.
    public var logEvidence: Double {
        let all = total
        var sum = logGamma(Self.concentration) - logGamma(Self.concentration + all)
        for (count, share) in zip(observed, shares) {
            let prior = Self.concentration * share
            sum += logGamma(prior + Double(count)) - logGamma(prior) - Double(count) * logarithm(share)
        }
        return sum
    }

    /// min(1, 1 / evidence): valid at this look whatever looks there were before. The least of all looks is valid too.
    public var alwaysValidPValue: Double { min(1, exponential(-logEvidence)) }

    private var total: Double { observed.reduce(0.0) { $0 + Double($1) } }

    /// How closely the Dirichlet distribution lies around the wanted shares: with 1,000, halves are taken to be off by about 1.6 points,
    /// and 48:52 is found among 10,000 to 20,000 people.
    private static let concentration = 1_000.0
}
