import Chronology
import HTTPTypes
import Persistence
import TestSupport
import Testing
import Web

@testable import App

/// What a member reads about their own rank.
struct PortalRankTests {
    static let plan = """
        plan: ranked
        unit: EUR
        ranks:
          - rank: bronze
            condition: {metric: groupVolume, atLeastMinor: 10000}
          - rank: silver
            condition: {all: [{metric: groupVolume, atLeastMinor: 40000}, {metric: personalVolume, atLeastMinor: 1000}]}
        bonuses:
          - bonus: level
            type: unilevel
            rates: [10%, 5%, 3%]
          - bonus: leaders
            type: unilevel
            rates: [1%]
            eligibility: {paidRank: silver}
        """

    @Test(arguments: Engine.allCases)
    func aMemberSeesTheirRankWhatIsMissingTheirLegsAndEachOrder(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let line = try await Upline.make(in: app, document: Self.plan)
            try await line.sell("inv-1", "cus-1", 10_000, in: app)
            try await line.sell("inv-2", "cus-2", 5_000, in: app)
            try await app.moveClock(days: 40)
            let draft = try await line.preview(in: app)["id"].text
            let phone = try await app.signInMember(line.berta)
            #expect(try await phone.get("/portal/rank").text.contains("No period has been worked out yet"), "a preview is nobody's pay")
            try await app.api(.post, "/runs/\(draft)/acceptance", nil, as: line.secondKey).success("acceptance")

            let page = try await phone.get("/portal/rank").text
            #expect(page.contains("bronze") && page.contains("What is missing to silver"))
            #expect(page.contains("150.00 of 400.00") && page.contains("250.00 is missing"))
            #expect(page.contains("37.5%"), "the width of the bar")
            #expect(page.contains("carla"), "her leg")
            #expect(page.contains("€7.50") || page.contains("€5.00"), "5 % of each order")
            #expect(!page.contains("cus-1") && !page.contains("inv-1"), "buyers are not named")
            #expect(try await phone.get("/portal").text.contains("/portal/rank"))

            #expect(page.contains("Nothing from leaders: you did not meet its conditions."))
            let period = try await app.get("/runs/\(draft)/explanation?memberId=\(line.berta)")["bonuses"].list
            #expect(period.map { $0["bonus"].text } == ["level", "leaders"])
            #expect(period.map { $0["nothing"] } == [.null, "notEligible"])
            #expect(period[0]["amount"] == 750)

            let lines = try await app.get("/runs/\(draft)/lines?memberId=\(line.berta)")["data"].list
            let own = try #require(lines.first { $0["amount"].integer == 500 }?["number"].integer)
            let receipt = try await phone.get("/portal/rank/\(draft)/lines/\(own)").text
            #expect(receipt.contains("€5.00") && receipt.contains("5%") && receipt.contains("€100.00"))
            let anothers = try await app.get("/runs/\(draft)/lines?memberId=\(line.anna)")["data"].list
            let foreign = try #require(anothers.first?["number"].integer)
            #expect(try await phone.get("/portal/rank/\(draft)/lines/\(foreign)").status == 404, "another member's line is not there")
            #expect(try await phone.get("/portal/rank?run=run_00000000000000000000000000").status == 404)
        }
    }
}
