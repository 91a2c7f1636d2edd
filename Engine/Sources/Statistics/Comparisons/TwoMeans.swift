/// Two samples' means. Differences are `second − first`, and t has their sign.
public struct TwoMeans: Hashable, Sendable {
    public let first: Moments
    public let second: Moments
    private let firstEstimate: Estimate
    private let secondEstimate: Estimate

    /// Nil unless each sample has two values or more.
    public init?(first: Moments, second: Moments) {
        guard let one = first.estimate, let two = second.estimate else { return nil }
        (self.first, self.second, firstEstimate, secondEstimate) = (first, second, one, two)
    }

    /// The difference with the variance s₀²/n₀ + s₁²/n₁.
    public var estimate: Estimate { secondEstimate.minus(firstEstimate) }

    /// The t test for samples of unequal variance. Where nothing varies the statistic is 0 and the p-value 1.
    /// Source: B. L. Welch, "The generalization of 'Student's' problem …", Biometrika 34 (1947).
    public func welch() -> TestResult { result(estimate, welchDegreesOfFreedom) }

    /// (V₀+V₁)² / (V₀²/(n₀−1) + V₁²/(n₁−1)) with Vᵢ = sᵢ²/nᵢ; infinite where nothing varies.
    /// Source: F. E. Satterthwaite, Biometrics Bulletin 2 (1946).
    public var welchDegreesOfFreedom: Double {
        let (one, two) = (firstEstimate.variance, secondEstimate.variance)
        return (one + two) * (one + two) / (one * one / Double(first.count - 1) + two * two / Double(second.count - 1))
    }

    public func welchInterval(_ alpha: ErrorRate = .fivePercent) -> Interval {
        guard estimate.variance > 0 else { return Interval(estimate.value, estimate.value) }
        let half = StudentDistribution.twoSidedBound(alpha.value, degreesOfFreedom: welchDegreesOfFreedom) * estimate.standardError
        return Interval(estimate.value - half, estimate.value + half)
    }

    /// The t test for samples of one variance. Source: "Student", "The Probable Error of a Mean", Biometrika 6 (1908), and Fisher (1925).
    public func student() -> TestResult {
        let degrees = Double(first.count + second.count - 2)
        let pooled = (first.squaredDeviations + second.squaredDeviations) / degrees
        return result(
            Estimate(estimate.value, variance: pooled * (1 / Double(first.count) + 1 / Double(second.count))), degrees)
    }

    private func result(_ estimate: Estimate, _ degreesOfFreedom: Double) -> TestResult {
        guard estimate.variance > 0 else { return TestResult(statistic: 0, pValue: 1) }
        let t = estimate.value / estimate.standardError
        return TestResult(statistic: t, pValue: StudentDistribution.twoSidedTail(t, degreesOfFreedom: degreesOfFreedom))
    }
}
