import Chronology
import HTTPTypes
import Ledger
import Money
import Persistence
import Web

/// Pay that is given, corrected or taken away by hand.
enum AdjustmentRoutes {
    static func add(to api: inout API) {
        api.write(
            .post, "/commissions", id: "giveCommission", "Give a member pay that no rule gave", tag: "Commissions",
            access: .right(.commissionsWrite),
            body: .object([
                .required("programId", .text), .required("memberId", Schemas.memberReference), .required("amount", Schemas.amount), reasonField,
                .optional("dryRun", .boolean),
            ]), answer: .reference("Adjustment"), status: 201, failures: [409],
            decode: { body, _ in
                (
                    program: body.custom("programId", standIn: ProgramID(stored: "")) { idReading($0, ProgramKind.self, "program") },
                    member: body.custom("memberId", standIn: MemberReference.external("")) { value -> JSONReader.Reading<MemberReference> in
                        if case .text(let text) = value, let reference = MemberReference(text) { return .accepted(reference) }
                        return .refused(MemberReference.allowed)
                    }, amount: body.integer("amount", in: 1...Schemas.amountMax), reason: body.text("reason", maximumLength: Adjustment.reasonLengthMax),
                    isDryRun: body.optionalBoolean("dryRun") ?? false
                )
            }
        ) { input, write in
            guard let program = try ProgramStore.find(input.program, in: write.workspace.id, at: write.now, on: write.connection) else {
                throw Refusal.unknown("program", field: "programId")
            }
            let member = try Member.find(input.member, field: "memberId", in: write)
            return try answer(input.isDryRun, write) {
                try Adjustment.give(write.world.newID(), amountMinor: input.amount, to: member, in: program, reason: input.reason, write)
            }
        }
        api.write(
            .post, "/commissions/{id}/corrections", id: "correctCommission", "Set what a commission is worth, with its earlier corrections", tag: "Commissions",
            access: .right(.commissionsWrite),
            body: .object([
                .required("amount", Schemas.amount), reasonField,
                .optional(
                    "worthNow", .described(.integer(0...Int64.max), description: "What you believe it is worth now; refused when it is worth something else.")),
                .optional("dryRun", .boolean),
            ]), answer: .reference("Adjustment"), status: 201, failures: [409],
            decode: { body, context in
                (
                    id: try context.id(CommissionKind.self), amount: body.integer("amount", in: 0...Schemas.amountMax),
                    worthNow: body.optionalInteger("worthNow", in: 0...Int64.max),
                    reason: body.text("reason", maximumLength: Adjustment.reasonLengthMax), isDryRun: body.optionalBoolean("dryRun") ?? false
                )
            }
        ) { input, write in
            let commission = try Commission.known(input.id, in: write)
            func correct() throws -> Adjustment? {
                try Adjustment.correct(
                    write.world.newID(), commission, toMinor: input.amount, shownMinor: input.worthNow, reason: input.reason, write)
            }
            guard input.isDryRun else {
                guard let made = try correct() else { return Answer(Adjustment.unchanged(commission, worthMinor: input.amount, input.reason, write), status: 200) }
                return Answer(made.json(isDryRun: false, []), status: 201)
            }
            let (made, transactions) = try write.rehearse(correct)
            return Answer(
                made?.json(isDryRun: true, transactions) ?? Adjustment.unchanged(commission, worthMinor: input.amount, input.reason, isDryRun: true, write),
                status: 200)
        }
        api.write(
            .post, "/commissions/{id}/cancellation", id: "voidCommission", "Take back all that is left of a commission", tag: "Commissions",
            access: .right(.commissionsWrite), body: .object([reasonField, .optional("dryRun", .boolean)]), answer: .reference("Adjustment"),
            status: 201, failures: [409],
            decode: { body, context in
                (
                    id: try context.id(CommissionKind.self), reason: body.text("reason", maximumLength: Adjustment.reasonLengthMax),
                    isDryRun: body.optionalBoolean("dryRun") ?? false
                )
            }
        ) { input, write in
            let commission = try Commission.known(input.id, in: write)
            return try answer(input.isDryRun, write) { try Adjustment.void(write.world.newID(), commission, reason: input.reason, write) }
        }
    }

    private static let reasonField = APIField.required("reason", .string(maximumLength: Adjustment.reasonLengthMax))

    private static func answer(_ isDryRun: Bool, _ write: Write, _ verb: () throws -> Adjustment) throws -> Answer {
        guard isDryRun else { return Answer(try verb().json(isDryRun: false, []), status: 201) }
        let (adjustment, transactions) = try write.rehearse(verb)
        return Answer(adjustment.json(isDryRun: true, transactions), status: 200)
    }
}

extension Commission {
    static func known(_ id: CommissionID, in write: Write) throws -> Commission {
        guard let commission = try CommissionStore.find(id, in: write.workspace.id, on: write.connection) else { throw Refusal.unknown("commission") }
        return commission
    }
}

extension Adjustment {
    func json(isDryRun: Bool, _ transactions: [RecordedTransaction]) -> JSONValue {
        [
            "id": .text(id.text), "kind": .text(kind.rawValue), "programId": .text(programID.text), "memberId": .text(memberID.text),
            "commissionId": .text(commissionID.text), "amount": .integer(amountMinor), "currency": .text(unit.code),
            "reason": reason.map { .text($0) } ?? .null, "author": .text(author), "madeAt": .text(madeAt.rfc3339), "dryRun": .boolean(isDryRun),
            "transactions": .array(transactions.map(\.json)), "correctsId": correctsID.map { .text($0.text) } ?? .null,
            "worth": worthMinor.map { .integer($0) } ?? .null,
        ]
    }

    /// The answer when a commission is worth what was asked for already: there is no new adjustment.
    static func unchanged(_ commission: Commission, worthMinor: Int64, _ reason: String, isDryRun: Bool = false, _ write: Write) -> JSONValue {
        [
            "id": .null, "kind": .text(Kind.correction.rawValue), "programId": .text(commission.programID.text), "memberId": .text(commission.memberID.text),
            "commissionId": .text(commission.id.text), "amount": .integer(0), "currency": .text(commission.unit.code), "reason": .text(reason),
            "author": .text(write.actor.person), "madeAt": .text(write.now.rfc3339), "dryRun": .boolean(isDryRun), "transactions": .array([]),
            "correctsId": .text(commission.id.text), "worth": .integer(worthMinor),
        ]
    }

    static let schema = APISchema.object([
        .required("id", .described(.nullable(.text), description: "Null when nothing had to change.")), .required("kind", .enumeration(Kind.allCases.map(\.rawValue))), .required("programId", .text),
        .required("memberId", .text), .required("commissionId", .text), .required("amount", .integer()), .required("currency", Schemas.currency),
        .required("reason", .nullable(.text)), .required("author", .text), .required("madeAt", .dateTime), .required("dryRun", .boolean),
        .required("transactions", .array(.reference("Transaction"))),
        .required("correctsId", .described(.nullable(.text), description: "The commission that a correction corrects.")),
        .required("worth", .described(.nullable(.integer()), description: "What that commission is worth from then on, with all its corrections.")),
    ])
}
