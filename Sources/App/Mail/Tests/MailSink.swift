import NIOCore
import NIOPosix
import Synchronization

/// A mail server that keeps what it is given, and answers as a test says.
final class MailSink: Sendable {
    struct Received: Sendable {
        var sender: String
        var recipients: [String]
        var message: String
    }

    /// What it answers to the recipient and after the message.
    struct Manner: Sendable {
        var toRecipient = "250 ok"
        var toMessage = "250 kept"
    }

    private struct State {
        var manner = Manner()
        var received: [Received] = []
        var conversations = 0
    }

    private let state = Mutex(State())

    var received: [Received] { state.withLock { $0.received } }
    var conversations: Int { state.withLock { $0.conversations } }
    var manner: Manner {
        get { state.withLock { $0.manner } }
        set { state.withLock { $0.manner = newValue } }
    }

    fileprivate func keep(_ mail: Received) { state.withLock { $0.received.append(mail) } }
    fileprivate func begin() { state.withLock { $0.conversations += 1 } }

    /// Listens on a free port of this machine while `body` runs.
    static func with(_ body: @Sendable (MailSink, _ port: Int) async throws -> Void) async throws {
        let sink = MailSink()
        let server = try await ServerBootstrap(group: .singletonMultiThreadedEventLoopGroup)
            .childChannelInitializer { channel in channel.pipeline.addHandler(MailConversation(sink)) }
            .bind(host: "127.0.0.1", port: 0).get()
        do {
            try await body(sink, server.localAddress?.port ?? 0)
        } catch {
            try? await server.close()
            throw error
        }
        try await server.close()
    }
}

/// One client's conversation, line by line (RFC 5321).
private final class MailConversation: ChannelInboundHandler, Sendable {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private struct State {
        var unread = ""
        var sender = ""
        var recipients: [String] = []
        var message: [String]?
    }

    private let sink: MailSink
    private let state = Mutex(State())

    init(_ sink: MailSink) { self.sink = sink }

    func channelActive(context: ChannelHandlerContext) {
        sink.begin()
        say("220 sink.test", context)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let buffer = unwrapInboundIn(data)
        let lines = state.withLock { state -> [String] in
            state.unread += String(buffer: buffer)
            var parts = state.unread.replacing("\r\n", with: "\u{1}").split(separator: "\u{1}", omittingEmptySubsequences: false).map(String.init)
            state.unread = parts.popLast() ?? ""
            return parts
        }
        for line in lines { if let answer = answer(line) { say(answer, context) } }
    }

    private func answer(_ line: String) -> String? {
        let manner = sink.manner
        return state.withLock { state -> String? in
            if var message = state.message {
                guard line == "." else {
                    message.append(line.hasPrefix(".") ? String(line.dropFirst()) : line)
                    state.message = message
                    return nil
                }
                state.message = nil
                if manner.toMessage.hasPrefix("2") {
                    sink.keep(.init(sender: state.sender, recipients: state.recipients, message: message.joined(separator: "\r\n")))
                }
                return manner.toMessage
            }
            switch line.prefix(4).uppercased() {
            case "EHLO", "HELO": return "250-sink.test\r\n250 8BITMIME"
            case "MAIL":
                (state.sender, state.recipients) = (line, [])
                return "250 ok"
            case "RCPT":
                state.recipients.append(line)
                return manner.toRecipient
            case "DATA":
                state.message = []
                return "354 go on"
            case "QUIT": return "221 bye"
            default: return "250 ok"
            }
        }
    }

    private func say(_ line: String, _ context: ChannelHandlerContext) {
        context.writeAndFlush(wrapOutboundOut(ByteBuffer(string: line + "\r\n")), promise: nil)
    }
}
