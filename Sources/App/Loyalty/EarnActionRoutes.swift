import Chronology
import HTTPTypes
import Money
import Persistence
import Web

/// What members earn points for beside sales, and the call by which a company says that somebody did it.
enum EarnActionRoutes {
    static let keyAllowed = "Must be 1 to \(EarnAction.keyLengthMax) small letters, digits and hyphens, such as review."

    static func add(to api: inout API) {
        let installation = api.installation
        api.read(
            "/earn-actions", id: "listEarnActions", "What members earn points or credit for beside sales", tag: "Loyalty", access: .right(.programsRead),
            parameters: APIParameter.page, answer: .page(.reference("EarnAction"))
        ) { request, _, caller in
            let page = try PageRequest.from(request, EarnActionKind.self)
            let actions = try await installation.main.read { connection in
                try EarnActionStore.list(in: caller.workspaceID, after: page.startingAfter, limit: page.limit + 1, on: connection)
            }
            return ListAnswer.response(actions, page, cursor: \.id.text, json: \.json)
        }
        api.write(
            .post, "/earn-actions", id: "addEarnAction", "Add something that members earn points or credit for", tag: "Loyalty",
            access: .right(.programsWrite),
            body: .object([
                .required("programId", .text), .required("key", .described(.string(maximumLength: EarnAction.keyLengthMax), description: keyAllowed)),
                .required("name", .string(maximumLength: EarnAction.nameLengthMax)),
                .optional("description", .string(maximumLength: EarnAction.descriptionLengthMax)),
                .required("unit", .string(maximumLength: Wallet.unitLengthMax)), .required("amount", WalletRoutes.amountSchema),
                .optional("times", .integer(1...EarnAction.timesMax)), .optional("days", .integer(1...EarnAction.daysMax)),
            ]), answer: .reference("EarnAction"), status: 201, failures: [409],
            decode: { body, _ in
                (
                    program: body.custom("programId", standIn: ProgramID(stored: "")) { idReading($0, ProgramKind.self, "program") },
                    key: body.custom("key", standIn: "") { given in
                        guard case .text(let text) = given, let key = key(text) else { return .refused(keyAllowed) }
                        return .accepted(key)
                    },
                    name: body.name("name", maximumLength: EarnAction.nameLengthMax),
                    description: body.optionalText("description", maximumLength: EarnAction.descriptionLengthMax) ?? "",
                    unit: body.custom("unit", standIn: UnitCode.points) { given in
                        guard case .text(let text) = given, let unit = Wallet.unit(text) else { return .refused(Wallet.unitAllowed) }
                        return .accepted(unit)
                    },
                    amount: body.integer("amount", in: 1...Wallet.amountMax), times: body.optionalInteger("times", in: 1...EarnAction.timesMax),
                    days: body.optionalInteger("days", in: 1...EarnAction.daysMax)
                )
            }
        ) { input, write in
            let action = EarnAction(
                id: write.world.newID(), workspaceID: write.workspace.id, programID: input.program, key: input.key, name: input.name,
                description: input.description, unit: input.unit, amountMinor: input.amount, times: input.times, days: input.days, createdAt: write.now)
            return Answer(try EarnAction.add(action, in: write).json, status: 201)
        }
        api.write(
            .post, "/earn-actions/{id}/archiving", id: "archiveEarnAction", "Let nobody earn it any more", tag: "Loyalty", access: .right(.programsWrite),
            body: nil, answer: .reference("EarnAction"), decode: { _, context in try context.id(EarnActionKind.self) }
        ) { id, write in Answer(try EarnAction.archive(id, in: write).json) }
        api.write(
            .post, "/members/{id}/actions", id: "earnByAction", "Say that a member did something that earns points; one reference earns once",
            tag: "Loyalty", access: .right(.commissionsWrite),
            body: .object([
                .required("programId", .text), .required("action", .described(.string(maximumLength: EarnAction.keyLengthMax), description: "Its key.")),
                .required(
                    "reference",
                    .described(
                        .string(maximumLength: EarnAction.referenceLengthMax),
                        description: "What you call this one time, such as the review's number. Told again, it answers 200 and earns nothing more.")),
            ]), answer: .reference("EarnedAction"), status: 201, repeatedStatus: 200, failures: [409],
            decode: { body, context in
                (
                    member: try MemberReference.of(context),
                    program: body.custom("programId", standIn: ProgramID(stored: "")) { idReading($0, ProgramKind.self, "program") },
                    action: body.text("action", maximumLength: EarnAction.keyLengthMax),
                    reference: body.text("reference", maximumLength: EarnAction.referenceLengthMax)
                )
            }
        ) { input, write in
            let member = try Member.ofPath(input.member, in: write)
            let (earned, isRepeated) = try EarnAction.earn(input.action, in: input.program, by: member, reference: input.reference, in: write)
            return Answer(earned.json, status: isRepeated ? 200 : 201)
        }
    }

    /// Small letters, digits and hyphens.
    static func key(_ text: String) -> String? {
        let isGood = (1...EarnAction.keyLengthMax).contains(text.utf8.count)
            && text.utf8.allSatisfy { (0x61...0x7A).contains($0) || (0x30...0x39).contains($0) || $0 == 0x2D }
        return isGood ? text : nil
    }
}
