import Chronology
import Money

/// One finding of the audit of a run.
public struct AuditFinding: Hashable, Sendable {
    public enum Check: Hashable, Sendable, CaseIterable {
        case nonParticipantShare, endUserShare, internalShare, internalConsumption, customersPerMonth
        case payPerOwnSales, levels, noProductSale, planPayout, inventoryLoading
        public var code: String { String(describing: self) }
    }
    public let check: Check
    /// Nil: the company.
    public let member: Int?
    public let outcome: CheckOutcome
    /// What was compared: part ÷ whole, in minor units or counts.
    public let part: Int64
    public let whole: Int64
    /// Whether a failure blocks acceptance; the others are flags.
    public let isHard: Bool
}

extension RunResult {
    /// The legal audit on what the run knows. Member findings are listed only where they fail; company findings always.
    /// `kits`: products that are kits or fees. Sorted by check, then member id.
    public func audit(_ limits: LegalLimits = LegalLimits(), kits: Set<String> = []) -> [AuditFinding] {
        AuditPass(result: self, limits: limits, kits: kits).run()
    }
}

private struct AuditPass {
    let result: RunResult
    let limits: LegalLimits
    let kits: Set<String>

    func run() -> [AuditFinding] {
        let facts = result.facts
        let count = facts.memberCount
        let tree = facts.trees[0]
        var all = [Int128](repeating: 0, count: count)
        var outside = [Int128](repeating: 0, count: count)
        var own = [Int64](repeating: 0, count: count)
        var retail: Int128 = 0
        var revenue: Int128 = 0
        for order in 0..<facts.orderCount {
            let buyer = Int(facts.buyer[order])
            let amount = facts.amount[order]
            revenue += Int128(amount)
            own[buyer] &+= amount
            let owner = facts.isPromoter(buyer) ? buyer : Int(tree.above[buyer])
            if !facts.isPromoter(buyer) { retail += Int128(amount) }
            guard owner >= 0 else { continue }
            all[owner] += Int128(amount)
            if !facts.isPromoter(buyer) { outside[owner] += Int128(amount) }
        }
        let ownSales = outside
        for place in stride(from: count - 1, through: 0, by: -1) {
            let member = Int(tree.sequence[place])
            let above = Int(tree.above[member])
            guard above >= 0, facts.isPromoter(member) else { continue }
            all[above] += all[member]
            outside[above] += outside[member]
        }

        var findings: [AuditFinding] = []
        func note(_ check: AuditFinding.Check, _ member: Int?, _ outcome: CheckOutcome, _ part: Int64, _ whole: Int64, _ hard: Bool = true) {
            guard member == nil || outcome == .fails else { return }
            findings.append(AuditFinding(check: check, member: member, outcome: outcome, part: part, whole: whole, isHard: hard))
        }
        if let share = limits.nonParticipantAbove {
            for member in 0..<count where result.amounts[member] > 0 {
                let (part, whole) = (Int64(clamping: outside[member]), Int64(clamping: all[member]))
                note(.nonParticipantShare, member, LegalChecks.nonParticipantShare(nonParticipants: part, total: whole, above: share), part, whole)
            }
        }
        var countable: Int128 = 0
        var inside: Int128 = 0
        for member in 0..<count where facts.isPromoter(member) && own[member] > 0 {
            let counted = LegalChecks.countableConsumption(own[member], below: limits.consumptionBelowMinor)
            countable += Int128(counted)
            inside += Int128(own[member])
            if counted < own[member] { note(.internalConsumption, member, .fails, own[member], limits.consumptionBelowMinor, false) }
        }
        if let share = limits.endUserAtLeast {
            let sold = Int64(clamping: retail)
            let used = Int64(clamping: countable)
            let whole = Int64(clamping: revenue)
            note(.endUserShare, nil, LegalChecks.endUserShare(retail: sold, consumption: used, revenue: whole, atLeast: share), Int64(clamping: retail + countable), whole)
        }
        note(
            .internalShare, nil,
            LegalChecks.internalShare(
                internal: Int64(clamping: inside), rewarded: Int64(clamping: revenue), atMost: limits.internalNumerator,
                over: limits.internalDenominator), Int64(clamping: inside), Int64(clamping: revenue))
        var customers = [Int64](repeating: 0, count: count)
        for member in 0..<count where !facts.isPromoter(member) && own[member] > 0 && tree.above[member] >= 0 {
            customers[Int(tree.above[member])] += 1
        }
        for member in 0..<count where result.amounts[member] > 0 && customers[member] < limits.customersPerMonth {
            note(.customersPerMonth, member, .fails, customers[member], limits.customersPerMonth, false)
        }
        if let share = limits.payPerOwnSales {
            for member in 0..<count where result.amounts[member] > 0 {
                let sales = Int64(clamping: ownSales[member])
                let fits = Int128(result.amounts[member]) * Int128(billion) <= Int128(sales) * Int128(share.billionths)
                note(.payPerOwnSales, member, fits ? .passes : .fails, result.amounts[member], sales)
            }
        }
        lineFindings(note)
        if let cap = result.plan.planCap {
            let volume = (0..<facts.orderCount).reduce(Int128(0)) { $0 + Int128(facts.commissionVolume[$1]) }
            let paid = result.totalMinor
            let fits = paid * Int128(billion) <= max(0, volume) * Int128(cap.billionths)
            note(.planPayout, nil, fits ? .passes : .fails, Int64(clamping: paid), Int64(clamping: volume))
        }
        loading(note)
        // Places are looked up once: comparing ids as texts for each of a million findings takes minutes.
        let places = facts.memberIds.places()
        var checks: [AuditFinding.Check: Int] = [:]
        for (number, check) in AuditFinding.Check.allCases.enumerated() { checks[check] = number }
        let keyed = findings.enumerated().map { found, finding in
            let place = finding.member.map { Int(places[Int(facts.memberIdNumber[$0])]) + 1 } ?? 0
            return (key: (checks[finding.check] ?? 0) << 40 | place, found: found)
        }
        return keyed.sorted { ($0.key, $0.found) < ($1.key, $1.found) }.map { findings[$0.found] }
    }

    private typealias Note = (AuditFinding.Check, Int?, CheckOutcome, Int64, Int64, Bool) -> Void

    /// Lines on kits and fees, with no order behind them where the rule is about orders, or deeper than the limit.
    private func lineFindings(_ note: Note) {
        let facts = result.facts
        let kitCodes = Set(kits.compactMap { facts.products.number(of: $0) })
        var bad: [Int: Int64] = [:]
        var deep: [Int: Int64] = [:]
        for line in result.lines where line.amountMinor > 0 && !line.reason.isCap {
            if line.order >= 0, kitCodes.contains(facts.product[Int(line.order)]) { bad[Int(line.member), default: 0] += 1 }
            if let most = limits.levelsAtMost, Int(line.level) > most { deep[Int(line.member), default: 0] += 1 }
        }
        for (member, lines) in bad { note(.noProductSale, member, .fails, lines, 0, true) }
        for (member, lines) in deep { note(.levels, member, .fails, lines, Int64(limits.levelsAtMost ?? 0), true) }
    }

    /// Own orders in the last days that carried a promoter just over the personal volume of a condition.
    private func loading(_ note: Note) {
        let facts = result.facts
        var thresholds: Set<Int64> = []
        let conditions = [result.plan.active] + result.plan.ranks.map(\.condition)
        for condition in conditions {
            _ = condition.contains { leaf in
                if case .atLeast(.personalVolume, let bound) = leaf { thresholds.insert(bound) }
                return false
            }
        }
        guard !thresholds.isEmpty else { return }
        for member in 0..<facts.memberCount where facts.isPromoter(member) {
            var before: Int64 = 0
            for order in Int(facts.firstOrder[member])..<Int(facts.firstOrder[member + 1]) {
                let volume = facts.qualifyingVolume[order]
                let daysLeft = facts.period.end.dayNumber - 1 - Int64(facts.orderDay[order])
                for bound in thresholds
                where LegalChecks.looksLoaded(
                    volumeWithout: before, orderVolume: volume, threshold: bound, daysBeforeEnd: daysLeft,
                    lastDays: limits.lastDays, trailing: before, factor: 1)
                {
                    note(.inventoryLoading, member, .fails, volume, bound, false)
                    break
                }
                before &+= volume
            }
        }
    }
}
