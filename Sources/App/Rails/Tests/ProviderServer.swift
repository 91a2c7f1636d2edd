import Foundation
import NIOCore
import NIOPosix
import Synchronization

/// A provider on a free port of this machine. What it answers is the fake's business; it may also take a request in and never answer.
final class ProviderServer: Sendable {
    struct Request: Sendable {
        var method: String
        var path: String
        var query: [String: String]
        var headers: [String: String]
        var body: [UInt8]
    }

    enum Reply: Sendable {
        case answer(status: Int, headers: [String] = [], body: String = "")
        /// The connection ends without a word.
        case lost
        /// Nothing comes until the caller gives up.
        case silent
    }

    private let handler: @Sendable (Request) -> Reply
    private let bound = Mutex(0)

    private init(_ handler: @escaping @Sendable (Request) -> Reply) { self.handler = handler }

    var url: String { "http://127.0.0.1:\(bound.withLock { $0 })" }

    static func with(_ handler: @escaping @Sendable (Request) -> Reply, _ body: @Sendable (String) async throws -> Void) async throws {
        let server = ProviderServer(handler)
        let channel = try await ServerBootstrap(group: .singletonMultiThreadedEventLoopGroup)
            .serverChannelOption(.backlog, value: 256)
            .childChannelInitializer { channel in channel.pipeline.addHandler(ProviderConversation(handler)) }
            .bind(host: "127.0.0.1", port: 0).get()
        server.bound.withLock { $0 = channel.localAddress?.port ?? 0 }
        do {
            try await body(server.url)
        } catch {
            try? await channel.close()
            throw error
        }
        try await channel.close()
    }
}

/// One request on one connection.
private final class ProviderConversation: ChannelInboundHandler, Sendable {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private let handler: @Sendable (ProviderServer.Request) -> ProviderServer.Reply
    private let received = Mutex<[UInt8]>([])

    init(_ handler: @escaping @Sendable (ProviderServer.Request) -> ProviderServer.Reply) { self.handler = handler }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var buffer = unwrapInboundIn(data)
        let bytes = buffer.readBytes(length: buffer.readableBytes) ?? []
        guard let request = received.withLock({ all -> ProviderServer.Request? in
            all += bytes
            return Self.parse(all)
        }) else { return }
        received.withLock { $0 = [] }
        switch handler(request) {
        case .silent: return
        case .lost: context.close(promise: nil)
        case .answer(let status, let headers, let body):
            let head = ["HTTP/1.1 \(status) X", "content-length: \(body.utf8.count)", "connection: close"] + headers
            context.writeAndFlush(wrapOutboundOut(ByteBuffer(string: (head + ["", body]).joined(separator: "\r\n"))), promise: nil)
            context.close(promise: nil)
        }
    }

    /// Nil while something is missing.
    private static func parse(_ bytes: [UInt8]) -> ProviderServer.Request? {
        let text = String(decoding: bytes, as: UTF8.self)
        guard let end = text.range(of: "\r\n\r\n") else { return nil }
        let lines = text[..<end.lowerBound].replacing("\r\n", with: "\n").split(separator: "\n").map(String.init)
        let first = (lines.first ?? "").split(separator: " ").map(String.init)
        var headers: [String: String] = [:]
        for line in lines.dropFirst() {
            guard let colon = line.firstIndex(of: ":") else { continue }
            headers[line[..<colon].lowercased()] = line[line.index(after: colon)...].trimmingCharacters(in: .whitespaces)
        }
        let start = text[..<end.upperBound].utf8.count
        let body = Array(bytes.dropFirst(start))
        guard body.count >= Int(headers["content-length"] ?? "0") ?? 0, first.count >= 2, let parts = URLComponents(string: first[1]) else { return nil }
        let query = Dictionary((parts.queryItems ?? []).map { ($0.name, $0.value ?? "") }, uniquingKeysWith: { first, _ in first })
        return ProviderServer.Request(method: first[0], path: parts.path, query: query, headers: headers, body: body)
    }
}
