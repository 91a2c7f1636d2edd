import Chronology
import HTTPTypes
import Hummingbird
import Persistence
import Web

/// Connecting shops and payment providers: each with its ten-minute path, a test event, and what came lately.
enum IntegrationPages {
    static let eventsMax = 50
    static let countedMs: Int64 = 30 * 86_400_000
    static let path = "/integrations"

    static func add(to api: inout API, gate: PageGate) {
        api.page("/integrations", .workspaceRead, gate) { visit in try await list(visit) }
        ImportPages.add(to: &api, gate: gate)
        api.page("/integrations/{vendor}", .workspaceRead, gate) { visit in try await VendorPage(visit).show() }
        api.form(path + "/{vendor}", .keysWrite, gate) { visit, fields in try await save(visit, fields) }
        api.form(path + "/{vendor}/disconnection", .keysWrite, gate) { visit, _ in
            let vendor = try vendor(visit)
            try await visit.installation.write(visit.workspaceID, actor: visit.session.actor, rights: visit.session.rights) { write in
                try Integration.disconnect(vendor, in: write)
            }
            return visit.seeOther("\(path)/\(vendor.rawValue)?done=disconnected")
        }
        api.form(path + "/{vendor}/sample", .trackWrite, gate) { visit, _ in try await sample(visit) }
        api.form(path + "/events/{id}/replay", .trackWrite, gate) { visit, _ in
            let id: InboundID = try visit.context.id()
            let event = try await visit.installation.replay(id, in: visit.workspaceID, actor: visit.session.actor)
            return visit.seeOther("\(path)/\(event.vendor.rawValue)?done=replayed#events")
        }
    }

    static func vendor(_ visit: PageVisit) throws -> Vendor {
        guard let vendor = visit.context.parameters.get("vendor").flatMap({ Vendor(rawValue: $0) }) else { throw Problem.notFound() }
        return vendor
    }

    private static func save(_ visit: PageVisit, _ fields: FormFields) async throws -> Response {
        let vendor = try vendor(visit)
        var page = VendorPage(visit, vendor)
        page.typed = VendorPage.Typed(fields)
        guard let program = fields["program"].flatMap({ ProgramID($0) }) else {
            page.errors["program"] = visit.language("integrations.error.program")
            return try await page.show()
        }
        var mapping: GenericMapping?
        if vendor == .generic {
            let draft = MappingDraft(fields)
            page.draft = draft
            if fields["step"] == "preview" { return try await page.show() }
            do {
                mapping = try draft.mapping()
            } catch let problem as Problem where problem.status == .unprocessableContent {
                page.errors["mapping"] = problem.errors.map(\.message).first ?? problem.detail
                return try await page.show()
            }
        }
        let secret = fields["secret"].flatMap { $0.isEmpty ? nil : $0 }
        if let secret, secret.utf8.count > Integration.secretLengthMax {
            page.errors["secret"] = visit.language("integrations.error.secret")
            return try await page.show()
        }
        let seal = visit.installation.inboundSeal
        let (wantsToken, chosen) = (vendor == .postback, mapping)
        do {
            try await visit.installation.write(visit.workspaceID, actor: visit.session.actor, rights: visit.session.rights) { write in
                let token = wantsToken ? Base64URL.encode(write.world.random.bytes(InboundPostback.tokenBytes)) : secret
                _ = try Integration.connect(vendor, program: program, secret: token, mapping: chosen, seal: seal, in: write)
            }
        } catch let problem as Problem where problem.status == .unprocessableContent {
            let isSecret = problem.errors.contains { $0.field == "webhookSecret" }
            page.errors[isSecret ? "secret" : "program"] = visit.language(isSecret ? "integrations.error.secret" : "integrations.error.program")
            return try await page.show()
        }
        return visit.seeOther("\(path)/\(vendor.rawValue)?done=connected")
    }

    private static func sample(_ visit: PageVisit) async throws -> Response {
        let vendor = try vendor(visit)
        do {
            let event = try await VendorSample.send(
                vendor, visit.installation, from: visit.workspaceID, actor: visit.session.actor, sharerName: visit.language("guide.sharerName"),
                buyerName: visit.language("guide.buyerName"))
            return visit.seeOther("\(path)/\(vendor.rawValue)?done=\(event.state == .handled ? "sample" : "sampleRefused")#sample")
        } catch let problem as Problem where problem.code == "no_program" {
            return visit.seeOther("/programs/new")
        } catch let problem as Problem where problem.code == "no_mapping" {
            return visit.seeOther("\(path)/\(vendor.rawValue)?done=noMapping")
        }
    }

    private static func list(_ visit: PageVisit) async throws -> Response {
        let language = visit.language
        let (workspace, now) = (visit.workspaceID, visit.installation.world.now())
        let seal = visit.installation.inboundSeal
        let since = (try? visit.now.adding(milliseconds: -countedMs)) ?? visit.now
        func say(_ key: String) -> String { language("integrations.\(key)") }
        let (connected, counts, programs) = try await visit.installation.main.read { connection in
            (
                try IntegrationStore.list(in: workspace, at: now, seal: seal, on: connection),
                try InboundStore.counts(in: workspace, since: since, on: connection),
                try ProgramStore.list(in: workspace, at: visit.now, after: nil, limit: ProgramPages.programsMax, on: connection)
            )
        }
        let names = Dictionary(programs.map { ($0.id, $0.name) }, uniquingKeysWith: { first, _ in first })
        let rows = Vendor.allCases.map { vendor -> PageTable.Row in
            let known = connected.first { $0.vendor == vendor }
            let of = counts[vendor] ?? [:]
            return PageTable.Row(cells: [
                .lines(say("vendor.\(vendor.rawValue)"), say("what.\(vendor.rawValue)")),
                known == nil ? .badge(say("state.off"), tone: "", icon: "none") : .badge(say("state.on"), tone: "good", icon: "check"),
                known.map { .name(names[$0.programID] ?? say("programGone"), url: "/programs/\($0.programID.text)") } ?? .nothing,
                .number(language.integer(of.values.reduce(0, +))), .number(language.integer(of[.refused] ?? 0)),
                .name(known == nil ? say("connect") : say("open"), url: "\(path)/\(vendor.rawValue)"),
            ])
        }
        let page = PageBlocks(
            heading: say("title"), links: [PageBlocks.Link(url: "\(path)/import", label: language("imports.title"))],
            lead: language.sentence("integrations.lead", count: Int64(connected.count)),
            blocks: [
                PageBlocks.Block(
                    heading: say("list"),
                    table: PageTable(
                        label: say("list"),
                        columns: [
                            PageTable.Column(label: say("column.vendor")), PageTable.Column(label: say("column.state")),
                            PageTable.Column(label: say("column.program"), isExtra: true), PageTable.Column(label: say("column.events"), isNumber: true, isExtra: true),
                            PageTable.Column(label: say("column.refused"), isNumber: true, isExtra: true), PageTable.Column(label: say("column.open"), isHidden: true),
                        ], rows: rows, language: language), note: say("listNote"))
            ])
        return try visit.blocks(page, current: path)
    }
}
