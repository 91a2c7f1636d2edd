import Chronology
import HTTPTypes
import Hummingbird
import Persistence
import Web

/// Whom letters come from: what to enter in the domain's DNS, and what the check found there, in words.
enum MailDomainPages {
    static let path = "/settings/letters"

    static func add(to api: inout API, gate: PageGate) {
        api.page("/settings/letters", .workspaceRead, gate) { visit in try await show(visit, nil) }
        api.form(path, .workspaceWrite, gate) { visit, fields in try await save(visit, fields) }
        api.form(path + "/check", .workspaceWrite, gate) { visit, _ in
            let domain = try await visit.installation.checkMailDomain(in: visit.workspaceID, actor: visit.session.actor)
            return visit.seeOther(path + "?done=\(domain.state == .verified ? "verified" : "checked")")
        }
        api.form(path + "/removal", .workspaceWrite, gate) { visit, _ in
            try await visit.installation.write(visit.workspaceID, actor: visit.session.actor, rights: visit.session.rights) { write in
                try MailDomain.remove(in: write)
            }
            return visit.seeOther(path + "?done=removed")
        }
    }

    private static func save(_ visit: PageVisit, _ fields: FormFields) async throws -> Response {
        func word(_ name: String, _ maximum: Int = 253) -> String { String((fields[name] ?? "").prefix(maximum)) }
        let input = MailDomainInput(
            senderAddress: word("senderAddress"), spfInclude: word("spfInclude"), dkimSelector: word("dkimSelector"), dkimValue: word("dkimValue", 1_000),
            returnPathHost: word("returnPathHost"), returnPathTarget: word("returnPathTarget"))
        guard input.fault == nil else { return try await show(visit, input) }
        do {
            try await visit.installation.write(visit.workspaceID, actor: visit.session.actor, rights: visit.session.rights) { write in
                _ = try MailDomain.set(input, in: write)
            }
        } catch let problem as Problem where problem.code == MailDomain.takenCode {
            return try await show(visit, input, isTaken: true)
        }
        return visit.seeOther(path + "?done=saved")
    }

    private static func show(_ visit: PageVisit, _ typed: MailDomainInput?, isTaken: Bool = false) async throws -> Response {
        let workspace = visit.session.workspace
        let domain = try await visit.installation.main.read { connection in try MailDomainStore.find(workspace, on: connection) }
        let model = MailDomainModel(
            domain: domain, typed: typed, isTaken: isTaken, serverAddress: visit.installation.senderAddress, mayWrite: visit.session.may(.workspaceWrite), csrfToken: visit.csrfToken,
            language: visit.language)
        return try visit.blocks(
            model.blocks, current: path, notice: visit.done("letters", ["saved", "verified", "checked", "removed"]), status: typed == nil ? .ok : .unprocessableContent)
    }
}

private struct MailDomainModel {
    var domain: MailDomain?
    var typed: MailDomainInput?
    /// The domain that was typed is another team's.
    var isTaken: Bool
    var serverAddress: String
    var mayWrite: Bool
    var csrfToken: String
    var language: PageLanguage

    var blocks: PageBlocks {
        PageBlocks(
            heading: say("title"),
            lead: language.sentence("letters.lead", ["address": sender]), refused: typed == nil ? nil : say("refused"),
            blocks: (domain.map { [records($0), findings($0)] } ?? []) + [
                PageBlocks.Block(
                    heading: say("set"), text: say("setText"), facts: mayWrite ? [] : [PageBlocks.Fact(label: say("senderAddress"), text: sender)],
                    forms: mayWrite ? [form] : [], note: say("setNote"))
            ])
    }

    /// Whom letters come from today.
    private var sender: String { domain.flatMap { $0.isProved ? $0.senderAddress : nil } ?? serverAddress }

    private func records(_ domain: MailDomain) -> PageBlocks.Block {
        PageBlocks.Block(
            heading: say("records"), text: say("recordsText"),
            table: PageTable(
                label: say("records"), columns: ["what", "type", "name", "value"].map { PageTable.Column(label: say("column.\($0)")) },
                rows: domain.records.map { PageTable.Row(cells: [.text(say("record.\($0.kind.rawValue)")), .text($0.type), .mono($0.name), .mono($0.value)]) }, language: language),
            note: say("recordsNote"))
    }

    private func findings(_ domain: MailDomain) -> PageBlocks.Block {
        let rows = domain.findings.map { finding in
            PageTable.Row(cells: [
                .text(say("record.\(finding.kind.rawValue)")), badge(finding.level),
                .lines(language("letters.finding.\(finding.code.rawValue)", ["found": finding.found, "include": domain.spfInclude, "maximum": String(MailDomainCheck.lookupsMax)]), finding.found),
            ])
        }
        var forms: [PageForm] = []
        if mayWrite {
            forms = [("check", "check", "btn-primary"), ("removal", "remove", "btn-plain")].map { action, label, style in
                PageForm(action: "\(MailDomainPages.path)/\(action)", buttons: [PageForm.Button(label: say(label), style: style)], isInline: true, csrfToken: csrfToken)
            }
        }
        return PageBlocks.Block(
            heading: say("findings"), facts: domain.checkedAt.map { [PageBlocks.Fact(label: say("checked"), text: language.minute($0))] } ?? [],
            table: rows.isEmpty
                ? nil : PageTable(label: say("findings"), columns: ["what", "result", "found"].map { PageTable.Column(label: say("column.\($0)")) }, rows: rows, language: language),
            forms: forms, empty: rows.isEmpty ? say("unchecked") : nil, note: domain.state == .verified ? nil : say(domain.isProved ? "warning" : "unproved"), isWarning: domain.state != .verified)
    }

    private func badge(_ level: MailFinding.Level) -> PageTable.Cell {
        switch level {
        case .good: .badge(say("level.good"), tone: "good", icon: "check")
        case .warning: .badge(say("level.warning"), tone: "warn", icon: "warning")
        case .bad: .badge(say("level.bad"), tone: "bad", icon: "warning")
        }
    }

    private var form: PageForm {
        let fault = typed?.fault
        func line(_ name: String, _ value: String?, isRequired: Bool = false, lengthMax: Int = 253) -> FormField {
            .line(
                name, say(name), value ?? "", help: say("\(name)Help"), error: fault == name ? say("error.\(name)") : isTaken && name == "senderAddress" ? say("error.taken") : nil, isRequired: isRequired, isMono: true, lengthMax: lengthMax)
        }
        return PageForm(
            action: MailDomainPages.path,
            fields: [
                line("senderAddress", typed?.senderAddress ?? domain?.senderAddress, isRequired: true), line("spfInclude", typed?.spfInclude ?? domain?.spfInclude),
                line("dkimSelector", typed?.dkimSelector ?? domain?.dkimSelector), line("dkimValue", typed?.dkimValue ?? domain?.dkimValue, lengthMax: 1_000),
                line("returnPathHost", typed?.returnPathHost ?? domain?.returnPathHost), line("returnPathTarget", typed?.returnPathTarget ?? domain?.returnPathTarget),
            ], buttons: [PageForm.Button(label: say("save"))], csrfToken: csrfToken)
    }

    private func say(_ key: String) -> String { language("letters.\(key)") }
}
