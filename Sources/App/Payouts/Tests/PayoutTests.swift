import Chronology
import HTTPTypes
import Persistence
import TestSupport
import Testing
import Web

@testable import App

/// Money leaves once, and only after a second person said yes.
struct PayoutTests {
    @Test(arguments: Engine.allCases)
    func aBatchReservesIsApprovedByAnotherAndIsSettledByEvidence(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let shop = try await Payees.make(in: app)
            let dry = try await app.post("/payouts", shop.batch(dryRun: true))
            #expect(dry["total"].integer == 600)
            #expect(dry["excluded"].list.map { $0["reason"].text }.sorted() == ["belowMinimum", "noAccount"])
            #expect(try await app.balance(shop.members[0]) == [0, 0, 300, 0, 0, 0], "a dry run leaves nothing behind")

            let payout = try await app.post("/payouts", shop.batch())
            let id = payout["id"].text
            #expect(payout["total"].integer == 600)
            #expect(try await app.balance(shop.members[0]) == [0, 0, 0, 300, 0, 0])
            #expect(try await app.api(.post, "/payouts/\(id)/approval").code == "same_person")
            #expect(try await app.api(.get, "/payouts/\(id)/file").code == "not_approved")
            #expect(try await app.api(.post, "/payouts/\(id)/dispatch").code == "wrong_state")

            try await app.api(.post, "/payouts/\(id)/approval", nil, as: shop.secondKey).success("approval")
            #expect(try await app.api(.post, "/payouts/\(id)/cancellation").code == "wrong_state")
            try await app.api(.post, "/payouts/\(id)/dispatch").success("dispatch")
            try await app.post("/payouts/\(id)/outcomes", shop.outcome(0, "paid", "bank-1"))
            #expect(try await app.balance(shop.members[0]) == [0, 0, 0, 0, 300, 0])
            #expect(try await app.api(.post, "/payouts/\(id)/outcomes", shop.outcome(1, "paid", "bank-1")).status == 409, "one reference, one payment")
            let settled = try await app.post("/payouts/\(id)/outcomes", shop.outcome(1, "failed", "bank-2"))
            #expect(settled["state"].text == "failed")
            #expect(try await app.balance(shop.members[1]) == [0, 0, 300, 0, 0, 0], "what came back is available again")
            #expect(try await app.api(.post, "/payouts/\(id)/outcomes", shop.outcome(1, "paid", "bank-3")).code == "payout_settled")

            try await app.refund("i0-0", "back")
            #expect(try await app.balance(shop.members[0]) == [0, 0, 0, 0, 300, 100], "what was paid already becomes a debt")
            #expect(try await app.post("/payouts", shop.batch())["total"].integer == 300, "the failed payment is in the next batch")
        }
    }

    @Test(arguments: Engine.allCases)
    func twentyBatchesAtOnceReserveOnce(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let shop = try await Payees.make(in: app)
            let replies = try await withThrowingTaskGroup(of: Reply.self) { group in
                for _ in 0..<20 { group.addTask { try await app.api(.post, "/payouts", shop.batch()) } }
                return try await group.reduce(into: [Reply]()) { $0.append($1) }
            }
            #expect(replies.filter { $0.status == 201 }.count == 1)
            #expect(replies.filter { $0.code == "nothing_due" }.count == 19)
            #expect(try await app.balance(shop.members[0]) == [0, 0, 0, 300, 0, 0])
        }
    }

    @Test(arguments: Engine.allCases)
    func approvalAndCancellationDoNotBothHappen(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let shop = try await Payees.make(in: app)
            let id = try await app.post("/payouts", shop.batch())["id"].text
            let replies = try await withThrowingTaskGroup(of: Reply.self) { group in
                for turn in 0..<20 {
                    group.addTask {
                        turn % 2 == 0
                            ? try await app.api(.post, "/payouts/\(id)/approval", nil, as: shop.secondKey)
                            : try await app.api(.post, "/payouts/\(id)/cancellation")
                    }
                }
                return try await group.reduce(into: [Reply]()) { $0.append($1) }
            }
            let states = Set(replies.filter { $0.status == 200 }.map { $0.json["state"].text })
            #expect(states.count == 1, "either all saw it approved or all saw it canceled")
            let balance = try await app.balance(shop.members[0])
            #expect(balance == (states == ["canceled"] ? [0, 0, 300, 0, 0, 0] : [0, 0, 0, 300, 0, 0]))
        }
    }

    @Test(arguments: Engine.allCases)
    func twentyApprovalsDispatchesAndOutcomesAtOncePayOnce(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let shop = try await Payees.make(in: app)
            let id = try await app.post("/payouts", shop.batch())["id"].text
            let approvals = try await Self.atOnce { _ in try await app.api(.post, "/payouts/\(id)/approval", nil, as: shop.secondKey) }
            #expect(approvals.allSatisfy { $0.status == 200 && $0.json["state"].text == "approved" })
            let dispatches = try await Self.atOnce { _ in try await app.api(.post, "/payouts/\(id)/dispatch") }
            #expect(dispatches.allSatisfy { $0.status == 200 && $0.json["state"].text == "sent" })
            let outcomes = try await Self.atOnce { turn in
                try await app.api(.post, "/payouts/\(id)/outcomes", shop.outcome(0, turn % 2 == 0 ? "paid" : "failed", "bank-\(turn % 4)"))
            }
            #expect(outcomes.filter { $0.status == 200 }.count == 5, "one report was the first; those like it say the same")
            #expect(outcomes.filter { $0.code == "payout_settled" }.count == 15)
            let item = try await app.get("/payouts/\(id)")["items"].list.first { $0["memberId"].text == shop.members[0] }
            #expect(try await app.balance(shop.members[0]) == (item["state"].text == "paid" ? [0, 0, 0, 0, 300, 0] : [0, 0, 300, 0, 0, 0]))
            let actions = try await app.get("/audit?limit=100")["data"].list.map { $0["action"].text }
            for action in ["payout.create", "payout.approve", "payout.dispatch", "payout.outcome"] {
                #expect(actions.filter { $0 == action }.count == 1, "\(action)")
            }
            let events = try await app.get("/events?limit=100")["data"].list.map { $0["type"].text }
            #expect(events.filter { $0 == "payout.approved" }.count == 1 && events.filter { $0 == "payout.sent" }.count == 1)
            try await app.proveAll()
        }
    }

    /// The same twenty times, together.
    private static func atOnce(_ act: @escaping @Sendable (Int) async throws -> Reply) async throws -> [Reply] {
        try await withThrowingTaskGroup(of: Reply.self) { group in
            for turn in 0..<20 { group.addTask { try await act(turn) } }
            return try await group.reduce(into: [Reply]()) { $0.append($1) }
        }
    }

    @Test(arguments: Engine.allCases)
    func aChangedAccountWaits(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let shop = try await Payees.make(in: app)
            try await app.put("/members/\(shop.members[0])/payout-account", ["kind": "iban", "iban": "BE68539007547034"])
            let dry = try await app.post("/payouts", shop.batch(dryRun: true))
            #expect(dry["excluded"].list.contains { $0["memberId"].text == shop.members[0] && $0["reason"].text == "accountWaiting" })
            try await app.moveClock(days: 4)
            #expect(try await app.post("/payouts", shop.batch(dryRun: true))["total"].integer == 600)
        }
    }

    @Test(arguments: [
        "DE89370400440532013000", "DE89 3704 0044 0532 0130 00", "gb29nwbk60161331926819", "NO9386011117947", "MT84MALT011000012345MTLCAST001S",
    ])
    func registeredNumbersAreAccepted(_ text: String) { #expect(IBAN(text) != nil) }

    @Test(arguments: ["", "DE", "DE89370400440532013001", "DE8937040044053201300", "XX89370400440532013000", "DE89-3704", "١٢٣٤", "DE89370400440532013000\u{301}"])
    func othersAreRefused(_ text: String) { #expect(IBAN(text) == nil) }
}
