import Chronology
import HTTPTypes
import Money
import Persistence
import Web

/// What was spent to reach people.
enum CostRoutes {
    static func add(to api: inout API) {
        let installation = api.installation
        api.write(
            .post, "/costs", id: "recordCost", "Tell what was spent on a day and channel", tag: "Insights", access: .right(.programsWrite),
            body: .object([
                .required("programId", .text), .required("channel", .enumeration(Cost.Channel.allCases.map(\.rawValue))),
                .optional("stage", .described(.enumeration(Member.Stage.allCases.map(\.rawValue)), description: "The move that it was spent on.")),
                .required("date", .described(.string(maximumLength: 10), description: "A day such as 2026-11-23.")), .required("amount", Schemas.amount),
                .required("currency", Schemas.currency),
                .optional(
                    "reference",
                    .described(.string(maximumLength: Cost.referenceLengthMax), description: "Your own name for it: told twice, it counts once.")),
            ]), answer: .reference("Cost"), status: 201, repeatedStatus: 200, failures: [409], decode: { body, _ in read(body) }
        ) { draft, write in
            let (cost, isRepeated) = try Cost.record(draft, in: write)
            return Answer(cost.json, status: isRepeated ? 200 : 201)
        }
        api.write(
            .post, "/costs/file", id: "recordCostFile", "Tell costs as comma-separated values; the same file counts once", tag: "Insights",
            access: .right(.programsWrite),
            body: .object([
                .required("programId", .text),
                .required(
                    "csv",
                    .described(
                        .string(maximumLength: CostFile.bytesMax),
                        description: "The first row names date, channel, amount and currency, and where wanted stage, program and reference. Amounts as 12.50.")),
            ]), answer: .object([.required("recorded", .integer()), .required("known", .integer())]), failures: [409], maximumBytes: 2 * CostFile.bytesMax,
            decode: { body, _ in (program: programID(body), text: body.text("csv", maximumLength: CostFile.bytesMax)) }
        ) { input, write in
            let drafts: [Cost.Draft]
            do throws(CostFile.Mistake) {
                drafts = try CostFile.read(input.text, program: input.program, today: write.workspace.zone.day(of: write.now))
            } catch {
                throw Refusal.field("csv", "Line \(error.line): \(error.message)")
            }
            var known: Int64 = 0
            for draft in drafts where try Cost.record(draft, in: write).isRepeated { known += 1 }
            return Answer(["recorded": .integer(Int64(drafts.count) - known), "known": .integer(known)])
        }
        api.read(
            "/costs", id: "listCosts", "Costs", tag: "Insights", access: .right(.programsRead), parameters: APIParameter.page,
            answer: .page(.reference("Cost"))
        ) { request, _, caller in
            let page = try PageRequest.from(request, CostKind.self)
            let costs = try await installation.main.read { connection in
                try CostStore.list(in: caller.workspaceID, after: page.startingAfter, limit: page.limit + 1, on: connection)
            }
            return ListAnswer.response(costs, page, cursor: \.id.text) { $0.json }
        }
        api.read("/costs/{id}", id: "getCost", "A cost", tag: "Insights", access: .right(.programsRead), answer: .reference("Cost")) { _, context, caller in
            let id: CostID = try context.id()
            return ListAnswer.one(
                try await installation.main.read { connection in
                    guard let cost = try CostStore.find(id, in: caller.workspaceID, on: connection) else { throw Refusal.unknown("cost") }
                    return cost.json
                })
        }
        api.write(
            .patch, "/costs/{id}", id: "correctCost", "Correct a cost's amount; 0 takes it back", tag: "Insights", access: .right(.programsWrite),
            body: .object([.required("amount", Schemas.amount)]), answer: .reference("Cost"),
            decode: { body, context in (id: try context.id(CostKind.self), amount: body.integer("amount", in: 0...Schemas.amountMax)) }
        ) { input, write in Answer(try Cost.correct(input.id, to: input.amount, in: write).json) }
    }

    private static func programID(_ body: JSONReader) -> ProgramID {
        body.custom("programId", standIn: ProgramID(stored: "")) { idReading($0, ProgramKind.self, "program") }
    }

    private static func channel(_ value: JSONValue) -> JSONReader.Reading<Cost.Channel> {
        guard case .text(let text) = value, let channel = Cost.Channel(rawValue: text) else {
            return .refused("Must be one of \(Cost.Channel.allCases.map(\.rawValue).joined(separator: ", ")).")
        }
        return .accepted(channel)
    }

    private static func read(_ body: JSONReader) -> Cost.Draft {
        Cost.Draft(
            programID: programID(body), channel: body.custom("channel", standIn: Cost.Channel.other, channel), stage: body.optionalOneOf("stage", Member.Stage.self),
            day: body.custom("date", standIn: .earliest) { value in
                guard case .text(let text) = value, let day = try? LocalDay(iso8601: text) else { return .refused(Cost.dayAllowed) }
                return .accepted(day)
            }, amountMinor: body.integer("amount", in: 0...Schemas.amountMax), currency: body.currency("currency"),
            reference: body.optionalName("reference", maximumLength: Cost.referenceLengthMax))
    }
}
