import HTTPTypes
import Persistence
import TestSupport
import Testing
import Web

@testable import App

/// Codes are made in Stripe and Shopify once, whatever gets lost, and their uses come back.
@Suite struct CouponShopTests {
    private static func with(
        _ engine: Engine, _ vendor: FakeCouponVendor, _ body: @escaping @Sendable (AppHarness, CouponShopWorker) async throws -> Void
    ) async throws {
        try await ProviderServer.with({ vendor.answer($0) }) { url in
            try await AppHarness.with(
                engine,
                settings: { settings in
                    settings.egressAllow = ["127.0.0.0/8"]
                    settings.stripeURL = url
                    settings.shopifyURL = url
                }
            ) { app in
                try await app.put("/coupon-shops/stripe", ["secret": "sk_test_fake"])
                try await app.put("/coupon-shops/shopify", ["secret": "shpat_fake_token", "shop": "demo-shop.myshopify.com"])
                try await body(app, CouponShopWorker(installation: app.installation))
            }
        }
    }

    private static func states(_ app: AppHarness, _ coupon: String) async throws -> [String: String] {
        let rows = try await app.get("/coupons/\(coupon)/sync?limit=100")["data"].list
        return Dictionary(rows.map { ($0["code"].text, $0["state"].text) }, uniquingKeysWith: { first, _ in first })
    }

    private static func coupon(_ app: AppHarness, _ program: String, _ fields: [JSONMember]) async throws -> String {
        try await app.post("/coupons", .object([JSONMember("programId", .text(program)), JSONMember("name", "Friend")] + fields))["id"].text
    }

    @Test(arguments: Engine.allCases, ["stripe", "shopify"])
    func eachCodeIsMadeOnceAndItsUsesComeBack(_ engine: Engine, _ name: String) async throws {
        let vendor = FakeCouponVendor()
        try await Self.with(engine, vendor) { app, worker in
            let program = try await app.program()
            let coupon = try await Self.coupon(
                app, program, [JSONMember("kind", "fixed"), JSONMember("amount", 500), JSONMember("minimumAmount", 2_000), JSONMember("budget", 100_000)])
            try await app.post("/coupons/\(coupon)/codes", ["code": "FRIEND-1"])
            try await app.post("/coupons/\(coupon)/codes", ["code": "FRIEND-2"])
            // The answer of the first call gets lost, and its key with it.
            vendor.fail([.lostAfter, .lostAfter, .tooMany, .lostBefore])
            try await app.post("/coupons/\(coupon)/sync", ["vendor": .text(name)])
            try await worker.workDue()
            #expect(try await Self.states(app, coupon).values.contains("waiting"))
            vendor.forgetKeys()
            for _ in 0..<4 {
                app.clock.advance(ms: 600_000)
                try await worker.workDue()
            }
            #expect(try await Self.states(app, coupon) == ["FRIEND-1": "synced", "FRIEND-2": "synced"])
            #expect(vendor.codes.map(\.code).sorted() == ["FRIEND-1", "FRIEND-2"] && vendor.codes.allSatisfy { $0.limit == 1 })
            // A code whose answer was lost, and whose key is forgotten, is known again.
            try await app.post("/coupons/\(coupon)/codes", ["code": "FRIEND-3"])
            vendor.fail([.lostAfter])
            try await worker.workDue()
            vendor.forgetKeys()
            app.clock.advance(ms: 600_000)
            try await worker.workDue()
            #expect(try await Self.states(app, coupon)["FRIEND-3"] == "synced" && vendor.codes.count == 3)
            // Used there: read back once, and the sale that tells of it later takes that use for its own.
            vendor.use("FRIEND-1")
            app.clock.advance(ms: 600_000)
            try await worker.workDue()
            try await worker.workDue()
            var known = try await app.get("/coupons/\(coupon)")
            #expect(known["uses"] == 1 && known["discounted"] == 500)
            let sale = try await app.sale("inv-1", "c-1", 5_000, ["couponCode": "friend-1"])
            #expect(sale["attribution"]["coupon"]["state"].text == "redeemed")
            known = try await app.get("/coupons/\(coupon)")
            #expect(known["uses"] == 1 && known["discounted"] == 500)
            #expect(try await app.sale("inv-2", "c-2", 5_000, ["couponCode": "friend-1"])["attribution"]["coupon"]["reason"].text == "used")
            // Used here: nobody can use it there.
            try await app.sale("inv-3", "c-3", 5_000, ["couponCode": "FRIEND-2"])
            app.clock.advance(ms: 600_000)
            try await worker.workDue()
            #expect(vendor.codes.first { $0.code == "FRIEND-2" }?.isActive == false)
            #expect(try await Self.states(app, coupon)["FRIEND-2"] == "ended")
            try await app.proveAll()
        }
    }

    @Test(arguments: Engine.allCases) func whatCannotBeIsSaid(_ engine: Engine) async throws {
        let vendor = FakeCouponVendor()
        try await Self.with(engine, vendor) { app, worker in
            let program = try await app.program()
            let coupon = try await Self.coupon(app, program, [JSONMember("kind", "percent"), JSONMember("rate", "0.125")])
            vendor.take("TAKEN-1")
            try await app.post("/coupons/\(coupon)/codes", ["code": "TAKEN-1"])
            try await app.post("/coupons/\(coupon)/sync", ["vendor": "stripe"])
            try await worker.workDue()
            #expect(vendor.coupons[coupon]?["percent_off"] == "12.50")
            let row = try #require(try await app.get("/coupons/\(coupon)/sync")["data"].list.first)
            #expect(row["state"].text == "failed" && row["reason"].text == "codeTaken")
            let owner = try await TeamPerson.make("olga", .owner, in: app).enter(app)
            #expect(try await owner.get("/coupons/\(coupon)").text.contains("has a code of this text already"))
            // A secret that is refused is said once, and a new one goes on.
            try await app.post("/coupons/\(coupon)/codes", ["code": "GOOD-1"])
            vendor.fail([.unauthorized])
            try await worker.workDue()
            #expect(try await Self.states(app, coupon)["GOOD-1"] == "failed")
            #expect(try await app.get("/coupon-shops")["data"].list.contains { $0["troubleCode"].text == "secretRefused" })
            let fields = ["vendor": "stripe", "secret": "sk_test_fake"]
            #expect(try await owner.submit("/coupons/shops", from: "/coupons", fields).status == 303)
            try await worker.workDue()
            #expect(try await Self.states(app, coupon)["GOOD-1"] == "synced")
            #expect(try await owner.submit("/coupons/shops", from: "/coupons", ["vendor": "stripe", "secret": "nonsense"]).status == 422)
            #expect(try await owner.submit("/coupons/\(coupon)/sync", from: "/coupons/\(coupon)", ["vendor": "stripe"]).status == 303)
            // Store credit and shipping are not for every shop.
            let credit = try await Self.coupon(app, program, [JSONMember("kind", "storeCredit"), JSONMember("amount", 500)])
            #expect(try await app.api(.post, "/coupons/\(credit)/sync", ["vendor": "stripe"]).code == "not_in_shop")
            #expect(try await app.api(.put, "/coupon-shops/shopify", ["secret": "shpat_fake_token", "shop": "evil.example"]).status == 422)
            #expect(try await app.api(.put, "/coupon-shops/stripe", ["secret": "sk_live_x"]).status == 422)
            #expect(try await app.api(.delete, "/coupon-shops/stripe", nil).status == 200)
            #expect(try await app.api(.post, "/coupons/\(coupon)/sync", ["vendor": "stripe"]).code == "not_connected")
        }
    }
}
