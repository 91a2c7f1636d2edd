import HTTPTypes
import Persistence
import Web

/// Surveys, what people answered and what it comes to, for programs.
enum SurveyRoutes {
    static func add(to api: inout API) {
        let installation = api.installation
        api.read(
            "/surveys", id: "listSurveys", "Surveys", tag: "Surveys", access: .right(.programsRead), parameters: APIParameter.page,
            answer: .page(.reference("Survey"))
        ) { request, _, caller in
            let page = try PageRequest.from(request, SurveyKind.self)
            let found = try await installation.main.read { connection in
                try SurveyStore.list(in: caller.workspaceID, after: page.startingAfter, limit: page.limit + 1, on: connection)
            }
            return ListAnswer.response(found, page, cursor: \.id.text, json: \.json)
        }
        api.read("/surveys/{id}", id: "getSurvey", "A survey", tag: "Surveys", access: .right(.programsRead), answer: .reference("Survey")) {
            _, context, caller in
            let id: SurveyID = try context.id()
            return ListAnswer.one(try await installation.main.read { connection in try known(id, caller.workspaceID, connection).json })
        }
        api.read(
            "/surveys/{id}/results", id: "getSurveyResults", "What a survey's answers come to, by stage and by channel", tag: "Surveys",
            access: .right(.programsRead), answer: .reference("SurveyResults")
        ) { _, context, caller in
            let id: SurveyID = try context.id()
            return ListAnswer.one(
                try await installation.main.read { connection in
                    SurveyResults(
                        survey: try known(id, caller.workspaceID, connection), asked: try SurveyAskStore.asked([id], on: connection)[id] ?? 0,
                        counts: try SurveyAnswerStore.counts([id], on: connection)[id] ?? []
                    ).json
                })
        }
        addWrites(to: &api)
        addAnswers(to: &api)
    }

    private static func known(_ id: SurveyID, _ workspace: WorkspaceID, _ connection: any Connection) throws -> Survey {
        guard let survey = try SurveyStore.find(id, in: workspace, on: connection) else { throw Refusal.unknown("survey") }
        return survey
    }

    private static let places = APISchema.array(.enumeration(Survey.Place.allCases.map(\.rawValue)), maximumCount: Survey.Place.allCases.count)
    private static let afterDays = APISchema.described(
        .integer(1...Survey.afterDaysMax), description: "Days after the purchase or the reward; 7 when it is left out. Without meaning for `nowAndThen`.")
    private static let restDays = APISchema.described(
        .integer(Survey.restDays), description: "Days between two questions to one person, whatever the survey; \(Survey.restDaysStandard) when it is left out.")
    private static let supportURL = APISchema.described(
        .string(maximumLength: Survey.supportLengthMax),
        description: "Where the unhappy find help: https://… or mailto:…. Empty: the company gets in touch itself.")

    private static func addWrites(to api: inout API) {
        api.write(
            .post, "/surveys", id: "createSurvey", "Ask a program's people one question; whoever is due is asked from now on", tag: "Surveys",
            access: .right(.programsWrite),
            body: .object([
                .required("programId", .text), .required("kind", .enumeration(Survey.Kind.allCases.map(\.rawValue))),
                .required("question", .string(maximumLength: Survey.questionLengthMax)), .required("askedIn", places),
                .required("askedWhen", .enumeration(Survey.When.allCases.map(\.rawValue))), .optional("afterDays", afterDays), .optional("restDays", restDays),
                .optional("supportUrl", supportURL),
            ]), answer: .reference("Survey"), status: 201, failures: [409],
            decode: { body, _ in
                Survey.Draft(
                    programID: body.custom("programId", standIn: ProgramID(stored: "")) { idReading($0, ProgramKind.self, "program") },
                    kind: choice("kind", body, .csat), question: body.name("question", maximumLength: Survey.questionLengthMax),
                    places: required(body), when: choice("askedWhen", body, .nowAndThen),
                    afterDays: body.optionalInteger("afterDays", in: 1...Survey.afterDaysMax) ?? 7,
                    restDays: body.optionalInteger("restDays", in: Survey.restDays) ?? Survey.restDaysStandard,
                    supportURL: body.optionalText("supportUrl", maximumLength: Survey.supportLengthMax, allowsEmpty: true) ?? "")
            }
        ) { draft, write in Answer(try Survey.make(draft, in: write).json, status: 201) }
        api.write(
            .patch, "/surveys/{id}", id: "changeSurvey", "Change where and when is asked, or end a survey. Its question stays: answers to another could not be told apart",
            tag: "Surveys", access: .right(.programsWrite),
            body: .object([
                .optional("askedIn", places), .optional("afterDays", afterDays), .optional("restDays", restDays), .optional("supportUrl", supportURL),
                .optional("state", .enumeration(Survey.State.allCases.map(\.rawValue))),
            ]), answer: .reference("Survey"), failures: [409],
            decode: { body, context in
                (
                    id: try context.id(SurveyKind.self),
                    change: Survey.Change(
                        places: read(body), afterDays: body.optionalInteger("afterDays", in: 1...Survey.afterDaysMax),
                        restDays: body.optionalInteger("restDays", in: Survey.restDays),
                        supportURL: body.optionalText("supportUrl", maximumLength: Survey.supportLengthMax, allowsEmpty: true),
                        state: body.optionalOneOf("state", Survey.State.self))
                )
            }
        ) { input, write in Answer(try Survey.change(input.id, input.change, in: write).json) }
    }

    private static func choice<Choice: RawRepresentable & CaseIterable>(_ field: String, _ body: JSONReader, _ standIn: Choice) -> Choice where Choice.RawValue == String {
        body.custom(field, standIn: standIn) { value in
            if case .text(let text) = value, let choice = Choice(rawValue: text) { return .accepted(choice) }
            return .refused("Must be one of \(Choice.allCases.map(\.rawValue).joined(separator: ", ")).")
        }
    }

    private static func required(_ body: JSONReader) -> Set<Survey.Place> {
        let places = read(body)
        if places == nil { body.note("askedIn", "Must name portal, mail or both.") }
        return places ?? []
    }

    /// Nil when the field is left out.
    private static func read(_ body: JSONReader) -> Set<Survey.Place>? {
        let texts = body.textList("askedIn", maximumCount: Survey.Place.allCases.count, maximumLength: 20)
        let places = texts.compactMap { Survey.Place(rawValue: $0) }
        if places.count < texts.count { body.note("askedIn", "Must be a list of portal and mail.") }
        return texts.isEmpty ? nil : Set(places)
    }

    private static func addAnswers(to api: inout API) {
        let installation = api.installation
        api.read(
            "/surveys/{id}/answers", id: "listSurveyAnswers", "What people answered, with their words", tag: "Surveys", access: .right(.membersRead),
            parameters: APIParameter.page, answer: .page(.reference("SurveyAnswer"))
        ) { request, context, caller in
            let id: SurveyID = try context.id()
            let page = try PageRequest.from(request, SurveyAnswerKind.self)
            let answers = try await installation.main.read { [vault = installation.vault] connection in
                _ = try known(id, caller.workspaceID, connection)
                return try SurveyAnswerStore.page(of: id, after: page.startingAfter, limit: page.limit + 1, vault: vault, on: connection)
            }
            return ListAnswer.response(answers, page, cursor: \.id.text, json: \.json)
        }
        api.write(
            .post, "/surveys/{id}/answers", id: "answerSurvey", "Tell what somebody answered: a member, or a customer by your id. A later answer takes the place of one within `restDays`",
            tag: "Surveys", access: .right(.membersWrite),
            body: .object([
                .optional("memberId", Schemas.memberReference), .optional("customerExternalId", .string(maximumLength: 255)),
                .required("score", .described(.integer(0...10), description: "1 to 5 of a `csat`, 0 to 10 of an `nps`.")),
                .optional("comment", .string(maximumLength: SurveyAnswer.commentLengthMax)),
            ]), answer: .reference("SurveyAnswer"), failures: [409],
            decode: { body, context in
                let member = body.optionalCustom("memberId") { value -> JSONReader.Reading<MemberReference> in
                    if case .text(let text) = value, let reference = MemberReference(text) { return .accepted(reference) }
                    return .refused(MemberReference.allowed)
                }
                let customer = body.optionalCustom("customerExternalId", Normalised.readExternalID)
                if (member == nil) == (customer == nil), !body.hasErrors { body.note("memberId", "Must be given, or customerExternalId instead of it: one of the two.") }
                return (
                    id: try context.id(SurveyKind.self), member: member, customer: customer, score: body.integer("score", in: 0...10),
                    comment: body.optionalText("comment", maximumLength: SurveyAnswer.commentLengthMax)
                )
            }
        ) { input, write in
            let respondent: SurveyAsk.Respondent
            if let reference = input.member {
                let member = try Member.find(reference, field: "memberId", in: write)
                respondent = .member(member.id, member.personID)
            } else {
                let hash = write.vault.lookupHash(write.workspace.id, "customer", input.customer ?? "")
                var locales: [PersonID: String] = [:]
                guard let customer = try CustomerStore.find(externalHash: hash, in: write.workspace.id, on: write.connection),
                    let found = try SurveyAsk.respondent(nil, customer.id, in: write, &locales)
                else { throw Refusal.unknown("customer", field: "customerExternalId") }
                respondent = found
            }
            return Answer(try SurveyAnswer.tell(input.score, comment: input.comment, to: input.id, by: respondent, in: write).json)
        }
        api.write(
            .post, "/survey-answers/{id}/follow-up", id: "followUpSurveyAnswer", "Note that somebody got in touch with who is unhappy, and what they did", tag: "Surveys",
            access: .right(.membersWrite), body: .object([.required("note", .string(maximumLength: SurveyAnswer.noteLengthMax))]),
            answer: .reference("SurveyAnswer"), failures: [409],
            decode: { body, context in
                (id: try context.id(SurveyAnswerKind.self), note: body.text("note", maximumLength: SurveyAnswer.noteLengthMax))
            }
        ) { input, write in Answer(try SurveyAnswer.finish(input.id, note: input.note, in: write).json) }
    }
}
