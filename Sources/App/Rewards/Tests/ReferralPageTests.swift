import HTTPTypes
import Persistence
import TestSupport
import Testing
import Web

@testable import App

/// Both sides of a program set up on one page, and what comes of it.
@Suite struct ReferralPageTests {
    @Test(arguments: Engine.allCases) func thePageWritesBothRules(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let program = try await app.program(["holdDays": 0])
            let coupon = try await CouponTests.coupon(app, program)
            let anna = try await app.member(program, "anna")
            try await app.link(program, anna, code: "anna")
            let path = "/programs/\(program)/refer-a-friend"
            let owner = try await TeamPerson.make("olga", .owner, in: app).enter(app)
            var fields = [
                "memberKind": "flat", "memberValue": "12.50", "friendKind": "coupon", "friendCoupon": coupon, "when": "first", "least": "20",
                "limit": "perSharer", "limitValue": "2", "act": "look",
            ]
            let looked = try await owner.submit(path, from: path, fields)
            #expect(looked.status == 200 && looked.text.contains("€12.50"))
            #expect(try await app.get("/programs/\(program)/rules")["data"].list.isEmpty)
            fields["act"] = "save"
            #expect(try await owner.submit(path, from: path, fields).status == 303)
            let rules = try await app.get("/programs/\(program)/rules")["data"].list
            #expect(Set(rules.map { $0["for"].text }) == ["member", "friend"])
            // Below the least order, then the first order of three friends: a sharer is rewarded twice a month.
            #expect(try await app.sale("small", "c-0", 1_999, ["code": "anna"])["commissions"].list.isEmpty)
            for number in 1...3 {
                let sale = try await app.sale("inv-\(number)", "c-\(number)", 5_000, ["code": "anna"])
                #expect(AppHarness.amounts(sale) == (number < 3 ? [1_250] : []), "\(number)")
                #expect(sale["rewards"].list.count == (number < 3 ? 1 : 0))
                #expect(try await app.sale("again-\(number)", "c-\(number)", 5_000, ["code": "anna"])["commissions"].list.isEmpty)
            }
            try await app.proveAll()
        }
    }

    @Test(arguments: Engine.allCases) func aThingMayBeExchangedAsThePageSays(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let program = try await app.program()
            let path = "/programs/\(program)/refer-a-friend"
            let owner = try await TeamPerson.make("olga", .owner, in: app).enter(app)
            let fields = [
                "memberKind": "gift", "memberThing": "A mug", "memberInstead": "credit", "memberInsteadValue": "", "friendKind": "nothing", "when": "first", "act": "save",
            ]
            #expect(try await owner.submit(path, from: path, fields).text.contains("Is needed."))
            #expect(try await owner.submit(path, from: path, fields.merging(["memberInsteadValue": "7.50"]) { $1 }).status == 303)
            let rule = try #require(try await app.get("/programs/\(program)/rules")["data"].list.first)
            #expect(rule["choices"].list.first?["amount"].integer == 750)
        }
    }

    @Test func whatIsWrongIsSaidAtItsField() async throws {
        try await AppHarness.with(.sqlite) { app in
            let program = try await app.program()
            let path = "/programs/\(program)/refer-a-friend"
            let owner = try await TeamPerson.make("olga", .owner, in: app).enter(app)
            for (fields, words) in [
                (["memberKind": "nothing", "friendKind": "nothing"], "At least one side gets something."),
                (["memberKind": "flat", "memberValue": "0"], "An amount above 0"), (["memberKind": "percent", "memberValue": "120"], "at most 100"),
                (["memberKind": "percent", "memberValue": "10", "when": "lead"], "A sign-up has no amount"),
                (["memberKind": "coupon"], "Choose a coupon."), (["memberKind": "flat", "memberValue": "5", "countries": "Germany"], "Two letters each"),
                (["memberKind": "flat", "memberValue": "5", "limit": "budget"], "Is needed."),
            ] {
                let reply = try await owner.submit(path, from: path, fields.merging(["act": "save"]) { old, _ in old })
                #expect(reply.status == 422 && reply.text.contains(words), "\(words)")
            }
            #expect(try await app.get("/programs/\(program)/rules")["data"].list.isEmpty)
            let reader = try await TeamPerson.make("sam", .support, in: app).enter(app)
            #expect(try await reader.get(path).status == 200)
        }
    }

    /// A member chooses on their own page; nobody chooses for others.
    @Test(arguments: Engine.allCases) func aMemberChoosesInThePortal(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let shop = try await RewardTests.shop(app, hold: 0, [["reward": ["kind": "gift", "description": "A mug"], "choices": [["kind": "freeShipping"]]]])
            let berta = try await app.member(shop.program, "berta")
            try await app.sale("inv-1", "c-1", 5_000, ["code": "anna"])
            try await app.moveClock(days: 1)
            let reward = try #require(try await RewardTests.reward(app, "member"))["id"].text
            let anna = try await app.signInMember(shop.anna)
            let other = try await app.signInMember(berta)
            let page = try await anna.get("/portal/rewards")
            #expect(page.status == 200 && page.text.contains("A mug") && page.text.contains("Free shipping"))
            let csrf = try PageVisitor.field("csrfToken", in: page.text)
            let theirs = try PageVisitor.field("csrfToken", in: try await other.get("/portal/profile").text)
            #expect(try await other.post("/portal/rewards", ["csrfToken": theirs, "rewardId": reward, "choice": "1"]).status == 404)
            #expect(try await anna.post("/portal/rewards", ["csrfToken": csrf, "rewardId": reward, "choice": "1"]).status == 303)
            #expect(try await anna.post("/portal/rewards", ["csrfToken": csrf, "rewardId": reward, "choice": "0"]).status == 409)
            #expect(try await app.get("/rewards/\(reward)")["kind"].text == "freeShipping")
        }
    }
}
