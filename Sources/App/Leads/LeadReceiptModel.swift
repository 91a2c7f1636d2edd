import Chronology
import Money
import Web

/// A lead's receipt, in the order of a sale's: the answer, the arithmetic, the path, the rule, what was rejected.
struct LeadReceiptModel: PageModel {
    let receipt: LeadReceipt
    let context: ReceiptContext
    let language: PageLanguage

    var heading: String { language("receiptLead.title", ["event": receipt.lead.eventName]) }

    var page: PageObject {
        let lead = receipt.lead
        let path = ReceiptPath(
            facts: receipt.facts, end: language.sentence("receiptLead.end", ["event": lead.eventName]), endAt: lead.occurredAt, context: context,
            language: language)
        let touches = path.touches
        let rules = ReceiptRules(facts: receipt.facts, language: language).rows
        let rejected = path.rejected + ReceiptRefusals(facts: receipt.facts, names: context.names, language: language).rows
        return [
            "heading": .text(heading), "event": .text(lead.eventName), "jsonURL": .text("/leads/\(lead.id.text)/receipt.json"), "lead": answer,
            "at": language.time(lead.occurredAt), "buyer": .text(buyer), "program": PageValue(receipt.facts.program?.name),
            "hasLines": .flag(!receipt.facts.commissions.isEmpty), "lines": PageValue(receipt.facts.commissions.map(line)),
            "hasTouches": .flag(!touches.isEmpty), "touches": PageValue(touches), "hasRules": .flag(!rules.isEmpty), "rules": PageValue(rules),
            "hasRejected": .flag(!rejected.isEmpty), "rejected": PageValue(rejected),
        ]
    }

    private var buyer: String { context.names.customer(receipt.lead.customerID, language) }

    private var answer: PageValue {
        if receipt.isDeferred { return language.sentence("receiptLead.lead.deferred", ["buyer": buyer]) }
        let reasons = ReceiptReasons(
            facts: receipt.facts, context: context, buyer: buyer, at: receipt.lead.occurredAt, language: language)
        guard let first = receipt.facts.commissions.first else {
            return language.sentence("receiptLead.lead.nobody", ["buyer": buyer, "because": reasons.nobody])
        }
        let own = receipt.facts.commissions.filter { $0.memberID == first.memberID }
        return language.sentence(
            "receiptLead.lead.paid",
            [
                "buyer": buyer, "person": context.names.member(first.memberID, language), "because": reasons.because(first.memberID),
                "amount": own.map { language.money($0.keptMinor, $0.unit) }.listed(language),
            ])
    }

    private func line(_ commission: Commission) -> PageObject {
        let name = context.names.member(commission.memberID, language)
        return [
            "name": .text(name), "initials": .text(Initials.of(name)), "amount": .text(language.money(commission.keptMinor, commission.unit)),
            "state": commission.state.badge(language),
        ]
    }
}
