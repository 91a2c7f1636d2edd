import Foundation
import HTTPTypes
import Persistence
import TestSupport
import Testing
import Web

@testable import App

/// What nobody has proven yet is taken in measure.
@Suite struct InboundLimitTests {
    @Test(arguments: Engine.allCases) func whoSendsTooMuchIsToldToComeLater(_ engine: Engine) async throws {
        let requests = 30
        try await AppHarness.with(engine, settings: { $0.rateLimit = requests }) { app in
            let shop = try await VendorShop.open(app, .stripe)
            let event = shop.stripe("customer.created", ["id": "cus_1"])
            for _ in 0..<requests { #expect(try await shop.post(event, secret: "whsec_somebody-elses-secret").status == 401) }
            let refused = try await shop.post(event)
            #expect(refused.status == 429)
            #expect(refused.headers[.retryAfter].flatMap { Int($0) }.map { (1...InboundLimit.periodSeconds).contains($0) } == true)
            let postback = try await app.call(.get, "\(API.base)/track/postback/\(app.twinID.text)/guessed")
            #expect(postback.status == 429, "the secret of a postback is not for trying")
            #expect(try await shop.events().isEmpty)
        }
    }

    @Test func oneSenderAloneShutsNoSource() throws {
        let limit = try #require(InboundLimit(requests: 2, addressKiB: 10, sourceKiB: 25))
        func take(_ address: String, _ source: String, bytes: Int = 100) -> Bool {
            (try? limit.admit(address: address)) != nil && (try? limit.admit(bytes: bytes, address: address, source: source)) != nil
        }
        #expect(take("192.0.2.1", "stripe a") && take("192.0.2.1", "stripe a"))
        #expect(!take("192.0.2.1", "stripe b"), "an address has its limit everywhere")
        #expect(take("192.0.2.2", "stripe a"), "another may still tell what happened")
        #expect(!take("192.0.2.3", "stripe c", bytes: 11 * 1_024), "bytes count as well")
        for host in 4..<6 { #expect(take("192.0.2.\(host)", "stripe d", bytes: 9 * 1_024)) }
        #expect(!take("192.0.2.7", "stripe d", bytes: 9 * 1_024), "and so they do for a source")
        #expect(InboundLimit(requests: 0) == nil)
    }
}
