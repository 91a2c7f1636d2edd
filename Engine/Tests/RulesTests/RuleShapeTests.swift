import Chronology
import Money
import Rules
import SeededRandom
import Testing

@Suite struct RuleShapeTests {
    private func instant(_ ms: Int64) -> Instant { Instant(millisecondsSince1970: ms) }

    private func rule(
        version: Int = 1, event: RuleEvent = .sale, reward: RewardTerms = .percent(.whole), recipient: RuleRecipient = .member,
        level: Int = 0, months: RecurringMonths = .none, perItem: Bool = false, from: Int64 = 0, until: Int64? = nil
    ) throws -> CommissionRule {
        try CommissionRule(
            id: "r", version: version, event: event, reward: reward, recipient: recipient, level: level, months: months,
            isPerItem: perItem, effectiveFrom: instant(from), effectiveUntil: until.map(instant))
    }

    @Test func rulesThatMakeNoSense() throws {
        let euro = try #require(Currency(code: "EUR"))
        let flat = RewardTerms.flat(Amount(minor: 1), euro)
        #expect(throws: RuleFailure.versionOutOfRange) { try rule(version: 0) }
        #expect(throws: RuleFailure.levelOutOfRange) { try rule(level: -1) }
        #expect(throws: RuleFailure.levelOutOfRange) { try rule(level: 51) }
        #expect(throws: RuleFailure.friendHasNoLevel) { try rule(recipient: .friend, level: 1) }
        #expect(throws: RuleFailure.levelNeedsSale) { try rule(event: .click, reward: flat, level: 1) }
        #expect(throws: RuleFailure.rewardNeedsSale) { try rule(event: .lead) }
        #expect(throws: RuleFailure.itemsNeedSale) { try rule(event: .lead, reward: flat, perItem: true) }
        #expect(throws: RuleFailure.monthsNeedSale) { try rule(event: .lead, reward: flat, months: .count(1)) }
        #expect(throws: RuleFailure.monthsOutOfRange) { try rule(months: .count(0)) }
        #expect(throws: RuleFailure.neverInForce) { try rule(from: 5, until: 5) }
        #expect(throws: RuleFailure.rewardOutOfRange) { try rule(reward: .flat(.zero, euro)) }
        #expect(throws: RuleFailure.rewardOutOfRange) { try rule(reward: .points(Amount(minor: 1), .currency(euro))) }
        #expect(throws: RuleFailure.capOutOfRange) { try Cap(.count(-1), per: .member, period: .day) }
        #expect(throws: RuleFailure.tiersEmpty) { try TierTable(mode: .marginal, tiers: []) }
        let tier = Tier(from: Amount(minor: 1), rate: .whole)
        #expect(throws: RuleFailure.tiersNotRising) { try TierTable(mode: .marginal, tiers: [tier, tier]) }
        #expect(throws: RuleFailure.tiersNotRising) { try TierTable(mode: .marginal, tiers: [Tier(from: Amount(minor: -1), rate: .whole)]) }
        let tiered = RewardTerms.tiered(try TierTable(mode: .marginal, tiers: [tier]))
        #expect(throws: RuleFailure.friendHasNoTiers) { try rule(reward: tiered, recipient: .friend) }
    }

    @Test func theVersionInForce() throws {
        let versions = [
            try rule(version: 1, from: 0), try rule(version: 2, from: 100, until: 200), try rule(version: 3, from: 300),
            try rule(version: 4, from: 300), try rule(version: 5, from: 50, until: 60),
        ]
        func version(at ms: Int64) -> Int? { CommissionRule.version(of: versions, inForceAt: instant(ms))?.version }
        #expect(version(at: -1) == nil)
        #expect(version(at: 0) == 1)
        #expect(version(at: 59) == 5)
        #expect(version(at: 60) == nil)
        #expect(version(at: 100) == 2)
        #expect(version(at: 199) == 2)
        #expect(version(at: 200) == nil)
        #expect(version(at: 300) == 4)
    }

    @Test(arguments: [
        (500, 0, 200, 200), (500, 400, 200, 100), (500, 500, 200, 0), (500, 900, 200, 0), (500, -100, 700, 600), (0, 0, 1, 0),
        (500, 600, -50, -50), (.max, .min, .max, .max), (0, .max, .max, 0),
    ] as [(Int64, Int64, Int64, Int64)])
    func amountCaps(limit: Int64, used: Int64, wanted: Int64, allowed: Int64) throws {
        let cap = try Cap(.amount(Amount(minor: limit)), per: .member, period: .month)
        let decision = cap.allow(wanted: Amount(minor: wanted), used: CapUse(amount: Amount(minor: used), count: 0))
        #expect(decision.allowed.minor == allowed)
        #expect(decision.allowed.minor + decision.withheld.minor == wanted)
        #expect(decision.outcome == (allowed == wanted ? .whole : allowed == 0 ? .capReached : .partial))
    }

    @Test func countCapsAndPeriods() throws {
        let cap = try Cap(.count(2), per: .customer, period: .lifetime)
        #expect(cap.allow(wanted: Amount(minor: 9), used: CapUse(amount: .zero, count: 1)).outcome == .whole)
        #expect(cap.allow(wanted: Amount(minor: 9), used: CapUse(amount: .zero, count: 2)).outcome == .capReached)
        let day = try LocalDay(iso8601: "2026-11-22")
        let starts = CapPeriod.allCases.map { $0.start(containing: day)?.iso8601 }
        #expect(starts == ["2026-11-22", "2026-11-16", "2026-11-01", "2026-01-01", nil])
    }

    @Test func partialRefundsAddUp() throws {
        let seed: UInt64 = 13
        var random = SplitMix64(seed: seed)
        for _ in 0..<1_000 {
            let sale = Int64.random(in: 1...Int64.max, using: &random) >> Int64.random(in: 0...60, using: &random)
            guard sale > 0 else { continue }
            let commission = Amount(minor: Int64.random(in: -sale...sale, using: &random))
            var refunded: Int64 = 0
            var reversed = Amount.zero
            while refunded < sale {
                let isLast = Int.random(in: 0..<6, using: &random) == 0
                refunded = isLast ? sale : Int64.random(in: refunded...sale, using: &random)
                let part = try Reversal.amount(
                    commission: commission, alreadyReversed: reversed, refundedTotal: Amount(minor: refunded), saleAmount: Amount(minor: sale))
                // Taking back never turns around.
                #expect(commission >= .zero ? part >= .zero : part <= .zero, "seed \(seed)")
                reversed = try reversed.adding(part)
                let atOnce = try Allocation.proportion(of: commission, part: refunded, whole: sale)
                #expect(reversed == atOnce, "seed \(seed)")
            }
            #expect(reversed == commission, "seed \(seed)")
        }
    }

    @Test func refundsThatMakeNoSense() {
        func reversal(_ refunded: Int64, of sale: Int64, already: Int64 = 0, commission: Int64 = 10) throws -> Amount {
            try Reversal.amount(
                commission: Amount(minor: commission), alreadyReversed: Amount(minor: already), refundedTotal: Amount(minor: refunded),
                saleAmount: Amount(minor: sale))
        }
        #expect(throws: Reversal.Failure.refundOutOfRange) { try reversal(11, of: 10) }
        #expect(throws: Reversal.Failure.refundOutOfRange) { try reversal(-1, of: 10) }
        #expect(throws: Reversal.Failure.refundOutOfRange) { try reversal(.min, of: .min) }
        #expect(throws: Reversal.Failure.nothingSold) { try reversal(0, of: 0) }
        #expect(throws: Reversal.Failure.overflow) { try reversal(10, of: 10, already: .min) }
    }
}
