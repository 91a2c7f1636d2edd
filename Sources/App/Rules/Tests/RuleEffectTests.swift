import Chronology
import HTTPTypes
import Money
import Persistence
import Rules
import TestSupport
import Testing
import Web

@testable import App

/// What a changed rule would have done is worked out by the engine that pays, and changes nothing.
@Suite struct RuleEffectTests {
    /// Rules of every kind that can be worked out again, and a change of each.
    static let rules: [(rule: JSONValue, change: JSONValue)] = [
        (["reward": ["kind": "percent", "rate": "0.10"]], ["reward": ["kind": "percent", "rate": "0.12"]]),
        (
            ["reward": ["kind": "percent", "rate": "0.10"], "cap": ["amount": 1_500, "per": "member", "period": "month"]],
            ["reward": ["kind": "percent", "rate": "0.10"], "cap": ["amount": 700, "per": "member", "period": "month"]]
        ),
        (["reward": ["kind": "percent", "rate": "0.05"], "level": 1], ["reward": ["kind": "percent", "rate": "0.04"], "level": 1]),
        (
            ["reward": ["kind": "flat", "amount": 250, "currency": "EUR"], "conditions": ["field": "saleNumber", "op": "eq", "value": 1]],
            ["reward": ["kind": "flat", "amount": 250, "currency": "EUR"]]
        ),
        (
            ["reward": ["kind": "tiered", "mode": "retroactive", "tiers": [["from": 0, "rate": "0.02"], ["from": 15_000, "rate": "0.05"]]]],
            ["reward": ["kind": "tiered", "mode": "marginal", "tiers": [["from": 0, "rate": "0.02"], ["from": 15_000, "rate": "0.05"]]]]
        ),
        (
            ["reward": ["kind": "percent", "rate": "0.10"], "cap": ["count": 3, "per": "program", "period": "lifetime"]],
            ["reward": ["kind": "percent", "rate": "0.10"], "cap": ["count": 4, "per": "program", "period": "lifetime"]]
        ),
        (
            ["reward": ["kind": "percent", "rate": "0.10"], "conditions": ["field": "memberTotal.sales", "op": "gte", "value": 2]],
            ["reward": ["kind": "percent", "rate": "0.10"], "conditions": ["field": "memberTotal.sales", "op": "gte", "value": 1]]
        ),
        (
            ["reward": ["kind": "percent", "rate": "0.10"], "conditions": ["field": "metadata.channel", "op": "eq", "value": "mail"]],
            ["reward": ["kind": "percent", "rate": "0.10"], "conditions": ["field": "metadata.channel", "op": "ne", "value": "mail"]]
        ),
    ]

    @Test(arguments: Engine.allCases) func nowIsWhatWasPaidAndThenIsWhatWouldBe(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let program = try await app.program(["timezone": "Europe/Berlin"])
            var ids: [String] = []
            for pair in Self.rules { ids.append(try await app.rule(program, pair.rule)) }
            let (anna, bert) = try await Self.month(app, program)
            let before = try await app.rowCounts()
            for (id, pair) in zip(ids, Self.rules) {
                let (effect, rule) = try await Self.reckon(app, id, pair.change)
                let paid = try await Self.paid(app, by: rule)
                #expect(effect.before?.byMember.filter { $0.value != 0 } == paid, "\(pair.rule)")
                #expect(effect.facts.isWholeMonth)
                #expect(effect.salesCount == 6)
            }
            #expect(try await app.rowCounts() == before)

            // 10 % → 12 % of 60.00, 80.00, 100.00 (half of it returned), 20.00 for anna.
            let (effect, _) = try await Self.reckon(app, ids[0], Self.rules[0].change)
            #expect(effect.difference[MemberID(stored: anna)] == Int64(420))
            #expect(effect.difference[MemberID(stored: bert)] == nil)
            #expect(effect.valueMinor == 6_000 + 8_000 + 5_000 + 2_000 + 3_000 + 4_000)
            // The cap of 7.00 leaves 7.00 of 6 + 8 + 10 + 2; before it was 15.00.
            let (capped, _) = try await Self.reckon(app, ids[1], Self.rules[1].change)
            #expect(capped.after.capped == [MemberID(stored: anna)])
            #expect(capped.after.grossMinor - capped.after.withheldMinor == 700)
            // Four instead of three for the program, ever: one of them was used before the month.
            let (counted, _) = try await Self.reckon(app, ids[5], Self.rules[5].change)
            #expect(counted.before?.paidCount == 2)
            #expect(counted.after.paidCount == 3)
        }
    }

    /// Chunks of two change nothing; beyond the limit the newest are worked out, and the page can say so.
    @Test(arguments: Engine.allCases) func manyEventsPassByInChunks(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let program = try await app.program(["timezone": "Europe/Berlin"])
            var ids: [String] = []
            for pair in Self.rules { ids.append(try await app.rule(program, pair.rule)) }
            let (anna, _) = try await Self.month(app, program)
            for (id, pair) in zip(ids, Self.rules) {
                let (whole, _) = try await Self.reckon(app, id, pair.change)
                let (chunks, _) = try await Self.reckon(app, id, pair.change, limits: PastFacts.Limits(chunk: 2))
                #expect(chunks.after.byMember == whole.after.byMember)
                #expect(chunks.before?.byMember == whole.before?.byMember)
                #expect(chunks.othersMinor == whole.othersMinor)
            }
            let (newest, _) = try await Self.reckon(app, ids[0], Self.rules[0].change, limits: PastFacts.Limits(eventsMax: 3))
            #expect(newest.salesCount == 3 && newest.facts.total == 6)
            // d-4, anna's own d-5, and nobody's d-6: 12 % of 20.00.
            #expect(newest.after.byMember == [MemberID(stored: anna): 240])
        }
    }

    @Test(arguments: Engine.allCases) func clicksAreWorkedOutAgain(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let program = try await app.program()
            let cap: JSONValue = ["count": 3, "per": "member", "period": "month"]
            let rule = try await app.rule(program, ["event": "click", "reward": ["kind": "flat", "amount": 5, "currency": "EUR"], "cap": cap])
            let anna = try await app.member(program, "anna")
            try await app.link(program, anna, code: "ANNA")
            for number in 0..<5 { try await app.click("ANNA", visitor: "v\(number)") }
            try await app.installation.applyClicks()
            let change: JSONValue = ["event": "click", "reward": ["kind": "flat", "amount": 7, "currency": "EUR"]]
            let now = try Instant(rfc3339: try await app.get("/workspace")["now"].text)
            let (effect, _) = try await Self.reckon(app, rule, change, at: now)
            #expect(effect.clicksCount == 5 && effect.facts.clicksTotal == 5)
            #expect(effect.before?.byMember == [MemberID(stored: anna): 15], "three of five, by the cap")
            #expect(effect.after.byMember == [MemberID(stored: anna): 35])
            #expect(try await app.balance(anna)[0] == 15, "as it was paid")
            let (newest, _) = try await Self.reckon(app, rule, change, limits: PastFacts.Limits(clicksMax: 2), at: now)
            #expect(newest.clicksCount == 2 && newest.facts.clicksTotal == 5)
            #expect(newest.after.byMember == [MemberID(stored: anna): 14])
        }
    }

    @Test func withoutSalesThereIsNothing() async throws {
        try await AppHarness.with(.sqlite) { app in
            let program = try await app.program()
            let id = try await app.percentRule(program, "0.10")
            let (effect, _) = try await Self.reckon(app, id, Self.rules[0].change)
            #expect(effect.salesCount == 0)
            #expect(effect.after.totalMinor == 0)
        }
    }

    /// December is over: one sale in November, six in December, of which one is anna's own, one comes back in half and one is nobody's.
    private static func month(_ app: AppHarness, _ program: String) async throws -> (anna: String, bert: String) {
        let bert = try await app.member(program, "bert")
        let anna = try await app.member(program, "anna", enroller: bert)
        try await app.link(program, anna, code: "ANNA")
        func sale(_ invoice: String, _ customer: String, _ amount: Int64, _ day: String, _ more: JSONValue = .object([])) async throws {
            var body: JSONValue = ["code": "ANNA", "occurredAt": .text("\(day)T12:00:00Z")]
            if case .object(let members) = more { for member in members { body = body.adding(member.name, member.value) } }
            try await app.sale(invoice, customer, amount, body)
        }
        try await sale("n-1", "c-0", 4_000, "2025-11-20")
        try await sale("d-1", "c-1", 6_000, "2025-12-02", ["metadata": ["channel": "mail"]])
        try await sale("d-2", "c-2", 8_000, "2025-12-03")
        try await sale("d-3", "c-1", 10_000, "2025-12-10", ["metadata": ["channel": "mail"]])
        try await app.refund("d-3", "r-1", 5_000)
        try await sale("d-4", "c-3", 2_000, "2025-12-20")
        try await sale("d-5", "c-anna", 3_000, "2025-12-21", ["customerEmail": "anna@members.test"])
        try await app.sale("d-6", "c-9", 4_000, ["occurredAt": "2025-12-22T12:00:00Z"])
        return (anna, bert)
    }

    private static func reckon(
        _ app: AppHarness, _ id: String, _ change: JSONValue, limits: PastFacts.Limits = PastFacts.Limits(), at now: Instant = AppHarness.start
    ) async throws -> (RuleEffect, Rule) {
        let (rule, program) = try await app.installation.main.read { connection in
            let rule = try #require(try RuleStore.newest(RuleID(stored: id), in: app.twinID, on: connection))
            return (rule, try #require(try ProgramStore.find(rule.programID, in: app.twinID, at: AppHarness.start, on: connection)))
        }
        let draft = try RuleSentenceTests.rule(change)
        let effect = try await RuleEffect.reckon(draft.terms, replacing: rule, of: program, limits: limits, at: now, in: app.installation)
        return (try #require(effect), rule)
    }

    /// What a rule really gave in December, after returns.
    private static func paid(_ app: AppHarness, by rule: Rule) async throws -> [MemberID: Int64] {
        let from = try Instant(rfc3339: "2025-11-30T23:00:00Z")
        return try await app.installation.main.read { connection in
            let given = try PastFactsStore.given(by: rule.id, in: app.twinID, since: from, on: connection)
            return Dictionary(given.map { ($0.member, $0.keptMinor) }, uniquingKeysWith: +).filter { $0.value != 0 }
        }
    }
}
