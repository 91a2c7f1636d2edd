import Crypto
public import HTTPTypes
public import Hummingbird
import NIOCore

/// The caller's name for one attempt at a change: 1 to 255 visible ASCII characters.
public struct IdempotencyKey: Sendable, Hashable {
    public static let maximumLength = 255
    public let text: String

    public init?(_ text: String) {
        guard (1...Self.maximumLength).contains(text.utf8.count), text.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else { return nil }
        self.text = text
    }

    /// The key of a request; nil when it has none.
    /// - Throws: `Problem` 400 when the header is not acceptable or there more than once.
    public static func from(_ request: Request) throws -> IdempotencyKey? {
        let values = request.headers[values: .idempotencyKey]
        guard let first = values.first else { return nil }
        guard values.count == 1, let key = IdempotencyKey(first) else {
            throw Problem.badRequest(
                code: "invalid_idempotency_key", detail: "Idempotency-Key must be 1 to \(maximumLength) visible ASCII characters, once.")
        }
        return key
    }
}

/// SHA-256 over method, path and body: tells whether a key comes back with the same input.
public struct InputHash: Sendable, Hashable {
    public let bytes: [UInt8]

    /// - Parameter body: for JSON its `canonicalBytes`, so that order of members and white space don't count.
    public init(method: HTTPRequest.Method, path: String, body: [UInt8]) {
        var hash = SHA256()
        for part in [Array(method.rawValue.utf8), Array(path.utf8), body] {
            withUnsafeBytes(of: UInt64(part.count).bigEndian) { hash.update(bufferPointer: $0) }
            hash.update(data: part)
        }
        bytes = Array(hash.finalize())
    }

    /// A hash that was stored.
    public init(stored bytes: [UInt8]) { self.bytes = bytes }
}

/// An answer that is kept to be given again.
public struct StoredAnswer: Sendable, Equatable {
    public let status: Int
    public let contentType: String
    public let body: [UInt8]

    public init(status: Int, contentType: String = "application/json", body: [UInt8]) {
        self.status = status
        self.contentType = contentType
        self.body = body
    }

    /// The answer as it is sent.
    public func response(isReplayed: Bool) -> Response {
        var headers: HTTPFields = [.contentType: contentType, .cacheControl: "no-store"]
        if isReplayed { headers[.idempotencyReplayed] = "true" }
        return Response(status: .init(code: status), headers: headers, body: ResponseBody(byteBuffer: ByteBuffer(bytes: body)))
    }
}

/// What the application knows of a key.
public enum IdempotencyState: Sendable, Equatable {
    case unknown
    /// The key's effect is not decided yet.
    case running
    case answered(input: InputHash, StoredAnswer)

    /// The earlier answer for the same input; nil when the key is new and the work may begin.
    /// - Throws: `Problem` 409 while the key is running, 422 when it was used for another input.
    public func replay(for input: InputHash) throws -> StoredAnswer? {
        switch self {
        case .unknown: return nil
        case .running:
            throw Problem(
                status: .conflict, code: "idempotency_key_in_use", detail: "A request with this key is still running. Repeat it later.",
                headers: [.retryAfter: "1"])
        case .answered(let earlier, let answer):
            guard earlier == input else {
                throw Problem.unprocessable(
                    code: "idempotency_key_reused", detail: "This key was used for another request. Send the same body or a new key.")
            }
            return answer
        }
    }
}

/// Where the application keeps keys. The answer is stored with its effect in one transaction, so storing is not part of this protocol.
public protocol IdempotencyStore: Sendable {
    /// - Parameter scope: workspace and endpoint; the same key in another scope is another key.
    func state(of key: IdempotencyKey, scope: String) async throws -> IdempotencyState
}

extension HTTPField.Name {
    public static let idempotencyKey = HTTPField.Name(ascii: "Idempotency-Key")
    public static let idempotencyReplayed = HTTPField.Name(ascii: "Idempotency-Replayed")
}

extension JSONValue {
    /// The document without white space, the members of each object sorted by the bytes of their names.
    /// Depth is bounded by the reader, so recursion is too.
    public var canonicalBytes: [UInt8] { sorted.bytes }

    private var sorted: JSONValue {
        switch self {
        case .array(let elements): .array(elements.map(\.sorted))
        case .object(let members):
            .object(
                members.map { JSONMember($0.name, $0.value.sorted) }
                    .sorted { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) })
        default: self
        }
    }
}
