import Chronology
import HTTPTypes
import Hummingbird
import NIOCore
import Persistence
import Web

/// A sale's receipt: as a page, and as JSON for those who want to reckon themselves.
enum ReceiptPages {
    static func add(to api: inout API, gate: PageGate) {
        api.page("/sales/{id}/receipt", .salesRead, gate) { visit in
            let id: SaleID = try visit.context.id()
            let workspace = visit.workspaceID
            let vault = visit.installation.vault
            let read = try await visit.installation.main.read { connection -> (Receipt, ReceiptContext)? in
                guard let receipt = try Receipt.of(sale: id, in: workspace, on: connection) else { return nil }
                return (receipt, try ReceiptContext.load(receipt.facts, of: receipt.sale.customerID, at: receipt.sale.occurredAt, in: workspace, vault: vault, on: connection))
            }
            guard let (receipt, context) = read else { throw Problem.notFound() }
            let model = ReceiptModel(receipt: receipt, context: context, language: visit.language, now: visit.now)
            var page = model.page
            page["refundURL"] = visit.session.may(.commissionsWrite) ? .text("/sales/\(id.text)/refund") : nil
            return try visit.page("receipt-show", title: model.heading, current: "/sales", isNarrow: true, page)
        }
        api.page("/sales/{id}/receipt.json", .salesRead, gate) { visit in
            let id: SaleID = try visit.context.id()
            let workspace = visit.workspaceID
            let receipt = try await visit.installation.main.read { connection in try Receipt.of(sale: id, in: workspace, on: connection) }
            guard let receipt else { throw Problem.notFound() }
            return Response(
                status: .ok, headers: [.contentType: "application/json", .cacheControl: "no-store"],
                body: ResponseBody(byteBuffer: ByteBuffer(bytes: receipt.json.bytes)))
        }
    }
}

/// What a receipt's page needs to know beside the receipt: names, codes, and the line above the sharer.
struct ReceiptContext: Sendable {
    var names: PersonNames
    var codes: [LinkID: String]
    var binding: CustomerBinding?
    var bindingAuthor: String?
    /// The enrollers above the first credited member, the nearest first.
    var upline: [MemberID]

    static func load(
        _ facts: ReceiptFacts, of customer: CustomerID, at instant: Instant, in workspace: WorkspaceID, vault: Vault, on connection: any Connection
    ) throws -> ReceiptContext {
        let attribution = facts.attribution
        let touches = attribution["touches"]?.elements ?? []
        let shares = attribution["shares"]?.elements ?? []
        func ids(_ values: [JSONValue]) -> [MemberID] { values.compactMap { $0["memberId"]?.string.flatMap { MemberID($0) } } }
        let refusals = facts.refusals
        let depth = max(
            facts.commissions.map(\.level).max() ?? 0, refusals.compactMap { $0["level"]?.int64 }.map { Int($0) }.max() ?? 0)
        let first = ids(shares).first
        let upline = try first.map { try MemberStore.enrollers(above: $0, limit: min(depth, 50), on: connection) } ?? []
        let binding = try facts.program.flatMap { try BindingStore.latest(at: instant, program: $0.id, customer: customer, on: connection) }
        var author: String?
        if binding?.source == .assignment, let id = binding.flatMap({ OperatorID($0.sourceID) }) {
            let identity = try TeamStore.identity(of: id, vault: vault, on: connection)
            author = identity.name ?? identity.email
        }
        let links = touches.compactMap { $0["linkId"]?.string.flatMap { LinkID($0) } }
        return ReceiptContext(
            names: try PersonNames.load(
                members: ids(touches) + ids(shares) + ids(refusals) + facts.commissions.map(\.memberID) + upline,
                customers: [customer], vault: vault, on: connection),
            codes: try LinkStore.codes(Array(Set(links)), on: connection), binding: binding, bindingAuthor: author, upline: upline)
    }
}

extension LinkStore {
    /// The codes of links.
    static func codes(_ ids: [LinkID], on connection: any Connection) throws -> [LinkID: String] {
        guard !ids.isEmpty else { return [:] }
        let rows = try connection.rows("SELECT id, code FROM link WHERE id IN \(list: Array(ids.prefix(1_000)))")
        return Dictionary(try rows.map { (try $0.get(at: 0), try $0.get(at: 1)) }, uniquingKeysWith: { first, _ in first })
    }
}
