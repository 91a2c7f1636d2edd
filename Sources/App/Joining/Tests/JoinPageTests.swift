import Chronology
import HTTPTypes
import Persistence
import TestSupport
import Testing
import Web

@testable import App

/// People join by a public page: they show that the address is theirs, agree to terms, and a person or nobody decides.
struct JoinPageTests {
    @Test(arguments: Engine.allCases)
    func whoConfirmsTheirAddressIsInAtOnceWhereNobodyDecides(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let (program, path) = try await app.joinPage("automatic")
            let introducer = try await app.member(program, "mona")
            let code = try await app.post("/links", ["programId": .text(program), "memberId": .text(introducer), "destination": "https://shop.example/", "code": "MONA"])["code"].text
            let browser = MemberBrowser(app)
            #expect(try await browser.page.get(path + "?via=\(code)").text.contains("mona"))
            let sent = try await browser.apply(path, "nadia@people.test", ["via": code])
            #expect(sent.status == 200)
            #expect(try await app.get("/members")["data"].list.count == 1, "an address that nobody showed to be theirs is no member")
            let url = try #require(try await app.letters(to: "nadia@people.test").compactMap(\.confirmationURL).first)
            #expect(try await browser.confirm(url).headers[.location] == "/portal")
            #expect(try await browser.page.get("/portal").status == 200, "who opened the letter is signed in")
            let member = try #require(try await app.get("/members")["data"].list.first { $0["email"].text == "nadia@people.test" })
            #expect(member["enrollerId"].text == introducer)
            #expect(try await app.rowCounts()["terms_acceptance"] == 1, "which version, and when")
            #expect(try await MemberBrowser(app).confirm(url).status == 410, "a link works once")
        }
    }

    @Test(arguments: Engine.allCases)
    func aPersonDecidesWithAReason(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let (_, path) = try await app.joinPage("byHand")
            let team = try await TeamPerson.make("mira", .owner, in: app).enter(app)
            for name in ["nadia", "otto"] {
                let browser = MemberBrowser(app)
                _ = try await browser.apply(path, "\(name)@people.test")
                let url = try #require(try await app.letters(to: "\(name)@people.test").compactMap(\.confirmationURL).first)
                #expect(try await browser.confirm(url).status == 200)
            }
            #expect(try await app.letters(to: "mira@team.test").filter { $0.kind == .applicationWaiting }.count == 1, "one letter a day")
            let queue = try await team.get("/applications").text
            #expect(queue.contains("nadia@people.test") && queue.contains("On my blog"))
            let waiting = try await app.get("/applications?state=waiting")["data"].list.map { $0["id"].text }
            #expect(waiting.count == 2)
            #expect(try await team.submit("/applications/\(waiting[0])/approval", from: "/applications").status == 303)
            #expect(try await team.submit("/applications/\(waiting[1])/decline", from: "/applications", ["reason": ""]).status == 422)
            #expect(try await team.submit("/applications/\(waiting[1])/decline", from: "/applications", ["reason": "Not in our countries"]).status == 303)
            #expect(try await app.api(.post, "/applications/\(waiting[0])/decline", ["reason": "late"]).status == 409)
            #expect(try await app.letters(to: "otto@people.test").contains { if case .applicationDeclined(_, "Not in our countries") = $0 { true } else { false } })
            #expect(try await app.get("/members")["data"].list.map { $0["email"].text } == ["nadia@people.test"])
            try await MemberBrowser(app).signIn("nadia@people.test")
            let actions = try await app.get("/audit")["data"].list.map { $0["action"].text }
            #expect(actions.contains("application.approve") && actions.contains("application.decline"))
        }
    }

    @Test(arguments: Engine.allCases)
    func thePageSaysTheSameToMembersStrangersAndPrograms(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let (program, path) = try await app.joinPage("automatic")
            _ = try await app.member(program, "anna")
            var answers: [String] = []
            for (email, more) in [("anna@members.test", [:]), ("new@people.test", [:]), ("robot@people.test", [JoinDoor.trap: "https://spam.example"])] {
                let reply = try await MemberBrowser(app).apply(path, email, more)
                #expect(reply.status == 200)
                answers.append(reply.text.replacing(email, with: "…"))
            }
            #expect(Set(answers).count == 1)
            #expect(try await app.letters(to: "anna@members.test").contains { $0.signInURL != nil }, "a member is sent a way in")
            #expect(try await app.letters(to: "robot@people.test").isEmpty, "nothing is kept of whoever fills in what people do not see")
            #expect(try await app.rowCounts()["application"] == 1)
        }
    }

    @Test(arguments: Engine.allCases)
    func whatIsMissingIsSaidAndNothingIsKept(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let (program, path) = try await app.joinPage("automatic")
            for fields in [["email": "none"], ["name": ""], ["terms": ""], ["terms": "7"], ["answer0": ""], ["answer1": "of my own"]] {
                let reply = try await MemberBrowser(app).apply(path, "nadia@people.test", fields)
                #expect(reply.status == 422, "\(fields)")
            }
            #expect(try await app.rowCounts()["application"] == 0)
            #expect(try await PageVisitor(app).post(path, ["name": "N", "email": "nadia@people.test"]).status == 403, "forms come from the page")
            #expect(try await PageVisitor(app).get("/join/no-such-program").status == 404)
            _ = try await app.put("/programs/\(program)/join-page", ["isOpen": false])
            #expect(try await PageVisitor(app).get(path).status == 404, "a closed page is not there")
        }
    }

    @Test(arguments: Engine.allCases)
    func addressesWaitThreeDaysForTheirOwner(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let (_, path) = try await app.joinPage("automatic")
            let browser = MemberBrowser(app)
            _ = try await browser.apply(path, "nadia@people.test")
            let url = try #require(try await app.letters(to: "nadia@people.test").compactMap(\.confirmationURL).first)
            app.clock.advance(ms: Application.confirmMs)
            #expect(try await browser.confirm(url).status == 410)
            #expect(try await app.get("/members")["data"].list.isEmpty)
        }
    }
}

extension AppHarness {
    /// An open join page with two questions and terms. Answers the program and the page's path.
    func joinPage(_ approval: String) async throws -> (program: String, path: String) {
        let program = try await program(["allowedHosts": ["shop.example"]])
        _ = try await percentRule(program, "0.10")
        let page = try await put(
            "/programs/\(program)/join-page",
            [
                "isOpen": true, "approval": .text(approval),
                "questions": [["label": "Where will you share?", "isRequired": true], ["label": "How many follow you?", "choices": ["few", "many"]]],
            ])
        _ = try await post("/programs/\(program)/terms", ["text": "Say that you earn."])
        return (program, page["path"].text)
    }
}

extension MemberBrowser {
    /// Fills in the join page. `more` replaces what would be written.
    func apply(_ path: String, _ email: String, _ more: [String: String] = [:]) async throws -> Reply {
        let standard = ["name": String(email.prefix { $0 != "@" }), "email": email, "answer0": "On my blog", "answer1": "few", "terms": "1"]
        return try await page.submit(path, from: path, standard.merging(more) { _, new in new })
    }

    /// The button behind the letter's address.
    func confirm(_ url: String) async throws -> Reply {
        let path = String(url.dropFirst(app.installation.baseURL.count))
        let shown = try await page.get(path)
        guard shown.status == 200 else { return shown }
        return try await page.post(
            "/join-confirmation", ["csrfToken": try PageVisitor.field("csrfToken", in: shown.text), "token": String(path.split(separator: "=").last ?? "")])
    }
}
