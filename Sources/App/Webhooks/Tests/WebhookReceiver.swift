import Foundation
import NIOCore
import NIOPosix
import Synchronization

/// A server of a company's that keeps what it is told, and answers as a test says.
final class WebhookReceiver: Sendable {
    struct Message: Sendable {
        var method: String
        /// With the query.
        var path: String
        var headers: [String: String]
        var body: [UInt8]
    }

    struct Manner: Sendable {
        var status = 204
        var headers: [String] = []
        var body = ""
        /// Answers so many times like this, then well again.
        var times = Int.max
    }

    private struct State {
        var manner = Manner()
        var messages: [Message] = []
    }

    private let state = Mutex(State())
    let port: Int

    private init(port: Int) { self.port = port }

    var messages: [Message] { state.withLock { $0.messages } }
    /// The ids of what came, in order.
    var ids: [String] { messages.map { $0.headers["webhook-id"] ?? "" } }
    func url(_ path: String = "/hooks") -> String { "http://127.0.0.1:\(port)\(path)" }
    func answer(_ manner: Manner) { state.withLock { $0.manner = manner } }
    func answerWell() { answer(Manner()) }
    func forget() { state.withLock { $0.messages = [] } }

    fileprivate func take(_ message: Message) -> String {
        let manner = state.withLock { state -> Manner in
            state.messages.append(message)
            let manner = state.manner
            if manner.times != .max {
                state.manner.times -= 1
                if state.manner.times <= 0 { state.manner = Manner() }
            }
            return manner
        }
        return (["HTTP/1.1 \(manner.status) X", "content-length: \(manner.body.utf8.count)", "connection: close"] + manner.headers + ["", manner.body])
            .joined(separator: "\r\n")
    }

    /// Listens on a free port of this machine while `body` runs.
    static func with(_ body: @Sendable (WebhookReceiver) async throws -> Void) async throws {
        let holder = Holder()
        let server = try await ServerBootstrap(group: .singletonMultiThreadedEventLoopGroup)
            .childChannelInitializer { channel in channel.pipeline.addHandler(Conversation(holder)) }
            .bind(host: "127.0.0.1", port: 0).get()
        let receiver = WebhookReceiver(port: server.localAddress?.port ?? 0)
        holder.receiver.withLock { $0 = receiver }
        do {
            try await body(receiver)
        } catch {
            try? await server.close()
            throw error
        }
        try await server.close()
    }

    fileprivate final class Holder: Sendable {
        let receiver = Mutex<WebhookReceiver?>(nil)
    }
}

/// One request on one connection.
private final class Conversation: ChannelInboundHandler, Sendable {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private let holder: WebhookReceiver.Holder
    private let received = Mutex<[UInt8]>([])

    init(_ holder: WebhookReceiver.Holder) { self.holder = holder }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var buffer = unwrapInboundIn(data)
        let bytes = buffer.readBytes(length: buffer.readableBytes) ?? []
        guard let message = received.withLock({ all -> WebhookReceiver.Message? in
            all += bytes
            return Self.parse(all)
        }), let receiver = holder.receiver.withLock({ $0 }) else { return }
        received.withLock { $0 = [] }
        context.writeAndFlush(wrapOutboundOut(ByteBuffer(string: receiver.take(message))), promise: nil)
        context.close(promise: nil)
    }

    /// Nil while something is missing.
    private static func parse(_ bytes: [UInt8]) -> WebhookReceiver.Message? {
        guard let end = bytes.indices.first(where: { bytes[$0...].starts(with: Array("\r\n\r\n".utf8)) }) else { return nil }
        let lines = String(decoding: bytes[..<end], as: UTF8.self).replacing("\r\n", with: "\n").split(separator: "\n").map(String.init)
        let first = (lines.first ?? "").split(separator: " ").map(String.init)
        var headers: [String: String] = [:]
        for line in lines.dropFirst() {
            guard let colon = line.firstIndex(of: ":") else { continue }
            headers[line[..<colon].lowercased()] = line[line.index(after: colon)...].trimmingCharacters(in: .whitespaces)
        }
        let length = Int(headers["content-length"] ?? "0") ?? 0
        let body = Array(bytes[(end + 4)...])
        guard body.count >= length, first.count >= 2 else { return nil }
        return WebhookReceiver.Message(method: first[0], path: first[1], headers: headers, body: body)
    }
}
