import Money
import Rules
import Web

extension RuleRefusal {
    /// `{ruleId, version, rule, reason, …}`: why a rule paid nothing to somebody.
    func json(rule: Rule) -> JSONValue {
        var members: [JSONMember] = [
            JSONMember("ruleId", .text(ruleID)), JSONMember("version", .integer(Int64(version))), JSONMember("rule", .text(rule.name)),
            JSONMember("memberId", memberID.map { .text($0) } ?? .null), JSONMember("reason", .text(reason.code)),
        ]
        switch reason {
        case .conditionFailed(let failures):
            members.append(
                JSONMember(
                    "failed",
                    .array(
                        failures.prefix(20).map { failure in
                            [
                                "field": .text(failure.leaf.field.text), "op": .text(failure.leaf.comparison.rawValue),
                                "expected": failure.leaf.value.json, "found": failure.found?.json ?? .null,
                            ]
                        })))
        case .monthsOver(let months, let since):
            members.append(JSONMember("months", .integer(months)))
            members.append(JSONMember("monthsSinceFirstSale", .integer(since)))
        case .noSuchLevel(let level): members.append(JSONMember("level", .integer(Int64(level))))
        case .notPayable(let kind): members.append(JSONMember("kind", .text(kind)))
        case .otherCurrency(let rule, let program):
            members.append(JSONMember("ruleCurrency", .text(rule.code)))
            members.append(JSONMember("programCurrency", .text(program.code)))
        case .saleInOtherCurrency(let sale, let program):
            members.append(JSONMember("saleCurrency", .text(sale.code)))
            members.append(JSONMember("programCurrency", .text(program.code)))
        default: break
        }
        return .object(members)
    }
}

extension Rule {
    func capRefusal(member: MemberID, wanted: Int64, allowed: Int64, unit: UnitCode) -> JSONValue {
        [
            "ruleId": .text(id.text), "version": .integer(Int64(terms.version)), "rule": .text(name), "memberId": .text(member.text),
            "reason": "capReached", "wanted": .integer(wanted), "allowed": .integer(allowed), "unit": .text(unit.code),
            "cap": terms.cap?.json ?? .null,
        ]
    }
}

extension Cap {
    /// As rules are written: `{amount | count, per, period}`.
    var json: JSONValue {
        let limit: (String, Int64) =
            switch limit {
            case .amount(let amount): ("amount", amount.minor)
            case .count(let count): ("count", count)
            }
        return [limit.0: .integer(limit.1), "per": .text(per.rawValue), "period": .text(period.rawValue)]
    }
}

extension RuleLine {
    /// The arithmetic of a line, for its receipt.
    func explanation(allowed: Amount, isCutByBudget: Bool = false) -> JSONText {
        var members: [JSONMember] = [
            JSONMember("purpose", .text(purpose.rawValue)), JSONMember("base", base.map { .integer($0.minor) } ?? .null),
            JSONMember("rate", rate.map { .text($0.text) } ?? .null), JSONMember("sharePpm", .integer(Int64(share.ppm))),
            JSONMember("amount", .integer(amount.minor)), JSONMember("rounding", "halfEven"),
        ]
        if !slices.isEmpty {
            members.append(
                JSONMember("slices", .array(slices.map { ["base": .integer($0.base.minor), "rate": .text($0.rate.text)] })))
        }
        if allowed != amount { members.append(JSONMember("cappedTo", .integer(allowed.minor))) }
        if isCutByBudget { members.append(JSONMember("budget", true)) }
        return JSONText(.object(members))
    }
}

extension ConditionValue {
    var json: JSONValue {
        switch self {
        case .text(let text): .text(text)
        case .integer(let number): .integer(number)
        case .bool(let flag): .boolean(flag)
        case .list(let scalars):
            .array(
                scalars.map { scalar in
                    switch scalar {
                    case .text(let text): .text(text)
                    case .integer(let number): .integer(number)
                    case .bool(let flag): .boolean(flag)
                    }
                })
        }
    }
}

extension FactValue {
    var json: JSONValue {
        switch self {
        case .text(let text): .text(text)
        case .integer(let number): .integer(number)
        case .bool(let flag): .boolean(flag)
        case .texts(let texts): .array(texts.map { .text($0) })
        }
    }
}

extension JSONValue {
    /// A metadata value that conditions can look at.
    var fact: FactValue? {
        switch self {
        case .text(let text): .text(text)
        case .boolean(let flag): .bool(flag)
        case .number(let number): number.integer.map { .integer($0) } ?? .text(number.token)
        case .array(let elements):
            .texts(elements.compactMap { if case .text(let text) = $0 { text } else { nil } })
        case .null, .object: nil
        }
    }
}
