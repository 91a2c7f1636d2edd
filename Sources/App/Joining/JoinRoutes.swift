import Hummingbird
import Persistence
import Web

/// The join page of a program, its terms and who applied, for programs.
enum JoinRoutes {
    static func add(to api: inout API) {
        let installation = api.installation
        let pageBody = APISchema.object([
            .required("isOpen", .boolean), .optional("approval", .enumeration(JoinPage.Approval.allCases.map(\.rawValue))),
            .optional("welcome", .string(maximumLength: JoinPage.welcomeLengthMax)), .optional("tellsDeclined", .boolean),
            .optional("questions", .array(.object([.required("label", .text), .optional("isRequired", .boolean), .optional("choices", .array(.text))]))),
        ])
        api.write(
            .put, "/programs/{id}/join-page", id: "setJoinPage", "Set the public page on which people ask to take part", tag: "Joining",
            access: .right(.programsWrite), body: pageBody, answer: .reference("JoinPage"),
            decode: { body, context in (program: try context.id(ProgramKind.self), page: JoinPageInput.read(body)) }
        ) { input, write in Answer(try JoinPage.set(input.page, for: input.program, in: write).json) }
        api.read(
            "/programs/{id}/join-page", id: "getJoinPage", "The public page on which people ask to take part", tag: "Joining",
            access: .right(.programsRead), answer: .reference("JoinPage")
        ) { _, context, caller in
            let id = try context.id(ProgramKind.self)
            let page = try await installation.main.read { connection in try JoinStore.page(of: id, on: connection) }
            guard let page, page.workspaceID == caller.workspaceID else { throw Refusal.unknown("join page") }
            return ListAnswer.one(page.json)
        }
        api.write(
            .post, "/programs/{id}/terms", id: "publishTerms", "Publish a new version of what members agree to", tag: "Joining",
            access: .right(.programsWrite), body: .object([.required("text", .text)]), answer: .reference("Terms"), status: 201,
            decode: { body, context in (program: try context.id(ProgramKind.self), text: body.text("text", maximumLength: Terms.textLengthMax)) }
        ) { input, write in Answer(try Terms.publish(input.text, for: input.program, in: write).json, status: 201) }
        api.read(
            "/programs/{id}/terms", id: "listTerms", "The versions of what members agree to, the newest first", tag: "Joining",
            access: .right(.programsRead), answer: .object([.required("data", .array(.reference("Terms")))])
        ) { _, context, caller in
            let id = try context.id(ProgramKind.self)
            let terms = try await installation.main.read { connection -> [Terms]? in
                guard try ProgramStore.exists(id, in: caller.workspaceID, on: connection) else { return nil }
                return try TermsStore.list(of: id, limit: 1_000, on: connection)
            }
            guard let terms else { throw Refusal.unknownProgram() }
            return ListAnswer.one(["data": .array(terms.map(\.json))])
        }
        api.read(
            "/applications", id: "listApplications", "Who asked to take part", tag: "Joining", access: .right(.membersRead),
            parameters: APIParameter.page + [APIParameter("state", .enumeration(Application.State.allCases.map(\.rawValue)))],
            answer: .page(.reference("Application"))
        ) { request, _, caller in
            let page = try PageRequest.from(request, ApplicationKind.self)
            let state = try Query.word("state", Application.State.self, in: request)
            let found = try await installation.main.read { connection in
                try ApplicationStore.list(in: caller.workspaceID, state: state, after: page.startingAfter, limit: page.limit + 1, on: connection).map {
                    ($0.id, try $0.json(vault: installation.vault, on: connection))
                }
            }
            return ListAnswer.response(found, page, cursor: \.0.text, json: \.1)
        }
        api.write(
            .post, "/applications/{id}/approval", id: "approveApplication", "Let a person take part", tag: "Joining",
            access: .right(.membersWrite), body: nil, answer: .reference("Application"), failures: [409],
            decode: { _, context in try context.id(ApplicationKind.self) }
        ) { id, write in
            let application = try Application.approve(id, signInURL: MagicLink.addresses(installation, of: write.workspace.id), in: write)
            return Answer(try application.json(vault: write.vault, on: write.connection), person: application.personID)
        }
        api.write(
            .post, "/applications/{id}/decline", id: "declineApplication", "Decline an application, with a reason the person is told", tag: "Joining",
            access: .right(.membersWrite), body: .object([.required("reason", .text)]), answer: .reference("Application"), failures: [409],
            decode: { body, context in
                (id: try context.id(ApplicationKind.self), reason: body.text("reason", maximumLength: Application.reasonLengthMax))
            }
        ) { input, write in
            let application = try Application.decline(input.id, reason: input.reason, in: write)
            return Answer(try application.json(vault: write.vault, on: write.connection), person: application.personID)
        }
    }
}

extension JoinPage {
    static let schema = APISchema.object([
        .required("programId", .text), .required("slug", .text), .required("path", .text), .required("isOpen", .boolean),
        .required("approval", .enumeration(Approval.allCases.map(\.rawValue))), .required("welcome", .text),
        .required("tellsDeclined", .boolean),
        .required(
            "questions",
            .array(.object([.required("label", .text), .required("isRequired", .boolean), .required("choices", .array(.text))]))),
        .required("changedAt", .dateTime),
    ])
}

extension Terms {
    static let schema = APISchema.object([
        .required("programId", .text), .required("version", .integer()), .required("text", .text), .required("author", .text),
        .required("recordedAt", .dateTime),
    ])
}

extension Application {
    static let schema = APISchema.object([
        .required("id", .text), .required("name", .nullable(.text)), .required("email", .nullable(.text)),
        .required("answers", .array(.object([.required("question", .text), .required("answer", .text)]))), .required("programId", .text),
        .required("state", .enumeration(State.allCases.map(\.rawValue))),
        .required("enrollerId", .nullable(.text)), .required("memberId", .nullable(.text)), .required("termsVersion", .nullable(.integer())),
        .required("reason", .nullable(.text)), .required("decidedBy", .nullable(.text)), .required("decidedAt", .nullable(.dateTime)),
        .required("createdAt", .dateTime), .required("source", .described(.nullable(.text), description: "The word of ?from=… on the join page, or of the invitation.")),
        .required("partnerInvitationId", .nullable(.text)),
        .required("hints", .described(.array(ApplicationHint.schema), description: "Of a waiting application: what to look at. They decide nothing.")),
    ])
}
