import Chronology
import HTTPTypes
import Persistence
import Web

/// Experiments for programs: set up, ask who gets what, tell who saw what, read what came of it.
enum ExperimentRoutes {
    static func add(to api: inout API, site: Site) {
        let installation = api.installation
        let language = PageLanguage(messages: site.catalogue.messages(for: "en"), zone: .utc)
        api.write(
            .post, "/experiments", id: "createExperiment", "Set up an experiment, and start it unless it is a draft", tag: "Experiments", access: .right(.programsWrite),
            body: ExperimentInput.body, answer: .reference("Experiment"), status: 201, decode: { body, _ in ExperimentInput.read(body) }
        ) { input, write in Answer(try Experiment.create(input, in: write).json, status: 201) }
        api.read(
            "/experiments", id: "listExperiments", "Experiments", tag: "Experiments", access: .right(.programsRead),
            parameters: APIParameter.page + [APIParameter("programId", .text), APIParameter("state", .enumeration(Experiment.State.allCases.map(\.rawValue)))],
            answer: .page(.reference("Experiment"))
        ) { request, _, caller in
            let page = try PageRequest.from(request, ExperimentKind.self)
            let program = try Query.id("programId", ProgramKind.self, in: request)
            let state = try Query.word("state", Experiment.State.self, in: request)
            let found = try await installation.main.read { connection in
                try ExperimentStore.list(in: caller.workspaceID, program: program, state: state, after: page.startingAfter, limit: page.limit + 1, on: connection)
            }
            return ListAnswer.response(found, page, cursor: \.id.text, json: \.json)
        }
        api.read(
            "/experiments/{id}", id: "getExperiment", "An experiment with what came of it so far, and what to do", tag: "Experiments", access: .right(.programsRead),
            answer: .reference("ExperimentAnalysis")
        ) { _, context, caller in
            let id = try context.id(ExperimentKind.self)
            let found = try await installation.main.read { connection -> (ExperimentAnalysis, Program)? in
                let now = try WorkspaceStore.find(caller.workspaceID, on: connection)?.now(installation.world) ?? installation.world.now()
                return try ExperimentAnalysis.load(id, in: caller.workspaceID, now: now, vault: installation.vault, on: connection)
            }
            guard let (analysis, program) = found else { throw Refusal.unknown("experiment") }
            return ListAnswer.one(analysis.json(sentence: analysis.sentence(program, language)(analysis.decision)))
        }
        api.read(
            "/experiments/{id}/assignment", id: "getAssignment", "What a subject gets: always the same for the same subject", tag: "Experiments", access: .right(.programsRead),
            parameters: [APIParameter("subject", subject, isRequired: true)], answer: .reference("ExperimentAssignment")
        ) { request, context, caller in
            let id = try context.id(ExperimentKind.self)
            guard let subject = try Query.externalID("subject", in: request) else { throw Refusal.field("subject", "Is required.") }
            let found = try await installation.main.read { connection in try ExperimentStore.find(id, in: caller.workspaceID, on: connection) }
            guard let found else { throw Refusal.unknown("experiment") }
            return ListAnswer.one(found.json(found.assignment(of: subject)))
        }
        api.write(
            .post, "/experiments/{id}/exposures", id: "addExposure", "Tell that a subject saw a variant, or was held out", tag: "Experiments", access: .right(.trackWrite),
            body: .object([
                .required("subject", subject), .required("variant", .described(.string(maximumLength: Experiment.nameLengthMax), description: "A variant's name, or holdout.")),
                .optional("segment", .described(.string(maximumLength: Experiment.segmentLengthMax), description: "A word known before, such as a country: results are shown for each.")),
                .optional("occurredAt", .dateTime),
            ]), answer: .object([.required("experimentId", .text), .required("variant", .text), .required("occurredAt", .dateTime), .required("isNew", .boolean), .required("mismatched", .boolean)]),
            status: 201, failures: [409],
            decode: { body, context in
                (
                    id: try context.id(ExperimentKind.self),
                    input: ExposureInput(
                        subject: body.custom("subject", standIn: "", Normalised.readExternalID), variant: body.text("variant", maximumLength: Experiment.nameLengthMax),
                        segment: body.optionalName("segment", maximumLength: Experiment.segmentLengthMax) ?? "", at: body.optionalCustom("occurredAt", Instant.read))
                )
            }
        ) { input, write in
            let exposure = try Experiment.expose(input.input, input.id, in: write)
            let experiment = try Experiment.known(input.id, in: write)
            return Answer(
                [
                    "experimentId": .text(input.id.text), "variant": .text(experiment.name(of: exposure.position)), "occurredAt": .text(exposure.at.rfc3339),
                    "isNew": .boolean(exposure.isNew), "mismatched": .boolean(exposure.isMismatched),
                ], status: 201)
        }
        addEnds(to: &api)
    }

    private static func addEnds(to api: inout API) {
        api.write(
            .post, "/experiments/{id}/start", id: "startExperiment", "Start a draft", tag: "Experiments", access: .right(.programsWrite), body: nil,
            answer: .reference("Experiment"), failures: [409], decode: { _, context in try context.id(ExperimentKind.self) }
        ) { id, write in Answer(try Experiment.start(id, in: write).json) }
        api.write(
            .post, "/experiments/{id}/stop", id: "stopExperiment", "End an experiment without a choice: everybody gets control", tag: "Experiments",
            access: .right(.programsWrite), body: .object([.optional("reason", .string(maximumLength: Experiment.reasonLengthMax))]),
            answer: .reference("Experiment"), failures: [409],
            decode: { body, context in
                (id: try context.id(ExperimentKind.self), reason: body.optionalText("reason", maximumLength: Experiment.reasonLengthMax) ?? "")
            }
        ) { input, write in Answer(try Experiment.stop(input.id, reason: input.reason, in: write).json) }
        api.write(
            .post, "/experiments/{id}/conclusion", id: "concludeExperiment", "End an experiment: everybody gets the variant named", tag: "Experiments",
            access: .right(.programsWrite),
            body: .object([.required("variant", .string(maximumLength: Experiment.nameLengthMax)), .required("reason", .string(maximumLength: Experiment.reasonLengthMax))]),
            answer: .reference("Experiment"), failures: [409],
            decode: { body, context in
                (
                    id: try context.id(ExperimentKind.self), variant: body.text("variant", maximumLength: Experiment.nameLengthMax),
                    reason: body.text("reason", maximumLength: Experiment.reasonLengthMax)
                )
            }
        ) { input, write in Answer(try Experiment.conclude(input.id, variant: input.variant, reason: input.reason, in: write).json) }
    }

    private static let subject = APISchema.described(
        .string(maximumLength: Normalised.externalIDLengthMax), description: "A member's id, your id of a customer, or a visitor's.", example: "cust-1042")
}
