/// P-values and intervals that stay right however often, and whenever, one looks: the mixture sequential probability ratio test with
/// a normal mixture N(0, τ²) of possible effects.
///
/// For a difference d with variance V the mixture's likelihood ratio against "no difference" is
/// Λ = √(V/(V+τ²)) · exp(d²τ² / (2V(V+τ²))). While there is no difference, Λ is (nearly: V is estimated) a martingale with mean 1, and
/// Ville's inequality bounds the chance that it *ever* exceeds 1/α by α.
///
/// Sources: H. Robbins, "Statistical Methods Related to the Law of the Iterated Logarithm", Annals of Mathematical Statistics 41 (1970);
/// Johari, Koomen, Pekelis and Walsh, "Always Valid Inference: Continuous Monitoring of A/B Tests", Operations Research 70 (2022);
/// Howard, Ramdas, McAuliffe and Sekhon, "Time-uniform, nonparametric, nonasymptotic confidence sequences", Annals of Statistics 49 (2021);
/// for estimated variances Waudby-Smith, Arbour, Sinha, Kennedy and Ramdas, "Time-uniform central limit theory …", Annals of Statistics 52 (2024).
public struct AlwaysValid: Hashable, Sendable {
    /// Conversions of both sides together below which no look is taken: the normal approximation isn't good yet.
    public static let conversionsBeforeLooking = 25
    /// Values on each side below which no look at means is taken.
    public static let valuesBeforeLooking = 50

    /// The size of the effects that are looked for, in the units of the difference; fixed before the first look. It steers only how soon
    /// an effect is found, never how often there is a false alarm.
    public let tau: Double

    /// Nil unless τ is positive and finite.
    public init?(tau: Double) {
        guard tau > 0, tau.isFinite else { return nil }
        self.tau = tau
    }

    /// min(1, 1/Λ) of one look. Nil where nothing varies: there is nothing to look at.
    public func pValue(_ difference: Estimate) -> Double? {
        guard difference.variance > 0 else { return nil }
        let (v, square) = (difference.variance, tau * tau)
        let logRatio = (logarithm(v) - logarithm(v + square)) / 2 + difference.value * difference.value * square / (2 * v * (v + square))
        return min(1, exponential(-logRatio))
    }

    /// All differences that this look doesn't rule out: d ± √(V(V+τ²)/τ² · (2·ln(1/α) + ln((V+τ²)/V))). Contains 0 exactly while
    /// `pValue` > α.
    public func interval(_ difference: Estimate, _ alpha: ErrorRate = .fivePercent) -> Interval? {
        guard difference.variance > 0 else { return nil }
        let half = halfWidth(variance: difference.variance, alpha)
        return Interval(difference.value - half, difference.value + half)
    }

    /// Half the width of the interval when the difference has this variance.
    func halfWidth(variance v: Double, _ alpha: ErrorRate) -> Double {
        let square = tau * tau
        return (v * (v + square) / square * (logarithm(v + square) - logarithm(v) - 2 * logarithm(alpha.value))).squareRoot()
    }
}
