import Chronology
import Money
import Persistence
import Web

/// Makes the message of a letter: the texts of the person's language in the two templates.
struct MailWriter: Sendable {
    let installation: Installation
    let site: Site

    /// Nil when the person was erased, or the letter was sent and forgotten.
    func write(_ mail: Mail) async throws -> MailMessage? {
        let baseURL = installation.publicURL(of: mail.workspaceID)
        let found = try await installation.main.read { [vault = installation.vault] connection -> (Letter, Workspace, String?, Theme, MailDomain?)? in
            guard let letter = try MailStore.letter(mail, vault: vault, on: connection),
                let workspace = try WorkspaceStore.find(mail.workspaceID, on: connection)
            else { return nil }
            return (
                letter, workspace, try Self.ownLink(of: mail, on: connection)?.url(baseURL: baseURL), try ThemeStore.find(workspace, on: connection),
                try MailDomainStore.find(workspace, on: connection)
            )
        }
        guard let (letter, workspace, linkURL, theme, domain) = found else { return nil }
        let audience: TextAudience = mail.kind == .friendInvitation ? .friends : .everybody
        let language = PageLanguage(messages: site.catalogue.messages(for: mail.locale, audience: audience), zone: Zone(workspace.timeZone) ?? .utc)
        var stopURL = StopLink(mail).map { $0.url(installation, of: mail.workspaceID) }
        if case .friendInvitation(let said) = letter.content { stopURL = said.unwantedURL }
        var draft = MailDraft(
            letter.content, workspace: workspace, language: language, stopURL: stopURL,
            places: MailDraft.Places(signInURL: baseURL + "/portal/sign-in", linkURL: linkURL))
        draft.wear(theme, logoURL: workspace.logoURL.map { baseURL + $0 })
        return MailMessage(
            id: mail.id, senderName: OneLine.folded(workspace.name), senderAddress: domain.flatMap { $0.isProved ? $0.senderAddress : nil } ?? installation.senderAddress, to: letter.to, subject: draft.subject,
            text: try site.render("mail-letter.text", draft.page, in: language), html: try site.render("mail-letter", draft.page, in: language),
            date: mail.createdAt, stopURL: stopURL)
    }
}

extension MailWriter {
    /// The first link of whom a letter greets.
    private static func ownLink(of mail: Mail, on connection: any Connection) throws -> Link? {
        guard mail.kind == .memberWelcome, case .person(let person) = mail.addressee,
            let member = try MemberStore.find(person: person, in: mail.workspaceID, on: connection)
        else { return nil }
        return try LinkStore.list(in: mail.workspaceID, program: nil, member: member.id, after: nil, limit: 1, on: connection).first
    }
}

/// What stands in a letter, in finished words.
struct MailDraft: PageModel {
    var subject: String
    var page: PageObject

    /// Where a member who is greeted goes next.
    struct Places: Sendable {
        var signInURL: String
        /// Their own link, when they have one yet.
        var linkURL: String?
    }

    init(_ content: MailContent, workspace: Workspace, language: PageLanguage, stopURL: String?, places: Places? = nil) {
        var prefix = "mail.\(content.kind.rawValue)"
        var values = ["workspace": workspace.name]
        func place(_ program: String) {
            values["program"] = program
            // A program that bears the company's name needs it no second time.
            values["place"] =
                program.lowercased().contains(workspace.name.lowercased())
                ? program : language("mail.place", ["program": program, "workspace": workspace.name])
        }
        var lead = ""
        var note: String?
        var facts: [(name: String, value: String)] = []
        var actionURL: String?
        var heading: String?
        var imprintURL: String?
        switch content {
        case .teamInvitation(let url), .memberSignIn(let url), .erasureAsked(let url): actionURL = url
        case .joinConfirmation(let program, let url), .applicationWaiting(let program, let url), .applicationApproved(let program, let url):
            place(program)
            actionURL = url
        case .applicationReceived(let program): place(program)
        case .applicationDeclined(let program, let reason):
            place(program)
            facts = [(language("mail.fact.reason"), reason)]
        case .memberWelcome(let program):
            place(program)
            actionURL = places?.signInURL
            if let link = places?.linkURL { facts = [(language("mail.fact.link"), link)] }
            note = language(places?.linkURL == nil ? "\(prefix).noteWithoutLink" : "\(prefix).note", values)
        case .commissionsApproved(let count, let minorByUnit):
            lead = language.plural("\(prefix).lead", count, values)
            facts = minorByUnit.sorted { $0.key < $1.key }.map { (language("mail.fact.earned"), Self.money($0.value, $0.key, language)) }
        case .payoutPaid(let amountMinor, let unit, let reference):
            values["amount"] = Self.money(amountMinor, unit, language)
            facts = [(language("mail.fact.amount"), Self.money(amountMinor, unit, language)), (language("mail.fact.reference"), reference)]
        case .newSignIn(let atMs, let browser, let system): facts = Self.signIn(atMs, browser, system, language)
        case .memberNewSignIn(let atMs, let browser, let system, let url):
            facts = Self.signIn(atMs, browser, system, language)
            actionURL = url
        case .payoutAccountChanged(let ending): facts = [(language("mail.fact.account"), "…\(ending)")]
        case .webhookDisabled(let address, let reason, let url):
            facts = [(language("mail.fact.address"), address), (language("mail.fact.reason"), language("webhooks.disabled.\(reason)"))]
            actionURL = url
        case .groupChanged(let program, let group, let description, let reason):
            place(program)
            actionURL = places?.signInURL
            if let group {
                values["group"] = group
            } else {
                lead = language("\(prefix).leadNone", values)
            }
            if !description.isEmpty { facts.append((language("mail.fact.offer"), description)) }
            if !reason.isEmpty { facts.append((language("mail.fact.reason"), reason)) }
        case .standingRisen(let program, let what, let brings, let isBadge):
            place(program)
            actionURL = places?.signInURL
            values["what"] = what
            lead = language(isBadge ? "\(prefix).leadBadge" : "\(prefix).lead", values)
            if !brings.isEmpty { facts.append((language("mail.fact.offer"), brings)) }
        case .rewardGiven(let program, let terms, let code, let hasPages):
            place(program)
            if hasPages { actionURL = places?.signInURL }
            facts = [(language("mail.fact.reward"), RewardWords(language: language).what(JSONText(text: terms).value))]
            if let code { facts.append((language("mail.fact.code"), code)) }
        case .rewardChoice(let program, let kinds):
            prefix = "mail.rewardChoice"
            place(program)
            actionURL = places?.signInURL
            facts = JSONText(text: kinds).value.elements.enumerated().map { number, kind in
                (language("mail.fact.choice", ["number": String(number + 1)]), RewardWords(language: language).what(kind))
            }
        case .partnerInvitation(let program, let name, let url):
            place(program)
            values["name"] = name
            actionURL = url
        case .friendInvitation(let said):
            values["name"] = said.from ?? language("\(prefix).somebody", values)
            actionURL = said.url
            heading = said.headline.isEmpty ? nil : said.headline
            imprintURL = said.imprintURL.isEmpty ? nil : said.imprintURL
            if !said.words.isEmpty { facts = [(language("\(prefix).words", values), said.words)] }
        case .partySettled(let program, let title, let minor, let unit):
            place(program)
            actionURL = places?.signInURL
            values["title"] = title
            facts = [(language("mail.fact.reward"), (try? UnitCode(unit)).map { language.money(minor, $0) } ?? "")]
        case .occasion(let moment, let program, let title, let startsMs, let zone, let where_):
            prefix += ".\(moment.rawValue)"
            place(program)
            values["title"] = title
            actionURL = moment == .canceled ? nil : places?.signInURL
            let local = language.inZone(Zone(zone) ?? .utc)
            facts = [(language("mail.fact.when"), "\(local.minute(Instant(millisecondsSince1970: startsMs))) (\(zone))")]
            if !where_.isEmpty { facts.append((language("mail.fact.where"), where_)) }
        case .survey(let program, let question, let url):
            place(program)
            heading = question
            values["question"] = question
            actionURL = url
        case .approverAdded(let person, let role, let fromMs):
            values["person"] = person
            facts = [(language("mail.fact.role"), language("role.\(role)"))]
            if let fromMs { facts.append((language("mail.fact.approvesFrom"), language.minute(Instant(millisecondsSince1970: fromMs)))) }
        case .memberAddressChanged(let atMs, let ending):
            facts = [
                (language("mail.fact.at"), language.minute(Instant(millisecondsSince1970: atMs))), (language("mail.fact.newAddress"), ending),
            ]
        case .passwordReset, .passwordChanged, .secondFactorOn, .secondFactorOff: break
        }
        // Names given before they had to stand on one line.
        subject = OneLine.folded(language("\(prefix).subject", values))
        page = [
            "lang": .text(language.messages.locale), "dir": .text(language.messages.isRightToLeft ? "rtl" : "ltr"), "subject": .text(subject),
            "workspace": .text(workspace.name), "accent": nil, "onAccent": nil, "logo": nil, "heading": .text(heading ?? language("\(prefix).heading", values)),
            "lead": .text(lead.isEmpty ? language("\(prefix).lead", values) : lead), "note": .text(note ?? language("\(prefix).note", values)),
            "facts": PageValue(facts.map { PageObject(["name": .text($0.name), "value": .text($0.value)]) }),
            "action": PageValue(actionURL.map { PageObject(["url": .text($0), "label": .text(language("\(prefix).action", values))]) }),
            "reason": .text(language(Self.reason(content.kind), values)),
            "stop": PageValue(
                stopURL.map { PageObject(["url": .text($0), "label": .text(language(content.kind.isForStranger ? "\(prefix).stop" : "mail.stop"))]) }),
            "imprint": PageValue(imprintURL.map { PageObject(["url": .text($0), "label": .text(language("mail.imprint", values))]) }),
        ]
    }

    /// Why somebody gets it.
    private static func reason(_ kind: Mail.Kind) -> String {
        kind == .partnerInvitation ? "mail.reason.partner" : kind.isForStranger ? "mail.reason.stranger" : kind.canBeStopped ? "mail.reason.member" : "mail.reason.notice"
    }

    /// The company's accent and logo, as letters can show them.
    mutating func wear(_ theme: Theme, logoURL: String?) {
        page["accent"] = PageValue(theme.colour("--accent", isDark: false)?.hex)
        page["onAccent"] = PageValue(theme.colour("--on-accent", isDark: false)?.hex)
        page["logo"] = PageValue(logoURL)
    }

    private static func signIn(_ atMs: Int64, _ browser: String?, _ system: String?, _ language: PageLanguage) -> [(name: String, value: String)] {
        let at = (name: language("mail.fact.at"), value: language.minute(Instant(millisecondsSince1970: atMs)))
        guard let browser else { return [at] }
        return [at, (language("mail.fact.browser"), [browser, system].compactMap { $0 }.joined(separator: ", "))]
    }

    private static func money(_ minor: Int64, _ unit: String, _ language: PageLanguage) -> String {
        (try? UnitCode(unit)).map { language.money(minor, $0) } ?? "\(minor) \(unit)"
    }
}

extension Installation {
    /// Whom letters come from: what was set, else the account at the mail server when it is an address, else one at the server's own host.
    var senderAddress: String {
        if let set = settings.mailFrom { return set }
        if let user = mailServer?.user, Normalised.email(user) != nil { return user }
        let host = baseURL.split(separator: "/").dropFirst().first?.split(separator: ":").first.map(String.init) ?? "localhost"
        return "no-reply@\(host)"
    }
}
