import Chronology
import HTTPTypes
import Persistence
import TestSupport
import Testing
import Web

@testable import App

/// Shopify and WooCommerce end to end. Shapes: shopify.dev/docs/api/admin-rest (Order, Refund) and
/// shopify.dev/docs/apps/build/privacy-law-compliance; woocommerce.github.io/woocommerce-rest-api-docs (Orders), cut down.
@Suite struct ShopTests {
    static func order(_ number: Int, code: String? = "ANNA", _ more: JSONValue = .object([])) -> JSONValue {
        ([
            "id": .integer(820_982_911_946_154_000 + Int64(number)), "admin_graphql_api_id": "gid://shopify/Order/1", "cancelled_at": .null, "contact_email": "jon@mail.test",
            "created_at": "2025-12-31T18:00:00-05:00", "currency": "EUR", "customer": [
                "id": .integer(115_310_627_314_723_000 + Int64(number)), "email": "john@mail.test", "first_name": "John", "last_name": "Smith",
            ], "discount_codes": .array(code.map { [["code": .text($0), "amount": "5.00", "type": "percentage"]] } ?? []), "email": .text("jon\(number)@mail.test"),
            "financial_status": "paid", "line_items": [
                [
                    "id": 1, "price": "49.50", "product_id": 632_910_392, "quantity": 2, "sku": "IPOD", "total_discount": "0.00",
                    "discount_allocations": [["amount": "4.00"]], "tax_lines": [["price": "18.05", "rate": "0.19"]],
                ]
            ], "note_attributes": [], "processed_at": "2025-12-31T18:00:00-05:00", "taxes_included": false, "test": false, "total_price": "119.00", "total_tax": "19.00",
            "subtotal_price": "95.00",
        ] as JSONValue).with(more)
    }

    static func refund(_ number: Int, _ id: Int64, _ amount: String) -> JSONValue {
        [
            "id": .integer(id), "order_id": .integer(820_982_911_946_154_000 + Int64(number)), "created_at": "2025-12-31T19:00:00-05:00", "note": "it broke",
            "refund_line_items": [], "transactions": [
                ["id": 1, "amount": .text(amount), "currency": "EUR", "kind": "refund", "status": "success"],
                ["id": 2, "amount": "900.00", "currency": "EUR", "kind": "refund", "status": "failure"], ["id": 3, "amount": "900.00", "currency": "EUR", "kind": "void", "status": "success"],
            ],
        ]
    }

    @Test(arguments: Engine.allCases) func ordersOfShopifyBecomeSales(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let shop = try await VendorShop.open(app, .shopify)
            let taken = try await shop.send(Self.order(1), type: "orders/paid", id: "w-1")
            #expect(taken["state"].text == "handled", "\(taken)")
            #expect(try await shop.send(Self.order(1), type: "orders/paid", id: "w-1")["repeated"] == true)
            #expect(try await shop.send(Self.order(1), type: "orders/paid", id: "w-2")["reasonCode"].text == "known_sale")
            let sale = try await shop.sale("820982911946154001")
            #expect(sale["amount"].integer == 10_000)
            #expect(try await shop.kept() == 1_000)
            // The click of a cart, and no code.
            let click = try await app.click("ANNA")
            try await shop.send(Self.order(2, code: nil, ["note_attributes": [["name": "_kith_click", "value": .text(click)]]]), type: "orders/paid")
            #expect(try await shop.kept() == 2_000)
            try await shop.send(Self.refund(1, 71, "11.90"), type: "refunds/create")
            try await shop.send(Self.refund(1, 71, "11.90"), type: "refunds/create")
            #expect(try await shop.sale("820982911946154001")["refundedAmount"].integer == 1_000)
            try await shop.send(Self.order(1, ["cancelled_at": "2025-12-31T20:00:00-05:00", "financial_status": "refunded"]), type: "orders/cancelled")
            #expect(try await shop.sale("820982911946154001")["refundedAmount"].integer == 10_000)
            #expect(try await shop.kept() == 1_000)
            let never = try await shop.send(Self.order(9, ["cancelled_at": "2025-12-31T20:00:00-05:00", "financial_status": "voided"]), type: "orders/cancelled")
            #expect(never["reasonCode"].text == "never_paid")
            #expect(try await shop.send(["id": 1], type: "products/update")["reasonCode"].text == "other_event")
        }
    }

    static let redact: JSONValue = [
        "shop_id": 954_889, "shop_domain": "x.myshopify.test", "orders_to_redact": [1],
        "customer": ["id": .integer(115_310_627_314_723_001), "email": "jon1@mail.test", "phone": "555"],
    ]

    @Test(arguments: Engine.allCases) func shopifyMayEraseACustomer(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in try await Self.eraseACustomer(app) }
    }

    private static func eraseACustomer(_ app: AppHarness) async throws {
        let shop = try await VendorShop.open(app, .shopify)
        try await shop.send(order(1), type: "orders/paid")
        let customer = try await shop.sale("820982911946154001")["customerId"].text
        let before = try await app.get("/customers")["data"].list
        #expect(before.map { $0["email"].text } == ["jon1@mail.test"])
        let erased = try await shop.send(redact, type: "customers/redact")
        #expect(erased["state"].text == "handled")
        let after = try await app.get("/customers")["data"].list.first { $0["id"].text == customer }
        #expect(after["email"].text == "" && after["externalId"].text == "")
        // What was sent about them went with them.
        let event = try await shop.events().first { $0["type"].text == "orders/paid" }
        #expect(event["mayReplay"] == false)
        let asked = try await shop.send(redact, type: "customers/data_request")
        let left = try await shop.send(redact, type: "shop/redact")
        #expect(asked["reasonCode"].text == "data_request" && left["reasonCode"].text == "shop_left")
        #expect(try await shop.kept() == 1_000)
    }

    static func wooOrder(_ number: Int, _ status: String, code: String = "anna", _ more: JSONValue = .object([])) -> JSONValue {
        ([
            "id": .integer(Int64(700 + number)), "number": .text("\(700 + number)"), "status": .text(status), "currency": "EUR", "date_created_gmt": "2025-12-31T22:16:28",
            "date_modified_gmt": "2025-12-31T22:16:30", "date_paid_gmt": "2025-12-31T22:16:30", "discount_total": "10.00", "total": "119.00", "total_tax": "19.00",
            "customer_id": 0, "billing": ["first_name": "John", "last_name": "Doe", "email": .text("john\(number)@mail.test"), "country": "US"],
            "meta_data": [["id": 1, "key": "_x", "value": ["deep": [1]]]],
            "line_items": [["id": 315, "name": "Woo Single", "product_id": 93, "quantity": 2, "sku": "", "subtotal": "110.00", "total": "100.00", "total_tax": "19.00"]],
            "coupon_lines": [["id": 1, "code": .text(code), "discount": "10.00"]], "refunds": [],
        ] as JSONValue).with(more)
    }

    @Test(arguments: Engine.allCases) func ordersOfWooCommerceBecomeSales(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let shop = try await VendorShop.open(app, .wooCommerce)
            #expect(try await shop.send(Self.wooOrder(1, "pending", ["date_paid_gmt": .null]), type: "order.created")["reasonCode"].text == "not_paid_yet")
            #expect(try await shop.send(Self.wooOrder(1, "processing"), type: "order.updated")["state"].text == "handled")
            #expect(try await shop.send(Self.wooOrder(1, "completed"), type: "order.updated")["reasonCode"].text == "known_sale")
            #expect(try await shop.sale("701")["amount"].integer == 10_000)
            try await shop.send(Self.wooOrder(1, "completed", ["refunds": [["id": 731, "reason": "", "total": "-11.90"]]]), type: "order.updated")
            #expect(try await shop.sale("701")["refundedAmount"].integer == 1_000)
            try await shop.send(Self.wooOrder(1, "refunded", ["refunds": [["id": 731, "total": "-11.90"], ["id": 732, "total": "-107.10"]]]), type: "order.updated")
            #expect(try await shop.sale("701")["refundedAmount"].integer == 10_000)
            #expect(try await shop.kept() == 0)
            let click = try await app.click("ANNA")
            try await shop.send(Self.wooOrder(2, "completed", ["coupon_lines": [], "meta_data": [["key": "kith_click", "value": .text(click)]]]), type: "order.created")
            #expect(try await shop.kept() == 1_000)
            // The question whether somebody listens has no signature, and is answered to whoever is connected only.
            var headers: HTTPFields = [:]
            headers[.contentType] = "application/x-www-form-urlencoded"
            #expect(try await app.call(.post, shop.path, headers: headers, bytes: Array("webhook_id=12".utf8)).status == 200)
            #expect(try await app.call(.post, shop.path, headers: headers, bytes: Array("webhook_id=12&x=1".utf8)).status == 401)
        }
    }

    @Test(arguments: Engine.allCases) func anyOrderEndsTheSame(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let shopify = try await VendorShop.open(app, .shopify)
            try await app.put("/integrations/woocommerce", ["programId": .text(shopify.program), "webhookSecret": .text(VendorShop.secret)])
            let woo = VendorShop(app: app, vendor: .wooCommerce, program: shopify.program, anna: shopify.anna)
            for (number, order) in ExactlyOnceTests.permutations(5).enumerated() {
                let name = "m\(number)"
                let member = try await app.member(shopify.program, name)
                try await app.link(shopify.program, member, code: name)
                let cancelled: JSONValue = ["cancelled_at": "2025-12-31T20:00:00-05:00", "financial_status": "refunded"]
                let events: [(JSONValue, String)] = [
                    (Self.order(number, code: name, ["financial_status": "pending"]), "orders/create"), (Self.order(number, code: name), "orders/paid"),
                    (Self.refund(number, Int64(1_000 + 2 * number), "11.90"), "refunds/create"), (Self.refund(number, Int64(1_001 + 2 * number), "107.10"), "refunds/create"),
                    (Self.order(number, code: name, cancelled), "orders/cancelled"),
                ]
                let part: JSONValue = ["refunds": [["id": .integer(Int64(5_000 + 2 * number)), "total": "-11.90"]]]
                let whole: JSONValue = ["refunds": [["id": .integer(Int64(5_000 + 2 * number)), "total": "-11.90"], ["id": .integer(Int64(5_001 + 2 * number)), "total": "-107.10"]]]
                let wooEvents = [
                    Self.wooOrder(number, "pending", code: name, ["date_paid_gmt": .null]), Self.wooOrder(number, "processing", code: name),
                    Self.wooOrder(number, "completed", code: name, part), Self.wooOrder(number, "refunded", code: name, whole), Self.wooOrder(number, "cancelled", code: name),
                ]
                for (count, place) in (order + [order[number % 5]]).enumerated() {
                    try await shopify.send(events[place].0, type: events[place].1, id: "w\(number)-\(count)")
                    try await woo.send(wooEvents[place], type: "order.updated")
                }
                for invoice in ["\(820_982_911_946_154_000 + number)", "\(700 + number)"] {
                    let sale = try await shopify.sale(invoice)
                    #expect(sale["amount"].integer == 10_000 && sale["refundedAmount"].integer == 10_000, "\(invoice) as \(order)")
                }
                let commissions = try await app.get("/commissions?limit=100&memberId=\(member)")["data"].list
                #expect(commissions.map { $0["amount"].integer } == [1_000, 1_000] && commissions.map { $0["reversedAmount"].integer } == [1_000, 1_000], "\(order)")
                #expect(try await app.balance(member) == [0, 0, 0, 0, 0, 0])
                app.clock.advance(ms: 1_000)
            }
        }
    }
}
