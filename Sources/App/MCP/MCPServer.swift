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

    init(tools: [MCPTool], calls: MCPCalls) {
        self.tools = tools
        self.calls = calls
    }

    /// The answer to a line; nil for notifications.
    mutating func answer(to line: [UInt8]) async -> JSONValue? {
        let message: JSONValue
        do throws(JSONSyntaxError) {
            message = try JSONValue.parse(line, maximumBytes: Self.messageBytesMax)
        } catch {
            return MCPFailure.parse("The line is no JSON: \(error.reason).").answer(to: .null)
        }
        guard case .object = message, message["jsonrpc"] == "2.0", case .text(let method)? = message["method"] else {
            return MCPFailure.invalidRequest("A message must be an object with \"jsonrpc\": \"2.0\" and a method.").answer(to: Self.id(message) ?? .null)
        }
        guard message["id"] != nil else { return nil }
        guard let id = Self.id(message) else { return MCPFailure.invalidRequest("The id must be a text or a whole number.").answer(to: .null) }
        do throws(MCPFailure) {
            return ["jsonrpc": "2.0", "id": id, "result": try await result(of: method, message["params"] ?? .object([]))]
        } catch {
            return error.answer(to: id)
        }
    }

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
        case "tools/call": members = try await call(parameters).members
        default: throw .unknownMethod(method)
        }
        let modern: [JSONMember] = [JSONMember("resultType", "complete"), JSONMember("_meta", ["io.modelcontextprotocol/serverInfo": Self.identity])]
        return .object((isModern ? modern : []) + members)
    }

    private func call(_ parameters: JSONValue) async throws(MCPFailure) -> MCPResult {
        guard case .text(let name)? = parameters["name"] else { throw .invalidParameters("tools/call needs the name of a tool.") }
        guard let tool = tools.first(where: { $0.name == name }) else { throw .invalidParameters("Unknown tool: \(name.prefix(100))") }
        return await calls.run(tool, parameters["arguments"] ?? .object([]))
    }

    private mutating func shakeHands(_ parameters: JSONValue) throws(MCPFailure) -> JSONValue {
        guard case .text(let wanted)? = parameters["protocolVersion"] else { throw .invalidParameters("initialize needs a protocolVersion.") }
        hasShakenHands = true
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
        Tools that write answer first with what they would do and a confirmToken; ask the person, then call again with the same arguments and the token.
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
