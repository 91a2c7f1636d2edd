public import Compensation

/// One line as the oracle found it.
public struct OracleLine: Hashable {
    public var memberId: String
    public var bonus: Int
    public var orderId: String?
    public var sourceId: String?
    public var level: Int
    public var reason: LineReason
    public var baseMinor: Int64
    public var rate: Fraction
    public var amountMinor: Int64
    public var cutMinor: Int64 = 0
}

public struct OracleStatement: Hashable {
    public var memberId: String
    public var rank: Int
    public var paidRank: Int
    public var highestRank: Int
    public var isActive: Bool
    public var personalVolume: Int64
    public var groupVolume: Int64
    public var amountMinor: Int64
    public var debtInMinor: Int64
    public var payableMinor: Int64
    public var debtOutMinor: Int64
}

public struct OracleBreakage: Hashable {
    public var nobody = Fraction.zero
    public var unqualified = Fraction.zero
    public var capBonusMinor: Int64 = 0
    public var capSoldOrUsedMinor: Int64 = 0
    public var capPersonMinor: Int64 = 0
    public var capPlanMinor: Int64 = 0
}

public struct OracleResult {
    /// Without lines of nothing.
    public var lines: [OracleLine]
    /// Every promoter's, by id.
    public var statements: [String: OracleStatement]
    public var breakage: [OracleBreakage]
    public var carryOut: Carry
    public var refundedOrders: [PastOrder]
    /// Order id → what was paid on it.
    public var paidOrders: [String: [PastOrder.Paid]]
    /// Member id → its legs, for each binary bonus.
    public var binary: [Int: [String: OracleLegs]]
}

/// The specification computed again, slowly: objects and walks instead of columns and passes, fractions instead of
/// integers. Written from the documents alone.
public func oracleRun(
    _ plan: Plan, facts: OracleFacts, carryIn: Carry = Carry(), overrides: [Override] = [], history: [PastOrder] = []
) throws -> OracleResult {
    let society = try Society(facts, carry: carryIn, ranks: plan.ranks.count)
    let measuring = Measuring(society, plan)
    try measuring.giveRanks(overrides)
    let payroll = Payroll(measuring, carryIn: carryIn, overrides: overrides, history: history)
    for number in plan.bonuses.indices { try payroll.pay(number) }
    payroll.payWhatWasSold()
    payroll.capPersons()
    payroll.capPlan()
    payroll.settleRefunds()
    return try payroll.result()
}

/// A line before its rounding.
struct Draft {
    var person: Person
    var sale: Sale?
    var source: Person?
    var level = 0
    var reason = LineReason.earned
    var base: Int64 = 0
    var rate = Fraction.zero
    var exact: Fraction
    /// What is rounded together, beside payee and bonus: the order, the matched member, the true-up of an order.
    var event: String
    var amount: Int64 = 0
    var cut: Int64 = 0
    var bonus = 0
}

/// Bonuses in plan order, each with its lines, rounding, cap, refunds and adjustments.
final class Payroll {
    let measuring: Measuring
    let society: Society
    let plan: Plan
    let carryIn: Carry
    let overrides: [Override]
    var history: [PastOrder]
    var lines: [Draft] = []
    var breakage: [OracleBreakage]
    var carryOut = Carry()
    var legs: [Int: [String: OracleLegs]] = [:]
    /// Of the bonus at work.
    var eligible: [Person: Bool] = [:]
    /// Bonus code → order id → what was paid on it before caps.
    var paidOnOrder: [String: [String: Int64]] = [:]

    init(_ measuring: Measuring, carryIn: Carry, overrides: [Override], history: [PastOrder]) {
        self.measuring = measuring
        society = measuring.society
        plan = measuring.plan
        self.carryIn = carryIn
        self.overrides = overrides
        self.history = history
        breakage = Array(repeating: OracleBreakage(), count: plan.bonuses.count)
    }

    func pay(_ number: Int) throws {
        let bonus = plan.bonuses[number]
        eligible = [:]
        for person in society.promoters {
            eligible[person] = try person.waivedBonuses.contains(bonus.code) || measuring.holds(bonus.eligibility, person)
        }
        var drafts = try draft(bonus, number)
        round(&drafts, bonus)
        for place in drafts.indices { drafts[place].bonus = number }
        // Somebody was qualified, whatever rounding has left of it.
        mark(bonus, paid: Set(drafts.filter { $0.rate != .zero }.compactMap { $0.sale?.id }))
        drafts.removeAll { $0.amount == 0 }
        for line in drafts { if let sale = line.sale { paidOnOrder[bonus.code, default: [:]][sale.id, default: 0] += line.amount } }
        cap(&drafts, bonus, number)
        drafts += try refund(bonus, number)
        for override in overrides {
            guard case .adjustment(bonus.code, let amount) = override.kind, let person = society.byId[override.memberId] else {
                continue
            }
            drafts.append(Draft(person: person, reason: .adjustment, exact: Fraction(amount), event: "", amount: amount, bonus: number))
        }
        lines += drafts.filter { $0.amount != 0 }
    }

    private func draft(_ bonus: Bonus, _ number: Int) throws -> [Draft] {
        switch bonus.rule {
        case .direct(let rule): try direct(rule, bonus, number)
        case .unilevel(let rule), .matrix(let rule, _): try unilevel(rule, bonus, number) { _ in true }
        case .fastStart(let rule):
            try unilevel(UnilevelRule(rates: rule.rates, compression: rule.compression), bonus, number) { isInside($0, rule.window) }
        case .tiered(let rule): try tiered(rule, bonus, number)
        case .slab(let rule): try slab(rule, bonus, number)
        case .differential(let rule): try differential(rule, bonus, number)
        case .rankDifferential(let rule): try rankDifferential(rule, bonus, number)
        case .breakaway(let rule): try breakaway(rule, bonus, number)
        case .generation(let rule): try generation(rule, bonus, number)
        case .infinity(let rule): try infinity(rule, bonus, number)
        case .binary(let rule): try binary(rule, bonus, number)
        case .matching(let rule): try matching(rule, bonus, number)
        case .pool(let rule): try pool(rule, bonus, number)
        case .rankAdvancement(let rule): try advancement(rule, bonus, number)
        case .milestone(let rule): try milestone(rule, bonus, number)
        }
    }

    func result() throws -> OracleResult {
        let tree = plan.rankRule.tree
        var statements: [String: OracleStatement] = [:]
        for person in society.people {
            let amount = lines.reduce(0) { $0 + ($1.person == person ? $1.amount : 0) }
            let debt = person.entry?.debtMinor ?? 0
            let statement = OracleStatement(
                memberId: person.id, rank: person.achieved, paidRank: person.paidAs, highestRank: person.highest,
                isActive: person.isActive,
                personalVolume: try measuring.value(.personalVolume(.qualifying, of: .both, on: tree), of: person, requirement: nil),
                groupVolume: try measuring.value(.groupVolume(.qualifying, on: tree, depth: nil), of: person, requirement: nil),
                amountMinor: amount, debtInMinor: debt, payableMinor: max(0, amount - debt), debtOutMinor: max(0, debt - amount))
            if person.isPromoter { statements[person.id] = statement }
            let hasOrdered = society.hasOrderedBefore(person) || society.sales.contains { $0.buyer == person }
            let member = Carry.Member(
                id: person.id, highestRank: person.highest, keptRank: person.kept, missedPeriods: person.missed,
                trackers: person.histories, hasOrdered: hasOrdered, debtMinor: statement.debtOutMinor)
            carryOut.members.append(member)
        }
        // What belongs to people that the facts don't know is handed on as it is.
        func isUnknown(_ id: String) -> Bool { society.byId[id] == nil }
        carryOut.members += carryIn.members.filter { isUnknown($0.id) }
        carryOut.legs += carryIn.legs.filter { isUnknown($0.id) }
        carryOut.banked += carryIn.banked.filter { isUnknown($0.id) }
        carryOut.tiers += carryIn.tiers.filter { isUnknown($0.id) }
        carryOut.awards += carryIn.awards.filter { isUnknown($0.id) }
        let known = lines.map { line in
            OracleLine(
                memberId: line.person.id, bonus: line.bonus, orderId: line.sale?.id, sourceId: line.source?.id,
                level: line.level, reason: line.reason, baseMinor: line.base, rate: line.rate, amountMinor: line.amount,
                cutMinor: line.cut)
        }
        return OracleResult(
            lines: known, statements: statements, breakage: breakage, carryOut: carryOut, refundedOrders: history,
            paidOrders: paidOrders(), binary: legs)
    }
}
