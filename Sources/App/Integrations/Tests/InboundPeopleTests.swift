import Chronology
import HTTPTypes
import Persistence
import TestSupport
import Testing
import Web

@testable import App

/// Who vendors' customers are, who proves to be a vendor, and that people who are erased are gone whole.
@Suite struct InboundPeopleTests {
    private static func customers(_ app: AppHarness) async throws -> [JSONValue] { try await app.get("/customers?limit=100")["data"].list }

    static func redact(_ customer: Int64, _ email: String, orders: [Int64] = []) -> JSONValue {
        [
            "shop_id": 954_889, "shop_domain": "x.myshopify.test", "orders_to_redact": .array(orders.map { .integer($0) }),
            "customer": ["id": .integer(customer), "email": .text(email), "phone": .null],
        ]
    }

    /// Shops number their customers as companies do: number 5 is three people.
    @Test(arguments: Engine.allCases) func aVendorsCustomerIsNotTheCompanysOwn(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let woo = try await VendorShop.open(app, .wooCommerce)
            let shopify = try await InboundMoneyTests.connect(app, .shopify, like: woo)
            try await app.post("/track/sale", ["customerExternalId": "5", "customerEmail": "bob@mail.test", "amount": 100, "currency": "EUR", "invoiceId": "own-1", "code": "ANNA"])
            let order = ShopTests.wooOrder(1, "completed", code: "none", ["customer_id": 5, "billing": ["email": "alice@mail.test"]])
            #expect(try await woo.send(order, type: "order.updated")["state"].text == "handled")
            try await shopify.send(ShopTests.order(1, code: nil, ["customer": ["id": 5], "email": "zed@mail.test", "contact_email": .null]), type: "orders/paid")
            let all = try await Self.customers(app)
            #expect(Set(all.map { "\($0["externalId"].text) \($0["email"].text)" }) == ["5 bob@mail.test", "woocommerce:5 alice@mail.test", "shopify:5 zed@mail.test"])
            #expect(try await woo.kept() == 10, "Alice's orders don't go by Bob's binding")
            try await shopify.send(Self.redact(5, "zed@mail.test"), type: "customers/redact")
            #expect(Set(try await Self.customers(app).map { $0["email"].text }) == ["bob@mail.test", "alice@mail.test", ""])
            // A customer of the company's own, named by the order: what the shop says fills gaps only.
            try await woo.send(
                ShopTests.wooOrder(2, "completed", ["meta_data": [["key": "kith_customer", "value": "5"]], "billing": ["email": "evil@mail.test"]]), type: "order.updated")
            #expect(try await Self.customers(app).first { $0["externalId"].text == "5" }["email"].text == "bob@mail.test")
        }
    }

    @Test(arguments: Engine.allCases) func aRedactionFindsWhomItMeans(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let shop = try await VendorShop.open(app, .shopify)
            // Named by a note attribute, by the mail address of a guest, and by nothing but the order.
            try await shop.send(ShopTests.order(1, ["note_attributes": [["name": "kith_customer", "value": "our-77"]]]), type: "orders/paid")
            try await shop.send(ShopTests.order(2, ["customer": .null]), type: "orders/paid")
            try await shop.send(ShopTests.order(3, ["customer": .null, "email": .null, "contact_email": .null]), type: "orders/paid")
            try await app.post("/track/lead", ["eventName": "signup", "customerExternalId": "own", "customerEmail": "own@mail.test"])
            let requests: [(JSONValue, String)] = [
                (Self.redact(115_310_627_314_723_001, "none@mail.test"), "our-77"), (Self.redact(0, "jon2@mail.test"), "jon2@mail.test"),
                (Self.redact(0, "none@mail.test", orders: [820_982_911_946_154_003]), "shopify:order-820982911946154003"),
            ]
            for (request, customer) in requests {
                #expect(try await Self.customers(app).contains { $0["externalId"].text == customer }, "\(customer)")
                let taken = try await shop.send(request, type: "customers/redact")
                #expect(taken["state"].text == "handled" && taken["reasonCode"] == .null, "\(taken)")
                #expect(try await !Self.customers(app).contains { $0["externalId"].text == customer }, "\(customer)")
            }
            let unknown = try await shop.send(Self.redact(1, "nobody@mail.test"), type: "customers/redact")
            #expect(unknown["reasonCode"].text == "erasure_unknown")
            let elsewhere = try await shop.send(Self.redact(2, "own@mail.test"), type: "customers/redact")
            #expect(elsewhere["reasonCode"].text == "erasure_elsewhere")
            #expect(try await Self.customers(app).contains { $0["externalId"].text == "own" })
        }
    }

    /// The process ends right after the transaction that marks the event as handled.
    @Test(arguments: Engine.allCases) func anErasureIsDoneWithItsEvent(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let shop = try await VendorShop.open(app, .shopify)
            try await shop.send(ShopTests.order(1), type: "orders/paid")
            let (workspace, seal) = (app.twinID, app.installation.inboundSeal)
            let payload = Self.redact(115_310_627_314_723_001, "jon1@mail.test").bytes
            let id = try await app.installation.write(workspace, actor: .command) { write -> InboundID in
                let event = InboundEvent(
                    id: write.world.newID(), workspaceID: workspace, vendor: .shopify, vendorEventID: "crash", type: "customers/redact", state: .received,
                    hasPayload: true, isSample: false, tries: 0, receivedAt: write.now)
                _ = try InboundStore.insert(
                    event, payload: seal.seal(payload, for: event.id.text), expiresAt: write.now.adding(milliseconds: InboundEvent.payloadKeptMs), on: write.connection)
                return event.id
            }
            let outcome = try await app.installation.handleOne(id, in: workspace, isPatient: true)
            #expect(outcome?.state == .handled && outcome?.erased.count == 1)
            #expect(try await Self.customers(app).map { $0["email"].text } == [""])
            #expect(try await app.installation.main.read { connection in try KeyStore.toDestroy(on: connection) } == outcome?.erased)
            try await app.installation.finishErasures()
            #expect(try await app.installation.main.read { connection in try KeyStore.toDestroy(on: connection) }.isEmpty)
        }
    }

    @Test(arguments: Engine.allCases) func whatWasRefusedGoesWithThePersonToo(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let woo = try await VendorShop.open(app, .wooCommerce)
            let stripe = try await InboundMoneyTests.connect(app, .stripe, like: woo)
            let gone: JSONValue = ["customer_id": 41, "billing": ["email": "Gone@mail.test"]]
            try await woo.send(ShopTests.wooOrder(88, "completed", gone.with(["currency": "XXX"])), type: "order.updated")
            try await woo.send(ShopTests.wooOrder(87, "completed", gone.with(["currency": "XXX", "billing": .null])), type: "order.updated")
            try await woo.send(ShopTests.wooOrder(86, "completed", ["currency": "XXX"]), type: "order.updated")
            try await stripe.send(stripe.stripe("charge.refunded", StripeTests.charge(7, refunded: 1, ["billing_details": ["email": "gone@mail.test"]])))
            try await woo.send(ShopTests.wooOrder(89, "completed", gone), type: "order.updated")
            let customer = try await woo.sale("789")["customerId"].text
            #expect(try await woo.events().allSatisfy { $0["mayReplay"] == true })
            #expect(try await app.api(.delete, "/customers/\(customer)/person").status < 300)
            #expect(try await woo.events().filter { $0["mayReplay"] == true }.count == 1, "what speaks of others stays")
            #expect(try await stripe.events().allSatisfy { $0["mayReplay"] == false })
            let left = try await app.rowCounts()["inbound_subject"] ?? 0
            #expect(left > 0)
            app.clock.advance(ms: InboundEvent.payloadKeptMs + 1)
            try await app.installation.doDueWork()
            #expect(try await app.rowCounts()["inbound_subject"] == 0)
        }
    }

    /// Shopify signs the body and not the topic.
    @Test(arguments: Engine.allCases) func aBodyUnderAnotherTopicDoesNothing(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let shop = try await VendorShop.open(app, .shopify)
            try await shop.send(ShopTests.order(1), type: "orders/paid", id: "w-1")
            #expect(try await shop.send(ShopTests.order(1), type: "orders/cancelled", id: "w-1")["repeated"] == true)
            #expect(try await shop.send(ShopTests.order(1), type: "orders/cancelled", id: "w-2")["reasonCode"].text == "not_cancelled")
            #expect(try await shop.send(ShopTests.order(1), type: "customers/redact", id: "w-3")["reasonCode"].text == "not_a_redaction")
            let asked = Self.redact(115_310_627_314_723_001, "jon1@mail.test").with(["orders_to_redact": .null, "data_request": ["id": 1]])
            #expect(try await shop.send(asked, type: "customers/redact", id: "w-4")["reasonCode"].text == "not_a_redaction")
            #expect(try await shop.send(ShopTests.order(2, ["financial_status": "pending"]), type: "orders/paid", id: "w-5")["reasonCode"].text == "not_paid_yet")
            #expect(try await shop.sales().map { $0["refundedAmount"].integer } == [0])
            #expect(try await Self.customers(app).map { $0["email"].text } == ["jon1@mail.test"])
        }
    }

    @Test(arguments: Engine.allCases) func aSecretThatCanBeGuessedIsNone(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let program = try await app.program()
            for vendor in Vendor.allCases where vendor.givesSecret {
                let mapping: JSONValue? = vendor == .generic ? InboundTests.mapping : nil
                var body: JSONValue = ["programId": .text(program), "webhookSecret": .text(String(repeating: "a", count: 15))]
                if let mapping { body = body.adding("mapping", mapping) }
                #expect(try await app.api(.put, "/integrations/\(vendor.rawValue)", body).fields == ["webhookSecret"], "\(vendor)")
            }
            let standard = InboundTests.mapping.with(["signature": "standard"])
            for secret in ["whsec_", "whsec_====", "whsec_dG9vLXNob3J0", "whsec_this is no Base64 at all!", String(repeating: "?", count: 40)] {
                let reply = try await app.api(.put, "/integrations/generic", ["programId": .text(program), "webhookSecret": .text(secret), "mapping": standard])
                #expect(reply.fields == ["webhookSecret"], "\(secret)")
                #expect(WebhookSignature.standardKey(secret) == nil)
            }
            #expect(WebhookSignature.standardKeys("whsec_").isEmpty)
            try await app.put("/integrations/generic", ["programId": .text(program), "webhookSecret": .text(VendorShop.secret), "mapping": standard])
        }
    }

    /// Two messages with the same body are two; the same message is one, whatever is sent again.
    @Test(arguments: Engine.allCases) func aMessagesIDMakesItCountOnce(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let mapping = InboundTests.mapping.with(["signature": "standard", "eventIdPath": .null])
            let shop = try await VendorShop.open(app, .generic, mapping: mapping)
            let body = InboundTests.order("e").bytes
            for (id, isRepeated) in [("msg_1", false), ("msg_2", false), ("msg_1", true)] {
                let headers = WebhookSignature.headers(
                    .generic, type: "", body: body, secret: VendorShop.secret, mapping: shop.mapping, id: id, now: app.clock.now)
                let reply = try await app.call(.post, shop.path, headers: headers, bytes: body)
                #expect(reply.json["repeated"] == .boolean(isRepeated), "\(id): \(reply.text)")
            }
            #expect(try await shop.events().count == 2)
        }
    }
}
