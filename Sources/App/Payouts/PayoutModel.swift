import Chronology
import Money
import Web

/// One payout: where it stands, the one next step, and each member's payment.
struct PayoutModel: PageModel, Sendable {
    /// Commissions named beside one payment.
    static let commissionsShownMax = 20

    var payout: Payout
    var shown: [Payout.Item]
    var first: Int
    var program: Program
    var names: PersonNames
    var commissions: [MemberID: [PayoutListStore.Paid]]
    var people: OperatorNames
    var session: OperatorSession
    /// Until when the reader is too new to approve.
    var waitsUntil: Instant?
    /// How it leaves, or may leave, and what its provider said.
    var rail: PayoutRail
    var csrfToken: String
    var language: PageLanguage

    var heading: String { language("payout.title", ["day": language.day(payout.createdAt)]) }

    var page: PageObject {
        let base = "/payouts/\(payout.id.text)"
        let mayWrite = session.may(.payoutsWrite)
        let isMaker = payout.createdBy == session.actor.person
        let mayApprove = session.may(.payoutsApprove) && !isMaker && waitsUntil == nil
        let hasFile = mayWrite && rail.sentBy == nil && (payout.state == .approved || payout.state == .sent)
            && !payout.items.contains { [.paid, .failed, .returned, .unknown].contains($0.state) }
        return [
            "heading": .text(heading), "id": .text(payout.id.text), "csrfToken": .text(csrfToken), "state": payout.state.badge(language),
            "lead": lead, "program": .text(program.name), "cutoff": language.time(payout.cutoff),
            "made": act(payout.createdBy, payout.createdAt),
            "approved": payout.approvedBy.flatMap { person in payout.approvedAt.map { act(person, $0) } } ?? nil,
            "sentAt": payout.sentAt.map { language.time($0) } ?? nil, "next": .text(next(isMaker: isMaker, mayApprove: mayApprove, mayWrite: mayWrite)),
            "approveURL": payout.state == .draft && mayApprove ? .text("\(base)/approval") : nil,
            "cancelURL": payout.state == .draft && mayWrite ? .text("\(base)/cancellation") : nil,
            "nachaURL": hasFile && rail.hasNACHA ? .text("\(base)/file?format=nacha") : nil,
            "wiseURL": hasFile && rail.accountKinds == [.wise] ? .text("\(base)/file?format=wise") : nil,
            "csvURL": hasFile ? .text("\(base)/file?format=csv") : nil,
            "sepaURL": hasFile && payout.unit.code == "EUR" ? .text("\(base)/file?format=pain001") : nil,
            "rail": rail.page(payout, shown: shown, names: names, mayWrite: mayWrite, language), "sendURL": payout.state == .approved && mayWrite ? .text("\(base)/dispatch") : nil, "outcomesURL": .text("\(base)/outcomes"),
            "unit": .text(payout.unit.code), "items": PageValue(shown.map { item(item: $0, mayWrite: mayWrite) }),
            "total": .text(language.amount(totalMinor, payout.unit)), "pager": pager, "hasExcluded": .flag(!payout.excluded.isEmpty),
            "excluded": PageValue(payout.excluded.prefix(PayoutPages.previewRowsMax).map(excluded)), "leftOutURL": .text("\(base)/removals"),
        ]
    }

    /// What was left out counts no longer; of a canceled payout everything was.
    private var totalMinor: Int64 { payout.state == .canceled ? payout.totalMinor : payout.liveMinor }

    private var lead: PageValue {
        // On its way, or not known, is only what nobody has told of yet.
        let open = payout.items.filter { [.sent, .unknown].contains($0.state) }
        let isOpen = [.sent, .unknown].contains(payout.state)
        let amountMinor = isOpen ? open.reduce(0) { $0 &+ $1.amountMinor } : totalMinor
        let count = isOpen ? open.count : payout.items.count { $0.state != .canceled || payout.state == .canceled }
        var values = ["amount": language.money(amountMinor, payout.unit)]
        values["paid"] = language.integer(Int64(payout.items.filter { $0.state == .paid }.count))
        values["failed"] = language.integer(Int64(payout.items.filter { [.failed, .returned].contains($0.state) }.count))
        return language.sentence("payout.lead.\(payout.state.rawValue)", count: Int64(count), values)
    }

    private func next(isMaker: Bool, mayApprove: Bool, mayWrite: Bool) -> String {
        switch payout.state {
        case .draft where !isMaker && session.may(.payoutsApprove) && waitsUntil != nil:
            language("payout.next.tooNew", ["at": waitsUntil.map { language.minute($0) } ?? ""])
        case .draft: language(isMaker ? "payout.next.otherPerson" : mayApprove ? "payout.next.approve" : "payout.next.noRight")
        case .approved: language(mayWrite ? "payout.next.send" : "payout.next.noRight")
        case .sent where rail.sentBy != nil, .unknown where rail.sentBy != nil: language("payout.next.provider")
        case .sent, .unknown: language(mayWrite ? "payout.next.record" : "payout.next.noRight")
        case .paid: language("payout.next.paid")
        case .failed: language("payout.next.failed")
        case .canceled: language("payout.next.canceled")
        }
    }

    private func item(item: Payout.Item, mayWrite: Bool) -> PageObject {
        let name = names.member(item.memberID, language)
        let paid = commissions[item.memberID] ?? []
        let more = paid.count - Self.commissionsShownMax
        return [
            "memberId": .text(item.memberID.text), "name": .text(name), "initials": .text(Initials.of(name)),
            "amount": .text(language.amount(item.amountMinor, payout.unit)), "state": item.state.badge(language),
            "reference": PageValue(item.returnReference ?? item.reference), "mayReturn": .flag(mayWrite && item.state == .paid),
            "commissionsLabel": paid.isEmpty ? nil : .text(language.plural("payout.commissions", Int64(paid.count))),
            "commissions": PageValue(
                paid.prefix(Self.commissionsShownMax).map { commission -> PageObject in
                    [
                        "amount": .text(language.money(commission.amountMinor, payout.unit)),
                        "url": commission.saleID.map { .text("/sales/\($0.text)/receipt") } ?? nil,
                        "text": .text(commission.invoiceID ?? language("payout.noSale")),
                    ]
                }), "more": more > 0 ? .text(language.plural("payout.more", Int64(more))) : nil,
            "said": PageValue(rail.said(item.memberID, language)), "leftOut": item.leftOutReason.map { .text(leftOut($0)) } ?? nil,
            "mayLeaveOut": .flag(
                mayWrite && item.state == .waiting && (payout.state == .draft || payout.state == .approved) && payout.items.count { $0.state == .waiting } > 1),
            "reasonLabel": .text(language("payout.reasonOf", ["name": name])), "reasonField": .text("reason-\(item.memberID.text)"),
            "mayRecord": .flag(mayWrite && [.sent, .unknown].contains(item.state)),
            "referenceLabel": .text(language("payout.referenceOf", ["name": name])), "field": .text("reference-\(item.memberID.text)"),
        ]
    }

    private func excluded(_ excluded: Payout.Exclusion) -> PageObject {
        let name = names.member(excluded.memberID, language)
        return [
            "name": .text(name), "initials": .text(Initials.of(name)), "why": .text(excluded.reason.words(payout, program, language)),
            "amount": .text(language.amount(excluded.amountMinor, payout.unit)),
        ]
    }

    private func leftOut(_ reason: String) -> String {
        Payout.Exclusion.Reason(rawValue: reason) == nil ? reason : language("payout.leftOut.\(reason)")
    }

    private func act(_ person: String, _ at: Instant) -> PageValue {
        ["who": .text(people.name(person, language)), "at": language.time(at)]
    }

    private var pager: PageValue {
        let size = PayoutPages.itemsPerPage
        guard payout.items.count > size else { return .nothing }
        let last = first + shown.count
        let base = "/payouts/\(payout.id.text)?from="
        return [
            "label": .text(language("pager.label")),
            "summary": .text(
                language.plural(
                    "pager.summary", Int64(payout.items.count),
                    ["first": language.integer(Int64(first + 1)), "last": language.integer(Int64(last))])),
            "previous": first > 0 ? ["url": .text(base + String(max(0, first - size))), "label": .text(language("pager.previous"))] : nil,
            "next": last < payout.items.count ? ["url": .text(base + String(last)), "label": .text(language("pager.next"))] : nil,
        ]
    }
}
