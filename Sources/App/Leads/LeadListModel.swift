import Chronology
import Money
import Web

/// The leads page.
struct LeadListModel: PageModel {
    var leads: [Lead]
    /// By lead.
    var commissions: [String: [Commission]]
    var hasMore: Bool
    var isFirstPage: Bool
    var names: PersonNames
    var language: PageLanguage

    var page: PageObject {
        [
            "lead": language.sentence(leads.isEmpty && isFirstPage ? "leads.lead.none" : "leads.lead.some"),
            "hasLeads": .flag(!leads.isEmpty), "leads": PageValue(leads.map(row)), "pager": pager,
        ]
    }

    private func row(_ lead: Lead) -> PageObject {
        let earned = commissions[lead.id.text] ?? []
        var kept: [UnitCode: Int64] = [:]
        for commission in earned { kept[commission.unit, default: 0] += commission.keptMinor }
        let pay = kept.sorted { $0.key < $1.key }.map { language.money($0.value, $0.key) }.listed(language)
        return [
            "url": .text("/leads/\(lead.id.text)/receipt"), "at": language.shortTime(lead.occurredAt),
            "label": .text(language("leads.receiptOf", ["event": lead.eventName, "at": language.minute(lead.occurredAt)])),
            "who": .text(names.customer(lead.customerID, language)), "event": .text(lead.eventName),
            "member": PageValue(
                lead.creditedMembers.first.map { id -> PageObject in
                    let name = names.member(id, language)
                    return ["name": .text(name), "initials": .text(Initials.of(name))]
                }), "pay": .text(lead.countedAt == nil ? language("leads.deferred") : earned.isEmpty ? "–" : pay),
        ]
    }

    private var pager: PageValue {
        guard hasMore || !isFirstPage else { return .nothing }
        return [
            "label": .text(language("pager.label")), "summary": "",
            "previous": isFirstPage ? nil : ["url": "/leads", "label": .text(language("pager.first"))],
            "next": hasMore
                ? ["url": .text("/leads?startingAfter=\(leads.last?.id.text ?? "")"), "label": .text(language("pager.next"))] : nil,
        ]
    }
}
