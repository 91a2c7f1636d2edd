import Chronology
import Persistence
import Web

/// The events of all programs as a page.
struct OccasionListModel: Sendable {
    var occasions: [Occasion]
    var counts: [OccasionID: [OccasionAnswer.Kind: Int64]]
    var form: PageForm?
    var programs: [Program]
    var isRefused: Bool
    var now: Instant
    var language: PageLanguage

    var blocks: PageBlocks {
        var blocks = [
            PageBlocks.Block(heading: say("list"), text: say("listText"), table: occasions.isEmpty ? nil : table, empty: occasions.isEmpty ? say("none") : nil)
        ]
        if let form { blocks.append(PageBlocks.Block(heading: say("make"), text: say("makeText"), forms: [form])) }
        let ahead = Int64(occasions.count { $0.state(at: now) == .planned })
        return PageBlocks(
            heading: say("title"), lead: language.sentence(ahead == 0 ? "occasions.lead.none" : "occasions.lead.some", count: ahead),
            refused: isRefused ? say("refused") : nil, blocks: blocks)
    }

    private func say(_ key: String) -> String { language("occasions.\(key)") }

    private var table: PageTable {
        PageTable(
            label: say("list"),
            columns: [
                PageTable.Column(label: say("column.title")), PageTable.Column(label: say("column.program"), isExtra: true),
                PageTable.Column(label: say("column.state")), PageTable.Column(label: say("column.starts")),
                PageTable.Column(label: say("column.coming"), isNumber: true), PageTable.Column(label: say("column.waiting"), isNumber: true, isExtra: true),
            ], rows: occasions.map(row), language: language)
    }

    private func row(_ occasion: Occasion) -> PageTable.Row {
        let answers = counts[occasion.id] ?? [:]
        let coming = language.integer(answers[.yes] ?? 0)
        let places = occasion.places.map { language("occasions.of", ["count": coming, "places": language.integer($0)]) } ?? coming
        return PageTable.Row(cells: [
            .name(occasion.title, url: "\(OccasionPages.path)/\(occasion.id.text)"), .text(programs.first { $0.id == occasion.programID }?.name ?? ""),
            Self.badge(occasion.state(at: now), language), .text(language.inZone(occasion.zone).minute(occasion.startsAt)), .number(places),
            .number(language.integer(answers[.waiting] ?? 0)),
        ])
    }

    static func badge(_ state: Occasion.State, _ language: PageLanguage) -> PageTable.Cell {
        let label = language("occasions.state.\(state.rawValue)")
        switch state {
        case .planned: return .badge(label, tone: "", icon: "clock")
        case .running: return .badge(label, tone: "good", icon: "check")
        case .over: return .badge(label, tone: "", icon: "check")
        case .canceled: return .badge(label, tone: "", icon: "none")
        }
    }
}

/// The form for one more event.
enum OccasionForm {
    /// `group:KEY`, `tier:ID` and `stage:NAME`, as the boxes send them.
    static func invited(_ fields: FormFields) -> Occasion.Invited {
        var invited = Occasion.Invited()
        for value in fields.all("invited").prefix(3 * Occasion.Invited.listMax) {
            let parts = value.split(separator: ":", maxSplits: 1).map(String.init)
            guard parts.count == 2 else { continue }
            switch parts[0] {
            case "group": invited.groups.append(parts[1])
            case "tier": if let tier = TierID(parts[1]) { invited.tiers.append(tier) }
            case "stage": if let stage = Member.Stage(rawValue: parts[1]) { invited.stages.append(stage) }
            default: break
            }
        }
        return invited
    }

    static func load(
        _ programs: [Program], typed: FormFields?, errors: [String: String], csrfToken: String, language: PageLanguage, on connection: any Connection
    ) throws -> PageForm {
        func say(_ key: String) -> String { language("occasions.field.\(key)") }
        func was(_ field: String, _ standard: String = "") -> String { typed?[field] ?? standard }
        let chosen = Set(typed?.all("invited") ?? [])
        func choice(_ value: String, _ label: String) -> FormField.Choice { FormField.Choice(value: value, label: label, isChosen: chosen.contains(value)) }
        var invited: [FormField.Choice] = []
        var actions: [FormField.Choice] = [FormField.Choice(value: "", label: say("nothing"), isChosen: was("earnAction").isEmpty)]
        for program in programs {
            func of(_ name: String) -> String { programs.count == 1 ? name : language("occasions.ofProgram", ["name": name, "program": program.name]) }
            invited += try GroupStore.list(in: program.id, on: connection).map { choice("group:\($0.key)", of(language("occasions.group", ["name": $0.name]))) }
            invited += try StandingStore.tiers(of: program.id, on: connection).map { choice("tier:\($0.id.text)", of(language("occasions.tier", ["name": $0.name]))) }
            actions += try EarnActionStore.offered(by: program.id, on: connection).map {
                FormField.Choice(value: $0.key, label: of($0.name), isChosen: was("earnAction") == $0.key)
            }
        }
        invited += Member.Stage.allCases.map { choice("stage:\($0.rawValue)", language("members.stage.\($0.rawValue)")) }
        return PageForm(
            action: OccasionPages.path,
            fields: [
                FormField(
                    name: "program", label: say("program"),
                    control: .select(programs.map { FormField.Choice(value: $0.id.text, label: $0.name, isChosen: $0.id.text == was("program", programs[0].id.text)) })),
                .line("title", say("title"), was("title"), error: errors["title"], isRequired: true, lengthMax: Occasion.titleLengthMax),
                FormField(
                    name: "description", label: say("description"), error: errors["description"], control: .area(was("description"), rows: 4),
                    lengthMax: Occasion.descriptionLengthMax),
                .line("place", say("place"), was("place"), help: say("placeHelp"), error: errors["place"], lengthMax: Occasion.placeLengthMax),
                .line("day", say("day"), was("day"), type: "date", help: say("dayHelp"), error: errors["day"], isRequired: true),
                .line("time", say("time"), was("time", "19:00"), type: "time", isRequired: true, lengthMax: 8),
                .line("hours", say("hours"), was("hours", "2"), error: errors["hours"], isRequired: true, lengthMax: 4),
                .line("places", say("places"), was("places"), help: say("placesHelp"), error: errors["places"], lengthMax: 7),
                FormField(name: "invited", label: say("invited"), help: say("invitedHelp"), error: errors["invited"], control: .checks(invited)),
                FormField(name: "earnAction", label: say("earnAction"), help: say("earnActionHelp"), control: .select(actions)),
            ], buttons: [PageForm.Button(label: language("occasions.make"))], csrfToken: csrfToken)
    }
}
