import Chronology
import Money
import Web

/// The sales page.
struct SaleListModel: PageModel {
    var sales: [Sale]
    var commissions: [SaleID: [Commission]]
    var names: PersonNames
    var totals: SaleListStore.Totals
    var parked: [SaleListStore.ParkedRefund]
    var hasAny: Bool
    var hasMore: Bool
    var hasBefore: Bool
    /// Which of all that match is the first row here.
    var first: Int64
    var filter: SaleListStore.Filter
    var fromText: String
    var toText: String
    var language: PageLanguage
    var baseURL: String

    var page: PageObject {
        [
            "csvURL": .text("/sales.csv" + query([])), "hasAny": .flag(hasAny || !parked.isEmpty), "lead": lead, "filter": .object(filterModel),
            "hasSales": .flag(!sales.isEmpty), "sales": PageValue(sales.map(row)), "hasTotals": .flag(!sales.isEmpty),
            "totals": PageValue(totalRows), "pager": pager, "example": .text(example), "hasParked": .flag(!parked.isEmpty),
            "parked": PageValue(
                parked.map { refund in
                    [
                        "at": language.shortTime(refund.recordedAt), "refund": .text(refund.refundID), "order": .text(refund.invoiceID),
                    ]
                }), "nothingFound": .flag(sales.isEmpty && parked.isEmpty),
        ]
    }

    private var lead: PageValue {
        if filter.state == .parked { return parked.isEmpty ? language.sentence("sales.lead.parkedNone") : language.sentence("sales.lead.parked", count: Int64(parked.count)) }
        guard totals.count > 0 else { return language.sentence("sales.lead.none") }
        let values = [
            "value": totals.values.compactMap { total in (try? UnitCode(total.currency)).map { language.money(total.minor, $0) } }.listed(language),
            "pay": totals.pay.isEmpty
                ? language("sales.nothing.amount") : totals.pay.compactMap { total in (try? UnitCode(total.unit)).map { language.money(total.minor, $0) } }.listed(language),
            "unattributed": language.integer(totals.nobodyCount),
        ]
        return language.sentence(totals.nobodyCount == 0 ? "sales.lead.all" : "sales.lead.some", count: totals.count, values)
    }

    private var filterModel: PageObject {
        let states: [PageObject] =
            [["value": "", "label": .text(language("sales.filter.stateAny")), "chosen": .flag(filter.state == nil)]]
            + SaleState.offered.map { state in
                [
                    "value": .text(state.rawValue), "label": .text(language("sales.state.\(state.rawValue)")), "chosen": .flag(filter.state == state),
                ]
            }
        return [
            "find": .text(filter.find ?? ""), "from": .text(fromText), "to": .text(toText), "active": .flag(!filter.isEmpty), "states": PageValue(states),
        ]
    }

    private func row(_ sale: Sale) -> PageObject {
        let earned = commissions[sale.id] ?? []
        let sharers = sale.creditedMembers
        let others = sharers.count - 1
        let unit = earned.first?.unit ?? .currency(sale.currency)
        let pay = earned.filter { $0.unit == unit }.reduce(Int64(0)) { $0 &+ $1.keptMinor }
        let at = language.minute(sale.occurredAt)
        return [
            "url": .text("/sales/\(sale.id.text)/receipt"), "label": .text(language("sales.receiptOf", ["order": sale.invoiceID, "at": at])),
            "paidAt": language.shortTime(sale.occurredAt), "order": .text(sale.invoiceID), "buyer": .text(names.customer(sale.customerID, language)),
            "sharer": PageValue(
                sharers.first.map { first -> PageObject in
                    let name = names.member(first, language)
                    return [
                        "name": .text(name), "initials": .text(Initials.of(name)),
                        "more": others > 0 ? .text(language.plural("sales.andMore", Int64(others))) : nil,
                    ]
                }),
            "value": .text(language.money(sale.keptMinor, .currency(sale.currency))),
            "pay": .text(earned.isEmpty ? "–" : language.money(pay, unit)), "state": SaleState.of(sale, earned).badge(language),
        ]
    }

    private var totalRows: [PageObject] {
        let units = totals.values.map(\.currency) + totals.pay.map(\.unit).filter { unit in !totals.values.contains { $0.currency == unit } }
        return units.compactMap { code -> PageObject? in
            guard let unit = try? UnitCode(code) else { return nil }
            return [
                "label": .text(language("sales.total", ["unit": code])),
                "value": .text(totals.values.first { $0.currency == code }.map { language.amount($0.minor, unit) } ?? "–"),
                "pay": .text(totals.pay.first { $0.unit == code }.map { language.amount($0.minor, unit) } ?? "–"),
            ]
        }
    }

    private var pager: PageValue {
        guard hasMore || hasBefore, let newest = sales.first, let oldest = sales.last else { return .nothing }
        let last = first + Int64(sales.count) - 1
        let back = max(1, first - Int64(SalePages.rowsPerPage))
        return [
            "label": .text(language("pager.label")),
            "summary": .text(
                language.plural(
                    "pager.summary", totals.count,
                    ["first": language.integer(first), "last": language.integer(last)])),
            "previous": hasBefore
                ? ["url": .text("/sales" + query([("endingBefore", newest.id.text), ("first", String(back))])), "label": .text(language("pager.previous"))] : nil,
            "next": hasMore
                ? ["url": .text("/sales" + query([("startingAfter", oldest.id.text), ("first", String(last + 1))])), "label": .text(language("pager.next"))] : nil,
        ]
    }

    /// The filter as an address carries it, with more fields.
    private func query(_ more: [(String, String)]) -> String {
        let fields = [("q", filter.find ?? ""), ("state", filter.state?.rawValue ?? ""), ("from", fromText), ("to", toText)] + more
        let text = fields.filter { !$0.1.isEmpty }.map { "\($0.0)=\(LocalPath.encoded($0.1))" }.joined(separator: "&")
        return text.isEmpty ? "" : "?" + text
    }

    private var example: String {
        """
        curl \(baseURL)/api/v1/track/sale \\
          -H 'Authorization: Bearer kith_sk_…' -H 'Content-Type: application/json' \\
          -d '{"customerExternalId":"1001","invoiceId":"test-1","amount":100,"currency":"EUR"}'
        """
    }
}

extension [String] {
    /// Amounts of several units beside each other: they are never added.
    func listed(_ language: PageLanguage) -> String { joined(separator: language("list.separator")) }
}
