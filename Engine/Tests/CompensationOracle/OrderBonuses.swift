import Chronology
import Compensation
import Money

/// Bonuses that pay on single orders.
extension Payroll {
    func direct(_ rule: DirectRule, _ bonus: Bonus, _ number: Int) throws -> [Draft] {
        var drafts: [Draft] = []
        for sale in sales(bonus) {
            guard let term = rule.terms.first(where: { fits($0.orders, sale) }) else { continue }
            guard let (payee, isMeant) = seller(sale, rule.ownPurchases, bonus), isMeant else { continue }
            let base = base(bonus, sale)
            guard let payee, isEligible(payee) else { continue }
            var draft = Draft(person: payee, sale: sale, level: 1, base: base, exact: .zero, event: sale.id)
            switch term.reward {
            case .percent(let rates): draft.rate = byRank(rates, rank(payee, bonus)).map(fraction) ?? .zero
            case .flat(let amounts):
                let amount = byRank(amounts, rank(payee, bonus)) ?? 0
                (draft.base, draft.rate) = (base < 0 ? -amount : amount, Fraction(amount == 0 ? 0 : 1))
            }
            draft.exact = draft.rate * Fraction(draft.base)
            drafts.append(draft)
        }
        return drafts
    }

    /// Whom an order pays; nil where its own purchase pays nobody, a nil payee where nobody is there.
    private func seller(_ sale: Sale, _ own: DirectRule.OwnPurchases, _ bonus: Bonus) -> (payee: Person?, isMeant: Bool)? {
        guard sale.buyer.isPromoter else { return (sale.buyer.above(bonus.tree), true) }
        switch own {
        case .excluded: return nil
        case .paySeller: return (sale.buyer.above(bonus.tree), true)
        case .payBuyer: return (sale.buyer, true)
        }
    }

    func unilevel(_ rule: UnilevelRule, _ bonus: Bonus, _ number: Int, _ isInside: (Sale) -> Bool) throws -> [Draft] {
        var drafts: [Draft] = []
        for sale in sales(bonus) where isInside(sale) {
            var line = sale.buyer.line(bonus.tree)
            switch rule.firstLevel {
            case .aboveBuyer: break
            case .buyer: if sale.buyer.isPromoter { line.insert(sale.buyer, at: 0) }
            case .aboveSeller: line = Array(line.dropFirst())
            }
            let base = base(bonus, sale)
            for step in try climb(line, rule.rates, rule.compression, bonus, number, base: Fraction(base)) {
                drafts.append(
                    Draft(
                        person: step.person, sale: sale, level: step.level, reason: step.isRolledUp ? .rolledUp : .earned,
                        base: base, rate: step.rate, exact: step.rate * Fraction(base), event: sale.id))
            }
        }
        return drafts
    }

    struct Step {
        var person: Person
        var level: Int
        var rate: Fraction
        var isRolledUp = false
    }

    /// Who is paid for which level of the people of a line, nearest first.
    func climb(
        _ people: [Person], _ rates: RateTable, _ compression: Compression, _ bonus: Bonus, _ number: Int, base: Fraction
    ) throws -> [Step] {
        func rate(_ person: Person, _ level: Int) -> Fraction { fraction(rates.rate(rank: rank(person, bonus), level: level)) }
        func isQualified(_ person: Person, _ level: Int) -> Bool { isEligible(person) && rate(person, level) > .zero }
        func lose(_ level: Int, nobody: Bool) {
            let amount = fraction(rates.highest(level: level)) * base
            if nobody { breakage[number].nobody = breakage[number].nobody + amount } else { breakage[number].unqualified = breakage[number].unqualified + amount }
        }
        var people = people
        var steps: [Step] = []
        switch compression {
        case .removeInactive(let condition):
            people = try people.filter { try measuring.holds(condition, $0) }
            fallthrough
        case .none:
            for level in 1..<(rates.depth + 1) {
                guard level <= people.count else { lose(level, nobody: true); continue }
                let person = people[level - 1]
                if isQualified(person, level) {
                    steps.append(Step(person: person, level: level, rate: rate(person, level)))
                } else {
                    lose(level, nobody: false)
                }
            }
        case .perLevel, .rollUp(stacks: false):
            for level in 1..<(rates.depth + 1) {
                if rates.highest(level: level) == .zero {
                    people = Array(people.dropFirst())
                } else if let place = people.firstIndex(where: { isQualified($0, level) }) {
                    steps.append(Step(person: people[place], level: level, rate: rate(people[place], level)))
                    people = Array(people[(place + 1)...])
                } else {
                    // Everybody left was asked for this level; for the next ones there is nobody.
                    for rest in level..<(rates.depth + 1) { lose(rest, nobody: people.isEmpty || rest > level) }
                    return steps
                }
            }
        case .rollUp(stacks: true):
            for level in 1..<(rates.depth + 1) {
                guard level <= people.count else { lose(level, nobody: true); continue }
                if let receiver = people[(level - 1)...].first(where: { isQualified($0, level) }) {
                    steps.append(Step(person: receiver, level: level, rate: rate(receiver, level), isRolledUp: receiver != people[level - 1]))
                } else {
                    lose(level, nobody: false)
                }
            }
        }
        return steps
    }

    func tiered(_ rule: TieredRule, _ bonus: Bonus, _ number: Int) throws -> [Draft] {
        var drafts: [Draft] = []
        var bases: [Person: Int64] = [:]
        var kept: [Person: Fraction] = [:]
        let year = rule.scope == .year ? society.facts.period.start.year : 0
        if rule.scope == .year || rule.scope == .lifetime {
            for entry in carryIn.tiers where entry.bonus == bonus.code && entry.year == year {
                guard let person = society.byId[entry.id] else { continue }
                bases[person] = entry.baseMinor
                kept[person] = Fraction(entry.companyExact, over: 1_000_000_000)
            }
        }
        for sale in sales(bonus) {
            // What people sell while they are not eligible counts nothing.
            guard case (let payee?, _)? = seller(sale, rule.ownPurchases, bonus), isEligible(payee) else { continue }
            let base = base(bonus, sale)
            let before = rule.scope == .order ? 0 : bases[payee] ?? 0
            var company = rule.scope == .order ? .zero : kept[payee] ?? .zero
            let parts = try slices(rule, from: before, base, company: &company)
            bases[payee] = before + base
            kept[payee] = company
            for part in parts {
                drafts.append(
                    Draft(
                        person: payee, sale: sale, level: 1, base: part.base, rate: part.rate,
                        exact: part.rate * Fraction(part.base), event: sale.id))
            }
            guard rule.mode == .retroactive else { continue }
            // All that came before is raised to the rate reached, and so is each part of this order.
            let (old, reached) = (slabRate(rule.tiers, before), slabRate(rule.tiers, before + base))
            for (part, rate) in [(before, old)] + parts.map({ ($0.base, $0.rate) }) where rate != reached {
                drafts.append(
                    Draft(
                        person: payee, sale: sale, level: 1, reason: .trueUp, base: part, rate: reached - rate,
                        exact: (reached - rate) * Fraction(part), event: "true-up \(sale.id)"))
            }
        }
        if rule.scope == .year || rule.scope == .lifetime {
            for (person, base) in bases {
                let company = kept[person] ?? .zero
                carryOut.tiers.append(
                    Carry.Tier(
                        bonus: bonus.code, id: person.id, year: year, baseMinor: base,
                        companyExact: company.numerator * (1_000_000_000 / company.denominator)))
            }
        }
        return drafts
    }

    /// The parts of an order, each inside one slab.
    private func slices(_ rule: TieredRule, from before: Int64, _ base: Int64, company: inout Fraction) throws -> [(base: Int64, rate: Fraction)] {
        let bounds = rule.tiers.map(\.fromMinor).sorted()
        switch rule.measure {
        case .base:
            // A negative order goes back down through the same slabs.
            let (low, high) = (min(before, before + base), max(before, before + base))
            let cuts = [low] + bounds.filter { $0 > low && $0 < high } + [high]
            let parts = zip(cuts, cuts.dropFirst()).filter { $0 != $1 }.map { start, end in
                (base: base < 0 ? start - end : end - start, rate: slabRate(rule.tiers, start))
            }
            return base < 0 ? parts.reversed() : parts
        case .companyShare:
            guard base > 0 else {
                let rate = slabRate(rule.tiers, Int64(company.floor))
                company = company + (Fraction(1) - rate) * Fraction(base)
                return base == 0 ? [] : [(base, rate)]
            }
            var left = base
            var parts: [(base: Int64, rate: Fraction)] = []
            while left > 0 {
                let rate = slabRate(rule.tiers, Int64(company.floor))
                let share = Fraction(1) - rate
                var part = left
                if let next = bounds.first(where: { Fraction($0) > company }), share > .zero {
                    part = min(left, Int64(((Fraction(next) - company) / share).ceiling))
                }
                parts.append((part, rate))
                company = company + share * Fraction(part)
                left -= part
            }
            return parts
        }
    }
}
