import Chronology
import HTTPTypes
import Persistence
import TestSupport
import Testing
import Web

@testable import App

/// Who a reward reaches in the end, and what it may come to, whatever happened to its receiver and its kinds meanwhile.
@Suite struct RewardReceiverTests {
    private static let dear: JSONValue = [
        "reward": ["kind": "gift", "description": "A mug", "value": 500], "choices": [["kind": "gift", "description": "A car", "value": 5_000_000]],
    ]

    private static func undo(_ merge: String, _ app: AppHarness) async throws {
        let id = try #require(MemberMergeID(merge))
        _ = try await app.installation.write(app.twinID, actor: .system("test")) { write in try MemberMerge.undo(id, in: write) }
    }

    /// The dearest of the kinds is what a budget keeps; what a cheaper choice leaves is free again.
    @Test(arguments: Engine.allCases) func choicesCountByTheDearest(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let shop = try await RewardTests.shop(app, hold: 0, [Self.dear])
            _ = try await app.api(.patch, "/programs/\(shop.program)", ["referral": ["budget": ["amount": 1_000, "period": "month"]]]).success("it")
            let sale = try await app.sale("inv-1", "c-1", 5_000, ["code": "anna"])
            #expect(sale["rewards"].list.isEmpty, "a car is beyond the budget")
            _ = try await app.api(.patch, "/programs/\(shop.program)", ["referral": ["budget": ["amount": 6_000_000, "period": "month"]]]).success("it")
            let first = try #require(try await app.sale("inv-2", "c-2", 5_000, ["code": "anna"])["rewards"].list.first)["id"].text
            #expect(try await app.sale("inv-3", "c-3", 5_000, ["code": "anna"])["rewards"].list.isEmpty, "what the first may become is kept for it")
            try await app.moveClock(days: 1)
            _ = try await app.post("/rewards/\(first)/choice", ["choice": 0])
            #expect(try await app.get("/rewards/\(first)")["value"].integer == 500)
            let second = try #require(try await app.sale("inv-4", "c-4", 5_000, ["code": "anna"])["rewards"].list.first)["id"].text
            try await app.moveClock(days: 1)
            _ = try await app.post("/rewards/\(second)/choice", ["choice": 1])
            #expect(try await app.get("/rewards/\(second)")["value"].integer == 5_000_000)
            try await app.refund("inv-2", "r-2")
            try await app.refund("inv-4", "r-4")
            try await app.proveAll()
        }
    }

    /// Credit or points instead of a thing: in the wallet at the choice, out of it when the order comes back; the friend's as well.
    @Test(arguments: Engine.allCases) func creditMayBeChosen(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let rule: JSONValue = [
                "reward": ["kind": "gift", "description": "A mug", "value": 500],
                "choices": [["kind": "credit", "amount": 700, "currency": "EUR"], ["kind": "points", "amount": 50, "unit": "points"]],
            ]
            let shop = try await RewardTests.shop(app, hold: 0, [rule, rule.adding("for", "friend")])
            let foreign: JSONValue = ["name": "R", "event": "sale", "reward": ["kind": "freeShipping"], "choices": [["kind": "credit", "amount": 5, "currency": "USD"]]]
            #expect(try await app.api(.post, "/programs/\(shop.program)/rules", foreign).status == 422)
            try await app.sale("inv-1", "c-1", 5_000, ["code": "anna", "customerEmail": "ben@friends.test"])
            try await app.moveClock(days: 1)
            let all = try await app.get("/rewards?state=choosing")["data"].list
            // The friend has an account by now, is told, and sees the kinds on it.
            let ben = MemberBrowser(app)
            try await ben.signIn("ben@friends.test")
            #expect(try await ben.page.get("/portal/rewards").text.contains("50 points"))
            for address in ["ben@friends.test", "anna@members.test"] {
                let told = try await app.letters(to: address).contains { if case .rewardChoice(_, let kinds) = $0 { kinds.contains("points") } else { false } }
                #expect(told, "\(address)")
            }
            for (side, choice) in [("member", 1), ("friend", 2)] as [(String, Int64)] {
                let reward = try #require(all.first { $0["side"].text == side })["id"].text
                #expect(try await app.post("/rewards/\(reward)/choice", ["choice": .integer(choice)])["state"].text == "issued")
            }
            #expect(try await app.balance(shop.anna, "credit:EUR") == [0, 0, 700, 0, 0, 0])
            let friend = try #require(
                try await app.get("/members?programId=\(shop.program)")["data"].list.first { $0["id"].text != shop.anna })["id"].text
            #expect(try await app.balance(friend, "points") == [0, 0, 50, 0, 0, 0])
            try await app.refund("inv-1", "r-1")
            #expect(try await app.balance(shop.anna, "credit:EUR") == [0, 0, 0, 0, 0, 0])
            #expect(try await app.balance(friend, "points") == [0, 0, 0, 0, 0, 0])
            try await app.proveAll()
        }
    }

    /// Whoever was suspended, terminated or erased in the hold gets nothing by itself; the friend of somebody terminated does.
    @Test(arguments: Engine.allCases) func whoIsGoneGetsNothing(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let gift: JSONValue = ["reward": ["kind": "gift", "description": "A mug"]]
            let shop = try await RewardTests.shop(app, hold: 1, [gift, gift.adding("for", "friend")])
            let berta = try await app.member(shop.program, "berta")
            try await app.link(shop.program, berta, code: "berta")
            try await app.sale("inv-1", "c-1", 5_000, ["code": "anna"])
            try await app.sale("inv-2", "c-2", 5_000, ["code": "berta"])
            _ = try await app.api(.patch, "/members/\(shop.anna)", ["status": "terminated"]).success("it")
            _ = try await app.api(.delete, "/members/\(berta)/person").success("it")
            try await app.moveClock(days: 2)
            let all = try await app.get("/rewards")["data"].list
            func state(_ member: String, _ side: String) -> String { all.first { $0["memberId"].text == member && $0["side"].text == side }?["state"].text ?? "" }
            #expect(state(shop.anna, "member") == "held" && state(shop.anna, "friend") == "issued")
            #expect(state(berta, "member") == "refused" && state(berta, "friend") == "issued")
            let held = try #require(all.first { $0["state"].text == "held" })
            #expect(held["reason"].text == "receiverNotActive")
            _ = try await app.post("/rewards/\(held["id"].text)/refusal", ["reason": "Left us"])
            try await app.proveAll()
        }
    }

    /// Whoever may choose is told, the friend too, who has no pages yet: they have some from then on.
    @Test(arguments: Engine.allCases) func whoMayChooseIsTold(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let choice: JSONValue = ["reward": ["kind": "gift", "description": "A mug"], "choices": [["kind": "freeShipping"]]]
            _ = try await RewardTests.shop(app, hold: 1, [choice, choice.adding("for", "friend")])
            let sale = try await app.sale("inv-1", "c-1", 5_000, ["code": "anna", "customerEmail": "ben@friends.test"])["saleId"].text
            try await app.sale("inv-2", "c-2", 5_000, ["code": "anna"])
            try await app.moveClock(days: 2)
            for (address, count) in [("anna@members.test", 2), ("ben@friends.test", 1)] {
                let told = try await app.letters(to: address).compactMap { letter -> String? in
                    guard case .rewardChoice(_, let kinds) = letter else { return nil }
                    return kinds
                }
                #expect(told.count == count && told.allSatisfy { $0.contains("A mug") && $0.contains("freeShipping") }, "\(address)")
            }
            #expect(try await app.get("/events?limit=100")["data"].list.filter { $0["type"].text == "reward.choosing" }.count == 4)
            let friend = MemberBrowser(app)
            try await friend.signIn("ben@friends.test")
            let page = try await friend.page.get("/portal/rewards").text
            let all = try await app.get("/rewards?side=friend")["data"].list
            let known = try await app.get("/sales/\(sale)")["customerId"].text
            let own = try #require(all.first { $0["customerId"].text == known })["id"].text
            #expect(page.contains("A mug") && page.contains(own))
            let others = try #require(all.first { $0["id"].text != own })["id"].text
            #expect(try await friend.page.submit("/portal/rewards", from: "/portal/rewards", ["rewardId": others, "choice": "1"]).status == 404)
            #expect(try await friend.page.submit("/portal/rewards", from: "/portal/rewards", ["rewardId": own, "choice": "1"]).status == 303)
            let chosen = try await app.get("/rewards/\(own)")
            #expect(chosen["state"].text == "issued" && chosen["kind"].text == "freeShipping")
            try await app.proveAll()
        }
    }

    /// Two members who are one person refer nobody by referring each other, and have one list of rewards.
    @Test(arguments: Engine.allCases) func afterAMergeItIsOnePerson(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let flat: JSONValue = ["reward": ["kind": "points", "amount": 100, "unit": "points"]]
            let choice: JSONValue = ["reward": ["kind": "gift", "description": "A mug"], "choices": [["kind": "freeShipping"]]]
            let shop = try await RewardTests.shop(app, hold: 0, [flat, flat.adding("for", "friend"), choice])
            let double = try await app.member(shop.program, "double", ["externalId": "buyer-7"])
            try await app.link(shop.program, double, code: "double")
            try await app.sale("inv-1", "c-1", 5_000, ["code": "double"])
            let merge = try await app.post("/members/\(shop.anna)/merges", ["duplicateId": .text(double), "reason": "Signed up twice"])["id"].text
            let own = try await app.sale("inv-2", "buyer-7", 5_000, ["code": "anna"])
            #expect(own["commissions"].list.isEmpty && own["rewards"].list.isEmpty, "nobody is their own friend")
            try await app.moveClock(days: 1)
            let anna = try await app.signInMember(shop.anna)
            let page = try await anna.get("/portal/rewards").text
            #expect(page.contains("A mug"), "what the duplicate may choose is chosen by who was kept")
            let reward = try #require(try await app.get("/rewards?state=choosing")["data"].list.first)["id"].text
            let csrf = try PageVisitor.field("csrfToken", in: page)
            #expect(try await anna.post("/portal/rewards", ["csrfToken": csrf, "rewardId": reward, "choice": "1"]).status == 303)
            try await Self.undo(merge, app)
            #expect(try await app.sale("inv-3", "buyer-7", 5_000, ["code": "anna"])["commissions"].list.isEmpty == false, "two people again")
            try await app.proveAll()
        }
    }

    /// A party that is held by whom somebody has become is settled with them.
    @Test(arguments: Engine.allCases) func aMergedHostsPartyIsTheirs(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let program = try await app.program(["holdDays": 0])
            let (kept, double) = (try await app.member(program, "anna"), try await app.member(program, "double"))
            _ = try await app.put("/programs/\(program)/party-plan", PartyTests.plan())
            let party = try await PartyTests.party(app, program, double)["id"].text
            try await app.sale("i1", "c1", 30_000, ["code": "PARTY"])
            let merge = try await app.post("/members/\(kept)/merges", ["duplicateId": .text(double), "reason": "Signed up twice"])["id"].text
            #expect(try await app.get("/parties/\(party)")["hostId"].text == kept)
            try await Self.undo(merge, app)
            #expect(try await app.get("/parties/\(party)")["hostId"].text == double)
            _ = try await app.post("/members/\(kept)/merges", ["duplicateId": .text(double), "reason": "They did"])
            try await app.sale("i2", "c2", 10_000, ["code": "PARTY"])
            try await app.moveClock(days: 12)
            #expect(try await app.balance(kept, "credit:EUR") == [0, 0, 2_000, 0, 0, 0])
            try await app.proveAll()
        }
    }

    @Test(arguments: Engine.allCases) func aRulesCouponIsOneOfTheProgram(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let (program, other) = (try await app.program(), try await app.program())
            let (own, theirs) = (try await CouponTests.coupon(app, program), try await CouponTests.coupon(app, other))
            func reply(_ reward: JSONValue, _ more: [JSONMember] = []) async throws -> Reply {
                try await app.api(.post, "/programs/\(program)/rules", .object([JSONMember("name", "R"), JSONMember("event", "sale"), JSONMember("reward", reward)] + more))
            }
            for id in ["cpn_nonsense", theirs] {
                let refused = try await reply(["kind": "coupon", "couponId": .text(id)])
                #expect(refused.status == 422 && refused.code == "unknown_coupon", "\(id)")
                let choice = try await reply(["kind": "freeShipping"], [JSONMember("choices", [["kind": "coupon", "couponId": .text(id)]])])
                #expect(choice.status == 422, "\(id)")
            }
            let made = try await reply(["kind": "coupon", "couponId": .text(own)])
            #expect(made.status == 201)
            _ = try await app.post("/coupons/\(own)/end", .object([]))
            #expect(try await reply(["kind": "coupon", "couponId": .text(own)]).status == 422, "an ended one is no new promise")
            let rule = try #require(try await app.get("/programs/\(program)/rules")["data"].list.first)["id"].text
            let change: JSONValue = ["name": "Still", "event": "sale", "reward": ["kind": "coupon", "couponId": .text(own)]]
            #expect(try await app.api(.put, "/rules/\(rule)", change).status == 200, "a rule that gave it so far may be changed")
        }
    }
}
