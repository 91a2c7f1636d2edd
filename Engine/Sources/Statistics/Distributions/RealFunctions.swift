// The one place that knows which C library gives the elementary functions.
#if canImport(Darwin)
import Darwin
#elseif canImport(Musl)
import Musl
#else
import Glibc
#endif

package func exponential(_ x: Double) -> Double { exp(x) }
package func logarithm(_ x: Double) -> Double { log(x) }
/// ln(1 + x) without loss for small x.
func logarithmOfOnePlus(_ x: Double) -> Double { log1p(x) }
package func cosine(_ x: Double) -> Double { cos(x) }
func arcSine(_ x: Double) -> Double { asin(x) }
func complementaryErrorFunction(_ x: Double) -> Double { erfc(x) }

/// ln Γ(x) for x > 0. The variant of the C library that writes no global sign, so that threads don't meet.
package func logGamma(_ x: Double) -> Double {
    var sign: Int32 = 1
    return lgamma_r(x, &sign)
}

/// ψ(x) = d ln Γ(x)/dx for x > 0: lifted to 10 or more by ψ(x) = ψ(x+1) − 1/x, where the asymptotic series has 14 digits.
/// Source: Abramowitz and Stegun, 6.3.5 and 6.3.18.
package func digamma(_ x: Double) -> Double {
    var x = x
    var sum = 0.0
    while x < 10 {
        sum -= 1 / x
        x += 1
    }
    let s = 1 / (x * x)
    return sum + logarithm(x) - 0.5 / x - s * (1.0 / 12 - s * (1.0 / 120 - s * (1.0 / 252 - s * (1.0 / 240 - s * (1.0 / 132 - s * 691.0 / 32_760)))))
}

/// The place in `range` where a function that rises from below 0 to above it crosses 0, by halving until two neighbours are left
/// (or `halvingsLimit`).
func risingRoot(in range: Interval, _ function: (Double) -> Double) -> Double {
    var (low, high) = (range.lower, range.upper)
    for _ in 0..<halvingsLimit {
        let middle = low + (high - low) / 2
        if middle <= low || middle >= high { break }
        if function(middle) < 0 { low = middle } else { high = middle }
    }
    return low + (high - low) / 2
}

private let halvingsLimit = 200
