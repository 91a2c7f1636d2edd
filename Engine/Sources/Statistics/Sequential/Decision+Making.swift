extension Decision {
    /// The pace is not told further ahead than this.
    public static let daysLeftLimit = 730

    /// Decides from all treatments of an experiment, each tested at an equal part of its α (`ErrorRate.shared`).
    ///
    /// - `controlValue`: control's rate or mean, for relative lifts.
    /// - `minimumEffect`: the smallest difference that matters, in the units of the difference, as fixed before the start.
    /// - `days`: how long it has run.
    ///
    /// In this order: people out of ratio → nothing is said of any figure; a better variant whose guards are kept → use it (the one with
    /// the largest estimate); one whose guard is broken → say so; one whose guard is open → go on; all worse or without a
    /// difference that matters → keep control, or no difference worth it; otherwise go on.
    public static func make(
        _ treatments: [Treatment], controlValue: Double, minimumEffect: Double, hasSampleRatioAlarm: Bool, days: Int
    ) -> Decision {
        if hasSampleRatioAlarm { return .doNotDecide(.sampleRatio) }
        guard treatments.contains(where: { $0.test.finding != .notLookedAt }) else { return .doNotDecide(.tooFew) }

        let better = treatments.filter { $0.test.finding == .above }.sorted { $0.difference > $1.difference }
        if let winner = better.first(where: { $0.guards.allSatisfy { $0.state == .kept } }), let verdict = winner.verdict(controlValue) {
            return .use(verdict)
        }
        if let waiting = better.first(where: { $0.firstGuard(.broken) == nil }) {
            let name = waiting.firstGuard(.open)
            return .goOn(GoOn(daysLeft: nil, waitsForGuard: name))
        }
        if let barred = better.first, let name = barred.firstGuard(.broken) {
            return .doNotDecide(.guardBroken(variant: barred.name, name: name))
        }
        if let odd = treatments.first(where: { $0.test.finding == .contradictory }) {
            return .doNotDecide(.contradictory(variant: odd.name))
        }
        if treatments.allSatisfy({ $0.test.finding == .below || $0.isWithin(minimumEffect) }) {
            let worst = treatments.filter { $0.test.finding == .below }.min { $0.difference < $1.difference }
            if let verdict = worst?.verdict(controlValue) { return .keepControl(verdict) }
            return .noDifferenceWorth(minimumEffect: minimumEffect)
        }
        return .goOn(GoOn(daysLeft: daysLeft(treatments, minimumEffect: minimumEffect, days: days), waitsForGuard: nil))
    }

    /// Variance falls as 1/time: how long until the first open treatment's interval is as narrow as either answer needs.
    private static func daysLeft(_ treatments: [Treatment], minimumEffect: Double, days: Int) -> Int? {
        guard days > 0 else { return nil }
        return treatments.compactMap { treatment -> Int? in
            guard treatment.test.finding == .open, let estimate = treatment.test.estimate else { return nil }
            let size = estimate.value.magnitude
            let wanted = max(size, minimumEffect - size)
            // The interval at `more` times today's facts; it narrows as that grows.
            let most = Double(daysLeftLimit) / Double(days) + 1
            let isSoon = { (more: Double) in
                treatment.test.method.halfWidth(variance: estimate.variance / more, treatment.test.alpha) <= wanted
            }
            guard isSoon(most) else { return nil }
            let more = risingRoot(in: Interval(1, most)) { isSoon($0) ? 1 : -1 }
            return max(1, Int(((more - 1) * Double(days)).rounded(.up)))
        }.min()
    }
}

extension Treatment {
    fileprivate var difference: Double { test.estimate?.value ?? 0 }

    fileprivate func firstGuard(_ state: GuardMetric.State) -> String? { guards.first { $0.state == state }?.name }

    fileprivate func isWithin(_ minimumEffect: Double) -> Bool {
        guard let interval = test.interval else { return false }
        return interval.isWithin(minimumEffect)
    }

    fileprivate func verdict(_ controlValue: Double) -> Decision.Verdict? {
        guard let interval = test.interval, let estimate = test.estimate else { return nil }
        return Decision.Verdict(
            variant: name, difference: estimate.value, interval: interval, relativeLift: controlValue == 0 ? nil : estimate.value / controlValue)
    }
}
