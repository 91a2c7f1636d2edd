import Chronology
import HTTPTypes
import Hummingbird
import Persistence
import Web

/// The company's servers that are told what happens: how they are, adding one.
enum WebhookPages {
    static func add(to api: inout API, gate: PageGate) {
        api.page("/webhooks", .webhooksWrite, gate) { visit in try await list(visit) }
        api.confirmedForm("/webhooks", .webhooksWrite, gate, next: { _ in "/webhooks" }) { visit, fields in try await make(visit, fields) }
        WebhookPage.add(to: &api, gate: gate)
    }

    /// What was written into a form.
    struct Typed: Sendable {
        var url = ""
        var isAll = false
        var types: Set<EventType> = []

        init() {}

        init(_ endpoint: WebhookEndpoint) {
            url = endpoint.url ?? ""
            switch endpoint.events {
            case .all: isAll = true
            case .types(let chosen): types = Set(chosen)
            }
        }

        init(_ fields: FormFields) {
            url = String((fields["url"] ?? "").prefix(WebhookEndpoint.urlBytesMax * 2))
            let names = fields.all("events")
            isAll = names.contains(EventSelection.everything)
            types = Set(names.compactMap(EventType.init(rawValue:)))
        }

        var selection: EventSelection? {
            if isAll { return .all }
            let chosen = EventSelection.offered.filter(types.contains)
            return chosen.isEmpty ? nil : .types(chosen)
        }

        func errors(_ visit: PageVisit) -> [String: String] {
            var errors: [String: String] = [:]
            if let fault = WebhookURL(visit.installation.settings).fault(url) { errors["url"] = visit.language("webhooks.fault.\(fault.rawValue)") }
            if selection == nil { errors["events"] = visit.language("webhooks.error.events") }
            return errors
        }

        func fields(_ visit: PageVisit, errors: [String: String]) -> [FormField] {
            let language = visit.language
            func say(_ key: String) -> String { language("webhooks.\(key)") }
            return [
                .line(
                    "url", say("url"), url, type: "url", help: say("urlHelp"), error: errors["url"], isRequired: true, isMono: true,
                    lengthMax: WebhookEndpoint.urlBytesMax),
                FormField(
                    name: "events", label: say("events"), help: say("eventsHelp"), error: errors["events"],
                    control: .checks(
                        [FormField.Choice(value: EventSelection.everything, label: say("all"), help: say("allHelp"), isChosen: isAll)]
                            + EventSelection.offered.map {
                                FormField.Choice(
                                    value: $0.rawValue, label: $0.rawValue, help: language("webhooks.event.\($0.rawValue)"), isChosen: types.contains($0))
                            })),
            ]
        }
    }

    private static func make(_ visit: PageVisit, _ fields: FormFields) async throws -> Response {
        let typed = Typed(fields)
        let errors = typed.errors(visit)
        guard errors.isEmpty, let selection = typed.selection else { return try await list(visit, typed, errors: errors) }
        let secrets = visit.installation.secrets
        do {
            let made = try await visit.installation.write(visit.workspaceID, actor: visit.session.actor, rights: visit.session.rights) { write in
                try WebhookEndpoint.create(url: typed.url, events: selection, secrets: secrets, in: write)
            }
            return try await WebhookPage.show(visit, made.endpoint.id, secret: made.secret)
        } catch let problem as Problem where problem.code == "too_many_webhooks" {
            return try await list(
                visit, typed, errors: ["url": visit.language("webhooks.error.tooMany", ["count": visit.language.integer(Int64(WebhookEndpoint.countMax))])])
        }
    }

    private static func list(_ visit: PageVisit, _ typed: Typed = Typed(), errors: [String: String] = [:]) async throws -> Response {
        let language = visit.language
        let workspace = visit.workspaceID
        func say(_ key: String) -> String { language("webhooks.\(key)") }
        let (endpoints, counts) = try await visit.installation.main.read { connection in
            let endpoints = try WebhookEndpointStore.list(in: workspace, after: nil, limit: WebhookEndpoint.countMax, on: connection)
            return (endpoints, try WebhookDeliveryStore.counts(of: endpoints.map(\.id), on: connection))
        }
        let now = visit.installation.world.now()
        let rows = endpoints.map { endpoint -> PageTable.Row in
            let (tone, icon, state) = health(endpoint, at: now, language)
            return PageTable.Row(
                cells: [
                    .name(endpoint.url ?? "", url: "/webhooks/\(endpoint.id.text)"), .badge(state, tone: tone, icon: icon),
                    .text(endpoint.events == .all ? say("all") : language.plural("webhooks.types", Int64(endpoint.events.names.count))),
                    .number(language.integer(counts[endpoint.id]?[.waiting] ?? 0)), .number(language.integer(counts[endpoint.id]?[.failed] ?? 0)),
                ], isOff: endpoint.state != .enabled)
        }
        var blocks: [PageBlocks.Block] = []
        if rows.isEmpty {
            blocks.append(PageBlocks.Block(heading: say("empty.heading"), text: say("empty.text"), code: example, note: say("empty.note")))
        } else {
            blocks.append(
                PageBlocks.Block(
                    heading: say("list"),
                    table: PageTable(
                        label: say("list"),
                        columns: [
                            PageTable.Column(label: say("column.url")), PageTable.Column(label: say("column.health")),
                            PageTable.Column(label: say("column.events"), isExtra: true), PageTable.Column(label: say("column.waiting"), isNumber: true),
                            PageTable.Column(label: say("column.failed"), isNumber: true, isExtra: true),
                        ], rows: rows, language: language), note: say("note")))
        }
        let form = PageForm(
            action: "/webhooks", fields: typed.fields(visit, errors: errors), buttons: [PageForm.Button(label: say("make"))], csrfToken: visit.csrfToken)
        blocks.append(PageBlocks.Block(heading: say("makeHeading"), text: say("makeText"), forms: [form]))
        let ill = endpoints.filter { $0.state != .enabled || $0.health.failuresInRow > 0 || $0.needsSecret }.count
        let page = PageBlocks(
            heading: say("title"),
            lead: endpoints.isEmpty
                ? language.sentence("webhooks.lead.none")
                : language.sentence(
                    "webhooks.lead", count: Int64(endpoints.count), ["ill": ill == 0 ? say("leadWell") : language.plural("webhooks.leadIll", Int64(ill))]),
            refused: errors.isEmpty ? nil : say("refused"), blocks: blocks)
        return try visit.blocks(
            page, current: "/webhooks", notice: visit.done("webhooks", ["removed"]), status: errors.isEmpty ? .ok : .unprocessableContent)
    }

    /// What arrives, for those who have not seen any.
    private static let example = """
        POST /hooks HTTP/1.1
        content-type: application/json
        webhook-id: evt_01kaw3n8x5…
        webhook-timestamp: 1795348800
        webhook-signature: v1,K5oZfzN95Z9UVu1EsfQmfVNQhnkZ2pj9o9NDN/H/pI4=

        {"id":"evt_01kaw3n8x5…","type":"sale.created","createdAt":"2026-11-22T12:00:00.000Z","apiVersion":"\(Event.apiVersion)","data":{"id":"sale_…","amount":4900,"currency":"EUR"}}
        """

    static func health(_ endpoint: WebhookEndpoint, at now: Instant, _ language: PageLanguage) -> (tone: String, icon: String, text: String) {
        func say(_ key: String) -> String { language("webhooks.health.\(key)") }
        if endpoint.needsSecret { return ("warn", "warning", say("needsSecret")) }
        if endpoint.state != .enabled { return ("", "none", say("disabled")) }
        if let until = endpoint.health.pausedUntil, until > now { return ("bad", "warning", say("paused")) }
        if endpoint.health.failuresInRow > 0 { return ("warn", "warning", say("failing")) }
        return ("good", "check", say("well"))
    }
}
