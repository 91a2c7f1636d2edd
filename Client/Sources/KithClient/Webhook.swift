public import Foundation

/// The secret of a webhook endpoint, as Kith shows it once. Its text is never printed.
public struct WebhookSecret: Sendable, CustomStringConvertible {
    let bytes: [UInt8]

    /// Nil when the text is no secret: `whsec_` and Base64 of 24 to 64 bytes.
    public init?(_ text: String) {
        let encoded = text.hasPrefix("whsec_") ? String(text.dropFirst("whsec_".count)) : text
        guard let data = Data(base64Encoded: encoded), (16...256).contains(data.count) else { return nil }
        bytes = Array(data)
    }

    public var description: String { "whsec_…" }
}

/// Why a request is not to be believed.
public enum WebhookFailure: Error, Sendable, Equatable {
    /// One of the three headers is missing or unreadable.
    case missingHeader(String)
    /// It was signed too long ago, or too far in the future: somebody may be sending an old one again.
    case tooOld(ageSeconds: Int)
    /// No signature fits any of the secrets.
    case wrongSignature
    case tooLarge
    /// It is signed well, and is no event.
    case unreadable(String)
}

/// Checks that a request came from Kith and is no old one, by the rules of Standard Webhooks.
///
/// Give it the body as it came, byte for byte: JSON that was read and written again has another signature. While a secret is being changed,
/// give it the old one and the new one. The same event may come more than once: ``Event/id`` says which one it is.
public struct WebhookVerifier: Sendable {
    public static let bodyBytesMax = 1 << 20
    /// Signatures looked at in one header.
    static let signaturesMax = 10

    private let secrets: [WebhookSecret]
    private let toleranceSeconds: Int

    /// - Parameters:
    ///   - secrets: all that are good at the moment.
    ///   - toleranceSeconds: how far the time of signing may lie from now.
    public init(secrets: [WebhookSecret], toleranceSeconds: Int = 300) {
        self.secrets = secrets
        self.toleranceSeconds = max(0, toleranceSeconds)
    }

    /// The event of a request.
    /// - Parameters:
    ///   - body: as it came, byte for byte.
    ///   - headers: of the request; the case of their names is of no matter.
    ///   - now: for tests.
    public func event(body: Data, headers: [String: String], now: Date = Date()) throws(WebhookFailure) -> Event {
        try verify(body: body, headers: headers, now: now)
        do {
            return try JSONCoding.decode(Event.self, from: body)
        } catch {
            throw .unreadable("\(error)")
        }
    }

    /// Returns when the request is to be believed.
    public func verify(body: Data, headers: [String: String], now: Date = Date()) throws(WebhookFailure) {
        guard body.count <= Self.bodyBytesMax else { throw .tooLarge }
        let lowered = Dictionary(headers.map { ($0.key.lowercased(), $0.value) }, uniquingKeysWith: { first, _ in first })
        guard let id = lowered["webhook-id"], (1...256).contains(id.utf8.count) else { throw .missingHeader("webhook-id") }
        guard let timestamp = lowered["webhook-timestamp"], let signedAt = Int64(timestamp), (0...253_402_300_799).contains(signedAt) else {
            throw .missingHeader("webhook-timestamp")
        }
        guard let signatures = lowered["webhook-signature"] else { throw .missingHeader("webhook-signature") }
        let ageSeconds = Int(now.timeIntervalSince1970.rounded(.down)) - Int(signedAt)
        guard abs(ageSeconds) <= toleranceSeconds else { throw .tooOld(ageSeconds: ageSeconds) }
        let given = signatures.split(separator: " ").prefix(Self.signaturesMax).compactMap { part -> [UInt8]? in
            let words = part.split(separator: ",", maxSplits: 1)
            guard words.count == 2, words[0] == "v1" else { return nil }
            return Data(base64Encoded: String(words[1])).map(Array.init)
        }
        let message = Array("\(id).\(timestamp).".utf8) + Array(body)
        var fits = false
        for secret in secrets {
            let expected = SHA256.hmac(message, key: secret.bytes)
            for signature in given where SHA256.isEqual(signature, expected) { fits = true }
        }
        guard fits else { throw .wrongSignature }
    }

    /// The headers that Kith would send with a body: for tests of your receiver.
    public static func headers(id: String, body: Data, secret: WebhookSecret, at time: Date) -> [String: String] {
        let timestamp = String(Int64(time.timeIntervalSince1970.rounded(.down)))
        let signature = SHA256.hmac(Array("\(id).\(timestamp).".utf8) + Array(body), key: secret.bytes)
        return ["webhook-id": id, "webhook-timestamp": timestamp, "webhook-signature": "v1,\(Data(signature).base64EncodedString())"]
    }
}
