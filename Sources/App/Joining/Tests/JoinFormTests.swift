import Chronology
import HTTPTypes
import Persistence
import TestSupport
import Testing
import Web

@testable import App

/// The team writes the join page on a page, and people get the letters that go with it.
struct JoinFormTests {
    @Test(arguments: Engine.allCases)
    func thePageIsWrittenLookedAtAndOpened(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let program = try await app.program(["allowedHosts": ["shop.test"]])
            let team = try await TeamPerson.make("mira", .owner, in: app).enter(app)
            let path = "/programs/\(program)/join-page"
            #expect(try await team.get("/programs/\(program)").text.contains("href=\"\(path)\""))
            #expect(try await team.get(path).text.contains("no join page"))
            let fields = [
                "approval": "byHand", "declined": "1", "welcome": "Welcome & <hello>", "question0": "Where do you share?", "required0": "1",
                "question1": "How often?", "choices1": "Daily\r\nWeekly\r\n",
            ]
            #expect(try await team.submit(path, from: path, fields).status == 303)
            let page = try await app.get(path)
            #expect(page["isOpen"] == false && page["welcome"].text == "Welcome & <hello>" && page["tellsDeclined"] == true)
            #expect(page["questions"].list.map { $0["label"].text } == ["Where do you share?", "How often?"])
            #expect(page["questions"].list.last?["choices"].list.compactMap(\.string) == ["Daily", "Weekly"])

            // Closed: only the team sees it, and nobody can send it.
            let address = page["path"].text
            let preview = try await team.get(address)
            #expect(preview.status == 200 && preview.text.contains("Welcome &amp; &lt;hello&gt;") && !preview.text.contains("type=\"submit\""))
            #expect(try await PageVisitor(app).get(address).status == 404)
            #expect(try await team.submit(address, from: address, ["name": "N", "email": "n@people.test", "answer0": "x"]).status == 404)
            #expect(try await team.submit(path, from: path, fields.merging(["open": "1"]) { _, new in new }).status == 303)
            #expect(try await PageVisitor(app).get(address).text.contains("type=\"submit\""))

            // What is wrong is said beside it, and nothing is saved.
            let wrong = try await team.submit(path, from: path, ["question0": "", "choices0": "a\nb", "question1": "Twice?", "choices1": "a\na"])
            #expect(wrong.status == 422 && wrong.text.contains("field-question0-error") && wrong.text.contains("field-choices1-error"))
            #expect(try await app.get(path)["isOpen"] == true)

            // Who may only look sees no button.
            let viewer = try await TeamPerson.make("vic", .viewer, in: app).enter(app)
            #expect(try await viewer.get(path).status == 200)
            #expect(try await viewer.submit(path, from: path, fields).status == 403)
        }
    }

    @Test(arguments: Engine.allCases)
    func termsHaveVersionsAndWhoAgreed(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let program = try await app.program()
            _ = try await app.member(program, "anna")
            let team = try await TeamPerson.make("mira", .owner, in: app).enter(app)
            let path = "/programs/\(program)"
            for text in ["Be kind.", "Be kinder.", "Be kinder."] {
                #expect(try await team.submit("\(path)/terms", from: "\(path)/join-page", ["text": text]).status == 303)
            }
            #expect(try await app.get("\(path)/terms")["data"].list.map { $0["version"].integer } == [2, 1], "the same text again is the same version")
            #expect(try await team.submit("\(path)/terms", from: "\(path)/join-page", ["text": "  "]).status == 422)
            let member = MemberBrowser(app)
            try await member.signIn("anna@members.test")
            _ = try await member.page.submit("/portal/terms", from: "/portal/profile", ["programId": program, "version": "2"])
            let page = try await team.get("\(path)/join-page").text
            #expect(page.contains("1 member agreed") && page.contains("0 members agreed"))
            let version = try await team.get("\(path)/terms/2").text
            #expect(version.contains("Be kinder.") && version.contains("anna"))
            #expect(!(try await team.get("\(path)/terms/1").text.contains("anna")))
            #expect(try await team.get("\(path)/terms/3").status == 404)
        }
    }

    @Test(arguments: Engine.allCases)
    func whoIsLetInGetsAWayInAndWhoIsDeclinedHearsSoIfSet(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let (program, path) = try await app.joinPage("byHand")
            let mira = try await TeamPerson.make("mira", .owner, in: app)
            let team = try await mira.enter(app)
            for name in ["nadia", "otto", "paul"] {
                let browser = MemberBrowser(app)
                _ = try await browser.apply(path, "\(name)@people.test")
                let url = try #require(try await app.letters(to: "\(name)@people.test").compactMap(\.confirmationURL).first)
                #expect(try await browser.confirm(url).status == 200)
            }
            let overview = try await team.get("/").text
            #expect(overview.contains("3 people ask to take part") && overview.contains("href=\"/applications\""))
            var waiting: [String: String] = [:]
            for row in try await app.get("/applications?state=waiting")["data"].list {
                let id = row["id"].text
                let place = try #require(try await app.installation.person(named: id))
                let email = try await app.installation.main.read { [vault = app.installation.vault] connection in
                    try PersonStore.fields(of: [place.person], [.email], vault: vault, on: connection)[place.person]?[.email]
                }
                waiting[email ?? ""] = id
            }
            #expect(try await team.submit("/applications/\(waiting["nadia@people.test"] ?? "")/approval", from: "/applications").status == 303)
            let letters = try await app.letters(to: "nadia@people.test")
            #expect(letters.filter { $0.kind == .memberWelcome }.isEmpty, "one greeting is enough")
            let link = try #require(letters.first { $0.kind == .applicationApproved }?.signInURL)
            // People read their mail days later.
            app.clock.advance(ms: 5 * 86_400_000)
            let later = try await mira.enter(app)
            let nadia = MemberBrowser(app)
            #expect(try await nadia.enter(String(link.dropFirst(app.installation.baseURL.count))).headers[.location] == "/portal")
            #expect(try await nadia.page.get("/portal").status == 200)

            let declined = try await later.submit("/applications/\(waiting["otto@people.test"] ?? "")/decline", from: "/applications", ["reason": "Too far"])
            #expect(declined.status == 303)
            #expect(try await app.letters(to: "otto@people.test").contains { $0.kind == .applicationDeclined })
            _ = try await app.put("/programs/\(program)/join-page", ["isOpen": true, "approval": "byHand", "tellsDeclined": false])
            #expect(try await later.get("/applications").text.contains("they are not written to"))
            _ = try await later.submit("/applications/\(waiting["paul@people.test"] ?? "")/decline", from: "/applications", ["reason": "Too far"])
            #expect(!(try await app.letters(to: "paul@people.test").contains { $0.kind == .applicationDeclined }))
        }
    }
}
