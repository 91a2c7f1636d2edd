/// What a comparison of means needs to know of one sample.
public struct Moments: Hashable, Sendable {
    public let count: Int
    public let mean: Double
    /// Σ(x − mean)², at least 0.
    public let squaredDeviations: Double

    /// Nil for no values, or when one isn't finite. One pass, without cancellation.
    /// Source: B. P. Welford, "Note on a Method for Calculating Corrected Sums of Squares and Products", Technometrics 4 (1962).
    public init?(_ values: some Sequence<Double>) {
        var (count, mean, squared) = (0, 0.0, 0.0)
        for value in values {
            count += 1
            let gap = value - mean
            mean += gap / Double(count)
            squared += gap * (value - mean)
        }
        guard count > 0, mean.isFinite, squared.isFinite else { return nil }
        (self.count, self.mean, squaredDeviations) = (count, mean, squared)
    }

    /// From sums kept elsewhere. Nil for no values, or for a sum of squares that no values have (below sum²/count by more than
    /// rounding explains).
    public init?(count: Int, sum: Double, sumOfSquares: Double) {
        guard count > 0, sum.isFinite, sumOfSquares.isFinite else { return nil }
        let squared = sumOfSquares - sum * (sum / Double(count))
        guard squared >= -1e-9 * max(1, sumOfSquares) else { return nil }
        self.count = count
        mean = sum / Double(count)
        squaredDeviations = max(0, squared)
    }

    /// The variance of one value, with n − 1; nil for a single one.
    public var variance: Double? { count > 1 ? squaredDeviations / Double(count - 1) : nil }

    /// The mean with its sampling variance s²/n; nil for a single value.
    public var estimate: Estimate? { variance.map { Estimate(mean, variance: $0 / Double(count)) } }
}
