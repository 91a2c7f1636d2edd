public import HTTPTypes
public import Hummingbird
import Logging
import NIOCore

/// Draws a problem for people. The application implements it with its own page frame.
public protocol ProblemPage<Context>: Sendable {
    associatedtype Context: RequestContext

    /// The page for a problem; it must not throw. Status and headers of the problem are put on it afterwards.
    func response(for problem: Problem, request: Request, context: Context) async -> Response
}

/// Turns whatever a handler throws into an answer, gives each answer its request id, and logs what nobody expected.
/// It must be added before any route, right after the security headers.
public struct ProblemMiddleware<Context: RequestContext>: RouterMiddleware {
    /// Paths with one of these prefixes always get JSON.
    private let programPrefixes: [String]
    private let page: (any ProblemPage<Context>)?
    private let allowedMethods: @Sendable (String) -> [HTTPRequest.Method]

    /// - Parameter allowedMethods: the methods that routes have at a path, so that 405 is told from 404.
    public init(
        programPrefixes: [String] = ["/api/"], page: (any ProblemPage<Context>)? = nil,
        allowedMethods: @escaping @Sendable (String) -> [HTTPRequest.Method] = { _ in [] }
    ) {
        self.programPrefixes = programPrefixes
        self.page = page
        self.allowedMethods = allowedMethods
    }

    public func handle(
        _ request: Request, context: Context, next: (Request, Context) async throws -> Response
    ) async throws -> Response {
        var response: Response
        do {
            response = try await next(request, context)
        } catch {
            response = await answer(problem(for: error, request: request, context: context), request, context)
        }
        response.headers[.requestId] = context.id
        return response
    }

    private func problem(for error: any Error, request: Request, context: Context) -> Problem {
        if let problem = error as? Problem { return problem }
        if error is NIOTooManyBytesError { return .contentTooLarge(maximumBytes: context.maxUploadSize) }
        if let error = error as? any HTTPResponseError, error.status.code < 500 {
            return problem(status: error.status, request: request, detail: (error as? HTTPError)?.body ?? "")
        }
        context.logger.error(
            "Unexpected error",
            metadata: [
                "error": "\(String(reflecting: error))", "method": "\(request.method.rawValue)", "path": "\(request.uri.path)",
                "requestId": "\(context.id)",
            ])
        return .internalError
    }

    private func problem(status: HTTPResponse.Status, request: Request, detail: String) -> Problem {
        switch status {
        case .notFound:
            let allowed = allowedMethods(request.uri.path)
            return allowed.isEmpty || allowed.contains(request.method) ? .notFound() : .methodNotAllowed(allowed)
        case .contentTooLarge:
            return Problem(status: status, code: "content_too_large", detail: detail, headers: [.connection: "close"])
        default:
            let code = status.reasonPhrase.lowercased().map { $0.isLetter ? String($0) : "_" }.joined()
            return Problem(status: status, code: code.isEmpty ? "error" : code, detail: detail)
        }
    }

    private func answer(_ problem: Problem, _ request: Request, _ context: Context) async -> Response {
        guard let page, wantsPage(request) else { return problem.response(requestId: context.id) }
        var response = await page.response(for: problem, request: request, context: context)
        response.status = problem.status
        for field in problem.headers { response.headers[field.name] = field.value }
        response.headers[.cacheControl] = "no-store"
        return response
    }

    private func wantsPage(_ request: Request) -> Bool {
        let path = request.uri.path
        if programPrefixes.contains(where: { path.hasPrefix($0) }) { return false }
        return request.headers[values: .accept].contains { $0.contains("text/html") }
    }
}
