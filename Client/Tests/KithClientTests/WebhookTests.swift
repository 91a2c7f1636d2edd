import Foundation
import Testing

@testable import KithClient

/// Only what Kith signed a short time ago is believed.
@Suite struct WebhookTests {
    private let now = Date(timeIntervalSince1970: 1_800_000_000)
    private let body = Data(
        #"{"id":"evt_01abc","type":"sale.created","createdAt":"2026-11-22T10:00:00Z","apiVersion":"2026-11-01","data":{"amount":8600},"later":1}"#.utf8)

    private func secret(_ filling: UInt8 = 7) throws -> WebhookSecret {
        try #require(WebhookSecret("whsec_" + Data(repeating: filling, count: 24).base64EncodedString()))
    }

    /// The example that the Standard Webhooks libraries carry, whose signature their Python library gives as well.
    @Test func takesWhatOtherLibrariesSign() throws {
        let secret = try #require(WebhookSecret("whsec_plJ3nmyCDGBKInavdOK15jsl"))
        let headers = [
            "webhook-id": "msg_loFOjxBNrRLzqYUf", "webhook-timestamp": "1731705121",
            "webhook-signature": "v1,rAvfW3dJ/X/qxhsaXPOyyCGmRKsaKWcsNccKXlIktD0=",
        ]
        let ping = Data(#"{"event_type":"ping","data":{"success":true}}"#.utf8)
        try WebhookVerifier(secrets: [secret]).verify(body: ping, headers: headers, now: Date(timeIntervalSince1970: 1_731_705_125))
    }

    @Test func givesTheEvent() throws {
        let secret = try secret()
        let headers = WebhookVerifier.headers(id: "evt_01abc", body: body, secret: secret, at: now)
        let event = try WebhookVerifier(secrets: [secret]).event(body: body, headers: headers, now: now)
        #expect(event.id.text == "evt_01abc" && event.type == "sale.created" && event.data["amount"].integer == 8_600)
    }

    @Test func namesOfHeadersHaveNoCase() throws {
        let headers = Dictionary(
            uniqueKeysWithValues: WebhookVerifier.headers(id: "evt_1", body: body, secret: try secret(), at: now).map { ($0.key.uppercased(), $0.value) })
        try WebhookVerifier(secrets: [try secret()]).verify(body: body, headers: headers, now: now)
    }

    /// While the secret changes, both are good; and a request that bears signatures of both is taken by who knows one.
    @Test func takesEitherSecretWhileItChanges() throws {
        let (old, new) = (try secret(1), try secret(2))
        let byOld = WebhookVerifier.headers(id: "evt_1", body: body, secret: old, at: now)
        let byNew = WebhookVerifier.headers(id: "evt_1", body: body, secret: new, at: now)
        for headers in [byOld, byNew] { try WebhookVerifier(secrets: [old, new]).verify(body: body, headers: headers, now: now) }
        var both = byOld
        both["webhook-signature"] = "\(byOld["webhook-signature"] ?? "") \(byNew["webhook-signature"] ?? "")"
        try WebhookVerifier(secrets: [new]).verify(body: body, headers: both, now: now)
    }

    @Test func believesNothingElse() throws {
        let secret = try secret()
        let good = WebhookVerifier.headers(id: "evt_1", body: body, secret: secret, at: now)
        func changed(_ name: String, _ value: String?) -> [String: String] {
            var headers = good
            headers[name] = value
            return headers
        }
        func verdict(_ headers: [String: String], _ body: Data, secrets: [WebhookSecret], at time: Date) -> WebhookFailure? {
            do throws(WebhookFailure) {
                try WebhookVerifier(secrets: secrets).verify(body: body, headers: headers, now: time)
                return nil
            } catch { return error }
        }
        #expect(verdict(good, body, secrets: [secret], at: now) == nil)
        #expect(verdict(good, body + Data(" ".utf8), secrets: [secret], at: now) == .wrongSignature)
        #expect(verdict(good, body, secrets: [try self.secret(9)], at: now) == .wrongSignature)
        #expect(verdict(good, body, secrets: [], at: now) == .wrongSignature)
        #expect(verdict(changed("webhook-id", "evt_2"), body, secrets: [secret], at: now) == .wrongSignature)
        #expect(verdict(changed("webhook-timestamp", "1800000001"), body, secrets: [secret], at: now) == .wrongSignature)
        #expect(verdict(changed("webhook-timestamp", "soon"), body, secrets: [secret], at: now) == .missingHeader("webhook-timestamp"))
        #expect(verdict(changed("webhook-timestamp", "-9223372036854775808"), body, secrets: [secret], at: now) == .missingHeader("webhook-timestamp"))
        #expect(verdict(changed("webhook-signature", nil), body, secrets: [secret], at: now) == .missingHeader("webhook-signature"))
        for signature in ["", "v1,", "v1,!!", "v2,\(good["webhook-signature"]?.dropFirst(3) ?? "")", "v1"] {
            #expect(verdict(changed("webhook-signature", signature), body, secrets: [secret], at: now) == .wrongSignature, "\(signature)")
        }
        #expect(verdict(good, body, secrets: [secret], at: now.addingTimeInterval(300)) == nil)
        #expect(verdict(good, body, secrets: [secret], at: now.addingTimeInterval(301)) == .tooOld(ageSeconds: 301))
        #expect(verdict(good, body, secrets: [secret], at: now.addingTimeInterval(-301)) == .tooOld(ageSeconds: -301))
        #expect(verdict(good, Data(count: WebhookVerifier.bodyBytesMax + 1), secrets: [secret], at: now) == .tooLarge)
    }

    @Test func secretsArePlainTextsNowhere() throws {
        #expect(WebhookSecret("whsec_") == nil && WebhookSecret("nonsense!") == nil && WebhookSecret("whsec_AAAA") == nil)
        #expect("\(try secret())" == "whsec_…")
        #expect("\(try #require(KithClient.Key("kith_sk_abcdef")))" == "kith_sk_…")
    }
}
