public import HTTPTypes
public import Hummingbird

/// One call of the API: what routes it, who may make it and what describes it, in one place. `Access` is the application's own type.
public struct Operation<Access: Sendable>: Sendable {
    public let method: HTTPRequest.Method
    /// The path below the API's base with its parameters in braces, for instance `/members/{id}`.
    public let path: String
    /// A name for programs, unique in the API, for instance `createMember`.
    public let id: String
    public let summary: String
    public let tag: String
    public let access: Access
    public let parameters: [APIParameter]
    public let body: APISchema?
    /// Nil for answers without a body.
    public let answer: APISchema?
    /// The status of a success.
    public let status: Int
    /// The status when what is told was told before, where that is another one.
    public let repeatedStatus: Int?
    /// The statuses of failures that belong to this call; those every call may have are added.
    public let failures: [Int]

    public init(
        _ method: HTTPRequest.Method, _ path: String, id: String, summary: String, tag: String, access: Access,
        parameters: [APIParameter] = [], body: APISchema? = nil, answer: APISchema? = nil, status: Int = 200, repeatedStatus: Int? = nil, failures: [Int] = []
    ) {
        self.method = method
        self.path = path
        self.id = id
        self.summary = summary
        self.tag = tag
        self.access = access
        self.parameters = parameters
        self.body = body
        self.answer = answer
        self.status = status
        self.repeatedStatus = repeatedStatus
        self.failures = failures
    }

    /// The names in braces of the path, in order.
    public var pathParameters: [String] {
        path.split(separator: "/").filter { $0.hasPrefix("{") && $0.hasSuffix("}") }.map { String($0.dropFirst().dropLast()) }
    }

    /// Whether the call takes an `Idempotency-Key`.
    public var takesIdempotencyKey: Bool { method == .post || method == .patch || method == .put }
}

/// A parameter of the query.
public struct APIParameter: Sendable, Equatable {
    public let name: String
    public let schema: APISchema
    public let isRequired: Bool

    public init(_ name: String, _ schema: APISchema, isRequired: Bool = false) {
        self.name = name
        self.schema = schema
        self.isRequired = isRequired
    }

    /// The parameters of every list.
    public static let page = [
        APIParameter("limit", .integer(1...Int64(PageRequest.maximumLimit))),
        APIParameter("startingAfter", .string(maximumLength: PageRequest.maximumCursorLength)),
    ]
}

/// All operations, in the order they were added: what the router, the description and the listing of routes are made of.
public struct OperationTable<Access: Sendable>: Sendable {
    public private(set) var operations: [Operation<Access>] = []
    private var methodsByPattern: [(pattern: [Substring], method: HTTPRequest.Method)] = []
    /// The path before each operation's own, for instance `/api/v1`.
    public let base: String

    public init(base: String) { self.base = base }

    /// Registers the operation and its handler on a router or group that starts at the server's root.
    public mutating func add<Context: RequestContext>(
        _ operation: Operation<Access>, to router: some RouterMethods<Context>,
        use handler: @escaping @Sendable (Request, Context) async throws -> Response
    ) {
        operations.append(operation)
        note(operation.method, base + operation.path)
        router.on(RouterPath(base + operation.path), method: operation.method, use: handler)
    }

    /// Notes a route that is no operation of the API, a page for instance, so that other methods at it get 405.
    public mutating func note(_ method: HTTPRequest.Method, _ path: String) {
        methodsByPattern.append((path[...].split(separator: "/"), method))
    }

    /// The first words of all paths, in lower case.
    public var firstWords: Set<String> { Set(methodsByPattern.compactMap { $0.pattern.first?.lowercased() }) }

    /// The methods that routes have at a path, sorted. Where a word of a path is written out (`/members/search`), those that would take it for
    /// an id do not count.
    public func allowedMethods(at path: String) -> [HTTPRequest.Method] {
        let parts = path.split(separator: "/")
        let found = methodsByPattern.filter { entry in
            entry.pattern.count == parts.count
                && zip(entry.pattern, parts).allSatisfy { pattern, part in pattern.hasPrefix("{") || pattern.hasPrefix(":") || pattern == part }
        }
        func open(_ pattern: [Substring]) -> Int { pattern.count { $0.hasPrefix("{") || $0.hasPrefix(":") } }
        let least = found.map { open($0.pattern) }.min()
        return Set(found.filter { open($0.pattern) == least }.map(\.method)).sorted { $0.rawValue < $1.rawValue }
    }
}
