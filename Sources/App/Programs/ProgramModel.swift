import Attribution
import Chronology
import Money
import Rules
import Web

/// A program in words: its rules as sentences, its settings, and who wrote what.
struct ProgramModel: PageModel, Sendable {
    var program: Program
    var size: ProgramPageStore.Size
    var rules: [Rule]
    var versions: [ProgramPageStore.Version]
    var authors: OperatorNames
    var orphan: PersonNames
    var mayWrite: Bool
    var language: PageLanguage

    var page: PageObject {
        [
            "name": .text(program.name),
            "lead": rules.isEmpty
                ? language.sentence("program.lead.none")
                : language.sentence("program.lead.some", count: Int64(rules.count), ["members": language.plural("program.members", size.members)]),
            "settingsURL": .text("/programs/\(program.id.text)/settings"), "joinURL": .text("/programs/\(program.id.text)/join-page"),
            "friendURL": .text("/programs/\(program.id.text)/friend-page"), "referURL": .text("/programs/\(program.id.text)/refer-a-friend"),
            "referStyle": .text(rules.isEmpty ? "btn-primary" : "btn-plain"), "newStyle": .text(rules.isEmpty ? "btn-plain" : "btn-primary"),
            "newURL": PageValue(mayWrite ? "/programs/\(program.id.text)/rules/new" : nil),
            "hasRules": .flag(!rules.isEmpty), "rules": PageValue(rules.map(rule)), "settings": PageValue(settings),
            "versions": PageValue(versions.map(version)),
        ]
    }

    private func rule(_ rule: Rule) -> PageObject {
        let sentence = Currency(code: program.currency).map { RuleSentence(rule: rule, currency: $0, language: language).text }
        return [
            "url": .text("/rules/\(rule.id.text)"), "name": .text(rule.name), "sentence": .text(sentence ?? rule.name),
            "version": .text(language("program.ruleVersion", ["version": language.integer(Int64(rule.terms.version))])),
        ]
    }

    private var settings: [PageObject] {
        let settings = program.settings
        func row(_ key: String, _ text: String) -> PageObject { ["label": .text(language("program.setting.\(key)")), "text": .text(text)] }
        var rows = [
            row("model", language("program.model.\(settings.model.rawValue)")),
            row("window", language.plural("program.days", settings.windowDays)),
            row("binding", binding),
            row(
                "hold", settings.holdDays == 0 ? language("program.hold.none") : language.plural("program.hold", settings.holdDays)),
            row("minimum", minimum), row("hosts", settings.allowedHosts.isEmpty ? language("program.hosts.any") : settings.allowedHosts.listed(language)),
            row("paidSearch", language("program.paidSearch.\(settings.paidSearchPolicy.rawValue)")),
            row("debtor", settings.debtor?.name ?? language("program.debtor.none")),
            row("cookies", language(settings.isCookieless ? "program.cookies.none" : "program.cookies.some")),
        ]
        if let currency = Currency(code: program.currency), settings.referral != ReferralTerms() {
            let words = settings.referral.words(currency: currency, language)
            rows.append(row("referral", words.joined(separator: language("list.semicolon"))))
        }
        if let id = settings.orphanMemberID { rows.append(row("orphan", orphan.member(id, language))) }
        return rows
    }

    private var binding: String {
        switch program.settings.binding {
        case .months(let months): language.plural("program.binding.months", months)
        case .lifetime: language("program.binding.lifetime")
        case .none: language("program.binding.none")
        }
    }

    private var minimum: String {
        guard program.settings.minimumPayoutMinor > 0, let unit = try? UnitCode(program.currency) else { return language("program.minimum.none") }
        return language.money(program.settings.minimumPayoutMinor, unit)
    }

    private func version(_ version: ProgramPageStore.Version) -> PageObject {
        let name = version.ruleID.flatMap { id in rules.first { $0.id == id }?.name }
        let values = ["version": language.integer(version.version), "rule": name ?? ""]
        return [
            "what": .text(language(version.ruleID == nil ? "program.version.settings" : "program.version.rule", values)),
            "from": version.effectiveFrom == .earliest
                ? .text(language("program.version.always")) : .text(language("program.version.from", ["at": language.minute(version.effectiveFrom)])),
            "who": .text(authors.name(version.author, language)), "at": language.time(version.recordedAt),
        ]
    }
}
