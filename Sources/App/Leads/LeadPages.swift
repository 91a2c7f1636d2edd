import Chronology
import HTTPTypes
import Hummingbird
import Money
import NIOCore
import Persistence
import Web

/// Leads, and the receipt of each.
enum LeadPages {
    static let rowsPerPage = 50
    /// Rows of the file, the newest.
    static let fileRowsMax = 10_000

    static func add(to api: inout API, gate: PageGate) {
        api.page("/leads", .salesRead, gate) { visit in try await list(visit) }
        api.page("/leads.csv", .salesRead, gate) { visit in try await file(visit) }
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

    /// All leads for spreadsheets, the newest first.
    private static func file(_ visit: PageVisit) async throws -> Response {
        let (workspace, vault, language) = (visit.workspaceID, visit.installation.vault, visit.language)
        let (leads, commissions, names) = try await visit.installation.main.read { connection in
            let leads = try LeadStore.newest(in: workspace, before: nil, limit: fileRowsMax, on: connection)
            var commissions: [String: [Commission]] = [:]
            var start = 0
            while start < leads.count {
                let part = leads[start..<min(start + 500, leads.count)].map(\.id.text)
                start += 500
                commissions.merge(try CommissionStore.of(causes: part, on: connection)) { first, _ in first }
            }
            return (
                leads, commissions,
                try PersonNames.load(members: leads.flatMap(\.creditedMembers), customers: leads.map(\.customerID), vault: vault, on: connection)
            )
        }
        let head = ["leadId", "event", "occurredAt", "customerId", "customer", "memberIds", "members", "pay"]
        let lines = leads.map { lead -> [CSVCell] in
            let pay = (commissions[lead.id.text] ?? []).map { "\(Amount(minor: $0.keptMinor).decimalText(exponent: $0.unit.exponent)) \($0.unit.code)" }
            return [
                .text(lead.id.text), .text(lead.eventName), .text(lead.occurredAt.rfc3339), .text(lead.customerID.text),
                .text(names.customer(lead.customerID, language)), .text(lead.creditedMembers.map(\.text).joined(separator: "; ")),
                .text(lead.creditedMembers.map { names.member($0, language) }.joined(separator: "; ")), .text(pay.joined(separator: "; ")),
            ]
        }
        return visit.csv(name: "leads.csv", [head.map { .text($0) }] + lines)
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
