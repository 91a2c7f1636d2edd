import HTTPTypes
import Web

/// Something that a model may do: a call of the API under a name, with the words that models go by.
struct MCPTool: Sendable {
    enum Effect: Sendable, Hashable {
        case reads
        /// Adds something; nothing is lost by it.
        case adds
        /// Takes something away or moves money.
        case takesAway
    }

    /// Where an argument goes.
    enum Place: Sendable, Hashable { case path, query, body }

    struct Argument: Sendable {
        var name: String
        var place: Place
        var schema: APISchema
        var isRequired: Bool
        var text: String
    }

    var name: String
    var title: String
    var text: String
    var effect = Effect.reads
    var method = HTTPRequest.Method.get
    /// Below the API's base, arguments in braces. Empty for tools that put calls together.
    var path = ""
    var arguments: [Argument] = []
    /// What is read to show what a write would change, arguments in braces.
    var shows: [String] = []
    /// The call itself can be rehearsed with `dryRun`.
    var rehearses = false

    var isWriting: Bool { effect != .reads }

    /// As `tools/list` shows it.
    var json: JSONValue {
        let shown = arguments.map { argument -> APIField in
            let schema = APISchema.described(argument.schema, description: argument.text)
            return argument.isRequired ? .required(argument.name, schema) : .optional(argument.name, schema)
        }
        let confirmation: [APIField] = isWriting
            ? [.optional(MCPCalls.confirmation, .described(.string(maximumLength: 500), description: "From the answer to the same call without it."))] : []
        return [
            "name": .text(name), "title": .text(title),
            "description": .text(isWriting ? "\(text) The first call changes nothing: it shows what would be done and gives a confirmToken." : text),
            "inputSchema": APISchema.object(shown + confirmation).json,
            "annotations": [
                "title": .text(title), "readOnlyHint": .boolean(effect == .reads), "destructiveHint": .boolean(effect == .takesAway),
                "idempotentHint": true, "openWorldHint": false,
            ],
        ]
    }
}

/// What a tool answers.
struct MCPResult: Sendable {
    var value: JSONValue
    var isError = false

    /// A mistake in the arguments or a refusal of the server: the model can read it and mend its call.
    static func failed(_ sentence: String, code: String) -> MCPResult {
        MCPResult(value: ["error": .text(sentence), "code": .text(code)], isError: true)
    }

    var members: [JSONMember] {
        let structured: JSONValue = if case .object = value { value } else { ["data": value] }
        return [
            JSONMember("content", [["type": "text", "text": .text(String(decoding: structured.bytes, as: UTF8.self))]]),
            JSONMember("structuredContent", structured), JSONMember("isError", .boolean(isError)),
        ]
    }
}
