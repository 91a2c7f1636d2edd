import Chronology
import HTTPTypes
import Persistence
import TestSupport
import Testing
import Web

@testable import App

/// Costs, visits, showings and shares as companies tell them.
@Suite struct MeasurementTests {
    private static func cost(_ program: String, _ more: JSONValue = .object([])) -> JSONValue {
        var body: JSONValue = [
            "programId": .text(program), "channel": "paid", "date": "2026-01-01", "amount": 25_000, "currency": "EUR",
        ]
        if case .object(let members) = more { for member in members { body = body.without([member.name]).adding(member.name, member.value) } }
        return body
    }

    @Test(arguments: Engine.allCases)
    func costsCountOnceAndAreCorrected(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let program = try await app.program()
            let cost = try await app.post("/costs", Self.cost(program, ["stage": "customer", "reference": "ad-1"]))
            #expect(cost["stage"].text == "customer" && cost["amount"].integer == 25_000 && cost["date"].text == "2026-01-01")
            let again = try await app.api(.post, "/costs", Self.cost(program, ["stage": "customer", "reference": "ad-1"]))
            #expect(again.status == 200, "a reference counts once")
            #expect(try await app.api(.post, "/costs", Self.cost(program, ["reference": "ad-1", "amount": 1])).code == "cost_conflict")
            _ = try await app.post("/costs", Self.cost(program))
            _ = try await app.post("/costs", Self.cost(program))
            #expect(try await app.get("/costs")["data"].list.count == 3, "without a reference each is one")
            let corrected = try await app.patch("/costs/\(cost["id"].text)", ["amount": 20_000])
            #expect(corrected["amount"].integer == 20_000 && corrected["correctedAt"] != .null)
            #expect(try await app.get("/audit")["data"].list.contains { $0["action"].text == "cost.correct" })
            #expect(try await app.api(.post, "/costs", Self.cost(program, ["stage": "customer", "reference": "ad-1"])).status == 200, "told again as before")
            for bad: JSONValue in [
                ["channel": "tv"], ["date": "2026-13-01"], ["date": "1999-12-31"], ["date": "2028-01-01"], ["amount": -1], ["currency": "EURO"],
                ["stage": "fan"], ["programId": "prog_x"],
            ] {
                #expect(try await app.api(.post, "/costs", Self.cost(program, bad)).status == 422, "\(bad)")
            }
        }
    }

    @Test(arguments: Engine.allCases)
    func aFileOfCostsCountsOnce(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let program = try await app.program()
            let csv = "date,channel,amount,currency,stage\n2026-01-01,paid,250.00,EUR,customer\n2026-01-02,Social,12.5,EUR,\n2026-01-02,Social,12.5,EUR,\n"
            let body: JSONValue = ["programId": .text(program), "csv": .text(csv)]
            let first = try await app.post("/costs/file", body, idempotencyKey: "one")
            #expect(first["recorded"].integer == 3 && first["known"].integer == 0)
            let second = try await app.post("/costs/file", body, idempotencyKey: "two")
            #expect(second["recorded"].integer == 0 && second["known"].integer == 3)
            #expect(try await app.get("/costs")["data"].list.map { $0["amount"].integer } == [25_000, 1_250, 1_250])
            for bad in ["", "date,channel\n", "date,channel,amount,currency\n2026-01-01,tv,1,EUR\n", "date,channel,amount,currency\n2026-01-01,paid,1.234,EUR\n"] {
                let reply = try await app.api(.post, "/costs/file", ["programId": .text(program), "csv": .text(bad)])
                #expect(reply.status == 422, "\(bad)")
            }
            #expect(try await app.get("/costs")["data"].list.count == 3, "nothing of a wrong file")
        }
    }

    @Test(arguments: Engine.allCases)
    func visitsAndShowingsCountByDay(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let program = try await app.program()
            let member = try await app.member(program, "anna")
            try await app.link(program, member, code: "ANNA")
            for _ in 0..<3 { _ = try await app.post("/track/visit", ["metadata": ["channel": "Mail ", "device": "phone"], "country": "de"]) }
            let bot = try await app.post("/track/visit", ["userAgent": "Googlebot/2.1"])
            #expect(bot["counted"].integer == 0)
            let shown = try await app.post("/track/impression", ["code": "anna", "count": 500])
            #expect(shown["counted"].integer == 500 && shown["programId"].text == program)
            #expect(try await app.api(.post, "/track/impression", ["code": "NOBODY"]).code == "unknown_code")
            #expect(try await app.api(.post, "/track/impression", ["code": "ANNA", "count": 0]).status == 422)
            #expect(try await app.api(.post, "/track/visit", ["occurredAt": "2020-01-01T00:00:00Z"]).code == "visit_time")
            let rows = try await app.installation.main.read { connection in
                try connection.rows("SELECT kind, channel, device, country, count FROM traffic_day ORDER BY kind").map { row in
                    "\(try row.get(at: 0, as: String.self)) \(try row.get(at: 1, as: String.self)) \(try row.get(at: 2, as: String.self)) \(try row.get(at: 3, as: String.self)) \(try row.get(at: 4, as: Int64.self))"
                }
            }
            #expect(rows == ["impression    500", "visit mail phone DE 3"])
        }
    }

    @Test(arguments: Engine.allCases)
    func aShareMakesASharerWhereTheProgramSaysSo(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let program = try await app.program()
            let anna = try await app.member(program, "anna", ["kind": "customer"])
            let first = try await app.post("/members/\(anna)/shares", ["channel": "WhatsApp", "contentId": "story-1"])
            #expect(first["channel"].text == "whatsapp" && first["stage"].text == "sharer")
            _ = try await app.post("/members/\(anna)/shares", ["channel": "whatsapp", "contentId": "story-1"])
            let count = try await app.installation.main.read { connection -> Int64? in try connection.value("SELECT count FROM share_day") }
            #expect(count == 2)
            _ = try await app.patch("/programs/\(program)", ["stages": ["sharer": ["click"]]])
            let bert = try await app.member(program, "bert", ["kind": "customer"])
            #expect(try await app.post("/members/\(bert)/shares", ["channel": "mail"])["stage"].text == "prospect")
            #expect(try await app.api(.patch, "/programs/\(program)", ["stages": ["sharer": ["birth"]]]).status == 422)
            #expect(try await app.api(.post, "/members/\(bert)/shares", ["channel": "!!!"]).status == 422)
            #expect(try await app.api(.post, "/members/ext:nobody/shares", ["channel": "mail"]).status == 404)
        }
    }

    @Test(arguments: Engine.allCases)
    func thePageListsTakesAndTakesBack(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let program = try await app.program()
            let browser = try await TeamPerson.make("ada", .admin, in: app).enter(app)
            var fields = ["program": program, "date": "2026-01-01", "channel": "social", "stage": "sharer", "amount": "12.50", "currency": "eur"]
            #expect(try await browser.submit("/insights/costs", from: "/insights/costs", fields).status == 303)
            #expect(try await browser.get("/insights/costs").text.contains("12.50"))
            fields["amount"] = "much"
            let refused = try await browser.submit("/insights/costs", from: "/insights/costs", fields)
            #expect(refused.status == 422 && refused.text.contains("much"))
            let id = try await app.get("/costs")["data"].list.first?["id"].text ?? ""
            #expect(try await browser.submit("/insights/costs/correction", from: "/insights/costs", ["cost": id]).status == 303)
            #expect(try await app.get("/costs")["data"].list.first?["amount"].integer == 0)
        }
    }

    @Test func wordsAreFolded() {
        #expect(Dimensions.folded("  E-Mail!! ") == "e-mail")
        #expect(Dimensions.folded("anna@x.test") == "annax.test")
        #expect(Dimensions.folded(String(repeating: "a", count: 90)).count == 40)
        #expect(Dimensions.folded(nil) == "")
    }
}
