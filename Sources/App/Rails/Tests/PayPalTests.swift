import Chronology
import HTTPTypes
import Persistence
import TestSupport
import Testing
import Web

@testable import App

/// PayPal Payouts against a fake that fails in every way that is documented: nobody is paid twice, and nothing is lost.
@Suite struct PayPalTests {
    private static func with(_ engine: Engine, members: Int = 3, _ body: @escaping @Sendable (RailStory, FakePayPal) async throws -> Void) async throws {
        let fake = FakePayPal()
        try await ProviderServer.with({ fake.answer($0) }) { url in
            try await RailStory.with(engine, .paypal, members: members, url: url) { story in
                try await body(story, fake)
                let findings = try await story.findings()
                #expect(findings.isEmpty, "\(findings)")
            }
        }
    }

    @Test(arguments: Engine.allCases) func aBatchIsPaidAndEachLineSaysSo(_ engine: Engine) async throws {
        try await Self.with(engine) { story, fake in
            try await story.send(.paypal)
            #expect(try await story.items() == ["sent", "sent", "sent"])
            #expect(fake.batches.isEmpty, "sending is work in the background")
            try await story.worker.workDue()
            #expect(fake.batches.count == 1)
            #expect(fake.batches[0].items.map(\.value).sorted() == ["10.00", "11.23", "12.46"])
            #expect(Set(fake.batches[0].items.map(\.currency)) == ["EUR"])
            try await story.wait(minutes: 1)
            #expect(try await story.items() == ["paid", "paid", "paid"])
            #expect(try await story.state() == "paid")
            #expect(try await story.ledger() == (3_369, 0, 0))
            #expect(try await story.lines().map { $0["state"].text } == ["paid", "paid", "paid"])
            #expect(try await story.lines().allSatisfy { $0["providerId"].text.hasPrefix("TXITEM1X") })
            // Sent again is nothing new; a file would pay twice.
            #expect(try await story.send(.paypal)["state"].text == "paid")
            try await story.wait(minutes: 60 * 24, times: 3)
            #expect(fake.batches.count == 1)
            #expect(fake.tokensGiven <= 9, "a token serves as long as it says")
            #expect(try await story.app.api(.get, "/payouts/\(story.payout)/file").code == "payout_sent")
        }
    }

    /// Whatever happens to the first call, the money leaves once.
    @Test(arguments: Engine.allCases, [FakePayPal.Fault.lostBefore, .lostAfter, .error500Before, .error500After, .malformed, .htmlError])
    func anUnclearCallIsUnknownUntilPayPalSaysMore(_ engine: Engine, _ fault: FakePayPal.Fault) async throws {
        try await Self.with(engine) { story, fake in
            fake.fail([fault])
            try await story.send(.paypal)
            try await story.worker.workDue()
            #expect(try await story.items() == ["unknown", "unknown", "unknown"])
            #expect(try await story.ledger() == (0, 3_369, 0), "it may have left: it is not free")
            try await story.wait(minutes: 2, times: 3)
            #expect(try await story.items() == ["paid", "paid", "paid"])
            #expect(fake.batches.count == 1, "the same key twice is one batch")
            #expect(try await story.ledger() == (3_369, 0, 0))
        }
    }

    @Test(arguments: Engine.allCases) func whatIsSurelyNotTakenInWaits(_ engine: Engine) async throws {
        try await Self.with(engine) { story, fake in
            fake.fail([.tooMany, .unauthorized])
            try await story.send(.paypal)
            try await story.worker.workDue()
            #expect(try await story.items() == ["sent", "sent", "sent"], "429 and 401 paid nobody")
            story.app.clock.advance(ms: 4_000)
            try await story.worker.workDue()
            #expect(fake.calls.count { $0 == "POST /v1/payments/payouts" } == 1, "Retry-After is waited for")
            try await story.wait(minutes: 1, times: 4)
            #expect(try await story.items() == ["paid", "paid", "paid"])
            // Wrong credentials stop nothing for good: mended, it goes on.
        }
    }

    @Test(arguments: Engine.allCases) func refusedCredentialsAreShownAndMended(_ engine: Engine) async throws {
        try await Self.with(engine) { story, fake in
            fake.refuseCredentials(true)
            try await story.send(.paypal)
            try await story.worker.workDue()
            let rail = try await story.app.get("/rails")["data"].list.first
            #expect(rail["troubleCode"].text == "credentials_refused")
            #expect(try await story.app.api(.delete, "/rails/paypal").code == "rail_in_use")
            #expect(
                try await story.app.api(.put, "/rails/paypal", ["clientId": "another-client", "secret": "x", "sandbox": true]).code == "rail_in_use",
                "another account knows nothing of what was sent")
            fake.refuseCredentials(false)
            try await story.wait(minutes: 60 * 7, times: 3)
            #expect(try await story.items() == ["paid", "paid", "paid"])
            #expect(try await story.app.get("/rails")["data"].list.first?["troubleCode"] == .null)
        }
    }

    /// 422 and 403 paid nobody: people mend it, and the same batch goes out.
    @Test(arguments: Engine.allCases, [(FakePayPal.Fault.insufficient, "INSUFFICIENT_FUNDS"), (.restricted, "SENDER_RESTRICTED")])
    func aRefusedBatchWaitsForPeople(_ engine: Engine, _ refusal: (fault: FakePayPal.Fault, code: String)) async throws {
        try await Self.with(engine) { story, fake in
            fake.fail([refusal.fault])
            try await story.send(.paypal)
            try await story.wait(minutes: 60 * 24, times: 2)
            #expect(fake.batches.isEmpty)
            #expect(try await story.items() == ["sent", "sent", "sent"])
            #expect(try await story.app.get("/rails")["data"].list.first?["troubleCode"].text == refusal.code)
            try await story.app.api(.post, "/payouts/\(story.payout)/inquiry").success("inquiry")
            try await story.wait(minutes: 1, times: 2)
            #expect(try await story.items() == ["paid", "paid", "paid"])
            #expect(fake.batches.count == 1)
        }
    }

    @Test(arguments: Engine.allCases) func whoPayPalNamesAsWrongIsGivenBackAndTheRestIsPaid(_ engine: Engine) async throws {
        try await Self.with(engine) { story, fake in
            fake.fail([.invalidFirst])
            try await story.send(.paypal)
            try await story.wait(minutes: 1, times: 2)
            #expect(try await story.items().sorted() == ["failed", "paid", "paid"])
            let (paid, setAside, available) = try await story.ledger()
            #expect(paid + available == 3_369 && setAside == 0 && available > 0)
            #expect(try await story.lines().contains { $0["reason"].text == "Receiver is invalid" })
        }
    }

    /// What each state of an item means for the money.
    @Test(arguments: Engine.allCases, [
        ("SUCCESS", "paid"), ("PENDING", "sent"), ("UNCLAIMED", "sent"), ("ONHOLD", "sent"), ("RETURNED", "failed"), ("BLOCKED", "failed"), ("FAILED", "failed"),
        ("DENIED", "failed"), ("REFUNDED", "failed"), ("REVERSED", "failed"), ("NEVER_HEARD_OF", "sent"),
    ])
    func itemStates(_ engine: Engine, _ row: (said: String, state: String)) async throws {
        try await Self.with(engine, members: 1) { story, fake in
            fake.say { _ in row.said }
            try await story.send(.paypal)
            try await story.wait(minutes: 1, times: 2)
            #expect(try await story.items() == [row.state])
            #expect(try await story.lines().first?["providerState"].text == row.said)
            let (paid, setAside, available) = try await story.ledger()
            #expect([paid, setAside, available] == (row.state == "paid" ? [1_000, 0, 0] : row.state == "sent" ? [0, 1_000, 0] : [0, 0, 1_000]))
            guard row.state == "sent" else { return }
            fake.change(to: "SUCCESS")
            try await story.wait(minutes: 60 * 7)
            #expect(try await story.items() == ["paid"])
        }
    }

    @Test(arguments: Engine.allCases, ["REVERSED", "RETURNED", "REFUNDED"])
    func whatComesBackAfterItArrivedIsTheMembersAgain(_ engine: Engine, _ said: String) async throws {
        try await Self.with(engine, members: 2) { story, fake in
            try await story.send(.paypal)
            try await story.wait(minutes: 1, times: 2)
            #expect(try await story.state() == "paid")
            let line = try #require(try await story.lines().first)
            fake.change(line["id"].text, to: said)
            try await story.wait(minutes: 60 * 25)
            #expect(try await story.items() == ["returned", "paid"])
            #expect(try await story.state() == "failed")
            #expect(try await story.ledger() == (1_123, 0, 1_000))
            var next = story
            next.payout = try await story.batch()
            #expect(try await next.app.get("/payouts/\(next.payout)")["total"].integer == 1_000, "the next batch has it, under a new key")
        }
    }

    @Test(arguments: Engine.allCases) func aDeniedBatchPaysNobody(_ engine: Engine) async throws {
        try await Self.with(engine) { story, fake in
            fake.deny()
            try await story.send(.paypal)
            try await story.wait(minutes: 1, times: 2)
            #expect(try await story.items() == ["failed", "failed", "failed"])
            #expect(try await story.ledger() == (0, 0, 3_369))
        }
    }

    @Test(arguments: Engine.allCases) func pagesThatAreMissingChangeNothing(_ engine: Engine) async throws {
        try await Self.with(engine, members: 5) { story, fake in
            fake.page(2)
            try await story.send(.paypal)
            try await story.worker.workDue()
            // The token is known by now: the second page breaks.
            fake.failAsking([.insufficient, .error500Before])
            try await story.wait(minutes: 1)
            #expect(try await story.items().count { $0 == "paid" } == 2)
            #expect(try await story.items().count { $0 == "sent" } == 3)
            try await story.wait(minutes: 5)
            #expect(try await story.items() == Array(repeating: "paid", count: 5))
        }
    }

    @Test(arguments: Engine.allCases) func anotherCurrencyThanAskedIsForPeople(_ engine: Engine) async throws {
        try await Self.with(engine, members: 1) { story, fake in
            fake.sayOtherCurrency()
            try await story.send(.paypal)
            try await story.wait(minutes: 1, times: 2)
            #expect(try await story.items() == ["unknown"])
            #expect(try await story.lines().first?["state"].text == "contrary")
            #expect(try await story.ledger() == (0, 1_000, 0))
        }
    }

    @Test(arguments: Engine.allCases) func aDuplicateWithoutLinkIsNeverPaidAgain(_ engine: Engine) async throws {
        try await Self.with(engine, members: 1) { story, fake in
            fake.hideLink()
            fake.fail([.lostAfter])
            try await story.send(.paypal)
            try await story.wait(minutes: 60, times: 4)
            #expect(try await story.items() == ["unknown"])
            #expect(fake.batches.count == 1)
            // A person looks at PayPal's own list.
            try await story.app.post("/payouts/\(story.payout)/outcomes", ["memberId": .text(story.members[0]), "outcome": "paid", "reference": "seen-there"])
            #expect(try await story.ledger() == (1_000, 0, 0))
        }
    }

    /// After 25 days PayPal might not know the key again.
    @Test(arguments: Engine.allCases) func anOldKeyIsNotSentAgain(_ engine: Engine) async throws {
        try await Self.with(engine, members: 1) { story, fake in
            fake.fail([.lostBefore])
            try await story.send(.paypal)
            try await story.worker.workDue()
            story.app.clock.advance(ms: 26 * 86_400_000)
            try await story.worker.workDue()
            try await story.app.api(.post, "/payouts/\(story.payout)/inquiry").success("inquiry")
            try await story.wait(minutes: 60 * 24, times: 2)
            #expect(fake.batches.isEmpty)
            #expect(try await story.items() == ["unknown"])
        }
    }

    /// The process dies between its intent and the answer: twice, before and after PayPal heard it.
    @Test(arguments: Engine.allCases, [false, true]) func aProcessThatDiesInTheCall(_ engine: Engine, _ wasHeard: Bool) async throws {
        try await Self.with(engine) { story, fake in
            try await story.send(.paypal)
            if wasHeard {
                fake.fail([.lostAfter])
                try await story.worker.workDue()
            }
            // As the database stands when the machine goes down in the middle of a call.
            let now = story.app.installation.world.now()
            try await story.app.installation.writeAnywhere { connection in
                try connection.execute(
                    "UPDATE rail_call SET state = 'calling', first_called_at = \(now), secret_version = 1, due_at = \(now.adding(milliseconds: RailPace.leaseMs))")
                if !wasHeard { return }
                try connection.execute("UPDATE rail_line SET state = 'waiting'")
            }
            try await story.worker.workDue()
            #expect(fake.calls.count { $0.hasPrefix("POST /v1/payments") } == (wasHeard ? 1 : 0), "another process may be in it")
            fake.failAsking([.lostBefore])
            story.app.clock.advance(ms: RailPace.leaseMs + 1)
            fake.fail([.tooMany])
            try await story.worker.workDue()
            #expect(try await story.items() == ["unknown", "unknown", "unknown"])
            try await story.wait(minutes: 10, times: 4)
            #expect(try await story.items() == ["paid", "paid", "paid"])
            #expect(fake.batches.count == 1)
        }
    }

    /// Two servers beside each other.
    @Test func twoWorkersCallOnce() async throws {
        try await Self.with(.postgres, members: 4) { story, fake in
            try await story.send(.paypal)
            try await story.app.withSecondServer { second in
                let other = RailWorker(installation: second.installation)
                try await withThrowingTaskGroup(of: Void.self) { group in
                    for worker in [story.worker, other, story.worker, other] { group.addTask { try await worker.workDue() } }
                    try await group.waitForAll()
                }
            }
            #expect(fake.calls.count { $0 == "POST /v1/payments/payouts" } == 1)
            #expect(fake.batches.count == 1)
        }
    }
}
