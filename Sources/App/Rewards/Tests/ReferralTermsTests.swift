import HTTPTypes
import Persistence
import TestSupport
import Testing
import Web

@testable import App

/// Which friends count, and what all rules together may give.
@Suite struct ReferralTermsTests {
    private static let both: [JSONValue] = [
        ["reward": ["kind": "flat", "amount": 1_000, "currency": "EUR"]], ["reward": ["kind": "gift", "description": "A mug", "value": 500], "for": "friend"],
    ]

    private func refusal(_ app: AppHarness, _ sale: JSONValue) async throws -> String {
        #expect(sale["commissions"].list.isEmpty && sale["rewards"].list.isEmpty)
        let receipt = try await app.get("/sales/\(sale["saleId"].text)/receipt")
        let page = try await app.page("/sales/\(sale["saleId"].text)/receipt")
        #expect(page.status == 200 && page.text.contains("helps"))
        let reasons = Set(receipt["refusals"].list.map { $0["reason"].text })
        #expect(receipt["refusals"].list.count == 2 && reasons.count == 1)
        return reasons.first ?? ""
    }

    @Test(arguments: Engine.allCases) func whoDoesNotCountBringsNothing(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let shop = try await RewardTests.shop(app, hold: 0, Self.both)
            _ = try await app.sale("before", "c-old", 5_000)
            try await app.patch(
                "/programs/\(shop.program)",
                ["referral": ["newCustomersOnly": true, "minimumOrder": 3_000, "countries": ["DE", "AT"], "notOwnHousehold": true]])
            func sale(_ invoice: String, _ customer: String, _ amount: Int64 = 5_000, _ more: [String: JSONValue] = [:]) async throws -> JSONValue {
                let facts: [String: JSONValue] = ["code": "anna", "country": "DE"]
                return try await app.sale(invoice, customer, amount, .object(facts.merging(more) { _, new in new }.map { JSONMember($0.key, $0.value) }))
            }
            #expect(try await refusal(app, sale("inv-1", "c-old")) == "friendNotNew")
            #expect(try await refusal(app, sale("inv-2", "c-2", 2_999)) == "orderTooSmall")
            #expect(try await refusal(app, sale("inv-3", "c-3", 5_000, ["country": "FR"])) == "countryNotServed")
            #expect(try await refusal(app, sale("inv-4", "c-4", 5_000, ["currency": "USD"])) == "orderInOtherCurrency")
            // Anna buys herself; somebody at her address is no friend.
            try await app.sale("own", "anna", 1_000, ["shippingAddressHash": "home", "customerEmail": "anna@members.test"])
            #expect(try await refusal(app, sale("inv-5", "c-5", 5_000, ["shippingAddressHash": "home"])) == "ownHousehold")
            // Who has counted once stays.
            let first = try await sale("inv-6", "c-6")
            #expect(AppHarness.amounts(first) == [1_000] && first["rewards"].list.count == 1)
            #expect(AppHarness.amounts(try await sale("inv-7", "c-6", 500, ["country": "FR"])) == [1_000])
            // Until all of it has come back.
            try await app.refund("inv-6", "r-1")
            try await app.refund("inv-7", "r-2")
            #expect(try await refusal(app, sale("inv-8", "c-6")) == "friendNotNew")
            try await app.patch("/programs/\(shop.program)", ["referral": ["minimumOrder": 0, "newCustomersOnly": false]])
            let program = try await app.get("/programs/\(shop.program)")
            #expect(program["referral"]["countries"].list.count == 2 && program["referral"]["minimumOrder"] == 0)
            try await app.patch("/programs/\(shop.program)", ["referral": .null])
            #expect(AppHarness.amounts(try await sale("inv-9", "c-old", 100, ["country": "FR"])) == [1_000])
            for bad: JSONValue in [
                ["countries": ["Germany"]], ["minimumOrder": -1], ["budget": ["amount": 0]], ["budget": ["amount": 5, "period": "aeon"]], ["newOnly": true],
            ] {
                #expect(try await app.api(.patch, "/programs/\(shop.program)", ["referral": bad]).status == 422, "\(bad)")
            }
            try await app.proveAll()
        }
    }

    /// Fifty sales at once reach the budget over all rules, and never pass it.
    @Test(arguments: Engine.allCases) func oneBudgetOverAllRulesHolds(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let shop = try await RewardTests.shop(app, [
                ["reward": ["kind": "flat", "amount": 700, "currency": "EUR"]], ["reward": ["kind": "credit", "amount": 300, "currency": "EUR"], "for": "friend"],
                ["reward": ["kind": "gift", "description": "A mug", "value": 500]], ["reward": ["kind": "points", "amount": 10, "unit": "points"]],
            ])
            try await app.patch("/programs/\(shop.program)", ["referral": ["budget": ["amount": 20_100, "period": "month"]]])
            try await withThrowingTaskGroup(of: Void.self) { group in
                for number in 0..<50 {
                    group.addTask { try await app.sale("inv-\(number)", "c-\(number)", 5_000, ["code": "anna", "customerEmail": .text("f\(number)@friends.test")]) }
                }
                try await group.waitForAll()
            }
            func spent() async throws -> Int64 {
                var sum: Int64 = 0
                for reward in try await app.get("/rewards?limit=100")["data"].list where reward["state"].text != "reversed" && reward["unit"].text != "points" {
                    guard case .number(let value) = reward["value"] else { continue }
                    sum += value.integer ?? 0
                }
                return sum + (try await app.balance(shop.anna)[0])
            }
            #expect(try await spent() == 20_100)
            // Points are outside it.
            #expect(try await app.balance(shop.anna, "points")[0] == 500)
            // What comes back is free for others, and no more than that.
            try await app.refund("inv-0", "r-1")
            let freed = 20_100 - (try await spent())
            for number in 0..<3 { try await app.sale("more-\(number)", "d-\(number)", 5_000, ["code": "anna", "customerEmail": .text("g\(number)@friends.test")]) }
            #expect(try await spent() == 20_100, "\(freed) were free")
            let last = try await app.sale("last", "d-last", 5_000, ["code": "anna"])
            let receipt = try await app.get("/sales/\(last["saleId"].text)/receipt")
            #expect(receipt["refusals"].list.filter { $0["reason"].text == "budgetUsedUp" }.count == 3)
            #expect(try await app.page("/sales/\(last["saleId"].text)/receipt").text.contains("larger budget"))
            try await app.proveAll()
        }
    }

    @Test(arguments: Engine.allCases) func thePageSetsThem(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let program = try await app.program()
            let path = "/programs/\(program)/refer-a-friend"
            let owner = try await TeamPerson.make("olga", .owner, in: app).enter(app)
            let fields = [
                "act": "terms", "newOnly": "1", "leastFirst": "20", "allowedCountries": "de, at", "budget": "1500", "budgetPeriod": "year", "otherHousehold": "1",
            ]
            #expect(try await owner.submit(path, from: path, fields).status == 303)
            let terms = try await app.get("/programs/\(program)")["referral"]
            #expect(terms["newCustomersOnly"] == true && terms["notOwnHousehold"] == true && terms["minimumOrder"] == 2_000)
            #expect(terms["countries"].list.map { $0.string ?? "" } == ["DE", "AT"] && terms["budget"]["amount"] == 150_000 && terms["budget"]["period"].text == "year")
            let page = try await owner.get(path)
            #expect(page.text.contains("€1,500.00 for each year") && page.text.contains("Left of the budget"))
            #expect(try await owner.get("/programs/\(program)").text.contains("new customers only"))
            for (name, value) in [("leastFirst", "x"), ("budget", "0"), ("allowedCountries", "Germany")] {
                #expect(try await owner.submit(path, from: path, fields.merging([name: value]) { _, new in new }).status == 422, "\(name)")
            }
        }
    }
}
