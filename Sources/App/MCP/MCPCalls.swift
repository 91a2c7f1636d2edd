import Crypto
import Foundation
import HTTPTypes
import Web

/// Runs tools: checks the arguments, asks the server, and does what writes only after a person's yes where the client can ask them, else when the
/// same call comes again with the token that it gave.
struct MCPCalls: Sendable {
    static let confirmation = "confirmToken"
    /// How long a token is good.
    static let confirmationMs: Int64 = 10 * 60_000
    private static let answerBytesMax = 1 << 20

    let server: MCPRemote
    /// Of this process: no token outlives it.
    private let secret = SymmetricKey(size: .bits256)
    let nowMs: @Sendable () -> Int64

    init(server: MCPRemote, nowMs: @escaping @Sendable () -> Int64) {
        self.server = server
        self.nowMs = nowMs
    }

    /// - Parameter canAskPerson: the client shows a question to whoever sits before it.
    func run(_ tool: MCPTool, _ arguments: JSONValue, canAskPerson: Bool) async -> MCPOutcome {
        guard tool.isWriting, canAskPerson, case .object(let members) = arguments else { return .done(await run(tool, arguments)) }
        // What a model sends back is no person's yes.
        guard !members.contains(where: { $0.name == Self.confirmation }) else {
            return .done(.failed("This client asks the person itself. Call again without confirmToken.", code: "not_confirmed"))
        }
        let shown = await run(tool, arguments)
        guard !shown.isError, let token = shown.value[Self.confirmation]?.string else { return .done(shown) }
        return .asks(MCPQuestion(tool: tool, arguments: arguments, message: MCPQuestion.message(tool, shown.value), state: token))
    }

    /// What follows from a person's answer to a question.
    func goOn(_ tool: MCPTool, _ arguments: JSONValue, state: String, answer: JSONValue?) async -> MCPResult {
        guard MCPQuestion.isYes(answer) else { return .failed("The person did not agree. Nothing was changed.", code: "not_confirmed") }
        guard case .object(let members) = arguments else { return .failed("The arguments must be an object.", code: "invalid_arguments") }
        return await run(tool, .object(members.filter { $0.name != Self.confirmation } + [JSONMember(Self.confirmation, .text(state))]))
    }

    private func run(_ tool: MCPTool, _ arguments: JSONValue) async -> MCPResult {
        guard case .object(var members) = arguments else { return .failed("The arguments must be an object.", code: "invalid_arguments") }
        var token: String?
        if tool.isWriting, let index = members.firstIndex(where: { $0.name == Self.confirmation }) {
            guard case .text(let text) = members.remove(at: index).value else { return .failed("confirmToken must be a text.", code: "invalid_arguments") }
            token = text
        }
        let faults = tool.faults(members)
        guard faults.isEmpty else { return .failed(faults.joined(separator: " "), code: "invalid_arguments") }
        if tool.path.isEmpty { return await overview() }
        guard tool.isWriting else { return await ask(tool.call(members)) }
        guard let token else { return await preview(tool, members) }
        guard let key = confirmed(token, tool, members) else {
            return .failed(
                "This confirmToken is not of this call with these arguments, or it is older than ten minutes. Call again without it.", code: "not_confirmed")
        }
        var call = tool.call(members)
        // The same token again is the same deed: the server answers what it did.
        call.idempotencyKey = key
        return await ask(call)
    }

    /// What a write would do, with the token that lets it.
    private func preview(_ tool: MCPTool, _ members: [JSONMember]) async -> MCPResult {
        var shown: [JSONMember] = []
        for path in tool.shows {
            let call = MCPRemote.Call(method: .get, path: tool.filled(path, members))
            let result = await ask(call)
            // A key that may write and not read: the person decides without seeing.
            let isHidden = result.isError && result.value["code"] == "missing_right"
            if result.isError, !isHidden { return result }
            shown.append(JSONMember("GET \(call.path)", isHidden ? ["notShown": result.value["error"] ?? .null] : result.value))
        }
        if tool.rehearses {
            var call = tool.call(members)
            call.body.append(JSONMember("dryRun", true))
            let result = await ask(call)
            if result.isError { return result }
            shown.append(JSONMember("rehearsal", result.value))
        }
        let call = tool.call(members)
        return MCPResult(
            value: [
                "confirmationNeeded": true, "nothingWasChanged": true,
                "wouldCall": ["method": .text(call.method.rawValue), "path": .text(call.path), "body": .object(call.body)],
                "asItStands": .object(shown), "confirmToken": .text(token(for: tool, members)),
                "next": "Show the person what would be done. When they agree, call again with the same arguments and this confirmToken.",
            ])
    }

    /// Where a company stands: what there is, what came lately. Parts that the key may not see are named.
    private func overview() async -> MCPResult {
        let parts = [
            ("workspace", "/workspace"), ("programs", "/programs?limit=20"), ("latestSales", "/sales?limit=5"), ("latestCommissions", "/commissions?limit=5"),
            ("heldCommissions", "/commissions?limit=5&state=held"), ("latestRuns", "/runs?limit=5"), ("payoutRequests", "/payout-requests?limit=5"),
            ("latestPayouts", "/payouts?limit=5"),
        ]
        var members: [JSONMember] = []
        for (name, path) in parts {
            let result = await ask(MCPRemote.Call(method: .get, path: path))
            if result.isError, let code = result.value["code"], ["unreachable", "unauthorized", "no_key"].contains(code) { return result }
            members.append(JSONMember(name, result.isError ? ["notShown": result.value["error"] ?? .null] : result.value["data"] ?? result.value))
        }
        return MCPResult(value: .object(members))
    }

    private func ask(_ call: MCPRemote.Call) async -> MCPResult { await server.ask(call, answerBytesMax: Self.answerBytesMax) }

    // MARK: Confirmation

    /// Bound to the tool, its arguments in any order, and the time.
    private func token(for tool: MCPTool, _ members: [JSONMember]) -> String {
        let until = nowMs() + Self.confirmationMs
        return "\(until).\(Base64URL.encode(Array(code(tool, members, until))))"
    }

    /// The idempotency key of what was confirmed; nil when it was not.
    private func confirmed(_ token: String, _ tool: MCPTool, _ members: [JSONMember]) -> String? {
        let parts = token.split(separator: ".")
        guard parts.count == 2, let until = Int64(parts[0]), nowMs() <= until, until <= nowMs() + Self.confirmationMs,
            let given = Base64URL.decode(String(parts[1])),
            HMAC<SHA256>.isValidAuthenticationCode(given, authenticating: Self.content(tool, members, until), using: secret)
        else { return nil }
        return "mcp-\(parts[1])"
    }

    private func code(_ tool: MCPTool, _ members: [JSONMember], _ until: Int64) -> HMAC<SHA256>.MAC {
        HMAC<SHA256>.authenticationCode(for: Self.content(tool, members, until), using: secret)
    }

    private static func content(_ tool: MCPTool, _ members: [JSONMember], _ until: Int64) -> [UInt8] {
        Array("\(tool.name) \(until) ".utf8) + JSONValue.object(members).canonicalBytes
    }
}

extension MCPTool {
    /// What is wrong with arguments, a sentence each. The server looks closer.
    func faults(_ members: [JSONMember]) -> [String] {
        var faults = members.filter { member in !arguments.contains { $0.name == member.name } }.map { "There is no argument \($0.name.prefix(60))." }
        for argument in arguments {
            guard let value = members.first(where: { $0.name == argument.name })?.value else {
                if argument.isRequired { faults.append("\(argument.name) is missing.") }
                continue
            }
            if let fault = argument.fault(value) { faults.append("\(argument.name) \(fault)") }
        }
        return faults
    }

    /// The call with the arguments in their places.
    func call(_ members: [JSONMember]) -> MCPRemote.Call {
        let query = members.filter { member in arguments.contains { $0.name == member.name && $0.place == .query } }
            .map { "\($0.name)=\(MCPRemote.escaped($0.value.addressText))" }
        let body = members.filter { member in arguments.contains { $0.name == member.name && $0.place == .body } }
        return MCPRemote.Call(method: method, path: filled(path, members) + (query.isEmpty ? "" : "?" + query.joined(separator: "&")), body: body)
    }

    func filled(_ path: String, _ members: [JSONMember]) -> String {
        arguments.reduce(path) { path, argument in
            // What is put in holds no braces: they are escaped.
            path.replacing("{\(argument.name)}", with: MCPRemote.escaped(members.first { $0.name == argument.name }?.value.addressText ?? ""))
        }
    }
}

extension MCPTool.Argument {
    fileprivate func fault(_ value: JSONValue) -> String? {
        switch schema {
        case .string(_, _, let maximumLength):
            guard case .text(let text) = value, !text.isEmpty, text.utf8.count <= maximumLength ?? 300 else {
                return "must be a text of 1 to \(maximumLength ?? 300) bytes."
            }
            if place == .path, text == "." || text == ".." { return "must be an id." }
            return nil
        case .integer(let range):
            guard case .number(let number) = value, let integer = number.integer, range?.contains(integer) ?? true else {
                return range.map { "must be a whole number from \($0.lowerBound) to \($0.upperBound)." } ?? "must be a whole number."
            }
            return nil
        case .boolean:
            guard case .boolean = value else { return "must be true or false." }
            return nil
        case .enumeration(let words):
            guard case .text(let text) = value, words.contains(text) else { return "must be one of \(words.joined(separator: ", "))." }
            return nil
        default: return nil
        }
    }
}

extension JSONValue {
    /// As it stands in an address.
    fileprivate var addressText: String {
        switch self {
        case .text(let text): text
        case .number(let number): number.token
        case .boolean(let flag): flag ? "true" : "false"
        default: ""
        }
    }
}
