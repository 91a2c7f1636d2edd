import HTTPTypes
import Persistence
import TestSupport
import Testing
import Web

@testable import App

/// A run of a plan with the 70 % rule: what is paid, what the audit says, and what people read about it.
struct SoldOrUsedRunTests {
    /// Carla and Berta buy for themselves and sell nothing.
    private func buy(in app: AppHarness, _ rule: String) async throws -> Upline {
        let line = try await Upline.make(in: app, document: Upline.document + "\n" + rule)
        for (name, amount) in [("carla", Int64(90_000)), ("berta", 50_000)] {
            try await app.sale("inv-\(name)", "own-\(name)", amount, ["programId": .text(line.program), "customerEmail": .text("\(name)@members.test")])
        }
        try await app.moveClock(days: 40)
        return line
    }

    private func check(_ id: String, in app: AppHarness) async throws -> JSONValue {
        try #require(try await app.get("/runs/\(id)/audit")["checks"].list.first { $0["check"].text == "soldOrUsed" })
    }

    @Test(arguments: Engine.allCases)
    func thePartThatWasSoldIsPaidAndPassesTheAudit(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let line = try await buy(in: app, "soldOrUsed: {atLeast: 70%}")
            let run = try await line.preview(in: app)
            let id = run["id"].text
            // Berta earned 10 % of 900.00 and has used 199.99 of the 500.00 that she bought; Anna, who bought nothing, 45.00 and 50.00.
            #expect(run["total"] == 13_100, "36.00 + 45.00 + 50.00")
            let lines = try await app.get("/runs/\(id)/lines?memberId=\(line.berta)")["data"].list
            #expect(lines.map { $0["reason"].text } == ["earned", "cap.soldOrUsed"])
            #expect(lines.map { $0["amount"].integer } == [9_000, -5_400])
            let receipt = try await app.get("/runs/\(id)/lines/\(lines[0]["number"].integer ?? -1)/receipt")
            #expect(receipt["arithmetic"]["cut"] == 5_400 && receipt["arithmetic"]["bonusTotal"] == 3_600)
            #expect(receipt["soldOrUsed"]["soldOrUsed"] == 19_999 && receipt["soldOrUsed"]["bought"] == 50_000)
            let check = try await check(id, in: app)
            #expect(check["failures"] == 0 && check["company"]["outcome"].text == "passes")
            #expect(check["company"]["part"] == 3_600 && check["company"]["whole"] == 9_000)

            let person = try await TeamPerson.make("reader", .admin, in: app).enter(app)
            #expect(try await person.get("/runs/\(id)").text.contains("the plan pays 40% of what those below earned"))
            let page = try await person.get("/runs/\(id)/lines/\(lines[1]["number"].integer ?? -1)").text
            #expect(page.contains("€199.99") && page.contains("€500.00") && page.contains("less than the plan asks for"))
        }
    }

    @Test(arguments: Engine.allCases)
    func theNothingIsToldWithItsNumbers(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let line = try await buy(in: app, "soldOrUsed: {atLeast: 70%, below: nothing}")
            let id = try await line.preview(in: app)["id"].text
            let period = try await app.get("/runs/\(id)/explanation?memberId=\(line.berta)")["bonuses"].list
            #expect(period.map { $0["nothing"] } == ["soldOrUsed"])
            #expect(period[0]["soldOrUsed"] == 19_999 && period[0]["bought"] == 50_000)
            try await app.api(.post, "/runs/\(id)/acceptance", ["overrideReason": "Nobody outside has bought yet."], as: line.secondKey).success("acceptance")
            let page = try await app.signInMember(line.berta).get("/portal/rank").text
            #expect(page.contains("of the <b>500.00</b> that you bought <b>199.99</b> was sold or used"))
            try await app.proveAll()
        }
    }

    @Test func withoutTheRuleTheAuditBlocks() async throws {
        try await AppHarness.with(.sqlite) { app in
            let line = try await buy(in: app, "")
            let id = try await line.preview(in: app)["id"].text
            #expect(try await check(id, in: app)["failures"] == 2)
        }
    }
}
