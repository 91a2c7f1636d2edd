import Chronology
import Foundation
import HTTPTypes
import Persistence
import TestSupport
import Testing
import Web

@testable import App

/// What holds for every vendor: proof first, all or nothing, nothing of people in plain, replays, and nobody else's workspace.
@Suite struct InboundTests {
    static let mapping: JSONValue = [
        "signature": "hmacHex", "header": "X-Signature", "amountForm": "decimal", "eventIdPath": "id", "typePath": "type",
        "kinds": ["order.paid": "sale", "order.refunded": "refund", "user.created": "lead"],
        "fields": [
            "invoiceId": "data.order.number", "customerExternalId": "data.order.user.id", "amount": "data.order.lines[0].total", "currency": "=EUR", "code": "data.coupon",
            "refundId": "data.refund",
        ],
    ]

    static func order(_ id: String, type: String = "order.paid", total: String = "19.90", code: String = "ANNA") -> JSONValue {
        [
            "id": .text(id), "type": .text(type),
            "data": ["coupon": .text(code), "refund": .text("r-\(id)"), "order": ["number": "o-1", "user": ["id": 77], "lines": [["total": .text(total)]]]],
        ]
    }

    @Test(arguments: Engine.allCases) func aMappingReadsAnyJSON(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let opened = try await VendorShop.open(app, .generic, mapping: Self.mapping)
            for signature in GenericMapping.SignatureKind.allCases {
                let mapping = Self.mapping.with(["signature": .text(signature.rawValue)])
                try await app.put("/integrations/generic", ["programId": .text(opened.program), "mapping": mapping])
                let shop = VendorShop(app: app, vendor: .generic, program: opened.program, anna: opened.anna, mapping: GenericMapping(stored: mapping))
                let id = "e-\(signature.rawValue)"
                let document = Self.order(id).with(["data": ["coupon": "ANNA", "order": ["number": .text(id), "user": ["id": 77], "lines": [["total": "19.90"]]]]])
                let taken = try await shop.send(document)
                #expect(taken["state"].text == "handled", "\(signature): \(taken)")
                #expect(try await shop.send(document)["repeated"] == true)
                #expect(try await shop.sale(id)["amount"].integer == 1_990)
                #expect(try await shop.post(document, secret: "other").status == 401)
            }
        }
    }

    @Test(arguments: Engine.allCases) func aMappingThatMissesIsMendedAndReplayed(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let shop = try await VendorShop.open(app, .generic, mapping: Self.mapping)
            let refused = try await shop.send(Self.order("e-1", total: "19.905"))
            #expect(refused["state"].text == "refused" && refused["reasonCode"].text == "malformed_amount")
            let missing = try await shop.send(["id": "e-2", "type": "order.paid", "data": [:]])
            #expect(missing["reasonCode"].text == "missing_field")
            #expect(try await shop.sales().isEmpty)
            #expect(try await shop.send(["id": "e-3", "type": "other"])["reasonCode"].text == "other_event")
            // A refund before its sale waits, and is applied with it.
            #expect(try await shop.send(Self.order("e-4", type: "order.refunded", total: "9.90"))["state"].text == "waiting")
            #expect(try await shop.send(Self.order("e-5"))["state"].text == "handled")
            #expect(try await shop.sale("o-1")["refundedAmount"].integer == 990)
            // The mapping is mended, the refused event replayed.
            let fields = Self.mapping["fields"]?.with(["amount": "=5.00", "invoiceId": "=o-2", "customerExternalId": "=c-9"]) ?? .null
            try await app.put("/integrations/generic", ["programId": .text(shop.program), "mapping": Self.mapping.with(["fields": fields])])
            let event = try await shop.events().first { $0["reasonCode"].text == "missing_field" }
            let replayed = try await app.post("/integrations/events/\(event["id"].text)/replay", .object([]))
            #expect(replayed["state"].text == "handled", "\(replayed)")
            #expect(try await shop.sale("o-2")["amount"].integer == 500)
            #expect(try await app.api(.post, "/integrations/events/\(event["id"].text)/replay", .object([]), as: app.liveKey).status == 404)
        }
    }

    @Test(arguments: Engine.allCases) func postbacksCountOnce(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let shop = try await VendorShop.open(app, .postback)
            let first = try await app.get("/integrations")["data"].list.first
            let address = first["webhookUrl"].text
            let path = String(address[(address.range(of: "/api/v1")?.lowerBound ?? address.startIndex)...])
            let click = try await app.click("ANNA")
            let query = "?transaction_id=t-1&amount=19.90&currency=EUR&click_id=\(click)&customer_id=c-1&code={code}"
            for isRepeated in [false, true] {
                let reply = try await app.call(.get, path + query)
                #expect(reply.json["state"].text == "handled" && reply.json["repeated"] == .boolean(isRepeated), "\(reply.text)")
            }
            #expect(try await shop.sale("t-1")["amount"].integer == 1_990)
            #expect(try await app.call(.get, path + "?event=refund&transaction_id=t-1").json["state"].text == "handled")
            #expect(try await shop.sale("t-1")["refundedAmount"].integer == 1_990)
            #expect(try await app.call(.get, path + "?event=lead&transaction_id=t-2&code=ANNA").json["state"].text == "handled")
            for (bad, status) in [("?amount=1", 422), ("?transaction_id=t-3&amuont=1", 422), ("?transaction_id=a&transaction_id=b", 422)] {
                #expect(try await app.call(.get, path + bad).status == status, "\(bad)")
            }
            #expect(try await app.call(.get, path + "?transaction_id=t-4&amount=1&currency=XXX").json["reasonCode"].text == "unknown_currency")
            #expect(try await app.call(.get, path + "x" + query).status == 404)
            // A new address: the old one works for a day.
            let renewed = try await app.put("/integrations/postback", ["programId": .text(shop.program)])["webhookUrl"].text
            #expect(renewed != address)
            #expect(try await app.call(.get, path + "?transaction_id=t-5&amount=1&currency=EUR").status == 200)
            app.clock.advance(ms: Integration.formerMs + 1)
            #expect(try await app.call(.get, path + "?transaction_id=t-6&amount=1&currency=EUR").status == 404)
        }
    }

    @Test(arguments: Engine.allCases) func whatIsNotProvenIsNotTaken(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            for vendor in [Vendor.stripe, .shopify, .wooCommerce] {
                try await app.put("/integrations/\(vendor.rawValue)", ["programId": .text(try await app.program()), "webhookSecret": .text(VendorShop.secret)])
            }
            let before = try await app.rowCounts()
            for vendor in [Vendor.stripe, .shopify, .wooCommerce] {
                let shop = VendorShop(app: app, vendor: vendor, program: "", anna: "")
                let document = shop.stripe("checkout.session.completed", StripeTests.session(1))
                #expect(try await shop.post(document, secret: "other").code == "signature_wrong")
                #expect(try await app.call(.post, shop.path, bytes: document.bytes).code == "signature_missing")
                // Of another workspace, of none, of one that is not connected.
                for other in [app.workspace.workspace.id.text, WorkspaceKind.prefix + String(repeating: "0", count: 26), "x"] {
                    let headers = WebhookSignature.headers(vendor, type: "orders/paid", body: document.bytes, secret: VendorShop.secret, mapping: nil, now: app.clock.now)
                    let path = "\(API.base)/integrations/\(vendor.rawValue)/webhook/\(other)"
                    #expect(try await app.call(.post, path, headers: headers, bytes: document.bytes).status == 404, "\(other)")
                }
                let huge = [UInt8](repeating: 0x20, count: BodyLimit.webhookBytes + 1)
                #expect(try await app.call(.post, shop.path, bytes: huge).status == 413)
                for bad in ["", "{", "[1,2", "{\"a\":1,\"a\":2}", String(repeating: "[", count: 100)] {
                    let bytes = Array(bad.utf8)
                    let headers = WebhookSignature.headers(vendor, type: "orders/paid", body: bytes, secret: VendorShop.secret, mapping: nil, now: app.clock.now)
                    let reply = try await app.call(.post, shop.path, headers: headers, bytes: bytes)
                    #expect(reply.status == 400 || reply.status == 422, "\(vendor) with \(bad.prefix(20)): \(reply.status)")
                }
                app.clock.advance(ms: 301_000)
                if vendor == .stripe {
                    let old = WebhookSignature.headers(
                        vendor, type: "", body: document.bytes, secret: VendorShop.secret, mapping: nil, now: try app.clock.now.adding(milliseconds: -301_000))
                    #expect(try await app.call(.post, shop.path, headers: old, bytes: document.bytes).code == "signature_expired")
                }
            }
            #expect(try await app.call(.post, "\(API.base)/integrations/nobody/webhook/\(app.twinID.text)").status == 404)
            #expect(try await app.rowCounts() == before)
        }
    }

    /// Signed, and still nothing that could be counted: the event says why, and nothing else was written.
    @Test(arguments: Engine.allCases) func whatCannotBeCountedIsRefusedWhole(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let shop = try await VendorShop.open(app, .stripe)
            let cases: [(JSONValue, String)] = [
                (["currency": "xyz"], "unknown_currency"), (["currency": .null], "unknown_currency"), (["currency": "isk", "amount_total": 12_345], "malformed_amount"),
                (["amount_total": 9_000_000_000_000_000_000], "malformed_amount"), (["payment_intent": .text(String(repeating: "x", count: 300))], "invalid_fields"),
            ]
            for (number, entry) in cases.enumerated() {
                let before = try await app.rowCounts()
                let taken = try await shop.send(shop.stripe("checkout.session.completed", StripeTests.session(number, entry.0)))
                #expect(taken["state"].text == "refused" && taken["reasonCode"].text == entry.1, "\(entry.0): \(taken)")
                var after = try await app.rowCounts()
                for table in ["inbound_event", "inbound_subject"] { after[table] = before[table] }
                #expect(after == before, "\(entry.0)")
            }
        }
    }

    /// Names, mails, vendors' ids of people and secrets stand nowhere in the database's rows.
    @Test(arguments: Engine.allCases) func nothingOfPeopleInPlain(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let shop = try await VendorShop.open(app, .stripe)
            try await shop.send(shop.stripe("checkout.session.completed", StripeTests.session(1, ["customer": "cus_secret1", "client_reference_id": "user-secret1"])))
            try await shop.send(shop.stripe("customer.created", ["id": "cus_secret2", "email": "secret2@mail.test", "name": "Secreta", "metadata": ["kith_customer": "user-secret2"]]))
            try await shop.send(shop.stripe("invoice.paid", StripeTests.invoice(3, ["customer": "cus_secret3", "customer_email": "secret3@mail.test"])))
            try await shop.send(shop.stripe("checkout.session.completed", StripeTests.session(4, ["currency": "xyz", "client_reference_id": "user-secret4"])))
            let words = ["secret1", "secret2", "secret3", "secret4", "Secreta", "Bea Buyer", "buyer1@", VendorShop.secret]
            try await app.installation.main.checkpoint()
            var texts: [String] = []
            switch engine {
            case .sqlite:
                for end in ["", "-wal"] {
                    let bytes = FileManager.default.contents(atPath: app.location + end) ?? Data()
                    texts.append(String(decoding: bytes, as: Unicode.ASCII.self))
                }
                #expect(texts[0].contains("inbound_event"))
            case .postgres:
                for table in try await app.rowCounts().keys.sorted() {
                    texts += try await app.installation.main.read { connection in
                        try connection.rows("SELECT CAST(t AS TEXT) FROM \(raw: table) t").map { try $0.get(at: 0, as: String.self) }
                    }
                }
            }
            for word in words { #expect(!texts.contains { $0.contains(word) }, "\(word)") }
            // Payloads expire.
            #expect(try await shop.events().contains { $0["mayReplay"] == true })
            app.clock.advance(ms: InboundEvent.payloadKeptMs + 1)
            try await app.installation.doDueWork()
            #expect(try await shop.events().allSatisfy { $0["mayReplay"] == false })
            let gone = try await app.api(.post, "/integrations/events/\(try await shop.events().first["id"].text)/replay", .object([]))
            #expect(gone.code == "payload_gone")
        }
    }

    @Test(arguments: Engine.allCases) func aTestEventGoesTheWholeWay(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let program = try await app.program()
            _ = try await app.percentRule(program, "0.10")
            try await app.put("/integrations/generic", ["programId": .text(program), "webhookSecret": .text(VendorShop.secret), "mapping": Self.mapping])
            for vendor in Vendor.allCases {
                let sent = try await app.post("/integrations/\(vendor.rawValue)/sample", .object([]))
                #expect(sent["state"].text == "handled" && sent["sample"] == true, "\(vendor): \(sent)")
            }
            let sales = try await app.get("/sales")["data"].list
            #expect(sales.count == Vendor.allCases.count && sales.allSatisfy { $0["amount"].integer == 4_200 }, "\(sales)")
            #expect(try await app.get("/commissions")["data"].list.count == Vendor.allCases.count)
        }
    }

    @Test(arguments: Engine.allCases) func connectingIsForThoseWhoMay(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let program = try await app.program()
            let body: JSONValue = ["programId": .text(program), "webhookSecret": .text(VendorShop.secret)]
            #expect(try await app.api(.put, "/integrations/stripe", body, as: app.liveKey).code == "unknown_program")
            #expect(try await app.api(.put, "/integrations/stripe", ["programId": .text(program)]).fields == ["webhookSecret"])
            #expect(try await app.api(.put, "/integrations/nobody", body).status == 404)
            #expect(try await app.api(.put, "/integrations/generic", body).fields == ["mapping"])
            let reply = try await app.api(.put, "/integrations/stripe", body)
            #expect(reply.status == 200 && !reply.text.contains("webhookSecret"))
            #expect(reply.json["webhookUrl"].text.hasSuffix("/api/v1/integrations/stripe/webhook/\(app.twinID.text)"))
            #expect(try await app.get("/integrations")["data"].list.count == 1)
            #expect(try await app.api(.delete, "/integrations/stripe").status == 200)
            #expect(try await app.get("/integrations")["data"].list.isEmpty)
            #expect(try await app.api(.delete, "/integrations/stripe").status == 404)
        }
    }
}
