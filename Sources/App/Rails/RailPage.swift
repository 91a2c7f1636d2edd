import HTTPTypes
import Hummingbird
import Persistence
import Web

/// One rail's page: its ten-minute path, its settings, and what its provider said last.
struct RailPage {
    let visit: PageVisit
    let kind: RailKind
    var typed: FormFields?
    /// Fields that were refused.
    var errors: [String: String] = [:]
    var refusedCode: String?
    /// Shown once.
    var shownSecret: String?

    init(_ visit: PageVisit) throws { (self.visit, kind) = (visit, try RailPages.kind(visit)) }

    static func inputs(_ kind: RailKind) -> [String] {
        switch kind {
        case .paypal: ["clientId", "secret", "sandbox"]
        case .stripe: ["secret"]
        case .external: ["url", "newSecret"]
        case .nacha: [
            "immediateDestination", "immediateDestinationName", "immediateOrigin", "companyName", "companyId", "originatingRouting", "entryDescription",
        ]
        case .wise: ["sourceCurrency"]
        }
    }

    private var language: PageLanguage { visit.language }
    private func say(_ key: String) -> String { language("rails.\(key)") }

    func show() async throws -> Response {
        let (workspace, seal, kind) = (visit.workspaceID, visit.installation.railSeal, kind)
        let rail = try await visit.installation.main.read { connection in try RailStore.find(kind, in: workspace, seal: seal, on: connection) }
        let name = say("name.\(kind.rawValue)")
        var blocks: [PageBlocks.Block] = []
        if let shownSecret {
            blocks.append(
                PageBlocks.Block(
                    heading: say("secret.heading"), text: say("secret.text"), code: shownSecret, copy: (language("blocks.copy"), language("blocks.copied"))))
        }
        if let rail, let code = rail.troubleCode {
            blocks.append(PageBlocks.Block(heading: say("trouble.heading"), text: say("trouble.text"), code: code, note: say("remedy.\(RailRemedy(code: code).rawValue)"), isWarning: true))
        }
        var connecting = PageBlocks.Block(heading: say("connecting"), text: say("path.\(kind.rawValue)"))
        if visit.session.may(.keysWrite) { connecting.forms = [form(rail)] } else { connecting.note = say("noRight") }
        blocks.append(connecting)
        if rail != nil, visit.session.may(.keysWrite) {
            blocks.append(
                PageBlocks.Block(
                    heading: say("disconnect.heading"), text: say("disconnect.text"),
                    forms: [
                        PageForm(
                            action: "\(RailPages.path)/\(kind.rawValue)/disconnection",
                            buttons: [PageForm.Button(label: say("disconnect.button"), style: "btn-plain")], isInline: true, csrfToken: visit.csrfToken)
                    ]))
        }
        let isRefused = !errors.isEmpty || refusedCode != nil
        let page = PageBlocks(
            heading: name, crumb: (RailPages.path, say("title")),
            lead: language.sentence(rail == nil ? "rails.railLead.off" : "rails.railLead.on", ["rail": name]),
            refused: refusedCode == nil ? (errors.isEmpty ? nil : say("refused")) : say("inUse"), blocks: blocks)
        return try visit.blocks(
            page, current: RailPages.path, isNarrow: true, notice: visit.done("rails", RailPages.dones), status: isRefused ? .unprocessableContent : .ok)
    }

    private func form(_ rail: Rail?) -> PageForm {
        PageForm(
            action: "\(RailPages.path)/\(kind.rawValue)", fields: Self.inputs(kind).compactMap { field($0, rail) },
            buttons: [PageForm.Button(label: rail == nil ? say("connect") : say("save"))], csrfToken: visit.csrfToken)
    }

    private func field(_ name: String, _ rail: Rail?) -> FormField? {
        let error = errors[name] == nil ? nil : say("error.\(name)")
        let known = rail?.settings.json[name]
        switch name {
        case "sandbox":
            return FormField(
                name: name, label: say("field.environment"), error: error,
                control: .radios(
                    ["true", "false"].map { value in
                        let isSandbox = typed.map { $0["sandbox"] == "true" } ?? rail?.settings.isSandbox ?? visit.session.workspace.isTest
                        return FormField.Choice(value: value, label: say("sandbox.\(value)"), isChosen: (value == "true") == isSandbox)
                    }))
        case "newSecret":
            guard rail != nil else { return nil }
            return FormField(
                name: name, label: say("field.newSecret"), control: .checks([FormField.Choice(value: "true", label: say("newSecret.true"))]))
        case "secret":
            let label = say(kind == .stripe ? "field.stripeSecret" : "field.secret")
            return .line(
                name, label, "", type: "password", help: rail == nil ? nil : say("secret.kept"), error: error, isRequired: rail == nil, isMono: true,
                lengthMax: Rail.secretLengthMax)
        default:
            var value = ""
            if case .text(let text)? = known { value = text }
            let isRequired = !["companyId", "originatingRouting", "entryDescription", "sourceCurrency"].contains(name)
            return .line(
                name, say("field.\(name)"), typed?[name] ?? value, type: name == "url" ? "url" : "text", help: say("help.\(name)"), error: error,
                isRequired: isRequired, isMono: true, lengthMax: name == "url" ? WebhookEndpoint.urlBytesMax : 128)
        }
    }
}
