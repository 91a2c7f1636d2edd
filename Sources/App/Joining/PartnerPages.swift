import HTTPTypes
import Hummingbird
import Money
import Persistence
import Web

/// Partners whom the team invites by name, and what the places bring that applicants come from.
enum PartnerPages {
    static let path = "/applications/invitations"
    static let sourcesPath = "/applications/sources"
    static let listMax = 100

    static func add(to api: inout API, gate: PageGate) {
        api.page("/applications/invitations", .membersRead, gate) { visit in try await list(visit) }
        api.page("/applications/sources", .membersRead, gate) { visit in try await sources(visit) }
        api.form("/applications/invitations", .membersWrite, gate) { visit, fields in try await invite(visit, fields) }
        api.form("/applications/invitations/{id}", .membersWrite, gate) { visit, fields in
            let id: PartnerInvitationID = try visit.context.id()
            let url = PartnerInvitation.url(visit.installation, of: visit.workspaceID)
            let withdraws = fields["act"] == "withdraw"
            do {
                try await visit.installation.write(visit.workspaceID, actor: visit.session.actor, rights: visit.session.rights) { write in
                    _ = try withdraws ? PartnerInvitation.withdraw(id, in: write) : PartnerInvitation.send(id, again: url, in: write)
                }
            } catch let problem as Problem where problem.status == .conflict || problem.status == .unprocessableContent {
                return try await list(visit, refused: visit.language("partners.error.\(problem.code)"), status: problem.status)
            }
            return visit.seeOther("\(path)?done=\(withdraws ? "withdrawn" : "again")")
        }
    }

    static func tabs(_ current: String, _ language: PageLanguage) -> [(url: String, label: String, isCurrent: Bool)] {
        [("/applications", "applications.title"), (path, "partners.tab"), (sourcesPath, "sources.tab")].map { ($0.0, language($0.1), $0.0 == current) }
    }

    // MARK: Invitations

    private static func invite(_ visit: PageVisit, _ fields: FormFields) async throws -> Response {
        let typed = ["program", "name", "email", "source"].reduce(into: [String: String]()) { $0[$1] = String((fields[$1] ?? "").prefix(300)) }
        var errors: [String: String] = [:]
        func fault(_ field: String) { errors[field] = visit.language("partners.error.\(field)") }
        let name = OneLine.folded(typed["name"] ?? "")
        let (email, source) = (Normalised.email(typed["email"] ?? ""), SourceQuality.word(typed["source"]))
        let program = typed["program"].flatMap { ProgramID($0) }
        if !name.isName { fault("name") }
        if email == nil { fault("email") }
        if source == nil { fault("source") }
        if program == nil { fault("program") }
        guard errors.isEmpty, let email, let source, let program else { return try await list(visit, typed: typed, errors: errors, status: .unprocessableContent) }
        let input = PartnerInvitation.Input(programID: program, name: name, email: email, source: source)
        let url = PartnerInvitation.url(visit.installation, of: visit.workspaceID)
        do {
            _ = try await visit.installation.write(visit.workspaceID, actor: visit.session.actor, rights: visit.session.rights) { write in
                try PartnerInvitation.make(input, url: url, in: write)
            }
        } catch let problem as Problem where problem.status == .conflict || problem.status == .unprocessableContent {
            let isOfProgram = problem.status == .unprocessableContent
            return try await list(
                visit, typed: typed, errors: isOfProgram ? ["program": visit.language("partners.error.join_page_closed")] : [:],
                refused: isOfProgram ? nil : visit.language("partners.error.\(problem.code)"), status: problem.status)
        }
        return visit.seeOther("\(path)?done=invited")
    }

    private static func list(
        _ visit: PageVisit, typed: [String: String] = [:], errors: [String: String] = [:], refused: String? = nil, status: HTTPResponse.Status = .ok
    ) async throws -> Response {
        let (workspace, vault, language) = (visit.workspaceID, visit.installation.vault, visit.language)
        let (found, names, programs, open) = try await visit.installation.main.read {
            connection -> ([PartnerInvitation], [PersonID: [PersonField: String]], [Program], Set<ProgramID>) in
            let found = try PartnerInvitationStore.newest(in: workspace, limit: listMax, on: connection)
            let programs = try ProgramStore.list(in: workspace, at: visit.now, after: nil, limit: LinkPages.programsMax, on: connection)
            return (
                found, try PersonStore.fields(of: found.map(\.personID), [.name, .email], vault: vault, on: connection), programs,
                Set(try programs.filter { try JoinStore.page(of: $0.id, on: connection)?.isOpen ?? false }.map(\.id))
            )
        }
        func say(_ key: String) -> String { language("partners.\(key)") }
        let mayWrite = visit.session.may(.membersWrite)
        let rows = found.map { invitation -> PageTable.Row in
            let person = names[invitation.personID] ?? [:]
            let isExpired = invitation.isExpired(at: visit.now)
            let (tone, icon) = invitation.state == .accepted ? ("good", "check") : invitation.state == .invited && !isExpired ? ("accent", "clock") : ("", "none")
            var forms: [PageForm] = []
            if mayWrite, invitation.state == .invited {
                var buttons: [PageForm.Button] = []
                if invitation.sends < Int64(PartnerInvitation.sendsMax) {
                    buttons.append(PageForm.Button(label: say("again"), name: "act", value: "again", style: "btn-plain btn-sm"))
                }
                buttons.append(PageForm.Button(label: say("withdraw"), name: "act", value: "withdraw", style: "btn-plain btn-sm"))
                forms = [PageForm(action: "\(path)/\(invitation.id.text)", buttons: buttons, isInline: true, csrfToken: visit.csrfToken)]
            }
            return PageTable.Row(cells: [
                .lines(person[.name] ?? say("forgotten"), person[.email] ?? programs.first { $0.id == invitation.programID }?.name ?? ""), .mono(invitation.source),
                .time(invitation.sentAt), .badge(say("state.\(isExpired ? "expired" : invitation.state.rawValue)"), tone: tone, icon: icon),
                forms.isEmpty ? .nothing : .forms(forms),
            ])
        }
        let offered = programs.filter { open.contains($0.id) }
        let form = PageForm(
            action: path,
            fields: [
                FormField(
                    name: "program", label: say("field.program"), error: errors["program"],
                    control: .select(offered.map { FormField.Choice(value: $0.id.text, label: $0.name, isChosen: $0.id.text == typed["program"]) })),
                .line("name", say("field.name"), typed["name"] ?? "", error: errors["name"], lengthMax: 200),
                .line("email", say("field.email"), typed["email"] ?? "", type: "email", error: errors["email"], lengthMax: Normalised.emailLengthMax),
                .line("source", say("field.source"), typed["source"] ?? "", help: say("field.sourceHelp"), error: errors["source"], lengthMax: SourceQuality.wordLengthMax),
            ], buttons: [PageForm.Button(label: say("invite"))], csrfToken: visit.csrfToken)
        var blocks = [
            PageBlocks.Block(
                heading: say("new"), text: say("newText"), forms: mayWrite && !offered.isEmpty ? [form] : [], empty: offered.isEmpty ? say("noPage") : mayWrite ? nil : say("readOnly"))
        ]
        if !rows.isEmpty {
            let columns = [
                PageTable.Column(label: say("column.person")), PageTable.Column(label: say("column.source"), isExtra: true),
                PageTable.Column(label: say("column.sent"), isExtra: true), PageTable.Column(label: say("column.state")),
                PageTable.Column(label: say("column.act"), isHidden: true),
            ]
            blocks.append(PageBlocks.Block(heading: say("list"), table: PageTable(label: say("list"), columns: columns, rows: rows, language: language), note: say("note")))
        }
        let waiting = found.filter { $0.state == .invited && !$0.isExpired(at: visit.now) }.count
        let page = PageBlocks(
            heading: say("title"), tabs: tabs(path, language), lead: language.sentence("partners.lead", count: Int64(waiting)),
            refused: refused ?? (errors.isEmpty ? nil : say("refused")), blocks: blocks)
        return try visit.blocks(page, current: "/applications", notice: visit.done("partners", ["invited", "again", "withdrawn"]), status: status)
    }

    // MARK: Sources

    private static func sources(_ visit: PageVisit) async throws -> Response {
        let (workspace, language) = (visit.workspaceID, visit.language)
        func say(_ key: String, _ values: [String: String] = [:]) -> String { language("sources.\(key)", values) }
        let found = try await visit.installation.main.read { connection -> [(Program, [SourceQuality])] in
            try ProgramStore.list(in: workspace, at: visit.now, after: nil, limit: LinkPages.programsMax, on: connection).map {
                ($0, try SourceQualityStore.of($0, in: workspace, at: visit.now, on: connection))
            }.filter { !$0.1.isEmpty }
        }
        let columns = [
            PageTable.Column(label: say("column.source")), PageTable.Column(label: say("column.applications"), isNumber: true),
            PageTable.Column(label: say("column.approved"), isNumber: true), PageTable.Column(label: say("column.active"), isNumber: true, isExtra: true),
            PageTable.Column(label: say("column.sales"), isNumber: true), PageTable.Column(label: say("column.amount"), isNumber: true, isExtra: true),
            PageTable.Column(label: say("column.refunded"), isNumber: true, isExtra: true), PageTable.Column(label: say("column.cost"), isNumber: true, isExtra: true),
        ]
        let blocks = found.map { program, sources -> PageBlocks.Block in
            func money(_ minor: Int64) -> String { Currency(code: program.currency).map { language.money(minor, .currency($0)) } ?? language.integer(minor) }
            let rows = sources.map { source in
                PageTable.Row(cells: [
                    [SourceQuality.member, SourceQuality.direct].contains(source.source) ? .text(say(source.source)) : .mono(source.source),
                    .number(language.integer(source.applications)), .number(language.integer(source.approved)),
                    .number(source.settled > 0 ? say("of", ["part": language.integer(source.active), "whole": language.integer(source.settled)]) : "–"),
                    .number(language.integer(source.sales)), .number(money(source.salesMinor)),
                    .number(source.refundedPPM.map { language.percent(ppm: $0) } ?? "–"), .number(money(source.costMinor)),
                ])
            }
            return PageBlocks.Block(heading: program.name, table: PageTable(label: program.name, columns: columns, rows: rows, language: language), note: say("note"))
        }
        return try visit.blocks(
            PageBlocks(
                heading: say("title"), tabs: tabs(sourcesPath, language), lead: language.sentence("sources.lead"), blocks: blocks,
                empty: blocks.isEmpty ? PageBlocks.Empty(heading: say("emptyHeading"), text: say("emptyText"), link: nil) : nil),
            current: "/applications")
    }
}
