import Chronology
import Money
import Rules
import SeededRandom
import Testing

@Suite struct EvaluateTests {
    private let start = Instant(millisecondsSince1970: 1_000)
    private let at = Instant(millisecondsSince1970: 5_000)
    private let euro: Currency
    private let yen: Currency

    init() throws {
        euro = try #require(Currency(code: "EUR"))
        yen = try #require(Currency(code: "JPY"))
    }

    private func rule(
        _ reward: RewardTerms, event: RuleEvent = .sale, for recipient: RuleRecipient = .member, level: Int = 0,
        when conditions: Condition = .always, months: RecurringMonths = .none, perItem: Bool = false, until: Instant? = nil
    ) throws -> CommissionRule {
        try CommissionRule(
            id: "rule", version: 3, event: event, reward: reward, recipient: recipient, level: level, conditions: conditions,
            months: months, isPerItem: perItem, effectiveFrom: start, effectiveUntil: until)
    }

    private func sale(
        _ minor: Int64, event: SaleFacts.EventKind = .sale, currency: Currency? = nil, country: String? = nil, months: Int64 = 0,
        items: [SaleItem] = [], totals: [String: [String: Int64]] = [:]
    ) -> SaleFacts {
        SaleFacts(
            event: event, occurredAt: at, programCurrency: euro, currency: currency ?? euro, amount: Amount(minor: minor),
            country: country, monthsSinceFirstSale: months, items: items, memberTotals: totals)
    }

    private func member(_ id: String, _ ppm: Int = 1_000_000, above: [String] = [], rate: String? = nil) throws -> CreditedMember {
        CreditedMember(
            memberID: id, share: try #require(SharePPM(ppm: ppm)), enrollerIDs: above, rateOverride: try rate.map { try Rate($0) })
    }

    private func percent(_ text: String) throws -> RewardTerms { .percent(try Rate(text)) }

    private func leaf(_ field: String, _ comparison: ConditionOperator, _ value: ConditionValue) throws -> Condition {
        .leaf(try ConditionLeaf(try #require(ConditionField(field)), comparison, value))
    }

    /// The receipt of sale 20418: 10 %, 3 % and 1.5 % of 86.00.
    @Test func theReceiptOfTheDesign() throws {
        let amira = try member("amira", above: ["lena", "owen"])
        for (level, rate, payee, minor) in [(0, "0.10", "amira", 860), (1, "0.03", "lena", 258), (2, "0.015", "owen", 129)] {
            let outcome = evaluate(try rule(percent(rate), level: level), facts: sale(8_600), credited: [amira])
            let line = try #require(outcome.lines.first)
            #expect(outcome.lines.count == 1)
            #expect(outcome.refusals.isEmpty)
            #expect(line.payee == .member(payee))
            #expect(line.amount == Amount(minor: Int64(minor)))
            #expect(line.base == Amount(minor: 8_600))
            #expect(line.rate == (try Rate(rate)))
            #expect(line.unit == .currency(euro))
            let reversed = try Reversal.amount(
                commission: line.amount, alreadyReversed: .zero, refundedTotal: Amount(minor: 2_400), saleAmount: Amount(minor: 8_600))
            #expect(reversed == Amount(minor: [240, 72, 36][level]))
        }
        let friend = evaluate(try rule(.flat(Amount(minor: 500), euro), for: .friend), facts: sale(8_600), credited: [amira])
        #expect(friend.lines.map(\.payee) == [.friend])
        #expect(friend.lines.map(\.amount) == [Amount(minor: 500)])
    }

    @Test func refusesWithTheReason() throws {
        let amira = try member("amira", above: ["lena"])
        func code(_ rule: CommissionRule, _ facts: SaleFacts, _ credited: [CreditedMember]? = nil) -> String? {
            let outcome = evaluate(rule, facts: facts, credited: credited ?? [amira])
            #expect(outcome.lines.isEmpty)
            return outcome.refusals.first?.reason.code
        }
        let tenth = try percent("0.1")
        #expect(code(try rule(tenth), sale(100, event: .lead)) == "otherEvent")
        #expect(code(try rule(tenth, until: at), sale(100)) == "notInForce")
        #expect(code(try rule(tenth), sale(100), []) == "noAttribution")
        #expect(code(try rule(tenth), sale(0)) == "zeroAmount")
        #expect(code(try rule(tenth), sale(-100)) == "negativeAmount")
        #expect(code(try rule(tenth), sale(.min)) == "negativeAmount")
        #expect(code(try rule(percent("0")), sale(100)) == "zeroAmount")
        #expect(code(try rule(percent("2")), sale(.max)) == "overflow")
        #expect(code(try rule(tenth, level: 2), sale(100)) == "noSuchLevel")
        #expect(code(try rule(tenth, months: .count(12)), sale(100, months: 12)) == "monthsOver")
        #expect(code(try rule(tenth, perItem: true), sale(100)) == "noItems")
        #expect(code(try rule(.flat(Amount(minor: 5), yen)), sale(100)) == "otherCurrency")
        #expect(code(try rule(.freeShipping), sale(100)) == "notPayable")
        #expect(code(try rule(tenth, when: leaf("country", .equal, .text("DE"))), sale(100, country: "FR")) == "conditionFailed")
        #expect(code(try rule(tenth), sale(100), [amira, amira]) == "sharesExceedWhole")
        let manyItems = Array(repeating: SaleItem(sku: "s", amount: Amount(minor: 1)), count: 1_001)
        #expect(code(try rule(tenth), sale(100, items: manyItems)) == "tooManyItems")
        let crowd = try (0...1_000).map { try member("m\($0)", 1) }
        #expect(code(try rule(tenth), sale(100), crowd) == "tooManyMembers")
        #expect(evaluate(try rule(tenth, months: .count(12)), facts: sale(100, months: 11), credited: [amira]).lines.count == 1)
        #expect(evaluate(try rule(tenth, event: .recurring, months: .lifetime), facts: sale(100, months: 900), credited: [amira]).lines.count == 1)
    }

    @Test func splitsByShareAndMergesPayees() throws {
        let credited = [
            try member("a", 400_000, above: ["x", "y"]), try member("b", 200_000, above: ["x"]), try member("a", 400_000, above: ["x", "y"]),
        ]
        let direct = evaluate(try rule(percent("0.1")), facts: sale(1_001), credited: credited)
        #expect(direct.lines.map(\.payee) == [.member("a"), .member("b")])
        #expect(direct.lines.map(\.amount.minor) == [80, 20])
        #expect(direct.lines.map(\.share.ppm) == [800_000, 200_000])
        let first = evaluate(try rule(percent("0.1"), level: 1), facts: sale(1_001), credited: credited)
        #expect(first.lines.map(\.amount.minor) == [100])
        let second = evaluate(try rule(percent("0.1"), level: 2), facts: sale(1_001), credited: credited)
        #expect(second.lines.map(\.payee) == [.member("y")])
        #expect(second.lines.map(\.amount.minor) == [80])
        #expect(second.retained == Amount(minor: 20))
        #expect(second.refusals.map(\.reason) == [.noSuchLevel(level: 2)])
    }

    @Test func codesBringTheirOwnRate() throws {
        let one = evaluate(try rule(percent("0.1")), facts: sale(1_000), credited: [try member("a", rate: "0.25")])
        #expect(one.lines.map(\.amount.minor) == [250])
        #expect(one.lines.first?.rate?.text == "0.25")
        let mixed = evaluate(
            try rule(percent("0.1")), facts: sale(1_000), credited: [try member("a", 500_000, rate: "0.2"), try member("b", 500_000)])
        #expect(mixed.lines.map(\.amount.minor) == [100, 50])
        let above = evaluate(try rule(percent("0.1"), level: 1), facts: sale(1_000), credited: [try member("a", above: ["x"], rate: "0.25")])
        #expect(above.lines.map(\.amount.minor) == [100])
        let flat = evaluate(try rule(.flat(Amount(minor: 7), euro)), facts: sale(1_000), credited: [try member("a", rate: "0.25")])
        #expect(flat.lines.map(\.amount.minor) == [7])
    }

    @Test func judgesItemByItem() throws {
        let items = [
            SaleItem(sku: "roast", category: "coffee", quantity: 2, amount: Amount(minor: 2_400)),
            SaleItem(sku: "cup", category: "ware", quantity: 1, amount: Amount(minor: 900)),
            SaleItem(sku: "bean", category: "coffee", quantity: 3, amount: Amount(minor: 600)),
        ]
        let coffee = try leaf("category", .equal, .text("coffee"))
        let amira = try member("amira")
        let part = evaluate(try rule(percent("0.1"), when: coffee, perItem: true), facts: sale(3_900, items: items), credited: [amira])
        #expect(part.lines.map(\.base) == [Amount(minor: 3_000)])
        #expect(part.lines.map(\.amount.minor) == [300])
        let pieces = evaluate(try rule(.flat(Amount(minor: 50), euro), when: coffee, perItem: true), facts: sale(3_900, items: items), credited: [amira])
        #expect(pieces.lines.map(\.amount.minor) == [250])
        let none = evaluate(
            try rule(percent("0.1"), when: leaf("sku", .equal, .text("tea")), perItem: true), facts: sale(3_900, items: items), credited: [amira])
        #expect(none.refusals.map(\.reason.code) == ["conditionFailed"])
        let whole = evaluate(try rule(percent("0.1"), when: coffee), facts: sale(3_900, items: items), credited: [amira])
        #expect(whole.lines.map(\.amount.minor) == [390])
        let hostile = (0..<3).map { SaleItem(sku: "s\($0)", quantity: .max, amount: Amount(minor: .max)) }
        let overflow = evaluate(try rule(.flat(Amount(minor: 2), euro), perItem: true), facts: sale(1, items: hostile), credited: [amira])
        #expect(overflow.refusals.map(\.reason) == [.overflow])
    }

    @Test func memberTotalsAreThePayees() throws {
        let condition = try leaf("memberTotal.sales", .greaterOrEqual, .integer(10))
        let facts = sale(1_000, totals: ["a": ["sales": 10], "b": ["sales": 9]])
        let outcome = evaluate(
            try rule(percent("0.1"), when: condition), facts: facts, credited: [try member("a", 500_000), try member("b", 500_000)])
        #expect(outcome.lines.map(\.payee) == [.member("a")])
        #expect(outcome.lines.map(\.amount.minor) == [50])
        #expect(outcome.retained == Amount(minor: 50))
        #expect(outcome.refusals.map(\.memberID) == ["b"])
    }

    private func table(_ mode: TierMode) throws -> TierTable {
        try TierTable(
            mode: mode,
            tiers: [
                Tier(from: .zero, rate: try Rate("0.05")), Tier(from: Amount(minor: 10_000), rate: try Rate("0.10")),
                Tier(from: Amount(minor: 20_000), rate: try Rate("0.20")),
            ])
    }

    @Test(arguments: [(0, 9_999, [500]), (0, 10_000, [500]), (9_000, 2_000, [150]), (0, 30_000, [3_500]), (25_000, 100, [20]), (-500, 100, [5])] as [(Int64, Int64, [Int64])])
    func marginalTiers(before: Int64, amount: Int64, expected: [Int64]) throws {
        let outcome = evaluate(
            try rule(.tiered(table(.marginal))), facts: sale(amount), credited: [try member("a")], accumulatedBefore: ["a": Amount(minor: before)])
        #expect(outcome.lines.map(\.amount.minor) == expected)
        #expect(outcome.lines.flatMap(\.slices).reduce(0) { $0 + $1.base.minor } == amount)
    }

    @Test(arguments: [
        (0, 9_999, [500], []), (9_000, 1_000, [100], [450]), (9_000, 2_000, [200], [450]), (5_000, 25_000, [5_000], [750]),
        (15_000, 100, [10], []), (0, 30_000, [6_000], []),
    ] as [(Int64, Int64, [Int64], [Int64])])
    func retroactiveTiers(before: Int64, amount: Int64, reward: [Int64], trueUp: [Int64]) throws {
        let outcome = evaluate(
            try rule(.tiered(table(.retroactive))), facts: sale(amount), credited: [try member("a")], accumulatedBefore: ["a": Amount(minor: before)])
        #expect(outcome.lines.filter { $0.purpose == .reward }.map(\.amount.minor) == reward)
        #expect(outcome.lines.filter { $0.purpose == .trueUp }.map(\.amount.minor) == trueUp)
    }

    @Test func marginalTiersAgreeCentByCent() throws {
        let seed: UInt64 = 10
        var random = SplitMix64(seed: seed)
        for _ in 0..<400 {
            let before = Int64.random(in: 0...400, using: &random)
            let amount = Int64.random(in: 1...400, using: &random)
            let tiers = try TierTable(
                mode: .marginal,
                tiers: [
                    Tier(from: Amount(minor: 50), rate: try Rate("0.07")), Tier(from: Amount(minor: 200), rate: try Rate("0.125")),
                    Tier(from: Amount(minor: 333), rate: try Rate("0.3")),
                ])
            var exact: Int128 = 0
            for cent in before..<(before + amount) { exact += Int128(tiers.rate(at: Amount(minor: cent)).billionths) }
            var exactBefore: Int128 = 0
            for cent in 0..<before { exactBefore += Int128(tiers.rate(at: Amount(minor: cent)).billionths) }
            let expected = try Rounding.halfEven(exactBefore + exact, over: 1_000_000_000) - Rounding.halfEven(exactBefore, over: 1_000_000_000)
            let outcome = evaluate(
                try rule(.tiered(tiers)), facts: sale(amount), credited: [try member("a")], accumulatedBefore: ["a": Amount(minor: before)])
            #expect((outcome.lines.first?.amount.minor ?? 0) == expected, "seed \(seed) \(before) \(amount)")
        }
        let end = evaluate(
            try rule(.tiered(table(.marginal))), facts: sale(.max), credited: [try member("a")], accumulatedBefore: ["a": Amount(minor: 1)])
        #expect(end.refusals.map(\.reason) == [.overflow])
    }

    /// However a month is cut into sales, they sum to what the table gives for the whole, and all is counted.
    @Test(arguments: [TierMode.marginal, .retroactive]) func tiersSumToTheWorthOfTheMonth(mode: TierMode) throws {
        let seed: UInt64 = 13
        var random = SplitMix64(seed: seed)
        for round in 0..<300 {
            var from: Int64 = Int64.random(in: 0...500, using: &random)
            let table = try TierTable(
                mode: mode,
                tiers: try (0..<Int.random(in: 1...4, using: &random)).map { _ in
                    defer { from += Int64.random(in: 1...700, using: &random) }
                    return Tier(from: Amount(minor: from), rate: try Rate(billionths: Int64.random(in: 0...1_000_000_000, using: &random)))
                })
            var volume: Int64 = 0
            var paid: Int64 = 0
            for _ in 0..<12 {
                let amount = Int64.random(in: 0...400, using: &random)
                let outcome = evaluate(
                    try rule(.tiered(table)), facts: sale(amount), credited: [try member("a")], accumulatedBefore: ["a": Amount(minor: volume)])
                #expect(outcome.counted == ["a": Amount(minor: amount)])
                #expect(outcome.lines.allSatisfy { $0.amount > .zero })
                volume += amount
                paid += outcome.lines.reduce(0) { $0 + $1.amount.minor }
                #expect(paid == (try table.worth(of: Amount(minor: volume))).minor, "seed \(seed) round \(round) volume \(volume) of \(table)")
            }
        }
    }

    @Test func tiersAndAmountCapsNeedTheProgramsCurrency() throws {
        let capped = try CommissionRule(
            id: "rule", version: 1, event: .sale, reward: try percent("0.1"), cap: try Cap(.amount(Amount(minor: 10)), per: .member, period: .month),
            effectiveFrom: start)
        for rule in [try rule(.tiered(table(.marginal))), capped] {
            let outcome = evaluate(rule, facts: sale(100, currency: yen), credited: [try member("a")])
            #expect(outcome.lines.isEmpty && outcome.counted.isEmpty)
            #expect(outcome.refusals.map(\.reason) == [.saleInOtherCurrency(sale: yen, program: euro)])
        }
    }

    @Test func nothingIsLostInAnyCurrency() throws {
        let seed: UInt64 = 11
        var random = SplitMix64(seed: seed)
        for currency in Currency.all {
            for _ in 0..<20 {
                let amount = Int64.random(in: 0...Int64.max / 2, using: &random) >> Int64.random(in: 0...60, using: &random)
                let rate = try Rate(billionths: Int64.random(in: 0...1_000_000_000, using: &random))
                let shares = try SharePPM.split(weights: (1...Int64.random(in: 1...7, using: &random)).map(\.self))
                let credited = shares.enumerated().map { number, share in
                    CreditedMember(memberID: "m\(number)", share: share, enrollerIDs: number % 2 == 0 ? ["above"] : [])
                }
                for level in 0...1 {
                    let outcome = evaluate(try rule(.percent(rate), level: level), facts: sale(amount, currency: currency), credited: credited)
                    let sum = try Amount.sum(outcome.lines.map(\.amount) + [outcome.retained])
                    #expect(sum == (try rate.applied(to: Amount(minor: amount))), "seed \(seed) \(currency) \(amount) \(rate)")
                    #expect(outcome.lines.allSatisfy { $0.unit == .currency(currency) })
                }
            }
        }
    }

    @Test func survivesHostileNumbers() throws {
        let seed: UInt64 = 12
        var random = SplitMix64(seed: seed)
        let rewards: [RewardTerms] = [
            try percent("1000"), .flat(Amount(minor: .max), euro), .points(Amount(minor: .max), .points), .tiered(try table(.retroactive)),
            .tiered(try table(.marginal)), .credit(Amount(minor: .max), euro),
        ]
        for _ in 0..<2_000 {
            let items = (0..<2).map { _ in
                SaleItem(sku: "s", quantity: random.hostileInteger(), amount: Amount(minor: random.hostileInteger()))
            }
            let facts = sale(random.hostileInteger(), months: random.hostileInteger(), items: items)
            let reward = rewards[Int.random(in: 0..<rewards.count, using: &random)]
            let outcome = evaluate(
                try rule(reward, perItem: Bool.random(using: &random)), facts: facts, credited: [try member("a", 1), try member("b", 999_999)],
                accumulatedBefore: ["a": Amount(minor: random.hostileInteger()), "b": Amount(minor: random.hostileInteger())])
            #expect(!outcome.lines.isEmpty || !outcome.refusals.isEmpty, "seed \(seed)")
        }
    }
}
