import HTTPTypes
import Persistence
import TestSupport
import Testing
import Web

@testable import App

/// A code is good once, for whom it is meant, within its budget; whatever stands in the way is said.
@Suite struct CouponTests {
    struct Shop {
        var program: String
        var anna: String
    }

    static func shop(_ app: AppHarness) async throws -> Shop {
        let program = try await app.program(["holdDays": 0])
        let anna = try await app.member(program, "anna")
        try await app.link(program, anna, code: "anna")
        return Shop(program: program, anna: anna)
    }

    static func coupon(_ app: AppHarness, _ program: String, _ more: JSONValue = .object([])) async throws -> String {
        var body: JSONValue = ["programId": .text(program), "name": "Welcome", "kind": "fixed", "amount": 500]
        if case .object(let members) = more { for member in members { body = body.adding(member.name, member.value) } }
        return try await app.post("/coupons", body)["id"].text
    }

    static func code(_ app: AppHarness, _ coupon: String, _ body: JSONValue = .object([])) async throws -> String {
        try await app.post("/coupons/\(coupon)/codes", body)["data"].list.first?["code"].text ?? ""
    }

    static func order(_ code: String, _ invoice: String, _ amount: Int64 = 5_000, _ more: JSONValue = .object([])) -> JSONValue {
        var body: JSONValue = ["code": .text(code), "invoiceId": .text(invoice), "amount": .integer(amount), "currency": "EUR"]
        if case .object(let members) = more { for member in members { body = body.adding(member.name, member.value) } }
        return body
    }

    @Test(arguments: Engine.allCases) func fiftyAtOnceUseItOnce(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let shop = try await Self.shop(app)
            let coupon = try await Self.coupon(app, shop.program)
            let code = try await Self.code(app, coupon)
            let answers = try await withThrowingTaskGroup(of: (Int, String).self) { group in
                for number in 0..<50 {
                    group.addTask {
                        let reply = try await app.api(.post, "/coupon-codes/redeem", Self.order(code, "inv-\(number)"))
                        return (reply.status, reply.code)
                    }
                }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(answers.filter { $0.0 == 200 }.count == 1)
            #expect(answers.filter { $0.0 == 409 && $0.1 == "coupon_used" }.count == 49)
            let seen = try await app.get("/coupons/\(coupon)")
            #expect(seen["uses"].integer == 1 && seen["discounted"].integer == 500)
        }
    }

    /// Fifty sales that name one code at once: all are sales, one has the discount, and the others say why not.
    @Test(arguments: Engine.allCases) func fiftySalesUseItOnce(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let shop = try await Self.shop(app)
            let code = try await Self.code(app, try await Self.coupon(app, shop.program))
            let answers = try await withThrowingTaskGroup(of: JSONValue.self) { group in
                for number in 0..<50 {
                    group.addTask { try await app.sale("inv-\(number)", "c-\(number)", 5_000, ["code": .text(code)]) }
                }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            let states = answers.map { $0["attribution"]["coupon"]["state"].text }
            #expect(states.filter { $0 == "redeemed" }.count == 1 && states.filter { $0 == "refused" }.count == 49)
            let refused = try #require(answers.first { $0["attribution"]["coupon"]["state"].text == "refused" })
            #expect(refused["attribution"]["coupon"]["reason"].text == "used")
            let receipt = try await app.get("/sales/\(refused["saleId"].text)/receipt")
            #expect(receipt["refusals"].list.last?["reason"].text == "coupon.used")
        }
    }

    /// A budget is reached to the cent and never passed, however many ask at once.
    @Test(arguments: Engine.allCases) func aBudgetHoldsUnderConcurrentOrders(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let shop = try await Self.shop(app)
            let coupon = try await Self.coupon(app, shop.program, ["usesPerCode": 1_000, "budget": 6_000])
            let code = try await Self.code(app, coupon)
            let statuses = try await withThrowingTaskGroup(of: (Int, String).self) { group in
                for number in 0..<50 {
                    group.addTask {
                        let reply = try await app.api(.post, "/coupon-codes/redeem", Self.order(code, "inv-\(number)"))
                        return (reply.status, reply.code)
                    }
                }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(statuses.filter { $0.0 == 200 }.count == 12)
            #expect(statuses.filter { $0.1 == "coupon_overBudget" }.count == 38)
            #expect(try await app.get("/coupons/\(coupon)")["discounted"].integer == 6_000)
        }
    }

    @Test(arguments: Engine.allCases) func whatStandsInTheWayIsSaid(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let shop = try await Self.shop(app)
            func refusal(_ code: String, _ more: JSONValue = .object([]), _ amount: Int64 = 5_000) async throws -> String {
                let seen = try await app.post("/coupon-codes/check", Self.order(code, "new", amount, more))
                #expect(seen["valid"] == .boolean(seen["reason"] == .null) && (seen["reason"] == .null || !seen["detail"].text.isEmpty))
                return seen["reason"].text
            }
            #expect(try await refusal("nothing") == "unknown")
            let plain = try await Self.coupon(app, shop.program, ["minimumAmount": 2_000, "validDays": 10])
            let code = try await Self.code(app, plain)
            #expect(try await refusal(code) == "")
            #expect(try await refusal(code.lowercased()) == "")
            #expect(try await refusal(code, .object([]), 1_999) == "belowMinimum")
            #expect(try await refusal(code, ["currency": "USD"]) == "otherCurrency")
            // Of anna's code for friends: not for herself, and her friend is one who came by her.
            let friends = try await Self.code(app, plain, ["memberId": .text(shop.anna)])
            try await app.sale("own", "c-anna", 100, ["customerEmail": "anna@members.test"])
            #expect(try await refusal(friends, ["customerExternalId": "c-anna"]) == "ownCode")
            // Only for those whom a member brought.
            let closed = try await Self.code(app, try await Self.coupon(app, shop.program, ["needsReferral": true]))
            #expect(try await refusal(closed, ["customerExternalId": "stranger"]) == "notReferred")
            try await app.sale("first", "c-friend", 3_000, ["code": "anna"])
            #expect(try await refusal(closed, ["customerExternalId": "c-friend"]) == "")
            let fresh = try await Self.code(app, try await Self.coupon(app, shop.program, ["newCustomersOnly": true]))
            #expect(try await refusal(fresh, ["customerExternalId": "c-friend"]) == "notNew")
            #expect(try await refusal(fresh, ["customerExternalId": "c-new"]) == "")
            // Kept by another order, and free again.
            _ = try await app.post("/coupon-codes/reserve", Self.order(code, "inv-1"))
            #expect(try await refusal(code) == "reserved")
            #expect(try await app.post("/coupon-codes/release", ["code": .text(code), "invoiceId": "inv-2"])["state"].text == "reserved")
            #expect(try await app.post("/coupon-codes/release", ["code": .text(code), "invoiceId": "inv-1"])["state"].text == "issued")
            _ = try await app.post("/coupon-codes/reserve", Self.order(code, "inv-1"))
            let used = try await app.post("/coupon-codes/redeem", Self.order(code, "inv-1"))
            #expect(used["discount"].integer == 500 && used["code"]["state"].text == "redeemed")
            // The same order again is answered as before; another is refused.
            #expect(try await app.post("/coupon-codes/redeem", Self.order(code, "inv-1"))["discount"].integer == 500)
            #expect(try await app.api(.post, "/coupon-codes/redeem", Self.order(code, "inv-2")).code == "coupon_used")
            // After its days, and after its end.
            let late = try await Self.code(app, plain)
            try await app.moveClock(days: 11)
            #expect(try await refusal(late) == "expired")
            let open = try await Self.code(app, try await Self.coupon(app, shop.program))
            let other = try await Self.coupon(app, shop.program)
            let ended = try await Self.code(app, other)
            try await app.post("/coupons/\(other)/end", [:])
            #expect(try await refusal(ended) == "ended")
            #expect(try await refusal(open) == "")
            try await app.proveAll()
        }
    }

    @Test(arguments: Engine.allCases) func aReservationEndsByItself(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let shop = try await Self.shop(app)
            let code = try await Self.code(app, try await Self.coupon(app, shop.program))
            _ = try await app.post("/coupon-codes/reserve", Self.order(code, "inv-1"))
            #expect(try await app.api(.post, "/coupon-codes/redeem", Self.order(code, "inv-2")).code == "coupon_reserved")
            app.clock.advance(ms: CouponCode.reservationMs + 1)
            #expect(try await app.post("/coupon-codes/redeem", Self.order(code, "inv-2"))["valid"] == true)
            #expect(try await app.api(.post, "/coupon-codes/redeem", Self.order(code, "inv-1")).code == "coupon_used")
        }
    }

    /// Store credit is spent bit by bit, and never more than there is.
    @Test(arguments: Engine.allCases) func storeCreditLastsUntilItIsSpent(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let shop = try await Self.shop(app)
            let code = try await Self.code(app, try await Self.coupon(app, shop.program, ["kind": "storeCredit", "amount": 2_000]))
            #expect(try await app.post("/coupon-codes/redeem", Self.order(code, "inv-1", 1_500))["discount"].integer == 1_500)
            #expect(try await app.post("/coupon-codes/redeem", Self.order(code, "inv-2", 1_500))["discount"].integer == 500)
            #expect(try await app.api(.post, "/coupon-codes/redeem", Self.order(code, "inv-3", 1_500)).code == "coupon_used")
        }
    }

    /// A member's printed codes credit the member, and take off once.
    @Test(arguments: Engine.allCases) func aMembersCodesCreditThem(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let shop = try await Self.shop(app)
            _ = try await app.percentRule(shop.program, "0.10")
            let coupon = try await Self.coupon(app, shop.program, ["kind": "percent", "rate": "0.15", "amount": .null])
            let codes = try await app.post("/coupons/\(coupon)/codes", ["count": 3, "memberId": .text(shop.anna)])["data"].list.map { $0["code"].text }
            #expect(Set(codes).count == 3)
            let sale = try await app.sale("inv-1", "c-1", 3_333, ["code": .text(codes[0])])
            #expect(sale["attribution"]["coupon"]["discount"].integer == 588, "3,921 less 588, which is 15 % of it, is 3,333")
            #expect(sale["commissions"].list.first?["memberId"].text == shop.anna)
            // The same invoice again changes nothing; another one with the code credits nobody.
            try await app.sale("inv-1", "c-1", 3_333, ["code": .text(codes[0])])
            let second = try await app.sale("inv-2", "c-2", 3_333, ["code": .text(codes[0])])
            #expect(second["attribution"]["status"].text == "unattributed" && second["attribution"]["coupon"]["reason"].text == "used")
            #expect(try await app.get("/coupons/\(coupon)")["uses"].integer == 1)
            try await app.proveAll()
        }
    }

    @Test(arguments: Engine.allCases) func badInputIsNamed(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let shop = try await Self.shop(app)
            func refused(_ body: JSONValue, _ field: String) async throws {
                var whole: JSONValue = ["programId": .text(shop.program), "name": "Welcome"]
                if case .object(let members) = body { for member in members { whole = whole.adding(member.name, member.value) } }
                let reply = try await app.api(.post, "/coupons", whole)
                #expect(reply.status == 422 && reply.text.contains("\"field\":\"\(field)\""), "\(reply.text)")
            }
            try await refused(["kind": "percent", "rate": "1.5"], "rate")
            try await refused(["kind": "percent"], "rate")
            try await refused(["kind": "fixed"], "amount")
            try await refused(["kind": "fixed", "amount": 100, "rate": "0.1"], "rate")
            try await refused(["kind": "fixed", "amount": 100, "currency": "USD"], "currency")
            try await refused(["kind": "gift"], "kind")
            let coupon = try await Self.coupon(app, shop.program)
            #expect(try await app.api(.post, "/coupons/\(coupon)/codes", ["code": "ANNA"]).code == "code_taken")
            _ = try await Self.code(app, coupon, ["code": "HELLO"])
            #expect(try await app.api(.post, "/coupons/\(coupon)/codes", ["code": "hello"]).code == "code_taken")
            #expect(try await app.api(.post, "/coupons/\(coupon)/codes", ["count": 1_001]).status == 422)
            #expect(try await app.api(.post, "/coupon-codes/redeem", ["code": "HELLO", "amount": 1, "currency": "EUR"]).status == 422)
        }
    }
}
