import Money

/// rate[rank][k] of what each person earned from the named bonuses, for the k-th promoter above.
struct MatchingPayer {
    let rule: MatchingRule
    let bonus: Bonus
    let number: Int
    let state: RunState

    /// `earned`: member → what the named bonuses paid after their caps, refunds and adjustments included.
    func run(earned: Column<Int64>) throws(RunFailure) -> BonusOutcome {
        let facts = state.facts
        let finder = try LevelFinder(
            rule.rates, rule.compression, .aboveBuyer, tree: try state.tree(bonus.tree), bonus: bonus, state: state)
        var lines: [Line] = []
        var outcome = BonusOutcome(totals: Column(facts.memberCount, repeating: 0))
        var path = Path()
        for member in 0..<facts.memberCount where earned[member] != 0 {
            path.clear()
            finder.find(member, &path)
            // Several levels of one payee are one rounding group.
            for (place, first) in path.steps.enumerated()
            where !path.steps[..<place].contains(where: { $0.payee == first.payee }) {
                let group = path.steps.filter { $0.payee == first.payee }.sorted { $0.level < $1.level }
                let exact = group.map { Int128(earned[member]) * Int128($0.rate) }
                guard let amounts = roundedGroup(exact, bonus.rounding) else { throw .overflow(where: bonus.code) }
                for (step, amount) in zip(group, amounts) where amount != 0 || bonus.roundingScope == .period {
                    lines.append(
                        Line(
                            member: step.payee, source: Int32(member), bonus: number, level: Int(step.level),
                            reason: step.reason, base: earned[member], rate: step.rate, amount: amount))
                }
            }
            outcome.nobodyExact += Int128(earned[member]) * Int128(path.nobodyRate)
            outcome.unqualifiedExact += Int128(earned[member]) * Int128(path.unqualifiedRate)
        }
        outcome.lines = LineOrder.byMember([lines], memberCount: facts.memberCount)
        outcome.lineCount = outcome.lines.count
        return outcome
    }
}
