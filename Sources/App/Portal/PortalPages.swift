import Chronology
import HTTPTypes
import Hummingbird
import Ledger
import Money
import Persistence
import Web

/// What a member sees: how they are doing, what to do, and why it is so.
enum PortalPages {
    static let newsMax = 5
    static let linksMax = 50

    static func add(to api: inout API, site: Site) {
        let gate = PortalGate(installation: api.installation, site: site)
        PortalSignInRoutes.add(to: &api, gate: gate)
        api.portalPage("/portal", gate) { visit in try await today(visit) }
        PortalShare.add(to: &api, gate: gate)
        PortalEarnings.add(to: &api, gate: gate)
        PortalFigurePage.add(to: &api, gate: gate)
        PortalWallet.add(to: &api, gate: gate)
        PortalParties.add(to: &api, gate: gate)
        PortalOccasions.add(to: &api, gate: gate)
        PortalSurveys.add(to: &api, gate: gate)
        PortalPayments.add(to: &api, gate: gate)
        PortalStatements.add(to: &api, gate: gate)
        PortalProfile.add(to: &api, gate: gate)
        PortalRankPages.add(to: &api, gate: gate)
        PortalData.add(to: &api, gate: gate)
        PortalRewards.add(to: &api, gate: gate)
    }

    private static func today(_ visit: PortalVisit) async throws -> Response {
        let (member, workspace, now, csrfToken) = (visit.member, visit.workspaceID, visit.now, visit.csrfToken)
        let model = try await visit.installation.main.read { connection -> PortalTodayModel in
            let programs = try PortalStore.programs(of: member.id, in: workspace, at: now, on: connection)
            return PortalTodayModel(
                name: visit.session.name, member: member, workspaceName: visit.session.workspace.name,
                balances: try Journal.balances(workspace: workspace.text, member: member.id.text, on: connection),
                links: try LinkStore.list(in: workspace, program: nil, member: member.id, after: nil, limit: linksMax, on: connection),
                lines: try PortalStore.lines(of: member.id, PortalStore.LineFilter(), limit: newsMax, on: connection),
                hasAccount: try PayoutStore.account(of: member.id, on: connection) != nil,
                possible: try programs.flatMap { program in
                    try PayoutRequest.possibilities(member, in: program, at: now, on: connection).map { (program, $0) }
                },
                terms: try TermsStore.unaccepted(by: member.id, in: programs.map(\.id), on: connection),
                hasRank: try !PortalRankPages.runs(of: visit, on: connection).isEmpty,
                hasRewards: try !RewardStore.ownedBy(member.id, limit: 1, on: connection).isEmpty,
                invitations: try PortalOccasions.invitations(member.id, programs, at: now, on: connection).count,
                question: try PortalSurveys.question(for: member, at: now, csrfToken: csrfToken, company: visit.session.workspace.name, visit.language, on: connection),
                help: try SurveyAnswerStore.help(for: member.personID, on: connection), now: now, language: visit.language)
        }
        return try visit.page("portal-today", title: visit.language("portalFrame.today"), tab: .today, model.page)
    }
}

/// Today: a greeting, what is there, and what would help most.
struct PortalTodayModel: PageModel {
    var name: String?
    var member: Member
    var workspaceName: String
    var balances: [MemberBalance]
    var links: [Link]
    var lines: [PortalStore.Line]
    var hasAccount: Bool
    var possible: [(Program, PayoutRequest.Possible)]
    var terms: [TermsStore.Unaccepted]
    /// Whether a plan's run has a rank for the member.
    var hasRank: Bool
    var hasRewards: Bool
    /// Events ahead that they are invited to.
    var invitations: Int
    /// What they are asked.
    var question: SurveyCard?
    /// They are unhappy and wait for the company: where they find help meanwhile, empty without an address. Nobody asks them to share.
    var help: String?
    var now: Instant
    var language: PageLanguage

    var page: PageObject {
        let title = name.map { language("portalToday.hello", ["name": $0]) } ?? language("portalToday.helloAnybody")
        return [
            "heading": .text(title), "initials": .text(Initials.of(name ?? workspaceName)), "lead": lead,
            "suspended": PageValue(member.status == .suspended ? language("portalToday.suspended") : nil), "hasRank": .flag(hasRank), "hasRewards": .flag(hasRewards),
            "events": PageValue(invitations == 0 ? nil : language.plural("portalToday.events", Int64(invitations))), "survey": PageValue(question?.page), "help": PageValue(help.map { SurveyCard.help($0, company: workspaceName, language) }), "steps": PageValue(steps),
            "hasLines": .flag(!lines.isEmpty), "lines": PageValue(lines.map { PortalLine(line: $0, now: now, language: language).page }),
        ]
    }

    private var clicks: Int64 { links.reduce(0) { $0 + $1.clicks } }

    private var lead: PageValue {
        let available = balances.filter { $0.available.minor > 0 }.map { language.money($0.available.minor, $0.unit) }
        let coming = balances.filter { $0.pending.minor + $0.held.minor > 0 }.map { language.money($0.pending.minor + $0.held.minor, $0.unit) }
        let values = [
            "available": available.joined(separator: language("list.separator")), "coming": coming.joined(separator: language("list.separator")),
            "workspace": workspaceName,
        ]
        switch (available.isEmpty, coming.isEmpty) {
        case (false, false): return language.sentence("portalToday.lead.both", values)
        case (false, true): return language.sentence("portalToday.lead.available", values)
        case (true, false): return language.sentence("portalToday.lead.coming", values)
        case (true, true):
            return clicks > 0
                ? language.sentence("portalToday.lead.clicks", count: clicks, values) : language.sentence("portalToday.lead.nothing", values)
        }
    }

    /// At most three, the most useful first; each says why.
    private var steps: [PageObject] {
        var steps: [PageObject] = []
        var known: Set<String> = []
        func add(_ key: String, _ url: String, _ values: [String: String] = [:]) {
            guard steps.count < 3, known.insert(key).inserted else { return }
            steps.append([
                "title": .text(language("portalToday.step.\(key)", values)),
                "why": .text(key == "again" ? language.plural("portalToday.step.again.why", clicks) : language("portalToday.step.\(key).why", values)),
                "action": .text(language("portalToday.step.\(key).action", values)), "url": .text(url), "icon": .text("step-\(key)"),
                "first": .flag(steps.isEmpty),
            ])
        }
        if let waiting = terms.first { add("terms", "/portal/profile#terms", ["program": waiting.programName]) }
        guard member.status != .suspended else { return steps }
        for (_, possible) in possible {
            let values = [
                "amount": language.money(possible.amountMinor, possible.unit), "minimum": language.money(possible.minimumMinor, possible.unit),
            ]
            switch possible.refusal {
            case nil: add("payout", "/portal/earnings?unit=\(possible.unit.code)#payout", values)
            case .noAccount where possible.amountMinor > 0: add("account", "/portal/profile#account", values)
            default: break
            }
        }
        if help != nil {
            // Whoever is unhappy is asked for nothing.
        } else if links.isEmpty {
            add("link", "/portal/share")
        } else if clicks == 0 {
            add("share", "/portal/share")
        } else {
            add("again", "/portal/share")
        }
        if !hasAccount, !steps.isEmpty { add("account", "/portal/profile#account", ["amount": ""]) }
        return steps
    }
}

/// One line of earnings as a list shows it.
struct PortalLine {
    var line: PortalStore.Line
    var now: Instant
    var language: PageLanguage

    var page: PageObject {
        [
            "url": .text("/portal/earnings/\(line.id.text)"), "title": .text(title), "why": .text(why),
            "amount": .text(language.money(line.keptMinor, line.unit)), "state": state, "at": language.time(line.occurredAt),
        ]
    }

    var title: String {
        switch line.cause {
        case .click: language("portalEarnings.line.click")
        case .lead: language("portalEarnings.line.lead")
        case .manual: language("portalEarnings.line.manual")
        case .sale: language(line.level == 0 ? "portalEarnings.line.sale" : "portalEarnings.line.team")
        }
    }

    private var why: String {
        let day = language.day(line.occurredAt)
        let values = ["day": day, "program": line.programName, "level": language.integer(Int64(line.level))]
        return language(line.level == 0 ? "portalEarnings.line.own" : "portalEarnings.line.level", values)
    }

    /// In words a member understands: when it is theirs.
    var state: PageValue {
        switch line.state {
        case .pending: ["tone": "", "label": .text(language("portalEarnings.state.pending", ["day": language.shortDay(language.zone.day(of: line.holdUntil))]))]
        case .held: ["tone": "warn", "label": .text(language("portalEarnings.state.held"))]
        case .approved: ["tone": "good", "label": .text(language("portalEarnings.state.approved"))]
        case .paid: ["tone": "good", "label": .text(language("portalEarnings.state.paid"))]
        case .canceled, .refused: ["tone": "", "label": .text(language("portalEarnings.state.canceled"))]
        case .reversed: ["tone": "", "label": .text(language("portalEarnings.state.reversed"))]
        }
    }
}
