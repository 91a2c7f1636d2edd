import Chronology
import HTTPTypes
import Hummingbird
import Persistence
import Web

/// The ways in which payouts leave: what is connected, what members may enter, which rail a program takes.
enum RailPages {
    static let path = "/rails"
    static let programsMax = 200
    static let dones: Set<String> = ["connected", "disconnected", "offered", "chosen"]
    static let refusals: Set<String> = ["rail_in_use"]

    static func add(to api: inout API, gate: PageGate) {
        api.page("/rails", .payoutsWrite, gate) { visit in try await list(visit) }
        api.form("/rails/kinds", .payoutsWrite, gate) { visit, fields in try await offer(visit, fields) }
        api.form("/rails/choice", .payoutsWrite, gate) { visit, fields in try await choose(visit, fields) }
        api.page("/rails/{rail}", .payoutsWrite, gate) { visit in try await RailPage(visit).show() }
        api.confirmedForm("/rails/{rail}", .keysWrite, gate, next: back) { visit, fields in try await save(visit, fields) }
        api.confirmedForm("/rails/{rail}/disconnection", .keysWrite, gate, next: back) { visit, _ in try await disconnect(visit) }
        let confirmed = { @Sendable (visit: PageVisit) in "/payouts/\(visit.context.parameters.get("id") ?? "")" }
        api.confirmedForm("/payouts/{id}/sending", .payoutsWrite, gate, next: confirmed) { visit, fields in
            let (id, seal): (PayoutID, RailSeal) = (try visit.context.id(), visit.installation.railSeal)
            let rail = fields["rail"].flatMap { RailKind(rawValue: $0) }
            return try await PayoutPages.back(to: id, visit) { write in _ = try Payout.send(id, by: rail, seal: seal, in: write) }
        }
        api.form("/payouts/{id}/inquiry", .payoutsWrite, gate) { visit, _ in
            let id: PayoutID = try visit.context.id()
            return try await PayoutPages.back(to: id, visit) { write in _ = try Payout.askAgain(id, in: write) }
        }
    }

    private static func back(_ visit: PageVisit) -> String { "\(path)/\(visit.context.parameters.get("rail") ?? "")" }

    static func kind(_ visit: PageVisit) throws -> RailKind {
        guard let kind = visit.context.parameters.get("rail").flatMap({ RailKind(rawValue: $0) }) else { throw Problem.notFound() }
        return kind
    }

    // MARK: All rails

    private static func list(_ visit: PageVisit) async throws -> Response {
        let language = visit.language
        func say(_ key: String) -> String { language("rails.\(key)") }
        let (workspace, seal) = (visit.workspaceID, visit.installation.railSeal)
        let (rails, offered, choices, programs) = try await visit.installation.main.read { connection in
            (
                try RailStore.list(in: workspace, seal: seal, on: connection), try RailStore.offered(in: workspace, on: connection),
                try RailStore.choices(in: workspace, limit: programsMax, on: connection),
                try ProgramStore.list(in: workspace, at: visit.now, after: nil, limit: programsMax, on: connection)
            )
        }
        let rows = RailKind.allCases.map { kind -> PageTable.Row in
            let rail = rails.first { $0.kind == kind }
            return PageTable.Row(cells: [
                .lines(say("name.\(kind.rawValue)"), say("what.\(kind.rawValue)")), state(rail, language),
                .text(rail?.troubleCode ?? ""), .name(rail == nil ? say("connect") : say("open"), url: "\(path)/\(kind.rawValue)"),
            ])
        }
        var blocks = [
            PageBlocks.Block(
                heading: say("list"),
                table: PageTable(
                    label: say("list"),
                    columns: [
                        PageTable.Column(label: say("column.rail")), PageTable.Column(label: say("column.state")),
                        PageTable.Column(label: say("column.trouble"), isExtra: true), PageTable.Column(label: say("column.open"), isHidden: true),
                    ], rows: rows, language: language), note: say("listNote")),
            PageBlocks.Block(heading: say("kinds.heading"), text: say("kinds.text"), forms: [kindsForm(offered, visit)]),
        ]
        if !programs.isEmpty { blocks.append(PageBlocks.Block(heading: say("choice.heading"), text: say("choice.text"), forms: [choiceForm(programs, choices, rails, visit)])) }
        let page = PageBlocks(heading: say("title"), lead: language.sentence("rails.lead", count: Int64(rails.count)), blocks: blocks)
        return try visit.blocks(page, current: path, isNarrow: true, notice: visit.done("rails", dones))
    }

    static func state(_ rail: Rail?, _ language: PageLanguage) -> PageTable.Cell {
        guard let rail else { return .badge(language("rails.state.off"), tone: "", icon: "none") }
        return rail.troubleCode == nil
            ? .badge(language("rails.state.on"), tone: "good", icon: "check") : .badge(language("rails.state.trouble"), tone: "bad", icon: "warning")
    }

    private static func kindsForm(_ offered: [PayoutAccount.Kind], _ visit: PageVisit) -> PageForm {
        PageForm(
            action: "\(path)/kinds",
            fields: [
                FormField(
                    name: "kinds", label: visit.language("rails.kinds.label"),
                    control: .checks(
                        PayoutAccount.Kind.allCases.map {
                            FormField.Choice(value: $0.rawValue, label: visit.language("payoutAccount.kind.\($0.rawValue)"), isChosen: offered.contains($0))
                        }))
            ], buttons: [PageForm.Button(label: visit.language("rails.save"), style: "btn-plain")], csrfToken: visit.csrfToken)
    }

    private static func choiceForm(_ programs: [Program], _ choices: [ProgramID: RailKind], _ rails: [Rail], _ visit: PageVisit) -> PageForm {
        let connected = rails.map(\.kind).filter(\.isProvider)
        return PageForm(
            action: "\(path)/choice",
            fields: programs.map { program in
                FormField(
                    name: "rail-\(program.id.text)", label: program.name,
                    control: .select(
                        [FormField.Choice(value: "", label: visit.language("rails.choice.none"), isChosen: choices[program.id] == nil)]
                            + connected.map {
                                FormField.Choice(value: $0.rawValue, label: visit.language("rails.name.\($0.rawValue)"), isChosen: choices[program.id] == $0)
                            }))
            }, buttons: [PageForm.Button(label: visit.language("rails.save"), style: "btn-plain")], csrfToken: visit.csrfToken)
    }

    // MARK: What is sent

    private static func offer(_ visit: PageVisit, _ fields: FormFields) async throws -> Response {
        let kinds = Set(fields.all("kinds").compactMap { PayoutAccount.Kind(rawValue: $0) })
        guard !kinds.isEmpty else { return visit.seeOther(path) }
        try await visit.installation.write(visit.workspaceID, actor: visit.session.actor) { write in try Rail.offer(kinds, in: write) }
        return visit.seeOther("\(path)?done=offered")
    }

    private static func choose(_ visit: PageVisit, _ fields: FormFields) async throws -> Response {
        try await visit.installation.write(visit.workspaceID, actor: visit.session.actor) { write in
            for program in try ProgramStore.list(in: write.workspace.id, at: write.now, after: nil, limit: programsMax, on: write.connection) {
                guard let word = fields["rail-\(program.id.text)"] else { continue }
                let wanted = RailKind(rawValue: word)
                guard try RailStore.choice(for: program.id, on: write.connection) != wanted else { continue }
                try Rail.choose(wanted, for: program.id, in: write)
            }
        }
        return visit.seeOther("\(path)?done=chosen")
    }

    private static func save(_ visit: PageVisit, _ fields: FormFields) async throws -> Response {
        var page = try RailPage(visit)
        let kind = page.kind
        page.typed = fields
        let members = RailPage.inputs(kind).compactMap { name -> JSONMember? in
            guard let text = fields[name], !text.isEmpty else { return nil }
            return JSONMember(name, name == "sandbox" || name == "newSecret" ? .boolean(text == "true") : .text(text))
        }
        let (seal, urls) = (visit.installation.railSeal, WebhookURL(visit.installation.settings))
        do {
            let reader = try JSONReader(.object(members))
            let settings = RailSettings.read(kind, reader, urls: urls)
            let secret = kind == .paypal || kind == .stripe ? reader.optionalText("secret", maximumLength: Rail.secretLengthMax) : nil
            let newSecret = kind == .external ? reader.optionalBoolean("newSecret") ?? false : false
            try reader.finish()
            let made = try await visit.installation.write(visit.workspaceID, actor: visit.session.actor, rights: visit.session.rights) { write in
                try Rail.connect(kind, settings, secret: secret, newSecret: newSecret, seal: seal, in: write)
            }
            if let shown = made.shownSecret {
                page.typed = nil
                page.shownSecret = shown
                return try await page.show()
            }
        } catch let problem as Problem where problem.status == .unprocessableContent || refusals.contains(problem.code) {
            page.errors = Dictionary(problem.errors.map { ($0.field, $0.field) }, uniquingKeysWith: { first, _ in first })
            page.refusedCode = refusals.contains(problem.code) ? problem.code : nil
            return try await page.show()
        }
        return visit.seeOther("\(path)/\(kind.rawValue)?done=connected")
    }

    private static func disconnect(_ visit: PageVisit) async throws -> Response {
        let kind = try kind(visit)
        do {
            try await visit.installation.write(visit.workspaceID, actor: visit.session.actor) { write in try Rail.disconnect(kind, in: write) }
        } catch let problem as Problem where refusals.contains(problem.code) {
            var page = try RailPage(visit)
            page.refusedCode = problem.code
            return try await page.show()
        }
        return visit.seeOther("\(path)?done=disconnected")
    }
}
