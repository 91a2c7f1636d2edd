import Chronology
import HTTPTypes
import Persistence
import Web

enum PlanRoutes {
    static func add(to api: inout API) {
        let installation = api.installation
        api.write(
            .post, "/plans", id: "createPlan", "Write a compensation plan (YAML or JSON)", tag: "Plans", access: .right(.programsWrite),
            body: .object([
                .required("programId", .text), .required("name", .string(maximumLength: 200)),
                .required("document", .string(maximumLength: ProgramPlan.documentBytesMax)), .optional("effectiveFrom", .dateTime),
            ]), answer: .reference("Plan"), status: 201, maximumBytes: ProgramPlan.bodyBytesMax,
            decode: { body, _ in
                NewPlan(
                    programID: body.custom("programId", standIn: ProgramID(stored: "")) { idReading($0, ProgramKind.self, "program") },
                    name: body.name("name", maximumLength: 200),
                    document: body.text("document", maximumLength: ProgramPlan.documentBytesMax),
                    effectiveFrom: body.optionalCustom("effectiveFrom", Instant.read))
            }
        ) { input, write in Answer(try ProgramPlan.create(input, in: write).json, status: 201) }
        api.write(
            .post, "/plans/{id}/versions", id: "changePlan", "Write the next version of a plan", tag: "Plans", access: .right(.programsWrite),
            body: .object([
                .required("document", .string(maximumLength: ProgramPlan.documentBytesMax)), .optional("effectiveFrom", .dateTime),
            ]), answer: .reference("Plan"), status: 201, maximumBytes: ProgramPlan.bodyBytesMax,
            decode: { body, context in
                (
                    id: try context.id(PlanKind.self), document: body.text("document", maximumLength: ProgramPlan.documentBytesMax),
                    effectiveFrom: body.optionalCustom("effectiveFrom", Instant.read)
                )
            }
        ) { input, write in
            Answer(
                try ProgramPlan.change(input.id, document: input.document, effectiveFrom: input.effectiveFrom, in: write).json, status: 201)
        }
        api.read(
            "/plans", id: "listPlans", "Compensation plans, the newest version of each", tag: "Plans", access: .right(.programsRead),
            parameters: APIParameter.page + [APIParameter("programId", .text)], answer: .page(.reference("Plan"))
        ) { request, _, caller in
            let page = try PageRequest.from(request, PlanKind.self)
            let program = try Query.id("programId", ProgramKind.self, in: request)
            let plans = try await installation.main.read { connection in
                try PlanStore.list(
                    in: caller.workspaceID, program: program, after: page.startingAfter, limit: page.limit + 1, on: connection)
            }
            return ListAnswer.response(plans, page, cursor: \.id.text, json: \.json)
        }
        api.read(
            "/plans/{id}", id: "getPlan", "A plan with its newest version", tag: "Plans", access: .right(.programsRead),
            answer: .reference("Plan")
        ) { _, context, caller in
            let id: PlanID = try context.id()
            let plan = try await installation.main.read { connection in try PlanStore.newest(id, in: caller.workspaceID, on: connection) }
            guard let plan else { throw Refusal.unknown("plan") }
            return ListAnswer.one(plan.json)
        }
        api.read(
            "/plans/{id}/versions", id: "listPlanVersions", "All versions of a plan, the newest first", tag: "Plans",
            access: .right(.programsRead), answer: .page(.reference("Plan"))
        ) { _, context, caller in
            let id: PlanID = try context.id()
            let plans = try await installation.main.read { connection in try PlanStore.versions(of: id, in: caller.workspaceID, on: connection) }
            guard !plans.isEmpty else { throw Refusal.unknown("plan") }
            return ListAnswer.response(plans, PageRequest(limit: PageRequest.maximumLimit), cursor: { String($0.version) }, json: \.json)
        }
    }
}
