import Chronology
import Foundation
import Money
import NIOCore
import Rules
import Testing
import Web

@testable import App

/// Rules as people read them, and as they write them without JSON.
@Suite struct RuleSentenceTests {
    static func language() throws -> PageLanguage {
        PageLanguage(messages: try AppHarness.site.get().catalogue.messages(for: "en"), zone: .utc)
    }

    static func rule(_ json: JSONValue) throws -> Rule {
        var body: JSONValue = ["name": "Rule", "event": "sale", "reward": ["kind": "percent", "rate": "0.10"]]
        if case .object(let members) = json { for member in members { body = body.without([member.name]).adding(member.name, member.value) } }
        let reader = try JSONReader(body)
        let document = RuleDocument.read(reader)
        try reader.finish()
        return try document.rule(id: RuleID(stored: "rule_x"), program: ProgramID(stored: "prog_x"), version: 1, now: .earliest)
    }

    struct Case: Sendable, CustomTestStringConvertible {
        var rule: JSONValue
        var says: String
        var testDescription: String { says }
    }

    private static let country: JSONValue = ["field": "country", "op": "in", "value": ["DE", "AT"]]
    private static let coffee: JSONValue = ["field": "category", "op": "eq", "value": "coffee"]
    private static let tea: JSONValue = ["field": "category", "op": "eq", "value": "tea"]
    private static let notB: JSONValue = ["field": "sku", "op": "ne", "value": "B-1"]

    static let cases: [Case] = [
        Case(rule: .object([]), says: "When somebody buys, give the sharer 10%."),
        Case(
            rule: ["conditions": ["all": [country, ["field": "customerIsNew", "op": "eq", "value": true], ["field": "saleNumber", "op": "eq", "value": 1]]]],
            says: "When a new customer in Germany or Austria buys for the first time, give the sharer 10%."),
        Case(
            rule: ["conditions": ["all": [["field": "amount", "op": "gte", "value": 5_000], coffee]], "level": 1],
            says: "When somebody buys for €50.00 or more, give whoever stands 1 level above the sharer 10%. Only if the category is coffee."),
        Case(
            rule: ["conditions": ["any": [coffee, tea]]],
            says: "When somebody buys, give the sharer 10%. Only if the category is coffee or the category is tea."),
        Case(
            rule: ["conditions": ["all": [["any": [coffee, tea]], notB]]],
            says: "When somebody buys, give the sharer 10%. Only if (the category is coffee or the category is tea) and the article is not B-1."),
        Case(
            rule: ["conditions": ["any": [["all": [coffee, notB]], tea]]],
            says: "When somebody buys, give the sharer 10%. Only if (the category is coffee and the article is not B-1) or the category is tea."),
        Case(
            rule: ["conditions": ["any": [country, coffee]]],
            says: "When somebody buys, give the sharer 10%. Only if the country is one of Germany or Austria or the category is coffee."),
        Case(
            rule: ["conditions": ["all": [["field": "couponUsed", "op": "eq", "value": false], ["field": "metadata.channel", "op": "exists", "value": true]]]],
            says: "When somebody buys, give the sharer 10%. Only if no code was used and “channel” is known."),
        Case(
            rule: ["event": "recurring", "months": 12, "cap": ["amount": 50_000, "per": "member", "period": "month"]],
            says: "Whenever somebody buys within 12 months of the first purchase, give the sharer 10%. At most €500.00 for each member and month."),
    ]

    @Test(arguments: cases) func says(_ example: Case) throws {
        let currency = try #require(Currency(code: "EUR"))
        let text = RuleSentence(rule: try Self.rule(example.rule), currency: currency, language: try Self.language()).text
        #expect(text == example.says)
    }

    /// What the form writes reads as the rule that was put into it, whatever of it the form has fields for.
    @Test(arguments: cases) func formKeepsEverything(_ example: Case) throws {
        let currency = try #require(Currency(code: "EUR"))
        let rule = try Self.rule(example.rule)
        let draft = try #require(RuleDraft(rule, currency: currency, zone: .utc, numbers: NumberReader(locale: "en")))
        let (json, faults) = draft.document(currency: currency, zone: .utc, numbers: NumberReader(locale: "en"), now: AppHarness.start)
        #expect(faults.isEmpty)
        let again = try Self.rule(json)
        let language = try Self.language()
        #expect(RuleSentence(rule: again, currency: currency, language: language).text == example.says)
        #expect(again.terms.cap == rule.terms.cap)
        #expect(again.terms.reward == rule.terms.reward)
    }

    @Test(arguments: [
        ("value", "", "missing"), ("value", "ten", "percent"), ("value", "101", "percentTooMuch"), ("value", "-3", "percent"), ("value", "1e1", "percent"), ("cap", "5e2", "amount"), ("recipient", "x", "choice"), ("event", "none", "choice"), ("least", "1.234", "amount"),
        ("countries", "Germany", "countries"), ("cap", "0", "amount"), ("months", "no", "months"), ("from", "31.12.", "day"), ("name", "", "missing"),
    ] as [(String, String, String?)]) func faultsStandAtTheirFields(_ field: String, _ text: String, _ fault: String?) throws {
        let currency = try #require(Currency(code: "EUR"))
        var fields = ["name": "Sharer", "value": "10"]
        fields[field] = text
        let body = fields.map { "\($0.key)=\($0.value.replacingOccurrences(of: " ", with: "+"))" }.joined(separator: "&")
        let draft = RuleDraft(try FormFields.parse(.init(string: body)))
        let faults = draft.document(currency: currency, zone: .utc, numbers: NumberReader(locale: "en"), now: AppHarness.start).faults
        if let fault { #expect(faults == [field: .key(fault)]) } else { #expect(faults.isEmpty) }
    }

    @Test(arguments: [("12,5", "0.125"), ("12.5 %", "0.125"), ("10", "0.1"), ("0.0001", "0.000001")]) func percentagesAreRead(_ text: String, _ rate: String) throws {
        let currency = try #require(Currency(code: "EUR"))
        var draft = RuleDraft()
        (draft.name, draft.value) = ("Sharer", text)
        #expect(draft.document(currency: currency, zone: .utc, numbers: NumberReader(locale: "en"), now: AppHarness.start).json["reward"]?["rate"]?.string == rate)
    }
}
