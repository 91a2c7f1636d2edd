import HTTPTypes
import Persistence
import Web

enum GroupRoutes {
    static let movesShown = 100

    static func add(to api: inout API) {
        let installation = api.installation
        api.write(
            .post, "/groups", id: "createGroup", "Add a group of members who share an offer", tag: "Groups", access: .right(.programsWrite),
            body: .object([
                .required("programId", .text), .required("name", .string(maximumLength: MemberGroup.nameLengthMax)),
                .optional(
                    "key", .described(.string(maximumLength: MemberGroup.keyLengthMax), description: "The word that rules, plans and files name it by; made of the name when left out. Never changed.")),
                .optional("description", .string(maximumLength: MemberGroup.descriptionLengthMax)),
            ]), answer: shape, status: 201,
            decode: { body, _ in
                (
                    program: body.custom("programId", standIn: ProgramID(stored: "")) { idReading($0, ProgramKind.self, "program") },
                    input: MemberGroup.Input(
                        name: body.name("name", maximumLength: MemberGroup.nameLengthMax), key: body.optionalCustom("key", readKey),
                        description: body.optionalText("description", maximumLength: MemberGroup.descriptionLengthMax, allowsEmpty: true) ?? "")
                )
            }
        ) { input, write in Answer(try MemberGroup.create(input.input, in: input.program, write).json, status: 201) }
        api.read(
            "/groups", id: "listGroups", "Groups of the workspace or of a program", tag: "Groups", access: .right(.programsRead),
            parameters: APIParameter.page + [APIParameter("programId", .text)], answer: .page(shape)
        ) { request, _, caller in
            let page = try PageRequest.from(request, GroupKind.self)
            let program = try Query.id("programId", ProgramKind.self, in: request)
            let groups = try await installation.main.read { connection in
                try GroupStore.page(in: caller.workspaceID, program: program, after: page.startingAfter, limit: page.limit + 1, on: connection)
            }
            return ListAnswer.response(groups, page, cursor: \.id.text, json: \.json)
        }
        api.read("/groups/{id}", id: "getGroup", "A group", tag: "Groups", access: .right(.programsRead), answer: shape) { _, context, caller in
            let id: GroupID = try context.id()
            guard let group = try await installation.main.read({ connection in try GroupStore.find(id, in: caller.workspaceID, on: connection) }) else {
                throw Refusal.unknown("group")
            }
            return ListAnswer.one(group.json)
        }
        api.write(
            .patch, "/groups/{id}", id: "changeGroup", "Change a group's name or description", tag: "Groups", access: .right(.programsWrite),
            body: .object([
                .optional("name", .string(maximumLength: MemberGroup.nameLengthMax)), .optional("description", .string(maximumLength: MemberGroup.descriptionLengthMax)),
            ]), answer: shape,
            decode: { body, context in
                (
                    id: try context.id(GroupKind.self), name: body.has("name") ? body.name("name", maximumLength: MemberGroup.nameLengthMax) : nil,
                    description: body.optionalText("description", maximumLength: MemberGroup.descriptionLengthMax, allowsEmpty: true)
                )
            }
        ) { input, write in
            Answer(try MemberGroup.find(input.id, in: write).change(name: input.name, description: input.description, in: write).json)
        }
        addLadder(to: &api)
        addMembers(to: &api)
    }

    private static func addLadder(to api: inout API) {
        api.write(
            .put, "/groups/{id}/rung", id: "setGroupRung", "Say what brings members into a group by itself; looked at at once, then every day", tag: "Groups",
            access: .right(.programsWrite), body: rung, answer: shape,
            decode: { body, context in
                (
                    id: try context.id(GroupKind.self),
                    rung: MemberGroup.Rung(
                        position: body.integer("position", in: 1...Int64(MemberGroup.countMax)),
                        metric: body.custom("metric", standIn: .sales) { value in
                            if case .text(let text) = value, let metric = MemberGroup.Rung.Metric(rawValue: text) { return .accepted(metric) }
                            return .refused("Must be one of \(MemberGroup.Rung.Metric.allCases.map(\.rawValue).joined(separator: ", ")).")
                        },
                        atLeast: body.integer("atLeast", in: 1...Schemas.amountMax),
                        days: body.optionalInteger("days", in: 1...MemberGroup.Rung.daysMax), fallsBack: body.optionalBoolean("fallsBack") ?? false)
                )
            }
        ) { input, write in Answer(try MemberGroup.find(input.id, in: write).set(input.rung, in: write).json) }
        api.write(
            .delete, "/groups/{id}/rung", id: "removeGroupRung", "Have nothing bring members into a group any more; who is in it stays", tag: "Groups",
            access: .right(.programsWrite), body: nil, answer: shape, decode: { _, context in try context.id(GroupKind.self) }
        ) { id, write in Answer(try MemberGroup.find(id, in: write).set(nil, in: write).json) }
    }

    private static func addMembers(to api: inout API) {
        let installation = api.installation
        api.read(
            "/groups/{id}/moves", id: "listGroupMoves", "Who came and went, and why; the newest \(movesShown)", tag: "Groups", access: .right(.membersRead),
            answer: .object([.required("data", .array(move))])
        ) { _, context, caller in
            let id: GroupID = try context.id()
            let moves = try await installation.main.read { connection -> [GroupMove]? in
                guard let group = try GroupStore.find(id, in: caller.workspaceID, on: connection) else { return nil }
                return try GroupStore.moves(of: group, limit: movesShown, on: connection)
            }
            guard let moves else { throw Refusal.unknown("group") }
            return ListAnswer.one(["data": .array(moves.map(\.json))])
        }
        api.write(
            .post, "/groups/{id}/members", id: "placeInGroup", "Put a member into a group; they are told, and the ladder leaves them alone from then on", tag: "Groups",
            access: .right(.membersWrite), body: .object([.required("memberId", Schemas.memberReference), reason]), answer: move, status: 201, failures: [409],
            decode: { body, context in
                (
                    id: try context.id(GroupKind.self),
                    member: body.custom("memberId", standIn: MemberReference.external(""), memberReading), reason: body.text("reason", maximumLength: GroupMove.reasonLengthMax)
                )
            }
        ) { input, write in
            let group = try MemberGroup.find(input.id, in: write)
            let member = try Member.find(input.member, field: "memberId", in: write)
            return Answer(try MemberGroup.place(member, in: group, of: group.programID, reason: input.reason, write).json, status: 201)
        }
        api.write(
            .post, "/groups/{id}/departures", id: "takeOutOfGroup", "Take a member out of a group", tag: "Groups", access: .right(.membersWrite),
            body: .object([.required("memberId", Schemas.memberReference), reason]), answer: move, status: 201, failures: [409],
            decode: { body, context in
                (
                    id: try context.id(GroupKind.self),
                    member: body.custom("memberId", standIn: MemberReference.external(""), memberReading), reason: body.text("reason", maximumLength: GroupMove.reasonLengthMax)
                )
            }
        ) { input, write in
            let group = try MemberGroup.find(input.id, in: write)
            let member = try Member.find(input.member, field: "memberId", in: write)
            guard try MemberStore.group(of: member.id, in: group.programID, on: write.connection) == group.key else {
                throw Problem.conflict(code: "not_in_group", detail: "The member is not in \(group.name).")
            }
            return Answer(try MemberGroup.place(member, in: nil, of: group.programID, reason: input.reason, write).json, status: 201)
        }
    }

    private static func readKey(_ value: JSONValue) -> JSONReader.Reading<String> {
        guard case .text(let text) = value, !text.isEmpty, text.unicodeScalars.count <= MemberGroup.keyLengthMax, MemberGroup.isKey(text) else {
            return .refused("Must be 1 to \(MemberGroup.keyLengthMax) letters, digits, hyphens, underscores or dots.")
        }
        return .accepted(text)
    }

    private static func memberReading(_ value: JSONValue) -> JSONReader.Reading<MemberReference> {
        if case .text(let text) = value, let reference = MemberReference(text) { return .accepted(reference) }
        return .refused(MemberReference.allowed)
    }

    private static let reason = APIField.required("reason", .string(maximumLength: GroupMove.reasonLengthMax))
    private static let rung = APISchema.object([
        .required("position", .described(.integer(1...Int64(MemberGroup.countMax)), description: "The height on the program's ladder.")),
        .required("metric", .enumeration(MemberGroup.Rung.Metric.allCases.map(\.rawValue))),
        .required("atLeast", .described(.integer(1...Schemas.amountMax), description: "Sales or customers; for amount minor units of the program's currency.")),
        .optional("days", .described(.nullable(.integer(1...MemberGroup.Rung.daysMax)), description: "Of the last so many days; without it, since they joined.")),
        .optional("fallsBack", .described(.boolean, description: "Whoever came in by the rung leaves again when it holds no longer.")),
    ])
    static let move = APISchema.object([
        .required("id", .text), .required("programId", .text), .required("memberId", .text), .required("from", .nullable(.text)), .required("to", .nullable(.text)),
        .required("cause", .enumeration(GroupMove.Cause.allCases.map(\.rawValue))), .required("reason", .text), .required("evidence", .nullable(.any)),
        .required("author", .text), .required("at", .dateTime),
    ])
    private static let shape = APISchema.object([
        .required("id", .text), .required("programId", .text), .required("key", .text), .required("name", .text), .required("description", .text),
        .required(
            "rung",
            .nullable(
                .object([
                    .required("position", .integer()), .required("metric", .text), .required("atLeast", .integer()), .required("days", .nullable(.integer())),
                    .required("fallsBack", .boolean),
                ]))), .required("createdAt", .dateTime),
    ])
}

extension MemberGroup {
    static func isKey(_ text: String) -> Bool {
        text.unicodeScalars.allSatisfy { $0.properties.isAlphabetic || $0.properties.numericType != nil || "-_.".unicodeScalars.contains($0) }
    }
}
