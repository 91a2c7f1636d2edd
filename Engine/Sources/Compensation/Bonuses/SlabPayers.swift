import Money

extension RunState {
    /// What members bought that counts for a bonus of volumes: its filter, tags and treatment of refunds.
    func bought(_ volume: Volume, for bonus: Bonus) -> Column<Int64> {
        let test = OrderTest(bonus, state: self)
        guard !test.isTrivial else { return ownVolume(volume) }
        let values = facts.volume(volume)
        let sums = Column<Int64>(facts.memberCount, repeating: 0)
        for order in 0..<facts.orderCount where test.passes(order) {
            sums[Int(facts.buyer[order])] &+= values[order]
        }
        return sums
    }

    func personalBase(of bonus: Bonus) throws(RunFailure) -> Column<Int64> {
        guard case .volume(let volume) = bonus.base else {
            throw .plan(PlanProblem(place: "bonuses.\(bonus.code).base", reason: .volumeBonusNeedsVolume))
        }
        return attributed(bought(volume, for: bonus), .both, try tree(bonus.tree))
    }

    /// The slab volume reads all orders, whatever the bonus's filter says about the base.
    func groupBySlabVolume(_ volume: Volume, _ bonus: Bonus) throws(RunFailure) -> Column<Int64> {
        try column(.groupVolume(volume, on: bonus.tree, depth: nil))
    }
}

struct SlabPayer {
    let rule: SlabRule
    let bonus: Bonus
    let number: Int
    let state: RunState

    func run() throws(RunFailure) -> [Line] {
        let by = try state.column(rule.by)
        let on = try state.column(rule.on)
        let eligible = try state.eligibility(of: bonus)
        var lines: [Line] = []
        for member in 0..<state.facts.memberCount where eligible[member] != 0 {
            let rate = rule.slabs.rate(at: by[member])
            guard let amount = rounded(on[member], rate, bonus.rounding) else { throw .overflow(where: bonus.code) }
            guard amount != 0 else { continue }
            lines.append(Line(member: Int32(member), bonus: number, base: on[member], rate: rate, amount: amount))
        }
        return lines
    }
}

/// Own slab % × group − Σ leg slab % × leg, from the leaves up in one pass.
struct DifferentialPayer {
    let rule: DifferentialRule
    let bonus: Bonus
    let number: Int
    let state: RunState

    func run() throws(RunFailure) -> BonusOutcome {
        let facts = state.facts
        let tree = try state.tree(bonus.tree)
        let personal = try state.personalBase(of: bonus)
        let group = state.groupVolume(personal, tree)
        let slabVolume = try state.groupBySlabVolume(rule.slabVolume, bonus)
        let eligible = try state.eligibility(of: bonus)
        let count = facts.memberCount
        let rates = Column<Int64>(count, repeating: 0)
        for member in 0..<count where facts.isPromoter(member) { rates[member] = rule.slabs.rate(at: slabVolume[member]) }
        // What the legs below have taken, exactly; with clamp per leg the parts that are left of each leg.
        let taken = Column<Int128>(count, repeating: 0)
        let legParts = Column<Int128>(count, repeating: 0)
        var outcome = BonusOutcome(totals: Column(count, repeating: 0))
        var place = count
        while place > 0 {
            place -= 1
            let member = Int(tree.sequence[place])
            guard facts.isPromoter(member) else { continue }
            let gross = Int128(group[member]) * Int128(rates[member])
            let net: Int128
            switch rule.clamp {
            case .total: net = max(0, gross - taken[member])
            case .leg: net = max(0, Int128(personal[member]) * Int128(rates[member])) + legParts[member]
            }
            var claimed = gross
            if eligible[member] == 0 {
                if rule.ineligible == .passUp { claimed = taken[member] } else { outcome.unqualifiedExact += net }
            } else {
                guard let amount = rounded(exact: net, bonus.rounding) else { throw .overflow(where: bonus.code) }
                if amount != 0 {
                    outcome.totals[member] = amount
                    outcome.lines.append(
                        Line(
                            member: Int32(member), bonus: number, base: group[member], rate: rates[member],
                            amount: amount))
                }
            }
            let above = Int(tree.above[member])
            guard above >= 0 else { continue }
            taken[above] += claimed
            if rule.clamp == .leg {
                let mine = Int128(group[member]) * Int128(rates[above])
                legParts[above] += max(0, mine - claimed)
            }
        }
        outcome.lines = LineOrder.byMember([outcome.lines], memberCount: count)
        outcome.lineCount = outcome.lines.count
        return outcome
    }
}

/// A differential without legs at the top slab, and the override on those legs.
///
/// For each promoter j at the top slab ("leader"), with PGV the base volume of the own group without broken legs, o the
/// override and g = o × guaranteed volume: available = o × PGV + what broken legs below pass up. An eligible leader
/// passes min(available, max(o × PGV, g)) to the nearest leader above and keeps the rest; an ineligible one passes all.
struct BreakawayPayer {
    let rule: BreakawayRule
    let bonus: Bonus
    let number: Int
    let state: RunState

    func run() throws(RunFailure) -> BonusOutcome {
        let facts = state.facts
        let count = facts.memberCount
        let tree = try state.tree(bonus.tree)
        let personal = try state.personalBase(of: bonus)
        let slabVolume = try state.groupBySlabVolume(rule.slabVolume, bonus)
        let eligible = try state.eligibility(of: bonus)
        let top = rule.slabs.last?.fromMinor ?? Int64.max
        let group = Column(copying: personal, else: 0)
        let taken = Column<Int128>(count, repeating: 0)
        let received = Column<Int128>(count, repeating: 0)
        let guarantee = Int128(rule.guaranteedMinor) * Int128(rule.override.billionths)
        var outcome = BonusOutcome(totals: Column(count, repeating: 0))

        // One rounding per payee: the own group's and the override's lines together.
        func pay(_ member: Int, net: Int128, override: Int128, rate: Int64) throws(RunFailure) {
            guard let amounts = roundedGroup([net, override], bonus.rounding) else { throw .overflow(where: bonus.code) }
            let own = Line(member: Int32(member), bonus: number, base: group[member], rate: rate)
            let onLegs = Line(member: Int32(member), bonus: number, level: 1, reason: .overrideOnLeg)
            for (line, amount) in zip([own, onLegs], amounts) where amount != 0 {
                var line = line
                line.amountMinor = amount
                outcome.totals[member] &+= amount
                outcome.lines.append(line)
            }
        }

        var place = count
        while place > 0 {
            place -= 1
            let member = Int(tree.sequence[place])
            guard facts.isPromoter(member) else { continue }
            let rate = rule.slabs.rate(at: slabVolume[member])
            let isLeader = slabVolume[member] >= top
            let isEligible = eligible[member] != 0
            let gross = Int128(group[member]) * Int128(rate)
            let net = max(0, gross - taken[member])
            if !isEligible { outcome.unqualifiedExact += net }
            let above = Int(tree.above[member])
            guard isLeader else {
                if isEligible { try pay(member, net: net, override: 0, rate: rate) }
                if above >= 0 {
                    group[above] &+= group[member]
                    taken[above] += gross
                    received[above] += received[member]
                } else {
                    outcome.nobodyExact += received[member]
                }
                continue
            }
            let own = max(0, Int128(group[member]) * Int128(rule.override.billionths))
            let available = own + received[member]
            let passed = isEligible ? min(available, max(own, guarantee)) : available
            if isEligible { try pay(member, net: net, override: available - passed, rate: rate) }
            if above >= 0 { received[above] += passed } else { outcome.nobodyExact += passed }
        }
        outcome.lines = LineOrder.byMember([outcome.lines], memberCount: count)
        outcome.lineCount = outcome.lines.count
        return outcome
    }
}
