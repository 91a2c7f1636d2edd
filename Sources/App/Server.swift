import Hummingbird
import Logging
import ServiceLifecycle
import UnixSignals
import Web

/// The running server: HTTP, its twin on a Unix socket for commands, and the worker.
enum Server {
    /// Runs until it is told to stop. `ready` gets the address once connections are accepted.
    static func run(_ installation: Installation, ready: @escaping @Sendable (String) async -> Void) async throws {
        let site = try Site.load()
        let (router, _) = Routes.build(installation, site: site)
        let responder = router.buildResponder()
        let web = WebServer.make(
            responder: responder, direct: Redirect(installation), host: installation.settings.host, port: installation.settings.port, logger: installation.logger,
            onRunning: ready)
        let socket = CommandSocket(installation)
        let group = ServiceGroup(
            configuration: ServiceGroupConfiguration(
                services: [
                    .init(service: web, successTerminationBehavior: .gracefullyShutdownGroup, failureTerminationBehavior: .gracefullyShutdownGroup),
                    .init(service: DueWorker(installation: installation)),
                    .init(service: MailWorker(installation: installation, site: site)),
                    .init(service: WebhookWorker(installation: installation)), .init(service: RailWorker(installation: installation)),
                    .init(service: CouponShopWorker(installation: installation)),
                    .init(service: DomainWorker(installation: installation)),
                    .init(service: socket),
                ], gracefulShutdownSignals: [.sigterm, .sigint], logger: installation.logger))
        try await group.run()
        await installation.close()
    }
}

/// Does what is due, again and again: clicks to apply, holds that end, answers to forget.
struct DueWorker: Service {
    /// Between two looks.
    static let pauseMs = 250

    let installation: Installation

    func run() async throws {
        while !Task.isShuttingDownGracefully {
            do {
                try await installation.doDueWork()
            } catch {
                installation.logger.error("Due work failed; it is tried again", metadata: ["error": "\(error)"])
            }
            try? await Task.sleep(for: .milliseconds(Self.pauseMs))
            if Task.isCancelled { return }
        }
    }
}
