import Chronology
import Foundation
import Hummingbird
import Money
import Persistence
import Web

/// Members who ask to be paid.
enum PayoutRequestRoutes {
    static func add(to api: inout API) {
        let installation = api.installation
        api.write(
            .post, "/members/{id}/payout-requests", id: "requestPayout", "Ask for all that is available to a member in a program",
            tag: "Payouts", access: .right(.payoutsWrite), body: .object([.optional("programId", .text), .optional("currency", Schemas.currency)]), answer: .reference("PayoutRequest"),
            status: 201, failures: [409],
            decode: { body, context in
                (
                    member: try MemberReference.of(context),
                    program: body.optionalCustom("programId") { idReading($0, ProgramKind.self, "program") },
                    currency: body.optionalCustom("currency", Currency.read)
                )
            }
        ) { input, write in
            let member = try Member.ofPath(input.member, in: write)
            let program = try Program.meant(input.program, for: member, in: write)
            let request = try PayoutRequest.make(for: member, in: program, unit: input.currency.map { .currency($0) }, write)
            return Answer(request.json, status: 201)
        }
        api.read(
            "/members/{id}/payout-requests", id: "listPayoutRequestsOfMember", "What a member asked to be paid", tag: "Payouts",
            access: .right(.membersRead), parameters: APIParameter.page, answer: .page(.reference("PayoutRequest"))
        ) { request, context, caller in
            let page = try PageRequest.from(request, PayoutRequestKind.self)
            let reference = try MemberReference.of(context)
            let requests = try await installation.main.read { connection in
                guard let member = try MemberStore.find(reference, in: caller.workspaceID, vault: installation.vault, on: connection) else {
                    throw Refusal.unknown("member")
                }
                return try PayoutRequestStore.list(
                    in: caller.workspaceID, PayoutRequestStore.Filter(member: member.id), after: page.startingAfter, limit: page.limit + 1,
                    on: connection)
            }
            return ListAnswer.response(requests, page, cursor: \.id.text, json: \.json)
        }
        api.read(
            "/payout-requests", id: "listPayoutRequests", "Who asked to be paid", tag: "Payouts", access: .right(.ledgerRead),
            parameters: APIParameter.page + [APIParameter("state", .enumeration(PayoutRequest.State.allCases.map(\.rawValue)))],
            answer: .page(.reference("PayoutRequest"))
        ) { request, _, caller in
            let page = try PageRequest.from(request, PayoutRequestKind.self)
            let filter = PayoutRequestStore.Filter(state: try Query.word("state", PayoutRequest.State.self, in: request))
            let requests = try await installation.main.read { connection in
                try PayoutRequestStore.list(in: caller.workspaceID, filter, after: page.startingAfter, limit: page.limit + 1, on: connection)
            }
            return ListAnswer.response(requests, page, cursor: \.id.text, json: \.json)
        }
        api.write(
            .post, "/payout-requests/{id}/cancellation", id: "cancelPayoutRequest", "Take a request back that no batch has yet", tag: "Payouts",
            access: .right(.payoutsWrite), body: nil, answer: .reference("PayoutRequest"), failures: [409],
            decode: { _, context in try context.id(PayoutRequestKind.self) }
        ) { id, write in Answer(try PayoutRequest.cancel(id, in: write).json) }
    }
}

extension Program {
    /// The program that is named, else the only one that the member is in.
    fileprivate static func meant(_ id: ProgramID?, for member: Member, in write: Write) throws -> Program {
        let known = try MemberStore.programs(of: member.id, on: write.connection)
        if let id, !known.contains(id) { throw Refusal.unknown("program", field: "programId") }
        guard let id = id ?? (known.count == 1 ? known.first : nil) else {
            throw Refusal.field("programId", "Must name the program: the member is in \(known.count).")
        }
        guard let program = try ProgramStore.find(id, in: write.workspace.id, at: write.now, on: write.connection) else {
            throw Refusal.unknown("program", field: "programId")
        }
        return program
    }
}

extension PayoutRequest {
    var json: JSONValue {
        [
            "id": .text(id.text), "memberId": .text(memberID.text), "programId": .text(programID.text), "amount": .integer(amountMinor),
            "currency": .text(unit.code), "state": .text(state.rawValue), "payoutId": payoutID.map { .text($0.text) } ?? .null,
            "requestedAt": .text(requestedAt.rfc3339), "settledAt": settledAt.map { .text($0.rfc3339) } ?? .null,
        ]
    }

    static let schema = APISchema.object([
        .required("id", .text), .required("memberId", .text), .required("programId", .text), .required("amount", Schemas.amount),
        .required("currency", Schemas.currency), .required("state", .enumeration(State.allCases.map(\.rawValue))),
        .required("payoutId", .nullable(.text)), .required("requestedAt", .dateTime), .required("settledAt", .nullable(.dateTime)),
    ])
}
