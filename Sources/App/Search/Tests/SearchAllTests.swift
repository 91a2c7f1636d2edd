import Persistence
import TestSupport
import Testing
import Web

@testable import App

/// One field finds what has no page of names: commissions by id, rules and people of the team by name, transactions by number; each as far
/// as the role may see it.
@Suite struct SearchAllTests {
    @Test(arguments: Engine.allCases) func everythingIsFound(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let program = try await app.program()
            let rule = try await app.rule(program, ["name": "Coffee lovers", "reward": ["kind": "percent", "rate": "0.10"]])
            let member = try await app.member(program, "anna")
            try await app.link(program, member, code: "ANNA")
            let sale = try await app.sale("i-1", "c-1", 1_000, ["code": "ANNA"])
            let commission = sale["commissions"].list[0]["id"].text
            let jon = try await TeamPerson.make("jonathan", .finance, in: app)
            let owner = try await TeamPerson.make("mira", .owner, in: app).enter(app)
            let viewer = try await TeamPerson.make("vera", .developer, in: app).enter(app)
            func finds(_ browser: PageVisitor, _ text: String, _ path: String) async throws -> Bool {
                try await browser.get("/search?q=\(LocalPath.encoded(text))").text.contains("href=\"\(path)\"")
            }
            #expect(try await finds(owner, commission, "/commissions/\(commission)"))
            #expect(try await finds(owner, "coffee", "/rules/\(rule)"))
            #expect(try await finds(owner, rule, "/rules/\(rule)"))
            #expect(try await finds(owner, "jonat", "/team/\(jon.id.text)"))
            #expect(try await finds(owner, jon.email, "/team/\(jon.id.text)"))
            #expect(try await finds(owner, "1", "/ledger/transactions/1"))
            #expect(try await finds(owner, "999999", "/ledger/transactions/999999") == false)
            #expect(try await finds(owner, "1e0", "/ledger/transactions/1") == false)
            let mayLedger = Role.rights[.developer]?.contains(.ledgerRead) ?? false
            #expect(try await finds(viewer, "1", "/ledger/transactions/1") == mayLedger)
        }
    }
}
