import Chronology
import HTTPTypes
import Hummingbird
import Persistence
import Web

/// Members come in by a link in a letter, and go.
enum PortalSignInRoutes {
    static func add(to api: inout API, gate: PortalGate) {
        let signIn = PortalSignIn(installation: gate.installation, site: gate.site)
        for method in [HTTPRequest.Method.get, .post] {
            for path in ["/portal/sign-in", MagicLink.path] { api.table.note(method, path) }
        }
        api.router.get("/portal/sign-in") { request, context in try await signIn.show(request, context) }
        api.router.post("/portal/sign-in") { request, context in try await signIn.take(request, context) }
        api.router.get("/portal/enter") { request, context in try await signIn.ask(request, context) }
        api.router.post("/portal/enter") { request, context in try await signIn.enter(request, context) }
        api.portalForm("/portal/sign-out", gate) { visit, fields in
            let (hash, member, everywhere) = (visit.session.tokenHash, visit.member.id, fields["everywhere"] == "true")
            try await visit.write { write in
                if everywhere {
                    try MemberSessionStore.deleteAll(of: member, on: write.connection)
                } else {
                    try TokenStore.members.delete(hash, on: write.connection)
                }
                try write.audit(everywhere ? "member.session.end_all" : "member.session.end", subject: member.text)
            }
            var response = visit.seeOther("/portal/sign-in")
            response.remove(PortalDoor.cookie)
            return response
        }
    }
}

struct PortalSignIn: Sendable {
    /// Every answer takes at least this long, so that its time says nothing about whether a member has this address.
    static let answerMs: Int64 = 400
    /// Letters asked for from one address.
    static let limit = RateLimit(requests: 10, periodSeconds: 60)

    let installation: Installation
    let site: Site

    func show(_ request: Request, _ context: KithContext) async throws -> Response {
        if try await PortalDoor(installation).admit(request) != nil {
            return Response(status: .seeOther, headers: [.location: "/portal", .cacheControl: "no-store"])
        }
        return try page(request, context, email: "", refused: nil, isSent: false)
    }

    func take(_ request: Request, _ context: KithContext) async throws -> Response {
        let taken = installation.portalLetters.take(installation.clientAddress(of: request, context) ?? "")
        guard taken.isAllowed else { throw Problem.tooManyRequests(retryAfterSeconds: taken.retryAfterSeconds) }
        let fields = try await request.form()
        try AnonymousForm(installation: installation).verify(request, fields)
        let started = ContinuousClock.now
        let typed = String((fields["email"] ?? "").prefix(255))
        guard let email = Normalised.email(typed) else { return try page(request, context, email: typed, refused: "portalSignIn.refused", isSent: false) }
        try await MagicLink.send(to: email, of: context.company?.workspace.id, installation)
        try await Task.sleep(until: started + .milliseconds(Self.answerMs))
        return try page(request, context, email: email, refused: nil, isSent: true)
    }

    /// The page of the letter's link: only its button uses the link up, for mail servers look at addresses before people do.
    func ask(_ request: Request, _ context: KithContext) async throws -> Response {
        let text = request.uri.queryParameters["token"].map(String.init) ?? ""
        let now = installation.world.now()
        let isGood = try await installation.main.read { connection in
            guard let token = SessionToken(text: text), let id = try MemberSessionStore.member(ofLink: token.hash, at: now, on: connection),
                let member = try MemberStore.find([id], on: connection)[id]
            else { return false }
            return context.isOf(member.workspaceID)
        }
        return try enterPage(request, context, token: isGood ? text : nil)
    }

    func enter(_ request: Request, _ context: KithContext) async throws -> Response {
        let fields = try await request.form()
        try AnonymousForm(installation: installation).verify(request, fields)
        let device = SignInDevice(request)
        guard let token = SessionToken(text: fields["token"] ?? ""), let session = try await begin(token, on: device, context) else {
            return try enterPage(request, context, token: nil)
        }
        var response = Response(status: .seeOther, headers: [.location: "/portal", .cacheControl: "no-store"])
        response.signIn(session, on: device)
        return response
    }

    /// Uses the link up and signs its member in; nil when it is no good.
    private func begin(_ token: SessionToken, on device: SignInDevice, _ context: KithContext) async throws -> SessionToken? {
        let now = installation.world.now()
        let known = try await installation.main.read { connection -> Member? in
            guard let id = try MemberSessionStore.member(ofLink: token.hash, at: now, on: connection) else { return nil }
            return try MemberStore.find([id], on: connection)[id]
        }
        guard let member = known, member.mayEnterPortal, context.isOf(member.workspaceID) else { return nil }
        let door = PortalDoor(installation)
        return try await installation.write(member.workspaceID, actor: .member(member.id)) { write in
            guard try MemberSessionStore.useLink(token.hash, at: write.world.now(), on: write.connection) == member.id else { return nil }
            return try door.begin(for: member.id, on: device, in: write)
        }
    }

    /// Whose portal it is: that of the host, or of the only company there is.
    private func company(_ context: KithContext) -> Workspace? { context.company?.workspace ?? installation.hosts.onlyCompany }

    private func enterPage(_ request: Request, _ context: KithContext, token: String?) throws -> Response {
        let language = PageLanguage(request, site: site, zone: .utc)
        let proof = AnonymousForm(installation: installation).proof(for: request)
        var response = try site.response(
            frame: .plain(.public, title: language("portalEnter.title"), company: company(context), site: site, language: language, nonce: context.scriptNonce),
            content: "portal-enter", ["good": PageValue(token.map { ["token": .text($0), "csrfToken": .text(proof.text)] })], in: language,
            status: token == nil ? .gone : .ok)
        if let new = proof.newToken { response.set(AnonymousForm.cookie, value: new.text) }
        response.keepAddressHere()
        return response
    }

    private func page(_ request: Request, _ context: KithContext, email: String, refused: String?, isSent: Bool) throws -> Response {
        let language = PageLanguage(request, site: site, zone: .utc)
        let proof = AnonymousForm(installation: installation).proof(for: request)
        var response = try site.response(
            frame: .plain(
                .public, title: company(context).map { language("portalSignIn.titleOf", ["company": $0.name]) } ?? language("portalSignIn.title"), isListed: true,
                company: company(context), canonical: company(context).map { installation.publicURL(of: $0.id) + "/portal/sign-in" }, site: site,
                language: language, nonce: context.scriptNonce),
            content: "portal-sign-in",
            [
                "sent": isSent ? .text(language("portalSignIn.sent", ["email": email])) : nil,
                "plain": PlainAddress(request, installation) == nil ? nil : .text(language("portalSignIn.plain")),
                "form": isSent ? nil : ["csrfToken": .text(proof.text), "email": .text(email), "refused": PageValue(refused.map { language($0) })],
            ], in: language, status: refused == nil ? .ok : .unprocessableContent)
        if let new = proof.newToken { response.set(AnonymousForm.cookie, value: new.text) }
        return response
    }
}

