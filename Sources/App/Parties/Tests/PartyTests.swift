import Chronology
import HTTPTypes
import Persistence
import TestSupport
import Testing
import Web

@testable import App

/// What is sold by a party's link while it counts, and what its host gets for it, once.
@Suite struct PartyTests {
    static func plan(_ more: JSONValue = .object([])) -> JSONValue {
        var body: JSONValue = [
            "orderDays": 3, "returnDays": 4, "membersMayHost": true,
            "tiers": [["from": 10_000, "rate": "0.05"], ["from": 50_000, "rate": "0.10"], ["from": 100_000, "unit": "points", "amount": 900]],
        ]
        if case .object(let members) = more { for member in members { body = body.adding(member.name, member.value) } }
        return body
    }

    static func party(_ app: AppHarness, _ program: String, _ host: String, inDays days: Int64 = 2, _ more: JSONValue = .object([])) async throws -> JSONValue {
        var body: JSONValue = [
            "programId": .text(program), "hostId": .text(host), "title": "Coffee and friends", "destination": "https://shop.test/", "code": "PARTY",
            "startsAt": .text(Instant(millisecondsSince1970: AppHarness.start.millisecondsSince1970 + days * 86_400_000).rfc3339),
        ]
        if case .object(let members) = more { for member in members { body = body.adding(member.name, member.value) } }
        return try await app.post("/parties", body)
    }

    private static func shop(_ app: AppHarness) async throws -> (program: String, host: String, party: String) {
        let program = try await app.program(["holdDays": 0])
        let host = try await app.member(program, "anna")
        _ = try await app.put("/programs/\(program)/party-plan", plan())
        return (program, host, try await party(app, program, host)["id"].text)
    }

    @Test(arguments: Engine.allCases)
    func ordersCountAndTheHostIsRewardedOnce(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let (program, host, id) = try await Self.shop(app)
            try await app.link(program, host, code: "ANNA")
            #expect(try await app.get("/parties/\(id)")["state"].text == "planned")
            try await app.sale("i1", "c1", 30_000, ["code": "PARTY"])
            try await app.sale("i2", "c2", 40_000, ["code": "party"])
            try await app.sale("i3", "c3", 90_000, ["code": "ANNA"])
            try await app.refund("i1", "r1", 15_000)
            let shown = try await app.get("/parties/\(id)")
            #expect(shown["orders"].integer == 2 && shown["turnover"].integer == 55_000, "the host's other link is no part of it")
            try await app.moveClock(days: 5)
            #expect(try await app.get("/parties/\(id)")["state"].text == "open")
            try await app.moveClock(days: 1)
            #expect(try await app.get("/parties/\(id)")["state"].text == "closed")
            try await app.sale("i4", "c4", 90_000, ["code": "PARTY"])
            #expect(try await app.get("/parties/\(id)")["orders"].integer == 2, "too late")
            try await app.refund("i2", "r2", 10_000)
            #expect(try await app.balance(host, "credit:EUR") == [0, 0, 0, 0, 0, 0])
            try await app.moveClock(days: 4)
            for _ in 0..<2 {
                try await app.moveClock(days: 1)
                #expect(try await app.balance(host, "credit:EUR") == [0, 0, 2_250, 0, 0, 0], "5 % of 450.00, once")
            }
            let settled = try await app.get("/parties/\(id)")
            #expect(settled["state"].text == "settled" && settled["reward"]["amount"].integer == 2_250)
            #expect(try await app.api(.post, "/parties/\(id)/cancellation").code == "party_settled")
            #expect(try await app.letters(to: "anna@members.test").filter { $0.kind == .partySettled }.count == 1)
            try await WalletTests.verify(app)
        }
    }

    @Test(arguments: Engine.allCases)
    func returnsAfterTheRewardTakeTheirPart(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let (_, host, id) = try await Self.shop(app)
            try await app.sale("i1", "c1", 60_000, ["code": "PARTY"])
            try await app.sale("i2", "c2", 50_000, ["code": "PARTY"])
            try await app.moveClock(days: 11)
            #expect(try await app.balance(host, "points") == [0, 0, 900, 0, 0, 0])
            try await app.refund("i2", "r1", 20_000)
            #expect(try await app.balance(host, "points") == [0, 0, 0, 0, 0, 0], "the tier below gives credit instead")
            #expect(try await app.balance(host, "credit:EUR") == [0, 0, 9_000, 0, 0, 0])
            _ = try await app.post("/members/\(host)/wallet/redemptions", ["unit": "credit:EUR", "amount": 8_000])
            try await app.refund("i2", "r2")
            #expect(try await app.balance(host, "credit:EUR") == [0, 0, 0, 0, 8_000, 2_000], "what is spent is owed")
            try await app.refund("i1", "r3")
            #expect(try await app.get("/parties/\(id)")["reward"]["amount"].integer == 0)
            try await WalletTests.verify(app)
        }
    }

    /// A reward that lapsed unspent is not owed when an order comes back; one that was spent is, also by a host who has left.
    @Test(arguments: Engine.allCases)
    func whatLapsedIsNotOwed(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let (program, host, id) = try await Self.shop(app)
            _ = try await app.put("/wallet/units/credit:EUR", ["expiresAfterDays": 5])
            try await app.sale("i1", "c1", 30_000, ["code": "PARTY"])
            try await app.sale("i2", "c2", 20_000, ["code": "PARTY"])
            try await app.moveClock(days: 11)
            #expect(try await app.balance(host, "credit:EUR") == [0, 0, 5_000, 0, 0, 0])
            _ = try await app.post("/members/\(host)/wallet/redemptions", ["unit": "credit:EUR", "amount": 1_000])
            try await app.moveClock(days: 10)
            #expect(try await app.balance(host, "credit:EUR") == [0, 0, 0, 0, 1_000, 0])
            try await app.refund("i2", "r1")
            #expect(try await app.balance(host, "credit:EUR") == [0, 0, 0, 0, 1_000, 0], "35.00 less, and 40.00 had lapsed")
            let twin = app.twinID
            try await app.installation.write(twin, actor: .command) { write in
                try MemberMergeStore.leave(MemberID(stored: host), ProgramID(stored: program), on: write.connection)
            }
            try await app.refund("i1", "r2")
            #expect(try await app.balance(host, "credit:EUR") == [0, 0, 0, 0, 1_000, 1_000], "what was spent is owed")
            #expect(try await app.get("/parties/\(id)")["reward"]["amount"].integer == 0)
            try await WalletTests.verify(app)
        }
    }

    @Test(arguments: Engine.allCases)
    func aCanceledPartyAndOneBelowEveryTier(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let (program, host, id) = try await Self.shop(app)
            try await app.sale("i1", "c1", 60_000, ["code": "PARTY"])
            #expect(try await app.post("/parties/\(id)/cancellation", .object([]))["state"].text == "canceled")
            #expect(try await app.post("/parties/\(id)/cancellation", .object([]))["state"].text == "canceled")
            let small = try await Self.party(app, program, host, ["code": "SMALL"])["id"].text
            try await app.sale("i2", "c2", 9_999, ["code": "SMALL"])
            try await app.sale("i3", "c1", 60_000, ["code": "PARTY"])
            try await app.moveClock(days: 30)
            #expect(try await app.balance(host, "credit:EUR") == [0, 0, 0, 0, 0, 0])
            #expect(try await app.get("/parties/\(small)")["state"].text == "settled")
            #expect(try await app.get("/parties/\(id)")["orders"].integer == 1)
            try await WalletTests.verify(app)
        }
    }

    @Test(arguments: Engine.allCases)
    func ordersComeAtOnce(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let (_, host, id) = try await Self.shop(app)
            try await withThrowingTaskGroup(of: Void.self) { group in
                for number in 0..<20 {
                    group.addTask { try await app.sale("i\(number)", "c\(number)", 1_000, ["code": "PARTY"]) }
                }
                try await group.waitForAll()
            }
            #expect(try await app.get("/parties/\(id)")["turnover"].integer == 20_000)
            try await app.moveClock(days: 11)
            #expect(try await app.balance(host, "credit:EUR") == [0, 0, 1_000, 0, 0, 0])
            try await WalletTests.verify(app)
        }
    }

    /// Days are those of the party's zone, also where clocks change in between.
    @Test(arguments: Engine.allCases)
    func daysAreThoseOfTheZone(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let (program, host, _) = try await Self.shop(app)
            let berlin = try await app.post(
                "/parties",
                [
                    "programId": .text(program), "hostId": .text(host), "title": "Spring", "destination": "https://shop.test/",
                    "startsAt": "2027-03-27T22:30:00Z", "timezone": "Europe/Berlin",
                ])
            #expect(berlin["ordersUntil"].text == "2027-03-30T22:00:00Z", "three days after the 27th, in summer time by then: \(berlin["ordersUntil"].text)")
            #expect(berlin["settlesAt"].text == "2027-04-03T22:00:00Z")
        }
    }

    @Test(arguments: Engine.allCases)
    func badInput(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let program = try await app.program()
            let host = try await app.member(program, "anna")
            let good: JSONValue = [
                "programId": .text(program), "hostId": .text(host), "title": "Coffee", "destination": "https://shop.test/", "startsAt": "2027-05-01T18:00:00Z",
            ]
            #expect(try await app.api(.post, "/parties", good).code == "no_party_plan")
            #expect(try await app.api(.get, "/programs/\(program)/party-plan").status == 404)
            for bad: JSONValue in [
                Self.plan(["orderDays": 91]), Self.plan(["tiers": []]), Self.plan(["tiers": [["from": 5, "rate": "1.5"]]]),
                Self.plan(["tiers": [["from": 5, "unit": "EUR", "amount": 5]]]), Self.plan(["tiers": [["from": 5]]]),
                Self.plan(["tiers": [["from": 5, "rate": "0.1", "unit": "points", "amount": 1]]]),
                Self.plan(["tiers": [["from": 5, "rate": "0.1"], ["from": 5, "rate": "0.2"]]]),
            ] {
                #expect(try await app.api(.put, "/programs/\(program)/party-plan", bad).status == 422)
            }
            _ = try await app.put("/programs/\(program)/party-plan", Self.plan())
            for (field, bad): (String, JSONValue) in [
                ("startsAt", "2020-01-01T00:00:00Z"), ("startsAt", "2060-01-01T00:00:00Z"), ("timezone", "Mars/Base"), ("title", ""), ("hostId", "mem_x"),
                ("destination", "javascript:alert(1)"), ("code", "admin"),
            ] {
                #expect(try await app.api(.post, "/parties", good.adding(field, bad)).status == 422, "\(field)")
            }
            #expect(try await app.api(.get, "/parties/pty_01ARZ3NDEKTSV4RRFFQ69G5FAV").status == 404)
            _ = try await app.post("/parties", good)
        }
    }

    @Test(arguments: Engine.allCases)
    func byPage(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let program = try await app.program()
            let host = try await app.member(program, "anna")
            let person = try await TeamPerson.make("own", .owner, in: app).enter(app)
            let plan = ["program": program, "orderDays": "7", "returnDays": "14", "membersMayHost": "yes", "from1": "200", "rate1": "5", "from2": "500.50", "rate2": "10"]
            for (field, bad) in [("orderDays", "x"), ("returnDays", "999"), ("from1", ""), ("rate1", "101"), ("from2", "200"), ("rate2", "")] {
                #expect(try await person.submit("/parties/plan", from: "/parties", plan.merging([field: bad]) { $1 }).status == 422, "\(field)")
            }
            #expect(try await person.submit("/parties/plan", from: "/parties", plan).status == 303)
            let kept = try await app.get("/programs/\(program)/party-plan")
            #expect(kept["tiers"].list[1]["from"].integer == 50_050 && kept["tiers"].list[1]["rate"].text == "0.1")
            let party = ["program": program, "host": host, "title": "Coffee", "place": "", "day": "2027-05-01", "time": "19:00", "destination": "https://shop.test/"]
            for (field, bad) in [("host", "x"), ("title", ""), ("day", "2020-01-01"), ("time", "25:00"), ("destination", "nowhere")] {
                #expect(try await person.submit("/parties", from: "/parties", party.merging([field: bad]) { $1 }).status == 422, "\(field)")
            }
            #expect(try await person.submit("/parties", from: "/parties", party).status == 303)
            let page = try await person.get("/parties").text
            #expect(page.contains("Coffee") && page.contains("From €200.00") && page.contains("Planned"))
            let id = try await app.get("/parties")["data"].list[0]["id"].text
            #expect(try await person.submit("/parties/cancellation", from: "/parties", ["party": id]).status == 303)
            #expect(try await person.get("/parties").text.contains("Canceled"))
        }
    }
}
