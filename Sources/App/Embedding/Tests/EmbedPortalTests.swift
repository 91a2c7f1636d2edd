import Chronology
import HTTPTypes
import Persistence
import TestSupport
import Testing
import Web

@testable import App

/// The portal in a frame: of sites that the company named, by a token that is good once.
@Suite struct EmbedPortalTests {
    @Test(arguments: Engine.allCases) func aTokenOpensThePortalOnceInAFrame(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let (_, anna) = try await app.shopWithAnna()
            try await app.put("/embedding", ["origins": ["https://www.Shop.test/", "http://127.0.0.1:9000"]])
            #expect(try await app.get("/embedding")["origins"].list.map(\.textValue) == ["https://www.shop.test", "http://127.0.0.1:9000"])
            let made = try await app.post("/tokens/embed", ["memberId": .text(anna), "portal": true])
            let path = String(made["embedUrl"].text.dropFirst(app.installation.baseURL.count))
            let entered = try await app.call(.get, path)
            let cookie = entered.headers[.setCookie] ?? ""
            #expect(entered.status == 303 && entered.headers[.location] == "/portal")
            for part in ["__Host-kith_member=", "Secure", "HttpOnly", "SameSite=None", "Partitioned"] { #expect(cookie.contains(part), "\(cookie)") }
            #expect(try await app.call(.get, path).status == 410, "used up")
            let pair = String(cookie.prefix { $0 != ";" })
            let page = try await app.call(.get, "/portal", headers: [.cookie: pair])
            let policy = page.headers[.contentSecurityPolicy] ?? ""
            #expect(page.status == 200 && policy.contains("frame-ancestors https://www.shop.test http://127.0.0.1:9000") && policy.contains("script-src 'nonce-"))
            // Its hour ends, and the frame says so on a page that any site may show.
            app.clock.advance(ms: EmbedEntrance.sessionMs)
            var framed: HTTPFields = [.cookie: pair]
            framed[.secFetchDest] = "iframe"
            #expect(try await app.call(.get, "/portal", headers: framed).headers[.location] == "/embed/ended")
            let ended = try await app.call(.get, "/embed/ended")
            #expect(ended.status == 410 && ended.headers[.contentSecurityPolicy]?.contains("frame-ancestors *") == true)
        }
    }

    @Test(arguments: Engine.allCases) func nobodyFramesByDefault(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let (_, anna) = try await app.shopWithAnna()
            let made = try await app.post("/tokens/embed", ["memberId": .text(anna), "portal": true])
            let entered = try await app.call(.get, String(made["embedUrl"].text.dropFirst(app.installation.baseURL.count)))
            let pair = String((entered.headers[.setCookie] ?? "").prefix { $0 != ";" })
            #expect(try await app.call(.get, "/portal", headers: [.cookie: pair]).headers[.contentSecurityPolicy]?.contains("frame-ancestors 'none'") == true)
            #expect(try await app.call(.get, "/portal/sign-in").headers[.contentSecurityPolicy]?.contains("frame-ancestors 'none'") == true)
            // What a page's script reads with opens nothing.
            #expect(try await app.call(.get, "/embed?token=\(made["token"].text)").status == 410)
            for bad in ["", "x", "kith_et_a.b"] { #expect(try await app.call(.get, "/embed?token=\(bad)").status == 410) }
            #expect(try await app.post("/tokens/embed", ["memberId": .text(anna)])["embedUrl"] == .null)
        }
    }

    @Test(arguments: [
        "*", "https://*", "https://*.shop.test", "http://shop.test", "https://shop.test/path", "https://shop.test; script-src *", "https://shop.test https://evil.test",
        "javascript://shop.test", "https://", "shop.test", "https://shop.test:0", "https://user@shop.test", "https://10.0.0.1", "'self'", "data:",
    ])
    func whatIsNoSiteIsRefused(_ text: String) { #expect(EmbedOrigin.read(text) == nil) }
}
