import Chronology
import HTTPTypes
import Persistence
import TestSupport
import Testing
import Web

@testable import App

/// The files that banks take, read by the banks' own rules.
@Suite struct RailFileTests {
    private static let company: JSONValue = [
        "immediateDestination": "011000015", "immediateDestinationName": "Federal Bank", "immediateOrigin": "1234567890", "companyName": "Morgenrot",
    ]

    @Test(arguments: Engine.allCases, [1, 5, 6, 7, 17]) func anAmericanFileHoldsByTheRules(_ engine: Engine, _ count: Int) async throws {
        try await RailStory.with(engine, .nacha, members: count, currency: "USD") { story in
            let path = "/payouts/\(story.payout)/file?format=nacha"
            #expect(try await story.app.api(.get, path).code == "no_company")
            try await story.app.put("/rails/nacha", Self.company)
            let file = try await story.app.api(.get, path)
            let reader = NACHAReader(file.text)
            #expect(reader.faults.isEmpty, "\(reader.faults)")
            #expect(reader.entries.count == count)
            #expect(reader.entries.map(\.cents).sorted() == (0..<count).map { 1_000 + $0 * 123 })
            #expect(reader.entries.contains { $0.account == "0001234510" && $0.code == "22" && $0.name == "ZOE MULLER 0" })
            if count > 1 { #expect(reader.entries.contains { $0.account == "0001234511" && $0.code == "32" }) }
            #expect(Set(reader.entries.map(\.id)).count == count)
            #expect(reader.company == "MORGENROT")
            #expect(reader.description == "TEST", "a file of a test workspace says so")
            #expect(reader.effective == "260202", "31 days on is a Sunday: the next day of banks is Monday, February 2nd, 2026")
        }
    }

    @Test(arguments: Engine.allCases) func whatHasNoPlaceInTheFileIsRefusedByName(_ engine: Engine) async throws {
        try await RailStory.with(engine, .wise, members: 2) { story in
            try await story.app.put("/rails/nacha", Self.company)
            #expect(try await story.app.api(.get, "/payouts/\(story.payout)/file?format=nacha").code == "not_dollar")
            #expect(try await story.app.api(.put, "/rails/nacha", Self.company.adding("immediateDestination", "011000016")).fields == ["immediateDestination"])
            #expect(try await story.app.api(.put, "/rails/nacha", Self.company.adding("companyName", "Much too long a company name")).fields == ["companyName"])
        }
    }

    @Test(arguments: Engine.allCases) func wiseGetsItsTemplate(_ engine: Engine) async throws {
        try await RailStory.with(engine, .wise, members: 2) { story in
            let file = try await story.app.api(.get, "/payouts/\(story.payout)/file?format=wise").text
            let lines = file.replacing("\r\n", with: "\n").split(separator: "\n").map(String.init)
            #expect(lines[0] == "name,recipientEmail,paymentReference,receiverType,amountCurrency,amount,sourceCurrency,targetCurrency")
            let first = try #require(lines.first { $0.contains("payee0@wise.test") })
            let second = try #require(lines.first { $0.contains("payee1@wise.test") })
            #expect(first.hasPrefix("Payee 0,payee0@wise.test,TEST ") && first.hasSuffix(",PERSON,target,10.00,EUR,EUR"), "\(first)")
            #expect(second.hasPrefix("Payee 1,") && second.hasSuffix(",PERSON,source,11.23,EUR,GBP"), "\(second)")
            try await story.app.put("/rails/wise", ["sourceCurrency": "USD"])
            #expect(try await story.app.api(.get, "/payouts/\(story.payout)/file?format=wise").code == "wise_currency")
        }
    }

    private static let mistakes: [(JSONValue, String)] = [
        (["kind": "ach", "routingNumber": "011000016", "accountNumber": "1234"], "routingNumber"),
        (["kind": "ach", "routingNumber": "000000000", "accountNumber": "1234"], "routingNumber"),
        (["kind": "ach", "routingNumber": "011000015", "accountNumber": "12x4"], "accountNumber"),
        (["kind": "ach", "routingNumber": "011000015", "accountNumber": "1234", "accountType": "loan"], "accountType"),
        (["kind": "paypal", "email": "nobody"], "email"), (["kind": "paypal", "payerId": "abc"], "payerId"), (["kind": "paypal"], "email"),
        (["kind": "stripe", "stripeAccount": "cus_12345678"], "stripeAccount"), (["kind": "stripe", "stripeAccount": "acct_1/../x"], "stripeAccount"),
        (["kind": "wise", "email": "a@b.example", "holder": "A"], "currency"), (["kind": "wise", "email": "=a@b.example", "holder": "A", "currency": "EUR"], "email"),
        (["kind": "wise", "email": "a@b.example", "currency": "EUR"], "holder"), (["kind": "external"], "reference"),
        (["kind": "iban", "iban": "DE00370400440532013000"], "iban"), (["kind": "cash"], "kind"),
    ]

    @Test(arguments: mistakes)
    func mistakesNameTheirField(_ body: JSONValue, _ field: String) throws {
        let reader = try JSONReader(body)
        _ = PayoutAccountDetails.read(reader)
        do {
            try reader.finish()
            Issue.record("\(field) was taken")
        } catch let problem as Problem {
            #expect(problem.errors.contains { $0.field == field }, "\(problem.errors)")
        }
    }

    @Test func whatIsSealedIsWhatIsRead() throws {
        let bodies: [JSONValue] = [
            ["kind": "ach", "routingNumber": "011000015", "accountNumber": "0001-2345", "accountType": "savings", "holder": "Zoë"],
            ["kind": "wise", "email": "a@b.example", "currency": "gbp", "holder": "A"], ["kind": "paypal", "payerId": "ABCDEFGHIJK12"],
            ["kind": "stripe", "stripeAccount": "acct_1Test12345"],
        ]
        for body in bodies {
            let reader = try JSONReader(body)
            let details = PayoutAccountDetails.read(reader)
            try reader.finish()
            #expect(PayoutAccountDetails(sealed: JSONText(details.json).text) == details)
        }
    }

    @Test(arguments: Engine.allCases) func membersEnterWhatTheCompanyOffers(_ engine: Engine) async throws {
        try await RailStory.with(engine, .nacha, members: 1, currency: "USD") { story in
            let app = story.app
            #expect(try await app.get("/rails")["offeredKinds"].list.map(\.textValue) == ["iban", "paypal"])
            try await app.put("/payout-account-kinds", ["kinds": ["ach", "wise", "iban"]])
            #expect(try await app.get("/rails")["offeredKinds"].list.map(\.textValue) == ["iban", "ach", "wise"])
            #expect(try await app.api(.put, "/payout-account-kinds", ["kinds": []]).status == 422)
            #expect(try await app.api(.put, "/payout-account-kinds", ["kinds": ["cash"]]).fields == ["kinds"])
        }
    }
}
