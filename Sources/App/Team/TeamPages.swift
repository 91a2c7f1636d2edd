import Chronology
import HTTPTypes
import Hummingbird
import Persistence
import Web

/// Who works here: the list, inviting, and one person.
enum TeamPages {
    static let invitationsMax = 100

    static func add(to api: inout API, gate: PageGate) {
        api.page("/team", .workspaceRead, gate) { visit in try await list(visit) }
        api.confirmedForm("/team", .teamWrite, gate, next: { _ in "/team" }) { visit, fields in try await invite(visit, fields) }
        api.form("/team/invitations/{id}/withdrawal", .teamWrite, gate) { visit, _ in
            let id: InvitationID = try visit.context.id()
            return try await back(visit, to: "/team", done: "withdrawn") { write in try Team.withdraw(id, in: write) }
        }
        api.page("/team/{id}", .workspaceRead, gate) { visit in try await show(visit) }
        api.confirmedForm("/team/{id}/role", .teamWrite, gate, next: { _ in "/team" }) { visit, fields in
            let id: OperatorID = try visit.context.id()
            guard let role = fields["role"].flatMap({ Role(rawValue: $0) }) else { throw Problem.notFound() }
            return try await back(visit, to: "/team/\(id.text)", done: "role") { write in try Team.setRole(role, of: id, in: write) }
        }
        api.form("/team/{id}/sign-out", nil, gate) { visit, _ in
            let id: OperatorID = try visit.context.id()
            guard id == visit.session.operatorID || visit.session.may(.teamWrite) else {
                throw Problem.forbidden(code: "missing_right", detail: "This needs the right \(Right.teamWrite.rawValue).")
            }
            let isOwn = id == visit.session.operatorID
            return try await back(visit, to: isOwn ? "/sign-in" : "/team/\(id.text)", done: isOwn ? nil : "signedOut") { write in
                try Team.signOut(id, in: write)
            }
        }
        api.form("/team/{id}/removal", .teamWrite, gate) { visit, _ in
            let id: OperatorID = try visit.context.id()
            return try await back(visit, to: "/team", done: "removed") { write in try Team.remove(id, in: write) }
        }
    }

    private static let refusals: Set<String> = ["last_owner", "missing_right", "already_in_team"]
    private static let dones: Set<String> = ["withdrawn", "role", "signedOut", "removed"]

    private static func back(
        _ visit: PageVisit, to path: String, done: String?, _ act: @escaping @Sendable (Write) throws -> Void
    ) async throws -> Response {
        do {
            try await visit.installation.write(visit.workspaceID, actor: visit.session.actor, rights: visit.session.rights, act)
            visit.installation.callers.forgetAll()
        } catch let problem as Problem where refusals.contains(problem.code) {
            let id = try? visit.context.id(OperatorKind.self)
            return visit.seeOther((id.map { "/team/\($0.text)" } ?? "/team") + "?refused=\(problem.code)")
        }
        return visit.seeOther(done.map { "\(path)?done=\($0)" } ?? path)
    }

    private static func refused(_ visit: PageVisit) -> String? {
        visit.query["refused"].flatMap { refusals.contains($0) ? visit.language("team.refused.\($0)") : nil }
    }

    // MARK: The list

    private struct Person: Sendable {
        var id: OperatorID
        var role: Role
        var since: Instant
        var email: String?
        var name: String?
        var seenAt: Instant?
        var sessions: Int64

        var shown: String { name ?? email.map { String($0.prefix { $0 != "@" }) } ?? id.text }
    }

    private static func people(_ visit: PageVisit) async throws -> (people: [Person], invitations: [(TeamStore.OpenInvitation, String?)]) {
        let team = visit.session.workspace.teamID
        let vault = visit.installation.vault
        let now = visit.installation.world.now()
        return try await visit.installation.main.read { connection in
            let people = try TeamStore.team(of: team, on: connection).map { member -> Person in
                let identity = try TeamStore.identity(of: member.id, vault: vault, on: connection)
                let sessions = try TeamStore.sessions(of: member.id, in: team, at: now, on: connection)
                return Person(
                    id: member.id, role: member.role, since: member.since, email: identity.email, name: identity.name, seenAt: sessions.seenAt,
                    sessions: sessions.count)
            }
            let open = try TeamStore.invitations(in: team, at: now, limit: invitationsMax, on: connection).map {
                ($0, try TeamStore.identity(of: $0.operatorID, vault: vault, on: connection).email)
            }
            return (people, open)
        }
    }

    private static func list(
        _ visit: PageVisit, email: String = "", role: Role = .viewer, errors: [String: String] = [:], invitation: String? = nil
    ) async throws -> Response {
        let language = visit.language
        let (people, open) = try await people(visit)
        func say(_ key: String) -> String { language("team.\(key)") }
        var blocks: [PageBlocks.Block] = []
        if let invitation {
            blocks.append(
                PageBlocks.Block(heading: say("invited.heading"), text: say("invited.text"), code: invitation,
                    copy: (language("blocks.copy"), language("blocks.copied")), note: say("invited.note")))
        }
        blocks.append(
            PageBlocks.Block(
                heading: say("people"),
                table: PageTable(
                    label: say("people"),
                    columns: [
                        PageTable.Column(label: say("column.person")), PageTable.Column(label: say("column.role")),
                        PageTable.Column(label: say("column.since"), isExtra: true), PageTable.Column(label: say("column.seen"), isExtra: true),
                    ],
                    rows: people.map { person in
                        PageTable.Row(cells: [
                            .person(person.shown, url: "/team/\(person.id.text)"), .text(language("role.\(person.role.rawValue)")), .time(person.since),
                            person.seenAt.map { .time($0) } ?? .text(say("seenNever")),
                        ])
                    }, language: language)))
        let mayWrite = visit.session.may(.teamWrite)
        if !open.isEmpty {
            blocks.append(
                PageBlocks.Block(
                    heading: say("open"),
                    table: PageTable(
                        label: say("open"),
                        columns: [
                            PageTable.Column(label: say("column.email")), PageTable.Column(label: say("column.role")),
                            PageTable.Column(label: say("column.until"), isExtra: true), PageTable.Column(label: say("column.buttons"), isHidden: true),
                        ],
                        rows: open.map { invitation, email in
                            PageTable.Row(cells: [
                                .name(email ?? language("person.unknown"), url: nil), .text(language("role.\(invitation.role.rawValue)")),
                                .time(invitation.expiresAt),
                                mayWrite
                                    ? .forms([
                                        PageForm(
                                            action: "/team/invitations/\(invitation.id.text)/withdrawal",
                                            buttons: [PageForm.Button(label: say("withdraw"), style: "btn-quiet btn-sm")], isInline: true, csrfToken: visit.csrfToken)
                                    ]) : .nothing,
                            ])
                        }, language: language)))
        }
        if mayWrite {
            let form = PageForm(
                action: "/team",
                fields: [
                    .line("email", say("email"), email, type: "email", help: say("emailHelp"), error: errors["email"], isRequired: true, lengthMax: 254),
                    FormField(name: "role", label: say("role"), error: errors["role"], control: .radios(roles(chosen: role, visit))),
                ], buttons: [PageForm.Button(label: say("invite"))], csrfToken: visit.csrfToken)
            blocks.append(PageBlocks.Block(heading: say("inviteHeading"), text: say("inviteText"), forms: [form]))
        }
        let page = PageBlocks(
            heading: say("title"),
            lead: language.sentence("team.lead", count: Int64(people.count), ["open": open.isEmpty ? "" : language.plural("team.leadOpen", Int64(open.count))]),
            refused: refused(visit) ?? (errors.isEmpty ? nil : say("notInvited")), blocks: blocks)
        return try visit.blocks(
            page, current: "/team", isNarrow: true, notice: visit.done("team", dones), status: errors.isEmpty ? .ok : .unprocessableContent)
    }

    /// The roles that this person may give.
    private static func roles(chosen: Role, _ visit: PageVisit) -> [FormField.Choice] {
        Role.allCases.filter { (Role.rights[$0] ?? []).isSubset(of: visit.session.rights) }.map {
            FormField.Choice(
                value: $0.rawValue, label: visit.language("role.\($0.rawValue)"), help: visit.language("team.roleHelp.\($0.rawValue)"), isChosen: $0 == chosen)
        }
    }

    private static func invite(_ visit: PageVisit, _ fields: FormFields) async throws -> Response {
        let typed = fields["email"] ?? ""
        let role = fields["role"].flatMap { Role(rawValue: $0) } ?? .viewer
        guard let email = Normalised.email(typed) else {
            return try await list(visit, email: typed, role: role, errors: ["email": visit.language("team.error.email")])
        }
        let baseURL = visit.installation.baseURL
        do {
            let invited = try await visit.installation.write(visit.workspaceID, actor: visit.session.actor, rights: visit.session.rights) { write in
                try Team.invite(email: email, role: role, in: write) { "\(baseURL)/invitations/\($0)" }
            }
            return try await list(visit, invitation: "\(baseURL)/invitations/\(invited.token)")
        } catch let problem as Problem where problem.code == "already_in_team" {
            return try await list(visit, email: typed, role: role, errors: ["email": visit.language("team.refused.already_in_team")])
        }
    }

    // MARK: One person

    private static func show(_ visit: PageVisit) async throws -> Response {
        let id: OperatorID = try visit.context.id()
        guard let person = try await people(visit).people.first(where: { $0.id == id }) else { throw Problem.notFound() }
        let language = visit.language
        func say(_ key: String) -> String { language("team.\(key)") }
        func form(_ path: String, _ button: String, style: String, fields: [FormField] = [], note: String? = nil) -> PageForm {
            PageForm(
                action: "/team/\(id.text)/\(path)", fields: fields, buttons: [PageForm.Button(label: say(button), style: style)], note: note,
                csrfToken: visit.csrfToken)
        }
        var blocks = [
            PageBlocks.Block(
                heading: say("facts"),
                facts: [
                    PageBlocks.Fact(label: say("email"), text: person.email ?? "–"),
                    PageBlocks.Fact(label: say("role"), text: language("role.\(person.role.rawValue)")),
                    PageBlocks.Fact(label: say("column.since"), text: language.day(person.since)),
                    PageBlocks.Fact(
                        label: say("sessions"),
                        text: person.seenAt.map { language.plural("team.sessionsOpen", person.sessions, ["at": language.minute($0)]) } ?? say("seenNever")),
                ])
        ]
        let mayWrite = visit.session.may(.teamWrite)
        if mayWrite {
            blocks.append(
                PageBlocks.Block(
                    heading: say("changeRole"),
                    forms: [
                        form("role", "saveRole", style: "btn-primary", fields: [
                            FormField(name: "role", label: say("role"), control: .radios(roles(chosen: person.role, visit)))
                        ])
                    ]))
        }
        if mayWrite || id == visit.session.operatorID {
            blocks.append(PageBlocks.Block(heading: say("signOutHeading"), text: say("signOutText"), forms: [form("sign-out", "signOut", style: "btn-plain")]))
        }
        if mayWrite {
            blocks.append(PageBlocks.Block(heading: say("removeHeading"), text: say("removeText"), forms: [form("removal", "remove", style: "btn-plain")]))
        }
        let page = PageBlocks(heading: person.shown, crumb: ("/team", say("title")), refused: refused(visit), blocks: blocks)
        return try visit.blocks(page, current: "/team", isNarrow: true, notice: visit.done("team", dones))
    }
}
