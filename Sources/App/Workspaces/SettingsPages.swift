import Chronology
import HTTPTypes
import Hummingbird
import Money
import Persistence
import Web

/// What the company is called, which clock and language it keeps, its addresses, and where the rest is set.
enum SettingsPages {
    static let programsMax = 50
    static let domainsMax = 50

    static func add(to api: inout API, gate: PageGate) {
        api.page("/settings", .workspaceRead, gate) { visit in try await show(visit, Typed(visit.session.workspace), errors: [:]) }
        api.form("/settings", .workspaceWrite, gate) { visit, fields in try await change(visit, fields) }
    }

    private struct Typed: Sendable {
        var name: String
        var zone: String
        var locale: String

        init(_ workspace: Workspace) {
            (name, zone, locale) = (workspace.name, workspace.timeZone, workspace.locale)
        }
    }

    private static func change(_ visit: PageVisit, _ fields: FormFields) async throws -> Response {
        var typed = Typed(visit.session.workspace)
        (typed.name, typed.zone, typed.locale) = (fields["name"] ?? "", fields["zone"] ?? "", fields["locale"] ?? "")
        let language = visit.language
        var errors: [String: String] = [:]
        if !typed.name.isName { errors["name"] = language("settings.error.name") }
        let zone = Zone(typed.zone)
        if zone == nil { errors["zone"] = language("programNew.error.zone") }
        guard errors.isEmpty else { return try await show(visit, typed, errors: errors) }
        let change = WorkspaceChange(name: typed.name, zone: zone, locale: typed.locale)
        do {
            try await visit.installation.write(visit.workspaceID, actor: visit.session.actor, rights: visit.session.rights) { write in
                _ = try Workspace.change(change, in: write)
            }
        } catch let problem as Problem where problem.status == .unprocessableContent {
            return try await show(visit, typed, errors: ["locale": language("settings.error.locale")])
        }
        return visit.seeOther("/settings?done=saved")
    }

    private static func show(_ visit: PageVisit, _ typed: Typed, errors: [String: String]) async throws -> Response {
        let language = visit.language
        let workspace = visit.workspaceID
        let vault = visit.installation.vault
        func say(_ key: String) -> String { language("settings.\(key)") }
        let (programs, orphans, domains) = try await visit.installation.main.read { connection in
            let programs = try ProgramStore.list(in: workspace, at: visit.now, after: nil, limit: programsMax, on: connection)
            return (
                programs, try PersonNames.load(members: programs.compactMap(\.settings.orphanMemberID), vault: vault, on: connection),
                try LinkStore.domains(of: workspace, limit: domainsMax, on: connection)
            )
        }
        let mayWrite = visit.session.may(.workspaceWrite)
        let company = PageForm(
            action: "/settings",
            fields: [
                .line("name", say("name"), typed.name, help: say("nameHelp"), error: errors["name"], isRequired: true),
                .line("zone", say("zone"), typed.zone, help: say("zoneHelp"), error: errors["zone"], isRequired: true, lengthMax: 60),
                .line("locale", say("locale"), typed.locale, help: say("localeHelp"), error: errors["locale"], isRequired: true, lengthMax: 35),
            ], buttons: [PageForm.Button(label: say("save"))], csrfToken: visit.csrfToken)
        let facts = [
            PageBlocks.Fact(label: say("name"), text: visit.session.workspace.name), PageBlocks.Fact(label: say("zone"), text: visit.session.workspace.timeZone),
        ]
        let rows = programs.map { program -> PageTable.Row in
            let unit = try? UnitCode(program.currency)
            return PageTable.Row(cells: [
                .name(program.name, url: "/programs/\(program.id.text)/settings"), .text(program.currency), .text(program.zone.name),
                .text(program.settings.holdDays == 0 ? language("program.hold.none") : language.plural("program.days", program.settings.holdDays)),
                .text(
                    program.settings.minimumPayoutMinor == 0
                        ? language("program.minimum.none") : unit.map { language.money(program.settings.minimumPayoutMinor, $0) } ?? ""),
                .text(program.settings.allowedHosts.isEmpty ? language("program.hosts.any") : program.settings.allowedHosts.listed(language)),
                .text(program.settings.orphanMemberID.map { orphans.member($0, language) } ?? say("nobody")),
            ])
        }
        let settings = visit.installation.settings
        let page = PageBlocks(
            heading: say("title"), lead: language.sentence("settings.lead", ["name": visit.session.workspace.name]),
            refused: errors.isEmpty ? nil : language("programSettings.refused"),
            blocks: [
                PageBlocks.Block(heading: say("company"), text: say("companyText"), facts: mayWrite ? [] : facts, forms: mayWrite ? [company] : []),
                PageBlocks.Block(
                    heading: say("programs"), text: say("programsText"),
                    table: rows.isEmpty
                        ? nil
                        : PageTable(
                            label: say("programs"),
                            columns: [
                                PageTable.Column(label: say("column.program")), PageTable.Column(label: say("column.currency"), isExtra: true),
                                PageTable.Column(label: say("column.zone"), isExtra: true), PageTable.Column(label: say("column.hold")),
                                PageTable.Column(label: say("column.minimum"), isExtra: true), PageTable.Column(label: say("column.hosts"), isExtra: true),
                                PageTable.Column(label: say("column.orphan"), isExtra: true),
                            ], rows: rows, language: language), empty: rows.isEmpty ? language("programs.empty.heading") : nil),
                PageBlocks.Block(
                    heading: say("addresses"), text: say("addressesText"), links: [PageBlocks.Link(url: DomainPages.path, label: say("toDomains"))],
                    facts: [PageBlocks.Fact(label: say("server"), text: visit.installation.baseURL)]
                        + domains.map { PageBlocks.Fact(label: say("domain"), text: $0) }),
                PageBlocks.Block(
                    heading: say("mail"),
                    facts: [
                        PageBlocks.Fact(label: say("mailServer"), text: visit.installation.mailServer == nil ? say("mailNone") : say("mailSet")),
                        PageBlocks.Fact(label: say("mailFrom"), text: settings.mailFrom ?? say("mailFromMade")),
                    ], note: say("mailNote")), PageBlocks.Block(heading: say("data"), text: say("dataText"), code: "kith backup FILE\nkith export FOLDER\nkith verify"),
            ])
        return try visit.blocks(
            page, current: "/settings", notice: visit.done("settings", ["saved"]), status: errors.isEmpty ? .ok : .unprocessableContent)
    }
}

extension LinkStore {
    static func domains(of workspace: WorkspaceID, limit: Int, on connection: any Connection) throws -> [String] {
        try connection.rows("SELECT host FROM short_domain WHERE workspace_id = \(workspace) ORDER BY host LIMIT \(limit)").map { try $0.get(at: 0) }
    }
}
