import Chronology
import HTTPTypes
import Hummingbird
import Persistence
import Web

/// How an invited person chooses a password. The address works once.
enum InvitationRoutes {
    static func add(to api: inout API, gate: PageGate) {
        let acceptance = InvitationAcceptance(installation: gate.installation, site: gate.site)
        for method in [HTTPRequest.Method.get, .post] { api.table.note(method, "/invitations/{token}") }
        api.router.get("/invitations/{token}") { request, context in try await acceptance.show(request, context) }
        api.router.post("/invitations/{token}") { request, context in try await acceptance.take(request, context) }
    }
}

struct InvitationAcceptance: Sendable {
    let installation: Installation
    let site: Site

    func show(_ request: Request, _ context: KithContext) async throws -> Response {
        let (invitation, workspace) = try await find(context)
        return try page(request, context, workspace, hasPassword: invitation.hasPassword, errorKey: nil)
    }

    func take(_ request: Request, _ context: KithContext) async throws -> Response {
        let fields = try await request.form()
        try AnonymousForm(installation: installation).verify(request, fields)
        let (invitation, workspace) = try await find(context)
        let signIn = SignIn(installation: installation, site: site)
        let now = installation.world.now()
        var hash: String?
        let password = fields.exact("password") ?? ""
        if invitation.hasPassword {
            // Whoever set that password must be the one who accepts: else one workspace could open another's door.
            guard await installation.passwords.verify(password, against: invitation.passwordHash) else {
                return try page(request, context, workspace, hasPassword: true, errorKey: "invitation.wrongPassword", status: .unprocessableContent)
            }
        } else {
            guard password.unicodeScalars.count >= Password.lengthMin, password.utf8.count <= Password.lengthMax else {
                return try page(request, context, workspace, hasPassword: false, errorKey: "invitation.tooShort", status: .unprocessableContent)
            }
            hash = await installation.passwords.hash(password)
            guard hash != nil else { throw Problem.unavailable(detail: "There is not enough memory to hash a password.", retryAfterSeconds: 5) }
        }
        let newHash = hash
        try await installation.write(invitation.workspaceID, actor: .operator_(invitation.operatorID)) { write in
            guard try SessionStore.accept(invitation.id, at: now, on: write.connection) else { throw Problem.notFound() }
            let from = try NewApprover.startsAt(invitation.role, at: now)
            try TeamStore.join(
                invitation.operatorID, invitation.workspaceID, role: invitation.role, at: now, approvesFrom: from, on: write.connection)
            try NewApprover.tell(invitation.operatorID, invitation.role, from: from, in: write)
            if let newHash {
                try TeamStore.setPassword(invitation.operatorID, newHash, on: write.connection)
                try SessionStore.deleteAll(of: invitation.operatorID, on: write.connection)
            }
            try write.audit("team.join", subject: invitation.operatorID.text)
        }
        let device = SignInDevice(request)
        var response = Response(status: .seeOther, headers: [.location: newHash == nil ? "/sign-in" : "/", .cacheControl: "no-store"])
        // Whoever has a password already proves it at sign-in.
        if newHash != nil,
            let operator_ = try await installation.main.read({ connection in try TeamStore.find(invitation.operatorID, on: connection) }),
            let token = try await signIn.begin(operator_, on: device)
        {
            response.set(SessionDoor.cookie, value: token.text, maximumAgeSeconds: Int(SessionDoor.lifeMs / 1000))
            device.remember(in: &response)
        }
        response.remove(AnonymousForm.cookie)
        return response
    }

    private func find(_ context: KithContext) async throws -> (SessionStore.Invitation, Workspace) {
        guard let token = context.parameters.get("token"), token.utf8.count <= 100 else { throw Problem.notFound() }
        let now = installation.world.now()
        let hash = APIKey.hash(token)
        let found = try await installation.main.read { connection -> (SessionStore.Invitation, Workspace)? in
            guard let invitation = try SessionStore.invitation(hash, at: now, on: connection),
                let workspace = try WorkspaceStore.find(invitation.workspaceID, on: connection)
            else { return nil }
            return (invitation, workspace)
        }
        guard let found else { throw Problem.notFound(detail: "This invitation has ended or was used. Ask for another one.") }
        return found
    }

    private func page(
        _ request: Request, _ context: KithContext, _ workspace: Workspace, hasPassword: Bool, errorKey: String?,
        status: HTTPResponse.Status = .ok
    ) throws -> Response {
        let language = PageLanguage(request, site: site, zone: .utc)
        let proof = AnonymousForm(installation: installation).proof(for: request)
        let length = ["count": language.integer(Int64(Password.lengthMin))]
        var response = try site.response(
            frame: .plain(.bare, title: language("invitation.title"), site: site, language: language, nonce: context.scriptNonce),
            content: "invitation",
            [
                "heading": .text(language("invitation.heading", ["workspace": workspace.name])), "refused": PageValue(errorKey.map { language($0, length) }),
                "csrfToken": .text(proof.text), "action": .text(request.uri.path), "asksPassword": .flag(true),
                "passwordHelp": .text(language(hasPassword ? "invitation.passwordKnown" : "invitation.passwordHelp", length)), "lengthMin": .text(String(Password.lengthMin)),
            ], in: language, status: status)
        if let token = proof.newToken { response.set(AnonymousForm.cookie, value: token.text) }
        return response
    }
}
