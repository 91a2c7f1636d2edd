import HTTPTypes
import Persistence
import TestSupport
import Testing
import Web

@testable import App

/// Money that had arrived and came back.
@Suite struct ReturnTests {
    @Test(arguments: Engine.allCases) func whatArrivedMayComeBackOnce(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let shop = try await Payees.make(in: app)
            let id = try await app.post("/payouts", shop.batch())["id"].text
            try await app.api(.post, "/payouts/\(id)/approval", nil, as: shop.secondKey).success("approval")
            try await app.api(.post, "/payouts/\(id)/dispatch").success("dispatch")
            try await app.post("/payouts/\(id)/outcomes", shop.outcome(0, "paid", "bank-1"))
            #expect(try await app.post("/payouts/\(id)/outcomes", shop.outcome(1, "paid", "bank-2"))["state"].text == "paid")
            #expect(try await app.api(.post, "/payouts/\(id)/outcomes", shop.outcome(0, "failed", "bank-3")).code == "payout_settled", "only a return may follow")

            // Twenty hands tell of the same return.
            let replies = try await withThrowingTaskGroup(of: Reply.self) { group in
                for _ in 0..<20 { group.addTask { try await app.api(.post, "/payouts/\(id)/outcomes", shop.outcome(0, "returned", "R03-1")) } }
                return try await group.reduce(into: [Reply]()) { $0.append($1) }
            }
            #expect(replies.allSatisfy { $0.status == 200 })
            #expect(try await app.balance(shop.members[0]) == [0, 0, 300, 0, 0, 0])
            let payout = try await app.get("/payouts/\(id)")
            #expect(payout["state"].text == "failed")
            let item = payout["items"].list.first { $0["memberId"].text == shop.members[0] }
            #expect(item?["state"].text == "returned" && item?["reference"].text == "bank-1" && item?["returnReference"].text == "R03-1")
            #expect(try await app.api(.post, "/payouts/\(id)/outcomes", shop.outcome(0, "paid", "bank-4")).code == "payout_settled")
            #expect(try await app.post("/payouts", shop.batch())["total"].integer == 300, "the next batch has it")
            let findings = try await Verification.run(main: app.installation.main, clicks: app.installation.clicks, keys: app.installation.keys).findings
            #expect(findings.isEmpty, "\(findings)")
        }
    }

    /// A refund after the payment is a debt, which the return pays off first.
    @Test(arguments: Engine.allCases) func aReturnPaysDebtsFirst(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let shop = try await Payees.make(in: app)
            let id = try await app.post("/payouts", shop.batch())["id"].text
            try await app.api(.post, "/payouts/\(id)/approval", nil, as: shop.secondKey).success("approval")
            try await app.api(.post, "/payouts/\(id)/dispatch").success("dispatch")
            try await app.post("/payouts/\(id)/outcomes", shop.outcome(0, "paid", "bank-1"))
            try await app.refund("i0-0", "back")
            #expect(try await app.balance(shop.members[0]) == [0, 0, 0, 0, 300, 100])
            try await app.post("/payouts/\(id)/outcomes", shop.outcome(0, "returned", "R03-1"))
            #expect(try await app.balance(shop.members[0]) == [0, 0, 200, 0, 0, 0])
            // What never arrived can't come back: it failed.
            try await app.post("/payouts/\(id)/outcomes", shop.outcome(1, "returned", "R03-2"))
            let again = try await app.post("/payouts/\(id)/outcomes", shop.outcome(1, "returned", "R03-2"))
            #expect(again["items"].list.first { $0["memberId"].text == shop.members[1] }?["state"].text == "failed")
            let findings = try await Verification.run(main: app.installation.main, clicks: app.installation.clicks, keys: app.installation.keys).findings
            #expect(findings.isEmpty, "\(findings)")
        }
    }
}
