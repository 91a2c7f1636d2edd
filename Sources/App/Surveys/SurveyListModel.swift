import Web

/// The surveys of all programs as a page, and a form for one more.
struct SurveyListModel: Sendable {
    var results: [SurveyResults]
    var open: [SurveyID: Int64]
    var programs: [Program]
    var mayWrite: Bool
    var typed: FormFields?
    var errors: [String: String]
    var csrfToken: String
    var language: PageLanguage

    var blocks: PageBlocks {
        var blocks = [
            PageBlocks.Block(
                heading: say("list"), text: say("listText"), table: results.isEmpty ? nil : table, empty: results.isEmpty ? say("none") : nil)
        ]
        if mayWrite, !programs.isEmpty { blocks.append(PageBlocks.Block(heading: say("make"), text: say("makeText"), forms: [form])) }
        let waiting = open.values.reduce(0, +)
        return PageBlocks(
            heading: say("title"), lead: language.sentence(waiting == 0 ? "surveys.lead.none" : "surveys.lead.some", count: waiting),
            refused: errors.isEmpty ? nil : say("refused"), blocks: blocks)
    }

    private func say(_ key: String) -> String { language("surveys.\(key)") }

    private var table: PageTable {
        PageTable(
            label: say("list"),
            columns: [
                PageTable.Column(label: say("column.question")), PageTable.Column(label: say("column.kind"), isExtra: true),
                PageTable.Column(label: say("column.state"), isExtra: true), PageTable.Column(label: say("column.answers"), isNumber: true),
                PageTable.Column(label: say("column.result"), isNumber: true), PageTable.Column(label: say("column.open"), isNumber: true),
            ],
            rows: results.map { result in
                let survey = result.survey
                return PageTable.Row(cells: [
                    .name(survey.question, url: "\(SurveyPages.path)/\(survey.id.text)"), .text(say("kind.\(survey.kind.rawValue)")),
                    Self.badge(survey.state, language),
                    .number(language("surveys.of", ["count": language.integer(result.whole.answers), "asked": language.integer(result.asked)])),
                    .number(SurveyModel.points(result.whole, language)), .number(language.integer(open[survey.id] ?? 0)),
                ])
            }, language: language)
    }

    static func badge(_ state: Survey.State, _ language: PageLanguage) -> PageTable.Cell {
        .badge(language("surveys.state.\(state.rawValue)"), tone: state == .active ? "good" : "", icon: state == .active ? "check" : "none")
    }

    private var form: PageForm {
        func field(_ key: String) -> String { say("field.\(key)") }
        func was(_ name: String, _ standard: String) -> String { typed?[name] ?? standard }
        func choices<Choice: RawRepresentable & CaseIterable>(_ name: String, _ type: Choice.Type, _ standard: String) -> [FormField.Choice]
        where Choice.RawValue == String {
            Choice.allCases.map {
                FormField.Choice(value: $0.rawValue, label: say("\(name).\($0.rawValue)"), isChosen: $0.rawValue == was(name, standard))
            }
        }
        let places = Set(typed?.all("askedIn") ?? ["portal", "mail"])
        return PageForm(
            action: SurveyPages.path,
            fields: [
                FormField(
                    name: "program", label: field("program"),
                    control: .select(programs.map { FormField.Choice(value: $0.id.text, label: $0.name, isChosen: $0.id.text == was("program", programs[0].id.text)) })),
                FormField(name: "kind", label: field("kind"), help: field("kindHelp"), control: .select(choices("kind", Survey.Kind.self, "csat"))),
                .line(
                    "question", field("question"), was("question", say("standard")), help: field("questionHelp"), error: errors["question"], isRequired: true,
                    lengthMax: Survey.questionLengthMax),
                FormField(
                    name: "askedIn", label: field("askedIn"), error: errors["askedIn"],
                    control: .checks(
                        [Survey.Place.portal, .mail].map {
                            FormField.Choice(value: $0.rawValue, label: say("place.\($0.rawValue)"), isChosen: places.contains($0.rawValue))
                        })),
                FormField(name: "askedWhen", label: field("askedWhen"), control: .select(choices("askedWhen", Survey.When.self, "afterPurchase"))),
                .line("afterDays", field("afterDays"), was("afterDays", "7"), help: field("afterDaysHelp"), error: errors["afterDays"], isRequired: true, lengthMax: 4),
                .line(
                    "restDays", field("restDays"), was("restDays", String(Survey.restDaysStandard)), help: field("restDaysHelp"), error: errors["restDays"],
                    isRequired: true, lengthMax: 4),
                .line("supportUrl", field("supportUrl"), was("supportUrl", ""), help: field("supportUrlHelp"), error: errors["supportUrl"], lengthMax: Survey.supportLengthMax),
            ], buttons: [PageForm.Button(label: say("make"))], csrfToken: csrfToken)
    }
}
