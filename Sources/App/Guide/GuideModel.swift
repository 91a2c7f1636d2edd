import Chronology
import Money
import Web

/// The set-up guide: steps at one side, the lines to paste and what arrives at the other.
struct GuideModel: PageModel {
    struct LinkTyped: Sendable {
        var name = ""
        var email = ""
        var destination = ""
    }

    enum Lines: String, Sendable, CaseIterable { case api, snippet }

    let facts: GuideFacts
    let twin: Workspace
    let log: GuideLog
    let shows: Lines
    let typed: LinkTyped
    let errors: [String: String]
    let session: OperatorSession
    let baseURL: String
    let csrfToken: String
    let language: PageLanguage

    private enum Step: String, CaseIterable { case name, program, link, sale, live, invite }

    private func isDone(_ step: Step) -> Bool {
        switch step {
        case .name: true
        case .program: facts.here.programCount > 0
        case .link: facts.here.linkCount > 0
        case .sale: facts.twin.saleCount > 0
        case .live: facts.live.saleCount > 0
        case .invite: false
        }
    }

    private var next: Step { Step.allCases.first { !isDone($0) } ?? .invite }

    var page: PageObject {
        let done = Step.allCases.count(where: isDone)
        return [
            "progress": .text(
                language("guide.progress", ["done": language.integer(Int64(done)), "count": language.integer(Int64(Step.allCases.count))])),
            "heading": .text(language("guide.now.\(stand).heading")), "text": .text(language("guide.now.\(stand).text")),
            "action": PageValue(action), "actionForm": PageValue(actionForm), "steps": PageValue(Step.allCases.map(step)),
            "linkText": .text(language(session.workspace.isTest ? "guide.link.textTest" : "guide.link.text")),
            "linkForm": PageValue(facts.here.programCount > 0 && facts.here.linkCount == 0 && session.may(.linksWrite) ? linkForm.page : nil),
            "tabs": PageValue(
                Lines.allCases.map {
                    PageObject([
                        "url": .text("/guide?show=\($0.rawValue)#lines"), "label": .text(language("guide.lines.\($0.rawValue)")), "current": .flag($0 == shows),
                    ])
                }),
            "code": .text(code), "copy": .text(code), "codeText": .text(language("guide.lines.\(shows.rawValue)Text")),
            "keysForm": PageValue(facts.keys == nil && session.may(.keysWrite) ? keysForm.page : nil),
            "saleForm": PageValue(session.may(.trackWrite) && facts.live.programCount + facts.twin.programCount > 0 ? saleForm(style: "btn-plain").page : nil),
            "log": .object(log.page),
            "tryURL": PageValue(facts.stage.map { PageObject(["url": .text($0.link.url(baseURL: baseURL))]) }),
            "live": PageValue(liveSteps), "isDemo": .flag(facts.isDemo),
            "emptyHeading": .text(language(facts.isDemo ? "guide.empty.heading" : "guide.empty.another")), "emptyForm": PageValue(session.may(.workspaceOwn) ? emptyForm.page : nil),
            "refused": errors.isEmpty ? nil : .text(language("guide.refused")),
        ]
    }

    /// How it stands: the next step, or that all of it is invented.
    private var stand: String { facts.isDemo ? "demo" : next.rawValue }

    private var action: PageObject? {
        if facts.isDemo { return session.may(.workspaceOwn) ? ["url": "#start-empty", "label": .text(language("guide.now.demo.button"))] : nil }
        let url: String
        switch next {
        case .program: url = "/programs/new?next=guide"
        // What comes next is a form on this very page.
        case .link, .sale: return nil
        case .live: url = "#go-live"
        case .name, .invite: url = "/members"
        }
        return ["url": .text(url), "label": .text(language("guide.now.\(next.rawValue).button"))]
    }

    /// The next step itself, where one press is all it takes.
    private var actionForm: PageObject? {
        guard !facts.isDemo, next == .sale, session.may(.trackWrite) else { return nil }
        return saleForm(style: "btn-primary").page
    }

    private func step(_ step: Step) -> PageObject {
        let link: PageObject? =
            switch step {
            case .name: ["url": "/settings", "label": .text(language("guide.change"))]
            case .program: facts.newest.map { ["url": .text("/programs/\($0.program.id.text)"), "label": .text(language("guide.change"))] }
            case .link: facts.here.linkCount > 0 ? ["url": "/links", "label": .text(language("guide.look"))] : nil
            case .sale, .live, .invite: nil
            }
        return [
            "class": .text(isDone(step) ? "done" : step == next ? "now" : ""), "what": .text(language("guide.step.\(step.rawValue)")),
            "why": .text(why(step)), "link": PageValue(link),
        ]
    }

    private func why(_ step: Step) -> String {
        switch step {
        case .name: session.workspace.name
        case .program:
            facts.newest.flatMap { pattern -> String? in
                guard let rule = pattern.rules.first, let currency = Currency(code: pattern.program.currency) else { return nil }
                return RuleSentence(rule: rule, currency: currency, language: language).text
            } ?? language("guide.step.programWhy")
        case .link: facts.link.map { $0.url(baseURL: baseURL) } ?? language("guide.step.linkWhy")
        default: language("guide.step.\(step.rawValue)Why")
        }
    }

    // MARK: Lines to paste

    private var code: String {
        switch shows {
        case .api:
            let secret = facts.keys?.secret ?? "kith_sk_test_…"
            let currency = facts.stage?.program.currency ?? facts.newest?.program.currency ?? "EUR"
            let share = facts.stage?.link.code ?? language("guide.lines.code")
            return """
                curl -X POST \(baseURL)/api/v1/track/sale \\
                  -H "Authorization: Bearer \(secret)" \\
                  -H "Content-Type: application/json" \\
                  -d '{"invoiceId": "test-'$(date +%s)'", "customerExternalId": "ben",
                       "amount": 4200, "currency": "\(currency)", "code": "\(share)"}'
                """
        case .snippet:
            let publishable = facts.keys?.publishable ?? "kith_pk_test_…"
            return """
                <script>window.kith=window.kith||function(){(kith.q=kith.q||[]).push(arguments)}</script>
                <script src="\(baseURL)/kith.js" data-key="\(publishable)" defer></script>

                <script>
                kith('lead', {customerExternalId: '1001', eventName: 'signup'})
                </script>
                """
        }
    }

    private var keysForm: PageForm {
        PageForm(
            action: "/guide/keys", buttons: [PageForm.Button(label: language("guide.keys"), style: "btn-plain")], isInline: true, csrfToken: csrfToken)
    }

    private func saleForm(style: String) -> PageForm {
        PageForm(
            action: "/guide/test-sale", buttons: [PageForm.Button(label: language("guide.simulate"), style: style)], isInline: true, csrfToken: csrfToken)
    }

    private var linkForm: PageForm {
        PageForm(
            action: "/guide/link",
            fields: [
                .line("name", language("guide.link.name"), typed.name, help: language("guide.link.nameHelp"), error: errors["name"], isRequired: true),
                .line("email", language("guide.link.email"), typed.email, type: "email", error: errors["email"], isRequired: true, lengthMax: 254),
                .line(
                    "destination", language("guide.link.destination"), destination, type: "url", help: language("guide.link.destinationHelp"),
                    error: errors["destination"], isRequired: true, lengthMax: 2_048),
            ], buttons: [PageForm.Button(label: language("guide.link.submit"))], csrfToken: csrfToken)
    }

    /// What was typed, else the first page of the host that links may lead to.
    private var destination: String {
        guard typed.destination.isEmpty, let hosts = facts.newest?.program.settings.allowedHosts else { return typed.destination }
        return hosts.first { !$0.hasSuffix(":") && !$0.hasPrefix("*.") }.map { "https://\($0)/" } ?? ""
    }

    private var emptyForm: PageForm {
        PageForm(
            action: "/guide/start-empty",
            fields: [.line("name", language("guide.empty.name"), "", error: errors["workspace"], isRequired: true)],
            buttons: [PageForm.Button(label: language(facts.isDemo ? "guide.empty.submit" : "guide.empty.anotherSubmit"), style: facts.isDemo ? "btn-primary" : "btn-plain")], csrfToken: csrfToken)
    }

    private var liveSteps: [PageObject] {
        ["keys", "hosts", "webhook", "team", "backup"].map { name in
            ["what": .text(language("guide.live.\(name)")), "why": .text(language("guide.live.\(name)Why"))]
        }
    }
}

/// What arrived in the test workspace, the newest first.
struct GuideLog: PageModel {
    let events: [(event: Event, subject: String)]
    let twin: Workspace
    /// Whether the person looks at the test workspace now: else receipts are one switch away.
    let isHere: Bool
    let csrfToken: String
    let language: PageLanguage

    var page: PageObject {
        [
            "hasEvents": .flag(!events.isEmpty), "listening": .text(language(events.isEmpty ? "guide.log.first" : "guide.log.next")),
            "events": PageValue(
                events.map { event, subject -> PageObject in
                    let receipt = SaleID(subject).map { "/sales/\($0.text)/receipt" }
                    let receiptHere = isHere ? receipt : nil
                    return [
                        "at": language.shortTime(event.createdAt), "what": .text(words(event)), "url": PageValue(receiptHere), "bare": .flag(receiptHere == nil),
                        "crossing": PageValue(
                            isHere
                                ? nil
                                : receipt.map {
                                    PageObject([
                                        "csrfToken": .text(csrfToken), "workspaceId": .text(twin.id.text), "next": .text($0),
                                        "label": .text(language("guide.log.receipt")),
                                    ])
                                }),
                    ]
                }),
        ]
    }

    private func words(_ event: Event) -> String {
        let data = event.data.value
        let name = event.type.split(separator: ".").joined(separator: "_")
        var amount = ""
        if let minor = data["amount"]?.int64, let unit = (data["currency"] ?? data["unit"])?.string.flatMap({ try? UnitCode($0) }) {
            amount = language.money(minor, unit)
        }
        return language("guide.event.\(name)", ["amount": amount, "invoice": data["invoiceId"]?.string ?? ""])
    }
}
