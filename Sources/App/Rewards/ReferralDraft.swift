import Money
import Rules
import Web

/// A two-sided program as it stands in the fields of its page: what the sharer gets, what the friend gets, when, and how often.
/// It becomes ordinary rules.
struct ReferralDraft: Sendable {
    enum Kind: String, Sendable, CaseIterable {
        case nothing, percentOff, amountOff, shippingOff, flat, percent, credit, points, gift, coupon, freeMonths, freeShipping

        /// What the friend's first order costs less, by a code of whoever recommends.
        static let atOnce: [Kind] = [.percentOff, .amountOff, .shippingOff]

        /// Given by the company, not by the ledger.
        var isThing: Bool { [.gift, .coupon, .freeMonths, .freeShipping].contains(self) }
    }
    enum When: String, Sendable, CaseIterable { case lead, first, every }
    enum Limit: String, Sendable, CaseIterable { case none, perSharer, budget }

    struct Side: Sendable {
        var kind: Kind
        var value = ""
        var thing = ""
        var coupon = ""
        /// What its receiver may have instead of a thing.
        var instead = Instead.nothing
        var insteadValue = ""
    }

    enum Instead: String, Sendable, CaseIterable { case nothing, credit, points, freeMonths, freeShipping }

    var member = Side(kind: .flat)
    var friend = Side(kind: .nothing)
    var when = When.first
    var least = ""
    var countries = ""
    var limit = Limit.none
    var limitValue = ""
    /// Whether the company is asked before things are given.
    var isChecked = false
    /// Whether the rules that pay the same side for the same end with this.
    var isReplacing = true

    init() {}

    /// What most begin with: ten of the currency for who shared, ten percent off for the friend.
    static func usual(_ currency: Currency, _ numbers: NumberReader) -> ReferralDraft {
        var draft = ReferralDraft()
        draft.member.value = numbers.written(currency.exponent == 0 ? "1000" : "10")
        draft.friend = Side(kind: .percentOff, value: numbers.written("10"))
        return draft
    }

    init(_ fields: FormFields) {
        func text(_ name: String, _ length: Int = 100) -> String { String((fields[name] ?? "").prefix(length)) }
        func side(_ name: String) -> Side {
            Side(kind: Kind(rawValue: text("\(name)Kind")) ?? .nothing, value: text("\(name)Value"), thing: text("\(name)Thing", 500), coupon: text("\(name)Coupon"),
                instead: Instead(rawValue: text("\(name)Instead")) ?? .nothing, insteadValue: text("\(name)InsteadValue"))
        }
        member = side("member")
        friend = side("friend")
        when = When(rawValue: text("when")) ?? .first
        least = text("least")
        countries = text("countries", 1_000)
        limit = Limit(rawValue: text("limit")) ?? .none
        limitValue = text("limitValue")
        isChecked = !text("check").isEmpty
        isReplacing = text("known") != "add"
    }

    struct Written: Sendable {
        var side: Reward.Side
        var document: JSONValue
    }

    /// The event that its rules are for.
    var event: RuleEvent { when == .lead ? .lead : .sale }

    /// The same with a rule in the place of a code, to reckon with.
    var asRules: ReferralDraft {
        var draft = self
        switch friend.kind {
        case .percentOff: draft.friend.kind = .percent
        case .amountOff: draft.friend.kind = .flat
        case .shippingOff: draft.friend.kind = .freeShipping
        default: break
        }
        // A code is for an order, whatever the rest is for.
        if when == .lead { draft.when = .first }
        return draft
    }

    /// What a friend's first order costs less, or which field says what cannot be.
    func welcome(_ program: ProgramID, name: String, currency: Currency, numbers: NumberReader) -> (coupon: NewCoupon?, errors: [String: String]) {
        guard Kind.atOnce.contains(friend.kind) else { return (nil, [:]) }
        var errors: [String: String] = [:]
        var coupon = NewCoupon(programID: program, name: name, kind: .freeShipping)
        switch friend.kind {
        case .percentOff:
            (coupon.kind, coupon.rate) = (.percent, numbers.rate(friend.value))
            if coupon.rate.map({ $0 > .zero && $0 <= .whole }) != true { errors["friendValue"] = friend.value.isEmpty ? "missing" : "percent" }
        case .amountOff:
            (coupon.kind, coupon.amountMinor) = (.fixed, numbers.amountMinor(friend.value, exponent: currency.exponent))
            if coupon.amountMinor.map({ $0 > 0 && $0 <= Schemas.amountMax }) != true { errors["friendValue"] = friend.value.isEmpty ? "missing" : "amount" }
        default: break
        }
        coupon.minimumMinor = when == .lead ? 0 : numbers.amountMinor(least, exponent: currency.exponent) ?? 0
        (coupon.usesPerCode, coupon.newCustomersOnly) = (Coupon.usesMax, true)
        if countries.contains(where: \.isLetter) { errors["countries"] = "countriesOfCode" }
        return (coupon, errors)
    }

    /// The rules as the API takes them, or which field says what cannot be; errors are keys of the catalogue.
    func documents(currency: Currency, numbers: NumberReader, names: (member: String, friend: String)) -> (rules: [Written], errors: [String: String]) {
        var errors: [String: String] = [:]
        func reward(_ side: Side, _ name: String) -> JSONValue? {
            func amount(_ exponent: Int) -> Int64 {
                guard let minor = numbers.amountMinor(side.value, exponent: exponent), minor > 0, minor <= Schemas.amountMax else {
                    errors["\(name)Value"] = side.value.isEmpty ? "missing" : "amount"
                    return 1
                }
                return minor
            }
            switch side.kind {
            case .nothing, .percentOff, .amountOff, .shippingOff: return nil
            case .flat: return ["kind": "flat", "amount": .integer(amount(currency.exponent)), "currency": .text(currency.code)]
            case .credit: return ["kind": "credit", "amount": .integer(amount(currency.exponent)), "currency": .text(currency.code)]
            case .points: return ["kind": "points", "amount": .integer(amount(0)), "unit": "points"]
            case .percent:
                guard let rate = numbers.rate(side.value), rate > .zero, rate <= .whole else {
                    errors["\(name)Value"] = side.value.isEmpty ? "missing" : "percent"
                    return nil
                }
                if when == .lead { errors["\(name)Kind"] = "percentOfLead" }
                return ["kind": "percent", "rate": .text(rate.text)]
            case .gift:
                if side.thing.allSatisfy(\.isWhitespace) { errors["\(name)Thing"] = "missing" }
                var gift: [JSONMember] = [JSONMember("kind", "gift"), JSONMember("description", .text(side.thing))]
                if !side.value.isEmpty { gift.append(JSONMember("value", .integer(amount(currency.exponent)))) }
                return .object(gift)
            case .coupon:
                guard CouponID(side.coupon) != nil else {
                    errors["\(name)Coupon"] = "coupon"
                    return nil
                }
                return ["kind": "coupon", "couponId": .text(side.coupon)]
            case .freeMonths:
                guard let months = numbers.count(side.value, in: 1...RecurringMonths.limit) else {
                    errors["\(name)Value"] = side.value.isEmpty ? "missing" : "number"
                    return nil
                }
                return ["kind": "freeMonths", "months": .integer(months)]
            case .freeShipping: return ["kind": "freeShipping"]
            }
        }
        func instead(_ side: Side, _ name: String) -> JSONValue? {
            let field = "\(name)InsteadValue"
            func amount(_ exponent: Int) -> JSONValue {
                guard let minor = numbers.amountMinor(side.insteadValue, exponent: exponent), minor > 0, minor <= Schemas.amountMax else {
                    errors[field] = side.insteadValue.isEmpty ? "missing" : "amount"
                    return 1
                }
                return .integer(minor)
            }
            switch side.instead {
            case .nothing: return nil
            case .credit: return ["kind": "credit", "amount": amount(currency.exponent), "currency": .text(currency.code)]
            case .points: return ["kind": "points", "amount": amount(0), "unit": "points"]
            case .freeShipping: return ["kind": "freeShipping"]
            case .freeMonths:
                let months = numbers.count(side.insteadValue, in: 1...RecurringMonths.limit)
                if months == nil { errors[field] = side.insteadValue.isEmpty ? "missing" : "number" }
                return ["kind": "freeMonths", "months": .integer(months ?? 1)]
            }
        }
        var conditions: [JSONValue] = []
        if when != .lead {
            if when == .first { conditions.append(["field": "saleNumber", "op": "eq", "value": 1]) }
            if when == .first { conditions.append(["field": "customerIsNew", "op": "eq", "value": true]) }
            if least.isEmpty {
                // An order of nothing brings nothing.
                conditions.append(["field": "amount", "op": "gte", "value": 1])
            } else {
                if let minor = numbers.amountMinor(least, exponent: currency.exponent), minor > 0 {
                    conditions.append(["field": "amount", "op": "gte", "value": .integer(minor)])
                } else {
                    errors["least"] = "amount"
                }
            }
        } else if !least.isEmpty {
            errors["least"] = "leastOfLead"
        }
        let codes = countries.split { ", ;".contains($0) }.map { $0.uppercased() }
        if codes.contains(where: { $0.utf8.count != 2 || !$0.utf8.allSatisfy { (65...90).contains($0) } }) { errors["countries"] = "countries" }
        if !codes.isEmpty { conditions.append(["field": "country", "op": "in", "value": .array(codes.map { .text($0) })]) }
        func cap(_ side: Side) -> JSONValue? {
            switch limit {
            case .none: return nil
            case .perSharer:
                guard let count = numbers.count(limitValue, in: 1...1_000_000) else {
                    errors["limitValue"] = limitValue.isEmpty ? "missing" : "number"
                    return nil
                }
                return ["count": .integer(count), "per": "member", "period": "month"]
            case .budget:
                let exponent = side.kind == .points ? 0 : currency.exponent
                guard let minor = numbers.amountMinor(limitValue, exponent: exponent), minor > 0 else {
                    errors["limitValue"] = limitValue.isEmpty ? "missing" : "amount"
                    return nil
                }
                return ["amount": .integer(minor), "per": "program", "period": "month"]
            }
        }
        var rules: [Written] = []
        for (side, name, whose) in [(member, "member", Reward.Side.member), (friend, "friend", .friend)] {
            guard let reward = reward(side, name) else { continue }
            var members: [JSONMember] = [
                JSONMember("name", .text(whose == .member ? names.member : names.friend)), JSONMember("event", when == .lead ? "lead" : "sale"),
                JSONMember("reward", reward), JSONMember("for", .text(whose.rawValue)),
            ]
            if !conditions.isEmpty { members.append(JSONMember("conditions", ["all": .array(conditions)])) }
            if side.kind.isThing, let other = instead(side, name) { members.append(JSONMember("choices", [other])) }
            if isChecked, side.kind.isThing { members.append(JSONMember("check", true)) }
            // A friend gets a limit of their own: what one sharer brings counts for the sharer.
            if let cap = cap(side) { members.append(JSONMember("cap", cap)) }
            rules.append(Written(side: whose, document: .object(members)))
        }
        if member.kind == .nothing, friend.kind == .nothing { errors["memberKind"] = "nothing" }
        return (rules, errors)
    }

    func form(
        action: String, coupons: [Coupon], known: Bool, errors: [String: String], csrfToken: String, currency: Currency, _ language: PageLanguage
    ) -> PageForm {
        func say(_ key: String) -> String { language("refer.\(key)") }
        func select(_ name: String, _ values: [String], _ chosen: String, _ label: (String) -> String) -> FormField {
            FormField(
                name: name, label: say(name), error: errors[name],
                control: .select(values.map { FormField.Choice(value: $0, label: label($0), isChosen: $0 == chosen) }))
        }
        func fields(_ side: Side, _ name: String) -> [FormField] {
            let isFriend = name == "friend"
            let kinds = Kind.allCases.filter { (isFriend || !Kind.atOnce.contains($0)) && ($0 != .coupon || !coupons.isEmpty) }
            func of(_ kinds: Kind...) -> FormField.Shown { FormField.Shown(field: "\(name)Kind", values: kinds.map(\.rawValue)) }
            var kind = select("\(name)Kind", kinds.map(\.rawValue), side.kind.rawValue) { value in
                let isLater = isFriend && value != Kind.nothing.rawValue && !Kind.atOnce.contains { $0.rawValue == value }
                return isLater ? language("refer.later", ["what": say("kind.\(value)")]) : say("kind.\(value)")
            }
            if coupons.isEmpty { kind.error = kind.error ?? errors["\(name)Coupon"] }
            var value = FormField.line(
                "\(name)Value", say("\(name)Value"), side.value, help: language("refer.valueHelp", ["currency": currency.code]), error: errors["\(name)Value"])
            value.shown = of(.percentOff, .amountOff, .flat, .percent, .credit, .points, .gift, .freeMonths)
            var thing = FormField.line(
                "\(name)Thing", say("\(name)Thing"), side.thing, help: say("thingHelp"), error: errors["\(name)Thing"], lengthMax: 500)
            thing.shown = of(.gift)
            var instead = select("\(name)Instead", Instead.allCases.map(\.rawValue), side.instead.rawValue) { say($0 == "nothing" ? "insteadNothing" : "kind.\($0)") }
            instead.shown = of(.gift, .coupon, .freeMonths, .freeShipping)
            var other = FormField.line("\(name)InsteadValue", say("\(name)InsteadValue"), side.insteadValue, error: errors["\(name)InsteadValue"])
            other.shown = FormField.Shown(field: "\(name)Instead", values: [Instead.credit, .points, .freeMonths].map(\.rawValue))
            guard !coupons.isEmpty else { return [kind, value, thing, instead, other] }
            var coupon = select("\(name)Coupon", [""] + coupons.map(\.id.text), side.coupon) { id in
                coupons.first { $0.id.text == id }?.name ?? say("noCoupon")
            }
            coupon.shown = of(.coupon)
            return [kind, value, thing, coupon, instead, other]
        }
        var most = FormField.line("limitValue", say("limitValue"), limitValue, help: say("limitHelp"), error: errors["limitValue"])
        most.shown = FormField.Shown(field: "limit", values: [Limit.perSharer.rawValue, Limit.budget.rawValue])
        let before = FormField(
            name: "known", label: say("known"),
            control: .radios([
                FormField.Choice(value: "replace", label: say("known.replace"), help: say("known.replaceHelp"), isChosen: isReplacing),
                FormField.Choice(value: "add", label: say("known.add"), help: say("known.addHelp"), isChosen: !isReplacing),
            ]))
        return PageForm(
            action: action,
            fields: fields(member, "member") + fields(friend, "friend") + [
                select("when", When.allCases.map(\.rawValue), when.rawValue) { say("when.\($0)") },
                .line("least", say("least"), least, help: say("leastHelp"), error: errors["least"]),
                .line("countries", say("countries"), countries, help: say("countriesHelp"), error: errors["countries"], lengthMax: 1_000),
                select("limit", Limit.allCases.map(\.rawValue), limit.rawValue) { say("limit.\($0)") }, most,
                FormField(
                    name: "check", label: say("checkLabel"),
                    control: .checks([FormField.Choice(value: "1", label: say("check"), help: say("checkHelp"), isChosen: isChecked)])),
            ] + (known ? [before] : []),
            buttons: [
                PageForm.Button(label: say("save"), name: "act", value: "save"), PageForm.Button(label: say("look"), name: "act", value: "look", style: "btn-plain"),
            ], csrfToken: csrfToken)
    }
}
