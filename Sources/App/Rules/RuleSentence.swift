import Money
import Rules
import Web

/// A rule as a sentence that people read.
struct RuleSentence {
    let rule: Rule
    /// For amounts that name no currency of their own.
    let currency: Currency
    let language: PageLanguage

    var text: String {
        var sentences = [main]
        if rule.terms.conditions.leafCount > 0 {
            sentences.append(language("rule.onlyIf", ["condition": rule.terms.conditions.leaves.map(condition).listed(language)]))
        }
        if let cap = rule.terms.cap {
            let values = ["per": language("rule.per.\(cap.per.rawValue)"), "period": language("rule.period.\(cap.period.rawValue)")]
            switch cap.limit {
            case .amount(let amount):
                sentences.append(language("rule.cap", values.merging(["cap": language.money(amount.minor, capUnit)]) { _, new in new }))
            case .count(let count): sentences.append(language.plural("rule.capCount", count, values))
            }
        }
        return sentences.joined(separator: " ")
    }

    private var main: String {
        let terms = rule.terms
        let values = ["who": who, "what": what]
        switch terms.event {
        case .click: return language("rule.click", values)
        case .lead: return language("rule.lead", values)
        case .sale, .recurring:
            switch terms.months {
            case .count(let months): return language.plural("rule.recurring", months, values)
            case .lifetime: return language("rule.lifetime", values)
            case .none: return language(terms.isPerItem ? "rule.item" : "rule.sale", values)
            }
        }
    }

    private var who: String {
        if rule.terms.recipient == .friend { return language("rule.who.friend") }
        return rule.terms.level == 0 ? language("rule.who.sharer") : language.plural("rule.who.level", Int64(rule.terms.level))
    }

    private var what: String {
        switch rule.terms.reward {
        case .flat(let amount, let currency): language.money(amount.minor, .currency(currency))
        case .credit(let amount, let currency): language.money(amount.minor, .credit(currency))
        case .points(let amount, let unit): language.money(amount.minor, unit)
        case .percent(let rate): percent(rate)
        case .tiered(let table): language("rule.tiers", ["rates": table.tiers.map { percent($0.rate) }.listed(language)])
        case .coupon: language("rule.reward.coupon")
        case .gift(let description, _), .custom(let description, _): description
        case .freeMonths(let months): language.plural("rule.reward.freeMonths", Int64(months))
        case .freeShipping: language("rule.reward.freeShipping")
        }
    }

    private var capUnit: UnitCode {
        switch rule.terms.reward {
        case .flat(_, let currency): .currency(currency)
        case .credit(_, let currency): .credit(currency)
        case .points(_, let unit): unit
        default: .currency(currency)
        }
    }

    private func percent(_ rate: Rate) -> String { language.percent(ppm: rate.billionths / 1000, decimals: 4) }

    private func condition(_ leaf: ConditionLeaf) -> String {
        language(
            "condition.leaf",
            ["field": leaf.field.text, "op": language("condition.op.\(leaf.comparison.rawValue)"), "value": value(leaf.value)])
    }

    private func value(_ value: ConditionValue) -> String {
        switch value {
        case .text(let text): text
        case .integer(let number): String(number)
        case .bool(let flag): language(flag ? "condition.yes" : "condition.no")
        case .list(let scalars):
            scalars.map { scalar in
                switch scalar {
                case .text(let text): text
                case .integer(let number): String(number)
                case .bool(let flag): language(flag ? "condition.yes" : "condition.no")
                }
            }.listed(language)
        }
    }
}
