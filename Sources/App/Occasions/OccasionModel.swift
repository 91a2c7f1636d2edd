import Chronology
import Persistence
import Web

/// One event as a page: what it is, who comes, who waits, who came.
struct OccasionModel: Sendable {
    var occasion: Occasion
    var program: String
    var answers: [OccasionAnswer]
    var counts: [OccasionAnswer.Kind: Int64]
    var tiers: [MemberTier]
    var groups: [MemberGroup]
    var action: EarnAction?
    var names: PersonNames
    var refused: String?
    var mayChange: Bool
    var mayMark: Bool
    var csrfToken: String
    var now: Instant
    var language: PageLanguage

    var blocks: PageBlocks {
        let state = occasion.state(at: now)
        var blocks = [
            PageBlocks.Block(heading: say("what"), facts: facts),
            PageBlocks.Block(
                heading: say("answers"), table: answers.isEmpty ? nil : table, empty: answers.isEmpty ? say("noAnswers") : nil,
                note: answers.count == OccasionPages.answersMax ? say("answersCut") : nil),
        ]
        let missing = answers.filter { $0.kind == .yes && $0.attendedAt == nil }
        if mayMark, occasion.canceledAt == nil, now >= occasion.startsAt, !missing.isEmpty {
            blocks.append(PageBlocks.Block(heading: say("came"), text: say("cameText"), forms: [attendance(missing)]))
        }
        if mayChange, state == .planned {
            if let places = occasion.places { blocks.append(PageBlocks.Block(heading: say("morePlaces"), text: say("morePlacesText"), forms: [morePlaces(places)])) }
            blocks.append(PageBlocks.Block(heading: say("cancel"), text: say("cancelText"), forms: [cancel]))
        }
        return PageBlocks(
            heading: occasion.title, crumb: (OccasionPages.path, say("title")),
            lead: language.sentence("occasions.lead.\(state.rawValue)", count: counts[.yes] ?? 0, ["waiting": language.integer(counts[.waiting] ?? 0)]),
            refused: refused, blocks: blocks)
    }

    private func say(_ key: String) -> String { language("occasions.\(key)") }

    private var facts: [PageBlocks.Fact] {
        let local = language.inZone(occasion.zone)
        var facts = [
            PageBlocks.Fact(label: say("column.program"), text: program, url: "/programs/\(occasion.programID.text)"),
            PageBlocks.Fact(
                label: say("when"),
                text: language("occasions.fromTo", ["from": local.minute(occasion.startsAt), "to": local.minute(occasion.endsAt), "zone": occasion.zone.name])),
        ]
        if let place = occasion.place { facts.append(PageBlocks.Fact(label: say("field.place"), text: place)) }
        if !occasion.description.isEmpty { facts.append(PageBlocks.Fact(label: say("field.description"), text: occasion.description)) }
        facts.append(PageBlocks.Fact(label: say("column.places"), text: occasion.places.map(language.integer) ?? say("unlimited")))
        facts.append(PageBlocks.Fact(label: say("field.invited"), text: invited))
        if let action { facts.append(PageBlocks.Fact(label: say("field.earnAction"), text: "\(action.name): \(language.money(action.amountMinor, action.unit))")) }
        return facts
    }

    private var invited: String {
        let words =
            occasion.invited.groups.map { key in language("occasions.group", ["name": groups.first { $0.key == key }?.name ?? key]) }
            + occasion.invited.tiers.map { id in language("occasions.tier", ["name": tiers.first { $0.id == id }?.name ?? id.text]) }
            + occasion.invited.stages.map { language("members.stage.\($0.rawValue)") }
        return words.isEmpty ? say("everybody") : words.listed(language)
    }

    private var table: PageTable {
        PageTable(
            label: say("answers"),
            columns: [
                PageTable.Column(label: say("column.member")), PageTable.Column(label: say("column.answer")), PageTable.Column(label: say("column.answered"), isExtra: true),
                PageTable.Column(label: say("column.attended")),
            ],
            rows: answers.map { answer in
                let label = say("answer.\(answer.kind.rawValue)")
                let (tone, icon) = switch answer.kind {
                case .yes: ("good", "check")
                case .waiting: ("", "clock")
                case .no: ("", "none")
                }
                return PageTable.Row(cells: [
                    .person(names.member(answer.memberID, language), url: "/members/\(answer.memberID.text)"), .badge(label, tone: tone, icon: icon),
                    .text(language.minute(answer.answeredAt)), .text(answer.attendedAt.map(language.minute) ?? "–"),
                ])
            }, language: language)
    }

    private func attendance(_ missing: [OccasionAnswer]) -> PageForm {
        PageForm(
            action: "\(OccasionPages.path)/\(occasion.id.text)/attendance",
            fields: [
                FormField(
                    name: "member", label: say("came"),
                    control: .checks(missing.map { FormField.Choice(value: $0.memberID.text, label: names.member($0.memberID, language)) }))
            ], buttons: [PageForm.Button(label: say("noteCame"))], csrfToken: csrfToken)
    }

    private func morePlaces(_ places: Int64) -> PageForm {
        PageForm(
            action: "\(OccasionPages.path)/\(occasion.id.text)/places",
            fields: [.line("places", say("column.places"), String(places), isRequired: true, lengthMax: 7)],
            buttons: [PageForm.Button(label: say("savePlaces"))], csrfToken: csrfToken)
    }

    private var cancel: PageForm {
        PageForm(
            action: "\(OccasionPages.path)/\(occasion.id.text)/cancellation", buttons: [PageForm.Button(label: say("cancel"), style: "btn-plain")],
            csrfToken: csrfToken)
    }
}
