/// How many of how many did it.
public struct Proportion: Hashable, Sendable {
    /// More than there are people.
    public static let usersLimit = 10_000_000_000

    public let conversions: Int
    public let users: Int

    /// Nil unless 0 ≤ conversions ≤ users and 1 ≤ users ≤ `usersLimit`.
    public init?(conversions: Int, users: Int) {
        guard users >= 1, users <= Self.usersLimit, conversions >= 0, conversions <= users else { return nil }
        self.conversions = conversions
        self.users = users
    }

    public var rate: Double { Double(conversions) / Double(users) }

    /// Its own variance r(1−r)/n, which is 0 when nobody or everybody did it.
    public var estimate: Estimate { Estimate(rate, variance: rate * (1 - rate) / Double(users)) }

    /// The score interval. Source: E. B. Wilson, "Probable Inference, the Law of Succession, and Statistical Inference", JASA 1927.
    public func wilson(_ alpha: ErrorRate = .fivePercent) -> Interval {
        let z = alpha.twoSidedBound
        let n = Double(users)
        let center = (rate + z * z / (2 * n)) / (1 + z * z / n)
        let half = z / (1 + z * z / n) * (rate * (1 - rate) / n + z * z / (4 * n * n)).squareRoot()
        return Interval(conversions == 0 ? 0 : max(0, center - half), conversions == users ? 1 : min(1, center + half))
    }

    /// The exact interval, never narrower than promised.
    /// Source: Clopper and Pearson, "The Use of Confidence or Fiducial Limits Illustrated in the Case of the Binomial", Biometrika 1934.
    public func clopperPearson(_ alpha: ErrorRate = .fivePercent) -> Interval {
        let (x, n) = (Double(conversions), Double(users))
        let lower = BetaDistribution(alpha: x, beta: n - x + 1)?.quantile(alpha.value / 2) ?? 0
        let upper = BetaDistribution(alpha: x + 1, beta: n - x)?.quantile(1 - alpha.value / 2) ?? 1
        return Interval(lower, upper)
    }
}
