import HTTPTypes
import Persistence
import TestSupport
import Testing
import Web

@testable import App

/// The first sentence of a receipt is true.
@Suite struct ReceiptAnswerTests {
    @Test(arguments: Engine.allCases) func aCapThatStoppedItIsNamed(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let caps: [(cap: JSONValue, rate: String, sentence: String, page: String)] = [
                (["amount": 10_000, "per": "member", "period": "month"], "1", "which is 100.00 EUR for each member and month", "which is €100.00 for each member and month"),
                (["count": 1, "per": "customer"], "0.5", "which is 1 time for each customer, ever", "which is 1 time for each customer, ever"),
            ]
            for (number, wanted) in caps.enumerated() {
                let program = try await app.program(["name": .text("P\(number)")])
                _ = try await app.rule(program, ["name": "Thanks", "reward": ["kind": "percent", "rate": .text(wanted.rate)], "cap": wanted.cap])
                let seller = try await app.member(program, "seller\(number)")
                try await app.link(program, seller, code: "code\(number)")
                try await app.sale("first-\(number)", "c-\(number)", 10_000, ["code": .text("code\(number)")])
                let sale = try await app.sale("second-\(number)", "c-\(number)", 10_000, ["code": .text("code\(number)")])
                #expect(AppHarness.amounts(sale) == [])
                let receipt = try await app.get("/sales/\(sale["saleId"].text)/receipt")
                #expect(receipt["answer"].text == "Nobody is paid: the sale is credited, and the cap of the rule “Thanks” is used up, \(wanted.sentence).")
                let refusal = receipt["refusals"].list.first
                #expect(refusal["reason"].text == "capReached" && refusal["cap"]["per"].text == wanted.cap["per"].text)
                let page = try await app.page("/sales/\(sale["saleId"].text)/receipt")
                #expect(page.text.contains("the cap of the rule “Thanks” is used up, \(wanted.page)."), "\(page.text.suffix(6_000))")
                #expect(!page.text.contains("no rule of the program covers it"))
            }
        }
    }

    @Test(arguments: Engine.allCases) func otherReasonsAreNotCalledACap(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let (_, anna) = try await app.shopWithAnna()
            let none = try await app.program(["name": "Without rules"])
            let bert = try await app.member(none, "bert")
            try await app.link(none, bert, code: "bert")
            let noRule = try await app.sale("inv-1", "c-1", 1_000, ["code": "bert"])
            #expect(try await app.get("/sales/\(noRule["saleId"].text)/receipt")["answer"].text.hasSuffix("no rule of the program pays for it."))
            try await app.sale("inv-2", "c-2", 1_000, ["code": "anna"])
            try await app.patch("/members/\(anna)", ["status": "suspended"])
            let barred = try await app.sale("inv-3", "c-2", 1_000)
            #expect(try await app.get("/sales/\(barred["saleId"].text)/receipt")["answer"].text.contains("suspended"))
        }
    }

    /// A code that nobody knows is no coupon: it meets no condition on one.
    @Test(arguments: Engine.allCases) func anUnknownCodeIsNoCoupon(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let program = try await app.program(["customerBinding": "none"])
            _ = try await app.rule(
                program,
                [
                    "reward": ["kind": "flat", "amount": 100, "currency": "EUR"],
                    "conditions": ["all": [["field": "couponUsed", "op": "eq", "value": true]]],
                ])
            for event in ["lead"] as [JSONValue] {
                _ = try await app.rule(
                    program,
                    [
                        "event": event, "reward": ["kind": "flat", "amount": 7, "currency": "EUR"],
                        "conditions": ["all": [["field": "couponUsed", "op": "eq", "value": "SAVE"]]],
                    ])
            }
            let anna = try await app.member(program, "anna")
            try await app.link(program, anna, code: "anna")
            try await app.link(program, anna, code: "save", ["kind": "coupon"])
            let other = try await app.program(["name": "Other"])
            try await app.link(other, nil, code: "elsewhere", ["kind": "coupon"])
            _ = try await app.click("anna", visitor: "v-1")
            app.clock.advance(ms: 10)
            func paid(_ invoice: String, _ code: String) async throws -> [Int64] {
                AppHarness.amounts(
                    try await app.sale(invoice, "c-\(invoice)", 1_000, ["code": .text(code), "visitorId": "v-1", "programId": .text(program)]))
            }
            #expect(try await paid("a", "nobody") == [])
            #expect(try await paid("b", "elsewhere") == [])
            #expect(try await paid("c", "save") == [100])
            for (number, code) in ["nobody", "save"].enumerated() {
                let lead = try await app.post(
                    "/track/lead",
                    [
                        "eventName": "sign-up", "customerExternalId": .text("l-\(number)"), "code": .text(code), "visitorId": "v-1",
                        "programId": .text(program),
                    ])
                #expect(AppHarness.amounts(lead) == (code == "save" ? [7] : []), "\(code)")
            }
        }
    }
}
