import Chronology
import HTTPTypes
import Persistence
import Testing
import TestSupport
import Web

@testable import App

/// What rules pay, to the cent.
@Suite struct RuleTests {
    /// One rule and one sale: what it pays.
    struct Case: Sendable, CustomTestStringConvertible {
        var name: String
        var rule: JSONValue
        var sale: JSONValue = .object([])
        var amount: Int64 = 10_000
        var pays: [Int64]
        var testDescription: String { name }
    }

    static let cases: [Case] = [
        Case(name: "percent", rule: ["reward": ["kind": "percent", "rate": "0.10"]], pays: [1_000]),
        Case(name: "percent of little", rule: ["reward": ["kind": "percent", "rate": "0.001"]], amount: 100, pays: []),
        Case(name: "half to even down", rule: ["reward": ["kind": "percent", "rate": "0.5"]], amount: 5, pays: [2]),
        Case(name: "half to even up", rule: ["reward": ["kind": "percent", "rate": "0.5"]], amount: 7, pays: [4]),
        Case(name: "flat", rule: ["reward": ["kind": "flat", "amount": 750, "currency": "EUR"]], pays: [750]),
        Case(
            name: "country matches", rule: ["reward": ["kind": "percent", "rate": "0.10"], "conditions": ["all": [["field": "country", "op": "in", "value": ["DE", "AT"]]]]],
            sale: ["country": "AT"], pays: [1_000]),
        Case(
            name: "country does not", rule: ["reward": ["kind": "percent", "rate": "0.10"], "conditions": ["all": [["field": "country", "op": "in", "value": ["DE", "AT"]]]]],
            sale: ["country": "FR"], pays: []),
        Case(
            name: "nested conditions",
            rule: [
                "reward": ["kind": "percent", "rate": "0.10"],
                "conditions": [
                    "all": [
                        ["field": "amount", "op": "gte", "value": 10_000],
                        ["any": [["field": "country", "op": "eq", "value": "DE"], ["field": "metadata.tier", "op": "eq", "value": "gold"]]],
                    ]
                ],
            ], sale: ["country": "FR", "metadata": ["tier": "gold"]], pays: [1_000]),
        Case(
            name: "sku", rule: ["reward": ["kind": "percent", "rate": "0.10"], "conditions": ["field": "sku", "op": "startsWith", "value": "BOOK-"]],
            sale: ["items": [["sku": "BOOK-1", "amount": 4_000], ["sku": "TOY-1", "amount": 6_000]]], pays: [1_000]),
        Case(
            name: "per item",
            rule: [
                "reward": ["kind": "percent", "rate": "0.10"], "perItem": true, "conditions": ["field": "sku", "op": "startsWith", "value": "BOOK-"],
            ], sale: ["items": [["sku": "BOOK-1", "amount": 4_000], ["sku": "TOY-1", "amount": 6_000]]], pays: [400]),
        Case(
            name: "new customers", rule: ["reward": ["kind": "percent", "rate": "0.10"], "conditions": ["field": "customerIsNew", "op": "eq", "value": true]],
            pays: [1_000]),
        Case(
            name: "marginal tiers",
            rule: [
                "reward": ["kind": "tiered", "mode": "marginal", "tiers": [["from": 0, "rate": "0.10"], ["from": 4_000, "rate": "0.20"]]]
            ], pays: [400 + 1_200]),
        Case(
            name: "retroactive tiers",
            rule: [
                "reward": ["kind": "tiered", "mode": "retroactive", "tiers": [["from": 0, "rate": "0.10"], ["from": 4_000, "rate": "0.20"]]]
            ], pays: [2_000]),
        Case(name: "points", rule: ["reward": ["kind": "points", "amount": 50, "unit": "points"]], pays: [50]),
        Case(name: "credit", rule: ["reward": ["kind": "credit", "amount": 300, "currency": "EUR"]], pays: [300]),
        Case(name: "cap on the amount", rule: ["reward": ["kind": "percent", "rate": "0.10"], "cap": ["amount": 600]], pays: [600]),
        Case(name: "cap of nothing", rule: ["reward": ["kind": "percent", "rate": "0.10"], "cap": ["amount": 0]], pays: []),
    ]

    @Test(arguments: Engine.allCases) func paysWhatTheRuleSays(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            for (number, expected) in Self.cases.enumerated() {
                let program = try await app.program(["name": .text(expected.name)])
                let rule = try await app.rule(program, expected.rule)
                let anna = try await app.member(program, "anna\(number)")
                try await app.link(program, anna, code: "anna\(number)")
                let sale = try await app.sale("inv-\(number)", "c-\(number)", expected.amount, expected.sale.adding("code", .text("anna\(number)")))
                #expect(AppHarness.amounts(sale) == expected.pays, "\(expected.name)")
                #expect(sale["commissions"].list.allSatisfy { $0["ruleId"].text == rule })
                let receipt = try await app.get("/sales/\(sale["saleId"].text)/receipt")
                if expected.pays.isEmpty {
                    #expect(!receipt["refusals"].list.isEmpty || receipt["lines"].list.isEmpty, "\(expected.name): a receipt says why")
                }
            }
        }
    }

    @Test(arguments: Engine.allCases) func pointsAndCreditHaveUnitsOfTheirOwn(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let program = try await app.program()
            _ = try await app.rule(program, ["reward": ["kind": "points", "amount": 50, "unit": "points"]])
            _ = try await app.rule(program, ["reward": ["kind": "credit", "amount": 300, "currency": "EUR"]])
            _ = try await app.rule(program, ["reward": ["kind": "flat", "amount": 100, "currency": "EUR"]])
            let anna = try await app.member(program, "anna")
            try await app.link(program, anna, code: "anna")
            let sale = try await app.sale("inv-1", "c-1", 1_000, ["code": "anna"])
            let units = Dictionary(uniqueKeysWithValues: sale["commissions"].list.map { ($0["currency"].text, $0["amount"].integer ?? 0) })
            #expect(units.count == 3)
            #expect(units.values.sorted() == [50, 100, 300])
            #expect(try await app.get("/members/\(anna)/balances").elements.count == 3)
            for (unit, amount) in units { #expect(try await app.balance(anna, unit)[0] == amount, "\(unit)") }
            try await app.refund("inv-1", "r-1")
            for unit in units.keys { #expect(try await app.balance(anna, unit) == [0, 0, 0, 0, 0, 0], "\(unit)") }
        }
    }

    @Test(arguments: Engine.allCases) func tiersGoOnFromSaleToSale(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let program = try await app.program()
            _ = try await app.rule(
                program, ["reward": ["kind": "tiered", "mode": "marginal", "tiers": [["from": 0, "rate": "0.10"], ["from": 10_000, "rate": "0.20"]]]])
            let anna = try await app.member(program, "anna")
            try await app.link(program, anna, code: "anna")
            #expect(AppHarness.amounts(try await app.sale("inv-1", "c-1", 6_000, ["code": "anna"])) == [600])
            #expect(AppHarness.amounts(try await app.sale("inv-2", "c-2", 6_000, ["code": "anna"])) == [400 + 400])
            #expect(AppHarness.amounts(try await app.sale("inv-3", "c-3", 1_000, ["code": "anna"])) == [200])
            // A refund of the first sale takes its volume out of the tiers.
            try await app.refund("inv-1", "r-1")
            #expect(AppHarness.amounts(try await app.sale("inv-4", "c-4", 3_000, ["code": "anna"])) == [300])
            // The next month begins anew.
            try await app.moveClock(days: 31)
            #expect(AppHarness.amounts(try await app.sale("inv-5", "c-5", 1_000, ["code": "anna"])) == [100])
        }
    }

    @Test(arguments: Engine.allCases) func recurringForItsMonths(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let program = try await app.program()
            _ = try await app.rule(program, ["event": "recurring", "months": 3, "reward": ["kind": "percent", "rate": "0.10"]])
            let anna = try await app.member(program, "anna")
            try await app.link(program, anna, code: "anna")
            var paid: [Int64] = []
            for month in 0..<5 {
                let sale = try await app.sale("inv-\(month)", "c-1", 1_000, month == 0 ? ["code": "anna"] : .object([]))
                paid.append(AppHarness.amounts(sale).reduce(0, +))
                try await app.moveClock(days: 31)
            }
            #expect(paid.reduce(0, +) == 300)
            #expect(paid.suffix(2).allSatisfy { $0 == 0 })
        }
    }

    @Test(arguments: Engine.allCases) func nthSale(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let program = try await app.program()
            _ = try await app.rule(
                program, ["reward": ["kind": "flat", "amount": 500, "currency": "EUR"], "conditions": ["field": "saleNumber", "op": "eq", "value": 2]])
            let anna = try await app.member(program, "anna")
            try await app.link(program, anna, code: "anna")
            var paid: [[Int64]] = []
            for number in 1...3 { paid.append(AppHarness.amounts(try await app.sale("inv-\(number)", "c-1", 1_000, ["code": "anna"]))) }
            #expect(paid == [[], [500], []])
        }
    }

    @Test(arguments: Engine.allCases) func leadAndClickRules(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let program = try await app.program()
            _ = try await app.rule(program, ["event": "lead", "reward": ["kind": "flat", "amount": 200, "currency": "EUR"]])
            _ = try await app.rule(program, ["event": "click", "reward": ["kind": "flat", "amount": 3, "currency": "EUR"]])
            let anna = try await app.member(program, "anna")
            try await app.link(program, anna, code: "anna")
            let click = try await app.click("anna", visitor: "v-1")
            let lead: JSONValue = ["clickId": .text(click), "eventName": "sign-up", "customerExternalId": "c-1"]
            #expect(try await app.post("/track/lead", lead)["commissions"].list.map { $0["amount"].integer } == [200])
            #expect(try await app.post("/track/lead", lead)["commissions"].list.count <= 1)
            try await app.installation.doDueWork()
            #expect(try await app.balance(anna)[0] == 203)
            // Crawlers are not paid for.
            try await app.post("/track/click", ["code": "anna", "userAgent": "Googlebot/2.1"])
            try await app.installation.doDueWork()
            #expect(try await app.balance(anna)[0] == 203)
        }
    }

    @Test(arguments: Engine.allCases) func deferredLeadsWait(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let program = try await app.program()
            _ = try await app.rule(program, ["event": "lead", "reward": ["kind": "flat", "amount": 200, "currency": "EUR"]])
            let anna = try await app.member(program, "anna")
            try await app.link(program, anna, code: "anna")
            let first = try await app.post("/track/lead", ["code": "anna", "eventName": "trial", "customerExternalId": "c-1", "mode": "deferred"])
            #expect(first["state"].text == "deferred")
            #expect(try await app.balance(anna)[0] == 0)
            let second = try await app.post("/track/lead", ["eventName": "trial", "customerExternalId": "c-1"])
            #expect(second["state"].text == "counted")
            #expect(try await app.balance(anna)[0] == 200)
        }
    }

    @Test(arguments: Engine.allCases) func fiftySalesAtOnceNeverPassACap(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let program = try await app.program()
            _ = try await app.rule(
                program, ["reward": ["kind": "percent", "rate": "0.10"], "cap": ["amount": 1_050, "per": "member", "period": "month"]])
            let anna = try await app.member(program, "anna")
            try await app.link(program, anna, code: "anna")
            let paid = try await app.atOnce(50) { number in
                AppHarness.amounts(try await app.sale("inv-\(number)", "c-\(number)", 1_000, ["code": "anna"])).reduce(0, +)
            }
            #expect(paid.reduce(0, +) == 1_050)
            #expect(paid.filter { $0 == 100 }.count == 10)
            #expect(paid.filter { $0 == 50 }.count == 1)
            #expect(try await app.balance(anna)[0] == 1_050)
        }
    }

    @Test(arguments: Engine.allCases) func capsByCountAndScope(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let program = try await app.program()
            _ = try await app.rule(program, ["reward": ["kind": "flat", "amount": 100, "currency": "EUR"], "cap": ["count": 1, "per": "customer"]])
            let anna = try await app.member(program, "anna")
            try await app.link(program, anna, code: "anna")
            #expect(AppHarness.amounts(try await app.sale("inv-1", "c-1", 1_000, ["code": "anna"])) == [100])
            let second = try await app.sale("inv-2", "c-1", 1_000, ["code": "anna"])
            #expect(AppHarness.amounts(second) == [])
            #expect(try await app.get("/sales/\(second["saleId"].text)/receipt")["refusals"].list.count == 1)
            #expect(AppHarness.amounts(try await app.sale("inv-3", "c-2", 1_000, ["code": "anna"])) == [100])
            // The refund of the first gives its use back.
            try await app.refund("inv-1", "r-1")
            #expect(AppHarness.amounts(try await app.sale("inv-4", "c-1", 1_000, ["code": "anna"])) == [100])
        }
    }

    @Test(arguments: Engine.allCases) func aRefundGivesTheCapBack(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let program = try await app.program()
            _ = try await app.rule(program, ["reward": ["kind": "percent", "rate": "0.10"], "cap": ["amount": 150, "per": "program"]])
            let anna = try await app.member(program, "anna")
            try await app.link(program, anna, code: "anna")
            #expect(AppHarness.amounts(try await app.sale("inv-1", "c-1", 1_000, ["code": "anna"])) == [100])
            #expect(AppHarness.amounts(try await app.sale("inv-2", "c-2", 1_000, ["code": "anna"])) == [50])
            #expect(AppHarness.amounts(try await app.sale("inv-3", "c-3", 1_000, ["code": "anna"])) == [])
            try await app.refund("inv-1", "r-1", 500)
            #expect(AppHarness.amounts(try await app.sale("inv-4", "c-4", 1_000, ["code": "anna"])) == [50])
        }
    }

    @Test(arguments: Engine.allCases) func versionsHoldFromTheirTime(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let (program, _) = try await app.shopWithAnna(["customerBinding": "none"])
            let rule = try await app.get("/programs/\(program)/rules")["data"].list.first["id"].text
            let later = try app.clock.now.adding(milliseconds: 10 * 86_400_000)
            try await app.put(
                "/rules/\(rule)",
                ["name": "Rule", "event": "sale", "reward": ["kind": "percent", "rate": "0.20"], "effectiveFrom": .text(later.rfc3339)])
            #expect(AppHarness.amounts(try await app.sale("inv-1", "c-1", 1_000, ["code": "anna"])) == [100])
            try await app.moveClock(days: 11)
            #expect(AppHarness.amounts(try await app.sale("inv-2", "c-2", 1_000, ["code": "anna"])) == [200])
            // An event of the past goes by the terms of the past.
            let past = try await app.sale("inv-3", "c-3", 1_000, ["code": "anna", "occurredAt": .text(app.clock.now.rfc3339)])
            #expect(AppHarness.amounts(past) == [100])
            // A version written for the past holds for what is told from now on, and changes nothing that was decided.
            try await app.put(
                "/rules/\(rule)",
                ["name": "Rule", "event": "sale", "reward": ["kind": "percent", "rate": "0.30"], "effectiveFrom": "2020-01-01T00:00:00Z"])
            let before = try await app.get("/ledger/transactions")["data"].list.count
            #expect(try await app.get("/ledger/transactions")["data"].list.count == before)
            let old = try await app.sale("inv-4", "c-4", 1_000, ["code": "anna", "occurredAt": "2021-06-01T00:00:00Z"])
            #expect(AppHarness.amounts(old).count == 1)
        }
    }

    @Test(arguments: Engine.allCases) func levelsEndAtTheTop(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let program = try await app.program()
            for level in 0..<5 { _ = try await app.percentRule(program, "0.01", level: Int64(level)) }
            var above: String?
            for name in ["top", "middle", "low"] { above = try await app.member(program, name, enroller: above) }
            try await app.link(program, above, code: "low")
            let sale = try await app.sale("inv-1", "c-1", 10_000, ["code": "low"])
            #expect(sale["commissions"].list.map { $0["level"].integer } == [0, 1, 2])
            #expect(AppHarness.amounts(sale) == [100, 100, 100])
        }
    }
}
