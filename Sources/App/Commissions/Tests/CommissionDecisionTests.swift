import HTTPTypes
import Persistence
import TestSupport
import Testing
import Web

@testable import App

/// Commissions are approved, held and released by people, many at once, and that is taken back for a few minutes.
struct CommissionDecisionTests {
    @Test(arguments: Engine.allCases)
    func manyAreApprovedHeldReleasedAndUndone(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let (member, ids) = try await Self.pending(app)
            let approved = try await app.post("/commission-decisions", Self.body("approve", ids))
            #expect(approved["commissions"].list.map { $0["after"].text } == ["approved", "approved", "approved"])
            #expect(try await app.balance(member) == [0, 0, 300, 0, 0, 0])
            #expect(try await app.api(.post, "/commission-decisions", Self.body("hold", [ids[0]])).code == "reason_missing")
            let held = try await app.post("/commission-decisions", Self.body("hold", Array(ids.prefix(2)), "Looks like one buyer"))
            #expect(try await app.balance(member) == [0, 200, 100, 0, 0, 0])
            #expect(try await app.api(.post, "/commission-decisions/\(approved["id"].text)/undo").success("undo")["skipped"].list.map { $0["code"].text } == ["changed_since", "changed_since"])
            #expect(try await app.balance(member) == [100, 200, 0, 0, 0, 0], "what was held since stays held")
            #expect(try await app.api(.post, "/commission-decisions/\(held["id"].text)/undo").status == 200)
            #expect(try await app.balance(member) == [100, 0, 200, 0, 0, 0], "back to where the hold found them")
            #expect(try await app.api(.post, "/commission-decisions/\(held["id"].text)/undo").code == "undone_already")
            try await app.post("/commission-decisions", Self.body("hold", ids, "Looks like one buyer"))
            let known = try await app.get("/commission-decisions/\(held["id"].text)")
            #expect(known["reason"].text == "Looks like one buyer" && known["undoneAt"] != .null)
            try await app.moveClock(days: 31)
            #expect(try await app.balance(member) == [0, 300, 0, 0, 0, 0], "what is held waits for somebody")
            #expect(try await app.api(.post, "/payouts", ["programId": .text(try await app.get("/commissions/\(ids[0])")["programId"].text), "cutoff": .text(try await app.get("/workspace")["now"].text)]).code == "nothing_due")
            let released = try await app.post("/commission-decisions", Self.body("release", ids))
            #expect(released["commissions"].list.map { $0["after"].text } == ["approved", "approved", "approved"], "their hold is over")
            #expect(try await app.balance(member) == [0, 0, 300, 0, 0, 0])
            try await app.moveClock(days: 1)
            #expect(try await app.api(.post, "/commission-decisions/\(released["id"].text)/undo").code == "too_late")
            #expect(try await app.api(.post, "/commission-decisions", Self.body("release", ids)).code == "nothing_to_decide")
            let actions = try await app.get("/audit?limit=100")["data"].list.map { $0["action"].text }
            #expect(actions.filter { $0 == "commission.approve" }.count == 3 && actions.filter { $0 == "commission.hold" }.count == 5)
            #expect(actions.filter { $0 == "commission.undo" }.count == 3 && actions.filter { $0 == "commission.release" }.count == 3)
            try await app.proveAll()
        }
    }

    @Test(arguments: Engine.allCases)
    func whatAPayoutHasIsLeftAlone(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let shop = try await Payees.make(in: app)
            let ids = try await app.get("/commissions?memberId=\(shop.members[0])")["data"].list.map { $0["id"].text }
            let others = try await app.get("/commissions?memberId=\(shop.members[2])")["data"].list.map { $0["id"].text }
            try await app.post("/payouts", shop.batch())
            let held = try await app.post("/commission-decisions", Self.body("hold", ids + others, "Wait"))
            #expect(held["skipped"].list.map { $0["code"].text } == Array(repeating: "commission_in_payout", count: 3))
            #expect(held["commissions"].list.count == others.count)
            #expect(try await app.balance(shop.members[0]) == [0, 0, 0, 300, 0, 0])
            try await app.proveAll()
        }
    }

    /// A debt that an approval paid off is there again while the commission is held.
    @Test(arguments: Engine.allCases)
    func aHoldGivesTheDebtBack(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let shop = try await Payees.make(in: app)
            let member = shop.members[0]
            let payout = try await app.post("/payouts", shop.batch())["id"].text
            try await app.api(.post, "/payouts/\(payout)/approval", nil, as: shop.secondKey).success("approval")
            try await app.api(.post, "/payouts/\(payout)/dispatch").success("dispatch")
            try await app.post("/payouts/\(payout)/outcomes", shop.outcome(0, "paid", "bank-1"))
            try await app.refund("i0-0", "r-1")
            #expect(try await app.balance(member) == [0, 0, 0, 0, 300, 100])
            let sale = try await app.sale("more", "buyer-more", 3_000, ["code": "PAY0"])
            let id = sale["commissions"].list[0]["id"].text
            try await app.post("/commission-decisions", Self.body("approve", [id]))
            #expect(try await app.balance(member) == [0, 0, 200, 0, 300, 0])
            try await app.post("/commission-decisions", Self.body("hold", [id], "Wait"))
            #expect(try await app.balance(member) == [0, 300, 0, 0, 300, 100])
            try await app.refund("more", "r-2", 1_000)
            #expect(try await app.balance(member) == [0, 200, 0, 0, 300, 100])
            try await app.post("/commission-decisions", Self.body("release", [id]))
            #expect(try await app.balance(member) == [0, 0, 100, 0, 300, 0])
            try await app.proveAll()
        }
    }

    @Test(arguments: Engine.allCases)
    func twentyAtOnceDecideOnce(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let (member, ids) = try await Self.pending(app)
            let replies = try await withThrowingTaskGroup(of: Reply.self) { group in
                for turn in 0..<20 {
                    group.addTask { try await app.api(.post, "/commission-decisions", Self.body(turn % 2 == 0 ? "approve" : "hold", ids, "Race")) }
                }
                return try await group.reduce(into: [Reply]()) { $0.append($1) }
            }
            #expect(replies.allSatisfy { [201, 409].contains($0.status) })
            #expect(try await app.balance(member).reduce(0, +) == 300)
            try await app.proveAll()
        }
    }

    private static func body(_ action: String, _ ids: [String], _ reason: String? = nil) -> JSONValue {
        let body: JSONValue = ["action": .text(action), "commissionIds": .array(ids.map { .text($0) })]
        return reason.map { body.adding("reason", .text($0)) } ?? body
    }

    /// A member with three pending commissions of 1.00.
    private static func pending(_ app: AppHarness) async throws -> (member: String, ids: [String]) {
        let program = try await app.program()
        _ = try await app.percentRule(program, "0.10")
        let member = try await app.member(program, "anna")
        try await app.link(program, member, code: "ANNA")
        for number in 0..<3 { try await app.sale("i-\(number)", "buyer-\(number)", 1_000, ["code": "ANNA"]) }
        return (member, try await app.get("/commissions?memberId=\(member)")["data"].list.map { $0["id"].text })
    }
}
