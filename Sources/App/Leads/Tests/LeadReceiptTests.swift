import HTTPTypes
import Persistence
import TestSupport
import Testing
import Web

@testable import App

/// Each lead has a receipt of its own, also when it paid nothing.
@Suite struct LeadReceiptTests {
    private func lead(_ app: AppHarness, _ customer: String, _ more: JSONValue = .object([])) async throws -> JSONValue {
        var body: JSONValue = ["eventName": "sign-up", "customerExternalId": .text(customer)]
        if case .object(let members) = more { for member in members { body = body.adding(member.name, member.value) } }
        app.clock.advance(ms: 1_000)
        return try await app.post("/track/lead", body)
    }

    @Test(arguments: Engine.allCases) func everyDecisionIsOnIt(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let program = try await app.program()
            let rule = try await app.rule(
                program,
                [
                    "name": "Welcome", "event": "lead", "reward": ["kind": "flat", "amount": 200, "currency": "EUR"],
                    "cap": ["amount": 200, "per": "member", "period": "day"],
                ])
            let anna = try await app.member(program, "anna")
            try await app.link(program, anna, code: "anna")

            let paid = try await lead(app, "c-1", ["code": "anna"])
            #expect(AppHarness.amounts(paid) == [200])
            #expect(paid["attribution"]["touches"] == nil)
            #expect(paid["receiptUrl"].text == "/api/v1/leads/\(paid["leadId"].text)/receipt")
            let receipt = try await app.get("/leads/\(paid["leadId"].text)/receipt")
            #expect(receipt["answer"].text == "1 member gets a commission for this lead.")
            #expect(receipt["lines"].list.map { $0["amount"].integer } == [200] && receipt["lines"].list.first["ruleDocument"]["name"].text == "Welcome")
            #expect(receipt["attribution"]["shares"].list.map { $0["memberId"].text } == [anna])
            #expect(receipt["attribution"]["touches"].list.count == 1 && receipt["journal"].list.count == 1)
            #expect(receipt["lead"]["state"].text == "counted" && receipt["program"]["id"].text == program)

            // Credited, and stopped by the cap.
            let capped = try await lead(app, "c-2", ["code": "anna"])
            #expect(AppHarness.amounts(capped) == [])
            let refused = try await app.get("/leads/\(capped["leadId"].text)/receipt")
            #expect(refused["answer"].text == "Nobody is paid: the lead is credited, and the cap of the rule “Welcome” is used up, which is 2.00 EUR for each member and day.")
            #expect(refused["refusals"].list.map { $0["ruleId"].text } == [rule] && refused["refusals"].list.first["wanted"].integer == 200)
            #expect(refused["lines"].list.isEmpty && refused["journal"].list.isEmpty)
            let page = try await app.page("/leads/\(capped["leadId"].text)/receipt")
            #expect(page.status == 200)
            #expect(page.text.contains("the cap of the rule “Welcome” is used up, which is €2.00 for each member and day"))

            // Nobody brought it, and a code that is none.
            let alone = try await lead(app, "c-3", ["code": "nobody"])
            let unbrought = try await app.get("/leads/\(alone["leadId"].text)/receipt")
            #expect(unbrought["answer"].text == "Nobody is paid: nobody is credited for this lead.")
            #expect(unbrought["attribution"]["unknownCode"].text == "nobody")
            #expect(try await app.page("/leads/\(alone["leadId"].text)/receipt").text.contains("nobody"))

            // Deferred: decided when it is told again.
            let deferred = try await lead(app, "c-4", ["mode": "deferred"])
            #expect(try await app.get("/leads/\(deferred["leadId"].text)/receipt")["answer"].text.contains("deferred"))
            #expect(try await app.page("/leads/\(deferred["leadId"].text)/receipt").text.contains("Nothing is decided yet"))

            let list = try await app.get("/leads")["data"].list
            #expect(list.map { $0["leadId"].text } == [deferred, alone, capped, paid].map { $0["leadId"].text })
            #expect(try await app.get("/leads?limit=2&startingAfter=\(alone["leadId"].text)")["data"].list.count == 2)
            let listPage = try await app.page("/leads")
            #expect(listPage.status == 200 && listPage.text.contains("/leads/\(paid["leadId"].text)/receipt") && listPage.text.contains("€2.00"))
            // The commission leads to its lead.
            #expect(try await app.page("/commissions").text.contains("/leads/\(paid["leadId"].text)/receipt"))
            #expect(try await app.page("/leads/\(paid["leadId"].text)/receipt.json").json["answer"].text == receipt["answer"].text)
        }
    }

    /// A deferred lead of which nobody knew the program belongs to the one that counted it.
    @Test(arguments: Engine.allCases) func aDeferredLeadBelongsToTheProgramThatCountsIt(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let (program, anna) = try await app.shopWithAnna()
            _ = try await app.program(["name": "Other"])
            _ = try await app.rule(program, ["event": "lead", "reward": ["kind": "flat", "amount": 200, "currency": "EUR"]])
            let deferred = try await lead(app, "c-1", ["mode": "deferred"])
            let path = "/leads/\(deferred["leadId"].text)/receipt"
            #expect(try await app.get(path)["program"] == .some(.null))
            let counted = try await lead(app, "c-1", ["code": "anna"])
            #expect(counted["leadId"] == deferred["leadId"] && AppHarness.amounts(counted) == [200])
            let receipt = try await app.get(path)
            #expect(receipt["program"]["id"].text == program && receipt["lead"]["programId"].text == program)
            #expect(receipt["attribution"]["shares"].list.map { $0["memberId"].text } == [anna])
        }
    }

    @Test(arguments: Engine.allCases) func leadsOfOthersAreNotThere(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            _ = try await app.shopWithAnna()
            let own = try await lead(app, "c-1", ["code": "anna"])["leadId"].text
            #expect(try await app.api(.get, "/leads/\(own)/receipt", as: app.liveKey).status == 404)
            #expect(try await app.get("/leads", as: app.liveKey)["data"].list.isEmpty)
            #expect(try await app.api(.get, "/leads/lead_00000000000000000000000000/receipt").status == 404)
        }
    }
}
