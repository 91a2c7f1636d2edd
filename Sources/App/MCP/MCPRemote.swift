import Foundation
import HTTPTypes
import Web

/// The server that tools ask, over its API.
struct MCPRemote: Sendable {
    struct Call: Sendable {
        var method: HTTPRequest.Method
        /// Below the API's base, with its query.
        var path: String
        var body: [JSONMember] = []
        var idempotencyKey: String?
    }

    let address: String
    let key: String?
    private let outbound: Outbound

    /// - Parameter allowsPlainHTTP: for private networks; else plain http is for this machine alone, because the key would be read on the way.
    init(address: String, key: String?, allowsPlainHTTP: Bool) throws(MCPRemoteFailure) {
        guard let parts = URLComponents(string: address), let host = parts.host, !host.isEmpty, parts.user == nil, parts.query == nil,
            parts.scheme == "https" || parts.scheme == "http"
        else { throw .noAddress }
        guard parts.scheme == "https" || allowsPlainHTTP || ["127.0.0.1", "localhost", "::1", "[::1]"].contains(host) else { throw .plainHTTP }
        if let key { guard key.hasPrefix("kith_sk_"), key.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) else { throw .noKey } }
        var trimmed = address
        while trimmed.hasSuffix("/") { trimmed.removeLast() }
        self.address = trimmed
        self.key = key
        // The address is its owner's own choice, so any may be connected to.
        outbound = Outbound(allowed: ["0.0.0.0/0", "::/0"])
    }

    func ask(_ call: Call, answerBytesMax: Int) async -> MCPResult {
        guard let key else { return .failed("No key is set: give kith mcp a secret key in KITH_KEY or with --key-file.", code: "no_key") }
        var request = Outbound.Request(method: call.method.rawValue, url: address + API.base + call.path)
        request.headers = [("Authorization", "Bearer \(key)"), ("Accept", "application/json"), ("User-Agent", "kith-mcp")]
        if call.method != .get {
            request.headers.append(("Content-Type", "application/json"))
            request.body = JSONValue.object(call.body).bytes
        }
        if let idempotencyKey = call.idempotencyKey { request.headers.append(("Idempotency-Key", idempotencyKey)) }
        request.timeoutMs = 30_000
        request.answerBytesMax = answerBytesMax
        switch await outbound.send(request) {
        case .failed(let reason): return .failed("\(address) could not be asked: \(reason)", code: "unreachable")
        case .answered(let status, _, let body):
            guard let value = try? JSONValue.parse(body, maximumBytes: answerBytesMax) else {
                return .failed("\(address) answered \(status) with something that is no JSON.", code: "unreadable")
            }
            return (200...299).contains(status) ? MCPResult(value: value) : .failed(Self.sentence(value, status), code: Self.code(value))
        }
    }

    static func escaped(_ text: String) -> String { text.addingPercentEncoding(withAllowedCharacters: unreserved) ?? "" }

    private static func sentence(_ problem: JSONValue, _ status: Int) -> String {
        var errors: [String] = []
        if case .array(let list)? = problem["errors"] {
            errors = list.compactMap { error in
                guard case .text(let field)? = error["field"], case .text(let message)? = error["message"] else { return nil }
                return "\(field): \(message)"
            }
        }
        guard errors.isEmpty else { return errors.joined(separator: " ") }
        if case .text(let detail)? = problem["detail"], !detail.isEmpty { return detail }
        return "The server answered \(status)."
    }

    private static func code(_ problem: JSONValue) -> String {
        if case .text(let code)? = problem["code"] { code } else { "refused" }
    }

    private static let unreserved = CharacterSet(charactersIn: "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")
}

enum MCPRemoteFailure: Error, CustomStringConvertible {
    case noAddress, plainHTTP, noKey

    var description: String {
        switch self {
        case .noAddress: "The server's address must begin with https:// or http:// and name a host: give it with --url or KITH_URL."
        case .plainHTTP: "Over plain http the key could be read on the way: use https://, or say --plain-http in a private network."
        case .noKey: "The key must be a secret key, kith_sk_…."
        }
    }
}
