import Chronology
import Money
import HTTPTypes
import Persistence
import TestSupport
import Testing
import Web

@testable import App

/// Transfers to connected accounts against a fake that fails in every way that is documented.
@Suite struct StripeTransferTests {
    private static func with(
        _ engine: Engine, members: Int = 3, timeoutMs: Int = 10_000, _ body: @escaping @Sendable (RailStory, FakeStripe) async throws -> Void
    ) async throws {
        let fake = FakeStripe()
        try await ProviderServer.with({ fake.answer($0) }) { url in
            try await RailStory.with(engine, .stripe, members: members, url: url, timeoutMs: timeoutMs) { story in
                try await body(story, fake)
                let findings = try await story.findings()
                #expect(findings.isEmpty, "\(findings)")
            }
        }
    }

    @Test(arguments: Engine.allCases) func eachLineIsATransfer(_ engine: Engine) async throws {
        try await Self.with(engine) { story, fake in
            try await story.app.put("/programs/\(story.program)/rail", ["rail": "stripe"])
            try await story.app.post("/payouts/\(story.payout)/sending", .object([]))
            try await story.worker.workDue()
            #expect(try await story.items() == ["paid", "paid", "paid"])
            #expect(fake.transfers.map(\.amount).sorted() == [1_000, 1_123, 1_246])
            #expect(fake.transfers.allSatisfy { $0.currency == "eur" && $0.group == story.payout && $0.destination.hasPrefix("acct_1Test") })
            #expect(Set(try await story.lines().map { $0["providerId"].text }) == ["tr_1", "tr_2", "tr_3"])
            try await story.wait(minutes: 60 * 24, times: 3)
            #expect(fake.posts == 3)
            #expect(try await story.ledger() == (3_369, 0, 0))
        }
    }

    @Test(arguments: Engine.allCases, [FakeStripe.Fault.lostBefore, .lostAfter, .malformed, .conflict])
    func anUnclearTransferIsRepeatedUnderItsKey(_ engine: Engine, _ fault: FakeStripe.Fault) async throws {
        try await Self.with(engine, members: 1) { story, fake in
            fake.fail([fault])
            try await story.send(.stripe)
            try await story.worker.workDue()
            #expect(try await story.items() == ["unknown"])
            try await story.wait(minutes: 1)
            #expect(try await story.items() == ["paid"])
            #expect(fake.transfers.count == 1)
        }
    }

    /// Nothing comes back in time, though the transfer was made.
    @Test func aTimeoutAfterItWasTakenIn() async throws {
        try await Self.with(.sqlite, members: 1, timeoutMs: 400) { story, fake in
            fake.fail([.silentAfter])
            try await story.send(.stripe)
            try await story.worker.workDue()
            #expect(try await story.items() == ["unknown"])
            #expect(fake.transfers.count == 1)
            try await story.wait(minutes: 1)
            #expect(try await story.items() == ["paid"])
            #expect(fake.transfers.count == 1)
        }
    }

    /// Stripe keeps a 500 under the key for good: the batch's list says what became of it.
    @Test(arguments: Engine.allCases) func anAnswerThatIsKeptAsAFailureIsLookedUp(_ engine: Engine) async throws {
        try await Self.with(engine, members: 2) { story, fake in
            fake.fail([.error500After, .error500Sticky])
            try await story.send(.stripe)
            try await story.worker.workDue()
            #expect(try await story.items() == ["unknown", "unknown"])
            try await story.wait(minutes: 11, times: 2)
            #expect(try await story.items().sorted() == ["paid", "unknown"], "one moved, of the other nobody knows")
            // A day later Stripe may have forgotten the key: what would be a second payment is not made.
            fake.forgetKeys()
            try await story.wait(minutes: 60 * 24)
            try await story.app.api(.post, "/payouts/\(story.payout)/inquiry").success("inquiry")
            let before = fake.posts
            try await story.wait(minutes: 60 * 24, times: 2)
            #expect(fake.posts == before)
            #expect(fake.transfers.count == 1)
            #expect(try await story.items().sorted() == ["paid", "unknown"])
        }
    }

    @Test(arguments: Engine.allCases, [FakeStripe.Fault.insufficient, .accountInvalid]) func aRefusalGivesTheMoneyBack(_ engine: Engine, _ fault: FakeStripe.Fault) async throws {
        try await Self.with(engine, members: 1) { story, fake in
            fake.fail([fault])
            try await story.send(.stripe)
            try await story.worker.workDue()
            #expect(try await story.items() == ["failed"])
            #expect(try await story.ledger() == (0, 0, 1_000))
            #expect(try await story.lines().first?["code"].text == (fault == .insufficient ? "balance_insufficient" : "account_invalid"))
            // The next batch has keys of its own.
            var next = story
            next.payout = try await story.batch()
            try await next.send(.stripe)
            try await next.worker.workDue()
            #expect(try await next.items() == ["paid"])
            #expect(fake.transfers.count == 1)
        }
    }

    @Test(arguments: Engine.allCases) func whatIsSurelyNotTakenInWaits(_ engine: Engine) async throws {
        try await Self.with(engine, members: 1) { story, fake in
            fake.fail([.tooMany, .unauthorized])
            try await story.send(.stripe)
            try await story.worker.workDue()
            #expect(try await story.items() == ["sent"])
            try await story.wait(minutes: 1, times: 2)
            #expect(try await story.items() == ["paid"])
        }
    }

    @Test(arguments: Engine.allCases) func anotherCurrencyThanAskedIsForPeople(_ engine: Engine) async throws {
        try await Self.with(engine, members: 1) { story, fake in
            fake.fail([.otherCurrency])
            try await story.send(.stripe)
            try await story.worker.workDue()
            #expect(try await story.items() == ["unknown"])
            #expect(try await story.lines().first?["state"].text == "contrary")
        }
    }

    @Test(arguments: Engine.allCases) func aReversalIsFoundByTheList(_ engine: Engine) async throws {
        try await Self.with(engine, members: 3) { story, fake in
            fake.listAtMost(1)
            try await story.send(.stripe)
            try await story.worker.workDue()
            let lines = try await story.lines()
            fake.reverse(lines[1]["id"].text)
            fake.reverse(lines[2]["id"].text, by: 100)
            try await story.wait(minutes: 60 * 24)
            #expect(try await story.items() == ["paid", "returned", "paid"])
            #expect(try await story.lines().map { $0["state"].text } == ["paid", "returned", "contrary"], "a part that came back is for people")
            #expect(try await story.ledger() == (2_246, 0, 1_123))
            let item = try await story.app.get("/payouts/\(story.payout)")["items"].list.first { $0["memberId"].text == story.members[1] }
            #expect(item?["returnReference"].text.hasPrefix("trr_") == true)
            #expect(fake.lists >= 3)
        }
    }

    /// Two transfers for one line change no books, whichever of them came back and on whatever page of the list they stand.
    @Test(arguments: Engine.allCases, [nil, "tr_1", "tr_2"]) func twoTransfersForALineAreForPeople(_ engine: Engine, _ reversed: String?) async throws {
        for listMax in [1, 100] {
            try await Self.with(engine, members: 1) { story, fake in
                fake.listAtMost(listMax)
                fake.fail([.error500After])
                try await story.send(.stripe)
                try await story.worker.workDue()
                #expect(try await story.items() == ["unknown"])
                let line = try #require(try await story.lines().first?["id"].text)
                fake.payAgain(line)
                if let reversed { fake.reverse(id: reversed) }
                try await story.wait(minutes: 11, times: 2)
                #expect(try await story.lines().first?["state"].text == "contrary")
                #expect(try await story.lines().first?["code"].text == "two_transfers")
                #expect(try await story.items() == ["unknown"], "nobody is paid once more while one of them lives")
                #expect(try await story.ledger() == (0, 1_000, 0))
            }
        }
    }

    /// The list breaks off after the newest: what came back of it settles nothing yet.
    @Test(arguments: Engine.allCases) func aListThatBreaksOffGivesNothingBack(_ engine: Engine) async throws {
        try await Self.with(engine, members: 1) { story, fake in
            fake.listAtMost(1)
            fake.fail([.error500After])
            try await story.send(.stripe)
            try await story.worker.workDue()
            let line = try #require(try await story.lines().first?["id"].text)
            fake.payAgain(line)
            fake.reverse(id: "tr_2")
            fake.failListing([.noFault, .malformed])
            try await story.wait(minutes: 11)
            #expect(fake.lists == 2)
            #expect(try await story.items() == ["unknown"])
            try await story.wait(minutes: 60 * 24)
            #expect(try await story.lines().first?["state"].text == "contrary")
            #expect(try await story.items() == ["unknown"])
        }
    }

    /// Stripe keeps no answer of what it refuses before it begins: refused at a repeat, the first try may have paid.
    @Test(arguments: Engine.allCases) func aRefusalOfARepeatSettlesNothing(_ engine: Engine) async throws {
        try await Self.with(engine, members: 1) { story, fake in
            fake.fail([.lostAfter, .refusedAtTheDoor])
            try await story.send(.stripe)
            try await story.worker.workDue()
            try await story.wait(minutes: 1)
            #expect(fake.posts == 2)
            #expect(try await story.items() == ["unknown"])
            try await story.wait(minutes: 11)
            #expect(try await story.items() == ["paid"])
            #expect(fake.transfers.count == 1)
        }
    }

    /// First a part came back, then the rest.
    @Test(arguments: Engine.allCases) func aReversalInPartsIsAReturnInTheEnd(_ engine: Engine) async throws {
        try await Self.with(engine, members: 1) { story, fake in
            try await story.send(.stripe)
            try await story.worker.workDue()
            let line = try #require(try await story.lines().first?["id"].text)
            fake.reverse(line, by: 100)
            try await story.wait(minutes: 60 * 24)
            #expect(try await story.lines().first?["state"].text == "contrary")
            #expect(try await story.items() == ["paid"])
            fake.reverse(line)
            try await story.wait(minutes: 60 * 24)
            #expect(try await story.items() == ["returned"])
            #expect(try await story.ledger() == (0, 0, 1_000))
        }
    }

    /// Of an erased person nobody knows any more where a repeat would go: it is not made, and not taken for done.
    @Test(arguments: Engine.allCases) func whoIsErasedAfterAnUnclearCallIsForPeople(_ engine: Engine) async throws {
        try await Self.with(engine, members: 1) { story, fake in
            fake.fail([.lostBefore])
            try await story.send(.stripe)
            try await story.worker.workDue()
            let erasing = try await story.app.api(.delete, "/members/\(story.members[0])/person")
            try await story.wait(minutes: 5, times: 3)
            if erasing.status < 300 {
                #expect(fake.posts == 1)
                #expect(try await story.items() == ["unknown"])
                let state: String? = try await story.app.installation.main.read { connection in
                    try connection.value("SELECT state FROM rail_call WHERE purpose = 'pay'")
                }
                #expect(state == "stopped")
            } else {
                #expect(erasing.status == 409, "money under way keeps a person from being erased: \(erasing.text)")
                #expect(try await story.items() == ["paid"])
            }
        }
    }

    /// A key of perhaps another account: what was not answered under the first is looked for, never sent under the second.
    @Test(arguments: Engine.allCases) func underAnotherSecretNothingIsRepeated(_ engine: Engine) async throws {
        try await Self.with(engine, members: 1) { story, fake in
            fake.fail([.lostBefore])
            try await story.send(.stripe)
            try await story.worker.workDue()
            try await story.app.put("/rails/stripe", ["secret": "sk_test_other"])
            try await story.wait(minutes: 5, times: 3)
            #expect(fake.posts == 1)
            #expect(try await story.items() == ["unknown"])
        }
    }

    @Test(arguments: Engine.allCases) func aTestWorkspaceTakesTestKeysAlone(_ engine: Engine) async throws {
        try await Self.with(engine, members: 1) { story, _ in
            let app = story.app
            #expect(try await app.api(.put, "/rails/stripe", ["secret": "sk_live_x"]).fields == ["secret"])
            #expect(try await app.api(.put, "/rails/stripe", ["secret": "sk_test_x"], as: app.liveKey).fields == ["secret"])
            #expect(try await app.api(.put, "/rails/paypal", ["clientId": "client-id-1234", "secret": "x", "sandbox": false]).fields == ["sandbox"])
            let stored = try await app.installation.main.read { connection in
                try connection.rows("SELECT settings FROM rail").map { try $0.get(at: 0, as: String.self) }.joined()
            }
            #expect(!stored.contains("sk_test_fake"))
            #expect(!String(decoding: try await app.get("/rails").bytes, as: UTF8.self).contains("sk_test"))
        }
    }

    @Test func amountsAsStripeSaysThem() throws {
        func number(_ minor: Int64, _ code: String) throws -> Int64? { StripeAmount.number(minor, try UnitCode(code)) }
        #expect(try number(1_234, "EUR") == 1_234)
        #expect(try number(1_234, "JPY") == 1_234)
        #expect(try number(500, "ISK") == 50_000, "as if it had two decimals")
        #expect(try number(500, "UGX") == 50_000)
        #expect(try number(12_340, "KWD") == 12_340)
        #expect(try number(12_345, "KWD") == nil, "the last digit must be zero")
        #expect(try number(50_000, "MGA") == 500)
        #expect(try number(50_001, "MGA") == nil)
        #expect(try number(99_999_999, "USD") == 99_999_999)
        #expect(try number(100_000_000, "USD") == nil)
    }

    @Test func amountsAsPayPalWritesThem() throws {
        #expect(PayPalAmount.text(1_205, try UnitCode("USD")) == "12.05")
        #expect(PayPalAmount.text(1_205, try UnitCode("JPY")) == "1205")
        #expect(PayPalAmount.text(1_200, try UnitCode("HUF")) == "12")
        #expect(PayPalAmount.text(1_205, try UnitCode("HUF")) == nil)
        #expect(PayPalAmount.text(1_205, try UnitCode("KWD")) == nil)
        for (text, minor) in [("12.05", 1_205), ("12.5", 1_250), ("12", 1_200), ("12.050", 1_205), ("0.01", 1)] as [(String, Int64)] {
            #expect(PayPalAmount.minor(text, try UnitCode("USD")) == minor, "\(text)")
        }
        for text in ["", ".", "12.055", "-1.00", "+1.00", "1e2", "12,05", "1.2.3"] { #expect(PayPalAmount.minor(text, try UnitCode("USD")) == nil, "\(text)") }
    }
}
