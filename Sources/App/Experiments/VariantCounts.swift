import Statistics

/// What is known of a variant: how many people, how many of them did it, and what they brought.
struct VariantCounts: Sendable, Hashable {
    var name: String
    var people: Proportion
    /// Of a value per person, where one is measured.
    var values: Moments?
    /// How many parts of all people it is meant to get.
    var weight = 1
}

/// Variants that are looked at once, on a day that was fixed beforehand or not: the first is control.
struct VariantComparison: Sendable {
    /// The smallest share of control's rate or mean that matters, when nobody said another.
    static let effectShare = 0.1
    static let variantsMax = 100

    let variants: [VariantCounts]
    /// The smallest difference that matters, in the units of the metric.
    let effect: Double
    let isByValue: Bool
    let decision: Decision
    let sampleRatio: SampleRatio?
    private let alpha: ErrorRate

    /// `effect`: nil for a tenth of the rate (or mean) of everybody together.
    init(_ variants: [VariantCounts], effect wanted: Double? = nil, isByValue: Bool = false) {
        self.variants = variants
        self.isByValue = isByValue
        alpha = ErrorRate.fivePercent.shared(among: variants.count - 1)
        let effect = wanted ?? Self.effectShare * Self.level(of: variants, isByValue: isByValue)
        self.effect = effect
        let ratio = SampleRatio(observed: variants.map(\.people.users), weights: variants.map(\.weight))
        sampleRatio = ratio
        guard let control = variants.first else {
            decision = .doNotDecide(.tooFew)
            return
        }
        let alpha = alpha
        decision = Decision.make(
            variants.dropFirst().compactMap { variant in
                Self.test(control, variant, effect: effect, isByValue: isByValue, alpha).map { Treatment(name: variant.name, test: $0) }
            },
            controlValue: isByValue ? control.values?.mean ?? 0 : control.people.rate, minimumEffect: effect,
            hasSampleRatioAlarm: (ratio?.chiSquared().pValue ?? 1) < SampleRatio.alarmBelow, days: 0)
    }

    /// The rate or mean of all people together.
    static func level(of variants: [VariantCounts], isByValue: Bool) -> Double {
        let users = variants.reduce(0.0) { $0 + Double($1.people.users) }
        let sum = variants.reduce(0.0) { sum, variant in
            sum + (isByValue ? (variant.values?.mean ?? 0) * Double(variant.people.users) : Double(variant.people.conversions))
        }
        return users > 0 ? sum / users : 0
    }

    /// The test of one look; nil when the effect is none. Without enough conversions or values no look is taken.
    static func test(_ control: VariantCounts, _ variant: VariantCounts, effect: Double, isByValue: Bool, _ alpha: ErrorRate) -> SequentialTest? {
        guard let method = AlwaysValid(tau: effect.magnitude) else { return nil }
        var test = SequentialTest(method, alpha: alpha)
        if let difference = look(control, variant, isByValue: isByValue) { test.look(at: difference) }
        return test
    }

    /// The difference variant − control, when there is enough to look at.
    static func look(_ control: VariantCounts, _ variant: VariantCounts, isByValue: Bool) -> Estimate? {
        if isByValue {
            guard let first = control.values, let second = variant.values, min(first.count, second.count) >= AlwaysValid.valuesBeforeLooking else { return nil }
            return TwoMeans(first: first, second: second)?.estimate
        }
        let both = TwoProportions(control: control.people, treatment: variant.people)
        return both.conversions >= AlwaysValid.conversionsBeforeLooking ? both.pooledEstimate : nil
    }

    /// What one look says of a variant against control.
    func test(of variant: VariantCounts, isByValue: Bool) -> SequentialTest? {
        guard let control = variants.first else { return nil }
        let effect = isByValue == self.isByValue ? effect : Self.effectShare * Self.level(of: variants, isByValue: isByValue)
        return Self.test(control, variant, effect: effect, isByValue: isByValue, alpha)
    }
}
