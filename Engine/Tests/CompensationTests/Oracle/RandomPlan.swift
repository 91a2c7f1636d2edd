import Chronology
import Compensation
import Money
import SeededRandom

/// Plans of everything that the plan model can say, from a seed. They need not be sensible, only valid.
struct RandomPlan {
    var random: SplitMix64
    /// Volumes and amounts of the organisation are around this.
    let scale: Int64
    let trees: [TreeCode]
    /// Ranks that read legs of several trees, which then must not fall when others rise.
    private var ranksReadAllTrees = false
    private var rankTree = TreeCode.enroller
    private var rankCount = 0

    init(random: SplitMix64, scale: Int64, trees: [TreeCode]) {
        self.random = random
        self.scale = scale
        self.trees = trees
    }

    mutating func chance(_ one: Int, in all: Int) -> Bool { Int(random.next() % UInt64(all)) < one }
    mutating func number(_ range: ClosedRange<Int>) -> Int { range.lowerBound + Int(random.next() % UInt64(range.count)) }
    mutating func pick<Value>(_ values: [Value]) -> Value { values[Int(random.next() % UInt64(values.count))] }
    mutating func list<Value>(_ counts: ClosedRange<Int>, _ make: (inout RandomPlan) -> Value) -> [Value] {
        let count = number(counts)
        return (0..<count).map { _ in make(&self) }
    }

    mutating func plan(unit: UnitCode, calendar: PlanCalendar) -> Plan {
        rankTree = chance(3, in: 4) ? .enroller : pick(trees)
        ranksReadAllTrees = chance(1, in: 8)
        rankCount = number(0...4)
        var trackers: [Tracker] = []
        if chance(1, in: 3) { trackers.append(Tracker(code: "t0", condition: condition(.early))) }
        if chance(1, in: 3) { trackers.append(Tracker(code: "plain", condition: condition(.plain))) }
        if chance(1, in: 3) { trackers.append(Tracker(code: "late", condition: .all([.paidRank(atLeast: number(0...2)), condition(.late)]))) }
        let early = trackers.filter { $0.code != "late" }.map(\.code)
        let plain = trackers.filter { $0.code == "plain" }.map(\.code)
        let active = chance(1, in: 2) ? Condition.status([.active]) : .any([.status([.active]), condition(.activity(trackers: plain))])
        let ranks = (0..<rankCount).map { Rank(code: "r\($0)", condition: condition(.rank(trackers: early))) }
        let rule = RankRule(isCumulative: chance(1, in: 3), gracePeriods: pick([0, 0, 1, 2]), tree: rankTree)
        var bonuses: [Bonus] = []
        for place in 0..<number(1...5) { bonuses.append(bonus(place, bonuses, trackers.map(\.code))) }
        return Plan(
            code: "random", unit: unit, calendar: calendar, active: active, ranks: ranks, rankRule: rule, trackers: trackers,
            bonuses: bonuses, soldOrUsed: chance(1, in: 2) ? soldOrUsed(bonuses.map(\.code)) : nil, personCapMinor: chance(1, in: 4) ? caps() : [],
            planCap: chance(1, in: 4) ? pick([rate("0.05"), rate("0.2"), rate("0.5"), rate("0")]) : nil)
    }

    private mutating func soldOrUsed(_ codes: [String]) -> SoldOrUsedRule {
        SoldOrUsedRule(
            atLeast: SharePPM(ppm: pick([0, 333_333, 700_000, 1_000_000])) ?? .whole, below: chance(3, in: 4) ? .proRata : .nothing,
            usedBelowMinor: pick([0, 1, SoldOrUsedRule.usedBelowStandardMinor, Int64(number(0...20)) * max(1, scale / 4)]),
            bonuses: chance(2, in: 3) ? [] : Set(list(1...2) { $0.pick(codes) }))
    }

    // MARK: conditions

    enum Place {
        case plain, activity(trackers: [String]), early, rank(trackers: [String]), late, bonus(trackers: [String])
    }

    mutating func condition(_ place: Place, depth: Int = 0) -> Condition {
        if depth < 2, chance(1, in: 3) {
            let parts = list(0...3) { $0.condition(place, depth: depth + 1) }
            switch number(0...2) {
            case 0: return .all(parts)
            case 1: return .any(parts)
            default:
                if case .rank = place, ranksReadAllTrees { return .any(parts) }
                return .not(condition(place, depth: depth + 1))
            }
        }
        switch (number(0...9), place) {
        case (0, _): return .always
        case (1, _): return .status(Set(list(1...3) { $0.pick(MemberStatus.allCases) }))
        case (2, _): return .attribute("country", equals: pick(["AT", "DE"]))
        case (3, .bonus), (3, .late): return chance(1, in: 2) ? .paidRank(atLeast: number(0...4)) : .highestRank(atLeast: number(0...4))
        case (4, .early), (4, .rank), (4, .bonus), (4, .late): return .active
        default: return metricCondition(place)
        }
    }

    private mutating func metricCondition(_ place: Place) -> Condition {
        let metric = metric(place)
        switch metric {
        case .legsWithVolume, .legsWithRank, .activeLegs, .enrolledActive, .enrolledActiveInLeg, .customers, .tenureMonths,
            .consecutivePeriods, .qualifiedPeriods:
            return .atLeast(metric, Int64(number(0...3)))
        case .personalVolume, .groupVolume, .limitedGroupVolume, .groupVolumeOutside, .outsideVolume, .largestLeg:
            return .atLeast(metric, volume())
        }
    }

    mutating func volume() -> Int64 { Int64(number(0...20)) * max(1, scale / 2) }

    /// With `isFree` the metric stands alone, where a limit of the requirement has none.
    mutating func metric(_ place: Place, isFree: Bool = false) -> Metric {
        let volume = pick(Volume.allCases)
        let tree = pick(trees)
        var trackers: [String] = []
        var readsRanks = false
        var readsActivity = true
        var legTree = tree
        switch place {
        case .plain: readsActivity = false
        case .activity(let codes):
            trackers = codes
            readsActivity = false
        case .early: break
        case .rank(let codes):
            trackers = codes
            readsRanks = true
            if !ranksReadAllTrees { legTree = rankTree }
        case .late: readsRanks = true
        case .bonus(let codes):
            trackers = codes
            readsRanks = true
        }
        switch number(0...14) {
        case 0, 1: return .personalVolume(volume, of: pick(VolumeOwner.allCases), on: tree)
        case 2: return .groupVolume(volume, on: tree, depth: chance(1, in: 2) ? nil : number(0...3))
        case 3:
            let of = isFree ? LegLimit.Of.total : pick(LegLimit.Of.allCases)
            let share = SharePPM(ppm: pick([0, 200_000, 333_333, 500_000, 600_000, 800_000, 1_000_000])) ?? .whole
            return .limitedGroupVolume(volume, on: tree, limit: LegLimit(share: share, of: of, limitsPersonal: pick([nil, true, false])))
        case 4: return .outsideVolume(volume, on: tree)
        case 5: return .largestLeg(volume, on: tree)
        case 6: return .legsWithVolume(volume, on: tree, atLeast: self.volume())
        case 7, 8:
            guard readsRanks else { return .tenureMonths }
            if case .rank = place, ranksReadAllTrees { return .legsWithRank(number(1...3), on: legTree, anywhere: chance(1, in: 2)) }
            return chance(1, in: 2)
                ? .legsWithRank(number(1...3), on: legTree, anywhere: chance(1, in: 2)) : .groupVolumeOutside(volume, on: legTree, rank: number(1...3))
        case 9: return readsActivity ? .activeLegs(on: tree, anywhere: chance(1, in: 2)) : .tenureMonths
        case 10: return readsActivity ? .enrolledActive : .tenureMonths
        case 11: return readsActivity ? .enrolledActiveInLeg(number(1...2), on: tree) : .tenureMonths
        case 12: return .customers(volume, atLeast: self.volume() / 10)
        case 13:
            guard let code = trackers.isEmpty ? nil : pick(trackers) else { return .groupVolume(volume, on: tree, depth: nil) }
            return chance(1, in: 2) ? .consecutivePeriods(tracker: code) : .qualifiedPeriods(tracker: code, within: number(1...4))
        default: return .groupVolume(volume, on: tree, depth: nil)
        }
    }

    // MARK: bonuses

    func rate(_ text: String) -> Rate { (try? Rate(text)) ?? .zero }
    mutating func rate() -> Rate { rate(pick(["0", "0.01", "0.033", "0.05", "0.1", "0.125", "0.2", "0.333333333", "0.000000001", "1", "1.5"])) }
    mutating func table() -> RateTable { RateTable(rows: list(1...4) { $0.list(0...4) { $0.rate() } }) }
    mutating func caps() -> [Int64] { list(1...3) { Int64($0.number(0...10)) * max(1, $0.scale / 10) } }
    mutating func slabs(_ most: Rate = Rate.whole) -> [Slab] {
        var from: Int64 = chance(2, in: 3) ? 0 : volume()
        return list(1...4) { plan in
            let slab = Slab(fromMinor: from, rate: min(most, plan.rate()))
            from += 1 + plan.volume()
            return slab
        }
    }
    mutating func compression() -> Compression {
        switch number(0...4) {
        case 0: .none
        case 1: .removeInactive(chance(1, in: 2) ? .active : condition(.bonus(trackers: [])))
        case 2: .perLevel
        case 3: .rollUp(stacks: true)
        default: .rollUp(stacks: false)
        }
    }
    mutating func filter() -> OrderFilter {
        guard chance(1, in: 3) else { return OrderFilter() }
        return OrderFilter(
            buyer: pick([nil, nil, .customer, .promoter]), products: chance(1, in: 4) ? ["tea"] : [],
            excludedProducts: chance(1, in: 4) ? ["kit"] : [], turn: pick([.any, .any, .first, .renewal]),
            fromMinor: chance(1, in: 5) ? volume() / 4 : nil, belowMinor: chance(1, in: 5) ? volume() : nil)
    }

    mutating func bonus(_ place: Int, _ earlier: [Bonus], _ trackers: [String]) -> Bonus {
        let rule = rule(earlier, trackers)
        var bonus = Bonus(code: "b\(place)", rule: rule)
        if chance(1, in: 2) { bonus.eligibility = chance(1, in: 3) ? .always : condition(.bonus(trackers: trackers)) }
        bonus.base = .volume(pick([.commission, .commission, .qualifying, .amount]))
        let orderLines = earlier.filter(\.rule.hasOrderLines).map(\.code)
        if rule.hasOrderLines, !orderLines.isEmpty, chance(1, in: 5) { bonus.base = .commission(of: pick(orderLines)) }
        bonus.tree = chance(1, in: 2) ? .enroller : pick(trees)
        if case .binary = rule, chance(3, in: 4) { bonus.tree = .placement }
        bonus.orders = filter()
        bonus.roundingScope = pick(RoundingScope.allCases)
        bonus.rounding = pick(RoundingMode.allCases)
        if chance(1, in: 3) { bonus.capMinor = caps() }
        if chance(1, in: 3) { bonus.marks = OrderMark(tag: pick(["x", "y"]), scope: pick(OrderMark.Scope.allCases)) }
        if chance(1, in: 4) { bonus.skipsTags = [pick(["x", "y"])] }
        if rule.hasOrderLines { bonus.refunds = pick([nil, .debit, .volume, .averageRate]) }
        bonus.rankBasis = pick(RankBasis.allCases)
        return bonus
    }

    private mutating func rule(_ earlier: [Bonus], _ trackers: [String]) -> BonusRule {
        let own = pick(DirectRule.OwnPurchases.allCases)
        switch number(0...17) {
        case 0:
            let terms = list(1...3) { plan in
                DirectRule.Term(
                    orders: plan.filter(),
                    reward: plan.chance(1, in: 3) ? .flat(plan.caps()) : .percent(plan.list(1...3) { $0.rate() }))
            }
            return .direct(DirectRule(terms: terms, ownPurchases: own))
        case 1, 2: return .unilevel(UnilevelRule(rates: table(), compression: compression(), firstLevel: pick(FirstLevel.allCases)))
        case 3:
            return .fastStart(FastStartRule(
                rates: table(), window: chance(1, in: 2) ? .days(number(1...60)) : .calendarMonths(number(1...3)), compression: compression()))
        case 4, 5:
            if chance(1, in: 4) {
                return .tiered(TieredRule(tiers: slabs(), scope: pick(TieredRule.Scope.allCases), measure: .companyShare, ownPurchases: own))
            }
            return .tiered(TieredRule(
                tiers: slabs(), mode: pick(TieredRule.Mode.allCases), scope: pick(TieredRule.Scope.allCases), ownPurchases: own))
        case 6: return .slab(SlabRule(slabs: slabs(), by: metric(.bonus(trackers: trackers), isFree: true), on: metric(.bonus(trackers: trackers), isFree: true)))
        case 7:
            return .differential(DifferentialRule(
                slabs: slabs(), slabVolume: pick(Volume.allCases), clamp: pick(DifferentialRule.Clamp.allCases),
                ineligible: pick(DifferentialRule.Ineligible.allCases)))
        case 8: return .rankDifferential(RankDifferentialRule(rates: list(1...4) { $0.rate() }, buyerCollects: chance(1, in: 2)))
        case 9:
            return .breakaway(BreakawayRule(
                slabs: slabs(), override: rate(), slabVolume: pick(Volume.allCases), guaranteedMinor: chance(1, in: 2) ? 0 : volume()))
        case 10:
            return .generation(GenerationRule(
                rates: table(), boundary: chance(1, in: 2) ? .ownRank : .rank(number(1...3)),
                unqualifiedLeaders: pick(GenerationRule.Unqualified.allCases), fromRank: number(0...2)))
        case 11: return .infinity(InfinityRule(rates: list(1...4) { $0.rate() }, belowLevel: number(0...3), blocking: pick(InfinityRule.Blocking.allCases)))
        case 12, 13: return .binary(binary())
        case 14: return .matrix(UnilevelRule(rates: table(), compression: compression(), firstLevel: pick(FirstLevel.allCases)), width: 3)
        case 15:
            let others = earlier.filter { if case .matching = $0.rule { false } else { true } }.map(\.code)
            guard !others.isEmpty else { return .milestone(milestone(trackers)) }
            return .matching(MatchingRule(bonuses: Set(list(1...2) { $0.pick(others) }), rates: table(), compression: compression()))
        case 16:
            let shares: PoolRule.Shares
            switch number(0...2) {
            case 0: shares = .byRank(list(1...4) { Int64($0.number(0...5)) })
            case 1: shares = .byMetric(metric(.bonus(trackers: trackers), isFree: true), per: Int64(number(1...3)) * max(1, scale / 5))
            default: shares = .byPosition(score: metric(.bonus(trackers: trackers), isFree: true), weights: list(1...5) { Int64($0.number(0...9)) })
            }
            return .pool(PoolRule(rate: rate(), shares: shares, perAttribute: chance(1, in: 3) ? "country" : nil))
        default:
            if chance(1, in: 2) { return .milestone(milestone(trackers)) }
            return .rankAdvancement(RankAdvancementRule(
                amountsMinor: list(1...4) { 1 + Int64($0.number(0...1_000)) }, payments: number(1...3), keepPeriods: number(0...3),
                paysSkipped: chance(1, in: 2)))
        }
    }

    private mutating func milestone(_ trackers: [String]) -> MilestoneRule {
        MilestoneRule(
            condition: condition(.bonus(trackers: trackers)), amountMinor: Int64(number(1...1_000)), payments: number(1...3),
            keepPeriods: number(0...3))
    }

    private mutating func binary() -> BinaryRule {
        let unit = max(1, scale / 10)
        let match: BinaryRule.Match
        switch number(0...3) {
        case 0: match = .percentOfWeaker(list(1...3) { $0.rate() })
        case 1:
            match = .cycles(
                left: Int64(number(1...6)) * unit, right: Int64(number(1...6)) * unit, mirrored: chance(1, in: 2),
                valueMinor: list(1...3) { Int64($0.number(0...500)) })
        case 2:
            var step = BinaryRule.Step(volume: 0, amountMinor: 0)
            match = .steps(list(1...4) { plan in
                step.volume += Int64(plan.number(1...5)) * unit
                step.amountMinor += Int64(plan.number(1...100))
                return step
            })
        default: match = .unitPairs(unit: Int64(number(1...6)) * unit, twoToOne: chance(1, in: 2), rates: list(1...3) { $0.rate() })
        }
        return BinaryRule(
            match: match, capMinor: chance(1, in: 2) ? caps() : [], overCap: pick(BinaryRule.OverCap.allCases),
            flush: chance(2, in: 3) ? .not(.active) : condition(.bonus(trackers: [])),
            expiresAfterPeriods: chance(1, in: 2) ? nil : number(1...3), ownVolume: pick(BinaryRule.OwnVolume.allCases))
    }
}
