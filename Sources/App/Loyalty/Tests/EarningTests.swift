import HTTPTypes
import Persistence
import TestSupport
import Testing
import Web

@testable import App

/// Points for what is no sale: once for each time the company tells, and no more often than it allows.
@Suite struct EarningTests {
    private static func action(_ program: String, _ more: JSONValue = .object([])) -> JSONValue {
        var body: JSONValue = ["programId": .text(program), "key": "review", "name": "Write a review", "unit": "points", "amount": 50]
        if case .object(let members) = more { for member in members { body = body.adding(member.name, member.value) } }
        return body
    }

    private static func did(_ app: AppHarness, _ member: String, _ program: String, _ reference: String) async throws -> (status: Int, code: String?) {
        let answer = try await app.api(.post, "/members/\(member)/actions", ["programId": .text(program), "action": "review", "reference": .text(reference)])
        return (answer.status, answer.status < 300 ? nil : answer.code)
    }

    @Test(arguments: Engine.allCases)
    func onceForEachReferenceAndSoOften(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let program = try await app.program()
            let (anna, ben) = (try await app.member(program, "anna"), try await app.member(program, "ben"))
            for bad: JSONValue in [["key": "A review"], ["amount": 0], ["unit": "EUR"], ["times": 0], ["days": 30]] {
                #expect(try await app.api(.post, "/earn-actions", Self.action(program, bad)).status == 422, "\(bad)")
            }
            let id = try await app.post("/earn-actions", Self.action(program, ["times": 2, "days": 30]))["id"].text
            #expect(try await app.api(.post, "/earn-actions", Self.action(program)).code == "key_taken")
            #expect(try await Self.did(app, anna, program, "r-1") == (201, nil))
            #expect(try await Self.did(app, anna, program, "r-1") == (200, nil), "told twice, earned once")
            #expect(try await Self.did(app, ben, program, "r-1") == (422, "reference_taken"))
            #expect(try await Self.did(app, anna, program, "r-2") == (201, nil))
            #expect(try await Self.did(app, anna, program, "r-3") == (409, "limit_reached"))
            #expect(try await app.balance(anna, "points") == [0, 0, 100, 0, 0, 0])
            try await app.moveClock(days: 31)
            #expect(try await Self.did(app, anna, program, "r-3") == (201, nil))
            _ = try await app.api(.post, "/earn-actions/\(id)/archiving").success("archiving")
            #expect(try await Self.did(app, anna, program, "r-3") == (200, nil))
            #expect(try await Self.did(app, anna, program, "r-4") == (409, "action_archived"))
            let unknown = try await app.api(.post, "/members/\(anna)/actions", ["programId": .text(program), "action": "x", "reference": "r"])
            #expect(unknown.status == 422)
            let movements = try await app.get("/members/\(anna)/wallet/movements")["data"].list
            #expect(movements.count == 3 && movements[0]["reason"].text == "Write a review" && movements[0]["subject"].text == id)
            try await WalletTests.verify(app)
        }
    }

    @Test(arguments: Engine.allCases)
    func toldByManyAtOnceEarnsOnce(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let program = try await app.program()
            let anna = try await app.member(program, "anna")
            try await app.post("/earn-actions", Self.action(program, ["times": 3]))
            let statuses = try await withThrowingTaskGroup(of: Int.self) { group in
                for number in 0..<20 { group.addTask { try await Self.did(app, anna, program, "r-\(number % 5)").status } }
                return try await group.reduce(into: [Int: Int]()) { $0[$1, default: 0] += 1 }
            }
            #expect(statuses[201] == 3, "\(statuses)")
            #expect(try await app.balance(anna, "points") == [0, 0, 150, 0, 0, 0])
            try await WalletTests.verify(app)
        }
    }

    @Test(arguments: Engine.allCases)
    func offeredByPageAndSeenByMembers(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let program = try await app.program()
            _ = try await app.member(program, "anna")
            let person = try await TeamPerson.make("own", .owner, in: app).enter(app)
            let typed = ["program": program, "name": "Write a review", "key": "review", "unit": "points", "amount": "50", "times": "1", "days": "30"]
            for (field, bad) in [("name", ""), ("key", "A B"), ("unit", "EUR"), ("amount", "0"), ("amount", "1.5"), ("times", ""), ("days", "x")] {
                #expect(try await person.submit("/earning", from: "/earning", typed.merging([field: bad]) { $1 }).status == 422, "\(field)")
            }
            #expect(try await person.submit("/earning", from: "/earning", typed).status == 303)
            #expect(try await person.submit("/earning", from: "/earning", typed).status == 422, "the word is taken")
            #expect(try await person.get("/earning").text.contains("Once in 30 days"))
            let browser = MemberBrowser(app)
            try await browser.signIn("anna@members.test")
            let wallet = try await browser.page.get("/portal/wallet").text
            #expect(wallet.contains("Write a review") && wallet.contains("Once in 30 days"))
            let id = try await app.get("/earn-actions")["data"].list[0]["id"].text
            #expect(try await person.submit("/earning/archiving", from: "/earning", ["action": id]).status == 303)
            #expect(try await !person.get("/earning").text.contains("Write a review"))
        }
    }
}
