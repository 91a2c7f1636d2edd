import Chronology
import Compensation
import Money
import Testing

/// Sentences of `docs/plans.md` that an independent computation once read otherwise than the engine.
@Suite struct DocumentedRuleTests {
    private static let ranks = emptyRanks(2)

    @Test func belowTheFirstSlabTheCompanyKeepsAll() async throws {
        var scene = Scene("A")
        scene.add("c<A", kind: .customer)
        scene.order("c", 1_000)
        let rule = TieredRule(tiers: [Slab(fromMinor: 300, rate: .whole)], measure: .companyShare)
        let result = try await scene.run(Bonus(code: "t", rule: .tiered(rule)))
        #expect(try result.amount("A") == 700)
    }

    @Test func negativeOrdersOfACompanyShareAreTakenAtTheRateReached() async throws {
        var scene = Scene("A")
        scene.add("c<A", kind: .customer)
        scene.order("c", 1_000, day: 1)
        scene.order("c", -100, day: 2)
        let rule = TieredRule(tiers: [Slab(fromMinor: 0, rate: try Rate("0.2")), Slab(fromMinor: 400, rate: try Rate("0.5"))], measure: .companyShare)
        let result = try await scene.run(Bonus(code: "t", rule: .tiered(rule)))
        // 500 at 20 % leave 400 with the company, 500 at 50 %; −100 at 50 %.
        #expect(try result.amount("A") == 100 + 250 - 50)
    }

    @Test func theOrderOfAdjustmentsNeverShows() async throws {
        let bonus = Bonus(code: "u", rule: .unilevel(UnilevelRule(rates: RateTable(levels: [.whole]))))
        let both = [3, -2].map { Override(memberId: "A", kind: .adjustment(bonus: "u", amountMinor: $0), author: "a", reason: "r") }
        let one = try await Scene("A").run(bonus, overrides: both)
        let other = try await Scene("A").run(bonus, overrides: both.reversed())
        #expect(one.lines == other.lines)
    }

    @Test func activityReadsTheTrackersOfThisPeriod() async throws {
        let bought = Tracker(code: "bought", condition: .atLeast(.personalVolume(.qualifying, of: .own, on: .enroller), 100))
        let recently = Condition.atLeast(.qualifiedPeriods(tracker: "bought", within: 2), 1)
        let plan = Plan(code: "p", unit: .points, active: recently, trackers: [bought], bonuses: [])
        var carry = Carry()
        var found: [Bool] = []
        for (month, volume) in [100, 0, 0, 100].enumerated() {
            let start = try january.start.adding(months: Int64(month))
            var scene = Scene("A")
            scene.period = Period(start: start, end: try start.adding(months: 1))
            scene.order("A", Int64(volume), day: Int(start.dayNumber))
            let result = try await scene.run(plan, carryIn: carry)
            found.append(try result.statement("A").isActive)
            carry = result.carryOut
        }
        #expect(found == [true, true, false, true])
        var circular = plan
        circular.trackers[0].condition = .active
        #expect(circular.problems.contains { $0.reason == .trackerNotYetKnown("bought") })
    }

    @Test func capsLookPastCorrections() async throws {
        var scene = Scene("A B<A")
        scene.order("B", 1_000)
        let bonus = Bonus(code: "u", rule: .unilevel(UnilevelRule(rates: RateTable(levels: [.whole]))))
        let plan = Plan(code: "p", unit: .points, bonuses: [bonus], personCapMinor: [300])
        let correction = Override(memberId: "A", kind: .adjustment(bonus: "u", amountMinor: -900), author: "a", reason: "r")
        #expect(try await scene.run(plan, overrides: [correction]).amount("A") == 300 - 900)
    }

    @Test func clawbacksMakeNoRoomUnderTheCap() async throws {
        let rule = RankAdvancementRule(amountsMinor: [500, 800], keepPeriods: 1, paysSkipped: true)
        let bonus = Bonus(code: "up", rule: .rankAdvancement(rule), capMinor: [600])
        var carry = Carry()
        carry.members = [Carry.Member(id: "A", highestRank: 1)]
        carry.awards = [Carry.Award(bonus: "up", id: "A", rank: 1, paymentsMade: 1, paidMinor: 500)]
        // B advances by two ranks; nothing is taken back from B.
        let plain = try await Scene("A B").run(bonus, ranks: Self.ranks, carryIn: carry, overrides: [title("A", 1), title("B", 2)])
        #expect(try plain.amount("B") == 600)
        // A loses rank 1 and has it taken back, whatever the cap is.
        let lost = try await Scene("A").run(bonus, ranks: Self.ranks, carryIn: carry)
        #expect(try lost.amount("A") == -500)
    }

    @Test func conditionsOfBonusesReadRanksOfLegs() async throws {
        var scene = Scene("A B<A C<B")
        scene.order("C", 1_000)
        let legs = Condition.atLeast(.legsWithRank(1, on: .enroller, anywhere: false), 1)
        let outside = Condition.atLeast(.groupVolumeOutside(.qualifying, on: .enroller, rank: 1), 1_000)
        let rule = BonusRule.unilevel(UnilevelRule(rates: RateTable(levels: try rates("0.1", "0.1"))))
        let result = try await scene.run(
            Bonus(code: "legs", rule: rule, eligibility: legs), Bonus(code: "outside", rule: rule, eligibility: outside),
            ranks: Self.ranks, overrides: [title("B", 1)])
        #expect(try ["A", "B"].map { try result.amount($0, "legs") } == [100, 0])
        #expect(try ["A", "B"].map { try result.amount($0, "outside") } == [0, 100])
    }

    @Test func firstOrdersAreFirstEver() async throws {
        var scene = Scene("A")
        scene.add("c<A", kind: .customer)
        scene.order("c", 1_000)
        let first = Bonus(code: "first", rule: .direct(DirectRule(terms: [.init(reward: .flat([7]))])), orders: OrderFilter(turn: .first))
        let one = try await scene.run(first)
        #expect(try one.amount("A") == 7)
        scene.period = february
        scene.orders[0].id = "later"
        scene.orders[0].occurredAt = day(31)
        #expect(try await scene.run(first, carryIn: one.carryOut).amount("A") == 0)
    }

    @Test func breakawayRoundsOncePerPayee() async throws {
        var scene = Scene("A B<A")
        scene.order("A", 105)
        scene.order("B", 105)
        // A: 10.5 on the own group and 10.5 of the override: 21, not 10 + 10.
        let rule = BreakawayRule(slabs: [Slab(fromMinor: 0, rate: try Rate("0.1"))], override: try Rate("0.1"))
        let result = try await scene.run(Bonus(code: "b", rule: .breakaway(rule)))
        #expect(try result.amount("A") == 21)
        scene.orders[0].amountMinor = 5
        let more = try await scene.run(Bonus(code: "b", rule: .breakaway(rule)))
        // 0.5 + (0.5 + 10.5 − 0.5) = 11 exactly.
        #expect(try more.amount("A") == 11)
        #expect(try more.lines(of: "A").map(\.amountMinor).sorted() == [1, 10])
    }

    @Test func whatABinaryCapCutsIsCutFromTheLine() async throws {
        var scene = Scene("A")
        scene.add("L<A", slot: 1)
        scene.add("R<A", slot: 2)
        scene.order("L", 1_000)
        scene.order("R", 1_000)
        let binary = Bonus(code: "b", rule: .binary(BinaryRule(match: .percentOfWeaker([.whole]), capMinor: [10, 20])), tree: .placement)
        let unilevel = Bonus(code: "u", rule: .unilevel(UnilevelRule(rates: RateTable(levels: try rates("0.1")))))
        let plan = Plan(code: "p", unit: .points, ranks: Self.ranks, bonuses: [binary, unilevel], personCapMinor: [0, 21])
        let result = try await scene.run(plan, overrides: [title("A", 1)])
        // 20 and 200 become 21 in proportion: 1.9 and 19.1.
        #expect(try result.amount("A", "b") == 2)
        #expect(try result.amount("A", "u") == 19)
    }

    @Test func stackedMatchesAreOneRoundingGroup() async throws {
        var scene = Scene("A B<A C<B")
        scene.order("C", 50)
        // B earns 5 and is not eligible to match: both levels go to A, 0.5 + 0.5 = 1.
        let earned = Bonus(code: "u", rule: .unilevel(UnilevelRule(rates: RateTable(levels: try rates("0.1")))))
        let rule = MatchingRule(bonuses: ["u"], rates: RateTable(levels: try rates("0.1", "0.1")), compression: .rollUp(stacks: true))
        var long = Scene("Z A<Z B<A C<B")
        long.orders = scene.orders
        let match = Bonus(code: "m", rule: .matching(rule), eligibility: .paidRank(atLeast: 1))
        let result = try await long.run(earned, match, ranks: Self.ranks, overrides: [title("Z", 1)])
        #expect(try result.amount("Z", "m") == 1)
    }

    @Test func aCommissionAsBaseIsWhatWasPaid() async throws {
        var scene = Scene("A")
        scene.add("c<A", kind: .customer)
        for number in 1...2 { scene.order("c", 15, day: number) }
        // 1.5 + 1.5 are rounded together to 3: 2 and 1, not 2 and 2.
        let paid = Bonus(code: "p", rule: .direct(DirectRule(terms: [.init(reward: .percent(try rates("0.1")))])), roundingScope: .period)
        let onTop = Bonus(code: "o", rule: .direct(DirectRule(terms: [.init(reward: .percent([.whole]))])), base: .commission(of: "p"))
        let result = try await scene.run(paid, onTop)
        #expect(try result.amount("A", "o") == 3)
    }

    @Test func blockingLeadersLeaveBreakageAtEveryBoundary() async throws {
        var scene = Scene("A B<A C<B")
        scene.order("C", 1_000)
        for boundary in [GenerationRule.Boundary.ownRank, .rank(1)] {
            let rule = GenerationRule(rates: RateTable(levels: try rates("0.1")), boundary: boundary, unqualifiedLeaders: .block)
            let result = try await scene.run(
                Bonus(code: "g", rule: .generation(rule), eligibility: .not(.paidRank(atLeast: 1))), ranks: Self.ranks,
                overrides: [title("C", 1), title("B", 1)])
            #expect(result.breakage[0].unqualifiedMinor == 100)
        }
    }

    @Test func aBuyerWhoIsNotCountedIsNoLevel() async throws {
        var scene = Scene("A")
        scene.add("B<A", status: .inactive)
        scene.order("B", 1_000)
        let rule = UnilevelRule(rates: RateTable(levels: try rates("0.1", "0.01")), compression: .removeInactive(.active), firstLevel: .buyer)
        let result = try await scene.run(Bonus(code: "u", rule: .unilevel(rule), eligibility: .always))
        #expect(try ["A", "B"].map { try result.amount($0) } == [100, 0])
    }

    @Test func bonusesOfVolumesMarkWhatTheyTake() async throws {
        var scene = Scene("A B<A")
        scene.order("B", 1_000, product: "tea")
        scene.order("B", 1_000, product: "kit")
        let unilevel = BonusRule.unilevel(UnilevelRule(rates: RateTable(levels: try rates("0.1"))))
        let result = try await scene.run(
            Bonus(code: "p", rule: .pool(PoolRule(rate: try Rate("0.1"), shares: .byRank([1]))), orders: OrderFilter(products: ["kit"]), marks: OrderMark(tag: "x")),
            Bonus(code: "u", rule: unilevel, skipsTags: ["x"]))
        #expect(try result.amount("A", "u") == 100)
    }

    @Test func anAverageRateIsTakenOncePerPayee() async throws {
        let levels = RateTable(rows: [[], try rates("0.1", "0.05")])
        let stacked = Bonus(code: "u", rule: .unilevel(UnilevelRule(rates: levels, compression: .rollUp(stacks: true))), refunds: .averageRate)
        let flat = Bonus(code: "f", rule: .direct(DirectRule(terms: [.init(reward: .flat([40]))], ownPurchases: .paySeller)), refunds: .averageRate)
        var sale = Scene("A B<A C<B")
        sale.order("C", 1_000, id: "sale")
        let first = try await sale.run(stacked, flat, ranks: Self.ranks, overrides: [title("A", 1)])
        #expect(try first.amount("A", "u") == 150)
        #expect(try first.amount("B", "f") == 40)
        var scene = Scene("A B<A C<B")
        scene.period = february
        scene.order("C", -500, day: 31, id: "back", refundOf: "sale")
        let second = try await scene.run(stacked, flat, ranks: Self.ranks, history: first.pastOrders(ids: ["sale"]))
        #expect(try second.amount("A", "u") == -75)
        #expect(try second.amount("B", "f") == -20)
    }

    @Test func flatAmountsOnOrdersWithoutABaseAreDebitedByMoney() async throws {
        let flat = Bonus(code: "f", rule: .direct(DirectRule(terms: [.init(reward: .flat([40]))], ownPurchases: .paySeller)))
        var sale = Scene("A B<A")
        sale.order("B", 1_000, cv: 0, id: "kit")
        let first = try await sale.run(flat)
        var scene = Scene("A B<A")
        scene.period = february
        scene.order("B", -250, cv: 0, day: 31, id: "back", refundOf: "kit")
        #expect(try await scene.run(flat, history: first.pastOrders(ids: ["kit"])).amount("A") == -10)
    }

    @Test func ranksCarriedFromAPlanWithMoreAreTheLastOne() async throws {
        var scene = Scene("A B<A")
        scene.order("B", 1_000)
        var carry = Carry()
        carry.members = [Carry.Member(id: "A", highestRank: 50, keptRank: 50)]
        let rule = BonusRule.unilevel(UnilevelRule(rates: RateTable(rows: [[], [], try rates("0.1")])))
        let result = try await scene.run(Bonus(code: "u", rule: rule, rankBasis: .career), ranks: Self.ranks, carryIn: carry)
        #expect(try result.amount("A") == 100)
        #expect(try result.statement("A").highestRank == 2)
    }

    @Test func aRefundIsNoOrderAndProvesAnEarlierOne() async throws {
        var scene = Scene("A")
        scene.add("c<A", kind: .customer)
        scene.order("c", -500, cv: 0, day: 1, id: "back", refundOf: "sale")
        let history = [PastOrder(orderId: "sale", amountMinor: 1_000, paid: [])]
        let customers = Bonus(code: "m", rule: .milestone(MilestoneRule(condition: .atLeast(.customers(.commission, atLeast: 0), 1), amountMinor: 5)))
        #expect(try await scene.run(customers, history: history).amount("A") == 0)
        scene.order("c", 100, day: 2)
        let first = Bonus(code: "f", rule: .direct(DirectRule(terms: [.init(reward: .flat([7]))])), orders: OrderFilter(turn: .first))
        #expect(try await scene.run(first, history: history).amount("A") == 0)
    }
}
