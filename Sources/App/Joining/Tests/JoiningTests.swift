import Foundation
import HTTPTypes
import Persistence
import TestSupport
import Testing
import Web

@testable import App

/// Who asks to take part, and who decides.
@Suite struct JoiningTests {
    private func open(_ app: AppHarness, _ approval: JSONValue = "byHand") async throws -> (program: String, path: String) {
        let program = try await app.program(["allowedHosts": ["shop.test"]])
        let page = try await app.put("/programs/\(program)/join-page", ["isOpen": true, "approval": approval])
        return (program, page["path"].text)
    }

    /// Fills in the page and opens the letter.
    private func apply(_ app: AppHarness, _ path: String, _ email: String, _ more: [String: String] = [:]) async throws -> PageVisitor {
        let visitor = PageVisitor(app)
        let fields = ["name": "Nadia", "email": email].merging(more) { _, new in new }
        #expect(try await visitor.submit(path.split(separator: "?").first.map(String.init) ?? path, from: path, fields).status == 200)
        let link = try #require(try await app.letterLinks("joinConfirmation").last)
        _ = try await visitor.submit("/join-confirmation", from: link, ["token": PortalTests.token(link)])
        return visitor
    }

    @Test(arguments: Engine.allCases) func theTeamDecides(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let (program, path) = try await open(app)
            let anna = try await app.member(program, "anna")
            _ = try await app.post("/links", ["programId": .text(program), "memberId": .text(anna), "destination": "https://shop.test/", "code": "anna"])
            let people = try await TeamPerson.make("olga", .admin, in: app)
            let olga = try await people.enter(app)
            let visitor = try await apply(app, path + "?via=anna", "nadia@friends.test", ["via": "anna"])
            #expect(try await visitor.get("/portal").headers[.location] == "/portal/sign-in", "not in before somebody decided")
            let waiting = try await app.get("/applications?state=waiting")["data"].list
            #expect(waiting.count == 1)
            // Enough to decide by.
            #expect(waiting.first["name"].text == "Nadia" && waiting.first["email"].text == "nadia@friends.test")
            #expect(waiting.first["answers"].list.isEmpty)
            #expect(waiting.first["enrollerId"].text == anna)
            #expect(try await app.letterLinks("applicationWaiting").contains("/applications"))
            let queue = try await olga.get("/applications")
            #expect(queue.text.contains("nadia@friends.test"))
            let id = waiting.first["id"].text
            #expect(try await olga.submit("/applications/\(id)/decline", from: "/applications", ["reason": " "]).status == 422)
            #expect(try await olga.submit("/applications/\(id)/approval", from: "/applications").status == 303)
            let members = try await app.get("/members")["data"].list
            #expect(members.count == 2)
            let nadia = try #require(members.first { $0["id"].text != anna })
            #expect(nadia["email"].text == "nadia@friends.test")
            #expect(nadia["enrollerId"].text == anna)
            // Deciding twice changes nothing; deciding otherwise is refused.
            #expect(try await app.api(.post, "/applications/\(id)/approval").status == 200)
            #expect(try await app.api(.post, "/applications/\(id)/decline", ["reason": "no"]).status == 409)
            #expect(try await app.get("/members")["data"].list.count == 2)

            _ = try await apply(app, path, "otto@friends.test")
            let second = try await app.get("/applications?state=waiting")["data"].list.first["id"].text
            _ = try await app.post("/applications/\(second)/decline", ["reason": "Too far away"])
            #expect(try await app.api(.post, "/applications/\(second)/approval").status == 409)
            #expect(try await app.get("/members")["data"].list.count == 2)
        }
    }

    /// Whoever was declined can be forgotten, with the reason that was written down for them.
    @Test(arguments: Engine.allCases) func aDeclinedPersonIsErasedToo(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let (_, path) = try await open(app)
            _ = try await apply(app, path, "otto@friends.test")
            let id = try await app.get("/applications?state=waiting")["data"].list.first["id"].text
            let reason = "Otto, declinetrace-4d"
            _ = try await app.post("/applications/\(id)/decline", ["reason": .text(reason)], idempotencyKey: "decline-otto")
            #expect(try await app.get("/applications")["data"].list.first["reason"].text == reason)
            let (person, workspace) = try #require(try await app.installation.person(named: id))
            try await app.installation.erase(person: person, in: workspace, actor: .command)
            #expect(try await app.get("/applications")["data"].list.first["reason"] == .some(.null))
            #expect(try await app.search(for: ["declinetrace-4d", "otto@friends"]) == [])
        }
    }

    @Test(arguments: Engine.allCases) func nothingLeaksAndNothingIsDoubled(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let (program, path) = try await open(app, "automatic")
            _ = try await app.member(program, "anna")
            let visitor = PageVisitor(app)
            // Who takes part already gets a way to sign in; the page says the same.
            let known = try await visitor.submit(path, from: path, ["name": "A", "email": "anna@members.test"])
            let unknown = try await visitor.submit(path, from: path, ["name": "A", "email": "zora@members.test"])
            #expect(known.text.replacing("anna@", with: "") == unknown.text.replacing("zora@", with: ""))
            #expect(try await app.letterLinks("memberSignIn").count == 1)
            #expect(try await app.letterLinks("joinConfirmation").count == 1)
            // A program that fills in every field gets the same page, and nothing happens.
            #expect(try await visitor.submit(path, from: path, ["name": "A", "email": "bot@members.test", JoinDoor.trap: "x"]).status == 200)
            #expect(try await app.letterLinks("joinConfirmation").count == 1)
            // Two links of one address: the second finds the member and makes no second one.
            _ = try await visitor.submit(path, from: path, ["name": "Z", "email": "zora@members.test"])
            for link in try await app.letterLinks("joinConfirmation") {
                _ = try await PageVisitor(app).submit("/join-confirmation", from: link, ["token": PortalTests.token(link)])
            }
            let zoras = try await app.get("/members")["data"].list.filter { $0["email"].text == "zora@members.test" }
            #expect(zoras.count == 1)
            // The second application's own copy of name and mail is gone: erasing the member would not reach it.
            let named = try await app.installation.main.read { connection in
                try connection.value(
                    "SELECT count(*) FROM application a JOIN person_field f ON f.person_id = a.person_id WHERE f.field = 'email'", as: Int.self)
            }
            #expect(named == 1)
            // Closed: not there.
            _ = try await app.put("/programs/\(program)/join-page", ["isOpen": false])
            #expect(try await visitor.get(path).status == 404)
            #expect(try await visitor.get("/join/nothing").status == 404)
            // Bad settings are named.
            let bad = try await app.api(.put, "/programs/\(program)/join-page", ["isOpen": true, "approval": "maybe", "questions": [["label": ""]]])
            #expect(bad.status == 422)
            #expect(bad.fields.contains("approval") && bad.fields.contains("questions[0].label"))
        }
    }

    /// What was refused is no try, and strangers are sent back to the page they came from.
    @Test(arguments: Engine.allCases) func onlyWhatIsSentCounts(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let (program, path) = try await open(app)
            _ = try await app.put(
                "/programs/\(program)/join-page", ["isOpen": true, "approval": "byHand", "questions": [["label": "Where?", "isRequired": true]]])
            let visitor = PageVisitor(app, accept: "text/html")
            for _ in 0..<20 { #expect(try await visitor.submit(path, from: path, ["name": "A", "email": "a@people.test"]).status == 422) }
            for number in 0..<JoinDoor.limit.requests {
                #expect(try await visitor.submit(path, from: path, ["name": "A", "email": "a\(number)@people.test", "answer0": "At home"]).status == 200)
            }
            let refused = try await visitor.submit(path, from: path, ["name": "A", "email": "late@people.test", "answer0": "x"])
            #expect(refused.status == 429)
            #expect(refused.text.contains("href=\"\(path)\"") && !refused.text.contains("href=\"/\""))
            let missing = try await visitor.get("/join/nothing")
            #expect(missing.status == 404 && !missing.text.contains("href=\"/\""))
            let unread = try await visitor.post(path, ["csrfToken": "no"])
            #expect(unread.text.contains("href=\"\(path)\"") && !unread.text.contains("href=\"/\""))
            // Who wrote what, for whoever decides by the API.
            let link = try #require(try await app.letterLinks("joinConfirmation").last)
            _ = try await visitor.submit("/join-confirmation", from: link, ["token": PortalTests.token(link)])
            let waiting = try await app.get("/applications?state=waiting")["data"].list
            #expect(waiting.first["answers"].list.first?["question"].text == "Where?" && waiting.first["answers"].list.first?["answer"].text == "At home")
            let approved = try await app.post("/applications/\(waiting.first["id"].text)/approval", .object([]))
            #expect(approved["state"].text == "approved")
        }
    }
}
