import Hummingbird
import Persistence
import Web

/// The page of a letter's question. A visit answers nothing, so that programs which follow addresses have no opinion; the tap does. Who has the
/// address has the letter: no other proof is asked for, and no cookie is set.
struct SurveyDoor: Sendable {
    let installation: Installation
    let site: Site

    static func add(to api: inout API, site: Site) {
        let door = SurveyDoor(installation: api.installation, site: site)
        for method in [HTTPRequest.Method.get, .post] { api.table.note(method, "/survey/{token}") }
        api.router.get("/survey/{token}") { request, context in try await door.show(request, context) }
        api.router.post("/survey/{token}") { request, context in try await door.answer(request, context) }
    }

    private struct Place: Sendable {
        var ask: SurveyAsk
        var survey: Survey
        var answer: SurveyAnswer?
        var workspace: Workspace
    }

    private func show(_ request: Request, _ context: KithContext) async throws -> Response {
        try page(try await find(context), request, context)
    }

    private func answer(_ request: Request, _ context: KithContext) async throws -> Response {
        let place = try await find(context)
        let fields = try await request.form()
        guard let score = fields["score"].flatMap({ Int64($0) }), place.survey.kind.scores.contains(score) else { throw Problem.notFound() }
        let comment = fields["comment"]
        if let comment, comment.unicodeScalars.count > SurveyAnswer.commentLengthMax { return try page(place, request, context, isRefused: true) }
        do {
            _ = try await installation.write(place.workspace.id, actor: .system("survey")) { write in
                try SurveyAnswer.give(score, comment: comment, to: place.ask, by: .mail, in: write)
            }
        } catch let problem as Problem where problem.code == "survey_ended" {
            return try page(place, request, context)
        }
        return Response(status: .seeOther, headers: [.location: request.uri.path, .cacheControl: "no-store"])
    }

    /// Whoever was erased, or has left, is asked nothing.
    private func find(_ context: KithContext) async throws -> Place {
        guard let link = context.parameters.get("token").flatMap({ SurveyLink($0, installation) }) else { throw Problem.notFound() }
        let found = try await installation.main.read { [vault = installation.vault] connection -> Place? in
            guard let ask = try SurveyAskStore.find(link.ask, on: connection), let workspace = try WorkspaceStore.find(ask.workspaceID, on: connection),
                let survey = try SurveyStore.find(ask.surveyID, in: workspace.id, on: connection),
                try PersonStore.key(of: ask.respondent.person, vault: vault, on: connection) != nil
            else { return nil }
            return Place(ask: ask, survey: survey, answer: try SurveyAnswerStore.find(ask: ask.id, vault: vault, on: connection), workspace: workspace)
        }
        guard let found, context.isOf(found.workspace.id) else { throw Problem.notFound() }
        return found
    }

    private func page(_ place: Place, _ request: Request, _ context: KithContext, isRefused: Bool = false) throws -> Response {
        let language = PageLanguage(request, site: site, zone: .utc)
        let company = place.workspace.name
        let heading = language(place.answer == nil ? "surveyPage.heading" : "surveyPage.answered", ["company": company])
        let card = SurveyCard(
            survey: place.survey, answer: place.answer, company: company, action: request.uri.path,
            shareURL: place.ask.respondent.memberID == nil ? nil : "/portal/share", error: isRefused ? language("survey.comment.long") : nil, language: language)
        var response = try site.response(
            frame: .plain(.public, title: heading, company: place.workspace, site: site, language: language, nonce: context.scriptNonce), content: "survey",
            ["test": .flag(place.workspace.isTest), "heading": .text(heading), "survey": PageValue(card.page)], in: language,
            status: isRefused ? .unprocessableContent : .ok)
        response.headers[.xRobotsTag] = "noindex"
        response.keepAddressHere()
        return response
    }
}
