import Chronology
import Compensation
import Money

/// Metrics of the people of a society, each computed for everybody at once by walks from every order upwards.
final class Measuring {
    let society: Society
    let plan: Plan
    private var known: [Metric: [Person: Int64]] = [:]

    init(_ society: Society, _ plan: Plan) {
        self.society = society
        self.plan = plan
    }

    /// The promoter whose personal volume an order is.
    func owner(_ sale: Sale, _ tree: TreeCode) -> Person? { sale.buyer.isPromoter ? sale.buyer : sale.buyer.above(tree) }

    /// Sums of orders by the promoters who own them, and with everybody above to so many promoters.
    func personal(_ sales: [Sale], _ tree: TreeCode, _ value: (Sale) -> Int64) -> [Person: Int64] {
        var sums: [Person: Int64] = [:]
        for sale in sales { if let owner = owner(sale, tree) { sums[owner, default: 0] += value(sale) } }
        return sums
    }
    func group(_ sales: [Sale], _ tree: TreeCode, depth: Int? = nil, _ value: (Sale) -> Int64) -> [Person: Int64] {
        var sums: [Person: Int64] = [:]
        for sale in sales {
            guard let owner = owner(sale, tree) else { continue }
            sums[owner, default: 0] += value(sale)
            for (steps, person) in owner.line(tree).enumerated() where depth.map({ steps < $0 }) ?? true {
                sums[person, default: 0] += value(sale)
            }
        }
        return sums
    }

    /// `requirement`: the number that a condition compares with.
    func value(_ metric: Metric, of person: Person, requirement: Int64?) throws -> Int64 {
        switch metric {
        case .personalVolume, .groupVolume:
            return table(metric)[person] ?? 0
        case .limitedGroupVolume(let volume, let tree, let limit):
            return try limited(person, volume, tree, limit, requirement)
        case .groupVolumeOutside(let volume, let tree, let rank):
            return outside(person, volume, tree, rank)
        case .outsideVolume(let volume, let tree):
            let legs = legVolumes(person, volume, tree)
            return (table(.groupVolume(volume, on: tree, depth: nil))[person] ?? 0) - max(0, legs.max() ?? 0)
        case .largestLeg(let volume, let tree):
            return max(0, legVolumes(person, volume, tree).max() ?? 0)
        case .legsWithVolume(let volume, let tree, let least):
            return Int64(legVolumes(person, volume, tree).count { $0 >= least })
        case .legsWithRank(let rank, let tree, let anywhere):
            return legs(person, tree, anywhere) { $0.achieved >= rank }
        case .activeLegs(let tree, let anywhere):
            return legs(person, tree, anywhere, \.isActive)
        case .enrolledActive:
            return Int64(society.promoters.count { $0.isActive && $0.above(.enroller) == person })
        case .enrolledActiveInLeg(let slot, let tree):
            return Int64(society.promoters.count { enrolled in
                guard enrolled.isActive, enrolled.above(.enroller) == person else { return false }
                let way = [enrolled] + enrolled.line(tree)
                guard let place = way.firstIndex(of: person), place > 0 else { return false }
                return way[place - 1].legSlot(tree) == slot
            })
        case .customers(let volume, let least):
            return Int64(society.people.count { customer in
                guard !customer.isPromoter, customer.above(.enroller) == person else { return false }
                let sales = society.sales.filter { $0.buyer == customer }
                guard sales.contains(where: { !$0.isRefund }) else { return false }
                return sales.reduce(0) { $0 + $1.volume(volume) } >= least
            })
        case .tenureMonths:
            return try tenure(person)
        case .consecutivePeriods(let code):
            var bits = history(person, code)
            var periods: Int64 = 0
            while bits & 1 == 1 {
                periods += 1
                bits >>= 1
            }
            return periods
        case .qualifiedPeriods(let code, let within):
            let bits = history(person, code)
            return Int64((0..<min(64, within)).count { bits >> UInt64($0) & 1 == 1 })
        }
    }

    private func table(_ metric: Metric) -> [Person: Int64] {
        if let table = known[metric] { return table }
        var table: [Person: Int64] = [:]
        switch metric {
        case .personalVolume(let volume, let owner, let tree):
            let sales = society.sales.filter { owner == .both || $0.buyer.isPromoter == (owner == .own) }
            table = personal(sales, tree) { $0.volume(volume) }
        case .groupVolume(let volume, let tree, let depth):
            table = group(society.sales, tree, depth: depth) { $0.volume(volume) }
        default: break
        }
        known[metric] = table
        return table
    }

    private func legVolumes(_ person: Person, _ volume: Volume, _ tree: TreeCode) -> [Int64] {
        let groups = table(.groupVolume(volume, on: tree, depth: nil))
        return society.heads(of: person, tree).map { groups[$0] ?? 0 }
    }

    private func legs(_ person: Person, _ tree: TreeCode, _ anywhere: Bool, _ holds: (Person) -> Bool) -> Int64 {
        Int64(society.heads(of: person, tree).count { head in
            holds(head) || (anywhere && society.promoters.contains { holds($0) && $0.line(tree).contains(head) })
        })
    }

    /// Every order whose way up to the person meets no head at the rank.
    private func outside(_ person: Person, _ volume: Volume, _ tree: TreeCode, _ rank: Int) -> Int64 {
        var sum: Int64 = 0
        for sale in society.sales {
            guard let owner = owner(sale, tree) else { continue }
            let way = [owner] + owner.line(tree)
            guard let place = way.firstIndex(of: person) else { continue }
            if !way[..<place].contains(where: { $0.achieved >= rank }) { sum += sale.volume(volume) }
        }
        return sum
    }

    private func limited(
        _ person: Person, _ volume: Volume, _ tree: TreeCode, _ limit: LegLimit, _ requirement: Int64?
    ) throws -> Int64 {
        let share = Fraction(Int128(limit.share.ppm), over: 1_000_000)
        let personal = table(.personalVolume(volume, of: .both, on: tree))[person] ?? 0
        var legs = legVolumes(person, volume, tree)
        switch limit.of {
        case .requirement:
            guard let requirement else { throw OracleFailure.undefined("a limit of the requirement without one") }
            let cap = Int64((Fraction(requirement) * share).floor)
            return (limit.limitsPersonal ? min(personal, cap) : personal) + legs.reduce(0) { $0 + min($1, cap) }
        case .total:
            if limit.limitsPersonal { legs.append(personal) }
            // What is not above 0 is never limited.
            let free = (limit.limitsPersonal ? 0 : personal) + legs.reduce(0) { $0 + min(0, $1) }
            legs.removeAll { $0 <= 0 }
            // T = free + Σ min(leg, share × T) is linear between the points leg ÷ share; the largest T that solves it
            // is found by trying every set of limited legs, which is always some of the largest.
            legs.sort(by: >)
            var best: Fraction?
            for limitedCount in 0...legs.count {
                let rest = Fraction(free) + Fraction(legs[limitedCount...].reduce(0, +))
                let divisor = Fraction(1) - share * Fraction(Int64(limitedCount))
                guard divisor.numerator != 0 else { continue }
                let total = rest / divisor
                let cap = share * total
                guard legs[..<limitedCount].allSatisfy({ Fraction($0) >= cap }),
                    legs[limitedCount...].allSatisfy({ Fraction($0) <= cap })
                else { continue }
                if best.map({ $0 < total }) ?? true { best = total }
            }
            return Int64((best ?? .zero).floor)
        }
    }

    private func tenure(_ person: Person) throws -> Int64 {
        let zone = society.facts.calendar.zone
        guard let joined = zone.localDay(of: person.row.joinedAt) else { return 0 }
        let last = try society.facts.period.end.adding(days: -1)
        var months: Int64 = 0
        while try joined.adding(months: months + 1) <= last { months += 1 }
        return months
    }

    private func history(_ person: Person, _ code: String) -> UInt64 {
        guard let place = plan.trackers.firstIndex(where: { $0.code == code }), place < person.histories.count else { return 0 }
        return person.histories[place]
    }
}

/// Conditions, evaluated as they are written.
extension Measuring {
    func holds(_ condition: Condition, _ person: Person) throws -> Bool {
        switch condition {
        case .always: return true
        case .never: return false
        case .all(let parts):
            for part in parts where try !holds(part, person) { return false }
            return true
        case .any(let parts):
            for part in parts where try holds(part, person) { return true }
            return false
        case .not(let part): return try !holds(part, person)
        case .atLeast(let metric, let number): return try value(metric, of: person, requirement: number) >= number
        case .status(let statuses): return statuses.contains(person.row.status)
        case .attribute(let name, let text): return attribute(name, person) == text
        case .active: return person.isActive
        case .paidRank(let rank): return person.paidAs >= rank
        case .highestRank(let rank): return person.highest >= rank
        }
    }

    func attribute(_ name: String, _ person: Person) -> String? {
        guard let place = society.facts.attributeNames.firstIndex(of: name), place < person.row.attributes.count else {
            return nil
        }
        return person.row.attributes[place]
    }
}
