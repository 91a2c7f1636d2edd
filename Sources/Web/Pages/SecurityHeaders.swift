public import HTTPTypes
public import Hummingbird

/// A request context that carries the nonce of its answer's scripts.
public protocol PageContext: RequestContext {
    /// Set by `SecurityHeadersMiddleware`; for the `nonce` attribute of script elements.
    var scriptNonce: String { get set }
}

/// What a page may load and who may frame it. The standard policy allows only this server's own files, and scripts only with the nonce.
public struct ContentSecurityPolicy: Sendable, Equatable {
    /// Sources by directive; `script-src` gets the nonce added.
    public var directives: [(name: String, sources: String)]

    public static let standard = ContentSecurityPolicy(directives: [
        ("default-src", "'none'"), ("script-src", ""), ("style-src", "'self'"), ("img-src", "'self' data:"), ("font-src", "'self'"),
        ("connect-src", "'self'"), ("manifest-src", "'self'"), ("form-action", "'self'"), ("frame-ancestors", "'none'"), ("base-uri", "'none'"),
    ])

    public init(directives: [(name: String, sources: String)]) { self.directives = directives }

    /// The policy with one directive changed or added, for instance `frame-ancestors` of a widget.
    public func setting(_ name: String, _ sources: String) -> ContentSecurityPolicy {
        var copy = self
        copy.directives.removeAll { $0.name == name }
        copy.directives.append((name, sources))
        return copy
    }

    /// The header's value.
    public func text(nonce: String) -> String {
        directives.map { directive in
            let sources = directive.name == "script-src" ? "'nonce-\(nonce)' \(directive.sources)" : directive.sources
            return "\(directive.name) \(sources)".trimmingASCIISpace()
        }.joined(separator: "; ")
    }

    public static func == (left: Self, right: Self) -> Bool { left.text(nonce: "") == right.text(nonce: "") }
}

/// The security headers that are the same on every answer.
public enum SecurityHeaders {
    /// Adds those that are not there yet.
    ///
    /// - Parameter isSecure: people come by https: browsers are told to use nothing else.
    public static func addMissing(to headers: inout HTTPFields, isSecure: Bool) {
        func set(_ name: HTTPField.Name, _ value: String) {
            if headers[name] == nil { headers[name] = value }
        }
        set(.xContentTypeOptions, "nosniff")
        set(.referrerPolicy, "strict-origin-when-cross-origin")
        set(.permissionsPolicy, "camera=(), microphone=(), geolocation=(), payment=(), usb=(), browsing-topics=()")
        set(.crossOriginOpenerPolicy, "same-origin")
        set(.crossOriginResourcePolicy, "same-origin")
        if isSecure { set(.strictTransportSecurity, "max-age=63072000; includeSubDomains") }
    }
}

/// Puts the security headers on every answer. A header that a route has set itself stays, which is how a route deviates.
/// It must be the first middleware.
public struct SecurityHeadersMiddleware<Context: PageContext>: RouterMiddleware {
    private let policy: ContentSecurityPolicy
    private let isSecure: Bool

    /// - Parameter baseURL: the address people use; with `https:` browsers are told to use nothing else.
    public init(policy: ContentSecurityPolicy = .standard, baseURL: String) {
        self.policy = policy
        isSecure = baseURL.lowercased().hasPrefix("https://")
    }

    public func handle(
        _ request: Request, context: Context, next: (Request, Context) async throws -> Response
    ) async throws -> Response {
        var context = context
        var random = SystemRandomNumberGenerator()
        context.scriptNonce = Base64URL.encode((0..<16).map { _ in UInt8.random(in: .min ... .max, using: &random) })
        var response = try await next(request, context)
        if response.headers[.contentSecurityPolicy] == nil { response.headers[.contentSecurityPolicy] = policy.text(nonce: context.scriptNonce) }
        SecurityHeaders.addMissing(to: &response.headers, isSecure: isSecure)
        return response
    }
}

extension HTTPField.Name {
    public static let referrerPolicy = HTTPField.Name(ascii: "Referrer-Policy")
    public static let permissionsPolicy = HTTPField.Name(ascii: "Permissions-Policy")
    public static let crossOriginOpenerPolicy = HTTPField.Name(ascii: "Cross-Origin-Opener-Policy")
}
