import Foundation
import HTTPTypes
import Persistence
import TestSupport
import Testing
import Web

@testable import App

/// What members are offered and told, word by word.
struct PortalWordTests {
    @Test(arguments: Engine.allCases) func languagesThatPeopleSpeak(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let program = try await app.program()
            _ = try await app.member(program, "anna")
            let phone = MemberBrowser(app)
            try await phone.signIn("anna@members.test")
            let profile = try await phone.page.get("/portal/profile").text
            #expect(profile.contains("value=\"en\"") && !profile.contains(PseudoLocale.identifier))
            _ = try await phone.page.submit(
                "/portal/profile", from: "/portal/profile", ["name": "Anna", "locale": PseudoLocale.identifier, "timeZone": ""])
            #expect(try await !phone.page.get("/portal/profile").text.contains("lang=\"\(PseudoLocale.identifier)\""))
        }
    }

    /// What waits for the end of its hold and what is on its way to the bank are two things.
    @Test(arguments: Engine.allCases) func pendingIsNotOnItsWay(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let program = try await app.program()
            _ = try await app.percentRule(program, "0.10")
            let anna = try await app.member(program, "anna")
            try await app.link(program, anna, code: "ANNA")
            try await app.sale("i-1", "buyer", 10_000, ["code": "ANNA"])
            let phone = MemberBrowser(app)
            try await phone.signIn("anna@members.test")
            let today = try await phone.page.get("/portal").text
            #expect(today.contains("€10.00") && today.contains("waits to be confirmed") && !today.contains("on its way"))
        }
    }
}
