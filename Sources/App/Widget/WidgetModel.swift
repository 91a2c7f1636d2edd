import Ledger
import Money
import Web

/// The widget's one page: what to share, what came of it, and what may be claimed.
struct WidgetModel: PageModel {
    var facts: WidgetFacts
    var baseURL: String
    var token: String
    var isPopup: Bool
    var isDone: Bool
    var isRefused: Bool
    var language: PageLanguage

    private func say(_ key: String, _ values: [String: String] = [:]) -> String { language("widget.\(key)", values) }

    var heading: String {
        guard let program = facts.program else { return say("heading.none", ["company": facts.workspace.name]) }
        return FriendOffer(facts.offer, program: program, language: language).both(facts.workspace.name, language)
    }

    var page: PageObject {
        let rewards = PortalRewardModel(rewards: facts.rewards, codes: facts.codes, language: language)
        let choices = rewards.choices(token)
        let lines = facts.lines.map { PortalLine(line: $0, now: facts.now, language: language).page }
        let available = facts.available.map { language.money($0.available.minor, $0.unit) }.joined(separator: language("list.separator"))
        return [
            "test": .flag(facts.workspace.isTest), "heading": .text(heading), "lead": .text(say(isPopup ? "lead.popup" : "lead.inline")),
            "done": PageValue(isDone ? say("done") : nil), "refused": PageValue(isRefused ? language("portalRewards.refused") : nil),
            "link": PageValue(facts.link.map(link)), "cannot": PageValue(facts.link == nil ? say(facts.member.status == .suspended ? "suspended" : "noLink") : nil),
            "status": .text(
                facts.clicks == 0 && facts.friends == 0
                    ? say("status.none")
                    : language.plural("widget.status.clicks", facts.clicks) + " " + language.plural("widget.status.friends", facts.friends)),
            "hasChoices": .flag(!choices.isEmpty), "choices": PageValue(choices), "hasResults": .flag(!lines.isEmpty || !facts.rewards.isEmpty),
            "lines": PageValue(lines), "rewards": PageValue(rewards.lines),
            "available": PageValue(available.isEmpty ? nil : say("available", ["amount": available])), "portalURL": .text("\(baseURL)/portal"),
        ]
    }

    private func link(_ link: Link) -> PageObject {
        let url = link.sharedURL(baseURL: baseURL, isShared: facts.isShared)
        let disclosure = language("portalShare.disclosure")
        let whole = "\(language("portalShare.message", ["workspace": facts.workspace.name, "url": url])) \(disclosure)"
        let (text, subject) = (LocalPath.encoded(whole), LocalPath.encoded(facts.workspace.name))
        func channel(_ name: String, _ url: String) -> PageObject {
            ["name": .text(name), "label": .text(language("portalShare.channel.\(name)")), "url": .text(url), "icon": .text("channel-\(name)")]
        }
        return [
            "url": .text(url), "shown": .text(String(url.trimmingPrefix("https://").trimmingPrefix("http://"))), "code": PageValue(facts.code),
            "disclosure": .text(disclosure),
            "channels": PageValue([
                channel("whatsapp", "https://wa.me/?text=\(text)"), channel("sms", "sms:?&body=\(text)"),
                channel("mail", "mailto:?subject=\(subject)&body=\(text)"),
            ]),
        ]
    }
}
