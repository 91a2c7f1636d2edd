import Chronology
import HTTPTypes
import Hummingbird
import Persistence
import Web

/// CSV files of other systems taken in by a page: first what each column is, then a rehearsal with every bad row by its line, and written only then.
enum ImportPages {
    static let path = "/integrations/import"
    /// Bytes of a file that goes through the page; `kith import` takes larger ones.
    static let textMax = 2_000_000
    static let pastedMax = 50_000
    static let filesShownMax = 10
    /// Clicks come once, with the move from another system, and go by the command.
    static let kinds: [ImportKind] = [.members, .links, .sales, .refunds, .balances]
    static let generic = "generic"

    static func add(to api: inout API, gate: PageGate) {
        api.page("/integrations/import", .importWrite, gate) { visit in
            try await show(visit, Typed(source: visit.query["source"] ?? generic, kind: visit.query["kind"] ?? ""))
        }
        api.form(path, .importWrite, gate, maximumBytes: textMax + 3 * pastedMax + 20_000) { visit, fields in try await take(visit, fields) }
        ImportFilePage.add(to: &api, gate: gate)
    }

    private struct Typed: Sendable {
        var source = generic
        var kind = ""
        var program: String?
        var text = ""
    }

    private static func take(_ visit: PageVisit, _ fields: FormFields) async throws -> Response {
        let file = fields.exact("file") ?? ""
        let pasted = (fields.exact("text") ?? "").replacing("\r\n", with: "\n")
        let typed = Typed(
            source: fields["source"] ?? generic, kind: fields["kind"] ?? "", program: fields["program"], text: pasted.utf8.count <= pastedMax ? pasted : "")
        func say(_ key: String) -> String { visit.language("imports.\(key)") }
        let text = file.isEmpty ? pasted : file
        guard !text.isEmpty else { return try await show(visit, typed, error: say("error.empty")) }
        guard text.utf8.count <= textMax, !file.isEmpty || pasted.utf8.count <= pastedMax else { return try await show(visit, typed, error: say("error.large")) }
        let (vendor, kind) = (VendorExport(rawValue: typed.source), ImportKind(rawValue: typed.kind))
        guard vendor != nil || kind.map(kinds.contains) == true else { return try await show(visit, typed, kindError: say("error.kind")) }
        let workspace = visit.session.workspace
        let program = try await visit.installation.main.read { connection in
            try typed.program.flatMap { ProgramID($0) }.flatMap { try ProgramStore.find($0, in: workspace.id, at: visit.now, on: connection) }
        }
        guard let program else { return try await show(visit, typed, error: say("error.program")) }
        do {
            let header = try CSVReader(text: text).columns
            let mapping = try ImportMapping.proposed(header, vendor: vendor, kind: kind.flatMap { kinds.contains($0) ? $0 : nil }, VendorExport.Defaults(program))
            let id = try await visit.installation.keep(text, mapping, header, program: program, in: workspace, actor: visit.session.actor)
            return visit.seeOther("\(path)/\(id.text)")
        } catch let malformed as CSVReader.Malformed {
            return try await show(visit, typed, error: malformed.description)
        }
    }

    private static func show(_ visit: PageVisit, _ typed: Typed, error: String? = nil, kindError: String? = nil) async throws -> Response {
        let language = visit.language
        func say(_ key: String) -> String { language("imports.\(key)") }
        let workspace = visit.workspaceID
        let (programs, files) = try await visit.installation.main.read { connection in
            (
                try ProgramStore.list(in: workspace, at: visit.now, after: nil, limit: ProgramPages.programsMax, on: connection),
                try FileImportStore.list(in: workspace, limit: filesShownMax, on: connection)
            )
        }
        var page = PageBlocks(
            heading: say("title"), crumb: (IntegrationPages.path, language("integrations.title")), lead: language.sentence("imports.lead"),
            refused: error == nil && kindError == nil ? nil : say("refused"))
        guard !programs.isEmpty else {
            page.empty = PageBlocks.Empty(
                heading: say("noProgram"), text: say("noProgramText"), link: PageBlocks.Link(url: "/programs/new", label: say("makeProgram"), style: "btn-primary"))
            return try visit.blocks(page, current: IntegrationPages.path)
        }
        let sources = [generic] + VendorExport.allCases.map(\.rawValue)
        let form = PageForm(
            action: path,
            fields: [
                FormField(
                    name: "source", label: say("source"),
                    control: .select(sources.map { FormField.Choice(value: $0, label: say("source.\($0)"), isChosen: $0 == typed.source) })),
                FormField(
                    name: "kind", label: say("kind"), help: say("kindHelp"), error: kindError,
                    control: .select(
                        [FormField.Choice(value: "", label: say("kind.any"), isChosen: typed.kind.isEmpty)]
                            + kinds.map { FormField.Choice(value: $0.rawValue, label: say("kind.\($0.rawValue)"), isChosen: $0.rawValue == typed.kind) })),
                FormField(
                    name: "program", label: language("integrations.program"),
                    control: .select(programs.map { FormField.Choice(value: $0.id.text, label: $0.name, isChosen: $0.id.text == typed.program) })),
                FormField(name: "file", label: say("file"), help: say("fileHelp"), error: error, control: .file(accept: ".csv,.txt")),
                FormField(name: "text", label: say("pasted"), control: .area(typed.text, rows: 4), isMono: true, lengthMax: pastedMax),
            ], buttons: [PageForm.Button(label: say("look"))], csrfToken: visit.csrfToken)
        page.blocks = [PageBlocks.Block(heading: say("upload"), text: say("uploadText"), forms: [form])]
        if !files.isEmpty { page.blocks.append(list(files, programs, language)) }
        page.blocks.append(
            PageBlocks.Block(
                heading: say("columns"),
                facts: kinds.map { kind in PageBlocks.Fact(label: say("kind.\(kind.rawValue)"), text: kind.columns.map(\.name).joined(separator: ", ")) },
                note: say("columnsNote")))
        return try visit.blocks(page, current: IntegrationPages.path, status: error == nil && kindError == nil ? .ok : .unprocessableContent)
    }

    private static func list(_ files: [FileImportRecord], _ programs: [Program], _ language: PageLanguage) -> PageBlocks.Block {
        func say(_ key: String) -> String { language("imports.\(key)") }
        let names = Dictionary(programs.map { ($0.id, $0.name) }, uniquingKeysWith: { first, _ in first })
        return PageBlocks.Block(
            heading: say("files"),
            table: PageTable(
                label: say("files"),
                columns: [
                    PageTable.Column(label: say("column.file")), PageTable.Column(label: language("integrations.program"), isExtra: true),
                    PageTable.Column(label: say("column.taken")), PageTable.Column(label: say("column.written"), isNumber: true),
                    PageTable.Column(label: say("column.state")),
                ],
                rows: files.map { file in
                    PageTable.Row(cells: [
                        .name(ImportFilePage.name(file, language), url: file.source == "file" ? nil : "\(path)/\(file.id.text)"),
                        .text(file.programID.flatMap { names[$0] } ?? "–"), .time(file.createdAt), .number(language.integer(file.rowsWritten)),
                        badge(file.state, language),
                    ])
                }, language: language))
    }

    private static func badge(_ state: FileImportRecord.State, _ language: PageLanguage) -> PageTable.Cell {
        let (tone, icon) =
            switch state {
            case .done: ("good", "check")
            case .partly: ("warn", "warning")
            case .rehearsing, .writing: ("", "clock")
            case .mapping, .rehearsed, .dropped: ("", "none")
            }
        return .badge(language("imports.state.\(state.rawValue)"), tone: tone, icon: icon)
    }
}

extension Installation {
    /// Keeps a file of a page until it is written.
    func keep(
        _ text: String, _ mapping: ImportMapping, _ header: [String], program: Program, in workspace: Workspace, actor: Actor
    ) async throws -> FileImportID {
        let seal = FileImportSeal(secrets)
        var file = FileImport(installation: self, workspace: workspace, program: program.id, parts: mapping.parts(header, VendorExport.Defaults(program)), path: "")
        file.text = text
        let hash = try file.contentHash()
        return try await write(workspace.id, actor: actor) { write in
            let now = write.world.now()
            let record = FileImportRecord(
                id: write.world.newID(), workspaceID: write.workspace.id, programID: program.id, contentHash: hash,
                source: mapping.vendor?.rawValue ?? ImportPages.generic, kinds: mapping.kinds, mapping: mapping, state: .mapping, rowsWritten: 0,
                createdBy: write.actor.person, createdAt: now, expiresAt: try now.adding(milliseconds: FileImportRecord.keptMs), hasContent: true)
            try FileImportStore.insert(record, content: try seal.seal(Array(text.utf8), of: record.id, "content"), on: write.connection)
            return record.id
        }
    }
}
