import Chronology
import HTTPTypes
import Hummingbird
import Persistence
import Web

/// The keys of a workspace: what each may do, when it was last used, making one, revoking one.
enum APIKeyPages {
    static let keysMax = 500

    static func add(to api: inout API, gate: PageGate) {
        api.page("/keys", .keysWrite, gate) { visit in try await list(visit) }
        api.confirmedForm("/keys", .keysWrite, gate, next: { _ in "/keys" }) { visit, fields in try await make(visit, fields) }
        api.confirmedForm("/keys/{id}/revocation", .keysWrite, gate, next: { _ in "/keys" }) { visit, _ in
            let id: APIKeyID = try visit.context.id()
            try await visit.installation.write(visit.workspaceID, actor: visit.session.actor, rights: visit.session.rights) { write in
                try APIKey.revokeByPerson(id, in: write)
            }
            visit.installation.callers.forgetAll()
            return visit.seeOther("/keys?done=revoked")
        }
    }

    /// What was written into the form.
    private struct Typed: Sendable {
        var name = ""
        var kind = APIKey.Kind.secret
        /// A role, or empty for scopes.
        var role = Role.developer.rawValue
        var scopes: Set<Right> = []
    }

    private static func make(_ visit: PageVisit, _ fields: FormFields) async throws -> Response {
        let language = visit.language
        let typed = Typed(
            name: fields["name"] ?? "", kind: fields["kind"].flatMap { APIKey.Kind(rawValue: $0) } ?? .secret, role: fields["role"] ?? "",
            scopes: Set(fields.all("scopes").compactMap { Right(rawValue: $0) }))
        var errors: [String: String] = [:]
        if !typed.name.isName || typed.name.count > 100 { errors["name"] = language("keys.error.name") }
        let role = Role(rawValue: typed.role)
        if typed.kind == .secret, role == nil, typed.scopes.isEmpty { errors["scopes"] = language("keys.error.scopes") }
        guard errors.isEmpty else { return try await list(visit, typed, errors: errors) }
        let owner = visit.session.operatorID
        let made = try await visit.installation.write(visit.workspaceID, actor: visit.session.actor, rights: visit.session.rights) { write in
            if typed.kind == .secret { try write.mayGive(role.flatMap { Role.rights[$0] } ?? typed.scopes) }
            return try APIKey.create(
                name: typed.name, kind: typed.kind, role: typed.kind == .secret ? role : nil,
                scopes: typed.kind == .secret && role == nil ? typed.scopes.sorted { $0.rawValue < $1.rawValue } : [], for: owner, in: write)
        }
        return try await list(visit, made: made.text)
    }

    private static func list(
        _ visit: PageVisit, _ typed: Typed = Typed(), errors: [String: String] = [:], made: String? = nil
    ) async throws -> Response {
        let language = visit.language
        let workspace = visit.workspaceID
        let vault = visit.installation.vault
        func say(_ key: String) -> String { language("keys.\(key)") }
        let (keys, used, owners) = try await visit.installation.main.read { connection in
            let keys = try APIKeyStore.list(in: workspace, after: nil, limit: keysMax, on: connection)
            return (
                keys, try APIKeyStore.lastUses(in: workspace, on: connection),
                try OperatorNames.load(keys.map(\.operatorID.text), in: workspace, vault: vault, on: connection)
            )
        }
        var blocks: [PageBlocks.Block] = []
        if let made { blocks.append(PageBlocks.Block(heading: say("made.heading"), text: say("made.text"), code: made, copy: (language("blocks.copy"), language("blocks.copied")))) }
        let live = keys.filter { $0.revokedAt == nil }
        let rows = keys.sorted { ($0.revokedAt == nil ? 0 : 1, $1.id) < ($1.revokedAt == nil ? 0 : 1, $0.id) }.map { key -> PageTable.Row in
            let may = key.kind == .publishable ? say("mayBrowser") : key.role.map { language("role.\($0.rawValue)") } ?? key.scopes.map(\.rawValue).listed(language)
            let isOwn = key.operatorID == visit.session.operatorID || visit.session.may(.teamWrite)
            return PageTable.Row(
                cells: [
                    .lines(key.name, say("ending") + " …" + key.ending), .text(may), .name(owners.name(key.operatorID.text, language), url: nil),
                    .time(key.createdAt), used[key.id].map { .time($0) } ?? .text(say("never")),
                    key.revokedAt.map { _ in .badge(say("revoked"), tone: "", icon: "none") }
                        ?? (isOwn
                            ? .forms([
                                PageForm(
                                    action: "/keys/\(key.id.text)/revocation", buttons: [PageForm.Button(label: say("revoke"), style: "btn-quiet btn-sm")],
                                    isInline: true, csrfToken: visit.csrfToken)
                            ]) : .nothing),
                ], isOff: key.revokedAt != nil)
        }
        blocks.append(
            PageBlocks.Block(
                heading: say("list"),
                table: rows.isEmpty
                    ? nil
                    : PageTable(
                        label: say("list"),
                        columns: [
                            PageTable.Column(label: say("column.name")), PageTable.Column(label: say("column.may"), isExtra: true),
                            PageTable.Column(label: say("column.owner"), isExtra: true), PageTable.Column(label: say("column.made"), isExtra: true),
                            PageTable.Column(label: say("column.used")), PageTable.Column(label: say("column.buttons"), isHidden: true),
                        ], rows: rows, language: language), empty: rows.isEmpty ? say("none") : nil, note: say("note")))
        let roles = Role.allCases.filter { (Role.rights[$0] ?? []).isSubset(of: visit.session.rights) }
        let form = PageForm(
            action: "/keys",
            fields: [
                .line("name", say("name"), typed.name, help: say("nameHelp"), error: errors["name"], isRequired: true, lengthMax: 100),
                FormField(
                    name: "kind", label: say("kind"),
                    control: .radios(
                        [APIKey.Kind.secret, .publishable].map {
                            FormField.Choice(
                                value: $0.rawValue, label: say("kind.\($0.rawValue)"), help: say("kind.\($0.rawValue)Help"), isChosen: $0 == typed.kind)
                        })),
                FormField(
                    name: "role", label: say("may"), help: say("mayHelp"),
                    control: .select(
                        [FormField.Choice(value: "", label: say("mayScopes"), isChosen: typed.role.isEmpty)]
                            + roles.map { FormField.Choice(value: $0.rawValue, label: language("role.\($0.rawValue)"), isChosen: $0.rawValue == typed.role) })),
                FormField(
                    name: "scopes", label: say("scopes"), error: errors["scopes"],
                    control: .checks(
                        Right.allCases.filter { visit.session.may($0) }.map {
                            FormField.Choice(
                                value: $0.rawValue, label: language("right.\($0.rawValue.split(separator: ":").joined(separator: "."))"), isChosen: typed.scopes.contains($0))
                        })),
            ], buttons: [PageForm.Button(label: say("make"))], csrfToken: visit.csrfToken)
        blocks.append(PageBlocks.Block(heading: say("makeHeading"), text: say("makeText"), forms: [form]))
        let page = PageBlocks(
            heading: say("title"),
            lead: language.sentence(
                visit.session.workspace.isTest ? "keys.lead.test" : "keys.lead.live", count: Int64(live.count)),
            refused: errors.isEmpty ? nil : say("refused"), blocks: blocks)
        return try visit.blocks(
            page, current: "/keys", notice: visit.done("keys", ["revoked"]), status: errors.isEmpty ? .ok : .unprocessableContent)
    }
}

extension APIKey {
    /// Revokes one's own key, or another's with the right to change the team.
    static func revokeByPerson(_ id: APIKeyID, in write: Write) throws {
        guard let key = try APIKeyStore.find(id, in: write.workspace.id, on: write.connection) else { throw Refusal.unknown("key") }
        guard key.operatorID.text == write.actor.person || write.rights.contains(.teamWrite) else {
            throw Problem.forbidden(code: "missing_right", detail: "This key belongs to another person; ask them, or an admin.")
        }
        try revoke(id, in: write)
    }
}

extension APIKeyStore {
    static func lastUses(in workspace: WorkspaceID, on connection: any Connection) throws -> [APIKeyID: Instant] {
        Dictionary(
            try connection.rows("SELECT id, last_used_at FROM api_key WHERE workspace_id = \(workspace) AND last_used_at IS NOT NULL").map {
                (try $0.get(at: 0), try $0.get(at: 1))
            }, uniquingKeysWith: { first, _ in first })
    }

    static func setUsed(_ uses: [APIKeyID: Instant], on connection: any Connection) throws {
        for (id, at) in uses.sorted(by: { $0.key < $1.key }) {
            try connection.execute("UPDATE api_key SET last_used_at = \(at) WHERE id = \(id)")
        }
    }
}
