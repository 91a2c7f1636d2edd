import Chronology
import Money
import Rules
import Web

/// The rules that paid nothing, or less than they would have, each with its reason.
struct ReceiptRefusals {
    let facts: ReceiptFacts
    let names: PersonNames
    let language: PageLanguage

    var rows: [PageObject] {
        facts.refusals.map { refusal in
            let rule = refusal["rule"]?.string ?? ""
            let person = refusal["memberId"]?.string.flatMap { MemberID($0) }.map { names.member($0, language) }
            let isCoupon = refusal["reason"]?.string?.hasPrefix("coupon.") ?? false
            if isCoupon {
                let what = rule.isEmpty ? language("receipt.refusal.couponUnknown") : language("receipt.refusal.coupon", ["coupon": rule])
                return ["what": .text(what), "why": [["plain": .text(why(refusal))]]]
            }
            return [
                "what": .text(person.map { language("receipt.refusal.of", ["rule": rule, "person": $0]) } ?? language("receipt.refusal.rule", ["rule": rule])),
                "why": [["plain": .text(why(refusal))]],
            ]
        }
    }

    /// Why a code counted for nothing, inside a sentence.
    static func coupon(_ note: JSONValue, _ language: PageLanguage) -> String {
        let text = language("receipt.refusal.coupon.\(note["reason"]?.string ?? "unknown")")
        return text.hasSuffix(".") ? String(text.dropLast()) : text
    }

    /// Why, in words.
    func why(_ refusal: JSONValue) -> String {
        let unit = unit(refusal)
        switch refusal["reason"]?.string {
        case "capReached":
            let allowed = refusal["allowed"]?.int64 ?? 0
            let wanted = refusal["wanted"]?.int64 ?? 0
            if allowed == 0 { return language("receipt.refusal.capUsedUp", ["amount": language.money(wanted, unit)]) }
            return language("receipt.refusal.capPart", ["amount": language.money(wanted, unit), "allowed": language.money(allowed, unit)])
        case "conditionFailed":
            let conditions = (refusal["failed"]?.elements ?? []).map { failed in
                language(
                    "condition.failed",
                    [
                        "field": failed["field"]?.string ?? "", "op": language("condition.op.\(failed["op"]?.string ?? "eq")"),
                        "expected": text(failed["expected"]), "found": text(failed["found"]),
                    ])
            }
            return language("receipt.refusal.conditionFailed", ["conditions": conditions.joined(separator: language("list.semicolon"))])
        case "monthsOver":
            return language.plural("receipt.refusal.monthsOver", refusal["months"]?.int64 ?? 0, [
                "since": language.integer(refusal["monthsSinceFirstSale"]?.int64 ?? 0)
            ])
        case "noSuchLevel": return language("receipt.refusal.noSuchLevel", ["level": language.integer(refusal["level"]?.int64 ?? 0)])
        case "otherCurrency":
            return language(
                "receipt.refusal.otherCurrency",
                ["rule": refusal["ruleCurrency"]?.string ?? "", "program": refusal["programCurrency"]?.string ?? ""])
        case "budgetUsedUp":
            let (wanted, allowed) = (refusal["wanted"]?.int64 ?? 0, refusal["allowed"]?.int64 ?? 0)
            if allowed == 0 { return language("receipt.refusal.budgetUsedUp") }
            return language("receipt.refusal.budgetPart", ["amount": language.money(wanted, unit), "allowed": language.money(allowed, unit)])
        case "orderTooSmall":
            let (least, found) = (refusal["expected"]?.int64 ?? 0, refusal["found"]?.int64 ?? 0)
            return language("receipt.refusal.orderTooSmall", ["least": language.money(least, unit), "found": language.money(found, unit)])
        case "countryNotServed":
            return language("receipt.refusal.countryNotServed", ["countries": text(refusal["expected"]), "found": text(refusal["found"])])
        case "planCovers": return language("receipt.refusal.planCovers", ["plan": refusal["plan"]?.string ?? ""])
        case "coupon.otherCurrency" where refusal["currency"]?.string != nil:
            return language("receipt.refusal.couponOtherCurrency", ["currency": refusal["currency"]?.string ?? ""])
        case let code?: return language("receipt.refusal.\(code)")
        case nil: return ""
        }
    }

    private func unit(_ refusal: JSONValue) -> UnitCode {
        if let unit = refusal["unit"]?.string.flatMap({ try? UnitCode($0) }) { return unit }
        let commission = facts.commissions.first { $0.ruleID.text == refusal["ruleId"]?.string }
        return commission?.unit ?? facts.program.flatMap { try? UnitCode($0.currency) } ?? .currency(facts.currency)
    }

    /// A condition's value as people read it.
    private func text(_ value: JSONValue?) -> String {
        switch value {
        case .text(let text)?: text
        case .number(let number)?: number.token
        case .boolean(let flag)?: language(flag ? "condition.yes" : "condition.no")
        case .array(let elements)?: elements.map { text($0.scalar) }.listed(language)
        case .null?, .object?, nil: language("condition.nothing")
        }
    }
}

extension JSONValue {
    /// The value, unless it holds others: conditions list scalars only.
    fileprivate var scalar: JSONValue? {
        switch self {
        case .array, .object: nil
        default: self
        }
    }
}

/// The rules that applied, as sentences.
struct ReceiptRules {
    let facts: ReceiptFacts
    let language: PageLanguage

    var rows: [PageObject] {
        var seen: Set<String> = []
        return facts.commissions.compactMap { commission -> PageObject? in
            guard seen.insert("\(commission.ruleID.text) \(commission.ruleVersion)").inserted,
                let rule = facts.rules[commission.ruleID]?[commission.ruleVersion]
            else { return nil }
            let from = rule.terms.effectiveFrom
            var values = ["program": facts.program?.name ?? "", "rule": rule.name, "version": String(rule.terms.version)]
            if from > .earliest { values["day"] = language.day(from) }
            return [
                "sentence": .text(RuleSentence(rule: rule, currency: facts.currency, language: language).text),
                "source": language.sentence(from > .earliest ? "receipt.rule.source" : "receipt.rule.sourceAlways", values),
            ]
        }
    }
}
