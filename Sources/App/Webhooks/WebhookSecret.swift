import Chronology
import Crypto
import Foundation

/// What signs an endpoint's messages: random bytes that its owner is shown once (Standard Webhooks 1.0).
struct WebhookSecret: Sendable, Equatable {
    static let prefix = "whsec_"
    static let bytesCount = 32

    let bytes: [UInt8]

    static func make(_ world: World) -> WebhookSecret { WebhookSecret(bytes: world.random.bytes(bytesCount)) }

    /// As receivers write it into their settings.
    var text: String { Self.prefix + Data(bytes).base64EncodedString() }

    /// `v1,` and the HMAC-SHA256 of id, time and body, in base 64.
    func signature(id: String, timestampSeconds: Int64, body: [UInt8]) -> String {
        var mac = HMAC<SHA256>(key: SymmetricKey(data: bytes))
        mac.update(data: Data("\(id).\(timestampSeconds).".utf8))
        mac.update(data: body)
        return "v1," + Data(mac.finalize()).base64EncodedString()
    }
}

extension Secrets {
    /// Endpoints' secrets are sealed under a key of the installation: the database alone signs nothing.
    func sealWebhook(_ secret: WebhookSecret, of endpoint: WebhookID) throws -> [UInt8] {
        try Vault.seal(secret.bytes, under: key("webhooks"), for: endpoint.text)
    }

    func openWebhook(_ sealed: [UInt8], of endpoint: WebhookID) throws -> WebhookSecret {
        WebhookSecret(bytes: try Vault.open(sealed, under: key("webhooks"), for: endpoint.text))
    }

    /// The beginning of what an endpoint answered: it may name people.
    func sealAnswer(_ text: String, of delivery: WebhookDeliveryID) throws -> [UInt8] {
        try Vault.seal(Array(text.utf8), under: key("webhook-answers"), for: delivery.text)
    }

    func openAnswer(_ sealed: [UInt8], of delivery: WebhookDeliveryID) throws -> String {
        String(decoding: try Vault.open(sealed, under: key("webhook-answers"), for: delivery.text), as: UTF8.self)
    }

    /// The secrets that sign now, the newest first. Without any, nothing can be sent.
    func signing(_ endpoint: WebhookEndpoint, at now: Instant) throws -> [WebhookSecret] {
        var secrets: [WebhookSecret] = []
        if let sealed = endpoint.secretSealed { secrets.append(try openWebhook(sealed, of: endpoint.id)) }
        if let sealed = endpoint.previousSecretSealed, let until = endpoint.previousSecretUntil, until > now {
            secrets.append(try openWebhook(sealed, of: endpoint.id))
        }
        return secrets
    }
}
