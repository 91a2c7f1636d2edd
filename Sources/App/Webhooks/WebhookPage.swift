import Chronology
import HTTPTypes
import Hummingbird
import Persistence
import Web

/// One webhook: what it is told, how it answered, its secret, and what can be done.
enum WebhookPage {
    static let deliveriesMax = 50

    static func add(to api: inout API, gate: PageGate) {
        api.page("/webhooks/{id}", .webhooksWrite, gate) { visit in try await show(visit, try visit.context.id()) }
        api.form("/webhooks/{id}", .webhooksWrite, gate) { visit, fields in try await change(visit, fields) }
        api.confirmedForm("/webhooks/{id}/secret", .webhooksWrite, gate, next: path) { visit, _ in
            let id: WebhookID = try visit.context.id()
            let secrets = visit.installation.secrets
            let made = try await write(visit) { write in try WebhookEndpoint.rotate(id, secrets: secrets, in: write) }
            return try await show(visit, id, secret: made.secret)
        }
        api.form("/webhooks/{id}/test", .webhooksWrite, gate) { visit, _ in
            let id: WebhookID = try visit.context.id()
            return try await back(visit, done: "tested") { write in _ = try WebhookEndpoint.test(id, in: write) }
        }
        api.form("/webhooks/{id}/state", .webhooksWrite, gate) { visit, fields in
            let id: WebhookID = try visit.context.id()
            let isEnabled = fields["enabled"] == "1"
            return try await back(visit, done: isEnabled ? "enabled" : "disabled") { write in
                _ = try WebhookEndpoint.change(id, WebhookChange(isEnabled: isEnabled), in: write)
            }
        }
        api.form("/webhooks/{id}/replay", .webhooksWrite, gate) { visit, fields in try await replay(visit, fields) }
        api.form("/webhooks/{id}/removal", .webhooksWrite, gate) { visit, _ in
            let id: WebhookID = try visit.context.id()
            try await write(visit) { write in try WebhookEndpoint.remove(id, in: write) }
            return visit.seeOther("/webhooks?done=removed")
        }
        api.form("/webhooks/deliveries/{id}/replay", .webhooksWrite, gate) { visit, _ in
            let id: WebhookDeliveryID = try visit.context.id()
            do {
                let delivery = try await write(visit) { write in try WebhookEndpoint.replay(id, in: write) }
                return visit.seeOther("/webhooks/\(delivery.endpointID.text)?done=sentAgain#block-1")
            } catch let problem as Problem where problem.code == "webhook_disabled" {
                return visit.seeOther("/webhooks")
            }
        }
    }

    private static let refusals: Set<String> = ["webhook_disabled", "webhook_without_secret", "replay_running"]
    private static let dones: Set<String> = ["saved", "tested", "enabled", "disabled", "replayed", "sentAgain"]

    private static func path(_ visit: PageVisit) -> String { "/webhooks/\(visit.context.parameters.get("id") ?? "")" }

    @discardableResult
    private static func write<T: Sendable>(_ visit: PageVisit, _ act: @escaping @Sendable (Write) throws -> T) async throws -> T {
        try await visit.installation.write(visit.workspaceID, actor: visit.session.actor, rights: visit.session.rights, act)
    }

    private static func back(_ visit: PageVisit, done: String, _ act: @escaping @Sendable (Write) throws -> Void) async throws -> Response {
        do {
            try await write(visit, act)
        } catch let problem as Problem where refusals.contains(problem.code) {
            return visit.seeOther("\(path(visit))?refused=\(problem.code)")
        }
        return visit.seeOther("\(path(visit))?done=\(done)")
    }

    private static func change(_ visit: PageVisit, _ fields: FormFields) async throws -> Response {
        let id: WebhookID = try visit.context.id()
        let typed = WebhookPages.Typed(fields)
        let errors = typed.errors(visit)
        guard errors.isEmpty, let selection = typed.selection else { return try await show(visit, id, typed: typed, errors: errors) }
        return try await back(visit, done: "saved") { write in
            _ = try WebhookEndpoint.change(id, WebhookChange(url: typed.url, events: selection), in: write)
        }
    }

    /// From the beginning of a day in the company's zone.
    private static func replay(_ visit: PageVisit, _ fields: FormFields) async throws -> Response {
        let id: WebhookID = try visit.context.id()
        guard let day = fields["from"].flatMap({ try? LocalDay(iso8601: $0) }) else {
            return try await show(visit, id, errors: ["from": visit.language("webhooks.error.day")])
        }
        let zone = Zone(visit.session.workspace.timeZone) ?? .utc
        return try await back(visit, done: "replayed") { write in
            _ = try WebhookEndpoint.replay(id, after: .time(zone.start(of: day)), in: write)
        }
    }

    static func show(
        _ visit: PageVisit, _ id: WebhookID, secret: WebhookSecret? = nil, typed: WebhookPages.Typed? = nil, errors: [String: String] = [:]
    ) async throws -> Response {
        let language = visit.language
        let workspace = visit.workspaceID
        func say(_ key: String) -> String { language("webhooks.\(key)") }
        let state = try visit.query.word("state", WebhookDelivery.State.self)
        let found = try await visit.installation.main.read { connection -> (WebhookEndpoint, [WebhookDelivery])? in
            guard let endpoint = try WebhookEndpointStore.find(id, .webhook, in: workspace, on: connection) else { return nil }
            return (endpoint, try WebhookDeliveryStore.list(of: id, state: state, before: nil, limit: deliveriesMax, on: connection))
        }
        guard let (endpoint, deliveries) = found else { throw Problem.notFound() }
        var blocks: [PageBlocks.Block] = []
        if let secret {
            blocks.append(
                PageBlocks.Block(
                    heading: say("secret.heading"), text: say("secret.text"), code: secret.text, copy: (language("blocks.copy"), language("blocks.copied")),
                    note: say("secret.note")))
        }
        if let remedy = remedy(endpoint, deliveries) {
            blocks.append(PageBlocks.Block(heading: say("remedy.heading"), note: say("remedy.\(remedy.rawValue)"), isWarning: true))
        }
        blocks.append(deliveryBlock(visit, endpoint, deliveries, state))
        blocks.append(actionBlock(visit, endpoint))
        let form = PageForm(
            action: "/webhooks/\(id.text)", fields: (typed ?? WebhookPages.Typed(endpoint)).fields(visit, errors: errors),
            buttons: [PageForm.Button(label: say("save"))], csrfToken: visit.csrfToken)
        blocks.append(PageBlocks.Block(heading: say("changeHeading"), forms: [form]))
        let replay = PageForm(
            action: "/webhooks/\(id.text)/replay",
            fields: [.line("from", say("from"), "", type: "date", help: say("fromHelp"), error: errors["from"], isRequired: true)],
            buttons: [PageForm.Button(label: say("replay"), style: "btn-plain")], csrfToken: visit.csrfToken)
        blocks.append(PageBlocks.Block(heading: say("replayHeading"), text: say("replayText"), forms: [replay]))
        blocks.append(
            PageBlocks.Block(
                heading: say("secretHeading"), text: say("secretText"),
                forms: [button("secret", say("rotate"), visit, id)],
                note: endpoint.previousSecretUntil.flatMap { $0 > visit.installation.world.now() ? language("webhooks.previousUntil", ["at": language.minute($0)]) : nil }))
        blocks.append(PageBlocks.Block(heading: say("removeHeading"), text: say("removeText"), forms: [button("removal", say("remove"), visit, id)]))
        let refused = visit.query["refused"].flatMap { refusals.contains($0) ? say("refused.\($0)") : nil } ?? (errors.isEmpty ? nil : say("notSaved"))
        let page = PageBlocks(
            heading: endpoint.url ?? id.text, crumb: ("/webhooks", say("title")), lead: lead(visit, endpoint), refused: refused, blocks: blocks)
        return try visit.blocks(
            page, current: "/webhooks", notice: visit.done("webhooks", dones), status: errors.isEmpty ? .ok : .unprocessableContent)
    }

    /// Of the newest try that failed, while it is not well.
    private static func remedy(_ endpoint: WebhookEndpoint, _ deliveries: [WebhookDelivery]) -> WebhookRemedy? {
        guard endpoint.health.failingSince != nil || endpoint.disabledReason == .gone || endpoint.disabledReason == .failing else { return nil }
        let tried = deliveries.filter { $0.triedAt != nil && $0.state != .delivered }
        guard let last = tried.max(by: { ($0.triedAt ?? $0.createdAt) < ($1.triedAt ?? $1.createdAt) }) else { return endpoint.disabledReason == .gone ? .gone : nil }
        return WebhookRemedy(status: last.status.map { Int64($0) })
    }

    /// How it is, in a sentence.
    private static func lead(_ visit: PageVisit, _ endpoint: WebhookEndpoint) -> PageValue {
        let language = visit.language
        let now = visit.installation.world.now()
        if endpoint.needsSecret { return language.sentence("webhooks.state.needsSecret") }
        if endpoint.state != .enabled { return language.sentence("webhooks.state.disabled", ["why": language("webhooks.disabled.\(endpoint.disabledReason?.rawValue ?? "person")")]) }
        if let until = endpoint.health.pausedUntil, until > now {
            return language.sentence("webhooks.state.paused", count: endpoint.health.failuresInRow, ["at": language.minute(until)])
        }
        if let since = endpoint.health.failingSince {
            return language.sentence("webhooks.state.failing", count: endpoint.health.failuresInRow, ["at": language.minute(since)])
        }
        return language.sentence("webhooks.state.well")
    }

    private static func button(_ path: String, _ label: String, _ visit: PageVisit, _ id: WebhookID, hidden: [(String, String)] = []) -> PageForm {
        PageForm(
            action: "/webhooks/\(id.text)/\(path)", hidden: hidden, buttons: [PageForm.Button(label: label, style: "btn-plain")], csrfToken: visit.csrfToken)
    }

    private static func actionBlock(_ visit: PageVisit, _ endpoint: WebhookEndpoint) -> PageBlocks.Block {
        func say(_ key: String) -> String { visit.language("webhooks.\(key)") }
        guard endpoint.state == .enabled else {
            return PageBlocks.Block(
                heading: say("enableHeading"), text: say("enableText"), forms: [button("state", say("enable"), visit, endpoint.id, hidden: [("enabled", "1")])])
        }
        return PageBlocks.Block(
            heading: say("testHeading"), text: say("testText"),
            forms: [button("test", say("test"), visit, endpoint.id), button("state", say("disable"), visit, endpoint.id, hidden: [("enabled", "0")])])
    }

    private static func deliveryBlock(
        _ visit: PageVisit, _ endpoint: WebhookEndpoint, _ deliveries: [WebhookDelivery], _ state: WebhookDelivery.State?
    ) -> PageBlocks.Block {
        let language = visit.language
        func say(_ key: String) -> String { language("webhooks.\(key)") }
        let path = "/webhooks/\(endpoint.id.text)"
        let links = [PageBlocks.Link(url: path, label: say("filter.all"))]
            + WebhookDelivery.State.allCases.map { PageBlocks.Link(url: "\(path)?state=\($0.rawValue)", label: say("filter.\($0.rawValue)")) }
        let rows = deliveries.map { delivery -> PageTable.Row in
            let (tone, icon) = tone(of: delivery.state)
            return PageTable.Row(cells: [
                .lines(delivery.eventType, delivery.eventID.text), .badge(say("delivery.\(delivery.state.rawValue)"), tone: tone, icon: icon),
                answer(delivery, visit),
                .number(language.integer(delivery.tries)), (delivery.dueAt ?? delivery.triedAt).map { .time($0) } ?? .nothing,
                endpoint.state == .enabled && delivery.state != .waiting
                    ? .forms([
                        PageForm(
                            action: "/webhooks/deliveries/\(delivery.id.text)/replay",
                            buttons: [PageForm.Button(label: say("sendAgain"), style: "btn-quiet btn-sm")], isInline: true, csrfToken: visit.csrfToken)
                    ]) : .nothing,
            ])
        }
        return PageBlocks.Block(
            heading: say("deliveries"), links: deliveries.isEmpty && state == nil ? [] : links,
            table: rows.isEmpty
                ? nil
                : PageTable(
                    label: say("deliveries"),
                    columns: [
                        PageTable.Column(label: say("column.event")), PageTable.Column(label: say("column.state")),
                        PageTable.Column(label: say("column.answer"), isExtra: true), PageTable.Column(label: say("column.tries"), isNumber: true, isExtra: true),
                        PageTable.Column(label: say("column.at"), isExtra: true), PageTable.Column(label: say("column.buttons"), isHidden: true),
                    ], rows: rows, language: language), empty: rows.isEmpty ? say(state == nil ? "noDelivery" : "noDeliverySuch") : nil, note: say("deliveriesNote"))
    }

    private static let answerShown = 120

    private static func answer(_ delivery: WebhookDelivery, _ visit: PageVisit) -> PageTable.Cell {
        let said = answered(delivery, visit.language)
        guard let answer = delivery.answer(visit.installation.secrets) ?? delivery.failure else { return .text(said) }
        return .lines(said, OneLine.folded(String(answer.prefix(answerShown))))
    }

    private static func tone(of state: WebhookDelivery.State) -> (tone: String, icon: String) {
        switch state {
        case .waiting: ("", "clock")
        case .delivered: ("good", "check")
        case .failed: ("bad", "warning")
        }
    }

    private static func answered(_ delivery: WebhookDelivery, _ language: PageLanguage) -> String {
        if let status = delivery.status {
            let ms = language.integer(delivery.durationMs ?? 0)
            return language("webhooks.answered", ["status": String(status), "ms": ms])
        }
        guard delivery.tries > 0 || delivery.state == .failed else { return language("webhooks.notTried") }
        return language("webhooks.noAnswer")
    }
}
