import Chronology
import Compensation
import Money
import SeededRandom

// 7-level unilevel with compression, ranks and group volume: `compensation-bench [members] [orders] [threads] [lines] [chain|star]`.
let arguments = CommandLine.arguments.dropFirst().compactMap(Int.init)
let memberCount = arguments.first ?? 1_000_000
let orderCount = arguments.count > 1 ? arguments[1] : memberCount * 5
let threads = arguments.count > 2 ? arguments[2] : 1
let keepsLines = CommandLine.arguments.contains("lines")
let isChain = CommandLine.arguments.contains("chain")
let isStar = CommandLine.arguments.contains("star")

let calendar = PlanCalendar()
let start = LocalDay(dayNumber: 20_454) ?? .earliest
let period = try calendar.period(containing: start)
var random = SplitMix64(seed: 42)
let clock = ContinuousClock()

var facts: Facts
do {
    let began = clock.now
    var builder = FactsBuilder(calendar: calendar, placementTrees: [])
    builder.reserve(members: memberCount, orders: orderCount)
    for member in 0..<memberCount {
        // Recent members recruit more: a believable shape of moderate depth.
        let parent = member == 0 ? nil : isChain ? member - 1 : isStar ? 0 : Int(random.next() % UInt64(member))
        try builder.add(
            MemberRow(
                row: member + 2, id: "m\(member)", joinedAt: Instant(millisecondsSince1970: Int64(member)),
                enrollerId: parent.map { "m\($0)" }))
    }
    for order in 0..<orderCount {
        let amount = Int64(random.next() % 20_000) + 100
        try builder.add(
            OrderRow(
                row: order + 2, id: "o\(order)", buyerId: "m\(random.next() % UInt64(memberCount))",
                occurredAt: period.start.startInUTC, amountMinor: amount))
    }
    print("rows added", clock.now - began)
    facts = try builder.build(period: period)
    print("facts built", clock.now - began)
}

func rate(_ text: String) throws -> Rate { try Rate(text) }
let levels = try ["0.05", "0.04", "0.03", "0.02", "0.02", "0.01", "0.01"].map(rate)
let volume = Metric.personalVolume(.qualifying, of: .both, on: .enroller)
let active = Condition.atLeast(volume, 50_000)
func group(_ bound: Int64, legs: Int64) -> Condition {
    .all([
        .active, .atLeast(.groupVolume(.qualifying, on: .enroller, depth: nil), bound),
        .atLeast(.activeLegs(on: .enroller, anywhere: false), legs),
    ])
}
let plan = Plan(
    code: "bench", unit: try UnitCode("EUR"), active: active,
    ranks: [
        Rank(code: "one", condition: .active), Rank(code: "two", condition: group(500_000, legs: 1)),
        Rank(code: "three", condition: group(2_000_000, legs: 2)), Rank(code: "four", condition: group(10_000_000, legs: 3)),
    ],
    bonuses: [
        Bonus(
            code: "unilevel",
            rule: .unilevel(
                UnilevelRule(
                    rates: RateTable(rows: [[], Array(levels.prefix(2)), Array(levels.prefix(4)), Array(levels.prefix(6)), levels]),
                    compression: .removeInactive(.active))))
    ])
var hard = plan
if isChain || isStar {
    // Everything that could walk a chain to its end.
    let slabs = [Slab(fromMinor: 0, rate: try rate("0.05")), Slab(fromMinor: 1_000_000, rate: try rate("0.1"))]
    let table = RateTable(levels: levels)
    hard.bonuses = [
        Bonus(code: "none", rule: .unilevel(UnilevelRule(rates: table))),
        Bonus(code: "perLevel", rule: .unilevel(UnilevelRule(rates: table, compression: .perLevel))),
        Bonus(code: "rollUp", rule: .unilevel(UnilevelRule(rates: table, compression: .rollUp(stacks: true)))),
        Bonus(code: "differential", rule: .differential(DifferentialRule(slabs: slabs))),
        Bonus(code: "breakaway", rule: .breakaway(BreakawayRule(slabs: slabs, override: try rate("0.06")))),
        Bonus(code: "rankDifferential", rule: .rankDifferential(RankDifferentialRule(rates: levels.reversed()))),
        Bonus(code: "generation", rule: .generation(GenerationRule(rates: table))),
        Bonus(code: "infinity", rule: .infinity(InfinityRule(rates: levels.reversed(), belowLevel: 7))),
        Bonus(code: "pool", rule: .pool(PoolRule(rate: try rate("0.01"), shares: .byRank([0, 1, 2])))),
        Bonus(code: "matching", rule: .matching(MatchingRule(bonuses: ["none", "differential"], rates: table))),
    ]
    hard.ranks.append(
        Rank(code: "legs", condition: .atLeast(.legsWithRank(1, on: .enroller, anywhere: true), 2)))
}
for round in 0..<(isChain || isStar ? 1 : 4) {
    let began = clock.now
    let result = try await run(hard, facts: facts, options: RunOptions(threads: threads, keepsLines: keepsLines))
    let took = clock.now - began
    let nanoseconds = took.components.seconds * 1_000_000_000 + took.components.attoseconds / 1_000_000_000
    print(
        "round \(round): \(nanoseconds / 1_000_000) ms, \(nanoseconds / Int64(max(1, orderCount))) ns/order,",
        "lines \(result.lineCount), total \(result.totalMinor)")
}
