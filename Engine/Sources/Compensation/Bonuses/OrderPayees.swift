import Chronology
import Money

/// Bonuses whose rate depends on the order, computed order by order: direct and tiered.
struct DirectPayer {
    let rule: DirectRule
    let bonus: Bonus
    let number: Int
    let state: RunState

    func run(base: Column<Int64>) throws(RunFailure) -> [Line] {
        let facts = state.facts
        let above = try state.tree(bonus.tree).above
        let eligible = try state.eligibility(of: bonus)
        let ranks = state.ranks(of: bonus)
        let test = OrderTest(bonus, state: state)
        let terms = rule.terms.map { OrderTest($0.orders, state: state) }
        let tag = bonus.marks.flatMap { state.tagBits[$0.tag] } ?? 0
        let commissions = state.orderCommissions[number]
        var lines: [Line] = []
        for order in 0..<facts.orderCount where test.passes(order) {
            if tag != 0, bonus.marks?.scope == .everyOrder { state.orderTags[order] |= tag }
            guard let payee = rule.ownPurchases.payee(of: Int(facts.buyer[order]), above: above, facts: facts),
                eligible[payee] != 0, let place = terms.firstIndex(where: { $0.passes(order) })
            else { continue }
            let rank = Int(ranks[payee])
            var line = Line(member: Int32(payee), order: Int32(order), bonus: number, level: 1)
            switch rule.terms[place].reward {
            case .percent(let rates):
                line.baseMinor = base[order]
                line.rateBillionths = ByRank(values: rates.map(\.billionths), otherwise: 0)(rank)
            case .flat(let amounts):
                let flat = ByRank(values: amounts, otherwise: 0)(rank)
                line.baseMinor = base[order] < 0 ? 0 &- flat : flat
                line.rateBillionths = flat == 0 ? 0 : billion
            }
            guard line.rateBillionths != 0 else { continue }
            guard let amount = rounded(line.baseMinor, line.rateBillionths, bonus.rounding) else {
                throw .overflow(where: bonus.code)
            }
            line.amountMinor = amount
            if amount != 0 || bonus.roundingScope == .period { lines.append(line) }
            if tag != 0 { state.orderTags[order] |= tag }
            if let commissions { commissions[order] = amount }
        }
        return lines
    }
}

extension DirectRule.OwnPurchases {
    /// Who is the seller of a buyer's orders.
    func payee(of buyer: Int, above: Column<Int32>, facts: Facts) -> Int? {
        let seller = above[buyer] < 0 ? nil : Int(above[buyer])
        guard facts.isPromoter(buyer) else { return seller }
        switch self {
        case .excluded: return nil
        case .paySeller: return seller
        case .payBuyer: return buyer
        }
    }
}

/// Running totals through slabs, in the order of time.
struct TieredPayer {
    let rule: TieredRule
    let bonus: Bonus
    let number: Int
    let state: RunState

    struct Outcome {
        var lines: [Line] = []
        var tiers: [Carry.Tier] = []
    }

    func run(base: Column<Int64>) throws(RunFailure) -> Outcome {
        let facts = state.facts
        let above = try state.tree(bonus.tree).above
        let eligible = try state.eligibility(of: bonus)
        let test = OrderTest(bonus, state: state)
        let tag = bonus.marks.flatMap { state.tagBits[$0.tag] } ?? 0
        let commissions = state.orderCommissions[number]
        var sales: [(payee: Int32, order: Int32)] = []
        for order in 0..<facts.orderCount where test.passes(order) {
            if tag != 0, bonus.marks?.scope == .everyOrder { state.orderTags[order] |= tag }
            guard let payee = rule.ownPurchases.payee(of: Int(facts.buyer[order]), above: above, facts: facts),
                eligible[payee] != 0
            else { continue }
            sales.append((Int32(payee), Int32(order)))
        }
        sales.sort {
            $0.payee != $1.payee ? $0.payee < $1.payee : facts.orderPrecedes(Int($0.order), Int($1.order))
        }

        var outcome = Outcome()
        let year = rule.scope == .year ? facts.period.start.year : 0
        var before: [Int32: Carry.Tier] = [:]
        if rule.scope == .year || rule.scope == .lifetime {
            for tier in state.carry.tiers where tier.bonus == bonus.code && tier.year == year {
                if let member = facts.member(id: tier.id) { before[Int32(member)] = tier } else { outcome.tiers.append(tier) }
            }
        }
        var start = 0
        while start < sales.count {
            let payee = sales[start].payee
            var meter = TierMeter(rule: rule, carry: before[payee])
            var end = start
            while end < sales.count, sales[end].payee == payee {
                let order = Int(sales[end].order)
                if rule.scope == .order { meter = TierMeter(rule: rule, carry: nil) }
                let slices = try meter.take(base[order], place: bonus.code)
                let paid = try append(slices, payee, order, &outcome.lines)
                if let commissions { commissions[order] = paid }
                if tag != 0, slices.contains(where: { $0.rate != 0 }) { state.orderTags[order] |= tag }
                end += 1
            }
            if rule.scope == .year || rule.scope == .lifetime {
                before[payee] = Carry.Tier(
                    bonus: bonus.code, id: facts.memberId(Int(payee)), year: year, baseMinor: meter.baseMinor,
                    companyExact: meter.companyExact)
            }
            start = end
        }
        outcome.tiers.append(contentsOf: before.values)
        return outcome
    }

    /// The marginal parts of an order are one rounding group, its true-up another.
    private func append(
        _ slices: [TierMeter.Slice], _ payee: Int32, _ order: Int, _ lines: inout [Line]
    ) throws(RunFailure) -> Int64 {
        var sum: Int64 = 0
        for isTrueUp in [false, true] {
            let group = slices.filter { $0.isTrueUp == isTrueUp }.sorted { ($0.rate, $0.base) < ($1.rate, $1.base) }
            guard let amounts = roundedGroup(group.map { Int128($0.base) * Int128($0.rate) }, bonus.rounding) else {
                throw .overflow(where: bonus.code)
            }
            for (slice, amount) in zip(group, amounts) where amount != 0 || bonus.roundingScope == .period {
                lines.append(
                    Line(
                        member: payee, order: Int32(order), bonus: number, level: 1,
                        reason: isTrueUp ? .trueUp : .earned, base: slice.base, rate: slice.rate, amount: amount))
                sum &+= amount
            }
        }
        return sum
    }
}

/// Where a payee stands in the slabs.
struct TierMeter {
    struct Slice {
        var base: Int64
        var rate: Int64
        var isTrueUp: Bool
    }
    private static let companyExactLimit = UInt128(Int128.max) / 4
    private let rule: TieredRule
    private(set) var baseMinor: Int64
    private(set) var companyExact: Int128

    init(rule: TieredRule, carry: Carry.Tier?) {
        self.rule = rule
        baseMinor = carry?.baseMinor ?? 0
        companyExact = carry?.companyExact ?? 0
    }

    /// The parts of an order in the slabs it falls in; negative volume goes back down through them.
    mutating func take(_ volume: Int64, place: String) throws(RunFailure) -> [Slice] {
        let (after, overflow) = baseMinor.addingReportingOverflow(volume)
        guard !overflow else { throw .overflow(where: place) }
        defer { baseMinor = after }
        if rule.measure == .companyShare {
            // What was carried comes from outside; in between no sum can leave 128 bits.
            guard companyExact.magnitude <= Self.companyExactLimit else { throw .overflow(where: place) }
            return takeByShare(volume)
        }
        var slices = parts(from: min(baseMinor, after), to: max(baseMinor, after))
        if volume < 0 { for place in slices.indices { slices[place].base = 0 - slices[place].base } }
        guard rule.mode == .retroactive else { return slices }
        // All that came before is worth the rate reached now.
        let reached = rule.tiers.rate(at: after)
        let earlier = rule.tiers.rate(at: baseMinor)
        if reached != earlier {
            // What came before has already been raised to the rate that it had reached.
            slices.append(Slice(base: baseMinor, rate: reached - earlier, isTrueUp: true))
        }
        // The parts of this order in other slabs are brought to it as well.
        for part in slices where !part.isTrueUp && part.rate != reached && part.base != 0 {
            slices.append(Slice(base: part.base, rate: reached - part.rate, isTrueUp: true))
        }
        return slices
    }

    private func parts(from low: Int64, to high: Int64) -> [Slice] {
        var found: [Slice] = []
        if let first = rule.tiers.first, low < first.fromMinor {
            found.append(Slice(base: min(high, first.fromMinor) - low, rate: 0, isTrueUp: false))
        }
        for (place, tier) in rule.tiers.enumerated() {
            let end = place + 1 < rule.tiers.count ? rule.tiers[place + 1].fromMinor : Int64.max
            let from = max(low, tier.fromMinor)
            let to = min(high, end)
            if from < to { found.append(Slice(base: to - from, rate: tier.rate.billionths, isTrueUp: false)) }
        }
        return found
    }

    /// Slab bounds are what the company has kept. The part of a slab is the smallest whole base that reaches its end;
    /// negative volume is taken whole at the rate that was reached.
    private mutating func takeByShare(_ volume: Int64) -> [Slice] {
        var left = volume
        var found: [Slice] = []
        while left != 0 {
            let bound = rule.tiers.first { Int128($0.fromMinor) * Int128(billion) > companyExact }
            let rate = rule.tiers.last { Int128($0.fromMinor) * Int128(billion) <= companyExact }?.rate.billionths ?? 0
            let kept = Int128(billion - rate)
            var part = left
            if left > 0, kept > 0, let bound {
                let needed = (Int128(bound.fromMinor) * Int128(billion) - companyExact + kept - 1) / kept
                if needed < Int128(left) { part = Int64(truncatingIfNeeded: needed) }
            }
            companyExact += Int128(part) * kept
            found.append(Slice(base: part, rate: rate, isTrueUp: false))
            left -= part
        }
        return found
    }
}
