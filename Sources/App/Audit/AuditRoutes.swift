import Chronology
import Ledger
import Persistence
import Web

enum AuditRoutes {
    static func add(to api: inout API) {
        let installation = api.installation
        api.read(
            "/audit", id: "listAudit", "Who did what, the newest first", tag: "Audit", access: .right(.auditRead),
            parameters: APIParameter.page, answer: .page(.reference("AuditEntry"))
        ) { request, _, caller in
            let page = try PageRequest.from(request)
            guard let before = Int64(page.startingAfter ?? String(Int64.max)), before > 0 else { throw PageRequest.badCursor() }
            let entries = try await installation.main.read { connection in
                try AuditChain.entries(workspace: caller.workspaceID.text, before: before, limit: page.limit + 1, on: connection)
            }
            return ListAnswer.response(entries, page, cursor: { String($0.sequence) }, json: \.json)
        }
    }
}

extension AuditChain.Entry {
    var json: JSONValue {
        [
            "sequence": .integer(sequence), "at": .text(at.rfc3339), "actor": .text(actor), "action": .text(action), "subject": .text(subject),
            "detail": JSONText(text: detail).value, "hash": .text(Hexadecimal.text(hash)),
        ]
    }
}
