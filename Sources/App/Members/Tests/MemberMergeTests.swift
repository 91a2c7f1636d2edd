import Chronology
import HTTPTypes
import Persistence
import TestSupport
import Testing
import Web

@testable import App

/// Two members who are one person: what comes goes to one of them, what was earned stays, and a week long all of it can be taken back.
@Suite struct MemberMergeTests {
    private struct Pair: Sendable {
        var program: String
        var anna: String
        var double: String
    }

    /// Anna twice, by the same mailbox; her double has a link, a customer and a balance.
    private static func pair(_ app: AppHarness) async throws -> Pair {
        let program = try await app.program(["holdDays": 0])
        _ = try await app.percentRule(program, "0.10")
        let anna = try await app.member(program, "anna")
        let double = try await app.post(
            "/members", ["programId": .text(program), "email": "anna+second@members.test", "name": "Anna Again"])["id"].text
        try await app.link(program, double, code: "AGAIN")
        try await app.sale("s-1", "c-1", 10_000, ["code": "AGAIN"])
        return Pair(program: program, anna: anna, double: double)
    }

    @Test(arguments: Engine.allCases) func whatComesIsTheKeptOnesAndCanBeTakenBack(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let pair = try await Self.pair(app)
            let earned = try await app.balance(pair.double)
            let transactions = try await app.get("/ledger/transactions")["data"].list.count
            let merge = try await app.post("/members/\(pair.anna)/merges", ["duplicateId": .text(pair.double), "reason": "Signed up twice"])
            #expect(merge["links"].integer == 1)
            #expect(merge["customers"].integer == 1)
            // No amount moved.
            #expect(try await app.get("/ledger/transactions")["data"].list.count == transactions)
            #expect(try await app.balance(pair.double) == earned)
            #expect(try await app.get("/members/\(pair.double)")["status"].text == "inactive")
            // The bound customer and a new one by the code are Anna's now.
            #expect(try await app.sale("s-2", "c-1", 10_000)["commissions"].list.map { $0["memberId"].text } == [pair.anna])
            #expect(try await app.sale("s-3", "c-2", 10_000, ["code": "AGAIN"])["commissions"].list.map { $0["memberId"].text } == [pair.anna])

            let id = try #require(MemberMergeID(merge["id"].text))
            try await app.installation.write(app.twinID, actor: .command) { write in _ = try MemberMerge.undo(id, in: write) }
            app.installation.linkIndex.forgetAll()
            #expect(try await app.get("/members/\(pair.double)")["status"].text == "active")
            #expect(try await app.sale("s-4", "c-1", 10_000)["commissions"].list.map { $0["memberId"].text } == [pair.double])
            // What came in between stays where it came.
            #expect(try await app.balance(pair.anna).reduce(0, +) == 2_000)
            await #expect(throws: Problem.self) {
                try await app.installation.write(app.twinID, actor: .command) { write in _ = try MemberMerge.undo(id, in: write) }
            }
        }
    }

    @Test(arguments: Engine.allCases) func afterAWeekItStands(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let pair = try await Self.pair(app)
            let merge = try await app.post("/members/\(pair.anna)/merges", ["duplicateId": .text(pair.double), "reason": "Signed up twice"])
            let id = try #require(MemberMergeID(merge["id"].text))
            try await app.moveClock(days: 8)
            await #expect(throws: Problem.self) {
                try await app.installation.write(app.twinID, actor: .command) { write in _ = try MemberMerge.undo(id, in: write) }
            }
        }
    }

    @Test(arguments: Engine.allCases) func refusalsChangeNothing(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let pair = try await Self.pair(app)
            let before = try await app.rowCounts()
            for (kept, duplicate, reason, status) in [
                (pair.anna, pair.anna, "R", 422), (pair.anna, "mem_00000000000000000000000000", "R", 422), (pair.anna, pair.double, "", 422),
                ("mem_00000000000000000000000000", pair.double, "R", 404),
            ] {
                let reply = try await app.api(.post, "/members/\(kept)/merges", ["duplicateId": .text(duplicate), "reason": .text(reason)])
                #expect(reply.status == status, "\(reply.text)")
            }
            #expect(try await app.rowCounts() == before)
            // Nobody is merged twice, nor into somebody who was.
            try await app.post("/members/\(pair.anna)/merges", ["duplicateId": .text(pair.double), "reason": "R"])
            #expect(try await app.api(.post, "/members/\(pair.double)/merges", ["duplicateId": .text(pair.anna), "reason": "R"]).status == 409)
        }
    }

    /// People see duplicates, what a merge would do, and the way back.
    @Test(arguments: Engine.allCases) func byPage(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let pair = try await Self.pair(app)
            let browser = try await TeamPerson.make("mira", .admin, in: app).enter(app)
            let duplicates = try await browser.get("/members/duplicates").text
            #expect(duplicates.contains("/merge?with="))
            let page = "/members/\(pair.anna)/merge?with=\(pair.double)"
            #expect(try await browser.get(page).text.contains("€10.00"))
            let refused = try await browser.submit("/members/\(pair.anna)/merge", from: page, ["duplicate": pair.double])
            #expect(refused.status == 422)
            #expect(try await browser.submit("/members/\(pair.anna)/merge", from: page, ["duplicate": pair.double, "reason": "Twice"]).status == 303)
            let shown = try await browser.get("/members/\(pair.anna)").text
            let merge = try PageVisitor.field("merge", in: shown)
            #expect(try await browser.submit("/members/\(pair.anna)/unmerge", from: "/members/\(pair.anna)", ["merge": merge]).status == 303)
            #expect(try await app.get("/members/\(pair.double)")["status"].text == "active")

            let viewer = try await TeamPerson.make("vera", .viewer, in: app).enter(app)
            #expect(try await viewer.get(page).status == 403)
        }
    }

    /// Find looks only where the person may look, and files hold no formulas.
    @Test(arguments: Engine.allCases) func searchKeepsToRights(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let pair = try await Self.pair(app)
            try await app.post("/members", ["programId": .text(pair.program), "email": "f@members.test", "name": "=1+1"])
            let viewer = try await TeamPerson.make("vera", .viewer, in: app).enter(app)
            for (text, leads) in [
                ("s-1", "/receipt"), ("again", "/links/"), ("anna@members.test", pair.anna), ("Anna Ag", pair.double), ("c-1", "/customers/cus_"), ("Shop", "/programs/"),
            ] {
                #expect(try await viewer.get("/search?q=\(LocalPath.encoded(text))").text.contains(leads), "\(text)")
            }
            #expect(!(try await viewer.get("/search?q=nothing-of-the-kind").text.contains("<table")))
            for file in ["/members.csv", "/links.csv", "/customers.csv"] {
                let text = try await viewer.get(file).text
                #expect(!text.isEmpty && !text.contains(",=") && !text.contains("\n="), "\(file)")
            }
            #expect(try await viewer.get("/members.csv").text.contains("\"'=1+1\""))
            #expect(try await viewer.get("/audit.csv").status == 403)
            #expect(try await viewer.get("/search?q=%00").status == 400)
        }
    }
}
