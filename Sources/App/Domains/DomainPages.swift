import Chronology
import HTTPTypes
import Hummingbird
import Persistence
import Web

/// The company's own hosts: what to enter where, what was found instead; and the sites that may frame the portal.
enum DomainPages {
    static let path = "/settings/domains"

    static func add(to api: inout API, gate: PageGate) {
        api.page("/settings/domains", .workspaceRead, gate) { visit in try await show(visit) }
        api.form(path, .workspaceWrite, gate) { visit, fields in try await ask(visit, fields) }
        api.form(path + "/embedding", .workspaceWrite, gate) { visit, fields in try await embed(visit, fields) }
        api.form(path + "/check", .workspaceWrite, gate) { visit, fields in
            guard let host = fields["host"].flatMap({ HostName(typed: $0) }) else { throw Problem.notFound() }
            do {
                let domain = try await visit.installation.checkDomain(host.text, in: visit.workspaceID, actor: visit.session.actor)
                return visit.seeOther(path + "?done=\(domain.state == .verified && domain.failingSince == nil ? "verified" : "looked")")
            } catch let problem as Problem where problem.code == "domain_taken" {
                return try await show(visit, errors: ["host": visit.language("domains.error.taken")])
            }
        }
        api.form(path + "/main", .workspaceWrite, gate) { visit, fields in
            try await write(visit) { write in _ = try CompanyDomain.makeMain(fields["host"] ?? "", in: write) }
            return visit.seeOther(path + "?done=main")
        }
        api.form(path + "/removal", .workspaceWrite, gate) { visit, fields in
            try await write(visit) { write in try CompanyDomain.remove(fields["host"] ?? "", in: write) }
            return visit.seeOther(path + "?done=removed")
        }
    }

    private static func write(_ visit: PageVisit, _ verb: @escaping @Sendable (Write) throws -> Void) async throws {
        try await visit.installation.write(visit.workspaceID, actor: visit.session.actor, rights: visit.session.rights, verb)
        visit.installation.hosts.forget()
    }

    private static func ask(_ visit: PageVisit, _ fields: FormFields) async throws -> Response {
        let typed = fields["host"] ?? ""
        guard let host = HostName(typed: typed) else {
            return try await show(visit, typed: typed, errors: ["host": visit.language("domains.error.host")])
        }
        let ownHost = visit.installation.ownHost
        do {
            try await write(visit) { write in _ = try CompanyDomain.add(host, ownHost: ownHost, in: write) }
        } catch let problem as Problem where problem.status == .unprocessableContent {
            let key = ["domain_taken": "taken", "domain_listed": "listed", "too_many_domains": "tooMany"][problem.code] ?? "host"
            return try await show(visit, typed: typed, errors: ["host": visit.language("domains.error.\(key)")])
        }
        return visit.seeOther(path + "?done=added")
    }

    private static func embed(_ visit: PageVisit, _ fields: FormFields) async throws -> Response {
        let typed = String((fields["origins"] ?? "").prefix(4_000))
        let lines = typed.split(whereSeparator: \.isNewline).map(String.init).filter { !$0.allSatisfy(\.isWhitespace) }
        let origins = lines.compactMap(EmbedOrigin.read)
        guard origins.count == lines.count, lines.count <= EmbedOrigin.countMax else {
            return try await show(visit, origins: typed, errors: ["origins": visit.language("domains.error.origins")])
        }
        try await write(visit) { write in try EmbedOrigin.set(origins, in: write) }
        return visit.seeOther(path + "?done=embedding")
    }

    private static func show(_ visit: PageVisit, typed: String = "", origins: String? = nil, errors: [String: String] = [:]) async throws -> Response {
        let workspace = visit.workspaceID
        let (domains, saved) = try await visit.installation.main.read { connection in
            (try DomainStore.list(in: workspace, on: connection), try EmbeddingStore.origins(of: workspace, on: connection))
        }
        let model = DomainModel(
            domains: domains, origins: origins ?? saved.joined(separator: "\n"), typed: typed, errors: errors, installation: visit.installation,
            mayWrite: visit.session.may(.workspaceWrite), csrfToken: visit.csrfToken, language: visit.language)
        return try visit.blocks(
            model.blocks, current: path, notice: visit.done("domains", ["added", "verified", "looked", "main", "removed", "embedding"]),
            status: errors.isEmpty ? .ok : .unprocessableContent)
    }
}

private struct DomainModel {
    var domains: [CompanyDomain]
    var origins: String
    var typed: String
    var errors: [String: String]
    var installation: Installation
    var mayWrite: Bool
    var csrfToken: String
    var language: PageLanguage

    var blocks: PageBlocks {
        PageBlocks(
            heading: say("title"),
            lead: language.sentence("domains.lead", count: Int64(domains.filter { $0.state == .verified }.count)),
            refused: errors.isEmpty ? nil : say("refused"),
            blocks: nameless + domains.map(block) + [
                PageBlocks.Block(heading: say("add"), text: say("addText"), forms: mayWrite ? [adding] : [], empty: mayWrite ? nil : say("noRight")),
                PageBlocks.Block(heading: say("embedding"), text: say("embeddingText"), facts: mayWrite ? [] : facts, forms: mayWrite ? [embedding] : []),
            ])
    }

    /// A server that is called by its number cannot be pointed at.
    private var nameless: [PageBlocks.Block] {
        let host = installation.ownHost
        guard host == "localhost" || host.allSatisfy({ $0.isNumber || $0 == "." }) || host.contains("[") else { return [] }
        return [PageBlocks.Block(heading: say("nameless"), text: language("domains.namelessText", ["host": host]), isWarning: true)]
    }

    private var facts: [PageBlocks.Fact] { [PageBlocks.Fact(label: say("origins"), text: origins.isEmpty ? say("nobody") : origins.replacing("\n", with: ", "))] }

    private func block(_ domain: CompanyDomain) -> PageBlocks.Block {
        let finding = domain.finding
        var facts = [PageBlocks.Fact(label: say("state"), text: say(domain.failingSince == nil ? "state.\(domain.state.rawValue)" : "state.failing"))]
        if domain.isMain { facts.append(PageBlocks.Fact(label: say("use"), text: say("isMain"))) }
        if let checked = domain.checkedAt {
            facts.append(PageBlocks.Fact(label: say("checked"), text: language.minute(checked)))
            if finding.proof != .none {
                facts.append(PageBlocks.Fact(label: say("proof"), text: say("proof.\(finding.proof.rawValue)")))
            } else {
                facts.append(PageBlocks.Fact(label: domain.recordName, text: found(finding)))
                if !finding.file.isEmpty { facts.append(PageBlocks.Fact(label: CompanyDomain.filePath, text: finding.file)) }
            }
            let leads = finding.names + finding.addresses
            facts.append(PageBlocks.Fact(label: say("leads"), text: leads.isEmpty ? say("nowhere") : leads.joined(separator: ", ")))
        }
        let rows = [
            [PageTable.Cell.text("TXT"), .mono(domain.recordName), .mono(domain.proof), .text(say("purpose.proof"))],
            [PageTable.Cell.text("CNAME"), .mono(domain.host), .mono(installation.ownHost), .text(say("purpose.lead"))],
        ]
        var forms: [PageForm] = []
        if mayWrite {
            forms.append(button(domain, "check", "checkNow", "btn-primary"))
            if domain.state == .verified, !domain.isMain { forms.append(button(domain, "main", "makeMain", "btn-plain")) }
            forms.append(button(domain, "removal", "remove", "btn-plain"))
        }
        return PageBlocks.Block(
            heading: domain.host, text: say("explained.\(domain.failingSince == nil ? domain.state.rawValue : "failing")"), facts: facts,
            table: PageTable(
                label: language("domains.records", ["host": domain.host]),
                columns: ["type", "name", "value", "purpose"].map { PageTable.Column(label: say("column.\($0)"), isExtra: $0 == "purpose") },
                rows: rows.map { PageTable.Row(cells: $0) }, language: language),
            forms: forms, note: language("domains.fileNote", ["url": "https://\(domain.host)\(CompanyDomain.filePath)", "content": domain.proof]))
    }

    private func found(_ finding: DomainFinding) -> String {
        if !finding.record.isEmpty { return finding.record }
        return finding.texts.isEmpty ? say("foundNothing") : language("domains.foundOthers", ["texts": finding.texts.joined(separator: ", ")])
    }

    private func button(_ domain: CompanyDomain, _ action: String, _ label: String, _ style: String) -> PageForm {
        PageForm(
            action: "\(DomainPages.path)/\(action)", hidden: [("host", domain.host)], buttons: [PageForm.Button(label: say(label), style: style)], isInline: true,
            csrfToken: csrfToken)
    }

    private var adding: PageForm {
        PageForm(
            action: DomainPages.path,
            fields: [.line("host", say("host"), typed, help: say("hostHelp"), error: errors["host"], isRequired: true, isMono: true, lengthMax: 253)],
            buttons: [PageForm.Button(label: say("addHost"))], csrfToken: csrfToken)
    }

    private var embedding: PageForm {
        PageForm(
            action: DomainPages.path + "/embedding",
            fields: [
                FormField(
                    name: "origins", label: say("origins"), help: say("originsHelp"), error: errors["origins"], control: .area(origins, rows: 3), isMono: true,
                    lengthMax: 4_000)
            ], buttons: [PageForm.Button(label: say("save"), style: "btn-plain")], csrfToken: csrfToken)
    }

    private func say(_ key: String) -> String { language("domains.\(key)") }
}
