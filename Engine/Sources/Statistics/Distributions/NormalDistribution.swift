/// The standard normal distribution.
public enum NormalDistribution {
    /// P(Z ≤ z) = erfc(−z/√2)/2. Source: Abramowitz and Stegun, Handbook of Mathematical Functions, 26.2.29.
    public static func cumulative(_ z: Double) -> Double {
        complementaryErrorFunction(-z / 2.0.squareRoot()) / 2
    }

    /// P(|Z| ≥ |z|), exact far out in the tails too.
    public static func twoSidedTail(_ z: Double) -> Double {
        complementaryErrorFunction(z.magnitude / 2.0.squareRoot())
    }

    public static func density(_ z: Double) -> Double {
        exponential(-z * z / 2) / (2 * Double.pi).squareRoot()
    }

    /// The z with P(Z ≤ z) = `probability`; −∞ at 0 or less, ∞ at 1 or more.
    ///
    /// Source: P. J. Acklam's rational approximation (2003, relative error 1.15e-9), made exact by two steps of Halley's method on
    /// `cumulative`. The upper half is the mirror of the lower one.
    public static func quantile(_ probability: Double) -> Double {
        guard probability > 0 else { return -.infinity }
        guard probability < 1 else { return .infinity }
        if probability > 0.5 { return -quantileOfLowerHalf(1 - probability) }
        return quantileOfLowerHalf(probability)
    }

    private static func quantileOfLowerHalf(_ probability: Double) -> Double {
        var z = approximateQuantile(probability)
        for _ in 0..<2 {
            let step = (cumulative(z) - probability) / density(z)
            guard step.isFinite else { break }
            z -= step / (1 + z * step / 2)
        }
        return z
    }

    private static func approximateQuantile(_ probability: Double) -> Double {
        if probability < 0.02425 {
            let q = (-2 * logarithm(probability)).squareRoot()
            return polynomial(tailNumerator, q) / (polynomial(tailDenominator, q) * q + 1)
        }
        let q = probability - 0.5
        let r = q * q
        return polynomial(middleNumerator, r) * q / (polynomial(middleDenominator, r) * r + 1)
    }

    /// Coefficients of the highest power first.
    private static func polynomial(_ coefficients: [Double], _ x: Double) -> Double {
        coefficients.reduce(0) { $0 * x + $1 }
    }

    private static let middleNumerator = [
        -3.969683028665376e+01, 2.209460984245205e+02, -2.759285104469687e+02, 1.383577518672690e+02, -3.066479806614716e+01, 2.506628277459239e+00,
    ]
    private static let middleDenominator = [
        -5.447609879822406e+01, 1.615858368580409e+02, -1.556989798598866e+02, 6.680131188771972e+01, -1.328068155288572e+01,
    ]
    private static let tailNumerator = [
        -7.784894002430293e-03, -3.223964580411365e-01, -2.400758277161838e+00, -2.549732539343734e+00, 4.374664141464968e+00, 2.938163982698783e+00,
    ]
    private static let tailDenominator = [7.784695709041462e-03, 3.224671290700398e-01, 2.445134137142996e+00, 3.754408661907416e+00]
}
