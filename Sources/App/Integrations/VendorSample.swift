import Chronology
import Foundation
import HTTPTypes
import Money
import Persistence
import Web

/// A signed event as a vendor would send it, made here and taken in at the vendor's door of the test workspace: it shows the whole way.
enum VendorSample {
    static func send(
        _ vendor: Vendor, _ installation: Installation, from workspace: WorkspaceID, actor: Actor, sharerName: String, buyerName: String
    ) async throws -> InboundEvent {
        let (seal, now) = (installation.inboundSeal, installation.world.now())
        let (twin, pattern, live, isTest) = try await installation.main.read { connection in
            guard let here = try WorkspaceStore.find(workspace, on: connection) else { throw Refusal.unknown("workspace") }
            guard let twin = here.isTest ? here : try WorkspaceStore.twin(of: workspace, on: connection) else { throw Refusal.unknown("test workspace") }
            let pattern = try TestTwin.Pattern.newest(of: here.teamID, at: now, on: connection)
            return (twin, pattern, try IntegrationStore.find(vendor, in: workspace, at: now, seal: seal, on: connection), here.isTest)
        }
        let (stage, integration) = try await installation.write(twin.id, actor: actor) { write -> (TestTwin.Stage, Integration) in
            let stage = try TestTwin.prepare(pattern, follows: !isTest, sharerName: sharerName, in: write)
            if let known = try IntegrationStore.find(vendor, in: twin.id, at: now, seal: seal, on: write.connection),
                live?.mapping == nil || isTest || known.mapping == live?.mapping
            {
                return (stage, known)
            }
            let secret = "whsec_" + Data(write.world.random.bytes(InboundPostback.tokenBytes)).base64EncodedString()
            return (
                stage,
                try Integration.connect(vendor, program: stage.program.id, secret: secret, mapping: live?.mapping, seal: seal, in: write)
            )
        }
        installation.linkIndex.forgetAll()
        let number = Int64(installation.world.random.below(1_000_000_000)) + 1
        let door = InboundDoor(installation: installation)
        let (type, document) = try document(vendor, number: number, stage: stage, mapping: integration.mapping, buyerName: buyerName, at: now)
        if vendor == .postback {
            let taken = try await installation.receive(
                InboundRequest(vendor: vendor, type: type, vendorEventID: "sample-\(number)", payload: document.bytes, isSample: true), in: twin.id)
            return taken.event
        }
        guard let secret = integration.secrets.first else { throw Refusal.unknown("integration") }
        let body = document.bytes
        let headers = WebhookSignature.headers(vendor, type: type, body: body, secret: secret, mapping: integration.mapping, now: now)
        guard let taken = try await door.take(vendor, headers: headers, body: body, in: twin.id, isSample: true) else { throw Problem.internalError }
        return taken.event
    }

    /// A sale of 42 of the program's currency with the link's code.
    private static func document(
        _ vendor: Vendor, number: Int64, stage: TestTwin.Stage, mapping: GenericMapping?, buyerName: String, at now: Instant
    ) throws -> (type: String, document: JSONValue) {
        guard let currency = Currency(code: stage.program.currency) else { throw Refusal.unknown("currency") }
        let minor = (0..<currency.exponent).reduce(Int64(42)) { value, _ in value * 10 }
        let code = stage.link.code
        let time = String(now.rfc3339.prefix(19))
        switch vendor {
        case .stripe:
            // Stripe's own smallest unit: two decimals nearly everywhere.
            let amount = [Int64(42), 4_200, 42_000].first { (try? Stripe.minor($0, currency)) == minor } ?? minor
            return (
                "checkout.session.completed",
                [
                    "id": .text("evt_sample_\(number)"), "object": "event", "type": "checkout.session.completed",
                    "created": .integer(now.millisecondsSince1970 / 1_000), "livemode": false,
                    "data": [
                        "object": [
                            "id": .text("cs_sample_\(number)"), "object": "checkout.session", "mode": "payment", "payment_status": "paid",
                            "amount_total": .integer(amount), "currency": .text(currency.code.lowercased()), "customer": .null,
                            "customer_details": ["email": .text("buyer-\(number)@example.com"), "name": .text(buyerName)], "invoice": .null,
                            "payment_intent": .text("pi_sample_\(number)"), "metadata": ["kith_code": .text(code)],
                        ]
                    ],
                ]
            )
        case .shopify:
            return (
                "orders/paid",
                [
                    "id": .integer(number), "email": .text("buyer-\(number)@example.com"), "currency": .text(currency.code),
                    "total_price": .text(decimal(minor, currency)), "total_tax": "0", "financial_status": "paid", "processed_at": .text(time + "Z"),
                    "test": true, "discount_codes": [["code": .text(code), "amount": "0", "type": "fixed_amount"]],
                    "customer": ["id": .integer(number), "first_name": .text(buyerName)], "line_items": [],
                ]
            )
        case .wooCommerce:
            return (
                "order.updated",
                [
                    "id": .integer(number), "status": "processing", "currency": .text(currency.code), "total": .text(decimal(minor, currency)),
                    "total_tax": "0", "customer_id": 0, "date_paid_gmt": .text(time),
                    "billing": ["email": .text("buyer-\(number)@example.com"), "first_name": .text(buyerName)], "coupon_lines": [["code": .text(code)]],
                    "line_items": [], "refunds": [], "meta_data": [],
                ]
            )
        case .generic:
            guard let mapping else { throw Problem.conflict(code: "no_mapping", detail: "Save a mapping first: the sample is made after it.") }
            return (mapping.kinds.first { $0.value == .sale }?.key ?? "sale", try mapping.sample(number: number, minor: minor, currency: currency, code: code))
        case .postback:
            return (
                "sale",
                [
                    "transaction_id": .text("sample-\(number)"), "amount": .text(decimal(minor, currency)), "currency": .text(currency.code),
                    "code": .text(code), "customer_id": .text("buyer-\(number)"),
                ]
            )
        }
    }

    private static func decimal(_ minor: Int64, _ currency: Currency) -> String { Amount(minor: minor).decimalText(exponent: currency.exponent) }
}

extension GenericMapping {
    /// A document in which this mapping finds a sale. Depth is that of its paths.
    func sample(number: Int64, minor: Int64, currency: Currency, code: String) throws -> JSONValue {
        let amount: JSONValue = amountForm == .minor ? .integer(minor) : .text(Amount(minor: minor).decimalText(exponent: currency.exponent))
        let values: [String: JSONValue] = [
            "invoiceId": .text("sample-\(number)"), "customerExternalId": .text("buyer-\(number)"), "amount": amount, "currency": .text(currency.code),
            "code": .text(code), "customerEmail": .text("buyer-\(number)@example.com"),
        ]
        var document = JSONValue.object([])
        for (field, path) in paths.sorted(by: { $0.key < $1.key }) {
            if let value = values[field], !path.hasPrefix("=") { document = document.setting(value, at: Self.steps(path)) }
        }
        if let typePath, let type = kinds.sorted(by: { $0.key < $1.key }).first(where: { $0.value == .sale && $0.key != "*" })?.key {
            document = document.setting(.text(type), at: Self.steps(typePath))
        }
        if let eventIDPath { document = document.setting(.text("sample-\(number)"), at: Self.steps(eventIDPath)) }
        return document
    }

    private static func steps(_ path: String) -> ArraySlice<String> {
        path.split(separator: ".").flatMap { part in
            part.split(separator: "[").map { $0.hasSuffix("]") ? "[" + $0 : String($0) }
        }.filter { $0 != "$" }.prefix(20)[...]
    }
}

extension JSONValue {
    /// The same document with a value at a path of at most 20 steps; lists get their first element only.
    fileprivate func setting(_ value: JSONValue, at steps: ArraySlice<String>) -> JSONValue {
        guard let step = steps.first else { return value }
        if step.hasPrefix("[") {
            let inner: JSONValue = if case .array(let elements) = self, let first = elements.first { first } else { .object([]) }
            return .array([inner.setting(value, at: steps.dropFirst())])
        }
        var members: [JSONMember] = if case .object(let known) = self { known } else { [] }
        let inner = members.first { $0.name == step }?.value ?? .object([])
        members.removeAll { $0.name == step }
        members.append(JSONMember(step, inner.setting(value, at: steps.dropFirst())))
        return .object(members)
    }
}
