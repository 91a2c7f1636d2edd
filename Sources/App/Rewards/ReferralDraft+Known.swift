import Money
import Rules
import Web

extension ReferralDraft {
    /// What is in force, as the fields say it. Nil where they can't: several rules for a side, tiers, groups, or conditions of other kinds.
    init?(_ rules: [Rule], welcome: Coupon?, currency: Currency, _ numbers: NumberReader) {
        let own = rules.filter { $0.terms.level == 0 && $0.terms.event != .click }
        let (members, friends) = (own.filter { $0.terms.recipient == .member }, own.filter { $0.terms.recipient == .friend })
        guard members.count <= 1, friends.count + (welcome == nil ? 0 : 1) <= 1, own.count == rules.count, !(members + friends).isEmpty || welcome != nil else { return nil }
        self.init()
        (member, friend) = (Side(kind: .nothing), Side(kind: .nothing))
        var occasions: Set<When> = []
        for rule in members + friends {
            let circumstances = RuleCircumstances(rule.terms)
            guard circumstances.others.isEmpty, takes(rule.terms.cap, currency, numbers), let side = Side(rule, currency: currency, numbers) else { return nil }
            if rule.terms.recipient == .member { member = side } else { friend = side }
            occasions.insert(rule.terms.event == .lead ? .lead : circumstances.isFirstOnly || circumstances.buyer == .new ? .first : .every)
            least = circumstances.saidLeastMinor.map { numbers.written(Amount(minor: $0).decimalText(exponent: currency.exponent)) } ?? ""
            countries = circumstances.countries.joined(separator: ", ")
            isChecked = rule.document["check"] == .boolean(true)
        }
        guard occasions.count <= 1 else { return nil }
        when = occasions.first ?? .first
        guard let welcome else { return }
        switch welcome.kind {
        case .percent: friend = Side(kind: .percentOff, value: Self.percent(welcome.rate ?? .zero, numbers))
        case .fixed: friend = Side(kind: .amountOff, value: numbers.written(Amount(minor: welcome.amountMinor ?? 0).decimalText(exponent: currency.exponent)))
        case .freeShipping: friend = Side(kind: .shippingOff)
        case .storeCredit: return nil
        }
    }

    /// Whether a cap is one that the fields can say.
    private mutating func takes(_ cap: Cap?, _ currency: Currency, _ numbers: NumberReader) -> Bool {
        switch (cap?.limit, cap?.per, cap?.period) {
        case (nil, _, _): return true
        case (.count(let count)?, .member?, .month?): (limit, limitValue) = (.perSharer, String(count))
        case (.amount(let amount)?, .program?, .month?):
            (limit, limitValue) = (.budget, numbers.written(amount.decimalText(exponent: currency.exponent)))
        default: return false
        }
        return true
    }

    fileprivate static func percent(_ rate: Rate, _ numbers: NumberReader) -> String {
        // Billionths are ten-millionths of a percent.
        let text = Amount(minor: rate.billionths).decimalText(exponent: 7)
        return numbers.written(text.contains(".") ? String(text.reversed().drop { $0 == "0" }.drop { $0 == "." }.reversed()) : text)
    }
}

extension ReferralDraft.Side {
    fileprivate init?(_ rule: Rule, currency: Currency, _ numbers: NumberReader) {
        func written(_ minor: Int64, _ exponent: Int) -> String { numbers.written(Amount(minor: minor).decimalText(exponent: exponent)) }
        switch rule.terms.reward {
        case .flat(let amount, _): self.init(kind: .flat, value: written(amount.minor, currency.exponent))
        case .percent(let rate): self.init(kind: .percent, value: ReferralDraft.percent(rate, numbers))
        case .credit(let amount, let unit) where unit == currency: self.init(kind: .credit, value: written(amount.minor, currency.exponent))
        case .points(let amount, .points): self.init(kind: .points, value: written(amount.minor, 0))
        case .gift(let description, let value):
            self.init(kind: .gift, value: value.map { written($0, currency.exponent) } ?? "", thing: description)
        case .coupon(let id): self.init(kind: .coupon, coupon: id)
        case .freeMonths(let months): self.init(kind: .freeMonths, value: String(months))
        case .freeShipping: self.init(kind: .freeShipping)
        case .tiered, .custom, .credit, .points: return nil
        }
        switch rule.choices.first {
        case nil: break
        case .credit(let amount, _)?: (instead, insteadValue) = (.credit, written(amount.minor, currency.exponent))
        case .points(let amount, .points)?: (instead, insteadValue) = (.points, written(amount.minor, 0))
        case .freeMonths(let months)?: (instead, insteadValue) = (.freeMonths, String(months))
        case .freeShipping?: instead = .freeShipping
        default: return nil
        }
        if rule.choices.count > 1 { return nil }
    }
}
