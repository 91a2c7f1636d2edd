import Web

/// What comes of a call of a tool.
enum MCPOutcome: Sendable {
    case done(MCPResult)
    case asks(MCPQuestion)
}

/// A yes or no that a client gets of the person who sits before it ("elicitation"), before something is written.
struct MCPQuestion: Sendable {
    static let name = "confirm"
    static let messageLengthMax = 3_000

    var tool: MCPTool
    var arguments: JSONValue
    var message: String
    /// Bound to the tool, its arguments and the time; comes back with the answer.
    var state: String

    /// As `elicitation/create` asks it.
    var parameters: JSONValue {
        [
            "mode": "form", "message": .text(message),
            "requestedSchema": [
                "type": "object",
                "properties": [
                    "confirm": [
                        "type": "boolean", "title": .text(tool.title), "description": "Do this. Without it nothing is changed.", "default": false,
                    ]
                ],
                "required": [.text(Self.name)],
            ],
        ]
    }

    /// Whether a client can show a form; one that names no kind can.
    static func canBeAsked(_ capabilities: JSONValue?) -> Bool {
        guard case .object(let kinds)? = capabilities?["elicitation"] else { return false }
        return kinds.isEmpty || kinds.contains { $0.name == "form" }
    }

    static func isYes(_ answer: JSONValue?) -> Bool {
        answer?["action"] == "accept" && answer?["content"]?[name] == .boolean(true)
    }

    /// What a person reads: the call, and what stands there now.
    static func message(_ tool: MCPTool, _ preview: JSONValue) -> String {
        let call = preview["wouldCall"] ?? .null
        let method = call["method"]?.string ?? ""
        let path = call["path"]?.string ?? ""
        let body = String(decoding: (call["body"] ?? .null).bytes, as: UTF8.self)
        let stands = String(decoding: (preview["asItStands"] ?? .null).bytes, as: UTF8.self)
        let text = "\(tool.title): \(method) \(path) \(body)" + (stands == "{}" ? "" : "\nAs it stands: \(stands)")
        return text.count <= messageLengthMax ? text : String(text.prefix(messageLengthMax)) + "…"
    }
}
