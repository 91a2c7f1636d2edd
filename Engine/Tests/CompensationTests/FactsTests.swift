import Chronology
import Compensation
import Money
import Testing

@Suite struct FactsTests {
    private func failure(_ scene: Scene) -> FactsFailure? {
        do { _ = try scene.facts() } catch { return error as? FactsFailure }
        return nil
    }

    @Test func badRowsAreNamed() throws {
        var cycle = Scene("A<C B<A C<B D")
        #expect(failure(cycle)?.reason == .cycle(tree: "enroller"))
        #expect(failure(cycle)?.row == 2)
        cycle.members[0].enrollerId = nil
        #expect(failure(cycle) == nil)
        var slots = Scene("A")
        slots.add("B<A", slot: 1)
        slots.add("C<A", slot: 1)
        #expect(failure(slots) == FactsFailure(file: .members, row: 4, column: "placement_slot", reason: .slotTaken(tree: "placement")))
        #expect(failure(Scene("A<ghost")) == FactsFailure(file: .members, row: 2, column: "enroller_id", reason: .unknownMember))
        #expect(failure(Scene("A A")) == FactsFailure(file: .members, row: 3, column: "id", reason: .duplicateId))
        var orders = Scene("A")
        orders.order("A", 100, day: 40)
        #expect(failure(orders) == FactsFailure(file: .orders, row: 2, column: "occurred_at", reason: .outsidePeriod))
        orders = Scene("A")
        orders.order("A", 100, id: "x")
        orders.order("A", -101, id: "y", refundOf: "x")
        #expect(failure(orders) == FactsFailure(file: .orders, row: 3, column: "amount", reason: .refundExceedsOrder))
        orders = Scene("A")
        orders.order("A", Int64.max)
        #expect(failure(orders)?.reason == .volumeTooLarge)
        var moves = Scene("A B<A")
        moves.moves = [MoveRow(row: 2, memberId: "A", parentId: "B", effectiveAt: day(1))]
        #expect(failure(moves) == FactsFailure(file: .moves, row: 2, column: "parent_id", reason: .cycle(tree: "placement")))
        moves.moves[0].effectiveAt = day(40)
        #expect(failure(moves) == nil)
    }

    @Test func overflowIsATypedFailure() async throws {
        var scene = Scene("A B<A")
        for place in 0..<3_000 { scene.order("B", FactsBuilder.volumeLimit, id: "o\(place)") }
        let bonus = Bonus(code: "u", rule: .unilevel(UnilevelRule(rates: RateTable(levels: try rates("1000")))))
        await #expect(throws: RunFailure.overflow(where: "u")) { try await scene.run(bonus) }
    }

    @Test func problemsOfPlans() throws {
        let matching = Bonus(code: "m", rule: .matching(MatchingRule(bonuses: ["n"], rates: RateTable(levels: []))))
        let plan = Plan(code: "p", unit: .points, active: .paidRank(atLeast: 1), bonuses: [matching, Bonus(code: "n", rule: matching.rule)])
        #expect(plan.problems.map(\.reason).contains(.readsRankTooEarly))
        #expect(plan.problems.map(\.reason).contains(.matchOnMatch("n")))
        #expect(plan.problems.map(\.reason).contains(.readsLaterBonus("n")))
    }

    @Test func explainsLinesAndNothing() async throws {
        var scene = Scene("A B<A C<B")
        scene.members[1].status = .inactive
        scene.order("C", 10_000)
        let result = try await scene.run(
            Bonus(code: "u", rule: .unilevel(UnilevelRule(rates: RateTable(levels: try rates("0.05", "0.03"))))))
        let receipt = try result.explain(line: 0)
        #expect(receipt.path.map { result.facts.memberId($0.member) } == ["C", "B", "A"])
        #expect(receipt.line?.amountMinor == 300)
        let order = try #require(result.facts.order(id: "o1"))
        let nothing = try result.explainNothing(member: try #require(result.facts.member(id: "B")), order: order)
        #expect(nothing.map(\.nothing) == [.inactive])
        let member = try #require(result.facts.member(id: "B"))
        #expect(try result.explainNothing(member: member) == [PeriodNothing(bonus: 0, reason: .inactive)])
        #expect(try result.explainNothing(member: try #require(result.facts.member(id: "A"))) == [], "it paid")
        #expect(try result.explainNothing(member: try #require(result.facts.member(id: "C"))) == [PeriodNothing(bonus: 0, reason: .rule)])
    }

    /// A cap that takes everything is told as one.
    @Test func explainsWhatWasTakenAway() async throws {
        var scene = Scene("A B<A C<A")
        scene.order("B", 10_000)
        let level = Bonus(
            code: "u", rule: .unilevel(UnilevelRule(rates: RateTable(levels: try rates("0.05")))), capMinor: [0])
        let result = try await scene.run(level)
        let above = try #require(result.facts.member(id: "A"))
        #expect(try result.explainNothing(member: above) == [PeriodNothing(bonus: 0, reason: .takenAway)])
    }

    @Test(arguments: [true, false]) func longChainsAndWideStars(_ isChain: Bool) async throws {
        let count = 20_000
        var builder = FactsBuilder(calendar: PlanCalendar(), placementTrees: [])
        for member in 0..<count {
            let parent = member == 0 ? nil : isChain ? "m\(member - 1)" : "m0"
            try builder.add(MemberRow(row: member, id: "m\(member)", enrollerId: parent))
            try builder.add(OrderRow(row: member, id: "o\(member)", buyerId: "m\(member)", amountMinor: 100))
        }
        let facts = try builder.build(period: january)
        let levels = RateTable(levels: try rates("0.05", "0.05"))
        let plan = Plan(
            code: "p", unit: .points, ranks: [Rank(code: "one", condition: .atLeast(groupQV, 300)), Rank(code: "two", condition: .never)],
            bonuses: [
                Bonus(code: "u", rule: .unilevel(UnilevelRule(rates: levels, compression: .rollUp(stacks: true)))),
                Bonus(code: "g", rule: .generation(GenerationRule(rates: levels))),
                Bonus(code: "d", rule: .rankDifferential(RankDifferentialRule(rates: try rates("0", "0.1", "0.2")))),
                Bonus(code: "i", rule: .infinity(InfinityRule(rates: try rates("0", "0.01"), belowLevel: 3))),
                Bonus(code: "s", rule: .differential(DifferentialRule(slabs: [Slab(fromMinor: 0, rate: try Rate("0.1"))]))),
            ])
        let result = try await run(plan, facts: facts)
        #expect(result.totalMinor(bonus: 0) == (isChain ? Int128(count - 1) * 5 + Int128(count - 2) * 5 : Int128(count - 1) * 5))
    }
}
