import Chronology
import Compensation
import Money

/// Bonuses of one amount per payee and period.
extension Payroll {
    func slab(_ rule: SlabRule, _ bonus: Bonus, _ number: Int) throws -> [Draft] {
        var drafts: [Draft] = []
        for person in society.promoters {
            let rate = slabRate(rule.slabs, try measuring.value(rule.by, of: person, requirement: nil))
            let base = try measuring.value(rule.on, of: person, requirement: nil)
            if isEligible(person) {
                drafts.append(Draft(person: person, base: base, rate: rate, exact: rate * Fraction(base), event: ""))
            }
        }
        return drafts
    }

    func differential(_ rule: DifferentialRule, _ bonus: Bonus, _ number: Int) throws -> [Draft] {
        let tree = bonus.tree
        let slabVolumes = measuring.group(society.sales, tree) { $0.volume(rule.slabVolume) }
        let groups = measuring.group(sales(bonus), tree) { base(bonus, $0) }
        let personals = measuring.personal(sales(bonus), tree) { base(bonus, $0) }
        func gross(_ person: Person) -> Fraction {
            slabRate(rule.slabs, slabVolumes[person] ?? 0) * Fraction(groups[person] ?? 0)
        }
        var claims: [Person: Fraction] = [:]
        for person in fromTheLeaves(tree) {
            let below = society.heads(of: person, tree).reduce(Fraction.zero) { $0 + (claims[$1] ?? .zero) }
            claims[person] = isEligible(person) || rule.ineligible == .breakage ? gross(person) : below
        }
        var drafts: [Draft] = []
        for person in society.promoters {
            let rate = slabRate(rule.slabs, slabVolumes[person] ?? 0)
            let legs = society.heads(of: person, tree)
            let net: Fraction
            switch rule.clamp {
            case .total: net = max(.zero, gross(person) - legs.reduce(.zero) { $0 + (claims[$1] ?? .zero) })
            case .leg:
                net = legs.reduce(max(.zero, rate * Fraction(personals[person] ?? 0))) { sum, leg in
                    sum + max(.zero, rate * Fraction(groups[leg] ?? 0) - (claims[leg] ?? .zero))
                }
            }
            if isEligible(person) {
                drafts.append(Draft(person: person, base: groups[person] ?? 0, rate: rate, exact: net, event: ""))
            } else if rule.ineligible == .breakage {
                breakage[number].unqualified = breakage[number].unqualified + net
            }
        }
        return drafts
    }

    func breakaway(_ rule: BreakawayRule, _ bonus: Bonus, _ number: Int) throws -> [Draft] {
        let tree = bonus.tree
        let slabVolumes = measuring.group(society.sales, tree) { $0.volume(rule.slabVolume) }
        let personals = measuring.personal(sales(bonus), tree) { base(bonus, $0) }
        func isLeader(_ person: Person) -> Bool { (slabVolumes[person] ?? 0) >= (rule.slabs.map(\.fromMinor).max() ?? .max) }
        var drafts: [Draft] = []
        var groups: [Person: Int64] = [:]
        var claims: [Person: Fraction] = [:]
        var received: [Person: Fraction] = [:]
        let override = fraction(rule.override)
        for person in fromTheLeaves(tree) {
            let legs = society.heads(of: person, tree).filter { !isLeader($0) }
            let group = legs.reduce(personals[person] ?? 0) { $0 + (groups[$1] ?? 0) }
            groups[person] = group
            let rate = slabRate(rule.slabs, slabVolumes[person] ?? 0)
            claims[person] = rate * Fraction(group)
            let net = max(.zero, rate * Fraction(group) - legs.reduce(.zero) { $0 + (claims[$1] ?? .zero) })
            if isEligible(person) {
                drafts.append(Draft(person: person, base: group, rate: rate, exact: net, event: ""))
            } else {
                breakage[number].unqualified = breakage[number].unqualified + net
            }
            guard isLeader(person) else { continue }
            let own = max(.zero, override * Fraction(group))
            let available = own + (received[person] ?? .zero)
            var passed = available
            if isEligible(person) {
                passed = min(available, max(own, override * Fraction(rule.guaranteedMinor)))
                drafts.append(
                    Draft(person: person, level: 1, reason: .overrideOnLeg, exact: available - passed, event: ""))
            }
            if let next = person.line(tree).first(where: isLeader) {
                received[next] = (received[next] ?? .zero) + passed
            } else {
                breakage[number].nobody = breakage[number].nobody + passed
            }
        }
        return drafts
    }

    /// Promoters, each after all below.
    private func fromTheLeaves(_ tree: TreeCode) -> [Person] {
        society.promoters.map { ($0, $0.line(tree).count) }.sorted { $0.1 > $1.1 }.map(\.0)
    }

    func matching(_ rule: MatchingRule, _ bonus: Bonus, _ number: Int) throws -> [Draft] {
        let named = Set(plan.bonuses.indices.filter { rule.bonuses.contains(plan.bonuses[$0].code) })
        var drafts: [Draft] = []
        for source in society.promoters {
            let earned = lines.reduce(Int64(0)) { $0 + ($1.person == source && named.contains($1.bonus) ? $1.amount : 0) }
            guard earned != 0 else { continue }
            for step in try climb(source.line(bonus.tree), rule.rates, rule.compression, bonus, number, base: Fraction(earned)) {
                drafts.append(
                    Draft(
                        person: step.person, source: source, level: step.level, reason: step.isRolledUp ? .rolledUp : .earned,
                        base: earned, rate: step.rate, exact: step.rate * Fraction(earned), event: source.id))
            }
        }
        return drafts
    }

    func pool(_ rule: PoolRule, _ bonus: Bonus, _ number: Int) throws -> [Draft] {
        guard let name = rule.perAttribute else {
            return try pool(rule, bonus, number, sales(bonus), society.promoters)
        }
        var drafts: [Draft] = []
        for value in Set(society.people.compactMap { measuring.attribute(name, $0) }) {
            drafts += try pool(
                rule, bonus, number, sales(bonus).filter { measuring.attribute(name, $0.buyer) == value },
                society.promoters.filter { measuring.attribute(name, $0) == value })
        }
        return drafts
    }

    private func pool(_ rule: PoolRule, _ bonus: Bonus, _ number: Int, _ sales: [Sale], _ people: [Person]) throws -> [Draft] {
        let volume = sales.reduce(Int64(0)) { $0 + base(bonus, $1) }
        guard volume > 0 else { return [] }
        let amount = rounded(fraction(rule.rate) * Fraction(volume), bonus.rounding)
        var shares: [(person: Person, share: Int64)] = []
        let holders = people.filter(isEligible)
        switch rule.shares {
        case .byRank(let values): shares = holders.map { ($0, byRank(values, rank($0, bonus)) ?? 0) }
        case .byMetric(let metric, let unit):
            shares = try holders.map { ($0, max(0, try measuring.value(metric, of: $0, requirement: nil)) / unit) }
        case .byPosition(let score, let weights):
            let scored = try holders.map { ($0, try measuring.value(score, of: $0, requirement: nil)) }.filter { $0.1 > 0 }
            let places = scored.sorted { one, other in
                if one.1 != other.1 { return one.1 > other.1 }
                let (a, b) = (lastOrder(one.0), lastOrder(other.0))
                if a != b { return a < b }
                return one.0.precedes(other.0)
            }
            shares = zip(places, weights).map { ($0.0, $1) }
        }
        shares.removeAll { $0.share <= 0 }
        let all = shares.reduce(Int64(0)) { $0 + $1.share }
        guard all > 0 else {
            breakage[number].nobody = breakage[number].nobody + fraction(rule.rate) * Fraction(volume)
            return []
        }
        var parts: [(person: Person, share: Int64, exact: Fraction)] = shares.map {
            ($0.person, $0.share, Fraction(Int128(amount) * Int128($0.share), over: Int128(all)))
        }
        parts.sort {
            $0.exact.fractionalPart != $1.exact.fractionalPart
                ? $0.exact.fractionalPart > $1.exact.fractionalPart : $0.person.precedes($1.person)
        }
        let left = Int128(amount) - parts.reduce(0) { $0 + $1.exact.floor }
        return parts.enumerated().map { turn, part in
            Draft(
                person: part.person, level: Int(min(part.share, 32_767)), base: amount,
                exact: Fraction(part.exact.floor + (Int128(turn) < left ? 1 : 0), over: 1), event: "")
        }
    }

    private func lastOrder(_ person: Person) -> Int64 {
        society.sales.last { !$0.isRefund && measuring.owner($0, .enroller) == person }?.time.millisecondsSince1970 ?? .min
    }

    func advancement(_ rule: RankAdvancementRule, _ bonus: Bonus, _ number: Int) throws -> [Draft] {
        var drafts: [Draft] = []
        // What was reached before is paid on or taken back, also of a member who is a customer by now.
        for person in society.people {
            let before = person.entry?.highestRank ?? 0
            drafts += award(person, bonus, payments: rule.payments, keep: rule.keepPeriods) { rank in
                rank <= rule.amountsMinor.count ? rule.amountsMinor[rank - 1] : 0
            } holds: { person.paidAs >= $0 }
            guard isEligible(person), person.paidAs > before else { continue }
            for rank in (rule.paysSkipped ? before + 1 : person.paidAs)...person.paidAs where rank <= rule.amountsMinor.count {
                if let draft = first(person, bonus, rank, rule.amountsMinor[rank - 1], rule.payments) { drafts.append(draft) }
            }
        }
        return drafts
    }

    func milestone(_ rule: MilestoneRule, _ bonus: Bonus, _ number: Int) throws -> [Draft] {
        var drafts: [Draft] = []
        for person in society.people {
            let isMet = try measuring.holds(rule.condition, person)
            drafts += award(person, bonus, payments: rule.payments, keep: rule.keepPeriods) { _ in rule.amountMinor } holds: { _ in isMet }
            guard isEligible(person), isMet else { continue }
            if let draft = first(person, bonus, 0, rule.amountMinor, rule.payments) { drafts.append(draft) }
        }
        return drafts
    }

    /// A new award, unless there ever was one.
    private func first(_ person: Person, _ bonus: Bonus, _ rank: Int, _ amount: Int64, _ payments: Int) -> Draft? {
        guard !carryIn.awards.contains(where: { $0.bonus == bonus.code && $0.id == person.id && $0.rank == rank }) else { return nil }
        let payment = part(amount, payments, 0)
        carryOut.awards.append(Carry.Award(bonus: bonus.code, id: person.id, rank: rank, paymentsMade: 1, paidMinor: payment))
        return Draft(person: person, level: rank, reason: .payment, exact: Fraction(payment), event: "\(rank)")
    }

    /// The next payments of earlier awards, or what is taken back.
    private func award(
        _ person: Person, _ bonus: Bonus, payments: Int, keep: Int, amount: (Int) -> Int64, holds: (Int) -> Bool
    ) -> [Draft] {
        var drafts: [Draft] = []
        for entry in carryIn.awards where entry.bonus == bonus.code && entry.id == person.id {
            var award = entry
            if !award.isClawedBack {
                award.agePeriods += 1
                if award.agePeriods <= keep, !holds(award.rank) {
                    award.isClawedBack = true
                    drafts.append(
                        Draft(person: person, level: award.rank, reason: .clawback, exact: Fraction(-award.paidMinor), event: "\(award.rank)"))
                } else if award.paymentsMade < payments {
                    let payment = part(amount(award.rank), payments, award.paymentsMade)
                    award.paymentsMade += 1
                    award.paidMinor += payment
                    drafts.append(Draft(person: person, level: award.rank, reason: .payment, exact: Fraction(payment), event: "\(award.rank)"))
                }
            }
            carryOut.awards.append(award)
        }
        return drafts
    }

    /// Equal parts; what is left goes to the first ones.
    private func part(_ amount: Int64, _ payments: Int, _ place: Int) -> Int64 {
        amount / Int64(payments) + (Int64(place) < amount % Int64(payments) ? 1 : 0)
    }
}
