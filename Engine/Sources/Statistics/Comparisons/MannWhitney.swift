/// The rank test of two samples: does one tend to have the larger values?
/// Source: Mann and Whitney, "On a Test of Whether one of Two Random Variables is Stochastically Larger than the Other", Annals of
/// Mathematical Statistics 18 (1947).
public struct MannWhitney: Hashable, Sendable {
    /// The most values of both samples for which the exact distribution is counted: it takes n·m·n·m steps.
    public static let exactLimit = 100

    public let firstCount: Int
    public let secondCount: Int
    /// In how many pairs the first sample's value is the larger one; ties count a half.
    public let u: Double
    /// Σ(t³ − t) over groups of t equal values.
    private let tieTerm: Double

    /// Nil when a sample is empty or a value isn't a number.
    public init?(_ first: [Double], _ second: [Double]) {
        guard !first.isEmpty, !second.isEmpty, !first.contains(where: \.isNaN), !second.contains(where: \.isNaN) else { return nil }
        let all = (first.map { (value: $0, isFirst: true) } + second.map { (value: $0, isFirst: false) }).sorted { $0.value < $1.value }
        var (rankSum, ties) = (0.0, 0.0)
        var start = 0
        while start < all.count {
            var end = start
            while end < all.count, all[end].value == all[start].value { end += 1 }
            // Equal values share the mean of their ranks start+1 … end.
            rankSum += Double(all[start..<end].count { $0.isFirst }) * Double(start + 1 + end) / 2
            let size = Double(end - start)
            ties += size * size * size - size
            start = end
        }
        firstCount = first.count
        secondCount = second.count
        u = rankSum - Double(first.count) * Double(first.count + 1) / 2
        tieTerm = ties
    }

    /// The two-sided p-value by counting all orders; nil with ties or more than `exactLimit` values.
    public var exactPValue: Double? {
        guard tieTerm == 0, firstCount + secondCount <= Self.exactLimit else { return nil }
        let masses = Self.masses(firstCount, secondCount)
        let larger = Int(max(u, Double(firstCount * secondCount) - u))
        return min(1, 2 * masses[larger...].reduce(0, +))
    }

    /// The two-sided p-value by the normal distribution, with corrections for ties and for continuity; 1 when all values are equal.
    /// Source: Hollander and Wolfe, Nonparametric Statistical Methods, 2nd ed., 4.1.
    public var asymptoticPValue: Double {
        let (n, m) = (Double(firstCount), Double(secondCount))
        let all = n + m
        let variance = n * m / 12 * (all + 1 - (all > 1 ? tieTerm / (all * (all - 1)) : 0))
        guard variance > 0 else { return 1 }
        let gap = max(u, n * m - u) - n * m / 2 - 0.5
        return min(1, gap <= 0 ? 1 : NormalDistribution.twoSidedTail(gap / variance.squareRoot()))
    }

    /// P(U = u) for u in 0…n·m when all orders are equally likely: the largest value is the first sample's with n/(n+m), and then it
    /// beats all m.
    private static func masses(_ n: Int, _ m: Int) -> [Double] {
        // row[j] holds the distribution for i of the first and j of the second sample.
        var row = [[Double]](repeating: [1], count: m + 1)
        for i in 1...n {
            for j in 1...m {
                var next = [Double](repeating: 0, count: i * j + 1)
                let whole = Double(i + j)
                for (u, mass) in row[j].enumerated() { next[u + j] += mass * Double(i) / whole }
                for (u, mass) in row[j - 1].enumerated() { next[u] += mass * Double(j) / whole }
                row[j] = next
            }
        }
        return row[m]
    }
}
