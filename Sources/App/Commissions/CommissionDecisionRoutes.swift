import Chronology
import HTTPTypes
import Persistence
import Web

/// Approving, holding and releasing commissions, many at once.
enum CommissionDecisionRoutes {
    static func add(to api: inout API) {
        let installation = api.installation
        api.write(
            .post, "/commission-decisions", id: "decideCommissions", "Approve, hold or release commissions; can be undone for ten minutes",
            tag: "Commissions", access: .right(.commissionsWrite),
            body: .object([
                .required("action", .enumeration(CommissionDecision.Action.allCases.map(\.rawValue))),
                .required("commissionIds", .array(.text, maximumCount: Commission.approvalsMax)),
                .optional("reason", .string(maximumLength: CommissionDecision.reasonLengthMax)),
            ]), answer: .reference("CommissionDecision"), status: 201, failures: [409],
            decode: { body, _ in
                if !body.has("commissionIds") { body.note("commissionIds", "Is required.") }
                let texts = body.textList("commissionIds", maximumCount: Commission.approvalsMax, maximumLength: 40)
                return (
                    action: body.custom("action", standIn: CommissionDecision.Action.hold) { value -> JSONReader.Reading<CommissionDecision.Action> in
                        if let action = value.string.flatMap({ CommissionDecision.Action(rawValue: $0) }) { return .accepted(action) }
                        return .refused("Must be approve, hold or release.")
                    }, ids: texts.compactMap { CommissionID($0) }, unreadable: texts.first { CommissionID($0) == nil },
                    reason: body.optionalText("reason", maximumLength: CommissionDecision.reasonLengthMax)
                )
            }
        ) { input, write in
            if let unreadable = input.unreadable { throw Refusal.field("commissionIds", "\(unreadable) is no id of a commission.") }
            return Answer(try CommissionDecision.make(input.action, input.ids, reason: input.reason, in: write).json, status: 201)
        }
        api.read(
            "/commission-decisions/{id}", id: "getCommissionDecision", "What was decided about commissions", tag: "Commissions",
            access: .right(.commissionsRead), answer: .reference("CommissionDecision")
        ) { _, context, caller in
            let id: CommissionDecisionID = try context.id()
            let decision = try await installation.main.read { connection in
                try CommissionDecisionStore.find(id, in: caller.workspaceID, on: connection)
            }
            guard let decision else { throw Refusal.unknown("decision") }
            return ListAnswer.one(decision.json)
        }
        api.write(
            .post, "/commission-decisions/{id}/undo", id: "undoCommissionDecision", "Bring commissions back to where they were", tag: "Commissions",
            access: .right(.commissionsWrite), body: nil, answer: .reference("CommissionDecision"), failures: [409],
            decode: { _, context in try context.id(CommissionDecisionKind.self) }
        ) { id, write in Answer(try CommissionDecision.undo(id, in: write).json) }
    }
}

extension CommissionDecision {
    var json: JSONValue {
        [
            "id": .text(id.text), "action": .text(action.rawValue), "reason": reason.map { .text($0) } ?? .null, "author": .text(author),
            "decidedAt": .text(decidedAt.rfc3339), "undoneAt": undoneAt.map { .text($0.rfc3339) } ?? .null,
            "commissions": .array(
                items.map { ["id": .text($0.commissionID.text), "before": .text($0.before.rawValue), "after": .text($0.after.rawValue)] }),
            "skipped": .array(skipped.map { ["id": .text($0.commissionID.text), "code": .text($0.code)] }),
        ]
    }

    static let schema = APISchema.object([
        .required("id", .text), .required("action", .enumeration(Action.allCases.map(\.rawValue))), .required("reason", .nullable(.text)),
        .required("author", .text), .required("decidedAt", .dateTime), .required("undoneAt", .nullable(.dateTime)),
        .required("commissions", .array(.object([.required("id", .text), .required("before", .text), .required("after", .text)]))),
        .required("skipped", .array(.object([.required("id", .text), .required("code", .text)]))),
    ])
}
