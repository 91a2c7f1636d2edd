import Compensation
import Money
import Testing

/// The 70 % rule of a plan: what is paid to those who sold and used too little of what they bought. Every run is also the oracle's.
struct SoldOrUsedTests {
    private static let seventy = SharePPM(ppm: 700_000) ?? .whole
    private static let tenth = RateTable(levels: [(try? Rate("0.1")) ?? .zero])
    /// A tenth of what the promoters right below buy.
    private static let level = Bonus(code: "level", rule: .unilevel(UnilevelRule(rates: tenth)), orders: OrderFilter(buyer: .promoter))

    private static func plan(_ rule: SoldOrUsedRule?, _ bonuses: [Bonus] = [level], person: [Int64] = [], share: Rate? = nil) -> Plan {
        Plan(code: "p", unit: .points, bonuses: bonuses, soldOrUsed: rule, personCapMinor: person, planCap: share)
    }

    /// A has bought and sold so much; B below A has bought for what A earns on.
    private static func scene(bought: Int64, sold: Int64, below: Int64) -> Scene {
        var scene = Scene("A B<A")
        scene.add("K<A", kind: .customer)
        scene.order("A", bought)
        if sold != 0 { scene.order("K", sold) }
        scene.order("B", below)
        return scene
    }

    @Test func amwayPaysTheSoldPart() async throws {
        let worked = try WorkedCase("amway-70-rule")
        let full = try cents(worked.inputs["bonus_full"])
        let scene = Self.scene(bought: try cents(worked.inputs["purchased"]), sold: try cents(worked.inputs["sold"]), below: 10 * full)
        // What is used is among what is sold there.
        let result = try await scene.run(Self.plan(SoldOrUsedRule(atLeast: Self.seventy, usedBelowMinor: 0)))
        let paid = try cents(worked.expected["bonus_paid"])
        #expect(try result.amount("A") == paid)
        let lines = try result.lines(of: "A")
        #expect(lines.map(\.reason) == [.earned, .capSoldOrUsed])
        #expect(lines.map(\.amountMinor) == [full, paid - full])
        #expect(lines.map(\.cutMinor) == [full - paid, 0])
        #expect(result.breakage[0].capSoldOrUsedMinor == Int128(full - paid) && result.breakage[0].cappedMinor == Int128(full - paid))
        #expect(try await scene.run(Self.plan(nil)).amount("A") == full)
    }

    struct Case: CustomTestStringConvertible, Sendable {
        var bought: Int64
        var sold: Int64
        var used: Int64 = 0
        var earns: Int64
        var paid: Int64
        var below = SoldOrUsedRule.Below.proRata
        var testDescription: String { "\(sold) + less than \(used) of \(bought): \(paid) of \(earns), \(below.code)" }
    }

    @Test(arguments: [
        // At the share all is paid, one unit below the part.
        Case(bought: 1_000, sold: 700, earns: 1_000, paid: 1_000), Case(bought: 1_000, sold: 699, earns: 1_000, paid: 699),
        Case(bought: 1_000, sold: 699, earns: 1_000, paid: 0, below: .nothing), Case(bought: 1_000, sold: 700, earns: 1_000, paid: 1_000, below: .nothing),
        // Half a unit goes to the even one: 12.5 and 17.5.
        Case(bought: 1_000, sold: 500, earns: 25, paid: 12), Case(bought: 1_000, sold: 500, earns: 35, paid: 18),
        // Below the limit own purchases are used: 199 of 200.
        Case(bought: 1_000, sold: 500, used: 200, earns: 1_000, paid: 699), Case(bought: 1_000, sold: 500, used: 201, earns: 1_000, paid: 1_000),
        Case(bought: 199, sold: 0, used: 200, earns: 1_000, paid: 1_000), Case(bought: 1_000, sold: 0, used: 1, earns: 1_000, paid: 0),
        // More came back than was sold.
        Case(bought: 1_000, sold: -300, earns: 1_000, paid: 0),
        // Nothing bought, nothing to judge; as much came back as was bought, too.
        Case(bought: 0, sold: 0, earns: 1_000, paid: 1_000), Case(bought: -50, sold: 0, earns: 1_000, paid: 1_000),
    ])
    func thePartThatIsPaid(_ given: Case) async throws {
        let scene = Self.scene(bought: given.bought, sold: given.sold, below: 10 * given.earns)
        let rule = SoldOrUsedRule(atLeast: Self.seventy, below: given.below, usedBelowMinor: given.used)
        for threads in 1...2 {
            let result = try await scene.run(Self.plan(rule), threads: threads)
            #expect(try result.amount("A") == given.paid)
            #expect(result.breakage[0].capSoldOrUsedMinor == Int128(given.earns - given.paid))
        }
    }

    @Test func theCutIsSpreadOverTheLinesByLargestRemainder() async throws {
        var scene = Scene("A B<A C<A D<A")
        scene.order("A", 1_000)
        for (buyer, amount) in [("B", 50), ("C", 50), ("D", 110)] { scene.order(buyer, Int64(amount)) }
        // 5 + 5 + 11 earned, half of 21 is 10.5, paid 10: the cut of 11 is 2 + 2 + 5 and two units, for the remainders 16/21 of the last and 13/21 of the first.
        scene.add("K<A", kind: .customer)
        scene.order("K", 500)
        let result = try await scene.run(Self.plan(SoldOrUsedRule(atLeast: Self.seventy, usedBelowMinor: 0)))
        let lines = try result.lines(of: "A").filter { $0.reason == .earned }
        #expect(lines.map(\.amountMinor) == [5, 5, 11] && lines.map(\.cutMinor) == [3, 2, 6])
        #expect(try result.amount("A") == 10)
    }

    @Test func theRuleStandsBeforeTheCapsOfPersonAndPlan() async throws {
        let scene = Self.scene(bought: 1_000, sold: 500, below: 10_000)
        let half = SoldOrUsedRule(atLeast: Self.seventy, usedBelowMinor: 0)
        // 1,000 earned, 500 left: a cap of 600 does not bite any more, one of 300 does.
        for (cap, paid) in [(Int64(600), Int64(500)), (300, 300)] {
            let result = try await scene.run(Self.plan(half, person: [cap]))
            #expect(try result.amount("A") == paid)
            #expect(result.breakage[0].capSoldOrUsedMinor == 500 && result.breakage[0].capPersonMinor == Int128(500 - paid))
        }
        // The company's CV is 11,500, of which the plan pays a hundredth.
        let plan = try await scene.run(Self.plan(half, share: try Rate("0.01")))
        #expect(try plan.amount("A") == 115 && plan.breakage[0].capSoldOrUsedMinor == 500 && plan.breakage[0].capPlanMinor == 385)
        // The cap of the bonus comes first: half of 200.
        var capped = Self.level
        capped.capMinor = [200]
        #expect(try await scene.run(Self.plan(half, [capped])).amount("A") == 100)
    }

    @Test func matchesAreOnWhatWasEarnedBeforeIt() async throws {
        var scene = Scene("A B<A C<B")
        scene.order("B", 1_000)
        scene.order("C", 10_000)
        let match = Bonus(code: "match", rule: .matching(MatchingRule(bonuses: ["level"], rates: Self.tenth)))
        let result = try await scene.run(Self.plan(SoldOrUsedRule(atLeast: Self.seventy, usedBelowMinor: 0), [Self.level, match]))
        #expect(try result.amount("B") == 0, "B sold nothing")
        #expect(try result.amount("A", "match") == 100, "and A is matched on what B had earned, as before the cap of a person")
    }

    @Test func onlyNamedBonusesAreCutAndNoCorrections() async throws {
        let scene = Self.scene(bought: 1_000, sold: 500, below: 10_000)
        let retail = Bonus(code: "retail", rule: .direct(DirectRule(terms: [.init(reward: .percent(try rates("0.2")))])), orders: OrderFilter(buyer: .customer))
        let correction = Override(memberId: "A", kind: .adjustment(bonus: "level", amountMinor: -70), author: "a", reason: "r")
        let rule = SoldOrUsedRule(atLeast: Self.seventy, usedBelowMinor: 0, bonuses: ["level"])
        let result = try await scene.run(Self.plan(rule, [Self.level, retail]), overrides: [correction])
        #expect(try result.amount("A", "retail") == 100 && result.amount("A", "level") == 500 - 70)
        var all = rule
        all.bonuses = []
        let whole = try await scene.run(Self.plan(all, [Self.level, retail]), overrides: [correction])
        #expect(try whole.amount("A", "retail") == 50 && whole.amount("A", "level") == 500 - 70)
        all.bonuses = ["gone"]
        #expect(Self.plan(all).problems == [PlanProblem(place: "soldOrUsed.bonuses", reason: .unknownBonus("gone"))])
    }

    @Test func aRefundTakesBackWhatWasPaidAfterTheCut() async throws {
        let scene = Self.scene(bought: 1_000, sold: 600, below: 10_000)
        let plan = Self.plan(SoldOrUsedRule(atLeast: Self.seventy, usedBelowMinor: 0))
        let first = try await scene.run(plan)
        #expect(try first.amount("A") == 600)
        let history = first.pastOrders(ids: ["o3"])
        #expect(history.first?.paid.map(\.amountMinor) == [600])
        // Half of the order comes back in February, when A buys and sells nothing more.
        var later = scene
        later.period = february
        later.orders = []
        later.order("B", -5_000, day: 40, id: "r", refundOf: "o3")
        let second = try await later.run(plan, carryIn: first.carryOut, history: history)
        #expect(try second.amount("A") == -300)
        // What comes back to the company inside of the period was never bought: 600 of 800 is enough.
        var within = scene
        within.order("A", -200, day: 3, id: "r", refundOf: "o1")
        #expect(try await within.run(plan).amount("A") == 1_000)
    }

    @Test func theAuditComparesWhatIsPaid() async throws {
        let scene = Self.scene(bought: 100_000, sold: 10_000, below: 500_000)
        func found(_ rule: SoldOrUsedRule?, _ bonuses: [Bonus] = [Self.level]) async throws -> [AuditFinding] {
            try await scene.run(Self.plan(rule, bonuses)).audit().filter { $0.check == .soldOrUsed }
        }
        // Without the rule both fail: A has sold 10,000 and used 19,999 of 100,000, B used 19,999 of 500,000.
        let plain = try await found(nil)
        #expect(plain.map(\.outcome) == [.fails, .fails] && plain.allSatisfy { $0.isHard && $0.member != nil })
        // With it A is paid 29.999 % of 50,000, and B earned nothing: passed, with what is left of what was earned.
        let mended = try await found(SoldOrUsedRule(atLeast: Self.seventy))
        #expect(mended.map(\.outcome) == [.passes] && mended.first?.member == nil)
        #expect(mended.first?.part == 15_000 && mended.first?.whole == 50_000)
        // A plan that is easier than the limit is no mending: it takes 29,999 as used, or starts at 20 %, or leaves a bonus alone.
        #expect(try await found(SoldOrUsedRule(atLeast: Self.seventy, usedBelowMinor: 30_000)).contains { $0.outcome == .fails })
        #expect(try await found(SoldOrUsedRule(atLeast: SharePPM(ppm: 200_000) ?? .whole)).contains { $0.outcome == .fails })
        var other = Self.level
        other.code = "other"
        #expect(try await found(SoldOrUsedRule(atLeast: Self.seventy, bonuses: ["level"]), [Self.level, other]).contains { $0.outcome == .fails })
    }

    @Test func theNothingIsExplained() async throws {
        let scene = Self.scene(bought: 1_000, sold: 0, below: 10_000)
        let result = try await scene.run(Self.plan(SoldOrUsedRule(atLeast: Self.seventy, usedBelowMinor: 0)))
        let member = try #require(result.facts.member(id: "A"))
        #expect(try result.explainNothing(member: member) == [PeriodNothing(bonus: 0, reason: .soldOrUsed(soldOrUsedMinor: 0, boughtMinor: 1_000))])
        let place = try #require(result.lines.firstIndex { $0.reason == .earned })
        #expect(try result.explain(line: place).cutMinor == 1_000)
        #expect(result.shortfall(of: member)?.earnedMinor == 1_000 && result.shortfall(of: member)?.paidMinor == 0)
    }
}
