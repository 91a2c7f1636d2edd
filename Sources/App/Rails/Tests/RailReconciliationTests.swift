import Persistence
import TestSupport
import Testing
import Web

@testable import App

/// A provider's report names payments as we named them to it: it settles what its API never told.
@Suite struct RailReconciliationTests {
    @Test(arguments: Engine.allCases) func aReportNamesPaymentsByTheirOwnIDs(_ engine: Engine) async throws {
        let fake = FakePayPal()
        try await ProviderServer.with({ fake.answer($0) }) { url in
            try await RailStory.with(engine, .paypal, members: 2, url: url) { story in
                fake.fail([.lostAfter])
                try await story.send(.paypal)
                try await story.worker.workDue()
                #expect(try await story.items() == ["unknown", "unknown"])
                let told = fake.batches[0].items
                #expect(told.allSatisfy { $0.senderItemID.hasPrefix("pln_") })
                var report = "sender_item_id,transaction_id,transaction_status,amount,currency\n"
                for item in told { report += "\(item.senderItemID),TX\(item.id),SUCCESS,\(item.value),\(item.currency)\n" }
                report += "pln_00000000000000000000000000,TX9,SUCCESS,1.00,EUR\n"
                let taken = try await story.app.post("/reconciliations", ["format": "paypal", "content": .text(report), "dryRun": false])
                #expect(taken["paid"]?["count"].integer == 2, "\(taken)")
                #expect(taken["unmatched"].integer == 1, "a line that nobody has is nobody's")
                #expect(try await story.items() == ["paid", "paid"])
                let batches = try await story.app.installation.main.read { connection in
                    try ReconciliationListStore.batches(in: story.app.twinID, limit: 10, on: connection)
                }
                #expect(batches.map(\.rail) == [.paypal], "people see who was asked to pay")
                // What the provider says later is the same, and changes nothing.
                try await story.wait(minutes: 60, times: 2)
                #expect(try await story.items() == ["paid", "paid"])
                #expect(fake.batches.count == 1)
                let findings = try await story.findings()
                #expect(findings.isEmpty, "\(findings)")
            }
        }
    }
}
