import Chronology
import Persistence
import Web

/// The request of a delivery: an envelope that is signed, or a member's address with what it asks for filled in.
enum WebhookRequest {
    case ready(Outbound.Request)
    /// It can never be sent: the event or the address is no more.
    case impossible(String)

    static func make(
        _ delivery: WebhookDelivery, to endpoint: WebhookEndpoint, at now: Instant, _ installation: Installation
    ) async throws -> WebhookRequest {
        switch endpoint.kind {
        case .webhook:
            guard let url = endpoint.url, let event = try await installation.main.read({ connection in
                try EventStore.find(delivery.eventID, in: delivery.workspaceID, on: connection)
            }) else { return .impossible("The event is not there any more.") }
            let secrets = try installation.secrets.signing(endpoint, at: now)
            guard !secrets.isEmpty else { return .impossible("There is no secret to sign with.") }
            return .ready(signed(event, to: url, secrets, at: now))
        case .postback:
            let vault = installation.vault
            let url = try await installation.main.read { connection in try Postback.url(of: delivery, to: endpoint, vault: vault, on: connection) }
            guard let url else { return .impossible("The member's address or what they earned is not there any more.") }
            return .ready(plain(.init(method: "GET", url: url, headers: [userAgent])))
        }
    }

    /// Standard Webhooks 1.0: the same id at every try, the time of this one, a signature of each secret.
    static func signed(_ event: Event, to url: String, _ secrets: [WebhookSecret], at now: Instant) -> Outbound.Request {
        let body = event.json.bytes
        let seconds = now.millisecondsSince1970 / 1_000
        let signatures = secrets.map { $0.signature(id: event.id.text, timestampSeconds: seconds, body: body) }
        return plain(
            .init(
                url: url,
                headers: [
                    ("content-type", "application/json"), ("webhook-id", event.id.text), ("webhook-timestamp", String(seconds)),
                    ("webhook-signature", signatures.joined(separator: " ")), userAgent,
                ], body: body))
    }

    private static let userAgent = (name: "user-agent", value: "Kith-Webhooks/\(Event.apiVersion)")

    private static func plain(_ request: Outbound.Request) -> Outbound.Request {
        var request = request
        request.timeoutMs = WebhookDelivery.timeoutMs
        request.answerBytesMax = WebhookDelivery.answerBytesMax
        request.cutsAnswer = true
        request.encryptsUnlessAllowed = true
        return request
    }
}
