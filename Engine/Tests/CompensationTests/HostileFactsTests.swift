import Chronology
import Compensation
import Money
import Testing

/// Facts, carries and decisions that somebody made to break a run: each is refused by name, or computed exactly; nothing wraps, and no
/// order of rows shows. Without the oracle, whose texts are equal when they look alike.
struct HostileFactsTests {
    /// é as one character, and as e with an accent: two ids.
    private static let (one, two) = ("\u{e9}", "e\u{301}")
    private static let level = Bonus(code: "u", rule: .unilevel(UnilevelRule(rates: RateTable(levels: [.whole]))))

    private func compute(_ scene: Scene, _ bonuses: [Bonus], carryIn: Carry = Carry(), overrides: [Override] = [], history: [PastOrder] = []) async throws -> RunResult {
        try await run(
            Plan(code: "p", unit: .points, bonuses: bonuses), facts: try scene.facts(), carryIn: carryIn, overrides: overrides, history: history)
    }

    @Test func idsAreTheirBytes() async throws {
        #expect(Self.one == Self.two, "texts of Swift look at characters")
        var scene = Scene("A")
        for id in [Self.one, Self.two] {
            scene.add("\(id)<A")
            scene.order(id, id.utf8.count == 2 ? 1_000 : 5_000, id: "o" + id)
        }
        let tiered = Bonus(code: "t", rule: .tiered(TieredRule(tiers: [Slab(fromMinor: 0, rate: .whole)], scope: .lifetime, ownPurchases: .payBuyer)))
        let first = try await compute(scene, [Self.level, tiered])
        #expect(first.carryOut.tiers.map { Array($0.id.utf8) } == [Self.two, Self.one].map { Array($0.utf8) }, "by bytes, not by chance")
        let history = first.pastOrders(ids: ["o" + Self.one, "o" + Self.two])
        #expect(history.map(\.amountMinor) == [5_000, 1_000])
        // A refund takes back what was paid on its own order.
        var later = Scene("A")
        later.period = february
        later.add("\(Self.one)<A")
        later.order(Self.one, -1_000, day: 40, id: "r", refundOf: "o" + Self.one)
        for history in [history, history.reversed()] {
            #expect(try await compute(later, [Self.level], history: history).amount("A") == -1_000)
        }
    }

    @Test func twoMovesAtOneInstantAreRefused() throws {
        var scene = Scene("A B<A C<A D<A")
        let moves = [MoveRow(row: 2, memberId: "D", parentId: "B", slot: 1, effectiveAt: day(3)), MoveRow(row: 3, memberId: "D", parentId: "C", slot: 1, effectiveAt: day(3))]
        for moves in [moves, moves.reversed()] {
            scene.moves = moves
            let failure = #expect(throws: FactsFailure.self) { try scene.facts() }
            #expect(failure?.row == 3 && failure?.reason == .movedTwice)
        }
        scene.moves = [moves[0], moves[0]]
        #expect(throws: Never.self, "the same move twice is one") { try scene.facts() }
    }

    @Test(arguments: [3, 80]) func movesThatLeadInACircleAreNamed(_ count: Int) throws {
        // A chain is turned round, all at once: each member below the next one; the last one stays below the first, or is its own root.
        var scene = Scene("m0")
        for number in 1...count { scene.add("m\(number)<m\(number - 1)") }
        scene.moves = (0..<count).map { MoveRow(row: $0 + 2, memberId: "m\($0)", parentId: "m\($0 + 1)", slot: 1, effectiveAt: day(3)) }
        let failure = #expect(throws: FactsFailure.self) { try scene.facts() }
        #expect(failure?.reason == .cycle(tree: "placement") && failure?.column == "parent_id")
        // By id bytes m(count) and m(count - 1) stand on the only circle.
        #expect(failure?.row == count + 1)
        scene.add("top")
        scene.moves.append(MoveRow(row: 1, memberId: "m\(count)", parentId: "top", slot: 1, effectiveAt: day(3)))
        #expect(throws: Never.self) { try scene.facts() }
    }

    @Test func sumsNeverWrap() async throws {
        var scene = Scene("A B<A")
        scene.order("B", 100)
        let most = Override(memberId: "A", kind: .adjustment(bonus: "u", amountMinor: .max), author: "a", reason: "r")
        await #expect(throws: RunFailure.overflow(where: "u")) { try await compute(scene, [Self.level], overrides: [most]) }
        var least = most
        least.kind = .adjustment(bonus: "u", amountMinor: -.max)
        #expect(try await compute(scene, [Self.level], overrides: [least, most]).amount("A") == 100)
        // A cap and a correction that nearly fills the number beside it.
        var capped = Self.level
        capped.capMinor = [40]
        #expect(try await compute(scene, [capped], overrides: [least]).amount("A") == 40 - .max)
    }

    @Test func carriedNumbersOfAnySizeAreRefusedOrTaken() async throws {
        var scene = Scene("A")
        scene.add("B<A", slot: 1)
        scene.add("C<A", slot: 2)
        scene.order("B", 100)
        scene.order("C", 100)
        let bonuses = [
            Bonus(code: "bin", rule: .binary(BinaryRule(match: .percentOfWeaker([.whole]), overCap: .bankAmount)), tree: .placement),
            Bonus(code: "up", rule: .milestone(MilestoneRule(condition: .always, amountMinor: 100, payments: 2, keepPeriods: 3))),
            Bonus(code: "t", rule: .tiered(TieredRule(tiers: [Slab(fromMinor: 0, rate: .zero)], scope: .lifetime, measure: .companyShare))),
        ]
        let numbers: [Int64] = [.min, .min + 1, -1, 0, 1, .max - 1, .max]
        var refused = 0
        for one in numbers {
            for two in numbers {
                var legs = Carry()
                legs.legs = [Carry.Leg(bonus: "bin", id: "A", slot: 1, bornOn: .earliest, agePeriods: Int(one), volume: two), Carry.Leg(bonus: "bin", id: "A", slot: 2, bornOn: .earliest, agePeriods: Int(two), volume: one)]
                var awards = Carry()
                awards.awards = [Carry.Award(bonus: "up", id: "A", rank: Int(one), agePeriods: Int(two), paymentsMade: Int(one), paidMinor: two)]
                var rest = Carry()
                rest.banked = [Carry.Banked(bonus: "bin", id: "A", amountMinor: one), Carry.Banked(bonus: "bin", id: "A", amountMinor: two)]
                rest.tiers = [Carry.Tier(bonus: "t", id: "A", year: 0, baseMinor: one, companyExact: Int128(two) << 63)]
                rest.members = [Carry.Member(id: "A", highestRank: Int(one), keptRank: Int(two), missedPeriods: Int(one), debtMinor: two)]
                let past = PastOrder(
                    orderId: "old", amountMinor: 50, refundedAmountMinor: one, refundedCommissionVolume: two,
                    paid: [PastOrder.Paid(memberId: "A", bonus: "t", level: Int(two), amountMinor: one, reversedMinor: two)])
                var refunding = scene
                refunding.order("B", -50, id: "r", refundOf: "old")
                for (scene, carry, history) in [(scene, legs, []), (scene, awards, []), (scene, rest, []), (refunding, Carry(), [past])] {
                    do { _ = try await compute(scene, bonuses, carryIn: carry, history: history) } catch {
                        guard case .overflow? = error as? RunFailure else { throw error }
                        refused += 1
                    }
                }
            }
        }
        #expect(refused > 0)
    }
}
