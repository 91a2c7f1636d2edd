/// Whether a piece of content has lost its pull: clicks per view of each week against its own first four.
public enum Tiredness {
    public struct Week: Hashable, Sendable {
        public let views: Int
        public let clicks: Int

        /// Nil for negative counts.
        public init?(views: Int, clicks: Int) {
            guard views >= 0, clicks >= 0 else { return nil }
            self.views = views
            self.clicks = clicks
        }
    }

    /// Weeks of which the content's own standard is made.
    public static let standardWeeks = 4
    /// Tired is a rate surely below this share of the standard.
    public static let tiredShare = 0.7
    /// … in as many of the latest weeks.
    public static let weeksInARow = 2

    /// Oldest week first. False while there are not enough weeks, or no clicks to compare with.
    public static func isTired(_ weeks: [Week], _ alpha: ErrorRate = .fivePercent) -> Bool {
        guard weeks.count >= standardWeeks + weeksInARow else { return false }
        let standard = weeks.prefix(standardWeeks)
        let views = standard.reduce(0.0) { $0 + Double($1.views) }
        let clicks = standard.reduce(0.0) { $0 + Double($1.clicks) }
        guard views > 0, clicks > 0 else { return false }
        return weeks.suffix(weeksInARow).allSatisfy { week in
            week.views > 0 && rateRatioUpper(Double(week.clicks), Double(week.views), clicks, views, alpha) < tiredShare
        }
    }

    /// The upper end of the two-sided interval of (clicks ÷ views) ÷ (standard clicks ÷ standard views): given the sum of two Poisson
    /// counts one of them is binomial, whose exact bound gives the ratio's.
    /// Source: Przyborowski and Wilenski, "Homogeneity of Results in Testing Samples from Poisson Series", Biometrika 31 (1940).
    static func rateRatioUpper(
        _ clicks: Double, _ views: Double, _ standardClicks: Double, _ standardViews: Double, _ alpha: ErrorRate
    ) -> Double {
        let share = BetaDistribution(alpha: clicks + 1, beta: standardClicks)?.quantile(1 - alpha.value / 2) ?? 1
        return share / (1 - share) * standardViews / views
    }
}
