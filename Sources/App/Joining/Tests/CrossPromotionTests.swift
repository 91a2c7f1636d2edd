import HTTPTypes
import Persistence
import TestSupport
import Testing
import Web

@testable import App

/// Who is in one program is shown the others of the same company, and joins as the same person with the same balances.
struct CrossPromotionTests {
    @Test(arguments: Engine.allCases) func aMemberOfOneProgramJoinsAnother(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let first = try await app.program(["name": "Coffee friends"])
            let anna = try await app.member(first, "anna")
            let (second, path) = try await app.joinPage("automatic")
            let browser = MemberBrowser(app)
            try await browser.signIn("anna@members.test")
            #expect(try await browser.page.get("/portal/wallet").text.contains("href=\"\(path)\""))
            #expect(try await MemberBrowser(app).apply(path, "anna@members.test").status == 200)
            let url = try #require(try await app.letters(to: "anna@members.test").compactMap(\.confirmationURL).first)
            _ = try await browser.confirm(url)
            let members = try await app.get("/members")["data"].list
            #expect(members.count == 1 && members.first?["id"].text == anna, "one human, one member")
            let programs = try await app.get("/members?programId=\(second)")["data"].list.map { $0["id"].text }
            #expect(programs == [anna])
            #expect(try await !browser.page.get("/portal/wallet").text.contains("href=\"\(path)\""))
        }
    }
}
