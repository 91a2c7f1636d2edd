import Chronology
import HTTPTypes
import Persistence
import TestSupport
import Testing
import Web

@testable import App

/// Members of a group share an offer; performance and people of the team bring them in.
@Suite struct GroupTests {
    private func group(_ app: AppHarness, _ program: String, _ name: String, _ rung: JSONValue? = nil) async throws -> String {
        let group = try await app.post("/groups", ["programId": .text(program), "name": .text(name)])
        if let rung { _ = try await app.put("/groups/\(group["id"].text)/rung", rung) }
        return group["id"].text
    }

    @Test(arguments: Engine.allCases) func aRuleForAGroupPaysItsMembersAsOfTheSale(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let program = try await app.program(["holdDays": 0])
            let gold = try await group(app, program, "Gold partners")
            _ = try await app.rule(program, ["name": "All", "reward": ["kind": "percent", "rate": "0.10"]])
            _ = try await app.rule(
                program,
                [
                    "name": "Gold", "reward": ["kind": "percent", "rate": "0.05"], "conditions": ["field": "memberGroup", "op": "eq", "value": "gold-partners"],
                ])
            let anna = try await app.member(program, "anna")
            try await app.link(program, anna, code: "anna")
            let before = AppHarness.start
            let sale = try await app.sale("inv-1", "c-1", 10_000, ["code": "anna"])
            #expect(AppHarness.amounts(sale) == [1_000])
            let first = sale["saleId"].text
            let receipt = try await app.get("/sales/\(first)/receipt")
            #expect(receipt["refusals"].list.contains { $0["reason"].text == "conditionFailed" })
            try await app.moveClock(days: 1)
            let move = try await app.post("/groups/\(gold)/members", ["memberId": .text(anna), "reason": "Sells well at fairs"])
            #expect(move["to"].text == "gold-partners" && move["cause"].text == "byHand")
            #expect(AppHarness.amounts(try await app.sale("inv-2", "c-1", 10_000, ["code": "anna"])).sorted() == [500, 1_000])
            // A sale of yesterday that is told late is paid by yesterday's group.
            #expect(AppHarness.amounts(try await app.sale("inv-3", "c-1", 10_000, ["code": "anna", "occurredAt": .text(before.rfc3339)])) == [1_000])
            #expect(try await app.api(.post, "/groups/\(gold)/members", ["memberId": .text(anna), "reason": "again"]).code == "in_group_already")
            #expect(try await app.post("/groups/\(gold)/departures", ["memberId": .text(anna), "reason": "Left us"])["to"] == .null)
            #expect(AppHarness.amounts(try await app.sale("inv-4", "c-1", 10_000, ["code": "anna"])) == [1_000])
            #expect(try await app.get("/groups/\(gold)/moves")["data"].list.count == 2)
            let letters = try await app.installation.main.read { connection in try MailStore.newest(limit: 10, on: connection) }
            #expect(letters.filter { $0.kind == .groupChanged }.count == 2)
            try await app.proveAll()
        }
    }

    @Test(arguments: Engine.allCases) func performanceMovesMembersUpAndDown(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let program = try await app.program(["holdDays": 0])
            let bronze = try await group(app, program, "Bronze", ["position": 1, "metric": "sales", "atLeast": 1, "days": 30, "fallsBack": true])
            let silver = try await group(app, program, "Silver", ["position": 2, "metric": "amount", "atLeast": 20_000, "days": 30, "fallsBack": true])
            var people: [String: String] = [:]
            for name in ["anna", "berta", "carla", "dora"] {
                let member = try await app.member(program, name)
                people[name] = member
                try await app.link(program, member, code: name)
            }
            try await app.sale("inv-a1", "c-1", 25_000, ["code": "anna"])
            try await app.sale("inv-b1", "c-2", 5_000, ["code": "berta"])
            try await app.sale("inv-c1", "c-3", 9_000, ["code": "carla"])
            try await app.refund("inv-c1", "r-1")
            _ = try await app.post("/groups/\(silver)/members", ["memberId": .text(people["dora"] ?? ""), "reason": "A friend of the house"])
            try await app.moveClock(days: 1)
            func groups() async throws -> [String?] {
                let program = ProgramID(stored: program)
                let ids = ["anna", "berta", "carla", "dora"].map { MemberID(stored: people[$0] ?? "") }
                return try await app.installation.main.read { connection in try ids.map { try MemberStore.group(of: $0, in: program, on: connection) } }
            }
            #expect(try await groups() == ["silver", "bronze", nil, "silver"])
            let moves = try await app.get("/groups/\(silver)/moves")["data"].list
            #expect(moves.contains { $0["cause"].text == "reached" && $0["evidence"]["value"].integer == 25_000 })
            // Nothing more to do: looking again moves nobody.
            try await app.moveClock(days: 1)
            #expect(try await app.get("/groups/\(silver)/moves")["data"].list.count == moves.count)
            // Forty days later nobody has sold: who came by performance falls, who was placed stays.
            try await app.moveClock(days: 40)
            #expect(try await groups() == [nil, nil, nil, "silver"])
            try await app.sale("inv-a2", "c-1", 1_000, ["code": "anna"])
            try await app.moveClock(days: 1)
            #expect(try await groups() == ["bronze", nil, nil, "silver"])
            _ = try await app.api(.delete, "/groups/\(bronze)/rung")
            try await app.moveClock(days: 60)
            #expect(try await groups() == ["bronze", nil, nil, "silver"])
            try await app.proveAll()
        }
    }

    @Test(arguments: Engine.allCases) func whatMakesNoSenseIsRefused(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let program = try await app.program()
            let gold = try await group(app, program, "Gold", ["position": 1, "metric": "sales", "atLeast": 3])
            func code(_ path: String, _ body: JSONValue, put: Bool = false) async throws -> String {
                try await app.api(put ? .put : .post, path, body).code
            }
            #expect(try await code("/groups", ["programId": .text(program), "name": "gold"]) == "group_known")
            #expect(try await app.api(.post, "/groups", ["programId": .text(program), "name": "x", "key": "a b"]).status == 422)
            #expect(try await app.api(.post, "/groups", ["programId": .text(program), "name": ""]).status == 422)
            #expect(try await app.api(.post, "/groups", ["programId": "prog_00000000000000000000000000", "name": "x"]).status == 422)
            let silver = try await group(app, program, "Silver")
            #expect(try await code("/groups/\(silver)/rung", ["position": 1, "metric": "sales", "atLeast": 1], put: true) == "rung_taken")
            for wrong: JSONValue in [
                ["position": 0, "metric": "sales", "atLeast": 1], ["position": 2, "metric": "clicks", "atLeast": 1], ["position": 2, "metric": "sales", "atLeast": 0],
                ["position": 2, "metric": "sales", "atLeast": 1, "days": 4_000],
            ] {
                #expect(try await app.api(.put, "/groups/\(silver)/rung", wrong).status == 422)
            }
            let other = try await app.program(["name": "Other"])
            let stranger = try await app.member(other, "stranger")
            #expect(try await code("/groups/\(gold)/members", ["memberId": .text(stranger), "reason": "x"]) == "not_enrolled")
            #expect(try await app.api(.post, "/groups/\(gold)/members", ["memberId": .text(stranger)]).status == 422)
            #expect(try await app.api(.post, "/members", ["programId": .text(program), "email": "n@people.test", "groupId": "nowhere"]).code == "unknown_group")
            // By id or by key, the member is of the group from the start.
            for (email, name) in [("a@people.test", gold), ("b@people.test", "gold")] {
                _ = try await app.post("/members", ["programId": .text(program), "email": .text(email), "groupId": .text(name)])
            }
            #expect(try await app.get("/groups/\(gold)/moves")["data"].list.map { $0["cause"].text } == ["joined", "joined"])
        }
    }

    @Test(arguments: Engine.allCases) func theTeamWorksWithGroupsOnPages(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let program = try await app.program(["allowedHosts": ["shop.test"]])
            let anna = try await app.member(program, "anna")
            let team = try await TeamPerson.make("mira", .owner, in: app).enter(app)
            #expect(try await team.get("/groups").text.contains("One offer for everybody"))
            #expect(try await team.submit("/groups", from: "/groups", ["program": program, "name": ""]).status == 422)
            #expect(try await team.submit("/groups", from: "/groups", ["program": program, "name": "Gold <partners>", "description": "12 %"]).status == 303)
            let id = try await app.get("/groups")["data"].list[0]["id"].text
            let page = try await team.get("/groups/\(id)").text
            #expect(page.contains("Gold &lt;partners&gt;") && page.contains("No rule names this group yet"))
            #expect(try await team.submit("/groups/\(id)/rung", from: "/groups/\(id)", ["metric": "amount", "atLeast": "1,000.00", "days": "x", "position": "1", "act": "set"]).status == 422)
            #expect(try await team.submit("/groups/\(id)/rung", from: "/groups/\(id)", ["metric": "amount", "atLeast": "1,000.00", "days": "30", "position": "1", "act": "set"]).status == 303)
            #expect(try await app.get("/groups/\(id)")["rung"]["atLeast"].integer == 100_000)
            #expect(try await team.submit("/groups/\(id)/members", from: "/groups/\(id)", ["member": "nobody@people.test", "reason": "x", "act": "place"]).status == 422)
            #expect(try await team.submit("/groups/\(id)/members", from: "/groups/\(id)", ["member": anna, "reason": "", "act": "place"]).status == 422)
            #expect(try await team.submit("/groups/\(id)/members", from: "/groups/\(id)", ["member": anna, "reason": "Fairs", "act": "place"]).status == 303)
            #expect(try await team.get("/groups/\(id)").text.contains("Fairs"))
            let form = try await team.get("/programs/\(program)/rules/new?group=\(id)").text
            #expect(form.contains("memberGroup") && form.contains("gold-partners"))
            #expect(try await team.submit("/groups/\(id)/members", from: "/groups/\(id)", ["member": anna, "reason": "Gone", "act": "leave"]).status == 303)
            // Another workspace sees nothing of it.
            #expect(try await app.api(.get, "/groups/grp_00000000000000000000000000").status == 404)
        }
    }
}
