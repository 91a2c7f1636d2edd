import Chronology
import Foundation
import HTTPTypes
import Hummingbird
import Money
import Persistence
import Web

/// Points and credit in one place: what waits to be handed over, what members can have, how long each unit may be spent.
enum SpendPages {
    static let path = "/catalogue"
    static let waitingMax = 200
    static let programsMax = 200

    static func add(to api: inout API, gate: PageGate) {
        api.page("/catalogue", .programsRead, gate) { visit in try await show(visit) }
        api.form(path, .programsWrite, gate) { visit, fields in try await offer(visit, fields) }
        api.form(path + "/archiving", .programsWrite, gate) { visit, fields in
            guard let id = fields["item"].flatMap({ SpendItemID($0) }) else { throw Problem.notFound() }
            return try await change(visit, "archived") { write in _ = try SpendItem.archive(id, in: write) }
        }
        api.form(path + "/fulfilment", .commissionsWrite, gate) { visit, fields in
            guard let id = fields["redemption"].flatMap({ RedemptionID($0) }) else { throw Problem.notFound() }
            let note = fields["note"].flatMap { $0.isEmpty ? nil : String($0.prefix(Redemption.noteLengthMax)) }
            return try await change(visit, "fulfilled") { write in _ = try Redemption.fulfil(id, note: note, in: write) }
        }
        api.form(path + "/cancellation", .commissionsWrite, gate) { visit, fields in
            guard let id = fields["redemption"].flatMap({ RedemptionID($0) }) else { throw Problem.notFound() }
            let reason = visit.language("catalogue.canceledReason")
            return try await change(visit, "canceled") { write in _ = try Redemption.cancel(id, reason: reason, in: write) }
        }
        api.form(path + "/units", .programsWrite, gate) { visit, fields in try await unit(visit, fields) }
    }

    private static func write(_ visit: PageVisit, _ verb: @escaping @Sendable (Write) throws -> Void) async throws {
        try await visit.installation.write(visit.workspaceID, actor: visit.session.actor, rights: visit.session.rights, verb)
    }

    /// What was settled meanwhile is shown as it is now.
    private static func change(_ visit: PageVisit, _ done: String, _ verb: @escaping @Sendable (Write) throws -> Void) async throws -> Response {
        do {
            try await write(visit, verb)
        } catch let problem as Problem where problem.status == .conflict {
            return visit.seeOther(path)
        }
        return visit.seeOther("\(path)?done=\(done)")
    }

    private static func offer(_ visit: PageVisit, _ fields: FormFields) async throws -> Response {
        let language = visit.language
        func say(_ key: String) -> String { language("catalogue.error.\(key)") }
        var errors: [String: String] = [:]
        let name = (fields["name"] ?? "").prefix(SpendItem.nameLengthMax).trimmingCharacters(in: .whitespaces)
        if name.isEmpty { errors["name"] = say("name") }
        let unit = Wallet.unit((fields["unit"] ?? "").trimmingCharacters(in: .whitespaces))
        if unit == nil { errors["unit"] = say("unit") }
        let cost = unit.flatMap { language.typedAmount(fields["cost"] ?? "", exponent: $0.exponent) } ?? 0
        if unit != nil, !(1...Wallet.amountMax).contains(cost) { errors["cost"] = say("cost") }
        let kind = fields["kind"].flatMap { SpendItem.Kind(rawValue: $0) } ?? .gift
        var value: (unit: UnitCode, minor: Int64)?
        if kind == .credit {
            if let valueUnit = Wallet.unit((fields["valueUnit"] ?? "").trimmingCharacters(in: .whitespaces)), valueUnit != unit,
                let minor = language.typedAmount(fields["value"] ?? "", exponent: valueUnit.exponent), (1...Wallet.amountMax).contains(minor)
            {
                value = (valueUnit, minor)
            } else {
                errors["value"] = say("value")
            }
        }
        let stockText = fields["stock"] ?? ""
        let stock = language.typedCount(stockText, in: 0...SpendItem.stockMax)
        if !stockText.isEmpty, stock == nil { errors["stock"] = say("stock") }
        guard let program = fields["program"].flatMap({ ProgramID($0) }) else { throw Problem.notFound() }
        guard errors.isEmpty, let unit else { return try await show(visit, typed: fields, errors: errors) }
        let input = SpendItem.Input(
            programID: program, name: name, description: String((fields["description"] ?? "").prefix(SpendItem.descriptionLengthMax)), unit: unit,
            costMinor: cost, kind: kind, value: value, couponID: kind == .coupon ? fields["coupon"].flatMap { CouponID($0) } : nil, stock: stock)
        do {
            try await write(visit) { write in _ = try SpendItem.add(input, in: write) }
        } catch let problem as Problem where problem.code == "too_many_items" {
            return try await show(visit, typed: fields, errors: ["name": say("tooMany")])
        } catch let problem as Problem where problem.code == "unknown_coupon" {
            return try await show(visit, typed: fields, errors: ["coupon": say("coupon")])
        }
        return visit.seeOther("\(path)?done=added")
    }

    private static func unit(_ visit: PageVisit, _ fields: FormFields) async throws -> Response {
        guard let unit = Wallet.unit(fields["unit"] ?? "") else { throw Problem.notFound() }
        let text = fields["days"] ?? ""
        let days = visit.language.typedCount(text, in: 1...WalletUnit.expiresAfterDaysMax)
        guard text.isEmpty || days != nil else {
            return try await show(visit, errors: ["days-\(unit.code)": visit.language("catalogue.error.days")])
        }
        let wanted = WalletUnit(unit: unit, expiresAfterDays: days, mayTransfer: fields["transfer"] == "yes")
        try await write(visit) { write in try WalletUnit.set(wanted, in: write) }
        return visit.seeOther("\(path)?done=unit")
    }

    private static func show(_ visit: PageVisit, typed: FormFields? = nil, errors: [String: String] = [:]) async throws -> Response {
        let (workspace, vault, now) = (visit.workspaceID, visit.installation.vault, visit.now)
        var model = try await visit.installation.main.read { connection -> SpendModel in
            let items = try SpendStore.offered(in: workspace, on: connection)
            let waiting = try SpendStore.redemptions(in: workspace, state: .requested, after: nil, limit: waitingMax, on: connection)
            let named = try SpendStore.names(of: Array(Set(waiting.map(\.itemID))), on: connection)
            let known = try WalletUnitStore.all(in: workspace, on: connection)
            let used = try WalletUnitStore.used(in: workspace, on: connection) + items.map(\.unit)
            let others = Set(used).subtracting(known.map(\.unit)).sorted()
            return SpendModel(
                items: items, waiting: waiting, itemNames: named,
                names: try PersonNames.load(members: Array(Set(waiting.map(\.memberID))), vault: vault, on: connection),
                units: known + others.map { WalletUnit(unit: $0, expiresAfterDays: nil, mayTransfer: false) },
                programs: try ProgramStore.list(in: workspace, at: now, after: nil, limit: programsMax, on: connection),
                coupons: try CouponStore.list(in: workspace, program: nil, limit: Coupon.listMax, on: connection).filter { $0.state == .active }, typed: typed, errors: errors,
                mayOffer: visit.session.may(.programsWrite), maySettle: visit.session.may(.commissionsWrite), csrfToken: "", language: visit.language)
        }
        model.csrfToken = visit.csrfToken
        return try visit.blocks(
            model.blocks, current: path, notice: visit.done("catalogue", ["added", "archived", "fulfilled", "canceled", "unit"]),
            status: errors.isEmpty ? .ok : .unprocessableContent)
    }
}

private struct SpendModel: Sendable {
    var items: [SpendItem]
    var waiting: [Redemption]
    var itemNames: [SpendItemID: String]
    var names: PersonNames
    var units: [WalletUnit]
    var programs: [Program]
    var coupons: [Coupon]
    var typed: FormFields?
    var errors: [String: String]
    var mayOffer: Bool
    var maySettle: Bool
    var csrfToken: String
    var language: PageLanguage

    var blocks: PageBlocks {
        var blocks: [PageBlocks.Block] = []
        if !waiting.isEmpty { blocks.append(PageBlocks.Block(heading: say("waiting"), text: say("waitingText"), table: waitingTable)) }
        blocks.append(
            PageBlocks.Block(
                heading: say("items"), table: items.isEmpty ? nil : itemTable, empty: items.isEmpty ? say("none") : nil))
        if mayOffer, !programs.isEmpty { blocks.append(PageBlocks.Block(heading: say("add"), forms: [adding])) }
        blocks.append(
            PageBlocks.Block(
                heading: say("units"), text: say("unitsText"), facts: mayOffer ? [] : units.map(fact), forms: mayOffer ? units.map(unitForm) : [],
                empty: units.isEmpty ? say("noUnits") : nil))
        return PageBlocks(
            heading: say("title"), lead: language.sentence(waiting.isEmpty ? "catalogue.lead.none" : "catalogue.lead.some", count: Int64(waiting.count)),
            refused: errors.isEmpty ? nil : say("refused"), blocks: blocks)
    }

    private func say(_ key: String, _ values: [String: String] = [:]) -> String { language("catalogue.\(key)", values) }

    private var waitingTable: PageTable {
        PageTable(
            label: say("waiting"),
            columns: [
                PageTable.Column(label: say("column.member")), PageTable.Column(label: say("column.item")), PageTable.Column(label: say("column.asked"), isExtra: true),
                PageTable.Column(label: say("column.buttons"), isHidden: true),
            ],
            rows: waiting.map { redemption in
                PageTable.Row(cells: [
                    .person(names.member(redemption.memberID, language), url: "/members/\(redemption.memberID.text)/wallet"),
                    .lines(itemNames[redemption.itemID] ?? "", language.money(redemption.costMinor, redemption.unit)), .time(redemption.requestedAt),
                    maySettle ? .forms([button("fulfilment", redemption, "fulfil", "btn-primary"), button("cancellation", redemption, "cancel", "btn-plain")]) : .nothing,
                ])
            }, language: language)
    }

    private func button(_ action: String, _ redemption: Redemption, _ label: String, _ style: String) -> PageForm {
        PageForm(
            action: "\(SpendPages.path)/\(action)", hidden: [("redemption", redemption.id.text)], buttons: [PageForm.Button(label: say(label), style: style + " btn-sm")],
            isInline: true, csrfToken: csrfToken)
    }

    private var itemTable: PageTable {
        PageTable(
            label: say("items"),
            columns: [
                PageTable.Column(label: say("column.item")), PageTable.Column(label: say("column.kind"), isExtra: true),
                PageTable.Column(label: say("column.cost"), isNumber: true), PageTable.Column(label: say("column.stock"), isNumber: true, isExtra: true),
                PageTable.Column(label: say("column.buttons"), isHidden: true),
            ],
            rows: items.map { item in
                let archive = PageForm(
                    action: "\(SpendPages.path)/archiving", hidden: [("item", item.id.text)],
                    buttons: [PageForm.Button(label: say("archive"), style: "btn-quiet btn-sm")], isInline: true, csrfToken: csrfToken)
                return PageTable.Row(cells: [
                    .lines(item.name, item.description),
                    .text(item.value.map { say("gives", ["amount": language.money($0.minor, $0.unit)]) } ?? say("kind.\(item.kind.rawValue)")),
                    .number(language.money(item.costMinor, item.unit)), .number(item.stock.map { String($0) } ?? say("endless")),
                    mayOffer ? .forms([archive]) : .nothing,
                ])
            }, language: language)
    }

    private var adding: PageForm {
        func was(_ field: String, _ standard: String = "") -> String { typed?[field] ?? standard }
        func choices(_ list: [(String, String)], _ chosen: String) -> [FormField.Choice] {
            list.map { FormField.Choice(value: $0.0, label: $0.1, isChosen: $0.0 == chosen) }
        }
        return PageForm(
            action: SpendPages.path,
            fields: [
                .line("name", say("field.name"), was("name"), error: errors["name"], isRequired: true, lengthMax: SpendItem.nameLengthMax),
                FormField(
                    name: "description", label: say("field.description"), control: .area(was("description"), rows: 2), lengthMax: SpendItem.descriptionLengthMax),
                FormField(
                    name: "program", label: say("field.program"),
                    control: .select(choices(programs.map { ($0.id.text, $0.name) }, was("program", programs[0].id.text)))),
                .line(
                    "unit", say("field.unit"), was("unit", UnitCode.points.code), help: say("field.unitHelp"), error: errors["unit"], isRequired: true, isMono: true,
                    lengthMax: Wallet.unitLengthMax),
                .line("cost", say("field.cost"), was("cost"), error: errors["cost"], isRequired: true, lengthMax: 20),
                FormField(
                    name: "kind", label: say("field.kind"), error: nil,
                    control: .select(choices(SpendItem.Kind.allCases.map { ($0.rawValue, say("kind.\($0.rawValue)")) }, was("kind", "gift")))),
                FormField(
                    name: "coupon", label: say("field.coupon"), help: say("field.couponHelp"), error: errors["coupon"],
                    control: .select(choices([("", say("field.couponNone"))] + coupons.map { ($0.id.text, $0.name) }, was("coupon")))),
                .line("value", say("field.value"), was("value"), help: say("field.valueHelp"), error: errors["value"], lengthMax: 20),
                .line("valueUnit", say("field.valueUnit"), was("valueUnit"), isMono: true, lengthMax: Wallet.unitLengthMax),
                .line("stock", say("field.stock"), was("stock"), help: say("field.stockHelp"), error: errors["stock"], lengthMax: 12),
            ], buttons: [PageForm.Button(label: say("offer"))], csrfToken: csrfToken)
    }

    private func fact(_ unit: WalletUnit) -> PageBlocks.Fact {
        PageBlocks.Fact(label: unit.unit.code, text: unit.expiresAfterDays.map { say("daysOf", ["days": String($0)]) } ?? say("neverLapses"))
    }

    private func unitForm(_ unit: WalletUnit) -> PageForm {
        PageForm(
            action: "\(SpendPages.path)/units", hidden: [("unit", unit.unit.code)],
            fields: [
                .line(
                    "days", say("field.days", ["unit": unit.unit.code]), unit.expiresAfterDays.map { String($0) } ?? "", help: say("field.daysHelp"),
                    error: errors["days-\(unit.unit.code)"], lengthMax: 5),
                FormField(
                    name: "transfer", label: say("field.transfer", ["unit": unit.unit.code]),
                    control: .checks([FormField.Choice(value: "yes", label: say("field.transferYes"), isChosen: unit.mayTransfer)])),
            ], buttons: [PageForm.Button(label: say("saveUnit"), style: "btn-plain")], csrfToken: csrfToken)
    }
}
