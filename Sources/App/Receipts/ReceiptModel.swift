import Chronology
import Money
import Web

/// A receipt in the order in which people ask: the answer, the arithmetic, the path, the rule, what was rejected, what changed later.
struct ReceiptModel: PageModel {
    let receipt: Receipt
    let context: ReceiptContext
    let language: PageLanguage
    let now: Instant

    var heading: String { language("receipt.title", ["order": receipt.sale.invoiceID]) }

    var page: PageObject {
        let arithmetic = ReceiptArithmetic(receipt: receipt, names: context.names, language: language)
        let sale = receipt.sale
        let value = language.money(sale.amountMinor, .currency(sale.currency))
        let path = ReceiptPath(
            facts: receipt.facts, end: language.sentence("receipt.touch.sale", ["value": value]), endAt: sale.occurredAt, context: context,
            language: language)
        let touches = path.touches
        let upline = path.upline
        let rejected = path.rejected + ReceiptRefusals(facts: receipt.facts, names: context.names, language: language).rows
        let rules = ReceiptRules(facts: receipt.facts, language: language).rows
        return [
            "number": .text(sale.invoiceID), "heading": .text(heading), "state": state, "jsonURL": .text("/sales/\(sale.id.text)/receipt.json"),
            "lead": lead, "paidAt": language.time(sale.occurredAt), "buyer": .text(buyerFact), "order": .text(sale.invoiceID),
            "value": .text(value), "source": nil,
            "program": PageValue(receipt.program?.name), "hasLines": .flag(!receipt.commissions.isEmpty),
            "unit": .text(arithmetic.unit.code), "lines": PageValue(arithmetic.lines), "total": arithmetic.total,
            "arithmeticNote": arithmetic.note, "hasTouches": .flag(!touches.isEmpty), "touches": PageValue(touches),
            "hasUpline": .flag(!upline.isEmpty), "upline": PageValue(upline), "hasRules": .flag(!rules.isEmpty), "rules": PageValue(rules),
            "hasRejected": .flag(!rejected.isEmpty), "rejected": PageValue(rejected), "hasChanges": .flag(!changes.isEmpty),
            "changes": PageValue(changes),
        ]
    }

    private var buyer: String { context.names.customer(receipt.sale.customerID, language) }

    private var reasons: ReceiptReasons {
        ReceiptReasons(facts: receipt.facts, context: context, buyer: buyer, at: receipt.sale.occurredAt, language: language)
    }

    private var buyerFact: String {
        receipt.sale.saleNumber == 1 ? language("receipt.buyer.first", ["buyer": buyer]) : language("receipt.buyer.again", ["buyer": buyer])
    }

    private var state: PageValue {
        let sale = SaleState.of(receipt.sale, receipt.commissions)
        let holdUntil = receipt.commissions.map(\.holdUntil).max()
        let label: String
        switch sale {
        case .pending: label = holdUntil.map { language("receipt.state.pending", ["day": language.day($0)]) } ?? language("sales.state.pending")
        case .nothing: label = language("receipt.state.nothing")
        case .held: label = language("receipt.state.held")
        case .approved: label = language("receipt.state.approved")
        case .paid: label = language("receipt.state.paid")
        case .returned: label = language("receipt.state.returned")
        default: label = language("sales.state.\(sale.rawValue)")
        }
        return ["tone": .text(sale.tone), "icon": .text(sale.icon), "label": .text(label)]
    }

    // MARK: The answer

    private var lead: PageValue {
        let sale = receipt.sale
        let values = ["buyer": buyer]
        if sale.amountMinor == 0, receipt.commissions.isEmpty {
            return language.sentence("receipt.lead.zero", ["value": language.money(0, .currency(sale.currency))])
        }
        if sale.amountMinor > 0, sale.refundedMinor == sale.amountMinor { return language.sentence("receipt.lead.returned", values) }
        guard let first = receipt.commissions.first else {
            return language.sentence("receipt.lead.nobody", values.merging(["because": reasons.nobody]) { _, new in new })
        }
        let own = receipt.commissions.filter { $0.memberID == first.memberID && $0.unit == first.unit }
        let others = receipt.commissions.filter { $0.memberID != first.memberID }
        var all = values
        all["person"] = context.names.member(first.memberID, language)
        all["amount"] = language.money(own.reduce(0) { $0 &+ $1.keptMinor }, first.unit)
        all["because"] = reasons.because(first.memberID)
        guard !others.isEmpty else {
            return language.sentence(sale.refundedMinor > 0 ? "receipt.lead.oneReturned" : "receipt.lead.one", all)
        }
        var rest: [UnitCode: Int64] = [:]
        for other in others { rest[other.unit, default: 0] += other.keptMinor }
        all["rest"] = rest.sorted { $0.key < $1.key }.map { language.money($0.value, $0.key) }.listed(language)
        return language.sentence("receipt.lead.several", count: Int64(Set(others.map(\.memberID)).count), all)
    }


    // MARK: What changed later

    private var changes: [PageObject] {
        var rows: [(at: Instant, row: PageObject)] = []
        func add(_ kind: String, _ what: String, _ at: Instant, _ causes: [Cause]) { rows.append((at, change(kind, what, at, causes))) }
        let until = receipt.commissions.map(\.holdUntil).max()
        if let until, receipt.commissions.contains(where: { $0.holdUntil > receipt.sale.occurredAt }) {
            add("", language("receipt.later.held", ["day": language.day(until)]), receipt.sale.occurredAt, [.byHold])
        }
        if let coupon = receipt.facts.attribution["coupon"], coupon["state"]?.string == "redeemed", let minor = coupon["discount"]?.int64, minor > 0 {
            let amount = language.money(minor, .currency(receipt.sale.currency))
            add("", language("receipt.later.coupon", ["coupon": coupon["name"]?.string ?? "", "amount": amount]), receipt.sale.occurredAt, [])
        }
        var remaining = receipt.sale.amountMinor
        for refund in receipt.refunds {
            guard let applied = refund.appliedMinor, applied > 0 else { continue }
            remaining -= applied
            let amount = ["amount": language.money(applied, .currency(receipt.sale.currency))]
            add(
                "won", language(remaining == 0 ? "receipt.later.returnedAll" : "receipt.later.returned", amount), refund.occurredAt,
                [.byRefund(refund.refundID)] + (refund.reason.map { [.reason($0)] } ?? []))
        }
        for reward in receipt.rewards {
            let who = reward.side == .friend ? language("rewards.receipt.friend", ["buyer": buyer]) : context.names.member(reward.memberID, language)
            let values = ["person": who, "reward": RewardWords(language: language).what(reward), "state": language("rewards.state.\(reward.state.rawValue)")]
            add(reward.state == .issued ? "won" : "", language("receipt.later.reward", values), reward.endedAt ?? reward.issuedAt ?? reward.occurredAt, [])
        }
        for adjustment in receipt.changes {
            let values = [
                "person": context.names.member(adjustment.memberID, language), "amount": language.money(adjustment.worthMinor == nil ? -adjustment.amountMinor : adjustment.amountMinor, adjustment.unit),
                "worth": language.money(adjustment.worthMinor ?? 0, adjustment.unit),
            ]
            let key = adjustment.worthMinor == nil ? "receipt.later.voided" : "receipt.later.corrected"
            add("won", language(key, values), adjustment.madeAt, [.byHand] + (adjustment.reason.map { [.reason($0)] } ?? []))
        }
        if let until, receipt.sale.refundedMinor < receipt.sale.amountMinor {
            let states = Set(receipt.commissions.map(\.state))
            if states.contains(.pending), until > now {
                add("", language("receipt.later.approved"), until, [.planned])
            } else if states.contains(.approved) || states.contains(.paid) {
                add("won", language("receipt.later.approved"), until, [.byHold])
            }
        }
        return rows.enumerated().sorted { ($0.element.at, $0.offset) < ($1.element.at, $1.offset) }.map(\.element.row)
    }

    private enum Cause { case byHold, byHand, planned, byRefund(String), reason(String) }

    private func change(_ kind: String, _ what: String, _ at: Instant, _ causes: [Cause]) -> PageObject {
        let words = causes.map { cause -> PageValue in
            switch cause {
            case .byHold: ["plain": .text(language("receipt.later.byHold"))]
            case .byHand: ["plain": .text(language("receipt.later.byHand"))]
            case .planned: ["plain": .text(language("receipt.later.planned"))]
            case .byRefund(let id): ["plain": .text(language("receipt.later.byRefund", ["id": id]))]
            case .reason(let reason): ["plain": .text(language("receipt.later.reason", ["reason": reason]))]
            }
        }
        return ["kind": .text(kind), "what": .text(what), "at": language.time(at), "by": .list(words)]
    }
}
