import Chronology
import HTTPTypes
import Hummingbird
import Persistence
import Web

/// A vendor's page: the address to give them, the secret they give, a test event, and what they sent.
struct VendorPage {
    struct Typed: Sendable {
        var program: String?

        init() {}
        init(_ fields: FormFields) { program = fields["program"] }
    }

    let visit: PageVisit
    let vendor: Vendor
    var typed = Typed()
    var errors: [String: String] = [:]
    var draft: MappingDraft?

    private var language: PageLanguage { visit.language }
    private static let dones: Set<String> = ["connected", "disconnected", "sample", "sampleRefused", "replayed", "noMapping"]
    /// Reasons that the catalogue has words for.
    static let reasons: Set<String> = [
        "other_event", "nothing_new", "known_sale", "known_refund", "known_lead", "amount_changed", "test_order", "waits_for_buyer", "waits_for_sale", "not_paid_yet",
        "nothing_paid", "nothing_refunded", "nothing_of_ours", "subscription_ended", "never_paid", "waits_for_invoice", "invoice_conflict", "refund_currency", "refund_conflict", "refund_failed",
        "erasure_unknown", "erasure_elsewhere", "not_cancelled", "not_a_redaction", "data_request", "shop_left", "unknown_currency",
        "missing_amount", "malformed_amount", "missing_field", "not_connected", "payload_gone", "expired", "failed", "not_an_order", "not_an_event",
        "not_a_refund", "unknown_event", "no_mapping", "malformed_json", "amount_out_of_range",
    ]
    /// What a refused event needs, by its reason.
    static let remedies: Set<String> = [
        "malformed_amount", "unknown_currency", "missing_amount", "missing_field", "not_an_order", "not_an_event", "not_a_refund",
        "not_a_redaction", "not_cancelled", "refund_currency", "refund_conflict", "invoice_conflict", "unknown_event", "no_mapping",
        "malformed_json", "amount_out_of_range", "not_connected", "payload_gone", "expired", "failed", "erasure_unknown",
        "erasure_elsewhere"
    ]
    /// Where else than here it is mended.
    private static let places: [(codes: Set<String>, name: String, url: String)] = [
        (["refund_currency", "invoice_conflict", "refund_failed", "amount_changed"], "sales", "/sales"),
        (["erasure_unknown", "erasure_elsewhere", "data_request"], "customers", "/customers"),
    ]

    init(_ visit: PageVisit) throws { self.init(visit, try IntegrationPages.vendor(visit)) }

    init(_ visit: PageVisit, _ vendor: Vendor) { (self.visit, self.vendor) = (visit, vendor) }

    private struct Known: Sendable {
        var integration: Integration?
        var events: [InboundEvent]
        var samples: [InboundEvent]
        var programs: [Program]
    }

    func show() async throws -> Response {
        let known = try await read()
        let name = say("vendor.\(vendor.rawValue)")
        let isOn = known.integration != nil
        var blocks = [try connecting(known)]
        if vendor == .generic, visit.session.may(.keysWrite) { blocks += try mapping(known) }
        if isOn { blocks.append(sample(known)) }
        blocks += remedies(known.events)
        blocks.append(events(known.events, isSamples: false))
        if isOn, visit.session.may(.keysWrite) {
            blocks.append(
                PageBlocks.Block(
                    heading: say("disconnect.heading"), text: say("disconnect.text"),
                    forms: [form("/disconnection", say("disconnect.button"), style: "btn-plain")]))
        }
        let page = PageBlocks(
            heading: name, crumb: (IntegrationPages.path, say("title")),
            lead: language.sentence(isOn ? "integrations.vendorLead.on" : "integrations.vendorLead.off", ["vendor": name]),
            refused: errors.isEmpty ? nil : say("refused"), blocks: blocks)
        return try visit.blocks(
            page, current: IntegrationPages.path, notice: visit.done("integrations", Self.dones), status: errors.isEmpty ? .ok : .unprocessableContent)
    }

    private func say(_ key: String) -> String { language("integrations.\(key)") }

    private func read() async throws -> Known {
        let (workspace, now, vendor) = (visit.workspaceID, visit.installation.world.now(), vendor)
        let seal = visit.installation.inboundSeal
        return try await visit.installation.main.read { connection in
            let twin = try WorkspaceStore.twin(of: workspace, on: connection)
            return Known(
                integration: try IntegrationStore.find(vendor, in: workspace, at: now, seal: seal, on: connection),
                events: try InboundStore.newest(vendor, in: workspace, before: nil, limit: IntegrationPages.eventsMax, on: connection),
                samples: try twin.map { try InboundStore.newest(vendor, in: $0.id, before: nil, limit: 3, on: connection) } ?? [],
                programs: try ProgramStore.list(in: workspace, at: visit.now, after: nil, limit: ProgramPages.programsMax, on: connection))
        }
    }

    // MARK: Connecting

    private func connecting(_ known: Known) throws -> PageBlocks.Block {
        let mayWrite = visit.session.may(.keysWrite)
        var block = PageBlocks.Block(heading: say("path.heading"), text: say("path.\(vendor.rawValue)"))
        let address = Integration(
            workspaceID: visit.workspaceID, vendor: vendor, programID: ProgramID(stored: ""), secrets: known.integration?.secrets ?? [], createdAt: visit.now,
            updatedAt: visit.now
        ).address(visit.installation)
        if vendor != .postback {
            block.code = address
        } else if known.integration != nil, mayWrite {
            block.code = address + "?event=sale&transaction_id={transaction_id}&amount={amount}&currency={currency}&click_id={click_id}"
        }
        if block.code != nil { block.copy = (language("blocks.copy"), language("blocks.copied")) }
        let events = [Vendor.stripe: Stripe.events, .shopify: Shopify.events, .wooCommerce: WooCommerce.events][vendor] ?? []
        if !events.isEmpty { block.facts = [PageBlocks.Fact(label: say("events"), text: events.joined(separator: ", "))] }
        guard mayWrite else { return block }
        if known.programs.isEmpty {
            block.links = [PageBlocks.Link(url: "/programs/new", label: say("makeProgram"))]
        } else if vendor != .generic {
            block.forms = [
                PageForm(
                    action: "\(IntegrationPages.path)/\(vendor.rawValue)", fields: [program(known)] + (vendor.givesSecret ? [secret(known)] : []),
                    buttons: [PageForm.Button(label: known.integration == nil ? say("connect") : say(vendor == .postback ? "renew" : "save"))],
                    csrfToken: visit.csrfToken)
            ]
        }
        block.note = say("path.note.\(vendor.rawValue)")
        return block
    }

    private func program(_ known: Known) -> FormField {
        let chosen = typed.program ?? known.integration?.programID.text
        return FormField(
            name: "program", label: say("program"), help: say("programHelp"), error: errors["program"],
            control: .select(known.programs.map { FormField.Choice(value: $0.id.text, label: $0.name, isChosen: $0.id.text == chosen) }))
    }

    private func secret(_ known: Known) -> FormField {
        .line(
            "secret", say("secret"), "", type: "password", help: known.integration == nil ? say("secretHelp.\(vendor.rawValue)") : say("secretHelpKept"),
            error: errors["secret"], isMono: true, lengthMax: Integration.secretLengthMax)
    }

    private func mapping(_ known: Known) throws -> [PageBlocks.Block] {
        guard !known.programs.isEmpty else { return [] }
        let draft = draft ?? MappingDraft(known.integration?.mapping)
        var blocks: [PageBlocks.Block] = []
        if !draft.sample.isEmpty { blocks.append(draft.preview(language)) }
        let form = PageForm(
            action: "\(IntegrationPages.path)/generic", fields: [program(known), secret(known)] + draft.fields(language, error: errors["mapping"]),
            buttons: [
                PageForm.Button(label: say("mapping.preview"), name: "step", value: "preview", style: "btn-plain"),
                PageForm.Button(label: known.integration == nil ? say("connect") : say("save"), name: "step", value: "save"),
            ], csrfToken: visit.csrfToken)
        blocks.append(PageBlocks.Block(heading: say("mapping.heading"), text: say("mapping.text"), forms: [form]))
        return blocks
    }

    // MARK: Events

    private func sample(_ known: Known) -> PageBlocks.Block {
        var block = PageBlocks.Block(heading: say("sample.heading"), text: say("sample.text"))
        if visit.session.may(.trackWrite) { block.forms = [form("/sample", say("sample.button"), style: "btn-plain")] }
        if !visit.session.workspace.isTest, !known.samples.isEmpty {
            block.table = table(known.samples, label: say("sample.heading"), mayReplay: false)
        }
        return block
    }

    private func events(_ events: [InboundEvent], isSamples: Bool) -> PageBlocks.Block {
        PageBlocks.Block(
            heading: say("events.heading"), text: events.isEmpty ? nil : say("events.text"),
            table: events.isEmpty ? nil : table(events, label: say("events.heading"), mayReplay: visit.session.may(.trackWrite)),
            empty: events.isEmpty ? say("events.none") : nil)
    }

    private func table(_ events: [InboundEvent], label: String, mayReplay: Bool) -> PageTable {
        PageTable(
            label: label,
            columns: [
                PageTable.Column(label: say("column.type")), PageTable.Column(label: say("column.at")), PageTable.Column(label: say("column.became")),
                PageTable.Column(label: say("column.why"), isExtra: true), PageTable.Column(label: say("column.replay"), isHidden: true),
            ],
            rows: events.map { event in
                PageTable.Row(cells: [
                    .lines(event.type, event.isSample ? say("sampleMark") : event.vendorEventID.hasPrefix("h.") ? "" : event.vendorEventID),
                    .time(event.receivedAt), badge(event), .text(reason(event)),
                    mayReplay && event.hasPayload
                        ? .forms([
                            PageForm(
                                action: "\(IntegrationPages.path)/events/\(event.id.text)/replay",
                                buttons: [PageForm.Button(label: say("replay"), style: "btn-quiet btn-sm")], isInline: true, csrfToken: visit.csrfToken)
                        ]) : .nothing,
                ])
            }, language: language)
    }

    private func badge(_ event: InboundEvent) -> PageTable.Cell {
        let (tone, icon) =
            switch event.state {
            case .handled: ("good", "check")
            case .received, .waiting: ("", "clock")
            case .ignored: ("", "none")
            case .refused: ("bad", "warning")
            }
        return .badge(say("event.\(event.state.rawValue)"), tone: tone, icon: icon)
    }

    /// What is wrong with the events shown that were refused, each reason once with what helps.
    private func remedies(_ events: [InboundEvent]) -> [PageBlocks.Block] {
        var seen: Set<String> = []
        let refused = events.filter { $0.state == .refused && seen.insert($0.reasonCode ?? "").inserted }
        let places = places(events)
        if refused.isEmpty, places.isEmpty { return [] }
        let facts = refused.map { event in
            let code = event.reasonCode.flatMap { Self.remedies.contains($0) ? $0 : nil } ?? "other"
            return PageBlocks.Fact(label: reason(event), text: say("remedy.\(code)"))
        }
        return [PageBlocks.Block(heading: say("remedies"), links: places, facts: facts)]
    }

    /// Links to where the events shown are mended.
    private func places(_ events: [InboundEvent]) -> [PageBlocks.Link] {
        let codes = Set(events.compactMap(\.reasonCode))
        return visit.session.may(.salesRead)
            ? Self.places.filter { !$0.codes.isDisjoint(with: codes) }.map { PageBlocks.Link(url: $0.url, label: say("mend.\($0.name)")) } : []
    }

    /// In the catalogue's words where it has some; what a verb refuses is told as the API tells it.
    private func reason(_ event: InboundEvent) -> String {
        guard let code = event.reasonCode else { return "" }
        return Self.reasons.contains(code) ? language("integrations.reason.\(code)") : event.reason ?? code
    }

    private func form(_ path: String, _ label: String, style: String) -> PageForm {
        PageForm(
            action: "\(IntegrationPages.path)/\(vendor.rawValue)\(path)", buttons: [PageForm.Button(label: label, style: style)], csrfToken: visit.csrfToken)
    }
}
