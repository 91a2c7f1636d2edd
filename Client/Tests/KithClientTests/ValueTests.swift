import Foundation
import Testing

@testable import KithClient

/// What can't be right doesn't come into being.
@Suite struct ValueTests {
    @Test func identifiersKnowTheirKind() {
        #expect(MemberID("mem_01ABC") != nil)
        for text in ["", "mem_", "sale_01ABC", "mem_a/b", "mem_ä", "MEM_01", "mem_" + String(repeating: "a", count: 65)] { #expect(MemberID(text) == nil, "\(text)") }
    }

    @Test func currenciesHaveThreeCapitals() {
        #expect(Currency("EUR") == .eur)
        for text in ["eur", "EURO", "", "E1R", "€"] { #expect(Currency(text) == nil, "\(text)") }
    }

    @Test func moneyIsNeverMixedNorTooLarge() {
        #expect(Money(minor: 1, .eur).adding(Money(minor: 2, .eur)) == Money(minor: 3, .eur))
        #expect(Money(minor: 1, .eur).adding(Money(minor: 2, .usd)) == nil)
        #expect(Money(minor: .max, .eur).adding(Money(minor: 1, .eur)) == nil)
    }

    @Test func largeNumbersStayWhole() throws {
        let text = Data(#"{"a":9007199254740993,"b":[true,null,"x",1.5]}"#.utf8)
        let value = try JSONCoding.decode(JSONValue.self, from: text)
        #expect(value["a"].integer == 9_007_199_254_740_993)
        #expect(value["b"].list == [true, nil, "x", .number(1.5)])
    }

    @Test(arguments: ["2026-11-22T10:00:00Z", "2026-11-22T10:00:00.250Z"]) func timesAreReadAndWritten(_ text: String) throws {
        let date = try #require(JSONCoding.date(of: text))
        #expect(JSONCoding.date(of: JSONCoding.text(of: date)) == date)
    }

    @Test func whatWaitsIsReadAsItWasWritten() throws {
        var sale = NewSale(invoiceId: "i-1", customerExternalId: "c-1", worth: Money(minor: 8_600, .eur), clickId: ClickID("clk_1"), metadata: ["a": 1])
        sale.items = [NewSale.Item(sku: "s", amountMinor: 100, quantity: 2)]
        sale.occurredAt = Date(timeIntervalSince1970: 1_800_000_000)
        let facts: [QueuedFact] = [
            .sale(sale), .refund(NewRefund(invoiceId: "i", refundId: "r")), .click(NewClick(code: "ANNA")), .lead(NewLead(eventName: "e", customerExternalId: "c")),
        ]
        for fact in facts { #expect(try JSONCoding.decode(QueuedFact.self, from: JSONCoding.encode(fact)) == fact) }
    }

    @Test func keysDoNotTravelInTheOpen() throws {
        let key = try #require(KithClient.Key("kith_sk_test_a"))
        func verdict(_ address: String, plain: Bool = false) throws -> Bool {
            let url = try #require(URL(string: address))
            do throws(KithError) {
                _ = try KithClient(address: url, key: key, allowsPlainHTTP: plain)
                return true
            } catch { return false }
        }
        for good in ["https://refer.example", "http://127.0.0.1:8080", "http://localhost:1", "http://[::1]:8080", "https://refer.example/kith/"] {
            #expect(try verdict(good), "\(good)")
        }
        for bad in ["http://refer.example", "ftp://refer.example", "https://", "https://user:word@refer.example", "https://refer.example?x=1", "/only/a/path"] {
            #expect(try !verdict(bad), "\(bad)")
        }
        #expect(try verdict("http://10.0.0.7:8080", plain: true))
        for text in ["", "sk_1", "kith_sk_a b", "kith_sk_\r\nX: y"] { #expect(KithClient.Key(text) == nil) }
    }
}
