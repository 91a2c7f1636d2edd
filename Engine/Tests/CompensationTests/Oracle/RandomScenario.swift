import Chronology
import Compensation
import CompensationOracle
import Money
import SeededRandom

/// An organisation and a plan from a seed, over several periods. Everything a period hands on comes from the engine's run
/// before; the oracle starts from the same.
struct RandomScenario {
    let seed: UInt64
    private var random: SplitMix64
    private var members: [MemberRow] = []
    private var moves: [MoveRow] = []
    private var usedSlots: [String: Set<Int>] = [:]
    private let scale: Int64
    private let isHostile: Bool
    private let calendar: PlanCalendar
    private var plan: Plan
    private var sold: [OrderRow] = []
    private var leftToRefund: [String: (amount: Int64, commission: Int64, qualifying: Int64)] = [:]
    private var orderCount = 0
    private static let trees: [TreeCode] = [.placement, TreeCode("matrix")]
    private static let widths: [Int?] = [2, 3]

    init(seed: UInt64, members most: Int = 60) throws {
        self.seed = seed
        random = SplitMix64(seed: seed)
        func below(_ number: Int, _ random: inout SplitMix64) -> Int { Int(random.next() % UInt64(max(1, number))) }
        scale = [1, 100, 10_000, 1_000_000, 10_000_000_000][below(5, &random)]
        isHostile = below(8, &random) == 0
        let anchor = try LocalDay(iso8601: "2025-01-06")
        let lengths: [PlanCalendar.Length] = [.month, .month, .month, .week(startWeekday: 1 + below(7, &random)), .fortnight(anchor: anchor), .fourWeeks(anchor: anchor), .day]
        let zones = [ZoneOffsets.utc, ZoneOffsets(name: "East", changes: [.init(from: .earliest, offsetMs: 3_600_000), .init(from: try LocalDay(iso8601: "2025-03-30").startInUTC, offsetMs: 7_200_000)]), ZoneOffsets(name: "West", changes: [.init(from: .earliest, offsetMs: -18_000_000)])]
        calendar = PlanCalendar(length: lengths[below(lengths.count, &random)], zone: zones[below(3, &random)], orderTime: below(4, &random) == 0 ? .placed : .paid)
        var planner = RandomPlan(random: SplitMix64(seed: random.next()), scale: scale, trees: [.enroller] + Self.trees)
        plan = planner.plan(unit: .points, calendar: calendar)
        let count = 1 + below(below(3, &random) == 0 ? most : min(most, 12), &random)
        for _ in 0..<count { join() }
    }

    private mutating func below(_ number: Int) -> Int { Int(random.next() % UInt64(max(1, number))) }

    private mutating func join() {
        let place = members.count
        let ids = ["m\(place)", "M\(place)", "é\(place)", "\(place)"]
        let ms = try? LocalDay(iso8601: "2025-01-01").startInUTC.millisecondsSince1970
        var row = MemberRow(
            row: place + 2, id: below(4) == 0 ? ids[below(4)] : ids[0], kind: place > 0 && below(4) == 0 ? .customer : .promoter,
            status: below(5) == 0 ? MemberStatus.allCases[below(5)] : .active,
            joinedAt: Instant(millisecondsSince1970: (ms ?? 0) + Int64(below(160) - 60) * (below(3) == 0 ? 86_400_000 : 43_210_987)),
            attributes: [["AT", "DE", "CH", nil][below(4)]], hasEarlierOrders: below(6) == 0)
        if place > 0, below(10) != 0 {
            // Chains, stars and what is between.
            let enroller = below(3) == 0 ? place - 1 : below(3) == 0 ? 0 : below(place)
            row.enrollerId = members[enroller].id
            for (tree, width) in zip(Self.trees, Self.widths) where below(4) != 0 {
                let parent = below(place)
                let slot = 1 + below(width ?? 4)
                guard below(6) != 0 else { row.places.append(TreePlace(tree: tree, parentId: members[parent].id)); continue }
                if usedSlots["\(tree.code) \(parent)", default: []].insert(slot).inserted {
                    row.places.append(TreePlace(tree: tree, parentId: members[parent].id, slot: slot))
                }
            }
        }
        members.append(row)
    }

    /// The case of the next period; `before` is what the engine said of the last one.
    mutating func next(period: Period, after before: RunResult?, history: [PastOrder]) -> OracleCase {
        let periodDays = Int(period.end.dayNumber - period.start.dayNumber)
        if before != nil { for _ in 0..<below(3) { join() } }
        func instant(_ random: inout SplitMix64) -> Instant {
            // Inside the period in every zone that is used.
            let start = period.start.startInUTC.millisecondsSince1970 + 6 * 3_600_000
            let length = Int64(periodDays) * 86_400_000 - 14 * 3_600_000
            let at = Int64(random.next() % UInt64(length))
            return Instant(millisecondsSince1970: start + (random.next() % 3 == 0 ? at / 3_600_000 * 3_600_000 : at))
        }
        for _ in 0..<below(3) where members.count > 1 {
            let member = 1 + below(members.count - 1)
            let parent = below(member)
            let tree = below(2)
            let slot = 1 + below(Self.widths[tree] ?? 4)
            guard usedSlots["\(Self.trees[tree].code) \(parent)", default: []].insert(slot).inserted else { continue }
            let at = Instant(millisecondsSince1970: instant(&random).millisecondsSince1970 + Int64(moves.count) + (below(4) == 0 ? 40 * 86_400_000 : 0))
            moves.append(MoveRow(row: moves.count + 2, memberId: members[member].id, tree: Self.trees[tree], parentId: members[parent].id, slot: slot, effectiveAt: at))
        }
        var orders: [OrderRow] = []
        for _ in 0..<below(2 * members.count + 3) {
            orderCount += 1
            let exact = below(10) == 0 ? 0 : Int64(random.next() % UInt64(scale * 20))
            let amount = below(3) == 0 ? exact / scale * scale : exact
            let sign: Int64 = isHostile && below(8) == 0 ? -1 : 1
            let at = instant(&random)
            var order = OrderRow(
                row: orderCount + 1, id: "o\(orderCount)", buyerId: members[below(members.count)].id, occurredAt: at,
                amountMinor: sign * amount, commissionVolume: below(2) == 0 ? nil : sign * amount * Int64(below(4)) / 3,
                qualifyingVolume: below(2) == 0 ? nil : sign * amount * Int64(below(4)) / 2, product: ["tea", "kit", nil][below(3)])
            if calendar.orderTime == .placed {
                if below(2) == 0 { order.placedAt = at; order.occurredAt = Instant(millisecondsSince1970: at.millisecondsSince1970 + 86_400_000 * Int64(below(90))) }
            } else if below(4) == 0 { order.placedAt = .earliest }
            orders.append(order)
        }
        let late = sold
        for order in orders { leftToRefund[order.id] = (order.amountMinor, order.commissionVolume ?? order.amountMinor, order.qualifyingVolume ?? order.amountMinor) }
        for order in orders + late where below(10) == 0 {
            for part in 0..<(1 + below(2)) {
                guard let left = leftToRefund[order.id], left.amount >= 0, left.commission >= 0, left.qualifying >= 0 else { continue }
                let share = below(3) == 0 ? 4 : Int64(below(4))
                let taken = (left.amount * share / 4, left.commission * share / 4, left.qualifying * share / 4)
                leftToRefund[order.id] = (left.amount - taken.0, left.commission - taken.1, left.qualifying - taken.2)
                orderCount += 1
                orders.append(OrderRow(
                    row: orderCount + 1, id: "r\(orderCount)\(part)", buyerId: order.buyerId, occurredAt: instant(&random), amountMinor: -taken.0,
                    commissionVolume: -taken.1, qualifyingVolume: -taken.2, product: order.product, refundOf: order.id))
            }
        }
        sold += orders.filter { $0.refundOf == nil }
        let facts = OracleFacts(
            members: members, orders: orders, moves: moves, placementTrees: Self.trees, attributeNames: ["country"],
            period: period, calendar: calendar)
        let refunded = Set(orders.compactMap(\.refundOf))
        // A next version with a rank less.
        if before != nil, plan.ranks.count > 1, below(8) == 0 { plan.ranks.removeLast() }
        var carry = before?.carryOut ?? Carry()
        if before != nil, below(6) == 0 { haunt(&carry) }
        return OracleCase(
            plan: plan, facts: facts, widths: Self.widths, carryIn: carry, overrides: overrides(),
            history: history.filter { refunded.contains($0.orderId) })
    }

    /// What belongs to somebody whom the facts don't know.
    private mutating func haunt(_ carry: inout Carry) {
        carry.members.append(Carry.Member(id: "ghost", highestRank: 2, keptRank: 1, trackers: plan.trackers.map { _ in 5 }, hasOrdered: true, debtMinor: 70))
        for bonus in plan.bonuses {
            switch bonus.rule {
            case .binary:
                carry.legs.append(Carry.Leg(bonus: bonus.code, id: "ghost", slot: 1, bornOn: .earliest, agePeriods: 3, volume: 9))
                carry.banked.append(Carry.Banked(bonus: bonus.code, id: "ghost", amountMinor: 11))
            case .tiered(let rule) where rule.scope == .lifetime: carry.tiers.append(Carry.Tier(bonus: bonus.code, id: "ghost", year: 0, baseMinor: 13))
            case .rankAdvancement: carry.awards.append(Carry.Award(bonus: bonus.code, id: "ghost", rank: 1, agePeriods: 2, paymentsMade: 1, paidMinor: 3))
            case .milestone: carry.awards.append(Carry.Award(bonus: bonus.code, id: "ghost", rank: 0))
            default: break
            }
        }
    }

    private mutating func overrides() -> [Override] {
        let promoters = members.filter { $0.kind == .promoter }.map(\.id)
        var found: [Override] = []
        for _ in 0..<below(4) where !promoters.isEmpty {
            let bonus = plan.bonuses[below(plan.bonuses.count)].code
            let kinds: [Override.Kind] = [.forcedRank(below(plan.ranks.count + 1)), .activityWaiver, .eligibilityWaiver(bonus: bonus), .adjustment(bonus: bonus, amountMinor: Int64(below(2_000) - 1_000))]
            let override = Override(memberId: promoters[below(promoters.count)], kind: kinds[below(4)], author: "seed", reason: "random")
            if case .forcedRank = override.kind, found.contains(where: { if case .forcedRank = $0.kind { $0.memberId == override.memberId } else { false } }) { continue }
            found.append(override)
        }
        return found
    }

    /// Runs all periods; the first disagreement as a small case, nil where there is none.
    static func disagreement(seed: UInt64, members: Int = 60, counting: (OracleCase.Outcome) -> Void = { _ in }) async throws -> String? {
        var scenario = try RandomScenario(seed: seed, members: members)
        var period = try scenario.calendar.period(containing: LocalDay(iso8601: "2025-02-03"))
        var before: RunResult?
        var history: [String: PastOrder] = [:]
        for _ in 0..<3 {
            let current = scenario.next(period: period, after: before, history: history.values.sorted { $0.orderId < $1.orderId })
            let outcome = try await current.outcome()
            counting(outcome)
            if !outcome.differences.isEmpty {
                let small = try await current.shrunk()
                let text = try await small.outcome().differences.joined(separator: "\n")
                return "seed \(seed)\n\(small.description)\n\(text)"
            }
            guard let result = outcome.result else { return nil }
            if let found = try await current.differencesOfOtherWays(result, seed: seed) { return "seed \(seed)\n\(found)" }
            for order in result.pastOrders(ids: Set(scenario.sold.map(\.id))) { history[order.orderId] = order }
            for order in result.refundedOrders { history[order.orderId] = order }
            before = result
            period = try scenario.calendar.period(containing: period.end)
        }
        return nil
    }
}
