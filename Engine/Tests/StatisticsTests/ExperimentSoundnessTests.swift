import Foundation
import Statistics
import Testing

/// Shares, hold-outs, pasts, segments, tired content.
@Suite struct ExperimentSoundnessTests {
    /// Halves that are 48:52 raise the alarm, true halves looked at on every day don't, where a daily χ² would.
    @Test func sampleRatioAlarms() throws {
        var random = Random(seed: 51)
        let runs = 200
        var (found, falseAlarms, plainAlarms) = (0, 0, 0)
        for _ in 0..<runs {
            let skewed = try dailyLooks(&random, share: 0.48, perDay: 1_000)
            if skewed.least < SampleRatio.alarmBelow { found += 1 }
            let fair = try dailyLooks(&random, share: 0.5, perDay: 200)
            if fair.least < SampleRatio.alarmBelow { falseAlarms += 1 }
            if fair.leastPlain < 0.05 { plainAlarms += 1 }
        }
        #expect(found == runs, "\(found) of \(runs)")
        #expect(falseAlarms <= 1, "\(falseAlarms) of \(runs)")
        #expect(Double(plainAlarms) / Double(runs) > 0.15, "\(plainAlarms) of \(runs)")
    }

    /// The evidence is a martingale: over all splits of n people it averages to 1.
    @Test(arguments: [1, 2, 10, 60])
    func evidenceAveragesToOne(people: Int) throws {
        var (sum, choose) = (0.0, 1.0)
        for first in 0...people {
            let ratio = try #require(SampleRatio(observed: [first, people - first], weights: [1, 3]))
            var chance = choose
            for _ in 0..<first { chance *= 0.25 }
            for _ in 0..<(people - first) { chance *= 0.75 }
            sum += chance * exp(ratio.logEvidence)
            choose = choose * Double(people - first) / Double(first + 1)
        }
        expect(sum, 1, within: 1e-9)
    }

    /// Held-out people show a true lift of 2 points, and the interval holds it in at least 93 % (95 % promised).
    @Test func holdOutRecoversTheLift() throws {
        var random = Random(seed: 61)
        let method = try #require(AlwaysValid(tau: 0.01))
        var (inside, sure) = (0, 0)
        for _ in 0..<300 {
            let heldOut = try #require(Proportion(conversions: random.successes(of: 2_000, 0.05), users: 2_000))
            let exposed = try #require(Proportion(conversions: random.successes(of: 8_000, 0.07), users: 8_000))
            let answer = try #require(Incrementality(heldOut: heldOut, exposed: exposed, method: method))
            if answer.interval.contains(0.02 * 8_000) { inside += 1 }
            if let each = answer.costEach(1_600) {
                sure += 1
                #expect(each > 0)
            }
        }
        #expect(inside >= 279, "\(inside) of 300")
        #expect(sure > 150, "\(sure) of 300")
        let few = try #require(Proportion(conversions: 1, users: 10))
        #expect(Incrementality(heldOut: few, exposed: few, method: method) == nil)
    }

    /// A past that tells three quarters of the variance leaves one quarter, and leaves the effect.
    @Test func aPastSharpensMeans() throws {
        var random = Random(seed: 71)
        let arms = [0.0, 1.0].map { effect in
            (0..<4_000).map { _ -> Cuped.Person in
                let usual = 10 * random.normal()
                return Cuped.Person(value: 50 + usual + effect + 5.7735 * random.normal(), before: usual)
            }
        }
        let cuped = try #require(Cuped(arms: arms))
        expect(cuped.theta, 1, within: 0.03)
        expect(cuped.varianceReduction, 0.75, within: 0.03)
        #expect(cuped.isWorthwhile && cuped.pastShare == 1)
        let plain = try means(arms[0].map(\.value), arms[1].map(\.value))
        let sharp = try #require(TwoMeans(first: cuped.adjusted[0], second: cuped.adjusted[1]))
        expect(sharp.estimate.value, 1, within: 4 * sharp.estimate.standardError)
        #expect(sharp.estimate.variance < 0.3 * plain.estimate.variance)
    }

    @Test func aPastThatTellsNothingIsNotShown() throws {
        var random = Random(seed: 72)
        let arms = (0..<2).map { _ in (0..<1_000).map { _ in Cuped.Person(value: random.normal(), before: random.normal()) } }
        #expect(try #require(Cuped(arms: arms)).isWorthwhile == false)
        let mostlyNew = (0..<2).map { _ in
            (0..<1_000).map { index -> Cuped.Person in
                let value = random.normal()
                return Cuped.Person(value: value, before: index % 4 == 0 ? value : nil)
            }
        }
        let some = try #require(Cuped(arms: mostlyNew))
        #expect(some.pastShare == 0.25 && !some.isWorthwhile)
        #expect(Cuped(arms: [[Cuped.Person(value: 1, before: nil)], [Cuped.Person(value: 2, before: nil)]]) == nil)
    }

    @Test func manyQuestionsAtOnce() {
        // Holm's own step: 4·0.01, 3·0.02, 2·0.03 (not below the one before), 0.5.
        let adjusted = Holm.adjusted([0.03, 0.01, 0.5, 0.02])
        for (value, wanted) in zip(adjusted, [0.06, 0.04, 0.5, 0.06]) { expect(value, wanted, within: 1e-12) }
        #expect(Holm.adjusted([]).isEmpty && Holm.adjusted([0.9, 0.8]) == [1, 1])
    }

    @Test func tiredContent() throws {
        func weeks(_ clicks: [Int]) throws -> [Tiredness.Week] { try clicks.map { try #require(Tiredness.Week(views: 1_000, clicks: $0)) } }
        #expect(try Tiredness.isTired(weeks([50, 52, 48, 50, 40, 20, 18])))
        // One bad week, a slight fall, too little time, too few clicks to be sure.
        #expect(try !Tiredness.isTired(weeks([50, 52, 48, 50, 40, 20, 45])))
        #expect(try !Tiredness.isTired(weeks([50, 52, 48, 50, 40, 40, 38])))
        #expect(try !Tiredness.isTired(weeks([50, 52, 48, 5, 5])))
        #expect(try !Tiredness.isTired(weeks([3, 2, 3, 2, 1, 1])))
        #expect(try !Tiredness.isTired(weeks([0, 0, 0, 0, 0, 0])))
    }

    /// Shares come out as weighed, hold-outs as set, and nobody is in two experiments of a layer.
    @Test func allocation() throws {
        let first = try #require(VariantAllocation(buckets: 0..<6_000, holdoutPPM: 100_000, weights: [1, 2, 1]))
        let second = try #require(VariantAllocation(buckets: 6_000..<10_000, holdoutPPM: 0, weights: [1]))
        var random = Random(seed: 81)
        var (counts, heldOut, elsewhere) = ([0, 0, 0], 0, 0)
        for _ in 0..<100_000 {
            let hashes = VariantAllocation.Hashes(layer: random.hash(), holdout: random.hash(), variant: random.hash())
            let answer = first.assignment(hashes)
            #expect(answer == first.assignment(hashes))
            switch answer {
            case .otherExperiment:
                elsewhere += 1
                #expect(second.assignment(hashes) == .variant(0))
            case .holdout:
                heldOut += 1
                #expect(second.assignment(hashes) == .otherExperiment)
            case .variant(let position):
                counts[position] += 1
                #expect(second.assignment(hashes) == .otherExperiment)
            }
        }
        #expect(try #require(SampleRatio(observed: counts, weights: [1, 2, 1])).chiSquared().pValue > 0.001)
        #expect(try #require(SampleRatio(observed: [heldOut, counts.reduce(0, +)], weights: [1, 9])).chiSquared().pValue > 0.001)
        #expect(try #require(SampleRatio(observed: [elsewhere, 100_000 - elsewhere], weights: [2, 3])).chiSquared().pValue > 0.001)
    }

    @Test func allocationsThatMeanNothingAreRefused() {
        #expect(VariantAllocation(buckets: 0..<0, holdoutPPM: 0, weights: [1]) == nil)
        #expect(VariantAllocation(buckets: 9_999..<10_001, holdoutPPM: 0, weights: [1]) == nil)
        #expect(VariantAllocation(holdoutPPM: 500_001, weights: [1]) == nil)
        #expect(VariantAllocation(holdoutPPM: 0, weights: []) == nil && VariantAllocation(holdoutPPM: 0, weights: [0]) == nil)
        #expect(VariantAllocation(holdoutPPM: 0, weights: [.max, .max]) == nil)
    }

    /// The ends of the hash's range.
    @Test func extremeHashes() throws {
        let allocation = try #require(VariantAllocation(holdoutPPM: 1, weights: [1, 1]))
        #expect(allocation.assignment(.init(layer: 0, holdout: 0, variant: 0)) == .holdout)
        #expect(allocation.assignment(.init(layer: .max, holdout: .max, variant: .max)) == .variant(1))
        #expect(allocation.assignment(.init(layer: .max, holdout: .max, variant: 0)) == .variant(0))
        // The halves meet in the middle of the range, today and in every later version: people keep their variant.
        #expect(allocation.assignment(.init(layer: 0, holdout: .max, variant: 1 << 63)) == .variant(1))
        #expect(allocation.assignment(.init(layer: 0, holdout: .max, variant: 1 << 63 - 1)) == .variant(0))
    }

    private func dailyLooks(_ random: inout Random, share: Double, perDay: Int) throws -> (least: Double, leastPlain: Double) {
        var (first, least, leastPlain) = (0, 1.0, 1.0)
        for day in 1...30 {
            first += random.successes(of: perDay, share)
            let ratio = try #require(SampleRatio(observed: [first, day * perDay - first], weights: [1, 1]))
            least = min(least, ratio.alwaysValidPValue)
            leastPlain = min(leastPlain, ratio.chiSquared().pValue)
        }
        return (least, leastPlain)
    }
}
