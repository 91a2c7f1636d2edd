import Chronology
import HTTPTypes
import Hummingbird
import Money
import NIOCore
import Persistence
import Web

/// The list of sales, as a page and as a file.
enum SalePages {
    static let rowsPerPage = 50
    /// Rows of the file, the newest.
    static let fileRowsMax = 10_000

    static func add(to api: inout API, gate: PageGate) {
        api.page("/sales", .salesRead, gate) { visit in try await list(visit) }
        api.page("/sales.csv", .salesRead, gate) { visit in try await file(visit) }
    }

    private struct Read: Sendable {
        var sales: [Sale] = []
        var commissions: [SaleID: [Commission]] = [:]
        var names = PersonNames.none
        var totals = SaleListStore.Totals()
        var hasAny = false
        var hasMore = false
        var parked: [SaleListStore.ParkedRefund] = []
    }

    private static func list(_ visit: PageVisit) async throws -> Response {
        let cursor = visit.query["startingAfter"].flatMap { SaleID($0) }
        let before = visit.query["endingBefore"].flatMap { SaleID($0) }
        let read = try await read(visit, cursor: before ?? cursor, isBackwards: before != nil, limit: rowsPerPage)
        let language = visit.language
        let filter = try self.filter(visit)
        let first = max(1, visit.query["first"].flatMap { Int64($0) } ?? 1)
        let model = SaleListModel(
            sales: read.sales, commissions: read.commissions, names: read.names, totals: read.totals, parked: read.parked, hasAny: read.hasAny,
            hasMore: before == nil ? read.hasMore : true, hasBefore: before == nil ? cursor != nil : read.hasMore, first: first, filter: filter,
            fromText: visit.query["from"] ?? "", toText: visit.query["to"] ?? "", language: language, baseURL: visit.installation.baseURL)
        return try visit.page("sale-list", title: language("sales.title"), current: "/sales", model.page)
    }

    private static func file(_ visit: PageVisit) async throws -> Response {
        let read = try await read(visit, cursor: nil, isBackwards: false, limit: fileRowsMax)
        let language = visit.language
        var rows: [[CSVCell]] = [
            ["saleId", "order", "paidAt", "buyer", "members", "currency", "amount", "refunded", "pay", "payUnit", "cameBy", "state"].map { .text($0) }
        ]
        for sale in read.sales {
            let commissions = read.commissions[sale.id] ?? []
            let unit = commissions.first?.unit ?? .currency(sale.currency)
            let pay = commissions.filter { $0.unit == unit }.reduce(Int64(0)) { $0 &+ $1.keptMinor }
            var members: [String] = []
            for commission in commissions {
                let name = read.names.member(commission.memberID, language)
                if !members.contains(name) { members.append(name) }
            }
            rows.append([
                .text(sale.id.text), .text(sale.invoiceID), .text(sale.occurredAt.rfc3339), .text(read.names.customer(sale.customerID, language)),
                .text(members.joined(separator: "; ")), .text(sale.currency.code), .number(decimal(sale.amountMinor, sale.currency.exponent)),
                .number(decimal(sale.refundedMinor, sale.currency.exponent)), .number(decimal(pay, unit.exponent)), .text(unit.code),
                .text(sale.cameBy.rawValue), .text(SaleState.of(sale, commissions).rawValue),
            ])
        }
        return visit.csv(name: "sales.csv", rows)
    }

    private static func decimal(_ minor: Int64, _ exponent: Int) -> String { Amount(minor: minor).decimalText(exponent: exponent) }

    private static func filter(_ visit: PageVisit) throws -> SaleListStore.Filter {
        func day(_ name: String) throws -> LocalDay? {
            guard let text = visit.query[name], !text.isEmpty else { return nil }
            guard let day = try? LocalDay(iso8601: text) else { throw Problem.notFound() }
            return day
        }
        let zone = visit.language.zone
        let find = visit.query["q"].map { String($0.prefix(255)) }
        return SaleListStore.Filter(
            find: find?.isEmpty == true ? nil : find, state: try visit.query.word("state", SaleState.self),
            from: try day("from").map { zone.start(of: $0) }, until: try day("to").flatMap { try? $0.adding(days: 1) }.map { zone.start(of: $0) })
    }

    private static func read(_ visit: PageVisit, cursor: SaleID?, isBackwards: Bool, limit: Int) async throws -> Read {
        let workspace = visit.workspaceID
        let vault = visit.installation.vault
        let wanted = try filter(visit)
        return try await visit.installation.main.read { connection in
            var filter = wanted
            if let find = filter.find { filter.buyers = try buyers(find, in: workspace, vault: vault, on: connection) }
            var read = Read()
            read.hasAny = try SaleListStore.hasAny(in: workspace, on: connection)
            if filter.state == .parked { read.parked = try SaleListStore.parked(in: workspace, limit: rowsPerPage, on: connection) }
            guard read.hasAny else { return read }
            read.totals = try SaleListStore.totals(in: workspace, filter, on: connection)
            var ids = try SaleListStore.ids(
                in: workspace, filter, cursor: cursor, isBackwards: isBackwards, limit: limit + 1, on: connection)
            read.hasMore = ids.count > limit
            if read.hasMore { if isBackwards { ids.removeFirst() } else { ids.removeLast() } }
            var start = 0
            while start < ids.count {
                let part = Array(ids[start..<min(start + 500, ids.count)])
                start += 500
                for sale in try SaleStore.find(part, in: workspace, on: connection) { read.sales.append(sale) }
                for commission in try CommissionStore.of(sales: part, on: connection) {
                    if let sale = commission.saleID { read.commissions[sale, default: []].append(commission) }
                }
            }
            read.names = try PersonNames.load(
                members: read.commissions.values.flatMap { $0.map(\.memberID) } + read.sales.flatMap(\.creditedMembers), customers: read.sales.map(\.customerID), vault: vault, on: connection)
            return read
        }
    }

    /// Buyers by the company's id or by mail: names are sealed and can't be searched.
    /// Buyers of one name whose sales are shown.
    private static let buyersMax = 500

    private static func buyers(
        _ text: String, in workspace: WorkspaceID, vault: Vault, on connection: any Connection
    ) throws -> [CustomerID] {
        var found: [CustomerID] = []
        if let external = Normalised.externalID(text),
            let customer = try CustomerStore.find(
                externalHash: vault.lookupHash(workspace, "customer", external), in: workspace, on: connection)
        {
            found.append(customer.id)
        }
        if let email = Normalised.email(text) {
            let hash = vault.lookupHash(workspace, PersonLookup.email.rawValue, email)
            let people = try SaleListStore.people(emailHash: hash, in: workspace, on: connection)
            found += try SaleListStore.customers(of: people, in: workspace, on: connection)
        }
        if found.isEmpty {
            found = try NameIndexStore.customers(NameIndex.find(text, in: workspace, vault: vault, on: connection).people, on: connection)
        }
        return Array(found.prefix(buyersMax))
    }
}

extension SaleStore {
    /// Sales by their ids, the newest first.
    static func find(_ ids: [SaleID], in workspace: WorkspaceID, on connection: any Connection) throws -> [Sale] {
        try list(where: "id IN \(list: ids)", in: workspace, on: connection)
    }
}
