import HTTPTypes
import TestSupport
import Testing
import Web

@testable import App

/// What was done to many members at once is taken back as far as it is still so, for ten minutes, from what was kept.
struct MemberChangeTests {
    @Test(arguments: Engine.allCases)
    func undoKeepsWhatSomebodyDecidedSince(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let program = try await app.program()
            var members: [String] = []
            for name in ["anna", "ben", "cleo"] { members.append(try await app.member(program, name)) }
            try await app.patch("/members/\(members[2])", ["status": "inactive"])
            let person = try await TeamPerson.make("mia", .marketer, in: app).enter(app)
            func change(_ status: String, _ ids: [String]) async throws -> String {
                var last = ""
                // One box a time, as forms of tests have one value a name.
                for id in ids { last = try await person.submit("/members/bulk", from: "/members", ["id": id, "status": status]).headers[.location] ?? "" }
                return last
            }
            let back = try await change("suspended", [members[0]])
            let page = try await person.get(back).text
            #expect(page.contains("1 member is changed.") && page.contains("Undo"))
            let undo = try #require(page.firstMatch(of: /action="(\/members\/changes\/mch_\w+\/undo)"/)).output.1
            try await app.patch("/members/\(members[0])", ["status": "terminated"])
            let undone = try await person.submit(String(undo), from: "/members", [:])
            #expect(undone.status == 303)
            #expect(try await app.get("/members/\(members[0])")["status"].text == "terminated", "the later decision stands")
            let told = try await person.get(undone.headers[.location] ?? "").text
            #expect(told.contains("0 members are as before.") && told.contains("Somebody changed anna"), "and is named")
            #expect(try await person.submit(String(undo), from: "/members", [:]).headers[.location] == "/members?done=tooLate", "once")

            // From inactive to suspended and back to inactive, not to active.
            let other = try await person.get(try await change("suspended", [members[2]])).text
            let undoOther = try #require(other.firstMatch(of: /action="(\/members\/changes\/mch_\w+\/undo)"/)).output.1
            #expect(try await person.submit(String(undoOther), from: "/members", [:]).status == 303)
            #expect(try await app.get("/members/\(members[2])")["status"].text == "inactive")
            #expect(try await app.verified() == [])
        }
    }

    @Test(arguments: Engine.allCases)
    func afterTenMinutesItIsTooLate(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let member = try await app.member(try await app.program(), "anna")
            let person = try await TeamPerson.make("mia", .marketer, in: app).enter(app)
            let back = try await person.submit("/members/bulk", from: "/members", ["id": member, "status": "suspended"]).headers[.location] ?? ""
            let undo = try #require(try await person.get(back).text.firstMatch(of: /action="(\/members\/changes\/mch_\w+\/undo)"/)).output.1
            try await app.moveClock(days: 1)
            #expect(!(try await person.get(back).text.contains("/undo\"")))
            #expect(try await person.submit(String(undo), from: "/members", [:]).headers[.location] == "/members?done=tooLate")
            #expect(try await app.get("/members/\(member)")["status"].text == "suspended")
        }
    }

    /// An address is no order: whoever sends a link can't choose what Undo does.
    @Test(arguments: Engine.allCases)
    func anAddressDecidesNothing(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let member = try await app.member(try await app.program(), "anna")
            let person = try await TeamPerson.make("mia", .marketer, in: app).enter(app)
            let page = try await person.get("/members?done=status&was=\(member):terminated").text
            #expect(!page.contains("Undo") && !page.contains(":terminated"))
            _ = try await person.submit("/members/bulk", from: "/members", ["was": "\(member):terminated"])
            #expect(try await app.get("/members/\(member)")["status"].text == "active")
            let strange = "/members/changes/mch_00000000000000000000000000/undo"
            #expect(try await person.submit(strange, from: "/members", [:]).status >= 400)
            let viewer = try await TeamPerson.make("vera", .viewer, in: app).enter(app)
            #expect(try await viewer.submit("/members/bulk", from: "/account", ["id": member, "status": "suspended"]).status == 403)
        }
    }
}
