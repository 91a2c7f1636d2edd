import Chronology
import Foundation
import HTTPTypes
import Persistence
import TestSupport
import Testing
import Web

@testable import App

/// An invited person joins when they accept, and only they can.
@Suite struct InvitationTests {
    private func invite(_ app: AppHarness, _ email: String, _ role: String = "finance") async throws -> (id: String, path: String) {
        let made = try await app.post("/team", ["email": .text(email), "role": .text(role)])
        let url = made["invitationUrl"].text
        return (made["id"].text, String(url[(url.range(of: "/invitations/")?.lowerBound ?? url.endIndex)...]))
    }

    private func team(_ app: AppHarness) async throws -> [String: String] {
        let rows = try await app.get("/team")["data"].list
        return Dictionary(uniqueKeysWithValues: rows.map { ($0["email"].text, $0["role"].text) })
    }

    @Test(arguments: Engine.allCases) func whoHasAPasswordAcceptsWithIt(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let hash = await app.installation.passwords.hash("the password of another company") ?? ""
            let world = app.installation.world
            let vault = app.installation.vault
            _ = try await app.installation.writeAnywhere { connection in
                try Workspace.create(
                    name: "Elsewhere", ownerEmail: "known@example.test", ownerPasswordHash: hash, world: world, vault: vault, on: connection)
            }
            let (id, path) = try await invite(app, "known@example.test")
            let before = try await team(app)
            #expect(before["known@example.test"] == nil, "an invitation alone lets nobody in")
            // Whoever holds the address but not the password gets no further, and sets no other password.
            let thief = PageVisitor(app)
            for password in ["", "a new password of mine", "the password of another compan"] {
                let reply = try await thief.submit(path, from: path, ["password": password])
                #expect(reply.status == 422)
                #expect(thief[PageVisitor.session] == nil)
            }
            #expect(try await team(app)["known@example.test"] == nil)
            let person = PageVisitor(app)
            let accepted = try await person.submit(path, from: path, ["password": "the password of another company"])
            #expect(accepted.status == 303 && accepted.headers[.location] == "/sign-in")
            #expect(try await team(app)["known@example.test"] == "finance")
            #expect(try await person.signIn("known@example.test", "the password of another company").status == 303)
            #expect(try await thief.get(path).status == 404, "it works once")
            let joined = try await app.get("/audit?limit=100", as: app.liveKey)["data"].list.filter { $0["action"].text == "team.join" }
            #expect(joined.map { $0["actor"].text } == [id])
        }
    }

    @Test(arguments: Engine.allCases) func whoIsNewChoosesAPassword(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let (_, path) = try await invite(app, "new@example.test", "viewer")
            let browser = PageVisitor(app)
            for password in ["", "short", String(repeating: "x", count: Password.lengthMax + 1)] {
                #expect(try await browser.submit(path, from: path, ["password": password]).status == 422)
            }
            #expect(try await team(app)["new@example.test"] == nil)
            let accepted = try await browser.submit(path, from: path, ["password": "long enough a password"])
            #expect(accepted.status == 303 && accepted.headers[.location] == "/")
            #expect(try await browser.isSignedIn() == false, "a viewer does not see the audit log")
            #expect(try await browser.get("/sales").status == 200)
            #expect(try await team(app)["new@example.test"] == "viewer")
            #expect(try await PageVisitor(app).signIn("new@example.test", "long enough a password").status == 303)
        }
    }

    @Test(arguments: Engine.allCases) func invitationsEnd(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let (_, path) = try await invite(app, "late@example.test")
            app.clock.advance(ms: TeamRoutes.invitationMs - 1)
            #expect(try await PageVisitor(app).get(path).status == 200)
            app.clock.advance(ms: 1)
            #expect(try await PageVisitor(app).get(path).status == 404)
            #expect(try await team(app)["late@example.test"] == nil)
        }
    }
}
