import Money
import Web

/// Which friends count, and the budget, as they stand in the fields of the page.
struct ReferralTermsDraft: Sendable {
    static let act = "terms"
    static let periods: [PeriodKind] = [.month, .year, .lifetime, .week, .day]

    var isNewOnly: Bool
    var isOtherHousehold: Bool
    var least: String
    var countries: String
    var budget: String
    var period: String

    init(_ fields: FormFields) {
        func text(_ name: String, _ length: Int = 100) -> String { String((fields[name] ?? "").prefix(length)) }
        isNewOnly = !text("newOnly").isEmpty
        isOtherHousehold = !text("otherHousehold").isEmpty
        least = text("leastFirst")
        countries = text("allowedCountries", 1_000)
        budget = text("budget")
        period = text("budgetPeriod")
    }

    init(_ terms: ReferralTerms, currency: Currency, _ language: PageLanguage) {
        func amount(_ minor: Int64) -> String { minor == 0 ? "" : language.numbers.written(Amount(minor: minor).decimalText(exponent: currency.exponent)) }
        isNewOnly = terms.newCustomersOnly
        isOtherHousehold = terms.notOwnHousehold
        least = amount(terms.minimumOrderMinor)
        countries = terms.countries.joined(separator: ", ")
        budget = amount(terms.budget?.amountMinor ?? 0)
        period = (terms.budget?.period ?? .month).rawValue
    }

    /// The terms, or which field says what cannot be; errors are keys of the catalogue.
    func terms(currency: Currency, numbers: NumberReader) -> (terms: ReferralTerms, errors: [String: String]) {
        var terms = ReferralTerms()
        var errors: [String: String] = [:]
        func amount(_ text: String, _ name: String) -> Int64? {
            if text.isEmpty { return nil }
            guard let minor = numbers.amountMinor(text, exponent: currency.exponent), minor > 0, minor <= Schemas.amountMax else {
                errors[name] = "amount"
                return nil
            }
            return minor
        }
        terms.newCustomersOnly = isNewOnly
        terms.notOwnHousehold = isOtherHousehold
        terms.minimumOrderMinor = amount(least, "leastFirst") ?? 0
        terms.countries = countries.split { ", ;".contains($0) }.map { $0.uppercased() }
        if !terms.countries.allSatisfy(ReferralTerms.isCountry) || terms.countries.count > ReferralTerms.countriesMax { errors["allowedCountries"] = "countries" }
        terms.budget = amount(budget, "budget").map { ReferralTerms.Budget(amountMinor: $0, period: PeriodKind(rawValue: period) ?? .month) }
        return (terms, errors)
    }

    func form(action: String, errors: [String: String], currency: Currency, csrfToken: String, _ language: PageLanguage) -> PageForm {
        func say(_ key: String) -> String { language("refer.terms.\(key)") }
        func check(_ name: String, isOn: Bool) -> FormField.Choice { FormField.Choice(value: "1", label: say(name), help: say("\(name)Help"), isChosen: isOn) }
        return PageForm(
            action: action,
            fields: [
                FormField(name: "newOnly", label: say("buyers"), control: .checks([check("newOnly", isOn: isNewOnly)])),
                FormField(name: "otherHousehold", label: say("households"), control: .checks([check("otherHousehold", isOn: isOtherHousehold)])),
                .line("leastFirst", say("leastFirst"), least, help: say("leastFirstHelp"), error: errors["leastFirst"], suffix: currency.code),
                .line(
                    "allowedCountries", say("allowedCountries"), countries, help: language("refer.countriesHelp"), error: errors["allowedCountries"],
                    lengthMax: 1_000),
                .line("budget", say("budget"), budget, help: say("budgetHelp"), error: errors["budget"], suffix: currency.code),
                FormField(
                    name: "budgetPeriod", label: say("budgetPeriod"),
                    control: .select(
                        Self.periods.map { FormField.Choice(value: $0.rawValue, label: say("period.\($0.rawValue)"), isChosen: $0.rawValue == period) })),
            ], buttons: [PageForm.Button(label: say("save"), name: "act", value: Self.act)], csrfToken: csrfToken)
    }
}

extension ReferralTerms {
    /// Each term that is set, in words.
    func words(currency: Currency, _ language: PageLanguage) -> [String] {
        func say(_ key: String, _ values: [String: String] = [:]) -> String { language("refer.term.\(key)", values) }
        let unit = UnitCode.currency(currency)
        var words: [String] = []
        if newCustomersOnly { words.append(say("newOnly")) }
        if minimumOrderMinor > 0 { words.append(say("least", ["amount": language.money(minimumOrderMinor, unit)])) }
        if !countries.isEmpty { words.append(say("countries", ["countries": countries.listed(language)])) }
        if notOwnHousehold { words.append(say("otherHousehold")) }
        if let budget {
            words.append(say("budget", ["amount": language.money(budget.amountMinor, unit), "period": language("refer.terms.period.\(budget.period.rawValue)")]))
        }
        return words
    }
}
