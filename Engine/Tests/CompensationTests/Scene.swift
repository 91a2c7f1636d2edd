import Chronology
import Compensation
import CompensationOracle
import Money
import Testing

let january = Period(start: LocalDay(dayNumber: 0) ?? .earliest, end: LocalDay(dayNumber: 31) ?? .latest)
let february = Period(start: LocalDay(dayNumber: 31) ?? .earliest, end: LocalDay(dayNumber: 59) ?? .latest)

func day(_ number: Int, hour: Int = 0) -> Instant {
    Instant(millisecondsSince1970: Int64(number) * 86_400_000 + Int64(hour) * 3_600_000)
}

func rates(_ texts: String...) throws -> [Rate] { try texts.map { try Rate($0) } }

/// Members and orders of a test, and their run: by the engine, and by the oracle, which must say the same.
struct Scene {
    var members: [MemberRow] = []
    var orders: [OrderRow] = []
    var moves: [MoveRow] = []
    var placementTrees: [(tree: TreeCode, width: Int?)] = [(.placement, nil)]
    var period = january
    var calendar = PlanCalendar()
    var attributes: [String] = []

    /// `"B<A"`: B was enrolled by A.
    init(_ lines: String...) {
        for line in lines { for item in line.split(separator: " ") { add(String(item)) } }
    }

    mutating func add(_ item: String, kind: MemberKind = .promoter, status: MemberStatus = .active, slot: Int? = nil) {
        let parts = item.split(separator: "<").map(String.init)
        var row = MemberRow(row: members.count + 2, id: parts[0], kind: kind, status: status, joinedAt: day(0))
        if parts.count > 1 {
            row.enrollerId = parts[1]
            if let slot { row.places = [TreePlace(parentId: parts[1], slot: slot)] }
        }
        members.append(row)
    }

    mutating func order(_ buyer: String, _ amount: Int64, cv: Int64? = nil, qv: Int64? = nil, day number: Int = 0, product: String? = nil, id: String? = nil, refundOf: String? = nil) {
        orders.append(
            OrderRow(
                row: orders.count + 2, id: id ?? "o\(orders.count + 1)", buyerId: buyer, occurredAt: day(number), amountMinor: amount,
                commissionVolume: cv, qualifyingVolume: qv, product: product, refundOf: refundOf))
    }

    func facts() throws -> Facts {
        var builder = FactsBuilder(calendar: calendar, placementTrees: placementTrees, attributeNames: attributes)
        for member in members { try builder.add(member) }
        for order in orders { try builder.add(order) }
        for move in moves { builder.add(move) }
        return try builder.build(period: period)
    }

    func run(_ plan: Plan, carryIn: Carry = Carry(), overrides: [Override] = [], history: [PastOrder] = [], threads: Int = 1) async throws -> RunResult {
        let result = try await Compensation.run(
            plan, facts: try facts(), carryIn: carryIn, overrides: overrides, history: history,
            options: RunOptions(threads: threads))
        let both = OracleCase(
            plan: plan,
            facts: OracleFacts(
                members: members, orders: orders, moves: moves, placementTrees: placementTrees.map(\.tree),
                attributeNames: attributes, period: period, calendar: calendar),
            widths: placementTrees.map(\.width), carryIn: carryIn, overrides: overrides, history: history)
        let oracle = try oracleRun(plan, facts: both.facts, carryIn: carryIn, overrides: overrides, history: history)
        let differences = both.differences(result, oracle)
        if !differences.isEmpty { Issue.record("the oracle disagrees:\n\(differences.prefix(20).joined(separator: "\n"))") }
        return result
    }

    func run(_ bonuses: Bonus..., ranks: [Rank] = [], active: Condition = .status([.active]), carryIn: Carry = Carry(), overrides: [Override] = [], history: [PastOrder] = []) async throws -> RunResult {
        try await run(
            Plan(code: "case", unit: .currency(try #require(Currency(code: "EUR"))), active: active, ranks: ranks, bonuses: bonuses),
            carryIn: carryIn, overrides: overrides, history: history)
    }
}

extension RunResult {
    func amount(_ id: String) throws -> Int64 { amountMinor(of: try #require(facts.member(id: id))) }
    func amount(_ id: String, _ bonus: String) throws -> Int64 {
        amountMinor(of: try #require(facts.member(id: id)), bonus: try #require(plan.bonuses.firstIndex { $0.code == bonus }))
    }
    func lines(of id: String) throws -> [Line] {
        let member = try #require(facts.member(id: id))
        return lines.filter { Int($0.member) == member }
    }
    func statement(_ id: String) throws -> Statement { statement(of: try #require(facts.member(id: id))) }
}

let groupQV = Metric.groupVolume(.qualifying, on: .enroller, depth: nil)
/// A rank by an attribute-like forced override is clumsy; titles are ranks forced in tests.
func title(_ id: String, _ rank: Int) -> Override {
    Override(memberId: id, kind: .forcedRank(rank), author: "test", reason: "title of the case")
}
func emptyRanks(_ count: Int) -> [Rank] { (1...count).map { Rank(code: "r\($0)", condition: .never) } }
