import Persistence
import TestSupport
import Testing
import Web

@testable import App

/// Hosts, the look and the sender, for whoever owns the machine: the same verbs as of pages and API.
struct LookAndNameCommandTests {
    @Test(arguments: Engine.allCases) func hosts(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            func run(_ verb: String, _ host: String? = nil) async throws -> JSONValue {
                try await CommandVerbs.run("domain-\(verb)", host.map { ["host": .text($0), "workspace": .text(app.workspace.workspace.id.text)] } ?? ["workspace": .text(app.workspace.workspace.id.text)], app.installation)
            }
            let added = try await run("add", "Partners.Shop.Example")
            #expect(added["host"]?.string == "partners.shop.example" && added["state"]?.string == "pending")
            #expect(added["records"]?.elements.first?["name"]?.string == "_kith.partners.shop.example")
            #expect(try await run("list")["domains"]?.elements.count == 1)
            let failure = await #expect(throws: Problem.self) { try await run("main", "partners.shop.example") }
            #expect(failure?.code == "domain_not_verified")
            await #expect(throws: Problem.self) { try await run("add", "127.0.0.1") }
            #expect(try await run("remove", "partners.shop.example")["removed"] == true)
            #expect(try await run("list")["domains"]?.elements.isEmpty == true)
        }
    }

    @Test(arguments: Engine.allCases) func look(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let workspace = JSONValue.text(app.workspace.workspace.id.text)
            let set = try await CommandVerbs.run(
                "theme-set", ["workspace": workspace, "change": ["radius": 12, "scheme": "light", "tokens": ["--kith-page": "#ffffff"]]], app.installation)
            #expect(set["radius"] == 12 && set["tokens"]?["--kith-page"]?.string == "#ffffff")
            // What is left out stays.
            let again = try await CommandVerbs.run("theme-set", ["workspace": workspace, "change": ["typeface": "inter"]], app.installation)
            #expect(again["radius"] == 12 && again["typeface"]?.string == "inter" && again["tokens"]?["--kith-page"]?.string == "#ffffff")
            let failure = await #expect(throws: Problem.self) {
                try await CommandVerbs.run("theme-set", ["workspace": workspace, "change": ["tokens": ["--kith-ink": "#fefefe"]]], app.installation)
            }
            #expect(failure?.code == "contrast_too_low")
            await #expect(throws: Problem.self) {
                try await CommandVerbs.run("theme-set", ["workspace": workspace, "logo": ["base64": "bm8gcGljdHVyZQ=="]], app.installation)
            }
            #expect(try await CommandVerbs.run("theme-show", ["workspace": workspace], app.installation) == again)
        }
    }

    @Test(arguments: Engine.allCases) func sender(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let workspace = JSONValue.text(app.workspace.workspace.id.text)
            func run(_ verb: String) async throws -> JSONValue { try await CommandVerbs.run("mail-domain-\(verb)", ["workspace": workspace], app.installation) }
            let none = await #expect(throws: Problem.self) { try await run("show") }
            #expect(none?.detail.contains("kith mail-domain set") == true)
            let set = try await CommandVerbs.run(
                "mail-domain-set", ["workspace": workspace, "senderAddress": "hello@shop.example", "spfInclude": "spf.provider.example"], app.installation)
            #expect(set["state"]?.string == "unchecked" && set["records"]?.elements.dropFirst().first?["value"]?.string == "v=spf1 include:spf.provider.example ~all")
            #expect(try await run("show") == set)
            await #expect(throws: Problem.self) {
                try await CommandVerbs.run("mail-domain-set", ["workspace": workspace, "senderAddress": "hello@shop.example", "dkimValue": "x"], app.installation)
            }
            #expect(try await run("remove")["removed"] == true)
            await #expect(throws: Problem.self) { try await run("remove") }
        }
    }
}
