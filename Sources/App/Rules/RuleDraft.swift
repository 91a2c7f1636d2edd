import Chronology
import Money
import Rules
import Web

/// A rule as it stands in the fields of its form: the usual kinds, text by text. What else a rule may say is written as JSON.
struct RuleDraft: Sendable, Equatable {
    enum Kind: String, Sendable, CaseIterable { case percent, flat, points, credit }
    enum Lasting: String, Sendable, CaseIterable { case once, months, lifetime }
    enum CapKind: String, Sendable, CaseIterable { case none, amount, count }

    static let levelsMax = 9

    var name = ""
    var event = RuleEvent.sale
    var buyer = RuleCircumstances.Buyer.any
    var countries = ""
    var isFirstOnly = false
    var least = ""
    /// `friend`, or the level above the sharer.
    var recipient = "0"
    var kind = Kind.percent
    var value = ""
    var lasting = Lasting.once
    var months = ""
    var capKind = CapKind.none
    var cap = ""
    var capPer = Cap.Scope.member
    var capPeriod = CapPeriod.month
    /// Conditions beyond the usual ones, as JSON.
    var conditions = ""
    /// A day; empty is now.
    var from = ""
    var until = ""
    var isPerItem = false

    init() {}

    /// What was sent.
    init(_ fields: FormFields) {
        func choice<Choice: RawRepresentable>(_ name: String, _ standard: Choice) -> Choice where Choice.RawValue == String {
            fields[name].flatMap(Choice.init(rawValue:)) ?? standard
        }
        func text(_ name: String, _ length: Int = 200) -> String { String((fields[name] ?? "").prefix(length)) }
        name = text("name")
        event = choice("event", .sale)
        buyer = choice("buyer", .any)
        countries = text("countries", 1_000)
        isFirstOnly = fields["often"] == "first"
        least = text("least", 30)
        recipient = text("recipient", 10)
        kind = choice("kind", .percent)
        value = text("value", 30)
        months = text("months", 10)
        lasting = !months.isEmpty ? .months : fields["lasting"] == Lasting.lifetime.rawValue ? .lifetime : .once
        cap = text("cap", 30)
        capKind = cap.isEmpty ? .none : choice("capKind", .amount)
        capPer = choice("capPer", .member)
        capPeriod = choice("capPeriod", .month)
        conditions = text("conditions", 20_000)
        from = text("from", 10)
        until = text("until", 10)
        isPerItem = fields["perItem"] != nil
    }

    /// The fields of a rule; nil when the form has no place for what it says.
    init?(_ rule: Rule, currency: Currency, zone: Zone) {
        let terms = rule.terms
        name = rule.name
        event = terms.event.isSale ? .sale : terms.event
        switch terms.reward {
        case .percent(let rate): (kind, value) = (.percent, rate.percentText)
        case .flat(let amount, let own) where own == currency: (kind, value) = (.flat, amount.decimalText(exponent: own.exponent))
        case .credit(let amount, let own) where own == currency: (kind, value) = (.credit, amount.decimalText(exponent: own.exponent))
        case .points(let amount, .points): (kind, value) = (.points, String(amount.minor))
        default: return nil
        }
        guard terms.level <= Self.levelsMax else { return nil }
        recipient = terms.recipient == .friend ? "friend" : String(terms.level)
        let circumstances = RuleCircumstances(terms)
        buyer = circumstances.buyer
        countries = circumstances.countries.joined(separator: ", ")
        isFirstOnly = circumstances.isFirstOnly
        least = circumstances.leastMinor.map { Amount(minor: $0).decimalText(exponent: currency.exponent) } ?? ""
        if !circumstances.others.isEmpty {
            let rest = circumstances.others.map(\.json)
            conditions = JSONValue.object([JSONMember("all", .array(rest))]).indented
        }
        switch terms.months {
        case .none: lasting = .once
        case .count(let count): (lasting, months) = (.months, String(count))
        case .lifetime: lasting = .lifetime
        }
        if terms.event == .recurring, terms.months == .none { lasting = .lifetime }
        if let known = terms.cap {
            capPer = known.per
            capPeriod = known.period
            switch known.limit {
            case .count(let count): (capKind, cap) = (.count, String(count))
            case .amount(let amount):
                capKind = .amount
                cap = kind == .points ? String(amount.minor) : amount.decimalText(exponent: currency.exponent)
            }
        }
        until = terms.effectiveUntil.map { zone.day(of: $0).iso8601 } ?? ""
        isPerItem = terms.isPerItem
    }

    /// What is wrong with a field; the text is a key of the catalogue, or else a sentence about JSON.
    enum Fault: Sendable, Equatable {
        case key(String)
        case sentence(String)
    }

    /// The rule as the API takes it, or what is wrong with the fields.
    func document(currency: Currency, zone: Zone) -> (json: JSONValue, faults: [String: Fault]) {
        var faults: [String: Fault] = [:]
        func amount(_ field: String, _ text: String, exponent: Int) -> Int64 {
            guard let amount = try? Amount(decimalText: Self.plain(text), exponent: exponent), amount > .zero else {
                faults[field] = .key(text.isEmpty ? "missing" : "amount")
                return 1
            }
            return amount.minor
        }
        func day(_ field: String, _ text: String) -> Instant? {
            if text.isEmpty { return nil }
            guard let day = try? LocalDay(iso8601: text) else {
                faults[field] = .key("day")
                return nil
            }
            return zone.start(of: day)
        }
        var reward: [JSONMember] = [JSONMember("kind", .text(kind.rawValue))]
        switch kind {
        case .percent:
            let rate = Self.rate(value)
            if rate == nil { faults["value"] = .key(value.isEmpty ? "missing" : "percent") }
            if let rate, rate > .whole { faults["value"] = .key("percentTooMuch") }
            reward.append(JSONMember("rate", .text((rate ?? .zero).text)))
        case .flat, .credit:
            reward.append(JSONMember("amount", .integer(amount("value", value, exponent: currency.exponent))))
            reward.append(JSONMember("currency", .text(currency.code)))
        case .points:
            reward.append(JSONMember("amount", .integer(amount("value", value, exponent: 0))))
            reward.append(JSONMember("unit", "points"))
        }
        var all: [JSONValue] = []
        if event.isSale {
            switch buyer {
            case .any: break
            case .new: all.append(["field": "customerIsNew", "op": "eq", "value": true])
            case .known: all.append(["field": "customerIsNew", "op": "eq", "value": false])
            }
            let codes = countries.split { ", ;".contains($0) }.map { $0.uppercased() }
            if codes.contains(where: { $0.utf8.count != 2 || !$0.utf8.allSatisfy { (65...90).contains($0) } }) { faults["countries"] = .key("countries") }
            if !codes.isEmpty { all.append(["field": "country", "op": "in", "value": .array(codes.map { .text($0) })]) }
            if isFirstOnly { all.append(["field": "saleNumber", "op": "eq", "value": 1]) }
            if !least.isEmpty { all.append(["field": "amount", "op": "gte", "value": .integer(amount("least", least, exponent: currency.exponent))]) }
        }
        if !conditions.isEmpty {
            do throws(JSONSyntaxError) {
                all.append(try JSONValue.parse(Array(conditions.utf8), maximumBytes: 100_000))
            } catch {
                faults["conditions"] = .sentence("\(error.reason) (\(error.offset))")
            }
        }
        var members: [JSONMember] = [
            JSONMember("name", .text(name)), JSONMember("event", .text(lasting == .once || !event.isSale ? event.rawValue : "recurring")),
            JSONMember("reward", .object(reward)), JSONMember("for", recipient == "friend" ? "friend" : "member"),
            JSONMember("level", .integer(Int64(recipient) ?? 0)),
        ]
        if name.isEmpty { faults["name"] = .key("missing") }
        if !all.isEmpty { members.append(JSONMember("conditions", ["all": .array(all)])) }
        if event.isSale {
            switch lasting {
            case .once: break
            case .months:
                let count = Int64(months) ?? 0
                if !(1...RecurringMonths.limit).contains(count) { faults["months"] = .key("months") }
                members.append(JSONMember("months", .integer(max(1, count))))
            case .lifetime: members.append(JSONMember("months", "lifetime"))
            }
            if isPerItem { members.append(JSONMember("perItem", true)) }
        }
        if capKind != .none {
            let isWhole = capKind == .count || kind == .points
            members.append(
                JSONMember(
                    "cap",
                    [
                        capKind.rawValue: .integer(amount("cap", cap, exponent: isWhole ? 0 : currency.exponent)), "per": .text(capPer.rawValue),
                        "period": .text(capPeriod.rawValue),
                    ]))
        }
        if let start = day("from", from) { members.append(JSONMember("effectiveFrom", .text(start.rfc3339))) }
        if let end = day("until", until) { members.append(JSONMember("effectiveUntil", .text(end.rfc3339))) }
        return (.object(members), faults)
    }

    /// Which field of the form a refusal of the API's is about.
    static func field(_ path: String) -> String {
        switch path.split(separator: ".").first {
        case "reward": "value"
        case "cap": "cap"
        case "conditions": "conditions"
        case "level", "for": "recipient"
        case "months": "months"
        case "effectiveFrom": "from"
        case "effectiveUntil": "until"
        case "event", "perItem": "event"
        default: "name"
        }
    }

    /// `12,5` and `12.5` are the same; spaces and signs of units around do not count.
    static func plain(_ text: String) -> String {
        let kept = text.filter { $0.isASCII && ($0.isNumber || $0 == "." || $0 == ",") }
        return kept.contains(".") ? kept.filter { $0 != "," } : String(kept.map { $0 == "," ? "." : $0 })
    }

    private static func rate(_ text: String) -> Rate? {
        guard let percent = try? Amount(decimalText: plain(text), exponent: 7), percent > .zero else { return nil }
        return try? Rate(billionths: percent.minor)
    }
}

extension Condition {
    /// The condition as the API takes it.
    var json: JSONValue {
        folded(
            leaf: { leaf -> JSONValue in ["field": .text(leaf.field.text), "op": .text(leaf.comparison.rawValue), "value": leaf.value.json] },
            group: { isAll, children -> JSONValue in [isAll ? "all" : "any": .array(children)] }) ?? ["all": []]
    }
}
