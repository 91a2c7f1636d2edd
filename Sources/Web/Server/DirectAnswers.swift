public import HTTPTypes
public import NIOCore
import NIOHTTPTypes

/// Answers some requests on the connection's own event loop, before the router: for the few addresses that are asked for so often that
/// a task and a walk through all middlewares would be most of the work.
public protocol DirectResponder: Sendable {
    /// The answer to a request without a body, or nil: the router shall answer. Called on the event loop, so it must not block.
    ///
    /// - Parameters:
    ///   - remoteAddress: the other end of the connection.
    ///   - eventLoop: where a later answer's future belongs.
    func answer(to request: HTTPRequest, remoteAddress: SocketAddress?, eventLoop: any EventLoop) -> DirectAnswer?
}

/// An answer without a body.
public enum DirectAnswer: Sendable {
    case now(HTTPResponse)
    /// When it is ready, for instance after something is on disk. A failed future ends the connection.
    case later(EventLoopFuture<HTTPResponse>)
}

/// Stands before the router in a connection. Answers stay in the order of their requests: while the router has a request of this
/// connection, the router gets the next ones too; while an answer of ours is under way, what follows waits here.
final class DirectAnswers: ChannelDuplexHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPRequestPart
    typealias InboundOut = HTTPRequestPart
    typealias OutboundIn = HTTPResponsePart
    typealias OutboundOut = HTTPResponsePart

    /// Parts that may wait behind an answer. One read of 64 KiB holds fewer requests; reading stops meanwhile.
    static let waitingPartsMax = 8_192

    private let responder: any DirectResponder
    /// A head whose end has not come yet.
    private var heldHead: HTTPRequest?
    private var isAnswering = false
    private var routedRequests = 0
    private var waiting: [HTTPRequestPart] = []
    private var isReadWanted = false
    private var isCloseWanted = false

    init(responder: any DirectResponder) { self.responder = responder }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let part = unwrapInboundIn(data)
        guard isAnswering else { return take(part, context) }
        guard waiting.count < Self.waitingPartsMax else { return context.close(promise: nil) }
        waiting.append(part)
    }

    func read(context: ChannelHandlerContext) {
        if isAnswering { isReadWanted = true } else { context.read() }
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        if case .end = unwrapOutboundIn(data) { routedRequests -= 1 }
        context.write(data, promise: promise)
    }

    /// A connection that is asked to end while an answer is under way ends after it.
    func close(context: ChannelHandlerContext, mode: CloseMode, promise: EventLoopPromise<Void>?) {
        guard isAnswering, context.channel.isActive else { return context.close(mode: mode, promise: promise) }
        isCloseWanted = true
        promise?.succeed()
    }

    func channelInactive(context: ChannelHandlerContext) {
        waiting.removeAll()
        heldHead = nil
        context.fireChannelInactive()
    }

    private func take(_ part: HTTPRequestPart, _ context: ChannelHandlerContext) {
        switch part {
        case .head(let request):
            if routedRequests == 0, Self.hasNoBody(request) {
                heldHead = request
            } else {
                routedRequests += 1
                context.fireChannelRead(wrapInboundOut(part))
            }
        case .body:
            context.fireChannelRead(wrapInboundOut(part))
        case .end:
            guard let request = heldHead else { return context.fireChannelRead(wrapInboundOut(part)) }
            heldHead = nil
            answer(request, end: part, context)
        }
    }

    private func answer(_ request: HTTPRequest, end: HTTPRequestPart, _ context: ChannelHandlerContext) {
        switch responder.answer(to: request, remoteAddress: context.remoteAddress, eventLoop: context.eventLoop) {
        case nil:
            routedRequests += 1
            context.fireChannelRead(wrapInboundOut(.head(request)))
            context.fireChannelRead(wrapInboundOut(end))
        case .now(let response):
            send(response, to: request, context)
        case .later(let future):
            isAnswering = true
            let bound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
            future.whenComplete { result in
                let (handler, context) = bound.value
                handler.finish(result, request, context)
            }
        }
    }

    private func finish(_ result: Result<HTTPResponse, any Error>, _ request: HTTPRequest, _ context: ChannelHandlerContext) {
        isAnswering = false
        guard context.channel.isActive else { return }
        switch result {
        case .success(let response): send(response, to: request, context)
        case .failure: return context.close(promise: nil)
        }
        if isCloseWanted { return context.close(promise: nil) }
        goOn(context)
    }

    private func send(_ response: HTTPResponse, to request: HTTPRequest, _ context: ChannelHandlerContext) {
        var response = response
        response.headerFields[.date] = DateField.shared.text
        if request.headerFields[.connection]?.lowercased() == "close" { response.headerFields[.connection] = "close" }
        context.write(wrapOutboundOut(.head(response)), promise: nil)
        context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
    }

    /// Takes what came meanwhile, up to the next request that has to wait.
    private func goOn(_ context: ChannelHandlerContext) {
        let parts = waiting
        waiting.removeAll(keepingCapacity: true)
        for (index, part) in parts.enumerated() {
            if isAnswering {
                waiting.append(contentsOf: parts[index...])
                return
            }
            take(part, context)
        }
        if !parts.isEmpty { context.fireChannelReadComplete() }
        if isReadWanted {
            isReadWanted = false
            context.read()
        }
    }

    private static func hasNoBody(_ request: HTTPRequest) -> Bool {
        guard request.method == .get || request.method == .head else { return false }
        return request.headerFields[.contentLength] == nil && request.headerFields[.transferEncoding] == nil
    }
}
