import Chronology
import Web

struct LinkListFacts: Sendable {
    var links: [Link]
    var sales: [LinkID: Int64]
    var names: PersonNames
    var programs: [(id: ProgramID, name: String)]
    var count: Int64
    var recentClicks: Int64
    var bestCode: String?
    var hasMore: Bool
    var hasBefore: Bool
    var first: Int64
}

/// The list of links.
struct LinkListModel: PageModel {
    let facts: LinkListFacts
    let filter: LinkPageStore.Filter
    let mayWrite: Bool
    let now: Instant
    let language: PageLanguage

    var page: PageObject {
        let hasLinks = !facts.links.isEmpty
        let programs: [PageObject] =
            [["value": "", "label": .text(language("links.filter.programAny")), "chosen": .flag(filter.program == nil)]]
            + facts.programs.map { ["value": .text($0.id.text), "label": .text($0.name), "chosen": .flag($0.id == filter.program)] }
        return [
            "newURL": mayWrite ? "/links/new" : nil, "csvURL": .text("/links.csv" + fileQuery), "hasLinks": .flag(hasLinks), "lead": lead,
            "filter": hasLinks || !filter.isEmpty
                ? ["find": .text(filter.find), "active": .flag(!filter.isEmpty), "programs": PageValue(programs)] : nil,
            "links": PageValue(facts.links.map(row)), "pager": pager, "nothingFound": .flag(!hasLinks && !filter.isEmpty),
        ]
    }

    private var lead: PageValue {
        if !filter.isEmpty { return language.sentence("links.lead.found", count: facts.count) }
        guard facts.recentClicks > 0, let best = facts.bestCode else { return language.sentence("links.lead.quiet", count: facts.count) }
        return language.sentence(
            "links.lead.busy", count: facts.count, ["clicks": language.plural("links.clicks", facts.recentClicks), "best": best])
    }

    private func row(_ link: Link) -> PageObject {
        [
            "code": .text(link.code), "url": .text("/links/\(link.id.text)"),
            "expired": link.isExpired(at: now) ? .text(language("links.expired")) : nil,
            "member": PageValue(
                link.memberID.map { id -> PageObject in
                    let name = facts.names.member(id, language)
                    return ["name": .text(name), "initials": .text(Initials.of(name))]
                }),
            "destination": .text(link.destination), "destinationShort": .text(ShortAddress.of(link.destination)),
            "counted": .text(language.integer(link.clicks)), "logged": .text(language.integer(link.clicksLogged)),
            "sales": .text(language.integer(facts.sales[link.id] ?? 0)),
            "createdAt": language.shortTime(link.createdAt),
        ]
    }

    /// What the file is narrowed down by, too.
    private var fileQuery: String {
        let fields = [("q", filter.find), ("program", filter.program?.text ?? "")].filter { !$0.1.isEmpty }
        return fields.isEmpty ? "" : "?" + fields.map { "\($0.0)=\(LocalPath.encoded($0.1))" }.joined(separator: "&")
    }

    private var pager: PageValue {
        guard facts.hasMore || facts.hasBefore, let newest = facts.links.first, let oldest = facts.links.last else { return .nothing }
        let last = facts.first + Int64(facts.links.count) - 1
        let fixed = [("q", filter.find), ("program", filter.program?.text ?? "")].filter { !$0.1.isEmpty }
        func url(_ cursor: String, _ id: LinkID, _ first: Int64) -> PageValue {
            let fields = fixed + [(cursor, id.text), ("first", String(first))]
            return .text("/links?" + fields.map { "\($0.0)=\(LocalPath.encoded($0.1))" }.joined(separator: "&"))
        }
        return [
            "label": .text(language("pager.label")),
            "summary": .text(
                language.plural("pager.summary", facts.count, ["first": language.integer(facts.first), "last": language.integer(last)])),
            "previous": facts.hasBefore
                ? [
                    "url": url("endingBefore", newest.id, max(1, facts.first - Int64(LinkPages.rowsPerPage))),
                    "label": .text(language("pager.previous")),
                ] : nil,
            "next": facts.hasMore ? ["url": url("startingAfter", oldest.id, last + 1), "label": .text(language("pager.next"))] : nil,
        ]
    }
}

/// An address without what everybody knows.
enum ShortAddress {
    static func of(_ address: String) -> String {
        for scheme in ["https://", "http://"] where address.hasPrefix(scheme) { return String(address.dropFirst(scheme.count)) }
        return address
    }
}
