import Statistics
import Testing

/// What daily looks promise: false alarms stay rare however often one looks, and true effects are found.
@Suite struct SequentialTests {
    static let nullRuns = 2_000
    static let days = 30
    static let perDay = 100

    /// At most 5 % are promised; 6.5 % leaves room for chance in 2,000 runs. The same looks with a plain z test cry wolf in more than a
    /// fifth, so this test would notice.
    @Test(arguments: [(0.05, UInt64(11)), (0.3, UInt64(12))])
    func nullExperimentsSeldomRaiseAlarms(rate: Double, seed: UInt64) throws {
        var random = Random(seed: seed)
        var (alarms, plainAlarms, pAlarms) = (0, 0, 0)
        for _ in 0..<Self.nullRuns {
            let run = try SimulatedRun(random: &random, rates: [rate, rate], days: Self.days, perDay: Self.perDay)
            if run.decisions.contains(where: \.claimsDifference) { alarms += 1 }
            if run.pValue <= 0.05 { pAlarms += 1 }
            if run.sawPlainSignificance { plainAlarms += 1 }
        }
        let runs = Double(Self.nullRuns)
        #expect(Double(alarms) / runs <= 0.065, "seed \(seed): \(alarms) of \(Self.nullRuns)")
        #expect(Double(pAlarms) / runs <= 0.065, "seed \(seed): \(pAlarms) of \(Self.nullRuns)")
        #expect(Double(plainAlarms) / runs > 0.2, "seed \(seed): plain \(plainAlarms) of \(Self.nullRuns)")
    }

    /// Three treatments share the error.
    @Test func severalTreatmentsShareTheError() throws {
        var random = Random(seed: 13)
        var alarms = 0
        for _ in 0..<500 {
            let run = try SimulatedRun(random: &random, rates: [0.1, 0.1, 0.1, 0.1], days: Self.days, perDay: Self.perDay)
            if run.decisions.contains(where: \.claimsDifference) { alarms += 1 }
        }
        #expect(Double(alarms) / 500 <= 0.065, "\(alarms) of 500")
    }

    /// 10 % against 13 %, 500 a day on each side: "use" in at least 95 % of the runs, and never for the worse one.
    @Test func knownEffectIsCalledRightly() throws {
        var random = Random(seed: 21)
        var (right, wrong) = (0, 0)
        for _ in 0..<200 {
            let decisions = try SimulatedRun(random: &random, rates: [0.10, 0.13], days: 30, perDay: 500).decisions
            switch decisions.last(where: { $0.code != "goOn" }) ?? decisions.last {
            case .use(let verdict): verdict.variant == "1" && verdict.interval.lower > 0 ? (right += 1) : (wrong += 1)
            case .keepControl: wrong += 1
            default: break
            }
        }
        #expect(right >= 190, "\(right) of 200")
        #expect(wrong == 0)
    }

    /// The better of two treatments is named; the worse one never.
    @Test func theWorseVariantIsNeverUsed() throws {
        var random = Random(seed: 22)
        for _ in 0..<100 {
            for decision in try SimulatedRun(random: &random, rates: [0.13, 0.10], days: 20, perDay: 500).decisions {
                if case .use = decision { Issue.record("\(decision)") }
            }
            let last = try SimulatedRun(random: &random, rates: [0.13, 0.10], days: 30, perDay: 500).decisions.last
            #expect(last?.code == "keepControl" || last?.code == "goOn")
        }
    }

    /// With enough people and no effect the answer is that no difference is worth it.
    @Test func noEffectIsSaidInTheEnd() throws {
        var random = Random(seed: 23)
        var said = 0
        for _ in 0..<50 {
            let last = try SimulatedRun(random: &random, rates: [0.3, 0.3], days: 40, perDay: 1_000).decisions.last
            if case .noDifferenceWorth = last { said += 1 }
        }
        #expect(said >= 40, "\(said) of 50")
    }

    /// The p-value is at most α exactly when the interval of the same look leaves 0 out.
    @Test func intervalsAndPValuesAgree() throws {
        var random = Random(seed: 31)
        for _ in 0..<2_000 {
            let method = try #require(AlwaysValid(tau: 0.001 + random.unit()))
            let look = Estimate(random.normal() / 5, variance: 1e-6 + random.unit() / 100)
            let alpha = try #require(ErrorRate(0.001 + random.unit() / 3))
            let (p, interval) = (try #require(method.pValue(look)), try #require(method.interval(look, alpha)))
            #expect((p <= alpha.value) == !interval.contains(0))
        }
        #expect(AlwaysValid(tau: 0.1)?.pValue(Estimate(0, variance: 0)) == nil)
    }

    /// Worked by hand: V = 0.0004, τ = 0.02, d = 0.05 give Λ = √½ · e^(0.0025·0.0004/(2·0.0004·0.0008)).
    @Test func oneLookByHand() throws {
        let method = try #require(AlwaysValid(tau: 0.02))
        // √½ · e^1.5625 = 3.37327…
        expect(1 / (try #require(method.pValue(Estimate(0.05, variance: 0.0004)))), 0.5.squareRoot() * 4.770733181967148, within: 1e-9)
        // √(0.0004·0.0008/0.0004 · (2·ln 20 + ln 2)) = √(0.0008·6.684611…)
        expect(try #require(method.interval(Estimate(0, variance: 0.0004))).upper, (0.0008 * (2 * 2.995732273553991 + 0.6931471805599453)).squareRoot(), within: 1e-12)
    }

    @Test func earlierLooksAreKept() throws {
        let alpha = ErrorRate.fivePercent
        var test = SequentialTest(try #require(AlwaysValid(tau: 0.02)), alpha: alpha)
        #expect(test.finding == .notLookedAt && test.pValue == 1)
        test.look(at: Estimate(0.1, variance: 0.0001))
        #expect(test.finding == .above)
        let p = test.pValue
        test.look(at: Estimate(0.09, variance: 0.0004))
        #expect(test.pValue == p && test.finding == .above && test.looks == 2)
        // Later the effect is gone: what all days have in common is nothing.
        test.look(at: Estimate(0, variance: 0.00001))
        #expect(test.finding == .contradictory)
    }

    /// Means of skewed values: baskets that are mostly empty and sometimes large.
    @Test func nullMeansSeldomRaiseAlarms() throws {
        var random = Random(seed: 41)
        var alarms = 0
        for _ in 0..<300 {
            var values: [[Double]] = [[], []]
            var test = SequentialTest(try #require(AlwaysValid(tau: 1)), alpha: .fivePercent)
            for _ in 0..<20 {
                for arm in 0..<2 {
                    for _ in 0..<50 { values[arm].append(random.chance(0.2) ? 20 / (0.05 + random.unit()) : 0) }
                }
                test.look(at: try means(values[0], values[1]).estimate)
            }
            if test.pValue <= 0.05 { alarms += 1 }
        }
        #expect(Double(alarms) / 300 <= 0.065, "\(alarms) of 300")
    }
}

/// An experiment on conversion, looked at every day.
struct SimulatedRun {
    private(set) var decisions: [Decision] = []
    private(set) var pValue = 1.0
    /// Whether on any day the plain z test was below 0.05.
    private(set) var sawPlainSignificance = false

    init(random: inout Random, rates: [Double], days: Int, perDay: Int) throws {
        let effect = 0.1 * rates[0]
        let method = try #require(AlwaysValid(tau: effect))
        let alpha = ErrorRate.fivePercent.shared(among: rates.count - 1)
        var tests = rates.dropFirst().map { _ in SequentialTest(method, alpha: alpha) }
        var counts = [Int](repeating: 0, count: rates.count)
        for day in 1...days {
            for (arm, rate) in rates.enumerated() { counts[arm] += random.successes(of: perDay, rate) }
            let proportions = try counts.map { try #require(Proportion(conversions: $0, users: day * perDay)) }
            for index in tests.indices {
                let both = TwoProportions(control: proportions[0], treatment: proportions[index + 1])
                guard both.conversions >= AlwaysValid.conversionsBeforeLooking else { continue }
                tests[index].look(at: both.pooledEstimate)
                pValue = min(pValue, tests[index].pValue)
                if both.pooledZ().pValue < 0.05 { sawPlainSignificance = true }
            }
            decisions.append(
                Decision.make(
                    tests.enumerated().map { Treatment(name: "\($0.offset + 1)", test: $0.element) }, controlValue: proportions[0].rate,
                    minimumEffect: effect, hasSampleRatioAlarm: false, days: day))
        }
    }
}

extension Decision {
    /// Whether it says that some variant differs.
    var claimsDifference: Bool {
        switch self {
        case .use, .keepControl: true
        case .noDifferenceWorth, .goOn, .doNotDecide: false
        }
    }
}
