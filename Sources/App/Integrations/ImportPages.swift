import HTTPTypes
import Hummingbird
import Persistence
import Web

/// CSV files dropped into a page: rehearsed first, with every bad row by its line, and written only then.
enum ImportPages {
    static let path = "/integrations/import"
    /// Characters of a file that fit into the page's form; `kith import` takes larger ones.
    static let textMax = 50_000
    /// Clicks and balances come once, with the move from another system, and go by the command.
    static let kinds: [ImportKind] = [.members, .sales, .refunds]

    static func add(to api: inout API, gate: PageGate) {
        api.page("/integrations/import", .importWrite, gate) { visit in try await show(visit, nil, FormFieldsTyped(kind: visit.query["kind"] ?? "sales")) }
        api.form(path, .importWrite, gate) { visit, fields in try await take(visit, fields) }
    }

    private struct FormFieldsTyped: Sendable {
        var kind: String
        var program: String?
        var text = ""
    }

    private static func take(_ visit: PageVisit, _ fields: FormFields) async throws -> Response {
        let typed = FormFieldsTyped(kind: fields["kind"] ?? "", program: fields["program"], text: fields.exact("file") ?? "")
        guard let kind = ImportKind(rawValue: typed.kind), kinds.contains(kind), !typed.text.isEmpty, typed.text.utf8.count <= textMax else {
            return try await show(visit, nil, typed, error: visit.language("integrations.import.error"))
        }
        let workspace = visit.workspaceID
        let program = try await visit.installation.main.read { connection -> ProgramID? in
            guard let id = typed.program.flatMap({ ProgramID($0) }), try ProgramStore.exists(id, in: workspace, on: connection) else { return nil }
            return id
        }
        var drop = FileImport(installation: visit.installation, workspace: visit.session.workspace, program: program, kind: kind, path: "")
        drop.text = typed.text
        let file = drop
        let isDryRun = fields["step"] != "write"
        do {
            let answer = try await file.run(isDryRun: isDryRun)
            return try await show(visit, answer, typed)
        } catch let malformed as CSVReader.Malformed {
            return try await show(visit, nil, typed, error: malformed.description)
        }
    }

    private static func show(_ visit: PageVisit, _ answer: JSONValue?, _ typed: FormFieldsTyped, error: String? = nil) async throws -> Response {
        let language = visit.language
        func say(_ key: String) -> String { language("integrations.import.\(key)") }
        let workspace = visit.workspaceID
        let programs = try await visit.installation.main.read { connection in
            try ProgramStore.list(in: workspace, at: visit.now, after: nil, limit: ProgramPages.programsMax, on: connection)
        }
        let errorCount = answer?.whole("errorCount") ?? 0
        let isWritten = answer?.flag("written") ?? false
        var blocks: [PageBlocks.Block] = []
        if let answer {
            var block = PageBlocks.Block(
                heading: say(isWritten ? "written" : "rehearsed"),
                facts: ["rows", "created", "updated", "known"].map {
                    PageBlocks.Fact(label: say("count.\($0)"), text: language.integer(answer.whole($0) ?? 0))
                })
            if errorCount > 0 {
                block.table = PageTable(
                    label: say("errors"),
                    columns: [
                        PageTable.Column(label: say("line"), isNumber: true), PageTable.Column(label: say("column")), PageTable.Column(label: say("message")),
                    ],
                    rows: answer.list("errors").map { row in
                        PageTable.Row(cells: [.number(language.integer(row.whole("line") ?? 0)), .mono(row.string("column") ?? ""), .text(row.string("message") ?? "")])
                    }, language: language)
                block.note = language.plural("integrations.import.errorCount", errorCount)
            }
            blocks.append(block)
        }
        if !isWritten {
            let mayWrite = answer != nil && errorCount == 0
            let form = PageForm(
                action: path,
                fields: [
                    FormField(
                        name: "kind", label: say("kind"),
                        control: .select(kinds.map { FormField.Choice(value: $0.rawValue, label: say("kind.\($0.rawValue)"), isChosen: $0.rawValue == typed.kind) })),
                    FormField(
                        name: "program", label: language("integrations.program"),
                        control: .select(programs.map { FormField.Choice(value: $0.id.text, label: $0.name, isChosen: $0.id.text == typed.program) })),
                    FormField(name: "file", label: say("file"), help: say("fileHelp"), error: error, control: .area(typed.text, rows: 10), isRequired: true, isMono: true, lengthMax: textMax),
                ],
                buttons: [PageForm.Button(label: say("rehearse"), name: "step", value: "rehearse", style: mayWrite ? "btn-plain" : "btn-primary")]
                    + (mayWrite ? [PageForm.Button(label: say("write"), name: "step", value: "write")] : []), csrfToken: visit.csrfToken)
            blocks.append(PageBlocks.Block(heading: say("heading"), text: say("text"), forms: programs.isEmpty ? [] : [form], empty: programs.isEmpty ? say("noProgram") : nil))
            blocks.append(
                PageBlocks.Block(
                    heading: say("columns"),
                    facts: kinds.map { kind in PageBlocks.Fact(label: say("kind.\(kind.rawValue)"), text: kind.columns.map(\.name).joined(separator: ", ")) },
                    note: say("columnsNote")))
        }
        let page = PageBlocks(
            heading: say("title"), crumb: (IntegrationPages.path, language("integrations.title")), lead: language.sentence("integrations.import.lead"),
            refused: error == nil ? nil : say("refused"), blocks: blocks)
        return try visit.blocks(page, current: IntegrationPages.path, status: error == nil ? .ok : .unprocessableContent)
    }
}
