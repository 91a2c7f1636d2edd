/// Control and treatment, counted. Differences are treatment − control, and z has their sign.
/// Where nothing varies (nobody or everybody converted), statistics are 0 and p-values 1.
public struct TwoProportions: Hashable, Sendable {
    public let control: Proportion
    public let treatment: Proportion

    public init(control: Proportion, treatment: Proportion) {
        self.control = control
        self.treatment = treatment
    }

    public var difference: Double { treatment.rate - control.rate }
    /// difference ÷ the control's rate; nil when the control's is 0.
    public var relativeLift: Double? { control.conversions == 0 ? nil : difference / control.rate }
    public var conversions: Int { control.conversions + treatment.conversions }

    /// The rate of both together.
    public var pooledRate: Double { Double(conversions) / Double(control.users + treatment.users) }

    /// The difference with the variance p̄(1−p̄)(1/n₀+1/n₁) that it has if there is none.
    public var pooledEstimate: Estimate {
        let p = pooledRate
        return Estimate(difference, variance: p * (1 - p) * (1 / Double(control.users) + 1 / Double(treatment.users)))
    }

    /// The difference with each side's own variance.
    public var estimate: Estimate { treatment.estimate.minus(control.estimate) }

    /// z with the pooled variance. Source: Fleiss, Levin and Paik, Statistical Methods for Rates and Proportions, 3rd ed., chapter 3.
    public func pooledZ() -> TestResult { z(pooledEstimate) }

    /// z with each side's own variance (Wald).
    public func unpooledZ() -> TestResult { z(estimate) }

    private func z(_ estimate: Estimate) -> TestResult {
        guard estimate.variance > 0 else { return TestResult(statistic: 0, pValue: 1) }
        let z = estimate.value / estimate.standardError
        return TestResult(statistic: z, pValue: NormalDistribution.twoSidedTail(z))
    }

    /// Difference ± z·error with each side's own variance.
    public func wald(_ alpha: ErrorRate = .fivePercent) -> Interval { estimate.interval(alpha) }

    /// The hybrid score interval: good for small counts, never beyond ±1.
    /// Source: R. G. Newcombe, "Interval estimation for the difference between independent proportions", Statistics in Medicine 17 (1998), method 10.
    public func newcombe(_ alpha: ErrorRate = .fivePercent) -> Interval {
        let (one, zero) = (treatment.wilson(alpha), control.wilson(alpha))
        let below = hypotenuse(treatment.rate - one.lower, zero.upper - control.rate)
        let above = hypotenuse(one.upper - treatment.rate, control.rate - zero.lower)
        return Interval(difference - below, difference + above)
    }

    /// Wald's interval after adding one success and one failure to each side.
    /// Source: Agresti and Caffo, "Simple and Effective Confidence Intervals for Proportions …", The American Statistician 54 (2000).
    public func agrestiCaffo(_ alpha: ErrorRate = .fivePercent) -> Interval {
        func mended(_ proportion: Proportion) -> Estimate {
            let n = Double(proportion.users + 2)
            let p = Double(proportion.conversions + 1) / n
            return Estimate(p, variance: p * (1 - p) / n)
        }
        return mended(treatment).minus(mended(control)).interval(alpha)
    }

    private func hypotenuse(_ a: Double, _ b: Double) -> Double { (a * a + b * b).squareRoot() }
}
