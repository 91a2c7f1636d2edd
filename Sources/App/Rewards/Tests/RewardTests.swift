import HTTPTypes
import Persistence
import TestSupport
import Testing
import Web

@testable import App

/// Both sides get what the rules say, once, after the hold, and give it back with the sale.
@Suite struct RewardTests {
    struct Shop {
        var program: String
        var anna: String
    }

    static func shop(_ app: AppHarness, hold: Int64 = 30, _ rules: [JSONValue]) async throws -> Shop {
        let program = try await app.program(["holdDays": .integer(hold)])
        for rule in rules { _ = try await app.rule(program, rule) }
        let anna = try await app.member(program, "anna")
        try await app.link(program, anna, code: "anna")
        return Shop(program: program, anna: anna)
    }

    static func reward(_ app: AppHarness, _ side: String) async throws -> JSONValue? {
        try await app.get("/rewards?side=\(side)")["data"].list.first { !$0["id"].text.hasPrefix("com_") }
    }

    @Test(arguments: Engine.allCases) func bothSidesAreRewardedAndGiveBack(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let shop = try await Self.shop(app, [["reward": ["kind": "flat", "amount": 1_000, "currency": "EUR"]]])
            let coupon = try await CouponTests.coupon(app, shop.program)
            for rule: JSONValue in [
                ["reward": ["kind": "coupon", "couponId": .text(coupon)], "for": "friend"],
                ["reward": ["kind": "credit", "amount": 700, "currency": "EUR"], "for": "friend"],
                ["reward": ["kind": "gift", "description": "A mug", "value": 900]],
            ] { _ = try await app.rule(shop.program, rule) }
            let sale = try await app.sale("inv-1", "c-1", 10_000, ["code": "anna", "customerEmail": "ben@friends.test"])
            #expect(sale["rewards"].list.map { $0["kind"].text }.sorted() == ["coupon", "gift"])
            #expect(sale["rewards"].list.allSatisfy { $0["state"].text == "pending" })
            let friend = try #require(sale["commissions"].list.first { $0["currency"].text == "credit:EUR" })["memberId"].text
            #expect(friend != shop.anna)
            let member = try await app.get("/members/\(friend)")
            #expect(member["kind"].text == "customer" && member["stage"].text == "customer" && member["enrollerId"].text == shop.anna)
            #expect(try await app.balance(friend, "credit:EUR")[0] == 700)
            try await app.moveClock(days: 31)
            let given = try #require(try await Self.reward(app, "friend"))
            #expect(given["state"].text == "issued" && !given["couponCode"].text.isEmpty && given["memberId"].text == shop.anna)
            #expect(try await Self.reward(app, "member")["state"].text == "issued")
            #expect(try await app.balance(friend, "credit:EUR")[2] == 700)
            // The friend's own code, for the friend alone.
            let code = given["couponCode"].text
            func check(_ customer: String) async throws -> String {
                try await app.post("/coupon-codes/check", CouponTests.order(code, "x", 5_000, ["customerExternalId": .text(customer)]))["reason"].text
            }
            #expect(try await check("c-2") == "otherCustomer")
            #expect(try await check("c-1") == "")
            // A part that comes back takes nothing that cannot be halved; the whole takes all that is not used.
            try await app.refund("inv-1", "r-1", 4_000)
            #expect(try await Self.reward(app, "friend")["state"].text == "issued")
            #expect(try await app.balance(friend, "credit:EUR")[2] == 420)
            try await app.refund("inv-1", "r-2")
            #expect(try await Self.reward(app, "friend")["state"].text == "reversed")
            #expect(try await Self.reward(app, "member")["state"].text == "reversed")
            #expect(try await check("c-1") == "void")
            #expect(try await app.balance(friend, "credit:EUR")[2] == 0)
            #expect(try await app.balance(shop.anna)[2] == 0)
            let receipt = try await app.get("/sales/\(sale["saleId"].text)/receipt")
            #expect(receipt["rewards"].list.count == 2 && receipt["rewards"].list.allSatisfy { $0["reason"].text == "refunded" })
            try await app.proveAll()
        }
    }

    @Test(arguments: Engine.allCases) func whatWasUsedStaysUsed(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let shop = try await Self.shop(app, hold: 0, [])
            let coupon = try await CouponTests.coupon(app, shop.program)
            _ = try await app.rule(shop.program, ["reward": ["kind": "coupon", "couponId": .text(coupon)], "for": "friend"])
            try await app.sale("inv-1", "c-1", 10_000, ["code": "anna"])
            try await app.moveClock(days: 1)
            let code = try #require(try await Self.reward(app, "friend"))["couponCode"].text
            try await app.sale("inv-2", "c-1", 3_000, ["couponCode": .text(code)])
            let first = try await app.get("/rewards?side=friend")["data"].list.first { $0["couponCode"].text == code }
            #expect(first["state"].text == "redeemed")
            try await app.refund("inv-1", "r-1")
            let after = try await app.get("/rewards?side=friend")["data"].list.first { $0["couponCode"].text == code }
            #expect(after["state"].text == "redeemed")
        }
    }

    /// The buyer is the member, by their mailbox: neither side gets anything, and the receipt says why.
    @Test(arguments: Engine.allCases) func anOwnCodeGivesNothing(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let shop = try await Self.shop(app, [
                ["reward": ["kind": "gift", "description": "A mug"]], ["reward": ["kind": "freeMonths", "months": 2], "for": "friend"],
                ["reward": ["kind": "credit", "amount": 700, "currency": "EUR"], "for": "friend"],
            ])
            let sale = try await app.sale("inv-1", "c-anna", 10_000, ["code": "anna", "customerEmail": "anna@members.test"])
            #expect(sale["commissions"].list.isEmpty && sale["rewards"].list.isEmpty)
            _ = shop
        }
    }

    /// A cap counts rewards too, and holds when fifty sales come at once.
    @Test(arguments: Engine.allCases) func aCapHoldsUnderConcurrentSales(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let shop = try await Self.shop(app, [
                ["reward": ["kind": "gift", "description": "A mug", "value": 900], "cap": ["amount": 9_000, "per": "program", "period": "month"]],
                ["reward": ["kind": "flat", "amount": 300, "currency": "EUR"], "cap": ["amount": 2_000, "per": "program", "period": "lifetime"]],
                ["reward": ["kind": "freeShipping"], "for": "friend", "cap": ["count": 7, "per": "member", "period": "lifetime"]],
            ])
            try await withThrowingTaskGroup(of: Void.self) { group in
                for number in 0..<50 { group.addTask { try await app.sale("inv-\(number)", "c-\(number)", 5_000, ["code": "anna"]) } }
                try await group.waitForAll()
            }
            let rewards = try await app.get("/rewards?limit=100")["data"].list
            #expect(rewards.filter { $0["kind"].text == "gift" }.count == 10)
            #expect(rewards.filter { $0["kind"].text == "freeShipping" }.count == 7)
            #expect(try await app.balance(shop.anna)[0] == 2_000)
            // What comes back is free for others.
            let gift = try #require(rewards.first { $0["kind"].text == "gift" })
            let invoice = try await app.get("/sales/\(gift["saleId"].text)")["invoiceId"].text
            try await app.refund(invoice, "r-1")
            let next = try await app.sale("inv-next", "c-next", 5_000, ["code": "anna"])
            #expect(next["rewards"].list.map { $0["kind"].text }.contains("gift"))
            try await app.proveAll()
        }
    }

    @Test(arguments: Engine.allCases) func theReceiverChooses(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let shop = try await Self.shop(app, hold: 0, [
                [
                    "reward": ["kind": "gift", "description": "A mug"], "choices": [["kind": "freeMonths", "months": 2], ["kind": "freeShipping"]],
                ]
            ])
            try await app.sale("inv-1", "c-1", 5_000, ["code": "anna"])
            try await app.moveClock(days: 1)
            let reward = try #require(try await Self.reward(app, "member"))
            #expect(reward["state"].text == "choosing" && reward["choices"].list.count == 2)
            let path = "/rewards/\(reward["id"].text)"
            #expect(try await app.api(.post, "\(path)/choice", ["choice": 3]).status == 422)
            #expect(try await app.api(.post, "\(path)/redemption", [:]).code == "reward_choosing")
            let chosen = try await app.post("\(path)/choice", ["choice": 1])
            #expect(chosen["state"].text == "issued" && chosen["kind"].text == "freeMonths")
            #expect(try await app.post("\(path)/redemption", [:])["state"].text == "redeemed")
            #expect(try await app.api(.post, "\(path)/redemption", [:]).code == "reward_redeemed")
            let reply = try await app.api(
                .post, "/programs/\(shop.program)/rules",
                ["name": "No", "event": "sale", "reward": ["kind": "gift", "description": "A mug"], "choices": [["kind": "flat", "amount": 100, "currency": "EUR"]]])
            #expect(reply.status == 422)
        }
    }

    /// The company is asked first, again when it is silent, and says yes or no.
    @Test(arguments: Engine.allCases) func theCompanyIsAskedFirst(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let shop = try await Self.shop(app, hold: 0, [["reward": ["kind": "gift", "description": "A mug"], "check": true]])
            for number in 1...2 { try await app.sale("inv-\(number)", "c-\(number)", 5_000, ["code": "anna"]) }
            try await app.moveClock(days: 1)
            func told() async throws -> Int { try await app.get("/events?limit=100")["data"].list.filter { $0["type"].text == "reward.checking" }.count }
            let waiting = try await app.get("/rewards")["data"].list
            #expect(waiting.map { $0["state"].text } == ["checking", "checking"])
            #expect(try await told() == 2)
            try await app.moveClock(days: 1)
            #expect(try await told() == 4)
            let path = waiting.map { "/rewards/\($0["id"].text)" }
            #expect(try await app.get(path[0])["reason"].text == "companySilent")
            #expect(try await app.post(path[0] + "/issuance", [:])["state"].text == "issued")
            let refused = try await app.post(path[1] + "/refusal", ["reason": "Known to us already"])
            #expect(refused["state"].text == "refused" && refused["reason"].text == "Known to us already")
            try await app.moveClock(days: 1)
            #expect(try await told() == 4)
            let reply = try await app.api(
                .post, "/programs/\(shop.program)/rules",
                ["name": "No", "event": "sale", "reward": ["kind": "flat", "amount": 100, "currency": "EUR"], "check": true])
            #expect(reply.status == 422)
        }
    }

    @Test(arguments: Engine.allCases) func leadsAndHandsAndPages(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let shop = try await Self.shop(app, [
                ["event": "lead", "reward": ["kind": "gift", "description": "A mug"]], ["event": "lead", "reward": ["kind": "points", "amount": 50, "unit": "points"], "for": "friend"],
            ])
            let lead = try await app.post("/track/lead", ["eventName": "signup", "customerExternalId": "c-1", "code": "anna"])
            #expect(lead["commissions"].list.count == 1)
            let reward = try #require(try await Self.reward(app, "member"))
            let path = "/rewards/\(reward["id"].text)"
            #expect(reward["state"].text == "pending" && reward["receiptUrl"].text == "/api/v1/leads/\(lead["leadId"].text)/receipt")
            // Both kinds of rewards in one list, page by page.
            let one = try await app.get("/rewards?limit=1")
            #expect(one["data"].list.first["kind"].text == "points" && one["data"].list.first["side"].text == "friend" && one["hasMore"] == true)
            let two = try await app.get("/rewards?limit=1&startingAfter=\(one["nextCursor"].text)")
            #expect(two["data"].list.first["kind"].text == "gift" && two["hasMore"] == false)
            #expect(try await app.api(.post, "\(path)/refusal", ["reason": "Looked odd"]).status == 200)
            #expect(try await app.get(path)["reason"].text == "Looked odd")
            #expect(try await app.api(.post, "\(path)/issuance", [:]).code == "reward_refused")
            for page in ["/rewards", "/rewards?state=refused", path, "/coupons"] {
                #expect(try await app.page(page).status == 200, "\(page)")
            }
            _ = shop
        }
    }
}
