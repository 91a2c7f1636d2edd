/// One rounding per payee, bonus and period.
struct PeriodRounding {
    let facts: Facts
    let bonus: Bonus
    /// order → what the bonus paid on it, where another bonus reads that
    let commissions: Column<Int64>?

    /// `outcome.lines` are by member and each is base × rate.
    func apply(_ outcome: inout BonusOutcome) throws(RunFailure) {
        for member in 0..<outcome.totals.count { outcome.totals[member] = 0 }
        var start = 0
        while start < outcome.lines.count {
            var end = start
            while end < outcome.lines.count, outcome.lines[end].member == outcome.lines[start].member { end += 1 }
            // Ties of remainders go to the earlier order, then the lower level.
            let places = (start..<end).sorted { facts.lineTiePrecedes(outcome.lines[$0], outcome.lines[$1]) }
            let exact = places.map { Int128(outcome.lines[$0].baseMinor) * Int128(outcome.lines[$0].rateBillionths) }
            guard let amounts = roundedGroup(exact, bonus.rounding) else { throw .overflow(where: bonus.code) }
            for (place, amount) in zip(places, amounts) {
                outcome.lines[place].amountMinor = amount
                outcome.totals[Int(outcome.lines[place].member)] += amount
            }
            start = end
        }
        outcome.lines.removeAll { $0.amountMinor == 0 }
        if let commissions {
            for order in 0..<commissions.count { commissions[order] = 0 }
            for line in outcome.lines where line.order >= 0 { commissions[Int(line.order)] += line.amountMinor }
        }
        outcome.lineCount = outcome.lines.count
    }
}
