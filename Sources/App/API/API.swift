import HTTPTypes
import Hummingbird
import NIOCore
import Persistence
import Web

/// Who may make a call.
enum Access: Sendable, Hashable {
    /// A key or a role with this right.
    case right(Right)
    /// A publishable key as well: calls that browsers make.
    case browser(Right)
    case anyone
    /// A member's page, with a short-lived token in place of a key.
    case embedToken

    var right: Right? {
        switch self {
        case .right(let right), .browser(let right): right
        case .anyone, .embedToken: nil
        }
    }
}

/// Registers the calls of the API: each once, with its route, its right, its description and its handler.
struct API {
    static let base = "/api/v1"
    /// A sale with 500 items or a plan needs more than the usual 64 kB.
    static let bodyMaxBytes = 256 * 1024

    let installation: Installation
    let router: Router<KithContext>
    let limiter: RateLimiter?
    var table = OperationTable<Access>(base: API.base)

    init(_ installation: Installation, router: Router<KithContext>) {
        self.installation = installation
        self.router = router
        let perMinute = installation.settings.rateLimit
        limiter = perMinute > 0 ? RateLimiter(limit: RateLimit(requests: perMinute, periodSeconds: 60)) : nil
    }

    /// A call that changes nothing.
    mutating func read(
        _ path: String, id: String, _ summary: String, tag: String, access: Access, parameters: [APIParameter] = [], answer: APISchema?,
        failures: [Int] = [], _ handler: @escaping @Sendable (Request, KithContext, Caller) async throws -> Response
    ) {
        let operation = Operation(
            .get, path, id: id, summary: summary, tag: tag, access: access, parameters: parameters, answer: answer,
            failures: failures + (path.contains("{") ? [404] : []))
        let gate = CallGate(installation: installation, limiter: limiter, access: access)
        table.add(operation, to: router) { request, context in
            try await gate.admit(request) { caller in
                try QueryCheck.check(request, parameters)
                return try await handler(request, context, caller)
            }
        }
    }

    /// A call that writes: decoded field by field, run through the write gate, answered after the commit.
    mutating func write<Input: Sendable>(
        _ method: HTTPRequest.Method, _ path: String, id: String, _ summary: String, tag: String, access: Access, body: APISchema?,
        answer: APISchema?, status: Int = 200, repeatedStatus: Int? = nil, failures: [Int] = [], maximumBytes: Int = BodyLimit.apiBytes,
        afterwards: (@Sendable () -> Void)? = nil, decode: @escaping @Sendable (JSONReader, KithContext) throws -> Input,
        _ verb: @escaping @Sendable (Input, Write) throws -> Answer
    ) {
        write(
            method, path, id: id, summary, tag: tag, access: access, body: body, answer: answer, status: status, repeatedStatus: repeatedStatus, failures: failures,
            maximumBytes: maximumBytes, afterwards: afterwards, decode: decode, prepare: { input, _, _ in input }, verb)
    }

    /// A write that first looks something up outside the transaction. `afterwards` runs when the transaction has ended, however it ended.
    mutating func write<Input: Sendable, Prepared: Sendable>(
        _ method: HTTPRequest.Method, _ path: String, id: String, _ summary: String, tag: String, access: Access, body: APISchema?,
        answer: APISchema?, status: Int = 200, repeatedStatus: Int? = nil, failures: [Int] = [], maximumBytes: Int = BodyLimit.apiBytes,
        preparationChanges: Bool = false, afterwards: (@Sendable () -> Void)? = nil, decode: @escaping @Sendable (JSONReader, KithContext) throws -> Input,
        prepare: @escaping @Sendable (Input, Request, Caller) async throws -> Prepared,
        _ verb: @escaping @Sendable (Prepared, Write) throws -> Answer
    ) {
        let operation = Operation(
            method, path, id: id, summary: summary, tag: tag, access: access, body: body, answer: answer, status: status,
            repeatedStatus: repeatedStatus, failures: failures + (path.contains("{") ? [404] : []))
        let gate = CallGate(installation: installation, limiter: limiter, access: access)
        let endpoint = "\(method.rawValue) \(API.base)\(path)"
        table.add(operation, to: router) { [installation] request, context in
            try await gate.admit(request) { known in
                try QueryCheck.check(request, [])
                var caller = known
                caller.address = installation.clientAddress(of: request, context)
                let bytes = body == nil ? ByteBuffer() : try await request.bodyBytes(maximumBytes: maximumBytes)
                let value: JSONValue
                if body == nil || (bytes.readableBytes == 0 && body?.hasRequiredFields == false) {
                    value = .object([])
                } else {
                    try request.requireContentType("application/json")
                    do throws(JSONSyntaxError) {
                        value = try JSONValue.parse(bytes, maximumBytes: maximumBytes)
                    } catch {
                        throw error.problem
                    }
                }
                let reader = try JSONReader(value)
                let input = try decode(reader, context)
                try reader.finish()
                let key = try IdempotencyKey.from(request)
                let admitted = caller
                defer { afterwards?() }
                return try await installation.answer(
                    admitted, endpoint: endpoint, key: key,
                    input: InputHash(method: request.method, path: request.uri.path, body: value.canonicalBytes),
                    preparationChanges: preparationChanges, prepare: { try await prepare(input, request, admitted) }, verb)
            }
        }
    }
}

/// Lets a call in: key, right, rate.
struct CallGate: Sendable {
    let installation: Installation
    let limiter: RateLimiter?
    let access: Access

    func admit(_ request: Request, _ handler: (Caller) async throws -> Response) async throws -> Response {
        let caller = try await installation.callers.caller(of: request)
        var decision: RateLimitDecision?
        if let limiter {
            let taken = limiter.take(caller.keyID)
            guard taken.isAllowed else {
                var problem = Problem.tooManyRequests(retryAfterSeconds: taken.retryAfterSeconds)
                taken.describe(in: &problem.headers)
                throw problem
            }
            decision = taken
        }
        try check(caller)
        var response = try await handler(caller)
        decision?.describe(in: &response.headers)
        return response
    }

    private func check(_ caller: Caller) throws {
        switch access {
        // Such calls have a gate of their own: no key opens them.
        case .embedToken: throw Problem.unauthorized(detail: "Send a token of POST /tokens/embed.")
        case .anyone: return
        case .browser where caller.isPublishable: return
        case .browser(let right), .right(let right):
            guard caller.may(right) else {
                throw Problem.forbidden(
                    code: "missing_right",
                    detail: caller.isPublishable
                        ? "A publishable key may not do this; use a secret key on your server."
                        : "This needs the right \(right.rawValue), which this key does not have.")
            }
        }
    }
}

extension APISchema {
    fileprivate var hasRequiredFields: Bool {
        if case .object(let fields) = self { fields.contains(where: \.isRequired) } else { true }
    }
}
