import HTTPTypes
import TestSupport
import Testing
import Web

@testable import App

/// What a person sees and does.
@Suite struct ReconciliationPageTests {
    @Test(arguments: Engine.allCases) func aFileIsShownThenTakenInAndWhatIsOpenIsDecided(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let finance = try await TeamPerson.make("fin", .finance, in: app).enter(app)
            #expect(try await finance.get("/reconciliation").text.contains("Here you see whether your payouts arrived"))
            let sent = try await ReconciliationTests.Sent.make(in: app)
            #expect(try await finance.get("/reconciliation").text.contains("on their way"))
            let statement = BankSamples.camt([
                .init(reference: "N1", payments: [.init(endToEnd: sent.references[0])]), .init(reference: "N2", payments: [.init(endToEnd: "OTHER", name: "payee1")]),
            ])
            let page = "/reconciliation/new"
            let shown = try await finance.submit(page, from: page, ["format": "camt053", "content": statement, "step": "rehearse"])
            #expect(shown.status == 200 && shown.text.contains("Nothing is written yet") && shown.text.contains("1 payment arrived"), "\(shown.text)")
            #expect(try await sent.states() == ["sent", "sent"])
            let done = try await finance.submit(page, from: page, ["format": "camt053", "content": statement, "step": "write"])
            #expect(done.text.contains("This is what changed"))
            #expect(try await sent.states() == ["paid", "sent"])
            #expect(try await finance.submit(page, from: page, ["format": "camt053", "content": "<a", "step": "write"]).status == 422)
            let overview = try await finance.get("/reconciliation").text
            #expect(overview.contains("waits to be assigned"))
            #expect(overview.contains("/reconciliation/entries?state=unmatched"))
            #expect(try await finance.get("/reconciliation/payouts/\(sent.id)?state=paid").status == 200)
            let entry = try await sent.entries("unmatched")[0]["id"].text
            let open = try await finance.get("/reconciliation/entries/\(entry)")
            #expect(open.text.contains("payee1"), "whoever decides sees the name")
            let viewer = try await TeamPerson.make("vera", .viewer, in: app).enter(app)
            #expect(try await viewer.get("/reconciliation/new").status == 403)
            let path = "/reconciliation/entries/\(entry)"
            #expect(try await finance.submit("\(path)/assignment", from: path, ["payment": ""]).status == 422)
            let assigned = try await finance.submit("\(path)/assignment", from: path, ["payment": "\(sent.id) \(sent.shop.members[1])"])
            #expect(assigned.headers[.location] == "\(path)?done=assigned")
            #expect(try await sent.states() == ["paid", "paid"])
            #expect(try await finance.get("/reconciliation").text.contains("Nothing is open"))
        }
    }
}
