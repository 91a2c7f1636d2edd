import Chronology
import Compensation
import Money

/// Which orders a bonus takes, and what numbers its rates are.
extension Payroll {
    func takes(_ bonus: Bonus, _ sale: Sale) -> Bool {
        if sale.isRefund, treatment(bonus) != .volume { return false }
        return fits(bonus.orders, sale) && sale.tags.isDisjoint(with: bonus.skipsTags)
    }

    func sales(_ bonus: Bonus) -> [Sale] { society.sales.filter { takes(bonus, $0) } }

    func treatment(_ bonus: Bonus) -> RefundTreatment {
        if let refunds = bonus.refunds { return refunds }
        switch bonus.rule {
        case .direct, .unilevel, .matrix, .fastStart, .tiered, .rankDifferential, .generation, .infinity: return .debit
        case .slab, .differential, .breakaway, .binary, .matching, .pool, .rankAdvancement, .milestone: return .volume
        }
    }

    func fits(_ filter: OrderFilter, _ sale: Sale) -> Bool {
        if let kind = filter.buyer, sale.buyer.row.kind != kind { return false }
        if !filter.products.isEmpty, !(sale.row.product.map(filter.products.contains) ?? false) { return false }
        if let product = sale.row.product, filter.excludedProducts.contains(product) { return false }
        switch filter.turn {
        case .any: break
        case .first: if !sale.isFirst { return false }
        case .renewal: if sale.isFirst { return false }
        }
        if let from = filter.fromMinor, sale.amount < from { return false }
        if let below = filter.belowMinor, sale.amount >= below { return false }
        return true
    }

    func base(_ bonus: Bonus, _ sale: Sale) -> Int64 {
        switch bonus.base {
        case .volume(let volume): sale.volume(volume)
        case .commission(let code): paidOnOrder[code]?[sale.id] ?? 0
        }
    }

    func mark(_ bonus: Bonus, paid: Set<String>) {
        guard let mark = bonus.marks else { return }
        switch bonus.rule {
        case .slab, .matching, .rankAdvancement, .milestone: return
        default: break
        }
        for sale in sales(bonus) {
            if case .fastStart(let rule) = bonus.rule, !isInside(sale, rule.window) { continue }
            if mark.scope == .everyOrder || paid.contains(sale.id) { sale.tags.insert(mark.tag) }
        }
    }

    func isInside(_ sale: Sale, _ window: FastStartRule.Window) -> Bool {
        guard let joined = society.facts.calendar.zone.localDay(of: sale.buyer.row.joinedAt), joined <= sale.day else {
            return false
        }
        switch window {
        case .days(let days): return sale.day.dayNumber - joined.dayNumber < Int64(days)
        case .calendarMonths(let months):
            return (sale.day.year * 12 + sale.day.month) - (joined.year * 12 + joined.month) < months
        }
    }

    /// The rank that rates depend on.
    func rank(_ person: Person, _ bonus: Bonus) -> Int { bonus.rankBasis == .career ? person.highest : person.paidAs }

    func isEligible(_ person: Person) -> Bool { eligible[person] ?? false }
}

func byRank<Value>(_ values: [Value], _ rank: Int) -> Value? { rank < values.count ? values[rank] : values.last }

func fraction(_ rate: Rate) -> Fraction { Fraction(Int128(rate.billionths), over: 1_000_000_000) }

func slabRate(_ slabs: [Slab], _ volume: Int64) -> Fraction {
    slabs.filter { $0.fromMinor <= volume }.max { $0.fromMinor < $1.fromMinor }.map { fraction($0.rate) } ?? .zero
}

/// Rounding: one per payee, bonus and event, or one per payee and bonus.
extension Payroll {
    func round(_ drafts: inout [Draft], _ bonus: Bonus) {
        var groups: [String: [Int]] = [:]
        for (place, line) in drafts.enumerated() {
            groups[bonus.roundingScope == .period ? line.person.id : "\(line.person.id)\n\(line.event)", default: []].append(place)
        }
        for places in groups.values {
            let sum = places.reduce(Fraction.zero) { $0 + drafts[$1].exact }
            var left = rounded(sum, bonus.rounding)
            for place in places {
                drafts[place].amount = Int64(drafts[place].exact.floor)
                left -= drafts[place].amount
            }
            let order = places.sorted { one, other in
                let (a, b) = (drafts[one], drafts[other])
                if a.exact.fractionalPart != b.exact.fractionalPart { return a.exact.fractionalPart > b.exact.fractionalPart }
                return drawn(a, b)
            }
            for place in order.prefix(Int(left)) { drafts[place].amount += 1 }
        }
    }

    /// Earlier order, lower level, source member; then what the documents don't tell.
    func drawn(_ one: Draft, _ other: Draft) -> Bool {
        if let a = one.sale, let b = other.sale, a !== b { return a.precedes(b) }
        if (one.sale == nil) != (other.sale == nil) { return one.sale == nil }
        if one.level != other.level { return one.level < other.level }
        if let a = one.source, let b = other.source, a != b { return a.precedes(b) }
        if (one.source == nil) != (other.source == nil) { return one.source == nil }
        if one.reason != other.reason { return one.reason.rawValue < other.reason.rawValue }
        return one.rate != other.rate ? one.rate < other.rate : one.base < other.base
    }
}

func rounded(_ exact: Fraction, _ mode: RoundingMode) -> Int64 {
    let floor = exact.floor
    let part = exact.fractionalPart
    let half = Fraction(1, over: 2)
    switch mode {
    case .down: return Int64(exact.isNegative ? exact.ceiling : floor)
    case .halfUp: return Int64(part > half || (part == half && !exact.isNegative) ? floor + 1 : floor)
    case .halfEven: return Int64(part > half || (part == half && floor % 2 != 0) ? floor + 1 : floor)
    }
}

/// Caps: the cut in proportion to what is left of each line, by largest remainder.
extension Payroll {
    private func isOutsideCaps(_ line: Draft) -> Bool { [.refund, .adjustment, .clawback].contains(line.reason) }

    func cap(_ drafts: inout [Draft], _ bonus: Bonus, _ number: Int) {
        if case .binary(let rule) = bonus.rule, rule.overCap != .bankVolume {
            for person in society.promoters {
                guard let cap = byRank(rule.capMinor, person.paidAs) else { continue }
                let own = drafts.indices.filter { drafts[$0].person == person }
                breakage[number].capBonusMinor += cut(&drafts, own, to: cap, .capBonus).values.reduce(0, +)
            }
        }
        for person in society.promoters {
            guard let cap = byRank(bonus.capMinor, person.paidAs) else { continue }
            let own = drafts.indices.filter { drafts[$0].person == person }
            breakage[number].capBonusMinor += cut(&drafts, own, to: cap, .capBonus).values.reduce(0, +)
        }
    }

    /// Who has sold and used less than the share of what they bought keeps the part they sold and used.
    func payWhatWasSold() {
        guard let rule = plan.soldOrUsed else { return }
        for person in society.promoters {
            let bought = society.sales.filter { $0.buyer == person }.reduce(Fraction.zero) { $0 + Fraction($1.amount) }
            let sold = society.sales.filter { !$0.buyer.isPromoter && $0.buyer.above(.enroller) == person }.reduce(Fraction.zero) { $0 + Fraction($1.amount) }
            guard Fraction.zero < bought else { continue }
            // One minor unit below the limit is the most that counts as used.
            let most = rule.usedBelowMinor == 0 ? Fraction.zero : Fraction(rule.usedBelowMinor - 1)
            let part = (sold + (most < bought ? most : bought)) / bought
            guard part < Fraction(Int128(rule.atLeast.ppm), over: 1_000_000) else { continue }
            let own = lines.indices.filter { place in
                lines[place].person == person && (rule.bonuses.isEmpty || rule.bonuses.contains(plan.bonuses[lines[place].bonus].code))
            }
            let earned = own.filter { !isOutsideCaps(lines[$0]) }.reduce(Fraction.zero) { $0 + Fraction(lines[$1].amount) }
            guard Fraction.zero < earned else { continue }
            var kept: Int64 = 0
            if rule.below == .proRata, Fraction.zero < part { kept = rounded(earned * part, .halfEven) }
            for (number, amount) in cut(&lines, own, to: kept, .capSoldOrUsed) { breakage[number].capSoldOrUsedMinor += amount }
        }
    }

    func capPersons() {
        for person in society.promoters {
            guard let cap = byRank(plan.personCapMinor, person.paidAs) else { continue }
            let own = lines.indices.filter { lines[$0].person == person }
            for (number, amount) in cut(&lines, own, to: cap, .capPerson) { breakage[number].capPersonMinor += amount }
        }
    }

    func capPlan() {
        guard let share = plan.planCap else { return }
        let volume = society.sales.reduce(Int64(0)) { $0 + $1.commissionVolume }
        let cap = max(0, Int64((fraction(share) * Fraction(volume)).floor))
        for (number, amount) in cut(&lines, Array(lines.indices), to: cap, .capPlan) { breakage[number].capPlanMinor += amount }
    }

    /// Bonus → what was cut.
    private func cut(_ lines: inout [Draft], _ places: [Int], to cap: Int64, _ reason: LineReason) -> [Int: Int64] {
        let isCap: Set<LineReason> = [.capBonus, .capSoldOrUsed, .capPerson, .capPlan]
        let inside = places.filter { !isOutsideCaps(lines[$0]) && !isCap.contains(lines[$0].reason) }
        let total = inside.reduce(Int64(0)) { $0 + lines[$1].amount - lines[$1].cut }
        let excess = total - cap
        guard excess > 0 else { return [:] }
        let weights = inside.filter { lines[$0].amount - lines[$0].cut > 0 }
        let whole = weights.reduce(Int64(0)) { $0 + lines[$1].amount - lines[$1].cut }
        var shares: [(place: Int, floor: Int64, rest: Fraction)] = weights.map { place in
            let exact = Fraction(Int128(excess) * Int128(lines[place].amount - lines[place].cut), over: Int128(whole))
            return (place, Int64(exact.floor), exact.fractionalPart)
        }
        shares.sort { $0.rest != $1.rest ? $0.rest > $1.rest : stands(lines[$0.place], before: lines[$1.place]) }
        let left = excess - shares.reduce(0) { $0 + $1.floor }
        var cuts: [Int: Int64] = [:]
        var sums: [Person: [Int: Int64]] = [:]
        for (turn, share) in shares.enumerated() {
            let amount = share.floor + (Int64(turn) < left ? 1 : 0)
            lines[share.place].cut += amount
            cuts[lines[share.place].bonus, default: 0] += amount
            sums[lines[share.place].person, default: [:]][lines[share.place].bonus, default: 0] += amount
        }
        for (person, bonuses) in sums {
            for (bonus, amount) in bonuses where amount != 0 {
                lines.append(
                    Draft(person: person, reason: reason, exact: Fraction(-amount), event: "", amount: -amount, bonus: bonus))
            }
        }
        return cuts
    }

    /// Member, bonus, order, level; then source and reason.
    private func stands(_ one: Draft, before other: Draft) -> Bool {
        if one.person != other.person { return one.person.precedes(other.person) }
        if one.bonus != other.bonus { return one.bonus < other.bonus }
        return drawn(one, other)
    }
}
