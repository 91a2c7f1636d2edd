import Money
import Web

/// All groups of the workspace, and the form for the next.
struct GroupListModel {
    var groups: [MemberGroup]
    var programs: [Program]
    var counts: [ProgramID: [String: Int64]]
    var typed: [String: String]
    var errors: [String: String]
    var mayWrite: Bool
    var csrfToken: String
    var language: PageLanguage

    var blocks: PageBlocks {
        let people = groups.reduce(Int64(0)) { $0 + count($1) }
        return PageBlocks(
            heading: say("title"), lead: groups.isEmpty ? [] : language.sentence("groups.lead", count: Int64(groups.count), ["people": language.plural("groups.people", people)]),
            refused: errors.isEmpty ? nil : say("refused"),
            blocks: (groups.isEmpty ? [] : [table]) + (mayWrite && !programs.isEmpty ? [form] : []),
            empty: groups.isEmpty
                ? PageBlocks.Empty(
                    heading: say("empty.heading"), text: say(programs.isEmpty ? "empty.noProgram" : "empty.text"),
                    link: programs.isEmpty ? PageBlocks.Link(url: "/programs", label: language("navigation.programs"), style: "btn-primary") : nil) : nil)
    }

    private var table: PageBlocks.Block {
        let names = Dictionary(programs.map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first })
        return PageBlocks.Block(
            table: PageTable(
                label: say("title"),
                columns: [
                    PageTable.Column(label: say("column.group")), PageTable.Column(label: say("column.program"), isExtra: true),
                    PageTable.Column(label: say("column.rung"), isExtra: true), PageTable.Column(label: say("column.members"), isNumber: true),
                ],
                rows: groups.map { group in
                    let program = names[group.programID]
                    return PageTable.Row(cells: [
                        .name(group.name, url: "\(GroupPages.path)/\(group.id.text)"), .name(program?.name ?? "–", url: "/programs/\(group.programID.text)"),
                        .text(group.rung.map { $0.sentence(currency: program?.currency ?? "EUR", language) } ?? say("byHand")), .number(language.integer(count(group))),
                    ])
                }, language: language))
    }

    private var form: PageBlocks.Block {
        PageBlocks.Block(
            heading: say("new"), text: say("newText"),
            forms: [
                PageForm(
                    action: GroupPages.path,
                    fields: [
                        FormField(
                            name: "program", label: say("column.program"), error: errors["program"],
                            control: .select(programs.map { FormField.Choice(value: $0.id.text, label: $0.name, isChosen: $0.id.text == typed["program"]) })),
                        .line(
                            "name", say("name"), typed["name"] ?? "", help: say("nameHelp"), error: errors["name"], isRequired: true, lengthMax: MemberGroup.nameLengthMax),
                        FormField(
                            name: "description", label: say("description"), help: say("descriptionHelp"), error: errors["description"],
                            control: .area(typed["description"] ?? "", rows: 3), lengthMax: MemberGroup.descriptionLengthMax),
                    ], buttons: [PageForm.Button(label: say("create"))], csrfToken: csrfToken)
            ])
    }

    private func count(_ group: MemberGroup) -> Int64 { counts[group.programID]?[group.key] ?? 0 }
    private func say(_ key: String) -> String { language("groups.\(key)") }
}

extension MemberGroup.Rung {
    /// What it asks for, in words.
    func sentence(currency: String, _ language: PageLanguage) -> String {
        let what =
            switch metric {
            case .sales: language.plural("groups.rung.sales", atLeast)
            case .newCustomers: language.plural("groups.rung.newCustomers", atLeast)
            case .amount:
                language("groups.rung.amount", ["amount": Currency(code: currency).map { language.money(atLeast, .currency($0)) } ?? language.integer(atLeast)])
            }
        return days.map { language.plural("groups.rung.within", $0, ["what": what]) } ?? what
    }
}
