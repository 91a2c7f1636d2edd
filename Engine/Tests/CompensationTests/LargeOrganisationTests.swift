import Chronology
import Compensation
import Foundation
import Money
import Testing

/// Organisations of the two shapes that break walks: one line of everybody, and everybody below one. How many members:
/// `KITH_LARGE_MEMBERS`, default 100,000. What they earn is known in closed form.
@Suite struct LargeOrganisationTests {
    private static let members = ProcessInfo.processInfo.environment["KITH_LARGE_MEMBERS"].flatMap { Int($0) } ?? 100_000

    private func run(_ threads: Int, parent: (Int) -> Int) async throws -> RunResult {
        var builder = FactsBuilder(calendar: PlanCalendar(), placementTrees: [(.placement, nil)])
        builder.reserve(members: Self.members, orders: Self.members)
        for member in 0..<Self.members {
            try builder.add(MemberRow(row: member, id: "m\(member)", joinedAt: day(0), enrollerId: member == 0 ? nil : "m\(parent(member))"))
            try builder.add(OrderRow(row: member, id: "o\(member)", buyerId: "m\(member)", occurredAt: day(1), amountMinor: 100))
        }
        let levels = RateTable(levels: try rates("0.1", "0.05", "0.01"))
        let slabs = [Slab(fromMinor: 0, rate: try Rate("0.1"))]
        let plan = Plan(
            code: "large", unit: .points, ranks: [Rank(code: "one", condition: .atLeast(groupQV, 200)), Rank(code: "two", condition: .atLeast(.legsWithRank(1, on: .enroller, anywhere: true), 1))],
            bonuses: [
                Bonus(code: "unilevel", rule: .unilevel(UnilevelRule(rates: levels, compression: .perLevel))),
                Bonus(code: "rollup", rule: .unilevel(UnilevelRule(rates: levels, compression: .rollUp(stacks: true)))),
                Bonus(code: "differential", rule: .differential(DifferentialRule(slabs: slabs))),
                Bonus(code: "generation", rule: .generation(GenerationRule(rates: levels))),
                Bonus(code: "infinity", rule: .infinity(InfinityRule(rates: try rates("0", "0.01", "0.02"), belowLevel: 3))),
                Bonus(code: "matching", rule: .matching(MatchingRule(bonuses: ["unilevel"], rates: levels))),
            ])
        return try await Compensation.run(plan, facts: try builder.build(period: january), options: RunOptions(threads: threads))
    }

    @Test func aChainOfEverybody() async throws {
        let count = Int64(Self.members)
        let result = try await run(2) { $0 - 1 }
        #expect(result.totalMinor(bonus: 0) == Int128(10 * (count - 1) + 5 * (count - 2) + (count - 3)))
        #expect(result.totalMinor(bonus: 1) == result.totalMinor(bonus: 0))
        // Each keeps 10 % of the own order.
        #expect(result.totalMinor(bonus: 2) == Int128(10 * count))
        #expect(try result.statement("m0").groupVolume == 100 * count)
        // The last one has 100 only, the one above 200, all others somebody of rank one below.
        #expect(try ["m\(count - 1)", "m\(count - 2)", "m\(count - 3)", "m0"].map { try result.statement($0).rank } == [0, 1, 2, 2])
        let one = try await run(1) { $0 - 1 }
        #expect(one.lines == result.lines)
    }

    @Test func everybodyBelowOne() async throws {
        let count = Int64(Self.members)
        let result = try await run(2) { _ in 0 }
        #expect(try result.amount("m0", "unilevel") == 10 * (count - 1))
        #expect(result.totalMinor(bonus: 0) == Int128(10 * (count - 1)))
        #expect(result.totalMinor(bonus: 2) == Int128(10 * count))
        #expect(try result.statement("m0").rank == 1)
        let one = try await run(1) { _ in 0 }
        #expect(one.lines == result.lines)
    }
}
