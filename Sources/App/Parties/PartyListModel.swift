import Chronology
import Money
import Persistence
import Web

/// The parties of all programs as a page.
struct PartyListModel: Sendable {
    var parties: [Party]
    var turnover: [PartyID: Party.Turnover]
    var programs: [Program]
    var plans: [PartyPlan]
    var names: PersonNames
    var typed: FormFields?
    var errors: [String: String]
    var mayWrite: Bool
    var csrfToken: String
    var now: Instant
    var language: PageLanguage

    var blocks: PageBlocks {
        var blocks = [
            PageBlocks.Block(
                heading: say("list"), text: say("listText"), table: parties.isEmpty ? nil : table, empty: parties.isEmpty ? say("none") : nil, note: say("note"))
        ]
        for plan in plans {
            guard let program = programs.first(where: { $0.id == plan.programID }) else { continue }
            blocks.append(PageBlocks.Block(heading: language("parties.planOf", ["program": program.name]), facts: facts(plan, program)))
        }
        if mayWrite, !programs.isEmpty {
            if !plans.isEmpty { blocks.append(PageBlocks.Block(heading: say("make"), text: say("makeText"), forms: [makeForm])) }
            blocks.append(PageBlocks.Block(heading: say("plan"), text: say("planText"), forms: [planForm]))
        }
        return PageBlocks(
            heading: say("title"), lead: language.sentence(parties.isEmpty ? "parties.lead.none" : "parties.lead.some", count: Int64(parties.count)),
            refused: errors["cancel"] ?? (errors.isEmpty ? nil : say("refused")), blocks: blocks)
    }

    private func say(_ key: String) -> String { language("parties.\(key)") }

    private func money(_ minor: Int64, _ currency: String) -> String { (try? UnitCode(currency)).map { language.money(minor, $0) } ?? "" }

    private func gift(_ tier: PartyTier) -> String {
        switch tier.gift {
        case .share(let rate): language("parties.share", ["percent": rate.percentText])
        case .amount(let unit, let minor): language.money(minor, unit)
        }
    }

    private func facts(_ plan: PartyPlan, _ program: Program) -> [PageBlocks.Fact] {
        plan.tiers.map { PageBlocks.Fact(label: language("parties.fromTurnover", ["amount": money($0.from, program.currency)]), text: gift($0)) } + [
            PageBlocks.Fact(label: say("fact.orders"), text: language.plural("parties.days", plan.orderDays)),
            PageBlocks.Fact(label: say("fact.returns"), text: language.plural("parties.days", plan.returnDays)),
            PageBlocks.Fact(label: say("fact.hosts"), text: say(plan.membersMayHost ? "hosts.members" : "hosts.team")),
        ]
    }

    private var table: PageTable {
        PageTable(
            label: say("list"),
            columns: [
                PageTable.Column(label: say("column.party")), PageTable.Column(label: say("column.host")), PageTable.Column(label: say("column.state")),
                PageTable.Column(label: say("column.starts"), isExtra: true), PageTable.Column(label: say("column.orders"), isNumber: true, isExtra: true),
                PageTable.Column(label: say("column.turnover"), isNumber: true), PageTable.Column(label: say("column.reward"), isNumber: true),
                PageTable.Column(label: say("column.buttons"), isHidden: true),
            ], rows: parties.map(row), language: language)
    }

    private func row(_ party: Party) -> PageTable.Row {
        let currency = programs.first { $0.id == party.programID }?.currency ?? "EUR"
        let turnover = turnover[party.id] ?? .none
        let state = party.state(at: now)
        let (tone, icon) = switch state {
        case .settled: ("good", "check")
        case .canceled: ("", "none")
        default: ("", "clock")
        }
        let cancel = PageForm(
            action: "\(PartyPages.path)/cancellation", hidden: [("party", party.id.text)],
            buttons: [PageForm.Button(label: say("cancel"), style: "btn-quiet btn-sm")], isInline: true, csrfToken: csrfToken)
        let expected = state == .settled ? party.reward : state == .canceled ? nil : (try? PartyTier.reward(party.tiers, turnover: turnover.minor, currency: currency)) ?? nil
        return PageTable.Row(cells: [
            .lines(party.title.isEmpty ? party.code : party.title, party.code), .person(names.member(party.hostID, language), url: "/members/\(party.hostID.text)"),
            .badge(say("state.\(state.rawValue)"), tone: tone, icon: icon),
            .text(PageLanguage(messages: language.messages, zone: party.zone).minute(party.startsAt)),
            .number(language.integer(turnover.orders)), .number(money(turnover.minor, currency)),
            .number(expected.map { language.money($0.minor, $0.unit) } ?? "–"),
            mayWrite && state != .settled && state != .canceled ? .forms([cancel]) : .nothing,
        ])
    }

    private func was(_ field: String, _ standard: String = "") -> String { typed?[field] ?? standard }

    private func select(_ choices: [Program], place: String) -> FormField {
        let chosen = was("program", choices.first?.id.text ?? "")
        return FormField(
            name: "program", label: say("field.program"), error: errors["program"],
            control: .select(choices.map { FormField.Choice(value: $0.id.text, label: $0.name, isChosen: $0.id.text == chosen) }), place: place)
    }

    private var makeForm: PageForm {
        PageForm(
            action: PartyPages.path,
            fields: [
                select(programs.filter { program in plans.contains { $0.programID == program.id } }, place: "make"),
                .line("host", say("field.host"), was("host"), help: say("field.hostHelp"), error: errors["host"], isRequired: true, isMono: true),
                .line("title", say("field.title"), was("title"), error: errors["title"], isRequired: true, lengthMax: Party.titleLengthMax),
                .line("place", say("field.place"), was("place"), help: say("field.placeHelp"), error: errors["place"], lengthMax: Party.placeLengthMax),
                .line("day", say("field.day"), was("day"), type: "date", help: say("field.dayHelp"), error: errors["day"], isRequired: true),
                .line("time", say("field.time"), was("time", "19:00"), type: "time", isRequired: true, lengthMax: 8),
                .line(
                    "destination", say("field.destination"), was("destination"), type: "url", help: say("field.destinationHelp"), error: errors["destination"],
                    isRequired: true, lengthMax: Destination.lengthMax),
            ], buttons: [PageForm.Button(label: say("make"))], csrfToken: csrfToken)
    }

    private var planForm: PageForm {
        var fields = [
            select(programs, place: "plan"),
            .line("orderDays", say("field.orderDays"), was("orderDays", "7"), error: errors["orderDays"], isRequired: true, lengthMax: 3),
            .line("returnDays", say("field.returnDays"), was("returnDays", "14"), error: errors["returnDays"], isRequired: true, lengthMax: 3),
            FormField(
                name: "membersMayHost", label: say("field.hosts"),
                control: .radios([
                    FormField.Choice(value: "yes", label: say("hosts.members"), isChosen: was("membersMayHost", "yes") == "yes"),
                    FormField.Choice(value: "no", label: say("hosts.team"), isChosen: was("membersMayHost", "yes") == "no"),
                ])),
        ]
        for row in 1...PartyPages.tierRows {
            let number = ["number": String(row)]
            fields.append(.line("from\(row)", language("parties.field.from", number), was("from\(row)"), error: errors["from\(row)"], isRequired: row == 1, lengthMax: 20))
            fields.append(.line("rate\(row)", language("parties.field.rate", number), was("rate\(row)"), error: errors["rate\(row)"], isRequired: row == 1, lengthMax: 12, suffix: "%"))
        }
        return PageForm(action: "\(PartyPages.path)/plan", fields: fields, buttons: [PageForm.Button(label: say("planSave"))], csrfToken: csrfToken)
    }
}
