import Statistics
import Testing

/// Survival against lifelines 0.30.0, adjusted p-values against statsmodels 0.14.5, on the 21 children of Freireich et al. (Blood 21, 1963)
/// who were given 6-mercaptopurine; searches against populations whose truth is known.
@Suite struct ProgressionTests {
    private static let moved: [Int64] = [6, 6, 6, 7, 10, 13, 16, 22, 23]
    private static let left: [Int64] = [6, 9, 10, 11, 17, 19, 20, 25, 32, 32, 34, 35]

    private static var children: [Survival.Watched] {
        moved.map { Survival.Watched(time: $0, moved: true) } + left.map { Survival.Watched(time: $0, moved: false) }
    }

    @Test func survivalIsTheReferences() throws {
        let survival = try #require(Survival(Self.children))
        let wanted: [(time: Int64, atRisk: Int, share: Double, lower: Double, upper: Double)] = [
            (6, 21, 0.857142857143, 0.619717955, 0.951551748), (7, 17, 0.806722689076, 0.563146565, 0.922809019),
            (10, 15, 0.752941176471, 0.503199511, 0.889361835), (13, 12, 0.690196078431, 0.431610222, 0.849065963),
            (16, 11, 0.627450980392, 0.367510856, 0.804912189), (22, 7, 0.53781512605, 0.267778937, 0.746790718),
            (23, 6, 0.448179271709, 0.188052006, 0.680142628),
        ]
        #expect(survival.count == 21 && survival.longest == 35 && survival.median == 23)
        #expect(survival.steps.map(\.time) == wanted.map(\.time) && survival.steps.map(\.atRisk) == wanted.map(\.atRisk))
        for (step, reference) in zip(survival.steps, wanted) {
            expectClose(step.share, reference.share, 1e-10)
            expectClose(step.interval.lower, reference.lower, 1e-8)
            expectClose(step.interval.upper, reference.upper, 1e-8)
        }
        #expect(survival.share(at: 5) == 1 && survival.share(at: 12) == survival.steps[2].share && survival.share(at: 36) == nil)
    }

    @Test func survivalOfFewAndNobody() throws {
        #expect(Survival([]) == nil && Survival([.init(time: 3, moved: true, count: 0)]) == nil)
        #expect(Survival([.init(time: -1, moved: true)]) == nil && Survival([.init(time: 1, moved: true, count: -1)]) == nil)
        let waiting = try #require(Survival([.init(time: 4, moved: false, count: 7)]))
        #expect(waiting.steps.isEmpty && waiting.median == nil && waiting.share(at: 4) == 1 && waiting.share(at: 5) == nil)
        let gone = try #require(Survival([.init(time: 0, moved: true, count: 3)]))
        #expect(gone.steps.map(\.share) == [0] && gone.steps[0].interval == Interval(0, 1) && gone.median == 0)
        let grouped = try #require(Survival([.init(time: 6, moved: true, count: 3), .init(time: 6, moved: false)]))
        let single = try #require(
            Survival([.init(time: 6, moved: false)] + Array(repeating: Survival.Watched(time: 6, moved: true), count: 3)))
        #expect(grouped == single)
    }

    @Test func adjustedAsTheReference() {
        let adjusted = FalseDiscovery.adjusted([0.01, 0.04, 0.03, 0.005, 0.5, 0.2, 0.04])
        for (value, wanted) in zip(adjusted, [0.035, 0.056, 0.056, 0.035, 0.5, 0.23333333333333336, 0.056]) { expectClose(value, wanted, 1e-12) }
        #expect(FalseDiscovery.adjusted([]) == [] && FalseDiscovery.adjusted([0.3]) == [0.3])
    }

    @Test func concentrationOfKnownShares() throws {
        #expect(Concentration.gini([5, 5, 5, 5]) == 0 && Concentration.gini([]) == nil && Concentration.gini([0, 0]) == nil)
        #expect(Concentration.gini([-1, 3]) == nil)
        expectClose(try #require(Concentration.gini([0, 0, 0, 10])), 0.75)
        expectClose(try #require(Concentration.gini([1, 2, 3, 4, 5])), 4.0 / 15)
        expectClose(try #require(Concentration.share(ofLargest: 2, among: [1, 2, 3, 4])), 0.7)
        #expect(Concentration.share(ofLargest: 0, among: [1]) == nil)
    }

    private struct Way: Hashable { var step: String; var kind: String; var value: String }

    /// Six kinds of difference with four values each; one way may lose people, of whom 30 in 100 move on elsewhere.
    private func ways(seed: UInt64, planted: Double?) -> [Friction.Group<Way>] {
        var random = Random(seed: seed)
        return ["channel", "device", "language", "offer", "content", "cohort"].flatMap { kind in
            (0..<4).map { value in
                let rate = kind == "device" && value == 2 ? planted ?? 0.3 : 0.3
                return Friction.Group(
                    scope: Way(step: "share", kind: kind, value: ""), name: Way(step: "share", kind: kind, value: "\(value)"), came: 400,
                    moved: random.successes(of: 400, rate))
            }
        }
    }

    /// 300 companies each. One in twenty may see something where nothing is: of 300, at most 26 with noise (three deviations).
    @Test func plantedFrictionIsFoundAndNoneIsNot() {
        var (found, falseAlarms, chanceShare) = (0, 0, 0.0)
        for seed in 1...300 as ClosedRange<UInt64> {
            let first = Friction.compare(ways(seed: seed, planted: 0.18)).filter { $0.adjustedPValue <= 0.05 && $0.difference < 0 }
            if first.first?.group.name == Way(step: "share", kind: "device", value: "2") { found += 1 }
            if !first.isEmpty { chanceShare += Double(first.count { $0.group.name.kind != "device" }) / Double(first.count) / 300 }
            if Friction.compare(ways(seed: seed + 1_000, planted: nil)).contains(where: { $0.adjustedPValue <= 0.05 }) { falseAlarms += 1 }
        }
        #expect(found >= 285, "found \(found) of 300")
        #expect(chanceShare <= 0.065, "of what was named, \(chanceShare) was chance")
        #expect(falseAlarms <= 26, "cried wolf \(falseAlarms) times in 300")
    }

    @Test func frictionOfFewIsNotSaid() {
        let few = ["a", "b"].map { Friction.Group(scope: "s", name: $0, came: 29, moved: $0 == "a" ? 0 : 29) }
        #expect(Friction.compare(few).isEmpty)
        #expect(Friction.compare([Friction.Group(scope: "s", name: "alone", came: 1_000, moved: 3)]).isEmpty, "nobody to compare with")
        let two = Friction.compare([.init(scope: "s", name: "a", came: 100, moved: 10), .init(scope: "s", name: "b", came: 100, moved: 30)])
        #expect(two.map(\.group.name) == ["a", "b"] && two[0].lost > 19.9 && two[0].lost < 20.1 && two[0].interval.upper < 0)
    }

    /// Who stays longer does more: moving on does not depend on the action here, and it must not look so.
    @Test func stayingLongerIsNoMerit() throws {
        var (cried, naive) = (0, 0)
        for seed in 1...200 as ClosedRange<UInt64> {
            var random = Random(seed: seed)
            let people = (0..<600).map { _ -> Precedence.Person in
                let moves = (0..<120).first { _ in random.chance(0.01) }.map(Int64.init)
                let acts = (0..<120).first { _ in random.chance(0.02) }.map(Int64.init)
                return Precedence.Person(didAt: acts.flatMap { $0 < moves ?? .max ? $0 : nil }, movedAt: moves, watchedFor: 120)
            }
            let fair = try #require(Precedence(people, landmark: 30, horizon: 60))
            if fair.comparison.fisherExact() <= 0.05 { cried += 1 }
            let doers = people.filter { $0.didAt != nil }
            let others = people.filter { $0.didAt == nil }
            let all = TwoProportions(
                control: try #require(Proportion(conversions: others.count { $0.movedAt != nil }, users: others.count)),
                treatment: try #require(Proportion(conversions: doers.count { $0.movedAt != nil }, users: doers.count)))
            if all.fisherExact() <= 0.05 { naive += 1 }
        }
        #expect(cried <= 20, "an effect was seen \(cried) times in 200")
        #expect(naive >= 190, "without a landmark this population fools nearly always, not \(naive) times in 200")
    }

    @Test func precedenceCounts() throws {
        let people = [
            Precedence.Person(didAt: 2, movedAt: 20, watchedFor: 100), .init(didAt: 2, movedAt: nil, watchedFor: 100),
            .init(didAt: 11, movedAt: 20, watchedFor: 100), .init(didAt: nil, movedAt: 5, watchedFor: 100),
            .init(didAt: nil, movedAt: 90, watchedFor: 100), .init(didAt: nil, movedAt: 15, watchedFor: 30),
        ]
        let both = try #require(Precedence(people, landmark: 10, horizon: 30))
        #expect(both.did == Proportion(conversions: 1, users: 2), "who did it later did not by the landmark")
        #expect(both.didNot == Proportion(conversions: 1, users: 2), "gone before the landmark and watched too briefly are left out")
        #expect(Precedence(people, landmark: 50, horizon: 60) == nil)
    }
}
