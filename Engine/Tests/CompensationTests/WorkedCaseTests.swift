import Chronology
import Compensation
import Money
import Testing

/// Each worked case as plan and facts. Amounts are in hundredths of the case's unit.
@Suite struct WorkedCaseTests {
    private func slabs(_ pairs: [(Int64, Int)]) throws -> [Slab] {
        try pairs.map { Slab(fromMinor: $0.0, rate: try percent($0.1)) }
    }

    @Test func amwayIndiaDifferential() async throws {
        let worked = try WorkedCase("amway-in-eg3")
        var scene = Scene("Up")
        let inputs = worked.inputs
        func buy(_ id: String, _ bv: Int64) { scene.order(id, bv, cv: bv, qv: bv / 60) }
        buy("Up", try cents(inputs["personal_BV"]))
        var table: [(Int64, Int)] = []
        for leg in try list(inputs["legs"]) {
            let leg = try object(leg)
            let id = try #require(leg["id"] as? String)
            scene.add("\(id)<Up")
            buy(id, try cents(leg["BV"]))
            table.append((try cents(leg["BV"]) / 60, try integer(leg["pct"])))
        }
        table.append((try cents(inputs["group_PV"]), try integer(inputs["group_pct"])))
        let slabTable = try slabs(Dictionary(table, uniquingKeysWith: { a, _ in a }).sorted { $0.key < $1.key }.map { ($0.key, $0.value) })
        scene.add("Shop<Up", kind: .customer)
        let result = try await scene.run(
            Bonus(code: "performance", rule: .differential(DifferentialRule(slabs: slabTable))),
            Bonus(code: "retail", rule: .direct(DirectRule(terms: [.init(reward: .percent([try percent(inputs["retail_margin_pct"])]))], ownPurchases: .payBuyer)), eligibility: .always))
        #expect(try result.amount("Up", "performance") == cents(worked.expected["net_commission"]))
        for (id, amount) in try object(worked.expected["leg_commissions"]) { #expect(try result.amount(id, "performance") == cents(amount)) }
        #expect(try result.amount("Up", "retail") == cents(worked.expected["retail_profit"]))
        #expect(try result.amount("Up") == cents(worked.expected["total"]))
        #expect(result.totalMinor(bonus: 0) == Int128(try cents(worked.expected["group_commission"])))
    }

    @Test func lopezSlabByPVOnBV() async throws {
        let worked = try WorkedCase("amway-us-taxcourt-lopez")
        var scene = Scene("A")
        scene.order("A", 0, cv: try cents(worked.inputs["BV"]), qv: try cents(worked.inputs["PV"]))
        let table = [Slab(fromMinor: try cents(worked.inputs["PV"]), rate: try percent(worked.inputs["pct_at_1000PV"]))]
        let result = try await scene.run(Bonus(code: "b", rule: .differential(DifferentialRule(slabs: table))))
        #expect(try result.amount("A") == cents(worked.expected["gross_bonus"]))
    }

    @Test func amwayAustralia() async throws {
        let worked = try WorkedCase("amway-au-ex1")
        var scene = Scene("A")
        scene.add("c<A", kind: .customer)
        scene.order("c", try cents(worked.inputs["BV"]), qv: try cents(worked.inputs["PV"]))
        let pv = Metric.personalVolume(.qualifying, of: .both, on: .enroller)
        let bv = Metric.personalVolume(.commission, of: .both, on: .enroller)
        let result = try await scene.run(
            Bonus(code: "retail", rule: .direct(DirectRule(terms: [.init(reward: .percent([try percent(worked.inputs["retail_pct"])]))]))),
            Bonus(code: "performance", rule: .slab(SlabRule(slabs: [Slab(fromMinor: 10_000, rate: try percent(worked.inputs["bonus_pct"]))], by: pv, on: bv))))
        #expect(try result.amount("A", "retail") == cents(worked.expected["retail"]))
        #expect(try result.amount("A", "performance") == cents(worked.expected["bonus"]))
        #expect(try result.amount("A") == cents(worked.expected["month"]))
        #expect(try result.amount("A") * 12 == cents(worked.expected["year"]))
    }

    @Test(arguments: [DifferentialRule.Clamp.total, .leg]) func lifeDifferential(_ clamp: DifferentialRule.Clamp) async throws {
        let worked = try WorkedCase("life-differential")
        let leg = try cents(worked.inputs["leg_PV"])
        let total = try cents(worked.inputs["total_PV"])
        var scene = Scene("A L<A")
        scene.order("L", leg)
        // The rest of the total qualifies but carries no commission volume.
        scene.order("A", 0, cv: 0, qv: total - leg)
        let table = try slabs([(leg, integer(worked.inputs["leg_pct"])), (total, integer(worked.inputs["own_pct"]))])
        let result = try await scene.run(Bonus(code: "d", rule: .differential(DifferentialRule(slabs: table, clamp: clamp))))
        #expect(try result.amount("A") == cents(worked.expected["differential"]))
    }

    @Test func directOfNewDistributors() async throws {
        let worked = try WorkedCase("blog-direct-1")
        var scene = Scene("A")
        for (id, volume) in try object(worked.inputs["volumes"]) {
            scene.add("\(id)<A")
            scene.order(id, try cents(volume))
        }
        let rule = DirectRule(terms: [.init(reward: .percent([try percent(worked.inputs["pct"])]))], ownPurchases: .paySeller)
        let result = try await scene.run(Bonus(code: "direct", rule: .direct(rule)))
        #expect(try result.amount("A") == cents(worked.expected["direct"]))
    }

    @Test func generationWithoutTheInnerLeader() async throws {
        let worked = try WorkedCase("blog-generation-3")
        let inputs = worked.inputs
        var scene = Scene("A C<A E<A B<A B1<B")
        let lower = try object(inputs["lower_legs"])
        for (id, volume) in lower { scene.order(id, try cents(volume)) }
        let inside = try cents(object(inputs["generation_leg"])["B1_total_inside_B"])
        scene.order("B1", inside)
        scene.order("B", try cents(object(inputs["generation_leg"])["B_total"]) - inside)
        scene.add("D<A")
        scene.order("D", try cents(inputs["new_direct_D"]), product: "new")
        scene.order("A", try cents(inputs["own"]), product: "new")
        let direct = try percent(inputs["direct_pct"])
        var filter = OrderFilter()
        filter.products = ["new"]
        var others = OrderFilter()
        others.excludedProducts = ["new"]
        let generation = GenerationRule(rates: RateTable(levels: [try percent(inputs["gen_pct"]), try percent(inputs["gen_pct"])]), boundary: .rank(1))
        let result = try await scene.run(
            // D pays the seller A, A's own order pays A.
            Bonus(code: "direct", rule: .direct(DirectRule(terms: [.init(reward: .percent([direct]))], ownPurchases: .paySeller)), orders: filter),
            Bonus(code: "own", rule: .direct(DirectRule(terms: [.init(reward: .percent([direct]))], ownPurchases: .payBuyer)), eligibility: .paidRank(atLeast: 1), orders: filter),
            // Legs below the top level: 40 % − 36 %; legs at the top level give nothing.
            Bonus(code: "indirect", rule: .rankDifferential(RankDifferentialRule(rates: [try percent(inputs["leg_pct"]), direct], buyerCollects: true)), orders: others),
            Bonus(code: "generation", rule: .generation(generation), orders: others),
            ranks: emptyRanks(1), overrides: [title("A", 1), title("B", 1), title("B1", 1)])
        #expect(try result.amount("A", "direct") + result.amount("A", "own") == cents(worked.expected["direct"]))
        #expect(try result.amount("A", "indirect") == cents(worked.expected["indirect"]))
        let lines = try result.lines(of: "A").filter { result.plan.bonuses[Int($0.bonus)].code == "generation" }
        #expect(try lines.filter { $0.level == 1 }.reduce(0) { $0 + $1.amountMinor } == cents(worked.expected["gen1"]))
        #expect(try lines.filter { $0.level == 2 }.reduce(0) { $0 + $1.amountMinor } == cents(worked.expected["gen2"]))
        #expect(try result.amount("A") == cents(worked.expected["total"]))
    }

    @Test func clawbackNextPeriod() async throws {
        let worked = try WorkedCase("purium-fixed-clawback")
        let paid = try cents(worked.inputs["original_commission"])
        let rule = try DirectRule(terms: [.init(reward: .percent(rates("0.1")))])
        let bonus = Bonus(code: "direct", rule: .direct(rule))
        var july = Scene("A")
        july.add("c<A", kind: .customer)
        july.order("c", paid * 10, id: "sale")
        let ranks = [Rank(code: "one", condition: .atLeast(groupQV, 1))]
        let first = try await july.run(bonus, ranks: ranks)
        #expect(try first.amount("A") == paid)
        var august = Scene("A")
        august.period = february
        august.add("c<A", kind: .customer)
        august.order("c", -paid * 10, day: 31, id: "return", refundOf: "sale")
        august.order("c", try cents(worked.inputs["next_weekly_earning_example"]) * 10, day: 32, id: "next")
        let past = PastOrder(orderId: "sale", amountMinor: paid * 10, paid: [.init(memberId: "A", bonus: "direct", level: 1, amountMinor: paid)])
        let second = try await august.run(bonus, ranks: ranks, carryIn: first.carryOut, history: [past])
        let refund = try #require(try second.lines(of: "A").first { $0.reason == .refund })
        #expect(refund.amountMinor == (try integer(worked.expected["debit"])) * 100)
        #expect(try second.amount("A") == Int64(try integer(worked.expected["net_next_week"])) * 100)
        #expect(try second.statement("A").debtOutMinor == 3_000)
        #expect(second.carryOut.members.first { $0.id == "A" }?.debtMinor == 3_000)
        // July's rank stays; the volume falls in August.
        #expect(try first.statement("A").rank == 1)
        #expect(try second.statement("A").groupVolume == 20_000 - 50_000)
    }

    @Test func commissionOnCommission() async throws {
        let worked = try WorkedCase("mlm-affiliate-matrix-commission-on-commission")
        var scene = Scene("John Geo<John Bob<Geo Max<Bob")
        scene.add("c<Max", kind: .customer)
        scene.order("c", try cents(worked.inputs["sale"]))
        let seller = DirectRule(terms: [.init(reward: .percent([try percent(worked.inputs["rank_pct"])]))])
        let levels = try list(worked.inputs["levels"]).map { try percent($0) }
        let result = try await scene.run(
            Bonus(code: "seller", rule: .direct(seller)),
            Bonus(code: "tiers", rule: .unilevel(UnilevelRule(rates: RateTable(levels: levels), firstLevel: .aboveSeller)), base: .commission(of: "seller")))
        #expect(try result.amount("Max") == cents(worked.expected["seller"]))
        #expect(try result.amount("Bob") == cents(worked.expected["level1"]))
        #expect(try result.amount("Geo") == cents(worked.expected["level2"]))
        #expect(try result.amount("John") == cents(worked.expected["level3"]))
        #expect(result.totalMinor == Int128(try cents(worked.expected["total"])))
    }

    @Test func beInfinityDirectSales() async throws {
        let worked = try WorkedCase("beinf-dsb-2")
        var scene = Scene("A")
        for (id, volume) in try object(worked.inputs["level1"]) {
            scene.add("\(id)<A")
            scene.order(id, try cents(volume))
        }
        scene.add("User5<User1")
        scene.order("User5", 77_700, id: "five")
        let result = try await scene.run(
            Bonus(code: "dsb", rule: .unilevel(UnilevelRule(rates: RateTable(levels: [try percent(worked.inputs["pct"])])))))
        #expect(try result.amount("A") == cents(worked.expected["total"]))
        for line in try result.lines(of: "A") {
            let buyer = result.facts.memberId(result.facts.buyer(ofOrder: Int(line.order)))
            #expect(line.amountMinor == (try cents(worked.expected[buyer])))
        }
    }

    @Test func unilevelWithoutLevelOne() async throws {
        let worked = try WorkedCase("beinf-ub-2")
        var scene = Scene("A B<A")
        scene.order("B", 10_000)
        let result = try await scene.run(
            Bonus(code: "ub", rule: .unilevel(UnilevelRule(rates: RateTable(levels: try rates("0", "0.05", "0.05"))))))
        #expect(try result.amount("A") == cents(worked.expected["commission"]))
    }

    @Test func youngLivingDepthByRank() async throws {
        let worked = try WorkedCase("yl-unilevel-rates")
        let levels = try list(worked.inputs["level_pcts"]).map { try percent($0) }
        let rows = (0...4).map { Array(levels.prefix($0 == 0 ? 2 : $0 + 1)) }
        var scene = Scene("A B<A C<B D<C")
        scene.order("C", try cents(worked.inputs["order_PV"]))
        let result = try await scene.run(
            Bonus(code: "u", rule: .unilevel(UnilevelRule(rates: RateTable(rows: rows)))), ranks: emptyRanks(4), overrides: [title("A", 1)])
        #expect(try result.amount("A") == cents(worked.expected["commission"]))
    }

    @Test func doterraFastStart() async throws {
        let worked = try WorkedCase("doterra-faststart")
        var scene = Scene("A New<A")
        scene.members[1].joinedAt = day(0)
        for (place, order) in try list(worked.inputs["orders_PV"]).enumerated() { scene.order("New", try cents(order), day: place * 7) }
        let rule = FastStartRule(rates: RateTable(levels: [try percent(worked.inputs["pct"])] + (try rates("0.1", "0.05"))), window: .days(60))
        let result = try await scene.run(
            Bonus(code: "fast", rule: .fastStart(rule), marks: OrderMark(tag: "fast")),
            Bonus(code: "unilevel", rule: .unilevel(UnilevelRule(rates: RateTable(levels: try rates("0.02")))), skipsTags: ["fast"]))
        #expect(try result.lines(of: "A").map(\.amountMinor) == list(worked.expected["payments"]).map { try cents($0) })
        #expect(try result.amount("A") == cents(worked.expected["total"]))
    }

    @Test func pruvitCompression() async throws {
        let worked = try WorkedCase("pruvit-compression")
        var scene = Scene("A")
        var below = "A"
        let states = try list(worked.inputs["physical_levels"]).map { $0 as? String == "E" }
        for (place, isEngaged) in states.enumerated() {
            scene.add("p\(place)<\(below)", status: isEngaged ? .active : .inactive)
            below = "p\(place)"
        }
        for place in states.indices { scene.order("p\(place)", 10_000, id: "o\(place)") }
        let rank = try integer(worked.inputs["rank"])
        let table = try list(worked.inputs["rank6_pct_by_level"]).map { try percent($0) }
        let rows = (0...6).map { $0 == rank ? table : [] }
        let result = try await scene.run(
            Bonus(code: "u", rule: .unilevel(UnilevelRule(rates: RateTable(rows: rows), compression: .removeInactive(.active)))),
            ranks: emptyRanks(6), overrides: [title("A", rank)])
        let lines = try result.lines(of: "A")
        for (place, level) in try list(worked.expected["paid_level"]).enumerated() {
            let line = lines.first { result.facts.memberId(result.facts.buyer(ofOrder: Int($0.order))) == "p\(place)" }
            // The case counts levels down from A: the buyer's own place among the engaged.
            guard let level = level as? Int else { continue }
            #expect(line?.level == Int16(level))
            #expect(line?.rateBillionths == (try percent(list(worked.expected["pct"])[place]).billionths))
        }
    }

    @Test func matrixWithoutCompression() async throws {
        let worked = try WorkedCase("promlm-no-compression")
        let upline = try list(worked.inputs["upline_bottom_up"]).map { try object($0) }
        var scene = Scene()
        var above: String?
        var titles: [Override] = []
        for person in upline.reversed() {
            let id = try #require(person["id"] as? String)
            if let above { scene.add("\(id)<\(above)", slot: 1) } else { scene.add(id) }
            titles.append(title(id, try integer(person["title"])))
            above = id
        }
        scene.add("H<G", slot: 1)
        scene.order("H", 10_000)
        let depth = try object(worked.inputs["max_level"])
        let one = try Rate("0.01")
        let rows = (0...6).map { Array(repeating: one, count: depth["\($0)"] as? Int ?? 0) }
        let result = try await scene.run(
            Bonus(code: "m", rule: .matrix(UnilevelRule(rates: RateTable(rows: rows)), width: 3), tree: .placement), ranks: emptyRanks(6), overrides: titles)
        #expect(try result.amount("G") == 100)
        #expect(try result.amount("F") == 0)
        #expect(try result.amount("E") == 0)
        #expect(try result.amount("D") == 100)
        #expect(result.totalMinor == 200)
        #expect(result.breakage[0].unqualifiedMinor == 200)
    }

    @Test func qualitativeRollUp() async throws {
        let worked = try WorkedCase("customer-advantage-rollup")
        // A (three levels) above B, C, D, E, F, G; those between who are not qualified are ignored when counting.
        var scene = Scene("A B<A C<B D<C E<D F<E G<F")
        for id in ["B", "C", "D", "E", "F", "G"] { scene.order(id, 10_000, id: "o\(id)") }
        let levels = RateTable(levels: try rates("0.05", "0.05", "0.05"))
        func buyers(_ compression: Compression) async throws -> [String] {
            var shaped = scene
            for place in [3, 4] { shaped.members[place].status = .inactive }
            shaped.members[5].status = .inactive
            let result = try await shaped.run(Bonus(code: "u", rule: .unilevel(UnilevelRule(rates: levels, compression: compression))))
            return try result.lines(of: "A").map { result.facts.memberId(result.facts.buyer(ofOrder: Int($0.order))) }.sorted()
        }
        #expect(try await buyers(.none) == list(worked.expected["A_paid_on_without_rollup"]).compactMap { $0 as? String })
        #expect(try await buyers(.removeInactive(.active)) == list(worked.expected["A_paid_on_with_rollup"]).compactMap { $0 as? String })
    }
}
