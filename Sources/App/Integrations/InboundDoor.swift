import Chronology
import Crypto
import Foundation
import HTTPTypes
import Hummingbird
import NIOCore
import Persistence
import Web

/// Where vendors' requests come in: the raw body is proven by the vendor's rule before anything reads it, and on disk before it is answered.
struct InboundDoor: Sendable {
    static let path = "/integrations/{vendor}/webhook/{workspaceId}"
    static let postbackPath = "/track/postback/{workspaceId}/{token}"

    let installation: Installation
    /// None at the door of our own samples.
    var limit: InboundLimit?

    static func add(to api: inout API) {
        let door = InboundDoor(installation: api.installation, limit: InboundLimit(requests: api.installation.settings.rateLimit))
        api.table.note(.post, API.base + path)
        api.router.post(RouterPath(API.base + path)) { request, context in try await door.webhook(request, context) }
        api.table.note(.get, API.base + postbackPath)
        api.router.get(RouterPath(API.base + postbackPath)) { request, context in try await door.postback(request, context) }
    }

    private func webhook(_ request: Request, _ context: KithContext) async throws -> Response {
        guard let vendor = context.parameters.get("vendor").flatMap({ Vendor(rawValue: $0) }), vendor != .postback else { throw Problem.notFound() }
        let workspace: WorkspaceID = try context.id(named: "workspaceId")
        let address = installation.clientAddress(of: request, context)
        try limit?.admit(address: address)
        let body = Array(try await request.bodyBytes(maximumBytes: BodyLimit.webhookBytes).readableBytesView)
        return Self.response(try await take(vendor, headers: request.headers, body: body, in: workspace, address: address))
    }

    /// What became of a request: nil for a question whether somebody listens.
    func take(
        _ vendor: Vendor, headers: HTTPFields, body: [UInt8], in workspace: WorkspaceID, address: String? = nil, isSample: Bool = false
    ) async throws -> (event: InboundEvent, isRepeated: Bool)? {
        let integration = try await find(vendor, in: workspace)
        try limit?.admit(bytes: body.count, address: address, source: "\(vendor.rawValue) \(workspace.text)")
        if vendor == .wooCommerce, WooCommerce.isPing(body, contentType: headers[.contentType]) { return nil }
        do {
            try WebhookSignature.verify(
                vendor, headers: headers, body: body, secrets: integration.secrets, mapping: integration.mapping, now: installation.world.now())
        } catch {
            throw Self.refusal(error)
        }
        let document: JSONValue
        do {
            document = try JSONValue.parse(body, maximumBytes: BodyLimit.webhookBytes)
        } catch {
            throw error.problem
        }
        let (type, id) = name(vendor, headers, document, body, integration)
        return try await installation.receive(
            InboundRequest(vendor: vendor, type: type, vendorEventID: id, payload: body, isSample: isSample), in: workspace)
    }

    private func postback(_ request: Request, _ context: KithContext) async throws -> Response {
        let workspace: WorkspaceID = try context.id(named: "workspaceId")
        let address = installation.clientAddress(of: request, context)
        try limit?.admit(address: address)
        let integration = try await find(.postback, in: workspace)
        try limit?.admit(bytes: request.uri.query?.utf8.count ?? 0, address: address, source: "postback \(workspace.text)")
        guard let token = context.parameters.get("token"), token.utf8.count <= Integration.secretLengthMax,
            integration.secrets.contains(where: { WebhookSignature.isEqual($0, token) })
        else { throw Problem.notFound() }
        let document = try InboundPostback.document(FormFields.parse(ByteBuffer(string: request.uri.query ?? "")))
        let taken = try await installation.receive(
            InboundRequest(
                vendor: .postback, type: String(InboundPostback.type(of: document).prefix(100)), vendorEventID: hashed(.postback, Array(InboundPostback.eventID(of: document).utf8)),
                payload: document.bytes), in: workspace)
        return Self.response(taken)
    }

    private func find(_ vendor: Vendor, in workspace: WorkspaceID) async throws -> Integration {
        let (seal, now) = (installation.inboundSeal, installation.world.now())
        let found = try await installation.main.read { connection in
            try IntegrationStore.find(vendor, in: workspace, at: now, seal: seal, on: connection)
        }
        guard let found else { throw Problem.notFound(detail: "This workspace is not connected here. Connect it in Settings, Integrations.") }
        return found
    }

    /// An event's type and the id that makes it count once: the vendor's own, or a keyed hash of what was sent.
    private func name(
        _ vendor: Vendor, _ headers: HTTPFields, _ document: JSONValue, _ body: [UInt8], _ integration: Integration
    ) -> (type: String, id: String) {
        func limited(_ text: String?) -> String? { text.map { String($0.unicodeScalars.prefix(100).map(Character.init)) } }
        switch vendor {
        case .stripe: return (limited(document.string("type")) ?? "unknown", document.string("id").flatMap(Self.identifier) ?? hashed(vendor, body))
        case .shopify:
            let type = limited(headers[text: "X-Shopify-Topic"]) ?? "unknown"
            // The topic is not signed: the same delivery under another one is the same event. Without an id the body alone can't tell topics apart.
            let id = headers[text: "X-Shopify-Webhook-Id"].flatMap(Self.identifier)
            return (type, id.map { hashed(vendor, Array($0.utf8) + [0] + body) } ?? hashed(vendor, Array(type.utf8) + body))
        case .wooCommerce: return (limited(headers[text: "X-WC-Webhook-Topic"]) ?? "unknown", hashed(vendor, body))
        case .generic, .postback:
            let header = integration.mapping?.signature == .standard ? headers[text: "webhook-id"] : nil
            let id = (integration.mapping?.eventID(of: document) ?? header).map { Array($0.utf8) }
            return (limited(integration.mapping?.type(of: document)) ?? "event", hashed(vendor, id ?? body))
        }
    }

    /// Ids of vendors have no spaces and are short; anything else is hashed.
    private static func identifier(_ text: String) -> String? {
        (1...200).contains(text.utf8.count) && text.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F } ? text : nil
    }

    private func hashed(_ vendor: Vendor, _ bytes: [UInt8]) -> String {
        let digest = SHA256.hash(data: bytes).map { String($0, radix: 16) }.joined(separator: "")
        return "h." + Base64URL.encode(installation.vault.lookupHash(nil, "inbound:\(vendor.rawValue)", digest))
    }

    private static func refusal(_ failure: WebhookSignature.Failure) -> Problem {
        let detail =
            switch failure {
            case .missing: "The request is not signed as this vendor signs."
            case .malformed: "The signature's header can't be read."
            case .expired: "The signed time is more than \(WebhookSignature.toleranceSeconds / 60) minutes from now. Is a clock wrong, or was this sent before?"
            case .wrong: "The signature is not that of this body and secret. Is the secret the one of this endpoint?"
            }
        return Problem(status: .unauthorized, code: "signature_\(failure.rawValue)", detail: detail)
    }

    private static func response(_ taken: (event: InboundEvent, isRepeated: Bool)?) -> Response {
        guard let taken else { return ListAnswer.one(["received": true]) }
        return ListAnswer.one([
            "received": true, "repeated": .boolean(taken.isRepeated), "eventId": .text(taken.event.id.text), "state": .text(taken.event.state.rawValue),
            "reasonCode": taken.event.reasonCode.map { .text($0) } ?? .null, "reason": taken.event.reason.map { .text($0) } ?? .null,
        ])
    }
}
