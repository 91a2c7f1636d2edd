import Chronology
import HTTPTypes
import Money
import Persistence
import Web

/// Tiers and badges of programs, and where members stand.
enum StandingRoutes {
    static func add(to api: inout API) {
        let installation = api.installation
        api.read(
            "/tiers", id: "listTiers", "Tiers", tag: "Loyalty", access: .right(.programsRead), parameters: APIParameter.page, answer: .page(.reference("Tier"))
        ) { request, _, caller in
            let page = try PageRequest.from(request, TierKind.self)
            let tiers = try await installation.main.read { connection in
                try StandingStore.tiers(in: caller.workspaceID, after: page.startingAfter, limit: page.limit + 1, on: connection)
            }
            return ListAnswer.response(tiers, page, cursor: \.id.text, json: \.json)
        }
        api.write(
            .post, "/tiers", id: "addTier", "Add a tier that members reach by what they did", tag: "Loyalty", access: .right(.programsWrite),
            body: .object([
                .required("programId", .text), .required("name", .string(maximumLength: MemberTier.nameLengthMax)),
                .optional("benefits", .string(maximumLength: MemberTier.benefitsLengthMax)), .required("rank", .integer(1...MemberTier.rankMax)),
                .required("measure", .enumeration(Measure.allCases.map(\.rawValue))), .required("entry", WalletRoutes.amountSchema),
                .optional("keep", WalletRoutes.amountSchema), .optional("days", .integer(1...MemberTier.daysMax)),
            ]), answer: .reference("Tier"), status: 201, failures: [409],
            decode: { body, _ in
                (
                    program: body.custom("programId", standIn: ProgramID(stored: "")) { idReading($0, ProgramKind.self, "program") },
                    name: body.name("name", maximumLength: MemberTier.nameLengthMax),
                    benefits: body.optionalText("benefits", maximumLength: MemberTier.benefitsLengthMax) ?? "", rank: body.integer("rank", in: 1...MemberTier.rankMax),
                    entry: body.integer("entry", in: 1...Wallet.amountMax), keep: body.optionalInteger("keep", in: 1...Wallet.amountMax),
                    days: body.optionalInteger("days", in: 1...MemberTier.daysMax), measure: try body.oneOf("measure", Measure.self)
                )
            }
        ) { input, write in
            let tier = MemberTier(
                id: write.world.newID(), workspaceID: write.workspace.id, programID: input.program, name: input.name, benefits: input.benefits,
                rank: input.rank, measure: input.measure, entry: input.entry, keep: input.keep, days: input.days, createdAt: write.now)
            return Answer(try MemberTier.add(tier, in: write).json, status: 201)
        }
        addBadges(to: &api)
        api.read(
            "/members/{id}/standing", id: "getStanding", "A member's tier in each program, how far the next one is, and badges", tag: "Loyalty",
            access: .right(.membersRead), answer: .reference("Standing")
        ) { _, context, caller in
            let reference = try MemberReference.of(context)
            return ListAnswer.one(
                try await installation.main.read { connection in
                    let member = try MemberRoutes.find(reference, caller, installation, on: connection)
                    guard let workspace = try WorkspaceStore.find(caller.workspaceID, on: connection) else { throw Refusal.unknown("workspace") }
                    return try StandingSummary.load(member.id, in: caller.workspaceID, at: workspace.now(installation.world), on: connection).json
                })
        }
    }

    private static func addBadges(to api: inout API) {
        let installation = api.installation
        api.read(
            "/badges", id: "listBadges", "Badges", tag: "Loyalty", access: .right(.programsRead), parameters: APIParameter.page,
            answer: .page(.reference("Badge"))
        ) { request, _, caller in
            let page = try PageRequest.from(request, BadgeKind.self)
            let badges = try await installation.main.read { connection in
                try StandingStore.badges(in: caller.workspaceID, after: page.startingAfter, limit: page.limit + 1, on: connection)
            }
            return ListAnswer.response(badges, page, cursor: \.id.text, json: \.json)
        }
        api.write(
            .post, "/badges", id: "addBadge", "Add a badge that is given once to whoever did enough", tag: "Loyalty", access: .right(.programsWrite),
            body: .object([
                .required("programId", .text), .required("name", .string(maximumLength: MemberTier.nameLengthMax)),
                .optional("description", .string(maximumLength: MemberTier.benefitsLengthMax)), .required("measure", .enumeration(Measure.allCases.map(\.rawValue))),
                .required("threshold", WalletRoutes.amountSchema),
                .optional("unit", .described(.string(maximumLength: Wallet.unitLengthMax), description: "What comes with it: a unit, and how much.")),
                .optional("amount", WalletRoutes.amountSchema),
            ]), answer: .reference("Badge"), status: 201, failures: [409],
            decode: { body, _ in
                let amount = body.optionalInteger("amount", in: 1...Wallet.amountMax)
                let unit: UnitCode? = body.optionalCustom("unit") { given in
                    guard case .text(let text) = given, let unit = Wallet.unit(text) else { return .refused(Wallet.unitAllowed) }
                    return .accepted(unit)
                }
                if (amount == nil) != (unit == nil) { body.note(amount == nil ? "amount" : "unit", "Is required with the other.") }
                return (
                    program: body.custom("programId", standIn: ProgramID(stored: "")) { idReading($0, ProgramKind.self, "program") },
                    name: body.name("name", maximumLength: MemberTier.nameLengthMax),
                    description: body.optionalText("description", maximumLength: MemberTier.benefitsLengthMax) ?? "",
                    threshold: body.integer("threshold", in: 1...Wallet.amountMax), gift: unit.flatMap { unit in amount.map { (unit: unit, minor: $0) } },
                    measure: try body.oneOf("measure", Measure.self)
                )
            }
        ) { input, write in
            let badge = Badge(
                id: write.world.newID(), workspaceID: write.workspace.id, programID: input.program, name: input.name, description: input.description,
                measure: input.measure, threshold: input.threshold, gift: input.gift, createdAt: write.now)
            return Answer(try Badge.add(badge, in: write).json, status: 201)
        }
        api.write(
            .post, "/badges/{id}/archiving", id: "archiveBadge", "Give a badge no longer; whoever has it keeps it", tag: "Loyalty",
            access: .right(.programsWrite), body: nil, answer: .reference("Badge"), decode: { _, context in try context.id(BadgeKind.self) }
        ) { id, write in Answer(try Badge.archive(id, in: write).json) }
    }
}
