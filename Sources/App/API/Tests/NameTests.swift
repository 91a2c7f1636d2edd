import Foundation
import HTTPTypes
import Persistence
import TestSupport
import Testing
import Web

@testable import App

/// Names stand on one line wherever they are given; those given before still get their letters.
struct NameTests {
    static let broken = ["A\r\nBcc: x@evil.test", "A\nB", "A\u{0}", "A\u{1B}[2J", "A\u{2028}B", "A\u{85}B"]

    @Test(arguments: Engine.allCases) func namesStandOnOneLine(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let program = try await app.program(["allowedHosts": ["shop.test"]])
            let member = try await app.member(program, "anna")
            for name in Self.broken {
                let text = JSONValue.text(name)
                let calls: [(HTTPRequest.Method, String, JSONValue)] = [
                    (.patch, "/workspace", ["name": text]), (.post, "/programs", ["name": text, "currency": "EUR"]),
                    (.patch, "/programs/\(program)", ["name": text]),
                    (.post, "/members", ["programId": .text(program), "email": "b@members.test", "name": text]),
                    (.patch, "/members/\(member)", ["name": text]), (.post, "/api-keys", ["name": text, "role": "viewer"]),
                    (.post, "/programs/\(program)/rules", ["name": text, "event": "sale", "reward": ["kind": "percent", "rate": "0.1"]]),
                ]
                for (method, path, body) in calls {
                    let reply = try await app.api(method, path, body)
                    #expect(reply.status == 422 && reply.fields == ["name"], "\(method) \(path) \(name.debugDescription): \(reply.status) \(reply.fields)")
                }
                await #expect(throws: Problem.self) {
                    try await CommandVerbs.run("setup", ["workspace": text, "email": "o@example.test"], app.installation)
                }
            }
            let owner = try await TeamPerson.make("mira", .owner, in: app).enter(app)
            let settings = try await owner.submit(
                "/settings", from: "/settings", ["name": "A\nB", "zone": "UTC", "locale": "en", "hue": "200"])
            #expect(settings.status == 422 && settings.text.contains("field-name-error"))
            let made = try await owner.submit("/programs", from: "/programs/new", ["name": "A\nB", "currency": "EUR", "zone": "UTC"])
            #expect(made.status == 422 && made.text.contains("field-name-error"))
            let company = try await owner.submit("/settings/company", from: "/settings/company", ["name": "A\nB"])
            #expect(company.status == 422)
            #expect(try await app.get("/workspace")["name"].text == "Harness")
        }
    }

    @Test func anyOtherNameIsOne() {
        for name in ["Šárka", "友達 & Söhne", "مرحبا", "👩‍👩‍👧", "O’Neil"] { #expect(name.isName) }
        for name in Self.broken + ["", String(repeating: "a", count: 201)] { #expect(!name.isName) }
        #expect(OneLine.folded("A\r\n\r\nB\u{0}") == "A B")
    }
}
