import Foundation
import Testing

@testable import App

/// Whatever is refused or stands still on a page is told with what helps: each code has its sentence in the catalogue.
@Suite struct RemedyTests {
    /// A place and the names of what may go wrong there.
    struct Place: Sendable, CustomTestStringConvertible {
        var prefix: String
        var codes: [String]
        var testDescription: String { prefix }
    }

    static let places: [Place] = [
        Place(prefix: "integrations.reason", codes: VendorPage.reasons.sorted()), Place(prefix: "integrations.remedy", codes: VendorPage.remedies.sorted() + ["other"]),
        Place(prefix: "webhooks.remedy", codes: WebhookRemedy.allCases.map(\.rawValue)), Place(prefix: "rails.remedy", codes: RailRemedy.allCases.map(\.rawValue)),
        Place(prefix: "reconciliation.remedy", codes: ReconciliationEntry.Difference.allCases.map(\.rawValue)),
        Place(prefix: "domains.explained", codes: CompanyDomain.State.allCases.map(\.rawValue) + ["failing"]),
        Place(prefix: "letters.finding", codes: MailFinding.Code.allCases.map(\.rawValue)),
    ]

    @Test(arguments: places) func everyCodeHasWords(_ place: Place) throws {
        let texts = try Self.catalogue()
        #expect(!place.codes.isEmpty)
        for code in place.codes { #expect(texts["\(place.prefix).\(code)"] is String, "\(place.prefix).\(code)") }
    }

    /// A finding that is not well says more than what is wrong: a second sentence, or one that tells what to enter.
    @Test func findingsOfMailSayWhatToDo() throws {
        let texts = try Self.catalogue()
        for code in MailFinding.Code.allCases where !code.rawValue.hasSuffix("Fine") {
            let text = try #require(texts["letters.finding.\(code.rawValue)"] as? String)
            #expect(["Enter", "enter", "Add", "Join", "Remove", "End it", "Ask", "Change", "Look again"].contains { text.contains($0) }, "\(code): \(text)")
        }
    }

    /// What translators and verbs refuse an event with, as it stands in their sources.
    @Test func everyRefusalOfAnEventHasARemedy() throws {
        let folder = Self.sources.appending(path: "Integrations")
        let files = try FileManager.default.contentsOfDirectory(atPath: folder.path).filter { $0.hasSuffix(".swift") }
        var codes: Set<String> = []
        for file in files {
            let text = try String(contentsOf: folder.appending(path: file), encoding: .utf8)
            codes.formUnion(text.matches(of: /(?:VendorRefusal\(\s*code: |\.refused\()"([a-z_]+)"/).map { String($0.1) })
        }
        #expect(codes.count >= 15, "\(codes)")
        let without = codes.subtracting(VendorPage.remedies).subtracting(["refund_failed"])
        #expect(without.isEmpty, "no remedy for \(without.sorted())")
        #expect(VendorPage.remedies.isSubset(of: VendorPage.reasons))
        let page = try String(contentsOf: Self.sources.appending(path: "../../docs/integrations/stripe.md"), encoding: .utf8)
        for code in VendorPage.remedies { #expect(page.contains("| `\(code)` |"), "docs/integrations/stripe.md lacks \(code)") }
    }

    @Test(arguments: [
        (200, nil), (302, WebhookRemedy.redirect), (401, .unauthorized), (404, .notFound), (410, .gone), (422, .turnedAway), (429, .tooMany), (500, .broken),
    ] as [(Int64, WebhookRemedy?)]) func answersOfWebhooks(_ status: Int64, _ remedy: WebhookRemedy?) {
        #expect(WebhookRemedy(status: status) == remedy)
        #expect(WebhookRemedy(status: nil) == .silent)
    }

    @Test(arguments: [
        ("credentials_refused", RailRemedy.credentials), ("INSUFFICIENT_FUNDS", .balance), ("balance_insufficient", .balance), ("AUTHORIZATION_ERROR", .permission),
        ("http_403", .address), ("not_connected", .notConnected), ("SOMETHING_ELSE", .provider),
    ]) func wordsOfProviders(_ code: String, _ remedy: RailRemedy) {
        #expect(RailRemedy(code: code) == remedy)
    }

    private static let sources = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

    private static func catalogue() throws -> [String: Any] {
        try #require(try JSONSerialization.jsonObject(with: Data(contentsOf: sources.appending(path: "Catalogue/en.json"))) as? [String: Any])
    }
}
