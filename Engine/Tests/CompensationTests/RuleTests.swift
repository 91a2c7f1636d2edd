import Chronology
import Compensation
import Money
import Testing

/// Rules whose numbers stand in `docs/plans.md` or follow from it.
@Suite struct RuleTests {
    @Test func breakawayTable() async throws {
        var scene = Scene("Top Middle<Top Lowest<Middle")
        scene.order("Top", 300_000)
        scene.order("Middle", 50_000)
        scene.order("Lowest", 200_000)
        let rule = BreakawayRule(slabs: [Slab(fromMinor: 100_000, rate: try Rate("0.2"))], override: try Rate("0.06"), guaranteedMinor: 100_000)
        let result = try await scene.run(Bonus(code: "b", rule: .breakaway(rule)))
        func override(_ id: String) throws -> Int64 { try result.lines(of: id).filter { $0.reason == .overrideOnLeg }.reduce(0) { $0 + $1.amountMinor } }
        #expect(try override("Lowest") == 0)
        #expect(try override("Middle") == 9_000)
        #expect(try override("Top") == 6_000)
        #expect(result.breakage[0].nobodyMinor == 18_000)
        #expect(try result.amount("Middle") == 9_000 + 10_000)
    }

    @Test func partialRefundsAddUpToTheLine() async throws {
        let bonus = Bonus(code: "u", rule: .unilevel(UnilevelRule(rates: RateTable(levels: try rates("0.033")))), capMinor: [77])
        var sale = Scene("A B<A")
        sale.order("B", 3_000, id: "sale")
        let first = try await sale.run(bonus)
        #expect(try first.amount("A") == 77)
        var history = first.pastOrders(ids: ["sale"])
        #expect(history.first?.paid.map(\.amountMinor) == [77])
        var taken: Int64 = 0
        for part in 0..<3 {
            var scene = Scene("A B<A")
            scene.period = february
            scene.order("B", -1_000, day: 31 + part, id: "r\(part)", refundOf: "sale")
            let result = try await scene.run(bonus, history: history)
            taken += try result.amount("A")
            history = result.refundedOrders
        }
        #expect(taken == -77)
        var unknown = Scene("A B<A")
        unknown.order("B", -1, id: "r", refundOf: "ghost")
        await #expect(throws: RunFailure.unknownRefundedOrder(refund: "r", order: "ghost")) { try await unknown.run(bonus) }
    }

    @Test func graceKeepsThePaidRank() async throws {
        let plan = Plan(
            code: "p", unit: .points, ranks: [Rank(code: "one", condition: .atLeast(groupQV, 100)), Rank(code: "two", condition: .atLeast(groupQV, 1_000))],
            rankRule: RankRule(gracePeriods: 2),
            trackers: [Tracker(code: "big", condition: .atLeast(groupQV, 1_000)), Tracker(code: "paid", condition: .paidRank(atLeast: 2))], bonuses: [])
        var carry = Carry()
        var paid: [Int] = []
        for (month, volume) in [1_000, 200, 100, 100, 1_000].enumerated() {
            let start = try january.start.adding(months: Int64(month))
            var scene = Scene("A")
            scene.period = Period(start: start, end: try start.adding(months: 1))
            scene.order("A", Int64(volume), day: Int(start.dayNumber))
            let result = try await scene.run(plan, carryIn: carry)
            paid.append(try result.statement("A").paidRank)
            carry = result.carryOut
        }
        #expect(paid == [2, 2, 2, 1, 2])
        #expect(carry.members.first?.trackers == [0b10001, 0b11101])
    }

    @Test func generationAndInfinityStopAtLeaders() async throws {
        var scene = Scene("A B<A C<B D<C E<D")
        scene.order("E", 100_000, id: "deep")
        scene.order("B", 100_000, id: "own")
        let ranks = emptyRanks(2)
        let result = try await scene.run(
            Bonus(code: "i", rule: .infinity(InfinityRule(rates: try rates("0", "0.01", "0.02"), belowLevel: 1))),
            Bonus(code: "d", rule: .infinity(InfinityRule(rates: try rates("0", "0.01", "0.02"), belowLevel: 1, blocking: .difference))),
            Bonus(code: "g", rule: .generation(GenerationRule(rates: RateTable(levels: try rates("0.05", "0.03"))))),
            ranks: ranks, overrides: [title("A", 2), title("B", 1), title("C", 1)])
        // E's order: C is level 2 (rank 1), B blocked by C, A (rank 2) free. B's own order: A is level 1 only.
        #expect(try ["A", "B", "C"].map { try result.amount($0, "i") } == [2_000, 0, 1_000])
        #expect(try ["A", "B", "C"].map { try result.amount($0, "d") } == [1_000, 0, 1_000])
        // C is generation 0 of E's order to C; B is paid on it as generation 1, A has no leader of rank 2 below.
        #expect(try ["A", "B", "C"].map { try result.amount($0, "g") } == [0, 5_000, 0])
    }

    @Test func binaryFlushExpiryAndNegativeVolume() async throws {
        let rule = BinaryRule(match: .percentOfWeaker(try rates("0.1")), expiresAfterPeriods: 1)
        let bonus = Bonus(code: "b", rule: .binary(rule), tree: .placement)
        func month(_ number: Int64, left: Int64, right: Int64, carry: Carry, status: MemberStatus = .active) async throws -> (BinaryStatement, Carry, Int64) {
            let start = try january.start.adding(months: number)
            var scene = Scene()
            scene.add("A", status: status)
            scene.add("L<A", slot: 1)
            scene.add("R<A", slot: 2)
            scene.period = Period(start: start, end: try start.adding(months: 1))
            if left != 0 { scene.order("L", left, day: Int(start.dayNumber), id: "l") }
            if right != 0 { scene.order("R", right, day: Int(start.dayNumber), id: "r") }
            let result = try await scene.run(bonus, carryIn: carry)
            let member = try #require(result.facts.member(id: "A"))
            return (try #require(result.binary.first { $0.member == member }), result.carryOut, try result.amount("A"))
        }
        let (one, first, paid) = try await month(0, left: 1_000, right: 400, carry: Carry())
        #expect((one.left.carriedOut, one.right.carriedOut, paid) == (600, 0, 40))
        let (two, second, _) = try await month(1, left: 100, right: 200, carry: first)
        #expect((two.left.matched, two.left.expired, two.left.carriedOut) == (200, 400, 100))
        let (three, third, _) = try await month(2, left: -300, right: 50, carry: second)
        #expect((three.left.carriedOut, three.left.matched, three.right.carriedOut) == (-200, 0, 50))
        let (four, _, amount) = try await month(3, left: 500, right: 100, carry: third, status: .inactive)
        #expect((four.left.flushed, four.right.flushed, four.left.carriedOut, amount) == (300, 150, 0, 0))
    }

    @Test func ranksOfSeveralTreesSettle() async throws {
        var scene = Scene("A B<A C<A")
        scene.members[2].places = [TreePlace(parentId: "B", slot: 1)]
        scene.order("C", 500)
        let result = try await scene.run(ranks: [
            Rank(code: "one", condition: .any([.atLeast(.personalVolume(.qualifying, of: .own, on: .enroller), 500), .atLeast(.legsWithRank(1, on: .placement, anywhere: false), 1)])),
            Rank(code: "two", condition: .atLeast(.legsWithRank(1, on: .enroller, anywhere: false), 2)),
        ])
        #expect(try ["A", "B", "C"].map { try result.statement($0).rank } == [2, 1, 1])
    }

    @Test func advancementIsPaidOnceAndTakenBack() async throws {
        let bonus = Bonus(code: "up", rule: .rankAdvancement(RankAdvancementRule(amountsMinor: [1_000], payments: 3, keepPeriods: 2)))
        var carry = Carry()
        var amounts: [Int64] = []
        for (month, volume) in [100, 100, 0, 100].enumerated() {
            let start = try january.start.adding(months: Int64(month))
            var scene = Scene("A")
            scene.period = Period(start: start, end: try start.adding(months: 1))
            if volume > 0 { scene.order("A", Int64(volume), day: Int(start.dayNumber)) }
            let result = try await scene.run(bonus, ranks: [Rank(code: "one", condition: .atLeast(groupQV, 100))], carryIn: carry)
            amounts.append(try result.amount("A"))
            carry = result.carryOut
        }
        #expect(amounts == [334, 333, -667, 0])
    }

    @Test func auditAndDisclosure() async throws {
        var scene = Scene("A B<A")
        scene.order("B", 10_000, product: "kit")
        let result = try await scene.run(Bonus(code: "u", rule: .unilevel(UnilevelRule(rates: RateTable(levels: try rates("0.1"))))))
        let findings = result.audit(kits: ["kit"])
        #expect(findings.first { $0.check == .nonParticipantShare }?.outcome == .fails)
        #expect(findings.first { $0.check == .internalShare }?.outcome == .fails)
        #expect(findings.contains { $0.check == .noProductSale && $0.isHard })
        #expect(result.disclosure.participants == 2)
        #expect(result.disclosure.zeroParticipants == 1)
    }
}
