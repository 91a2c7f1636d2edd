import HTTPTypes
import Hummingbird
import Web

extension Request {
    /// The host that a request was made to. An address that names one wins over the header (RFC 9112, 3.2.2).
    var askedHost: String? { uri.host ?? head.authority }
}

/// Tells the hosts of companies from the server's own. Under a company's host there is what members and friends need, and nothing else.
struct CompanyHostMiddleware: RouterMiddleware {
    typealias Context = KithContext

    let installation: Installation

    /// Beginnings of paths that a company's host answers.
    static let served = [
        "/portal", "/join/", "/join-confirmation", "/r/", "/f/", "/robots.txt", "/sitemap.xml", "/mail/stop/", "/unwanted/", "/survey/", "/embed", "/assets/", "/brand/", "/kith.js", "/widget.js", "/healthz", "/domains/ask",
        "/api/v1/embed/", "/api/v1/track/click", "/api/v1/track/lead",
    ]

    func handle(_ request: Request, context: KithContext, next: (Request, KithContext) async throws -> Response) async throws -> Response {
        await installation.hosts.refresh(at: installation.world.now())
        guard let place = installation.hosts.place(of: request.askedHost) else { return try await next(request, context) }
        var context = context
        context.company = place
        var response: Response
        if request.uri.path == "/", request.method == .get || request.method == .head {
            response = Response(status: .seeOther, headers: [.location: "/portal", .cacheControl: "no-store"])
        } else if installation.settings.companyHostsServeAll || Self.isServed(request.uri.path) {
            response = try await next(request, context)
        } else {
            throw Problem.notFound(detail: "This address serves members and friends of \(place.host). The team's pages and the API are at the server's own address.")
        }
        // Only this host: what else the company has under its name is not ours to speak for.
        if installation.baseURL.lowercased().hasPrefix("https://") { response.headers[.strictTransportSecurity] = "max-age=63072000" }
        return response
    }

    static func isServed(_ path: String) -> Bool {
        served.contains { path.hasPrefix($0) && (path.count == $0.count || $0.hasSuffix("/") || path.dropFirst($0.count).hasPrefix("/")) }
    }
}
