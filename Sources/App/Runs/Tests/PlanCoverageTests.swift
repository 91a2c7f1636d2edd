import Chronology
import HTTPTypes
import Persistence
import TestSupport
import Testing
import Web

@testable import App

/// A program may let its plan alone pay what the plan covers.
struct PlanCoverageTests {
    @Test(arguments: Engine.allCases)
    func whatAPlanCoversIsNotPaidByRulesToo(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let line = try await Upline.make(in: app, ["planExcludesRules": true])
            _ = try await app.rule(line.program, ["name": "Ten", "reward": ["kind": "percent", "rate": "0.1"]])
            _ = try await app.rule(line.program, ["name": "A lead", "event": "lead", "reward": ["kind": "flat", "amount": 500, "currency": "EUR"]])
            let sale = try await line.sell("inv-1", "cus-1", 10_000, in: app)
            #expect(try await app.balance(line.carla) == [0, 0, 0, 0, 0, 0], "no rule paid")
            let receipt = try await app.get("/sales/\(sale)/receipt")
            #expect(receipt["refusals"].list.map { $0["reason"].text } == ["planCovers"])
            #expect(receipt["refusals"].list.first?["planId"].text == line.plan)
            #expect(receipt["answer"].text.contains("the plan “Three levels” pays for this sale"))
            let effect = try await Self.effect(of: line.program, in: app)
            #expect(effect.planCount == 1 && effect.after.totalMinor == 0, "a changed rule would not pay it either")
            try await app.moveClock(days: 40)
            _ = try await line.accept(in: app)
            #expect(try await app.balance(line.carla) == [1_000, 0, 0, 0, 0, 0], "the plan paid it, once")
            try await app.proveAll()
        }
    }

    /// What a rule of 10 % would have done since the beginning of the month.
    private static func effect(of program: String, in app: AppHarness) async throws -> RuleEffect {
        let draft = try RuleSentenceTests.rule(["reward": ["kind": "percent", "rate": "0.1"]])
        let known = try await app.installation.main.read { connection in
            try ProgramStore.find(ProgramID(stored: program), in: app.twinID, at: AppHarness.start, on: connection)
        }
        let now = try await app.get("/workspace")["now"].instant()
        let shop = try #require(known)
        let effect = try await RuleEffect.reckon(draft.terms, replacing: nil, of: shop, at: now, in: app.installation)
        return try #require(effect)
    }

    @Test(arguments: Engine.allCases)
    func rulesPayWhatNoPlanCovers(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            // Both pay where the program does not say otherwise.
            let line = try await Upline.make(in: app)
            _ = try await app.percentRule(line.program, "0.1")
            try await line.sell("inv-1", "cus-1", 10_000, in: app)
            #expect(try await app.balance(line.carla) == [1_000, 0, 0, 0, 0, 0])
            // From now on the plan alone: what was paid stays, what comes is left to the plan.
            try await app.patch("/programs/\(line.program)", ["planExcludesRules": true])
            try await app.moveClock(days: 1)
            try await line.sell("inv-2", "cus-1", 10_000, in: app)
            #expect(try await app.balance(line.carla) == [1_000, 0, 0, 0, 0, 0])
            // A program without a plan has nothing that covers.
            let other = try await app.program(["name": "Other", "planExcludesRules": true])
            _ = try await app.percentRule(other, "0.1")
            let dora = try await app.member(other, "dora")
            try await app.link(other, dora, code: "dora")
            try await app.sale("inv-3", "cus-9", 10_000, ["code": "dora"])
            #expect(try await app.balance(dora) == [1_000, 0, 0, 0, 0, 0])
            // A version that begins later covers the periods from then on.
            _ = try await app.post(
                "/plans",
                ["programId": .text(other), "name": "Later", "document": .text(Upline.document), "effectiveFrom": "2026-04-01T00:00:00Z"])
            try await app.sale("inv-4", "cus-9", 10_000, ["code": "dora"])
            #expect(try await app.balance(dora) == [2_000, 0, 0, 0, 0, 0])
        }
    }
}
