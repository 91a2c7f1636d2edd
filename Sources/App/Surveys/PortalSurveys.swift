import Chronology
import Hummingbird
import Persistence
import Web

/// A question on a member's first page, answered with one tap, and what follows on the answer.
enum PortalSurveys {
    static let path = "/portal/survey/"

    static func add(to api: inout API, gate: PortalGate) {
        api.portalPage("/portal/survey/{id}", gate) { visit in try await show(visit) }
        api.portalForm("/portal/survey/{id}", gate) { visit, fields in
            let ask = try await own(visit)
            if fields["later"] != nil {
                try await visit.write { write in try SurveyAskStore.putOff(ask.id, at: write.now, on: write.connection) }
                return visit.seeOther("/portal")
            }
            guard let score = fields["score"].flatMap({ Int64($0) }) else { throw Problem.notFound() }
            let comment = fields["comment"]
            if let comment, comment.unicodeScalars.count > SurveyAnswer.commentLengthMax {
                return try await show(visit, error: visit.language("survey.comment.long"))
            }
            do {
                _ = try await visit.write { write in try SurveyAnswer.give(score, comment: comment, to: ask, by: .portal, in: write) }
            } catch let problem as Problem where problem.code == "survey_ended" {
                return try await show(visit)
            } catch let problem as Problem where problem.status == .unprocessableContent {
                throw Problem.notFound()
            }
            return visit.seeOther(path + ask.id.text)
        }
    }

    /// What a member is asked now. Who waits for the company is asked nothing.
    static func question(
        for member: Member, at now: Instant, csrfToken: String, company: String, _ language: PageLanguage, on connection: any Connection
    ) throws -> SurveyCard? {
        guard member.status == .active, let since = try? now.adding(milliseconds: -SurveyAsk.openMs),
            let ask = try SurveyAskStore.open(of: member.id, after: since, on: connection),
            let survey = try SurveyStore.find(ask.surveyID, in: ask.workspaceID, on: connection)
        else { return nil }
        return SurveyCard(survey: survey, company: company, action: path + ask.id.text, csrfToken: csrfToken, mayWait: true, language: language)
    }

    private static func own(_ visit: PortalVisit) async throws -> SurveyAsk {
        let id: SurveyAskID = try visit.context.id()
        guard let ask = try await visit.installation.main.read({ try SurveyAskStore.find(id, on: $0) }), ask.respondent.memberID == visit.member.id else {
            throw Problem.notFound()
        }
        return ask
    }

    private static func show(_ visit: PortalVisit, error: String? = nil) async throws -> Response {
        let ask = try await own(visit)
        let vault = visit.installation.vault
        let (company, csrfToken, language) = (visit.session.workspace.name, visit.csrfToken, visit.language)
        let card = try await visit.installation.main.read { connection -> SurveyCard in
            guard let survey = try SurveyStore.find(ask.surveyID, in: ask.workspaceID, on: connection) else { throw Problem.notFound() }
            return SurveyCard(
                survey: survey, answer: try SurveyAnswerStore.find(ask: ask.id, vault: vault, on: connection), company: company, action: path + ask.id.text,
                csrfToken: csrfToken, shareURL: "/portal/share", error: error, language: language)
        }
        return try visit.page(
            "portal-survey", title: visit.language("portalSurvey.title"), tab: .today, status: error == nil ? .ok : .unprocessableContent,
            ["survey": PageValue(card.page)])
    }
}
