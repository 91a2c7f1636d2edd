import HTTPTypes
import Persistence
import Testing
import TestSupport
import Web

@testable import App

/// The description of the API says what the API does.
@Suite struct OpenAPITests {
    @Test func nothingIsMissing() async throws {
        try await AppHarness.with(.sqlite) { app in
            let document = OpenAPIDocument(title: "Kith", version: "1", serverURL: "http://x", schemas: Schemas.all)
            #expect(document.missingReferences(app.operations) == [])
            let served = try await app.call(.get, API.base + "/openapi.json")
            #expect(served.status == 200)
            #expect(served.json["openapi"].text == "3.1.0")
            for operation in app.operations {
                let described = served.json["paths"][operation.path][operation.method.rawValue.lowercased()]
                #expect(described["operationId"].text == operation.id, "\(operation.id)")
                #expect(!operation.summary.isEmpty)
            }
            #expect(Set(app.operations.map(\.id)).count == app.operations.count)
        }
    }

    /// The calls of the contract that belong to the exact core.
    @Test func everyRouteOfTheContractIsThere() async throws {
        let wanted = [
            "GET /programs", "POST /programs", "POST /programs/{id}/rules", "POST /members", "GET /members/{id}", "PATCH /members/{id}", "GET /members/{id}/balances",
            "GET /members/{id}/tree", "POST /links", "GET /links", "GET /links/{id}", "POST /track/click", "POST /track/lead", "POST /track/sale",
            "POST /track/refund", "GET /commissions", "GET /commissions/{id}/receipt", "GET /sales/{id}/receipt", "GET /ledger/transactions",
            "POST /test-clock", "POST /team", "POST /api-keys", "GET /customers", "GET /sales",
        ]
        try await AppHarness.with(.sqlite) { app in
            let there = Set(app.operations.map { "\($0.method.rawValue) \($0.path)" })
            #expect(wanted.filter { !there.contains($0) } == [])
            for path in ["/healthz", "/readyz", "/metrics", "/kith.js", API.base + "/openapi.json"] {
                let reply = try await app.call(.get, path)
                #expect(reply.status == 200, "\(path)")
            }
        }
    }

    /// Each required field left out is named; no documented field is called unknown.
    @Test func requiredFieldsAreRequiredAndDocumentedOnesKnown() async throws {
        try await AppHarness.with(.sqlite) { app in
            let (program, anna) = try await app.shopWithAnna()
            let schemas = Dictionary(uniqueKeysWithValues: Schemas.all.map { ($0.name, $0.schema) })
            let ids = ["/programs/": program, "/members/": anna]
            for operation in app.operations {
                guard var body = operation.body else { continue }
                if case .reference(let name) = body { body = schemas[name] ?? body }
                guard case .object(let fields) = body else { continue }
                let id = ids.first { operation.path.hasPrefix($0.key) }?.value ?? "x_00000000000000000000000000"
                let empty = try await app.tryOut(operation, as: app.key, id: id)
                for field in fields where field.isRequired && empty.status == 422 {
                    #expect(empty.fields.contains(field.name), "\(operation.id): \(field.name) is said to be required; \(empty.text)")
                }
                if empty.status == 422 {
                    let named = Set(fields.filter(\.isRequired).map(\.name))
                    for field in empty.fields where fields.contains(where: { $0.name == field }) {
                        #expect(named.contains(field) || Self.conditional.contains(operation.id), "\(operation.id): \(field) is required and not said to be")
                    }
                }
                // Every documented field with a value of its kind: whatever else is wrong with it, it is not unknown.
                let full = JSONValue.object(fields.map { JSONMember($0.name, Self.example($0.schema, schemas)) })
                let reply = try await app.tryOut(operation, as: app.key, id: id, body: full)
                #expect(reply.status < 500, "\(operation.id): \(reply.text)")
                for problem in reply.json["errors"].list {
                    #expect(!problem["message"].text.lowercased().contains("unknown field") && !problem["message"].text.contains("Is not a field"), "\(operation.id): \(problem["field"].text): \(problem["message"].text)")
                }
            }
        }
    }

    /// What is answered is what the description says: no member more, none less, each of its kind.
    @Test func answersAreWhatIsDescribed() async throws {
        try await AppHarness.with(.sqlite) { app in
            let shop = try await Payees.make(in: app)
            for rule: JSONValue in [
                ["level": 1, "reward": ["kind": "flat", "amount": 5, "currency": "EUR"], "cap": ["count": 1, "per": "member"]],
                ["reward": ["kind": "points", "amount": 5, "unit": "points"], "conditions": ["all": [["field": "country", "op": "eq", "value": "FR"]]]],
                ["event": "lead", "reward": ["kind": "flat", "amount": 5, "currency": "EUR"]],
            ] { _ = try await app.rule(shop.program, rule) }
            let click = try await app.click("PAY1", visitor: "v")
            try await app.post("/track/lead", ["clickId": .text(click), "eventName": "s", "customerExternalId": "c", "code": "PAY0"])
            try await app.sale("more", "c", 9_999, ["code": "PAY0", "country": "FR"])
            try await app.sale("nothing", "z", 100, ["code": "NOBODY", "clickId": "clk_unknown"])
            try await app.refund("more", "r", 500)
            let payout = try await app.post("/payouts", shop.batch())["id"].text
            let first: (String) async throws -> String = { path in
                let row = try await app.get(path)["data"].list.first
                return row["id"].text.isEmpty ? row["leadId"].text : row["id"].text
            }
            let ids = [
                "/commissions/{id}": try await first("/commissions"), "/sales/{id}": try await first("/sales"), "/leads/{id}": try await first("/leads"),
                "/links/{id}": try await first("/links"), "/customers/{id}": try await first("/customers"), "/members/{id}": shop.members[0],
                "/programs/{id}": shop.program, "/payouts/{id}": payout,
            ]
            let schemas = Dictionary(uniqueKeysWithValues: Schemas.all.map { ($0.name, $0.schema) })
            var seen = 0
            for operation in app.operations where operation.method == .get {
                guard let answer = operation.answer else { continue }
                let known = ids.first { operation.path.hasPrefix($0.key) }
                let path = known.map { operation.path.replacing("{id}", with: $0.value) } ?? operation.path
                guard !path.contains("{") else { continue }
                let reply = try await app.api(.get, path)
                guard reply.status == 200, reply.headers[.contentType]?.hasPrefix("application/json") ?? false else { continue }
                seen += 1
                #expect(Self.faults(reply.json, answer, schemas, at: operation.id).prefix(3) == [])
            }
            #expect(seen > 30)
            // What calls that write answer.
            for (method, path, body) in [
                (HTTPRequest.Method.post, "/track/sale", AppHarness.saleBody("last", "d", 100, ["code": "PAY1"])),
                (.post, "/track/refund", ["invoiceId": "last", "refundId": "last"]), (.post, "/track/click", ["code": "PAY1"]),
                (.post, "/track/lead", ["code": "PAY1", "eventName": "t", "customerExternalId": "e"]),
            ] as [(HTTPRequest.Method, String, JSONValue)] {
                let operation = try #require(app.operations.first { $0.method == method && $0.path == path })
                let answer = try #require(operation.answer)
                #expect(Self.faults(try await app.post(path, body), answer, schemas, at: operation.id).prefix(3) == [])
            }
        }
    }

    /// Where a value is not what a schema says. The depth is that of the answers' own shape.
    static func faults(_ value: JSONValue, _ schema: APISchema, _ schemas: [String: APISchema], at place: String) -> [String] {
        switch schema {
        case .any: return []
        case .described(let inner, _, _): return faults(value, inner, schemas, at: place)
        case .reference(let name): return schemas[name].map { faults(value, $0, schemas, at: place) } ?? ["\(place): no schema \(name)"]
        case .nullable(let inner): return value == .null ? [] : faults(value, inner, schemas, at: place)
        case .oneOf(let choices):
            return choices.contains { faults(value, $0, schemas, at: place).isEmpty } ? [] : ["\(place): is none of \(choices.count)"]
        case .array(let element, _):
            guard case .array(let elements) = value else { return ["\(place): is no list"] }
            return elements.flatMap { faults($0, element, schemas, at: place + "[]") }
        case .map(let inner):
            guard case .object(let members) = value else { return ["\(place): is no object"] }
            return members.flatMap { faults($0.value, inner, schemas, at: "\(place).\($0.name)") }
        case .object(let fields):
            guard case .object(let members) = value else { return ["\(place): is no object"] }
            let missing = fields.filter { field in field.isRequired && !members.contains { $0.name == field.name } }.map { "\(place): \($0.name) is missing" }
            return missing + members.flatMap { member -> [String] in
                guard let field = fields.first(where: { $0.name == member.name }) else { return ["\(place): \(member.name) is not described"] }
                return faults(member.value, field.schema, schemas, at: "\(place).\(member.name)")
            }
        case .string:
            if case .text = value { return [] } else { return ["\(place): is no text"] }
        case .enumeration(let words):
            if case .text(let text) = value, words.contains(text) { return [] } else { return ["\(place): \(value) is none of \(words)"] }
        case .integer(let range):
            guard case .number(let number) = value, let integer = number.integer else { return ["\(place): is no integer"] }
            return range.map { $0.contains(integer) } ?? true ? [] : ["\(place): \(integer) is out of range"]
        case .number:
            if case .number = value { return [] } else { return ["\(place): is no number"] }
        case .boolean:
            if case .boolean = value { return [] } else { return ["\(place): is no flag"] }
        }
    }

    /// Calls in which one field says which others are required.
    static let conditional: Set<String> = ["createKey", "enrollMember", "setPayoutAccount", "createEmbedToken"]

    /// A value of a schema. The depth is that of the schemas' own nesting.
    static func example(_ schema: APISchema, _ schemas: [String: APISchema]) -> JSONValue {
        switch schema {
        case .object(let fields): .object(fields.map { JSONMember($0.name, example($0.schema, schemas)) })
        case .map(let value): .object([JSONMember("name", example(value, schemas))])
        case .array(let element, _): .array([example(element, schemas)])
        case .string(let format, _, _):
            switch format {
            case "date-time": "2025-01-01T00:00:00Z"
            case "email": "x@example.test"
            case "uri": "https://shop.test/"
            default: "x"
            }
        case .integer(let range): .integer(range?.lowerBound ?? 1)
        case .number: 1
        case .boolean: true
        case .enumeration(let values): .text(values.first ?? "")
        case .oneOf(let choices): choices.first.map { example($0, schemas) } ?? .null
        case .reference(let name): schemas[name].map { example($0, schemas) } ?? .null
        case .nullable(let inner), .described(let inner, _, _): example(inner, schemas)
        case .any: "x"
        }
    }
}
