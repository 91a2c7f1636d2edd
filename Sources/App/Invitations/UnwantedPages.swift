import HTTPTypes
import Hummingbird
import Persistence
import Web

/// Where somebody says that they did not want a letter, or a link that was sent to them. A visit does nothing, so that programs which follow
/// addresses complain about nobody; the button does.
enum UnwantedPages {
    static func add(to api: inout API, site: Site) {
        let door = UnwantedDoor(installation: api.installation, redirect: Redirect(api.installation), site: site)
        for method in [HTTPRequest.Method.get, .post] {
            for path in ["/unwanted/{token}", "/f/{code}/unwanted"] { api.table.note(method, path) }
        }
        api.router.get("/unwanted/{token}") { request, context in try await door.askAboutLetter(request, context) }
        api.router.post("/unwanted/{token}") { request, context in try await door.takeAboutLetter(request, context) }
        api.router.get("/f/{code}/unwanted") { request, context in try await door.askAboutLink(request, context) }
        api.router.post("/f/{code}/unwanted") { request, context in try await door.takeAboutLink(request, context) }
    }
}

struct UnwantedDoor: Sendable {
    /// What mailboxes send for one click (RFC 8058).
    private static let oneClick = "List-Unsubscribe"

    let installation: Installation
    let redirect: Redirect
    let site: Site

    private struct Place: Sendable {
        var workspace: Workspace
        var name: String?
    }

    // MARK: A letter

    func askAboutLetter(_ request: Request, _ context: KithContext) async throws -> Response {
        let (_, place) = try await letter(context)
        return try page(request, context, place, key: "letter", action: request.uri.path)
    }

    /// Who has the address has the letter: no other proof is asked for, so that it works from mailboxes too.
    func takeAboutLetter(_ request: Request, _ context: KithContext) async throws -> Response {
        let (link, place) = try await letter(context)
        let fields = try await request.form()
        guard fields[Self.oneClick] == nil else {
            try await installation.write(place.workspace.id, actor: .system("friend")) { write in try Complaint.unsubscribe(link, in: write) }
            return try page(request, context, place, key: "stopped", action: nil)
        }
        guard let reason = Complaint.Reason(rawValue: fields["reason"] ?? "") else {
            return try page(request, context, place, key: "letter", action: request.uri.path, isRefused: true)
        }
        try await installation.write(place.workspace.id, actor: .system("friend")) { write in try Complaint.make(link, reason: reason, in: write) }
        return try page(request, context, place, key: "done", action: nil)
    }

    private func letter(_ context: KithContext) async throws -> (UnwantedLink, Place) {
        guard let link = context.parameters.get("token").flatMap({ UnwantedLink($0, installation) }) else { throw Problem.notFound() }
        let found = try await installation.main.read { [vault = installation.vault] connection -> Place? in
            guard let letter = try InvitationStore.find(link.invitation, on: connection),
                let workspace = try WorkspaceStore.find(letter.workspaceID, on: connection)
            else { return nil }
            let member = try MemberStore.find(letter.memberID, in: letter.workspaceID, on: connection)
            return Place(workspace: workspace, name: try member?.nameForFriends(vault: vault, on: connection))
        }
        guard let found, context.isOf(found.workspace.id) else { throw Problem.notFound() }
        return (link, found)
    }

    // MARK: A link

    func askAboutLink(_ request: Request, _ context: KithContext) async throws -> Response {
        let (_, place) = try await link(request, context)
        return try page(request, context, place, key: "link", action: request.uri.path, needsProof: true)
    }

    func takeAboutLink(_ request: Request, _ context: KithContext) async throws -> Response {
        let fields = try await request.form()
        try AnonymousForm(installation: installation).verify(request, fields)
        let (link, place) = try await link(request, context)
        guard let reason = Complaint.Reason(rawValue: fields["reason"] ?? "") else {
            return try page(request, context, place, key: "link", action: request.uri.path, needsProof: true, isRefused: true)
        }
        let taken = installation.complaints.take(installation.clientAddress(of: request, context) ?? "")
        guard taken.isAllowed else { throw Problem.tooManyRequests(retryAfterSeconds: taken.retryAfterSeconds) }
        try await installation.write(place.workspace.id, actor: .system("friend")) { write in try Complaint.make(about: link, reason: reason, in: write) }
        return try page(request, context, place, key: "linkDone", action: nil)
    }

    private func link(_ request: Request, _ context: KithContext) async throws -> (Link, Place) {
        let link = try await redirect.target(request, context).link
        guard context.isOf(link.workspaceID), let memberID = link.memberID else { throw Problem.notFound() }
        let found = try await installation.main.read { [vault = installation.vault] connection -> Place? in
            guard let workspace = try WorkspaceStore.find(link.workspaceID, on: connection) else { return nil }
            let member = try MemberStore.find(memberID, in: workspace.id, on: connection)
            return Place(workspace: workspace, name: member?.status == .active ? try member?.nameForFriends(vault: vault, on: connection) : nil)
        }
        guard let found else { throw Problem.notFound() }
        return (link, found)
    }

    // MARK: The page

    private func page(
        _ request: Request, _ context: KithContext, _ place: Place, key: String, action: String?, needsProof: Bool = false, isRefused: Bool = false
    ) throws -> Response {
        let language = PageLanguage(request, site: site, zone: .utc, audience: .friends)
        func say(_ key: String) -> String {
            language("unwanted.\(key)", ["company": place.workspace.name, "name": place.name ?? language("unwanted.somebody", ["company": place.workspace.name])])
        }
        let proof = needsProof ? AnonymousForm(installation: installation).proof(for: request) : nil
        var response = try site.response(
            frame: .plain(.public, title: say("\(key).heading"), company: place.workspace, site: site, language: language, nonce: context.scriptNonce),
            content: "unwanted",
            [
                "heading": .text(say("\(key).heading")), "lead": .text(say("\(key).lead")), "error": PageValue(isRefused ? say("error") : nil),
                "form": PageValue(
                    action.map { action in
                        PageObject([
                            "action": .text(action), "csrfToken": PageValue(proof?.text), "legend": .text(say("why")), "submit": .text(say("\(key).submit")),
                            "reasons": PageValue(
                                Complaint.Reason.allCases.map { PageObject(["value": .text($0.rawValue), "label": .text(say("reason.\($0.rawValue)"))]) }),
                        ])
                    }),
            ], in: language, status: isRefused ? .unprocessableContent : .ok)
        if let new = proof?.newToken { response.set(AnonymousForm.cookie, value: new.text) }
        response.headers[.xRobotsTag] = "noindex"
        response.keepAddressHere()
        return response
    }
}
