import Statistics
import Testing

/// Each answer, and which one wins where several would do.
@Suite struct DecisionTests {
    @Test func outOfRatioSaysNothingElse() throws {
        #expect(try decide([("b", 0.1, 0.0001)], alarm: true) == .doNotDecide(.sampleRatio))
    }

    @Test func tooFew() throws {
        #expect(try decide([("b", 0.1, 0)]) == .doNotDecide(.tooFew))
        #expect(try decide([]) == .doNotDecide(.tooFew))
    }

    @Test func theBestOfTheBetterIsUsed() throws {
        guard case .use(let verdict) = try decide([("b", 0.06, 0.00001), ("c", 0.09, 0.00001), ("d", 0, 0.01)]) else {
            Issue.record("not used")
            return
        }
        #expect(verdict.variant == "c" && verdict.interval.lower > 0 && verdict.interval.contains(0.09))
        expect(verdict.relativeLift ?? 0, 0.45, within: 1e-12)
    }

    @Test func controlIsKeptWhenAllAreWorse() throws {
        guard case .keepControl(let verdict) = try decide([("b", -0.06, 0.00001), ("c", 0, 0.0000001)]) else {
            Issue.record("not kept")
            return
        }
        #expect(verdict.variant == "b" && verdict.interval.upper < 0)
        // One that may still be better keeps it going.
        #expect(try decide([("b", -0.06, 0.00001), ("c", 0.02, 0.001)]).code == "goOn")
    }

    @Test func aDifferenceTooSmallToMatter() throws {
        #expect(try decide([("b", 0.0001, 0.0000001)]) == .noDifferenceWorth(minimumEffect: 0.02))
    }

    @Test func goingOnTellsHowLong() throws {
        guard case .goOn(let near) = try decide([("b", 0.02, 0.0001)]), case .goOn(let far) = try decide([("b", 0.02, 0.0004)]),
            case .goOn(let farthest) = try decide([("b", 0.02, 0.1)])
        else {
            Issue.record("decided")
            return
        }
        let (soon, later) = (try #require(near.daysLeft), try #require(far.daysLeft))
        #expect(soon >= 1 && soon < later && later <= Decision.daysLeftLimit)
        #expect(farthest.daysLeft == nil)
        // As many days more at the same pace do settle it, and one fewer does not.
        #expect(try decide([("b", 0.02, 0.0004 * 10 / Double(10 + later))]).code == "use")
        #expect(try decide([("b", 0.02, 0.0004 * 10 / Double(10 + later - 1))]).code == "goOn")
    }

    @Test func guardsStandBeforeUse() throws {
        // Refund share up by 1 point ± little against a margin of 5; by 20 points; by 4 ± much.
        #expect(try decide([("b", 0.1, 0.0001)], guarded: Estimate(0.01, variance: 0.00001)).code == "use")
        #expect(
            try decide([("b", 0.1, 0.0001)], guarded: Estimate(0.2, variance: 0.00001))
                == .doNotDecide(.guardBroken(variant: "b", name: "refunds")))
        #expect(
            try decide([("b", 0.1, 0.0001)], guarded: Estimate(0.04, variance: 0.001))
                == .goOn(Decision.GoOn(daysLeft: nil, waitsForGuard: "refunds")))
        // A guard nobody has looked at is no guard kept.
        #expect(
            try decide([("b", 0.1, 0.0001)], guarded: Estimate(0, variance: 0))
                == .goOn(Decision.GoOn(daysLeft: nil, waitsForGuard: "refunds")))
    }

    @Test func effectsThatChangeWithTime() throws {
        var test = SequentialTest(try #require(AlwaysValid(tau: 0.02)), alpha: .fivePercent)
        test.look(at: Estimate(0.1, variance: 0.0001))
        test.look(at: Estimate(-0.1, variance: 0.0001))
        let decision = Decision.make(
            [Treatment(name: "b", test: test)], controlValue: 0.2, minimumEffect: 0.02, hasSampleRatioAlarm: false, days: 10)
        #expect(decision == .doNotDecide(.contradictory(variant: "b")))
    }

    /// One look after ten days, a smallest effect of 0.02 on a control of 0.2.
    private func decide(_ looks: [(name: String, difference: Double, variance: Double)], alarm: Bool = false, guarded: Estimate? = nil) throws -> Decision {
        let method = try #require(AlwaysValid(tau: 0.02))
        var guards: [GuardMetric] = []
        if let guarded {
            var refunds = try #require(GuardMetric(name: "refunds", margin: 0.05))
            refunds.look(at: guarded)
            guards = [refunds]
        }
        let treatments = looks.map { name, difference, variance in
            var test = SequentialTest(method, alpha: .fivePercent)
            test.look(at: Estimate(difference, variance: variance))
            return Treatment(name: name, test: test, guards: guards)
        }
        return Decision.make(treatments, controlValue: 0.2, minimumEffect: 0.02, hasSampleRatioAlarm: alarm, days: 10)
    }
}
