import Statistics
import Testing

/// Beyond the reference file: small tables, empty cells, large counts. Figures made with scipy 1.17.1.
@Suite struct ComparisonTests {
    @Test(arguments: [
        (0, 5, 5, 5, 0.007936507936507938), (3, 10, 7, 12, 0.23053107882829244), (1, 1000, 9, 1000, 0.02117752939684125),
        (500, 10_000, 600, 10_000, 0.0021237755293462665), (0, 10, 0, 12, 1.0), (10, 10, 10, 12, 0.4805194805194805), (4, 8, 4, 8, 1.0),
        (50_000, 1_000_000, 50_700, 1_000_000, 0.023797505545193567), (7, 20, 1, 40, 0.0012611364463420522),
    ])
    func fisher(_ a: Int, _ n: Int, _ b: Int, _ m: Int, wanted: Double) throws {
        expectClose(try two(a, n, b, m).fisherExact(), wanted, 1e-8)
        // The sides may change places.
        expectClose(try two(b, m, a, n).fisherExact(), wanted, 1e-8)
    }

    @Test(arguments: [
        (0, 10, 0.0, 0.30849710781876294), (10, 10, 0.6915028921812371, 1.0), (1, 1000, 2.5317487491674634e-05, 0.0055589242798499),
        (45, 1500, 0.02196457854177745, 0.03993800527966427),
    ])
    func clopperPearson(_ x: Int, _ n: Int, _ lower: Double, _ upper: Double) throws {
        let interval = try #require(Proportion(conversions: x, users: n)).clopperPearson()
        expectClose(interval.lower, lower)
        expectClose(interval.upper, upper)
    }

    @Test(arguments: [
        (0, 10, 0, 20, 0.34375), (50_000, 1_000_000, 50_700, 1_000_000, 0.9882008151839766), (30_000, 100_000, 60_200, 200_000, 0.7130738120276314),
        (5, 100, 60_000, 1_000_000, 0.5691486170387436), (0, 5, 30_000, 10_000_000, 0.017866121860662595),
    ])
    func chanceOfBeingBetter(_ a: Int, _ n: Int, _ b: Int, _ m: Int, wanted: Double) throws {
        expect(BetaComparison.probabilityBetter(try two(a, n, b, m)), wanted)
        // Either rate is the larger one.
        expect(BetaComparison.probabilityBetter(try two(b, m, a, n)), 1 - wanted)
    }

    @Test(arguments: [(0, 10, 0, 20), (10, 10, 20, 20)])
    func nothingVaries(_ a: Int, _ n: Int, _ b: Int, _ m: Int) throws {
        let both = try two(a, n, b, m)
        for result in [both.pooledZ(), both.unpooledZ(), both.chiSquared(), both.chiSquaredYates(), both.logLikelihoodRatio()] {
            #expect(result == TestResult(statistic: 0, pValue: 1))
        }
        #expect(both.fisherExact() == 1)
        #expect(both.newcombe().contains(0) && both.newcombe().width > 0)
        #expect(try two(0, 10, 0, 20).relativeLift == nil)
    }

    @Test func ranksWithTiesAndMany() throws {
        let tied = try #require(MannWhitney([1, 2, 2, 3, 5, 5, 8], [2, 3, 4, 5, 5, 9, 11, 12]))
        #expect(tied.u == 15.5 && tied.exactPValue == nil)
        expect(tied.asymptoticPValue, 0.15921654578553635)
        let many = try #require(MannWhitney((0..<40).map(Double.init), (5..<55).map { Double($0) + 0.5 }))
        #expect(many.u == 595)
        expectClose(try #require(many.exactPValue), 0.0008642068549968485)
        #expect(MannWhitney([1], [2])?.exactPValue == 1)
        #expect(MannWhitney([3, 3], [3])?.asymptoticPValue == 1)
    }

    @Test func momentsFromSumsAreThoseFromValues() throws {
        let values = (1...50).map { Double($0 * $0) / 7 }
        let direct = try #require(Moments(values))
        let summed = try #require(Moments(count: 50, sum: values.reduce(0, +), sumOfSquares: values.reduce(0) { $0 + $1 * $1 }))
        expectClose(direct.mean, summed.mean)
        expectClose(direct.squaredDeviations, summed.squaredDeviations)
    }

    /// Money refunded ÷ money sold: the delta method's error against what really happens when samples are drawn again.
    @Test func ratiosVaryAsTheySay() throws {
        var random = Random(seed: 7)
        var ratios: [Double] = []
        var said = 0.0
        for _ in 0..<1_000 {
            let people = (0..<200).map { _ -> (numerator: Double, denominator: Double) in
                let sold = 20 + 80 * random.unit()
                return (random.chance(0.1) ? sold : 0, sold)
            }
            let moments = try #require(RatioMoments(people))
            ratios.append(moments.ratio)
            said += moments.estimate.standardError / 1_000
        }
        let seen = try #require(Moments(ratios)?.variance).squareRoot()
        #expect((said / seen - 1).magnitude < 0.1, "said \(said), seen \(seen)")
        #expect(RatioMoments([(1, 0), (1, 0)]) == nil)
    }

    private func two(_ a: Int, _ n: Int, _ b: Int, _ m: Int) throws -> TwoProportions {
        TwoProportions(
            control: try #require(Proportion(conversions: a, users: n)), treatment: try #require(Proportion(conversions: b, users: m)))
    }
}
