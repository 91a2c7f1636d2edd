import Chronology
import HTTPTypes
import Hummingbird
import Money
import Persistence
import Web

/// What was spent, by channel: the list, a form for one, a file of many, and corrections.
enum CostPages {
    static let path = "/insights/costs"
    static let rowsMax = 200
    static let programsMax = 200

    static func add(to api: inout API, gate: PageGate) {
        api.page("/insights/costs", .programsRead, gate) { visit in try await show(visit) }
        api.form(path, .programsWrite, gate) { visit, fields in try await record(visit, fields) }
        api.form(path + "/file", .programsWrite, gate, maximumBytes: 3 * CostFile.bytesMax + 100_000) { visit, fields in try await take(visit, fields) }
        api.form(path + "/correction", .programsWrite, gate) { visit, fields in
            guard let id = fields["cost"].flatMap({ CostID($0) }) else { throw Problem.notFound() }
            try await write(visit) { write in _ = try Cost.correct(id, to: 0, in: write) }
            return visit.seeOther("\(path)?done=withdrawn")
        }
    }

    private static func write(_ visit: PageVisit, _ verb: @escaping @Sendable (Write) throws -> Void) async throws {
        try await visit.installation.write(visit.workspaceID, actor: visit.session.actor, rights: visit.session.rights, verb)
    }

    private static func record(_ visit: PageVisit, _ fields: FormFields) async throws -> Response {
        let language = visit.language
        var errors: [String: String] = [:]
        func say(_ key: String) -> String { language("costs.error.\(key)") }
        guard let program = fields["program"].flatMap({ ProgramID($0) }) else { throw Problem.notFound() }
        let channel = fields["channel"].flatMap { Cost.Channel(rawValue: $0) } ?? .other
        let stage = fields["stage"].flatMap { Member.Stage(rawValue: $0) }
        let day = Cost.day(fields["date"] ?? "", today: language.zone.day(of: visit.now))
        if day == nil { errors["date"] = say("date") }
        let currency = Currency(code: (fields["currency"] ?? "").uppercased())
        if currency == nil { errors["currency"] = say("currency") }
        let exponent = currency.flatMap { try? UnitCode($0.code) }?.exponent ?? 2
        let amount = language.typedAmount(fields["amount"] ?? "", exponent: exponent)
        if !(amount.map { (1...Schemas.amountMax).contains($0) } ?? false) { errors["amount"] = say("amount") }
        guard errors.isEmpty, let day, let currency, let amount else { return try await show(visit, typed: fields, errors: errors) }
        let draft = Cost.Draft(programID: program, channel: channel, stage: stage, day: day, amountMinor: amount, currency: currency)
        try await write(visit) { write in _ = try Cost.record(draft, in: write) }
        return visit.seeOther("\(path)?done=recorded")
    }

    private static func take(_ visit: PageVisit, _ fields: FormFields) async throws -> Response {
        guard let program = fields["program"].flatMap({ ProgramID($0) }) else { throw Problem.notFound() }
        let file = fields.exact("file") ?? ""
        guard !file.isEmpty else { return try await show(visit, typed: fields, errors: ["file": visit.language("costs.error.file")]) }
        do {
            let drafts = try CostFile.read(file, program: program, today: visit.language.zone.day(of: visit.now))
            try await write(visit) { write in for draft in drafts { _ = try Cost.record(draft, in: write) } }
        } catch let mistake as CostFile.Mistake {
            let said = visit.language("costs.error.line", ["line": String(mistake.line), "what": mistake.message])
            return try await show(visit, typed: fields, errors: ["file": said])
        } catch let problem as Problem where problem.status == .conflict || problem.status == .unprocessableContent {
            return try await show(visit, typed: fields, errors: ["file": problem.errors.first?.message ?? problem.detail ?? visit.language("costs.error.file")])
        }
        return visit.seeOther("\(path)?done=taken")
    }

    private static func show(_ visit: PageVisit, typed: FormFields? = nil, errors: [String: String] = [:]) async throws -> Response {
        let (workspace, now) = (visit.workspaceID, visit.now)
        let (costs, programs) = try await visit.installation.main.read { connection in
            (
                try CostStore.latest(in: workspace, limit: rowsMax, on: connection),
                try ProgramStore.list(in: workspace, at: now, after: nil, limit: programsMax, on: connection)
            )
        }
        let model = CostListModel(
            costs: costs, programs: programs, typed: typed, errors: errors, mayWrite: visit.session.may(.programsWrite), csrfToken: visit.csrfToken,
            language: visit.language)
        return try visit.blocks(
            model.blocks, current: path, notice: visit.done("costs", ["recorded", "taken", "withdrawn"]), status: errors.isEmpty ? .ok : .unprocessableContent)
    }
}

/// Costs as a page.
struct CostListModel: Sendable {
    var costs: [Cost]
    var programs: [Program]
    var typed: FormFields?
    var errors: [String: String]
    var mayWrite: Bool
    var csrfToken: String
    var language: PageLanguage

    var blocks: PageBlocks {
        var blocks = [
            PageBlocks.Block(
                heading: say("list"), table: costs.isEmpty ? nil : table, empty: costs.isEmpty ? say("none") : nil,
                note: costs.count == CostPages.rowsMax ? language("costs.note", ["count": language.integer(Int64(CostPages.rowsMax))]) : nil)
        ]
        if mayWrite, !programs.isEmpty {
            blocks.append(PageBlocks.Block(heading: say("add"), text: say("addText"), forms: [form]))
            blocks.append(PageBlocks.Block(heading: say("file"), text: say("fileText"), code: "date,channel,amount,currency,stage\n2026-11-01,paid,250.00,EUR,customer", forms: [fileForm]))
        }
        return PageBlocks(
            heading: say("title"), lead: language.sentence(costs.isEmpty ? "costs.lead.none" : "costs.lead.some", count: Int64(costs.count)),
            refused: errors.isEmpty ? nil : say("refused"), blocks: blocks)
    }

    private func say(_ key: String) -> String { language("costs.\(key)") }

    private var table: PageTable {
        PageTable(
            label: say("list"),
            columns: [
                PageTable.Column(label: say("column.date")), PageTable.Column(label: say("column.channel")),
                PageTable.Column(label: say("column.stage"), isExtra: true), PageTable.Column(label: say("column.program"), isExtra: true),
                PageTable.Column(label: say("column.amount"), isNumber: true), PageTable.Column(label: say("column.buttons"), isHidden: true),
            ],
            rows: costs.map { cost in
                let told = cost.draft
                let withdraw = PageForm(
                    action: "\(CostPages.path)/correction", hidden: [("cost", cost.id.text)],
                    buttons: [PageForm.Button(label: say("withdraw"), style: "btn-quiet btn-sm")], isInline: true, csrfToken: csrfToken)
                return PageTable.Row(cells: [
                    .text(language.wholeDay(told.day)), .text(say("channel.\(told.channel.rawValue)")),
                    .text(told.stage.map { language("costs.stage.\($0.rawValue)") } ?? "–"),
                    .text(programs.first { $0.id == told.programID }?.name ?? "–"),
                    .number((try? UnitCode(told.currency.code)).map { language.money(told.amountMinor, $0) } ?? ""),
                    mayWrite && told.amountMinor > 0 ? .forms([withdraw]) : told.amountMinor == 0 ? .text(say("withdrawn")) : .nothing,
                ])
            }, language: language)
    }

    private func was(_ field: String, _ standard: String = "") -> String { typed?[field] ?? standard }

    private func select(_ place: String) -> FormField {
        let chosen = was("program", programs.first?.id.text ?? "")
        return FormField(
            name: "program", label: say("field.program"),
            control: .select(programs.map { FormField.Choice(value: $0.id.text, label: $0.name, isChosen: $0.id.text == chosen) }), place: place)
    }

    private var form: PageForm {
        PageForm(
            action: CostPages.path,
            fields: [
                select("add"),
                .line("date", say("field.date"), was("date"), type: "date", error: errors["date"], isRequired: true),
                FormField(
                    name: "channel", label: say("field.channel"),
                    control: .select(
                        Cost.Channel.allCases.map {
                            FormField.Choice(value: $0.rawValue, label: say("channel.\($0.rawValue)"), isChosen: was("channel") == $0.rawValue)
                        })),
                FormField(
                    name: "stage", label: say("field.stage"), help: say("field.stageHelp"),
                    control: .select(
                        [FormField.Choice(value: "", label: say("stage.none"), isChosen: was("stage").isEmpty)]
                            + Member.Stage.allCases.map {
                                FormField.Choice(value: $0.rawValue, label: language("costs.stage.\($0.rawValue)"), isChosen: was("stage") == $0.rawValue)
                            })),
                .line("amount", say("field.amount"), was("amount"), error: errors["amount"], isRequired: true, lengthMax: 20),
                .line("currency", say("field.currency"), was("currency", programs.first?.currency ?? "EUR"), error: errors["currency"], isRequired: true, lengthMax: 3),
            ], buttons: [PageForm.Button(label: say("add"))], csrfToken: csrfToken)
    }

    private var fileForm: PageForm {
        PageForm(
            action: CostPages.path + "/file",
            fields: [
                select("file"),
                FormField(name: "file", label: say("field.file"), help: say("field.fileHelp"), error: errors["file"], control: .file(accept: ".csv,.txt")),
            ], buttons: [PageForm.Button(label: say("take"))], csrfToken: csrfToken)
    }
}
