import Chronology
import Statistics

/// An experiment's figures as they stood at the end of each day: what every day's look would have shown. A function of the facts alone, so it says
/// the same whoever looked when.
struct ExperimentCourse: Sendable {
    static let dayMs: Int64 = 86_400_000
    /// Days that are shown; a longer experiment is looked at in longer steps.
    static let looksMax = 400

    struct Look: Sendable {
        var at: Instant
        /// By position of the variant.
        var variants: [Tally]
        /// Of each treatment, after this look.
        var intervals: [Interval?]
    }

    /// Sums of a group of people.
    struct Tally: Sendable, Hashable {
        var users = 0
        var conversions = 0
        var sum = 0.0
        var squares = 0.0

        mutating func add(_ value: Double, over before: Double) {
            sum += value - before
            squares += value * value - before * before
        }

        func counts(_ name: String, weight: Int = 1) -> VariantCounts? {
            guard let people = Proportion(conversions: conversions, users: users) else { return nil }
            return VariantCounts(name: name, people: people, values: Moments(count: users, sum: sum, sumOfSquares: squares), weight: weight)
        }
    }

    private(set) var looks: [Look] = []
    /// Of each treatment against control.
    private(set) var tests: [SequentialTest?]
    /// In the units of the metric; nil while no look could be taken.
    private(set) var effect: Double?
    /// The least of all looks: 1 while there is nothing.
    private(set) var ratioPValue = 1.0
    private(set) var variants: [Tally]
    private(set) var heldOut = Tally()
    /// By subject: what they brought, and whether they converted.
    private(set) var values: [Double]
    private(set) var isConverted: [Bool]
    let days: Int

    init(_ experiment: Experiment, _ facts: ExperimentFacts, until end: Instant) {
        let count = experiment.variants.count
        tests = Array(repeating: nil, count: max(0, count - 1))
        variants = Array(repeating: Tally(), count: count)
        values = Array(repeating: 0, count: facts.subjects.count)
        isConverted = Array(repeating: false, count: facts.subjects.count)
        guard let start = facts.subjects.first?.at, end >= start else {
            days = 0
            return
        }
        let wholeMs = end.millisecondsClamped(since: start)
        days = Int(wholeMs / Self.dayMs) + 1
        let step = Self.dayMs * Int64((days + Self.looksMax - 1) / Self.looksMax)
        var (nextSubject, nextOutcome) = (0, 0)
        var elapsed: Int64 = 0
        while elapsed < wholeMs || looks.isEmpty {
            elapsed = min(elapsed + step, max(wholeMs, 1))
            let at = (try? start.adding(milliseconds: elapsed)) ?? end
            while nextSubject < facts.subjects.count, facts.subjects[nextSubject].at <= at {
                change(facts.subjects[nextSubject].position) { $0.users += 1 }
                nextSubject += 1
            }
            while nextOutcome < facts.outcomes.count, facts.outcomes[nextOutcome].at <= min(at, end) {
                take(facts.outcomes[nextOutcome], facts)
                nextOutcome += 1
            }
            look(at: at, experiment)
        }
    }

    private mutating func change(_ position: Int, _ body: (inout Tally) -> Void) {
        if variants.indices.contains(position) { body(&variants[position]) } else if position == Experiment.holdoutPosition { body(&heldOut) }
    }

    private mutating func take(_ outcome: ExperimentFacts.Outcome, _ facts: ExperimentFacts) {
        let before = values[outcome.subject]
        let value = before + Double(outcome.minor)
        let isFirst = !isConverted[outcome.subject]
        values[outcome.subject] = value
        isConverted[outcome.subject] = true
        change(facts.subjects[outcome.subject].position) { tally in
            if isFirst { tally.conversions += 1 }
            tally.add(value, over: before)
        }
    }

    private mutating func look(at: Instant, _ experiment: Experiment) {
        let isByValue = experiment.metric == .revenue
        if let ratio = SampleRatio(observed: variants.map(\.users), weights: experiment.variants.map(\.weight)) {
            ratioPValue = min(ratioPValue, ratio.alwaysValidPValue)
        }
        let counts = zip(variants, experiment.variants).map { $0.counts($1.name, weight: $1.weight) }
        if let control = counts.first ?? nil {
            for (index, variant) in counts.dropFirst().enumerated() {
                guard let variant, let difference = VariantComparison.look(control, variant, isByValue: isByValue) else { continue }
                // Fixed before the first look, for all treatments alike.
                if effect == nil {
                    let level = VariantComparison.level(of: counts.compactMap { $0 }, isByValue: isByValue)
                    let wanted = level * Double(experiment.effectPPM) / Double(Experiment.ppm)
                    effect = wanted > 0 ? wanted : nil
                }
                guard let effect, let method = AlwaysValid(tau: effect) else { continue }
                var test = tests[index] ?? SequentialTest(method, alpha: ErrorRate.fivePercent.shared(among: tests.count))
                test.look(at: difference)
                tests[index] = test
            }
        }
        looks.append(Look(at: at, variants: variants, intervals: tests.map { $0?.interval }))
    }
}
