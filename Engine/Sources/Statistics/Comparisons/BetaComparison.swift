/// The chance that the treatment's true rate is above the control's, starting from no opinion (Beta(1, 1)). It says nothing about
/// daily looks and decides nothing; it is shown because people ask for it.
public enum BetaComparison {
    /// P(rate of treatment > rate of control).
    public static func probabilityBetter(_ comparison: TwoProportions) -> Double {
        let (a, b) = (posterior(comparison.control), posterior(comparison.treatment))
        if b.yes <= termsLimit, a.yes + a.no + b.yes + b.no <= exactSumLimit { return finiteSum(a, b) }
        return integral(a, b)
    }

    private typealias Counts = (yes: Double, no: Double)

    private static func posterior(_ proportion: Proportion) -> Counts {
        (Double(proportion.conversions) + 1, Double(proportion.users - proportion.conversions) + 1)
    }

    /// Σ over i < α_B of B(α_A+i, β_A+β_B) / ((β_B+i)·B(1+i, β_B)·B(α_A, β_A)), each term from the one before.
    /// Source: E. Miller, "Formulas for Bayesian A/B Testing" (2015), after J. D. Cook (2005).
    private static func finiteSum(_ a: Counts, _ b: Counts) -> Double {
        let all = a.no + b.no
        var logTerm = logGamma(all) - logGamma(a.yes + all) + logGamma(a.yes + a.no) - logGamma(a.no)
        var sum = 0.0
        var i = 0.0
        while i < b.yes {
            sum += exponential(logTerm)
            logTerm += logarithm((a.yes + i) / (a.yes + i + all)) + logarithm((b.no + i) / (i + 1))
            i += 1
        }
        return min(1, sum)
    }

    /// ∫ density of the narrower · distribution of the wider one, by Gauss and Legendre's rule of five points on strips of a fifth of
    /// a standard deviation: the integrand is smooth on that scale.
    private static func integral(_ a: Counts, _ b: Counts) -> Double {
        guard let control = BetaDistribution(alpha: a.yes, beta: a.no), let treatment = BetaDistribution(alpha: b.yes, beta: b.no) else { return 0.5 }
        let controlIsNarrower = control.standardDeviation < treatment.standardDeviation
        let narrow = controlIsNarrower ? control : treatment
        let wide = controlIsNarrower ? treatment : control
        let strip = narrow.standardDeviation / 5
        var below = 0.0
        for index in -stripsLimit..<stripsLimit {
            let center = narrow.mean + (Double(index) + 0.5) * strip
            guard center + strip / 2 > 0, center - strip / 2 < 1 else { continue }
            let (low, high) = (max(0, center - strip / 2), min(1, center + strip / 2))
            let (middle, half) = ((low + high) / 2, (high - low) / 2)
            for (node, weight) in zip(nodes, weights) {
                let x = middle + half * node
                let density = narrow.density(x)
                if density > 0 { below += half * weight * density * wide.cumulative(x) }
            }
        }
        // `below` is P(wide < narrow).
        return min(1, max(0, controlIsNarrower ? 1 - below : below))
    }

    private static let termsLimit = 20_000.0
    /// Beyond, ln Γ has too few digits left for a sum of differences.
    private static let exactSumLimit = 1_000_000.0
    /// 20 standard deviations on each side.
    private static let stripsLimit = 100

    /// Of the Legendre polynomial of degree 5. Source: Abramowitz and Stegun, table 25.4.
    private static let nodes = [-0.906179845938664, -0.538469310105683, 0, 0.538469310105683, 0.906179845938664]
    private static let weights = [0.236926885056189, 0.478628670499366, 0.568888888888889, 0.478628670499366, 0.236926885056189]
}
