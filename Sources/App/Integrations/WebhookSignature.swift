import Chronology
import Crypto
import Foundation
import HTTPTypes
import Web

/// Proves that a request's raw body comes from who shares the secret, by each vendor's own rule. Comparisons take the same time whatever
/// differs.
enum WebhookSignature {
    /// How old a signed time may be, and how far ahead: Stripe's and Standard Webhooks' own tolerance.
    static let toleranceSeconds: Int64 = 300
    /// Signatures looked at in one header.
    static let signaturesMax = 20

    enum Failure: String, Error, Sendable { case missing, malformed, expired, wrong }

    static let stripeHeader = "Stripe-Signature"
    static let shopifyHeader = "X-Shopify-Hmac-Sha256"
    static let wooCommerceHeader = "X-WC-Webhook-Signature"

    /// `now` is real time: the sender's clock is real, too.
    static func verify(
        _ vendor: Vendor, headers: HTTPFields, body: [UInt8], secrets: [String], mapping: GenericMapping?, now: Instant
    ) throws(Failure) {
        switch vendor {
        case .stripe: try stripe(headers[text: stripeHeader], body, secrets, now)
        case .shopify: try base64(headers[text: shopifyHeader], body, secrets)
        case .wooCommerce: try base64(headers[text: wooCommerceHeader], body, secrets)
        case .postback: throw .missing
        case .generic:
            guard let mapping else { throw .missing }
            switch mapping.signature {
            case .hmacHex: try hex(headers[text: mapping.header], body, secrets)
            case .hmacBase64: try base64(headers[text: mapping.header], body, secrets)
            case .token: try token(headers[text: mapping.header], secrets)
            case .standard: try standard(headers, body, secrets, now)
            }
        }
    }

    /// `t=SECONDS,v1=HEX[,v1=HEX…]` over `SECONDS.BODY` (docs.stripe.com/webhooks, "Verify webhook signatures manually").
    private static func stripe(_ header: String?, _ body: [UInt8], _ secrets: [String], _ now: Instant) throws(Failure) {
        guard let header else { throw .missing }
        var time: String?
        var signatures: [[UInt8]] = []
        for part in header.split(separator: ",").prefix(signaturesMax) {
            let pair = part.split(separator: "=", maxSplits: 1)
            guard pair.count == 2 else { continue }
            let name = pair[0].filter { $0 != " " }
            if name == "t" { time = String(pair[1]) }
            if name == "v1", let bytes = bytes(hex: String(pair[1])) { signatures.append(bytes) }
        }
        guard let time, let seconds = Int64(time), !signatures.isEmpty else { throw .malformed }
        try check(Array("\(time).".utf8) + body, signatures, secrets.map { Array($0.utf8) })
        try checkTime(seconds, now)
    }

    /// `webhook-id`, `webhook-timestamp`, `webhook-signature: v1,BASE64 …` over `ID.SECONDS.BODY` (Standard Webhooks 1.0).
    private static func standard(_ headers: HTTPFields, _ body: [UInt8], _ secrets: [String], _ now: Instant) throws(Failure) {
        guard let id = headers[text: "webhook-id"], let time = headers[text: "webhook-timestamp"], let header = headers[text: "webhook-signature"] else {
            throw .missing
        }
        guard let seconds = Int64(time) else { throw .malformed }
        let signatures = header.split(separator: " ").prefix(signaturesMax).compactMap { part -> [UInt8]? in
            part.hasPrefix("v1,") ? Data(base64Encoded: String(part.dropFirst(3))).map { Array($0) } : nil
        }
        guard !signatures.isEmpty else { throw .malformed }
        try check(Array("\(id).\(time).".utf8) + body, signatures, secrets.flatMap(standardKeys))
        try checkTime(seconds, now)
    }

    /// The key that a secret of Standard Webhooks stands for: Base64, bare or behind `whsec_`. Nil when it is none or too short.
    static func standardKey(_ secret: String) -> [UInt8]? {
        let base64 = secret.hasPrefix("whsec_") ? String(secret.dropFirst(6)) : secret
        guard let key = Data(base64Encoded: base64), key.count >= Integration.secretBytesMin else { return nil }
        return Array(key)
    }

    /// The keys that may have signed: a bare text counts as its own bytes as well, for senders that know no Base64.
    static func standardKeys(_ secret: String) -> [[UInt8]] {
        let isBare = !secret.hasPrefix("whsec_") && secret.utf8.count >= Integration.secretBytesMin
        return [standardKey(secret)].compactMap { $0 } + (isBare ? [Array(secret.utf8)] : [])
    }

    private static func base64(_ header: String?, _ body: [UInt8], _ secrets: [String]) throws(Failure) {
        guard let header else { throw .missing }
        guard let signature = Data(base64Encoded: header) else { throw .malformed }
        try check(body, [Array(signature)], secrets.map { Array($0.utf8) })
    }

    /// Hexadecimal, bare or behind `sha256=`.
    private static func hex(_ header: String?, _ body: [UInt8], _ secrets: [String]) throws(Failure) {
        guard let header else { throw .missing }
        guard let signature = bytes(hex: header.hasPrefix("sha256=") ? String(header.dropFirst(7)) : header) else { throw .malformed }
        try check(body, [signature], secrets.map { Array($0.utf8) })
    }

    private static func token(_ header: String?, _ secrets: [String]) throws(Failure) {
        guard var text = header else { throw .missing }
        if text.lowercased().hasPrefix("bearer ") { text = String(text.dropFirst(7)) }
        guard secrets.contains(where: { isEqual($0, text) }) else { throw .wrong }
    }

    /// Whether two secret texts are equal, in a time that doesn't tell where they differ.
    static func isEqual(_ secret: String, _ text: String) -> Bool {
        let key = SymmetricKey(size: .bits256)
        let proof = HMAC<SHA256>.authenticationCode(for: Data(secret.utf8), using: key)
        return HMAC<SHA256>.isValidAuthenticationCode(proof, authenticating: Data(text.utf8), using: key)
    }

    private static func check(_ signed: [UInt8], _ signatures: [[UInt8]], _ keys: [[UInt8]]) throws(Failure) {
        var isRight = false
        for key in keys where !key.isEmpty {
            for signature in signatures
            where HMAC<SHA256>.isValidAuthenticationCode(signature, authenticating: signed, using: SymmetricKey(data: key)) { isRight = true }
        }
        guard isRight else { throw .wrong }
    }

    private static func checkTime(_ seconds: Int64, _ now: Instant) throws(Failure) {
        let (difference, overflow) = (now.millisecondsSince1970 / 1_000).subtractingReportingOverflow(seconds)
        guard !overflow, abs(difference) <= toleranceSeconds else { throw .expired }
    }

    private static func bytes(hex: String) -> [UInt8]? {
        let digits = Array(hex.utf8)
        guard digits.count == 64 else { return nil }
        var bytes: [UInt8] = []
        for start in stride(from: 0, to: digits.count, by: 2) {
            guard let byte = UInt8(String(decoding: digits[start..<start + 2], as: UTF8.self), radix: 16) else { return nil }
            bytes.append(byte)
        }
        return bytes
    }
}

extension WebhookSignature {
    /// Headers as the vendor would send them with this body: for samples and tests.
    /// `id`: of the message, where the rule has one.
    static func headers(
        _ vendor: Vendor, type: String, body: [UInt8], secret: String, mapping: GenericMapping?, id: String? = nil, now: Instant
    ) -> HTTPFields {
        func mac(_ bytes: [UInt8], _ key: [UInt8]) -> [UInt8] {
            Array(HMAC<SHA256>.authenticationCode(for: bytes, using: SymmetricKey(data: key)))
        }
        func base64(_ bytes: [UInt8]) -> String { Data(bytes).base64EncodedString() }
        func hex(_ bytes: [UInt8]) -> String { bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined() }
        let key = Array(secret.utf8)
        let seconds = String(now.millisecondsSince1970 / 1_000)
        var headers: [(String, String)] = []
        switch vendor {
        case .stripe: headers = [(stripeHeader, "t=\(seconds),v1=\(hex(mac(Array("\(seconds).".utf8) + body, key)))")]
        case .shopify: headers = [(shopifyHeader, base64(mac(body, key))), ("X-Shopify-Topic", type)]
        case .wooCommerce: headers = [(wooCommerceHeader, base64(mac(body, key))), ("X-WC-Webhook-Topic", type)]
        case .postback: break
        case .generic:
            guard let mapping else { break }
            switch mapping.signature {
            case .hmacHex: headers = [(mapping.header, hex(mac(body, key)))]
            case .hmacBase64: headers = [(mapping.header, base64(mac(body, key)))]
            case .token: headers = [(mapping.header, secret)]
            case .standard:
                let id = id ?? "sample-\(hex(Array(SHA256.hash(data: body).prefix(12))))"
                headers = [
                    ("webhook-id", id), ("webhook-timestamp", seconds),
                    ("webhook-signature", "v1," + base64(mac(Array("\(id).\(seconds).".utf8) + body, standardKey(secret) ?? key))),
                ]
            }
        }
        var fields: HTTPFields = [.contentType: "application/json"]
        for (name, value) in headers { if let field = HTTPField.Name(name) { fields[field] = value } }
        return fields
    }
}

extension HTTPFields {
    /// The value of a header by its name, in letters of any size; nil when it is not there.
    subscript(text name: String) -> String? { HTTPField.Name(name).flatMap { self[$0] } }
}
