public import Hummingbird
import HummingbirdCore
public import Logging
import NIOCore
public import ServiceLifecycle

/// The HTTP server with all its limits set. It is a service: run it in a service group, which shuts it down gracefully.
public struct WebServer {
    /// - Parameters:
    ///   - router: all routes and middlewares.
    ///   - host: the address to listen on; not used with `unixSocket`.
    ///   - port: 0 lets the system choose.
    ///   - direct: what answers before the router.
    ///   - onRunning: called once with the address that is really listened on, for instance `http://127.0.0.1:49152`.
    public static func make<Responder: HTTPResponder>(
        responder: Responder, direct: (any DirectResponder)? = nil, host: String, port: Int, limits: ServerLimits = ServerLimits(), logger: Logger,
        onRunning: @escaping @Sendable (String) async -> Void = { _ in }
    ) -> some Service where Responder.Context: InitializableFromSource<ApplicationRequestContextSource> {
        application(responder: responder, direct: direct, address: .hostname(host, port: port), limits: limits, logger: logger) { channel in
            await onRunning("http://\(host.contains(":") ? "[\(host)]" : host):\(channel.localAddress?.port ?? port)")
        }
    }

    /// A server on a Unix socket.
    public static func make<Responder: HTTPResponder>(
        responder: Responder, unixSocket path: String, limits: ServerLimits = ServerLimits(), logger: Logger,
        onRunning: @escaping @Sendable () async -> Void = {}
    ) -> some Service where Responder.Context: InitializableFromSource<ApplicationRequestContextSource> {
        application(responder: responder, direct: nil, address: .unixDomainSocket(path: path), limits: limits, logger: logger) { _ in await onRunning() }
    }

    private static func application<Responder: HTTPResponder>(
        responder: Responder, direct: (any DirectResponder)?, address: BindAddress, limits: ServerLimits, logger: Logger,
        onRunning: @escaping @Sendable (any Channel) async -> Void
    ) -> Application<Responder> where Responder.Context: InitializableFromSource<ApplicationRequestContextSource> {
        Application(
            responder: responder,
            server: .http1(
                configuration: HTTP1Channel.Configuration(
                    additionalChannelHandlers: Self.handlers(limits: limits, direct: direct),
                    httpDecoderConfiguration: .init(
                        maxHeaderFieldSize: limits.maximumHeaderFieldBytes, maxHeaderListSize: limits.maximumHeaderBytes,
                        maxHeaderFieldCount: limits.maximumHeaderCount))),
            configuration: ApplicationConfiguration(
                address: address, serverName: nil, backlog: limits.backlog,
                availableConnectionsDelegate: MaximumAvailableConnections(limits.maximumConnections)),
            onServerRunning: onRunning, logger: logger)
    }

    private static func handlers(limits: ServerLimits, direct: (any DirectResponder)?) -> [any RemovableChannelHandler] {
        let deadlines = ConnectionDeadlines(limits: limits)
        return direct.map { [deadlines, DirectAnswers(responder: $0)] } ?? [deadlines]
    }
}
