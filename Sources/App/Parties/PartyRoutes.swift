import Chronology
import HTTPTypes
import Money
import Persistence
import Web

/// Plans for parties, and the parties of members, for programs.
enum PartyRoutes {
    static func add(to api: inout API) {
        addPlans(to: &api)
        let installation = api.installation
        api.read(
            "/parties", id: "listParties", "Parties", tag: "Parties", access: .right(.programsRead), parameters: APIParameter.page,
            answer: .page(.reference("Party"))
        ) { request, _, caller in
            let page = try PageRequest.from(request, PartyKind.self)
            let found = try await installation.main.read { connection -> (parties: [Party], turnover: [PartyID: Party.Turnover], now: Instant) in
                let parties = try PartyStore.list(in: caller.workspaceID, after: page.startingAfter, limit: page.limit + 1, on: connection)
                guard let workspace = try WorkspaceStore.find(caller.workspaceID, on: connection) else { throw Refusal.unknown("workspace") }
                return (parties, try PartyStore.turnover(parties.map(\.id), on: connection), workspace.now(installation.world))
            }
            return ListAnswer.response(found.parties, page, cursor: \.id.text) { $0.json(found.turnover[$0.id] ?? .none, at: found.now) }
        }
        api.read("/parties/{id}", id: "getParty", "A party with its orders and turnover", tag: "Parties", access: .right(.programsRead), answer: .reference("Party")) {
            _, context, caller in
            let id: PartyID = try context.id()
            return ListAnswer.one(
                try await installation.main.read { connection in
                    guard let party = try PartyStore.find(id, in: caller.workspaceID, on: connection),
                        let workspace = try WorkspaceStore.find(caller.workspaceID, on: connection)
                    else { throw Refusal.unknown("party") }
                    return party.json(try PartyStore.turnover([id], on: connection)[id] ?? .none, at: workspace.now(installation.world))
                })
        }
        api.write(
            .post, "/parties", id: "createParty", "Make a member's party, with a link of its own", tag: "Parties", access: .right(.programsWrite),
            body: .object([
                .required("programId", .text), .required("hostId", Schemas.memberReference), .required("title", .string(maximumLength: Party.titleLengthMax)),
                .optional("place", .string(maximumLength: Party.placeLengthMax)), .required("startsAt", .dateTime),
                .optional("timezone", .described(.string(maximumLength: 60), description: "Left out: the program's.")), .required("destination", .url),
                .optional("code", .string(maximumLength: Normalised.codeLengthMax)),
            ]), answer: .reference("Party"), status: 201, failures: [409],
            decode: { body, _ in
                (
                    host: body.memberReference("hostId"),
                    draft: Party.Draft(
                        programID: body.custom("programId", standIn: ProgramID(stored: "")) { idReading($0, ProgramKind.self, "program") },
                        title: body.name("title", maximumLength: Party.titleLengthMax), place: body.optionalText("place", maximumLength: Party.placeLengthMax),
                        startsAt: body.custom("startsAt", standIn: Instant(millisecondsSince1970: 0), Instant.read),
                        zone: body.optionalCustom("timezone", Zone.read), destination: body.text("destination", maximumLength: Destination.lengthMax),
                        code: body.optionalText("code", maximumLength: Normalised.codeLengthMax))
                )
            }
        ) { input, write in
            let host = try Member.find(input.host, field: "hostId", in: write)
            return Answer(try Party.make(input.draft, host: host, in: write).json(in: write), status: 201)
        }
        api.write(
            .post, "/parties/{id}/cancellation", id: "cancelParty", "Cancel a party: its host gets nothing for it", tag: "Parties",
            access: .right(.programsWrite), body: nil, answer: .reference("Party"), failures: [409],
            decode: { _, context in try context.id(PartyKind.self) }
        ) { id, write in Answer(try Party.cancel(id, in: write).json(in: write)) }
    }

    private static func addPlans(to api: inout API) {
        let installation = api.installation
        let tier = APISchema.object([
            .required("from", .integer(1...Wallet.amountMax)), .optional("rate", .described(.text, description: "Such as 0.10; or a unit and an amount.")),
            .optional("unit", .string(maximumLength: Wallet.unitLengthMax)), .optional("amount", WalletRoutes.amountSchema),
        ])
        api.write(
            .put, "/programs/{id}/party-plan", id: "setPartyPlan", "Set what hosts of parties get; parties that are made already keep what they were promised",
            tag: "Parties", access: .right(.programsWrite),
            body: .object([
                .required("orderDays", .integer(0...PartyPlan.orderDaysMax)), .required("returnDays", .integer(0...PartyPlan.returnDaysMax)),
                .optional("membersMayHost", .boolean), .required("tiers", .array(tier, maximumCount: PartyPlan.tiersMax)),
            ]), answer: .reference("PartyPlan"),
            decode: { body, context in
                PartyPlan(
                    programID: try context.id(), orderDays: body.integer("orderDays", in: 0...PartyPlan.orderDaysMax),
                    returnDays: body.integer("returnDays", in: 0...PartyPlan.returnDaysMax), membersMayHost: body.optionalBoolean("membersMayHost") ?? false,
                    tiers: body.array("tiers", count: 1...PartyPlan.tiersMax, read))
            }
        ) { plan, write in Answer(try PartyPlan.set(plan, in: write).json) }
        api.read(
            "/programs/{id}/party-plan", id: "getPartyPlan", "What hosts of a program's parties get", tag: "Parties", access: .right(.programsRead),
            answer: .reference("PartyPlan")
        ) { _, context, caller in
            let id = try context.id(ProgramKind.self)
            let plan = try await installation.main.read { connection -> PartyPlan? in
                guard try ProgramStore.exists(id, in: caller.workspaceID, on: connection) else { throw Refusal.unknownProgram() }
                return try PartyPlanStore.find(id, on: connection)
            }
            guard let plan else { throw Refusal.unknown("party plan") }
            return ListAnswer.one(plan.json)
        }
    }

    private static func read(_ part: JSONReader) -> PartyTier {
        let rate = part.optionalCustom("rate", Rate.read)
        let unit: UnitCode? = part.optionalCustom("unit") { given in
            guard case .text(let text) = given, let unit = Wallet.unit(text) else { return .refused(Wallet.unitAllowed) }
            return .accepted(unit)
        }
        let amount = part.optionalInteger("amount", in: 1...Wallet.amountMax)
        let from = part.integer("from", in: 1...Wallet.amountMax)
        if let rate {
            if rate == .zero || rate > .whole { part.note("rate", "Must be above 0 and at most 1.") }
            if unit != nil || amount != nil { part.note("rate", "Must be alone: a part of the turnover, or a unit with an amount.") }
            return PartyTier(from: from, gift: .share(rate))
        }
        if !part.has("rate"), unit == nil || amount == nil { part.note(part.has("unit") ? "amount" : "rate", "Is required: a rate, or a unit with an amount.") }
        return PartyTier(from: from, gift: .amount(unit ?? .points, amount ?? 1))
    }
}

extension Party.Turnover {
    static let none = Party.Turnover(orders: 0, minor: 0)
}
