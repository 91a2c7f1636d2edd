import Chronology
import HTTPTypes
import Ledger
import Money
import Testing
import TestSupport
import Web

@testable import App

/// From a click to a refund, on three levels, exact to the cent.
@Suite struct WalkTests {
    @Test(arguments: Engine.allCases) func clickToRefund(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let program = try await app.program()
            let ruleIDs = [
                try await app.percentRule(program, "0.10"), try await app.percentRule(program, "0.05", level: 1),
                try await app.percentRule(program, "0.025", level: 2),
            ]
            let carla = try await app.member(program, "carla")
            let bert = try await app.member(program, "bert", enroller: carla)
            let anna = try await app.member(program, "anna", enroller: bert)
            let link = try await app.link(program, anna, code: "anna")

            // Click.
            let visit = try await app.visit("/r/anna")
            #expect(visit.status == 302)
            let location = visit.headers[.location] ?? ""
            #expect(location.hasPrefix("https://shop.test/?kith_click=clk_"))
            let click = String(location.split(separator: "=").last ?? "")
            let shown = try await app.get("/links/\(link)")
            #expect(shown["clicks"].integer == 1)
            #expect(shown["clicksLogged"].integer == 1)

            // Lead.
            let lead = try await app.post(
                "/track/lead", ["clickId": .text(click), "eventName": "sign-up", "customerExternalId": "c-1", "customerEmail": "buyer@example.test"])
            #expect(lead["state"].text == "counted")
            #expect(lead["attribution"]["shares"].list.map { $0["memberId"].text } == [anna])

            // Sale: 99.99 EUR. 10 % = 999.9 → 1000 (half to even on .9 rounds up), 5 % = 499.95 → 500, 2.5 % = 249.975 → 250.
            let sale = try await app.sale("inv-1", "c-1", 9_999)
            #expect(sale["attribution"]["status"].text == "attributed")
            #expect(sale["attribution"]["model"].text == "last")
            #expect(sale["attribution"]["shares"].list.map { $0["sharePpm"].integer } == [1_000_000])
            #expect(sale["attribution"]["shares"].list.map { $0["touchId"].text } == [click])
            #expect(AppHarness.amounts(sale) == [1_000, 500, 250])
            #expect(sale["commissions"].list.map { $0["memberId"].text } == [anna, bert, carla])
            #expect(sale["commissions"].list.map { $0["rule"].text } == ruleIDs)
            #expect(Set(sale["commissions"].list.map { $0["state"].text }) == ["pending"])
            #expect(try await app.balance(anna) == [1_000, 0, 0, 0, 0, 0])
            #expect(try await app.balance(bert) == [500, 0, 0, 0, 0, 0])
            #expect(try await app.balance(carla) == [250, 0, 0, 0, 0, 0])
            try await app.proveBooks()

            // A third goes back while all is pending.
            let refund = try await app.refund("inv-1", "r-1", 3_333)
            #expect(refund["state"].text == "applied")
            #expect(refund["appliedAmount"].integer == 3_333)
            #expect(try await app.balance(anna)[0] == 1_000 - 333)
            try await app.proveBooks()

            // The hold ends by the test clock.
            try await app.moveClock(days: 29)
            #expect(try await app.balance(anna)[0] == 667)
            try await app.moveClock(days: 2)
            #expect(try await app.balance(anna) == [0, 0, 667, 0, 0, 0])
            try await app.proveBooks()

            // Paid out, then all is refunded: a debt.
            try await app.payOut(anna, 667)
            #expect(try await app.balance(anna) == [0, 0, 0, 0, 667, 0])
            try await app.refund("inv-1", "r-2")
            #expect(try await app.balance(anna) == [0, 0, 0, 0, 667, 667])
            #expect(try await app.balance(bert) == [0, 0, 0, 0, 0, 0])
            #expect(try await app.balance(carla) == [0, 0, 0, 0, 0, 0])
            try await app.proveBooks()

            // The next commission pays the debt off, when it is approved.
            try await app.sale("inv-2", "c-1", 10_000)
            #expect(try await app.balance(anna) == [1_000, 0, 0, 0, 667, 667])
            try await app.moveClock(days: 31)
            #expect(try await app.balance(anna) == [0, 0, 333, 0, 667, 0])

            let states = try await app.get("/commissions?saleId=\(sale["saleId"].text)")["data"].list.map { $0["state"].text }
            #expect(Set(states) == ["reversed"])
            let journal = try await app.get("/ledger/transactions?limit=100")["data"].list
            #expect(journal.map { $0["sequence"].integer } == (1...Int64(journal.count)).map { $0 })
            for transaction in journal {
                #expect(transaction["entries"].list.reduce(0) { $0 + ($1["amount"].integer ?? 0) } == 0)
            }
        }
    }

    @Test(arguments: Engine.allCases) func receiptAsAWhole(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let program = try await app.program()
            _ = try await app.percentRule(program, "0.10")
            let anna = try await app.member(program, "anna")
            try await app.link(program, anna, code: "anna")
            let click = try await app.click("anna")
            let sale = try await app.sale("inv-1", "c-1", 9_999, ["clickId": .text(click), "country": "DE"])
            try await app.refund("inv-1", "r-1", 3_333)
            let receipt = try await app.get("/sales/\(sale["saleId"].text)/receipt")
            let form = Normal.form(receipt)
            #expect(String(decoding: form.bytes, as: UTF8.self) == Self.receipt)
            let own = try await app.get("/commissions/\(sale["commissions"].list.first["id"].text)/receipt")
            #expect(own["saleId"].text == sale["saleId"].text)
            #expect(own["rule"]["reward"]["rate"].text == "0.10")
        }
    }

    @Test(arguments: Engine.allCases) func receiptsForNothing(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let program = try await app.program()
            _ = try await app.percentRule(program, "0.10")
            let anna = try await app.member(program, "anna")
            try await app.link(program, anna, code: "anna")
            let unknown = try await app.sale("inv-1", "c-1", 500)
            #expect(unknown["attribution"]["status"].text == "unattributed")
            let first = try await app.get("/sales/\(unknown["saleId"].text)/receipt")
            #expect(first["answer"].text == "Nobody is paid: nobody is credited for this sale.")
            let free = try await app.sale("inv-2", "c-2", 0, ["code": "anna"])
            #expect(free["commissions"].list.isEmpty)
            #expect(try await app.get("/sales/\(free["saleId"].text)/receipt")["answer"].text == "Nobody is paid: the sale was for nothing.")
            #expect(try await app.get("/ledger/transactions")["data"].list.isEmpty)
        }
    }

    private static let receipt = """
        {"saleId":"<sale 1>","answer":"1 member gets a commission for this sale.","sale":{"id":"<sale 1>","programId":"<prog 1>"\
        ,"customerId":"<cus 1>","invoiceId":"inv-1","amount":9999,"refundedAmount":3333,"currency":"EUR","saleNumber":1\
        ,"country":"DE","eventName":null,"occurredAt":"<time>","recordedAt":"<time>"},"program":{"id":"<prog 1>","name":"Shop"\
        ,"version":1},"attribution":{"status":"attributed","model":"last","shares":[{"memberId":"<mem 1>","sharePpm":1000000\
        ,"touchId":"<clk 1>","reason":"onlyTouch"}],"rejected":[],"touches":[{"touchId":"<clk 1>","at":"<time>","kind":"link"\
        ,"memberId":"<mem 1>","linkId":"<lnk 1>"}]},"lines":[{"id":"<com 1>","programId":"<prog 1>","memberId":"<mem 1>"\
        ,"saleId":"<sale 1>","cause":"sale","amount":1000,"reversedAmount":333,"currency":"EUR","rule":"<rule 1>","ruleId":"<rule 1>"\
        ,"ruleVersion":1,"level":0,"base":9999,"rate":"0.1","sharePpm":1000000,"state":"pending","holdUntil":"<time>"\
        ,"occurredAt":"<time>","correctsId":null,"receiptUrl":"/api/v1/commissions/<com 1>/receipt","arithmetic":{"purpose":"reward","base":9999\
        ,"rate":"0.1","sharePpm":1000000,"amount":1000,"rounding":"halfEven"},"ruleDocument":{"name":"Rule","event":"sale"\
        ,"reward":{"kind":"percent","rate":"0.10"},"level":0,"effectiveFrom":"<time>"}}],"rewards":[],"refusals":[],"refunds":[{"refundId":"r-1"\
        ,"state":"applied","appliedAmount":3333,"occurredAt":"<time>","reason":null}],"corrections":[],"journal":[{"sequence":1,"purpose":"commission"\
        ,"cause":"<sale 1>"},{"sequence":2,"purpose":"reversal","cause":"<ref 1>"}]}
        """
}

extension AppHarness {
    /// What a payout does, until payouts are there: available → in payout → paid.
    func payOut(_ member: String, _ minor: Int64) async throws {
        let unit = try UnitCode("EUR")
        try await installation.write(twinID, actor: .system("test")) { write in
            let amount = Amount(minor: minor)
            try write.post(
                cause: "pay_\(member)", purpose: "payout", effectiveAt: write.now,
                [Entry(.available(member), unit, amount), Entry(.inPayout(member), unit, try amount.negated())])
            try write.post(
                cause: "pay_\(member)", purpose: "paid", effectiveAt: write.now,
                [Entry(.inPayout(member), unit, amount), Entry(.paidOut(member), unit, try amount.negated())])
        }
    }
}
