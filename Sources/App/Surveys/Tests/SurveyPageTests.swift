import Chronology
import Persistence
import TestSupport
import Testing
import Web

@testable import App

/// What the team sees: questions, what they came to, and who waits.
@Suite struct SurveyPageTests {
    @Test(arguments: Engine.allCases)
    func theTeamAsksAndLooksAfter(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let program = try await app.post("/programs", ["name": "Friends", "currency": "EUR"], as: app.liveKey)["id"].text
            try await app.setOwnerPassword()
            let browser = PageVisitor(app)
            _ = try await browser.signIn(AppHarness.ownerEmail, AppHarness.ownerPassword)
            let typed = [
                "program": program, "kind": "nps", "question": "Would you <b>recommend</b> us?", "askedIn": "portal", "askedWhen": "afterReward", "afterDays": "7",
                "restDays": "90", "supportUrl": "",
            ]
            for (field, bad) in [("question", ""), ("afterDays", "0"), ("restDays", "6"), ("supportUrl", "javascript:x"), ("askedIn", "radio")] {
                let refused = try await browser.submit("/surveys", from: "/surveys", typed.merging([field: bad]) { _, new in new })
                #expect(refused.status == 422 && refused.text.contains("Nobody is asked yet"), "\(field)")
            }
            #expect(try await browser.submit("/surveys", from: "/surveys", typed).status == 303)
            let id = try await app.get("/surveys", as: app.liveKey)["data"].list[0]["id"].text
            #expect(try await browser.get("/surveys/\(id)").text.contains("Nobody has answered yet."))
            let anna = try await app.post("/members", ["programId": .text(program), "email": "anna@members.test", "name": "Anna"], as: app.liveKey)["id"].text
            let answer = try await app.post(
                "/surveys/\(id)/answers", ["memberId": .text(anna), "score": 3, "comment": "<i>Late</i>"], as: app.liveKey)["id"].text
            let page = try await browser.get("/surveys/\(id)").text
            for words in ["Would you &lt;b&gt;recommend", "&lt;i&gt;Late", "Anna", "Anna: 3", "−100"] { #expect(page.contains(words), "\(words)") }
            #expect(try await browser.get("/surveys").text.contains("waits for you"))
            let path = "/surveys/\(id)"
            #expect(try await browser.submit("\(path)/follow-up", from: path, ["answer": answer, "note": " "]).status == 422)
            #expect(try await browser.submit("\(path)/follow-up", from: path, ["answer": answer, "note": "Called her"]).status == 303)
            #expect(try await browser.submit("\(path)/follow-up", from: path, ["answer": answer, "note": "Again"]).status == 422)
            #expect(try await browser.get(path).text.contains("Done: Called her"))
            #expect(try await browser.submit("\(path)/state", from: path, ["state": "ended"]).status == 303)
            #expect(try await app.get(path, as: app.liveKey)["state"].text == "ended")
            #expect(try await browser.get("/surveys/svy_nothing").status == 404)
        }
    }

    @Test(arguments: Engine.allCases)
    func membersTakeTheirAnswersAlong(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let program = try await app.program()
            let anna = try await app.member(program, "anna")
            let id = try await app.post("/surveys", SurveyTests.body(program))["id"].text
            _ = try await app.post("/surveys/\(id)/answers", ["memberId": .text(anna), "score": 4, "comment": "Fine beans"])
            let browser = MemberBrowser(app)
            try await browser.signIn("anna@members.test")
            #expect(try await browser.page.get("/portal/data.json").text.contains("Fine beans"))
        }
    }
}
