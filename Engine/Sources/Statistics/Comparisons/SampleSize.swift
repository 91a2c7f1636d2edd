/// How many people each side needs so that a rate of `from` against one of `to` is found with `power`, by a two-sided z test of one
/// look on a fixed day. Not rounded: round up. Experiments that are looked at daily need somewhat more.
public struct SampleSize: Hashable, Sendable {
    public let from: Double
    public let to: Double
    public let alpha: ErrorRate
    public let power: Double

    /// Nil unless both rates are within 0…1 and differ, and α < power < 1.
    public init?(from: Double, to: Double, alpha: ErrorRate = .fivePercent, power: Double = 0.8) {
        guard from >= 0, from <= 1, to >= 0, to <= 1, from != to, power > alpha.value, power < 1 else { return nil }
        (self.from, self.to, self.alpha, self.power) = (from, to, alpha, power)
    }

    /// Cohen's h = 2·asin√to − 2·asin√from. Source: J. Cohen, Statistical Power Analysis for the Behavioral Sciences, 2nd ed., chapter 6.
    public var cohenH: Double { 2 * arcSine(to.squareRoot()) - 2 * arcSine(from.squareRoot()) }

    /// By the arc sine transformation, both tails counted. Source: Cohen, as above.
    public var perGroupArcSine: Double {
        let bound = alpha.twoSidedBound
        // With shift s = |h|·√(n/2) the power is Φ(s − z) + Φ(−s − z), which rises with s.
        let shift = risingRoot(in: Interval(0, bound + 40)) {
            NormalDistribution.cumulative($0 - bound) + NormalDistribution.cumulative(-$0 - bound) - power
        }
        return 2 * shift * shift / (cohenH * cohenH)
    }

    /// (z_α/2·√(2p̄q̄) + z_β·√(p₀q₀ + p₁q₁))² / (p₁ − p₀)². Source: Fleiss, Levin and Paik, 3rd ed., chapter 4, without the correction for continuity.
    public var perGroupClassic: Double {
        let mean = (from + to) / 2
        let root = alpha.twoSidedBound * (2 * mean * (1 - mean)).squareRoot()
            + NormalDistribution.quantile(power) * (from * (1 - from) + to * (1 - to)).squareRoot()
        return root * root / ((to - from) * (to - from))
    }
}
