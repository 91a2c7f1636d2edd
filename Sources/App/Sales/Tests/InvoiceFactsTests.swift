import HTTPTypes
import Persistence
import TestSupport
import Testing
import Web

@testable import App

/// One invoice is told with one set of facts: other facts are a conflict, how the buyer came is none of them.
@Suite struct InvoiceFactsTests {
    static let told: JSONValue = ["code": "anna", "metadata": ["channel": "shop", "size": 7, "tags": ["a", "b"]]]

    @Test(arguments: Engine.allCases) func metadataIsAFact(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            _ = try await app.shopWithAnna()
            let first = try await app.sale("inv-1", "c-1", 1_000, Self.told)
            let others: [JSONValue] = [
                ["channel": "web", "size": 7, "tags": ["a", "b"]], ["channel": "shop", "size": 8, "tags": ["a", "b"]],
                ["channel": "shop", "size": 7, "tags": ["b", "a"]], ["channel": "shop", "size": 7], .object([]),
                ["channel": "shop", "size": 7, "tags": ["a", "b"], "more": true], ["channel": "shop", "size": "7", "tags": ["a", "b"]],
            ]
            for other in others {
                let reply = try await app.api(.post, "/track/sale", AppHarness.saleBody("inv-1", "c-1", 1_000, ["code": "anna", "metadata": other]))
                #expect(reply.status == 409 && reply.code == "invoice_conflict", "\(other): \(reply.text)")
            }
            let without = try await app.api(.post, "/track/sale", AppHarness.saleBody("inv-1", "c-1", 1_000, ["code": "anna"]))
            #expect(without.status == 409)
            // The order of names is none of the facts; neither is how the buyer came.
            for same in [
                Self.told, ["code": "anna", "metadata": ["tags": ["a", "b"], "size": 7, "channel": "shop"]],
                ["metadata": ["channel": "shop", "size": 7, "tags": ["a", "b"]], "visitorId": "v-9"],
            ] as [JSONValue] {
                let reply = try await app.api(.post, "/track/sale", AppHarness.saleBody("inv-1", "c-1", 1_000, same))
                #expect(reply.status == 200 && reply.json["saleId"].text == first["saleId"].text, "\(same): \(reply.text)")
            }
            #expect(try await app.get("/sales")["data"].list.count == 1)
        }
    }

    /// Nothing said and an empty object are the same.
    @Test(arguments: Engine.allCases) func noMetadataIsNoFact(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            _ = try await app.shopWithAnna()
            try await app.sale("inv-1", "c-1", 1_000)
            #expect(try await app.api(.post, "/track/sale", AppHarness.saleBody("inv-1", "c-1", 1_000, ["metadata": .object([])])).status == 200)
        }
    }
}
