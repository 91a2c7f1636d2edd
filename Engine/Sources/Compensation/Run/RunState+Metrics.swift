import Chronology
import Money

/// A metric, and the requirement it is compared with where that changes the number.
struct MetricKey: Hashable {
    let metric: Metric
    let requirement: Int64
}

extension RunState {
    func column(_ metric: Metric, requirement: Int64 = 0) throws(RunFailure) -> Column<Int64> {
        var needed: Int64 = 0
        if case .limitedGroupVolume(_, _, let limit) = metric, limit.of == .requirement { needed = requirement }
        let key = MetricKey(metric: metric, requirement: needed)
        if let known = metricColumns[key] { return known }
        let made = try make(metric, needed)
        metricColumns[key] = made
        return made
    }

    private func make(_ metric: Metric, _ requirement: Int64) throws(RunFailure) -> Column<Int64> {
        let count = facts.memberCount
        switch metric {
        case .personalVolume(let volume, let owner, let code):
            return try personalVolume(volume, owner, tree(code))
        case .groupVolume(let volume, let code, let depth):
            let tree = try tree(code)
            let personal = try column(.personalVolume(volume, of: .both, on: code))
            guard let depth else { return groupVolume(personal, tree) }
            return groupVolume(personal, tree, depth: depth)
        case .limitedGroupVolume(let volume, let code, let limit):
            return try limitedVolume(volume, tree(code), limit, requirement)
        case .groupVolumeOutside, .legsWithRank:
            let column = Column<Int64>(count, repeating: 0)
            // While ranks are being given the rank pass fills it.
            if areRanksKnown { try RankFollower(metric, column, self).fill(facts, ranks: achieved) }
            return column
        case .outsideVolume(let volume, let code):
            let group = try column(.groupVolume(volume, on: code, depth: nil))
            let largest = try column(.largestLeg(volume, on: code))
            let outside = Column<Int64>(count, repeating: 0)
            for member in 0..<count { outside[member] = group[member] - largest[member] }
            return outside
        case .largestLeg(let volume, let code):
            let group = try column(.groupVolume(volume, on: code, depth: nil))
            let largest = Column<Int64>(count, repeating: 0)
            try eachLeg(code) { leg, head in largest[head] = max(largest[head], group[leg]) }
            return largest
        case .legsWithVolume(let volume, let code, let bound):
            let group = try column(.groupVolume(volume, on: code, depth: nil))
            let legs = Column<Int64>(count, repeating: 0)
            try eachLeg(code) { leg, head in if group[leg] >= bound { legs[head] += 1 } }
            return legs
        case .activeLegs(let code, let anywhere): return try activeLegs(tree(code), anywhere)
        case .enrolledActive: return try activeLegs(tree(.enroller), false)
        case .enrolledActiveInLeg(let slot, let code): return try enrolledActive(inLeg: slot, of: tree(code))
        case .customers(let volume, let bound):
            let own = ownVolume(volume)
            let above = try tree(.enroller).above
            let customers = Column<Int64>(count, repeating: 0)
            for member in 0..<count
            where !facts.isPromoter(member) && above[member] >= 0 && own[member] >= bound && facts.hasOrder(member) {
                customers[Int(above[member])] += 1
            }
            return customers
        case .tenureMonths:
            let months = Column<Int64>(count, repeating: 0)
            let last = (try? facts.period.end.adding(days: -1)) ?? facts.period.end
            for member in 0..<count {
                guard let joined = LocalDay(dayNumber: Int64(facts.joinedDay[member])) else { continue }
                months[member] = joined.wholeMonths(until: last)
            }
            return months
        case .consecutivePeriods(let tracker):
            let history = try history(tracker)
            let periods = Column<Int64>(count, repeating: 0)
            for member in 0..<count { periods[member] = Int64((~history[member]).trailingZeroBitCount) }
            return periods
        case .qualifiedPeriods(let tracker, let within):
            let history = try history(tracker)
            let mask: UInt64 = within >= 64 ? .max : (1 << UInt64(max(0, within))) - 1
            let periods = Column<Int64>(count, repeating: 0)
            for member in 0..<count { periods[member] = Int64((history[member] & mask).nonzeroBitCount) }
            return periods
        }
    }

    private func history(_ code: String) throws(RunFailure) -> Column<UInt64> {
        guard let place = plan.trackers.firstIndex(where: { $0.code == code }) else {
            throw .plan(PlanProblem(place: "trackers", reason: .unknownTracker(code)))
        }
        return trackers[place]
    }

    /// Every promoter with a promoter above, in the order of the members' numbers.
    private func eachLeg(_ code: TreeCode, _ body: (_ leg: Int, _ head: Int) -> Void) throws(RunFailure) {
        let above = try tree(code).above
        for member in 0..<facts.memberCount where above[member] >= 0 && facts.isPromoter(member) {
            body(member, Int(above[member]))
        }
    }

    /// Sums of each member's own orders, refunds of earlier orders included.
    func ownVolume(_ volume: Volume) -> Column<Int64> {
        let values = facts.volume(volume)
        let sums = Column<Int64>(facts.memberCount, repeating: 0)
        for order in 0..<facts.orderCount { sums[Int(facts.buyer[order])] &+= values[order] }
        return sums
    }

    private func personalVolume(_ volume: Volume, _ owner: VolumeOwner, _ tree: Tree) -> Column<Int64> {
        attributed(ownVolume(volume), owner, tree)
    }

    /// What members bought, as the volume of promoters: their own, that of the customers right below, or both.
    func attributed(_ bought: Column<Int64>, _ owner: VolumeOwner, _ tree: Tree) -> Column<Int64> {
        let count = facts.memberCount
        let personal = Column<Int64>(count, repeating: 0)
        for member in 0..<count where bought[member] != 0 {
            if facts.isPromoter(member) {
                if owner != .customers { personal[member] &+= bought[member] }
            } else if owner != .own, tree.above[member] >= 0 {
                personal[Int(tree.above[member])] &+= bought[member]
            }
        }
        return personal
    }

    /// Volumes sum to at most `FactsBuilder.volumeSumLimit` in absolute terms, so no group sum can leave Int64.
    func groupVolume(_ personal: Column<Int64>, _ tree: Tree) -> Column<Int64> {
        let group = Column(copying: personal, else: 0)
        var place = facts.memberCount
        while place > 0 {
            place &-= 1
            let member = Int(tree.sequence[place])
            let above = tree.above[member]
            if above >= 0, group[member] != 0 { group[Int(above)] &+= group[member] }
        }
        return group
    }

    private func groupVolume(_ personal: Column<Int64>, _ tree: Tree, depth: Int) -> Column<Int64> {
        var group = Column(copying: personal, else: 0)
        for _ in 0..<max(0, depth) {
            let next = Column(copying: personal, else: 0)
            for member in 0..<facts.memberCount where tree.above[member] >= 0 && group[member] != 0 {
                next[Int(tree.above[member])] &+= group[member]
            }
            group = next
        }
        return group
    }

    private func limitedVolume(
        _ volume: Volume, _ tree: Tree, _ limit: LegLimit, _ requirement: Int64
    ) throws(RunFailure) -> Column<Int64> {
        let personal = try column(.personalVolume(volume, of: .both, on: tree.code))
        let group = try column(.groupVolume(volume, on: tree.code, depth: nil))
        let share = Int64(limit.share.ppm)
        guard limit.of == .requirement else { return limitedByTotal(personal, group, tree, share, limit.limitsPersonal) }
        let most = Int64(clamping: Int128(requirement) * Int128(share) / 1_000_000)
        let counted = Column(copying: personal, else: 0)
        if limit.limitsPersonal { for member in 0..<facts.memberCount { counted[member] = min(counted[member], most) } }
        try eachLeg(tree.code) { leg, head in counted[head] += min(group[leg], most) }
        return counted
    }

    /// The largest T with T = free + Σ min(leg, share × T), cut. With the k largest legs limited,
    /// T = (free + the other legs) ÷ (1 − k × share); the smallest k whose next leg fits is the answer.
    private func limitedByTotal(
        _ personal: Column<Int64>, _ group: Column<Int64>, _ tree: Tree, _ share: Int64, _ limitsPersonal: Bool
    ) -> Column<Int64> {
        let whole: Int128 = 1_000_000
        let lists = LegLists(tree: tree, facts: facts)
        let counted = Column<Int64>(facts.memberCount, repeating: 0)
        var legs: [Int64] = []
        for member in 0..<facts.memberCount where facts.isPromoter(member) {
            legs.removeAll(keepingCapacity: true)
            if limitsPersonal { legs.append(personal[member]) }
            for leg in lists.legs(of: member) { legs.append(group[leg]) }
            var rest = limitsPersonal ? Int128(0) : Int128(personal[member])
            for leg in legs { rest += Int128(leg) }
            legs.sort(by: >)
            var limited = 0
            while true {
                let divisor = whole - Int128(limited) * Int128(share)
                // T = rest × whole ÷ divisor; the next leg fits when leg ≤ share × T.
                let fits = limited == legs.count || legs[limited] <= 0
                    || Int128(legs[limited]) * divisor <= rest * Int128(share)
                if fits || divisor <= 0 {
                    let numerator = rest * whole
                    counted[member] = divisor <= 0 ? 0 : Int64(clamping: floorDivided(numerator, divisor))
                    break
                }
                rest -= Int128(legs[limited])
                limited += 1
            }
        }
        return counted
    }

    private func floorDivided(_ numerator: Int128, _ divisor: Int128) -> Int128 {
        let (quotient, remainder) = numerator.quotientAndRemainder(dividingBy: divisor)
        return remainder < 0 ? quotient - 1 : quotient
    }

    private func activeLegs(_ tree: Tree, _ anywhere: Bool) -> Column<Int64> {
        let count = facts.memberCount
        let legs = Column<Int64>(count, repeating: 0)
        let found = Column<UInt8>(count, repeating: 0)
        var place = count
        while place > 0 {
            place -= 1
            let member = Int(tree.sequence[place])
            guard facts.isPromoter(member) else { continue }
            let isFound = active[member] != 0 || (anywhere && found[member] != 0)
            let above = tree.above[member]
            guard isFound, above >= 0 else { continue }
            legs[Int(above)] += 1
            found[Int(above)] = 1
        }
        return legs
    }

    private func enrolledActive(inLeg slot: Int, of tree: Tree) throws(RunFailure) -> Column<Int64> {
        let count = facts.memberCount
        let enrolled = try self.tree(.enroller).above
        // Depth-first places: a leg is one run of places.
        let placeOf = Column<Int32>(count, repeating: 0)
        let size = Column<Int32>(count, repeating: 1)
        let child = Column<Int32>(count, repeating: -1)
        for place in 0..<count { placeOf[Int(tree.sequence[place])] = Int32(place) }
        var place = count
        while place > 0 {
            place -= 1
            let member = Int(tree.sequence[place])
            guard tree.parent[member] >= 0 else { continue }
            size[Int(tree.parent[member])] += size[member]
            if Int(tree.slot[member]) == slot { child[Int(tree.parent[member])] = Int32(member) }
        }
        let found = Column<Int64>(count, repeating: 0)
        for member in 0..<count where enrolled[member] >= 0 && active[member] != 0 && facts.isPromoter(member) {
            let head = child[Int(enrolled[member])]
            guard head >= 0 else { continue }
            let start = placeOf[Int(head)]
            if placeOf[member] >= start, placeOf[member] < start + size[Int(head)] { found[Int(enrolled[member])] += 1 }
        }
        return found
    }
}

/// The promoters right below each promoter, in the order of their numbers.
struct LegLists {
    private let first: Column<Int32>
    private let next: Column<Int32>

    init(tree: Tree, facts: Facts) {
        first = Column(facts.memberCount, repeating: -1)
        next = Column(facts.memberCount, repeating: -1)
        for member in stride(from: facts.memberCount - 1, through: 0, by: -1)
        where facts.isPromoter(member) && tree.above[member] >= 0 {
            next[member] = first[Int(tree.above[member])]
            first[Int(tree.above[member])] = Int32(member)
        }
    }

    func legs(of member: Int) -> some Sequence<Int> {
        sequence(state: first[member]) { leg in
            guard leg >= 0 else { return nil }
            defer { leg = next[Int(leg)] }
            return Int(leg)
        }
    }
}
