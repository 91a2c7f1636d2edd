import Chronology
import Foundation
import HTTPTypes
import Hummingbird
import Ledger
import Money
import NIOCore
import Persistence
import Web

/// Who a member is to the company, and what they decide themselves: name, language, zone, letters, account, their data.
enum PortalProfile {
    static let historyMax = 50
    /// Letters that can be stopped.
    static let stoppable = [Mail.Kind.commissionsApproved, .memberWelcome, .groupChanged, .standingRisen, .rewardGiven, .partySettled, .occasion, .survey]

    static func add(to api: inout API, gate: PortalGate) {
        api.portalPage("/portal/profile", gate) { visit in try await show(visit, errors: [:]) }
        api.portalForm("/portal/profile", gate) { visit, fields in try await save(visit, fields) }
        api.portalForm("/portal/letters", gate) { visit, fields in try await saveLetters(visit, fields) }
        api.portalForm("/portal/findable", gate) { visit, fields in
            let (member, isFindable) = (visit.member, fields["findable"] == "yes")
            try await visit.write { write in try Findable.set(isFindable, for: member, in: write) }
            return visit.seeOther("/portal/profile?saved=findable#findable")
        }
        api.portalForm("/portal/account", gate) { visit, fields in try await saveAccount(visit, fields) }
        api.portalForm("/portal/postback", gate) { visit, fields in try await PortalPostback.save(visit, fields) }
        api.portalPage("/portal/terms/{id}/{version}", gate) { visit in try await terms(visit) }
        api.portalForm("/portal/terms", gate) { visit, fields in try await accept(visit, fields) }
        api.portalForm("/portal/erasure", gate) { visit, _ in try await askErasure(visit) }
    }

    static func show(_ visit: PortalVisit, errors: [String: String], typed: FormFields? = nil) async throws -> Response {
        let (member, workspace, vault) = (visit.member, visit.workspaceID, visit.installation.vault)
        let saved = visit.query["saved"]
        let model = try await visit.installation.main.read { connection -> PortalProfileModel in
            let programs = try PortalStore.programs(of: member.id, in: workspace, at: visit.now, on: connection)
            return PortalProfileModel(
                member: member, fields: try PersonStore.fields(of: [member.personID], [.name, .email], vault: vault, on: connection)[member.personID] ?? [:],
                account: try PayoutStore.account(of: member.id, on: connection), offered: try RailStore.offered(in: workspace, on: connection),
                stopped: try Set(stoppable.filter { try MailStore.isStopped($0, for: member.personID, on: connection) }),
                terms: try TermsStore.unaccepted(by: member.id, in: programs.map(\.id), on: connection),
                agreed: try TermsStore.agreed(by: member.id, limit: historyMax, on: connection),
                choices: try MailStore.choices(of: member.personID, limit: historyMax, on: connection),
                isFindable: try FindableStore.isFindable(member.id, on: connection),
                findings: try FindableStore.choices(of: member.id, limit: historyMax, on: connection),
                locales: visit.site.catalogue.spokenLocales(), workspaceZone: visit.session.workspace.timeZone, errors: errors, typed: typed,
                saved: saved, postback: try PortalPostback.load(visit, typed: errors["postback"] == nil ? nil : typed, error: errors["postback"], on: connection),
                csrfToken: visit.csrfToken, now: visit.now, language: visit.language)
        }
        return try visit.page(
            "portal-profile", title: visit.language("portalFrame.profile"), tab: .profile, status: errors.isEmpty ? .ok : .unprocessableContent, model.page)
    }

    private static func save(_ visit: PortalVisit, _ fields: FormFields) async throws -> Response {
        let name = (fields["name"] ?? "").trimmingCharacters(in: .whitespaces)
        let locale = fields["locale"].flatMap { visit.site.catalogue.spokenLocales().contains($0) ? $0 : nil }
        let zone = fields["timeZone"].flatMap { $0.isEmpty ? nil : $0 }
        var errors: [String: String] = [:]
        if !name.isName {
            errors["name"] = visit.language("portalProfile.error.name")
        }
        if let zone, Zone(zone) == nil { errors["timeZone"] = visit.language("portalProfile.error.zone") }
        guard errors.isEmpty else { return try await show(visit, errors: errors, typed: fields) }
        let member = visit.member
        try await visit.write { write in
            guard var current = try MemberStore.find(member.id, in: write.workspace.id, on: write.connection) else { throw Problem.notFound() }
            current.locale = locale ?? current.locale
            current.timeZone = zone
            try MemberStore.update(current, on: write.connection)
            try PersonStore.set(.name, name, of: current.personID, in: write)
            try write.audit("member.change", subject: member.id.text)
        }
        return visit.seeOther("/portal/profile?saved=profile")
    }

    private static func saveLetters(_ visit: PortalVisit, _ fields: FormFields) async throws -> Response {
        let wanted = Set(fields.all("letter"))
        let (member, now) = (visit.member, visit.installation.world.now())
        try await visit.write { write in
            for kind in stoppable {
                if wanted.contains(kind.rawValue) {
                    try MailStore.allow(kind, for: member.personID, at: now, on: write.connection)
                } else {
                    try MailStore.stop(kind, for: member.personID, at: now, on: write.connection)
                }
            }
            try write.audit("member.letters", subject: member.id.text)
        }
        return visit.seeOther("/portal/profile?saved=letters#letters")
    }

    private static func saveAccount(_ visit: PortalVisit, _ fields: FormFields) async throws -> Response {
        let workspace = visit.workspaceID
        let offered = try await visit.installation.main.read { connection in try RailStore.offered(in: workspace, on: connection) }
        let form = PayoutAccountForm(fields, standard: offered.first ?? .iban)
        guard offered.contains(form.kind) else { throw Problem.notFound() }
        var errors: [String: String] = [:]
        var details: PayoutAccountDetails?
        switch form.read() {
        case .read(let read): details = read
        case .refused(let names): for name in names { errors[name] = visit.language("portalProfile.error.\(name)") }
        }
        // A bank compares the name with the account's.
        if [.iban, .ach, .wise].contains(form.kind), details.map({ $0.holder == nil }) ?? (form.typed["holder"] ?? "").isEmpty {
            errors["holder"] = visit.language("portalProfile.error.holder")
        }
        guard errors.isEmpty, let details else { return try await show(visit, errors: errors, typed: fields) }
        let member = visit.member
        let isFirst = try await visit.write { write in
            guard let current = try MemberStore.find(member.id, in: write.workspace.id, on: write.connection) else { throw Problem.notFound() }
            let isFirst = try PayoutStore.account(of: member.id, on: write.connection) == nil
            _ = try PayoutAccount.set(details, for: current, in: write)
            return isFirst
        }
        return visit.seeOther("/portal/profile?saved=\(isFirst ? "account" : "accountChanged")#account")
    }

    private static func accept(_ visit: PortalVisit, _ fields: FormFields) async throws -> Response {
        guard let program = fields["programId"].flatMap({ ProgramID($0) }), let version = fields["version"].flatMap({ Int64($0) }) else {
            throw Problem.notFound()
        }
        let member = visit.member.id
        try await visit.write { write in
            guard try MemberStore.isEnrolled(member, in: program, on: write.connection),
                try TermsStore.newest(of: program, on: write.connection)?.version == version
            else { throw Problem.notFound() }
            try TermsStore.accept(version, of: program, by: member, at: write.now, on: write.connection)
            try write.audit("terms.accept", subject: member.text, JSONText(["programId": .text(program.text), "version": .integer(version)]))
        }
        return visit.seeOther("/portal/profile?saved=terms")
    }

    /// What a member was asked to agree to: of programs that are theirs, or that they agreed to once.
    private static func terms(_ visit: PortalVisit) async throws -> Response {
        let id = try visit.context.id(ProgramKind.self)
        let (member, now) = (visit.member.id, visit.now)
        guard let version = visit.context.parameters.get("version").flatMap({ Int64($0) }) else { throw Problem.notFound() }
        let found = try await visit.installation.main.read { connection -> (Terms, String)? in
            let agreed = try TermsStore.agreed(by: member, limit: historyMax, on: connection).contains { $0.programID == id && $0.version == version }
            guard try agreed || MemberStore.isEnrolled(member, in: id, on: connection), let terms = try TermsStore.find(version, of: id, on: connection),
                let program = try ProgramStore.find(id, in: visit.workspaceID, at: now, on: connection)
            else { return nil }
            return (terms, program.name)
        }
        guard let (terms, program) = found else { throw Problem.notFound() }
        let title = visit.language("portalTerms.title", ["program": program, "version": visit.language.integer(version)])
        return try visit.page(
            "portal-terms", title: title, tab: .profile,
            ["title": .text(title), "at": visit.language.time(terms.recordedAt), "text": .text(terms.text)])
    }

    /// Erasing is an operator's step: they are written to, and the audit log holds the wish.
    private static func askErasure(_ visit: PortalVisit) async throws -> Response {
        let member = visit.member
        let url = "\(visit.installation.baseURL)/members/\(member.id.text)"
        try await visit.write { write in
            try write.audit("person.erasure_asked", subject: member.id.text)
            for owner in try TeamStore.team(of: write.workspace.teamID, on: write.connection) where owner.role.may(.peopleErase) {
                try Mail.queue(.erasureAsked(url: url), to: .operator_(owner.id), occasion: "erasure:\(member.id.text):\(owner.id.text)", in: write)
            }
        }
        return visit.seeOther("/portal/profile?saved=erasure#data")
    }
}

struct PortalProfileModel: PageModel {
    var member: Member
    var fields: [PersonField: String]
    var account: PayoutAccount?
    /// The kinds of account that the company lets members enter.
    var offered: [PayoutAccount.Kind]
    var stopped: Set<Mail.Kind>
    var terms: [TermsStore.Unaccepted]
    var agreed: [TermsStore.Agreed]
    var choices: [MailStore.Choice]
    var isFindable: Bool
    var findings: [FindableStore.Choice]
    var locales: [String]
    var workspaceZone: String
    var errors: [String: String]
    var typed: FormFields?
    var saved: String?
    var postback: PortalPostback?
    var csrfToken: String
    var now: Instant
    var language: PageLanguage

    var page: PageObject {
        [
            "csrfToken": .text(csrfToken), "notice": PageValue(savedText), "email": PageValue(fields[.email]),
            "name": .text(typed?["name"] ?? fields[.name] ?? ""), "nameError": PageValue(errors["name"]),
            "locales": PageValue(
                locales.sorted().map { locale in
                    PageObject([
                        "value": .text(locale), "label": .text(Locale(identifier: locale).localizedString(forIdentifier: locale) ?? locale),
                        "chosen": .flag(locale == (member.locale ?? language.messages.locale)),
                    ])
                }),
            "zone": .text(typed?["timeZone"] ?? member.timeZone ?? ""), "zoneHelp": .text(language("portalProfile.zoneHelp", ["zone": workspaceZone])),
            "zoneError": PageValue(errors["timeZone"]),
            "terms": PageValue(
                terms.map {
                    PageObject([
                        "program": .text($0.programName), "programId": .text($0.programID.text), "version": .text(String($0.version)),
                        "text": .text($0.text), "csrfToken": .text(csrfToken),
                    ])
                }),
            "postback": PageValue(postback?.page), "hasHistory": .flag(!history.isEmpty), "history": PageValue(history), "account": .text(accountText), "hasAccount": .flag(account != nil), "kinds": PageValue(PayoutAccountChoice(self).kinds),
            "accountFields": PageValue(PayoutAccountChoice(self).fields),
            "accountOpen": .flag(account == nil || errors.keys.contains { PayoutAccountForm.names.contains($0) }),
            "findable": .flag(isFindable),
            "letters": PageValue(
                PortalProfile.stoppable.map { kind in
                    PageObject([
                        "value": .text(kind.rawValue), "label": .text(language("portalProfile.letter.\(kind.rawValue)")),
                        "chosen": .flag(!stopped.contains(kind)),
                    ])
                }),
        ]
    }

    /// What they agreed to and what they stopped, the newest first.
    private var history: [PageObject] {
        let terms = agreed.map { one -> (Instant, PageObject) in
            let values = ["program": one.programName, "version": language.integer(one.version)]
            return (
                one.at,
                [
                    "what": .text(language("portalProfile.history.agreed", values)), "url": .text("/portal/terms/\(one.programID.text)/\(one.version)"),
                    "at": language.time(one.at),
                ]
            )
        }
        let letters = choices.filter { PortalProfile.stoppable.contains($0.kind) }.map { choice -> (Instant, PageObject) in
            let values = ["letter": language("portalProfile.letter.\(choice.kind.rawValue)")]
            return (
                choice.at,
                [
                    "what": .text(language(choice.isWanted ? "portalProfile.history.wanted" : "portalProfile.history.stopped", values)), "url": nil,
                    "at": language.time(choice.at),
                ]
            )
        }
        let found = findings.map { choice -> (Instant, PageObject) in
            (
                choice.at,
                ["what": .text(language(choice.isFindable ? "portalProfile.history.findable" : "portalProfile.history.notFindable")), "url": nil, "at": language.time(choice.at)]
            )
        }
        return (terms + letters + found).sorted { $0.0 > $1.0 }.map(\.1)
    }

    private var savedText: String? {
        guard let saved, ["profile", "letters", "account", "accountChanged", "terms", "erasure", "postback", "findable"].contains(saved) else { return nil }
        return language("portalProfile.saved.\(saved)")
    }

    private var accountText: String {
        guard let account else { return language("portalProfile.account.none") }
        let kind = language("member.account.\(account.kind.rawValue)", ["ending": account.ending])
        return account.usableFrom > now ? language("portalProfile.account.waits", ["account": kind, "day": language.day(account.usableFrom)]) : kind
    }
}
