import Chronology
import Compensation
import Money
import SeededRandom
import Testing

/// The properties of the specification, on seeded random organisations. A failure prints its seed.
@Suite struct CompensationPropertyTests {
    private static let seeds: [UInt64] = (1...25).map { $0 }

    private func organisation(_ random: inout SplitMix64, members count: Int = 40, orders: Int = 80, refunds: Bool = true) -> Scene {
        var scene = Scene()
        scene.placementTrees = [(.placement, 2)]
        var free: [(parent: Int, slot: Int)] = []
        for member in 0..<count {
            var row = MemberRow(
                row: member + 2, id: "m\(member)",
                kind: member > 2 && random.next() % 4 == 0 ? .customer : .promoter,
                status: random.next() % 5 == 0 ? .inactive : .active,
                joinedAt: Instant(millisecondsSince1970: Int64(random.next() % 20) * 86_400_000))
            if member > 0 {
                row.enrollerId = "m\(random.next() % UInt64(member))"
                if !free.isEmpty, random.next() % 8 != 0 {
                    let place = free.remove(at: Int(random.next() % UInt64(free.count)))
                    row.places = [TreePlace(parentId: "m\(place.parent)", slot: place.slot)]
                }
            }
            free.append((member, 1))
            free.append((member, 2))
            scene.members.append(row)
        }
        for order in 0..<orders {
            let amount = Int64(random.next() % 30_000)
            scene.order(
                "m\(random.next() % UInt64(count))", amount, cv: amount * Int64(random.next() % 3) / 2, qv: amount,
                day: Int(random.next() % 31), product: random.next() % 3 == 0 ? "kit" : "tea", id: "o\(order)")
        }
        if refunds {
            for order in 0..<orders where random.next() % 12 == 0 {
                let row = scene.orders[order]
                scene.order(row.buyerId, -row.amountMinor, cv: -(row.commissionVolume ?? 0), qv: -(row.qualifyingVolume ?? 0), day: 30, id: "r\(order)", refundOf: row.id)
            }
        }
        return scene
    }

    private func plan(scope: RoundingScope = .order, capped: Bool = false) throws -> Plan {
        let gv = groupQV
        let slabs = [Slab(fromMinor: 10_000, rate: try Rate("0.03")), Slab(fromMinor: 60_000, rate: try Rate("0.09")), Slab(fromMinor: 200_000, rate: try Rate("0.21"))]
        let levels = RateTable(rows: [try rates("0.07", "0.03"), try rates("0.07", "0.05", "0.031"), try rates("0.08", "0.05", "0.033", "0.017")])
        return Plan(
            code: "all", unit: .currency(try #require(Currency(code: "EUR"))),
            ranks: [
                Rank(code: "one", condition: .atLeast(gv, 20_000)),
                Rank(code: "two", condition: .all([.atLeast(gv, 80_000), .atLeast(.legsWithRank(1, on: .enroller, anywhere: true), 2)])),
                Rank(code: "three", condition: .any([.atLeast(.groupVolumeOutside(.qualifying, on: .enroller, rank: 2), 90_000), .atLeast(.outsideVolume(.qualifying, on: .enroller), 250_000)])),
            ],
            bonuses: [
                Bonus(code: "direct", rule: .direct(DirectRule(terms: [.init(orders: OrderFilter(products: ["kit"]), reward: .flat([250])), .init(reward: .percent(try rates("0.1", "0.125")))])), roundingScope: scope),
                Bonus(code: "fast", rule: .fastStart(FastStartRule(rates: levels, window: .days(7))), roundingScope: scope, marks: OrderMark(tag: "fast")),
                Bonus(code: "unilevel", rule: .unilevel(UnilevelRule(rates: levels, compression: .perLevel)), roundingScope: scope, capMinor: capped ? [900] : [], skipsTags: ["fast"]),
                Bonus(code: "rollup", rule: .unilevel(UnilevelRule(rates: levels, compression: .rollUp(stacks: true))), roundingScope: scope),
                Bonus(code: "tiered", rule: .tiered(TieredRule(tiers: slabs, mode: .retroactive)), roundingScope: scope),
                Bonus(code: "differential", rule: .differential(DifferentialRule(slabs: slabs))),
                Bonus(code: "rankDifferential", rule: .rankDifferential(RankDifferentialRule(rates: try rates("0", "0.02", "0.05", "0.11"))), roundingScope: scope),
                Bonus(code: "breakaway", rule: .breakaway(BreakawayRule(slabs: slabs, override: try Rate("0.06"), guaranteedMinor: 100_000))),
                Bonus(code: "generation", rule: .generation(GenerationRule(rates: RateTable(levels: try rates("0.05", "0.03")))), roundingScope: scope),
                Bonus(code: "infinity", rule: .infinity(InfinityRule(rates: try rates("0", "0.01", "0.015", "0.02"), belowLevel: 2)), roundingScope: scope),
                Bonus(code: "binary", rule: .binary(BinaryRule(match: .cycles(left: 6_000, right: 3_000, mirrored: true, valueMinor: [700, 900]), capMinor: [4_000], overCap: .bankVolume, expiresAfterPeriods: 2)), tree: .placement),
                Bonus(code: "matrix", rule: .matrix(UnilevelRule(rates: levels, compression: .removeInactive(.active)), width: 2), tree: .placement, roundingScope: scope),
                Bonus(code: "pool", rule: .pool(PoolRule(rate: try Rate("0.013"), shares: .byRank([0, 1, 2, 3])))),
                Bonus(code: "advancement", rule: .rankAdvancement(RankAdvancementRule(amountsMinor: [1_000, 5_000, 20_001], payments: 3, keepPeriods: 2))),
                Bonus(code: "matching", rule: .matching(MatchingRule(bonuses: ["binary", "unilevel"], rates: levels, compression: .perLevel)), roundingScope: scope),
            ],
            soldOrUsed: capped ? SoldOrUsedRule(atLeast: .whole, usedBelowMinor: 500) : nil, personCapMinor: capped ? [3_000, 9_000] : [], planCap: capped ? try Rate("0.4") : nil)
    }

    /// A run as text, by ids: equal texts are equal runs.
    private func text(_ result: RunResult) -> [String] {
        let facts = result.facts
        var lines = result.linesInFileOrder.map { place -> String in
            let line = result.lines[place]
            let order = line.order < 0 ? "-" : facts.orderId(Int(line.order))
            let source = line.source < 0 ? "-" : facts.memberId(Int(line.source))
            return "\(facts.memberId(Int(line.member))) \(result.plan.bonuses[Int(line.bonus)].code) \(order) \(source) \(line.level) \(line.reason.code) \(line.baseMinor) \(line.rateBillionths) \(line.amountMinor) \(line.cutMinor)"
        }
        for member in result.statementMembers {
            let statement = result.statement(of: member)
            lines.append("\(facts.memberId(member)) \(statement.rank) \(statement.paidRank) \(statement.personalVolume) \(statement.groupVolume) \(statement.amountMinor)")
        }
        lines.append("\(result.carryOut)")
        lines.append("\(result.breakage)")
        return lines
    }

    @Test("Property 4: shuffled rows, split imports and threads change nothing", arguments: seeds) func rowOrderThreadsAndScopeNeverShow(_ seed: UInt64) async throws {
        var random = SplitMix64(seed: seed)
        let scene = organisation(&random)
        for (scope, capped) in [(RoundingScope.order, false), (.period, false), (.order, true), (.period, true)] {
            let plan = try plan(scope: scope, capped: capped)
            let expected = text(try await scene.run(plan))
            var shuffled = scene
            shuffled.members.shuffle(using: &random)
            shuffled.orders.shuffle(using: &random)
            #expect(text(try await shuffled.run(plan, threads: 3)) == expected, "seed \(seed)")
            // Totals without lines are the totals with lines.
            let bare = try await run(plan, facts: try shuffled.facts(), options: RunOptions(threads: 2, keepsLines: false))
            let whole = try await run(plan, facts: try scene.facts())
            for id in scene.members.map(\.id) { #expect(try bare.amount(id) == whole.amount(id), "seed \(seed)") }
        }
    }

    @Test("Property 4: new names in the same order change nothing", arguments: seeds) func renamingThatKeepsTheOrderChangesNothing(_ seed: UInt64) async throws {
        var random = SplitMix64(seed: seed)
        let scene = organisation(&random)
        var renamed = scene
        for place in renamed.members.indices {
            renamed.members[place].id = "x" + renamed.members[place].id
            renamed.members[place].enrollerId = renamed.members[place].enrollerId.map { "x" + $0 }
            renamed.members[place].places = renamed.members[place].places.map { TreePlace(tree: $0.tree, parentId: "x" + $0.parentId, slot: $0.slot) }
        }
        for place in renamed.orders.indices { renamed.orders[place].buyerId = "x" + renamed.orders[place].buyerId }
        let plan = try plan(capped: true)
        let one = try await scene.run(plan)
        let other = try await renamed.run(plan)
        for id in scene.members.map(\.id) { #expect(try one.amount(id) == other.amount("x" + id), "seed \(seed)") }
    }

    @Test("Property 10: lines sum to statements", arguments: seeds) func linesSumToStatements(_ seed: UInt64) async throws {
        var random = SplitMix64(seed: seed)
        let scene = organisation(&random)
        for capped in [false, true] {
            let result = try await scene.run(try plan(scope: .period, capped: capped))
            for id in scene.members.map(\.id) {
                #expect(try result.lines(of: id).reduce(0) { $0 + $1.amountMinor } == result.amount(id), "seed \(seed)")
                let caps = try result.lines(of: id).filter { [.capPerson, .capPlan].contains($0.reason) }.reduce(0) { $0 + $1.amountMinor }
                let cuts = try result.lines(of: id).reduce(0) { $0 + $1.cutMinor }
                #expect(caps + cuts >= 0, "seed \(seed)")
            }
            if capped {
                for id in scene.members.map(\.id) {
                    let rank = try result.statement(id).paidRank
                    #expect(try result.amount(id) <= (rank == 0 ? 3_000 : 9_000), "seed \(seed)")
                    #expect(try result.amount(id, "unilevel") <= 900, "seed \(seed)")
                }
                let volume = try scene.facts()
                #expect(volume.memberCount == scene.members.count)
                let cv = scene.orders.reduce(Int128(0)) { $0 + Int128($1.commissionVolume ?? $1.amountMinor) }
                #expect(result.totalMinor <= cv * 4 / 10, "seed \(seed)")
            }
        }
    }

    @Test("Property 1: a differential pays the top rate where somebody of the top rank is above", arguments: seeds) func differentialTotalIsTheTopRate(_ seed: UInt64) async throws {
        var random = SplitMix64(seed: seed)
        var scene = organisation(&random)
        for place in scene.members.indices {
            scene.members[place].status = .active
            if place > 0, scene.members[place].enrollerId == nil { scene.members[place].enrollerId = "m0" }
        }
        scene.members[0].kind = .promoter
        let slabs = [Slab(fromMinor: 0, rate: try Rate("0.05")), Slab(fromMinor: 100_000, rate: try Rate("0.2"))]
        let rank = RankDifferentialRule(rates: try rates("0", "0.02", "0.11"))
        let result = try await scene.run(
            Bonus(code: "slab", rule: .differential(DifferentialRule(slabs: slabs))), Bonus(code: "rank", rule: .rankDifferential(rank)),
            ranks: emptyRanks(2), overrides: [title("m0", 2)])
        let cv = scene.orders.reduce(Int128(0)) { $0 + Int128($1.commissionVolume ?? $1.amountMinor) }
        // Half a minor unit per payee and line at most.
        let slack = Int128(scene.members.count + result.lines.count)
        #expect(abs(result.totalMinor(bonus: 0) - cv / 5) <= slack, "seed \(seed)")
        let own = scene.orders.filter { $0.buyerId == "m0" }.reduce(Int128(0)) { $0 + Int128($1.commissionVolume ?? $1.amountMinor) }
        #expect(abs(result.totalMinor(bonus: 1) - (cv - own) * 11 / 100) <= slack, "seed \(seed)")
    }

    @Test("Property 2: compression never lowers a total", arguments: seeds) func compressionNeverLowersTheTotal(_ seed: UInt64) async throws {
        var random = SplitMix64(seed: seed)
        let scene = organisation(&random)
        let levels = RateTable(rows: [try rates("0.06", "0.05"), try rates("0.06", "0.05", "0.04")])
        var totals: [Int128] = []
        for compression in [Compression.none, .removeInactive(.active), .perLevel, .rollUp(stacks: true)] {
            let result = try await scene.run(
                Bonus(code: "u", rule: .unilevel(UnilevelRule(rates: levels, compression: compression)), rounding: .down), ranks: [Rank(code: "one", condition: .atLeast(groupQV, 50_000))])
            let lines = Int128(result.lineCount)
            totals.append(result.totalMinor)
            #expect(result.totalMinor + lines >= totals[0], "seed \(seed) \(compression.code)")
            // Paid + breakage is the whole of every level, where every qualified person earns the column's rate.
            let broken = Int128(try #require(result.breakage[0].nobodyMinor)) + Int128(try #require(result.breakage[0].unqualifiedMinor))
            let cv = scene.orders.reduce(Int128(0)) { $0 + Int128($1.commissionVolume ?? $1.amountMinor) }
            #expect(abs(result.totalMinor + broken - cv * 15 / 100) <= lines + 3, "seed \(seed) \(compression.code)")
        }
    }

    @Test("Property 3: matched + carried out + flushed + expired = carried in + new", arguments: seeds) func binaryLosesNothing(_ seed: UInt64) async throws {
        var random = SplitMix64(seed: seed)
        var carry = Carry()
        for month in 0..<4 {
            var scene = organisation(&random, refunds: false)
            let start = try january.start.adding(months: Int64(month))
            scene.period = Period(start: start, end: try start.adding(months: 1))
            for place in scene.orders.indices {
                scene.orders[place].occurredAt = day(Int(start.dayNumber))
                if random.next() % 10 == 0 {
                    scene.orders[place].amountMinor *= -1
                    scene.orders[place].commissionVolume = -(scene.orders[place].commissionVolume ?? 0)
                }
            }
            let result = try await scene.run(try plan(), carryIn: carry)
            for statement in result.binary {
                for leg in [statement.left, statement.right] {
                    #expect(leg.matched + leg.carriedOut + leg.flushed + leg.expired == leg.carriedIn + leg.new, "seed \(seed)")
                }
            }
            carry = result.carryOut
        }
    }

    @Test(arguments: seeds) func mirroredCyclesEqualOneAtATime(_ seed: UInt64) async throws {
        var random = SplitMix64(seed: seed)
        for _ in 0..<40 {
            let (a, b) = (Int64(random.next() % 9) + 2, Int64(random.next() % 9) + 1)
            let (left, right) = (Int64(random.next() % 400), Int64(random.next() % 400))
            var (l, r, cycles) = (left, right, Int64(0))
            while true {
                let (big, small) = (max(a, b), min(a, b))
                if l >= r, l >= big, r >= small { (l, r) = (l - big, r - small) } else if r > l, r >= big, l >= small { (l, r) = (l - small, r - big) } else { break }
                cycles += 1
            }
            var scene = Scene("A")
            scene.add("L<A", slot: 1)
            scene.add("R<A", slot: 2)
            scene.order("L", left)
            scene.order("R", right)
            let result = try await scene.run(
                Bonus(code: "b", rule: .binary(BinaryRule(match: .cycles(left: a, right: b, mirrored: a != b, valueMinor: [1]))), tree: .placement))
            let expected = a == b ? min(left, right) / a : cycles
            #expect(try result.amount("A") == expected, "seed \(seed) \(a):\(b) \(left)/\(right)")
        }
    }

    @Test("Property 6: a refund in an open period is as if the order had never been", arguments: seeds) func refundInsideThePeriodIsNoOrder(_ seed: UInt64) async throws {
        var random = SplitMix64(seed: seed)
        let scene = organisation(&random)
        let refunded = Set(scene.orders.compactMap(\.refundOf))
        var without = scene
        without.orders.removeAll { refunded.contains($0.id) || $0.refundOf != nil }
        let plan = try plan(scope: .period, capped: true)
        #expect(text(try await scene.run(plan)).dropLast(2) == text(try await without.run(plan)).dropLast(2), "seed \(seed)")
    }

    @Test("Property 5: moves in placement trees leave bonuses of the enroller tree alone", arguments: seeds) func placementMovesLeaveEnrollerBonusesAlone(_ seed: UInt64) async throws {
        var random = SplitMix64(seed: seed)
        let scene = organisation(&random)
        var moved = scene
        for place in moved.members.indices { moved.members[place].places = [] }
        let plan = try plan()
        let (one, other) = (try await scene.run(plan), try await moved.run(plan))
        for bonus in ["direct", "unilevel", "rollup", "generation", "differential", "infinity", "pool"] {
            for id in scene.members.map(\.id) { #expect(try one.amount(id, bonus) == other.amount(id, bonus), "seed \(seed)") }
        }
    }

    @Test("Property 8: shares sum to the pool", arguments: seeds) func poolSharesSumToThePool(_ seed: UInt64) async throws {
        var random = SplitMix64(seed: seed)
        let scene = organisation(&random, refunds: false)
        let result = try await scene.run(Bonus(code: "pool", rule: .pool(PoolRule(rate: try Rate("0.07"), shares: .byMetric(groupQV, per: 1_000)))))
        let cv = scene.orders.reduce(Int64(0)) { $0 + ($1.commissionVolume ?? $1.amountMinor) }
        #expect(result.totalMinor == Int128(try Rate("0.07").applied(to: Amount(minor: cv)).minor), "seed \(seed)")
    }

    @Test("Property 11: linear plans add up", arguments: seeds) func linearPlansAddUpAndSalesNeverHurt(_ seed: UInt64) async throws {
        var random = SplitMix64(seed: seed)
        let scene = organisation(&random, refunds: false)
        let linear = try [
            Bonus(code: "direct", rule: .direct(DirectRule(terms: [.init(reward: .percent(rates("0.13")))]))),
            Bonus(code: "unilevel", rule: .unilevel(UnilevelRule(rates: RateTable(levels: rates("0.07", "0.031"))))),
        ]
        func amounts(_ orders: [OrderRow]) async throws -> [Int64] {
            var part = scene
            part.orders = orders
            let result = try await part.run(Plan(code: "linear", unit: .points, bonuses: linear))
            return try scene.members.map { try result.amount($0.id) }
        }
        let all = try await amounts(scene.orders)
        let first = try await amounts(Array(scene.orders.prefix(30)))
        let second = try await amounts(Array(scene.orders.dropFirst(30)))
        #expect(zip(first, second).map(+) == all, "seed \(seed)")
    }

    @Test("Property 12: a sale never lowers anybody's gross in plans of direct, flat, tiered, fast start and plain unilevel bonuses", arguments: seeds)
    func salesNeverHurt(_ seed: UInt64) async throws {
        var random = SplitMix64(seed: seed)
        let scene = organisation(&random, refunds: false)
        let levels = RateTable(levels: try rates("0.07", "0.031"))
        let plan = try Plan(
            code: "harmless", unit: .points,
            bonuses: [
                Bonus(code: "direct", rule: .direct(DirectRule(terms: [.init(reward: .percent(rates("0.13")))]))),
                Bonus(code: "flat", rule: .direct(DirectRule(terms: [.init(reward: .flat([25]))], ownPurchases: .paySeller))),
                Bonus(code: "tiered", rule: .tiered(TieredRule(tiers: [Slab(fromMinor: 0, rate: Rate("0.01")), Slab(fromMinor: 9_000, rate: Rate("0.07"))])), roundingScope: .period),
                Bonus(code: "fast", rule: .fastStart(FastStartRule(rates: levels, window: .days(9)))),
                Bonus(code: "unilevel", rule: .unilevel(UnilevelRule(rates: levels))),
            ])
        func amounts(_ count: Int) async throws -> [Int64] {
            var part = scene
            part.orders = Array(scene.orders.prefix(count))
            let result = try await part.run(plan)
            return try scene.members.map { try result.amount($0.id) }
        }
        var before = try await amounts(20)
        for count in stride(from: 26, through: scene.orders.count, by: 6) {
            let after = try await amounts(count)
            #expect(zip(before, after).allSatisfy(<=), "seed \(seed), \(count) orders")
            before = after
        }
    }

    @Test("Property 7: paid = min(uncapped, cap), and the rest is recorded", arguments: seeds)
    func capsCutAndRecord(_ seed: UInt64) async throws {
        var random = SplitMix64(seed: seed)
        let scene = organisation(&random)
        let levels = RateTable(levels: try rates("0.07", "0.05", "0.031"))
        let free = Bonus(code: "u", rule: .unilevel(UnilevelRule(rates: levels, compression: .rollUp(stacks: true))))
        var capped = free
        capped.capMinor = [700]
        let plain = try await scene.run(free)
        let cut = try await scene.run(capped)
        var recorded: Int128 = 0
        for id in scene.members.map(\.id) {
            #expect(try cut.amount(id) == min(plain.amount(id), 700), "seed \(seed) \(id)")
            recorded += Int128(try plain.amount(id) - cut.amount(id))
            let lines = try cut.lines(of: id)
            #expect(lines.reduce(0) { $0 + $1.cutMinor } == -lines.reduce(0) { $0 + ($1.reason == .capBonus ? $1.amountMinor : 0) }, "seed \(seed)")
        }
        #expect(cut.breakage[0].capBonusMinor == recorded, "seed \(seed)")
        for (person, plan) in [([Int64(500)], nil), ([], try Rate("0.02"))] {
            let whole = try await scene.run(Plan(code: "p", unit: .points, bonuses: [free], personCapMinor: person, planCap: plan))
            let breakage = whole.breakage[0]
            #expect(whole.totalMinor + breakage.capPersonMinor + breakage.capPlanMinor == plain.totalMinor, "seed \(seed)")
        }
    }

    @Test("Property 9: trees are forests, one parent per member and moment, one member per slot", arguments: seeds)
    func treesAreForests(_ seed: UInt64) throws {
        var random = SplitMix64(seed: seed)
        let scene = organisation(&random)
        let facts = try scene.facts()
        for tree in facts.trees {
            for member in 0..<facts.memberCount {
                var steps = 0
                var above = facts.parent(of: member, in: tree)
                while let next = above, steps <= facts.memberCount {
                    steps += 1
                    above = facts.parent(of: next, in: tree)
                }
                #expect(steps < facts.memberCount, "seed \(seed)")
            }
        }
        let placed = scene.members.filter { !$0.places.isEmpty }
        guard let one = placed.first, let place = one.places.first, let other = scene.members.last(where: { $0.id != one.id && $0.id != place.parentId && $0.enrollerId != nil }) else { return }
        // A second member in the slot, and a member below itself, are refused by name.
        var crowded = scene
        crowded.moves = [MoveRow(row: 7, memberId: other.id, parentId: place.parentId, slot: place.slot, effectiveAt: day(1))]
        if other.places.first != place { #expect(throws: FactsFailure.self, "seed \(seed)") { try crowded.facts() } }
        var circular = scene
        circular.moves = [MoveRow(row: 8, memberId: "m0", parentId: one.id, slot: nil, effectiveAt: day(1))]
        #expect(throws: FactsFailure.self, "seed \(seed)") { try circular.facts() }
    }
}
