import Chronology
import HTTPTypes
import Money
import Persistence
import TestSupport
import Testing
import Web

@testable import App

/// Stripe end to end. The shapes are those of docs.stripe.com/api (checkout/sessions/object, invoices/object, charges/object,
/// subscriptions/object, invoice-payment/object, promotion_codes/object), cut down to what is read and what could mislead.
@Suite struct StripeTests {
    static func session(_ number: Int, _ more: JSONValue = .object([])) -> JSONValue {
        ([
            "id": .text("cs_test_\(number)"), "object": "checkout.session", "amount_subtotal": 10_000, "amount_total": 11_900, "client_reference_id": .null,
            "created": 1_700_000_000, "currency": "eur", "customer": .null, "customer_details": [
                "address": ["city": .null, "country": "DE"], "email": .text("buyer\(number)@mail.test"), "name": "Bea Buyer", "phone": .null,
            ], "customer_email": .null, "discounts": [], "invoice": .null, "livemode": false, "metadata": [:], "mode": "payment",
            "payment_intent": .text("pi_\(number)"), "payment_status": "paid", "status": "complete", "subscription": .null,
            "total_details": ["amount_discount": 0, "amount_shipping": 0, "amount_tax": 1_900],
        ] as JSONValue).with(more)
    }

    static func invoice(_ number: Int, _ more: JSONValue = .object([])) -> JSONValue {
        ([
            "id": .text("in_\(number)"), "object": "invoice", "amount_due": 11_900, "amount_paid": 11_900, "billing_reason": "subscription_create", "currency": "eur",
            "customer": .text("cus_\(number)"), "customer_address": .null, "customer_email": .text("buyer\(number)@mail.test"), "customer_name": "Bea Buyer",
            "discounts": [], "metadata": [:], "parent": [
                "quote_details": .null, "subscription_details": ["metadata": [:], "subscription": .text("sub_\(number)")], "type": "subscription_details",
            ], "status": "paid", "status_transitions": ["paid_at": .null], "subtotal": 10_000, "total": 11_900, "total_excluding_tax": 10_000,
            "total_taxes": [["amount": 1_900, "tax_behavior": "exclusive", "type": "tax_rate_details"]],
        ] as JSONValue).with(more)
    }

    static func charge(_ number: Int, refunded: Int64, _ more: JSONValue = .object([])) -> JSONValue {
        ([
            "id": .text("ch_\(number)"), "object": "charge", "amount": 11_900, "amount_captured": 11_900, "amount_refunded": .integer(refunded), "currency": "eur",
            "billing_details": ["email": .text("buyer\(number)@mail.test"), "name": "Bea Buyer"], "payment_intent": .text("pi_\(number)"), "refunded": .boolean(refunded == 11_900),
        ] as JSONValue).with(more)
    }

    @Test(arguments: Engine.allCases) func aCheckoutBecomesASaleOnce(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let shop = try await VendorShop.open(app, .stripe)
            let click = try await app.click("ANNA")
            for (number, reference) in [click, "kith_\(click)", "dub_id_\(click)"].enumerated() {
                let event = shop.stripe("checkout.session.completed", Self.session(number, ["client_reference_id": .text(reference)]), id: "evt_\(number)")
                let first = try await shop.send(event)
                #expect(first["state"].text == "handled" && first["repeated"] == false, "\(first)")
                let again = try await shop.send(event)
                #expect(again["eventId"] == first["eventId"] && again["repeated"] == true)
                let sale = try await shop.sale("pi_\(number)")
                #expect(sale["amount"].integer == 10_000 && sale["currency"].text == "EUR", "without tax: \(String(describing: sale))")
                #expect(sale["country"].text == "DE")
            }
            #expect(try await shop.sales().count == 3)
            #expect(try await shop.kept() == 3_000)
            // Another event about the same session adds nothing.
            let other = try await shop.send(shop.stripe("checkout.session.async_payment_succeeded", Self.session(0)))
            #expect(other["state"].text == "ignored" && other["reasonCode"].text == "known_sale")
            #expect(try await shop.kept() == 3_000)
        }
    }

    /// Whatever comes first, a session and its invoice are one sale with the session's click.
    @Test(arguments: Engine.allCases) func aSessionAndItsInvoiceAreOneSale(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let shop = try await VendorShop.open(app, .stripe)
            for (number, isInvoiceFirst) in [(1, true), (2, false)] {
                let click = try await app.click("ANNA")
                let session = shop.stripe(
                    "checkout.session.completed",
                    Self.session(
                        number,
                        [
                            "mode": "subscription", "customer": .text("cus_\(number)"), "subscription": .text("sub_\(number)"), "invoice": .text("in_\(number)"),
                            "payment_intent": .null, "client_reference_id": .text(click),
                        ]))
                let invoice = shop.stripe("invoice.paid", Self.invoice(number))
                for event in isInvoiceFirst ? [invoice, session] : [session, invoice] { try await shop.send(event) }
                let sale = try await shop.sale("in_\(number)")
                #expect(sale["amount"].integer == 10_000)
                #expect(try await shop.kept() == Int64(number) * 2_000 - 1_000, "invoice first: \(isInvoiceFirst)")
                // The next month's invoice is of the same customer, who is bound.
                app.clock.advance(ms: 30 * 86_400_000)
                let next = try await shop.send(
                    shop.stripe("invoice.paid", Self.invoice(number, ["id": .text("in_next_\(number)"), "billing_reason": "subscription_cycle"])))
                #expect(next["state"].text == "handled")
                #expect(try await shop.sale("in_next_\(number)")["customerId"] == sale["customerId"])
                app.clock.advance(ms: -30 * 86_400_000)
            }
            #expect(try await shop.sales().count == 4)
            #expect(try await shop.kept() == 4_000)
        }
    }

    /// An invoice of somebody unknown waits for who they are, then counts as it is.
    @Test(arguments: Engine.allCases) func aLoneInvoiceCountsAfterTenMinutes(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let shop = try await VendorShop.open(app, .stripe)
            let waits = try await shop.send(shop.stripe("invoice.paid", Self.invoice(1)))
            #expect(waits["state"].text == "waiting" && waits["reasonCode"].text == "waits_for_buyer")
            try await app.installation.handleDueInbound()
            #expect(try await shop.sales().isEmpty)
            app.clock.advance(ms: InboundEvent.identityWaitMs)
            try await app.installation.doDueWork()
            #expect(try await shop.sale("in_1")["amount"].integer == 10_000)
            // Who is known needs no waiting: by our own API, or by an earlier sale.
            try await app.post("/track/lead", ["eventName": "signup", "customerExternalId": "cus_2", "code": "ANNA"])
            #expect(try await shop.send(shop.stripe("invoice.paid", Self.invoice(2)))["state"].text == "handled")
            #expect(try await shop.kept() == 1_000)
        }
    }

    /// Our metadata, and that of systems which companies come from, on each object that may have it.
    @Test(arguments: Engine.allCases) func metadataNamesTheBuyerAndTheTouch(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let shop = try await VendorShop.open(app, .stripe)
            let ways: [@Sendable (Int, JSONValue) -> [JSONValue]] = [
                { number, metadata in [shop.stripe("checkout.session.completed", Self.session(number, ["metadata": metadata]))] },
                { number, metadata in
                    [
                        shop.stripe("customer.created", ["id": .text("cus_\(number)"), "object": "customer", "email": .text("buyer\(number)@mail.test"), "metadata": metadata]),
                        shop.stripe("invoice.paid", Self.invoice(number)),
                    ]
                },
                { number, metadata in
                    [
                        shop.stripe("invoice.paid", Self.invoice(number)),
                        shop.stripe("customer.subscription.created", [
                            "id": .text("sub_\(number)"), "object": "subscription", "customer": .text("cus_\(number)"), "status": "active", "metadata": metadata,
                        ]),
                    ]
                },
                { number, metadata in
                    [
                        shop.stripe("invoice.paid", Self.invoice(number, [
                            "parent": ["subscription_details": ["metadata": metadata, "subscription": .text("sub_\(number)")]]
                        ]))
                    ]
                },
                { number, metadata in
                    [shop.stripe("invoice.paid", Self.invoice(number, ["parent": .null, "subscription": "sub_old", "subscription_details": ["metadata": metadata]]))]
                },
            ]
            var number = 0
            var wanted: Int64 = 0
            for way in ways {
                for key in ["kith_click", "kith_code", "dubClickId", "tolt_referral", "promotekit_referral", "referral"] {
                    number += 1
                    wanted += 1_000
                    let value = key == "kith_code" ? "ANNA" : try await app.click("ANNA")
                    for event in way(number, [key: .text(value)]) { try await shop.send(event) }
                    #expect(try await shop.kept() == wanted, "\(key), way \(number)")
                }
                for key in ["kith_customer", "dubCustomerExternalId"] {
                    number += 1
                    for event in way(number, [key: .text("user-\(number)")]) { try await shop.send(event) }
                    let customers = try await app.get("/customers?limit=100")["data"].list
                    #expect(customers.contains { $0["externalId"].text == "user-\(number)" }, "\(key), way \(number)")
                    #expect(!customers.contains { $0["externalId"].text == "cus_\(number)" })
                }
            }
        }
    }

    @Test(arguments: Engine.allCases) func promotionCodesAreCodes(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let shop = try await VendorShop.open(app, .stripe)
            try await shop.send(shop.stripe("promotion_code.created", ["id": "promo_1", "object": "promotion_code", "code": "ANNA", "active": true]))
            let discounts: [JSONValue] = [
                [["coupon": "co_1", "promotion_code": "promo_1"]], [["coupon": .null, "promotion_code": ["id": "promo_9", "code": "ANNA"]]],
                [["coupon": ["id": "ANNA", "name": "Ten off"], "promotion_code": .null]], [["coupon": ["id": "zzz", "name": "Anna"]]],
            ]
            for (number, discount) in discounts.enumerated() {
                try await shop.send(shop.stripe("checkout.session.completed", Self.session(number, ["discounts": discount])))
                #expect(try await shop.kept() == Int64(number + 1) * 1_000, "\(discount)")
            }
            // The code of a subscription counts with its first invoice, not with each.
            let touch: JSONValue = ["parent": ["subscription_details": ["metadata": ["kith_code": "ANNA"], "subscription": "sub_50"]]]
            try await shop.send(shop.stripe("invoice.paid", Self.invoice(50, touch)))
            try await shop.send(shop.stripe("invoice.paid", Self.invoice(50, touch.with(["id": "in_51", "billing_reason": "subscription_cycle"]))))
            let touches = try await app.installation.main.read { connection in
                try connection.value("SELECT count(*) FROM touch WHERE cause_id IN (SELECT id FROM sale WHERE invoice_id IN ('in_50', 'in_51'))", as: Int64.self)
            }
            #expect(touches == 1)
        }
    }

    @Test(arguments: Engine.allCases) func refundsTakeBackTheirPart(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let shop = try await VendorShop.open(app, .stripe)
            try await shop.send(shop.stripe("checkout.session.completed", Self.session(1, ["metadata": ["kith_code": "ANNA"]])))
            for (sum, refunded, kept) in [(1_190, 1_000, 900), (1_190, 1_000, 900), (5_950, 5_000, 500), (1_190, 5_000, 500), (11_900, 10_000, 0)] as [(Int64, Int64, Int64)] {
                try await shop.send(shop.stripe("charge.refunded", Self.charge(1, refunded: sum)))
                #expect(try await shop.sale("pi_1")["refundedAmount"].integer == refunded, "after \(sum)")
                #expect(try await shop.kept() == kept)
            }
            // Refunds that are told one by one carry their own ids.
            try await shop.send(shop.stripe("checkout.session.completed", Self.session(2, ["metadata": ["kith_code": "ANNA"]])))
            let refunds: JSONValue = ["refunds": ["data": [["id": "re_1", "amount": 1_190, "status": "succeeded"], ["id": "re_2", "amount": 9_999_999, "status": "failed"]]]]
            try await shop.send(shop.stripe("charge.refunded", Self.charge(2, refunded: 1_190, refunds)))
            #expect(try await shop.sale("pi_2")["refundedAmount"].integer == 1_000)
            // A new invoice's payment is named by an event of its own, in any order.
            try await shop.send(shop.stripe("charge.refunded", Self.charge(3, refunded: 11_900)))
            try await shop.send(shop.stripe("invoice_payment.paid", ["id": "inpay_1", "object": "invoice_payment", "invoice": "in_3", "payment": ["type": "payment_intent", "payment_intent": "pi_3"]]))
            #expect(try await shop.events().filter { $0["state"].text == "waiting" }.count == 1)
            try await shop.send(shop.stripe("invoice.paid", Self.invoice(3, ["metadata": ["kith_code": "ANNA"]])))
            #expect(try await shop.events().filter { $0["state"].text == "waiting" }.isEmpty)
            #expect(try await shop.sale("in_3")["refundedAmount"].integer == 10_000)
            #expect(try await shop.kept() == 900)
        }
    }

    @Test func currenciesHaveTheirOwnDecimals() throws {
        let cases: [(Int64, String, Int64?)] = [
            (1_000, "JPY", 1_000), (1_000, "EUR", 1_000), (1_230, "KWD", 1_230), (500, "ISK", 5), (501, "ISK", nil), (500, "UGX", 5), (5, "MGA", 500), (700, "HUF", 700),
            (Int64.max, "MGA", nil), (-1, "EUR", nil), (0, "EUR", 0),
        ]
        for (amount, code, wanted) in cases {
            let currency = try #require(Currency(code: code))
            #expect((try? Stripe.minor(amount, currency)) == wanted, "\(amount) \(code)")
        }
    }

    /// Created, paid, partly refunded, refunded and cancelled, in every order and with one of them twice, end in the same books.
    @Test(arguments: Engine.allCases) func anyOrderEndsTheSame(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let shop = try await VendorShop.open(app, .stripe)
            for (number, order) in ExactlyOnceTests.permutations(5).enumerated() {
                let name = "m\(number)"
                let member = try await app.member(shop.program, name)
                try await app.link(shop.program, member, code: name)
                let subscription: JSONValue = [
                    "id": .text("sub_\(number)"), "object": "subscription", "customer": .text("cus_\(number)"), "status": "active", "metadata": ["kith_code": .text(name)],
                ]
                let old: JSONValue = ["payment_intent": .text("pi_\(number)"), "charge": .text("ch_\(number)")]
                let events = [
                    shop.stripe("customer.subscription.created", subscription), shop.stripe("invoice.paid", Self.invoice(number, old)),
                    shop.stripe("charge.refunded", Self.charge(number, refunded: 1_190)), shop.stripe("charge.refunded", Self.charge(number, refunded: 11_900)),
                    shop.stripe("customer.subscription.deleted", subscription.with(["status": "canceled"])),
                ]
                for place in order + [order[number % 5]] { try await shop.send(events[place]) }
                let sale = try await shop.sale("in_\(number)")
                #expect(sale["amount"].integer == 10_000 && sale["refundedAmount"].integer == 10_000, "\(order)")
                let commissions = try await app.get("/commissions?limit=100&memberId=\(member)")["data"].list
                #expect(commissions.map { $0["amount"].integer } == [1_000] && commissions.map { $0["reversedAmount"].integer } == [1_000], "\(order)")
                #expect(try await app.balance(member) == [0, 0, 0, 0, 0, 0])
                app.clock.advance(ms: 1_000)
            }
        }
    }

    /// A trial is a lead, once.
    @Test(arguments: Engine.allCases) func aTrialIsALead(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let shop = try await VendorShop.open(app, .stripe)
            let subscription: JSONValue = ["id": "sub_1", "object": "subscription", "customer": "cus_1", "status": "trialing", "metadata": ["kith_code": "ANNA"]]
            for type in ["customer.subscription.created", "customer.subscription.updated"] { try await shop.send(shop.stripe(type, subscription)) }
            let leads = try await app.get("/leads")["data"].list
            #expect(leads.map { $0["eventName"].text } == ["trial"])
            // The first invoice of the trial is of nothing; the first real one is the sale.
            #expect(try await shop.send(shop.stripe("invoice.paid", Self.invoice(1, ["id": "in_0", "amount_paid": 0, "total": 0])))["state"].text == "ignored")
            try await shop.send(shop.stripe("invoice.paid", Self.invoice(1)))
            #expect(try await shop.kept() == 1_000)
        }
    }
}
