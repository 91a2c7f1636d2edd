import Chronology
import Compensation
import Money
import Web

/// Several plans on the same facts: what each costs, how it is spread, who gains and who loses against the first.
struct LaboratoryTrial: Sendable {
    static let plansMax = 4
    static let listedMax = 10

    struct Entry: Sendable {
        var name: String
        var totalMinor: Int64
        var payees: Int
        var breakageMinor: Int64
        var cappedMinor: Int64
        var spread: Spread
        /// By rank, from none: people and pay.
        var ranks: [(name: String, people: Int, amountMinor: Int64)]
        /// Against the first plan.
        var gain: Change
        var lose: Change
        var msPerRun: Int64
    }

    /// People who get more, or less, than under the first plan.
    struct Change: Sendable {
        var people = 0
        var amountMinor: Int64 = 0
        /// Those with the largest change, by member id.
        var largest: [(memberID: String, before: Int64, after: Int64)] = []
    }

    var entries: [Entry]
    var salesMinor: Int64
    var volumeMinor: Int64
    var members: Int
    var promoters: Int
    var orders: Int

    /// Computes the plans one after the other; nothing is stored, nobody is paid.
    static func run(_ plans: [(name: String, plan: Compensation.Plan)], facts: FactsSnapshot, period: Period) async throws -> LaboratoryTrial {
        guard !plans.isEmpty, plans.count <= plansMax else {
            throw Problem.unprocessable(code: "plans_count", detail: "Choose 1 to \(plansMax) plans.")
        }
        var entries: [Entry] = []
        var first: [String: Int64] = [:]
        for (place, (name, plan)) in plans.enumerated() {
            let clock = ContinuousClock.now
            var own = facts
            let trees = PlanTrees(plan)
            // A tree that the facts don't have follows the enroller.
            for code in trees.codes where !own.treeCodes.contains(code) {
                own.treeCodes.append(code)
                own.places.append(Array(repeating: .none, count: own.members.count))
            }
            let result = try await RunCalculation(
                plan: plan, canonical: "", period: period, facts: own, carryIn: Carry(), overrides: [], history: []
            ).result()
            let elapsed = ContinuousClock.now - clock
            var amounts: [String: Int64] = [:]
            for member in 0..<result.facts.memberCount where result.amountMinor(of: member) != 0 {
                amounts[result.facts.memberId(member)] = result.amountMinor(of: member)
            }
            if place == 0 { first = amounts }
            entries.append(
                entry(name, result, amounts, first: first, ms: elapsed.components.seconds * 1_000 + elapsed.components.attoseconds / 1_000_000_000_000_000))
        }
        var sales: Int128 = 0
        var volume: Int128 = 0
        for order in facts.orders {
            sales += Int128(order.amountMinor)
            volume += Int128(order.commissionVolume)
        }
        return LaboratoryTrial(
            entries: entries, salesMinor: Int64(clamping: sales), volumeMinor: Int64(clamping: volume), members: facts.members.count,
            promoters: facts.members.count { $0.isPromoter }, orders: facts.orders.count)
    }

    private static func entry(_ name: String, _ result: RunResult, _ amounts: [String: Int64], first: [String: Int64], ms: Int64) -> Entry {
        var breakage: Int64 = 0
        var capped: Int128 = 0
        for record in result.breakage {
            breakage &+= (record.nobodyMinor ?? 0) &+ (record.unqualifiedMinor ?? 0)
            capped += record.cappedMinor
        }
        var gain = Change()
        var lose = Change()
        var changes: [(memberID: String, before: Int64, after: Int64)] = []
        for id in Set(amounts.keys).union(first.keys) {
            let (before, after) = (first[id] ?? 0, amounts[id] ?? 0)
            guard before != after else { continue }
            changes.append((id, before, after))
            if after > before {
                gain.people += 1
                gain.amountMinor += after - before
            } else {
                lose.people += 1
                lose.amountMinor += before - after
            }
        }
        changes.sort { one, other in
            let (a, b) = (one.after - one.before, other.after - other.before)
            return a != b ? a > b : one.memberID < other.memberID
        }
        gain.largest = Array(changes.prefix(listedMax).filter { $0.after > $0.before })
        lose.largest = Array(changes.suffix(listedMax).reversed().filter { $0.after < $0.before })
        let ranks = result.disclosure.byRank.map { row in
            (name: row.rank == 0 ? "" : result.plan.ranks[row.rank - 1].code, people: row.count, amountMinor: Int64(clamping: row.totalMinor))
        }
        return Entry(
            name: name, totalMinor: Int64(clamping: result.totalMinor), payees: amounts.count { $0.value > 0 }, breakageMinor: breakage,
            cappedMinor: Int64(clamping: capped), spread: Spread(sorted: amounts.values.filter { $0 > 0 }.sorted()), ranks: ranks, gain: gain,
            lose: lose, msPerRun: ms)
    }

    var json: JSONValue {
        func change(_ change: Change) -> JSONValue {
            [
                "people": .integer(Int64(change.people)), "amount": .integer(change.amountMinor),
                "largest": .array(
                    change.largest.map { ["memberId": .text($0.memberID), "before": .integer($0.before), "after": .integer($0.after)] }),
            ]
        }
        return [
            "members": .integer(Int64(members)), "promoters": .integer(Int64(promoters)), "orders": .integer(Int64(orders)),
            "sales": .integer(salesMinor), "commissionVolume": .integer(volumeMinor),
            "plans": .array(
                entries.map { entry in
                    [
                        "name": .text(entry.name), "total": .integer(entry.totalMinor), "payees": .integer(Int64(entry.payees)),
                        "breakage": .integer(entry.breakageMinor), "capped": .integer(entry.cappedMinor), "spread": entry.spread.json,
                        "ranks": .array(
                            entry.ranks.map { ["name": .text($0.name), "people": .integer(Int64($0.people)), "amount": .integer($0.amountMinor)] }),
                        "gain": change(entry.gain), "lose": change(entry.lose), "milliseconds": .integer(entry.msPerRun),
                    ]
                }),
        ]
    }
}

/// What a plan would be with its rates turned up or down.
enum PlanSensitivity {
    static let percents = 50...150

    /// Rates by level, percentages of orders and of what others earn, times a percentage; amounts and volumes stay.
    static func scaled(_ plan: Compensation.Plan, percent: Int) throws -> Compensation.Plan {
        guard percent != 100 else { return plan }
        func scaled(_ rate: Rate) throws -> Rate {
            try Rate(billionths: Int64(clamping: Int128(rate.billionths) * Int128(percent) / 100))
        }
        func table(_ table: RateTable) throws -> RateTable { RateTable(rows: try table.rows.map { try $0.map { try scaled($0) } }) }
        var changed = plan
        for place in changed.bonuses.indices {
            switch changed.bonuses[place].rule {
            case .unilevel(var rule):
                rule.rates = try table(rule.rates)
                changed.bonuses[place].rule = .unilevel(rule)
            case .matrix(var rule, let width):
                rule.rates = try table(rule.rates)
                changed.bonuses[place].rule = .matrix(rule, width: width)
            case .fastStart(var rule):
                rule.rates = try table(rule.rates)
                changed.bonuses[place].rule = .fastStart(rule)
            case .matching(var rule):
                rule.rates = try table(rule.rates)
                changed.bonuses[place].rule = .matching(rule)
            case .generation(var rule):
                rule.rates = try table(rule.rates)
                changed.bonuses[place].rule = .generation(rule)
            case .direct(var rule):
                for term in rule.terms.indices {
                    if case .percent(let rates) = rule.terms[term].reward { rule.terms[term].reward = .percent(try rates.map { try scaled($0) }) }
                }
                changed.bonuses[place].rule = .direct(rule)
            default: continue
            }
        }
        return changed
    }
}
