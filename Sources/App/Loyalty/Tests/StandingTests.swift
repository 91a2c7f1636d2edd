import Chronology
import HTTPTypes
import Persistence
import TestSupport
import Testing
import Web

@testable import App

/// Members rise by what they did, stay while they keep it, and get each badge once.
@Suite struct StandingTests {
    @Test func theBestTierThatIsReachedOrKept() {
        func tier(_ rank: Int64, _ entry: Int64, keep: Int64?) -> MemberTier {
            MemberTier(
                id: TierID(stored: "tir_\(rank)"), workspaceID: WorkspaceID(stored: "w"), programID: ProgramID(stored: "p"), name: "\(rank)", benefits: "",
                rank: rank, measure: .sales, entry: entry, keep: keep, days: nil, createdAt: AppHarness.start)
        }
        let tiers = [tier(1, 10, keep: nil), tier(2, 50, keep: 20), tier(3, 100, keep: 100)]
        func rank(_ value: Int64, from: Int64?) -> Int64? {
            MemberTier.reached(tiers, from: from, values: Dictionary(tiers.map { ($0.id, value) }, uniquingKeysWith: { first, _ in first }))?.rank
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
            let told = try await app.letters(to: "anna@members.test").filter { $0.kind == .standingRisen }
            #expect(told.count == 2, "of the badge and of the tier")
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

    /// A badge that brings something waits for the hold: what is returned before brought nothing. One without a gift is given at once.
    @Test(arguments: Engine.allCases)
    func giftsOfBadgesWaitForTheHold(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let program = try await app.program(["holdDays": 10])
            let (anna, ben) = (try await app.member(program, "anna"), try await app.member(program, "ben"))
            try await app.link(program, anna, code: "ANNA")
            try await app.link(program, ben, code: "BEN")
            try await app.post("/badges", ["programId": .text(program), "name": "Honour", "measure": "sales", "threshold": 1])
            let gift: JSONValue = ["programId": .text(program), "name": "Gift", "measure": "sales", "threshold": 1, "unit": "credit:EUR", "amount": 5_000]
            try await app.post("/badges", gift)
            try await app.sale("i1", "c1", 1, ["code": "ANNA"])
            try await app.sale("i2", "c2", 1, ["code": "BEN"])
            try await app.moveClock(days: 1)
            func badges(_ member: String) async throws -> Set<String> {
                Set(try await app.get("/members/\(member)/standing")["badges"].list.map { $0["badge"]["name"].text })
            }
            #expect(try await badges(anna) == ["Honour"])
            #expect(try await app.balance(anna, "credit:EUR") == [0, 0, 0, 0, 0, 0])
            try await app.refund("i1", "r1")
            for _ in 0..<12 { try await app.moveClock(days: 1) }
            #expect(try await badges(anna) == ["Honour"])
            #expect(try await app.balance(anna, "credit:EUR") == [0, 0, 0, 0, 0, 0])
            #expect(try await badges(ben) == ["Honour", "Gift"])
            #expect(try await app.balance(ben, "credit:EUR") == [0, 0, 5_000, 0, 0, 0])
            try await WalletTests.verify(app)
        }
    }

    /// What a tier brings in money: a rule that asks for its rank, as it was on the day of the sale.
    @Test(arguments: Engine.allCases)
    func rulesAskForTheTier(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let program = try await app.program(["holdDays": 0])
            _ = try await app.rule(program, [
                "name": "Silver and above", "reward": ["kind": "percent", "rate": "0.05"], "conditions": ["field": "memberTier", "op": "gte", "value": 1],
            ])
            let anna = try await app.member(program, "anna")
            try await app.link(program, anna, code: "ANNA")
            try await app.post("/tiers", ["programId": .text(program), "name": "Silver", "rank": 1, "measure": "sales", "entry": 2])
            for sale in ["i1", "i2", "i3"] {
                try await app.sale(sale, "c\(sale)", 1_000, ["code": "ANNA"])
                try await app.moveClock(days: 1)
            }
            #expect(try await app.balance(anna) == [0, 0, 50, 0, 0, 0], "the third sale alone came after the tier")
            try await app.sale("i4", "c4", 1_000, ["code": "ANNA", "occurredAt": .text(AppHarness.start.rfc3339)])
            #expect(try await app.balance(anna)[2] == 50, "on that day there was no tier")
            let page = try await app.get("/tiers")["data"].list[0]["entry"].integer
            #expect(page == 2)
            try await WalletTests.verify(app)
        }
    }

    @Test(arguments: Engine.allCases)
    func aMemberSeesWhatIsMissing(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let program = try await app.program(["holdDays": 0])
            let anna = try await app.member(program, "anna")
            try await app.link(program, anna, code: "ANNA")
            try await app.post("/tiers", ["programId": .text(program), "name": "Silver", "rank": 1, "measure": "sales", "entry": 1, "keep": 1, "days": 30])
            try await app.post("/tiers", ["programId": .text(program), "name": "Gold", "rank": 2, "measure": "referrals", "entry": 4])
            try await app.post("/badges", ["programId": .text(program), "name": "First friend", "measure": "referrals", "threshold": 1])
            let browser = MemberBrowser(app)
            try await browser.signIn("anna@members.test")
            #expect(try await browser.page.get("/portal/wallet").text.contains("No tier yet"))
            try await app.sale("i1", "c1", 1_000, ["code": "ANNA"])
            try await app.moveClock(days: 1)
            let page = try await browser.page.get("/portal/wallet").text
            for words in ["Silver", "Next: Gold", "You have 1 customer of 4 customers.", "3 customers more", "First friend", "Stays with 1 sale in 30 days; you have 1 sale."] {
                #expect(page.contains(words), "\(words)")
            }
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
            let gold = tier.merging(["name": "Gold", "rank": "2", "measure": "amount", "entry": "5000.50", "keep": "12.5"]) { $1 }
            #expect(try await person.submit("/loyalty/tiers", from: "/loyalty", gold.merging(["entry": "5000.505"]) { $1 }).status == 422)
            #expect(try await person.submit("/loyalty/tiers", from: "/loyalty", gold).status == 303)
            let kept = try await app.get("/tiers")["data"].list.first { $0["name"].text == "Gold" }
            #expect(kept?["entry"].integer == 500_050 && kept?["keep"].integer == 1_250)
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
