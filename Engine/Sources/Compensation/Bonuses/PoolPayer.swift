import Money

/// A share of the company's base, split among the eligible by largest remainder.
struct PoolPayer {
    let rule: PoolRule
    let bonus: Bonus
    let number: Int
    let state: RunState

    func run() throws(RunFailure) -> BonusOutcome {
        let facts = state.facts
        var outcome = BonusOutcome(totals: Column(facts.memberCount, repeating: 0))
        guard case .volume(let volume) = bonus.base else {
            throw .plan(PlanProblem(place: "bonuses.\(bonus.code).base", reason: .volumeBonusNeedsVolume))
        }
        let groups = try groupColumn()
        let bought = state.bought(volume, for: bonus)
        var bases: [Int32: Int128] = [:]
        for member in 0..<facts.memberCount where bought[member] != 0 {
            bases[groups?[member] ?? 0, default: 0] += Int128(bought[member])
        }
        let shares = try shareColumn(groups)
        var holders: [Int32: [Int]] = [:]
        for member in 0..<facts.memberCount where shares[member] > 0 {
            holders[groups?[member] ?? 0, default: []].append(member)
        }
        var lines: [Line] = []
        for group in bases.keys.sorted() where groups == nil || group >= 0 {
            guard let base = Int64(exactly: bases[group] ?? 0), base > 0,
                let total = rounded(base, rule.rate.billionths, bonus.rounding)
            else { continue }
            // Ties of remainders: joined_at, then id.
            let members = (holders[group] ?? []).sorted { facts.memberPrecedes($0, $1) }
            guard !members.isEmpty else {
                outcome.nobodyExact += Int128(base) * Int128(rule.rate.billionths)
                continue
            }
            let parts: [Int64]
            do { parts = try Allocation.largestRemainder(total: total, weights: members.map { shares[$0] }) } catch {
                throw .overflow(where: bonus.code)
            }
            for (member, amount) in zip(members, parts) where amount != 0 {
                lines.append(
                    Line(
                        member: Int32(member), bonus: number, level: Int(clamping: min(shares[member], 32_767)), base: total, rate: 0,
                        amount: amount))
            }
        }
        outcome.lines = LineOrder.byMember([lines], memberCount: facts.memberCount)
        outcome.lineCount = lines.count
        return outcome
    }

    /// The attribute that separates pools; members without one (−1) have none.
    private func groupColumn() throws(RunFailure) -> Column<Int32>? {
        guard let name = rule.perAttribute else { return nil }
        guard let place = state.facts.attributeNames.firstIndex(of: name) else {
            throw .plan(PlanProblem(place: "bonuses.\(bonus.code).perAttribute", reason: .unknownAttribute(name)))
        }
        return state.facts.attributes[place]
    }

    private func shareColumn(_ groups: Column<Int32>?) throws(RunFailure) -> Column<Int64> {
        let facts = state.facts
        let shares = Column<Int64>(facts.memberCount, repeating: 0)
        let eligible = try state.eligibility(of: bonus)
        switch rule.shares {
        case .byRank(let values):
            let byRank = ByRank(values: values, otherwise: 0)
            let ranks = state.ranks(of: bonus)
            for member in 0..<facts.memberCount where eligible[member] != 0 { shares[member] = byRank(Int(ranks[member])) }
        case .byMetric(let metric, let unit):
            let column = try state.column(metric)
            for member in 0..<facts.memberCount where eligible[member] != 0 && unit > 0 {
                shares[member] = max(0, column[member] / unit)
            }
        case .byPosition(let score, let weights):
            let scores = try state.column(score)
            var byGroup: [Int32: [Int]] = [:]
            for member in 0..<facts.memberCount where eligible[member] != 0 && scores[member] > 0 {
                byGroup[groups?[member] ?? 0, default: []].append(member)
            }
            let last = lastOrderMs()
            for members in byGroup.values {
                let ranked = members.sorted {
                    if scores[$0] != scores[$1] { return scores[$0] > scores[$1] }
                    if last[$0] != last[$1] { return last[$0] < last[$1] }
                    return facts.memberPrecedes($0, $1)
                }
                for (member, weight) in zip(ranked, weights) { shares[member] = max(0, weight) }
            }
        }
        return shares
    }

    /// The time of the last personal order: own or of own customers.
    private func lastOrderMs() -> Column<Int64> {
        let facts = state.facts
        let last = Column<Int64>(facts.memberCount, repeating: Int64.min)
        for order in 0..<facts.orderCount where facts.orderFlags[order] & Facts.isLateRefund == 0 {
            let buyer = Int(facts.buyer[order])
            let owner = facts.isPromoter(buyer) ? buyer : Int(facts.trees[0].above[buyer])
            if owner >= 0 { last[owner] = max(last[owner], facts.orderMs[order]) }
        }
        return last
    }
}
