import HTTPTypes
import Persistence
import TestSupport
import Testing
import Web

@testable import App

/// What is paid is what was approved: to these people, on these accounts, less what they owe.
struct LeavingOutTests {
    private static let another: JSONValue = ["kind": "iban", "iban": "BE68539007547034", "holder": "Somebody Else"]

    @Test(arguments: Engine.allCases)
    func anAccountThatChangedAfterTheBatchIsNotPaid(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let shop = try await Payees.make(in: app)
            let id = try await app.post("/payouts", shop.batch())["id"].text
            try await app.put("/members/\(shop.members[0])/payout-account", Self.another)
            let approved = try await app.api(.post, "/payouts/\(id)/approval", nil, as: shop.secondKey).json
            #expect(approved["total"].integer == 300)
            #expect(approved["excluded"].list.contains { $0["memberId"].text == shop.members[0] && $0["reason"].text == "accountChanged" })
            #expect(try await app.balance(shop.members[0]) == [0, 0, 300, 0, 0, 0], "it waits for the next batch")
            #expect(try await app.api(.get, "/payouts/\(id)/file?format=csv").text.contains("BE68539007547034") == false)

            // Back to the first account is a change as well: the approval was for the other batch.
            try await app.put("/members/\(shop.members[1])/payout-account", Self.another)
            let file = try await app.api(.get, "/payouts/\(id)/file?format=csv")
            #expect(file.status == 409 && file.code == "account_changed" && file.text.contains(shop.members[1]))
            try await app.moveClock(days: 4)
            #expect(try await app.api(.get, "/payouts/\(id)/file?format=csv").code == "account_changed", "not after the wait either")
            #expect(try await app.post("/payouts", shop.batch(dryRun: true))["total"].integer == 300, "the first is paid on the new account")
            try await app.proveAll()
        }
    }

    @Test(arguments: Engine.allCases)
    func whoIsSuspendedIsLeftOut(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let shop = try await Payees.make(in: app)
            let id = try await app.post("/payouts", shop.batch())["id"].text
            try await app.patch("/members/\(shop.members[0])", ["status": "suspended"])
            try await app.api(.post, "/payouts/\(id)/approval", nil, as: shop.secondKey).success("approval")
            try await app.patch("/members/\(shop.members[1])", ["status": "terminated"])
            #expect(try await app.api(.get, "/payouts/\(id)/file?format=csv").code == "member_not_active")
            let last = try await app.api(.post, "/payouts/\(id)/removals", ["memberId": .text(shop.members[1]), "reason": "left"])
            #expect(last.code == "last_payment")
            try await app.proveAll()
        }
    }

    @Test(arguments: Engine.allCases)
    func aPersonMayBeLeftOutUntilTheBatchIsSent(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let shop = try await Payees.make(in: app)
            let id = try await app.post("/payouts", shop.batch())["id"].text
            func leaveOut(_ member: Int, _ reason: JSONValue = "under review") async throws -> Reply {
                try await app.api(.post, "/payouts/\(id)/removals", ["memberId": .text(shop.members[member]), "reason": reason])
            }
            #expect(try await leaveOut(0, "").status == 422)
            #expect(try await leaveOut(3).status == 422, "not in this batch")
            let left = try await leaveOut(0).json
            #expect(left["total"].integer == 300)
            #expect(left["items"].list.first { $0["memberId"].text == shop.members[0] }?["leftOutReason"].text == "under review")
            #expect(try await leaveOut(0).status == 200, "once")
            #expect(try await app.balance(shop.members[0]) == [0, 0, 300, 0, 0, 0])
            try await app.api(.post, "/payouts/\(id)/approval", nil, as: shop.secondKey).success("approval")
            try await app.api(.post, "/payouts/\(id)/dispatch").success("dispatch")
            #expect(try await leaveOut(1).code == "payout_sent")
            #expect(try await app.post("/payouts/\(id)/outcomes", shop.outcome(1, "paid", "bank-1"))["state"].text == "paid")
            #expect(try await app.post("/payouts", shop.batch())["total"].integer == 300, "the next batch includes who was left out")
            try await app.proveAll()
        }
    }

    /// Money that comes back pays off what its member owes by now, whatever way it comes back.
    @Test(arguments: Engine.allCases, ["cancellation", "removal", "failed", "request"])
    func whatComesBackPaysDebtsFirst(_ engine: Engine, _ way: String) async throws {
        try await AppHarness.with(engine) { app in
            let shop = try await Payees.make(in: app)
            let first = try await app.post("/payouts", shop.batch())["id"].text
            try await app.api(.post, "/payouts/\(first)/approval", nil, as: shop.secondKey).success("approval")
            try await app.api(.post, "/payouts/\(first)/dispatch").success("dispatch")
            try await app.post("/payouts/\(first)/outcomes", shop.outcome(0, "paid", "bank-1"))
            try await app.post("/payouts/\(first)/outcomes", shop.outcome(1, "failed", "bank-2"))
            // More is earned and set aside; then two of the sales that were paid come back.
            for sale in 0..<2 { try await app.sale("later-\(sale)", "buyer-\(sale)", 1_000, ["code": "PAY0"]) }
            try await app.moveClock(days: 31)
            let cutoff = try await app.get("/workspace")["now"].text
            let batch: JSONValue = ["programId": .text(shop.program), "cutoff": .text(cutoff)]
            let request = way == "request" ? try await app.post("/members/\(shop.members[0])/payout-requests", [:])["id"].text : ""
            let second = way == "request" ? "" : try await app.post("/payouts", batch)["id"].text
            for sale in 0..<2 { try await app.refund("i0-\(sale)", "back-\(sale)") }
            #expect(try await app.balance(shop.members[0]) == [0, 0, 0, 200, 300, 200])
            switch way {
            case "cancellation": try await app.api(.post, "/payouts/\(second)/cancellation").success("cancellation")
            case "removal":
                try await app.post("/payouts/\(second)/removals", ["memberId": .text(shop.members[0]), "reason": "owes"])
            case "failed":
                try await app.api(.post, "/payouts/\(second)/approval", nil, as: shop.secondKey).success("approval")
                try await app.api(.post, "/payouts/\(second)/dispatch").success("dispatch")
                try await app.post("/payouts/\(second)/outcomes", shop.outcome(0, "failed", "bank-3"))
            default: try await app.api(.post, "/payout-requests/\(request)/cancellation").success("cancellation")
            }
            #expect(try await app.balance(shop.members[0]) == [0, 0, 0, 0, 300, 0], "nothing available beside a debt")
            try await app.proveAll()
        }
    }

    /// What is said to be due is what a batch would pay: not what a debt has used up.
    @Test(arguments: Engine.allCases)
    func dueIsWhatABatchWouldPay(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let shop = try await Payees.make(in: app)
            func due() async throws -> [Int64] {
                let now = try await app.get("/workspace")["now"].instant()
                return try await app.installation.main.read { connection in
                    try PayoutListStore.due(in: app.twinID, at: now, on: connection).flatMap { [$0.memberCount, $0.amountMinor] }
                }
            }
            #expect(try await due() == [4, 930], "three of 300, one of 30: who can't be paid yet has it due as well")
            _ = try await app.post("/members/\(shop.members[0])/payout-requests", [:])
            #expect(try await due() == [4, 930], "what waits in a request is paid by the next batch")
            let first = try await app.post("/payouts", shop.batch())["id"].text
            #expect(try await due() == [2, 330])
            try await app.api(.post, "/payouts/\(first)/approval", nil, as: shop.secondKey).success("approval")
            try await app.api(.post, "/payouts/\(first)/dispatch").success("dispatch")
            for (number, member) in [0, 1].enumerated() { try await app.post("/payouts/\(first)/outcomes", shop.outcome(member, "paid", "bank-\(number)")) }
            for sale in 0..<3 { try await app.refund("i0-\(sale)", "back-\(sale)") }
            try await app.sale("later", "buyer-0", 2_000, ["code": "PAY0"])
            try await app.moveClock(days: 31)
            #expect(try await app.balance(shop.members[0]) == [0, 0, 0, 0, 300, 100])
            #expect(try await due() == [2, 330], "the new 200 paid off a debt")
        }
    }

    /// An erased member stands in nobody's way.
    @Test(arguments: Engine.allCases)
    func anErasedMemberIsLeftOut(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let shop = try await Payees.make(in: app)
            let id = try await app.post("/payouts", shop.batch())["id"].text
            try await app.api(.post, "/payouts/\(id)/approval", nil, as: shop.secondKey).success("approval")
            let (person, workspace) = try #require(try await app.installation.person(named: shop.members[0]))
            try await app.installation.erase(person: person, in: workspace, actor: .command)
            #expect(try await app.api(.get, "/payouts/\(id)/file?format=csv").code == "no_account")
            let left = try await app.api(.post, "/payouts/\(id)/removals", ["memberId": .text(shop.members[0]), "reason": "erased"])
            #expect(left.status == 200)
            #expect(try await app.api(.get, "/payouts/\(id)/file?format=csv").status == 200)
            try await app.proveAll()
        }
    }

    @Test(arguments: Engine.allCases)
    func payInAnotherCurrencyIsPaidInIt(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let shop = try await Payees.make(in: app)
            try await app.sale("yen", "buyer-y", 50_000, ["code": "PAY0", "currency": "JPY"])
            try await app.moveClock(days: 31)
            let cutoff = try await app.get("/workspace")["now"].text
            #expect(try await app.post("/payouts", shop.batch(dryRun: true))["currency"].text == "EUR")
            func batch(_ currency: JSONValue, dryRun: Bool = true) -> JSONValue {
                ["programId": .text(shop.program), "cutoff": .text(cutoff), "currency": currency, "dryRun": .boolean(dryRun)]
            }
            let dry = try await app.post("/payouts", batch("JPY"))
            #expect(dry["currency"].text == "JPY" && dry["total"].integer == 5_000)
            #expect(try await app.api(.post, "/payouts", batch("points")).status == 422)
            // The member may ask for it too, beside what they ask for in the program's currency.
            let member = shop.members[0]
            #expect(try await app.post("/members/\(member)/payout-requests", ["currency": "JPY"])["amount"].integer == 5_000)
            #expect(try await app.post("/members/\(member)/payout-requests", [:])["amount"].integer == 300)
            #expect(try await app.api(.post, "/members/\(member)/payout-requests", ["currency": "JPY"]).code == "request_waiting")
            let yen = try await app.post("/payouts", batch("JPY", dryRun: false))
            #expect(yen["total"].integer == 5_000)
            #expect(try await app.post("/payouts", shop.batch())["total"].integer == 600, "each batch has its own requests")
            try await app.proveAll()
        }
    }

    @Test(arguments: Engine.allCases)
    func aBatchMayBeForOneKindOfAccount(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let shop = try await Payees.make(in: app)
            try await app.put("/members/\(shop.members[0])/payout-account", ["kind": "paypal", "email": "payee@mail.test"])
            try await app.moveClock(days: 4)
            func batch(_ kinds: JSONValue) -> JSONValue {
                ["programId": .text(shop.program), "cutoff": .text(shop.cutoff), "kinds": kinds, "dryRun": true]
            }
            let iban = try await app.post("/payouts", batch(["iban"]))
            #expect(iban["items"].list.map { $0["memberId"].text } == [shop.members[1]])
            #expect(iban["excluded"].list.contains { $0["memberId"].text == shop.members[0] && $0["reason"].text == "otherAccount" })
            #expect(try await app.post("/payouts", batch(["paypal", "ach"]))["total"].integer == 300)
            for wrong: JSONValue in [[], ["cash"], "iban", [1]] {
                let reply = try await app.api(.post, "/payouts", batch(wrong))
                #expect(reply.status == 422 && reply.text.contains("kinds"))
            }
        }
    }
}
