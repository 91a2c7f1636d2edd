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
        let found = try await installation.main.read { [vault = installation.vault] connection -> (Letter, Workspace)? in
            guard let letter = try MailStore.letter(mail, vault: vault, on: connection),
                let workspace = try WorkspaceStore.find(mail.workspaceID, on: connection)
            else { return nil }
            return (letter, workspace)
        }
        guard let (letter, workspace) = found else { return nil }
        let language = PageLanguage(messages: site.catalogue.messages(for: mail.locale), zone: Zone(workspace.timeZone) ?? .utc)
        let stopURL = StopLink(mail).map { $0.url(installation) }
        let draft = MailDraft(letter.content, workspace: workspace, language: language, stopURL: stopURL)
        return MailMessage(
            id: mail.id, senderName: workspace.name, senderAddress: installation.senderAddress, to: letter.to, subject: draft.subject,
            text: try site.render("mail-letter.text", draft.page, in: language), html: try site.render("mail-letter", draft.page, in: language),
            date: mail.createdAt, stopURL: stopURL)
    }
}

/// What stands in a letter, in finished words.
struct MailDraft: PageModel {
    var subject: String
    var page: PageObject

    init(_ content: MailContent, workspace: Workspace, language: PageLanguage, stopURL: String?) {
        let prefix = "mail.\(content.kind.rawValue)"
        var values = ["workspace": workspace.name]
        var lead = ""
        var facts: [(name: String, value: String)] = []
        var actionURL: String?
        switch content {
        case .teamInvitation(let url), .memberSignIn(let url), .erasureAsked(let url): actionURL = url
        case .joinConfirmation(let program, let url), .applicationWaiting(let program, let url), .applicationApproved(let program, let url):
            values["program"] = program
            actionURL = url
        case .applicationReceived(let program): values["program"] = program
        case .applicationDeclined(let program, let reason):
            values["program"] = program
            facts = [(language("mail.fact.reason"), reason)]
        case .memberWelcome(let program): values["program"] = program
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
        case .approverAdded(let person, let role, let fromMs):
            values["person"] = person
            facts = [(language("mail.fact.role"), language("role.\(role)"))]
            if let fromMs { facts.append((language("mail.fact.approvesFrom"), language.minute(Instant(millisecondsSince1970: fromMs)))) }
        case .passwordReset, .passwordChanged, .secondFactorOn, .secondFactorOff: break
        }
        subject = language("\(prefix).subject", values)
        page = [
            "lang": .text(language.messages.locale), "dir": .text(language.messages.isRightToLeft ? "rtl" : "ltr"), "subject": .text(subject),
            "workspace": .text(workspace.name), "heading": .text(language("\(prefix).heading", values)),
            "lead": .text(lead.isEmpty ? language("\(prefix).lead", values) : lead), "note": .text(language("\(prefix).note", values)),
            "facts": PageValue(facts.map { PageObject(["name": .text($0.name), "value": .text($0.value)]) }),
            "action": PageValue(actionURL.map { PageObject(["url": .text($0), "label": .text(language("\(prefix).action", values))]) }),
            "reason": .text(language(content.kind.canBeStopped ? "mail.reason.member" : "mail.reason.notice", values)),
            "stop": PageValue(stopURL.map { PageObject(["url": .text($0), "label": .text(language("mail.stop"))]) }),
        ]
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
