import HTTPTypes
import Persistence
import TestSupport
import Testing
import Web

@testable import App

/// What happened to a payment is what evidence says, once.
struct PayoutEvidenceTests {
    @Test(arguments: Engine.allCases)
    func twentyApprovalsAtOnceApproveOnce(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let shop = try await Payees.make(in: app)
            let id = try await app.post("/payouts", shop.batch())["id"].text
            let replies = try await withThrowingTaskGroup(of: Reply.self) { group in
                for _ in 0..<20 { group.addTask { try await app.api(.post, "/payouts/\(id)/approval", nil, as: shop.secondKey) } }
                return try await group.reduce(into: [Reply]()) { $0.append($1) }
            }
            #expect(replies.allSatisfy { $0.status == 200 && $0.json["state"].text == "approved" })
            let (told, noted) = try await app.installation.main.read { connection in
                (
                    try connection.value("SELECT count(*) FROM outbox WHERE type = 'payout.approved' AND subject_id = \(id)", as: Int64.self),
                    try connection.value("SELECT count(*) FROM audit_entry WHERE action = 'payout.approve' AND subject = \(id)", as: Int64.self)
                )
            }
            #expect(told == 1)
            #expect(noted == 1)
            #expect(try await app.balance(shop.members[0]) == [0, 0, 0, 300, 0, 0])
        }
    }

    @Test(arguments: Engine.allCases)
    func whatNobodyKnowsStaysSetAsideUntilThereIsEvidence(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let shop = try await Payees.make(in: app)
            let id = try await app.post("/payouts", shop.batch())["id"].text
            try await app.api(.post, "/payouts/\(id)/approval", nil, as: shop.secondKey).success("approval")
            try await app.api(.post, "/payouts/\(id)/dispatch").success("dispatch")
            let unknown = try await app.post("/payouts/\(id)/outcomes", shop.outcome(0, "unknown", "no answer"))
            #expect(unknown["state"].text == "unknown")
            #expect(try await app.balance(shop.members[0]) == [0, 0, 0, 300, 0, 0], "it may have left: it is not free")
            #expect(try await app.api(.post, "/payouts", shop.batch()).code == "nothing_due", "and in no other batch")
            try await app.post("/payouts/\(id)/outcomes", shop.outcome(1, "paid", "bank-2"))
            #expect(try await app.get("/payouts/\(id)")["state"].text == "unknown")
            // The same evidence from twenty hands counts once.
            let replies = try await withThrowingTaskGroup(of: Reply.self) { group in
                for turn in 0..<20 {
                    group.addTask { try await app.api(.post, "/payouts/\(id)/outcomes", shop.outcome(0, turn % 2 == 0 ? "paid" : "failed", "bank-1")) }
                }
                return try await group.reduce(into: [Reply]()) { $0.append($1) }
            }
            #expect(replies.contains { $0.status == 200 })
            let balance = try await app.balance(shop.members[0])
            #expect(balance == [0, 0, 0, 0, 300, 0] || balance == [0, 0, 300, 0, 0, 0])
            let findings = try await Verification.run(main: app.installation.main, clicks: app.installation.clicks, keys: app.installation.keys).findings
            #expect(findings.isEmpty, "\(findings)")
        }
    }

    /// Whoever changes payouts behind the journal's back is named.
    @Test(arguments: Engine.allCases, [
        ("UPDATE payout SET total = total + 1", "payoutTotalWrong"),
        ("UPDATE payout_item SET amount = amount + 1", "payoutNotSetAside"),
        ("UPDATE payout_item SET state = 'paid'", "paidNotPosted"),
        ("UPDATE payout SET state = 'paid', approved_by = 'op_x', approved_at = 1", "payoutStateWrong"),
        ("DELETE FROM payout_request", "payoutNotReserved"),
    ])
    func verifyNamesWhatWasTamperedWith(_ engine: Engine, _ act: (sql: String, finding: String)) async throws {
        try await AppHarness.with(engine) { app in
            let shop = try await Payees.make(in: app)
            try await app.post("/members/\(shop.members[0])/payout-requests", .object([]))
            try await app.post("/payouts", shop.batch())
            let clean = try await Verification.run(main: app.installation.main, clicks: app.installation.clicks, keys: app.installation.keys).findings
            #expect(clean.isEmpty, "\(clean)")
            try await app.installation.main.write { connection in try connection.execute("\(raw: act.sql)") }
            let found = try await Verification.run(main: app.installation.main, clicks: app.installation.clicks, keys: app.installation.keys).findings
            #expect(found.contains { $0.kind == act.finding }, "\(found)")
        }
    }

    @Test(arguments: Engine.allCases)
    func seeingAnAccountNeedsAFreshProofAndIsNoted(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let shop = try await Payees.make(in: app)
            let path = "/members/\(shop.members[0])/payout-account"
            let finance = try await TeamPerson.make("fin", .finance, in: app).enter(app)
            #expect(try await finance.get(path).text.contains("DE89370400440532013000"))
            app.clock.advance(ms: Confirmation.freshMs)
            #expect(try await finance.get(path).headers[.location]?.hasPrefix("/confirm") == true)
            let wrong = ["kind": "iban", "iban": "DE00370400440532013000"]
            #expect(try await finance.submit(path, from: "/account", wrong).headers[.location]?.hasPrefix("/confirm") == true)
            _ = try await finance.submit("/confirm", from: "/confirm", ["password": TeamPerson.password])
            #expect(try await finance.submit(path, from: "/account", wrong).status == 422)
            let right = ["kind": "iban", "iban": "BE68 5390 0754 7034", "accountNumber": "left over"]
            #expect(try await finance.submit(path, from: "/account", right).headers[.location] == path + "?saved=1")
            let viewer = try await TeamPerson.make("vera", .viewer, in: app).enter(app)
            #expect(try await viewer.get(path).status == 403)
            let (noted, letters) = try await app.installation.main.read { connection in
                (
                    try connection.value("SELECT count(*) FROM audit_entry WHERE action = 'payout_account.read'", as: Int64.self) ?? 0,
                    try connection.value("SELECT count(*) FROM mail WHERE kind = 'payoutAccountChanged'", as: Int64.self)
                )
            }
            #expect(noted >= 1)
            #expect(letters == 1)
        }
    }
}
