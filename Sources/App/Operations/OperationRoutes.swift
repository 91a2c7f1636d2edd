import Hummingbird
import HTTPTypes
import NIOCore
import Persistence
import Web

/// Health, metrics and the API's own description.
enum OperationRoutes {
    static func add(to api: inout API, site: Site) {
        let installation = api.installation
        for path in ["/healthz", "/readyz", "/metrics", "\(API.base)/openapi.json", "/kith.js"] { api.table.note(.get, path) }
        api.router.get("/healthz") { _, _ in text("ok") }
        api.router.get("/readyz") { _, _ in
            for store in [installation.main, installation.clicks, installation.keys] {
                try await store.read { connection in try OperationStore.answers(on: connection) }
                if let stop = store.writeStop {
                    throw Problem.unavailable(code: "writes_stopped", detail: "\(stop.prefix(1).uppercased() + stop.dropFirst()). Reading goes on.", retryAfterSeconds: 60)
                }
            }
            return text("ready")
        }
        api.router.get("/metrics") { _, _ in text(try await Metrics.text(installation)) }
        // Written when somebody asks first: it takes longer than the rest of starting up.
        let (operations, baseURL) = (api.table.operations, installation.baseURL)
        let written = Memo<String, [UInt8]>(limit: 1)
        api.router.get("\(RouterPath(API.base))/openapi.json") { _, _ in
            let description = written.value(baseURL) { OpenAPI.document(operations, baseURL: baseURL) }
            return Response(
                status: .ok, headers: [.contentType: "application/json", .accessControlAllowOrigin: "*"],
                body: ResponseBody(byteBuffer: ByteBuffer(bytes: description)))
        }
        let snippet = Embedded.files(.scripts).first { $0.name.hasSuffix("kith.js") }?.bytes ?? []
        api.router.get("/kith.js") { _, _ in
            Response(
                status: .ok,
                headers: [
                    .contentType: "text/javascript; charset=utf-8", .cacheControl: "public, max-age=3600", .accessControlAllowOrigin: "*",
                    .crossOriginResourcePolicy: "cross-origin",
                ], body: ResponseBody(byteBuffer: ByteBuffer(bytes: snippet)))
        }
        CrossOrigin.add(to: &api)
    }

    private static func text(_ text: String) -> Response {
        Response(
            status: .ok, headers: [.contentType: "text/plain; charset=utf-8", .cacheControl: "no-store"],
            body: ResponseBody(byteBuffer: ByteBuffer(string: text)))
    }
}

/// The description of the API, made of its operations.
enum OpenAPI {
    static func document(_ operations: [Operation<Access>], baseURL: String) -> [UInt8] {
        OpenAPIDocument(title: "Kith", version: Event.apiVersion, serverURL: baseURL + API.base, schemas: Schemas.all, webhooks: webhooks)
            .json(operations) { access in
                switch access {
                case .anyone: (false, "Anyone may call this.")
                case .embedToken: (true, "A token of POST /tokens/embed, in place of a key.")
                case .browser(let right): (true, "A publishable key, or the right \(right.rawValue).")
                case .right(let right): (true, "The right \(right.rawValue).")
                }
            }.bytes
    }

    static let webhooks = EventType.allCases.map {
        OpenAPIWebhook(name: $0.rawValue, summary: EventCatalogue.entry($0).when, body: EventCatalogue.envelope($0))
    }
}

/// Calls that pages of other sites make with a publishable key.
enum CrossOrigin {
    static let paths = ["/track/click", "/track/lead", "/embed/member"]

    static func add(to api: inout API) {
        for path in paths {
            api.table.note(.options, API.base + path)
            api.router.on("\(RouterPath(API.base + path))", method: .options) { _, _ in
                Response(
                    status: .noContent,
                    headers: [
                        .accessControlAllowOrigin: "*", .accessControlAllowMethods: "GET, POST", .accessControlMaxAge: "86400",
                        .accessControlAllowHeaders: "Authorization, Content-Type, Idempotency-Key",
                    ])
            }
        }
    }
}

/// Lets pages of other sites read the answers of the calls that browsers make. Keys, not cookies, say who calls.
struct CrossOriginMiddleware: RouterMiddleware {
    func handle(
        _ request: Request, context: KithContext, next: (Request, KithContext) async throws -> Response
    ) async throws -> Response {
        var response = try await next(request, context)
        if CrossOrigin.paths.contains(where: { request.uri.path == API.base + $0 }) {
            response.headers[.accessControlAllowOrigin] = "*"
            response.headers[.crossOriginResourcePolicy] = "cross-origin"
        }
        return response
    }
}
