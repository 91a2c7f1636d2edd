import HTTPTypes
import Hummingbird
import Logging
import NIOCore
import NIOPosix
import ServiceLifecycle
import Testing

@testable import Web

struct TestContext: PageContext {
    var coreContext: CoreRequestContextStorage
    var scriptNonce = ""
    init(source: Source) { coreContext = CoreRequestContextStorage(source: source) }
}

struct TestPage: ProblemPage {
    typealias Context = TestContext
    func response(for problem: Problem, request: Request, context: TestContext) async -> Response {
        Response(status: .ok, headers: [.contentType: "text/html"], body: ResponseBody(byteBuffer: ByteBuffer(string: "<h1>\(problem.status.code)</h1>")))
    }
}

/// The whole server on a real socket, spoken to byte by byte.
@Suite struct ServerTests {
    struct Unforeseen: Error {}

    /// What the routes tell the tests, and what they wait for.
    struct Signals: Sendable {
        let started = AsyncStream.makeStream(of: Void.self)
        let gate = AsyncStream.makeStream(of: Void.self)
        let ended = AsyncStream.makeStream(of: Void.self)
    }

    private static func responder(_ signals: Signals) throws -> RouterResponder<TestContext> {
        var table = OperationTable<String>(base: "/api")
        table.note(.get, "/page")
        let router = Router(context: TestContext.self)
        let assets = try AssetLibrary([("a.css", Array(String(repeating: "b{}", count: 1000).utf8))])
        router.add(middleware: SecurityHeadersMiddleware(baseURL: "https://refer.example"))
        router.add(middleware: CompressionMiddleware())
        let echo = Operation(.post, "/echo/{id}", id: "echo", summary: "Echo", tag: "Test", access: "all", body: .any, answer: .any)
        var described = table
        described.note(.post, "/api/echo/{id}")
        let allowed = described
        router.add(middleware: ProblemMiddleware(page: TestPage()) { allowed.allowedMethods(at: $0) })
        router.add(middleware: RateLimitMiddleware(RateLimiter(limit: RateLimit(requests: 2, periodSeconds: 60))) { request, _ in
            request.uri.path.hasPrefix("/limited") ? "all" : nil
        })
        table.add(echo, to: router) { request, _ in
            let body = try await request.json(maximumBytes: 100)
            let name = body.text("name", maximumLength: 10)
            try body.finish()
            var writer = JSONWriter()
            writer.object { $0.field("name", name) }
            return writer.response(status: .created)
        }
        router.get("/page") { _, context in
            Response(status: .ok, headers: [.contentType: "text/html"], body: ResponseBody(byteBuffer: ByteBuffer(string: context.scriptNonce + String(repeating: "x", count: 5000))))
        }
        router.get("/small") { _, _ in Response(status: .ok, headers: [.contentType: "text/html"], body: ResponseBody(byteBuffer: ByteBuffer(string: "x"))) }
        router.get("/limited") { _, _ in Response(status: .ok) }
        router.get("/broken") { _, _ -> Response in throw Unforeseen() }
        router.post("/read") { request, _ in
            do {
                _ = try await request.bodyBytes(maximumBytes: 1000)
            } catch let problem as Problem {
                if problem.code == "incomplete_body" { signals.ended.continuation.yield() }
                throw problem
            }
            Issue.record("A body that was cut off counts as complete.")
            signals.ended.continuation.yield()
            return Response(status: .ok)
        }
        router.get("/wait") { _, _ in
            signals.started.continuation.yield()
            for await _ in signals.gate.stream { break }
            return Response(status: .ok)
        }
        router.get("/endless") { _, _ in
            Response(status: .ok, body: ResponseBody { writer in
                signals.started.continuation.yield()
                defer { signals.ended.continuation.yield() }
                let block = ByteBuffer(repeating: 0x78, count: 64 * 1024)
                while true { try await writer.write(block) }
            })
        }
        router.get("/assets/**") { request, _ in try assets.response(for: request) }
        router.get("/asset-url") { _, _ in Response(status: .ok, body: ResponseBody(byteBuffer: ByteBuffer(string: assets.url(for: "a.css")))) }
        return router.buildResponder()
    }

    /// Starts the server on a free port, gives `body` the port, and stops it.
    private func withServer(
        _ limits: ServerLimits = ServerLimits(), signals: Signals = Signals(), _ body: @Sendable @escaping (Int) async throws -> Void
    ) async throws {
        try await withServerGroup(limits, signals: signals) { port, _ in try await body(port) }
    }

    private func withServerGroup(
        _ limits: ServerLimits, signals: Signals, _ body: @Sendable @escaping (Int, ServiceGroup) async throws -> Void
    ) async throws {
        let (addresses, continuation) = AsyncStream.makeStream(of: String.self)
        var logger = Logger(label: "test")
        logger.logLevel = .critical
        let server = WebServer.make(responder: try Self.responder(signals), host: "127.0.0.1", port: 0, limits: limits, logger: logger) { address in
            continuation.yield(address)
        }
        let group = ServiceGroup(configuration: .init(services: [server], logger: logger))
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { try await group.run() }
            var iterator = addresses.makeAsyncIterator()
            let address = try #require(await iterator.next())
            let port = try #require(Int(address.split(separator: ":").last ?? ""))
            #expect(port > 0)
            do {
                try await body(port, group)
            } catch {
                await group.triggerGracefulShutdown()
                throw error
            }
            await group.triggerGracefulShutdown()
            try await tasks.waitForAll()
        }
    }

    /// Sends bytes and reads until the server closes the connection or `isEnough`.
    private func exchange(
        _ port: Int, _ pieces: [String], isEnough: @Sendable @escaping (String) -> Bool = { _ in false }
    ) async throws -> String {
        let channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton).connect(host: "127.0.0.1", port: port) { channel in
            channel.eventLoop.makeCompletedFuture { try NIOAsyncChannel<ByteBuffer, ByteBuffer>(wrappingChannelSynchronously: channel) }
        }
        return try await channel.executeThenClose { inbound, outbound in
            var received = ""
            for piece in pieces { try? await outbound.write(ByteBuffer(string: piece)) }
            do {
                for try await buffer in inbound {
                    received += String(buffer: buffer)
                    if isEnough(received) { break }
                }
            } catch is IOError {}
            return received
        }
    }

    private func post(_ path: String, _ body: String, _ headers: String = "Content-Type: application/json\r\n") -> String {
        "POST \(path) HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\(headers)Content-Length: \(body.utf8.count)\r\n\r\n\(body)"
    }

    private func get(_ path: String, _ headers: String = "") -> String { "GET \(path) HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\(headers)\r\n" }

    @Test(.timeLimit(.minutes(1))) func answersAndRefusesInOneShape() async throws {
        try await withServer { port in
            let created = try await exchange(port, [post("/api/echo/1", #"{"name":"Ada"}"#)])
            #expect(created.hasPrefix("HTTP/1.1 201"))
            #expect(created.hasSuffix(#"{"name":"Ada"}"#))
            #expect(created.lowercased().contains("x-request-id:"))
            for (request, status, code) in [
                (post("/api/echo/1", #"{"name":1,"x":2}"#), "422", "invalid_fields"), (post("/api/echo/1", "{"), "400", "malformed_json"),
                (post("/api/echo/1", "{}", "Content-Type: text/plain\r\n"), "415", "unsupported_media_type"),
                (post("/api/echo/1", String(repeating: " ", count: 101)), "413", "content_too_large"),
                (get("/api/echo/1"), "405", "method_not_allowed"), (get("/api/none"), "404", "not_found"), (get("/broken"), "500", "internal_error"),
            ] {
                let answer = try await exchange(port, [request])
                #expect(answer.hasPrefix("HTTP/1.1 \(status)"), "\(answer)")
                #expect(answer.contains("application/problem+json"))
                #expect(answer.contains("\"code\":\"\(code)\""))
                #expect(answer.contains("\"requestId\":\""))
                #expect(!answer.contains("Unforeseen"))
            }
            let page = try await exchange(port, [get("/none", "Accept: text/html\r\n")])
            #expect(page.hasPrefix("HTTP/1.1 404"))
            #expect(page.contains("<h1>404</h1>"))
        }
    }

    @Test(.timeLimit(.minutes(1))) func setsSecurityHeadersAndCompresses() async throws {
        try await withServer { port in
            let page = try await exchange(port, [get("/page")])
            let nonce = try #require(page.split(separator: "'nonce-").dropFirst().first?.split(separator: "'").first)
            #expect(nonce.count == 22)
            #expect(page.contains("\r\n\r\n\(nonce)xxx"))
            let lower = page.lowercased()
            for header in ["default-src 'none'", "frame-ancestors 'none'", "base-uri 'none'", "nosniff", "referrer-policy:", "permissions-policy:", "strict-transport-security:", "cross-origin-opener-policy: same-origin"] {
                #expect(lower.contains(header), "\(header)")
            }
            let compressed = try await exchange(port, [get("/page", "Accept-Encoding: gzip\r\n")])
            #expect(compressed.lowercased().contains("content-encoding: gzip"))
            #expect(compressed.utf8.count < 2500)
            for (path, encoding) in [("/small", "gzip"), ("/page", "gzip;q=0"), ("/page", "br")] {
                #expect(!(try await exchange(port, [get(path, "Accept-Encoding: \(encoding)\r\n")])).lowercased().contains("content-encoding"))
            }
            let url = try #require((try await exchange(port, [get("/asset-url")])).split(separator: "\r\n\r\n").last.map(String.init))
            let asset = try await exchange(port, [get(url)])
            #expect(asset.contains("max-age=31536000, immutable") && asset.contains("text/css"))
            let tag = try #require(asset.split(separator: "\r\n").first { $0.lowercased().hasPrefix("etag: ") }?.dropFirst(6))
            #expect((try await exchange(port, [get(url, "If-None-Match: \(tag)\r\n")])).hasPrefix("HTTP/1.1 304"))
            #expect((try await exchange(port, [get("/assets/../Package.swift")])).hasPrefix("HTTP/1.1 404"))
        }
    }

    @Test(.timeLimit(.minutes(1))) func limitsRates() async throws {
        try await withServer { port in
            _ = try await exchange(port, [get("/limited")])
            #expect((try await exchange(port, [get("/limited")])).lowercased().contains("ratelimit-remaining: 0"))
            let refused = try await exchange(port, [get("/limited")]).lowercased()
            #expect(refused.hasPrefix("http/1.1 429"))
            #expect(refused.contains("ratelimit-limit: 2"))
            // A busy machine takes its time between the requests: the waits then are shorter, never longer.
            #expect((1...30).contains(try #require(number("retry-after", in: refused))))
            #expect((1...60).contains(try #require(number("ratelimit-reset", in: refused))))
        }
    }

    private func number(_ header: String, in answer: String) -> Int? {
        answer.split(separator: "\r\n").first { $0.hasPrefix("\(header): ") }.flatMap { Int($0.dropFirst(header.count + 2)) }
    }

    /// Each of these would hold its connection for ever; the server ends it, and goes on answering others.
    @Test(.timeLimit(.minutes(1)), arguments: [
        "", "GET / HT", "GET /page HTTP/1.1\r\nHost: x\r\nX: ", "POST /api/echo/1 HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 50\r\n\r\n{",
        "POST /api/echo/1 HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n{\r\n",
        "GET /small HTTP/1.1\r\nHost: x\r\n\r\n",
    ])
    func cutsOffSlowClients(_ start: String) async throws {
        var limits = ServerLimits()
        limits.headerDeadlineSeconds = 1
        limits.bodyDeadlineSeconds = 1
        limits.idleSeconds = 1
        let set = limits
        try await withServer(set) { port in
            _ = try await exchange(port, [start])
            #expect((try await exchange(port, [get("/small")])).hasPrefix("HTTP/1.1 200"))
        }
    }

    @Test(.timeLimit(.minutes(1))) func refusesEndlessBodies() async throws {
        var limits = ServerLimits()
        limits.lingerSeconds = 1
        let set = limits
        try await withServer(set) { port in
            let head = "POST /api/echo/1 HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
            let chunk = "80\r\n" + String(repeating: " ", count: 128) + "\r\n"
            let answer = try await exchange(port, [head] + Array(repeating: chunk, count: 20))
            #expect(answer.hasPrefix("HTTP/1.1 413"), "\(answer)")
            let announced = try await exchange(port, ["POST /api/echo/1 HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 99999999999\r\n\r\n"])
            #expect(announced.hasPrefix("HTTP/1.1 413"), "\(announced)")
        }
    }

    @Test(.timeLimit(.minutes(1))) func refusesHugeHeadsAndSmuggling() async throws {
        try await withServer { port in
            for request in [
                "GET /small HTTP/1.1\r\nHost: x\r\nX: \(String(repeating: "a", count: 40_000))\r\n\r\n",
                "GET /small HTTP/1.1\r\nHost: x\r\n\((0..<200).map { "X\($0): a\r\n" }.joined())\r\n",
                "POST /small HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nContent-Length: 5\r\n\r\nabcd",
                "POST /small HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
                "GARBAGE\r\n\r\n",
            ] {
                let answer = try await exchange(port, [request]) { $0.contains("\r\n\r\n") }
                #expect(answer.isEmpty || answer.hasPrefix("HTTP/1.1 4"), "\(answer)")
            }
            #expect((try await exchange(port, [get("/small")])).hasPrefix("HTTP/1.1 200"))
        }
    }

    /// Hummingbird takes the end of the connection for the end of the body: half an order must not be carried out.
    @Test(.timeLimit(.minutes(1)), arguments: ["Content-Length: 50\r\n\r\n{}", "Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n"], [true, false])
    func refusesBodiesThatAreCutOff(_ rest: String, byTheClient: Bool) async throws {
        var limits = ServerLimits()
        limits.bodyDeadlineSeconds = byTheClient ? 30 : 1
        let signals = Signals()
        try await withServer(limits, signals: signals) { port in
            let client = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton).connect(host: "127.0.0.1", port: port).get()
            try await client.writeAndFlush(ByteBuffer(string: "POST /read HTTP/1.1\r\nHost: x\r\n\(rest)"))
            if byTheClient { try await client.close() }
            for await _ in signals.ended.stream { break }
            try? await client.close()
        }
    }

    /// A client that never reads its answer must not hold the handler for ever.
    @Test(.timeLimit(.minutes(1))) func cutsOffClientsThatDoNotRead() async throws {
        var limits = ServerLimits()
        limits.writeStallSeconds = 1
        let signals = Signals()
        try await withServer(limits, signals: signals) { port in
            let client = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
                .channelOption(.autoRead, value: false).connect(host: "127.0.0.1", port: port).get()
            try await client.writeAndFlush(ByteBuffer(string: "GET /endless HTTP/1.1\r\nHost: x\r\n\r\n"))
            for await _ in signals.ended.stream { break }
            try? await client.close()
            #expect((try await exchange(port, [get("/small")])).hasPrefix("HTTP/1.1 200"))
        }
    }

    /// A request that is being answered gets its answer although the server was told to stop.
    @Test(.timeLimit(.minutes(1))) func finishesRequestsBeforeItStops() async throws {
        let signals = Signals()
        try await withServerGroup(ServerLimits(), signals: signals) { port, group in
            async let answer = exchange(port, [get("/wait")])
            for await _ in signals.started.stream { break }
            await group.triggerGracefulShutdown()
            signals.gate.continuation.yield()
            let text = try await answer
            #expect(text.hasPrefix("HTTP/1.1 200"))
        }
    }
}
