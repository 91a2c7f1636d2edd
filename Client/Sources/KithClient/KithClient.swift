public import Foundation

/// A Kith server, as its calls.
///
/// Every call is tried again when it failed on the way or the server could not answer, and every writing call carries an idempotency key, the
/// same one in each try: what is asked twice is done once. Give a key of your own (an order's id, say) where a call may be made again by another
/// process; without one, a random key lasts as long as the call.
public struct KithClient: Sendable {
    /// A key of the API. Its text is never printed.
    public struct Key: Sendable, CustomStringConvertible {
        let text: String

        /// Nil when the text is no key: `kith_sk_…` for servers, `kith_pk_…` for apps and pages, which may tell clicks and leads only.
        public init?(_ text: String) {
            guard text.hasPrefix("kith_sk_") || text.hasPrefix("kith_pk_"), text.utf8.count <= 200, text.utf8.allSatisfy({ (0x21...0x7E).contains($0) })
            else { return nil }
            self.text = text
        }

        /// Whether it may be in an app or a page.
        public var isPublishable: Bool { text.hasPrefix("kith_pk_") }

        public var description: String { "\(text.prefix(8))…" }
    }

    /// The server's address, for instance `https://refer.shop.example`.
    public let address: URL
    public let retries: RetryPolicy
    /// Of one try.
    public let timeoutSeconds: Double

    private let key: Key
    private let transport: any HTTPTransport
    private let surroundings: Surroundings

    /// - Parameters:
    ///   - key: a secret key on a server, a publishable one in an app.
    ///   - retries: how often and how soon a call is tried again.
    ///   - timeoutSeconds: of one try.
    ///   - transport: what carries the requests.
    ///   - address: the server's address. Plain http is refused but on this machine: the key would be read on the way.
    ///   - allowsPlainHTTP: true for private networks in which that doesn't matter.
    public init(
        address: URL, key: Key, retries: RetryPolicy = RetryPolicy(), timeoutSeconds: Double = 30, allowsPlainHTTP: Bool = false,
        transport: any HTTPTransport = URLSessionTransport()
    ) throws(KithError) {
        try self.init(
            address: address, key: key, retries: retries, timeoutSeconds: timeoutSeconds, allowsPlainHTTP: allowsPlainHTTP, transport: transport,
            surroundings: .real)
    }

    init(
        address: URL, key: Key, retries: RetryPolicy, timeoutSeconds: Double, allowsPlainHTTP: Bool, transport: any HTTPTransport,
        surroundings: Surroundings
    ) throws(KithError) {
        let scheme = address.scheme?.lowercased()
        let host = address.host()?.lowercased() ?? ""
        guard scheme == "https" || scheme == "http", !host.isEmpty, address.user() == nil, address.query() == nil else {
            throw .invalid(reason: "The server's address must begin with https:// and name a host, such as https://refer.shop.example.")
        }
        guard scheme == "https" || allowsPlainHTTP || ["127.0.0.1", "localhost", "::1", "[::1]"].contains(host) else {
            throw .invalid(reason: "Over plain http the key could be read on the way: use https://, or say allowsPlainHTTP.")
        }
        self.address = address
        self.key = key
        self.retries = retries
        self.timeoutSeconds = timeoutSeconds
        self.transport = transport
        self.surroundings = surroundings
    }

    /// Any call, for those that have no method of their own here.
    /// - Parameters:
    ///   - method: `GET`, `POST`, `PUT`, `PATCH` or `DELETE`.
    ///   - path: below `/api/v1`, its parts not yet escaped, for instance `["members", "ext:1042", "tree"]`.
    ///   - query: names and values, not yet escaped.
    ///   - body: as JSON.
    ///   - idempotencyKey: for `POST`, `PUT` and `PATCH`; a random one when nil.
    public func call(
        _ method: String, _ path: [String], query: [(String, String)] = [], body: JSONValue? = nil, idempotencyKey: IdempotencyKey? = nil
    ) async throws(KithError) -> JSONValue {
        try await send(method, path, query: query, body: body, idempotencyKey: idempotencyKey, as: JSONValue.self)
    }

    func get<Answer: Decodable & Sendable>(_ path: [String], query: [(String, String)] = [], as type: Answer.Type = Answer.self)
        async throws(KithError) -> Answer
    {
        try await send("GET", path, query: query, body: JSONValue?.none, idempotencyKey: nil, as: type)
    }

    func post<Answer: Decodable & Sendable>(
        _ path: [String], _ body: some Encodable & Sendable, _ idempotencyKey: IdempotencyKey?, as type: Answer.Type = Answer.self
    ) async throws(KithError) -> Answer {
        try await send("POST", path, body: body, idempotencyKey: idempotencyKey, as: type)
    }

    func send<Answer: Decodable & Sendable>(
        _ method: String, _ path: [String], query: [(String, String)] = [], body: (some Encodable & Sendable)?, idempotencyKey: IdempotencyKey?,
        as type: Answer.Type
    ) async throws(KithError) -> Answer {
        var bytes: Data?
        if let body {
            do { bytes = try JSONCoding.encode(body) } catch { throw .invalid(reason: "The body is no JSON: \(error)") }
        }
        let answer = try await exchange(method, path, query: query, body: bytes, idempotencyKey: idempotencyKey)
        do {
            return try JSONCoding.decode(type, from: answer.body)
        } catch {
            throw .unreadable(status: answer.status, reason: "\(error)")
        }
    }

    /// Sends until there is an answer that stays, or no try is left.
    func exchange(_ method: String, _ path: [String], query: [(String, String)], body: Data?, idempotencyKey: IdempotencyKey?) async throws(KithError)
        -> HTTPAnswer
    {
        let request = try request(method, path, query: query, body: body, idempotencyKey: idempotencyKey)
        var tries = 0
        while true {
            tries += 1
            let failure: KithError
            switch await outcome(of: request) {
            case .success(let answer):
                if (200...299).contains(answer.status) { return answer }
                let problem = Problem(answer)
                guard problem.isWorthAnotherTry else { throw .refused(problem) }
                failure = .refused(problem)
            case .failure(.cancelled): throw .cancelled
            case .failure(.answerTooLarge): throw .unreadable(status: 0, reason: "The answer was too large.")
            case .failure(.noAnswer(let reason)): failure = .unreachable(reason: reason, tries: tries)
            }
            let pauseMs = retries.pauseMs(
                afterTries: tries, retryAfterSeconds: failure.problem?.retryAfterSeconds, share: surroundings.share())
            guard let pauseMs else { throw failure }
            guard await surroundings.pause(pauseMs) else { throw .cancelled }
        }
    }

    private func outcome(of request: HTTPRequest) async -> Result<HTTPAnswer, TransportFailure> {
        do throws(TransportFailure) { return .success(try await transport.send(request)) } catch { return .failure(error) }
    }

    private func request(_ method: String, _ path: [String], query: [(String, String)], body: Data?, idempotencyKey: IdempotencyKey?) throws(KithError)
        -> HTTPRequest
    {
        guard path.allSatisfy({ !$0.isEmpty && $0 != "." && $0 != ".." }) else { throw .invalid(reason: "A part of the path is empty.") }
        var text = address.absoluteString
        while text.hasSuffix("/") { text.removeLast() }
        text += "/api/v1/" + path.map(Self.escaped).joined(separator: "/")
        if !query.isEmpty { text += "?" + query.map { "\(Self.escaped($0.0))=\(Self.escaped($0.1))" }.joined(separator: "&") }
        guard let url = URL(string: text) else { throw .invalid(reason: "The address \(text.prefix(200)) is none.") }
        var headers = ["Authorization": "Bearer \(key.text)", "Accept": "application/json", "User-Agent": "KithClient/1 (Swift)"]
        if body != nil { headers["Content-Type"] = "application/json" }
        if ["POST", "PUT", "PATCH"].contains(method) { headers["Idempotency-Key"] = (idempotencyKey ?? IdempotencyKey()).text }
        return HTTPRequest(method: method, url: url, headers: headers, body: body, timeoutSeconds: timeoutSeconds)
    }

    private static func escaped(_ text: String) -> String { text.addingPercentEncoding(withAllowedCharacters: unreserved) ?? "" }

    /// Of RFC 3986, all others are escaped.
    private static let unreserved = CharacterSet(charactersIn: "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")
}

/// Time and chance, which tests make themselves.
struct Surroundings: Sendable {
    /// Waits, in milliseconds; false when the task was cancelled meanwhile.
    var pause: @Sendable (Int) async -> Bool
    /// From 0 to 1.
    var share: @Sendable () -> Double

    static let real = Surroundings(
        pause: { milliseconds in
            do {
                try await Task.sleep(nanoseconds: UInt64(max(0, milliseconds)) * 1_000_000)
                return true
            } catch {
                return false
            }
        }, share: { Double.random(in: 0...1) })
}

extension Problem {
    /// What an answer says; a proxy's page, which is no JSON, by its status.
    init(_ answer: HTTPAnswer) {
        if let problem = try? JSONCoding.decode(Problem.self, from: answer.body) {
            self = problem
            status = answer.status
        } else {
            self.init(status: answer.status, code: Self.unknownCode, title: "", detail: "The server answered \(answer.status).", errors: [], requestID: nil)
        }
        retryAfterSeconds = answer.headers["retry-after"].flatMap { Self.seconds(of: $0, now: Date()) }
    }

    /// `Retry-After` as seconds or as a date.
    static func seconds(of text: String, now: Date) -> Int? {
        if let seconds = Int(text) { return max(0, min(seconds, Self.retryAfterMaxSeconds)) }
        let format = DateFormatter()
        format.locale = Locale(identifier: "en_US_POSIX")
        format.timeZone = TimeZone(identifier: "GMT")
        format.dateFormat = "EEE, dd MMM yyyy HH:mm:ss zzz"
        guard let date = format.date(from: text) else { return nil }
        return max(0, min(Int(date.timeIntervalSince(now).rounded(.up)), Self.retryAfterMaxSeconds))
    }

    private static let retryAfterMaxSeconds = 86_400
}
