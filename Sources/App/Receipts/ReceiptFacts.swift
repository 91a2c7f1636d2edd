import Money
import Persistence
import Rules
import Web

/// What the receipts of sales and leads have in common: who is credited and why, what the rules gave, and what they refused.
struct ReceiptFacts: Sendable {
    enum Event: String, Sendable { case sale, lead }

    var event: Event
    var attribution: JSONValue
    var refusals: [JSONValue]
    /// For amounts that name no unit of their own.
    var currency: Currency
    var program: Program?
    var commissions: [Commission]
    var rules: [RuleID: [Int: Rule]]
    /// How many rewards it gave that are no money.
    var rewards = 0

    /// Why nobody is paid; nil when somebody is.
    var nothing: WhyNothing? {
        guard commissions.isEmpty else { return nil }
        guard attribution["status"]?.string == "attributed" else { return .nobodyCredited }
        if rewards > 0 { return .onlyRewards }
        if let refusal = refusals.first(where: { $0["reason"]?.string == "capReached" }) { return .capReached(refusal) }
        if let refusal = refusals.first(where: { $0["reason"]?.string == "budgetUsedUp" }) { return .budgetUsedUp(refusal) }
        for reason in FriendEligibility.Reason.allCases where refusals.contains(where: { $0["reason"]?.string == reason.rawValue }) {
            return .notEligible(reason)
        }
        if let refusal = refusals.first(where: { $0["reason"]?.string == "planCovers" }) { return .planCovers(refusal["plan"]?.string ?? "") }
        for bar in [PayBar.ownPurchase, .memberNotActive] where refusals.contains(where: { $0["reason"]?.string == bar.rawValue }) { return .barred(bar) }
        if refusals.contains(where: Self.isForFirstOrders) { return .notEligible(.friendNotNew) }
        return .noRule
    }

    /// The rule is for first orders, or for new customers, and this is none.
    private static func isForFirstOrders(_ refusal: JSONValue) -> Bool {
        refusal["reason"]?.string == "conditionFailed"
            && (refusal["failed"]?.elements ?? []).contains { failed in
                switch failed["field"]?.string {
                case "saleNumber": failed["expected"]?.int64 == 1
                case "customerIsNew": failed["expected"] == .boolean(true)
                default: false
                }
            }
    }

    enum WhyNothing: Sendable {
        case nobodyCredited, noRule, onlyRewards
        /// With the refusal, which names the rule and its cap.
        case capReached(JSONValue)
        case barred(PayBar)
        case budgetUsedUp(JSONValue)
        /// The friend does not count for the program.
        case notEligible(FriendEligibility.Reason)
        /// By its name.
        case planCovers(String)
    }

    /// The answer in one sentence, in English, for programs.
    var answer: String {
        switch nothing {
        case nil:
            let people = Set(commissions.map(\.memberID)).count
            return "\(people) \(people == 1 ? "member gets" : "members get") a commission for this \(event.rawValue)."
        case .nobodyCredited: return "Nobody is paid: nobody is credited for this \(event.rawValue)."
        case .onlyRewards: return "Nobody is paid: the \(event.rawValue) gives \(rewards == 1 ? "a reward" : "\(rewards) rewards") and no money."
        case .noRule: return "Nobody is paid: the \(event.rawValue) is credited, and no rule of the program pays for it."
        case .notEligible(let reason):
            return "Nobody is paid: the \(event.rawValue) is credited, and the friend does not count for the program (\(reason.rawValue))."
        case .budgetUsedUp: return "Nobody is paid: the \(event.rawValue) is credited, and the program's budget for the period is used up."
        case .barred(.ownPurchase): return "Nobody is paid: the \(event.rawValue) is credited to the buyer, and people do not earn from their own purchases."
        case .barred(.memberNotActive): return "Nobody is paid: the \(event.rawValue) is credited to a member who is suspended, terminated or erased."
        case .planCovers(let plan): return "No rule pays: the plan “\(plan)” pays for this \(event.rawValue), when its period is run."
        case .capReached(let refusal):
            return "Nobody is paid: the \(event.rawValue) is credited, and the cap of the rule “\(refusal["rule"]?.string ?? "")” is used up\(Self.cap(refusal))."
        }
    }

    /// `, which is 100.00 EUR for each member and month`; nothing for receipts that were written before the cap stood on them.
    private static func cap(_ refusal: JSONValue) -> String {
        guard let cap = refusal["cap"], let per = cap["per"]?.string, let period = cap["period"]?.string else { return "" }
        let time = period == "lifetime" ? ", ever" : " and \(period)"
        if let count = cap["count"]?.int64 { return ", which is \(count) \(count == 1 ? "time" : "times") for each \(per)\(time)" }
        guard let minor = cap["amount"]?.int64, let unit = refusal["unit"]?.string.flatMap({ try? UnitCode($0) }) else { return "" }
        return ", which is \(Amount(minor: minor).decimalText(exponent: unit.exponent)) \(unit.code) for each \(per)\(time)"
    }

    // MARK: Parts of the JSON

    var programJSON: JSONValue {
        program.map { ["id": .text($0.id.text), "name": .text($0.name), "version": .integer(Int64($0.version))] } ?? .null
    }

    var lines: JSONValue {
        .array(
            commissions.map { commission in
                guard case .object(let members) = commission.json else { return .null }
                return .object(
                    members + [
                        JSONMember("arithmetic", commission.explanation.value),
                        JSONMember("ruleDocument", rules[commission.ruleID]?[commission.ruleVersion]?.document ?? .null),
                    ])
            })
    }

    /// The versions of the rules that the commissions came from.
    static func rules(of commissions: [Commission], on connection: any Connection) throws -> [RuleID: [Int: Rule]] {
        var rules: [RuleID: [Int: Rule]] = [:]
        for commission in commissions where rules[commission.ruleID]?[commission.ruleVersion] == nil {
            rules[commission.ruleID, default: [:]][commission.ruleVersion] = try RuleStore.version(
                commission.ruleID, commission.ruleVersion, on: connection)
        }
        return rules
    }
}
