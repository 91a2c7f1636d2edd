import Chronology
import Foundation
import HTTPTypes
import Hummingbird
import Money
import Persistence
import Web

/// The public page on which people ask to take part, and the page behind the letter's link.
enum JoinPages {
    static func add(to api: inout API, site: Site) {
        let door = JoinDoor(installation: api.installation, site: site)
        for method in [HTTPRequest.Method.get, .post] {
            for path in ["/join/{slug}", "/join-confirmation"] { api.table.note(method, path) }
        }
        api.router.get("/join/{slug}") { request, context in try await door.show(request, context) }
        api.router.post("/join/{slug}") { request, context in try await door.take(request, context) }
        api.router.get("/join-confirmation") { request, context in try await door.ask(request, context) }
        api.router.post("/join-confirmation") { request, context in try await door.confirm(request, context) }
    }
}

struct JoinDoor: Sendable {
    /// Applications from one address; refused forms are none.
    static let limit = RateLimit(requests: 10, periodSeconds: 600)
    /// Rules shown as what there is to earn.
    static let rulesMax = 10
    /// A field that people do not see; programs that fill in every field give themselves away.
    static let trap = "website"
    private static let tokenLengthMax = 100

    let installation: Installation
    let site: Site

    private struct Place: Sendable {
        var page: JoinPage
        var program: Program
        var workspace: Workspace
        var terms: Terms?
        var rules: [Rule]
        var enroller: (id: MemberID, name: String?)?
    }

    private struct Typed {
        var name = ""
        var email = ""
        var answers: [String] = []
        var source = ""
        var invitation = ""
    }

    func show(_ request: Request, _ context: KithContext) async throws -> Response {
        // A closed page is there for its team alone, to look at before it opens.
        let admission = try await SessionDoor(installation).admit(request)
        let place = try await find(
            request, context, via: request.uri.queryParameters["via"].map(String.init), closedFor: admission?.session.workspace.id)
        var response = try page(request, context, place, try await invited(request, place), errors: [:])
        if let admission, let token = admission.newToken {
            response.set(SessionDoor.cookie, value: token.text, maximumAgeSeconds: admission.remainingSeconds)
        }
        return response
    }

    /// What the letter that brought somebody says of them, so that they need not write it.
    private func invited(_ request: Request, _ place: Place) async throws -> Typed {
        var typed = Typed(source: SourceQuality.word(request.uri.queryParameters["from"].map(String.init)) ?? "")
        guard let token = request.uri.queryParameters[Substring(PartnerInvitation.parameter)].map(String.init), token.utf8.count <= Self.tokenLengthMax else { return typed }
        let (program, now, vault) = (place.program.id, place.workspace.now(installation.world), installation.vault)
        let known = try await installation.main.read { connection -> [PersonField: String]? in
            guard let invitation = try PartnerInvitationStore.find(token: token, of: program, at: now, on: connection) else { return nil }
            return try PersonStore.fields(of: [invitation.personID], [.name, .email], vault: vault, on: connection)[invitation.personID]
        }
        guard let known else { return typed }
        typed.invitation = token
        typed.name = known[.name] ?? ""
        typed.email = known[.email] ?? ""
        return typed
    }

    func take(_ request: Request, _ context: KithContext) async throws -> Response {
        let fields = try await request.form()
        try AnonymousForm(installation: installation).verify(request, fields)
        let place = try await find(request, context, via: fields["via"])
        let language = PageLanguage(request, site: site, zone: .utc)
        let typed = Typed(
            name: (fields["name"] ?? "").trimmingCharacters(in: .whitespaces), email: fields["email"] ?? "",
            answers: place.page.questions.indices.map { String((fields["answer\($0)"] ?? "").prefix(JoinPage.answerLengthMax)) },
            source: SourceQuality.word(fields["from"]) ?? "", invitation: String((fields[PartnerInvitation.parameter] ?? "").prefix(Self.tokenLengthMax)))
        let email = Normalised.email(typed.email)
        var errors: [String: String] = [:]
        if !typed.name.isName {
            errors["name"] = language("join.error.name")
        }
        if email == nil { errors["email"] = language("join.error.email") }
        for (index, question) in place.page.questions.enumerated() {
            let answer = typed.answers[index]
            if question.isRequired && answer.isEmpty { errors["answer\(index)"] = language("join.error.answer") }
            if !answer.isEmpty, !question.choices.isEmpty, !question.choices.contains(answer) { errors["answer\(index)"] = language("join.error.choice") }
        }
        if let terms = place.terms, fields["terms"] != String(terms.version) { errors["terms"] = language("join.error.terms") }
        guard errors.isEmpty, let email else { return try page(request, context, place, typed, errors: errors) }
        // Whoever has to mend a field has not tried yet.
        let taken = installation.joinTries.take(installation.clientAddress(of: request, context) ?? "")
        guard taken.isAllowed else { throw Problem.tooManyRequests(retryAfterSeconds: taken.retryAfterSeconds) }
        let started = ContinuousClock.now
        if (fields[Self.trap] ?? "").isEmpty {
            let input = ApplicationInput(
                name: typed.name, email: email, answers: typed.answers, enrollerID: place.enroller?.id, termsVersion: place.terms?.version,
                locale: language.messages.locale, source: typed.source.isEmpty ? nil : typed.source,
                invitationToken: typed.invitation, browserHash: AnonymousForm(installation: installation).browserHash(request),
                addressHash: installation.addresses.hash(
                    installation.clientAddress(of: request, context), workspace: place.workspace.id, at: installation.world.now()))
            let (installation, publicURL) = (installation, installation.publicURL(of: place.workspace.id))
            try await installation.write(place.workspace.id, actor: .system("join")) { write in
                try Application.make(
                    input, on: place.page, program: place.program,
                    url: { "\(publicURL)/join-confirmation?token=\($0.text)" },
                    signInURL: MagicLink.addresses(installation, of: write.workspace.id), in: write)
            }
        }
        try await Task.sleep(until: started + .milliseconds(PortalSignIn.answerMs))
        return try site.response(
            frame: .plain(
                .public, title: language("join.title", ["program": place.program.name]), company: place.workspace, site: site, language: language, nonce: context.scriptNonce),
            content: "join-sent", ["program": .text(place.program.name), "lead": .text(language("joinSent.lead", ["email": email]))], in: language)
    }

    func ask(_ request: Request, _ context: KithContext) async throws -> Response {
        let text = request.uri.queryParameters["token"].map(String.init) ?? ""
        let now = installation.world.now()
        let isGood = try await installation.main.read { connection in
            try SessionToken(text: text).flatMap { try ApplicationStore.place(tokenHash: $0.hash, at: now, on: connection) } != nil
        }
        return try confirmationPage(request, context, key: isGood ? "ask" : "gone", token: isGood ? text : nil)
    }

    func confirm(_ request: Request, _ context: KithContext) async throws -> Response {
        let fields = try await request.form()
        try AnonymousForm(installation: installation).verify(request, fields)
        let now = installation.world.now()
        guard let token = SessionToken(text: fields["token"] ?? ""),
            let place = try await installation.main.read({ connection in try ApplicationStore.place(tokenHash: token.hash, at: now, on: connection) }),
            context.isOf(place.workspace)
        else { return try confirmationPage(request, context, key: "gone", token: nil) }
        let url = "\(installation.baseURL)/applications"
        let (door, device) = (PortalDoor(installation), SignInDevice(request))
        let (application, session) = try await installation.write(place.workspace, actor: .system("join")) { write -> (Application?, SessionToken?) in
            let application = try Application.confirm(token.hash, decideURL: url, signInURL: MagicLink.addresses(installation, of: write.workspace.id), in: write)
            // Whoever opened the letter has shown who they are.
            return (application, try application?.memberID.map { try door.begin(for: $0, on: device, in: write) })
        }
        guard application != nil else { return try confirmationPage(request, context, key: "gone", token: nil) }
        guard let session else { return try confirmationPage(request, context, key: "waiting", token: nil) }
        var response = Response(status: .seeOther, headers: [.location: "/portal", .cacheControl: "no-store"])
        response.signIn(session, on: device)
        return response
    }

    /// What the address names; a closed page is not there, but for the people of its workspace.
    private func find(_ request: Request, _ context: KithContext, via: String?, closedFor team: WorkspaceID? = nil) async throws -> Place {
        let slug = context.parameters.get("slug") ?? ""
        let vault = installation.vault
        let world = installation.world
        let clickID = RequestCookies(request)[Redirect.clickCookie].flatMap { ClickID($0) }
        let place = try await installation.main.read { connection -> Place? in
            guard let page = try JoinStore.page(slug: slug, on: connection), page.isOpen || page.workspaceID == team,
                let workspace = try WorkspaceStore.find(page.workspaceID, on: connection),
                let program = try ProgramStore.find(page.programID, in: workspace.id, at: workspace.now(world), on: connection)
            else { return nil }
            return Place(
                page: page, program: program, workspace: workspace, terms: try TermsStore.newest(of: program.id, on: connection),
                rules: try RuleStore.inForce(program.id, at: workspace.now(world), on: connection), enroller: nil)
        }
        guard var place, context.isOf(place.workspace.id) else { throw Problem.notFound() }
        // By the word that was given, else by the click that brought them.
        let workspace = place.workspace.id
        var memberID: MemberID?
        if let code = via.flatMap(Normalised.code) {
            memberID = try await installation.main.read { connection in try LinkStore.find(code: code, in: workspace, on: connection)?.memberID }
        }
        if memberID == nil, let clickID {
            memberID = try await installation.clicks.read { connection in try ClickStore.find(clickID, in: workspace, on: connection)?.memberID }
        }
        if let memberID {
            place.enroller = try await installation.main.read { connection in
                guard let member = try MemberStore.find(memberID, in: workspace, on: connection), member.status == .active else { return nil }
                let name = try PersonStore.fields(of: [member.personID], [.name], vault: vault, on: connection)[member.personID]?[.name]
                return (member.id, name)
            }
        }
        return place
    }

    private func page(_ request: Request, _ context: KithContext, _ place: Place, _ typed: Typed, errors: [String: String]) throws -> Response {
        let language = PageLanguage(request, site: site, zone: Zone(place.workspace.timeZone) ?? .utc)
        let proof = AnonymousForm(installation: installation).proof(for: request)
        let currency = Currency(code: place.program.currency)
        let title = language("join.title", ["program": place.program.name])
        var response = try site.response(
            frame: .plain(
                .public, title: title, isListed: true, company: place.workspace,
                canonical: installation.publicURL(of: place.workspace.id) + "/join/\(place.page.slug)", site: site, language: language, nonce: context.scriptNonce), content: "join",
            [
                "closed": .flag(!place.page.isOpen), "open": .flag(place.page.isOpen),
                "welcome": PageValue(place.page.welcome.isEmpty ? nil : place.page.welcome), "test": .flag(place.workspace.isTest), "title": .text(title),
                "enroller": PageValue(place.enroller?.name.map { language("join.by", ["name": $0]) }),
                "initials": .text(Initials.of(place.enroller?.name ?? place.workspace.name)),
                "rules": PageValue(
                    place.rules.prefix(Self.rulesMax).compactMap { rule in
                        currency.map { PageObject(["text": .text(RuleSentence(rule: rule, currency: $0, language: language).text)]) }
                    }), "hasRules": .flag(!place.rules.isEmpty),
                "refused": PageValue(errors.isEmpty ? nil : language("join.refused")), "csrfToken": .text(proof.text),
                "action": .text("/join/\(place.page.slug)"), "via": .text(request.uri.queryParameters["via"].map(String.init).flatMap(Normalised.code) ?? ""),
                "trap": .text(Self.trap), "from": .text(typed.source), "invitation": .text(typed.invitation), "name": .text(typed.name), "nameError": PageValue(errors["name"]), "email": .text(typed.email),
                "emailError": PageValue(errors["email"]),
                "questions": PageValue(place.page.questions.enumerated().map { question($1, at: $0, typed, errors, language) }),
                "terms": PageValue(
                    place.terms.map {
                        PageObject([
                            "version": .text(String($0.version)), "text": .text($0.text), "error": PageValue(errors["terms"]),
                            "label": .text(language("join.terms.agree", ["workspace": place.workspace.name])),
                        ])
                    }),
                "decides": .text(language(place.page.approval == .automatic ? "join.decides.automatic" : "join.decides.byHand", ["workspace": place.workspace.name])),
            ], in: language, status: errors.isEmpty ? .ok : .unprocessableContent)
        if let new = proof.newToken { response.set(AnonymousForm.cookie, value: new.text) }
        if !typed.invitation.isEmpty {
            // A page with somebody's name on it is nobody else's.
            response.headers[.xRobotsTag] = "noindex"
            response.keepAddressHere()
        }
        return response
    }

    private func question(
        _ question: JoinPage.Question, at index: Int, _ typed: Typed, _ errors: [String: String], _ language: PageLanguage
    ) -> PageObject {
        let answer = typed.answers.indices.contains(index) ? typed.answers[index] : ""
        let name = "answer\(index)"
        let error = PageValue(errors[name].map { PageObject(["id": .text("\(name)-error"), "text": .text($0)]) })
        let field: PageObject = ["id": .text(name), "required": .flag(question.isRequired), "error": error]
        var line = field
        line["value"] = .text(answer)
        var select = field
        select["choices"] = PageValue(question.choices.map { PageObject(["value": .text($0), "chosen": .flag($0 == answer)]) })
        return [
            "id": .text(name), "label": .text(question.isRequired ? question.label : language("join.optional", ["question": question.label])),
            "error": error, "line": question.choices.isEmpty ? .object(line) : nil, "select": question.choices.isEmpty ? nil : .object(select),
        ]
    }

    private func confirmationPage(_ request: Request, _ context: KithContext, key: String, token: String?) throws -> Response {
        let language = PageLanguage(request, site: site, zone: .utc)
        let proof = AnonymousForm(installation: installation).proof(for: request)
        var response = try site.response(
            frame: .plain(.public, title: language("joinConfirmation.\(key).heading"), site: site, language: language, nonce: context.scriptNonce),
            content: "join-confirmation",
            [
                "heading": .text(language("joinConfirmation.\(key).heading")), "lead": .text(language("joinConfirmation.\(key).lead")),
                "form": PageValue(token.map { PageObject(["token": .text($0), "csrfToken": .text(proof.text)]) }),
            ], in: language, status: key == "gone" ? .gone : .ok)
        if let new = proof.newToken { response.set(AnonymousForm.cookie, value: new.text) }
        response.keepAddressHere()
        return response
    }
}
