import Chronology
import HTTPTypes
import Hummingbird
import Persistence
import Web

/// Signing in and out.
enum SignInRoutes {
    static func add(to api: inout API, gate: PageGate) {
        let signIn = SignIn(installation: gate.installation, site: gate.site)
        for method in [HTTPRequest.Method.get, .post] { api.table.note(method, "/sign-in") }
        api.table.note(.post, "/sign-in/code")
        api.router.get("/sign-in") { request, context in try await signIn.show(request, context) }
        api.router.post("/sign-in") { request, context in try await signIn.take(request, context) }
        api.router.post("/sign-in/code") { request, context in try await signIn.takeCode(request, context) }
        api.form("/sign-out", nil, gate) { visit, _ in
            let hash = visit.session.tokenHash
            try await visit.installation.write(visit.workspaceID, actor: visit.session.actor) { write in
                try TokenStore.operators.delete(hash, on: write.connection)
                try write.audit("session.end", subject: visit.session.operatorID.text)
            }
            var response = visit.seeOther("/sign-in")
            response.remove(SessionDoor.cookie)
            return response
        }
    }
}

struct SignIn: Sendable {
    /// Every refusal takes at least this long, so that its time says nothing about whether an account exists.
    static let refusalMs: Int64 = 400
    /// Tries from one address.
    static let limit = RateLimit(requests: 30, periodSeconds: 60)
    private static let emailLengthMax = 254

    let installation: Installation
    let site: Site

    func show(_ request: Request, _ context: KithContext) async throws -> Response {
        let next = LocalPath.checked(request.uri.queryParameters["next"].map(String.init))
        if try await SessionDoor(installation).admit(request) != nil {
            return Response(status: .seeOther, headers: [.location: next, .cacheControl: "no-store"])
        }
        return try page(request, context, next: next, email: "", refused: nil)
    }

    func take(_ request: Request, _ context: KithContext) async throws -> Response {
        let taken = installation.signInTries.take(installation.clientAddress(of: request, context) ?? "")
        guard taken.isAllowed else { throw Problem.tooManyRequests(retryAfterSeconds: taken.retryAfterSeconds) }
        let fields = try await request.form()
        try AnonymousForm(installation: installation).verify(request, fields)
        let started = ContinuousClock.now
        let email = String((fields["email"] ?? "").prefix(Self.emailLengthMax))
        let next = LocalPath.checked(fields["next"])
        guard let operator_ = try await accepted(email: email, password: fields.exact("password") ?? "") else {
            try await Task.sleep(until: started + .milliseconds(Self.refusalMs))
            let refused = ["tries": String(Operator.failuresMax), "minutes": String(Operator.lockMs / 60_000)]
            return try page(request, context, next: next, email: email, refused: refused, status: .unprocessableContent)
        }
        if try await installation.main.read({ connection in try SecondFactorStore.find(operator_.id, on: connection)?.isOn == true }) {
            guard let ticket = SignInTicket.make(for: operator_.id, request, installation) else { throw Problem.badRequest(code: "no_cookie", detail: "Allow cookies of this site, then sign in again.") }
            return try codePage(request, context, next: next, ticket: ticket, refused: nil)
        }
        return try await enter(operator_, request, next: next)
    }

    /// The second step: the code of a person whose password was right a moment ago.
    func takeCode(_ request: Request, _ context: KithContext) async throws -> Response {
        let taken = installation.signInTries.take(installation.clientAddress(of: request, context) ?? "")
        guard taken.isAllowed else { throw Problem.tooManyRequests(retryAfterSeconds: taken.retryAfterSeconds) }
        let fields = try await request.form()
        try AnonymousForm(installation: installation).verify(request, fields)
        let started = ContinuousClock.now
        let next = LocalPath.checked(fields["next"])
        let ticket = fields["ticket"] ?? ""
        guard let id = SignInTicket.read(ticket, request, installation),
            let operator_ = try await installation.main.read({ connection in try TeamStore.find(id, on: connection) })
        else { return Response(status: .seeOther, headers: [.location: "/sign-in", .cacheControl: "no-store"]) }
        switch try await OperatorProof(installation: installation).code(fields["code"] ?? "", of: id) {
        case .accepted, .recovered: return try await enter(operator_, request, next: next)
        case .refused:
            try await Task.sleep(until: started + .milliseconds(Self.refusalMs))
            return try codePage(request, context, next: next, ticket: ticket, refused: "confirm.refused.code")
        case .locked: return try codePage(request, context, next: next, ticket: ticket, refused: "confirm.refused.locked")
        }
    }

    private func enter(_ operator_: Operator, _ request: Request, next: String) async throws -> Response {
        let device = SignInDevice(request)
        guard let token = try await begin(operator_, on: device) else {
            throw Problem.forbidden(code: "no_workspace", detail: "You belong to no workspace any more.")
        }
        var response = Response(status: .seeOther, headers: [.location: next, .cacheControl: "no-store"])
        response.set(SessionDoor.cookie, value: token.text, maximumAgeSeconds: Int(SessionDoor.lifeMs / 1000))
        response.remove(AnonymousForm.cookie)
        device.remember(in: &response)
        return response
    }

    /// The person when mail and password belong together and the account does not wait. The password is always reckoned.
    private func accepted(email: String, password: String) async throws -> Operator? {
        let hash = installation.vault.lookupHash(nil, "operator", Normalised.email(email) ?? "")
        let found = try await installation.main.read { connection in try TeamStore.find(emailHash: hash, on: connection) }
        return try await OperatorProof(installation: installation).password(password, of: found)
    }

    /// A new session in the person's first workspace; nil when they have none.
    func begin(_ operator_: Operator, on device: SignInDevice) async throws -> SessionToken? {
        let token = SessionToken()
        let now = installation.world.now()
        let first = try await installation.main.read { connection in try TeamStore.workspaces(of: operator_.id, on: connection).first }
        guard let workspace = first else { return nil }
        let session = StoredSession(
            tokenHash: token.hash, operatorID: operator_.id, workspaceID: workspace, createdAt: now, seenAt: now, rotatedAt: now,
            expiresAt: try now.adding(milliseconds: SessionDoor.lifeMs), confirmedAt: now)
        try await installation.write(workspace, actor: .operator_(operator_.id)) { write in
            try SessionStore.deleteEnded(at: now, on: write.connection)
            try SessionStore.insert(session, on: write.connection)
            try device.note(for: .operator_(operator_.id), in: write)
            try write.audit("session.start", subject: operator_.id.text)
        }
        return token
    }

    private func codePage(_ request: Request, _ context: KithContext, next: String, ticket: String, refused: String?) throws -> Response {
        let language = PageLanguage(request, site: site, zone: .utc)
        let proof = AnonymousForm(installation: installation).proof(for: request)
        let minutes = ["lock": language.integer(SecondFactor.lockMs / 60_000)]
        return try site.response(
            frame: .plain(.bare, title: language("signIn.title"), site: site, language: language, nonce: context.scriptNonce),
            content: "sign-in-code",
            [
                "refused": PageValue(refused.map { language($0, minutes) }), "csrfToken": .text(proof.text), "next": .text(next),
                "ticket": .text(ticket),
            ], in: language, status: refused == nil ? .ok : .unprocessableContent)
    }

    private func page(
        _ request: Request, _ context: KithContext, next: String, email: String, refused: [String: String]?, status: HTTPResponse.Status = .ok
    ) throws -> Response {
        let language = PageLanguage(request, site: site, zone: .utc)
        let proof = AnonymousForm(installation: installation).proof(for: request)
        var response = try site.response(
            frame: .plain(.bare, title: language("signIn.title"), isListed: true, site: site, language: language, nonce: context.scriptNonce), content: "sign-in",
            [
                "plain": PageValue(PlainAddress(request, installation)?.words(language)),
                "refused": PageValue(refused.map { language("signIn.refused", $0) }), "csrfToken": .text(proof.text), "next": .text(next),
                "email": .text(email),
            ], in: language, status: status)
        if let token = proof.newToken { response.set(AnonymousForm.cookie, value: token.text) }
        return response
    }
}
