/// A ratio of two sums over the same people, such as money refunded ÷ money sold or cost ÷ new customers, whose parts vary together.
public struct RatioMoments: Hashable, Sendable {
    public let ratio: Double
    /// The ratio with its sampling variance (s_y² − 2·r·s_xy + r²·s_x²)/(n·x̄²), by the delta method.
    /// Source: Deng, Knoblich and Lu, "Applying the Delta Method in Metric Analytics", KDD 2018.
    public let estimate: Estimate

    /// Per person y (numerator) and x (denominator). Nil for fewer than two people or a denominator of 0 or less.
    public init?(_ pairs: [(numerator: Double, denominator: Double)]) {
        guard let y = Moments(pairs.map(\.numerator)), let x = Moments(pairs.map(\.denominator)), pairs.count > 1, x.mean > 0 else {
            return nil
        }
        let cross = pairs.reduce(0) { $0 + ($1.numerator - y.mean) * ($1.denominator - x.mean) }
        let ratio = y.mean / x.mean
        let squared = y.squaredDeviations - 2 * ratio * cross + ratio * ratio * x.squaredDeviations
        let n = Double(pairs.count)
        self.ratio = ratio
        estimate = Estimate(ratio, variance: max(0, squared) / ((n - 1) * n * x.mean * x.mean))
    }
}
