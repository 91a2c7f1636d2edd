import HTTPTypes
import Hummingbird
import Money
import Persistence
import Web

/// Taking in a file by hand: shown first, with what would change, and done only then.
enum ReconciliationFilePages {
    private static let path = ReconciliationPages.path + "/new"
    /// Signs of a file that go through a page; the command takes larger ones.
    static let textMax = 500_000
    static let rowsShownMax = 100

    static func add(to api: inout API, gate: PageGate) {
        api.page("/reconciliation/new", .payoutsWrite, gate) { visit in try await show(visit, Typed()) }
        api.form("/reconciliation/new", .payoutsWrite, gate, maximumBytes: 3 * textMax + 100_000) { visit, fields in try await take(visit, Typed(fields), fields) }
    }

    private struct Typed: Sendable {
        var format = BankFile.Format.camt053
        var text = ""
        var columns = EntryTable.Columns()

        init() {}

        init(_ fields: FormFields) {
            format = fields["format"].flatMap { BankFile.Format(rawValue: $0) } ?? .camt053
            let file = fields.exact("file") ?? ""
            // Browsers write the ends of lines their own way; a file must be the same file however it comes.
            text = file.isEmpty ? (fields.exact("content") ?? "").replacing("\r\n", with: "\n") : file.replacing("\r\n", with: "\n")
            for column in EntryTable.Column.allCases {
                if let name = fields["column-\(column.rawValue)"], !name.isEmpty { columns.names[column] = String(name.prefix(200)) }
            }
            columns.separator = fields["separator"].flatMap { EntryTable.Columns.Separator(rawValue: $0) } ?? .comma
            columns.decimalSign = fields["decimalSign"].flatMap { EntryTable.Columns.DecimalSign(rawValue: $0) } ?? .point
            columns.currency = fields["currency"].flatMap { $0.isEmpty ? nil : String($0.prefix(3)) }
        }
    }

    private static func take(_ visit: PageVisit, _ typed: Typed, _ fields: FormFields) async throws -> Response {
        guard !typed.text.isEmpty, typed.text.utf8.count <= textMax else {
            return try await show(visit, typed, error: visit.language(typed.text.isEmpty ? "reconciliation.refused.noFile" : "reconciliation.refused.tooLarge"))
        }
        let file: BankFile
        do {
            file = try BankFile.readRefusing(.text(typed.text), typed.format, mapping: typed.columns)
        } catch let problem as Problem where problem.status == .unprocessableContent {
            return try await show(visit, typed, error: problem.errors.first?.message ?? problem.detail)
        }
        let isDryRun = fields["step"] != "write"
        let summary = try await visit.installation.reconcile(file, in: visit.workspaceID, actor: visit.session.actor, isDryRun: isDryRun)
        return try await show(visit, typed, summary, isDryRun: isDryRun)
    }

    private static func show(
        _ visit: PageVisit, _ typed: Typed, _ summary: ReconciliationSummary? = nil, isDryRun: Bool = true, error: String? = nil
    ) async throws -> Response {
        let language = visit.language
        func say(_ key: String, _ values: [String: String] = [:]) -> String { language("reconciliation.\(key)", values) }
        var blocks: [PageBlocks.Block] = []
        let isWritten = summary != nil && !isDryRun && summary?.mistakeCount == 0
        if let summary { blocks = try await result(summary, visit, isWritten: isWritten) }
        if !isWritten { blocks.append(form(visit, typed, mayWrite: summary.map { $0.mistakeCount == 0 && !$0.isRepeated } ?? false, error: error)) }
        let page = PageBlocks(
            heading: say("take"), crumb: (ReconciliationPages.path, say("title")),
            links: isWritten ? [PageBlocks.Link(url: ReconciliationPages.path, label: say("back"), style: "btn-primary")] : [],
            lead: language.sentence("reconciliation.takeLead"), refused: error == nil ? nil : say("refused.file"), blocks: blocks)
        return try visit.blocks(page, current: ReconciliationPages.path, status: error == nil ? .ok : .unprocessableContent)
    }

    // MARK: What it changes

    private static func result(_ summary: ReconciliationSummary, _ visit: PageVisit, isWritten: Bool) async throws -> [PageBlocks.Block] {
        let language = visit.language
        func say(_ key: String, _ values: [String: String] = [:]) -> String { language("reconciliation.\(key)", values) }
        if summary.mistakeCount > 0 {
            return [
                PageBlocks.Block(
                    heading: say("mistakes"),
                    table: PageTable(
                        label: say("mistakes"), columns: [PageTable.Column(label: say("fact.line"), isNumber: true), PageTable.Column(label: say("column.mistake"))],
                        rows: summary.mistakes.map { PageTable.Row(cells: [.number(language.integer(Int64($0.line))), .text($0.message)]) }, language: language),
                    note: language.plural("reconciliation.mistakeCount", Int64(summary.mistakeCount)))
            ]
        }
        func amount(_ result: PayoutOutcome.Result) -> String {
            let amounts = (summary.amounts[result] ?? [:]).sorted { $0.key < $1.key }.compactMap { code, minor in
                (try? UnitCode(code)).map { language.money(minor, $0) }
            }
            let count = language.integer(Int64(summary.results[result] ?? 0))
            return amounts.isEmpty ? count : "\(count) (\(amounts.joined(separator: ", ")))"
        }
        var facts = [PayoutOutcome.Result.paid, .failed, .returned].map { PageBlocks.Fact(label: say("result.\($0.rawValue)"), text: amount($0)) }
        for state in [ReconciliationEntry.State.matched, .noted, .difference, .unmatched, .ignored] {
            facts.append(PageBlocks.Fact(label: say("state.\(state.rawValue)"), text: language.integer(Int64(summary.states[state] ?? 0))))
        }
        facts.append(PageBlocks.Fact(label: say("known"), text: language.integer(Int64(summary.known))))
        if summary.resolved > 0 { facts.append(PageBlocks.Fact(label: say("resolved"), text: language.integer(Int64(summary.resolved)))) }
        let rows = Array(summary.rows.prefix(rowsShownMax))
        let vault = visit.installation.vault
        let names = try await visit.installation.main.read { connection in
            try PersonNames.load(members: rows.compactMap(\.entry.memberID), vault: vault, on: connection)
        }
        let heading = summary.isRepeated ? "repeated" : isWritten ? "written" : "rehearsed"
        return [
            PageBlocks.Block(
                heading: say(heading), text: say("\(heading)Text"), facts: facts,
                table: rows.isEmpty
                    ? nil
                    : PageTable(
                        label: say("entries"),
                        columns: [
                            PageTable.Column(label: say("fact.line"), isNumber: true), PageTable.Column(label: say("column.said")),
                            PageTable.Column(label: say("column.member"), isExtra: true), PageTable.Column(label: say("column.amount"), isNumber: true),
                            PageTable.Column(label: say("column.state")), PageTable.Column(label: say("column.why"), isExtra: true),
                        ],
                        rows: rows.map { row in
                            PageTable.Row(cells: [
                                .number(language.integer(Int64(row.entry.entry.line))), .text(ReconciliationPages.said(row.entry.entry, language)),
                                .name(
                                    row.entry.memberID.map { names.member($0, language) } ?? say(row.entry.payoutID == nil ? "nobody" : "wholeBatch"), url: nil),
                                .number(ReconciliationPages.money(row.entry.entry, language)), ReconciliationPages.badge(row.entry, language),
                                .text(row.entry.difference.map { say("difference.\($0.rawValue)") } ?? change(row.changes, language)),
                            ])
                        }, language: language))
        ]
    }

    private static func change(_ changes: [ReconciliationRun.Change], _ language: PageLanguage) -> String {
        guard let first = changes.first else { return "" }
        return language.plural("reconciliation.becomes.\(first.result.rawValue)", Int64(changes.count))
    }

    // MARK: The form

    private static func form(_ visit: PageVisit, _ typed: Typed, mayWrite: Bool, error: String?) -> PageBlocks.Block {
        let language = visit.language
        func say(_ key: String) -> String { language("reconciliation.\(key)") }
        func choices<Choice: RawRepresentable & CaseIterable & Equatable>(_ key: String, _ chosen: Choice) -> FormField.Control where Choice.RawValue == String {
            .select(Choice.allCases.map { FormField.Choice(value: $0.rawValue, label: say("\(key).\($0.rawValue)"), isChosen: $0 == chosen) })
        }
        let shown: [EntryTable.Column] = [.amount, .reference, .currency, .date, .bankReference, .counterparty, .status]
        let fields =
            [
                FormField(name: "format", label: say("formatLabel"), help: say("formatHelp"), control: choices("format", typed.format)),
                FormField(name: "file", label: say("fileLabel"), help: say("fileHelp"), error: error, control: .file(accept: ".xml,.csv,.txt")),
                FormField(name: "content", label: say("contentLabel"), control: .area(typed.text, rows: 6), isMono: true, lengthMax: textMax),
                FormField(name: "separator", label: say("separatorLabel"), help: say("separatorHelp"), control: choices("separator", typed.columns.separator)),
                FormField(name: "decimalSign", label: say("decimalSignLabel"), control: choices("decimalSign", typed.columns.decimalSign)),
                FormField.line("currency", say("currencyLabel"), typed.columns.currency ?? "", lengthMax: 3),
            ]
            + shown.map { column in
                FormField.line("column-\(column.rawValue)", say("csv.\(column.rawValue)"), typed.columns.names[column] ?? "", lengthMax: 200)
            }
        let buttons =
            [PageForm.Button(label: say("rehearse"), name: "step", value: "rehearse", style: mayWrite ? "btn-plain" : "btn-primary")]
            + (mayWrite ? [PageForm.Button(label: say("write"), name: "step", value: "write")] : [])
        return PageBlocks.Block(
            heading: say("formHeading"), text: say("formText"), forms: [PageForm(action: path, fields: fields, buttons: buttons, csrfToken: visit.csrfToken)],
            note: say("formNote"))
    }
}
