/// A measured value and how much it would vary if it were measured again: the common coin of rates, means and ratios, so that one
/// sequential test serves all of them.
public struct Estimate: Hashable, Sendable {
    public let value: Double
    /// The sampling variance of `value` (the square of its standard error), at least 0.
    public let variance: Double

    public init(_ value: Double, variance: Double) {
        self.value = value
        self.variance = variance
    }

    public var standardError: Double { variance.squareRoot() }

    /// The difference of two independent estimates: variances add.
    public func minus(_ other: Estimate) -> Estimate {
        Estimate(value - other.value, variance: variance + other.variance)
    }

    /// value ± z·error: right for a look whose day was fixed beforehand, wrong for daily looks (see `AlwaysValid`).
    public func interval(_ alpha: ErrorRate = .fivePercent) -> Interval {
        let half = alpha.twoSidedBound * standardError
        return Interval(value - half, value + half)
    }
}

/// The answer of one test.
public struct TestResult: Hashable, Sendable {
    public let statistic: Double
    public let pValue: Double

    public init(statistic: Double, pValue: Double) {
        self.statistic = statistic
        self.pValue = pValue
    }
}
