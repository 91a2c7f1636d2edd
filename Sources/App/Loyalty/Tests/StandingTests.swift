import HTTPTypes
import Persistence
import TestSupport
import Testing
import Web

@testable import App

/// Members rise by what they did, stay while they keep it, and get each badge once.
@Suite struct StandingTests {
    @Test func theBestTierThatIsReachedOrKept() {
        func tier(_ rank: Int64, _ entry: Int64, keep: Int64?) -> Tier {
            Tier(
                id: TierID(stored: "tir_\(rank)"), workspaceID: WorkspaceID(stored: "w"), programID: ProgramID(stored: "p"), name: "\(rank)", benefits: "",
                rank: rank, measure: .sales, entry: entry, keep: keep, days: nil, createdAt: AppHarness.start)
        }
        let tiers = [tier(1, 10, keep: nil), tier(2, 50, keep: 20), tier(3, 100, keep: 100)]
        func rank(_ value: Int64, from: Int64?) -> Int64? {
            Tier.reached(tiers, from: from, values: Dictionary(tiers.map { ($0.id, value) }, uniquingKeysWith: { first, _ in first }))?.rank
        }
        #expect(rank(9, from: nil) == nil)
        #expect(rank(10, from: nil) == 1)
        #expect(rank(100, from: nil) == 3)
        #expect(rank(99, from: 3) == 2, "a tier above its keep falls by one, not to the ground")
        #expect(rank(19, from: 3) == 1)
        #expect(rank(0, from: 2) == 1, "the first is for good")
        #expect(rank(30, from: 1) == 1, "what keeps a tier does not reach it")
    }

    @Test(arguments: Engine.allCases)
    func risingStayingFalling(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let program = try await app.program(["holdDays": 0])
            _ = try await app.rule(program, ["reward": ["kind": "points", "amount": 100, "unit": "points"]])
            let anna = try await app.member(program, "anna")
            try await app.link(program, anna, code: "ANNA")
            try await app.sale("i0", "c0", 1_000, ["code": "ANNA"])
            let silver: JSONValue = ["programId": .text(program), "name": "Silver", "rank": 1, "measure": "sales", "entry": 2, "keep": 1, "days": 30]
            try await app.post("/tiers", silver)
            #expect(try await app.api(.post, "/tiers", silver).code == "rank_taken")
            #expect(try await app.api(.post, "/tiers", silver.adding("rank", 2).adding("keep", 3)).status == 422)
            try await app.post("/tiers", ["programId": .text(program), "name": "Gold", "rank": 2, "measure": "points", "entry": 400])
            try await app.post("/badges", ["programId": .text(program), "name": "First", "measure": "sales", "threshold": 1, "unit": "points", "amount": 50])
            try await app.moveClock(days: 1)
            func standing() async throws -> (tier: String, missing: Int64?, badges: [String]) {
                let json = try await app.get("/members/\(anna)/standing")
                let part = json["programs"].list[0]
                return (part["tier"]["name"].text, part["next"]["missing"].integer, json["badges"].list.map { $0["badge"]["name"].text })
            }
            #expect(try await standing() == ("", 1, ["First"]), "what was done before counts too")
            #expect(try await app.balance(anna, "points") == [0, 0, 150, 0, 0, 0])
            try await app.sale("i1", "c1", 1_000, ["code": "ANNA"])
            try await app.moveClock(days: 1)
            #expect(try await standing() == ("Silver", 150, ["First"]))
            try await app.refund("i0", "r0")
            try await app.moveClock(days: 1)
            #expect(try await standing().tier == "Silver", "one sale keeps it")
            try await app.moveClock(days: 40)
            #expect(try await standing().tier == "", "nothing in thirty days")
            #expect(try await app.balance(anna, "points") == [0, 0, 150, 0, 0, 0], "the badge came once")
            try await app.post("/members/\(anna)/wallet/adjustments", ["unit": "points", "amount": 260, "reason": "x"])
            try await app.moveClock(days: 1)
            #expect(try await standing().tier == "Gold")
            try await WalletTests.verify(app)
        }
    }

    @Test(arguments: Engine.allCases)
    func byPage(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let program = try await app.program()
            let person = try await TeamPerson.make("own", .owner, in: app).enter(app)
            let tier = ["form": "tier", "program": program, "name": "Silver", "rank": "1", "measure": "sales", "entry": "2", "keep": "", "days": ""]
            for (field, bad) in [("name", ""), ("rank", "0"), ("entry", "x"), ("keep", "3"), ("days", "9999")] {
                #expect(try await person.submit("/loyalty/tiers", from: "/loyalty", tier.merging([field: bad]) { $1 }).status == 422, "\(field)")
            }
            #expect(try await person.submit("/loyalty/tiers", from: "/loyalty", tier).status == 303)
            #expect(try await person.submit("/loyalty/tiers", from: "/loyalty", tier).status == 422, "the rank is taken")
            let badge = ["form": "badge", "program": program, "name": "First", "measure": "sales", "entry": "1", "amount": "50"]
            #expect(try await person.submit("/loyalty/badges", from: "/loyalty", badge.merging(["amount": "1.5"]) { $1 }).status == 422)
            #expect(try await person.submit("/loyalty/badges", from: "/loyalty", badge).status == 303)
            let page = try await person.get("/loyalty").text
            #expect(page.contains("Silver") && page.contains("First"))
            let id = try await app.get("/badges")["data"].list[0]["id"].text
            #expect(try await person.submit("/loyalty/archiving", from: "/loyalty", ["badge": id]).status == 303)
            #expect(try await !person.get("/loyalty").text.contains("First"))
        }
    }
}
