import HTTPTypes
import Persistence
import TestSupport
import Testing
import Web

@testable import App

/// What banks tell in several formats, without our references, or with all that a short field holds of them.
@Suite struct RetellingTests {
    private static func csv(_ lines: [(reference: String, amount: String)]) -> String {
        "date,amount,currency,reference\n" + lines.map { "2026-11-20,\($0.amount),EUR,\($0.reference)\n" }.joined()
    }

    /// A statement in two formats is one statement; a second charge that both tell is one second charge.
    @Test(arguments: Engine.allCases) func anotherFormatTellsTheSame(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let sent = try await ReconciliationTests.Sent.make(in: app)
            let reference = sent.references[0]
            try await sent.take(sent.booked(0))
            try await sent.take(sent.returned(0))
            let again = try await sent.take(Self.csv([(reference, "-3.00"), (reference, "3.00")]), "csv")
            #expect(again["differences"].integer == 0 && again["matched"].integer == 2, "\(again)")
            #expect(try await sent.entries("difference").isEmpty)
            // One more than the statement told is one too many.
            let second = try await sent.take(Self.csv([(reference, "-3.00"), (reference, "-3.00")]), "csv")
            #expect(second["rows"].list.compactMap { $0["difference"].text }.contains("bookedTwice"), "\(second)")
            #expect(try await sent.entries("difference").count == 1)
            // Told by the statement as well, it is known.
            try await sent.take(sent.booked(0, id: "TWICE"))
            #expect(try await sent.entries("difference").count == 1)
            try await sent.verified()
        }
    }

    /// On another day it is another charge, whatever the format.
    @Test(arguments: Engine.allCases) func anotherDayIsAnotherCharge(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let sent = try await ReconciliationTests.Sent.make(in: app)
            try await sent.take(sent.booked(0))
            let later = "date,amount,currency,reference\n2026-11-25,-3.00,EUR,\(sent.references[0])\n"
            #expect(try await sent.take(later, "csv")["differences"].integer == 1)
            #expect(try await sent.entries("difference").first?["difference"].text == "bookedTwice")
        }
    }

    /// A bank that strips references from what comes back: a person says which payment it is, to the cent.
    @Test(arguments: Engine.allCases) func moneyThatNobodyKnewCanBeAPaymentThatCameBack(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let sent = try await ReconciliationTests.Sent.make(in: app)
            try await sent.take(sent.booked(0))
            try await sent.take(Self.csv([("RETOURE payee0", "3.00"), ("Customer", "77.00")]), "csv")
            let ignored = try await sent.entries("ignored")
            let three = try #require(ignored.first { $0["amount"].integer == 300 }), other = try #require(ignored.first { $0["amount"].integer == 7_700 })
            #expect(try await sent.entries("unmatched").isEmpty)
            let kept = try await app.installation.main.read { connection in
                try ["300", "7700"].map { amount in
                    try connection.value(
                        "SELECT count(*) FROM reconciliation_entry WHERE state = 'ignored' AND payload_sealed IS NOT NULL AND amount = \(Int64(amount) ?? 0)", as: Int64.self) ?? 0
                }
            }
            #expect(kept == [1, 0], "only what may be ours is kept")
            let finance = try await TeamPerson.make("fin", .finance, in: app).enter(app)
            #expect(try await finance.get("/reconciliation/entries/\(three["id"].text)").text.contains("/assignment"))
            #expect(!(try await finance.get("/reconciliation/entries/\(other["id"].text)").text.contains("/assignment")))
            let payment: JSONValue = ["payoutId": .text(sent.id), "memberId": .text(sent.shop.members[0])]
            #expect(try await app.api(.post, "/reconciliation-entries/\(other["id"].text)/assignment", payment).code == "does_not_fit")
            let assigned = try await app.post("/reconciliation-entries/\(three["id"].text)/assignment", payment)
            #expect(assigned["state"].text == "matched" && assigned["meaning"].text == "returned", "\(assigned)")
            #expect(try await sent.states() == ["returned", "sent"])
            #expect(try await app.balance(sent.shop.members[0]) == [0, 0, 300, 0, 0, 0])
            #expect(try await app.api(.post, "/reconciliation-entries/\(other["id"].text)/setting-aside", ["reason": "No"]).code == "entry_settled")
            try await sent.verified()
        }
    }

    /// A NACHA file has room for fourteen signs of a reference.
    @Test(arguments: Engine.allCases) func fourteenSignsAreFoundAmongBatchesInDollars(_ engine: Engine) async throws {
        try await RailStory.with(engine, .nacha, members: 2, currency: "USD") { story in
            let app = story.app
            let id = try #require(PayoutID(story.payout))
            let signs = String(id.text.suffix(8))
            let (found, elsewhere, unknown) = try await app.installation.main.read { connection in
                (
                    try ReconciliationStore.filed(endingIn: signs, in: app.twinID, on: connection),
                    try ReconciliationStore.filed(endingIn: signs, in: app.workspace.workspace.id, on: connection),
                    try ReconciliationStore.filed(endingIn: "zzzzzzzz", in: app.twinID, on: connection)
                )
            }
            #expect(found == id && elsewhere == nil && unknown == nil)
            #expect(PaymentReference.all(in: "ACH \(signs.uppercased())000002 x") == [.short(signs, 2)])
            #expect(PaymentReference.all(in: "\(signs)000000 \(signs)00000a \(signs)0000002 %%%%%%%%000001").isEmpty)
            let text = "date,amount,currency,reference\n2026-11-20,-0.01,USD,ACH \(signs.uppercased())000002\n"
            let taken = try await app.post("/reconciliations", ["format": "csv", "content": .text(text)])
            #expect(taken["differences"].integer == 1, "it is found, and its amount is another: \(taken)")
        }
    }
}
