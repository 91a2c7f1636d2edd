import Chronology
import HTTPTypes
import Persistence
import TestSupport
import Testing
import Web

@testable import App

/// Each order that keeps a code keeps a use and its money, whoever else keeps it; what codes end takes their rewards with it.
@Suite struct ReservationTests {
    private static func reserve(_ app: AppHarness, _ code: String, _ invoice: String, _ amount: Int64 = 5_000) async throws -> String {
        let reply = try await app.api(.post, "/coupon-codes/reserve", CouponTests.order(code, invoice, amount))
        return reply.status == 200 ? "" : reply.code
    }

    @Test(arguments: Engine.allCases) func severalOrdersKeepOneCode(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let shop = try await CouponTests.shop(app)
            let coupon = try await CouponTests.coupon(app, shop.program, ["maxUses": 2, "usesPerCode": 10, "budget": 10_000])
            let code = try await CouponTests.code(app, coupon)
            #expect(try await Self.reserve(app, code, "one") == "")
            #expect(try await Self.reserve(app, code, "two") == "")
            #expect(try await Self.reserve(app, code, "two") == "", "the same order keeps it longer")
            #expect(try await Self.reserve(app, code, "three") == "coupon_usesUp")
            #expect(try await app.post("/coupon-codes/release", ["code": .text(code), "invoiceId": "one"])["state"].text == "reserved", "the other order keeps it")
            #expect(try await Self.reserve(app, code, "three") == "")
            #expect(try await app.api(.post, "/coupon-codes/redeem", CouponTests.order(code, "one")).code == "coupon_usesUp")
            #expect(try await app.post("/coupon-codes/redeem", CouponTests.order(code, "two"))["code"]["state"].text == "reserved")
            #expect(try await app.sale("three", "c-3", 5_000, ["couponCode": .text(code)])["attribution"]["coupon"]["state"].text == "redeemed")
            #expect(try await app.get("/coupons/\(coupon)")["uses"].integer == 2)
            try await app.proveAll()
        }
    }

    @Test(arguments: Engine.allCases) func reservationsHoldTheBudgetAndRunOut(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let shop = try await CouponTests.shop(app)
            let coupon = try await CouponTests.coupon(app, shop.program, ["usesPerCode": 100, "budget": 1_200])
            let code = try await CouponTests.code(app, coupon)
            let answers = try await withThrowingTaskGroup(of: String.self) { group in
                for number in 0..<30 { group.addTask { try await Self.reserve(app, code, "inv-\(number)") } }
                return try await group.reduce(into: [String: Int]()) { $0[$1, default: 0] += 1 }
            }
            #expect(answers == ["": 2, "coupon_overBudget": 28])
            try await app.moveClock(days: 1)
            #expect(try await Self.reserve(app, code, "next") == "", "what nobody paid for is free again")
            // Store credit is kept bit by bit.
            let credit = try await CouponTests.code(app, try await CouponTests.coupon(app, shop.program, ["kind": "storeCredit", "amount": 1_000]))
            #expect(try await Self.reserve(app, credit, "a", 600) == "")
            #expect(try await Self.reserve(app, credit, "b", 600) == "")
            #expect(try await Self.reserve(app, credit, "c", 600) == "coupon_reserved")
            #expect(try await app.post("/coupon-codes/redeem", CouponTests.order(credit, "b", 600))["discount"].integer == 400)
            #expect(try await app.post("/coupon-codes/redeem", CouponTests.order(credit, "a", 600))["discount"].integer == 600)
            try await app.proveAll()
        }
    }

    /// Two shops for one code are two counts; a use that a sale brought, and one that came back, are not counted again.
    @Test(arguments: Engine.allCases) func eachShopCounts(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let shop = try await CouponTests.shop(app)
            let coupon = try await CouponTests.coupon(app, shop.program, ["usesPerCode": 10])
            let code = try await CouponTests.code(app, coupon)
            let twin = app.twinID
            let known = try await app.installation.write(twin, actor: .command) { write -> CouponCode? in
                let known = try CouponCode.find(code, in: write)
                for vendor in ShopVendor.allCases {
                    guard let known else { continue }
                    try write.connection.execute(
                        """
                        INSERT INTO coupon_sync (coupon_id, vendor, workspace_id, is_made, look_at, created_at)
                        VALUES (\(known.couponID), \(vendor.rawValue), \(twin), 1, \(write.now), \(write.now))
                        """)
                    try write.connection.execute(
                        """
                        INSERT INTO coupon_code_sync (code_id, vendor, workspace_id, coupon_id, state, remote_id, tries, remote_uses, updated_at)
                        VALUES (\(known.id), \(vendor.rawValue), \(twin), \(known.couponID), 'synced', 'remote', 0, 0, \(write.now))
                        """)
                }
                return known
            }
            let id = try #require(known).id
            func tell(_ vendor: ShopVendor, _ uses: Int64) async throws -> Int64? {
                try await app.installation.write(twin, actor: .command) { write in
                    let sync = try #require(try CodeSyncStore.find(id, vendor, on: write.connection))
                    try CouponShop.note(uses, of: sync, in: write)
                }
                return try await app.get("/coupons/\(coupon)")["uses"].integer
            }
            #expect(try await tell(.stripe, 1) == 1)
            #expect(try await tell(.shopify, 1) == 2, "another shop, another use")
            try await app.sale("inv-1", "c-1", 5_000, ["couponCode": .text(code)])
            #expect(try await app.get("/coupons/\(coupon)")["uses"].integer == 2, "one of those")
            try await app.sale("inv-2", "c-2", 5_000, ["couponCode": .text(code)])
            try await app.sale("inv-3", "c-3", 5_000, ["couponCode": .text(code)])
            #expect(try await app.get("/coupons/\(coupon)")["uses"].integer == 3)
            try await app.refund("inv-3", "r-3")
            #expect(try await app.get("/coupons/\(coupon)")["uses"].integer == 2)
            #expect(try await tell(.stripe, 2) == 2, "the sale that came back was this use")
            #expect(try await tell(.stripe, 3) == 3)
            try await app.proveAll()
        }
    }

    /// A code that is withdrawn or runs out takes its reward with it, with a reason, and what it never cost is free again.
    @Test(arguments: Engine.allCases) func aCodesEndIsItsRewardsEnd(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let shop = try await CouponTests.shop(app)
            let coupon = try await CouponTests.coupon(app, shop.program, ["validDays": 5])
            _ = try await app.rule(shop.program, ["reward": ["kind": "coupon", "couponId": .text(coupon)], "for": "friend"])
            _ = try await app.api(.patch, "/programs/\(shop.program)", ["referral": ["budget": ["amount": 500, "period": "lifetime"]]]).success("it")
            func sale(_ number: Int) async throws -> JSONValue? {
                try await app.sale("inv-\(number)", "c-\(number)", 5_000, ["code": "anna"])["rewards"].list.first
            }
            let first = try #require(try await sale(1))["id"].text
            try await app.moveClock(days: 1)
            #expect(try await sale(2) == nil, "the budget is used up")
            #expect(try await app.get("/rewards/\(first)")["state"].text == "issued")
            let code = try #require(try await app.get("/coupons/\(coupon)/codes")["data"].list.first)["id"].text
            for _ in 0..<2 { #expect(try await app.post("/coupon-codes/\(code)/withdrawal", .object([]))["state"].text == "void") }
            let ended = try await app.get("/rewards/\(first)")
            #expect(ended["state"].text == "reversed" && ended["reason"].text == "codeWithdrawn")
            let told = try await app.get("/events?limit=100")["data"].list.filter { $0["type"].text == "reward.reversed" }
            #expect(told.count == 1)
            let third = try #require(try await sale(3), "what was withdrawn is free again")["id"].text
            try await app.moveClock(days: 1)
            #expect(try await sale(4) == nil)
            try await app.moveClock(days: 6)
            let late = try await app.get("/rewards/\(third)")
            #expect(late["state"].text == "expired" && late["reason"].text == "codeExpired")
            #expect(try await sale(5) != nil, "what was never used cost nothing")
            let owner = try await TeamPerson.make("olga", .owner, in: app).enter(app)
            #expect(try await owner.get("/rewards/\(first)").text.contains("The code was withdrawn."))
            try await app.proveAll()
        }
    }
}
