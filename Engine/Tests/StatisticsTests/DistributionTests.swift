import Statistics
import Testing

/// Tables made with scipy 1.17.1, the ends of the ranges among them. Compared in relative terms: a tail of 1e-19 must have its digits.
@Suite struct DistributionTests {
    @Test(arguments: [
        (-37.0, 5.7255712225239266e-300), (-10.0, 7.61985302416047e-24), (-5.0, 2.866515718791933e-07), (-1.959963984540054, 0.025),
        (-0.3, 0.3820885778110474), (0.0, 0.5), (0.7, 0.758036347776927), (3.0, 0.9986501019683699), (8.0, 0.9999999999999993),
    ])
    func normal(z: Double, probability: Double) {
        expectClose(NormalDistribution.cumulative(z), probability)
        if z < 0 { expectClose(NormalDistribution.twoSidedTail(z), 2 * probability) }
    }

    @Test(arguments: [
        (1e-300, -37.0470962993612), (1e-12, -7.034483825301131), (1e-05, -4.264890793922825), (0.005, -2.575829303548901),
        (0.02425, -1.972961051311885), (0.025, -1.9599639845400545), (0.3, -0.5244005127080409), (0.5, 0.0), (0.9, 1.2815515655446004),
        (0.975, 1.959963984540054), (0.999999, 4.753424308817087),
    ])
    func normalQuantile(probability: Double, z: Double) {
        expect(NormalDistribution.quantile(probability), z, within: 1e-12)
    }

    @Test func normalQuantileHasEnds() {
        #expect(NormalDistribution.quantile(0) == -.infinity && NormalDistribution.quantile(1) == .infinity)
    }

    @Test(arguments: [
        (0.001, 1, 0.9747728793699604), (3.841458820694124, 1, 0.04999999999999989), (10.0, 1, 0.001565402258002549),
        (80.0, 1, 3.744097384202887e-19), (5.99, 2, 0.05003662708658629), (0.5, 3, 0.9188914116546758), (20.0, 9, 0.017912404529843298),
        (100.0, 99, 0.4529585113209314), (160.0, 99, 0.00010115119648361305), (1100.0, 1000, 0.014614408126295192),
    ])
    func chiSquared(x: Double, degrees: Int, upper: Double) {
        expectClose(ChiSquaredDistribution.upperTail(x, degreesOfFreedom: degrees), upper)
        expect(ChiSquaredDistribution.cumulative(x, degreesOfFreedom: degrees), 1 - upper, within: 1e-12)
    }

    @Test(arguments: [
        (0.1, 1.0, 0.936548965138893), (12.706, 1.0, 0.05000080235813319), (2.0, 2.5, 0.1573914957579659),
        (2.341067526616595, 14.93494698534637, 0.033520163133143786), (1.96, 1000000.0, 0.04999606758526985),
        (5.0, 30.0, 2.32966854670078e-05), (40.0, 7.0, 1.5902179984850364e-09), (0.001, 3.0, 0.9992648949694609),
    ])
    func student(t: Double, degrees: Double, tails: Double) {
        expectClose(StudentDistribution.twoSidedTail(t, degreesOfFreedom: degrees), tails)
        expectClose(StudentDistribution.cumulative(-t, degreesOfFreedom: degrees), tails / 2)
    }

    @Test(arguments: [
        (0.05, 1.0, 12.706204736174705), (0.05, 4.2, 2.725072722592375), (0.01, 14.93, 2.9486743352858413),
        (0.001, 100000.0, 3.290624031411883), (0.5, 3.0, 0.7648923284043444), (1e-09, 5.0, 113.65505107641252),
    ])
    func studentBound(tails: Double, degrees: Double, t: Double) {
        expectClose(StudentDistribution.twoSidedBound(tails, degreesOfFreedom: degrees), t)
    }

    @Test(arguments: [
        (1.0, 1.0, 1.0, 0.5), (3.5, 2.0, 20.0, 0.04973502207609715), (0.2, 5.0, 7.0, 0.9524164502214273),
        (9.0, 3.0, 100.0, 2.4760897230380538e-05), (1.05, 1000.0, 2000.0, 0.18430154863827322),
    ])
    func fisherF(x: Double, one: Double, two: Double, upper: Double) {
        expectClose(FDistribution.upperTail(x, one, two), upper)
    }

    @Test(arguments: [
        (0.5, 0.5, 0.2, 0.2951672353008665), (1.0, 1.0, 0.3, 0.3), (2.0, 5.0, 0.9, 0.999945), (201.0, 801.0, 0.2, 0.4873936366759086),
        (1e6, 9e6, 0.1001, 0.8540726113405728), (3.0, 1e9, 5e-09, 0.8753479819908970), (5e8, 5e8, 0.50001, 0.7364553715351272),
    ])
    func beta(alpha: Double, beta: Double, x: Double, probability: Double) throws {
        let distribution = try #require(BetaDistribution(alpha: alpha, beta: beta))
        // A billion times the rounding of 1 − x is left; that row was worked out in forty digits.
        expectClose(distribution.cumulative(x), probability, 1e-8)
    }

    @Test(arguments: [
        (0.5, 0.5, 0.2, 0.09549150281252627), (2.0, 5.0, 0.9, 0.5103163065514917), (201.0, 800.0, 0.975, 0.22615937282137055),
        (1.0, 1000.0, 0.025, 2.531748749129404e-05), (1e6, 9e6, 0.025, 0.09981413728738665),
    ])
    func betaQuantile(alpha: Double, beta: Double, probability: Double, x: Double) throws {
        expectClose(try #require(BetaDistribution(alpha: alpha, beta: beta)).quantile(probability), x)
    }

    @Test func parametersThatMeanNothingAreRefused() {
        #expect(BetaDistribution(alpha: 0, beta: 1) == nil && BetaDistribution(alpha: 1, beta: .infinity) == nil)
        #expect(ErrorRate(0) == nil && ErrorRate(0.5) == nil && ErrorRate(.nan) == nil)
        #expect(Proportion(conversions: 0, users: 0) == nil && Proportion(conversions: 2, users: 1) == nil)
        #expect(Proportion(conversions: -1, users: 1) == nil && Proportion(conversions: 0, users: .max) == nil)
        #expect(Moments([]) == nil && Moments([1, .nan]) == nil && Moments(count: 2, sum: 10, sumOfSquares: 1) == nil)
        #expect(AlwaysValid(tau: 0) == nil && AlwaysValid(tau: .infinity) == nil)
        #expect(SampleRatio(observed: [1], weights: [1]) == nil && SampleRatio(observed: [0, 0], weights: [1, 1]) == nil)
        #expect(SampleSize(from: 0.1, to: 0.1) == nil)
    }
}

/// Within 1e-9 of the figure itself.
func expectClose(_ value: Double, _ wanted: Double, _ tolerance: Double = 1e-9, sourceLocation: SourceLocation = #_sourceLocation) {
    let bound = tolerance * max(wanted.magnitude, 1e-300)
    #expect((value - wanted).magnitude <= bound, "\(value) is not \(wanted)", sourceLocation: sourceLocation)
}
