import Chronology
import HTTPTypes
import Persistence
import TestSupport
import Testing
import Web

@testable import App

/// A member asks for what is available: it is set aside once and paid once.
struct PayoutRequestTests {
    @Test(arguments: Engine.allCases)
    func twentyRequestsForTheWholeBalancePayOnce(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let shop = try await Payees.make(in: app)
            let member = shop.members[0]
            let replies = try await withThrowingTaskGroup(of: Reply.self) { group in
                for _ in 0..<20 { group.addTask { try await app.api(.post, "/members/\(member)/payout-requests", .object([])) } }
                return try await group.reduce(into: [Reply]()) { $0.append($1) }
            }
            #expect(replies.filter { $0.status == 201 }.map { $0.json["amount"].integer } == [300])
            #expect(replies.filter { $0.code == "request_waiting" }.count == 19)
            #expect(try await app.balance(member) == [0, 0, 0, 300, 0, 0])

            let payout = try await app.post("/payouts", shop.batch())
            #expect(payout["total"].integer == 600, "the request's 300 and the other member's 300")
            #expect(try await app.balance(member) == [0, 0, 0, 300, 0, 0], "what was set aside is not set aside twice")
            let id = payout["id"].text
            try await app.api(.post, "/payouts/\(id)/approval", nil, as: shop.secondKey).success("approval")
            try await app.api(.post, "/payouts/\(id)/dispatch").success("dispatch")
            try await app.post("/payouts/\(id)/outcomes", shop.outcome(0, "paid", "bank-1"))
            #expect(try await app.balance(member) == [0, 0, 0, 0, 300, 0])
            let request = try await app.get("/members/\(member)/payout-requests")["data"].list.first
            #expect(request["state"].text == "taken")
            #expect(request["payoutId"].text == id)
            #expect(try await app.api(.post, "/members/\(member)/payout-requests", .object([])).code == "nothing_available")
        }
    }

    /// Requests, their cancellations and batches all at once: whatever wins, nobody is paid more than they have.
    @Test(arguments: Engine.allCases)
    func requestsCancellationsAndBatchesTogetherReserveOnce(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let shop = try await Payees.make(in: app)
            let member = shop.members[0]
            let first = try await app.post("/members/\(member)/payout-requests", .object([]))["id"].text
            let replies = try await withThrowingTaskGroup(of: Reply.self) { group in
                for turn in 0..<21 {
                    group.addTask {
                        switch turn % 3 {
                        case 0: try await app.api(.post, "/payouts", shop.batch())
                        case 1: try await app.api(.post, "/payout-requests/\(first)/cancellation")
                        default: try await app.api(.post, "/members/\(member)/payout-requests", .object([]))
                        }
                    }
                }
                return try await group.reduce(into: [Reply]()) { $0.append($1) }
            }
            #expect(replies.allSatisfy { [200, 201, 409].contains($0.status) })
            #expect(try await app.balance(member).reduce(0, +) == 300)
            let batches = replies.filter { $0.status == 201 && $0.json["items"] != nil }
            let paid = batches.flatMap { $0.json["items"].list }.filter { $0["memberId"].text == member }
            let waiting = try await app.get("/payout-requests?state=waiting")["data"].list
            #expect(paid.count + waiting.count <= 1, "in one batch, or in one request, or in none")
            #expect(paid.allSatisfy { $0["amount"].integer == 300 })
        }
    }

    @Test(arguments: Engine.allCases)
    func whatStandsAgainstARequestIsSaid(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let shop = try await Payees.make(in: app)
            func code(_ member: Int) async throws -> String {
                try await app.api(.post, "/members/\(shop.members[member])/payout-requests", .object([])).code
            }
            #expect(try await code(2) == "below_minimum")
            #expect(try await code(3) == "no_account")
            try await app.put("/members/\(shop.members[0])/payout-account", ["kind": "iban", "iban": "BE68539007547034"])
            #expect(try await code(0) == "account_waiting")
            try await app.patch("/members/\(shop.members[1])", ["status": "suspended"])
            #expect(try await code(1) == "member_not_active")
        }
    }

    @Test(arguments: Engine.allCases)
    func aCanceledRequestGivesBackAndNewEarningsJoinAWaitingOne(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let shop = try await Payees.make(in: app)
            let member = shop.members[0]
            let first = try await app.post("/members/\(member)/payout-requests", ["programId": .text(shop.program)])["id"].text
            try await app.api(.post, "/payout-requests/\(first)/cancellation").success("cancellation")
            #expect(try await app.balance(member) == [0, 0, 300, 0, 0, 0])
            try await app.post("/members/\(member)/payout-requests", .object([]))
            try await app.sale("more", "buyer-more", 500, ["code": "PAY0"])
            try await app.moveClock(days: 31)
            #expect(try await app.balance(member) == [0, 0, 50, 300, 0, 0])
            let now = try await app.get("/workspace")["now"].text
            let dry = try await app.post("/payouts", ["programId": .text(shop.program), "cutoff": .text(now), "dryRun": true])
            let item = dry["items"].list.first { $0["memberId"].text == member }
            #expect(item["amount"].integer == 350)
            #expect(item["commissionIds"].list.count == 4)
            #expect(try await app.balance(member) == [0, 0, 50, 300, 0, 0])
        }
    }
}
