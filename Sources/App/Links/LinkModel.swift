import Chronology
import Foundation
import Money
import Web

/// One link: what to give away, what it brought, and who came last.
struct LinkModel: PageModel {
    let link: Link
    let yield: LinkPageStore.Yield
    let clicks: [Click]
    let variantClicks: [Int: Int64]
    let names: PersonNames
    let program: String
    let now: Instant
    let baseURL: String
    /// Whether members share the page that greets friends, and the code that takes something off their order.
    let isShared: Bool
    let friendsCode: String?
    let language: PageLanguage

    var page: PageObject {
        let address = link.url(baseURL: baseURL)
        return [
            "code": .text(link.code), "state": state, "lead": lead, "member": .text(person ?? language("link.company")), "program": .text(program),
            "createdAt": language.time(link.createdAt), "expiresAt": link.expiresAt.map { language.time($0) } ?? nil, "address": .text(address),
            "friend": isShared && link.memberID != nil ? ["url": .text(link.sharedURL(baseURL: baseURL, isShared: true)), "path": .text(FriendDoor.path + LocalPath.encoded(link.code))] : nil,
            "friendsCode": PageValue(friendsCode),
            "destination": .text(link.destination), "destinationShort": .text(ShortAddress.of(link.destination)),
            "qrSVG": .text("/links/\(link.id.text)/qr.svg"), "qrPNG": .text("/links/\(link.id.text)/qr.png"),
            "qrAlt": .text(language("link.qr.alt", ["address": address])), "counts": PageValue(counts), "hasVariants": .flag(!link.variants.isEmpty),
            "variants": PageValue(variants), "hasClicks": .flag(!clicks.isEmpty), "clicks": PageValue(clicks.map(row)),
        ]
    }

    private var person: String? { link.memberID.map { names.member($0, language) } }

    private var state: PageValue {
        guard link.isExpired(at: now), let end = link.expiresAt else {
            return ["tone": "good", "icon": "check", "label": .text(language("link.state.active"))]
        }
        return ["tone": "", "icon": "none", "label": .text(language("link.state.expired", ["day": language.day(end)]))]
    }

    private var lead: PageValue {
        guard link.clicks > 0 || yield.sales > 0 else { return language.sentence("link.lead.quiet") }
        let sales = language.plural("link.lead.sales", yield.sales)
        guard let person, !yield.earned.isEmpty else {
            return language.sentence("link.lead.counted", count: link.clicks, ["sales": sales])
        }
        return language.sentence("link.lead.earned", count: link.clicks, ["sales": sales, "person": person, "amount": money(yield.earned)])
    }

    private var counts: [PageObject] {
        func count(_ name: String, _ value: Int64, _ note: String) -> PageObject {
            ["label": .text(language("link.counts.\(name)")), "value": .text(language.integer(value)), "note": .text(note)]
        }
        let ofClicks = link.clicks > 0 && yield.leads <= link.clicks
            ? language("link.counts.leadsNote", ["percent": language.percent(ppm: Share.ppm(yield.leads, of: link.clicks))]) : ""
        return [
            count("counted", link.clicks, language("link.counts.countedNote")), count("logged", link.clicksLogged, language("link.counts.loggedNote")),
            count("leads", yield.leads, ofClicks),
            count("sales", yield.sales, yield.sales > 0 ? language("link.counts.salesNote", ["amount": money(yield.values)]) : ""),
        ]
    }

    private var variants: [PageObject] {
        let total = link.variants.reduce(Int64(0)) { $0 &+ $1.weight }
        return link.variants.enumerated().map { index, variant in
            [
                "destination": .text(variant.destination), "destinationShort": .text(ShortAddress.of(variant.destination)),
                "weight": .text(language("link.variants.weightOf", ["part": language.integer(variant.weight), "whole": language.integer(total)])),
                "clicks": .text(language.integer(variantClicks[index] ?? 0)),
            ]
        }
    }

    private func row(_ click: Click) -> PageObject {
        [
            "off": .flag(click.discard != nil), "at": language.shortTime(click.at),
            "counted": click.discard == nil ? .text(language("link.click.counted")) : nil,
            "why": PageValue(click.discard.map { language("receipt.discarded.\($0)") }),
            "from": .text(click.referrer.flatMap { URLComponents(string: $0)?.host } ?? language("link.click.direct")),
            "device": .text(language("link.device.\(Device.of(click.userAgent).rawValue)")),
        ]
    }

    private func money(_ amounts: [(unit: String, minor: Int64)]) -> String {
        amounts.compactMap { amount in (try? UnitCode(amount.unit)).map { language.money(amount.minor, $0) } }.listed(language)
    }
}

/// What kind of machine asks, as far as it says.
enum Device: String, Sendable {
    case phone, tablet, computer, unknown

    static func of(_ userAgent: String?) -> Device {
        guard let agent = userAgent else { return .unknown }
        if agent.contains("iPad") || agent.contains("Tablet") || (agent.contains("Android") && !agent.contains("Mobile")) { return .tablet }
        if agent.contains("iPhone") || agent.contains("Mobile") { return .phone }
        return ["Windows NT", "Macintosh", "X11", "CrOS"].contains { agent.contains($0) } ? .computer : .unknown
    }
}
