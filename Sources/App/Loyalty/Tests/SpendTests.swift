import HTTPTypes
import Persistence
import TestSupport
import Testing
import Web

@testable import App

/// What members take from the catalogue: paid once, handed over or given back.
@Suite struct SpendTests {
    private static func shop(_ app: AppHarness) async throws -> (program: String, anna: String) {
        let program = try await app.program(["holdDays": 0])
        return (program, try await app.member(program, "anna"))
    }

    private static func give(_ app: AppHarness, _ member: String, _ amount: Int64) async throws {
        try await app.post("/members/\(member)/wallet/adjustments", ["unit": "points", "amount": .integer(amount), "reason": "x"])
    }

    private static func item(_ program: String, _ name: String, cost: Int64, _ more: JSONValue = .object([])) -> JSONValue {
        var body: JSONValue = ["programId": .text(program), "name": .text(name), "unit": "points", "cost": .integer(cost), "kind": "gift"]
        if case .object(let members) = more { for member in members { body = body.adding(member.name, member.value) } }
        return body
    }

    @Test(arguments: Engine.allCases)
    func takenHandedOverAndGivenBack(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let (program, anna) = try await Self.shop(app)
            try await Self.give(app, anna, 100)
            let cup = try await app.post("/catalogue", Self.item(program, "Cup", cost: 40, ["stock": 2]))["id"].text
            let first = try await app.post("/catalogue/\(cup)/redemptions", ["memberId": .text(anna)])
            #expect(first["state"].text == "requested")
            let second = try await app.post("/catalogue/\(cup)/redemptions", ["memberId": .text(anna)])
            #expect(try await app.balance(anna, "points") == [0, 0, 20, 0, 80, 0])
            #expect(try await app.api(.post, "/catalogue/\(cup)/redemptions", ["memberId": .text(anna)]).code == "sold_out")
            let sent = try await app.post("/redemptions/\(first["id"].text)/fulfilment", ["note": "Sent on Monday"])
            #expect(sent["state"].text == "fulfilled" && sent["note"].text == "Sent on Monday")
            try await app.post("/redemptions/\(second["id"].text)/cancellation", ["reason": "Broken in the store"])
            #expect(try await app.api(.post, "/redemptions/\(second["id"].text)/cancellation", ["reason": "again"]).code == "redemption_settled")
            #expect(try await app.balance(anna, "points") == [0, 0, 60, 0, 40, 0])
            #expect(try await app.get("/catalogue")["data"].list[0]["stock"].integer == 1)
            #expect(try await app.get("/redemptions?state=fulfilled")["data"].list.count == 1)
            _ = try await app.api(.post, "/catalogue/\(cup)/archiving").success("archiving")
            #expect(try await app.api(.post, "/catalogue/\(cup)/redemptions", ["memberId": .text(anna)]).code == "item_archived")
            try await WalletTests.verify(app)
        }
    }

    @Test(arguments: Engine.allCases)
    func pointsBecomeCreditAtOnce(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let (program, anna) = try await Self.shop(app)
            try await Self.give(app, anna, 100)
            let bad = Self.item(program, "5 EUR", cost: 100, ["kind": "credit"])
            #expect(try await app.api(.post, "/catalogue", bad).status == 422)
            #expect(try await app.api(.post, "/catalogue", bad.adding("value", 500)).status == 422)
            #expect(try await app.api(.post, "/catalogue", bad.adding("value", 500).adding("valueUnit", "points")).status == 422)
            let item = try await app.post("/catalogue", bad.adding("value", 500).adding("valueUnit", "credit:EUR"))["id"].text
            let taken = try await app.post("/catalogue/\(item)/redemptions", ["memberId": .text(anna)])
            #expect(taken["state"].text == "fulfilled")
            #expect(try await app.balance(anna, "points") == [0, 0, 0, 0, 100, 0])
            #expect(try await app.balance(anna, "credit:EUR") == [0, 0, 500, 0, 0, 0])
            #expect(try await app.api(.post, "/catalogue/\(item)/redemptions", ["memberId": .text(anna)]).code == "insufficient_balance")
            try await WalletTests.verify(app)
        }
    }

    /// The last one of a stock, asked for by many at once.
    @Test(arguments: Engine.allCases)
    func theLastOneIsTakenOnce(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let (program, anna) = try await Self.shop(app)
            try await Self.give(app, anna, 10_000)
            let item = try await app.post("/catalogue", Self.item(program, "Cup", cost: 40, ["stock": 3]))["id"].text
            let statuses = try await withThrowingTaskGroup(of: Int.self) { group in
                for _ in 0..<20 { group.addTask { try await app.api(.post, "/catalogue/\(item)/redemptions", ["memberId": .text(anna)]).status } }
                return try await group.reduce(into: [Int: Int]()) { $0[$1, default: 0] += 1 }
            }
            #expect(statuses == [201: 3, 409: 17])
            #expect(try await app.balance(anna, "points") == [0, 0, 9_880, 0, 120, 0])
            try await WalletTests.verify(app)
        }
    }

    @Test(arguments: Engine.allCases)
    func theTeamOffersAndHandsOverByPage(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let (program, anna) = try await Self.shop(app)
            let person = try await TeamPerson.make("fin", .owner, in: app).enter(app)
            let wallet = "/members/\(anna)/wallet"
            let typed = ["direction": "give", "unit": "points", "amount": "120", "reason": "Helped at the fair"]
            #expect(try await person.submit(wallet, from: wallet, typed.merging(["reason": ""]) { $1 }).status == 422)
            #expect(try await person.submit(wallet, from: wallet, typed.merging(["amount": "1.5"]) { $1 }).status == 422)
            #expect(try await person.submit(wallet, from: wallet, typed.merging(["direction": "take"]) { $1 }).status == 422, "there is nothing to take")
            #expect(try await person.submit(wallet, from: wallet, typed).status == 303)
            #expect(try await person.get(wallet).text.contains("Helped at the fair"))
            let item = ["name": "Cup", "program": program, "unit": "points", "cost": "50", "kind": "gift", "stock": ""]
            #expect(try await person.submit("/catalogue", from: "/catalogue", item.merging(["cost": "0"]) { $1 }).status == 422)
            #expect(try await person.submit("/catalogue", from: "/catalogue", item.merging(["stock": "-1"]) { $1 }).status == 422)
            #expect(try await person.submit("/catalogue", from: "/catalogue", item).status == 303)
            let id = try await app.get("/catalogue")["data"].list[0]["id"].text
            let taken = try await app.post("/catalogue/\(id)/redemptions", ["memberId": .text(anna)])["id"].text
            #expect(try await person.get("/catalogue").text.contains("Cup"))
            #expect(try await person.submit("/catalogue/fulfilment", from: "/catalogue", ["redemption": taken]).status == 303)
            #expect(try await person.submit("/catalogue/cancellation", from: "/catalogue", ["redemption": taken]).status == 303, "settled meanwhile: shown as it is")
            #expect(try await app.get("/redemptions")["data"].list[0]["state"].text == "fulfilled")
            #expect(try await person.submit("/catalogue/units", from: "/catalogue", ["unit": "points", "days": "365", "transfer": "yes"]).status == 303)
            #expect(try await person.submit("/catalogue/units", from: "/catalogue", ["unit": "points", "days": "4000"]).status == 422)
            #expect(try await app.get("/wallet/units")["data"].list[0]["expiresAfterDays"].integer == 365)
        }
    }

    /// Two taps on one page take one; whoever has seen what they took takes another.
    @Test(arguments: Engine.allCases)
    func twoTapsTakeOne(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let (program, anna) = try await Self.shop(app)
            try await Self.give(app, anna, 200)
            let item = try await app.post("/catalogue", Self.item(program, "Cup", cost: 40))["id"].text
            let browser = MemberBrowser(app)
            try await browser.signIn("anna@members.test")
            for _ in 0..<2 { #expect(try await browser.page.submit("/portal/wallet", from: "/portal/wallet", ["item": item, "after": ""]).status == 303) }
            #expect(try await app.balance(anna, "points") == [0, 0, 160, 0, 40, 0])
            let seen = try PageVisitor.field("after", in: try await browser.page.get("/portal/wallet").text)
            #expect(try await browser.page.submit("/portal/wallet", from: "/portal/wallet", ["item": item, "after": seen]).status == 303)
            #expect(try await app.balance(anna, "points") == [0, 0, 120, 0, 80, 0])
            try await WalletTests.verify(app)
        }
    }

    /// A coupon of the program's is a code at once, for orders of the member's own.
    @Test(arguments: Engine.allCases)
    func aCouponIsACodeAtOnce(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let program = try await app.program(["holdDays": 0])
            let anna = try await app.member(program, "anna")
            try await app.post("/members/\(anna)/wallet/adjustments", ["unit": "points", "amount": 500, "reason": "A fair"])
            let coupon = try await CouponTests.coupon(app, program)
            let body: JSONValue = ["programId": .text(program), "name": "Five euros", "unit": "points", "cost": 200, "kind": "coupon", "couponId": .text(coupon)]
            let item = try await app.post("/catalogue", body)
            #expect(item["couponId"].text == coupon)
            let taken = try await app.post("/catalogue/\(item["id"].text)/redemptions", ["memberId": .text(anna)])
            #expect(taken["state"].text == "fulfilled" && !taken["note"].text.isEmpty)
            let sale = try await app.sale("inv-1", "c-1", 5_000, ["couponCode": .text(taken["note"].text)])
            #expect(sale["attribution"]["coupon"]["state"].text == "redeemed" && sale["attribution"]["coupon"]["discount"] == 500)
            // An ended coupon gives nothing, and takes nothing.
            try await app.post("/coupons/\(coupon)/end", [:])
            #expect(try await app.api(.post, "/catalogue/\(item["id"].text)/redemptions", ["memberId": .text(anna)]).code == "coupon_ended")
            #expect(try await app.balance(anna, "points")[2] == 300)
            #expect(try await app.api(.post, "/catalogue", body).status == 422, "an ended coupon is not offered")
            #expect(try await app.api(.post, "/catalogue", body.adding("kind", "gift")).status == 422)
            try await app.proveAll()
        }
    }
}
