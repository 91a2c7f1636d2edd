/// The regularised incomplete gamma function and the χ² distribution made of it.
public enum ChiSquaredDistribution {
    /// P(X ≥ x) with `degreesOfFreedom` ≥ 1. 1 for x ≤ 0.
    public static func upperTail(_ x: Double, degreesOfFreedom: Int) -> Double {
        guard x > 0, degreesOfFreedom > 0 else { return 1 }
        return incompleteGamma(Double(degreesOfFreedom) / 2, x / 2).upper
    }

    /// P(X ≤ x).
    public static func cumulative(_ x: Double, degreesOfFreedom: Int) -> Double {
        guard x > 0, degreesOfFreedom > 0 else { return 0 }
        return incompleteGamma(Double(degreesOfFreedom) / 2, x / 2).lower
    }
}

/// P(a, x) and Q(a, x), a > 0, x > 0: the power series below a + 1, the continued fraction above.
/// Sources: Abramowitz and Stegun 6.5.29 and 6.5.31; the fraction is evaluated by Lentz's method as Thompson and Barnett (1986) mend it.
func incompleteGamma(_ a: Double, _ x: Double) -> (lower: Double, upper: Double) {
    let front = SaddlePoint.poisson(a, mean: x) * a
    if x < a + 1 {
        var term = 1 / a
        var sum = term
        for n in 1..<gammaTermsLimit {
            term *= x / (a + Double(n))
            sum += term
            if term < sum * 1e-17 { break }
        }
        let lower = min(1, front * sum)
        return (lower, 1 - lower)
    }
    var fraction = ContinuedFraction(first: x + 1 - a)
    for n in 1..<gammaTermsLimit {
        let i = Double(n)
        if fraction.append(numerator: -i * (i - a), denominator: x + 2 * i + 1 - a) { break }
    }
    let upper = min(1, front / fraction.value)
    return (1 - upper, upper)
}

private let gammaTermsLimit = 200_000

/// b₀ + a₁/(b₁ + a₂/(b₂ + …)), term by term. Source: Thompson and Barnett, "Coulomb and Bessel functions of complex arguments and
/// order", J. Comput. Phys. 64 (1986), Lentz's algorithm.
struct ContinuedFraction {
    private(set) var value: Double
    private var c: Double
    private var d = 0.0

    init(first: Double) {
        value = first == 0 ? Self.tiny : first
        c = value
    }

    /// Takes in one more term; true when it changed nothing any more.
    mutating func append(numerator: Double, denominator: Double) -> Bool {
        d = denominator + numerator * d
        if d.magnitude < Self.tiny { d = Self.tiny }
        c = denominator + numerator / c
        if c.magnitude < Self.tiny { c = Self.tiny }
        d = 1 / d
        let factor = c * d
        value *= factor
        return (factor - 1).magnitude < 1e-16
    }

    private static let tiny = 1e-300
}
