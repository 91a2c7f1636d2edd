import Money
import Web

/// A group's page: its offer, what brings members in, its people, and who came and went.
struct GroupModel {
    var facts: GroupPages.Facts
    var isFirstPage: Bool
    var typed: [String: String]
    var errors: [String: String]
    var mayWrite: Bool
    var mayPlace: Bool
    var csrfToken: String
    var language: PageLanguage

    private var group: MemberGroup { facts.group }
    private var url: String { "\(GroupPages.path)/\(group.id.text)" }

    var blocks: PageBlocks {
        PageBlocks(
            heading: group.name, crumb: (GroupPages.path, say("title")),
            lead: language.sentence("groups.show.lead", count: facts.count, ["program": facts.program.name]), refused: errors.isEmpty ? nil : say("refused"),
            blocks: [offer, ladder, people] + (mayPlace ? [placing] : []) + [story] + (mayWrite ? [naming] : []), pager: pager)
    }

    private var offer: PageBlocks.Block {
        let currency = Currency(code: facts.program.currency)
        return PageBlocks.Block(
            heading: say("offer"), text: group.description.isEmpty ? nil : group.description,
            links: mayWrite ? [PageBlocks.Link(url: "/programs/\(group.programID.text)/rules/new?group=\(group.id.text)", label: say("newRule"))] : [],
            facts: facts.rules.map { rule in
                PageBlocks.Fact(
                    label: rule.name, text: currency.map { RuleSentence(rule: rule, currency: $0, language: language).text } ?? "", url: "/rules/\(rule.id.text)")
            }, empty: facts.rules.isEmpty ? say("offerEmpty") : nil)
    }

    private var ladder: PageBlocks.Block {
        let rung = group.rung
        return PageBlocks.Block(
            heading: say("ladder"),
            text: rung.map { say("ladderText", ["what": $0.sentence(currency: facts.program.currency, language), "position": language.integer($0.position)]) } ?? say("ladderNone"),
            facts: facts.others.filter { $0.rung != nil }.sorted { ($0.rung?.position ?? 0) < ($1.rung?.position ?? 0) }.map { other in
                PageBlocks.Fact(
                    label: other.name, text: other.rung?.sentence(currency: facts.program.currency, language) ?? "",
                    url: other.id == group.id ? nil : "\(GroupPages.path)/\(other.id.text)")
            }, forms: mayWrite ? [rungForm] : [], note: say("ladderNote"))
    }

    private var rungForm: PageForm {
        let rung = group.rung
        let metric = MemberGroup.Rung.Metric(rawValue: typed["metric"] ?? "") ?? rung?.metric ?? .sales
        let exponent = Currency(code: facts.program.currency)?.exponent ?? 2
        let least = rung.map { $0.metric == .amount ? language.numbers.written(Amount(minor: $0.atLeast).decimalText(exponent: exponent)) : language.integer($0.atLeast) }
        let next = (facts.others.compactMap(\.rung?.position).max() ?? 0) + 1
        return PageForm(
            action: "\(url)/rung",
            fields: [
                FormField(
                    name: "metric", label: say("metric"),
                    control: .select(
                        MemberGroup.Rung.Metric.allCases.map { FormField.Choice(value: $0.rawValue, label: say("metric.\($0.rawValue)"), isChosen: $0 == metric) })),
                .line("atLeast", say("atLeast"), typed["atLeast"] ?? least ?? "", error: errors["atLeast"], isRequired: true, lengthMax: 20, suffix: nil),
                .line(
                    "days", say("days"), typed["days"] ?? rung?.days.map { String($0) } ?? "", help: say("daysHelp"), error: errors["days"], lengthMax: 4),
                .line("position", say("position"), typed["position"] ?? String(rung?.position ?? next), help: say("positionHelp"), error: errors["position"], isRequired: true, lengthMax: 3),
                FormField(
                    name: "fallsBack", label: say("keeping"),
                    control: .checks([FormField.Choice(value: "yes", label: say("fallsBack"), isChosen: typed.isEmpty ? rung?.fallsBack ?? false : typed["fallsBack"] != nil)])),
            ],
            buttons: [PageForm.Button(label: say("setRung"), name: "act", value: "set")]
                + (rung == nil ? [] : [PageForm.Button(label: say("removeRung"), name: "act", value: "remove", style: "btn-plain")]), csrfToken: csrfToken)
    }

    private var people: PageBlocks.Block {
        PageBlocks.Block(
            heading: say("peopleHeading"),
            table: facts.members.isEmpty
                ? nil
                : PageTable(
                    label: say("peopleHeading"), columns: [PageTable.Column(label: say("column.member"))],
                    rows: facts.members.map { PageTable.Row(cells: [.person(facts.names.member($0, language), url: "/members/\($0.text)")]) }, language: language),
            empty: facts.members.isEmpty ? say("peopleEmpty") : nil)
    }

    private var placing: PageBlocks.Block {
        PageBlocks.Block(
            heading: say("place"), text: say("placeText"),
            forms: [
                PageForm(
                    action: "\(url)/members",
                    fields: [
                        .line("member", say("column.member"), typed["member"] ?? "", help: say("memberHelp"), error: errors["member"], isRequired: true, lengthMax: 255),
                        .line(
                            "reason", say("reason"), typed["reason"] ?? "", help: say("reasonHelp"), error: errors["reason"], isRequired: true,
                            lengthMax: GroupMove.reasonLengthMax),
                    ],
                    buttons: [
                        PageForm.Button(label: say("placeIn"), name: "act", value: "place"), PageForm.Button(label: say("takeOut"), name: "act", value: "leave", style: "btn-plain"),
                    ], csrfToken: csrfToken)
            ])
    }

    private var story: PageBlocks.Block {
        PageBlocks.Block(
            heading: say("story"),
            trail: facts.moves.map { move in
                let name = facts.names.member(move.memberID, language)
                let key = move.toKey == group.key ? "came" : "went"
                return PageBlocks.Event(
                    what: say("\(key).\(move.cause.rawValue)", ["name": name]), url: "/members/\(move.memberID.text)", time: language.time(move.at), below: below(move))
            }, empty: facts.moves.isEmpty ? say("storyEmpty") : nil)
    }

    private func below(_ move: GroupMove) -> String? {
        if let evidence = move.evidence {
            let rung = MemberGroup.Rung(position: 1, metric: evidence.metric, atLeast: evidence.atLeast, days: evidence.days, fallsBack: false)
            let value =
                evidence.metric == .amount
                ? Currency(code: facts.program.currency).map { language.money(evidence.value, .currency($0)) } ?? "" : language.integer(evidence.value)
            return say("evidence", ["value": value, "asked": rung.sentence(currency: facts.program.currency, language)])
        }
        return move.reason.isEmpty ? nil : say("because", ["reason": move.reason, "who": facts.authors.name(move.author, language)])
    }

    private var naming: PageBlocks.Block {
        PageBlocks.Block(
            heading: say("naming"), text: say("namingText", ["key": group.key]),
            forms: [
                PageForm(
                    action: url,
                    fields: [
                        .line("name", say("name"), typed["name"] ?? group.name, error: errors["name"], isRequired: true, lengthMax: MemberGroup.nameLengthMax),
                        FormField(
                            name: "description", label: say("description"), help: say("descriptionHelp"), error: errors["description"],
                            control: .area(typed["description"] ?? group.description, rows: 3), lengthMax: MemberGroup.descriptionLengthMax),
                    ], buttons: [PageForm.Button(label: say("save"))], csrfToken: csrfToken)
            ])
    }

    private var pager: PageValue {
        guard facts.hasMore || !isFirstPage else { return .nothing }
        return [
            "label": .text(language("pager.label")), "summary": "", "previous": isFirstPage ? nil : ["url": .text(url), "label": .text(language("pager.first"))],
            "next": facts.hasMore ? ["url": .text("\(url)?startingAfter=\(facts.members.last?.text ?? "")"), "label": .text(language("pager.next"))] : nil,
        ]
    }

    private func say(_ key: String, _ values: [String: String] = [:]) -> String { language("groups.\(key)", values) }
}
