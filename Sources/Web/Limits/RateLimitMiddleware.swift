public import HTTPTypes
public import Hummingbird

/// Refuses requests over the limit with 429, and tells every caller how much is left.
public struct RateLimitMiddleware<Context: RequestContext>: RouterMiddleware {
    private let limiter: RateLimiter
    private let key: @Sendable (Request, Context) -> String?

    /// - Parameter key: whose request it is; nil for requests that are not limited.
    public init(_ limiter: RateLimiter, key: @escaping @Sendable (Request, Context) -> String?) {
        self.limiter = limiter
        self.key = key
    }

    public func handle(
        _ request: Request, context: Context, next: (Request, Context) async throws -> Response
    ) async throws -> Response {
        guard let key = key(request, context) else { return try await next(request, context) }
        let decision = limiter.take(key)
        guard decision.isAllowed else {
            var problem = Problem.tooManyRequests(retryAfterSeconds: decision.retryAfterSeconds)
            decision.describe(in: &problem.headers)
            throw problem
        }
        do {
            var response = try await next(request, context)
            decision.describe(in: &response.headers)
            return response
        } catch var problem as Problem {
            decision.describe(in: &problem.headers)
            throw problem
        }
    }
}

extension RateLimitDecision {
    /// Sets the `RateLimit-…` headers.
    public func describe(in headers: inout HTTPFields) {
        headers[.rateLimitLimit] = String(limit)
        headers[.rateLimitRemaining] = String(remaining)
        headers[.rateLimitReset] = String(resetSeconds)
    }
}

extension HTTPField.Name {
    static let rateLimitLimit = HTTPField.Name(ascii: "RateLimit-Limit")
    static let rateLimitRemaining = HTTPField.Name(ascii: "RateLimit-Remaining")
    static let rateLimitReset = HTTPField.Name(ascii: "RateLimit-Reset")
}
