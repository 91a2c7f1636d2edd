import Chronology
import Persistence
import Statistics
import Web

/// All that is known of an experiment, and what to do now.
struct ExperimentAnalysis: Sendable {
    /// Buyers on each side before a guard is looked at.
    static let buyersBeforeLooking = 50
    /// Segments that are shown, the largest.
    static let segmentsMax = 12

    struct Guarded: Sendable {
        var variant: String
        var guardMetric: GuardMetric
        var control: Double?
        var treatment: Double?
    }

    struct Segment: Sendable {
        var name: String
        var variant: String
        var control: VariantCounts
        var treatment: VariantCounts
        /// After Holm's steps over all segments.
        var pValue: Double
    }

    struct Sharpened: Sendable {
        var variant: String
        var difference: Double
        var interval: Interval?
        var pValue: Double
    }

    let experiment: Experiment
    let facts: ExperimentFacts
    let course: ExperimentCourse
    let decision: Decision
    let guards: [Guarded]
    let segments: [Segment]
    let sharpened: [Sharpened]
    let varianceReduction: Double
    let incrementality: Incrementality?
    let heldOut: VariantCounts?
    /// What the pay for the exposed buyers' sales comes to.
    let costMinor: Int64
    let costEach: Double?
    let until: Instant
    /// Positions of variants that have lost their pull.
    let tired: Set<Int>

    var isByValue: Bool { experiment.metric == .revenue }
    var hasRatioAlarm: Bool { course.ratioPValue < SampleRatio.alarmBelow }
    /// The variants with somebody in them.
    var counts: [VariantCounts?] { zip(course.variants, experiment.variants).map { $0.counts($1.name, weight: $1.weight) } }

    init(_ experiment: Experiment, _ facts: ExperimentFacts, now: Instant) {
        self.experiment = experiment
        self.facts = facts
        let until = min(experiment.endedAt ?? now, now)
        self.until = until
        tired = ExperimentTiredness.tired(experiment, facts, until: until)
        let course = ExperimentCourse(experiment, facts, until: until)
        self.course = course
        let guards = Self.guards(experiment, facts, until: until)
        self.guards = guards
        let control = course.variants.first?.counts("control")
        let treatments = experiment.variants.enumerated().dropFirst().compactMap { position, variant -> Treatment? in
            guard let test = course.tests[position - 1] else { return nil }
            return Treatment(name: variant.name, test: test, guards: guards.filter { $0.variant == variant.name }.map(\.guardMetric))
        }
        decision = Decision.make(
            treatments, controlValue: (experiment.metric == .revenue ? control?.values?.mean : control?.people.rate) ?? 0, minimumEffect: course.effect ?? 0,
            hasSampleRatioAlarm: course.ratioPValue < SampleRatio.alarmBelow, days: course.days)
        segments = Self.segments(experiment, facts, course)
        (sharpened, varianceReduction) = Self.sharpened(experiment, facts, course)
        heldOut = course.heldOut.counts(Experiment.holdoutName)
        costMinor = facts.outcomes.reduce(0) { facts.subjects[$1.subject].position >= 0 && $1.at <= until ? $0 + $1.payMinor : $0 }
        incrementality = Self.incrementality(experiment, course)
        costEach = incrementality?.costEach(Double(costMinor))
    }

    private static func incrementality(_ experiment: Experiment, _ course: ExperimentCourse) -> Incrementality? {
        let exposed = course.variants.reduce(into: (users: 0, conversions: 0)) { all, tally in
            all.users += tally.users
            all.conversions += tally.conversions
        }
        guard let heldOut = Proportion(conversions: course.heldOut.conversions, users: course.heldOut.users),
            let seen = Proportion(conversions: exposed.conversions, users: exposed.users)
        else { return nil }
        let rate = Double(exposed.conversions + course.heldOut.conversions) / Double(exposed.users + course.heldOut.users)
        guard let method = AlwaysValid(tau: rate * Double(experiment.effectPPM) / Double(Experiment.ppm)) else { return nil }
        return Incrementality(heldOut: heldOut, exposed: seen, method: method)
    }

    /// Per buyer: money refunded ÷ sold, sales with held pay ÷ sales, pay ÷ sales; each against control's.
    private static func guards(_ experiment: Experiment, _ facts: ExperimentFacts, until: Instant) -> [Guarded] {
        guard experiment.metric != .lead else { return [] }
        struct Buyer {
            var sales = 0.0
            var held = 0.0
            var sold = 0.0
            var refunded = 0.0
            var pay = 0.0
        }
        var buyers: [Int: Buyer] = [:]
        for outcome in facts.outcomes where outcome.at <= until {
            var buyer = buyers[outcome.subject] ?? Buyer()
            buyer.sales += 1
            buyer.held += outcome.isHeld ? 1 : 0
            buyer.sold += Double(outcome.minor)
            buyer.refunded += Double(outcome.refundedMinor)
            buyer.pay += Double(outcome.payMinor)
            buyers[outcome.subject] = buyer
        }
        var arms = Array(repeating: [Buyer](), count: experiment.variants.count)
        for (subject, buyer) in buyers.sorted(by: { $0.key < $1.key }) {
            let position = facts.subjects[subject].position
            if arms.indices.contains(position) { arms[position].append(buyer) }
        }
        let whole = Double(Experiment.ppm)
        var kinds: [(name: String, margin: Double, pair: (Buyer) -> (numerator: Double, denominator: Double))] = [
            ("refunds", Double(experiment.guards.refundPPM) / whole, { ($0.refunded, $0.sold) }),
            ("fraud", Double(experiment.guards.fraudPPM) / whole, { ($0.held, $0.sales) }),
        ]
        if let cost = experiment.guards.costMinor { kinds.append(("cost", Double(cost), { ($0.pay, $0.sales) })) }
        var guards: [Guarded] = []
        for (position, variant) in experiment.variants.enumerated().dropFirst() {
            for kind in kinds {
                guard var metric = GuardMetric(name: kind.name, margin: kind.margin) else { continue }
                let control = RatioMoments(arms[0].map(kind.pair))
                let treatment = RatioMoments(arms[position].map(kind.pair))
                if let control, let treatment, min(arms[0].count, arms[position].count) >= buyersBeforeLooking {
                    // Where nothing happened nothing varies, and yet the next buyer may: each side has at least the variance of one among its buyers.
                    let difference = treatment.estimate.minus(control.estimate)
                    let scale = kind.name == "cost" ? max(kind.margin, control.ratio, treatment.ratio) : 1
                    let (one, two) = (scale / Double(arms[0].count), scale / Double(arms[position].count))
                    metric.look(at: Estimate(difference.value, variance: max(difference.variance, one * one + two * two)))
                }
                guards.append(Guarded(variant: variant.name, guardMetric: metric, control: control?.ratio, treatment: treatment?.ratio))
            }
        }
        return guards
    }

    private static func segments(_ experiment: Experiment, _ facts: ExperimentFacts, _ course: ExperimentCourse) -> [Segment] {
        var tallies: [String: [ExperimentCourse.Tally]] = [:]
        for (index, subject) in facts.subjects.enumerated() where !subject.segment.isEmpty && subject.position >= 0 && subject.position < experiment.variants.count {
            var arms = tallies[subject.segment] ?? Array(repeating: ExperimentCourse.Tally(), count: experiment.variants.count)
            arms[subject.position].users += 1
            arms[subject.position].conversions += course.isConverted[index] ? 1 : 0
            arms[subject.position].add(course.values[index], over: 0)
            tallies[subject.segment] = arms
        }
        func people(_ arms: [ExperimentCourse.Tally]) -> Int { arms.reduce(0) { $0 + $1.users } }
        let largest = tallies.sorted { (people($1.value), $0.key) < (people($0.value), $1.key) }.prefix(segmentsMax)
        let isByValue = experiment.metric == .revenue
        var segments: [Segment] = []
        for (name, arms) in largest {
            guard let control = arms.first?.counts(experiment.control?.name ?? "") else { continue }
            for (position, variant) in experiment.variants.enumerated().dropFirst() {
                guard let treatment = arms[position].counts(variant.name) else { continue }
                let effect = course.effect ?? 0
                let test = VariantComparison.test(control, treatment, effect: effect, isByValue: isByValue, .fivePercent)
                segments.append(Segment(name: name, variant: variant.name, control: control, treatment: treatment, pValue: test?.pValue ?? 1))
            }
        }
        let adjusted = Holm.adjusted(segments.map(\.pValue))
        for index in segments.indices { segments[index].pValue = adjusted[index] }
        return segments
    }

    /// With what people spent before taken out, where that is worth it.
    private static func sharpened(_ experiment: Experiment, _ facts: ExperimentFacts, _ course: ExperimentCourse) -> ([Sharpened], Double) {
        guard experiment.metric == .revenue, let effect = course.effect, let method = AlwaysValid(tau: effect) else { return ([], 0) }
        var arms = Array(repeating: [Cuped.Person](), count: experiment.variants.count)
        for (index, subject) in facts.subjects.enumerated() where arms.indices.contains(subject.position) {
            arms[subject.position].append(Cuped.Person(value: course.values[index], before: subject.before))
        }
        guard let cuped = Cuped(arms: arms), cuped.isWorthwhile else { return ([], 0) }
        let alpha = ErrorRate.fivePercent.shared(among: experiment.variants.count - 1)
        let found = experiment.variants.enumerated().dropFirst().compactMap { position, variant -> Sharpened? in
            guard let means = TwoMeans(first: cuped.adjusted[0], second: cuped.adjusted[position]) else { return nil }
            return Sharpened(
                variant: variant.name, difference: means.estimate.value, interval: method.interval(means.estimate, alpha),
                pValue: method.pValue(means.estimate) ?? 1)
        }
        return (found, cuped.varianceReduction)
    }

    static func load(_ id: ExperimentID, in workspace: WorkspaceID, now: Instant, vault: Vault, on connection: any Connection) throws -> (ExperimentAnalysis, Program)? {
        guard let experiment = try ExperimentStore.find(id, in: workspace, on: connection),
            let program = try ProgramStore.find(experiment.programID, in: workspace, at: now, on: connection)
        else { return nil }
        let facts = try ExperimentFacts.load(experiment, currency: program.currency, vault: vault, on: connection)
        return (ExperimentAnalysis(experiment, facts, now: now), program)
    }
}
