import HTTPTypes
import Persistence
import TestSupport
import Testing
import Web

@testable import App

/// The books can be opened from what we owe down to the receipt of a single cent.
struct LedgerPageTests {
    @Test(arguments: Engine.allCases)
    func everyNumberOpensUntilItsReceipt(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let shop = try await Payees.make(in: app)
            let person = try await TeamPerson.make("fin", .finance, in: app).enter(app)
            let list = try await person.get("/ledger?kind=available&find=payee0").text
            #expect(list.contains("Available to payee0") && list.contains("€3.00") && !list.contains("payee1</bdi>"))
            let account = try #require(list.firstMatch(of: #/\/ledger\/accounts\/acc_[0-9a-f]+/#)).output
            let postings = try await person.get(String(account)).text
            let transaction = try #require(postings.firstMatch(of: #/\/ledger\/transactions\/[0-9]+/#)).output
            let page = try await person.get(String(transaction)).text
            #expect(page.contains("Commission for i0-"))
            let receipt = try #require(page.firstMatch(of: #/\/sales\/sale_[0-9a-z]+\/receipt/#)).output
            #expect(try await person.get(String(receipt)).status == 200)

            #expect(try await person.get("/ledger/debtors").text.contains("Nobody owes us"))
            let id = try await app.post("/payouts", shop.batch())["id"].text
            try await app.api(.post, "/payouts/\(id)/approval", nil, as: shop.secondKey).success("approval")
            try await app.api(.post, "/payouts/\(id)/dispatch").success("dispatch")
            try await app.post("/payouts/\(id)/outcomes", shop.outcome(0, "paid", "bank-1"))
            try await app.refund("i0-0", "back")
            let debtors = try await person.get("/ledger/debtors").text
            #expect(debtors.contains("payee0") && debtors.contains("€1.00") && debtors.contains("Return of i0-0"))
        }
    }

    @Test(arguments: Engine.allCases)
    func pagesGoOnWithoutGapsAndFilesHoldEverything(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let shop = try await Payees.make(in: app)
            for number in 0..<60 { try await app.sale("more-\(number)", "more-\(number)", 1_000, ["code": "PAY0"]) }
            let person = try await TeamPerson.make("fin", .finance, in: app).enter(app)
            let count = try await app.installation.main.read { [twin = app.twinID] connection in
                try LedgerPageStore.head(twin, on: connection)?.sequence ?? 0
            }
            var seen: [Int64] = []
            var path: String? = "/ledger/transactions"
            while let next = path, seen.count <= count {
                let text = try await person.get(next).text
                seen += text.matches(of: #/<th scope="row"><a href="\/ledger\/transactions\/([0-9]+)"/#).compactMap { Int64($0.1) }
                path = text.firstMatch(of: #/href="(\/ledger\/transactions\?before=[0-9]+)"/#).map { String($0.1) }
            }
            #expect(seen == Array((1...count).reversed()))
            let lines = try await person.get("/ledger/export?format=jsonl").text.split(separator: "\n")
            #expect(Int64(lines.count) == count)
            #expect(try await person.get("/ledger/export?format=hledger").text.contains("decimal-mark"))
            let csv = try await person.get("/ledger/export?format=csv").text
            let entries = try await app.installation.main.read { [twin = app.twinID] connection in
                try LedgerPageStore.head(twin, on: connection)?.entryCount ?? 0
            }
            #expect(Int64(csv.split(separator: "\r\n").count) == entries + 1)

            #expect(try await person.submit("/ledger/checks", from: "/ledger").status == 303)
            #expect(try await person.get("/ledger").text.contains("Whole"))
            let viewer = try await TeamPerson.make("vera", .viewer, in: app).enter(app)
            for page in ["/ledger", "/ledger/transactions", "/ledger/debtors", "/ledger/export?format=csv", "/members/\(shop.members[0])/statement"] {
                #expect(try await viewer.get(page).status == 403, "\(page)")
            }
        }
    }
}
