import Hummingbird
import Logging
import Persistence
import Web

/// Says what a failing database means for the caller: try again, or wait until somebody has made room.
struct StoreFailureMiddleware: RouterMiddleware {
    let logger: Logger

    func handle(
        _ request: Request, context: KithContext, next: (Request, KithContext) async throws -> Response
    ) async throws -> Response {
        do {
            return try await next(request, context)
        } catch let failure as DatabaseFailure {
            logger.error("The database failed", metadata: ["failure": "\(failure)", "requestId": "\(context.id)"])
            switch failure.kind {
            case .unavailable, .retryable, .locked:
                throw Problem.unavailable(
                    code: "database_unavailable", detail: "The database does not answer. Repeat the request with the same key.", retryAfterSeconds: 2)
            case .diskFull:
                throw Problem.unavailable(
                    code: "disk_full", detail: "The disk is full: nothing was written. Reading goes on. Make room, then repeat the request.",
                    retryAfterSeconds: 30)
            // A disk that fails while a page is read looks like a damaged file.
            case .disk, .readOnly, .corrupt:
                throw Problem.unavailable(
                    code: "writes_stopped", detail: "The disk failed or a file is damaged, and writing has stopped. Reading goes on. See the log, then start Kith again.",
                    retryAfterSeconds: 60)
            default:
                throw failure
            }
        }
    }
}
