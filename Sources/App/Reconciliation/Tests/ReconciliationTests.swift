import Foundation
import HTTPTypes
import Persistence
import Synchronization
import TestSupport
import Testing
import Web

@testable import App

/// Payouts against what banks say: the books follow the set of what was told, not its order or how often, and nothing is taken that does not fit.
@Suite struct ReconciliationTests {
    /// A batch of two payments of 3.00 that was handed over.
    struct Sent: Sendable {
        var app: AppHarness
        var shop: Payees
        var id: String
        var references: [String]
        var message: String { references[0].split(separator: "-").first.map(String.init) ?? "" }

        static func make(in app: AppHarness, dispatch: Bool = true) async throws -> Sent {
            let shop = try await Payees.make(in: app)
            let id = try await app.post("/payouts", shop.batch())["id"].text
            try await app.api(.post, "/payouts/\(id)/approval", nil, as: shop.secondKey).success("approval")
            let csv = try await app.api(.get, "/payouts/\(id)/file?format=csv").text
            let references = csv.matches(of: #/[0-9A-Z]{26}-[0-9]{6}/#).map { String($0.0) }
            if dispatch { try await app.api(.post, "/payouts/\(id)/dispatch").success("dispatch") }
            let payout = try await app.get("/payouts/\(id)")
            let members = payout["items"].list.map { $0["memberId"].text }
            return Sent(app: app, shop: Payees(program: shop.program, members: members, cutoff: shop.cutoff, secondKey: shop.secondKey), id: id, references: references)
        }

        @discardableResult
        func take(_ text: String, _ format: String = "camt053", dryRun: Bool = false, mapping: JSONValue? = nil) async throws -> JSONValue {
            var body: JSONValue = ["format": .text(format), "content": .text(text), "dryRun": .boolean(dryRun)]
            if let mapping { body = body.adding("mapping", mapping) }
            return try await app.post("/reconciliations", body)
        }

        func states() async throws -> [String] { try await app.get("/payouts/\(id)")["items"].list.map { $0["state"].text } }

        func entries(_ state: String) async throws -> [JSONValue] { try await app.get("/reconciliation-entries?state=\(state)")["data"].list }

        /// What does not depend on the order in which things were told.
        func books() async throws -> [String] {
            var books = [try await app.get("/payouts/\(id)")["state"].text]
            for member in shop.members { books.append("\(try await app.balance(member))") }
            let (commissions, open) = try await app.installation.main.read { connection in
                (
                    try connection.rows("SELECT state, count(*) FROM commission GROUP BY state ORDER BY state").map { "\(try $0.get(at: 0, as: String.self)) \(try $0.get(at: 1, as: Int64.self))" },
                    try connection.value("SELECT count(*) FROM reconciliation_entry WHERE state IN ('difference', 'unmatched')", as: Int64.self) ?? 0
                )
            }
            return books + commissions + ["open \(open)"]
        }

        func verified(_ sourceLocation: SourceLocation = #_sourceLocation) async throws {
            let findings = try await Verification.run(main: app.installation.main, clicks: app.installation.clicks, keys: app.installation.keys).findings
            #expect(findings.isEmpty, "\(findings)", sourceLocation: sourceLocation)
        }

        func booked(_ number: Int, id: String = "B", amount: String = "3.00") -> String {
            BankSamples.camt([.init(reference: "\(id)\(number)", amount: amount, payments: [.init(endToEnd: references[number], amount: amount)])], id: id)
        }

        func returned(_ number: Int, id: String = "R") -> String {
            BankSamples.camt([.init(reference: "\(id)\(number)", isDebit: false, payments: [.init(endToEnd: references[number], isReturn: true)])], id: id)
        }

        func status(_ number: Int, _ status: String, reason: String? = nil) -> String {
            BankSamples.pain(message: message, payments: [.init(endToEnd: references[number], status: status, reason: reason, amount: "3.00")])
        }
    }

    /// All orders of accepted, charged and returned, each told twice, end in the same books.
    @Test(arguments: Engine.allCases) func theOrderOfWhatIsToldIsOfNoMatter(_ engine: Engine) async throws {
        let ends = Mutex<Set<[String]>>([])
        for order in [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]] {
            try await AppHarness.with(engine) { app in
                let sent = try await Sent.make(in: app)
                for step in order + order.reversed() {
                    switch step {
                    case 0: try await sent.take(sent.status(0, "ACCP"), "pain002")
                    case 1: try await sent.take(sent.booked(0))
                    default: try await sent.take(sent.returned(0))
                    }
                    try await sent.verified()
                }
                // The same entry in another file is the same entry.
                let again = BankSamples.camt([
                    .init(reference: "OTHER", amount: "9.00"), .init(reference: "B0", payments: [.init(endToEnd: sent.references[0])]),
                ], id: "LONGER")
                #expect(try await sent.take(again)["known"].integer == 1)
                try await sent.take(sent.booked(1))
                try await sent.verified()
                let books = try await sent.books()
                ends.withLock { _ = $0.insert(books) }
                #expect(try await app.balance(sent.shop.members[0]) == [0, 0, 300, 0, 0, 0], "what came back is available again: \(order)")
                #expect(try await app.balance(sent.shop.members[1]) == [0, 0, 0, 0, 300, 0])
                #expect(try await app.post("/payouts", sent.shop.batch())["total"].integer == 300, "the next batch has it")
            }
        }
        let found = ends.withLock { $0 }
        #expect(found.count == 1, "\(found)")
    }

    @Test(arguments: Engine.allCases) func aDryRunShowsWhatWouldChangeAndLeavesNothing(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let sent = try await Sent.make(in: app)
            let before = try await app.rowCounts()
            let dry = try await sent.take(sent.booked(0), dryRun: true)
            #expect(dry["paid"]?["count"].integer == 1 && dry["matched"].integer == 1 && dry["written"] == false)
            #expect(dry["paid"]?["amounts"].list.first?["amount"].integer == 300)
            #expect(try await app.rowCounts() == before)
            #expect(try await sent.states() == ["sent", "sent"])
            let done = try await sent.take(sent.booked(0))
            #expect(done["paid"]?["count"].integer == 1 && done["written"] == true)
            #expect(try await sent.states() == ["paid", "sent"])
            #expect(try await app.get("/payouts/\(sent.id)")["items"].list.first?["reference"].text == "B0 #000001", "the evidence stands at the payment")
            let again = try await sent.take(sent.booked(0))
            #expect(again["repeated"] == true && again["paid"]?["count"].integer == 0)
            #expect(try await app.get("/reconciliations")["data"].list.count == 1)
        }
    }

    @Test(arguments: Engine.allCases) func whatIsSaidOfTheBatchHoldsForTheRest(_ engine: Engine) async throws {
        // The group was carried out but for one: whichever is told first.
        for debitFirst in [true, false] {
            try await AppHarness.with(engine) { app in
                let sent = try await Sent.make(in: app)
                let debit = BankSamples.camt([.init(reference: "ALL", amount: "3.00", message: "TEST" + sent.message)], id: "D")
                let rejected = sent.status(1, "RJCT", reason: "AC01")
                let first = try await sent.take(debitFirst ? debit : rejected, debitFirst ? "camt053" : "pain002")
                if debitFirst {
                    #expect(first["differences"].integer == 1, "3.00 is not the sum of two payments")
                    #expect(try await sent.states() == ["sent", "sent"])
                }
                let second = try await sent.take(debitFirst ? rejected : debit, debitFirst ? "pain002" : "camt053")
                #expect(second["resolved"].integer == (debitFirst ? 1 : 0))
                #expect(try await sent.states() == ["paid", "failed"])
                #expect(try await sent.entries("difference").isEmpty)
                try await sent.verified()
            }
        }
        try await AppHarness.with(engine) { app in
            let sent = try await Sent.make(in: app)
            let report = BankSamples.pain(message: sent.message, group: "ACSC", payments: [.init(endToEnd: sent.references[1], status: "RJCT", reason: "MS03")])
            try await sent.take(report, "pain002")
            #expect(try await sent.states() == ["paid", "failed"])
            try await sent.verified()
        }
        try await AppHarness.with(engine) { app in
            let sent = try await Sent.make(in: app)
            try await sent.take(BankSamples.pain(message: sent.message, group: "RJCT", reason: "FF01"), "pain002")
            #expect(try await sent.states() == ["failed", "failed"])
            #expect(try await app.post("/payouts", sent.shop.batch())["total"].integer == 600)
            try await sent.verified()
        }
    }

    @Test(arguments: Engine.allCases) func whatDoesNotFitIsShownAndNeverTaken(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let sent = try await Sent.make(in: app)
            func difference(_ text: String, _ format: String = "camt053") async throws -> String? {
                let rows = try await sent.take(text, format)["rows"].list
                try await sent.verified()
                return rows.compactMap { $0["difference"].text.isEmpty ? nil : $0["difference"].text }.first
            }
            #expect(try await difference(sent.booked(0, id: "W", amount: "2.99")) == "amountDiffers")
            let dollars = BankSamples.camt([.init(reference: "USD", currency: "USD", payments: [.init(endToEnd: sent.references[0])])], id: "USD")
            #expect(try await difference(dollars) == "currencyDiffers")
            #expect(try await sent.states() == ["sent", "sent"])
            #expect(try await difference(sent.booked(0)) == nil)
            #expect(try await difference(sent.booked(0, id: "TWICE")) == "bookedTwice")
            #expect(try await difference(sent.status(0, "RJCT"), "pain002") == "rejectedAfterPaid")
            #expect(try await sent.states() == ["paid", "sent"], "what was paid stays paid")
            #expect(try await difference(sent.status(1, "RJCT"), "pain002") == nil)
            #expect(try await difference(sent.booked(1)) == "paidAfterFailed")
            #expect(try await sent.states() == ["paid", "failed"])
            #expect(try await difference(sent.returned(0)) == nil)
            #expect(try await difference(sent.returned(0, id: "R2")) == "returnedTwice")
            // The rejection fits what is known by now.
            #expect(try await sent.entries("difference").filter { $0["difference"].text == "rejectedAfterPaid" }.isEmpty)
            let report = try await app.get("/payouts/\(sent.id)")
            #expect(report["items"].list.map { $0["state"].text } == ["returned", "failed"])
        }
    }

    @Test(arguments: Engine.allCases) func whatNobodyKnewEndsByEvidence(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let sent = try await Sent.make(in: app)
            for member in 0..<2 { try await app.post("/payouts/\(sent.id)/outcomes", sent.shop.outcome(member, "unknown", "no answer \(member)")) }
            try await sent.take(sent.status(0, "PDNG"), "pain002")
            #expect(try await sent.states() == ["unknown", "unknown"], "being looked at is no evidence")
            try await sent.take(sent.booked(0))
            try await sent.take(sent.status(1, "RJCT", reason: "AM04"), "pain002")
            #expect(try await sent.states() == ["paid", "failed"])
            try await sent.verified()
        }
    }

    @Test(arguments: Engine.allCases) func beforeItWasHandedOverNothingCanHaveHappened(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let sent = try await Sent.make(in: app, dispatch: false)
            #expect(try await sent.take(sent.booked(0))["rows"].list.first?["difference"].text == "notSent")
            #expect(try await app.balance(sent.shop.members[0]) == [0, 0, 0, 300, 0, 0])
            // Once it is sent, the next thing told brings the first to mind.
            try await app.api(.post, "/payouts/\(sent.id)/dispatch").success("dispatch")
            #expect(try await sent.take(sent.status(1, "ACSC"), "pain002")["resolved"].integer == 1)
            #expect(try await sent.states() == ["paid", "paid"])
            try await sent.verified()
        }
    }

    @Test(arguments: Engine.allCases) func anAmountAloneIsNoReasonAndAPersonDecides(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let sent = try await Sent.make(in: app)
            let nameless = BankSamples.camt([.init(reference: "X1", payments: [.init(endToEnd: "SOMETHING", name: "payee1")]), .init(reference: "X2", amount: "7.00")], id: "X")
            #expect(try await sent.take(nameless)["unmatched"].integer == 2)
            #expect(try await sent.states() == ["sent", "sent"])
            let open = try await sent.entries("unmatched")
            let three = try #require(open.first { $0["amount"].integer == 300 }), seven = try #require(open.first { $0["amount"].integer == 700 })
            let one: JSONValue = ["payoutId": .text(sent.id), "memberId": .text(sent.shop.members[1])]
            #expect(try await app.api(.post, "/reconciliation-entries/\(seven["id"].text)/assignment", one).code == "does_not_fit", "not to the cent")
            #expect(try await app.api(.post, "/reconciliation-entries/\(three["id"].text)/assignment", one, as: app.liveKey).status == 422, "of another workspace")
            let assigned = try await app.post("/reconciliation-entries/\(three["id"].text)/assignment", one)
            #expect(assigned["state"].text == "matched" && !assigned["decidedBy"].text.isEmpty)
            #expect(try await app.post("/reconciliation-entries/\(three["id"].text)/assignment", one) == assigned, "twice is once")
            #expect(try await sent.states() == ["sent", "paid"])
            let aside = try await app.post("/reconciliation-entries/\(seven["id"].text)/setting-aside", ["reason": "Rent"])
            #expect(aside["state"].text == "setAside" && aside["reason"].text == "Rent")
            #expect(try await app.api(.post, "/reconciliation-entries/\(three["id"].text)/setting-aside", ["reason": "No"]).code == "entry_settled")
            try await sent.verified()
        }
    }

    @Test(arguments: Engine.allCases) func aFileWithAMistakeWritesNothing(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let sent = try await Sent.make(in: app)
            let before = try await app.rowCounts()
            let text = BankSamples.camt([.init(payments: [.init(endToEnd: sent.references[0])]), .init(reference: "N2", amount: "1.005")])
            let refused = try await app.api(.post, "/reconciliations", ["format": "camt053", "content": .text(text)])
            #expect(refused.status == 422 && refused.code == "mistakes_in_file" && refused.text.contains("Line 4"), "\(refused.text)")
            for (_, hostile) in XMLReaderTests.hostile where !hostile.contains("\u{0}") && hostile.utf8.count < 500_000 && !hostile.isEmpty {
                #expect(try await app.api(.post, "/reconciliations", ["format": "camt053", "content": .text(hostile)]).status == 422)
            }
            #expect(try await app.rowCounts() == before)
            #expect(try await sent.states() == ["sent", "sent"])
        }
    }

    @Test(arguments: Engine.allCases) func csvAndProvidersReportsSettleByTheSameRules(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let sent = try await Sent.make(in: app)
            let csv = "Tag;Zweck;Betrag\n20.11.2026;Danke \(sent.references[0].lowercased());-3,00\n20.11.2026;Miete;-3,00\n"
            let mapping: JSONValue = ["date": "Tag", "reference": "Zweck", "amount": "Betrag", "separator": "semicolon", "decimalSign": "comma", "defaultCurrency": "EUR"]
            let taken = try await sent.take(csv, "csv", mapping: mapping)
            #expect(taken["paid"]?["count"].integer == 1 && taken["unmatched"].integer == 1)
            try await sent.take("sender_item_id,transaction_id,transaction_status,amount,currency\n\(sent.id) \(sent.shop.members[1]),T1,RETURNED,3.00,EUR\n", "paypal")
            #expect(try await sent.states() == ["paid", "failed"])
            try await sent.verified()
        }
    }

    @Test(arguments: Engine.allCases) func namesAreSealedAndGoWithTheirOwners(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let sent = try await Sent.make(in: app)
            try await sent.take(sent.booked(0))
            func plain() async throws -> String {
                try await app.installation.main.read { connection in
                    try connection.rows("SELECT * FROM reconciliation_entry").flatMap(\.values).map { "\($0)" }.joined()
                }
            }
            #expect(!(try await plain()).contains("Anna Moor"))
            let seal = app.installation.reconciliationSeal
            let vault = app.installation.vault
            let member = try #require(MemberID(sent.shop.members[0]))
            let (name, person) = try await app.installation.main.read { connection -> (String?, PersonID?) in
                let row = try ReconciliationStore.list(in: app.twinID, .init(), before: nil, limit: 1, on: connection)[0]
                return (try ReconciliationEntry.counterparty(row, seal: seal, vault: vault, on: connection).name, row.personID)
            }
            #expect(name == "Anna Moor")
            let owner = try await app.installation.main.read { connection in try MemberStore.find(member, in: app.twinID, on: connection)?.personID }
            #expect(person == owner && person != nil)
        }
    }

    /// Eight at once, one of them counts.
    @Test(arguments: Engine.allCases) func manyHandsTakeItInOnce(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let sent = try await Sent.make(in: app)
            let text = sent.booked(0)
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<8 { group.addTask { _ = try await app.api(.post, "/reconciliations", ["format": "camt053", "content": .text(text)]) } }
                try await group.waitForAll()
            }
            #expect(try await sent.states() == ["paid", "sent"])
            #expect(try await app.get("/reconciliations")["data"].list.count == 1)
            #expect(try await app.get("/reconciliation-entries")["data"].list.count == 1)
            try await sent.verified()
        }
    }
}
