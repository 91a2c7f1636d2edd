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

    /// Calls in which one field says which others are required.
    static let conditional: Set<String> = ["createKey", "enrollMember", "setPayoutAccount"]

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
