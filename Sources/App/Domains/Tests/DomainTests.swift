import Chronology
import HTTPTypes
import Persistence
import TestSupport
import Testing
import Web

@testable import App

/// A host is used when its company has proved it, answers for that company alone, and for members and friends alone.
@Suite struct DomainTests {
    @Test(arguments: Engine.allCases) func aHostIsProvedByItsRecord(_ engine: Engine) async throws {
        let server = try DNSServer()
        defer { server.stop() }
        let setting = server.setting
        try await AppHarness.with(engine, settings: { $0.dnsServers = [setting] }) { app in
            let added = try await app.post("/domains", ["host": "Partners.Shop.test."])
            #expect(added["host"].text == "partners.shop.test" && added["state"].text == "pending")
            let record = try #require(added["records"].list.first)
            #expect(record["type"].text == "TXT" && record["name"].text == "_kith.partners.shop.test")
            // Nothing is there; then something else; then the proof.
            var seen = try await app.post("/domains/partners.shop.test/check", [:])
            #expect(seen["state"].text == "pending" && seen["found"]["proof"].text == "none")
            #expect(try await app.call(.get, "/domains/ask?domain=partners.shop.test").status == 404)
            server.set("_kith.partners.shop.test", .txt("kith-domain=another"))
            seen = try await app.post("/domains/partners.shop.test/check", [:])
            #expect(seen["found"]["texts"].list.map(\.textValue) == ["kith-domain=another"] && seen["state"].text == "pending")
            server.set("_kith.partners.shop.test", .txt("v=other"), .txt(record["value"].text))
            server.set("partners.shop.test", .cname("kith.example"), .a("192.0.2.9"))
            seen = try await app.post("/domains/partners.shop.test/check", [:])
            #expect(seen["state"].text == "verified" && seen["isMain"] == true && seen["found"]["names"].list.map(\.textValue) == ["kith.example"])
            for asked in ["partners.shop.test", "PARTNERS.SHOP.TEST", "partners.shop.test."] {
                #expect(try await app.call(.get, "/domains/ask?domain=\(asked)").status == 200, "\(asked)")
            }
            for asked in ["shop.test", "", "other.shop.test", "127.0.0.1", "partners.shop.test%00", "%0d%0a"] {
                #expect(try await app.call(.get, "/domains/ask?domain=\(asked)").status == 404, "\(asked)")
            }
        }
    }

    /// A company that asks first keeps nobody from a host; one that proved it has it.
    @Test(arguments: Engine.allCases) func twoWorkspacesDoNotHoldOneHost(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            try await app.post("/domains", ["host": "partners.shop.test"])
            try await app.post("/domains", ["host": "partners.shop.test"], as: app.liveKey)
            #expect(try await app.api(.post, "/domains", ["host": "partners.shop.test"]).code == "domain_listed")
            try await app.prove("partners.shop.test", in: app.workspace.workspace.id)
            await #expect(throws: Problem.self) { try await app.prove("partners.shop.test") }
            #expect(try await app.get("/domains", as: app.liveKey)["data"].list.first["state"].text == "verified")
            #expect(try await app.get("/domains")["data"].list.first["state"].text == "pending")
            // Given up, it is free for whoever proves it.
            #expect(try await app.api(.delete, "/domains/partners.shop.test", as: app.liveKey).status == 200)
            try await app.prove("partners.shop.test")
            #expect(try await app.api(.post, "/domains", ["host": "127.0.0.1"]).status == 422)
            #expect(try await app.api(.put, "/domains/none.test/main").status == 404)
        }
    }

    @Test(arguments: Engine.allCases) func aHostServesMembersAndFriendsOnly(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            try await app.prove("partners.shop.test")
            for host in ["partners.shop.test", "PARTNERS.shop.test.", "partners.shop.test:8443"] {
                #expect(try await app.call(.get, "http://\(host)/").headers[.location] == "/portal", "\(host)")
                let signIn = try await app.call(.get, "http://\(host)/portal/sign-in")
                #expect(signIn.status == 200 && signIn.text.contains("Harness") && signIn.text.contains("rel=\"canonical\""), "\(host)")
                for path in ["/sign-in", "/members", "/settings", "/account", "/api/v1/members", "/api/v1/openapi.json", "/metrics", "/dev/mail", "/portalx", "/guide"] {
                    #expect(try await app.call(.get, "http://\(host)\(path)", key: app.key).status == 404, "\(host)\(path)")
                }
            }
            // The server's own address goes on, and so does a name that nobody proved.
            for host in ["127.0.0.1:8080", "unknown.test"] { #expect(try await app.call(.get, "http://\(host)/sign-in").status == 200, "\(host)") }
            #expect(try await app.call(.get, "/api/v1/members", key: app.key).status == 200)
        }
    }

    @Test(arguments: Engine.allCases) func allIsServedWhereItIsSaidSo(_ engine: Engine) async throws {
        try await AppHarness.with(engine, settings: { $0.companyHostsServeAll = true }) { app in
            try await app.prove("partners.shop.test")
            #expect(try await app.call(.get, "http://partners.shop.test/sign-in").status == 200)
        }
    }

    /// Letters, links and the portal name the company's host, and a session there is its own company's.
    @Test(arguments: Engine.allCases) func addressesNameTheHost(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let (program, anna) = try await app.shopWithAnna()
            let before = app.installation.publicURL(of: app.twinID)
            #expect(before == app.installation.baseURL)
            try await app.prove("partners.shop.test")
            let base = app.installation.publicURL(of: app.twinID)
            #expect(base == "http://partners.shop.test:8080" && app.installation.publicURL(of: app.workspace.workspace.id) == app.installation.baseURL)
            let link = try await app.post("/links", ["programId": .text(program), "memberId": .text(anna), "destination": "https://shop.test/", "code": "annas"])
            #expect(link["url"].text == "\(base)/r/annas" && link["qrUrl"].text == "\(base)/r/annas/qr.svg")
            #expect(try await app.visit("http://partners.shop.test/r/annas").status == 302)
            let portal = try await app.post("/tokens/embed", ["memberId": .text(anna), "portal": true])["portalUrl"].text
            #expect(portal.hasPrefix("\(base)/portal/enter?token="))
            // The link of a letter is no good at another company's host.
            try await app.prove("other.live.test", in: app.workspace.workspace.id)
            let path = String(portal.dropFirst(base.count))
            #expect(try await app.call(.get, "http://other.live.test\(path)").status == 410)
            #expect(try await app.call(.get, "http://partners.shop.test\(path)").status == 200)
        }
    }

    /// Name servers have bad days: a proof that is gone is missed for three days.
    @Test(arguments: Engine.allCases) func aLostProofEndsAHost(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            try await app.prove("partners.shop.test")
            func miss() async throws -> CompanyDomain {
                try await app.installation.write(app.twinID, actor: .system("test")) { write in try CompanyDomain.note(.none, of: "partners.shop.test", in: write) }
            }
            let first = try await miss()
            #expect(first.state == .verified && first.failingSince != nil && first.isMain)
            app.clock.advance(ms: CompanyDomain.patienceMs)
            let last = try await miss()
            #expect(last.state == .failed && !last.isMain)
            app.installation.hosts.forget()
            #expect(try await app.call(.get, "http://partners.shop.test/sign-in").status == 200, "it is a name like any other")
            try await app.prove("partners.shop.test")
            #expect(try await app.get("/domains")["data"].list.first["isMain"] == true)
        }
    }

    /// Old links keep no host from whoever proves it: they go on at the server's address, or end where their code is taken.
    @Test(arguments: Engine.allCases) func aProofFreesAHostOfOldLinks(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let (program, anna) = try await app.shopWithAnna()
            try await app.prove("partners.shop.test")
            func link(_ code: String, host: String?) async throws {
                var body: JSONValue = ["programId": .text(program), "memberId": .text(anna), "destination": "https://shop.test/", "code": .text(code)]
                if let host { body = body.adding("host", .text(host)) }
                try await app.post("/links", body)
            }
            try await link("moves", host: "partners.shop.test")
            try await link("ends", host: "partners.shop.test")
            try await link("ends", host: nil)
            #expect(try await app.visit("http://partners.shop.test/r/moves").status == 302)
            #expect(try await app.api(.delete, "/domains/partners.shop.test").status == 200)
            try await app.prove("partners.shop.test", in: app.workspace.workspace.id)
            app.installation.linkIndex.forgetAll()
            #expect(try await app.get("/domains", as: app.liveKey)["data"].list.first["state"].text == "verified")
            let places = try await app.installation.main.read { connection in
                try connection.rows("SELECT code, host FROM link WHERE archived_at IS NULL AND code IN ('moves', 'ends') ORDER BY code").map {
                    "\(try $0.get(at: 0, as: String.self)) \(try $0.get(at: 1, as: String.self))"
                }
            }
            #expect(places == ["ends ", "moves "], "\(places)")
            #expect(try await app.visit("/r/moves").status == 302)
            // Who has it keeps it.
            await #expect(throws: Problem.self) { try await app.prove("partners.shop.test") }
        }
    }
}
