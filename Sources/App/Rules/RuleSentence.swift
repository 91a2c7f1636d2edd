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
        let circumstances = RuleCircumstances(rule.terms)
        var sentences = [main(circumstances)]
        if !circumstances.others.isEmpty {
            let words = ConditionWords(currency: currency, language: language)
            sentences.append(language("rule.onlyIf", ["condition": words.all(circumstances.others)]))
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

    private func main(_ circumstances: RuleCircumstances) -> String {
        let terms = rule.terms
        let values = [
            "who": who, "what": what, "buyer": language("rule.buyer.\(circumstances.buyer.rawValue)"),
            "where": circumstances.countries.isEmpty
                ? "" : language("rule.where", ["countries": circumstances.countries.map { language.country($0) }.alternatives(language)]),
            "often": language("rule.often.\(circumstances.isFirstOnly ? "first" : "any")"),
            "least": circumstances.saidLeastMinor.map { language("rule.least", ["amount": language.money($0, .currency(currency))]) } ?? "",
        ]
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

    /// The reward alone.
    var what: String {
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
}

/// The usual conditions of a rule, which stand inside its sentence and in the fields of its form, and the others.
struct RuleCircumstances: Sendable, Equatable {
    enum Buyer: String, Sendable, CaseIterable { case any, new, known }

    var buyer = Buyer.any
    var countries: [String] = []
    var isFirstOnly = false
    var leastMinor: Int64?
    /// A least of the smallest coin says no more than that something is paid, which goes without saying.
    var saidLeastMinor: Int64? { leastMinor.flatMap { $0 > 1 ? $0 : nil } }
    var others: [Condition] = []

    init() {}

    init(_ terms: CommissionRule) {
        for part in terms.conditions.conjuncts where !(terms.event.isSale && take(part)) { others.append(part) }
    }

    /// Each usual condition once; a second one of a kind stands with the others.
    private mutating func take(_ part: Condition) -> Bool {
        guard let leaf = part.onlyLeaf else { return false }
        switch (leaf.field, leaf.comparison, leaf.value) {
        case (.customerIsNew, .equal, .bool(let isNew)) where buyer == .any: buyer = isNew ? .new : .known
        case (.saleNumber, .equal, .integer(1)) where !isFirstOnly: isFirstOnly = true
        case (.amount, .greaterOrEqual, .integer(let least)) where leastMinor == nil: leastMinor = least
        case (.country, .equal, .text(let code)) where countries.isEmpty: countries = [code]
        case (.country, .isIn, .list(let codes)) where countries.isEmpty && !codes.isEmpty:
            let texts = codes.compactMap { code -> String? in if case .text(let text) = code { text } else { nil } }
            guard texts.count == codes.count else { return false }
            countries = texts
        default: return false
        }
        return true
    }
}

/// Conditions as people read them: what must hold together joined by "and", of what one is enough by "or", brackets where both meet.
struct ConditionWords {
    let currency: Currency
    let language: PageLanguage

    private struct Part {
        var text: String
        /// Nil for a single comparison.
        var isAll: Bool?
    }

    func all(_ conditions: [Condition]) -> String { joined(conditions.compactMap(part), isAll: true).text }

    private func part(_ condition: Condition) -> Part? {
        condition.folded(leaf: { Part(text: leaf($0), isAll: nil) }, group: { isAll, children in joined(children, isAll: isAll) })
    }

    private func joined(_ parts: [Part], isAll: Bool) -> Part {
        if parts.count == 1, let only = parts.first { return only }
        if parts.isEmpty { return Part(text: language("condition.always"), isAll: nil) }
        let texts = parts.map { part in
            part.isAll.map { $0 != isAll } ?? false ? language("condition.group", ["condition": part.text]) : part.text
        }
        return Part(text: texts.joined(separator: language(isAll ? "condition.and" : "condition.or")), isAll: isAll)
    }

    private func leaf(_ leaf: ConditionLeaf) -> String {
        let field = field(leaf.field)
        switch (leaf.comparison, leaf.value) {
        case (.exists, .bool(let isThere)): return language(isThere ? "condition.isKnown" : "condition.isNotKnown", ["field": field])
        case (.equal, .bool(let flag)), (.notEqual, .bool(let flag)):
            let holds = flag == (leaf.comparison == .equal)
            switch leaf.field {
            case .customerIsNew: return language(holds ? "condition.customerIsNew" : "condition.customerIsKnown")
            case .couponUsed: return language(holds ? "condition.withCode" : "condition.withoutCode")
            default: break
            }
        default: break
        }
        return language(
            "condition.leaf",
            ["field": field, "op": language("condition.op.\(leaf.comparison.rawValue)"), "value": value(leaf.value, of: leaf.field)])
    }

    private func field(_ field: ConditionField) -> String {
        switch field {
        case .memberTotal(let name) where name == "sales" || name == "amount": language("condition.field.memberTotal.\(name)")
        case .memberTotal(let name): language("condition.field.memberTotal", ["name": name])
        case .metadata(let name): language("condition.field.metadata", ["name": name])
        default: language("condition.field.\(field.text)")
        }
    }

    private func value(_ value: ConditionValue, of field: ConditionField) -> String {
        switch value {
        case .text(let text): scalar(.text(text), of: field)
        case .integer(let number): scalar(.integer(number), of: field)
        case .bool(let flag): scalar(.bool(flag), of: field)
        case .list(let scalars): scalars.map { scalar($0, of: field) }.alternatives(language)
        }
    }

    private func scalar(_ scalar: ConditionScalar, of field: ConditionField) -> String {
        switch scalar {
        case .text(let text): return field == .country ? language.country(text) : text
        case .integer(let number):
            if field == .amount || field == .memberTotal("amount") { return language.money(number, .currency(currency)) }
            return language.integer(number)
        case .bool(let flag): return language(flag ? "condition.yes" : "condition.no")
        }
    }
}

extension [String] {
    /// One of several, for instance: Germany, Austria or Switzerland.
    func alternatives(_ language: PageLanguage) -> String {
        guard count > 1, let last else { return first ?? "" }
        return dropLast().joined(separator: language("list.separator")) + language("list.or") + last
    }
}

extension PageLanguage {
    /// A country by its ISO 3166 code, as the reader calls it.
    func country(_ code: String) -> String { messages.formatter.countryName(code) }
}
