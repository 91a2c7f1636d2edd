import Chronology
import Foundation
import HTTPTypes
import Persistence
import TestSupport
import Testing
import Web

@testable import App

/// Whatever goes wrong and in whatever order: what the provider really paid is what the ledger says left and what it holds as unknown, and
/// no line is paid twice.
@Suite struct RailRandomTests {
    /// One seed of one's own: KITH_SEED=7 swift test --filter RailRandomTests
    private static let seeds: [UInt64] = ProcessInfo.processInfo.environment["KITH_SEED"].flatMap(UInt64.init).map { [$0] } ?? [1, 2, 3, 4, 5, 6]
    private static let rounds = 14

    @Test(arguments: Engine.allCases, seeds) func payPalFailsAtRandom(_ engine: Engine, _ seed: UInt64) async throws {
        let fake = FakePayPal()
        try await ProviderServer.with({ fake.answer($0) }) { url in
            try await RailStory.with(engine, .paypal, members: 6, url: url) { story in
                var chance = SeededGenerator(state: seed ^ 0xA11CE)
                let words = ["SUCCESS", "PENDING", "UNCLAIMED", "FAILED", "RETURNED", "SUCCESS"]
                let shift = Int(chance.next(upperBound: UInt64(words.count)))
                fake.say { words[($0 + shift) % words.count] }
                fake.fail(atRandomFrom: seed)
                try await story.send(.paypal)
                for round in 0..<Self.rounds {
                    try await story.wait(minutes: Int64(chance.next(upperBound: UInt64(120))) + 1)
                    if chance.next(upperBound: UInt64(4)) == 0 { try await Self.die(story) }
                    try await Self.hold(story, paid: fake.paid.mapValues { Int64($0) }, seed, round)
                }
                fake.calm()
                fake.end()
                try await story.app.api(.post, "/payouts/\(story.payout)/inquiry").success("inquiry")
                try await story.wait(minutes: 60 * 25, times: 3)
                try await Self.hold(story, paid: fake.paid.mapValues { Int64($0) }, seed, Self.rounds)
                let (paid, setAside, available) = try await story.ledger()
                #expect(fake.batches.count <= 1, "seed \(seed)")
                #expect(setAside == 0, "seed \(seed)")
                #expect(paid + available == 7_845, "seed \(seed)")
                let findings = try await story.findings()
                #expect(findings.isEmpty, "seed \(seed): \(findings)")
            }
        }
    }

    @Test(arguments: Engine.allCases, seeds) func stripeFailsAtRandom(_ engine: Engine, _ seed: UInt64) async throws {
        let fake = FakeStripe()
        try await ProviderServer.with({ fake.answer($0) }) { url in
            try await RailStory.with(engine, .stripe, members: 6, url: url) { story in
                var chance = SeededGenerator(state: seed ^ 0xB0B)
                fake.fail(atRandomFrom: seed)
                try await story.send(.stripe)
                for round in 0..<Self.rounds {
                    try await story.wait(minutes: Int64(chance.next(upperBound: UInt64(240))) + 1)
                    if chance.next(upperBound: UInt64(4)) == 0 { try await Self.die(story) }
                    // Stripe forgets the keys of yesterday.
                    if round % 8 == 7 {
                        story.app.clock.advance(ms: 24 * 3_600_000)
                        fake.forgetKeys()
                    }
                    try await Self.hold(story, paid: fake.paid, seed, round)
                }
                fake.calm()
                try await story.app.api(.post, "/payouts/\(story.payout)/inquiry").success("inquiry")
                try await story.wait(minutes: 60 * 25, times: 3)
                try await Self.hold(story, paid: fake.paid, seed, Self.rounds)
                #expect(Set(fake.transfers.map(\.line)).count == fake.transfers.count, "seed \(seed): a line was paid twice")
                let (paid, setAside, available) = try await story.ledger()
                #expect(paid + setAside + available == 7_845, "seed \(seed)")
                #expect(paid == fake.paid.values.reduce(0, +), "seed \(seed): the list says it all in the end")
                let findings = try await story.findings()
                #expect(findings.isEmpty, "seed \(seed): \(findings)")
            }
        }
    }

    /// What left, by the provider, is what the books say left or don't know: nothing of it is free to be paid again.
    private static func hold(_ story: RailStory, paid: [String: Int64], _ seed: UInt64, _ round: Int) async throws {
        let at = "seed \(seed), round \(round)"
        for line in try await story.lines() {
            let (amount, state) = (line["amount"].integer ?? 0, line["itemState"].text)
            let really = paid[line["id"].text] ?? 0
            #expect(really == 0 || really == amount, "\(at): a line was paid \(really) of \(amount)")
            switch state {
            case "paid": #expect(really == amount, "\(at): the books say paid")
            case "failed", "returned", "canceled": #expect(really == 0, "\(at): the money is free again, and left")
            default: break
            }
        }
        let (left, setAside, _) = try await story.ledger()
        let sum = paid.values.reduce(0, +)
        #expect(left <= sum && sum <= left + setAside, "\(at): paid \(sum), the books say \(left) and hold \(setAside)")
    }

    /// The process is killed in the middle of whatever it was doing: the call stands as begun, its answer is lost, its lease ends.
    private static func die(_ story: RailStory) async throws {
        let now = story.app.installation.world.now()
        try await story.app.installation.writeAnywhere { connection in
            try connection.execute("UPDATE rail_call SET state = 'calling', due_at = \(now) WHERE purpose = 'pay' AND state IN ('unclear') AND first_called_at IS NOT NULL")
        }
    }
}
