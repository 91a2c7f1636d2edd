import Hummingbird
import Persistence
import Web

/// Surveys, a form for one more, and each with what it came to and who waits for an answer.
enum SurveyPages {
    static let path = "/surveys"
    static let rowsMax = 200
    static let answersMax = 100
    static let followUpsMax = 100
    static let programsMax = 200

    static func add(to api: inout API, gate: PageGate) {
        api.page("/surveys", .programsRead, gate) { visit in try await list(visit) }
        api.form("/surveys", .programsWrite, gate) { visit, fields in try await make(visit, fields) }
        api.page("/surveys/{id}", .programsRead, gate) { visit in try await show(visit) }
        api.form("/surveys/{id}/state", .programsWrite, gate) { visit, fields in
            let id: SurveyID = try visit.context.id()
            guard let state = fields["state"].flatMap({ Survey.State(rawValue: $0) }) else { throw Problem.notFound() }
            do {
                try await visit.installation.write(visit.workspaceID, actor: visit.session.actor, rights: visit.session.rights) { write in
                    _ = try Survey.change(id, Survey.Change(state: state), in: write)
                }
            } catch let problem as Problem where problem.code == "too_many_surveys" {
                return try await show(visit, refused: visit.language("surveys.error.many"))
            }
            return visit.seeOther("\(path)/\(id.text)?done=\(state.rawValue)")
        }
        api.form("/surveys/{id}/follow-up", .membersWrite, gate) { visit, fields in
            let id: SurveyID = try visit.context.id()
            guard let answer = fields["answer"].flatMap({ SurveyAnswerID($0) }) else { throw Problem.notFound() }
            let note = fields["note"] ?? ""
            guard !note.allSatisfy(\.isWhitespace), note.unicodeScalars.count <= SurveyAnswer.noteLengthMax else {
                return try await show(visit, refused: visit.language("surveys.error.note"))
            }
            do {
                try await visit.installation.write(visit.workspaceID, actor: visit.session.actor, rights: visit.session.rights) { write in
                    _ = try SurveyAnswer.finish(answer, note: note, in: write)
                }
            } catch let problem as Problem where problem.code == "no_follow_up" {
                return try await show(visit, refused: visit.language("surveys.error.no_follow_up"))
            }
            return visit.seeOther("\(path)/\(id.text)?done=followed")
        }
    }

    private static func make(_ visit: PageVisit, _ fields: FormFields) async throws -> Response {
        func say(_ key: String) -> String { visit.language("surveys.error.\(key)") }
        var errors: [String: String] = [:]
        let question = OneLine.folded(fields["question"] ?? "")
        if !(1...Survey.questionLengthMax).contains(question.unicodeScalars.count) { errors["question"] = say("question") }
        let places = Set(fields.all("askedIn").prefix(Survey.Place.allCases.count).compactMap { Survey.Place(rawValue: $0) })
        if places.isEmpty { errors["askedIn"] = say("askedIn") }
        let afterDays = visit.language.typedCount(fields["afterDays"] ?? "", in: 1...Survey.afterDaysMax)
        if afterDays == nil { errors["afterDays"] = say("afterDays") }
        let restDays = visit.language.typedCount(fields["restDays"] ?? "", in: Survey.restDays)
        if restDays == nil { errors["restDays"] = say("restDays") }
        let support = (fields["supportUrl"] ?? "").filter { !$0.isWhitespace }
        if !Survey.isSupport(support) { errors["supportUrl"] = say("supportUrl") }
        guard let program = fields["program"].flatMap({ ProgramID($0) }), let kind = fields["kind"].flatMap({ Survey.Kind(rawValue: $0) }),
            let when = fields["askedWhen"].flatMap({ Survey.When(rawValue: $0) })
        else { throw Problem.notFound() }
        guard errors.isEmpty, let afterDays, let restDays else { return try await list(visit, typed: fields, errors: errors) }
        let draft = Survey.Draft(
            programID: program, kind: kind, question: question, places: places, when: when, afterDays: afterDays, restDays: restDays, supportURL: support)
        do {
            let made = try await visit.installation.write(visit.workspaceID, actor: visit.session.actor, rights: visit.session.rights) { write in
                try Survey.make(draft, in: write)
            }
            return visit.seeOther("\(path)/\(made.id.text)?done=made")
        } catch let problem as Problem where problem.code == "too_many_surveys" {
            return try await list(visit, typed: fields, errors: ["question": say("many")])
        }
    }

    private static func list(_ visit: PageVisit, typed: FormFields? = nil, errors: [String: String] = [:]) async throws -> Response {
        let (workspace, now, language) = (visit.workspaceID, visit.now, visit.language)
        let (mayWrite, csrfToken) = (visit.session.may(.programsWrite), visit.csrfToken)
        let model = try await visit.installation.main.read { connection in
            let surveys = try SurveyStore.newest(in: workspace, limit: rowsMax, on: connection)
            let ids = surveys.map(\.id)
            let (asked, counts) = (try SurveyAskStore.asked(ids, on: connection), try SurveyAnswerStore.counts(ids, on: connection))
            return SurveyListModel(
                results: surveys.map { SurveyResults(survey: $0, asked: asked[$0.id] ?? 0, counts: counts[$0.id] ?? []) },
                open: try SurveyAnswerStore.openCounts(ids, on: connection),
                programs: try ProgramStore.list(in: workspace, at: now, after: nil, limit: programsMax, on: connection), mayWrite: mayWrite, typed: typed,
                errors: errors, csrfToken: csrfToken, language: language)
        }
        return try visit.blocks(model.blocks, current: path, status: errors.isEmpty ? .ok : .unprocessableContent)
    }

    private static func show(_ visit: PageVisit, refused: String? = nil) async throws -> Response {
        let id: SurveyID = try visit.context.id()
        let (workspace, vault, now) = (visit.workspaceID, visit.installation.vault, visit.now)
        let (mayChange, mayRead, mayFollow) = (visit.session.may(.programsWrite), visit.session.may(.membersRead), visit.session.may(.membersWrite))
        let (language, csrfToken) = (visit.language, visit.csrfToken)
        let model = try await visit.installation.main.read { connection -> SurveyModel in
            guard let survey = try SurveyStore.find(id, in: workspace, on: connection) else { throw Problem.notFound() }
            // Who may not read of members sees what all say together, and nobody's words.
            let open = mayRead ? try SurveyAnswerStore.open(of: id, limit: followUpsMax, vault: vault, on: connection) : []
            let newest = mayRead ? try SurveyAnswerStore.newest(of: id, limit: answersMax, vault: vault, on: connection) : []
            return SurveyModel(
                results: SurveyResults(
                    survey: survey, asked: try SurveyAskStore.asked([id], on: connection)[id] ?? 0, counts: try SurveyAnswerStore.counts([id], on: connection)[id] ?? []),
                program: try ProgramStore.find(survey.programID, in: workspace, at: now, on: connection)?.name ?? "", open: open, answers: newest,
                waiting: try SurveyAnswerStore.openCounts([id], on: connection)[id] ?? 0,
                names: try PersonNames.load(
                    members: (open + newest).compactMap(\.respondent.memberID), customers: (open + newest).compactMap(\.respondent.customerID), vault: vault,
                    on: connection), refused: refused, mayChange: mayChange, mayRead: mayRead, mayFollow: mayFollow, csrfToken: csrfToken, language: language)
        }
        return try visit.blocks(
            model.blocks, current: path, notice: visit.done("surveys", ["made", "active", "ended", "followed"]), status: refused == nil ? .ok : .unprocessableContent)
    }
}
