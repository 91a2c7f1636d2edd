import Foundation
import Persistence
import TestSupport
import Testing
import Web

@testable import App

/// What commands about people say to whoever owns the machine.
struct TeamCommandTests {
    @Test(arguments: ["team-reset-password", "team-remove-second-factor"]) func nobodyHasThisAddress(_ command: String) async throws {
        try await AppHarness.with(.sqlite) { app in
            for address in ["nobody@x", "nobody@example.test", "nobody"] {
                let failure = await #expect(throws: Problem.self) {
                    try await CommandVerbs.run(command, ["email": .text(address)], app.installation)
                }
                let problem = try #require(failure)
                #expect(CommandFailure.sentence(problem) == "Nobody here has the mail address \(address). See who is there: kith team list.")
            }
        }
    }

    @Test(arguments: Engine.allCases) func peopleHaveNames(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let added = try await CommandVerbs.run(
                "team-add", ["email": "jonas@team.test", "name": "Jonas Reuter", "role": "finance", "workspace": .text(app.workspace.workspace.id.text)],
                app.installation)
            #expect(added["id"]?.string != nil)
            let browser = try await TeamPerson.make("mira", .owner, in: app).enter(app)
            #expect(try await browser.get("/team").text.contains("Jonas Reuter"))
            // Everybody writes their own.
            #expect(try await browser.submit("/account/name", from: "/account", ["name": "Mira\nHoff"]).status == 422)
            #expect(try await browser.submit("/account/name", from: "/account", ["name": "Mira Hoff"]).status == 303)
            #expect(try await browser.get("/team").text.contains("Mira Hoff"))
            let made = try await CommandVerbs.run(
                "setup", ["workspace": "Second", "email": "ada@team.test", "ownerName": "Ada Lind"], app.installation)
            #expect(made["ownerEmail"]?.string == "ada@team.test")
        }
    }
}
