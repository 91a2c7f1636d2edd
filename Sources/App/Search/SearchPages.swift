import Chronology
import Foundation
import HTTPTypes
import Hummingbird
import Money
import Persistence
import Web

/// One field for everything: members, customers, links and codes, sales by invoice, commissions and payouts by id, programs and rules by name,
/// people of the team, transactions of the ledger by number, as far as the person may see them.
enum SearchPages {
    static let textMax = 255
    /// Rows of each kind.
    static let rowsMax = 10

    static func add(to api: inout API, gate: PageGate) {
        api.page("/search", .workspaceRead, gate) { visit in try await search(visit) }
    }

    private struct Found: Sendable {
        var programs: [Program] = []
        var members: [MemberID] = []
        var customers: [CustomerID] = []
        var links: [Link] = []
        var sales: [Sale] = []
        var payouts: [Payout] = []
        var commissions: [Commission] = []
        var rules: [Rule] = []
        var team: [(id: OperatorID, name: String)] = []
        /// Numbers of the ledger's transactions.
        var transactions: [Int64] = []
        var names = PersonNames.none
        /// More people fitted than were looked at.
        var isCut = false

        var count: Int {
            programs.count + members.count + customers.count + links.count + sales.count + payouts.count + commissions.count + rules.count + team.count
                + transactions.count
        }
    }

    private static func search(_ visit: PageVisit) async throws -> Response {
        let language = visit.language
        let text = String((visit.query["q"] ?? "").prefix(textMax))
        func say(_ key: String) -> String { language("search.\(key)") }
        var page = PageBlocks(heading: say("title"))
        page.filters = PageForm(
            action: "/search", method: "get", fields: [.line("q", say("find"), text, type: "search", help: say("help"))],
            buttons: [PageForm.Button(label: say("show"))], csrfToken: "")
        guard !text.isEmpty else {
            page.lead = language.sentence("search.lead.start")
            return try visit.blocks(page, current: "/search")
        }
        let found = try await find(text, visit)
        page.lead = language.sentence(found.count == 0 ? "search.lead.none" : "search.lead.some", count: Int64(found.count), ["text": text])
        page.blocks = blocks(found, language)
        if found.isCut, !page.blocks.isEmpty {
            page.blocks[0].text = language("search.cut", ["count": language.integer(Int64(NameIndex.candidatesMax))])
        }
        if found.count == 0 {
            page.empty = PageBlocks.Empty(heading: say("nothing.heading"), text: say("nothing.text"), link: nil)
        }
        return try visit.blocks(page, current: "/search")
    }

    private static func find(_ text: String, _ visit: PageVisit) async throws -> Found {
        let workspace = visit.workspaceID
        let vault = visit.installation.vault
        let language = visit.language
        let session = visit.session
        let numbers = visit.language.numbers
        return try await visit.installation.main.read { connection in
            var found = Found()
            let folded = text.lowercased()
            let named = try NameIndex.find(text, in: workspace, vault: vault, on: connection)
            found.isCut = named.isCut
            if session.may(.programsRead) {
                let programs = try ProgramStore.list(in: workspace, at: visit.now, after: nil, limit: ProgramPages.programsMax, on: connection)
                found.programs = programs.filter { $0.name.lowercased().contains(folded) || $0.id.text == text }
                found.rules = try SearchStore.rules(text, of: programs, in: workspace, limit: rowsMax, on: connection)
            }
            if session.may(.membersRead) {
                found.members = try MemberPages.lookUp(text, in: workspace, vault: vault, on: connection)
                if found.members.isEmpty { found.members = try NameIndexStore.members(named.people, on: connection) }
                found.members = unique(found.members)
            }
            if session.may(.salesRead) {
                found.customers = try CustomerPages.lookUp(text, in: workspace, vault: vault, on: connection)
                if found.customers.isEmpty { found.customers = try NameIndexStore.customers(named.people, on: connection) }
                found.customers = unique(found.customers)
                found.sales = try SearchStore.sales(text, in: workspace, limit: rowsMax, on: connection)
            }
            if session.may(.linksRead) {
                found.links = try SearchStore.links(text, in: workspace, limit: rowsMax, on: connection).compactMap {
                    try LinkStore.find($0, in: workspace, on: connection)
                }
            }
            if session.may(.ledgerRead), let id = PayoutID(text), let payout = try PayoutStore.find(id, in: workspace, on: connection) {
                found.payouts = [payout]
            }
            if session.may(.commissionsRead), let id = CommissionID(text), let known = try CommissionStore.find(id, in: workspace, on: connection) {
                found.commissions = [known]
            }
            if session.may(.ledgerRead), let number = numbers.count(text, in: 1...Int64.max),
                try LedgerPageStore.transaction(number, in: workspace, on: connection) != nil
            {
                found.transactions = [number]
            }
            if session.may(.workspaceRead) { found.team = try team(text, of: session.workspace.teamID, vault: vault, on: connection) }
            found.names = try PersonNames.load(
                members: found.members + found.links.compactMap(\.memberID) + found.commissions.map(\.memberID), customers: found.customers + found.sales.map(\.customerID), vault: vault,
                on: connection)
            return found
        }
    }

    /// A team is small: each of its people is looked at.
    private static func team(
        _ text: String, of team: WorkspaceID, vault: Vault, on connection: any Connection
    ) throws -> [(id: OperatorID, name: String)] {
        let wanted = NameIndex.words(text)
        guard !wanted.isEmpty else { return [] }
        var found: [(id: OperatorID, name: String)] = []
        for person in try TeamStore.team(of: team, on: connection) where found.count < rowsMax {
            let identity = try TeamStore.identity(of: person.id, vault: vault, on: connection)
            let words = NameIndex.words(identity.name ?? "") + NameIndex.words(identity.email ?? "")
            guard person.id.text == text || wanted.allSatisfy({ word in words.contains { $0.hasPrefix(word) } }) else { continue }
            found.append((person.id, identity.name ?? identity.email ?? ""))
        }
        return found
    }

    private static func unique<ID: Hashable>(_ ids: [ID]) -> [ID] {
        var seen: Set<ID> = []
        return Array(ids.filter { seen.insert($0).inserted }.prefix(rowsMax))
    }

    private static func blocks(_ found: Found, _ language: PageLanguage) -> [PageBlocks.Block] {
        func say(_ key: String) -> String { language("search.\(key)") }
        func block(_ key: String, _ columns: [PageTable.Column], _ rows: [[PageTable.Cell]]) -> PageBlocks.Block? {
            guard !rows.isEmpty else { return nil }
            return PageBlocks.Block(
                heading: say(key), table: PageTable(label: say(key), columns: columns, rows: rows.map { PageTable.Row(cells: $0) }, language: language),
                note: rows.count >= rowsMax ? say("more") : nil)
        }
        let names = found.names
        return [
            block(
                "members", [PageTable.Column(label: say("column.member"))],
                found.members.map { [.person(names.member($0, language), url: "/members/\($0.text)")] }),
            block(
                "customers", [PageTable.Column(label: say("column.customer"))],
                found.customers.map { [.person(names.customer($0, language), url: "/customers/\($0.text)")] }),
            block(
                "sales",
                [
                    PageTable.Column(label: say("column.invoice")), PageTable.Column(label: say("column.customer")),
                    PageTable.Column(label: say("column.at"), isExtra: true), PageTable.Column(label: say("column.amount"), isNumber: true),
                ],
                found.sales.map { sale in
                    [
                        .name(sale.invoiceID, url: "/sales/\(sale.id.text)/receipt"), .name(names.customer(sale.customerID, language), url: "/customers/\(sale.customerID.text)"),
                        .time(sale.occurredAt), .number(language.money(sale.amountMinor, .currency(sale.currency))),
                    ]
                }),
            block(
                "links",
                [
                    PageTable.Column(label: say("column.code")), PageTable.Column(label: say("column.member")),
                    PageTable.Column(label: say("column.clicks"), isNumber: true),
                ],
                found.links.map { link in
                    [
                        .name(link.code, url: "/links/\(link.id.text)"),
                        link.memberID.map { .name(names.member($0, language), url: "/members/\($0.text)") } ?? .nothing, .number(language.integer(link.clicks)),
                    ]
                }),
            block(
                "payouts", [PageTable.Column(label: say("column.payout")), PageTable.Column(label: say("column.amount"), isNumber: true)],
                found.payouts.map { payout in
                    [
                        .name(payout.id.text, url: "/payouts/\(payout.id.text)"),
                        .number(language.money(payout.items.reduce(0) { $0 &+ $1.amountMinor }, payout.unit)),
                    ]
                }),
            block(
                "programs", [PageTable.Column(label: say("column.program"))],
                found.programs.prefix(rowsMax).map { [.name($0.name, url: "/programs/\($0.id.text)")] }),
            block("rules", [PageTable.Column(label: say("column.rule"))], found.rules.map { [.name($0.name, url: "/rules/\($0.id.text)")] }),
            block(
                "commissions",
                [
                    PageTable.Column(label: say("column.commission")), PageTable.Column(label: say("column.member")),
                    PageTable.Column(label: say("column.amount"), isNumber: true),
                ],
                found.commissions.map { commission in
                    [
                        .name(commission.id.text, url: "/commissions/\(commission.id.text)"),
                        .name(names.member(commission.memberID, language), url: "/members/\(commission.memberID.text)"),
                        .number(language.money(commission.amountMinor, commission.unit)),
                    ]
                }),
            block("team", [PageTable.Column(label: say("column.person"))], found.team.map { [.person($0.name, url: "/team/\($0.id.text)")] }),
            block(
                "transactions", [PageTable.Column(label: say("column.transaction"))],
                found.transactions.map { [.name(language.integer($0), url: "/ledger/transactions/\($0)")] }),
        ].compactMap { $0 }
    }
}

/// Look-ups by the beginning of a text, each along an index.
enum SearchStore {
    /// The text that sorts behind everything that begins with another.
    private static let last = "\u{10FFFF}"

    static func sales(_ text: String, in workspace: WorkspaceID, limit: Int, on connection: any Connection) throws -> [Sale] {
        if let id = SaleID(text), let sale = try SaleStore.find(id, in: workspace, on: connection) { return [sale] }
        let ids: [SaleID] = try connection.rows(
            """
            SELECT id FROM sale WHERE workspace_id = \(workspace) AND invoice_id >= \(text) AND invoice_id < \(text + last)
            ORDER BY invoice_id LIMIT \(limit)
            """
        ).map { try $0.get(at: 0) }
        return try ids.compactMap { try SaleStore.find($0, in: workspace, on: connection) }
    }

    /// The name of a rule is part of what its newest version says: program by program each is looked at.
    static func rules(
        _ text: String, of programs: [Program], in workspace: WorkspaceID, limit: Int, on connection: any Connection
    ) throws -> [Rule] {
        if let id = RuleID(text) { return try RuleStore.newest(id, in: workspace, on: connection).map { [$0] } ?? [] }
        let folded = text.lowercased()
        var found: [Rule] = []
        for program in programs where found.count < limit {
            found += try RuleStore.newestOfAll(in: program.id, on: connection).filter { $0.programID == program.id && $0.name.lowercased().contains(folded) }
        }
        return Array(found.prefix(limit))
    }

    static func links(_ text: String, in workspace: WorkspaceID, limit: Int, on connection: any Connection) throws -> [LinkID] {
        if let id = LinkID(text) { return [id] }
        // An address of ours leads to its code.
        let code = text.contains("/r/") ? String(text.components(separatedBy: "/r/").last?.prefix { $0 != "?" && $0 != "/" } ?? "") : text
        guard let folded = Normalised.code(code) else { return [] }
        return try connection.rows(
            """
            SELECT id FROM link WHERE workspace_id = \(workspace) AND code_folded >= \(folded) AND code_folded < \(folded + last)
            ORDER BY code_folded LIMIT \(limit)
            """
        ).map { try $0.get(at: 0) }
    }
}
