import Chronology
import HTTPTypes
import Hummingbird
import Money
import Persistence
import Web

/// Payouts against what banks and providers say: each batch, what does not fit, and what ought to be done next.
enum ReconciliationPages {
    static let path = "/reconciliation"
    static let batchesMax = 50
    static let filesMax = 10
    static let entriesPerPage = 50
    static let itemsPerPage = 100
    static let candidatesMax = 50

    static func add(to api: inout API, gate: PageGate) {
        api.page("/reconciliation", .ledgerRead, gate) { visit in try await overview(visit) }
        ReconciliationFilePages.add(to: &api, gate: gate)
        api.page("/reconciliation/entries", .ledgerRead, gate) { visit in try await entries(visit) }
        ReconciliationEntryPage.add(to: &api, gate: gate)
        api.page("/reconciliation/payouts/{id}", .ledgerRead, gate) { visit in try await batch(visit) }
    }

    // MARK: All batches

    private static func overview(_ visit: PageVisit) async throws -> Response {
        let language = visit.language
        func say(_ key: String, _ values: [String: String] = [:]) -> String { language("reconciliation.\(key)", values) }
        let workspace = visit.workspaceID
        let (batches, counts, files, programs) = try await visit.installation.main.read { connection in
            (
                try ReconciliationListStore.batches(in: workspace, limit: batchesMax, on: connection),
                try ReconciliationStore.counts(in: workspace, on: connection),
                try ReconciliationStore.files(in: workspace, before: nil, limit: filesMax, on: connection),
                try ProgramStore.list(in: workspace, at: visit.now, after: nil, limit: ProgramPages.programsMax, on: connection)
            )
        }
        let takeIn = PageBlocks.Link(url: "\(path)/new", label: say("take"), style: "btn-primary")
        let mayWrite = visit.session.may(.payoutsWrite)
        var page = PageBlocks(heading: say("title"), links: mayWrite && !batches.isEmpty ? [takeIn] : [], lead: lead(batches, counts, visit))
        guard !batches.isEmpty || !files.isEmpty else {
            page.empty = PageBlocks.Empty(
                heading: say("empty.heading"), text: say("empty.text"), link: PageBlocks.Link(url: "/payouts", label: say("empty.button"), style: "btn-primary"))
            return try visit.blocks(page, current: path)
        }
        let names = Dictionary(programs.map { ($0.id, $0.name) }, uniquingKeysWith: { first, _ in first })
        page.blocks = [
            PageBlocks.Block(
                heading: say("batches"),
                table: PageTable(
                    label: say("batches"),
                    columns: [
                        PageTable.Column(label: say("column.batch")), PageTable.Column(label: say("column.program"), isExtra: true),
                        PageTable.Column(label: language("rails.column.rail"), isExtra: true), PageTable.Column(label: say("column.sent"), isNumber: true), PageTable.Column(label: say("column.paid"), isNumber: true),
                        PageTable.Column(label: say("column.back"), isNumber: true), PageTable.Column(label: say("column.unknown"), isNumber: true),
                        PageTable.Column(label: say("column.difference"), isNumber: true),
                    ],
                    rows: batches.map { batch in
                        let url = "\(path)/payouts/\(batch.id.text)"
                        func number(_ states: [Payout.Item.State]) -> PageTable.Cell {
                            let count = states.reduce(Int64(0)) { $0 + (batch.counts[$1] ?? 0) }
                            return count == 0 ? .number("–") : .name(language.integer(count), url: "\(url)?state=\(states[0].rawValue)")
                        }
                        return PageTable.Row(cells: [
                            .name(say("batch", ["day": batch.sentAt.map { language.day($0) } ?? "–", "unit": batch.unit]), url: url),
                            .name(names[batch.programID] ?? "–", url: nil),
                            .text(batch.rail.map { language("rails.kind.\($0.rawValue)") } ?? say("byFile")), number([.sent]), number([.paid]), number([.returned, .failed]), number([.unknown]),
                            batch.differenceCount == 0
                                ? .number("–")
                                : .name(language.integer(batch.differenceCount), url: "\(path)/entries?state=difference&payout=\(batch.id.text)"),
                        ])
                    }, language: language), empty: batches.isEmpty ? say("batchesEmpty") : nil, note: batches.isEmpty ? nil : say("batchesNote")),
            PageBlocks.Block(
                heading: say("entries"),
                facts: [ReconciliationEntry.State.difference, .unmatched, .matched, .noted, .setAside].map { state in
                    let count = counts[state] ?? 0
                    return PageBlocks.Fact(
                        label: say("state.\(state.rawValue)"), text: language.integer(count), url: count == 0 ? nil : "\(path)/entries?state=\(state.rawValue)")
                }),
            PageBlocks.Block(
                heading: say("files"),
                table: files.isEmpty
                    ? nil
                    : PageTable(
                        label: say("files"),
                        columns: [
                            PageTable.Column(label: say("column.file")), PageTable.Column(label: say("column.taken")),
                            PageTable.Column(label: say("column.entries"), isNumber: true), PageTable.Column(label: say("column.closing"), isNumber: true, isExtra: true),
                        ],
                        rows: files.map { file in
                            PageTable.Row(cells: [
                                .name(
                                    say("format.\(file.format.rawValue)") + (file.accountEnding.map { " …\($0)" } ?? ""), url: "\(path)/entries?file=\(file.id.text)"),
                                .time(file.createdAt), .number(language.integer(file.entryCount)),
                                .number(
                                    file.balance.flatMap { balance in
                                        Currency(code: balance.currency).map { language.money(balance.closingMinor, .currency($0)) }
                                    } ?? "–"),
                            ])
                        }, language: language), empty: files.isEmpty ? say("filesEmpty") : nil),
        ]
        return try visit.blocks(page, current: path)
    }

    /// What ought to be done next, in one sentence.
    private static func lead(_ batches: [ReconciliationListStore.Batch], _ counts: [ReconciliationEntry.State: Int64], _ visit: PageVisit) -> PageValue {
        let language = visit.language
        func count(_ state: Payout.Item.State) -> Int64 { batches.reduce(0) { $0 + ($1.counts[state] ?? 0) } }
        if let differences = counts[.difference], differences > 0 { return language.sentence("reconciliation.lead.difference", count: differences) }
        if let unmatched = counts[.unmatched], unmatched > 0 { return language.sentence("reconciliation.lead.unmatched", count: unmatched) }
        if count(.unknown) > 0 {
            let first = batches.filter { ($0.counts[.unknown] ?? 0) > 0 }.compactMap(\.sentAt).min()
            let days = first.map { max(0, visit.now.millisecondsClamped(since: $0) / 86_400_000) } ?? 0
            return language.sentence("reconciliation.lead.unknown", count: count(.unknown), ["days": language.integer(days)])
        }
        if count(.sent) > 0 { return language.sentence("reconciliation.lead.sent", count: count(.sent)) }
        return language.sentence(batches.isEmpty ? "reconciliation.lead.never" : "reconciliation.lead.done")
    }

    // MARK: Entries

    private static func entries(_ visit: PageVisit) async throws -> Response {
        let language = visit.language
        func say(_ key: String) -> String { language("reconciliation.\(key)") }
        let filter = ReconciliationStore.Filter(
            state: visit.query["state"].flatMap { ReconciliationEntry.State(rawValue: $0) }, payout: visit.query["payout"].flatMap { PayoutID($0) },
            file: visit.query["file"].flatMap { ReconciliationID($0) })
        let before = visit.query["startingAfter"].flatMap { ReconciliationEntryID($0) }
        let (workspace, vault) = (visit.workspaceID, visit.installation.vault)
        let (found, names) = try await visit.installation.main.read { connection in
            let found = try ReconciliationStore.list(in: workspace, filter, before: before?.text, limit: entriesPerPage + 1, on: connection)
            return (found, try PersonNames.load(members: found.compactMap(\.memberID), vault: vault, on: connection))
        }
        let shown = Array(found.prefix(entriesPerPage))
        func query(_ after: ReconciliationEntryID?) -> String {
            [("state", filter.state?.rawValue), ("payout", filter.payout?.text), ("file", filter.file?.text), ("startingAfter", after?.text)]
                .compactMap { name, value in value.map { "\(name)=\($0)" } }.joined(separator: "&")
        }
        var page = PageBlocks(
            heading: say(filter.state.map { "state.\($0.rawValue)" } ?? "entries"), crumb: (path, say("title")),
            filters: PageForm(
                action: "\(path)/entries", method: "get", hidden: [],
                fields: [
                    FormField(
                        name: "state", label: say("column.state"),
                        control: .select(
                            [FormField.Choice(value: "", label: say("stateAny"), isChosen: filter.state == nil)]
                                + ReconciliationEntry.State.allCases.map {
                                    FormField.Choice(value: $0.rawValue, label: say("state.\($0.rawValue)"), isChosen: $0 == filter.state)
                                }))
                ], buttons: [PageForm.Button(label: say("filter"))], csrfToken: ""), clear: ("\(path)/entries", say("clear")))
        page.blocks = [
            PageBlocks.Block(
                heading: nil,
                table: shown.isEmpty
                    ? nil
                    : PageTable(
                        label: say("entries"),
                        columns: [
                            PageTable.Column(label: say("column.said")), PageTable.Column(label: say("column.member"), isExtra: true),
                            PageTable.Column(label: say("column.day"), isExtra: true), PageTable.Column(label: say("column.amount"), isNumber: true),
                            PageTable.Column(label: say("column.state")),
                        ],
                        rows: shown.map { row in
                            PageTable.Row(cells: [
                                .name(said(row.entry, language), url: "\(path)/entries/\(row.id.text)"),
                                .name(row.memberID.map { names.member($0, language) } ?? say(row.payoutID == nil ? "nobody" : "wholeBatch"), url: nil),
                                .text(row.entry.bookedOn.map { language.shortDay($0) } ?? "–"), .number(money(row.entry, language)), badge(row, language),
                            ])
                        }, language: language), empty: shown.isEmpty ? say("nothing") : nil)
        ]
        if found.count > entriesPerPage || before != nil {
            page.pager = [
                "label": .text(language("pager.label")), "summary": "",
                "previous": before == nil ? nil : ["url": .text("\(path)/entries?\(query(nil))"), "label": .text(language("pager.first"))],
                "next": found.count > entriesPerPage
                    ? shown.last.map { ["url": .text("\(path)/entries?\(query($0.id))"), "label": .text(language("pager.next"))] } ?? nil : nil,
            ]
        }
        return try visit.blocks(page, current: path)
    }

    static func said(_ entry: BankEntry, _ language: PageLanguage) -> String {
        let meaning = language("reconciliation.meaning.\(entry.meaning.rawValue)")
        return entry.status.map { $0 == "BOOK" ? meaning : "\(meaning) (\($0))" } ?? meaning
    }

    static func money(_ entry: BankEntry, _ language: PageLanguage) -> String {
        guard let amount = entry.amountMinor, let currency = entry.currency.flatMap({ Currency(code: $0) }) else { return "–" }
        return language.money(amount, .currency(currency))
    }

    static func badge(_ row: ReconciliationEntry, _ language: PageLanguage) -> PageTable.Cell {
        let (tone, icon) =
            switch row.state {
            case .matched: ("good", "check")
            case .noted: ("", "clock")
            case .difference: ("bad", "warning")
            case .unmatched: ("warn", "warning")
            case .setAside, .ignored: ("", "none")
            }
        return .badge(language("reconciliation.state.\(row.state.rawValue)"), tone: tone, icon: icon)
    }

    // MARK: One batch

    private static func batch(_ visit: PageVisit) async throws -> Response {
        let language = visit.language
        func say(_ key: String, _ values: [String: String] = [:]) -> String { language("reconciliation.\(key)", values) }
        let id: PayoutID = try visit.context.id()
        let wanted = visit.query["state"].flatMap { Payout.Item.State(rawValue: $0) }
        let first = max(0, visit.query["from"].flatMap { Int($0) } ?? 0)
        let (workspace, vault) = (visit.workspaceID, visit.installation.vault)
        let found = try await visit.installation.main.read { connection -> (Payout, [Payout.Item], Int, PersonNames, [MemberID: [ReconciliationEntryID]])? in
            guard let payout = try PayoutStore.find(id, in: workspace, on: connection) else { return nil }
            // What came back and what never arrived are one number of the overview.
            let isBack = wanted == .returned || wanted == .failed
            let all = payout.items.filter { item in wanted == nil || item.state == wanted || (isBack && [.returned, .failed].contains(item.state)) }
            let shown = Array(all.dropFirst(first).prefix(itemsPerPage))
            let entries = try ReconciliationStore.entries(of: id, limit: Payout.itemsMax, on: connection)
            return (
                payout, shown, all.count, try PersonNames.load(members: shown.map(\.memberID), vault: vault, on: connection),
                Dictionary(grouping: entries, by: \.member).mapValues { $0.map(\.entry) }
            )
        }
        guard let (payout, shown, count, names, evidence) = found else { throw Problem.notFound() }
        let base = "\(path)/payouts/\(id.text)"
        let states = [nil] + [Payout.Item.State.sent, .paid, .returned, .unknown].map { Optional($0) }
        var page = PageBlocks(
            heading: say("batch", ["day": payout.sentAt.map { language.day($0) } ?? "–", "unit": payout.unit.code]), crumb: (path, say("title")),
            links: [PageBlocks.Link(url: "/payouts/\(id.text)", label: say("openPayout"))],
            tabs: states.map { state in
                (
                    state.map { "\(base)?state=\($0.rawValue)" } ?? base, state.map { say("tab.\($0.rawValue)") } ?? say("tab.all"),
                    state == wanted || (state == .returned && wanted == .failed)
                )
            })
        page.blocks = [
            PageBlocks.Block(
                heading: nil,
                table: shown.isEmpty
                    ? nil
                    : PageTable(
                        label: say("payments"),
                        columns: [
                            PageTable.Column(label: say("column.member")), PageTable.Column(label: say("column.amount"), isNumber: true),
                            PageTable.Column(label: say("column.state")), PageTable.Column(label: say("column.evidence"), isExtra: true),
                            PageTable.Column(label: say("column.entry")),
                        ],
                        rows: shown.map { item in
                            let name = names.member(item.memberID, language)
                            let entry = evidence[item.memberID]?.last
                            return PageTable.Row(cells: [
                                .person(name, url: "/members/\(item.memberID.text)"), .number(language.money(item.amountMinor, payout.unit)),
                                .badge(
                                    language("payout.item.\(item.state.rawValue)"), tone: item.state == .paid ? "good" : item.state == .unknown ? "warn" : "",
                                    icon: item.state == .paid ? "check" : "clock"),
                                item.reference.map { .mono($0) } ?? .nothing,
                                entry.map { .name(say("column.entry"), url: "\(path)/entries/\($0.text)") } ?? .text(say(item.state == .paid ? "byHand" : "noEvidence")),
                            ])
                        }, language: language), empty: shown.isEmpty ? say("nothing") : nil)
        ]
        if count > itemsPerPage {
            func url(_ from: Int) -> PageValue { .text("\(base)?from=\(from)" + (wanted.map { "&state=\($0.rawValue)" } ?? "")) }
            page.pager = [
                "label": .text(language("pager.label")), "summary": "",
                "previous": first > 0 ? ["url": url(max(0, first - itemsPerPage)), "label": .text(language("pager.previous"))] : nil,
                "next": first + shown.count < count ? ["url": url(first + shown.count), "label": .text(language("pager.next"))] : nil,
            ]
        }
        return try visit.blocks(page, current: path)
    }
}
