import Chronology
import Money
import Web

/// The commissions page.
struct CommissionListModel: PageModel {
    var rows: [CommissionListStore.Row]
    var hasMore: Bool
    var isFirstPage: Bool
    var totals: [CommissionListStore.Total]
    var names: PersonNames
    var programs: [Program]
    var filter: CommissionListStore.Filter
    var mayWrite = false
    var csrfToken = ""
    /// Where the page begins.
    var before: CommissionID?
    var order = ListOrder.newest
    var language: PageLanguage

    var page: PageObject {
        [
            "giveURL": mayWrite ? "/commissions/new" : nil, "lead": lead, "hasAny": .flag(!rows.isEmpty || !filter.isEmpty || !isFirstPage), "csvURL": .text("/commissions.csv" + query(nil)),
            "filter": [
                "active": .flag(!filter.isEmpty || order != .newest), "orders": PageValue(ListOrder.options(order, language)), "memberId": PageValue(filter.member?.text),
                "memberName": PageValue(filter.member.map { language("commissions.filter.ofMember", ["name": names.member($0, language)]) }),
                "programs": PageValue(
                    options(filter.program?.text, "commissions.filter.programAny", programs.map { ($0.id.text, $0.name) })),
                "states": PageValue(
                    options(
                        filter.state?.rawValue, "commissions.filter.stateAny",
                        Commission.State.allCases.map { ($0.rawValue, language("commissions.state.\($0.rawValue)")) })),
            ], "hasRows": .flag(!rows.isEmpty), "rows": PageValue(rows.map(row)), "pager": pager,
            "nothingFound": .flag(rows.isEmpty && !filter.isEmpty),
            "bulk": mayWrite
                ? ["csrfToken": .text(csrfToken), "back": .text(here), "buttons": CommissionDecisionPages.buttons(language)] : nil,
        ]
    }

    /// The page as it is filtered, to come back to.
    var here: String { "/commissions" + query(before) }

    private var lead: PageValue {
        let amounts = totals.compactMap { total in (try? UnitCode(total.unit)).map { language.money(total.keptMinor, $0) } }
        guard !amounts.isEmpty else { return language.sentence("commissions.lead.none") }
        return language.sentence("commissions.lead.some", count: totals.reduce(0) { $0 + $1.count }, ["amount": amounts.listed(language)])
    }

    private func row(_ row: CommissionListStore.Row) -> PageObject {
        let name = names.member(row.memberID, language)
        let unit = try? UnitCode(row.unit)
        return [
            "id": .text(mayWrite ? row.id.text : ""), "at": language.shortTime(row.occurredAt), "name": .text(name), "initials": .text(Initials.of(name)),
            "memberURL": .text("/members/\(row.memberID.text)"), "text": .text(row.invoiceID ?? language("commissions.cause.\(row.cause.rawValue)")),
            "url": PageValue(row.receiptURL), "commissionURL": .text("/commissions/\(row.id.text)"),
            "amount": .text(unit.map { language.money(row.amountMinor - row.reversedMinor, $0) } ?? "–"), "state": row.state.badge(language),
            "until": row.state == .pending ? .text(language("commissions.until", ["day": language.day(row.holdUntil)])) : nil,
        ]
    }

    private func options(_ chosen: String?, _ any: String, _ all: [(String, String)]) -> [PageObject] {
        ([("", language(any))] + all).map { value, label in
            ["value": .text(value), "label": .text(label), "chosen": .flag(value == chosen ?? "")]
        }
    }

    private var pager: PageValue {
        guard hasMore || !isFirstPage else { return .nothing }
        return [
            "label": .text(language("pager.label")), "summary": "",
            "previous": isFirstPage ? nil : ["url": .text("/commissions" + query(nil)), "label": .text(language("pager.first"))],
            "next": hasMore ? ["url": .text("/commissions" + query(rows.last?.id)), "label": .text(language("pager.next"))] : nil,
        ]
    }

    private func query(_ after: CommissionID?) -> String {
        let fields = [
            ("state", filter.state?.rawValue ?? ""), ("program", filter.program?.text ?? ""), ("member", filter.member?.text ?? ""),
            ("order", order.queryText), ("startingAfter", after?.text ?? ""),
        ]
        let text = fields.filter { !$0.1.isEmpty }.map { "\($0.0)=\(LocalPath.encoded($0.1))" }.joined(separator: "&")
        return text.isEmpty ? "" : "?" + text
    }
}
