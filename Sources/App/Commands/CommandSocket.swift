import Foundation
import Hummingbird
import Logging
import NIOCore
import ServiceLifecycle
import Web

/// The Unix socket beside the database: commands that write speak to the running server through it, because one process writes a file.
/// Only the owner of the machine can open it (mode 600), so it asks for no key.
struct CommandSocket: Service {
    static let bodyMaxBytes = 64 * 1024 * 1024

    let installation: Installation

    init(_ installation: Installation) { self.installation = installation }

    func run() async throws {
        let path = installation.settings.socketPath
        guard path.utf8.count < 100 else {
            installation.logger.warning("The socket's path is too long; commands that write will not find this server", metadata: ["path": "\(path)"])
            try? await gracefulShutdown()
            return
        }
        unlink(path)
        let router = Router(context: KithContext.self)
        router.add(middleware: ProblemMiddleware(programPrefixes: ["/"]))
        router.add(middleware: StoreFailureMiddleware(logger: installation.logger))
        router.post("/commands/{name}") { [installation] request, context in
            let name = context.parameters.get("name") ?? ""
            let body = try await request.bodyBytes(maximumBytes: Self.bodyMaxBytes)
            let arguments = try JSONValue.parse(body, maximumBytes: Self.bodyMaxBytes)
            let answer = try await CommandVerbs.run(name, arguments, installation)
            return ListAnswer.one(answer)
        }
        let server = WebServer.make(
            responder: router.buildResponder(), unixSocket: path, logger: installation.logger, onRunning: { chmod(path, 0o600) })
        try await server.run()
        unlink(path)
    }
}
