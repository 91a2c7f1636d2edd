import Attribution
import Chronology
import Foundation
import HTTPTypes
import Hummingbird
import Logging
import NIOCore
import Persistence
import Web

/// The public address of links: `/r/CODE` and its QR codes.
enum RedirectRoutes {
    static func add(to api: inout API) {
        let installation = api.installation
        let redirect = Redirect(installation)
        for method in [HTTPRequest.Method.get, .head] {
            api.table.note(method, "/r/{code}")
            api.router.on("/r/{code}", method: method) { request, context in try await redirect.respond(request, context) }
        }
        api.table.note(.get, "/r/{code}/qr.svg")
        api.router.get("/r/{code}/qr.svg") { request, context in
            let target = try await redirect.target(request, context)
            let drawing = try QRCode(target.link.url(baseURL: installation.baseURL)).svg
            return Response(
                status: .ok, headers: [.contentType: "image/svg+xml", .cacheControl: "public, max-age=86400", .crossOriginResourcePolicy: "cross-origin"],
                body: ResponseBody(byteBuffer: ByteBuffer(string: drawing)))
        }
        api.table.note(.get, "/r/{code}/qr.png")
        api.router.get("/r/{code}/qr.png") { request, context in
            let target = try await redirect.target(request, context)
            let picture = try QRCode(target.link.url(baseURL: installation.baseURL)).png(moduleSize: 8)
            return Response(
                status: .ok, headers: [.contentType: "image/png", .cacheControl: "public, max-age=86400", .crossOriginResourcePolicy: "cross-origin"],
                body: ResponseBody(byteBuffer: ByteBuffer(bytes: picture)))
        }
    }
}

/// Sends a visitor on to the stored destination, after the click is on disk.
struct Redirect: Sendable {
    static let clickCookie = "kith_click"
    static let visitorCookie = "kith_visitor"
    /// The longest attribution window there can be.
    static let cookieSeconds = 3_650 * 86_400 / 10

    private let installation: Installation

    init(_ installation: Installation) { self.installation = installation }

    func target(_ request: Request, _ context: KithContext) async throws -> LinkIndex.Target {
        guard let text = context.parameters.get("code"), let folded = Normalised.code(text.removingPercentEncoding ?? text) else { throw missing }
        let now = installation.world.now()
        let host = installation.linkHost(of: request)
        if !host.isEmpty, let found = try await installation.linkIndex.find(host: host, folded: folded, now: now) { return found }
        guard let found = try await installation.linkIndex.find(host: "", folded: folded, now: now) else { throw missing }
        // A company's own domain answers for nobody else's codes.
        if !host.isEmpty, let owner = try await installation.linkIndex.owner(ofDomain: host, now: now), owner != found.link.workspaceID {
            throw missing
        }
        return found
    }

    func respond(_ request: Request, _ context: KithContext) async throws -> Response {
        let target = try await target(request, context)
        let link = target.link
        let now = Workspace.now(installation.world, aheadMs: target.aheadMs)
        let cookies = RequestCookies(request)
        let known = target.isCookieless ? nil : cookies[Self.visitorCookie].flatMap { Identifier<VisitorKind>($0) }
        let visitor = target.isCookieless ? nil : known ?? installation.world.newID(VisitorKind.self)
        let address = installation.clientAddress(of: request, context)
        let hashed = installation.addresses.hash(address, workspace: link.workspaceID, at: now)
        let isExpired = link.isExpired(at: now)
        let discard = isExpired ? "expiredLink" : installation.classifier.discard(
            ClickClassifier.Request(
                method: request.method.rawValue, userAgent: request.headers[.userAgent], secFetchDest: request.headers[.secFetchDest],
                secFetchMode: request.headers[.secFetchMode], secFetchSite: request.headers[.fetchSite],
                purpose: request.headers[.purpose] ?? request.headers[.secPurpose] ?? request.headers[.xPurpose] ?? request.headers[.xMoz]),
            address: hashed, link: link.id.text, at: now)
        let (variant, destination) = link.destination(draw: installation.world.random.below(UInt64.max))
        let uri = request.uri.string
        let click = Click(
            id: installation.world.newID(), workspaceID: link.workspaceID, programID: link.programID, linkID: link.id, memberID: link.memberID,
            kind: link.kind == .paid ? .paid : .link, visitorID: visitor?.text, at: now, addressHash: hashed,
            userAgent: request.headers[.userAgent].map { String($0.prefix(300)) },
            referrer: request.headers[.referer].flatMap(Installation.withoutQuery), url: nil, country: nil, variant: variant, discard: discard,
            signals: uri.contains("?") ? Installation.signals(Installation.query(uri)) : .empty)
        let isStored = await store(click)
        if isExpired { throw Problem(status: .gone, code: "link_expired", detail: "This link has ended.") }
        var headers: HTTPFields = [
            .location: isStored ? Destination.adding([(Self.clickCookie, click.id.text)], to: destination) : destination,
            .cacheControl: "no-store, private", .xRobotsTag: "noindex, nofollow", .referrerPolicy: "no-referrer-when-downgrade",
        ]
        if isStored, let visitor {
            headers.append(HTTPField(name: .setCookie, value: cookie(Self.clickCookie, click.id.text)))
            headers.append(HTTPField(name: .setCookie, value: cookie(Self.visitorCookie, visitor.text)))
        }
        return Response(status: .found, headers: headers)
    }

    /// Whether the click is kept. While it cannot be (a full disk), the visitor is sent on without a click id.
    private func store(_ click: Click) async -> Bool {
        if installation.settings.clickDurability == .after {
            installation.clickLog.appendLater(click)
            return true
        }
        do {
            try await installation.clickLog.append(click)
            return true
        } catch {
            installation.logger.error("A click was not stored", metadata: ["error": "\(error)"])
            return false
        }
    }

    private func cookie(_ name: String, _ value: String) -> String {
        "\(name)=\(value); Path=/; Max-Age=\(Self.cookieSeconds); SameSite=Lax\(installation.baseURL.hasPrefix("https:") ? "; Secure" : "")"
    }

    private var missing: Problem { Problem(status: .notFound, code: "link_missing", detail: "This link is not known.") }
}

/// The cookies of a request; the first of a name wins.
struct RequestCookies {
    private var values: [String: String] = [:]

    init(_ request: Request) {
        for header in request.headers[values: .cookie] {
            for part in header.split(separator: ";").prefix(100) {
                let pair = part.split(separator: "=", maxSplits: 1)
                guard pair.count == 2 else { continue }
                let name = pair[0].trimmingPrefix(while: { $0 == " " })
                if values[String(name)] == nil { values[String(name)] = String(pair[1]) }
            }
        }
    }

    subscript(name: String) -> String? { values[name] }
}

extension HTTPField.Name {
    static let secFetchDest = HTTPField.Name(ascii: "Sec-Fetch-Dest")
    static let secFetchMode = HTTPField.Name(ascii: "Sec-Fetch-Mode")
    static let fetchSite = HTTPField.Name(ascii: "Sec-Fetch-Site")
    static let purpose = HTTPField.Name(ascii: "Purpose")
    static let secPurpose = HTTPField.Name(ascii: "Sec-Purpose")
    static let xPurpose = HTTPField.Name(ascii: "X-Purpose")
    static let xMoz = HTTPField.Name(ascii: "X-Moz")
    static let xRobotsTag = HTTPField.Name(ascii: "X-Robots-Tag")
    static let xForwardedFor = HTTPField.Name(ascii: "X-Forwarded-For")
    static let xForwardedHost = HTTPField.Name(ascii: "X-Forwarded-Host")
}
