import Chronology
import HTTPTypes
import Persistence
import TestSupport
import Testing
import Web

@testable import App

/// Members are invited, say whether they come, wait in line for a place, and earn once by coming.
@Suite struct OccasionTests {
    static func at(_ days: Int64, hours: Int64 = 0) -> JSONValue {
        .text(Instant(millisecondsSince1970: AppHarness.start.millisecondsSince1970 + days * 86_400_000 + hours * 3_600_000).rfc3339)
    }

    static func body(_ program: String, _ more: JSONValue = .object([])) -> JSONValue {
        var body: JSONValue = ["programId": .text(program), "title": "An evening", "startsAt": at(10), "endsAt": at(10, hours: 3)]
        if case .object(let members) = more { for member in members { body = body.adding(member.name, member.value) } }
        return body
    }

    static func answer(_ app: AppHarness, _ id: String, _ member: String, _ answer: String) async throws -> Reply {
        try await app.api(.post, "/occasions/\(id)/answers", ["memberId": .text(member), "answer": .text(answer)])
    }

    private static func letters(_ app: AppHarness, _ name: String) async throws -> Int {
        try await app.letters(to: "\(name)@members.test").filter { $0.kind == .occasion }.count
    }

    @Test(arguments: Engine.allCases)
    func whoeverWaitsLongestComes(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let program = try await app.program()
            var members: [String] = []
            for name in ["anna", "ben", "cleo", "dan"] { members.append(try await app.member(program, name)) }
            let id = try await app.post("/occasions", Self.body(program, ["places": 1]))["id"].text
            try await app.installation.doDueWork(in: app.twinID)
            try await app.installation.doDueWork(in: app.twinID)
            for name in ["anna", "ben", "cleo", "dan"] { #expect(try await Self.letters(app, name) == 1, "one invitation each") }
            #expect(try await Self.answer(app, id, members[0], "yes").json["answer"].text == "yes")
            #expect(try await Self.answer(app, id, members[0], "yes").json["answer"].text == "yes", "said twice is once")
            try await app.moveClock(days: 1)
            #expect(try await Self.answer(app, id, members[1], "yes").json["answer"].text == "waiting")
            try await app.moveClock(days: 1)
            #expect(try await Self.answer(app, id, members[2], "yes").json["answer"].text == "waiting")
            #expect(try await Self.answer(app, id, members[3], "no").json["answer"].text == "no")
            _ = try await Self.answer(app, id, members[0], "no")
            let shown = try await app.get("/occasions/\(id)")
            #expect(shown["coming"].integer == 1 && shown["waiting"].integer == 1 && shown["declined"].integer == 2)
            #expect(try await Self.letters(app, "ben") == 2, "the first in line has the place")
            #expect(try await Self.letters(app, "cleo") == 1)
            #expect(try await app.api(.patch, "/occasions/\(id)", ["places": 1]).status == 200)
            #expect(try await app.api(.patch, "/occasions/\(id)", ["places": 2]).json["waiting"].integer == 0)
            #expect(try await app.api(.patch, "/occasions/\(id)", ["places": 1]).code == "places_fewer")
            // The day before, those who come are reminded, once.
            for _ in 0..<3 { try await app.moveClock(days: 2) }
            try await app.moveClock(days: 1)
            try await app.installation.doDueWork(in: app.twinID)
            #expect(try await Self.letters(app, "ben") == 3)
            #expect(try await Self.letters(app, "anna") == 1)
            #expect(try await Self.letters(app, "dan") == 1)
            #expect(try await app.api(.post, "/occasions/\(id)/attendance", ["memberIds": [.text(members[1])]]).code == "occasion_not_begun")
            #expect(try await app.post("/occasions/\(id)/cancellation", .object([]))["state"].text == "canceled")
            #expect(try await Self.letters(app, "ben") == 4, "who would come is told")
            #expect(try await Self.letters(app, "dan") == 1)
            #expect(try await Self.answer(app, id, members[3], "yes").code == "occasion_over")
        }
    }

    @Test(arguments: Engine.allCases)
    func placesHoldWhenAllAnswerAtOnce(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let program = try await app.program()
            var members: [String] = []
            for number in 0..<50 { members.append(try await app.member(program, "m\(number)")) }
            let id = try await app.post("/occasions", Self.body(program, ["places": 10]))["id"].text
            try await withThrowingTaskGroup(of: Void.self) { group in
                for member in members {
                    group.addTask {
                        let answered = try await Self.answer(app, id, member, "yes")
                        #expect(answered.status == 200)
                    }
                }
                try await group.waitForAll()
            }
            let shown = try await app.get("/occasions/\(id)")
            #expect(shown["coming"].integer == 10 && shown["waiting"].integer == 40)
            let page = try await app.get("/occasions/\(id)/answers?limit=20")
            #expect(page["data"].list.count == 20 && page["hasMore"] == true)
        }
    }

    @Test(arguments: Engine.allCases)
    func itIsForWhomItIsFor(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let program = try await app.program()
            let (anna, ben) = (try await app.member(program, "anna"), try await app.member(program, "ben"))
            let group = try await app.post("/groups", ["programId": .text(program), "name": "Gold"])
            _ = try await app.post("/groups/\(group["id"].text)/members", ["memberId": .text(anna), "reason": "Helps"])
            let invited: JSONValue = ["groups": [.text(group["key"].text)]]
            let id = try await app.post("/occasions", Self.body(program, ["invited": invited]))["id"].text
            try await app.installation.doDueWork(in: app.twinID)
            #expect(try await Self.letters(app, "anna") == 1)
            #expect(try await Self.letters(app, "ben") == 0)
            #expect(try await Self.answer(app, id, ben, "yes").code == "not_invited")
            #expect(try await Self.answer(app, id, anna, "yes").status == 200)
            let stage = try await app.post("/occasions", Self.body(program, ["invited": ["stages": ["prospect"]]]))["id"].text
            #expect(try await Self.answer(app, stage, anna, "yes").code == "not_invited")
            for (bad, field): (JSONValue, String) in [
                (["invited": ["groups": ["no-such"]]], "invited.groups"), (["invited": ["tiers": ["tie_x"]]], "invited.tiers"),
                (["invited": ["stages": ["king"]]], "invited.stages"), (["places": 0], "places"), (["title": ""], "title"),
                (["startsAt": Self.at(-1)], "startsAt"), (["startsAt": Self.at(800), "endsAt": Self.at(801)], "startsAt"), (["endsAt": Self.at(10)], "endsAt"),
                (["endsAt": Self.at(40)], "endsAt"), (["earnAction": "dance"], "earnAction"), (["timezone": "Mars/Base"], "timezone"),
            ] {
                let refused = try await app.api(.post, "/occasions", Self.body(program, bad))
                #expect(refused.status == 422 && refused.json["errors"].list.first.map { $0["field"]?.string } == field, "\(field): \(refused.text)")
            }
            #expect(try await app.api(.get, "/occasions/occ_nothing").status == 404)
        }
    }

    @Test(arguments: Engine.allCases)
    func whoeverCameEarnsOnce(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let program = try await app.program()
            let (anna, ben) = (try await app.member(program, "anna"), try await app.member(program, "ben"))
            _ = try await app.post("/earn-actions", ["programId": .text(program), "key": "evening", "name": "Came to an evening", "unit": "points", "amount": 50])
            let id = try await app.post("/occasions", Self.body(program, ["earnAction": "evening"]))["id"].text
            _ = try await Self.answer(app, id, anna, "yes")
            try await app.moveClock(days: 10)
            for _ in 0..<2 {
                let came = try await app.api(.post, "/occasions/\(id)/attendance", ["memberIds": [.text(anna)]])
                #expect(came.status == 200 && came.json["data"].list.first.map { $0["attendedAt"] != .null } == true)
                #expect(try await app.balance(anna, "points") == [0, 0, 50, 0, 0, 0])
            }
            #expect(try await app.api(.post, "/occasions/\(id)/attendance", ["memberIds": [.text(ben)]]).code == "not_answered")
            #expect(try await app.api(.post, "/occasions/\(id)/attendance", ["memberIds": []]).status == 422)
            try await WalletTests.verify(app)
        }
    }

    @Test(arguments: Engine.allCases)
    func membersAnswerOnTheirPages(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let program = try await app.program()
            let anna = try await app.member(program, "anna")
            let id = try await app.post("/occasions", Self.body(program, ["places": 1, "place": "Garden, <b>back</b>"]))["id"].text
            let other = try await app.post("/occasions", Self.body(program, ["title": "Secret", "invited": ["stages": ["prospect"]]]))["id"].text
            let browser = MemberBrowser(app)
            try await browser.signIn("anna@members.test")
            let person = browser.page
            let page = try await person.get("/portal/occasions").text
            #expect(page.contains("An evening") && page.contains("Garden, &lt;b&gt;back") && page.contains("One place is left.") && !page.contains("Secret"))
            #expect(try await person.get("/portal").text.contains("You are invited to one event"))
            _ = try await person.submit("/portal/occasions", from: "/portal/occasions", ["occasion": id, "answer": "yes"])
            #expect(try await person.get("/portal/occasions").text.contains("You come"))
            #expect(try await person.submit("/portal/occasions", from: "/portal/occasions", ["occasion": other, "answer": "yes"]).status == 404)
            let file = try await person.get("/portal/occasions/\(id)/calendar.ics").text
            #expect(file.contains("SUMMARY:An evening\r\n") && file.contains("LOCATION:Garden\\, <b>back</b>"))
            #expect(try await person.get("/portal/occasions/\(other)/calendar.ics").status == 404)
            #expect(try await app.api(.delete, "/members/\(anna)/person").status == 200)
            #expect(try await app.get("/occasions/\(id)")["coming"].integer == 0, "nothing of an erased member is left")
        }
    }
}
