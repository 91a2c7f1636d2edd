import Chronology
import Foundation
import HTTPTypes
import Testing
import Web

@testable import App

/// Signatures that vendors' own libraries made are right; anything else is not.
@Suite struct WebhookSignatureTests {
    private struct Vector: Sendable {
        var vendor: Vendor
        var secret: String
        var body: [UInt8]
        var headers: HTTPFields
    }

    private static let standard = GenericMapping(
        signature: .standard, header: "X-Signature", amountForm: .minor, eventIDPath: nil, typePath: nil, kinds: ["*": .sale], paths: [:])

    /// Made by `Tests/Signatures/make.py`.
    private static func vectors() throws -> (now: Instant, vectors: [Vector]) {
        let file = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("../../../../Tests/Signatures/vectors.json").standardized
        let json = try JSONValue.parse(Array(Data(contentsOf: file)), maximumBytes: 1_000_000)
        let vectors = json["vectors"].list.compactMap { vector -> Vector? in
            guard let vendor = Vendor(rawValue: vector["vendor"].text), case .object(let members)? = vector["headers"] else { return nil }
            var headers: HTTPFields = [:]
            for member in members { if let name = HTTPField.Name(member.name) { headers[name] = member.value.textValue } }
            return Vector(vendor: vendor, secret: vector["secret"].text, body: Array(vector["body"].text.utf8), headers: headers)
        }
        return (Instant(millisecondsSince1970: (json["now"].integer ?? 0) * 1_000), vectors)
    }

    private static func failure(_ vector: Vector, body: [UInt8]? = nil, secrets: [String]? = nil, headers: HTTPFields? = nil, now: Instant) -> WebhookSignature.Failure? {
        do {
            try WebhookSignature.verify(
                vector.vendor, headers: headers ?? vector.headers, body: body ?? vector.body, secrets: secrets ?? [vector.secret], mapping: standard, now: now)
            return nil
        } catch {
            return error
        }
    }

    @Test func vendorsSignaturesAreRight() throws {
        let (now, vectors) = try Self.vectors()
        #expect(vectors.count == 15)
        #expect(Set(vectors.map(\.vendor)) == [.stripe, .shopify, .wooCommerce, .generic])
        for vector in vectors {
            #expect(Self.failure(vector, now: now) == nil, "\(vector.vendor)")
            #expect(Self.failure(vector, secrets: ["new", vector.secret], now: now) == nil, "the former secret still counts")
            #expect(Self.failure(vector, secrets: ["other"], now: now) == .wrong)
            #expect(Self.failure(vector, secrets: [], now: now) == .wrong)
            #expect(Self.failure(vector, body: vector.body + [0x20], now: now) == .wrong, "one blank more is another body")
            #expect(Self.failure(vector, headers: [:], now: now) == .missing)
        }
    }

    @Test func signedTimesGrowOld() throws {
        let (now, vectors) = try Self.vectors()
        for vector in vectors where vector.vendor == .stripe || vector.vendor == .generic {
            for (seconds, wanted) in [(300, nil), (-300, nil), (301, .expired), (-301, .expired), (86_400, .expired)] as [(Int64, WebhookSignature.Failure?)] {
                #expect(Self.failure(vector, now: try now.adding(milliseconds: seconds * 1_000)) == wanted, "\(vector.vendor) after \(seconds) s")
            }
        }
    }

    /// Whatever stands in the header, the answer is a refusal.
    @Test func oddHeadersAreRefused() throws {
        let (now, vectors) = try Self.vectors()
        let odd = [
            "", ",", "t=", "v1=", "t=,v1=", "t=1767225600", "t=1767225600,v1=", "t=1767225600,v1=zz", "t=99999999999999999999,v1=" + String(repeating: "a", count: 64),
            "t=-9223372036854775808,v1=" + String(repeating: "0", count: 64), "v1,", "v1,%%%", "===", String(repeating: "v1=a,", count: 500), "t=1767225600,v0=" + String(repeating: "a", count: 64),
        ]
        for vector in vectors {
            for text in odd {
                var headers = vector.headers
                for field in vector.headers where field.name.canonicalName != "webhook-id" && field.name.canonicalName != "webhook-timestamp" { headers[field.name] = text }
                #expect(Self.failure(vector, headers: headers, now: now) != nil, "\(vector.vendor) with \(text.prefix(60))")
            }
        }
    }

    /// What we sign for test events is what the libraries sign.
    @Test func ownSignaturesAreTheVendors() throws {
        let (now, vectors) = try Self.vectors()
        for vector in vectors where vector.vendor != .generic && vector.secret != "whsec_new" {
            let own = WebhookSignature.headers(vector.vendor, type: "x", body: vector.body, secret: vector.secret, mapping: nil, now: now)
            for field in vector.headers { #expect(own[field.name] == field.value, "\(vector.vendor)") }
        }
    }
}
