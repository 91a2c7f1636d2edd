import Money
import Web

/// A coupon as it stands in the fields of its form.
struct CouponDraft: Sendable {
    var name = ""
    var programText = ""
    var kind = Coupon.Kind.percent
    var value = ""
    var minimum = ""
    var validDays = ""
    var usesPerCode = "1"
    var usesLimit = ""
    var budget = ""
    var watched = ""
    var needsReferral = false
    var newCustomersOnly = false
    private var isKindKnown = true

    init() {}

    init(_ fields: FormFields) {
        func text(_ name: String) -> String { String((fields[name] ?? "").prefix(100)) }
        name = text("name")
        programText = text("programId")
        let known = Coupon.Kind(rawValue: text("kind"))
        isKindKnown = known != nil
        kind = known ?? .percent
        value = text("value")
        minimum = text("minimum")
        validDays = text("validDays")
        usesPerCode = text("usesPerCode")
        usesLimit = text("usesLimit")
        budget = text("budget")
        watched = text("watched")
        let rules = fields.all("rules")
        needsReferral = rules.contains("needsReferral")
        newCustomersOnly = rules.contains("newCustomersOnly")
    }

    var program: ProgramID? { ProgramID(programText) }

    /// What to make, or which field says what cannot be; errors are keys of the catalogue.
    func coupon(of program: Program?, numbers: NumberReader) -> (NewCoupon?, errors: [String: String]) {
        var errors: [String: String] = [:]
        guard let program, let currency = Currency(code: program.currency) else { return (nil, ["programId": "program"]) }
        if !isKindKnown { errors["kind"] = "kind" }
        if name.allSatisfy(\.isWhitespace) { errors["name"] = "missing" }
        func count(_ field: String, _ text: String, _ range: ClosedRange<Int64>) -> Int64? {
            guard !text.isEmpty else { return nil }
            let count = numbers.count(text, in: range)
            if count == nil { errors[field] = "number" }
            return count
        }
        func money(_ field: String, _ text: String) -> Int64? {
            guard !text.isEmpty else { return nil }
            guard let minor = numbers.amountMinor(text, exponent: currency.exponent), minor > 0, minor <= Schemas.amountMax else {
                errors[field] = "amount"
                return nil
            }
            return minor
        }
        var coupon = NewCoupon(programID: program.id, name: name, kind: kind)
        switch kind {
        case .percent:
            coupon.rate = numbers.rate(value)
            if (coupon.rate ?? .zero) <= .zero || (coupon.rate ?? .zero) > .whole { errors["value"] = "percent" }
        case .fixed, .storeCredit:
            coupon.amountMinor = money("value", value)
            if value.isEmpty { errors["value"] = "missing" }
        case .freeShipping:
            if !value.isEmpty { errors["value"] = "noValue" }
        }
        coupon.minimumMinor = money("minimum", minimum) ?? 0
        coupon.validDays = count("validDays", validDays, 1...Coupon.validDaysMax)
        coupon.usesPerCode = count("usesPerCode", usesPerCode, 1...Coupon.usesMax) ?? 1
        coupon.usesLimit = count("usesLimit", usesLimit, 1...Coupon.usesMax)
        coupon.budgetMinor = money("budget", budget)
        coupon.watchedUses = count("watched", watched, 0...Coupon.usesMax) ?? 0
        coupon.needsReferral = needsReferral
        coupon.newCustomersOnly = newCustomersOnly
        return (coupon, errors)
    }

    func form(_ programs: [Program], errors: [String: String], csrfToken: String, _ language: PageLanguage) -> PageForm {
        func say(_ key: String) -> String { language("coupons.\(key)") }
        func line(_ name: String, _ label: String, _ value: String, isRequired: Bool = false) -> FormField {
            .line(name, say(label), value, help: say("\(label)Help"), error: errors[name], isRequired: isRequired, lengthMax: 100)
        }
        return PageForm(
            action: "/coupons",
            fields: [
                line("name", "name", name, isRequired: true),
                FormField(
                    name: "programId", label: say("program"), error: errors["programId"],
                    control: .select(programs.map { FormField.Choice(value: $0.id.text, label: $0.name, isChosen: $0.id == program) })),
                FormField(
                    name: "kind", label: say("kind"), error: errors["kind"],
                    control: .select(
                        Coupon.Kind.allCases.map { FormField.Choice(value: $0.rawValue, label: say("kind.\($0.rawValue)"), isChosen: $0 == kind) })),
                line("value", "value", value), line("minimum", "minimum", minimum), line("validDays", "validDays", validDays),
                line("usesPerCode", "usesPerCode", usesPerCode), line("usesLimit", "usesLimit", usesLimit), line("budget", "budget", budget),
                line("watched", "watchedUses", watched),
                FormField(
                    name: "rules", label: say("for"),
                    control: .checks([
                        FormField.Choice(value: "needsReferral", label: say("rule.needsReferral"), help: say("needsReferralHelp"), isChosen: needsReferral),
                        FormField.Choice(value: "newCustomersOnly", label: say("rule.newCustomersOnly"), isChosen: newCustomersOnly),
                    ])),
            ], buttons: [PageForm.Button(label: say("makeButton"))], csrfToken: csrfToken)
    }
}
