import Chronology
import Compensation
import Money
import Testing

@Suite struct BinaryCaseTests {
    private func binary(_ left: Int64, _ right: Int64, _ match: BinaryRule.Match, rank: Int = 1, cap: [Int64] = [], overCap: BinaryRule.OverCap = .truncate) async throws -> (result: RunResult, statement: BinaryStatement) {
        var scene = Scene("A")
        scene.placementTrees = [(.placement, 2)]
        scene.add("L<A", slot: 1)
        scene.add("R<A", slot: 2)
        scene.order("L", left)
        scene.order("R", right)
        let result = try await scene.run(
            Bonus(code: "binary", rule: .binary(BinaryRule(match: match, capMinor: cap, overCap: overCap)), tree: .placement),
            ranks: emptyRanks(3), overrides: [title("A", rank)])
        let member = try #require(result.facts.member(id: "A"))
        return (result, try #require(result.binary.first { $0.member == member }))
    }

    @Test func usanaStepTable() async throws {
        let worked = try WorkedCase("usana-carry")
        let steps: [BinaryRule.Step] = [.init(volume: 100_000, amountMinor: 20_000), .init(volume: 200_000, amountMinor: 40_000), .init(volume: 300_000, amountMinor: 60_000)]
        let (result, statement) = try await binary(try cents(worked.inputs["left"]), try cents(worked.inputs["right"]), .steps(steps))
        #expect(try result.amount("A") == cents(worked.expected["commission_points"]))
        #expect(statement.left.carriedOut == (try cents(worked.expected["carry_left"])))
        #expect(statement.right.carriedOut == (try cents(worked.expected["carry_right"])))
    }

    @Test func legsWithoutAMatchAreTold() async throws {
        let (result, _) = try await binary(30_000, 500, .steps([.init(volume: 1_000, amountMinor: 200)]))
        let member = try #require(result.facts.member(id: "A"))
        #expect(try result.explainNothing(member: member) == [PeriodNothing(bonus: 0, reason: .unmatched(leftMinor: 30_000, rightMinor: 500))])
    }

    @Test func weakLegByRank() async throws {
        let worked = try WorkedCase("netready-weak-leg")
        let pay = try object(worked.inputs["rank_pct"])
        let names = ["Bronze", "Silver", "Gold"]
        let table = [Rate.zero] + (try names.map { try percent(pay[$0]) })
        for (place, name) in names.enumerated() {
            let (result, statement) = try await binary(try cents(worked.inputs["left"]), try cents(worked.inputs["right"]), .percentOfWeaker(table), rank: place + 1)
            #expect(try result.amount("A") == cents(worked.expected[name]))
            #expect(statement.right.carriedOut == (try cents(worked.expected["bank_strong"])))
            #expect(statement.left.carriedOut == 0)
        }
    }

    @Test func beInfinityCycles() async throws {
        let worked = try WorkedCase("beinf-bb-3")
        let unit = try cents(worked.inputs["cycle"])
        let (result, statement) = try await binary(
            try cents(worked.inputs["left"]), try cents(worked.inputs["right"]),
            .cycles(left: unit, right: unit, mirrored: false, valueMinor: [try cents(worked.inputs["value_per_cycle"])]))
        #expect(statement.cycles == Int64(try integer(worked.expected["cycles"])))
        #expect(try result.amount("A") == cents(worked.expected["commission"]))
        #expect(statement.left.carriedOut == (try cents(worked.expected["remaining_left"])))
        #expect(statement.right.carriedOut == (try cents(worked.expected["remaining_right"])))
    }

    @Test func geneletPairsWithCap() async throws {
        let worked = try WorkedCase("genelet-pairing-cap")
        let (result, statement) = try await binary(
            try cents(worked.inputs["left"]), try cents(worked.inputs["right"]),
            .unitPairs(unit: try cents(worked.inputs["unit"]), twoToOne: false, rates: try rates("0.1")), cap: [try cents(worked.inputs["c_upper"])])
        #expect(try result.amount("A") == cents(worked.expected["payout"]))
        #expect(statement.left.carriedOut == (try cents(worked.expected["remaining_left"])))
        #expect(statement.right.carriedOut == (try cents(worked.expected["remaining_right"])))
        #expect(result.breakage[0].capBonusMinor == 1_000)
    }

    @Test(arguments: [(600, 300, 1), (300, 600, 1), (1_000, 1_000, 2), (900, 900, 2), (1_800, 1_800, 4), (600, 299, 0), (6_000_000, 3_000, 10)])
    func mirroredCycles(_ left: Int64, _ right: Int64, _ cycles: Int64) async throws {
        let (_, statement) = try await binary(left * 100, right * 100, .cycles(left: 60_000, right: 30_000, mirrored: true, valueMinor: [3_500]))
        #expect(statement.cycles == cycles)
        if left == 600, right == 300 { #expect(cycles == Int64(try integer(try WorkedCase("jeunesse-cycle").expected["cycles"]))) }
    }

    @Test func matchingAfterCaps() async throws {
        let worked = try WorkedCase("multisoft-matching")
        var scene = Scene("A B<A")
        scene.placementTrees = [(.placement, 2)]
        scene.add("L<B", slot: 1)
        scene.add("R<B", slot: 2)
        // B moves elsewhere in the placement tree; the match follows the enroller.
        scene.add("X")
        scene.members[1].places = [TreePlace(parentId: "X", slot: 1)]
        scene.order("L", 1_000_000)
        scene.order("R", 1_000_000)
        let cap = try cents(worked.inputs["B_capped_earnings"])
        let result = try await scene.run(
            Bonus(code: "binary", rule: .binary(BinaryRule(match: .percentOfWeaker(try rates("0.1")), capMinor: [cap])), tree: .placement),
            Bonus(code: "match", rule: .matching(MatchingRule(bonuses: ["binary"], rates: RateTable(levels: [try percent(worked.inputs["match_pct"])])))))
        #expect(try result.amount("B", "binary") == cap)
        #expect(try result.amount("A", "match") == cents(worked.expected["A_match"]))
    }

    @Test func bankedVolumeAndAmount() async throws {
        let (volume, kept) = try await binary(100_000, 100_000, .percentOfWeaker(try rates("0.1")), cap: [3_000], overCap: .bankVolume)
        #expect(try volume.amount("A") == 3_000)
        #expect(kept.left.carriedOut == 70_000)
        let (amount, banked) = try await binary(100_000, 100_000, .percentOfWeaker(try rates("0.1")), cap: [3_000], overCap: .bankAmount)
        #expect(try amount.amount("A") == 3_000)
        #expect(banked.bankedOutMinor == 7_000)
        #expect(amount.carryOut.banked.map(\.amountMinor) == [7_000])
    }
}
