import HTTPTypes
import NIOCore
import NIOHTTPTypes

/// Ends connections whose client is too slow in sending a head or a body, in taking in an answer, or in asking again.
///
/// Each part of an exchange has one total deadline, so a byte now and then does not keep a connection alive.
final class ConnectionDeadlines: ChannelDuplexHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPRequestPart
    typealias InboundOut = HTTPRequestPart
    typealias OutboundIn = HTTPResponsePart
    typealias OutboundOut = HTTPResponsePart

    private let limits: ServerLimits
    private var reading: Scheduled<Void>?
    private var stalling: Scheduled<Void>?
    private var isReadingRequest = false
    private var unansweredRequests = 0
    private var closesAfterAnswer = false
    private var isLingering = false

    init(limits: ServerLimits) { self.limits = limits }

    func handlerAdded(context: ChannelHandlerContext) {
        if context.channel.isActive { expectHead(context, seconds: limits.headerDeadlineSeconds) }
    }

    func channelActive(context: ChannelHandlerContext) {
        expectHead(context, seconds: limits.headerDeadlineSeconds)
        context.fireChannelActive()
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        reading?.cancel()
        stalling?.cancel()
    }

    /// The connection ended before the request did.
    struct RequestCutOff: Error {}

    func channelInactive(context: ChannelHandlerContext) {
        if isReadingRequest { context.fireErrorCaught(RequestCutOff()) }
        reading?.cancel()
        stalling?.cancel()
        context.fireChannelInactive()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head:
            isReadingRequest = true
            unansweredRequests += 1
            closeReading(context, seconds: limits.bodyDeadlineSeconds)
        case .body: break
        case .end:
            isReadingRequest = false
            reading?.cancel()
            reading = nil
            if isLingering { context.close(promise: nil) }
        }
        context.fireChannelRead(data)
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        switch unwrapOutboundIn(data) {
        case .head(let head):
            if head.status.kind != .informational, head.headerFields[.connection] == "close" { closesAfterAnswer = true }
            context.write(data, promise: promise)
        case .body:
            context.write(data, promise: promise)
        case .end:
            unansweredRequests -= 1
            context.write(data, promise: promise)
            if closesAfterAnswer {
                linger(context)
            } else if !isReadingRequest, unansweredRequests == 0 {
                expectHead(context, seconds: limits.idleSeconds)
            }
        }
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        stalling?.cancel()
        stalling = context.channel.isWritable ? nil : closing(context, seconds: limits.writeStallSeconds)
        context.fireChannelWritabilityChanged()
    }

    private func expectHead(_ context: ChannelHandlerContext, seconds: Int) {
        closeReading(context, seconds: seconds)
    }

    /// The answer is out. The connection ends when the client has sent its request, or a moment later when it goes on sending.
    private func linger(_ context: ChannelHandlerContext) {
        context.flush()
        isLingering = true
        closeReading(context, seconds: isReadingRequest ? limits.lingerSeconds : 0)
    }

    private func closeReading(_ context: ChannelHandlerContext, seconds: Int) {
        reading?.cancel()
        reading = closing(context, seconds: seconds)
    }

    private func closing(_ context: ChannelHandlerContext, seconds: Int) -> Scheduled<Void> {
        let channel = context.channel
        return context.eventLoop.scheduleTask(in: .seconds(Int64(seconds))) { channel.close(promise: nil) }
    }
}
