import Chronology
import Compensation
import Money

/// What happened to one person's two legs.
public struct OracleLegs: Hashable {
    public struct Leg: Hashable {
        public var carriedIn: Int64 = 0
        public var new: Int64 = 0
        public var flushed: Int64 = 0
        public var matched: Int64 = 0
        public var expired: Int64 = 0
        public var carriedOut: Int64 = 0
    }
    public var left = Leg()
    public var right = Leg()
}

/// Left and right volume as a list of layers, oldest first, matched unit by unit.
extension Payroll {
    private struct Layer {
        var bornOn: LocalDay
        var age: Int
        var volume: Int64
    }

    func binary(_ rule: BinaryRule, _ bonus: Bonus, _ number: Int) throws -> [Draft] {
        let taken = sales(bonus)
        let groups = measuring.group(taken, bonus.tree) { base(bonus, $0) }
        let personals = measuring.personal(taken, bonus.tree) { base(bonus, $0) }
        var drafts: [Draft] = []
        for person in society.promoters {
            var layers: [[Layer]] = [1, 2].map { slot in
                carryIn.legs.filter { $0.bonus == bonus.code && $0.id == person.id && $0.slot == slot }
                    .sorted { $0.agePeriods > $1.agePeriods }
                    .map { Layer(bornOn: $0.bornOn, age: $0.agePeriods + 1, volume: $0.volume) }
            }
            var account = [OracleLegs.Leg(), OracleLegs.Leg()]
            for side in 0...1 {
                account[side].carriedIn = sum(layers[side])
                account[side].new = society.heads(of: person, bonus.tree).filter { $0.legSlot(bonus.tree) == side + 1 }
                    .reduce(0) { $0 + (groups[$1] ?? 0) }
            }
            let own = personals[person] ?? 0
            switch rule.ownVolume {
            case .none: break
            case .left: account[0].new += own
            case .right: account[1].new += own
            case .weaker:
                let isLeftWeaker = account[0].carriedIn + account[0].new <= account[1].carriedIn + account[1].new
                account[isLeftWeaker ? 0 : 1].new += own
            }
            for side in 0...1 {
                add(account[side].new, to: &layers[side])
                if try measuring.holds(rule.flush, person) {
                    account[side].flushed = sum(layers[side])
                    layers[side] = []
                }
            }
            let bankedIn = carryIn.banked.first { $0.bonus == bonus.code && $0.id == person.id }?.amountMinor ?? 0
            var banked = bankedIn
            if isEligible(person) {
                let own = rank(person, bonus)
                let cap = byRank(rule.capMinor, person.paidAs)
                let match = matched(rule, sum(layers[0]), sum(layers[1]), own, cap, bonus.rounding)
                for side in 0...1 {
                    account[side].matched = side == 0 ? match.left : match.right
                    take(account[side].matched, from: &layers[side])
                }
                drafts.append(Draft(person: person, base: match.base, rate: match.rate, exact: Fraction(match.amount), event: ""))
                if bankedIn != 0 { drafts.append(Draft(person: person, reason: .banked, exact: Fraction(bankedIn), event: "")) }
                let over = cap.map { max(0, match.amount + bankedIn - $0) } ?? 0
                banked = rule.overCap == .bankAmount ? over : 0
            }
            if banked != 0 { carryOut.banked.append(Carry.Banked(bonus: bonus.code, id: person.id, amountMinor: banked)) }
            for side in 0...1 {
                if let periods = rule.expiresAfterPeriods {
                    account[side].expired = sum(layers[side].filter { $0.age >= periods && $0.volume > 0 })
                    layers[side].removeAll { $0.age >= periods && $0.volume > 0 }
                }
                account[side].carriedOut = sum(layers[side])
                for layer in layers[side] where layer.volume != 0 {
                    carryOut.legs.append(
                        Carry.Leg(
                            bonus: bonus.code, id: person.id, slot: side + 1, bornOn: layer.bornOn, agePeriods: layer.age,
                            volume: layer.volume))
                }
            }
            legs[number, default: [:]][person.id] = OracleLegs(left: account[0], right: account[1])
        }
        return drafts
    }

    private func sum(_ layers: [Layer]) -> Int64 { layers.reduce(0) { $0 + $1.volume } }

    /// New volume fills what is missing first; negative volume eats the oldest first, and what is left stays negative.
    private func add(_ volume: Int64, to layers: inout [Layer]) {
        let start = society.facts.period.start
        var left = volume
        if left > 0 {
            for place in layers.indices where layers[place].volume < 0 {
                let filled = min(left, -layers[place].volume)
                layers[place].volume += filled
                left -= filled
            }
        } else {
            for place in layers.indices where layers[place].volume > 0 {
                let eaten = min(-left, layers[place].volume)
                layers[place].volume -= eaten
                left += eaten
            }
        }
        if left != 0 { layers.append(Layer(bornOn: start, age: 0, volume: left)) }
        // Missing volume is one layer, as young as its last part.
        let missing = layers.filter { $0.volume < 0 }
        layers.removeAll { $0.volume <= 0 }
        if var last = missing.last {
            last.volume = sum(missing)
            layers.append(last)
        }
    }

    private func take(_ volume: Int64, from layers: inout [Layer]) {
        var left = volume
        for place in layers.indices where layers[place].volume > 0 {
            let taken = min(left, layers[place].volume)
            layers[place].volume -= taken
            left -= taken
        }
        layers.removeAll { $0.volume == 0 }
    }

    private struct Match {
        var left: Int64 = 0
        var right: Int64 = 0
        var amount: Int64 = 0
        /// For the line.
        var base: Int64 = 0
        var rate = Fraction.zero
    }

    /// Nothing is matched at a rate or value of 0.
    private func matched(
        _ rule: BinaryRule, _ left: Int64, _ right: Int64, _ rank: Int, _ cap: Int64?, _ rounding: RoundingMode
    ) -> Match {
        let most = rule.overCap == .bankVolume ? cap : nil
        switch rule.match {
        case .percentOfWeaker(let rates):
            let rate = byRank(rates, rank).map(fraction) ?? .zero
            guard rate > .zero else { return Match() }
            var weaker = max(0, min(left, right))
            if let most { weaker = min(weaker, Int64(clamping: (Fraction(most) / rate).floor)) }
            return Match(left: weaker, right: weaker, amount: rounded(rate * Fraction(weaker), rounding), base: weaker, rate: rate)
        case .cycles(let one, let other, let mirrored, let values):
            guard let value = byRank(values, rank), value > 0 else { return Match() }
            let count = cycles(left, right, one, other, mirrored: mirrored, most: most.map { $0 / value })
            return Match(left: count.left, right: count.right, amount: count.cycles * value, base: count.cycles)
        case .steps(let steps):
            let reached = steps.filter { $0.volume <= min(left, right) && $0.amountMinor <= most ?? .max }
            guard let step = reached.max(by: { $0.volume < $1.volume }) else { return Match() }
            return Match(left: step.volume, right: step.volume, amount: step.amountMinor, base: step.volume)
        case .unitPairs(let unit, let twoToOne, let rates):
            let rate = byRank(rates, rank).map(fraction) ?? .zero
            guard rate > .zero else { return Match() }
            let value = rate * Fraction(unit)
            let count = cycles(
                left, right, twoToOne ? 2 * unit : unit, unit, mirrored: twoToOne,
                most: most.map { Int64(clamping: (Fraction($0) / value).floor) })
            return Match(
                left: count.left, right: count.right, amount: rounded(value * Fraction(count.cycles), rounding),
                base: count.cycles * unit, rate: rate)
        }
    }

    /// One cycle at a time.
    private func cycles(
        _ left: Int64, _ right: Int64, _ one: Int64, _ other: Int64, mirrored: Bool, most: Int64?
    ) -> (left: Int64, right: Int64, cycles: Int64) {
        var (l, r, count) = (left, right, Int64(0))
        while most.map({ count < $0 }) ?? true {
            let (a, b) = mirrored ? (l >= r ? (max(one, other), min(one, other)) : (min(one, other), max(one, other))) : (one, other)
            guard l >= a, r >= b else { break }
            l -= a
            r -= b
            count += 1
        }
        return (left - l, right - r, count)
    }
}
