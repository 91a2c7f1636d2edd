import HTTPTypes
import Hummingbird
import NIOCore
import Persistence
import Web

/// Stopping letters, and reading them where they go nowhere.
enum MailRoutes {
    static func add(to api: inout API, site: Site) {
        let stopping = MailStopping(installation: api.installation, site: site)
        for method in [HTTPRequest.Method.get, .post] { api.table.note(method, StopLink.path + "{token}") }
        api.router.get("/mail/stop/{token}") { request, context in try stopping.ask(request, context) }
        api.router.post("/mail/stop/{token}") { request, context in try await stopping.stop(request, context) }

        guard DevelopmentMail.isOffered(api.installation.settings) else { return }
        let pages = DevelopmentMail(installation: api.installation, site: site)
        for path in ["/dev/mail", "/dev/mail/{mail}", "/dev/mail/{mail}/html"] { api.table.note(.get, path) }
        api.router.get("/dev/mail") { request, context in try await pages.list(request, context) }
        api.router.get("/dev/mail/{mail}") { request, context in try await pages.show(request, context) }
        api.router.get("/dev/mail/{mail}/html") { request, context in try await pages.html(request, context) }
    }
}

/// What the address in a letter leads to: a page that asks, so that programs which follow addresses stop nothing; one POST stops (RFC 8058).
struct MailStopping: Sendable {
    let installation: Installation
    let site: Site

    func ask(_ request: Request, _ context: KithContext) throws -> Response {
        let link = try find(context)
        let language = PageLanguage(request, site: site, zone: .utc)
        return try page(
            language("mailStop.heading"), language("mailStop.lead.\(link.kind.rawValue)"), action: request.uri.path, language, context)
    }

    func stop(_ request: Request, _ context: KithContext) async throws -> Response {
        let link = try find(context)
        try await installation.writeAnywhere { [world = installation.world] connection in
            try MailStore.stop(link.kind, for: link.person, at: world.now(), on: connection)
        }
        let language = PageLanguage(request, site: site, zone: .utc)
        return try page(language("mailStop.done.heading"), language("mailStop.done.lead"), action: nil, language, context)
    }

    private func find(_ context: KithContext) throws -> StopLink {
        guard let link = context.parameters.get("token").flatMap({ StopLink($0, installation) }) else { throw Problem.notFound() }
        return link
    }

    private func page(
        _ heading: String, _ lead: String, action: String?, _ language: PageLanguage, _ context: KithContext
    ) throws -> Response {
        try site.response(
            frame: .plain(.public, title: language("mailStop.title"), site: site, language: language, nonce: context.scriptNonce),
            content: "mail-stop", ["heading": .text(heading), "lead": .text(lead), "action": PageValue(action)], in: language)
    }
}

/// Letters as pages, for trying Kith out without a mail server. They hold secrets, so only a browser on this machine gets them, and only
/// while nothing says that others reach this server.
struct DevelopmentMail: Sendable {
    static let listMax = 100

    let installation: Installation
    let site: Site
    private var writer: MailWriter { MailWriter(installation: installation, site: site) }

    init(installation: Installation, site: Site) {
        self.installation = installation
        self.site = site
    }

    static func isOffered(_ settings: Settings) -> Bool {
        let named = settings.baseURL.map { Loopback.isName(host(ofURL: $0)) } ?? true
        return settings.smtpURL == nil && settings.trustedProxies.isEmpty && Loopback.isName(settings.host) && named
    }

    func list(_ request: Request, _ context: KithContext) async throws -> Response {
        try mustBeHere(request)
        let language = PageLanguage(request, site: site, zone: .utc)
        let mails = try await installation.main.read { connection in try MailStore.newest(limit: Self.listMax, on: connection) }
        return try page(
            "mail-list", title: language("mailList.title"),
            [
                "mails": PageValue(
                    mails.map { mail in
                        PageObject([
                            "url": .text("/dev/mail/\(mail.id.text)"), "kind": .text(language("mailList.kind.\(mail.kind.rawValue)")),
                            "state": .text(language("mailList.state.\(mail.state.rawValue)")), "at": language.time(mail.createdAt),
                        ])
                    })
            ], language, context)
    }

    func show(_ request: Request, _ context: KithContext) async throws -> Response {
        let (mail, message) = try await find(request, context)
        let language = PageLanguage(request, site: site, zone: .utc)
        let about = language("mailShow.about", ["recipient": message.to, "state": language("mailList.state.\(mail.state.rawValue)")])
        return try page(
            "mail-show", title: message.subject,
            [
                "subject": .text(message.subject), "about": .text(about), "text": .text(message.text),
                "htmlURL": .text("/dev/mail/\(mail.id.text)/html"),
            ], language, context)
    }

    func html(_ request: Request, _ context: KithContext) async throws -> Response {
        let (_, message) = try await find(request, context)
        return Response(
            status: .ok,
            headers: [
                .contentType: "text/html; charset=utf-8", .cacheControl: "no-store",
                .contentSecurityPolicy: "default-src 'none'; style-src 'unsafe-inline'; sandbox allow-top-navigation-by-user-activation",
            ], body: ResponseBody(byteBuffer: ByteBuffer(string: message.html)))
    }

    private func find(_ request: Request, _ context: KithContext) async throws -> (Mail, MailMessage) {
        try mustBeHere(request)
        guard let id = context.parameters.get("mail").flatMap({ MailID($0) }),
            let mail = try await installation.main.read({ connection in try MailStore.find(id, on: connection) }),
            let message = try await writer.write(mail)
        else { throw Problem.notFound() }
        return (mail, message)
    }

    /// Asked for by a name of this machine and passed on by nobody: no proxy, and no page of another site behind a borrowed name.
    private func mustBeHere(_ request: Request) throws {
        let host = Self.host(ofAuthority: request.head.authority ?? "")
        let passedOn = ["X-Forwarded-For", "Forwarded", "Via", "X-Real-IP"].contains { name in
            HTTPField.Name(name).map { request.headers[$0] != nil } ?? false
        }
        guard Loopback.isName(host), !passedOn else { throw Problem.notFound() }
    }

    private static func host(ofURL url: String) -> String {
        host(ofAuthority: url.split(separator: "/", maxSplits: 2).dropFirst().first.map(String.init) ?? "")
    }

    private static func host(ofAuthority authority: String) -> String {
        if authority.hasPrefix("[") { return String(authority.dropFirst().prefix { $0 != "]" }) }
        return String(authority.prefix { $0 != ":" })
    }

    private func page(
        _ template: String, title: String, _ model: PageObject, _ language: PageLanguage, _ context: KithContext
    ) throws -> Response {
        try site.response(
            frame: .plain(.bare, title: title, site: site, language: language, nonce: context.scriptNonce), content: template, model, in: language)
    }
}
