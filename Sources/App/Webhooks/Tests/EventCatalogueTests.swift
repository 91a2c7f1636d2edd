import Foundation
import HTTPTypes
import Persistence
import TestSupport
import Testing
import Web

@testable import App

@Suite struct EventCatalogueTests {
    /// To write the page anew: KITH_WRITE_DOCS=1 swift test --filter EventCatalogueTests
    @Test func thePageSaysWhatTheCatalogueSays() throws {
        let page = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("../../../../docs/events.md").standardized
        let text = EventCatalogue.markdown()
        if ProcessInfo.processInfo.environment["KITH_WRITE_DOCS"] == "1" { try text.write(to: page, atomically: true, encoding: .utf8) }
        #expect(try String(contentsOf: page, encoding: .utf8) == text)
    }

    @Test func theDescriptionOfTheAPINamesEveryType() throws {
        let document = try JSONValue.parse(OpenAPI.document([], baseURL: "https://kith.test"), maximumBytes: 10_000_000)
        #expect(document["webhooks"]?.names.sorted() == EventType.allCases.map(\.rawValue).sorted())
    }

    /// What is emitted has the fields that the catalogue promises, and no others; no field holds a name or a mail.
    @Test(arguments: Engine.allCases) func whatIsEmittedIsWhatIsPromised(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let program = try await app.program(["holdDays": 0])
            _ = try await app.percentRule(program, "0.10")
            _ = try await app.rule(program, ["name": "Points", "reward": ["kind": "points", "amount": 5, "unit": "points"]])
            let member = try await app.member(program, "ada", ["kind": "customer"])
            try await app.post("/links", ["programId": .text(program), "memberId": .text(member), "destination": "https://shop.test/", "code": "ada"])
            _ = try await app.visit("/r/ada")
            try await app.post("/track/lead", ["code": "ada", "eventName": "Sign up", "customerExternalId": "c1"])
            let sale = try await app.post(
                "/track/sale", ["customerExternalId": "c1", "amount": 10_000, "currency": "EUR", "invoiceId": "i1", "code": "ada"])
            try await app.post("/track/sale", ["customerExternalId": "c2", "amount": 10_000, "currency": "EUR", "invoiceId": "i2", "code": "ada"])
            try await app.post("/track/refund", ["invoiceId": "i2", "refundId": "r1"])
            try await app.moveClock(days: 1)
            let commission = sale["commissions"].list.first { $0["currency"].text == "EUR" }?["id"].text ?? ""
            for action in ["hold", "release"] {
                try await app.post("/commission-decisions", ["action": .text(action), "commissionIds": [.text(commission)], "reason": "Looked odd"])
            }
            try await app.patch("/programs/\(program)", ["holdDays": 3])
            let events = try await app.get("/events?limit=100")["data"].list
            let seen = Set(events.map { $0["type"].text })
            for type in [
                "link.clicked", "lead.created", "sale.created", "sale.refunded", "commission.created", "commission.approved", "commission.reversed",
                "reward.issued", "program.changed", "member.created", "member.stage_changed", "hold.placed", "hold.released",
            ] { #expect(seen.contains(type), "\(type) was not emitted") }
            for event in events {
                let type = try #require(EventType(rawValue: event["type"].text))
                let entry = EventCatalogue.entry(type)
                let fields = EventCatalogue.fields(of: entry.data)
                guard !fields.isEmpty else { continue }
                let names = Set(event["data"]?.names ?? [])
                #expect(Set(fields.filter(\.isRequired).map(\.name)).isSubset(of: names), "\(type.rawValue) lacks \(names)")
                #expect(names.isSubset(of: Set(fields.map(\.name))), "\(type.rawValue) has more: \(names)")
                if let changes = event["changes"] { #expect(Set(changes.names).isSubset(of: Set(entry.changes)), "\(type.rawValue) \(changes.names)") }
                let text = String(decoding: event.bytes, as: UTF8.self)
                #expect(!text.contains("members.test") && !text.contains("ada"), "\(text)")
            }
        }
    }
}
