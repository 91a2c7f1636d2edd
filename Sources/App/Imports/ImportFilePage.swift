import Chronology
import HTTPTypes
import Hummingbird
import Money
import Persistence
import Web

/// One file that is taken in: which column goes where, with its first rows as they would be read; then how far it is, and what came of it.
enum ImportFilePage {
    /// Rows shown as they would be read.
    static let previewRows = 5
    /// How long a form waits for its file before the page shows a bar.
    static let waitMs = 1_500
    private static let path = ImportPages.path

    static func add(to api: inout API, gate: PageGate) {
        api.page("/integrations/import/{id}", .importWrite, gate) { visit in try await show(visit, try await find(visit)) }
        api.page("/integrations/import/{id}/progress", .importWrite, gate) { visit in try await progress(visit) }
        api.form(path + "/{id}", .importWrite, gate) { visit, fields in try await take(visit, fields) }
    }

    static func name(_ record: FileImportRecord, _ language: PageLanguage) -> String {
        let kinds = record.kinds.map { language("imports.kind.\($0.rawValue)") }.listed(language)
        guard let vendor = VendorExport(rawValue: record.source) else { return kinds }
        return language("imports.named", ["vendor": language("imports.source.\(vendor.rawValue)"), "kinds": kinds])
    }

    // MARK: Finding

    private struct Found: Sendable {
        var record: FileImportRecord
        var program: Program?
        var text: String?
        var outcome: JSONValue?

        var defaults: VendorExport.Defaults { VendorExport.Defaults(program) }
        var mayWrite: Bool { record.state == .rehearsed && text != nil && outcome != nil && outcome?.whole("errorCount") == 0 }
        var mayMap: Bool { text != nil && [.mapping, .rehearsed, .partly].contains(record.state) }
    }

    private static func find(_ visit: PageVisit) async throws -> Found {
        let id: FileImportID = try visit.context.id()
        let (workspace, seal) = (visit.workspaceID, FileImportSeal(visit.installation.secrets))
        let found = try await visit.installation.main.read { connection -> Found? in
            guard let record = try FileImportStore.find(id, in: workspace, on: connection), record.source != "file" else { return nil }
            let (content, outcome) = try FileImportStore.content(id, on: connection)
            return Found(
                record: record, program: try record.programID.flatMap { try ProgramStore.find($0, in: workspace, at: visit.now, on: connection) },
                text: try content.map { String(decoding: try seal.open($0, of: id, "content"), as: UTF8.self) },
                outcome: try outcome.map { try JSONValue.parse(try seal.open($0, of: id, "outcome"), maximumBytes: ImportPages.textMax) })
        }
        guard let found else { throw Problem.notFound() }
        return found
    }

    // MARK: Forms

    private static func take(_ visit: PageVisit, _ fields: FormFields) async throws -> Response {
        var found = try await find(visit)
        let id = found.record.id
        let here = "\(path)/\(id.text)"
        if fields["step"] == "write" {
            guard found.mayWrite else { return visit.seeOther(here) }
            return try await begin(.writing, found.record, visit)
        }
        guard found.mayMap, let text = found.text else { return visit.seeOther(here) }
        let header = try CSVReader(text: text).columns
        found.record.mapping = mapping(fields, found.record.mapping, header)
        found.outcome = nil
        var file = FileImport(
            installation: visit.installation, workspace: visit.session.workspace, program: found.record.programID,
            parts: found.record.mapping.parts(header, found.defaults), path: "")
        file.text = text
        found.record.contentHash = try file.contentHash()
        found.record.state = .mapping
        let changed = found.record
        try await visit.installation.write(visit.workspaceID, actor: visit.session.actor) { write in
            try FileImportStore.setMapping(changed, on: write.connection)
        }
        guard fields["step"] == "rehearse" else { return visit.seeOther(here) }
        guard found.record.mapping.missing(found.defaults).isEmpty else { return try await show(visit, found, isRefused: true) }
        return try await begin(.rehearsing, found.record, visit)
    }

    private static func begin(_ state: FileImportRecord.State, _ record: FileImportRecord, _ visit: PageVisit) async throws -> Response {
        let owner = visit.installation.runs.owner
        try await visit.installation.write(visit.workspaceID, actor: visit.session.actor) { write in
            try FileImportStore.set(record.id, state, on: write.connection)
            try FileImportStore.setWork(
                record.id, owner: owner, until: try write.world.now().adding(milliseconds: ImportWorkshop.leaseMs), on: write.connection)
        }
        await visit.installation.work(on: record.id, in: visit.workspaceID, waitMs: waitMs)
        return visit.seeOther("\(path)/\(record.id.text)")
    }

    /// The mapping as the selects say it; what they don't name stays.
    private static func mapping(_ fields: FormFields, _ known: ImportMapping, _ header: [String]) -> ImportMapping {
        var mapping = known
        if let amounts = fields["amounts"].flatMap({ ImportMapping.Amounts(rawValue: $0) }) { mapping.amounts = amounts }
        for kind in mapping.kinds {
            for column in kind.columns {
                guard let chosen = fields["\(kind.rawValue).\(column.name)"] else { continue }
                let places = chosen.split(separator: "+").prefix(ImportMapping.joinedMax).compactMap { Int($0) }.filter { header.indices.contains($0) }
                mapping.places[kind, default: [:]][column.name] = places.isEmpty ? nil : places
            }
        }
        return mapping
    }

    // MARK: Progress

    /// Where the work stands, for the script that draws the bar.
    private static func progress(_ visit: PageVisit) async throws -> Response {
        let id: FileImportID = try visit.context.id()
        let workspace = visit.workspaceID
        guard let record = try await visit.installation.main.read({ connection in try FileImportStore.find(id, in: workspace, on: connection) }) else {
            throw Problem.notFound()
        }
        let bar = bar(record, visit)
        var response = ListAnswer.one([
            "work": record.state.isWorking ? .text(record.state.rawValue) : .null, "thousandths": .integer(bar.thousandths), "text": .text(bar.text),
        ])
        response.headers[.cacheControl] = "no-store"
        return response
    }

    private static func bar(_ record: FileImportRecord, _ visit: PageVisit) -> (text: String, thousandths: Int64) {
        let language = visit.language
        guard let state = visit.installation.board[record.id.text], state.total > 0 else {
            return (language(record.state == .writing ? "imports.progress.writing" : "imports.progress.rehearsing"), 0)
        }
        let key = state.stage == .writing ? "writingOf" : "rehearsingOf"
        return (
            language("imports.progress.\(key)", ["done": language.integer(Int64(state.done)), "total": language.integer(Int64(state.total))]),
            state.thousandths
        )
    }

    // MARK: The page

    private static func show(_ visit: PageVisit, _ found: Found, isRefused: Bool = false) async throws -> Response {
        let language = visit.language
        func say(_ key: String, _ values: [String: String] = [:]) -> String { language("imports.\(key)", values) }
        let record = found.record
        var page = PageBlocks(
            heading: name(record, language), crumb: (path, say("title")), lead: language.sentence("imports.lead.\(leadKey(found))"),
            refused: isRefused ? say("refusedMapping") : nil)
        if record.state.isWorking {
            let bar = bar(record, visit)
            page.blocks.append(
                PageBlocks.Block(
                    heading: say("working"), links: [PageBlocks.Link(url: "\(path)/\(record.id.text)", label: say("lookAgain"))],
                    progress: PageBlocks.Progress(url: "\(path)/\(record.id.text)/progress", text: bar.text, thousandths: bar.thousandths),
                    note: say("workingNote")))
            return try visit.blocks(page, current: IntegrationPages.path)
        }
        if let outcome = found.outcome { page.blocks.append(result(outcome, found, visit)) }
        if found.mayMap, let text = found.text {
            page.blocks += try mappingBlocks(found, text, visit, isRefused: isRefused)
        } else {
            page.links = [PageBlocks.Link(url: path, label: say("another"))]
            if found.outcome == nil { page.blocks.append(PageBlocks.Block(heading: nil, empty: say("gone"))) }
        }
        return try visit.blocks(page, current: IntegrationPages.path, status: isRefused ? .unprocessableContent : .ok)
    }

    private static func leadKey(_ found: Found) -> String {
        switch found.record.state {
        case .mapping: "mapping"
        case .rehearsing, .writing: "working"
        case .rehearsed: found.mayWrite ? "rehearsed" : "mistakes"
        case .done: "done"
        case .partly: "partly"
        case .dropped: "dropped"
        }
    }

    // MARK: What came of it

    private static func result(_ outcome: JSONValue, _ found: Found, _ visit: PageVisit) -> PageBlocks.Block {
        let language = visit.language
        func say(_ key: String, _ values: [String: String] = [:]) -> String { language("imports.\(key)", values) }
        let errorCount = outcome.whole("errorCount") ?? 0
        let isPartly = outcome.string("written") == "partly"
        let heading = isPartly ? "partly" : outcome.flag("written") == true ? "written" : errorCount > 0 ? "nothingWritten" : "rehearsed"
        // A row of a file may be a member, their link and their balance.
        let rowsKey = found.record.kinds.count > 1 ? "rowsOfKinds" : "rows"
        var facts = ["rows", "created", "updated", "known"].map {
            PageBlocks.Fact(label: say("count.\($0 == "rows" ? rowsKey : $0)"), text: language.integer(outcome.whole($0) ?? 0))
        }
        for amount in outcome.list("amounts") {
            guard let unit = amount.string("currency").flatMap({ try? UnitCode($0) }) else { continue }
            facts.append(PageBlocks.Fact(label: say("count.amount"), text: language.money(amount.whole("amount") ?? 0, unit)))
        }
        var block = PageBlocks.Block(heading: say("result.\(heading)"), facts: facts)
        if errorCount > 0 {
            block.table = PageTable(
                label: say("errors"),
                columns: [
                    PageTable.Column(label: say("error.line"), isNumber: true), PageTable.Column(label: say("error.column")), PageTable.Column(label: say("error.message")),
                ],
                rows: outcome.list("errors").map { row in
                    PageTable.Row(cells: [.number(language.integer(row.whole("line") ?? 0)), .mono(row.string("column") ?? ""), .text(row.string("message") ?? "")])
                }, language: language)
            block.note = language.plural(isPartly ? "imports.errorsPartly" : "imports.errorCount", errorCount)
        } else if outcome.flag("resumed") == true {
            block.note = language.plural("imports.resumed", outcome.whole("writtenBefore") ?? 0)
        }
        if found.mayWrite {
            block.forms = [
                PageForm(
                    action: "\(path)/\(found.record.id.text)", buttons: [PageForm.Button(label: say("write"), name: "step", value: "write")],
                    csrfToken: visit.csrfToken)
            ]
        }
        return block
    }

    // MARK: The mapping

    private static func mappingBlocks(_ found: Found, _ text: String, _ visit: PageVisit, isRefused: Bool) throws -> [PageBlocks.Block] {
        let language = visit.language
        func say(_ key: String, _ values: [String: String] = [:]) -> String { language("imports.\(key)", values) }
        let reader = try CSVReader(text: text)
        let header = reader.columns
        let first: [String]
        do { first = try reader.next()?.fields ?? [] } catch is CSVReader.Malformed { first = [] }
        let mapping = found.record.mapping
        let missing = isRefused ? mapping.missing(found.defaults) : [:]
        let parts = mapping.parts(header, found.defaults)
        // What is read, or has to be, comes first; what might be besides, below.
        let fields = parts.flatMap { part in part.kind.columns.map { (part: part, column: $0) } }
        func isRead(_ field: (part: FileImport.Part, column: ImportKind.Column)) -> Bool {
            field.column.isRequired || field.part.mapping?.columns.contains(field.column.name) == true
        }
        func row(_ field: (part: FileImport.Part, column: ImportKind.Column)) -> PageTable.Row {
            Self.row(
                field.column, field.part, header, first, isAlone: parts.count == 1, isMissing: missing[field.part.kind]?.contains(field.column.name) == true, language)
        }
        var rows = fields.filter(isRead).map(row)
        if mapping.kinds.contains(where: { $0.columns.contains { $0.name == "amount" } }) {
            rows.append(
                PageTable.Row(cells: [
                    .lines(say("amounts"), say("amountsHelp")),
                    .choice(
                        FormField(
                            name: "amounts", label: say("amounts"),
                            control: .select(
                                ImportMapping.Amounts.allCases.map {
                                    FormField.Choice(value: $0.rawValue, label: say("amounts.\($0.rawValue)"), isChosen: $0 == mapping.amounts)
                                }))), .nothing,
                ]))
        }
        rows += fields.filter { !isRead($0) }.map(row)
        let table = PageTable(
            label: say("mapping"),
            columns: [PageTable.Column(label: say("column.ours")), PageTable.Column(label: say("column.theirs")), PageTable.Column(label: say("column.first"), isExtra: true)],
            rows: rows,
            bulk: PageForm(
                action: "\(path)/\(found.record.id.text)",
                buttons: [
                    PageForm.Button(label: say("rehearse"), name: "step", value: "rehearse", style: found.mayWrite ? "btn-plain" : "btn-primary"),
                    PageForm.Button(label: say("map"), name: "step", value: "map", style: "btn-quiet"),
                ], csrfToken: visit.csrfToken), language: language)
        let unused = mapping.unused(header)
        var blocks = [
            PageBlocks.Block(
                heading: say("mapping"), text: say("mappingText"), table: table,
                note: unused.isEmpty ? say("allUsed") : say("unused", ["columns": unused.listed(language)]))
        ]
        blocks += try parts.map { try preview($0, text, found, visit) }
        if let advice = advice(found, language) { blocks.append(advice) }
        return blocks
    }

    /// One field of ours: its name, the columns to choose from, and what the first row says.
    private static func row(
        _ column: ImportKind.Column, _ part: FileImport.Part, _ header: [String], _ first: [String], isAlone: Bool, isMissing: Bool,
        _ language: PageLanguage
    ) -> PageTable.Row {
        let places = part.mapping?.places(column.name) ?? []
        let value = places.map(String.init).joined(separator: "+")
        let fallback = part.mapping?.parts.first { $0.source.column == column.name }?.source.fallback
        var choices = [
            FormField.Choice(
                value: "", label: fallback.map { language("imports.always", ["value": $0]) } ?? language("imports.none"), isChosen: places.isEmpty)
        ]
        choices += header.enumerated().map { FormField.Choice(value: String($0.offset), label: $0.element, isChosen: places == [$0.offset]) }
        if places.count > 1 {
            choices.append(FormField.Choice(value: value, label: places.map { header[$0] }.joined(separator: " + "), isChosen: true))
        }
        let label = language("imports.field.\(column.name)")
        let isNeeded = column.isRequired && fallback == nil
        let below = [isAlone ? nil : language("imports.kind.\(part.kind.rawValue)"), isNeeded ? language("imports.needed") : nil].compactMap { $0 }
        let shown = places.compactMap { first.indices.contains($0) ? first[$0] : nil }.filter { !$0.isEmpty }.joined(separator: " ")
        return PageTable.Row(cells: [
            .lines(label, below.isEmpty ? language("imports.optional") : below.joined(separator: " · ")),
            .choice(
                FormField(
                    name: "\(part.kind.rawValue).\(column.name)", label: label, error: isMissing ? language("imports.missing") : nil, control: .select(choices))),
            .mono(String(shown.prefix(60))),
        ])
    }

    /// The first rows as they would be read, with what is wrong with them.
    private static func preview(_ part: FileImport.Part, _ text: String, _ found: Found, _ visit: PageVisit) throws -> PageBlocks.Block {
        let language = visit.language
        let columns = (part.mapping?.columns ?? []).filter { column in part.mapping?.parts.contains { $0.source.column == column } ?? false }
        let indexes = Dictionary(columns.enumerated().map { ($1, $0) }, uniquingKeysWith: { first, _ in first })
        var rows: [PageTable.Row] = []
        do {
            let reader = try CSVReader(text: text)
            while rows.count < previewRows, let row = try reader.next() {
                if part.passesSilentRows, part.mapping?.isSilent(row.fields) == true { continue }
                let fields = part.mapping?.fields(row.fields) ?? []
                let unit = indexes["currency"].flatMap { fields.indices.contains($0) ? try? UnitCode(fields[$0]) : nil }
                rows.append(
                    PageTable.Row(
                        cells: [.number(language.integer(Int64(row.line)))]
                            + zip(columns, fields).map { column, field in
                                if column == "amount", let unit, let minor = Int64(field) { return .number(language.money(minor, unit)) }
                                return .text(String(field.prefix(60)))
                            }))
            }
        } catch let malformed as CSVReader.Malformed {
            return PageBlocks.Block(heading: language("imports.preview"), note: malformed.description, isWarning: true)
        }
        return PageBlocks.Block(
            heading: language("imports.previewOf", ["kind": language("imports.kind.\(part.kind.rawValue)")]),
            table: rows.isEmpty
                ? nil
                : PageTable(
                    label: language("imports.previewOf", ["kind": language("imports.kind.\(part.kind.rawValue)")]),
                    columns: [PageTable.Column(label: language("imports.error.line"), isNumber: true)]
                        + columns.map {
                            PageTable.Column(label: $0.hasPrefix("metadata.") ? $0 : language("imports.field.\($0)"), isNumber: $0 == "amount")
                        },
                    rows: rows, language: language), empty: rows.isEmpty ? language("imports.previewEmpty") : nil)
    }

    /// What else it takes that old links lead on.
    private static func advice(_ found: Found, _ language: PageLanguage) -> PageBlocks.Block? {
        guard let vendor = found.record.mapping.vendor, found.record.kinds.contains(.links), let program = found.program,
            let name = vendor.linkParameters.first(where: { !program.settings.linkParameters.contains($0) })
        else { return nil }
        return PageBlocks.Block(
            heading: language("imports.oldLinks"),
            links: [PageBlocks.Link(url: "/programs/\(program.id.text)/settings", label: language("imports.oldLinksButton"))],
            note: language("imports.oldLinksText", ["vendor": language("imports.source.\(vendor.rawValue)"), "name": name]), isWarning: true)
    }
}
