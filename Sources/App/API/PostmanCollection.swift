import HTTPTypes
import Web

/// The API as a collection that Postman and its like import (format 2.1): a folder for each tag, a request for each call, with an example body.
enum PostmanCollection {
    static func document(_ operations: [Web.Operation<Access>], baseURL: String) -> JSONValue {
        var tags: [String] = []
        for operation in operations where !tags.contains(operation.tag) { tags.append(operation.tag) }
        return [
            "info": [
                "name": "Kith", "description": "Every call of the API. Set the variables baseUrl and key.",
                "schema": "https://schema.getpostman.com/json/collection/v2.1.0/collection.json",
            ],
            "auth": ["type": "bearer", "bearer": [["key": "token", "value": "{{key}}", "type": "string"]]],
            "variable": [["key": "baseUrl", "value": .text(baseURL + API.base)], ["key": "key", "value": "", "type": "secret"]],
            "item": .array(
                tags.map { tag in
                    ["name": .text(tag), "item": .array(operations.filter { $0.tag == tag }.map(item))]
                }),
        ]
    }

    private static func item(_ operation: Web.Operation<Access>) -> JSONValue {
        let parts = operation.path.split(separator: "/").map { $0.hasPrefix("{") ? ":\($0.dropFirst().dropLast())" : String($0) }
        var url = [
            JSONMember("raw", .text("{{baseUrl}}/" + parts.joined(separator: "/"))), JSONMember("host", ["{{baseUrl}}"]),
            JSONMember("path", .array(parts.map { .text($0) })),
        ]
        if !operation.parameters.isEmpty {
            url.append(
                JSONMember("query", .array(operation.parameters.map { ["key": .text($0.name), "value": "", "disabled": .boolean(!$0.isRequired)] })))
        }
        if !operation.pathParameters.isEmpty {
            url.append(JSONMember("variable", .array(operation.pathParameters.map { ["key": .text($0), "value": ""] })))
        }
        var headers: [JSONValue] = []
        if operation.body != nil { headers.append(["key": "Content-Type", "value": "application/json"]) }
        // The same key is the same call: a new one for each press of the button.
        if operation.takesIdempotencyKey { headers.append(["key": "Idempotency-Key", "value": "{{$guid}}"]) }
        var request = [
            JSONMember("method", .text(operation.method.rawValue)), JSONMember("header", .array(headers)), JSONMember("url", .object(url)),
            JSONMember("description", .text("\(operation.summary). \(operation.access.text)")),
        ]
        if let body = operation.body {
            let example = SchemaExample.of(body, Schemas.all)
            request.append(
                JSONMember("body", ["mode": "raw", "raw": .text(String(decoding: example.bytes, as: UTF8.self)), "options": ["raw": ["language": "json"]]]))
        }
        return ["name": .text(operation.summary), "request": .object(request), "response": []]
    }
}

/// A value that a schema allows, of what it requires. Its depth is that of the schemas' own nesting.
enum SchemaExample {
    static func of(_ schema: APISchema, _ named: [(name: String, schema: APISchema)]) -> JSONValue {
        switch schema {
        case .described(_, _, let example?): example
        case .described(let inner, _, nil), .nullable(let inner): of(inner, named)
        case .object(let fields): .object(fields.filter(\.isRequired).map { JSONMember($0.name, of($0.schema, named)) })
        case .map: .object([])
        case .array(let element, _): .array([of(element, named)])
        case .string(let format, _, _): text(format)
        case .integer(let range): .integer(range?.lowerBound ?? 1)
        case .number: 1
        case .boolean: true
        case .enumeration(let words): .text(words.first ?? "")
        case .oneOf(let choices): choices.first.map { of($0, named) } ?? .null
        case .reference(let name): named.first { $0.name == name }.map { of($0.schema, named) } ?? .null
        case .any: .null
        }
    }

    private static func text(_ format: String?) -> JSONValue {
        switch format {
        case "date-time": "2026-11-01T00:00:00Z"
        case "date": "2026-11-01"
        case "email": "amira@example.com"
        case "uri": "https://shop.example/"
        default: ""
        }
    }
}
