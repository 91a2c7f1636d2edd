/// The beta distribution with two positive parameters.
public struct BetaDistribution: Hashable, Sendable {
    public let alpha: Double
    public let beta: Double

    /// Nil unless both are positive and finite.
    public init?(alpha: Double, beta: Double) {
        guard alpha > 0, beta > 0, alpha.isFinite, beta.isFinite else { return nil }
        self.alpha = alpha
        self.beta = beta
    }

    public var mean: Double { alpha / (alpha + beta) }

    public var standardDeviation: Double {
        let sum = alpha + beta
        return (alpha * beta / (sum * sum * (sum + 1))).squareRoot()
    }

    /// P(X ≤ x) = I_x(α, β).
    public func cumulative(_ x: Double) -> Double { incompleteBeta(alpha, beta, x, 1 - x).lower }

    public func density(_ x: Double) -> Double {
        guard x > 0, x < 1 else { return 0 }
        return betaFront(alpha, beta, x, 1 - x) / (x * (1 - x))
    }

    /// The x with P(X ≤ x) = `probability`, found by halving; 0 and 1 beyond the ends.
    public func quantile(_ probability: Double) -> Double {
        guard probability > 0 else { return 0 }
        guard probability < 1 else { return 1 }
        return risingRoot(in: Interval(0, 1)) { cumulative($0) - probability }
    }
}

/// Student's t distribution. Degrees of freedom are positive and need not be whole (Welch).
public enum StudentDistribution {
    /// P(|T| ≥ |t|) = I_{ν/(ν+t²)}(ν/2, ½). Source: Abramowitz and Stegun 26.7.1 and 26.5.27.
    public static func twoSidedTail(_ t: Double, degreesOfFreedom: Double) -> Double {
        guard degreesOfFreedom > 0, !t.isNaN else { return 1 }
        guard t.isFinite else { return 0 }
        let square = t * t
        return incompleteBeta(
            degreesOfFreedom / 2, 0.5, degreesOfFreedom / (degreesOfFreedom + square), square / (degreesOfFreedom + square)
        ).lower
    }

    public static func cumulative(_ t: Double, degreesOfFreedom: Double) -> Double {
        let tail = twoSidedTail(t, degreesOfFreedom: degreesOfFreedom) / 2
        return t < 0 ? tail : 1 - tail
    }

    /// The t beyond which, on both sides together, `probability` lies; at least 0.
    public static func twoSidedBound(_ probability: Double, degreesOfFreedom: Double) -> Double {
        guard probability < 1 else { return 0 }
        guard probability > 0 else { return .infinity }
        var high = 1.0
        // Doubled at most 1,023 times: then it is infinite.
        while high.isFinite && twoSidedTail(high, degreesOfFreedom: degreesOfFreedom) > probability { high *= 2 }
        return risingRoot(in: Interval(0, high)) { probability - twoSidedTail($0, degreesOfFreedom: degreesOfFreedom) }
    }
}

/// Fisher's F distribution.
public enum FDistribution {
    /// P(X ≥ x). Source: Abramowitz and Stegun 26.6.2.
    public static func upperTail(_ x: Double, _ numeratorDegrees: Double, _ denominatorDegrees: Double) -> Double {
        guard x > 0 else { return 1 }
        let whole = denominatorDegrees + numeratorDegrees * x
        return incompleteBeta(
            denominatorDegrees / 2, numeratorDegrees / 2, denominatorDegrees / whole, numeratorDegrees * x / whole
        ).lower
    }
}

/// I_x(a, b) and 1 − I_x(a, b), with y = 1 − x given apart so that neither end loses digits: the continued fraction on the side of
/// the mean where it is short. Source: Abramowitz and Stegun 26.5.8; Press et al., Numerical Recipes, 6.4.
func incompleteBeta(_ a: Double, _ b: Double, _ x: Double, _ y: Double) -> (lower: Double, upper: Double) {
    guard x > 0 else { return (0, 1) }
    guard y > 0 else { return (1, 0) }
    let front = betaFront(a, b, x, y)
    if x < (a + 1) / (a + b + 2) {
        let lower = min(1, front / (a * betaFraction(a, b, x)))
        return (lower, 1 - lower)
    }
    let upper = min(1, front / (b * betaFraction(b, a, y)))
    return (1 - upper, upper)
}

/// x^a · y^b / B(a, b).
private func betaFront(_ a: Double, _ b: Double, _ x: Double, _ y: Double) -> Double {
    SaddlePoint.binomial(a, of: a + b, x, y) * a * b / (a + b)
}

private func betaFraction(_ a: Double, _ b: Double, _ x: Double) -> Double {
    var fraction = ContinuedFraction(first: 1)
    for m in 0..<betaTermsLimit {
        let i = Double(m)
        if m > 0, fraction.append(numerator: i * (b - i) * x / ((a + 2 * i - 1) * (a + 2 * i)), denominator: 1) { break }
        if fraction.append(numerator: -(a + i) * (a + b + i) * x / ((a + 2 * i) * (a + 2 * i + 1)), denominator: 1) { break }
    }
    return fraction.value
}

/// The fraction needs about √max(a, b) terms: enough for `Proportion.usersLimit`.
private let betaTermsLimit = 400_000
