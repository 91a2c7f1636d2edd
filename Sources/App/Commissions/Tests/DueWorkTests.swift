import HTTPTypes
import Persistence
import TestSupport
import Testing
import Web

@testable import App

/// One thing that cannot be done stops no other.
@Suite struct DueWorkTests {
    private func actions(_ app: AppHarness, _ action: String) async throws -> [JSONValue] {
        try await app.get("/audit?limit=100")["data"].list.filter { $0["action"].text == action }
    }

    /// Two clicks pay more together than the books hold: the second is refused and noted, and those after it are applied.
    @Test(arguments: Engine.allCases) func aClickThatCannotBePaidStopsNoOther(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let rich = try await app.program(["name": "Rich"])
            _ = try await app.rule(rich, ["event": "click", "reward": ["kind": "flat", "amount": .integer(.max), "currency": "EUR"]])
            let plain = try await app.program(["name": "Plain"])
            _ = try await app.rule(plain, ["event": "click", "reward": ["kind": "flat", "amount": 5, "currency": "EUR"]])
            let anna = try await app.member(rich, "anna")
            let bert = try await app.member(plain, "bert")
            let links = [
                try await app.link(rich, anna, code: "anna"), try await app.link(plain, bert, code: "bert"),
            ]
            for (number, code) in ["anna", "anna", "bert"].enumerated() {
                _ = try await app.click(code, visitor: "v-\(number)")
                app.clock.advance(ms: 1_000)
            }
            try await app.installation.applyClicks()
            #expect(try await app.get("/links/\(links[0])")["clicks"].integer == 2)
            #expect(try await app.get("/links/\(links[1])")["clicks"].integer == 1)
            #expect(try await app.balance(anna)[0] == .max)
            #expect(try await app.balance(bert)[0] == 5)
            let refused = try await actions(app, "click.refused")
            #expect(refused.map { $0["detail"]["code"].text }.count == 1 && refused.first["subject"].text.hasPrefix("clk_") == true)
            // Nothing is applied twice, and the next click is.
            _ = try await app.click("bert", visitor: "v-9")
            try await app.installation.doDueWork()
            #expect(try await app.balance(bert)[0] == 10)
            #expect(try await actions(app, "click.refused").count == 1)
        }
    }

    /// A commission that the books refuse to make available is tried again a day later; the others are approved.
    @Test(arguments: Engine.allCases) func aCommissionThatCannotBeApprovedStopsNoOther(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let huge: Int64 = 9_000_000_000_000_000_000
            var members: [String] = []
            for (number, amount) in [huge, huge / 9].enumerated() {
                let program = try await app.program(["name": .text("P\(number)")])
                _ = try await app.rule(program, ["reward": ["kind": "flat", "amount": .integer(amount), "currency": "EUR"]])
                for name in ["anna", "bert"] where number == 1 || name == "anna" {
                    let id = try await app.member(program, name, ["externalId": .text(name)])
                    if !members.contains(id) { members.append(id) }
                    try await app.link(program, id, code: "\(name)\(number)")
                }
            }
            func states(_ member: Int) async throws -> [String] {
                try await app.get("/commissions?memberId=\(members[member])")["data"].list.map { $0["state"].text }.sorted()
            }
            try await app.sale("inv-0", "c-0", 1_000, ["code": "anna0"])
            try await app.moveClock(days: 31)
            #expect(try await states(0) == ["approved"])
            // Anna's second one is more than her account holds; Bert's is due with it.
            try await app.sale("inv-1", "c-1", 1_000, ["code": "anna1"])
            try await app.sale("inv-2", "c-2", 1_000, ["code": "bert1"])
            try await app.moveClock(days: 31)
            #expect(try await states(0) == ["approved", "pending"])
            #expect(try await states(1) == ["approved"])
            let postponed = try await actions(app, "commission.postponed")
            #expect(postponed.count == 1 && postponed.first["subject"].text.hasPrefix("com_") == true)
            // Not at once again, but a day later, when there is room.
            try await app.installation.doDueWork(in: app.twinID)
            #expect(try await actions(app, "commission.postponed").count == 1)
            try await app.refund("inv-0", "r-0")
            try await app.moveClock(days: 2)
            #expect(try await states(0) == ["approved", "reversed"])
            #expect(try await app.balance(members[0])[2] == huge / 9)
        }
    }
}
