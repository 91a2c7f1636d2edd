import HTTPTypes

/// The OpenAPI 3.1 description of an API, made of its operations.
public struct OpenAPIDocument: Sendable {
    public let title: String
    public let version: String
    /// The address of the API, for instance `https://refer.example/api/v1`.
    public let serverURL: String
    /// Schemas that operations refer to by name.
    public let schemas: [(name: String, schema: APISchema)]
    /// What the server itself posts to those who subscribe.
    public let webhooks: [OpenAPIWebhook]

    public init(
        title: String, version: String, serverURL: String, schemas: [(name: String, schema: APISchema)] = [], webhooks: [OpenAPIWebhook] = []
    ) {
        self.title = title
        self.version = version
        self.serverURL = serverURL
        self.schemas = schemas
        self.webhooks = webhooks
    }

    /// The document.
    /// - Parameter access: for each operation whether it needs a key, and a sentence on who may make the call.
    public func json<Access>(_ operations: [Operation<Access>], access: (Access) -> (needsKey: Bool, note: String)) -> JSONValue {
        var paths: [(path: String, members: [JSONMember])] = []
        for operation in operations {
            let described = JSONMember(operation.method.rawValue.lowercased(), describe(operation, access(operation.access)))
            if let index = paths.firstIndex(where: { $0.path == operation.path }) {
                paths[index].members.append(described)
            } else {
                paths.append((operation.path, [described]))
            }
        }
        var tags: [String] = []
        for operation in operations where !tags.contains(operation.tag) { tags.append(operation.tag) }
        return [
            "openapi": "3.1.0",
            "info": ["title": .text(title), "version": .text(version)],
            "servers": [["url": .text(serverURL)]],
            "tags": .array(tags.map { ["name": .text($0)] }),
            "paths": .object(paths.map { JSONMember($0.path, .object($0.members)) }),
            "webhooks": .object(webhooks.map { JSONMember($0.name, ["post": $0.json]) }),
            "components": [
                "securitySchemes": ["key": ["type": "http", "scheme": "bearer"]],
                "schemas": .object([JSONMember("Problem", Self.problem.json)] + schemas.map { JSONMember($0.name, $0.schema.json) }),
            ],
        ]
    }

    /// The names that operations and schemas refer to and that the document lacks: a test wants none.
    public func missingReferences<Access>(_ operations: [Operation<Access>]) -> [String] {
        let known = Set(schemas.map(\.name) + ["Problem"])
        var waiting = operations.flatMap { [$0.body, $0.answer].compactMap(\.self) } + schemas.map(\.schema) + webhooks.map(\.body)
        var missing: Set<String> = []
        while let schema = waiting.popLast() {
            switch schema {
            case .object(let fields): waiting += fields.map(\.schema)
            case .map(let inner), .array(let inner, _), .nullable(let inner), .described(let inner, _, _): waiting.append(inner)
            case .oneOf(let schemas): waiting += schemas
            case .reference(let name): if !known.contains(name) { missing.insert(name) }
            default: break
            }
        }
        return missing.sorted()
    }

    private func describe<Access>(_ operation: Operation<Access>, _ access: (needsKey: Bool, note: String)) -> JSONValue {
        var members = [
            JSONMember("operationId", .text(operation.id)), JSONMember("summary", .text(operation.summary)),
            JSONMember("tags", [.text(operation.tag)]),
        ]
        if !access.note.isEmpty { members.append(JSONMember("description", .text(access.note))) }
        members.append(JSONMember("security", access.needsKey ? [["key": []]] : []))
        let parameters =
            operation.pathParameters.map { parameter($0, in: "path", isRequired: true, .text) }
            + operation.parameters.map { parameter($0.name, in: "query", isRequired: $0.isRequired, $0.schema) }
            + (operation.takesIdempotencyKey
                ? [parameter("Idempotency-Key", in: "header", isRequired: false, .string(maximumLength: Int(IdempotencyKey.maximumLength)))] : [])
        if !parameters.isEmpty { members.append(JSONMember("parameters", .array(parameters))) }
        if let body = operation.body {
            members.append(JSONMember("requestBody", ["required": .boolean(needsFields(body)), "content": ["application/json": ["schema": body.json]]]))
        }
        members.append(JSONMember("responses", responses(operation, needsKey: access.needsKey)))
        return .object(members)
    }

    /// A body without a required field may be left out.
    private func needsFields(_ body: APISchema) -> Bool {
        if case .object(let fields) = body { fields.contains(where: \.isRequired) } else { true }
    }

    private func parameter(_ name: String, in place: String, isRequired: Bool, _ schema: APISchema) -> JSONValue {
        ["name": .text(name), "in": .text(place), "required": .boolean(isRequired), "schema": schema.json]
    }

    private func responses<Access>(_ operation: Operation<Access>, needsKey: Bool) -> JSONValue {
        var success: [JSONMember] = [JSONMember("description", "Success")]
        if let answer = operation.answer { success.append(JSONMember("content", ["application/json": ["schema": answer.json]])) }
        var failures: Set<Int> = [400, 429, 500, 503]
        if needsKey { failures.formUnion([401, 403]) }
        if !operation.pathParameters.isEmpty { failures.insert(404) }
        if operation.body != nil { failures.formUnion([413, 415, 422]) }
        if !operation.parameters.isEmpty { failures.insert(422) }
        if operation.takesIdempotencyKey { failures.formUnion([409, 422]) }
        failures.formUnion(operation.failures)
        return .object(
            Set([operation.status, operation.repeatedStatus ?? operation.status]).sorted().map { JSONMember(String($0), .object(success)) }
                + failures.sorted().map {
                    JSONMember(
                        String($0),
                        ["description": "A problem", "content": ["application/problem+json": ["schema": ["$ref": "#/components/schemas/Problem"]]]])
                })
    }

    /// The shape of every failure.
    private static let problem = APISchema.object([
        .required("type", .text), .required("title", .text), .required("status", .integer(400...599)), .required("detail", .text),
        .required("code", .text), .required("errors", .array(.object([.required("field", .text), .required("message", .text)]))),
        .required("requestId", .text),
    ])
}

/// A message that the server posts.
public struct OpenAPIWebhook: Sendable {
    public let name: String
    public let summary: String
    public let body: APISchema

    public init(name: String, summary: String, body: APISchema) {
        self.name = name
        self.summary = summary
        self.body = body
    }

    fileprivate var json: JSONValue {
        let headers: [(String, String)] = [
            ("webhook-id", "The event's id, the same at every try: keep it, and take what you know already for done."),
            ("webhook-timestamp", "Seconds since 1970, of this try. Refuse what is older than five minutes."),
            ("webhook-signature", "v1, and the HMAC-SHA256 of id.timestamp.body in base 64; several, parted by blanks, while a secret is changed."),
        ]
        return [
            "summary": .text(summary), "operationId": .text("on_" + name.map { $0 == "." ? "_" : String($0) }.joined()), "tags": [.text("Webhooks")],
            "parameters": .array(
                headers.map {
                    ["name": .text($0.0), "in": "header", "required": true, "description": .text($0.1), "schema": APISchema.text.json]
                }),
            "requestBody": ["required": true, "content": ["application/json": ["schema": body.json]]],
            "responses": [
                "2XX": ["description": "Taken. Anything else is tried again, ten times over three days."],
                "410": ["description": "Nothing is wanted any more: the webhook is disabled."],
            ],
        ]
    }
}
