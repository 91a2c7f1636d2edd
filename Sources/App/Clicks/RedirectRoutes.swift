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
            let drawing = try QRCode(target.link.url(baseURL: installation.publicURL(of: target.link.workspaceID))).svg
            return Response(
                status: .ok, headers: [.contentType: "image/svg+xml", .cacheControl: "public, max-age=86400", .crossOriginResourcePolicy: "cross-origin"],
                body: ResponseBody(byteBuffer: ByteBuffer(string: drawing)))
        }
        api.table.note(.get, "/r/{code}/qr.png")
        api.router.get("/r/{code}/qr.png") { request, context in
            let target = try await redirect.target(request, context)
            let picture = try QRCode(target.link.url(baseURL: installation.publicURL(of: target.link.workspaceID))).png(moduleSize: 8)
            return Response(
                status: .ok, headers: [.contentType: "image/png", .cacheControl: "public, max-age=86400", .crossOriginResourcePolicy: "cross-origin"],
                body: ResponseBody(byteBuffer: ByteBuffer(bytes: picture)))
        }
    }
}

/// Sends a visitor on to the stored destination, after the click is on disk.
///
/// Links that are remembered are answered on the connection's event loop (`answer`); the router's way (`respond`) looks others up,
/// so that the next visit finds them remembered. Both make the same click and the same answer.
struct Redirect: DirectResponder {
    static let path = "/r/"
    static let clickCookie = "kith_click"
    /// What a friend types at the checkout, handed on to the shop by the friend's page.
    static let codeParameter = "kith_code"
    static let visitorCookie = "kith_visitor"
    /// The longest attribution window there can be.
    static let cookieSeconds = 3_650 * 86_400 / 10

    private let installation: Installation
    private let ownHost: String
    /// What every answer has.
    private let headers: HTTPFields
    private let cookieAttributes: String

    init(_ installation: Installation) {
        self.installation = installation
        let isSecure = installation.baseURL.hasPrefix("https:")
        ownHost = installation.ownHost
        var headers: HTTPFields = [
            .cacheControl: "no-store, private", .xRobotsTag: "noindex, nofollow", .referrerPolicy: "no-referrer-when-downgrade",
            .contentSecurityPolicy: "default-src 'none'; frame-ancestors 'none'", .contentLength: "0",
        ]
        SecurityHeaders.addMissing(to: &headers, isSecure: isSecure)
        self.headers = headers
        cookieAttributes = "; Path=/; Max-Age=\(Self.cookieSeconds); SameSite=Lax\(isSecure ? "; Secure" : "")"
    }

    func answer(to request: HTTPRequest, remoteAddress: SocketAddress?, eventLoop: any EventLoop) -> DirectAnswer? {
        guard let path = request.path, path.hasPrefix(Self.path) else { return nil }
        let code = path.dropFirst(Self.path.count).prefix { $0 != "?" }
        guard !code.contains("%"), let folded = Normalised.code(String(code)),
            let target = installation.linkIndex.remembered(host: host(of: request), folded: folded, now: installation.world.now())
        else { return nil }
        let visit = visit(request, to: target, from: installation.clientAddress(peer: remoteAddress?.ipAddress, headers: request.headerFields))
        // An ended link has a page of its own, which the router makes.
        if visit.click.discard == ClickClassifier.expiredLink { return nil }
        guard installation.settings.clickDurability == .wait else {
            installation.clickLog.appendLater(visit.click)
            return .now(response(visit, isStored: true))
        }
        return .later(
            installation.clickLog.append(visit.click, on: eventLoop).map { response(visit, isStored: true) }.recover { error in
                noteUnstored(error)
                return response(visit, isStored: false)
            })
    }

    func respond(_ request: Request, _ context: KithContext) async throws -> Response {
        try await respond(request, context, to: try await target(request, context))
    }

    func respond(_ request: Request, _ context: KithContext, to target: LinkIndex.Target) async throws -> Response {
        let visit = visit(
            request.head, to: target, from: installation.clientAddress(peer: context.remoteAddress?.ipAddress, headers: request.headers))
        let isStored = await store(visit.click)
        if visit.click.discard == ClickClassifier.expiredLink { throw Problem(status: .gone, code: "link_expired", detail: "This link has ended.") }
        let response = response(visit, isStored: isStored)
        return Response(status: response.status, headers: response.headerFields)
    }

    func target(_ request: Request, _ context: KithContext) async throws -> LinkIndex.Target {
        guard let text = context.parameters.get("code"), let folded = Normalised.code(text.removingPercentEncoding ?? text),
            let found = try await find(folded, request)
        else { throw missing }
        return found
    }

    /// The link that stood at a path of another system; nil when its program has not taken the path over. A code without a path is looked
    /// for at hosts of the company's own alone.
    func target(path: String, code: String, _ request: Request) async throws -> LinkIndex.Target? {
        let host = request.uri.host.map(linkHost) ?? host(of: request.head)
        guard !path.isEmpty || !host.isEmpty, let found = try await find(code, request), found.linkPaths.contains(path) else { return nil }
        guard path.isEmpty else { return found }
        // Anybody may send any Host header: the host must be the company's.
        let now = installation.world.now()
        let owner = try await installation.linkIndex.owner(ofDomain: host, now: now) ?? installation.hosts.place(of: host)?.workspace.id
        return owner == found.link.workspaceID ? found : nil
    }

    private func find(_ folded: String, _ request: Request) async throws -> LinkIndex.Target? {
        let now = installation.world.now()
        let host = request.uri.host.map(linkHost) ?? host(of: request.head)
        if !host.isEmpty, let found = try await onShortDomain(host, folded, now) { return found }
        guard let found = try await installation.linkIndex.find(host: "", folded: folded, now: now) else { return nil }
        // A company's own domain answers for nobody else's codes.
        if !host.isEmpty, let owner = try await installation.linkIndex.owner(ofDomain: host, now: now), owner != found.link.workspaceID {
            return nil
        }
        return found
    }

    private func onShortDomain(_ host: String, _ folded: String, _ now: Instant) async throws -> LinkIndex.Target? {
        do {
            return try await installation.linkIndex.find(host: host, folded: folded, now: now)
        } catch let failure as DatabaseFailure where failure.kind == .unavailable {
            // Hosts without links of their own are not remembered: the code may be one that all hosts share.
            return nil
        }
    }

    private struct Visit {
        var click: Click
        var destination: String
        /// What is added to the destination besides the click.
        var code: String?
        var visitor: Identifier<VisitorKind>?
    }

    private func visit(_ request: HTTPRequest, to target: LinkIndex.Target, from address: String?) -> Visit {
        let link = target.link
        let fields = request.headerFields
        let now = Workspace.now(installation.world, aheadMs: target.aheadMs)
        let known = target.isCookieless ? nil : Self.visitor(of: fields)
        let visitor = target.isCookieless ? nil : known ?? installation.world.newID(VisitorKind.self)
        let hashed = installation.addresses.hash(address, workspace: link.workspaceID, at: now)
        let discard = link.isExpired(at: now) ? ClickClassifier.expiredLink : installation.classifier.discard(
            ClickClassifier.Request(
                method: request.method.rawValue, userAgent: fields[.userAgent], secFetchDest: fields[.secFetchDest],
                secFetchMode: fields[.secFetchMode], secFetchSite: fields[.fetchSite], accept: fields[.accept],
                purpose: fields[.purpose] ?? fields[.secPurpose] ?? fields[.xPurpose] ?? fields[.xMoz]),
            address: hashed, link: link.id.text, at: now)
        let (variant, destination) = link.destination(draw: link.variants.isEmpty ? 0 : installation.world.random.below(UInt64.max))
        let path = request.path ?? ""
        let query = path.utf8.contains(UInt8(ascii: "?")) ? Installation.query(path) : [:]
        let click = Click(
            id: installation.world.newID(), workspaceID: link.workspaceID, programID: link.programID, linkID: link.id, memberID: link.memberID,
            kind: link.kind == .paid ? .paid : .link, visitorID: visitor?.text, at: now, addressHash: hashed,
            userAgent: fields[.userAgent].map { String($0.prefix(300)) }, referrer: fields[.referer].flatMap(Installation.withoutQuery), url: nil,
            country: nil, variant: variant, discard: discard,
            signals: query.isEmpty ? .empty : Installation.signals(query))
        let code = query[Self.codeParameter].flatMap { Normalised.code($0) == nil ? nil : $0 }
        return Visit(click: click, destination: destination, code: code, visitor: visitor)
    }

    private func response(_ visit: Visit, isStored: Bool) -> HTTPResponse {
        var headers = headers
        let click = visit.click.id.text
        let added = (isStored ? [(Self.clickCookie, click)] : []) + (visit.code.map { [(Self.codeParameter, $0)] } ?? [])
        headers[.location] = Destination.adding(added, to: visit.destination)
        if isStored, let visitor = visit.visitor {
            headers.append(HTTPField(name: .setCookie, value: "\(Self.clickCookie)=\(click)\(cookieAttributes)"))
            headers.append(cookie(of: visitor))
        }
        return HTTPResponse(status: .found, headerFields: headers)
    }

    /// By which a browser is known again.
    func cookie(of visitor: Identifier<VisitorKind>) -> HTTPField {
        HTTPField(name: .setCookie, value: "\(Self.visitorCookie)=\(visitor.text)\(cookieAttributes)")
    }

    static func visitor(of fields: HTTPFields) -> Identifier<VisitorKind>? {
        RequestCookies(fields)[visitorCookie].flatMap { Identifier<VisitorKind>($0) }
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
            noteUnstored(error)
            return false
        }
    }

    private func noteUnstored(_ error: any Error) {
        installation.logger.error("A click was not stored", metadata: ["error": "\(error)"])
    }

    /// The host that a link was asked for at; '' for the server's own.
    private func host(of request: HTTPRequest) -> String { linkHost(request.authority ?? "") }

    private func linkHost(_ authority: String) -> String {
        var name = authority.prefix { $0 != ":" }.lowercased()
        if name.hasSuffix(".") { name.removeLast() }
        return name == ownHost ? "" : name
    }

    private var missing: Problem { Problem(status: .notFound, code: "link_missing", detail: "This link is not known.") }
}

/// The cookies of a request; the first of a name wins.
struct RequestCookies {
    private var values: [String: String] = [:]

    init(_ request: Request) { self.init(request.headers) }

    init(_ fields: HTTPFields) {
        for header in fields[values: .cookie] {
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
