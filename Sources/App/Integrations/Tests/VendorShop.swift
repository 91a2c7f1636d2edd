import Chronology
import Foundation
import HTTPTypes
import Persistence
import Testing
import Web

@testable import App

/// A program that pays 10 % with a member and their code, and a vendor that is connected to it.
struct VendorShop: Sendable {
    static let secret = "whsec_a2l0aC10ZXN0LXNlY3JldC1vZi0zMi1ieXRlcy1vayE="

    let app: AppHarness
    let vendor: Vendor
    let program: String
    let anna: String
    var mapping: GenericMapping?

    static func open(_ app: AppHarness, _ vendor: Vendor, mapping: JSONValue? = nil, settings: JSONValue = .object([])) async throws -> VendorShop {
        let program = try await app.program(settings)
        _ = try await app.percentRule(program, "0.10")
        let anna = try await app.member(program, "anna")
        try await app.link(program, anna, code: "ANNA")
        var body: JSONValue = ["programId": .text(program)]
        if vendor != .postback { body = body.adding("webhookSecret", .text(secret)) }
        if let mapping { body = body.adding("mapping", mapping) }
        try await app.put("/integrations/\(vendor.rawValue)", body)
        return VendorShop(app: app, vendor: vendor, program: program, anna: anna, mapping: mapping.flatMap { GenericMapping(stored: $0) })
    }

    var path: String { "\(API.base)/integrations/\(vendor.rawValue)/webhook/\(app.twinID.text)" }
    var seconds: Int64 { app.clock.now.millisecondsSince1970 / 1_000 }

    /// Sends a document as the vendor would; answers what the door says.
    @discardableResult
    func send(_ document: JSONValue, type: String = "", id: String? = nil) async throws -> JSONValue {
        let reply = try await post(document, type: type, id: id)
        return try reply.success("\(vendor.rawValue) \(type)")
    }

    func post(_ document: JSONValue, type: String = "", id: String? = nil, secret: String = secret) async throws -> Reply {
        let body = document.bytes
        var headers = WebhookSignature.headers(vendor, type: type, body: body, secret: secret, mapping: mapping, now: app.clock.now)
        if let id, let name = HTTPField.Name("X-Shopify-Webhook-Id") { headers[name] = id }
        return try await app.call(.post, path, headers: headers, bytes: body)
    }

    /// An event of Stripe's around an object.
    func stripe(_ type: String, _ object: JSONValue, id: String? = nil, secondsAgo: Int64 = 0) -> JSONValue {
        [
            "id": .text(id ?? "evt_\(UUID().uuidString)"), "object": "event", "api_version": "2025-03-31.basil", "livemode": false, "type": .text(type),
            "created": .integer(seconds - secondsAgo), "data": ["object": object],
        ]
    }

    func sales() async throws -> [JSONValue] { try await app.get("/sales?limit=100")["data"].list }
    func sale(_ invoice: String) async throws -> JSONValue? { try await sales().first { $0["invoiceId"].text == invoice } }

    /// What a member earned and keeps, in minor units.
    func kept(_ member: String? = nil) async throws -> Int64 {
        let member = member ?? anna
        return try await app.get("/commissions?limit=100&memberId=\(member)")["data"].list
            .reduce(0) { $0 + ($1["amount"].integer ?? 0) - ($1["reversedAmount"].integer ?? 0) }
    }

    func events() async throws -> [JSONValue] { try await app.get("/integrations/\(vendor.rawValue)/events?limit=100")["data"].list }
}

extension JSONValue {
    /// The object with other members added or put in the place of known ones.
    func with(_ changes: JSONValue) -> JSONValue {
        guard case .object(let members) = changes else { return self }
        return members.reduce(self) { $0.adding($1.name, $1.value) }
    }
}
