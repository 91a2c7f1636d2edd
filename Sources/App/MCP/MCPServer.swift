import Web

/// Speaks the Model Context Protocol: JSON-RPC messages, one a line, answered one after the other. Knows both ways in: revision 2026-07-28, in
/// which every request says what it speaks, and the handshake of the revisions before it.
struct MCPServer {
    static let modern = "2026-07-28"
    /// The newest first.
    static let handshaken = ["2025-11-25", "2025-06-18"]
    static let messageBytesMax = 256 * 1024
    /// Tools change with the program only.
    static let listFreshMs: Int64 = 3_600_000

    let tools: [MCPTool]
    let calls: MCPCalls
    private var hasShakenHands = false
    /// Of the handshake: the client can ask the person.
    private var canAskPerson = false
    /// Questions that a client of the handshake was asked, by their ids.
    private var asked: [String: (request: JSONValue, question: MCPQuestion)] = [:]
    private var questions = 0
    /// Questions that may be open at once.
    static let askedMax = 16

    init(tools: [MCPTool], calls: MCPCalls) {
        self.tools = tools
        self.calls = calls
    }

    /// The answer to a line, or the question that comes before it; nil for notifications.
    mutating func answer(to line: [UInt8]) async -> JSONValue? {
        let message: JSONValue
        do throws(JSONSyntaxError) {
            message = try JSONValue.parse(line, maximumBytes: Self.messageBytesMax)
        } catch {
            return MCPFailure.parse("The line is no JSON: \(error.reason).").answer(to: .null)
        }
        if let answered = await goOn(message) { return answered }
        guard case .object = message, message["jsonrpc"] == "2.0", case .text(let method)? = message["method"] else {
            return MCPFailure.invalidRequest("A message must be an object with \"jsonrpc\": \"2.0\" and a method.").answer(to: Self.id(message) ?? .null)
        }
        guard message["id"] != nil else { return nil }
        guard let id = Self.id(message) else { return MCPFailure.invalidRequest("The id must be a text or a whole number.").answer(to: .null) }
        do throws(MCPFailure) {
            let parameters = message["params"] ?? .object([])
            if method == "tools/call", case .object = parameters { return try await call(parameters, id) }
            return Self.answer(try await result(of: method, parameters), to: id)
        } catch {
            return error.answer(to: id)
        }
    }

    private static func answer(_ result: JSONValue, to id: JSONValue) -> JSONValue { ["jsonrpc": "2.0", "id": id, "result": result] }

    private mutating func result(of method: String, _ parameters: JSONValue) async throws(MCPFailure) -> JSONValue {
        guard case .object = parameters else { throw .invalidParameters("params must be an object.") }
        if method == "initialize" { return try shakeHands(parameters) }
        let isModern = try isModern(parameters)
        let members: [JSONMember]
        switch method {
        case "server/discover" where isModern:
            members = [
                JSONMember("supportedVersions", [.text(Self.modern)]), JSONMember("capabilities", ["tools": .object([])]),
                JSONMember("instructions", .text(Self.instructions)), JSONMember("ttlMs", .integer(Self.listFreshMs)), JSONMember("cacheScope", "public"),
            ]
        case "ping" where !isModern: members = []
        case "tools/list":
            let list = JSONMember("tools", .array(tools.map(\.json)))
            members = isModern ? [list, JSONMember("ttlMs", .integer(Self.listFreshMs)), JSONMember("cacheScope", "public")] : [list]
        default: throw .unknownMethod(method)
        }
        return Self.complete(members, isModern)
    }

    private static func complete(_ members: [JSONMember], _ isModern: Bool, _ type: JSONValue = "complete") -> JSONValue {
        let modern = [JSONMember("resultType", type), JSONMember("_meta", ["io.modelcontextprotocol/serverInfo": identity])]
        return .object((isModern ? modern : []) + members)
    }

    private mutating func call(_ parameters: JSONValue, _ id: JSONValue) async throws(MCPFailure) -> JSONValue {
        let isModern = try isModern(parameters)
        guard case .text(let name)? = parameters["name"] else { throw .invalidParameters("tools/call needs the name of a tool.") }
        guard let tool = tools.first(where: { $0.name == name }) else { throw .invalidParameters("Unknown tool: \(name.prefix(100))") }
        let arguments = parameters["arguments"] ?? .object([])
        let capabilities = parameters["_meta"]?["io.modelcontextprotocol/clientCapabilities"]
        let canAsk = isModern ? MCPQuestion.canBeAsked(capabilities) : canAskPerson
        if isModern, canAsk, tool.isWriting, let state = parameters["requestState"]?.string {
            let result = await calls.goOn(tool, arguments, state: state, answer: parameters["inputResponses"]?[MCPQuestion.name])
            return Self.answer(Self.complete(result.members, true), to: id)
        }
        switch await calls.run(tool, arguments, canAskPerson: canAsk) {
        case .done(let result): return Self.answer(Self.complete(result.members, isModern), to: id)
        case .asks(let question) where isModern:
            let request = JSONMember(MCPQuestion.name, ["method": "elicitation/create", "params": question.parameters])
            let members = [JSONMember("inputRequests", .object([request])), JSONMember("requestState", .text(question.state))]
            return Self.answer(Self.complete(members, true, "input_required"), to: id)
        case .asks(let question): return ask(question, for: id)
        }
    }

    // MARK: Asking a client of the handshake

    private mutating func ask(_ question: MCPQuestion, for request: JSONValue) -> JSONValue {
        guard asked.count < Self.askedMax else {
            let refused = MCPResult.failed("\(Self.askedMax) questions wait for a person already. Nothing was changed.", code: "too_many_questions")
            return Self.answer(Self.complete(refused.members, false), to: request)
        }
        questions += 1
        let id = "kith-\(questions)"
        asked[id] = (request, question)
        return ["jsonrpc": "2.0", "id": .text(id), "method": "elicitation/create", "params": question.parameters]
    }

    /// The result of the call that a person's answer was waited for; nil when a message is no such answer.
    private mutating func goOn(_ message: JSONValue) async -> JSONValue? {
        guard message["method"] == nil, let id = message["id"]?.string, let waiting = asked.removeValue(forKey: id) else { return nil }
        let question = waiting.question
        let result = await calls.goOn(question.tool, question.arguments, state: question.state, answer: message["result"])
        return Self.answer(Self.complete(result.members, false), to: waiting.request)
    }

    private mutating func shakeHands(_ parameters: JSONValue) throws(MCPFailure) -> JSONValue {
        guard case .text(let wanted)? = parameters["protocolVersion"] else { throw .invalidParameters("initialize needs a protocolVersion.") }
        hasShakenHands = true
        canAskPerson = MCPQuestion.canBeAsked(parameters["capabilities"])
        // The client goes, or takes what it is offered.
        let version = Self.handshaken.first { $0 == wanted } ?? Self.handshaken[0]
        return [
            "protocolVersion": .text(version), "capabilities": ["tools": .object([])], "serverInfo": Self.identity,
            "instructions": .text(Self.instructions),
        ]
    }

    /// Whether a request speaks for itself; without that it needs a handshake before it.
    private func isModern(_ parameters: JSONValue) throws(MCPFailure) -> Bool {
        guard let version = parameters["_meta"]?["io.modelcontextprotocol/protocolVersion"] else {
            guard hasShakenHands else {
                throw .invalidParameters("Say io.modelcontextprotocol/protocolVersion in _meta (\(Self.modern)), or initialize first.")
            }
            return false
        }
        guard version == .text(Self.modern) else {
            throw .unsupportedVersion(requested: version, supported: [Self.modern] + Self.handshaken)
        }
        guard case .object? = parameters["_meta"]?["io.modelcontextprotocol/clientCapabilities"] else {
            throw .invalidParameters("Say io.modelcontextprotocol/clientCapabilities in _meta.")
        }
        return true
    }

    private static func id(_ message: JSONValue) -> JSONValue? {
        switch message["id"] {
        case .text(let text)? where text.utf8.count <= 1_000: .text(text)
        case .number(let number)? where number.integer != nil: .number(number)
        default: nil
        }
    }

    private static let identity: JSONValue = ["name": "kith", "title": "Kith", "version": .text(Event.apiVersion)]

    static let instructions = """
        Reads a Kith workspace: programs, members, sales, commissions, receipts, runs, payouts. Money is in minor units of its currency (8600 EUR is 86.00 €). \
        Start with overview. "Why was this paid, or not?" is answered by sale_receipt and commission_receipt: quote their answer. \
        Tools that write do nothing before the person agreed. Where this client can't ask them, they answer first with what they would do and a confirmToken: \
        ask the person, then call again with the same arguments and the token.
        """
}

/// Why a message has no result.
enum MCPFailure: Error {
    case parse(String)
    case invalidRequest(String)
    case unknownMethod(String)
    case invalidParameters(String)
    case unsupportedVersion(requested: JSONValue, supported: [String])

    func answer(to id: JSONValue) -> JSONValue {
        var error: [JSONMember]
        switch self {
        case .parse(let message): error = Self.error(-32_700, message)
        case .invalidRequest(let message): error = Self.error(-32_600, message)
        case .unknownMethod(let method): error = Self.error(-32_601, "There is no method \(method.prefix(100)).")
        case .invalidParameters(let message): error = Self.error(-32_602, message)
        case .unsupportedVersion(let requested, let supported):
            error = Self.error(-32_022, "Unsupported protocol version")
            error.append(JSONMember("data", ["supported": .array(supported.map { .text($0) }), "requested": requested]))
        }
        return ["jsonrpc": "2.0", "id": id, "error": .object(error)]
    }

    private static func error(_ code: Int64, _ message: String) -> [JSONMember] {
        [JSONMember("code", .integer(code)), JSONMember("message", .text(message))]
    }
}
