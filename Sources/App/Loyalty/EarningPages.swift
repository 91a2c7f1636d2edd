import Foundation
import HTTPTypes
import Hummingbird
import Money
import Persistence
import Web

/// What members earn points for beside sales.
enum EarningPages {
    static let path = "/earning"
    static let programsMax = 200
    static let rowsMax = 500

    static func add(to api: inout API, gate: PageGate) {
        api.page("/earning", .programsRead, gate) { visit in try await show(visit) }
        api.form(path, .programsWrite, gate) { visit, fields in try await add(visit, fields) }
        api.form(path + "/archiving", .programsWrite, gate) { visit, fields in
            guard let id = fields["action"].flatMap({ EarnActionID($0) }) else { throw Problem.notFound() }
            try await write(visit) { write in _ = try EarnAction.archive(id, in: write) }
            return visit.seeOther("\(path)?done=archived")
        }
    }

    private static func write(_ visit: PageVisit, _ verb: @escaping @Sendable (Write) throws -> Void) async throws {
        try await visit.installation.write(visit.workspaceID, actor: visit.session.actor, rights: visit.session.rights, verb)
    }

    private static func add(_ visit: PageVisit, _ fields: FormFields) async throws -> Response {
        func say(_ key: String) -> String { visit.language("earning.error.\(key)") }
        var errors: [String: String] = [:]
        func number(_ field: String, _ range: ClosedRange<Int64>) -> Int64? {
            let text = fields[field] ?? ""
            guard !text.isEmpty else { return nil }
            let value = visit.language.typedCount(text, in: range)
            if value == nil { errors[field] = say(field) }
            return value
        }
        let name = String((fields["name"] ?? "").prefix(EarnAction.nameLengthMax)).trimmingCharacters(in: .whitespaces)
        if name.isEmpty { errors["name"] = say("name") }
        let key = EarnActionRoutes.key((fields["key"] ?? "").trimmingCharacters(in: .whitespaces))
        if key == nil { errors["key"] = say("key") }
        let unit = Wallet.unit((fields["unit"] ?? "").trimmingCharacters(in: .whitespaces))
        if unit == nil { errors["unit"] = say("unit") }
        let amount = unit.flatMap { visit.language.typedAmount(fields["amount"] ?? "", exponent: $0.exponent) } ?? 0
        if unit != nil, !(1...Wallet.amountMax).contains(amount) { errors["amount"] = say("amount") }
        let times = number("times", 1...EarnAction.timesMax)
        let days = number("days", 1...EarnAction.daysMax)
        if days != nil, times == nil, errors["times"] == nil { errors["times"] = say("timesOfDays") }
        guard let program = fields["program"].flatMap({ ProgramID($0) }) else { throw Problem.notFound() }
        guard errors.isEmpty, let key, let unit else { return try await show(visit, typed: fields, errors: errors) }
        let description = String((fields["description"] ?? "").prefix(EarnAction.descriptionLengthMax))
        do {
            try await write(visit) { write in
                _ = try EarnAction.add(
                    EarnAction(
                        id: write.world.newID(), workspaceID: write.workspace.id, programID: program, key: key, name: name, description: description,
                        unit: unit, amountMinor: amount, times: times, days: days, createdAt: write.now), in: write)
            }
        } catch let problem as Problem where problem.code == "too_many_actions" {
            return try await show(visit, typed: fields, errors: ["name": say("tooMany")])
        } catch let problem as Problem where problem.status == .unprocessableContent {
            return try await show(visit, typed: fields, errors: ["key": say("taken")])
        }
        return visit.seeOther("\(path)?done=added")
    }

    private static func show(_ visit: PageVisit, typed: FormFields? = nil, errors: [String: String] = [:]) async throws -> Response {
        let (workspace, now, language) = (visit.workspaceID, visit.now, visit.language)
        let (mayWrite, csrfToken) = (visit.session.may(.programsWrite), visit.csrfToken)
        let model = try await visit.installation.main.read { connection in
            EarningModel(
                actions: try EarnActionStore.list(in: workspace, after: nil, limit: rowsMax, on: connection).filter { $0.archivedAt == nil },
                programs: try ProgramStore.list(in: workspace, at: now, after: nil, limit: programsMax, on: connection), typed: typed, errors: errors,
                mayWrite: mayWrite, csrfToken: csrfToken, language: language)
        }
        return try visit.blocks(
            model.blocks, current: path, notice: visit.done("earning", ["added", "archived"]), status: errors.isEmpty ? .ok : .unprocessableContent)
    }
}

private struct EarningModel: Sendable {
    var actions: [EarnAction]
    var programs: [Program]
    var typed: FormFields?
    var errors: [String: String]
    var mayWrite: Bool
    var csrfToken: String
    var language: PageLanguage

    var blocks: PageBlocks {
        PageBlocks(
            heading: say("title"), lead: language.sentence(actions.isEmpty ? "earning.lead.none" : "earning.lead.some", count: Int64(actions.count)),
            refused: errors.isEmpty ? nil : say("refused"),
            blocks: [
                PageBlocks.Block(
                    heading: say("actions"), text: say("actionsText"), table: actions.isEmpty ? nil : table, empty: actions.isEmpty ? say("none") : nil,
                    note: say("note"))
            ] + (mayWrite && !programs.isEmpty ? [PageBlocks.Block(heading: say("add"), forms: [form])] : []))
    }

    private func say(_ key: String, _ values: [String: String] = [:]) -> String { language("earning.\(key)", values) }

    private var table: PageTable {
        PageTable(
            label: say("actions"),
            columns: [
                PageTable.Column(label: say("column.name")), PageTable.Column(label: say("column.key"), isExtra: true),
                PageTable.Column(label: say("column.program"), isExtra: true), PageTable.Column(label: say("column.often"), isExtra: true),
                PageTable.Column(label: say("column.amount"), isNumber: true), PageTable.Column(label: say("column.buttons"), isHidden: true),
            ],
            rows: actions.map { action in
                let archive = PageForm(
                    action: "\(EarningPages.path)/archiving", hidden: [("action", action.id.text)],
                    buttons: [PageForm.Button(label: say("archive"), style: "btn-quiet btn-sm")], isInline: true, csrfToken: csrfToken)
                return PageTable.Row(cells: [
                    .lines(action.name, action.description), .text(action.key),
                    .name(programs.first { $0.id == action.programID }?.name ?? "", url: "/programs/\(action.programID.text)"),
                    .text(language.often(action.times, in: action.days)), .number(language.money(action.amountMinor, action.unit)),
                    mayWrite ? .forms([archive]) : .nothing,
                ])
            }, language: language)
    }

    private var form: PageForm {
        func was(_ field: String, _ standard: String = "") -> String { typed?[field] ?? standard }
        let program = was("program", programs[0].id.text)
        return PageForm(
            action: EarningPages.path,
            fields: [
                FormField(
                    name: "program", label: say("field.program"),
                    control: .select(programs.map { FormField.Choice(value: $0.id.text, label: $0.name, isChosen: $0.id.text == program) })),
                .line("name", say("field.name"), was("name"), error: errors["name"], isRequired: true, lengthMax: EarnAction.nameLengthMax),
                .line(
                    "key", say("field.key"), was("key"), help: say("field.keyHelp"), error: errors["key"], isRequired: true, isMono: true,
                    lengthMax: EarnAction.keyLengthMax),
                FormField(
                    name: "description", label: say("field.description"), control: .area(was("description"), rows: 2),
                    lengthMax: EarnAction.descriptionLengthMax),
                .line(
                    "unit", say("field.unit"), was("unit", UnitCode.points.code), help: say("field.unitHelp"), error: errors["unit"], isRequired: true,
                    isMono: true, lengthMax: Wallet.unitLengthMax),
                .line("amount", say("field.amount"), was("amount"), error: errors["amount"], isRequired: true, lengthMax: 20),
                .line("times", say("field.times"), was("times", "1"), help: say("field.timesHelp"), error: errors["times"], lengthMax: 7),
                .line("days", say("field.days"), was("days"), help: say("field.daysHelp"), error: errors["days"], lengthMax: 5),
            ], buttons: [PageForm.Button(label: say("add"))], csrfToken: csrfToken)
    }
}

extension PageLanguage {
    /// How often something may be done in how many days.
    func often(_ times: Int64?, in days: Int64?) -> String {
        guard let times else { return self("earning.always") }
        guard let days else { return plural("earning.times", times) }
        return self("earning.within", ["times": plural("earning.times", times), "days": plural("earning.days", days)])
    }
}
