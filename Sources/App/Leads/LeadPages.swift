import Chronology
import HTTPTypes
import Hummingbird
import NIOCore
import Persistence
import Web

/// Leads, and the receipt of each.
enum LeadPages {
    static let rowsPerPage = 50

    static func add(to api: inout API, gate: PageGate) {
        api.page("/leads", .salesRead, gate) { visit in try await list(visit) }
        api.page("/leads/{id}/receipt", .salesRead, gate) { visit in
            let (workspace, vault) = (visit.workspaceID, visit.installation.vault)
            let receipt = try await find(visit)
            let context = try await visit.installation.main.read { connection in
                try ReceiptContext.load(receipt.facts, of: receipt.lead.customerID, at: receipt.lead.occurredAt, in: workspace, vault: vault, on: connection)
            }
            let model = LeadReceiptModel(receipt: receipt, context: context, language: visit.language)
            return try visit.page("receipt-lead", title: model.heading, current: "/leads", isNarrow: true, model.page)
        }
        api.page("/leads/{id}/receipt.json", .salesRead, gate) { visit in
            Response(
                status: .ok, headers: [.contentType: "application/json", .cacheControl: "no-store"],
                body: ResponseBody(byteBuffer: ByteBuffer(bytes: try await find(visit).json.bytes)))
        }
    }

    private static func list(_ visit: PageVisit) async throws -> Response {
        let (workspace, vault, language) = (visit.workspaceID, visit.installation.vault, visit.language)
        let before = visit.query["startingAfter"].flatMap { LeadID($0) }
        let model = try await visit.installation.main.read { connection -> LeadListModel in
            let leads = try LeadStore.newest(in: workspace, before: before?.text, limit: rowsPerPage + 1, on: connection)
            let shown = Array(leads.prefix(rowsPerPage))
            return LeadListModel(
                leads: shown, commissions: try CommissionStore.of(causes: shown.map(\.id.text), on: connection), hasMore: leads.count > rowsPerPage,
                isFirstPage: before == nil,
                names: try PersonNames.load(
                    members: shown.flatMap(\.creditedMembers), customers: shown.map(\.customerID), vault: vault, on: connection),
                language: language)
        }
        return try visit.page("lead-list", title: language("leads.title"), current: "/leads", model.page)
    }

    private static func find(_ visit: PageVisit) async throws -> LeadReceipt {
        let id: LeadID = try visit.context.id()
        let workspace = visit.workspaceID
        let receipt = try await visit.installation.main.read { connection in try LeadReceipt.of(lead: id, in: workspace, on: connection) }
        guard let receipt else { throw Problem.notFound() }
        return receipt
    }
}

extension Lead {
    /// Who is credited, each once.
    var creditedMembers: [MemberID] {
        var members: [MemberID] = []
        for share in attribution.value["shares"]?.elements ?? [] {
            if let id = share["memberId"]?.string.flatMap({ MemberID($0) }), !members.contains(id) { members.append(id) }
        }
        return members
    }
}
