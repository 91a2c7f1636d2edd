/// How often a test may cry wolf (α): more than 0 and less than a half. 0.05 goes with intervals of 95 %.
public struct ErrorRate: Hashable, Sendable {
    public let value: Double

    public static let fivePercent = ErrorRate(checked: 0.05)
    public static let tenPercent = ErrorRate(checked: 0.1)

    /// Nil unless 0 < value < 0.5.
    public init?(_ value: Double) {
        guard value > 0, value < 0.5 else { return nil }
        self.value = value
    }

    private init(checked value: Double) {
        self.value = value
    }

    /// An equal part for each of `count` comparisons, so that together they keep this rate (Bonferroni).
    /// Source: Dunn, "Multiple Comparisons Among Means", JASA 1961. A count below 1 is taken as 1.
    public func shared(among count: Int) -> ErrorRate {
        ErrorRate(checked: value / Double(max(1, count)))
    }

    /// The z beyond which α/2 of a standard normal lies.
    var twoSidedBound: Double { -NormalDistribution.quantile(value / 2) }
}
