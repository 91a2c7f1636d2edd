/// Masses of the binomial, Poisson and hypergeometric distributions without the cancellation that large factorials bring: each is a
/// square root times e to small corrections. Source: C. Loader, "Fast and Accurate Computation of Binomial Probabilities" (2000).
enum SaddlePoint {
    /// Γ(n+1)/(Γ(x+1)Γ(n−x+1)) · p^x · q^(n−x), with q = 1 − p given apart so that neither loses digits. Real x and n are allowed.
    static func binomial(_ x: Double, of n: Double, _ p: Double, _ q: Double) -> Double {
        if x < 0 || x > n { return 0 }
        if p <= 0 { return x == 0 ? 1 : 0 }
        if q <= 0 { return x == n ? 1 : 0 }
        if x == 0 { return exponential(n * (p < q ? logarithmOfOnePlus(-p) : logarithm(q))) }
        if x == n { return exponential(n * (q < p ? logarithmOfOnePlus(-q) : logarithm(p))) }
        let exponent =
            stirlingError(n) - stirlingError(x) - stirlingError(n - x) - deviance(x, n * p) - deviance(n - x, n * q)
        return exponential(exponent) * (n / (2 * Double.pi * x * (n - x))).squareRoot()
    }

    /// mean^x · e^(−mean) / Γ(x+1) for x > 0.
    static func poisson(_ x: Double, mean: Double) -> Double {
        exponential(-stirlingError(x) - deviance(x, mean)) / (2 * Double.pi * x).squareRoot()
    }

    /// P(x of the `drawn` are marked) when `marked` and `unmarked` lie in the urn.
    static func hypergeometric(_ x: Double, marked: Double, unmarked: Double, drawn: Double) -> Double {
        let whole = marked + unmarked
        let (p, q) = (drawn / whole, (whole - drawn) / whole)
        let one = binomial(x, of: marked, p, q) * binomial(drawn - x, of: unmarked, p, q)
        return one == 0 ? 0 : one / binomial(drawn, of: whole, p, q)
    }

    /// ln n! − ln(√(2πn)·(n/e)^n), for n > 0.
    private static func stirlingError(_ n: Double) -> Double {
        if n < 16 { return logGamma(n + 1) - (n + 0.5) * logarithm(n) + n - logarithm(2 * Double.pi) / 2 }
        let s = 1 / (n * n)
        return (1.0 / 12 - (1.0 / 360 - (1.0 / 1260 - (1.0 / 1680 - s / 1188) * s) * s) * s) / n
    }

    /// x·ln(x/m) + m − x, by a series where x and m are close.
    private static func deviance(_ x: Double, _ m: Double) -> Double {
        if x == 0 { return m }
        guard (x - m).magnitude < 0.1 * (x + m) else { return x * logarithm(x / m) + m - x }
        let v = (x - m) / (x + m)
        var sum = (x - m) * v
        var term = 2 * x * v
        for j in 1..<seriesLimit {
            term *= v * v
            let next = sum + term / Double(2 * j + 1)
            if next == sum { break }
            sum = next
        }
        return sum
    }

    private static let seriesLimit = 1_000
}
