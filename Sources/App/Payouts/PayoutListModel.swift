import Chronology
import Money
import Web

/// All payouts, above them what is due now.
struct PayoutListModel: PageModel {
    var requests: [PayoutRequest] = []
    var names = PersonNames.none
    /// As a field of a form has it.
    var today = ""
    var payouts: [PayoutListStore.Summary]
    var hasMore: Bool
    var isFirstPage: Bool
    var due: [PayoutListStore.Due]
    var programs: [Program]
    var filter = PayoutListStore.Filter()
    var order = ListOrder.newest
    var makers: OperatorNames
    var mayWrite: Bool
    var csrfToken: String
    var language: PageLanguage

    var page: PageObject {
        [
            "lead": lead, "csrfToken": .text(csrfToken), "today": .text(today), "hasRequests": .flag(isFirstPage && !requests.isEmpty),
            "requests": PageValue(requests.map(request)), "hasDue": .flag(isFirstPage && !due.isEmpty), "due": PageValue(due.compactMap(dueRow)),
            "hasPayouts": .flag(!payouts.isEmpty), "payouts": PageValue(payouts.map(row)), "pager": pager,
            "isEmpty": .flag(payouts.isEmpty && isFirstPage && due.isEmpty && !isFiltered), "csvURL": .text("/payouts.csv" + query(nil)),
            "hasAny": .flag(!payouts.isEmpty || isFiltered || !isFirstPage), "nothingFound": .flag(payouts.isEmpty && isFiltered),
            "filter": [
                "active": .flag(isFiltered), "orders": PageValue(ListOrder.options(order, language)),
                "programs": PageValue(options(filter.program?.text, "payouts.filter.programAny", programs.map { ($0.id.text, $0.name) })),
                "states": PageValue(
                    options(
                        filter.state?.rawValue, "payouts.filter.stateAny",
                        Payout.State.allCases.map { ($0.rawValue, language("payouts.state.\($0.rawValue)")) })),
            ],
        ]
    }

    private var isFiltered: Bool { !filter.isEmpty || order != .newest }

    private var lead: PageValue {
        guard !due.isEmpty else { return language.sentence(payouts.isEmpty ? "payouts.lead.never" : "payouts.lead.nothing") }
        var totals: [String: Int64] = [:]
        for row in due { totals[row.unit, default: 0] &+= row.amountMinor }
        let amounts = totals.sorted { $0.key < $1.key }.compactMap { total in (try? UnitCode(total.key)).map { language.money(total.value, $0) } }
        return language.sentence(
            "payouts.lead.due", count: due.reduce(0) { $0 + $1.memberCount },
            ["amount": amounts.joined(separator: language("payouts.and"))])
    }

    private func request(_ request: PayoutRequest) -> PageObject {
        let name = names.member(request.memberID, language)
        return [
            "what": .text(language("payouts.request.what", ["name": name, "amount": language.money(request.amountMinor, request.unit)])),
            "why": .text(
                language("payouts.request.why", ["program": programName(request.programID), "at": language.minute(request.requestedAt)])),
            "mayCancel": .flag(mayWrite), "cancelURL": .text("/payout-requests/\(request.id.text)/cancellation"),
            "label": .text(language("payouts.request.cancelOf", ["name": name])),
        ]
    }

    private func dueRow(_ due: PayoutListStore.Due) -> PageObject? {
        guard let unit = try? UnitCode(due.unit) else { return nil }
        let name = programName(due.programID)
        return [
            "what": .text(
                language.plural("payouts.due.what", due.memberCount, ["amount": language.money(due.amountMinor, unit), "program": name])),
            "programId": .text(due.programID.text), "unit": .text(due.unit), "key": .text("\(due.programID.text)-\(due.unit)"), "mayWrite": .flag(mayWrite),
            "kinds": PageValue(
                PayoutPages.PayoutKinds.allCases.map { kinds -> PageObject in
                    ["value": .text(kinds.rawValue), "label": .text(language("payouts.due.kinds.\(kinds.rawValue)"))]
                }),
            "label": .text(language("payouts.due.previewOf", ["program": name, "amount": language.money(due.amountMinor, unit)])),
        ]
    }

    private func row(_ payout: PayoutListStore.Summary) -> PageObject {
        let unit = try? UnitCode(payout.unit)
        let amount = unit.map { language.money(payout.totalMinor, $0) } ?? "–"
        return [
            "url": .text("/payouts/\(payout.id.text)"),
            "label": .text(language("payouts.open", ["amount": amount, "at": language.minute(payout.createdAt)])),
            "createdAt": language.shortTime(payout.createdAt), "program": .text(programName(payout.programID)),
            "maker": .text(makers.name(payout.createdBy, language)), "members": .text(language.integer(payout.itemCount)), "amount": .text(amount),
            "state": payout.state.badge(language),
            "progress": payout.state == .sent
                ? .text(
                    language("payouts.progress", ["paid": language.integer(payout.paidCount), "count": language.integer(payout.itemCount)])) : nil,
        ]
    }

    private var pager: PageValue {
        guard hasMore || !isFirstPage else { return .nothing }
        let next: PageValue =
            hasMore
            ? payouts.last.map { ["url": .text("/payouts" + query($0.id)), "label": .text(language("pager.next"))] } ?? nil : nil
        return [
            "label": .text(language("pager.label")), "summary": "",
            "previous": isFirstPage ? nil : ["url": .text("/payouts" + query(nil)), "label": .text(language("pager.first"))], "next": next,
        ]
    }

    /// The filters as an address carries them.
    private func query(_ after: PayoutID?) -> String {
        let fields = [
            ("state", filter.state?.rawValue ?? ""), ("program", filter.program?.text ?? ""), ("order", order.queryText),
            ("startingAfter", after?.text ?? ""),
        ]
        let text = fields.filter { !$0.1.isEmpty }.map { "\($0.0)=\(LocalPath.encoded($0.1))" }.joined(separator: "&")
        return text.isEmpty ? "" : "?" + text
    }

    private func options(_ chosen: String?, _ any: String, _ all: [(String, String)]) -> [PageObject] {
        ([("", language(any))] + all).map { value, label in
            ["value": .text(value), "label": .text(label), "chosen": .flag(value == chosen ?? "")]
        }
    }

    private func programName(_ id: ProgramID) -> String { programs.first { $0.id == id }?.name ?? id.text }
}
