import Chronology
import HTTPTypes
import Hummingbird
import NIOCore
import Web

/// One request of a member who is signed in: a page of the portal can only be about the member who asks.
struct PortalVisit: Sendable {
    let request: Request
    let context: KithContext
    let session: MemberSession
    let language: PageLanguage
    /// What the workspace calls now.
    let now: Instant
    let query: FormFields
    let installation: Installation
    let site: Site

    init(_ passed: Passed<MemberSession>) throws {
        request = passed.request
        context = passed.context
        session = passed.session
        installation = passed.installation
        site = passed.site
        now = session.workspace.now(installation.world)
        // Another company's host has nothing to do with this session.
        guard context.isOf(session.workspace.id) else { throw Problem.notFound() }
        let zone = session.member.timeZone.flatMap { Zone($0) } ?? Zone(session.workspace.timeZone) ?? .utc
        let isAsked = request.uri.queryParameters["lang"] != nil
        if !isAsked, let locale = session.member.locale {
            language = PageLanguage(messages: site.catalogue.messages(for: locale), zone: zone)
        } else {
            language = PageLanguage(request, site: site, zone: zone)
        }
        query = try FormFields.parse(ByteBuffer(string: request.uri.query ?? ""))
    }

    var member: Member { session.member }
    var workspaceID: WorkspaceID { session.workspace.id }
    var csrfToken: String { session.csrf(installation).text() }

    func page(_ template: String, title: String, tab: PortalTab?, notice: String? = nil, status: HTTPResponse.Status = .ok, _ model: PageObject) throws
        -> Response
    {
        var response = try site.response(frame: .portal(title: title, tab: tab, notice: notice, visit: self), content: template, model, in: language, status: status)
        response.mayBeFramed(by: installation.hosts.origins(of: workspaceID), nonce: context.scriptNonce)
        return response
    }

    func seeOther(_ path: String) -> Response { Response(status: .seeOther, headers: [.location: path, .cacheControl: "no-store"]) }

    func write<T: Sendable>(_ body: @escaping @Sendable (Write) throws -> T) async throws -> T {
        try await installation.write(workspaceID, actor: session.actor, rights: [], body)
    }
}

enum PortalTab: String, Sendable, CaseIterable {
    case today, share, earnings, profile

    var path: String { self == .today ? "/portal" : "/portal/\(rawValue)" }
}

typealias PortalGate = Gate<PortalVisit>

extension PortalVisit: Visit {
    typealias Entrance = PortalDoor

    static func turnAway(_ request: Request) -> Response {
        // In a frame nobody can sign in: its session has ended, and the page around it has to ask for another.
        Response(
            status: .seeOther,
            headers: [.location: request.headers[.secFetchDest] == "iframe" ? EmbedEntrance.endedPath : "/portal/sign-in", .cacheControl: "no-store"])
    }

    func answer(_ problem: Problem) throws -> Response {
        try page(
            "portal-problem", title: language("portalProblem.title"), tab: nil, status: problem.status,
            ["missing": .flag(problem.status == .notFound), "requestId": .text(context.id)])
    }
}

extension API {
    mutating func portalPage(_ path: String, _ gate: PortalGate, _ handler: @escaping @Sendable (PortalVisit) async throws -> Response) {
        table.note(.get, path)
        router.on(RouterPath(path), method: .get) { request, context in try await gate.visit(request, context, handler) }
    }

    mutating func portalForm(_ path: String, _ gate: PortalGate, _ handler: @escaping @Sendable (PortalVisit, FormFields) async throws -> Response) {
        table.note(.post, path)
        router.on(RouterPath(path), method: .post) { request, context in try await gate.form(request, context, handler) }
    }
}

extension PageFrame {
    /// The frame of a member's page: tabs under the thumb, the workspace's colour.
    static func portal(title: String, tab: PortalTab?, notice: String?, visit: PortalVisit) -> PageFrame {
        let language = visit.language
        var fields = common(visit.site, language, visit.context.scriptNonce, brandURL: visit.session.workspace.themeURL)
        fields["workspace"] = ["name": .text(visit.session.workspace.name), "test": .flag(visit.session.workspace.isTest)]
        fields["logo"] = PageValue(visit.session.workspace.logoURL)
        fields["tabs"] = PageValue(
            PortalTab.allCases.map { item in
                PageObject([
                    "url": .text(item.path), "title": .text(language("portalFrame.\(item.rawValue)")), "current": .flag(item == tab),
                    "icon": .text("tab-\(item.rawValue)"),
                ])
            })
        fields["notice"] = PageValue(notice)
        fields["script"] = .text(visit.site.assets.url(for: "portal.js"))
        return PageFrame(kind: .portal, title: title, fields: fields)
    }
}
