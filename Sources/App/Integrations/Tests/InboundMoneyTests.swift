import Chronology
import Foundation
import HTTPTypes
import Persistence
import TestSupport
import Testing
import Web

@testable import App

/// What sources may get wrong about money: currencies, ids that several have, the same refund in two shapes, and the order of events.
@Suite struct InboundMoneyTests {
    /// The path of a workspace's postback address.
    static func postback(_ app: AppHarness) async throws -> String {
        let address = try await app.get("/integrations")["data"].list.map { $0["webhookUrl"].text }.first { $0.contains("/track/postback/") } ?? ""
        return String(address[(address.range(of: "/api/v1")?.lowerBound ?? address.startIndex)...])
    }

    static func connect(_ app: AppHarness, _ vendor: Vendor, like shop: VendorShop) async throws -> VendorShop {
        var body: JSONValue = ["programId": .text(shop.program)]
        if vendor != .postback { body = body.adding("webhookSecret", .text(VendorShop.secret)) }
        try await app.put("/integrations/\(vendor.rawValue)", body)
        return VendorShop(app: app, vendor: vendor, program: shop.program, anna: shop.anna)
    }

    @Test(arguments: Engine.allCases) func aRefundIsInTheSalesCurrency(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let shop = try await VendorShop.open(app, .postback)
            let path = try await Self.postback(app)
            _ = try await app.call(.get, path + "?transaction_id=E1&amount=100.00&currency=EUR&code=ANNA")
            let foreign = try await app.call(.get, path + "?event=refund&transaction_id=E1&refund_id=x2&amount=1000&currency=JPY").json
            #expect(foreign["state"].text == "refused" && foreign["reasonCode"].text == "refund_currency", "\(foreign)")
            #expect(try await shop.sale("E1")["refundedAmount"].integer == 0)
            // Told again as it is.
            let mended = try await app.call(.get, path + "?event=refund&transaction_id=E1&refund_id=x2&amount=10.00&currency=EUR").json
            #expect(mended["state"].text == "handled", "\(mended)")
            #expect(try await shop.sale("E1")["refundedAmount"].integer == 1_000)

            let shopify = try await Self.connect(app, .shopify, like: shop)
            try await shopify.send(ShopTests.order(1), type: "orders/paid")
            let paid = { (transaction: JSONValue) -> JSONValue in
                ShopTests.refund(1, 71, "1").with(["transactions": [(["kind": "refund", "status": "success"] as JSONValue).with(transaction)]])
            }
            let yen = try await shopify.send(paid(["amount": "8000", "currency": "JPY"]), type: "refunds/create")
            #expect(yen["reasonCode"].text == "refund_currency", "\(yen)")
            #expect(try await shopify.sale("820982911946154001")["refundedAmount"].integer == 0)
            let told = paid(["amount": "8000", "currency": "JPY", "amount_set": ["shop_money": ["amount": "11.90", "currency_code": "EUR"]]])
            #expect(try await shopify.send(told, type: "refunds/create")["state"].text == "handled")
            #expect(try await shopify.sale("820982911946154001")["refundedAmount"].integer == 1_000)

            let stripe = try await Self.connect(app, .stripe, like: shop)
            try await stripe.send(stripe.stripe("checkout.session.completed", StripeTests.session(1)))
            let dollars = try await stripe.send(stripe.stripe("charge.refunded", StripeTests.charge(1, refunded: 1_190, ["currency": "usd"])))
            #expect(dollars["reasonCode"].text == "refund_currency", "\(dollars)")
            #expect(try await stripe.sale("pi_1")["refundedAmount"].integer == 0)
        }
    }

    /// Events of old API versions itemise refunds, new ones tell the sum, and both may speak of one charge.
    @Test(arguments: Engine.allCases) func refundsInTwoShapesCountOnce(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let shop = try await VendorShop.open(app, .stripe)
            func items(_ number: Int, _ amounts: [Int64]) -> JSONValue {
                ["refunds": ["data": .array(amounts.enumerated().map { place, amount in
                    ["id": .text("re_\(number)_\(place)"), "amount": .integer(amount), "status": "succeeded", "created": .integer(1_700_000_000 + Int64(place))]
                })]]
            }
            for (number, order) in ExactlyOnceTests.permutations(4).enumerated() {
                try await shop.send(shop.stripe("checkout.session.completed", StripeTests.session(number, ["total_details": .null, "amount_total": 10_000])))
                let events = [
                    StripeTests.charge(number, refunded: 1_000, items(number, [1_000])), StripeTests.charge(number, refunded: 3_000),
                    StripeTests.charge(number, refunded: 3_500, items(number, [1_000, 2_000, 500])), StripeTests.charge(number, refunded: 1_000),
                ]
                for place in order { try await shop.send(shop.stripe("charge.refunded", events[place])) }
                #expect(try await shop.sale("pi_\(number)")["refundedAmount"].integer == 3_500, "\(order)")
            }
            // One that the API told by Stripe's id counts once, too.
            try await shop.send(shop.stripe("checkout.session.completed", StripeTests.session(90, ["total_details": .null, "amount_total": 10_000])))
            try await app.post("/track/refund", ["invoiceId": "pi_90", "refundId": "re_90_0", "amount": 1_000])
            try await shop.send(shop.stripe("charge.refunded", StripeTests.charge(90, refunded: 1_500, items(90, [1_000, 500]))))
            #expect(try await shop.sale("pi_90")["refundedAmount"].integer == 1_500)
            // One that was counted by its own id before sums were noted.
            try await shop.send(shop.stripe("checkout.session.completed", StripeTests.session(91, ["total_details": .null, "amount_total": 10_000])))
            try await shop.send(shop.stripe("charge.refunded", StripeTests.charge(91, refunded: 1_000, items(91, [1_000]))))
            _ = try await app.installation.main.write { connection in
                try connection.execute("DELETE FROM inbound_reference WHERE reference IN ('t.ch_91', 't.re_91_0')")
            }
            try await shop.send(shop.stripe("charge.refunded", StripeTests.charge(91, refunded: 3_000)))
            #expect(try await shop.sale("pi_91")["refundedAmount"].integer == 3_000)
        }
    }

    /// Small numbers are everybody's: an order is another's only if its facts say so.
    @Test(arguments: Engine.allCases) func aSharedInvoiceIDIsNotTheSameSale(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let shop = try await VendorShop.open(app, .postback)
            let path = try await Self.postback(app)
            let woo = try await Self.connect(app, .wooCommerce, like: shop)
            // Number 727 is of 5.00 at one and of 119.00 at the other; 728 of 100.00 at both, and nothing says that it is one buyer.
            _ = try await app.call(.get, path + "?transaction_id=727&amount=5.00&currency=EUR")
            _ = try await app.call(.get, path + "?transaction_id=728&amount=100.00&currency=EUR")
            for number in [27, 28] {
                let part: JSONValue = ["refunds": [["id": 9_000, "total": "-11.90"]]]
                let taken = try await woo.send(ShopTests.wooOrder(number, "completed", part), type: "order.updated")
                #expect(taken["state"].text == "refused" && taken["reasonCode"].text == "invoice_conflict", "\(taken)")
                #expect(try await shop.sale("7\(number)")["refundedAmount"].integer == 0, "no refund of another's sale")
            }
            // What the API told as the same order is the same sale.
            try await app.post("/track/sale", ["customerExternalId": "u-1", "amount": 10_000, "currency": "EUR", "invoiceId": "729", "code": "ANNA"])
            let same = try await woo.send(ShopTests.wooOrder(29, "completed", ["refunds": [["id": 9_001, "total": "-11.90"]]]), type: "order.updated")
            #expect(same["state"].text == "handled", "\(same)")
            #expect(try await shop.sale("729")["refundedAmount"].integer == 1_000)
            try await app.post("/track/sale", ["customerExternalId": "u-2", "customerEmail": "other@mail.test", "amount": 10_000, "currency": "EUR", "invoiceId": "730"])
            #expect(try await woo.send(ShopTests.wooOrder(30, "completed"), type: "order.updated")["reasonCode"].text == "invoice_conflict")
            #expect(try await shop.sales().count == 4)
        }
    }

    @Test(arguments: Engine.allCases) func aSharedRefundIDTakesNoSaleAway(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let shop = try await VendorShop.open(app, .postback)
            let path = try await Self.postback(app)
            let woo = try await Self.connect(app, .wooCommerce, like: shop)
            // Trackers number refunds within an order.
            for transaction in ["a", "b"] {
                _ = try await app.call(.get, path + "?transaction_id=\(transaction)&amount=100.00&currency=EUR")
                let refund = try await app.call(.get, path + "?event=refund&transaction_id=\(transaction)&refund_id=1&amount=10.00&currency=EUR").json
                #expect(refund["state"].text == "handled", "\(refund)")
                #expect(try await shop.sale(transaction)["refundedAmount"].integer == 1_000)
            }
            try await app.post("/track/sale", ["customerExternalId": "u-1", "amount": 10_000, "currency": "EUR", "invoiceId": "own"])
            try await app.post("/track/refund", ["invoiceId": "own", "refundId": "8001", "amount": 500])
            let order = ShopTests.wooOrder(50, "completed", ["refunds": [["id": 8_001, "total": "-11.90"]]])
            #expect(try await woo.send(order, type: "order.updated")["state"].text == "handled")
            #expect(try await shop.sale("750")["refundedAmount"].integer == 1_000)
            // One that can't be taken is refused by itself: the sale of its event stands, and is not counted again with a replay.
            try await app.post("/track/refund", ["invoiceId": "own", "refundId": "8002", "amount": 500])
            try await app.post("/track/refund", ["invoiceId": "own", "refundId": "751/8002", "amount": 500])
            let clash = try await woo.send(ShopTests.wooOrder(51, "completed", ["refunds": [["id": 8_002, "total": "-11.90"]]]), type: "order.updated")
            #expect(clash["state"].text == "refused" && clash["reasonCode"].text == "refund_conflict", "\(clash)")
            #expect(try await shop.sale("751")["amount"].integer == 10_000)
            _ = try await app.post("/integrations/events/\(clash["eventId"].text)/replay", .object([]))
            #expect(try await shop.sales().filter { $0["invoiceId"].text == "751" }.count == 1)
        }
    }

    /// A credit balance makes an invoice's payment less than its session's total: the invoice says what was paid, whichever comes first.
    @Test(arguments: Engine.allCases) func theInvoiceSaysWhatWasPaid(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let shop = try await VendorShop.open(app, .stripe)
            func session(_ number: Int) -> JSONValue {
                shop.stripe("checkout.session.completed", StripeTests.session(number, [
                    "mode": "subscription", "customer": .text("cus_\(number)"), "subscription": .text("sub_\(number)"), "invoice": .text("in_\(number)"),
                    "payment_intent": .null, "metadata": ["kith_code": "ANNA"],
                ]))
            }
            func invoice(_ number: Int) -> JSONValue { shop.stripe("invoice.paid", StripeTests.invoice(number, ["amount_paid": 8_330])) }
            for (number, events) in [(1, [session(1), invoice(1)]), (2, [invoice(2), session(2)])] {
                for event in events { try await shop.send(event) }
                let sale = try await shop.sale("in_\(number)")
                #expect(sale["amount"].integer == 7_000 && sale["refundedAmount"].integer == 0, "\(number): \(String(describing: sale))")
                #expect(try await shop.kept() == Int64(number) * 700)
            }
            #expect(try await shop.events().allSatisfy { $0["state"].text != "waiting" })
            // An invoice that never comes is waited for ten minutes; one that comes later still has the last word.
            #expect(try await shop.send(session(3))["reasonCode"].text == "waits_for_invoice")
            app.clock.advance(ms: InboundEvent.identityWaitMs)
            try await app.installation.doDueWork()
            #expect(try await shop.sale("in_3")["amount"].integer == 10_000)
            try await shop.send(invoice(3))
            #expect(try await shop.sale("in_3")["refundedAmount"].integer == 3_000)
            try await shop.send(invoice(3))
            #expect(try await shop.kept() == 2_100)
        }
    }

    @Test(arguments: Engine.allCases) func postbacksOfSeveralRefundsAllCount(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let shop = try await VendorShop.open(app, .postback)
            let path = try await Self.postback(app)
            // Refused once, told again put right.
            let wrong = try await app.call(.get, path + "?transaction_id=C1&amount=10,00&currency=EUR").json
            #expect(wrong["state"].text == "refused")
            let right = try await app.call(.get, path + "?transaction_id=C1&amount=10.00&currency=EUR").json
            #expect(right["state"].text == "handled" && right["eventId"] == wrong["eventId"], "\(right)")
            #expect(try await shop.sale("C1")["amount"].integer == 1_000)
            #expect(try await app.call(.get, path + "?transaction_id=C1&amount=99.00&currency=EUR").json["repeated"] == true)
            // An amount without the refund's id can't be told from the next.
            _ = try await app.call(.get, path + "?transaction_id=E2&amount=100.00&currency=EUR")
            #expect(try await app.call(.get, path + "?event=refund&transaction_id=E2&amount=10.00&currency=EUR").fields == ["refund_id"])
            for (id, amount) in [("1", "10.00"), ("2", "20.00")] {
                _ = try await app.call(.get, path + "?event=refund&transaction_id=E2&refund_id=\(id)&amount=\(amount)&currency=EUR")
            }
            #expect(try await shop.sale("E2")["refundedAmount"].integer == 3_000)
            // (A, B:C) and (A:B, C) are two.
            let texts = [["transaction_id": "A", "refund_id": "B:C"], ["transaction_id": "A:B", "refund_id": "C"]] as [JSONValue]
            #expect(Set(texts.map { InboundPostback.eventID(of: $0.adding("event", "refund")) }).count == 2)
        }
    }

    @Test(arguments: Engine.allCases) func amountsThatAreNoneAreRefused(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let shop = try await VendorShop.open(app, .stripe)
            let odd: [JSONValue] = [["amount_total": .text("1000")], ["amount_total": -5], ["total_details": ["amount_tax": 12_000]], ["total_details": ["amount_tax": "1"]]]
            for (number, change) in odd.enumerated() {
                let taken = try await shop.send(shop.stripe("checkout.session.completed", StripeTests.session(number, change)))
                #expect(taken["state"].text == "refused" && taken["reasonCode"].text == "malformed_amount", "\(change): \(taken)")
            }
            let woo = try await Self.connect(app, .wooCommerce, like: shop)
            let taxed = try await woo.send(ShopTests.wooOrder(1, "completed", ["total_tax": "200.00"]), type: "order.updated")
            #expect(taxed["reasonCode"].text == "malformed_amount")
            #expect(try await shop.sales().isEmpty)
            // More tax alone is another amount.
            try await woo.send(ShopTests.wooOrder(2, "processing"), type: "order.updated")
            #expect(try await woo.send(ShopTests.wooOrder(2, "completed", ["total_tax": "10.00"]), type: "order.updated")["reasonCode"].text == "amount_changed")
            // A refund that failed is for somebody to look at.
            let failed = try await shop.send(shop.stripe("refund.failed", ["id": "re_1", "object": "refund", "status": "failed", "charge": "ch_1"]))
            #expect(failed["state"].text == "handled" && failed["reasonCode"].text == "refund_failed")
        }
    }
}
