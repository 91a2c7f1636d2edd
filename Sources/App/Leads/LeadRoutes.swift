import Chronology
import HTTPTypes
import Persistence
import Web

enum LeadRoutes {
    static func add(to api: inout API) {
        let installation = api.installation
        api.read(
            "/leads", id: "listLeads", "Leads, the newest first", tag: "Leads", access: .right(.salesRead), parameters: APIParameter.page,
            answer: .page(.reference("LeadFacts"))
        ) { request, _, caller in
            let page = try PageRequest.from(request, LeadKind.self)
            let leads = try await installation.main.read { connection in
                try LeadStore.newest(in: caller.workspaceID, before: page.startingAfter, limit: page.limit + 1, on: connection)
            }
            return ListAnswer.response(leads, page, cursor: \.id.text, json: \.json)
        }
        api.read(
            "/leads/{id}/receipt", id: "getLeadReceipt", "Why a lead paid what it paid, or nothing", tag: "Leads", access: .right(.salesRead),
            answer: .reference("LeadReceipt")
        ) { _, context, caller in
            let id: LeadID = try context.id()
            let receipt = try await installation.main.read { connection in try LeadReceipt.of(lead: id, in: caller.workspaceID, on: connection) }
            guard let receipt else { throw Refusal.unknown("lead") }
            return ListAnswer.one(receipt.json)
        }
    }
}
