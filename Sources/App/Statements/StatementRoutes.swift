import Chronology
import Foundation
import Hummingbird
import Ledger
import Money
import Persistence
import Web

/// Statements for programs.
enum StatementRoutes {
    static func add(to api: inout API) {
        let installation = api.installation
        api.read(
            "/members/{id}/statement", id: "getStatement", "What a member was owed, what changed it, and what they are owed then",
            tag: "Payouts", access: .right(.ledgerRead), parameters: [APIParameter("from", .dateTime, isRequired: true), APIParameter("until", .dateTime, isRequired: true)],
            answer: .reference("Statement")
        ) { request, context, caller in
            let reference = try MemberReference.of(context)
            guard let from = try Query.instant("from", in: request), let until = try Query.instant("until", in: request) else {
                throw Refusal.field("from", "Must be given, and until as well: times (RFC 3339).")
            }
            return ListAnswer.one(
                try await installation.main.read { connection in
                    guard let member = try MemberStore.find(reference, in: caller.workspaceID, vault: installation.vault, on: connection) else {
                        throw Refusal.unknown("member")
                    }
                    return try Statement.make(of: member.id, from: from, until: until, in: caller.workspaceID, on: connection).json
                })
        }
    }
}

extension Statement {
    var json: JSONValue {
        [
            "memberId": .text(memberID.text), "from": .text(from.rfc3339), "until": .text(until.rfc3339),
            "units": .array(
                parts.map { part in
                    [
                        "unit": .text(part.unit.code), "opening": .integer(part.openingMinor), "closing": .integer(part.closingMinor),
                        "lines": .array(
                            part.lines.map { line in
                                [
                                    "sequence": .integer(line.sequence), "recordedAt": .text(line.recordedAt.rfc3339), "cause": .text(line.cause),
                                    "purpose": .text(line.purpose), "amount": .integer(line.amountMinor),
                                ]
                            }),
                        "pending": .integer(part.closing.pending.minor), "held": .integer(part.closing.held.minor),
                        "available": .integer(part.closing.available.minor), "inPayout": .integer(part.closing.inPayout.minor),
                        "debt": .integer(part.closing.debt.minor),
                    ]
                }),
        ]
    }

    static let schema = APISchema.object([
        .required("memberId", .text), .required("from", .dateTime), .required("until", .dateTime),
        .required(
            "units",
            .array(
                .object([
                    .required("unit", .text), .required("opening", .integer()), .required("closing", .integer()),
                    .required(
                        "lines",
                        .array(
                            .object([
                                .required("sequence", .integer()), .required("recordedAt", .dateTime), .required("cause", .text),
                                .required("purpose", .text), .required("amount", .integer()),
                            ]))), .required("pending", .integer()), .required("held", .integer()), .required("available", .integer()),
                    .required("inPayout", .integer()), .required("debt", .integer()),
                ]))),
    ])
}
