// The one place that knows which C library gives the elementary functions.
#if canImport(Darwin)
import Darwin
#elseif canImport(Musl)
import Musl
#else
import Glibc
#endif

func exponential(_ x: Double) -> Double { exp(x) }
func logarithm(_ x: Double) -> Double { log(x) }
/// ln(1 + x) without loss for small x.
func logarithmOfOnePlus(_ x: Double) -> Double { log1p(x) }
func arcSine(_ x: Double) -> Double { asin(x) }
func complementaryErrorFunction(_ x: Double) -> Double { erfc(x) }

/// ln Γ(x) for x > 0. The variant of the C library that writes no global sign, so that threads don't meet.
func logGamma(_ x: Double) -> Double {
    var sign: Int32 = 1
    return lgamma_r(x, &sign)
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
