import Chronology
import HTTPTypes
import Hummingbird
import NIOCore
import Persistence
import Web

/// The public page of a party, `/party/CODE`, and its file for calendars.
struct PartyDoor: Sendable {
    static let path = "/party/"

    let installation: Installation
    let redirect: Redirect
    let site: Site

    static func add(to api: inout API, site: Site) {
        let door = PartyDoor(installation: api.installation, redirect: Redirect(api.installation), site: site)
        for path in ["/party/{code}", "/party/{code}/calendar.ics"] { api.table.note(.get, path) }
        api.router.get("/party/{code}") { request, context in try await door.show(request, context) }
        api.table.note(.post, "/party/{code}")
        api.router.post("/party/{code}") { request, context in try await door.answer(request, context) }
        api.router.get("/party/{code}/calendar.ics") { request, context in try await door.calendar(request, context) }
    }

    private struct Place: Sendable {
        var party: Party
        var workspace: Workspace
        var now: Instant
        /// The host's first name, unless they would not have it shown.
        var host: String?
    }

    /// A guest says whether they come.
    private func answer(_ request: Request, _ context: KithContext) async throws -> Response {
        let fields = try await request.form()
        try AnonymousForm(installation: installation).verify(request, fields)
        guard let place = try await find(request, context) else { return try missing(request, context) }
        let name = OneLine.folded(fields["name"] ?? "")
        guard name.isName, let answer = fields["answer"].flatMap({ PartyGuest.Answer(rawValue: $0) }),
            let browser = AnonymousForm(installation: installation).browserHash(request)
        else { return try page(place, request, context, isRefused: true) }
        let taken = installation.joinTries.take(installation.clientAddress(of: request, context) ?? "")
        guard taken.isAllowed else { throw Problem.tooManyRequests(retryAfterSeconds: taken.retryAfterSeconds) }
        if (fields[JoinDoor.trap] ?? "").isEmpty {
            let id = place.party.id
            try await installation.write(place.workspace.id, actor: .system("party")) { write in
                try PartyGuest.answer(answer, name: name, browser: browser, to: id, in: write)
            }
        }
        return Response(
            status: .seeOther, headers: [.location: Self.path + LocalPath.encoded(place.party.code) + "?done=\(answer.rawValue)", .cacheControl: "no-store"])
    }

    private func show(_ request: Request, _ context: KithContext) async throws -> Response {
        guard let place = try await find(request, context) else { return try missing(request, context) }
        return try page(place, request, context, isRefused: false)
    }

    private func page(_ place: Place, _ request: Request, _ context: KithContext, isRefused: Bool) throws -> Response {
        let party = place.party
        let language = PageLanguage(request, site: site, zone: party.zone, audience: .friends)
        let isOver = party.canceledAt != nil || place.now >= party.ordersUntil
        func say(_ key: String, _ values: [String: String] = [:]) -> String { language("partyPage.\(key)", values) }
        let title = party.title.isEmpty ? say("untitled") : party.title
        let lead = party.canceledAt != nil ? say("canceled") : isOver ? say("over") : nil
        let proof = AnonymousForm(installation: installation).proof(for: request)
        let done = request.uri.queryParameters["done"].flatMap { PartyGuest.Answer(rawValue: String($0)) }
        let address = Self.path + LocalPath.encoded(party.code)
        let answers: [PageObject] = PartyGuest.Answer.allCases.map {
            ["value": .text($0.rawValue), "label": .text(say("answer.\($0.rawValue)")), "first": .flag($0 == .yes)]
        }
        var response = try site.response(
            frame: .plain(.public, title: title, company: place.workspace, site: site, language: language, nonce: context.scriptNonce), content: "party",
            [
                "test": .flag(place.workspace.isTest), "headline": .text(title), "lead": PageValue(lead),
                "host": .text(place.host.map { say("by", ["name": $0, "company": place.workspace.name]) } ?? say("bySomebody", ["company": place.workspace.name])),
                "when": .text(language.minute(party.startsAt)), "zone": .text(party.zone.name), "place": PageValue(party.place),
                "until": PageValue(isOver ? nil : say("until", ["day": language.minute(party.ordersUntil)])),
                "button": ["url": .text(Redirect.path + LocalPath.encoded(party.code)), "open": .flag(!isOver)],
                "answered": PageValue(isOver ? nil : done.map { say("answered.\($0.rawValue)") }), "refused": PageValue(isRefused ? say("refused") : nil),
                "form": isOver
                    ? nil : ["action": .text(address), "csrfToken": .text(proof.text), "trap": .text(JoinDoor.trap), "answers": PageValue(answers)],
                "calendar": PageValue(isOver ? nil : address + "/calendar.ics"),
                "disclosure": .text(say("disclosure", ["who": place.host ?? say("host")])),
            ], in: language, status: isOver ? .gone : isRefused ? .unprocessableContent : .ok)
        if let new = proof.newToken { response.set(AnonymousForm.cookie, value: new.text) }
        response.headers[.xRobotsTag] = "noindex"
        return response
    }

    private func calendar(_ request: Request, _ context: KithContext) async throws -> Response {
        guard let place = try await find(request, context) else { throw Problem.notFound() }
        let address = installation.publicURL(of: place.workspace.id) + Self.path + LocalPath.encoded(place.party.code)
        let party = place.party
        let text = CalendarFile(
            id: party.id.text, title: party.title.isEmpty ? place.workspace.name : party.title, company: place.workspace.name, place: party.place,
            startsAt: party.startsAt, endsAt: Instant(millisecondsSince1970: party.startsAt.millisecondsSince1970 + Party.durationMs), address: address,
            isCanceled: party.canceledAt != nil, writtenAt: party.createdAt
        ).text
        return Response(
            status: .ok,
            headers: [
                .contentType: "text/calendar; charset=utf-8", .contentDisposition: "attachment; filename=\"party.ics\"", .cacheControl: "no-store",
                .xRobotsTag: "noindex",
            ], body: ResponseBody(byteBuffer: ByteBuffer(string: text)))
    }

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
            guard let party = try PartyStore.find(link: link.id, on: connection), let workspace = try WorkspaceStore.find(link.workspaceID, on: connection),
                let member = try MemberStore.find(party.hostID, in: workspace.id, on: connection), member.status == .active
            else { return nil }
            var place = Place(party: party, workspace: workspace, now: workspace.now(world))
            if try RecommendationStore.find(member, vault: vault, on: connection)?.showsName ?? true {
                let name = try PersonStore.fields(of: [member.personID], [.name], vault: vault, on: connection)[member.personID]?[.name]
                place.host = name?.split(whereSeparator: \.isWhitespace).first.map(String.init)
            }
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
