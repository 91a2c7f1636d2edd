import Chronology
import HTTPTypes
import Persistence
import TestSupport
import Testing
import Web

@testable import App

/// A publishable key stands in the source of every page: whoever has it says little, and learns less.
@Suite struct BrowserKeyTests {
    private func lead(_ app: AppHarness, _ customer: String, _ more: JSONValue, event: String = "sign-up") async throws -> Reply {
        var body: JSONValue = ["eventName": .text(event), "customerExternalId": .text(customer)]
        if case .object(let members) = more { for member in members { body = body.adding(member.name, member.value) } }
        return try await app.api(.post, "/track/lead", body, as: app.publishableKey)
    }

    private func customer(_ app: AppHarness, _ externalID: String) async throws -> JSONValue? {
        try await app.get("/customers?limit=100")["data"].list.first { $0["externalId"].text == externalID }
    }

    @Test(arguments: Engine.allCases) func aLeadAnswersNothingOfOthers(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let (_, anna) = try await app.shopWithAnna()
            let reply = try await lead(app, "c-1", ["code": "anna", "customerEmail": "c1@buyers.test"])
            #expect(reply.status == 201)
            #expect(Set(reply.json.names) == ["leadId", "state"])
            #expect(!reply.text.contains(anna))
            let again = try await lead(app, "c-1", ["code": "anna"])
            #expect(again.status == 200 && Set(again.json.names) == ["leadId", "state"])
        }
    }

    /// Shops number their customers and orders: nobody takes them for a member beforehand, in a page.
    @Test(arguments: Engine.allCases, ["woocommerce:305", "shopify:77001", "postback:order-Z9", "stripe:cus_1", "generic:7", "WooCommerce:305"])
    func aShopsCustomersAreToldByTheShop(_ engine: Engine, _ id: String) async throws {
        try await AppHarness.with(engine) { app in
            _ = try await app.shopWithAnna()
            let reply = try await lead(app, id, ["code": "anna"])
            #expect(reply.status == 422 && reply.fields == ["customerExternalId"])
            #expect(try await customer(app, id) == nil)
            #expect(try await app.api(.post, "/track/lead", ["eventName": "sign-up", "customerExternalId": .text(id), "code": "anna"]).status == 201, "its server may")
        }
    }

    @Test(arguments: Engine.allCases) func aLeadOverwritesNobody(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            _ = try await app.shopWithAnna()
            try await app.sale("inv-1", "c-1", 1_000, ["customerEmail": "real@buyers.test", "customerName": "Real Buyer"])
            _ = try await lead(app, "c-1", ["customerEmail": "forged@evil.test", "customerName": "Forged"])
            let known = try await customer(app, "c-1")
            #expect(known["email"].text == "real@buyers.test" && known["name"].text == "Real Buyer")
            // The look-ups neither: the forged mail is nobody's, the real one still finds the buyer behind a member.
            let forged = app.installation.vault.lookupHash(app.twinID, "mailbox", "forged@evil.test")
            let found: Int64? = try await app.installation.main.read { connection in
                try connection.value("SELECT count(*) FROM person_lookup WHERE hash = \(forged)")
            }
            #expect(found == 0)
            // What is not known yet is taken.
            _ = try await lead(app, "c-2", ["customerEmail": "second@buyers.test"])
            #expect(try await customer(app, "c-2")["email"].text == "second@buyers.test")
            // A server may correct it.
            try await app.post("/track/lead", ["eventName": "other", "customerExternalId": "c-1", "customerEmail": "new@buyers.test"])
            #expect(try await customer(app, "c-1")["email"].text == "new@buyers.test")
        }
    }

    @Test(arguments: Engine.allCases) func aLeadSetsNoTimesAndNoDevices(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            _ = try await app.shopWithAnna()
            let id = try await lead(app, "c-1", ["occurredAt": "2025-06-01T00:00:00Z", "deviceId": "device-of-anna"]).json["leadId"].text
            let receipt = try await app.get("/leads/\(id)/receipt")
            let at = try receipt["lead"]["occurredAt"].instant()
            #expect(at == AppHarness.start)
            let devices: Int64? = try await app.installation.main.read { connection in
                try connection.value("SELECT count(*) FROM person_lookup WHERE kind = 'device'")
            }
            #expect(devices == 0)
        }
    }

    @Test(arguments: Engine.allCases) func aClickSpeaksForItsOwnBrowser(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            _ = try await app.shopWithAnna()
            let link = try await app.get("/links")["data"].list.first["id"].text
            let body: JSONValue = [
                "code": "anna", "userAgent": .text(Browser.chromeAgent), "ip": "203.0.113.9", "occurredAt": "2025-06-01T00:00:00Z",
            ]
            func told(_ agent: String, as key: String) async throws -> Click? {
                var headers: HTTPFields = [.userAgent: agent]
                headers[.contentType] = "application/json"
                let reply = try await app.call(.post, API.base + "/track/click", key: key, headers: headers, bytes: body.bytes)
                #expect(reply.status == 201, "\(reply.text)")
                let id = ClickID(stored: reply.json["clickId"].text)
                let twin = app.twinID
                return try await app.installation.clicks.read { connection in try ClickStore.find(id, in: twin, on: connection) }
            }
            // A page cannot lend a crawler a browser's name, nor choose the time.
            let crawler = try await told("Googlebot/2.1 (+http://www.google.com/bot.html)", as: app.publishableKey)
            #expect(crawler?.discard == "crawler" && crawler?.at == AppHarness.start)
            #expect(crawler?.userAgent?.hasPrefix("Googlebot") == true && crawler?.addressHash == nil)
            let own = try await told(Browser.chromeAgent, as: app.publishableKey)
            #expect(own?.discard == nil && own?.at == AppHarness.start)
            // A server may: it tells of others.
            let server = try await told("Server/1.0", as: app.key)
            #expect(server?.discard == nil && server?.userAgent == Browser.chromeAgent && server?.addressHash != nil)
            #expect(server?.at == (try Instant(rfc3339: "2025-06-01T00:00:00Z")))
            try await app.installation.applyClicks()
            #expect(try await app.get("/links/\(link)")["clicks"].integer == 2)
        }
    }
}
