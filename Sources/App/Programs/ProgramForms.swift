import Attribution
import Chronology
import HTTPTypes
import Hummingbird
import Money
import Persistence
import Web

/// Making a program from a template, and changing a program's settings.
enum ProgramForms {
    static func add(to api: inout API, gate: PageGate) {
        api.page("/programs/new", .programsWrite, gate) { visit in
            let known = visit.query["template"].flatMap { ProgramTemplate(rawValue: $0) } ?? (visit.query["next"] == "guide" ? .shop : .referral)
            return try new(visit, NewTyped(name: "", template: known, currency: "EUR", zone: visit.session.workspace.timeZone, hosts: ""), errors: [:])
        }
        api.form("/programs", .programsWrite, gate) { visit, fields in try await make(visit, fields) }
        api.page("/programs/{id}/settings", .programsRead, gate) { visit in
            let program = try await program(visit)
            return try settings(visit, program, SettingsTyped(program, language: visit.language), errors: [:])
        }
        api.form("/programs/{id}/settings", .programsWrite, gate) { visit, fields in try await change(visit, fields) }
    }

    // MARK: A new one

    private struct NewTyped: Sendable {
        var name: String
        var template: ProgramTemplate
        var currency: String
        var zone: String
        var hosts: String
    }

    private static func make(_ visit: PageVisit, _ fields: FormFields) async throws -> Response {
        let template = fields["template"].map { ProgramTemplate(rawValue: $0) } ?? .empty
        let typed = NewTyped(
            name: fields["name"] ?? "", template: template ?? .empty,
            currency: (fields["currency"] ?? "").uppercased(), zone: fields["zone"] ?? "", hosts: fields["hosts"] ?? "")
        let language = visit.language
        var errors: [String: String] = [:]
        if template == nil { errors["template"] = language("programNew.error.template") }
        if !typed.name.isName { errors["name"] = language("programNew.error.name") }
        let currency = Currency(code: typed.currency)
        if currency == nil { errors["currency"] = language("programNew.error.currency") }
        let zone = Zone(typed.zone)
        if zone == nil { errors["zone"] = language("programNew.error.zone") }
        let hosts = hosts(typed.hosts)
        if !hosts.allSatisfy({ host in Destination.isAllowable(host) && (host == "localhost" || host.contains { ".:".contains($0) }) }) {
            errors["hosts"] = language("programNew.error.hosts")
        }
        guard errors.isEmpty, let currency, let zone else { return try new(visit, typed, errors: errors) }
        var settings = typed.template.settings
        settings.allowedHosts = hosts
        let input = NewProgram(name: typed.name, currency: currency.code, zone: zone, settings: settings)
        let documents = try typed.template.rules(currency, language: language).map { json in
            let reader = try JSONReader(json)
            let document = RuleDocument.read(reader)
            try reader.finish()
            return document
        }
        let program = try await visit.installation.write(visit.workspaceID, actor: visit.session.actor, rights: visit.session.rights) { write in
            let program = try Program.create(input, in: write)
            for document in documents { _ = try Rule.create(document, program: program.id, in: write) }
            return program
        }
        if typed.template == .referral { return visit.seeOther("/programs/\(program.id.text)/refer-a-friend") }
        if fields["next"] == "guide" { return visit.seeOther("/guide?done=program") }
        return visit.seeOther("/programs/\(program.id.text)?done=made")
    }

    private static func new(_ visit: PageVisit, _ typed: NewTyped, errors: [String: String]) throws -> Response {
        let language = visit.language
        let isGuide = visit.query["next"] == "guide"
        let form = PageForm(
            action: "/programs", hidden: isGuide ? [("next", "guide")] : [],
            fields: [
                .line(
                    "name", language("programNew.name"), typed.name, help: language("programNew.nameHelp"), error: errors["name"], isRequired: true),
                FormField(
                    name: "template", label: language("programNew.template"), error: errors["template"],
                    control: .radios(
                        ProgramTemplate.allCases.map {
                            FormField.Choice(
                                value: $0.rawValue, label: language("programNew.template.\($0.rawValue)"),
                                help: language("programNew.template.\($0.rawValue)Help"), isChosen: $0 == typed.template)
                        })),
                .line(
                    "currency", language("programNew.currency"), typed.currency, help: language("programNew.currencyHelp"), error: errors["currency"],
                    isRequired: true, isMono: true, lengthMax: 3),
                .line("zone", language("programNew.zone"), typed.zone, help: language("programNew.zoneHelp"), error: errors["zone"], isRequired: true, lengthMax: 60),
                FormField(
                    name: "hosts", label: language("programNew.hosts"), help: language("programNew.hostsHelp"), error: errors["hosts"], control: .area(typed.hosts, rows: 2),
                    lengthMax: 5_000),
            ], buttons: [PageForm.Button(label: language("programNew.submit"))], cancel: ("/programs", language("programNew.cancel")),
            csrfToken: visit.csrfToken)
        let page = PageBlocks(
            heading: language("programNew.title"), crumb: ("/programs", language("programs.title")), lead: language.sentence("programNew.lead"),
            refused: errors.isEmpty ? nil : language("programNew.refused"), blocks: [PageBlocks.Block(forms: [form])])
        return try visit.blocks(page, current: "/programs", isNarrow: true, status: errors.isEmpty ? .ok : .unprocessableContent)
    }

    /// One host a line, or between commas.
    static func hosts(_ text: String) -> [String] {
        text.split { $0.isWhitespace || $0 == "," || $0 == ";" }.prefix(100).map { part in
            var host = part.lowercased()
            for prefix in ["https://", "http://"] where host.hasPrefix(prefix) { host = String(host.dropFirst(prefix.count)) }
            host = String(host.split(separator: "/").first ?? "")
            // A port is no part of where links may lead.
            if let colon = host.lastIndex(of: ":"), case let port = host[colon...].dropFirst(), !port.isEmpty, port.allSatisfy(\.isNumber) { host = String(host[..<colon]) }
            return host.prefix(253).description
        }.filter { !$0.isEmpty }
    }

    /// Names between commas or spaces.
    private static func words(_ text: String) -> [String] { text.split { $0.isWhitespace || $0 == "," || $0 == ";" }.prefix(20).map(String.init) }

    // MARK: Settings

    private static func program(_ visit: PageVisit) async throws -> Program {
        let id: ProgramID = try visit.context.id()
        let workspace = visit.workspaceID
        let found = try await visit.installation.main.read { connection in try ProgramStore.find(id, in: workspace, at: visit.now, on: connection) }
        guard let found else { throw Problem.notFound() }
        return found
    }

    /// The settings as texts.
    private struct SettingsTyped: Sendable {
        var values: [String: String]

        static let names = [
            "model", "windowDays", "halfLifeDays", "binding", "bindingMonths", "holdDays", "minimumPayout", "hosts", "paidSearchPolicy", "orphan",
            "debtorName", "debtorIBAN", "debtorBIC", "cookieless", "postbacks", "linkParameters", "linkPaths", "from",
        ]

        init(_ fields: FormFields) {
            values = Dictionary(Self.names.map { ($0, String((fields[$0] ?? "").prefix(10_000))) }, uniquingKeysWith: { first, _ in first })
        }

        init(_ program: Program, language: PageLanguage) {
            let settings = program.settings
            let exponent = Currency(code: program.currency)?.exponent ?? 2
            let numbers = language.numbers
            values = [
                "model": settings.model.rawValue, "windowDays": numbers.written(String(settings.windowDays)),
                "halfLifeDays": numbers.written(String(settings.halfLifeDays)), "holdDays": numbers.written(String(settings.holdDays)),
                "linkParameters": settings.linkParameters.joined(separator: ", "), "linkPaths": settings.linkPaths.map { "/" + $0 }.joined(separator: ", "),
                "hosts": settings.allowedHosts.joined(separator: "\n"),
                "minimumPayout": numbers.written(Amount(minor: settings.minimumPayoutMinor).decimalText(exponent: exponent)),
                "paidSearchPolicy": settings.paidSearchPolicy.rawValue, "orphan": settings.orphanMemberID?.text ?? "",
                "debtorName": settings.debtor?.name ?? "", "debtorIBAN": settings.debtor?.iban ?? "", "debtorBIC": settings.debtor?.bic ?? "",
                "cookieless": settings.isCookieless ? "1" : "", "postbacks": settings.allowsPostbacks ? "1" : "",
            ]
            switch settings.binding {
            case .months(let months): (values["binding"], values["bindingMonths"]) = ("months", numbers.written(String(months)))
            case .lifetime: values["binding"] = "lifetime"
            case .none: values["binding"] = "none"
            }
        }

        subscript(name: String) -> String { values[name] ?? "" }
    }

    private static func change(_ visit: PageVisit, _ fields: FormFields) async throws -> Response {
        let program = try await program(visit)
        let typed = SettingsTyped(fields)
        let language = visit.language
        var errors: [String: String] = [:]
        func number(_ name: String, _ range: ClosedRange<Int64>) -> JSONValue {
            guard let value = language.typedCount(typed[name], in: range) else {
                errors[name] = language(
                    "programSettings.error.number", ["least": language.integer(range.lowerBound), "most": language.integer(range.upperBound)])
                return .integer(range.lowerBound)
            }
            return .integer(value)
        }
        let exponent = Currency(code: program.currency)?.exponent ?? 2
        let minimum = typed["minimumPayout"].isEmpty ? 0 : language.typedAmount(typed["minimumPayout"], exponent: exponent)
        if minimum == nil { errors["minimumPayout"] = language("programSettings.error.amount", ["example": language.exampleAmount(exponent: exponent)]) }
        var attribution = [JSONMember("model", .text(typed["model"])), JSONMember("windowDays", number("windowDays", 1...ProgramSettings.windowDaysMax))]
        // The form need not send it: what isn't named stays as it is.
        if !typed["halfLifeDays"].isEmpty { attribution.append(JSONMember("halfLifeDays", number("halfLifeDays", 1...ProgramSettings.windowDaysMax))) }
        let isInMonths = typed["binding"] == "months"
        let months = isInMonths || !typed["bindingMonths"].isEmpty ? number("bindingMonths", 1...ProgramSettings.bindingMonthsMax) : 0
        var body: [JSONMember] = [
            JSONMember("attribution", .object(attribution)),
            JSONMember("customerBinding", isInMonths ? ["months": months] : .text(typed["binding"])),
            JSONMember("holdDays", number("holdDays", 0...ProgramSettings.holdDaysMax)), JSONMember("minimumPayout", .integer(minimum ?? 0)),
            JSONMember("allowedHosts", .array(hosts(typed["hosts"]).map { .text($0) })), JSONMember("paidSearchPolicy", .text(typed["paidSearchPolicy"])),
            JSONMember("cookieless", .boolean(!typed["cookieless"].isEmpty)), JSONMember("memberPostbacks", .boolean(!typed["postbacks"].isEmpty)),
        ]
        for name in ["linkParameters", "linkPaths"] { body.append(JSONMember(name, .array(words(typed[name]).map { .text($0) }))) }
        if typed["debtorName"].isEmpty && typed["debtorIBAN"].isEmpty {
            body.append(JSONMember("debtor", .null))
        } else {
            body.append(
                JSONMember(
                    "debtor",
                    [
                        "name": .text(typed["debtorName"]), "iban": .text(typed["debtorIBAN"].filter { $0 != " " }),
                        "bic": typed["debtorBIC"].isEmpty ? .null : .text(typed["debtorBIC"]),
                    ]))
        }
        let orphan = try await member(typed["orphan"], visit)
        if !typed["orphan"].isEmpty && orphan == nil { errors["orphan"] = language("programSettings.error.orphan") }
        body.append(JSONMember("orphanMemberId", orphan.map { .text($0.text) } ?? .null))
        var from: Instant?
        if !typed["from"].isEmpty {
            let today = program.zone.day(of: visit.now)
            let day = TypedDay.read(typed["from"], today: today)
            if day == nil { errors["from"] = language("ruleForm.error.day") }
            // What has happened keeps the settings it had, and later versions would hide this one.
            if let day, day < today { errors["from"] = language("programSettings.error.past") }
            from = day.flatMap { $0 > today ? program.zone.start(of: $0) : nil }
        }
        guard errors.isEmpty else { return try settings(visit, program, typed, errors: errors) }
        do {
            let (typed, start) = (body, from)
            let isChanged = try await visit.installation.write(visit.workspaceID, actor: visit.session.actor, rights: visit.session.rights) { write in
                guard let then = try ProgramStore.find(program.id, in: write.workspace.id, at: start ?? write.now, on: write.connection) else {
                    throw Refusal.unknownProgram()
                }
                // The form sends every field; what is as it is there is not changed.
                let changed = try then.settings.changed(by: typed)
                if !changed.isEmpty { _ = try Program.change(program.id, Program.Change(fields: changed, effectiveFrom: start), in: write) }
                return !changed.isEmpty
            }
            visit.installation.linkIndex.forgetAll()
            return visit.seeOther("/programs/\(program.id.text)?done=\(isChanged ? "settings" : "same")")
        } catch let problem as Problem where problem.status == .unprocessableContent {
            let refused = Dictionary(problem.errors.map { (field($0.field), $0.message) }, uniquingKeysWith: { first, _ in first })
            return try settings(visit, program, typed, errors: refused)
        }
    }

    /// A member by id, or by what the company or their mail calls them.
    private static func member(_ text: String, _ visit: PageVisit) async throws -> MemberID? {
        if text.isEmpty { return nil }
        let workspace = visit.workspaceID
        let vault = visit.installation.vault
        return try await visit.installation.main.read { connection in
            let found = try MemberPages.lookUp(text, in: workspace, vault: vault, on: connection)
            return found.count == 1 ? found.first : nil
        }
    }

    private static func field(_ path: String) -> String {
        switch path {
        case "attribution.model": "model"
        case "attribution.windowDays": "windowDays"
        case "attribution.halfLifeDays": "halfLifeDays"
        case "customerBinding": "bindingMonths"
        case "allowedHosts": "hosts"
        case "orphanMemberId": "orphan"
        case "debtor.name": "debtorName"
        case "debtor.bic": "debtorBIC"
        case let other where other.hasPrefix("debtor"): "debtorIBAN"
        default: path
        }
    }

    private static func settings(_ visit: PageVisit, _ program: Program, _ typed: SettingsTyped, errors: [String: String]) throws -> Response {
        let language = visit.language
        func say(_ key: String) -> String { language("programSettings.\(key)") }
        func line(_ name: String, type: String = "text", suffix: String? = nil) -> FormField {
            .line(name, say(name), typed[name], type: type, help: say("\(name)Help"), error: errors[name], lengthMax: 100, suffix: suffix)
        }
        func select(_ name: String, _ values: [String], _ prefix: String) -> FormField {
            FormField(
                name: name, label: say(name), help: say("\(name)Help"), error: errors[name],
                control: .select(values.map { FormField.Choice(value: $0, label: language("\(prefix).\($0)"), isChosen: $0 == typed[name]) }))
        }
        let fields = [
            select("model", AttributionModel.allCases.map(\.rawValue), "program.model"), line("windowDays", suffix: say("unitDays")),
            select("binding", ["months", "lifetime", "none"], "programSettings.binding"), line("bindingMonths", suffix: say("unitMonths")),
            line("holdDays", suffix: say("unitDays")), line("minimumPayout", suffix: program.currency),
            FormField(
                name: "hosts", label: say("hosts"), help: say("hostsHelp"), error: errors["hosts"], control: .area(typed["hosts"], rows: 3), lengthMax: 10_000),
            line("linkParameters"), line("linkPaths"),
            select("paidSearchPolicy", ProgramSettings.PaidSearchPolicy.allCases.map(\.rawValue), "program.paidSearch"), line("orphan"),
            line("debtorName"), line("debtorIBAN"), line("debtorBIC"),
            FormField(
                name: "cookieless", label: say("cookies"),
                control: .checks([
                    FormField.Choice(value: "1", label: say("cookieless"), help: say("cookielessHelp"), isChosen: !typed["cookieless"].isEmpty)
                ])),
            FormField(
                name: "postbacks", label: say("postbacksLabel"),
                control: .checks([
                    FormField.Choice(value: "1", label: say("postbacks"), help: say("postbacksHelp"), isChosen: !typed["postbacks"].isEmpty)
                ])), line("from", type: "date"),
        ]
        let mayWrite = visit.session.may(.programsWrite)
        let form = PageForm(
            action: "/programs/\(program.id.text)/settings", fields: fields,
            buttons: mayWrite ? [PageForm.Button(label: say("submit"))] : [], cancel: ("/programs/\(program.id.text)", say("cancel")),
            note: language("programSettings.note"), csrfToken: visit.csrfToken)
        let page = PageBlocks(
            heading: language("programSettings.title", ["program": program.name]), crumb: ("/programs/\(program.id.text)", program.name),
            lead: language.sentence("programSettings.lead"), refused: errors.isEmpty ? nil : say("refused"), blocks: [PageBlocks.Block(forms: [form])])
        return try visit.blocks(page, current: "/programs", isNarrow: true, status: errors.isEmpty ? .ok : .unprocessableContent)
    }
}
