import Compensation
import Money

/// Bonuses of an order that look at the ranks on the way up.
extension Payroll {
    func rankDifferential(_ rule: RankDifferentialRule, _ bonus: Bonus, _ number: Int) throws -> [Draft] {
        var drafts: [Draft] = []
        let top = rule.rates.max().map(fraction) ?? .zero
        for sale in sales(bonus) {
            let base = base(bonus, sale)
            let own = rule.buyerCollects && sale.buyer.isPromoter ? [sale.buyer] : []
            var collected = Fraction.zero
            var level = 0
            for person in own + sale.buyer.line(bonus.tree) where isEligible(person) {
                guard let rate = byRank(rule.rates, rank(person, bonus)).map(fraction), rate > collected else { continue }
                level += 1
                drafts.append(
                    Draft(
                        person: person, sale: sale, level: level, base: base, rate: rate - collected,
                        exact: (rate - collected) * Fraction(base), event: sale.id))
                collected = rate
            }
            breakage[number].nobody = breakage[number].nobody + (top - collected) * Fraction(base)
        }
        return drafts
    }

    func generation(_ rule: GenerationRule, _ bonus: Bonus, _ number: Int) throws -> [Draft] {
        var drafts: [Draft] = []
        for sale in sales(bonus) {
            let base = base(bonus, sale)
            let line = sale.buyer.line(bonus.tree)
            for (place, person) in line.enumerated() where rank(person, bonus) >= rule.fromRank {
                // A leader who blocks without being eligible leaves the amount with the company.
                guard isEligible(person) || rule.unqualifiedLeaders == .block else { continue }
                if rule.boundary == .ownRank, rank(person, bonus) == 0 { continue }
                let below = (sale.buyer.isPromoter ? [sale.buyer] : []) + line[..<place]
                let leaders = below.count { leader in
                    let least: Int
                    switch rule.boundary {
                    case .ownRank: least = rank(person, bonus)
                    case .rank(let fixed): least = fixed
                    }
                    return rank(leader, bonus) >= least && (rule.unqualifiedLeaders == .block || isEligible(leader))
                }
                let rate = fraction(rule.rates.rate(rank: rank(person, bonus), level: leaders))
                guard leaders >= 1, rate > .zero else { continue }
                guard isEligible(person) else {
                    breakage[number].unqualified = breakage[number].unqualified + rate * Fraction(base)
                    continue
                }
                drafts.append(
                    Draft(
                        person: person, sale: sale, level: leaders, base: base, rate: rate, exact: rate * Fraction(base),
                        event: sale.id))
            }
        }
        return drafts
    }

    func infinity(_ rule: InfinityRule, _ bonus: Bonus, _ number: Int) throws -> [Draft] {
        var drafts: [Draft] = []
        for sale in sales(bonus) {
            let base = base(bonus, sale)
            let line = sale.buyer.line(bonus.tree)
            var highestPaid = Fraction.zero
            for (place, person) in line.enumerated() where place + 1 > rule.belowLevel && isEligible(person) {
                let own = rank(person, bonus)
                var rate = byRank(rule.rates, own).map(fraction) ?? .zero
                let below = (sale.buyer.isPromoter ? [sale.buyer] : []) + line[..<place]
                guard own > 0, !below.contains(where: { rank($0, bonus) >= own }) else { continue }
                let whole = rate
                if rule.blocking == .difference { rate = rate - highestPaid }
                guard rate > .zero else { continue }
                highestPaid = whole
                drafts.append(
                    Draft(
                        person: person, sale: sale, level: place + 1, base: base, rate: rate, exact: rate * Fraction(base),
                        event: sale.id))
            }
        }
        return drafts
    }
}
