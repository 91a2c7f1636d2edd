import Chronology
import HTTPTypes
import Hummingbird
import Money
import Persistence
import Web

/// The people who buy: who brought each of them and why, what they bought, and giving one to a member by hand.
enum CustomerPages {
    static let rowsPerPage = 50
    static let fileRowsMax = 10_000
    static let salesMax = 100
    static let touchesMax = 50

    static func add(to api: inout API, gate: PageGate) {
        api.page("/customers", .salesRead, gate) { visit in try await list(visit) }
        api.page("/customers.csv", .salesRead, gate) { visit in try await file(visit) }
        api.page("/customers/{id}", .salesRead, gate) { visit in try await show(visit) }
    }

    // MARK: The list

    private struct Rows: Sendable {
        var ids: [CustomerID]
        var customers: [CustomerID: Customer]
        var sums: [CustomerID: CustomerPageStore.Sums]
        var bindings: [CustomerID: [CustomerBinding]]
        var names: PersonNames

        static func load(_ ids: [CustomerID], vault: Vault, on connection: any Connection) throws -> Rows {
            var customers: [CustomerID: Customer] = [:]
            var sums: [CustomerID: CustomerPageStore.Sums] = [:]
            var start = 0
            while start < ids.count {
                let part = Array(ids[start..<min(start + 500, ids.count)])
                start += 500
                customers.merge(try CustomerStore.find(part, on: connection)) { first, _ in first }
                sums.merge(try CustomerPageStore.sums(of: part, on: connection)) { first, _ in first }
            }
            let bindings = try CustomerPageStore.bindings(of: ids, on: connection)
            let members = bindings.values.flatMap { $0.flatMap { $0.shares.map(\.memberID) } }
            return Rows(
                ids: ids, customers: customers, sums: sums, bindings: bindings,
                names: try PersonNames.load(members: members, customers: ids, vault: vault, on: connection))
        }

        func brought(_ id: CustomerID) -> MemberID? { bindings[id]?.first?.shares.max { $0.ppm < $1.ppm }?.memberID }
    }

    /// Customers with this id, company's id or mail address.
    static func lookUp(_ text: String, in workspace: WorkspaceID, vault: Vault, on connection: any Connection) throws -> [CustomerID] {
        var found: [CustomerID] = []
        if let external = Normalised.externalID(text),
            let customer = try CustomerStore.find(
                externalHash: vault.lookupHash(workspace, "customer", external), in: workspace, on: connection)
        {
            found.append(customer.id)
        }
        if let id = CustomerID(text), try CustomerStore.find(id, in: workspace, on: connection) != nil { found.append(id) }
        if let email = Normalised.email(text) {
            found += try CustomerPageStore.customers(
                emailHash: vault.lookupHash(workspace, PersonLookup.email.rawValue, email), in: workspace, on: connection)
        }
        return found
    }

    /// Whom somebody looks for, nil for all; and whether more fit than are looked at.
    private static func look(
        for text: String, in workspace: WorkspaceID, vault: Vault, on connection: any Connection
    ) throws -> (ids: [CustomerID]?, isCut: Bool) {
        guard !text.isEmpty else { return (nil, false) }
        let known = try lookUp(text, in: workspace, vault: vault, on: connection)
        guard known.isEmpty else { return (known, false) }
        let named = try NameIndex.find(text, in: workspace, vault: vault, on: connection)
        return (try NameIndexStore.customers(named.people, on: connection), named.isCut)
    }

    private static func list(_ visit: PageVisit) async throws -> Response {
        let language = visit.language
        let workspace = visit.workspaceID
        let vault = visit.installation.vault
        let before = visit.query["startingAfter"].flatMap { CustomerID($0) }
        let find = String((visit.query["find"] ?? "").prefix(255))
        func say(_ key: String) -> String { language("customers.\(key)") }
        let (rows, hasMore, isCut, counts) = try await visit.installation.main.read { connection in
            let (wanted, isCut) = try look(for: find, in: workspace, vault: vault, on: connection)
            let ids = try CustomerPageStore.newest(in: workspace, ids: wanted, before: before, limit: rowsPerPage + 1, on: connection)
            return (
                try Rows.load(Array(ids.prefix(rowsPerPage)), vault: vault, on: connection), ids.count > rowsPerPage, isCut,
                try FanStore.customers(in: workspace, on: connection)
            )
        }
        let table = PageTable(
            label: say("title"),
            columns: [
                PageTable.Column(label: say("column.customer")), PageTable.Column(label: say("column.broughtBy")),
                PageTable.Column(label: say("column.since"), isExtra: true), PageTable.Column(label: say("column.last"), isExtra: true),
                PageTable.Column(label: say("column.sales"), isNumber: true), PageTable.Column(label: say("column.value"), isNumber: true),
            ],
            rows: rows.ids.compactMap { id in
                guard let customer = rows.customers[id] else { return nil }
                let sums = rows.sums[id]
                let kept = (sums?.kept ?? []).compactMap { sum in (try? UnitCode(sum.currency)).map { language.money(sum.minor, $0) } }
                return PageTable.Row(cells: [
                    .person(rows.names.customer(id, language), url: "/customers/\(id.text)"),
                    rows.brought(id).map { .name(rows.names.member($0, language), url: "/members/\($0.text)") } ?? .text(say("nobody")),
                    .time(customer.createdAt), sums?.lastAt.map { .time($0) } ?? .text("–"), .number(language.integer(sums?.sales ?? 0)),
                    .number(kept.isEmpty ? "–" : kept.joined(separator: language("list.separator"))),
                ])
            }, language: language)
        let isEmpty = rows.ids.isEmpty && find.isEmpty && before == nil
        var page = PageBlocks(heading: say("title"), lead: language.sentence(
                isEmpty ? "customers.lead.none" : "customers.lead.some",
                ["customers": language.integer(counts.buyers), "prospects": language.integer(counts.others)]))
        if isEmpty {
            page.empty = PageBlocks.Empty(
                heading: say("empty.heading"), text: say("empty.text"), link: PageBlocks.Link(url: "/guide", label: say("empty.button"), style: "btn-primary"))
        } else {
            page.links = [PageBlocks.Link(url: find.isEmpty ? "/customers.csv" : "/customers.csv?find=\(LocalPath.encoded(find))", label: say("csv"), style: "btn-quiet", icon: "download")]
            page.filters = PageForm(
                action: "/customers", method: "get", fields: [.line("find", say("find"), find, type: "search", help: isCut ? language("search.cut", ["count": language.integer(Int64(NameIndex.candidatesMax))]) : say("findHelp"))],
                buttons: [PageForm.Button(label: say("show"))], csrfToken: "")
            if !find.isEmpty { page.clear = ("/customers", say("all")) }
            page.blocks = [PageBlocks.Block(table: rows.ids.isEmpty ? nil : table, empty: rows.ids.isEmpty ? say("nothing") : nil)]
            if hasMore || before != nil, let last = rows.ids.last {
                let found = find.isEmpty ? "" : "find=\(LocalPath.encoded(find))"
                page.pager = [
                    "label": .text(language("pager.label")), "summary": "",
                    "previous": before == nil
                        ? nil : ["url": .text("/customers" + (found.isEmpty ? "" : "?\(found)")), "label": .text(language("pager.first"))],
                    "next": hasMore
                        ? ["url": .text("/customers?startingAfter=\(last.text)" + (found.isEmpty ? "" : "&\(found)")), "label": .text(language("pager.next"))]
                        : nil,
                ]
            }
        }
        return try visit.blocks(page, current: "/customers")
    }

    private static func file(_ visit: PageVisit) async throws -> Response {
        let workspace = visit.workspaceID
        let vault = visit.installation.vault
        let language = visit.language
        let find = String((visit.query["find"] ?? "").prefix(255))
        let rows = try await visit.installation.main.read { connection in
            let (wanted, _) = try look(for: find, in: workspace, vault: vault, on: connection)
            return try Rows.load(
                CustomerPageStore.newest(in: workspace, ids: wanted, before: nil, limit: fileRowsMax, on: connection), vault: vault, on: connection)
        }
        let head = ["customerId", "customer", "broughtById", "broughtBy", "country", "since", "sales", "currency", "value"]
        let lines = rows.ids.flatMap { id -> [[CSVCell]] in
            guard let customer = rows.customers[id] else { return [] }
            let member = rows.brought(id)
            let start: [CSVCell] = [
                .text(id.text), .text(rows.names.customer(id, language)), .text(member?.text ?? ""), .text(member.map { rows.names.member($0, language) } ?? ""),
                .text(customer.country ?? ""), .text(customer.createdAt.rfc3339), .number(String(rows.sums[id]?.sales ?? 0)),
            ]
            let kept = rows.sums[id]?.kept ?? []
            if kept.isEmpty { return [start + [.text(""), .text("")]] }
            return kept.map { sum in
                start + [.text(sum.currency), .number(Amount(minor: sum.minor).decimalText(exponent: (try? UnitCode(sum.currency))?.exponent ?? 2))]
            }
        }
        return visit.csv(name: "customers.csv", [head.map { .text($0) }] + lines)
    }

    // MARK: One customer

    private static func show(_ visit: PageVisit) async throws -> Response {
        let id: CustomerID = try visit.context.id()
        let workspace = visit.workspaceID
        let vault = visit.installation.vault
        let model = try await visit.installation.main.read { connection -> CustomerModel? in
            guard let customer = try CustomerStore.find(id, in: workspace, on: connection) else { return nil }
            let bindings = try BindingStore.newest(of: id, on: connection)
            let touches = try CustomerPageStore.touches(of: id, limit: touchesMax, on: connection)
            let assignments = try CustomerPageStore.assignments(of: id, in: workspace, limit: touchesMax, on: connection)
            let assigned = assignments.compactMap { $0.detail.value["memberId"]?.string.flatMap { MemberID($0) } }
            return CustomerModel(
                customer: customer, bindings: bindings, touches: touches,
                sales: try SaleStore.list(in: workspace, SaleStore.Filter(customer: id), limit: salesMax, on: connection),
                leads: try CustomerPageStore.leads(of: id, in: workspace, limit: touchesMax, on: connection), assignments: assignments,
                programs: try ProgramStore.list(in: workspace, at: visit.now, after: nil, limit: MemberPages.programsMax, on: connection),
                names: try PersonNames.load(
                    members: bindings.flatMap { $0.shares.map(\.memberID) } + touches.compactMap(\.memberID) + assigned, customers: [id], vault: vault,
                    on: connection),
                fields: try PersonStore.fields(of: [customer.personID], [.email, .externalId], vault: vault, on: connection)[customer.personID] ?? [:],
                operators: try OperatorNames.load(assignments.map(\.actor), in: workspace, vault: vault, on: connection))
        }
        guard let model else { throw Problem.notFound() }
        return try visit.blocks(model.page(visit), current: "/customers", isNarrow: true)
    }
}

/// One customer: who brought them and why, what happened, and by whom they were given away.
private struct CustomerModel: Sendable {
    var customer: Customer
    var bindings: [CustomerBinding]
    var touches: [CustomerPageStore.Touched]
    var sales: [Sale]
    var leads: [(name: String, at: Instant)]
    var assignments: [(at: Instant, actor: String, detail: JSONText)]
    var programs: [Program]
    var names: PersonNames
    var fields: [PersonField: String]
    var operators: OperatorNames

    func page(_ visit: PageVisit) -> PageBlocks {
        let language = visit.language
        func say(_ key: String, _ values: [String: String] = [:]) -> String { language("customer.\(key)", values) }
        func programName(_ id: ProgramID) -> String { programs.first { $0.id == id }?.name ?? "" }
        let name = names.customer(customer.id, language)
        var why: [PageBlocks.Fact] = bindings.flatMap { binding -> [PageBlocks.Fact] in
            binding.shares.map { share in
                let until = binding.untilAt.map { language.day($0) } ?? say("forGood")
                let how = say(
                    binding.source == .assignment ? "why.assignment" : "why.sale",
                    ["at": language.day(binding.boundAt), "until": until, "reason": binding.reason ?? ""])
                let part = share.ppm == 1_000_000 ? "" : language.percent(ppm: Int64(share.ppm)) + " "
                return PageBlocks.Fact(label: programName(binding.programID), text: part + names.member(share.memberID, language) + " · " + how, url: "/members/\(share.memberID.text)")
            }
        }
        if why.isEmpty { why = [PageBlocks.Fact(label: say("why.nobody"), text: say("why.nobodyText"))] }
        let saleRows = sales.map { sale -> PageTable.Row in
            let unit = UnitCode.currency(sale.currency)
            return PageTable.Row(cells: [
                .name(sale.invoiceID, url: "/sales/\(sale.id.text)/receipt"), .time(sale.occurredAt), .number(language.money(sale.amountMinor, unit)),
                .number(sale.refundedMinor == 0 ? "–" : language.money(sale.refundedMinor, unit)),
            ])
        }
        let events: [(Instant, PageBlocks.Event)] =
            touches.map { touch in
                (
                    touch.at,
                    PageBlocks.Event(
                        what: say("touch.\(touch.kind)", ["code": touch.code ?? "", "member": touch.memberID.map { names.member($0, language) } ?? say("nobody")]),
                        url: touch.linkID.map { "/links/\($0.text)" }, time: language.time(touch.at))
                )
            }
            + leads.map { lead in (lead.at, PageBlocks.Event(what: say("lead", ["name": lead.name]), time: language.time(lead.at))) }
            + sales.map { sale in
                (
                    sale.occurredAt,
                    PageBlocks.Event(
                        what: say("sale", ["amount": language.money(sale.amountMinor, .currency(sale.currency)), "invoice": sale.invoiceID]),
                        url: "/sales/\(sale.id.text)/receipt", time: language.time(sale.occurredAt), isMajor: true)
                )
            }
            + assignments.map { given in
                let to = given.detail.value["memberId"]?.string.flatMap { MemberID($0) }.map { names.member($0, language) } ?? ""
                return (
                    given.at,
                    PageBlocks.Event(
                        what: say("assigned", ["member": to]), time: language.time(given.at), below: operators.name(given.actor, language), isMajor: true)
                )
            } + [(customer.createdAt, PageBlocks.Event(what: say("known"), time: language.time(customer.createdAt)))]
        let blocks = [
            PageBlocks.Block(heading: say("why.heading"), facts: why),
            PageBlocks.Block(
                heading: say("sales"),
                table: saleRows.isEmpty
                    ? nil
                    : PageTable(
                        label: say("sales"),
                        columns: [
                            PageTable.Column(label: say("column.invoice")), PageTable.Column(label: say("column.at"), isExtra: true),
                            PageTable.Column(label: say("column.amount"), isNumber: true), PageTable.Column(label: say("column.returned"), isNumber: true),
                        ], rows: saleRows, language: language), empty: saleRows.isEmpty ? say("salesNone") : nil),
            PageBlocks.Block(heading: say("history"), trail: events.sorted { $0.0 > $1.0 }.map(\.1)),
        ]
        let brought = bindings.first?.shares.max { $0.ppm < $1.ppm }.map { names.member($0.memberID, language) }
        var facts = [String]()
        if let email = fields[.email] { facts.append(email) }
        if let external = fields[.externalId] { facts.append(external) }
        if let country = customer.country { facts.append(language.country(country)) }
        var page = PageBlocks(
            heading: name, crumb: ("/customers", language("customers.title")),
            lead: language.sentence(
                brought == nil ? "customer.lead.nobody" : "customer.lead.brought", count: Int64(sales.count), ["name": name, "member": brought ?? ""]),
            blocks: blocks)
        if visit.session.may(.customersAssign), !programs.isEmpty {
            page.links = [PageBlocks.Link(url: "/customers/\(customer.id.text)/assignment", label: say("assign"))]
        }
        if !facts.isEmpty { page.blocks[0].note = facts.joined(separator: " · ") }
        return page
    }
}
