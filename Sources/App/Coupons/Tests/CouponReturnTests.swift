import HTTPTypes
import Persistence
import TestSupport
import Testing
import Web

@testable import App

/// What is promised to one order is promised to no other, and what comes back is there for others.
@Suite struct CouponReturnTests {
    @Test(arguments: Engine.allCases) func aReturnedSaleGivesItsUseBack(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let shop = try await CouponTests.shop(app)
            let coupon = try await CouponTests.coupon(app, shop.program, ["budget": 500, "validDays": 10])
            let code = try await CouponTests.code(app, coupon)
            func state() async throws -> String { try await app.get("/coupons/\(coupon)/codes")["data"].list[0]["state"].text }
            let first = try await app.sale("inv-1", "c-1", 5_000, ["couponCode": .text(code)])
            #expect(first["attribution"]["coupon"]["state"].text == "redeemed")
            #expect(try await state() == "redeemed")
            // A part that comes back is still an order that used it.
            try await app.refund("inv-1", "r-1", 1_000)
            #expect(try await app.get("/coupons/\(coupon)")["uses"] == 1)
            try await app.refund("inv-1", "r-2", 4_000)
            let seen = try await app.get("/coupons/\(coupon)")
            #expect(seen["uses"] == 0 && seen["discounted"] == 0)
            #expect(try await state() == "issued")
            // The invoice that came back uses nothing again; another order does.
            try await app.sale("inv-1", "c-1", 5_000, ["couponCode": .text(code)])
            #expect(try await app.get("/coupons/\(coupon)")["uses"] == 0)
            let second = try await app.sale("inv-2", "c-2", 5_000, ["couponCode": .text(code)])
            #expect(second["attribution"]["coupon"]["state"].text == "redeemed")
            // Given back after its days, it stays over.
            try await app.moveClock(days: 11)
            try await app.refund("inv-2", "r-3")
            let late = try await app.sale("inv-3", "c-3", 5_000, ["couponCode": .text(code)])
            #expect(late["attribution"]["coupon"]["reason"].text == "expired")
            try await app.proveAll()
        }
    }

    /// Fifty buyers who keep a code while they pay are promised no more than the budget, and each of those who were promised gets it.
    @Test(arguments: Engine.allCases) func reservationsHoldTheirPartOfTheBudget(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let shop = try await CouponTests.shop(app)
            let coupon = try await CouponTests.coupon(app, shop.program, ["budget": 6_000])
            let codes = try await app.post("/coupons/\(coupon)/codes", ["count": 50])["data"].list.map { $0["code"].text }
            let kept = try await withThrowingTaskGroup(of: String?.self) { group in
                for (number, code) in codes.enumerated() {
                    group.addTask {
                        let reply = try await app.api(.post, "/coupon-codes/reserve", CouponTests.order(code, "inv-\(number)"))
                        #expect(reply.status == 200 || reply.code == "coupon_overBudget")
                        return reply.status == 200 ? code : nil
                    }
                }
                return try await group.reduce(into: [String]()) { if let code = $1 { $0.append(code) } }
            }
            #expect(kept.count == 12)
            let free = try #require(codes.first { !kept.contains($0) })
            #expect(try await app.api(.post, "/coupon-codes/redeem", CouponTests.order(free, "other")).code == "coupon_overBudget")
            for code in kept.dropFirst() {
                let number = codes.firstIndex(of: code) ?? 0
                #expect(try await app.post("/coupon-codes/redeem", CouponTests.order(code, "inv-\(number)"))["valid"] == true)
            }
            // Whoever gives up frees their part, and so does the time.
            app.clock.advance(ms: CouponCode.reservationMs + 1)
            #expect(try await app.post("/coupon-codes/redeem", CouponTests.order(free, "other"))["valid"] == true)
            #expect(try await app.get("/coupons/\(coupon)")["discounted"] == 6_000)
            #expect(try await app.api(.post, "/coupon-codes/redeem", CouponTests.order(kept[0], "late")).code == "coupon_overBudget")
            try await app.proveAll()
        }
    }

    @Test(arguments: Engine.allCases) func codesGoWithAMergedMember(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let shop = try await CouponTests.shop(app)
            let double = try await app.member(shop.program, "anna2")
            let coupon = try await CouponTests.coupon(app, shop.program)
            let code = try await CouponTests.code(app, coupon, ["memberId": .text(double)])
            func owner() async throws -> String { try await app.get("/coupons/\(coupon)/codes")["data"].list[0]["memberId"].text }
            try await app.post("/members/\(shop.anna)/merges", ["duplicateId": .text(double), "reason": "The same person"])
            #expect(try await owner() == shop.anna)
            let sale = try await app.sale("inv-1", "c-1", 5_000, ["code": .text(code)])
            #expect(sale["attribution"]["status"].text == "attributed", "\(sale)")
            try await app.proveAll()
        }
    }

    /// Whoever gets a thing is told, with its code; the friend too, if the company sent their address.
    @Test(arguments: Engine.allCases) func aLetterSaysWhatWasGiven(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let shop = try await RewardTests.shop(app, hold: 0, [["reward": ["kind": "gift", "description": "A mug"]]])
            let coupon = try await CouponTests.coupon(app, shop.program)
            _ = try await app.rule(shop.program, ["reward": ["kind": "coupon", "couponId": .text(coupon)], "for": "friend"])
            try await app.sale("inv-1", "c-1", 5_000, ["code": "anna", "customerEmail": "ben@friends.test"])
            try await app.moveClock(days: 1)
            func told(_ address: String) async throws -> [MailContent] { try await app.letters(to: address).filter { $0.kind == .rewardGiven } }
            let (mine, friends) = (try await told("anna@members.test"), try await told("ben@friends.test"))
            #expect(mine.count == 1 && friends.count == 1)
            guard case .rewardGiven(_, let mug, nil, true)? = mine.first, case .rewardGiven(_, _, let code?, false)? = friends.first else {
                Issue.record("\(mine) \(friends)")
                return
            }
            #expect(mug.contains("A mug") && code.isEmpty == false)
        }
    }

    @Test(arguments: Engine.allCases) func watchedCouponsAreOnTheOverview(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let shop = try await CouponTests.shop(app)
            let owner = try await TeamPerson.make("olga", .owner, in: app).enter(app)
            let coupon = try await CouponTests.coupon(app, shop.program, ["usesPerCode": 10, "watchedUses": 2])
            let code = try await CouponTests.code(app, coupon)
            for number in 1...2 {
                #expect(try await !owner.get("/").text.contains("first uses of 1 coupon have come"))
                try await app.sale("inv-\(number)", "c-\(number)", 5_000, ["couponCode": .text(code)])
            }
            #expect(try await owner.get("/").text.contains("first uses of 1 coupon have come"))
        }
    }
}
