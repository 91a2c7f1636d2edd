import Foundation
import Prediction
import SeededRandom

/// Customers made from parameters that are known.
struct Simulation {
    private var bits: SplitMix64

    init(seed: UInt64) { bits = SplitMix64(seed: seed) }

    mutating func customer(_ model: BetaGeometric, _ values: GammaGamma, age: Double) -> PurchaseHistory {
        let rate = gamma(model.r) / model.alpha
        let leaving = beta(model.a, model.b)
        let perUnit = gamma(values.q) / values.v
        var (time, frequency, recency, sum) = (0.0, 0, 0.0, 0.0)
        while true {
            time += -log(1 - unit()) / rate
            if !(time < age) { break }
            frequency += 1
            recency = time
            sum += gamma(values.p) / perUnit
            if unit() < leaving { break }
        }
        return PurchaseHistory(frequency: frequency, recency: recency, age: age, averageValue: frequency == 0 ? 0 : sum / Double(frequency))
    }

    /// In 0..<1.
    mutating func unit() -> Double { Double(bits.next() >> 11) * 0x1p-53 }

    mutating func within(_ range: ClosedRange<Double>) -> Double { range.lowerBound + unit() * (range.upperBound - range.lowerBound) }

    mutating func beta(_ a: Double, _ b: Double) -> Double {
        let (one, two) = (gamma(a), gamma(b))
        return one / (one + two)
    }

    /// Marsaglia and Tsang (2000).
    mutating func gamma(_ shape: Double) -> Double {
        if shape < 1 { return gamma(shape + 1) * pow(1 - unit(), 1 / shape) }
        let d = shape - 1.0 / 3
        while true {
            let normal = (-2 * log(1 - unit())).squareRoot() * cos(2 * .pi * unit())
            let v = pow(1 + normal / (9 * d).squareRoot(), 3)
            if v > 0, log(1 - unit()) < normal * normal / 2 + d - d * v + d * log(v) { return d * v }
        }
    }
}
