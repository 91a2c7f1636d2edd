import Chronology
import HTTPTypes
import Persistence
import TestSupport
import Testing
import Web

@testable import App

/// Codes are unique per host: a short domain answers for its own company's codes.
@Suite struct ShortDomainTests {
    /// The twin has go.one.test and go.two.test, each with the code `sale`; the live workspace has go.live.test.
    private func domains(_ app: AppHarness) async throws -> (program: String, links: [String: String], members: [String: String]) {
        let program = try await app.program()
        var links: [String: String] = [:]
        var members: [String: String] = [:]
        for name in ["one", "two"] {
            let host = "go.\(name).test"
            try await app.prove(host)
            members[name] = try await app.member(program, name)
            links[name] = try await app.link(
                program, members[name], code: "sale", ["host": .text(host), "destination": .text("https://shop.test/\(name)")])
        }
        try await app.prove("go.live.test", in: app.workspace.workspace.id)
        return (program, links, members)
    }

    @Test(arguments: Engine.allCases) func theSameCodeLeadsToTwoLinks(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let (program, links, _) = try await domains(app)
            for (name, hosts) in ["one": ["go.one.test", "GO.ONE.TEST", "go.one.test:8443"], "two": ["go.two.test"]] {
                for host in hosts {
                    let reply = try await app.visit("http://\(host)/r/sale")
                    #expect(reply.status == 302 && reply.headers[.location]?.hasPrefix("https://shop.test/\(name)?") == true, "\(host): \(reply.status)")
                }
            }
            try await app.installation.applyClicks()
            #expect(try await app.get("/links/\(links["one"] ?? "")")["clicksLogged"].integer == 3)
            #expect(try await app.get("/links/\(links["two"] ?? "")")["clicksLogged"].integer == 1)
            // On one host a code is taken once; on the server's own address it is free.
            let twice = try await app.api(
                .post, "/links", ["programId": .text(program), "destination": "https://shop.test/", "code": "SALE", "host": "go.one.test"])
            #expect(twice.code == "code_taken")
            #expect(try await app.visit("/r/sale").status == 404)
        }
    }

    @Test(arguments: Engine.allCases) func aDomainAnswersForItsOwnCompanyOnly(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let (program, _, members) = try await domains(app)
            try await app.link(program, members["one"], code: "plain")
            #expect(try await app.visit("/r/plain").status == 302)
            #expect(try await app.visit("http://go.one.test/r/plain").status == 302, "the company's own codes work on its domains")
            #expect(try await app.visit("http://go.live.test/r/plain").status == 404, "another company's do not")
            #expect(try await app.visit("http://go.live.test/r/sale").status == 404)
            #expect(try await app.visit("http://go.live.test/r/plain/qr.svg").status == 404)
            // Nobody takes a domain that is somebody's, or makes links on it.
            await #expect(throws: Problem.self) { try await app.prove("go.one.test", in: app.workspace.workspace.id) }
            let live = try await app.post("/programs", ["name": "Live", "currency": "EUR"], as: app.liveKey)["id"].text
            let foreign = try await app.api(
                .post, "/links", ["programId": .text(live), "destination": "https://shop.test/", "code": "mine", "host": "go.one.test"], as: app.liveKey)
            #expect(foreign.fields == ["host"])
        }
    }

    @Test(arguments: Engine.allCases) func clicksThatAreToldNameTheirDomain(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let (program, _, members) = try await domains(app)
            try await app.link(program, members["one"], code: "other", ["host": "go.one.test"])
            func told(_ url: String) async throws -> String {
                try await app.post("/track/click", ["url": .text(url), "userAgent": .text(Browser.chromeAgent)])["member"]["id"].text
            }
            #expect(try await told("https://go.one.test/r/sale?utm_source=x") == members["one"])
            #expect(try await told("https://go.two.test/r/sale") == members["two"])
            #expect(try await told("https://GO.TWO.test/r/SALE/") == members["two"])
            // The code of another domain is none here.
            #expect(try await told("https://go.two.test/r/other") == "")
        }
    }

    /// Whoever follows a link that has ended is told so, and the click is in the log, where it counts for nothing.
    @Test(arguments: Engine.allCases) func anEndedLinkIsLoggedAndGone(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let (program, anna) = try await app.shopWithAnna()
            let link = try await app.link(
                program, anna, code: "soon", ["expiresAt": .text(try app.clock.now.adding(milliseconds: 60_000).rfc3339)])
            #expect(try await app.visit("/r/soon").status == 302)
            app.clock.advance(ms: 60_000)
            for _ in 0..<2 {
                let ended = try await app.visit("/r/soon")
                #expect(ended.status == 410)
                #expect(ended.headers[.location] == nil && ended.headers[values: .setCookie].isEmpty)
            }
            try await app.installation.applyClicks()
            let shown = try await app.get("/links/\(link)")
            #expect(shown["clicks"].integer == 1 && shown["clicksLogged"].integer == 3)
            let twin = app.twinID
            let discards = try await app.installation.clicks.read { connection in
                try connection.rows("SELECT discard FROM click WHERE workspace_id = \(twin) ORDER BY sequence").map { try $0.get(at: 0, as: String?.self) }
            }
            #expect(discards == [nil, "expiredLink", "expiredLink"])
        }
    }
}
