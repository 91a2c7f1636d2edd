import Chronology
import HTTPTypes
import Persistence
import Web

/// Events that members are invited to, what they answered and who came, for programs.
enum OccasionRoutes {
    static func add(to api: inout API) {
        let installation = api.installation
        api.read(
            "/occasions", id: "listOccasions", "Events that members are invited to", tag: "Occasions", access: .right(.programsRead),
            parameters: APIParameter.page, answer: .page(.reference("Occasion"))
        ) { request, _, caller in
            let page = try PageRequest.from(request, OccasionKind.self)
            let found = try await installation.main.read { connection -> (occasions: [Occasion], counts: [OccasionID: [OccasionAnswer.Kind: Int64]], now: Instant) in
                guard let workspace = try WorkspaceStore.find(caller.workspaceID, on: connection) else { throw Refusal.unknown("workspace") }
                let occasions = try OccasionStore.list(in: workspace.id, after: page.startingAfter, limit: page.limit + 1, on: connection)
                return (occasions, try OccasionAnswerStore.counts(occasions.map(\.id), on: connection), workspace.now(installation.world))
            }
            return ListAnswer.response(found.occasions, page, cursor: \.id.text) { $0.json(found.counts[$0.id] ?? [:], at: found.now) }
        }
        api.read("/occasions/{id}", id: "getOccasion", "An event and how many come", tag: "Occasions", access: .right(.programsRead), answer: .reference("Occasion")) {
            _, context, caller in
            let id: OccasionID = try context.id()
            return ListAnswer.one(
                try await installation.main.read { connection in
                    guard let occasion = try OccasionStore.find(id, in: caller.workspaceID, on: connection),
                        let workspace = try WorkspaceStore.find(caller.workspaceID, on: connection)
                    else { throw Refusal.unknown("occasion") }
                    return occasion.json(try OccasionAnswerStore.counts([id], on: connection)[id] ?? [:], at: workspace.now(installation.world))
                })
        }
        addWrites(to: &api)
        addAnswers(to: &api)
    }

    private static let description = APISchema.string(maximumLength: Occasion.descriptionLengthMax)
    private static let places = APISchema.integer(1...Occasion.placesMax)

    private static func addWrites(to api: inout API) {
        api.write(
            .post, "/occasions", id: "createOccasion", "Invite members to an event: whoever it is for gets a letter", tag: "Occasions",
            access: .right(.programsWrite),
            body: .object([
                .required("programId", .text), .required("title", .string(maximumLength: Occasion.titleLengthMax)), .optional("description", description),
                .optional("place", .string(maximumLength: Occasion.placeLengthMax)), .required("startsAt", .dateTime), .required("endsAt", .dateTime),
                .optional("timezone", .described(.string(maximumLength: 60), description: "Left out: the program's.")), .optional("places", places),
                .optional("invited", Occasion.Invited.schema),
                .optional("earnAction", .described(.string(maximumLength: EarnAction.keyLengthMax), description: "The key of what whoever came earns.")),
            ]), answer: .reference("Occasion"), status: 201, failures: [409],
            decode: { body, _ in
                let invited = body.optionalObject("invited") { part in
                    Occasion.Invited(
                        groups: part.textList("groups", maximumCount: Occasion.Invited.listMax, maximumLength: MemberGroup.keyLengthMax),
                        tiers: part.textList("tiers", maximumCount: Occasion.Invited.listMax, maximumLength: 60).map { TierID(stored: $0) },
                        stages: stages(part))
                }
                return Occasion.Draft(
                    programID: body.custom("programId", standIn: ProgramID(stored: "")) { idReading($0, ProgramKind.self, "program") },
                    title: body.name("title", maximumLength: Occasion.titleLengthMax),
                    description: body.optionalText("description", maximumLength: Occasion.descriptionLengthMax) ?? "",
                    place: body.optionalText("place", maximumLength: Occasion.placeLengthMax), zone: body.optionalCustom("timezone", Zone.read),
                    startsAt: body.custom("startsAt", standIn: Instant(millisecondsSince1970: 0), Instant.read),
                    endsAt: body.custom("endsAt", standIn: Instant(millisecondsSince1970: 0), Instant.read),
                    places: body.optionalInteger("places", in: 1...Occasion.placesMax), invited: invited ?? Occasion.Invited(),
                    earnAction: body.optionalText("earnAction", maximumLength: EarnAction.keyLengthMax))
            }
        ) { draft, write in Answer(try Occasion.make(draft, in: write).json(in: write), status: 201) }
        api.write(
            .patch, "/occasions/{id}", id: "changeOccasion", "Say more of an event, or find more places: whoever waits longest comes", tag: "Occasions",
            access: .right(.programsWrite),
            body: .object([
                .optional("description", description), .optional("place", .string(maximumLength: Occasion.placeLengthMax)), .optional("places", places),
            ]), answer: .reference("Occasion"), failures: [409],
            decode: { body, context in
                (
                    id: try context.id(OccasionKind.self),
                    change: Occasion.Change(
                        description: body.optionalText("description", maximumLength: Occasion.descriptionLengthMax),
                        place: body.optionalText("place", maximumLength: Occasion.placeLengthMax), places: body.optionalInteger("places", in: 1...Occasion.placesMax))
                )
            }
        ) { input, write in Answer(try Occasion.change(input.id, input.change, in: write).json(in: write)) }
        api.write(
            .post, "/occasions/{id}/cancellation", id: "cancelOccasion", "Cancel an event; whoever would come is told", tag: "Occasions",
            access: .right(.programsWrite), body: nil, answer: .reference("Occasion"), failures: [409],
            decode: { _, context in try context.id(OccasionKind.self) }
        ) { id, write in Answer(try Occasion.cancel(id, in: write).json(in: write)) }
    }

    private static func stages(_ part: JSONReader) -> [Member.Stage] {
        let texts = part.textList("stages", maximumCount: Occasion.Invited.listMax, maximumLength: 20)
        let stages = texts.compactMap { Member.Stage(rawValue: $0) }
        if stages.count < texts.count { part.note("stages", "Must be a list of prospect, customer, sharer and promoter.") }
        return stages
    }

    private static func addAnswers(to api: inout API) {
        let installation = api.installation
        api.read(
            "/occasions/{id}/answers", id: "listOccasionAnswers", "What members answered, and who came", tag: "Occasions", access: .right(.membersRead),
            parameters: APIParameter.page, answer: .page(.reference("OccasionAnswer"))
        ) { request, context, caller in
            let id: OccasionID = try context.id()
            let page = try PageRequest.from(request, MemberKind.self)
            let answers = try await installation.main.read { connection in
                guard try OccasionStore.find(id, in: caller.workspaceID, on: connection) != nil else { throw Refusal.unknown("occasion") }
                return try OccasionAnswerStore.page(of: id, after: page.startingAfter, limit: page.limit + 1, on: connection)
            }
            return ListAnswer.response(answers, page, cursor: \.memberID.text, json: \.json)
        }
        api.write(
            .post, "/occasions/{id}/answers", id: "answerOccasion", "Answer for a member: a yes is a place, or the end of the line", tag: "Occasions",
            access: .right(.membersWrite),
            body: .object([
                .required("memberId", Schemas.memberReference), .required("answer", .enumeration(OccasionAnswer.Said.allCases.map(\.rawValue))),
            ]), answer: .reference("OccasionAnswer"), failures: [409],
            decode: { body, context in
                (id: try context.id(OccasionKind.self), member: body.memberReference("memberId"), said: try body.oneOf("answer", OccasionAnswer.Said.self))
            }
        ) { input, write in
            let member = try Member.find(input.member, field: "memberId", in: write)
            return Answer(try OccasionAnswer.give(input.said, to: input.id, by: member, in: write).json)
        }
        api.write(
            .post, "/occasions/{id}/attendance", id: "attendOccasion", "Note who came; whoever came earns what the event promises, once", tag: "Occasions",
            access: .right(.membersWrite),
            body: .object([.required("memberIds", .array(.text, maximumCount: OccasionAnswer.attendedMax))]),
            answer: .object([.required("data", .array(.reference("OccasionAnswer")))]), failures: [409],
            decode: { body, context in
                let texts = body.textList("memberIds", maximumCount: OccasionAnswer.attendedMax, maximumLength: 60)
                if texts.isEmpty { body.note("memberIds", "Must name at least one member.") }
                return (id: try context.id(OccasionKind.self), members: texts.map { MemberID(stored: $0) })
            }
        ) { input, write in
            let answers = try OccasionAnswer.attend(input.members, input.id, in: write)
            return Answer(["data": .array(answers.map(\.json))])
        }
    }
}
