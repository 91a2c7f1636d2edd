import Chronology
import Foundation
import HTTPTypes
import Hummingbird
import Money
import NIOCore
import Persistence
import Web

enum PayoutRoutes {
    static func add(to api: inout API) {
        let installation = api.installation
        api.write(
            .put, "/members/{id}/payout-account", id: "setPayoutAccount", "Set where a member is paid", tag: "Payouts",
            access: .right(.payoutsWrite), body: accountInput,
            answer: .object([
                .required("memberId", .text), .required("kind", .text), .required("ending", .text), .required("changedAt", .dateTime),
                .required("usableFrom", .dateTime),
            ]),
            decode: { body, context in
                (member: try MemberReference.of(context), details: PayoutAccountDetails.read(body))
            }
        ) { input, write in
            let member = try Member.ofPath(input.member, in: write)
            return Answer(try PayoutAccount.set(input.details, for: member, in: write).json)
        }
        api.read(
            "/payouts", id: "listPayouts", "Payouts", tag: "Payouts", access: .right(.ledgerRead), parameters: APIParameter.page,
            answer: .page(.reference("Payout"))
        ) { request, _, caller in
            let page = try PageRequest.from(request, PayoutKind.self)
            let payouts = try await installation.main.read { connection in
                try PayoutStore.list(in: caller.workspaceID, after: page.startingAfter, limit: page.limit + 1, on: connection).compactMap {
                    try PayoutStore.find($0, in: caller.workspaceID, on: connection)
                }
            }
            return ListAnswer.response(payouts, page, cursor: \.id.text, json: \.json)
        }
        api.read(
            "/payouts/{id}", id: "getPayout", "A payout", tag: "Payouts", access: .right(.ledgerRead), answer: .reference("Payout")
        ) { _, context, caller in
            let id: PayoutID = try context.id()
            let payout = try await installation.main.read { connection in try PayoutStore.find(id, in: caller.workspaceID, on: connection) }
            guard let payout else { throw Refusal.unknown("payout") }
            return ListAnswer.one(payout.json)
        }
        api.read(
            "/payouts/{id}/file", id: "getPayoutFile", "The file for the bank", tag: "Payouts", access: .right(.payoutsWrite),
            parameters: [APIParameter("format", .enumeration(PayoutFile.Format.allCases.map(\.rawValue)))], answer: nil
        ) { request, context, caller in
            let id: PayoutID = try context.id()
            let format = try Query.word("format", PayoutFile.Format.self, in: request) ?? .csv
            let file = try await installation.main.read { connection in
                try PayoutFile.make(
                    id, format, in: caller.workspaceID, at: WorkspaceStore.now(of: caller.workspaceID, installation.world, on: connection), vault: installation.vault, seal: installation.railSeal, on: connection)
            }
            return Response(
                status: .ok,
                headers: [
                    .contentType: format.contentType, .contentDisposition: "attachment; filename=\"\(id.text).\(format.ending)\"",
                    .cacheControl: "no-store",
                ], body: ResponseBody(byteBuffer: ByteBuffer(string: file)))
        }
        api.write(
            .post, "/payouts", id: "createPayout", "Make a batch of what is due", tag: "Payouts", access: .right(.payoutsWrite),
            body: .object([
                .required("programId", .text), .required("cutoff", .dateTime), .optional("currency", Schemas.currency),
                .optional("kinds", .array(.enumeration(PayoutAccount.Kind.allCases.map(\.rawValue)))), .optional("dryRun", .boolean),
            ]),
            answer: .reference("Payout"), status: 201, repeatedStatus: 200,
            decode: { body, _ in
                NewPayout(
                    programID: body.custom("programId", standIn: ProgramID(stored: "")) { idReading($0, ProgramKind.self, "program") },
                    cutoff: body.custom("cutoff", standIn: Instant.earliest, Instant.read),
                    unit: body.optionalCustom("currency", Currency.read).map { .currency($0) },
                    kinds: body.optionalCustom("kinds", PayoutAccount.Kind.readSet), isDryRun: body.optionalBoolean("dryRun") ?? false)
            }
        ) { input, write in
            let payout = try Payout.make(input, in: write)
            return Answer(payout.json(isDryRun: input.isDryRun), status: input.isDryRun ? 200 : 201)
        }
        step(to: &api, "approval", id: "approvePayout", "Approve a payout that another person made", .payoutsApprove, Payout.approve)
        step(to: &api, "cancellation", id: "cancelPayout", "Cancel a payout that nobody approved", .payoutsWrite, Payout.cancel)
        step(to: &api, "dispatch", id: "dispatchPayout", "Hand an approved payout to its rail", .payoutsWrite, Payout.dispatch)
        api.write(
            .post, "/payouts/{id}/removals", id: "leaveOutOfPayout", "Leave a member out of a payout that was not sent yet", tag: "Payouts",
            access: .right(.payoutsWrite),
            body: .object([.required("memberId", Schemas.memberReference), .required("reason", .string(maximumLength: Payout.reasonMaximum))]),
            answer: .reference("Payout"), failures: [409],
            decode: { body, context in
                (
                    id: try context.id(PayoutKind.self), member: body.memberReference("memberId"),
                    reason: body.text("reason", maximumLength: Payout.reasonMaximum)
                )
            }
        ) { input, write in
            let member = try Member.find(input.member, field: "memberId", in: write).id
            return Answer(try Payout.leaveOut(LeftOut(memberID: member, reason: input.reason), of: input.id, in: write).json)
        }
        api.write(
            .post, "/payouts/{id}/outcomes", id: "recordPayoutOutcome", "Record evidence of a payment", tag: "Payouts",
            access: .right(.payoutsWrite),
            body: .object([
                .required("memberId", Schemas.memberReference), .required("outcome", .enumeration(PayoutOutcome.Result.allCases.map(\.rawValue))), .required("reference", .string(maximumLength: 200)),
            ]), answer: .reference("Payout"), failures: [409],
            decode: { body, context in
                (
                    id: try context.id(PayoutKind.self),
                    member: body.memberReference("memberId"),
                    outcome: PayoutOutcome(
                        memberID: MemberID(stored: ""),
                        result: body.custom("outcome", standIn: .failed) { value -> JSONReader.Reading<PayoutOutcome.Result> in
                            if case .text(let text) = value, let result = PayoutOutcome.Result(rawValue: text) { return .accepted(result) }
                            return .refused("Must be paid, failed, returned or unknown.")
                        }, reference: body.text("reference", maximumLength: 200))
                )
            }
        ) { input, write in
            var outcome = input.outcome
            outcome.memberID = try Member.find(input.member, field: "memberId", in: write).id
            return Answer(try Payout.record(outcome, of: input.id, in: write).json)
        }
    }

    private static func step(
        to api: inout API, _ noun: String, id: String, _ summary: String, _ right: Right,
        _ verb: @escaping @Sendable (PayoutID, Write) throws -> Payout
    ) {
        api.write(
            .post, "/payouts/{id}/\(noun)", id: id, summary, tag: "Payouts", access: .right(right), body: nil, answer: .reference("Payout"),
            failures: [409], decode: { _, context in try context.id(PayoutKind.self) }
        ) { id, write in Answer(try verb(id, write).json) }
    }

    private static let accountInput = APISchema.object([
        .required("kind", .enumeration(PayoutAccount.Kind.allCases.map(\.rawValue))), .optional("holder", .string(maximumLength: 70)),
        .optional("iban", .string(maximumLength: 42)), .optional("bic", .string(maximumLength: 11)),
        .optional("accountNumber", .string(maximumLength: 17)), .optional("routingNumber", .string(maximumLength: 9)),
        .optional("accountType", .enumeration(PayoutAccountDetails.AccountType.allCases.map(\.rawValue))),
        .optional("email", .email), .optional("payerId", .string(maximumLength: 13)), .optional("stripeAccount", .string(maximumLength: 69)),
        .optional("currency", Schemas.currency), .optional("reference", .string(maximumLength: 200)),
    ])
}

extension Payout {
    var json: JSONValue { json(isDryRun: false) }

    func json(isDryRun: Bool) -> JSONValue {
        func text(_ value: String?) -> JSONValue { value.map { .text($0) } ?? .null }
        return [
            "id": .text(id.text), "programId": .text(programID.text), "state": .text(state.rawValue), "dryRun": .boolean(isDryRun),
            "currency": .text(unit.code), "total": .integer(liveMinor),
            "cutoff": .text(cutoff.rfc3339),
            "items": .array(
                items.map { item in
                    [
                        "memberId": .text(item.memberID.text), "amount": .integer(item.amountMinor), "state": .text(item.state.rawValue),
                        "reference": text(item.reference), "returnReference": text(item.returnReference), "leftOutReason": text(item.leftOutReason), "commissionIds": .array(item.commissionIDs.map { .text($0.text) }),
                    ]
                }),
            "excluded": .array(
                excluded.map {
                    ["memberId": .text($0.memberID.text), "amount": .integer($0.amountMinor), "reason": .text($0.reason.rawValue)]
                }), "createdBy": .text(createdBy), "createdAt": .text(createdAt.rfc3339), "approvedBy": text(approvedBy),
            "approvedAt": text(approvedAt?.rfc3339), "sentAt": text(sentAt?.rfc3339),
        ]
    }
}
