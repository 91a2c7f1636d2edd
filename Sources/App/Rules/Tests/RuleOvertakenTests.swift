import HTTPTypes
import Persistence
import TestSupport
import Testing
import Web

@testable import App

/// Two people, or two tabs, on one rule: nobody writes over what they have not seen.
@Suite struct RuleOvertakenTests {
    @Test(arguments: Engine.allCases) func theSecondSaveIsRefusedAndShowsBoth(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let program = try await app.program()
            let rule = try await app.percentRule(program, "0.10")
            let (mira, jon) = (try await TeamPerson.make("mira", .owner, in: app).enter(app), try await TeamPerson.make("jon", .admin, in: app).enter(app))
            let path = "/rules/\(rule)"
            func fields(_ page: Reply, _ value: String) throws -> [String: String] {
                [
                    "csrfToken": try PageVisitor.field("csrfToken", in: page.text), "version": try PageVisitor.field("version", in: page.text),
                    "name": "Rule", "event": "sale", "recipient": "0", "kind": "percent", "value": value, "act": "save",
                ]
            }
            let (first, second) = (try await mira.get(path), try await jon.get(path))
            #expect(try await mira.post(path, try fields(first, "12")).status == 303)
            let refused = try await jon.post(path, try fields(second, "13"))
            #expect(refused.status == 409)
            #expect(refused.text.contains("mira wrote version 2"), "who")
            #expect(refused.text.contains("give the sharer 12%") && refused.text.contains("give the sharer 13%"), "both")
            #expect(try await app.get("/programs/\(program)/rules")["data"].list[0]["version"].integer == 2)
            // Whoever has seen it may save over it.
            let again = try await jon.post(path, try fields(refused, "13"))
            #expect(again.status == 303)
            #expect(try await app.get("/programs/\(program)/rules")["data"].list[0]["version"].integer == 3)
            // A day that a later version hides would change nothing.
            try await app.moveClock(days: 3)
            let hidden = try await jon.post(path, try fields(try await jon.get(path), "14").merging(["from": "2025-06-01"]) { $1 })
            #expect(hidden.status == 422 && hidden.text.contains("would hide this one"))
            #expect(try await app.get("/programs/\(program)/rules")["data"].list[0]["version"].integer == 3)
        }
    }
}
