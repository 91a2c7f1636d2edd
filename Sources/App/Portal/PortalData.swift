import Chronology
import HTTPTypes
import Hummingbird
import Ledger
import Money
import NIOCore
import Persistence
import Web

/// A member's data as a file.
enum PortalData {
    static func add(to api: inout API, gate: PortalGate) {
        api.portalPage("/portal/data.json", gate) { visit in try await data(visit) }
    }

    /// All that is kept about a member, as they may take it elsewhere.
    private static func data(_ visit: PortalVisit) async throws -> Response {
        let (member, workspace, vault) = (visit.member, visit.workspaceID, visit.installation.vault)
        let bytes = try await visit.installation.main.read { connection -> [UInt8] in
            let fields = try PersonStore.fields(of: [member.personID], PersonField.allCases, vault: vault, on: connection)[member.personID] ?? [:]
            let balances = try Journal.balances(workspace: workspace.text, member: member.id.text, on: connection)
            let links = try LinkStore.list(in: workspace, program: nil, member: member.id, after: nil, limit: 1_000, on: connection)
            var lines: [JSONValue] = []
            var before: CommissionID?
            // In parts: a list has a limit, a life's earnings do not.
            for _ in 0..<200 {
                let part = try PortalStore.lines(of: member.id, PortalStore.LineFilter(before: before), limit: 500, on: connection)
                lines += part.map { line in
                    [
                        "id": .text(line.id.text), "cause": .text(line.cause.rawValue), "level": .integer(Int64(line.level)),
                        "unit": .text(line.unit.code), "amount": .integer(line.amountMinor), "kept": .integer(line.keptMinor),
                        "state": .text(line.state.rawValue), "occurredAt": .text(line.occurredAt.rfc3339), "program": .text(line.programName),
                    ]
                }
                before = part.last?.id
                if part.count < 500 { break }
            }
            let document: JSONValue = [
                "member": [
                    "id": .text(member.id.text), "status": .text(member.status.rawValue), "stage": .text(member.stage.rawValue),
                    "joinedAt": .text(member.joinedAt.rfc3339), "country": member.country.map { .text($0) } ?? .null,
                    "locale": member.locale.map { .text($0) } ?? .null, "timeZone": member.timeZone.map { .text($0) } ?? .null,
                ],
                "fields": .object(fields.sorted { $0.key.rawValue < $1.key.rawValue }.map { JSONMember($0.key.rawValue, .text($0.value)) }),
                "tracker": try WebhookEndpointStore.find(member: member.id, in: workspace, on: connection)?.urlSealed.flatMap {
                    try Postback.url($0, of: member.id, in: workspace, vault: vault, on: connection)
                }.map { .text($0) } ?? .null,
                "balances": .array(
                    balances.map {
                        [
                            "unit": .text($0.unit.code), "pending": .integer($0.pending.minor), "held": .integer($0.held.minor),
                            "available": .integer($0.available.minor), "inPayout": .integer($0.inPayout.minor), "paid": .integer($0.paid.minor),
                            "debt": .integer($0.debt.minor),
                        ]
                    }),
                "links": .array(links.map { ["code": .text($0.code), "destination": .text($0.destination), "clicks": .integer($0.clicks)] }),
                "commissions": .array(lines),
                "payments": .array(
                    try PortalStore.payments(of: member.id, limit: 1_000, on: connection).map {
                        [
                            "id": .text($0.id.text), "at": .text($0.at.rfc3339), "unit": .text($0.unit.code), "amount": .integer($0.amountMinor),
                            "state": .text($0.state.rawValue), "reference": $0.reference.map { .text($0) } ?? .null,
                        ]
                    }),
                "agreements": .array(
                    try TermsStore.agreed(by: member.id, limit: 1_000, on: connection).map {
                        ["program": .text($0.programName), "version": .integer($0.version), "acceptedAt": .text($0.at.rfc3339)]
                    }),
                "findByName": .array(
                    try FindableStore.choices(of: member.id, limit: 1_000, on: connection).map {
                        ["isFindable": .boolean($0.isFindable), "at": .text($0.at.rfc3339)]
                    }),
                "surveyAnswers": .array(
                    try SurveyAnswerStore.of(member.personID, limit: 1_000, vault: vault, on: connection).map {
                        [
                            "survey": .text($0.surveyID.text), "score": .integer($0.score), "comment": $0.comment.map { .text($0) } ?? .null,
                            "answeredAt": .text($0.answeredAt.rfc3339),
                        ]
                    }),
                "invitations": try InvitationStore.counts(of: member.id, at: visit.now, on: connection).json(of: member.id),
                "letters": .array(
                    try MailStore.choices(of: member.personID, limit: 1_000, on: connection).map {
                        ["kind": .text($0.kind.rawValue), "isWanted": .boolean($0.isWanted), "at": .text($0.at.rfc3339)]
                    }),
            ]
            return document.bytes
        }
        return Response(
            status: .ok,
            headers: [.contentType: "application/json", .contentDisposition: "attachment; filename=\"my-data.json\"", .cacheControl: "no-store"],
            body: ResponseBody(byteBuffer: ByteBuffer(bytes: bytes)))
    }
}
