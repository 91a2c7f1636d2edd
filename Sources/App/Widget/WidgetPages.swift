import Chronology
import HTTPTypes
import Hummingbird
import NIOCore
import Persistence
import Web

/// The widget: a member's link, friends and rewards inside a page of the company's site, or by itself in its app.
enum WidgetPages {
    static let path = "/embed/widget"

    static func add(to api: inout API, site: Site) {
        let door = WidgetDoor(installation: api.installation, site: site)
        api.table.note(.get, path)
        api.table.note(.post, path)
        api.table.note(.get, "/widget.js")
        api.router.get("/embed/widget") { request, context in try await door.show(request, context) }
        api.router.post("/embed/widget") { request, context in try await door.choose(request, context) }
        let script = script(site.catalogue)
        api.router.get("/widget.js") { _, _ in
            Response(
                status: .ok,
                headers: [
                    .contentType: "text/javascript; charset=utf-8", .cacheControl: "public, max-age=3600", .accessControlAllowOrigin: "*",
                    .crossOriginResourcePolicy: "cross-origin",
                ], body: ResponseBody(byteBuffer: ByteBuffer(string: script)))
        }
    }

    /// The script with its few words in every language that friends are spoken to in.
    private static func script(_ catalogue: MessageCatalogue) -> String {
        let words = catalogue.spokenLocales(for: .friends).map { locale in
            let messages = catalogue.messages(for: locale, audience: .friends)
            let own: JSONValue = .object([
                JSONMember("label", .text(messages("widget.label"))), JSONMember("close", .text(messages("widget.close"))),
            ])
            return JSONMember(String(locale.prefix { $0 != "-" }), own)
        }
        let script = Embedded.files(.scripts).first { $0.name.hasSuffix("widget.js") }?.bytes ?? []
        return String(decoding: script, as: UTF8.self).replacing("const WORDS = {};", with: "const WORDS = \(JSONText(.object(words)).text);", maxReplacements: 1)
    }
}

/// A token of its own lets a page in; there is no cookie, for frames of other sites have none.
struct WidgetDoor: Sendable {
    let installation: Installation
    let site: Site

    func show(_ request: Request, _ context: KithContext) async throws -> Response {
        let text = request.uri.queryParameters["token"].map(String.init) ?? ""
        let isPopup = request.uri.queryParameters["mode"].map(String.init) == "popup"
        return try await show(request, context, text, isPopup: isPopup, done: request.uri.queryParameters["done"] != nil)
    }

    /// Takes one of the kinds of a reward that its receiver may choose among.
    func choose(_ request: Request, _ context: KithContext) async throws -> Response {
        let fields = try await request.form()
        let text = fields["token"] ?? ""
        guard let token = token(text, context) else { return try ended(request, context) }
        guard let id = fields["rewardId"].flatMap({ RewardID($0) }), let choice = fields["choice"].flatMap({ Int($0) }) else { throw Problem.notFound() }
        do {
            try await installation.write(token.workspaceID, actor: .member(token.memberID)) { write in
                guard let member = try MemberStore.find(token.memberID, in: write.workspace.id, on: write.connection), member.mayEnterPortal else {
                    throw Problem.notFound()
                }
                try Reward.choose(id, choice, by: member.id, in: write)
            }
        } catch let problem as Problem where problem.status == .conflict || problem.status == .unprocessableContent {
            return try await show(request, context, text, isPopup: false, done: false, isRefused: true)
        }
        return Response(
            status: .seeOther, headers: [.location: "\(WidgetPages.path)?token=\(LocalPath.encoded(text))&done=1", .cacheControl: "no-store", .referrerPolicy: "no-referrer"])
    }

    private func show(
        _ request: Request, _ context: KithContext, _ text: String, isPopup: Bool, done: Bool, isRefused: Bool = false
    ) async throws -> Response {
        guard let token = token(text, context),
            let facts = try await installation.main.read({ [vault = installation.vault, world = installation.world] connection in
                try WidgetFacts.find(token, vault: vault, world: world, on: connection)
            })
        else { return try ended(request, context) }
        let zone = facts.member.timeZone.flatMap { Zone($0) } ?? Zone(facts.workspace.timeZone) ?? .utc
        let language = PageLanguage(request, site: site, zone: zone, audience: .friends)
        let model = WidgetModel(
            facts: facts, baseURL: installation.publicURL(of: token.workspaceID), token: text, isPopup: isPopup, isDone: done, isRefused: isRefused, language: language)
        var frame = PageFrame.plain(
            .public, title: model.heading, company: facts.workspace, site: site, language: language, nonce: context.scriptNonce)
        frame.fields["script"] = .text(site.assets.url(for: "portal.js"))
        var response = try site.response(frame: frame, content: "widget", model.page, in: language, status: isRefused ? .conflict : .ok)
        response.mayBeFramed(by: installation.hosts.origins(of: token.workspaceID), nonce: context.scriptNonce)
        // The token stands in the address: no other site may learn it, and nobody's search finds it.
        response.keepAddressHere()
        response.headers[.xRobotsTag] = "noindex"
        return response
    }

    private func token(_ text: String, _ context: KithContext) -> EmbedToken? {
        guard let token = EmbedToken(text: text, installation.secrets, at: installation.world.now()), token.use == .widget, context.isOf(token.workspaceID) else {
            return nil
        }
        return token
    }

    private func ended(_ request: Request, _ context: KithContext) throws -> Response {
        try EmbedEntrance(installation: installation, site: site).ended(request, context)
    }
}
