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
    /// Fields that were sent with a choice that there is none of.
    var unknownChoices: Set<String> = []

    init() {}

    /// What was sent.
    init(_ fields: FormFields) {
        func choice<Choice: RawRepresentable>(_ name: String, _ standard: Choice) -> Choice where Choice.RawValue == String {
            guard let sent = fields[name], !sent.isEmpty else { return standard }
            if let known = Choice(rawValue: sent) { return known }
            unknownChoices.insert(name)
            return standard
        }
        func text(_ name: String, _ length: Int = 200) -> String { String((fields[name] ?? "").prefix(length)) }
        name = text("name")
        event = choice("event", .sale)
        buyer = choice("buyer", .any)
        countries = text("countries", 1_000)
        isFirstOnly = fields["often"] == "first"
        least = text("least")
        recipient = fields["recipient"] == nil ? recipient : text("recipient")
        kind = choice("kind", .percent)
        value = text("value")
        months = text("months")
        lasting = !months.isEmpty ? .months : fields["lasting"] == Lasting.lifetime.rawValue ? .lifetime : .once
        cap = text("cap")
        capKind = cap.isEmpty ? .none : choice("capKind", .amount)
        capPer = choice("capPer", .member)
        capPeriod = choice("capPeriod", .month)
        conditions = text("conditions", 20_000)
        from = text("from")
        until = text("until")
        isPerItem = fields["perItem"] != nil
    }

    /// The fields of a rule; nil when the form has no place for what it says.
    init?(_ rule: Rule, currency: Currency, zone: Zone, numbers: NumberReader) {
        func written(_ minor: Int64, _ exponent: Int) -> String { numbers.written(Amount(minor: minor).decimalText(exponent: exponent)) }
        let terms = rule.terms
        name = rule.name
        event = terms.event.isSale ? .sale : terms.event
        switch terms.reward {
        case .percent(let rate): (kind, value) = (.percent, numbers.written(rate.percentText))
        case .flat(let amount, let own) where own == currency: (kind, value) = (.flat, written(amount.minor, own.exponent))
        case .credit(let amount, let own) where own == currency: (kind, value) = (.credit, written(amount.minor, own.exponent))
        case .points(let amount, .points): (kind, value) = (.points, written(amount.minor, 0))
        default: return nil
        }
        guard terms.level <= Self.levelsMax else { return nil }
        recipient = terms.recipient == .friend ? "friend" : String(terms.level)
        let circumstances = RuleCircumstances(terms)
        buyer = circumstances.buyer
        countries = circumstances.countries.joined(separator: ", ")
        isFirstOnly = circumstances.isFirstOnly
        least = circumstances.leastMinor.map { written($0, currency.exponent) } ?? ""
        if !circumstances.others.isEmpty {
            let rest = circumstances.others.map(\.json)
            conditions = JSONValue.object([JSONMember("all", .array(rest))]).indented
        }
        switch terms.months {
        case .none: lasting = .once
        case .count(let count): (lasting, months) = (.months, written(count, 0))
        case .lifetime: lasting = .lifetime
        }
        if terms.event == .recurring, terms.months == .none { lasting = .lifetime }
        if let known = terms.cap {
            capPer = known.per
            capPeriod = known.period
            switch known.limit {
            case .count(let count): (capKind, cap) = (.count, written(count, 0))
            case .amount(let amount):
                capKind = .amount
                cap = written(amount.minor, kind == .points ? 0 : currency.exponent)
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
    func document(currency: Currency, zone: Zone, numbers: NumberReader, now: Instant) -> (json: JSONValue, faults: [String: Fault]) {
        var faults = Dictionary(unknownChoices.map { ($0, Fault.key("choice")) }, uniquingKeysWith: { first, _ in first })
        func amount(_ field: String, _ text: String, exponent: Int) -> Int64 {
            guard let minor = numbers.amountMinor(text, exponent: exponent), minor > 0 else {
                faults[field] = .key(text.isEmpty ? "missing" : exponent == 0 ? "count" : "amount")
                return 1
            }
            return minor
        }
        func day(_ field: String, _ text: String) -> Instant? {
            if text.isEmpty { return nil }
            guard let day = TypedDay.read(text, today: zone.day(of: now)) else {
                faults[field] = .key("day")
                return nil
            }
            return zone.start(of: day)
        }
        var reward: [JSONMember] = [JSONMember("kind", .text(kind.rawValue))]
        switch kind {
        case .percent:
            let rate = numbers.rate(value).flatMap { $0 > .zero ? $0 : nil }
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
        let level = recipient == "friend" ? 0 : numbers.count(recipient, in: 0...Int64(Self.levelsMax))
        var members: [JSONMember] = [
            JSONMember("name", .text(name)), JSONMember("event", .text(lasting == .once || !event.isSale ? event.rawValue : "recurring")),
            JSONMember("reward", .object(reward)), JSONMember("for", recipient == "friend" ? "friend" : "member"),
            JSONMember("level", .integer(level ?? 0)),
        ]
        if level == nil { faults["recipient"] = .key("choice") }
        if name.isEmpty { faults["name"] = .key("missing") }
        if !all.isEmpty { members.append(JSONMember("conditions", ["all": .array(all)])) }
        if event.isSale {
            switch lasting {
            case .once: break
            case .months:
                let count = numbers.count(months, in: 1...RecurringMonths.limit)
                if count == nil { faults["months"] = .key("months") }
                members.append(JSONMember("months", .integer(count ?? 1)))
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
}

extension Condition {
    /// The condition as the API takes it.
    var json: JSONValue {
        folded(
            leaf: { leaf -> JSONValue in ["field": .text(leaf.field.text), "op": .text(leaf.comparison.rawValue), "value": leaf.value.json] },
            group: { isAll, children -> JSONValue in [isAll ? "all" : "any": .array(children)] }) ?? ["all": []]
    }
}
