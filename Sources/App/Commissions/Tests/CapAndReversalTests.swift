import HTTPTypes
import Ledger
import Persistence
import TestSupport
import Testing
import Web

@testable import App

/// What caps count, and what refunds take back and leave.
@Suite struct CapAndReversalTests {
    private func shop(_ app: AppHarness, _ rules: [JSONValue]) async throws -> (program: String, anna: String) {
        let program = try await app.program()
        for rule in rules { _ = try await app.rule(program, rule) }
        let anna = try await app.member(program, "anna")
        try await app.link(program, anna, code: "anna")
        return (program, anna)
    }

    @Test(arguments: Engine.allCases) func anAmountCapIsInTheProgramsCurrency(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let (_, anna) = try await shop(app, [["reward": ["kind": "percent", "rate": "1"], "cap": ["amount": 10_000, "per": "member"]]])
            #expect(AppHarness.amounts(try await app.sale("inv-1", "c-1", 9_000, ["code": "anna"])) == [9_000])
            for currency in ["JPY", "USD", "KWD"] {
                let sale = try await app.sale("inv-\(currency)", "c-1", 10_000, ["code": "anna", "currency": .text(currency)])
                #expect(AppHarness.amounts(sale) == [], "\(currency)")
                let refusals = try await app.get("/sales/\(sale["saleId"].text)/receipt")["refusals"].list
                #expect(refusals.map { $0["reason"].text } == ["saleInOtherCurrency"])
                #expect(refusals.first?["saleCurrency"].text == currency)
            }
            #expect(AppHarness.amounts(try await app.sale("inv-2", "c-1", 9_000, ["code": "anna"])) == [1_000])
            #expect(try await app.balance(anna)[0] == 10_000)
            try await app.proveAll()
        }
    }

    @Test(arguments: Engine.allCases) func aCapOnTheCountAddsNoAmounts(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let (_, _) = try await shop(app, [])
            for number in 0..<2 {
                let program = try await app.program(["name": .text("\(number)")])
                _ = try await app.rule(program, ["reward": ["kind": "percent", "rate": "0.5"], "cap": ["count": 1, "per": "customer"]])
            }
            let program = try await app.program(["name": "many"])
            _ = try await app.rule(program, ["reward": ["kind": "percent", "rate": "0.6"], "cap": ["count": 5, "per": "program"]])
            for name in ["berta", "carla"] {
                let member = try await app.member(program, name)
                try await app.link(program, member, code: name)
            }
            // What a cap that only counts lets through is not added up: no sum runs over.
            #expect(AppHarness.amounts(try await app.sale("inv-1", "c-1", Schemas.amountMax, ["code": "berta"])).count == 1)
            try await app.sale("inv-2", "c-2", Schemas.amountMax, ["code": "carla"])
            try await app.refund("inv-1", "r-1")
            #expect(AppHarness.amounts(try await app.sale("inv-3", "c-3", Schemas.amountMax, ["code": "carla"])).count == 1)
            try await app.proveAll()
        }
    }

    @Test(arguments: Engine.allCases) func aSaleForNothingGivesItsFixedAmountBack(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let (_, anna) = try await shop(
                app, [["reward": ["kind": "flat", "amount": 500, "currency": "EUR"], "cap": ["count": 1, "per": "member"]]])
            #expect(AppHarness.amounts(try await app.sale("inv-1", "c-1", 0, ["code": "anna"])) == [500])
            #expect(AppHarness.amounts(try await app.sale("inv-2", "c-1", 0, ["code": "anna"])) == [])
            let refund = try await app.refund("inv-1", "r-1")
            #expect(refund["reversals"].list.map { $0["state"].text } == ["reversed"])
            #expect(try await app.balance(anna)[0] == 0)
            try await app.refund("inv-1", "r-2")
            // Told before its sale, it comes to the same.
            try await app.refund("inv-3", "r-3")
            #expect(try await app.sale("inv-3", "c-1", 0, ["code": "anna"])["commissions"].list.map { $0["state"].text } == ["reversed"])
            #expect(AppHarness.amounts(try await app.sale("inv-4", "c-1", 0, ["code": "anna"])) == [500])
            #expect(try await app.balance(anna)[0] == 500)
            try await app.proveAll()
        }
    }

    @Test(arguments: Engine.allCases) func aCommissionIsReversedWithItsWholeSale(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let (_, anna) = try await shop(app, [["reward": ["kind": "percent", "rate": "0.01"], "cap": ["count": 1, "per": "member"]]])
            #expect(AppHarness.amounts(try await app.sale("inv-1", "c-1", 100, ["code": "anna"])) == [1])
            let part = try await app.refund("inv-1", "r-1", 51)
            #expect(part["reversals"].list.map { $0["state"].text } == ["pending"])
            #expect(part["reversals"].list.map { $0["reversedAmount"].integer } == [1])
            #expect(try await app.balance(anna)[0] == 0)
            // The cap's one commission is still that of the sale that half stands.
            #expect(AppHarness.amounts(try await app.sale("inv-2", "c-1", 100, ["code": "anna"])) == [])
            try await app.proveAll()
            let rest = try await app.refund("inv-1", "r-2")
            #expect(rest["reversals"].list.map { $0["state"].text } == ["reversed"])
            #expect(AppHarness.amounts(try await app.sale("inv-3", "c-1", 100, ["code": "anna"])) == [1])
            try await app.proveAll()
        }
    }

    @Test(arguments: Engine.allCases) func aReversalNamesWhatItCorrects(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let (_, _) = try await shop(app, [["reward": ["kind": "percent", "rate": "0.10"]]])
            let sale = try await app.sale("inv-1", "c-1", 1_000, ["code": "anna"])
            try await app.refund("inv-1", "r-1", 300)
            try await app.refund("inv-1", "r-2")
            let rows = try await app.installation.main.read { connection in
                try connection.rows(
                    """
                    SELECT o.cause, t.correction FROM journal_transaction t JOIN journal_transaction o ON o.workspace_id = t.workspace_id AND o.id = t.corrects
                    WHERE t.purpose = 'reversal' AND o.purpose = 'commission' ORDER BY t.sequence
                    """
                ).map { row -> [String] in [try row.get(at: 0), try row.get(at: 1)] }
            }
            #expect(rows == [[sale["saleId"].text, "partial"], [sale["saleId"].text, "partial"]])
        }
    }

    @Test(arguments: Engine.allCases) func itemsSumToNoMoreThanTheSale(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let (_, _) = try await shop(app, [["reward": ["kind": "percent", "rate": "0.10"], "perItem": true]])
            let tooMuch: [[Int64]] = [[1_001], [500, 501], [Schemas.amountMax, Schemas.amountMax]]
            for (number, amounts) in tooMuch.enumerated() {
                let items = JSONValue.array(amounts.map { ["sku": "a", "amount": .integer($0)] })
                let reply = try await app.api(.post, "/track/sale", AppHarness.saleBody("no-\(number)", "c-1", 1_000, ["code": "anna", "items": items]))
                #expect(reply.status == 422)
                #expect(reply.fields == ["items"])
            }
            #expect(AppHarness.amounts(try await app.sale("inv-1", "c-1", 1_000, ["code": "anna", "items": [["sku": "a", "amount": 900]]])) == [90])
        }
    }

    @Test(arguments: Engine.allCases) func codesOfOneMemberKeepTheirRates(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let program = try await app.program(["attribution": ["model": "linear"]])
            _ = try await app.percentRule(program, "0.01")
            let anna = try await app.member(program, "anna")
            try await app.link(program, anna, code: "half", ["codeRate": "0.5"])
            try await app.link(program, anna, code: "tenth", ["codeRate": "0.1"])
            try await app.post(
                "/track/lead", ["programId": .text(program), "eventName": "s", "customerExternalId": "c-1", "code": "half"])
            let sale = try await app.sale("inv-1", "c-1", 10_000, ["code": "tenth"])
            #expect(sale["attribution"]["shares"].list.count == 2)
            #expect(AppHarness.amounts(sale) == [3_000])
        }
    }

    @Test(arguments: Engine.allCases) func totalsCountCreditedSales(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let condition: JSONValue = ["all": [["field": "memberTotal.sales", "op": "gte", "value": 2], ["field": "memberTotal.amount", "op": "gte", "value": 1_500]]]
            let (_, _) = try await shop(app, [["reward": ["kind": "flat", "amount": 100, "currency": "EUR"], "conditions": condition]])
            var paid: [Int] = []
            for number in 0..<4 {
                paid.append(AppHarness.amounts(try await app.sale("inv-\(number)", "c-\(number)", 1_000, ["code": "anna"])).count)
                if number == 0 { try await app.refund("inv-0", "r-0", 600) }
            }
            // 400 + 1000 is below 1500; the third sale brings 2400.
            #expect(paid == [0, 0, 0, 1])
            for number in 4..<7 { #expect(AppHarness.amounts(try await app.sale("inv-\(number)", "c-1", Schemas.amountMax, ["code": "anna"])).count == 1) }
        }
    }

    @Test(arguments: Engine.allCases) func leadsAndClicksHaveReceipts(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let (program, anna) = try await shop(
                app,
                [
                    ["event": "lead", "reward": ["kind": "flat", "amount": 200, "currency": "EUR"]],
                    [
                        "name": "Never", "event": "lead", "reward": ["kind": "flat", "amount": 900, "currency": "EUR"],
                        "conditions": ["field": "country", "op": "eq", "value": "FR"],
                    ],
                    ["event": "click", "reward": ["kind": "flat", "amount": 3, "currency": "EUR"]],
                ])
            let click = try await app.click("anna")
            let lead = try await app.post(
                "/track/lead", ["programId": .text(program), "eventName": "s", "customerExternalId": "c-1", "code": "anna", "country": "DE"])
            let commission = try #require(lead["commissions"].list.first)
            let receipt = try await app.get("/commissions/\(commission["id"].text)/receipt")
            #expect(receipt["attribution"]["shares"].list.map { $0["memberId"].text } == [anna])
            #expect(receipt["leadId"].text == lead["leadId"].text)
            #expect(receipt["refusals"].list.map { $0["rule"].text } == ["Never"])
            #expect(receipt["refusals"].list.map { $0["reason"].text } == ["conditionFailed"])

            _ = try await app.get("/links?programId=\(program)")
            try await app.moveClock(days: 1)
            let paid = try #require(try await app.get("/commissions")["data"].list.first { $0["cause"].text == "click" })
            let clickReceipt = try await app.get("/commissions/\(paid["id"].text)/receipt")
            #expect(clickReceipt["attribution"]["shares"].list.map { $0["touchId"].text } == [click])
            #expect(clickReceipt["attribution"]["shares"].list.map { $0["memberId"].text } == [anna])
        }
    }

    @Test(arguments: Engine.allCases) func rulesSayWhatCanBePaid(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let (program, _) = try await shop(app, [])
            let rule = try await app.percentRule(program, "1")
            let refused: [(JSONValue, String)] = [
                (["kind": "flat", "amount": 750, "currency": "USD"], "reward.currency"),
                (["kind": "percent", "rate": "1.000000001"], "reward.rate"),
                (["kind": "tiered", "mode": "marginal", "tiers": [["from": 0, "rate": "0.5"], ["from": 10, "rate": "2"]]], "reward.tiers"),
            ]
            for (reward, field) in refused {
                let body: JSONValue = ["name": "Rule", "event": "sale", "reward": reward]
                for reply in [try await app.api(.post, "/programs/\(program)/rules", body), try await app.api(.put, "/rules/\(rule)", body)] {
                    #expect(reply.status == 422)
                    #expect(reply.fields == [field])
                }
            }
        }
    }
}
