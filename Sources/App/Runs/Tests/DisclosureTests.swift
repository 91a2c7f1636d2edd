import Chronology
import HTTPTypes
import Persistence
import TestSupport
import Testing
import Web

@testable import App

/// What a company must be able to show: incomes as the ledger has them, and limits of the countries its people live in.
struct DisclosureTests {
    @Test(arguments: Engine.allCases)
    func theDisclosureIsTheLedgersWithWhatParticipantsSpent(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let line = try await Upline.make(in: app)
            _ = try await app.member(line.program, "nobody")
            try await line.sell("inv-1", "cus-1", 10_000, in: app)
            try await app.sale("inv-2", "bertas-own", 6_000, ["programId": .text(line.program), "customerEmail": "berta@members.test"])
            try await app.moveClock(days: 40)
            let id = try await line.preview(in: app)["id"].text
            let before = try await app.get("/runs/\(id)/disclosure")
            #expect(before["source"] == nil && before["participants"].integer == 4)
            try await app.api(.post, "/runs/\(id)/acceptance", ["overrideReason": "checked"], as: line.secondKey).success("acceptance")
            let after = try await app.get("/runs/\(id)/disclosure")
            #expect(after["source"].text == "ledger")
            #expect(after["participants"].integer == 4 && after["zero"].integer == 1, "who earned nothing counts")
            for part in ["all", "ranks", "hash"] { #expect(after[part] == before[part], "\(part): the ledger has what was previewed") }
            let balances = try await [line.anna, line.berta, line.carla].asyncMap { try await app.balance($0)[0] }
            #expect(after["all"]?["total"].integer == balances.reduce(0, +))
            #expect(after["spenders"].integer == 1 && after["expenses"]?["total"].integer == 6_000 && after["expenses"]?["highest"].integer == 6_000)

            let checker = try await TeamPerson.make("checker", .finance, in: app).enter(app)
            let page = try await checker.get("/runs/\(id)/disclosure").text
            #expect(page.contains("€60.00") && page.contains("What participants spent") && page.contains("that the ledger has"))
            let file = try await checker.get("/runs/\(id)/disclosure.pdf")
            #expect(file.status == 200 && file.headers[.contentType] == "application/pdf")
            #expect(String(decoding: file.body.prefix(5), as: UTF8.self) == "%PDF-" && file.body.count > 2_000)
        }
    }

    @Test(arguments: Engine.allCases)
    func countriesHaveLimitsThatBlockUnlessSomebodySaysWhy(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let line = try await Upline.make(in: app)
            let known = try await app.get("/programs/\(line.program)/legal-policy")
            #expect(known["countries"].list.map { $0["country"].text } == ["CN", "GB"])
            #expect(known["sources"].list.contains { $0["check"].text == "earlyPayments" && $0["source"].text.contains("SI 1997/30") })
            let wrong = try await app.api(.put, "/programs/\(line.program)/legal-policy", ["countries": [["country": "gb"]]])
            #expect(wrong.status == 422 && wrong.fields == ["countries[0].country"])
            try await app.put(
                "/programs/\(line.program)/legal-policy",
                ["countries": [["country": "GB", "earlyPaidAtMost": 23_000, "cancellationDays": 14]], "terms": ["buyBack": "0.9", "buyBackMonths": 12, "cancellationDays": 14]])

            let dora = try await app.member(line.program, "dora", enroller: line.carla, ["country": "GB"])
            let emil = try await app.member(line.program, "emil", enroller: line.carla, ["country": "DE"])
            for (name, amount) in [("dora", 23_001), ("emil", 23_001)] {
                try await app.sale("inv-\(name)", "own-\(name)", Int64(amount), ["programId": .text(line.program), "customerEmail": .text("\(name)@members.test")])
            }
            // Enough is sold to end users for everything else to pass.
            for number in 0..<12 { try await line.sell("inv-\(number)", "cus-\(number)", 50_000, in: app) }
            for member in [dora, emil] {
                try await app.link(line.program, member, code: member)
                try await app.sale("more-\(member)", "friend-\(member)", 90_000, ["code": .text(member)])
            }
            try await app.moveClock(days: 40)
            let run = try await line.preview(in: app)
            let id = run["id"].text
            let audit = try await app.get("/runs/\(id)/audit")
            let early = try #require(audit["checks"].list.first { $0["check"].text == "earlyPayments" })
            #expect(early["failures"].integer == 1 && early["isHard"] == .boolean(true), "the one in the United Kingdom")
            let promised = try #require(audit["checks"].list.first { $0["check"].text == "buyBack" })
            #expect(promised["company"]?["outcome"].text == "passes" && !promised["sources"].list.isEmpty)
            #expect(try await app.api(.post, "/runs/\(id)/acceptance", nil, as: line.secondKey).code == "audit_blocks")
            let accepted = try await app.api(
                .post, "/runs/\(id)/acceptance", ["overrideReason": "Counsel: dora canceled and was paid back."], as: line.secondKey
            ).success("acceptance")
            #expect(accepted["overrideReason"].text.hasPrefix("Counsel"))
        }
    }
}
