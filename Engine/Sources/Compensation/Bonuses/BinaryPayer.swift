import Chronology
import Money

/// What a binary bonus did with one person's legs; `bornOn` layers are in the carry.
public struct BinaryStatement: Hashable, Sendable {
    public struct Leg: Hashable, Sendable {
        public var carriedIn: Int64 = 0
        public var new: Int64 = 0
        public var flushed: Int64 = 0
        public var matched: Int64 = 0
        public var expired: Int64 = 0
        public var carriedOut: Int64 = 0
    }
    public var bonus: String
    public var member: Int
    public var left = Leg()
    public var right = Leg()
    /// Whole cycles, pairs or steps.
    public var cycles: Int64 = 0
    /// Before and after the cap, with what was banked before.
    public var earnedMinor: Int64 = 0
    public var paidMinor: Int64 = 0
    public var bankedInMinor: Int64 = 0
    public var bankedOutMinor: Int64 = 0
}

/// Carry and new volume, flush, match, expire: in that order.
struct BinaryPayer {
    let rule: BinaryRule
    let bonus: Bonus
    let number: Int
    let state: RunState

    struct Outcome {
        var lines: [Line] = []
        var legs: [Carry.Leg] = []
        var banked: [Carry.Banked] = []
        var statements: [BinaryStatement] = []
        /// What caps cut for good.
        var cutMinor: Int128 = 0
    }

    func run() throws(RunFailure) -> Outcome {
        let facts = state.facts
        let count = facts.memberCount
        let tree = try state.tree(bonus.tree)
        let personal = try state.personalBase(of: bonus)
        let group = state.groupVolume(personal, tree)
        let eligible = try state.eligibility(of: bonus)
        let flushes = try state.holds(rule.flush)
        let ranks = state.ranks(of: bonus)
        let left = Column<Int64>(count, repeating: 0)
        let right = Column<Int64>(count, repeating: 0)
        for member in 0..<count where tree.above[member] >= 0 && facts.isPromoter(member) && group[member] != 0 {
            switch tree.legSlot[member] {
            case 1: left[Int(tree.above[member])] &+= group[member]
            case 2: right[Int(tree.above[member])] &+= group[member]
            default: break
            }
        }
        var outcome = Outcome()
        var carried: [Int: (left: [Carry.Leg], right: [Carry.Leg])] = [:]
        for leg in state.carry.legs where leg.bonus == bonus.code {
            guard let member = facts.member(id: leg.id) else {
                outcome.legs.append(leg)
                continue
            }
            if leg.slot == 1 { carried[member, default: ([], [])].left.append(leg) } else {
                carried[member, default: ([], [])].right.append(leg)
            }
        }
        var banked: [Int: Int64] = [:]
        for entry in state.carry.banked where entry.bonus == bonus.code {
            guard let member = facts.member(id: entry.id) else {
                outcome.banked.append(entry)
                continue
            }
            let (sum, overflow) = banked[member, default: 0].addingReportingOverflow(entry.amountMinor)
            guard !overflow else { throw .overflow(where: bonus.code) }
            banked[member] = sum
        }

        for member in 0..<count where facts.isPromoter(member) {
            let before = carried[member]
            var own = personal[member]
            if rule.ownVolume == .none { own = 0 }
            if left[member] == 0, right[member] == 0, own == 0, before == nil, banked[member] == nil { continue }
            // All that lies on the legs together is a number of 64 bits, and so is every sum below.
            let lying = ((before?.left ?? []) + (before?.right ?? [])).reduce(UInt128(0)) { $0 + UInt128($1.volume.magnitude) }
            guard lying + UInt128(left[member].magnitude) + UInt128(right[member].magnitude) + UInt128(own.magnitude) <= UInt128(Int64.max) else {
                throw .overflow(where: bonus.code)
            }
            var legs = (BinaryLeg(before?.left ?? []), BinaryLeg(before?.right ?? []))
            var statement = BinaryStatement(bonus: bonus.code, member: member)
            statement.left.carriedIn = legs.0.total
            statement.right.carriedIn = legs.1.total
            statement.left.new = left[member]
            statement.right.new = right[member]
            switch rule.ownVolume {
            case .none: break
            case .left: statement.left.new += own
            case .right: statement.right.new += own
            case .weaker:
                let isLeft = legs.0.total + left[member] <= legs.1.total + right[member]
                if isLeft { statement.left.new += own } else { statement.right.new += own }
            }
            legs.0.add(statement.left.new, on: facts.period.start)
            legs.1.add(statement.right.new, on: facts.period.start)
            if flushes[member] != 0 {
                statement.left.flushed = legs.0.clear()
                statement.right.flushed = legs.1.clear()
            }
            let rank = Int(ranks[member])
            if eligible[member] != 0 {
                let room = rule.capMinor.isEmpty ? nil : ByRank(values: rule.capMinor, otherwise: 0)(Int(state.paidAs[member]))
                let matched = try match(legs.0.total, legs.1.total, rank, room)
                statement.left.matched = matched.left
                statement.right.matched = matched.right
                statement.cycles = matched.cycles
                statement.earnedMinor = matched.amount
                legs.0.take(matched.left)
                legs.1.take(matched.right)
                let waiting = banked[member] ?? 0
                statement.bankedInMinor = waiting
                let (due, overflow) = matched.amount.addingReportingOverflow(waiting)
                guard !overflow else { throw .overflow(where: bonus.code) }
                statement.paidMinor = room.map { min(due, $0) } ?? due
                if rule.overCap == .bankAmount { statement.bankedOutMinor = due - statement.paidMinor } else {
                    outcome.cutMinor += Int128(due - statement.paidMinor)
                }
                try append(statement, matched, &outcome)
            } else {
                statement.bankedInMinor = banked[member] ?? 0
                statement.bankedOutMinor = statement.bankedInMinor
            }
            if let periods = rule.expiresAfterPeriods {
                statement.left.expired = legs.0.expire(after: periods)
                statement.right.expired = legs.1.expire(after: periods)
            }
            statement.left.carriedOut = legs.0.total
            statement.right.carriedOut = legs.1.total
            let id = facts.memberId(member)
            outcome.legs.append(contentsOf: legs.0.carry(bonus.code, id, slot: 1))
            outcome.legs.append(contentsOf: legs.1.carry(bonus.code, id, slot: 2))
            if statement.bankedOutMinor != 0 {
                outcome.banked.append(
                    Carry.Banked(bonus: bonus.code, id: id, amountMinor: statement.bankedOutMinor))
            }
            outcome.statements.append(statement)
        }
        return outcome
    }

    private func append(
        _ statement: BinaryStatement, _ matched: Matched, _ outcome: inout Outcome
    ) throws(RunFailure) {
        let member = Int32(statement.member)
        let first = outcome.lines.count
        if matched.amount != 0 {
            outcome.lines.append(
                Line(
                    member: member, bonus: number, base: matched.base, rate: matched.rate, amount: matched.amount))
        }
        if statement.bankedInMinor != 0 {
            outcome.lines.append(
                Line(member: member, bonus: number, reason: .banked, amount: statement.bankedInMinor))
        }
        let cut = statement.earnedMinor + statement.bankedInMinor - statement.paidMinor
        try Proration(facts: state.facts).cut(cut, from: first..<outcome.lines.count, in: &outcome.lines)
        if cut != 0 { outcome.lines.append(Line(member: member, bonus: number, reason: .capBonus, amount: -cut)) }
    }

    struct Matched {
        var left: Int64 = 0
        var right: Int64 = 0
        var cycles: Int64 = 0
        var amount: Int64 = 0
        /// For the line.
        var base: Int64 = 0
        var rate: Int64 = 0
    }

    /// `room` is the cap; it limits the volume only where that is banked.
    private func match(_ left: Int64, _ right: Int64, _ rank: Int, _ room: Int64?) throws(RunFailure) -> Matched {
        var matched = Matched()
        let weaker = min(left, right)
        guard weaker > 0 else { return matched }
        let banksVolume = rule.overCap == .bankVolume ? room : nil
        switch rule.match {
        case .percentOfWeaker(let rates):
            let rate = ByRank(values: rates.map(\.billionths), otherwise: 0)(rank)
            guard rate > 0 else { return matched }
            var volume = weaker
            if let room = banksVolume {
                // The largest volume whose rounded amount is not above the cap.
                volume = min(volume, Int64(clamping: Int128(room) * Int128(billion) / Int128(rate)))
            }
            matched.left = volume
            matched.right = volume
            matched.base = volume
            matched.rate = rate
            guard let amount = rounded(volume, rate, bonus.rounding) else { throw .overflow(where: bonus.code) }
            matched.amount = amount
        case .steps(let steps):
            let fitting = steps.filter { step in
                step.volume <= weaker && (banksVolume.map { step.amountMinor <= $0 } ?? true)
            }
            guard let best = fitting.max(by: { $0.volume < $1.volume }) else { return matched }
            matched.left = best.volume
            matched.right = best.volume
            matched.cycles = 1
            matched.base = best.volume
            matched.amount = best.amountMinor
        case .cycles(let unitLeft, let unitRight, let mirrored, let values):
            let value = ByRank(values: values, otherwise: 0)(rank)
            guard value > 0 else { return matched }
            let most = banksVolume.map { $0 / value } ?? Int64.max
            matched = Self.cycles(left, right, unitLeft, unitRight, mirrored: mirrored, most: most)
            try setAmount(Int128(matched.cycles) * Int128(value) * Int128(billion), &matched)
            matched.base = matched.cycles
        case .unitPairs(let unit, let twoToOne, let rates):
            let rate = ByRank(values: rates.map(\.billionths), otherwise: 0)(rank)
            guard rate > 0 else { return matched }
            let exact = Int128(unit) * Int128(rate)
            let most = banksVolume.map { Int64(clamping: Int128($0) * Int128(billion) / exact) } ?? Int64.max
            let larger = twoToOne ? unit * 2 : unit
            matched = Self.cycles(left, right, larger, unit, mirrored: twoToOne, most: most)
            matched.base = matched.cycles * unit
            matched.rate = rate
            try setAmount(Int128(matched.cycles) * exact, &matched)
        }
        return matched
    }

    private func setAmount(_ exact: Int128, _ matched: inout Matched) throws(RunFailure) {
        guard let amount = rounded(exact: exact, bonus.rounding) else { throw .overflow(where: bonus.code) }
        matched.amount = amount
    }

    /// Mirrored: one at a time, the larger part from the fuller leg (equal legs: left), until none fits; in closed form.
    static func cycles(
        _ left: Int64, _ right: Int64, _ unitLeft: Int64, _ unitRight: Int64, mirrored: Bool, most: Int64
    ) -> Matched {
        var result = Matched()
        guard left > 0, right > 0, unitLeft > 0, unitRight > 0, most > 0 else { return result }
        guard mirrored, unitLeft != unitRight else {
            result.cycles = min(left / unitLeft, right / unitRight, most)
            result.left = result.cycles * unitLeft
            result.right = result.cycles * unitRight
            return result
        }
        let larger = max(unitLeft, unitRight)
        let smaller = min(unitLeft, unitRight)
        var (l, r) = (left, right)
        while result.cycles < most {
            let leftIsFuller = l >= r
            let fuller = leftIsFuller ? l : r
            let weaker = leftIsFuller ? r : l
            guard fuller >= larger, weaker >= smaller else { break }
            let gap = fuller - weaker
            // As long as one leg stays the fuller one, it gives the larger part.
            var run = min(gap / (larger - smaller), fuller / larger, weaker / smaller, most - result.cycles)
            if run <= 1, most - result.cycles >= 2 {
                // Near balance the legs take turns: two cycles take larger + smaller from each.
                let pairs = min(weaker / (larger + smaller), (most - result.cycles) / 2) - 1
                if gap < larger - smaller, pairs > 0 {
                    l -= pairs * (larger + smaller)
                    r -= pairs * (larger + smaller)
                    result.cycles += pairs * 2
                    continue
                }
            }
            run = max(run, 1)
            if leftIsFuller {
                l -= run * larger
                r -= run * smaller
            } else {
                r -= run * larger
                l -= run * smaller
            }
            result.cycles += run
        }
        result.left = left - l
        result.right = right - r
        return result
    }
}

/// Layers of one leg, the oldest first.
struct BinaryLeg {
    private var layers: [Carry.Leg]
    private(set) var total: Int64

    init(_ carried: [Carry.Leg]) {
        layers = carried.sorted { ($0.agePeriods, $1.bornOn) > ($1.agePeriods, $0.bornOn) }
        for place in layers.indices { layers[place].agePeriods = min(layers[place].agePeriods, Int(Int32.max)) + 1 }
        total = layers.reduce(0) { $0 + $1.volume }
    }

    /// Negative volume eats the oldest first; what is left of it stays as a negative layer.
    mutating func add(_ volume: Int64, on day: LocalDay) {
        guard volume != 0 else { return }
        total += volume
        layers.append(Carry.Leg(bonus: "", id: "", slot: 0, bornOn: day, agePeriods: 0, volume: volume))
        settle()
    }

    /// Matched volume comes from the oldest layers.
    mutating func take(_ volume: Int64) {
        guard volume > 0 else { return }
        total -= volume
        consume(volume)
    }

    mutating func clear() -> Int64 {
        defer {
            layers = []
            total = 0
        }
        return total
    }

    /// Layers that have been carried into `periods` periods are gone. Nothing negative expires.
    mutating func expire(after periods: Int) -> Int64 {
        var gone: Int64 = 0
        for layer in layers where layer.agePeriods >= periods && layer.volume > 0 { gone += layer.volume }
        layers.removeAll { $0.agePeriods >= periods && $0.volume > 0 }
        total -= gone
        return gone
    }

    func carry(_ bonus: String, _ id: String, slot: Int) -> [Carry.Leg] {
        layers.map {
            Carry.Leg(
                bonus: bonus, id: id, slot: slot, bornOn: $0.bornOn, agePeriods: $0.agePeriods, volume: $0.volume)
        }
    }

    private mutating func settle() {
        var owed: Int64 = 0
        for layer in layers where layer.volume < 0 { owed -= layer.volume }
        guard owed > 0 else { return }
        let negative = layers.last { $0.volume < 0 }
        layers.removeAll { $0.volume < 0 }
        let left = consume(owed)
        if left > 0, var rest = negative {
            rest.volume = -left
            layers.append(rest)
        }
    }

    @discardableResult
    private mutating func consume(_ volume: Int64) -> Int64 {
        var left = volume
        for place in layers.indices where left > 0 && layers[place].volume > 0 {
            let part = min(left, layers[place].volume)
            layers[place].volume -= part
            left -= part
        }
        layers.removeAll { $0.volume == 0 }
        return left
    }
}
