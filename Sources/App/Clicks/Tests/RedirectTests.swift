import Chronology
import Foundation
import HTTPTypes
import NIOCore
import NIOPosix
import Persistence
import Testing
import TestSupport
import Web

@testable import App

/// `/r/{code}`: where it leads, and what counts.
@Suite struct RedirectTests {
    @Test(arguments: Engine.allCases) func aClickIsStoredBeforeTheAnswer(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let (_, anna) = try await app.shopWithAnna()
            let reply = try await app.visit("/r/anna?utm_source=news&mail=someone@example.test")
            #expect(reply.status == 302)
            let location = reply.headers[.location] ?? ""
            let click = String(location.split(separator: "=").last ?? "")
            #expect(location == "https://shop.test/?kith_click=\(click)")
            let cookies = reply.headers[values: .setCookie]
            #expect(cookies.contains { $0.hasPrefix("kith_click=\(click);") && $0.contains("SameSite=Lax") })
            #expect(cookies.contains { $0.hasPrefix("kith_visitor=vis_") })
            #expect(reply.headers[.cacheControl]?.contains("no-store") == true)
            let twin = app.twinID
            let stored = try await app.installation.clicks.read { connection in
                try ClickID(click).flatMap { try ClickStore.find($0, in: twin, on: connection) }
            }
            #expect(stored?.memberID?.text == anna)
            #expect(stored?.discard == nil)
            #expect(stored?.signals.text.contains("someone") == false, "no query but measurements is kept")
            // The second visit is the same visitor's.
            let visitor = cookies.first { $0.hasPrefix("kith_visitor=") }.map { String($0.prefix { $0 != ";" }) } ?? ""
            var fields = Browser.chrome
            fields[.cookie] = "other=1; \(visitor)"
            let again = try await app.visit("/r/anna", fields)
            #expect(again.headers[values: .setCookie].contains { $0.hasPrefix(visitor) })
        }
    }

    /// Remembered links are answered on the connection's event loop: the same answer and the same click as by the router.
    @Test(arguments: Engine.allCases) func theShortWayAnswersLikeTheRouter(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            _ = try await app.shopWithAnna()
            let redirect = Redirect(app.installation)
            func short(_ path: String, _ fields: HTTPFields = Browser.chrome) async throws -> HTTPResponse? {
                let request = HTTPRequest(method: .get, scheme: "http", authority: "127.0.0.1:8080", path: path, headerFields: fields)
                switch redirect.answer(to: request, remoteAddress: nil, eventLoop: MultiThreadedEventLoopGroup.singleton.any()) {
                case nil: return nil
                case .now(let response): return response
                case .later(let future): return try await future.get()
                }
            }
            #expect(try await short("/r/anna") == nil, "the router looks up what is not remembered")
            let routed = try await app.visit("/r/anna?utm_source=news")
            let answer = try #require(try await short("/r/ANNA?utm_source=news"))
            #expect(answer.status.code == routed.status)
            let ids = /(clk|vis)_[0-9a-z]{26}/
            // Only the router's answers have a request id: it names a line of the log, and visits leave none there.
            func comparable(_ fields: HTTPFields) -> [String] {
                fields.filter { $0.name.canonicalName != "x-request-id" }.map { "\($0.name.canonicalName): \($0.value.replacing(ids) { "\($0.output.1)_*" })" }.sorted()
            }
            #expect(comparable(answer.headerFields) == comparable(routed.headers))
            #expect(comparable(answer.headerFields).contains("location: https://shop.test/?kith_click=clk_*"))
            let clicks = try await app.installation.clicks.read { try ClickStore.after(0, limit: 10, on: $0) }
            #expect(clicks.count == 2)
            #expect(clicks.map(\.signals.text) == [#"{"utm_source":"news"}"#, #"{"utm_source":"news"}"#])
            #expect(clicks.map(\.discard) == [nil, nil])
            for path in ["/r/nobody", "/r/", "/r/anna/qr.svg", "/r/%61nna", "/api/v1/links"] { #expect(try await short(path) == nil, "\(path)") }
            // What changes is forgotten: an archived link is the router's to refuse.
            let link = try await app.get("/links")["data"].list.first["id"].text
            _ = try await app.call(.delete, "/api/v1/links/\(link)")
            let after = try await app.visit("/r/anna").status
            #expect(try await short("/r/anna").map { Int($0.status.code) } == (after == 302 ? 302 : nil))
        }
    }

    @Test(arguments: Engine.allCases) func whatDoesNotCountIsLogged(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            _ = try await app.shopWithAnna()
            let link = try await app.get("/links")["data"].list.first["id"].text
            func with(_ name: String, _ value: String) -> HTTPFields {
                var fields = Browser.chrome
                if let field = HTTPField.Name(name) { fields[field] = value }
                return fields
            }
            var logged: Int64 = 0
            for fields in [
                with("Purpose", "prefetch"), with("Sec-Purpose", "prefetch;prerender"), with("X-Moz", "prefetch"), with("Sec-Fetch-Dest", "image"),
                with("Sec-Fetch-Dest", "iframe"), with("Sec-Fetch-Dest", "script"), with("Sec-Fetch-Dest", "empty"),
                [.userAgent: Browser.chromeAgent, .accept: "image/avif,image/webp,image/*;q=0.8"], with("User-Agent", "Googlebot/2.1 (+http://www.google.com/bot.html)"),
                with("User-Agent", ""), with("User-Agent", "curl/8.5.0"), with("User-Agent", "facebookexternalhit/1.1"),
            ] {
                let reply = try await app.visit("/r/anna", fields)
                #expect(reply.status == 302)
                logged += 1
                let shown = try await app.get("/links/\(link)")
                #expect(shown["clicks"].integer == 0, "\(fields)")
                #expect(shown["clicksLogged"].integer == logged, "\(fields)")
            }
            #expect(try await app.visit("/r/anna", method: .head).status == 302)
            #expect(try await app.get("/links/\(link)")["clicks"].integer == 0)
            #expect(try await app.get("/links/\(link)")["clicksLogged"].integer == logged + 1)
            // An image's click brings nobody a sale.
            let image = try await app.visit("/r/anna", with("Sec-Fetch-Dest", "image"))
            let click = String((image.headers[.location] ?? "").split(separator: "=").last ?? "")
            let sale = try await app.sale("inv-1", "c-1", 1_000, ["clickId": .text(click)])
            #expect(sale["attribution"]["status"].text == "unattributed")
            #expect(sale["attribution"]["rejected"].list.count == 1)
        }
    }

    /// A shop's server tells of a visit: what it does not say of the visitor does not count against them, and what it is itself nobody asks.
    @Test(arguments: Engine.allCases) func aServerNeedNotTellTheAgent(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            _ = try await app.shopWithAnna()
            for (number, agent) in [nil, "python-requests/2.31", "curl/8.5.0", "node"].enumerated() {
                let reply = try await app.call(
                    .post, API.base + "/track/click", key: app.key, headers: agent.map { [.userAgent: $0] } ?? [:], bytes: (["code": "anna"] as JSONValue).bytes)
                let sale = try await app.sale("inv-\(number)", "c-\(number)", 1_000, ["clickId": .text(reply.json["clickId"].text)])
                #expect(sale["attribution"]["status"].text == "attributed", "\(agent ?? "none")")
            }
            let told = try await app.post("/track/click", ["code": "anna", "userAgent": "Googlebot/2.1 (+http://www.google.com/bot.html)"])
            let sale = try await app.sale("inv-9", "c-9", 1_000, ["clickId": .text(told["clickId"].text)])
            #expect(sale["attribution"]["status"].text == "unattributed", "what is told of the visitor counts")
        }
    }

    /// While the database is gone, links that were followed before lead on; what comes back is counted again.
    @Test(arguments: Engine.allCases) func linksLeadOnWhileTheDatabaseIsGone(_ engine: Engine) async throws {
        let faults = StorageFaults(seed: 1)
        try await AppHarness.with(engine, storage: { FaultyDatabase(base: $0, faults: faults) }) { app in
            _ = try await app.shopWithAnna()
            #expect(try await app.visit("/r/anna").status == 302)
            app.clock.advance(ms: 2 * 3_600_000)
            faults.make(gone: true)
            let reply = try await app.visit("/r/anna")
            #expect(reply.status == 302)
            #expect(reply.headers[.location]?.hasPrefix("https://shop.test/") ?? false)
            #expect(try await app.visit("/r/nobody").status == 503, "what was never asked for cannot be known")
            app.clock.advance(ms: 2 * 86_400_000)
            #expect(try await app.visit("/r/anna").status == 503, "after a day nobody knows where it leads")
            faults.make(gone: false)
            #expect(try await app.visit("/r/anna").status == 302)
        }
    }

    @Test func crawlersAreNotCounted() async throws {
        let file = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("../../../../.build-data/crawler-instances.json")
        let agents: [String]
        if let data = try? Data(contentsOf: file.standardized) {
            agents = try JSONValue.parse(Array(data), maximumBytes: 10_000_000).elements.map(\.textValue)
            #expect(agents.count > 2_000)
        } else {
            agents = Agents.crawlers
        }
        let classifier = ClickClassifier(try CrawlerPatterns(Embedded.files(.vendor)))
        let counted = agents.filter {
            classifier.discard(ClickClassifier.Request(userAgent: $0), address: nil, link: "lnk", at: AppHarness.start) == nil
        }
        #expect(Double(counted.count) <= Double(agents.count) * 0.01, "\(counted.prefix(20))")
    }

    @Test func browsersAreNotLost() async throws {
        let classifier = ClickClassifier(try CrawlerPatterns(Embedded.files(.vendor)))
        #expect(Agents.browsers.count >= 60)
        let lost = Agents.browsers.filter {
            classifier.discard(ClickClassifier.Request(userAgent: $0), address: nil, link: "lnk", at: AppHarness.start) != nil
        }
        #expect(lost == [])
    }

    @Test(arguments: Engine.allCases) func oneAddressCannotStuff(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            _ = try await app.shopWithAnna()
            let link = try await app.get("/links")["data"].list.first["id"].text
            for number in 0..<100 {
                try await app.post(
                    "/track/click",
                    ["code": "anna", "ip": "203.0.113.9", "userAgent": .text(Browser.chromeAgent.replacing("141", with: "\(100 + number)"))])
            }
            let shown = try await app.get("/links/\(link)")
            #expect(shown["clicksLogged"].integer == 100)
            #expect((1...Int64(ClickClassifier.addressCountMax)).contains(shown["clicks"].integer ?? 0))
        }
    }

    @Test(arguments: Engine.allCases) func linksEnd(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let (program, anna) = try await app.shopWithAnna()
            try await app.link(program, anna, code: "soon", ["expiresAt": .text(try app.clock.now.adding(milliseconds: 60_000).rfc3339)])
            #expect(try await app.visit("/r/soon").status == 302)
            app.clock.advance(ms: 59_999)
            #expect(try await app.visit("/r/soon").status == 302)
            app.clock.advance(ms: 1)
            let ended = try await app.visit("/r/soon")
            #expect([404, 410].contains(ended.status))
            #expect(ended.headers[.location] == nil)
            #expect(try await app.visit("/r/nobody").status == 404)
        }
    }

    @Test(arguments: Engine.allCases) func variantsByWeight(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let (program, anna) = try await app.shopWithAnna()
            try await app.link(
                program, anna, code: "ab",
                ["variants": [["destination": "https://shop.test/a", "weight": 3], ["destination": "https://shop.test/b", "weight": 1]]])
            var seen: [String: Int] = [:]
            for _ in 0..<400 {
                let location = try await app.visit("/r/ab").headers[.location] ?? ""
                seen[String(location.prefix { $0 != "?" }), default: 0] += 1
            }
            #expect(Set(seen.keys) == ["https://shop.test/a", "https://shop.test/b"])
            // 300 expected, standard deviation 8.7: six of them either way.
            #expect((248...352).contains(seen["https://shop.test/a"] ?? 0), "\(seen)")
        }
    }

    /// Nothing of the request decides where it leads.
    @Test(arguments: Engine.allCases) func noOpenRedirect(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            _ = try await app.shopWithAnna()
            for query in [
                "?url=https://evil.test", "?destination=//evil.test", "?to=%0d%0aLocation:https://evil.test", "?redirect=https://evil.test#x", "?kith_click=clk_evil",
            ] {
                let reply = try await app.visit("/r/anna\(query)")
                #expect(reply.status == 302)
                #expect(reply.headers[.location]?.hasPrefix("https://shop.test/?kith_click=clk_0") == true, "\(query): \(reply.headers[.location] ?? "")")
                #expect(reply.headers[values: .location].count == 1)
            }
            for path in ["/r//evil.test", "/r/https:%2f%2fevil.test", "/r/%2f%2fevil.test", "/r/..%2fevil", "/r/%0d%0aX:%20y", "/r/", "/r/%00", "/r/%F0%28"] {
                let reply = try await app.visit(path)
                #expect(reply.status == 404 || reply.status == 400, "\(path): \(reply.status)")
                #expect(reply.headers[.location]?.contains("evil") != true)
            }
        }
    }

    @Test(arguments: Engine.allCases) func destinationsOfAllowedHostsOnly(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let program = try await app.program(["allowedHosts": ["shop.test", "*.shop.example", "myapp:"]])
            let anna = try await app.member(program, "anna")
            let allowed = ["https://shop.test/x", "http://shop.test", "https://SHOP.test/", "https://a.shop.example/", "myapp://open/item?id=1"]
            let refused = [
                "https://evil.test/", "https://shop.test.evil.test/", "https://evil.test/shop.test", "https://shop.test@evil.test/", "https://evilshop.example/",
                "//shop.test/", "/path", "javascript:alert(1)", "data:text/html,x", "otherapp://x", "https://shop.test\\@evil.test/", "https://evil.test\\.shop.test/",
                "https://shop.test /x", "https:shop.test", "ftp://shop.test/", "https://", "", "https://shop.test:80@evil.test/",
            ]
            for (number, destination) in (allowed + refused).enumerated() {
                let reply = try await app.api(
                    .post, "/links", ["programId": .text(program), "memberId": .text(anna), "destination": .text(destination), "code": .text("l\(number)")])
                #expect(reply.status == (number < allowed.count ? 201 : 422), "\(destination): \(reply.text)")
                if number >= allowed.count { #expect(reply.fields == ["destination"], "\(destination)") }
            }
        }
    }

    @Test(arguments: Engine.allCases) func codesAreReadAsPeopleTypeThem(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let (program, anna) = try await app.shopWithAnna()
            try await app.link(program, anna, code: "Straße-Ünï_1")
            for path in ["Stra%C3%9Fe-%C3%9Cn%C3%AF_1", "STRA%C3%9FE-%C3%BCN%C3%8F_1", "stra%C3%9Fe-u%CC%88ni%CC%88_1", "%EF%BC%B3tra%C3%9Fe-%C3%9Cn%C3%AF_%EF%BC%91"] {
                #expect(try await app.visit("/r/\(path)").status == 302, "\(path)")
            }
            #expect(try await app.visit("/r/ANNA").status == 302)
            let twice = try await app.api(.post, "/links", ["programId": .text(program), "destination": "https://shop.test/", "code": "ＡＮＮＡ"])
            #expect(twice.code == "code_taken")
            for word in ReservedCodes.words {
                for code in [word, word.uppercased()] {
                    let reply = try await app.api(.post, "/links", ["programId": .text(program), "destination": "https://shop.test/", "code": .text(code)])
                    #expect(reply.status == 422, "\(code)")
                }
            }
        }
    }

    @Test(arguments: Engine.allCases) func cookielessProgramsSetNone(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            _ = try await app.shopWithAnna(["cookieless": true])
            let reply = try await app.visit("/r/anna")
            #expect(reply.status == 302)
            #expect(reply.headers[values: .setCookie].isEmpty)
            #expect(reply.headers[.location]?.contains("kith_click=clk_") == true)
        }
    }

    @Test func drawingsOfLinks() async throws {
        try await AppHarness.with(.sqlite) { app in
            _ = try await app.shopWithAnna()
            let svg = try await app.visit("/r/anna/qr.svg")
            #expect(svg.status == 200)
            #expect(svg.text.contains("<svg"))
            let png = try await app.visit("/r/anna/qr.png")
            #expect(png.body.starts(with: [0x89, 0x50, 0x4E, 0x47]))
            #expect(try await app.visit("/r/nobody/qr.svg").status == 404)
        }
    }
}
