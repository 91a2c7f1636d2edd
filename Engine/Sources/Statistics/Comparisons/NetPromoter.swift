/// How many would recommend, how many would not, and how many say neither.
public struct NetPromoter: Hashable, Sendable {
    public let promoters: Int
    public let detractors: Int
    public let answers: Int

    /// Nil unless both are counts, there is an answer, and there are not more than answers.
    public init?(promoters: Int, detractors: Int, answers: Int) {
        guard promoters >= 0, detractors >= 0, answers >= 1, answers <= Proportion.usersLimit, promoters <= answers, detractors <= answers - promoters else { return nil }
        self.promoters = promoters
        self.detractors = detractors
        self.answers = answers
    }

    /// The share of promoters less the share of detractors, from −1 to 1.
    public var score: Double { Double(promoters - detractors) / Double(answers) }

    /// From −100 to 100, rounded half away from zero without leaving whole numbers.
    public var points: Int {
        let net = 200 * (promoters - detractors)
        return (abs(net) + answers) / (2 * answers) * (net < 0 ? -1 : 1)
    }

    /// In shares, by its variance p + d − (p − d)² over the answers, with three answers added (¾ promoter, ¾ detractor, 1½ of neither), so that
    /// few answers, or answers that all agree, promise no more than they can.
    /// Source: Rocks, "Interval Estimation for the 'Net Promoter Score'", The American Statistician 2016.
    public func interval(_ alpha: ErrorRate = .fivePercent) -> Interval {
        let n = Double(answers) + 3
        let p = (Double(promoters) + 0.75) / n
        let d = (Double(detractors) + 0.75) / n
        let half = alpha.twoSidedBound * ((p + d - (p - d) * (p - d)) / n).squareRoot()
        return Interval(Swift.max(-1, p - d - half), Swift.min(1, p - d + half))
    }
}
