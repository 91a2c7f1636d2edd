import Chronology
import HTTPTypes
import Hummingbird
import Money
import NIOCore
import Persistence
import Rules
import Web

/// The public page that greets a friend, `/f/CODE`, and the picture that stands beside its address where it is shared.
enum FriendPages {
    static func add(to api: inout API, site: Site) {
        let door = FriendDoor(installation: api.installation, redirect: Redirect(api.installation), site: site)
        for path in ["/f/{code}", "/f/{code}/picture.png"] { api.table.note(.get, path) }
        api.router.get("/f/{code}") { request, context in try await door.show(request, context) }
        api.router.get("/f/{code}/picture.png") { request, context in try await door.picture(request, context) }
    }
}

struct FriendDoor: Sendable {
    static let path = "/f/"
    static let rulesMax = 50
    /// Pictures that are remembered, some 30 kB each.
    static let picturesMax = 300

    let installation: Installation
    let redirect: Redirect
    let site: Site
    private let pictures = Memo<FriendPicture, [UInt8]>(limit: picturesMax)

    init(installation: Installation, redirect: Redirect, site: Site) {
        self.installation = installation
        self.redirect = redirect
        self.site = site
    }

    private struct Place: Sendable {
        var link: Link
        var workspace: Workspace
        var program: Program
        var page: FriendPage
        var offer: FriendOffer.Source
        /// What the page's texts are tried by.
        var trials: [Experiment]
        /// Nil for a link of the company's own.
        var name: String?
        var words: String?
        var theme: Theme
        var isOver: Bool
    }

    func show(_ request: Request, _ context: KithContext) async throws -> Response {
        guard var place = try await find(request, context) else { return try missing(request, context) }
        let language = PageLanguage(request, site: site, zone: Zone(place.workspace.timeZone) ?? .utc, audience: .friends)
        let trial = try await FriendTrial.show(place.trials, of: place.program, link: place.link, to: request, context, in: language, installation)
        place.page = trial?.changing(place.page) ?? place.page
        let model = model(place, language)
        let base = installation.publicURL(of: place.workspace.id) + Self.path + LocalPath.encoded(place.link.code)
        var frame = PageFrame.plain(
            .public, title: model.headline, company: place.workspace, site: site, language: language, nonce: context.scriptNonce)
        frame.fields["social"] = [
            "title": .text(model.title), "description": .text(model.description), "url": .text(base), "picture": .text(base + "/picture.png" + picture(in: language)),
            "pictureText": .text(model.title), "site": .text(place.workspace.name), "locale": .text(language.messages.locale),
        ]
        var response = try site.response(
            frame: frame, content: "friend", model.page, in: language, status: place.isOver ? .gone : .ok)
        response.headers[.xRobotsTag] = "noindex"
        if let visitor = trial?.newVisitor { response.headers.append(redirect.cookie(of: visitor)) }
        return response
    }

    /// Whoever fetches the picture for a preview speaks no language: the page's own goes with its address.
    private func picture(in language: PageLanguage) -> String {
        language.messages.locale == MessageCatalogue.defaultLocale ? "" : "?lang=" + language.messages.locale
    }

    func picture(_ request: Request, _ context: KithContext) async throws -> Response {
        guard let place = try await find(request, context) else { throw Problem.notFound() }
        let language = PageLanguage(request, site: site, zone: Zone(place.workspace.timeZone) ?? .utc, audience: .friends)
        let model = model(place, language)
        let accent = place.theme.colour("--accent", isDark: false) ?? ThemeColour(red: 0, green: 0.45, blue: 0.6)
        let wanted = FriendPicture(
            company: place.workspace.name, from: model.from, headline: model.headline, initials: model.initials, accent: accent,
            isRightToLeft: language.messages.isRightToLeft)
        let bytes = try pictures.value(wanted) { try wanted.png() }
        return Response(
            status: .ok, headers: [.contentType: "image/png", .cacheControl: "public, max-age=3600", .crossOriginResourcePolicy: "cross-origin", .xRobotsTag: "noindex"],
            body: ResponseBody(byteBuffer: ByteBuffer(bytes: bytes)))
    }

    private func model(_ place: Place, _ language: PageLanguage) -> FriendModel {
        FriendModel(
            offer: FriendOffer(place.offer, program: place.program, language: language), page: place.page, link: place.link,
            company: place.workspace.name, name: place.name, words: place.words, windowDays: place.program.settings.windowDays,
            isCookieless: place.program.settings.isCookieless, isTest: place.workspace.isTest, isOver: place.isOver,
            takeURL: Redirect.path + LocalPath.encoded(place.link.code)
                + (place.offer.welcome.map { "?\(Redirect.codeParameter)=" + LocalPath.encoded($0.code) } ?? ""),
            unwantedURL: place.link.memberID == nil ? nil : Self.path + LocalPath.encoded(place.link.code) + "/unwanted", language: language)
    }

    /// What the code names. Of a member who is no longer active nothing is said; the link still leads to the shop.
    private func find(_ request: Request, _ context: KithContext) async throws -> Place? {
        let target: LinkIndex.Target
        do {
            target = try await redirect.target(request, context)
        } catch let problem as Problem where problem.status == .notFound {
            return nil
        }
        let link = target.link
        guard context.isOf(link.workspaceID) else { return nil }
        let (vault, world) = (installation.vault, installation.world)
        return try await installation.main.read { connection -> Place? in
            guard let workspace = try WorkspaceStore.find(link.workspaceID, on: connection) else { return nil }
            let now = workspace.now(world)
            guard let program = try ProgramStore.find(link.programID, in: workspace.id, at: now, on: connection) else { return nil }
            let offer = try FriendOffer.source(program, sharedBy: link.memberID, at: now, on: connection)
            var place = Place(
                link: link, workspace: workspace, program: program, page: try FriendPageStore.find(program.id, on: connection) ?? FriendPage(), offer: offer,
                trials: try FriendTrial.all(of: program.id, on: connection), theme: try ThemeStore.find(workspace, on: connection), isOver: link.isExpired(at: now))
            guard let member = try link.memberID.flatMap({ try MemberStore.find($0, in: workspace.id, on: connection) }), member.status == .active else {
                return place
            }
            let said = try RecommendationStore.find(member, vault: vault, on: connection)
            place.name = try member.nameForFriends(vault: vault, on: connection)
            if said?.hiddenAt == nil { place.words = said?.words }
            return place
        }
    }

    private func missing(_ request: Request, _ context: KithContext) throws -> Response {
        let language = PageLanguage(request, site: site, zone: .utc, audience: .friends)
        return try site.response(
            frame: .plain(.public, title: language("friendMissing.title"), site: site, language: language, nonce: context.scriptNonce),
            content: "friend-missing", [:], in: language, status: .notFound)
    }
}
