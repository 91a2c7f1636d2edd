import HTTPTypes
import Persistence
import TestSupport
import Testing
import Web

@testable import App

/// What people change by hand is previewed, done once, explained and undone by refunds like anything else.
struct AdjustmentTests {
    @Test(arguments: Engine.allCases)
    func payByHandIsPaidLikeAnyOther(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let shop = try await Payees.make(in: app)
            let member = shop.members[0]
            let body: JSONValue = ["programId": .text(shop.program), "memberId": .text(member), "amount": 1_250, "reason": "Helped at the fair"]
            let dry = try await app.post("/commissions", body.adding("dryRun", true))
            #expect(dry["transactions"].list.count == 2, "earned, and approved at once")
            #expect(try await app.balance(member) == [0, 0, 300, 0, 0, 0], "a dry run leaves nothing behind")
            let made = try await app.post("/commissions", body, idempotencyKey: "k1")
            let again = try await app.post("/commissions", body, idempotencyKey: "k1")
            #expect(again["id"].text == made["id"].text)
            try await app.moveClock(days: 1)
            #expect(try await app.balance(member) == [0, 0, 1_550, 0, 0, 0])
            let commission = try await app.get("/commissions/\(made["commissionId"].text)")
            #expect(commission["cause"].text == "manual")
            #expect(commission["rule"] == .null)
            #expect(try await app.api(.get, "/commissions/\(made["commissionId"].text)/receipt").status == 200)
            let now = try await app.get("/workspace")["now"].text
            let payout = try await app.post("/payouts", ["programId": .text(shop.program), "cutoff": .text(now)])
            #expect(payout["items"].list.first { $0["memberId"].text == member }["amount"].integer == 1_550)
            #expect(try await app.api(.post, "/commissions/\(made["commissionId"].text)/cancellation", ["reason": "no"]).code == "commission_in_payout")
            try await verifyIsClean(app)
        }
    }

    @Test(arguments: Engine.allCases)
    func correctionsAndVoidsAgreeWithRefundsWhateverTheOrder(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let shop = try await Payees.make(in: app)
            let member = shop.members[0]
            var commissions: [String] = []
            for number in 0..<3 {
                let sale = try await app.sale("i0-\(number)", "buyer0-\(number)", 1_000, ["code": "PAY0"])
                commissions.append(sale["commissions"].list[0]["id"].text)
            }
            // 100 each: one to 40, one to 130, one to nothing.
            try await app.post("/commissions/\(commissions[0])/corrections", ["amount": 40, "reason": "Agreed on less"])
            try await app.post("/commissions/\(commissions[1])/corrections", ["amount": 130, "reason": "Agreed on more"])
            try await app.post("/commissions/\(commissions[2])/cancellation", ["reason": "Was a test order"])
            try await app.moveClock(days: 1)
            #expect(try await app.balance(member) == [0, 0, 170, 0, 0, 0])
            #expect(try await app.get("/commissions/\(commissions[2])")["state"].text == "canceled")
            #expect(try await app.api(.post, "/commissions/\(commissions[2])/cancellation", ["reason": "again"]).code == "commission_settled")
            // Half of the sale of 40 comes back: half of what it was made worth. Then all of it.
            try await app.refund("i0-0", "half", 500)
            #expect(try await app.balance(member) == [0, 0, 150, 0, 0, 0])
            for (number, _) in commissions.enumerated() { try await app.refund("i0-\(number)", "rest-\(number)") }
            #expect(try await app.balance(member) == [0, 0, 0, 0, 0, 0], "what was added by hand goes with its sale")
            try await verifyIsClean(app)
        }
    }

    @Test(arguments: Engine.allCases)
    func whatWasPaidAndIsTakenAwayBecomesADebt(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let shop = try await Payees.make(in: app)
            let member = shop.members[0]
            let id = try await app.post("/payouts", shop.batch())["id"].text
            try await app.api(.post, "/payouts/\(id)/approval", nil, as: shop.secondKey).success("approval")
            try await app.api(.post, "/payouts/\(id)/dispatch").success("dispatch")
            try await app.post("/payouts/\(id)/outcomes", shop.outcome(0, "paid", "bank-1"))
            let commission = try await app.get("/commissions?memberId=\(member)")["data"].list[0]["id"].text
            try await app.post("/commissions/\(commission)/cancellation", ["reason": "Fraud"])
            #expect(try await app.balance(member) == [0, 0, 0, 0, 300, 100])
            try await verifyIsClean(app)
        }
    }

    /// The page shows what would be posted; the second press does it; a third does nothing.
    @Test(arguments: Engine.allCases)
    func byPageWithAPreviewAndWithoutASecondTime(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let shop = try await Payees.make(in: app)
            let member = shop.members[0]
            let person = try await TeamPerson.make("fin", .finance, in: app).enter(app)
            let typed = ["program": shop.program, "member": "payee0@members.test", "amount": "12,50", "reason": "Helped at the fair"]
            #expect(try await person.submit("/commissions/new", from: "/commissions/new", typed.merging(["reason": ""]) { $1 }).status == 422)
            #expect(try await person.submit("/commissions/new", from: "/commissions/new", typed.merging(["amount": "12.505"]) { $1 }).status == 422)
            let preview = try await person.submit("/commissions/new", from: "/commissions/new", typed)
            #expect(preview.status == 200)
            #expect(preview.text.contains("12.50") && preview.text.contains("Helped at the fair"))
            #expect(try await app.balance(member) == [0, 0, 300, 0, 0, 0], "a preview posts nothing")
            let sent = typed.merging(["do": "1", "key": try PageVisitor.field("key", in: preview.text)]) { $1 }
            let replies = try await withThrowingTaskGroup(of: Reply.self) { group in
                for _ in 0..<5 { group.addTask { try await person.submit("/commissions/new", from: "/account", sent) } }
                return try await group.reduce(into: [Reply]()) { $0.append($1) }
            }
            #expect(Set(replies.map { $0.headers[.location] ?? "" }).count == 1, "every press leads to the same commission")
            #expect(try await app.balance(member) == [0, 0, 1_550, 0, 0, 0])
            let page = replies[0].headers[.location] ?? ""
            #expect(try await person.get(page).text.contains("Helped at the fair"))

            let sale = try await app.get("/commissions?memberId=\(member)")["data"].list[0]["saleId"].text
            let path = "/sales/\(sale)/refund"
            let asked = try await person.submit(path, from: path, ["amount": "5", "reason": "Half came back"])
            #expect(asked.status == 200)
            let refund = ["amount": "5", "reason": "Half came back", "do": "1", "key": try PageVisitor.field("key", in: asked.text)]
            for _ in 0..<2 { #expect(try await person.submit(path, from: "/account", refund).status == 303) }
            #expect(try await app.balance(member) == [0, 0, 1_500, 0, 0, 0], "returned once")

            let customer = try await app.get("/customers")["data"].list[0]["id"].text
            let support = try await TeamPerson.make("sue", .support, in: app).enter(app)
            let wanted = ["program": shop.program, "member": shop.members[1], "reason": "Said so on the phone"]
            let assignment = "/customers/\(customer)/assignment"
            #expect(try await support.submit(assignment, from: assignment, wanted).status == 200)
            #expect(try await support.submit(assignment, from: "/account", wanted.merging(["do": "1"]) { $1 }).status == 303)
            let binding = try await app.get("/customers/\(customer)")["bindings"].list[0]
            #expect(binding["shares"].list[0]["memberId"].text == shop.members[1])
            #expect(binding["reason"].text == "Said so on the phone")
            #expect(try await support.submit("/commissions/new", from: "/account", sent).status == 403, "support gives no money")
            try await verifyIsClean(app)
        }
    }

    private func verifyIsClean(_ app: AppHarness) async throws {
        let findings = try await Verification.run(main: app.installation.main, clicks: app.installation.clicks, keys: app.installation.keys).findings
        #expect(findings.isEmpty, "\(findings)")
    }
}
