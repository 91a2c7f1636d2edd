import Compensation
import Money
import Web

/// Why a bonus paid a member nothing in a period.
struct RunNothing: Sendable {
    var bonus: String
    var rule: String
    var reason: PeriodNothing.Reason

    static func all(_ result: RunResult, member: Int) throws -> [RunNothing] {
        try result.explainNothing(member: member).map { found in
            let bonus = result.plan.bonuses[found.bonus]
            return RunNothing(bonus: bonus.code, rule: bonus.rule.code, reason: found.reason)
        }
    }

    /// What every bonus paid a member in the period, and why nothing where it is nothing.
    static func period(_ archived: RunArchive.Archived, member id: MemberID) throws -> JSONValue {
        let result = archived.result
        guard let member = result.facts.member(id: id.text) else { throw Problem.notFound(detail: "The member is not among the facts of this run.") }
        let nothings = Dictionary(try all(result, member: member).map { ($0.bonus, $0.json) }, uniquingKeysWith: { first, _ in first })
        let bonuses = result.plan.bonuses.enumerated().map { number, bonus -> JSONValue in
            nothings[bonus.code] ?? [
                "bonus": .text(bonus.code), "rule": .text(bonus.rule.code), "amount": .integer(result.amountMinor(of: member, bonus: number)),
                "nothing": .null,
            ]
        }
        return ["memberId": .text(id.text), "saleId": .null, "bonuses": .array(bonuses)]
    }

    private var word: String {
        switch reason {
        case .customer: "customer"
        case .inactive: "inactive"
        case .notEligible: "notEligible"
        case .takenAway: "takenAway"
        case .soldOrUsed: "soldOrUsed"
        case .unmatched: "unmatched"
        case .rule: rule
        }
    }

    /// A sentence to the member (`portalNothing`) or about them (`periodNothing`).
    func sentence(_ prefix: String, name: String, _ unit: UnitCode, _ language: PageLanguage) -> PageValue {
        var values = ["bonus": bonus, "name": name]
        if case .unmatched(let left, let right) = reason {
            values["left"] = language.amount(left, unit)
            values["right"] = language.amount(right, unit)
        }
        if case .soldOrUsed(let part, let whole) = reason {
            values["part"] = language.amount(part, unit)
            values["whole"] = language.amount(whole, unit)
        }
        return language.sentence("\(prefix).\(word)", values)
    }

    var json: JSONValue {
        var members = [
            JSONMember("bonus", .text(bonus)), JSONMember("rule", .text(rule)), JSONMember("amount", 0),
            JSONMember("nothing", .text(reason == .rule ? "rule" : word)),
        ]
        if case .unmatched(let left, let right) = reason {
            members += [JSONMember("leftVolume", .integer(left)), JSONMember("rightVolume", .integer(right))]
        }
        if case .soldOrUsed(let part, let whole) = reason {
            members += [JSONMember("soldOrUsed", .integer(part)), JSONMember("bought", .integer(whole))]
        }
        return .object(members)
    }
}
