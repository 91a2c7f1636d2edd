import Chronology
import Money

/// One finding of the audit of a run.
public struct AuditFinding: Hashable, Sendable {
    public enum Check: Hashable, Sendable, CaseIterable {
        case nonParticipantShare, endUserShare, internalShare, internalConsumption, customersPerMonth
        case soldOrUsed, buyBack, earlyPayments, cancellation
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
    /// Whose limits were compared, of company findings; nil: those for everybody.
    public var country: String?
}

extension RunResult {
    /// The legal audit on what the run knows. Member findings are listed only where they fail; company findings always.
    /// Members whose attribute `country` names one with limits of its own are judged by those, and so is the part of the company there:
    /// the sales of its promoters and of their customers. `kits`: products that are kits or fees. Sorted by check, then member id.
    public func audit(
        _ limits: LegalLimits = LegalLimits(), countries: [String: LegalLimits] = [:], terms: LegalTerms = LegalTerms(), kits: Set<String> = []
    ) -> [AuditFinding] {
        AuditPass(result: self, limits: CountryLimits(facts, limits, countries), terms: terms, kits: kits).run()
    }
}

/// Which limits hold for whom.
private struct CountryLimits {
    /// The first are those for everybody.
    let all: [(country: String?, limits: LegalLimits)]
    private let attribute: Column<Int32>?
    /// value of the attribute → place in `all`
    private let placeOfValue: [Int32: Int]

    init(_ facts: Facts, _ standard: LegalLimits, _ countries: [String: LegalLimits]) {
        var all: [(country: String?, limits: LegalLimits)] = [(nil, standard)]
        var places: [Int32: Int] = [:]
        for (country, limits) in countries.sorted(by: { $0.key < $1.key }) {
            guard let value = facts.attributeValues.number(of: country) else { continue }
            places[value] = all.count
            all.append((country, limits))
        }
        self.all = all
        placeOfValue = places
        attribute = places.isEmpty ? nil : facts.attributeNames.firstIndex(of: "country").map { facts.attributes[$0] }
    }

    func place(of member: Int) -> Int {
        guard let attribute else { return 0 }
        return placeOfValue[attribute[member]] ?? 0
    }

    subscript(_ member: Int) -> LegalLimits { all[place(of: member)].limits }
}

/// What the company sold and used, everywhere or in one country.
private struct CompanySums {
    var retail: Int128 = 0
    var revenue: Int128 = 0
    /// Own purchases of promoters, and what of them counts as used.
    var inside: Int128 = 0
    var countable: Int128 = 0
}

private struct AuditPass {
    let result: RunResult
    let limits: CountryLimits
    let terms: LegalTerms
    let kits: Set<String>

    func run() -> [AuditFinding] {
        let facts = result.facts
        let count = facts.memberCount
        let tree = facts.trees[0]
        var all = [Int128](repeating: 0, count: count)
        var outside = [Int128](repeating: 0, count: count)
        var own = [Int64](repeating: 0, count: count)
        var companies = [CompanySums](repeating: CompanySums(), count: limits.all.count)
        /// Adds to what is true everywhere, and to the country of its own.
        func add(_ owner: Int, _ change: (inout CompanySums) -> Void) {
            change(&companies[0])
            let place = owner < 0 ? 0 : limits.place(of: owner)
            if place > 0 { change(&companies[place]) }
        }
        for order in 0..<facts.orderCount {
            let buyer = Int(facts.buyer[order])
            let amount = facts.amount[order]
            own[buyer] &+= amount
            let isOwn = facts.isPromoter(buyer)
            let owner = isOwn ? buyer : Int(tree.above[buyer])
            add(owner) { sums in
                sums.revenue += Int128(amount)
                if !isOwn { sums.retail += Int128(amount) }
            }
            guard owner >= 0 else { continue }
            all[owner] += Int128(amount)
            if !isOwn { outside[owner] += Int128(amount) }
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
        for member in 0..<count where result.amounts[member] > 0 {
            guard let share = limits[member].nonParticipantAbove else { continue }
            let (part, whole) = (Int64(clamping: outside[member]), Int64(clamping: all[member]))
            note(.nonParticipantShare, member, LegalChecks.nonParticipantShare(nonParticipants: part, total: whole, above: share), part, whole)
        }
        /// What those below the share earned, and what the plan's own rule has left of it.
        var mended: (paid: Int128, earned: Int128) = (0, 0)
        for member in 0..<count where facts.isPromoter(member) && own[member] > 0 {
            let limit = limits[member]
            let counted = LegalChecks.countableConsumption(own[member], below: limit.consumptionBelowMinor)
            add(member) { sums in
                sums.countable += Int128(counted)
                sums.inside += Int128(own[member])
            }
            if counted < own[member] { note(.internalConsumption, member, .fails, own[member], limit.consumptionBelowMinor, false) }
            guard let share = limit.soldOrUsedAtLeast else { continue }
            let sold = Int64(clamping: ownSales[member] + Int128(counted))
            let outcome = LegalChecks.seventyPercentRule(soldOrUsed: sold, bought: own[member], atLeast: share)
            if outcome == .fails, let short = result.shortfall(of: member), isMended(short, sold, own[member]) {
                mended.earned += Int128(max(0, short.earnedMinor))
                mended.paid += Int128(max(0, short.paidMinor))
            } else {
                note(.soldOrUsed, member, outcome, sold, own[member])
            }
        }
        if mended.earned > 0 {
            // Nobody failed for these: the plan has paid them the part that may be paid.
            note(.soldOrUsed, nil, .passes, Int64(clamping: mended.paid), Int64(clamping: mended.earned))
        }
        for (place, company) in companies.enumerated() { findings += companyFindings(company, limits.all[place].limits, limits.all[place].country) }
        var customers = [Int64](repeating: 0, count: count)
        for member in 0..<count where !facts.isPromoter(member) && own[member] > 0 && tree.above[member] >= 0 {
            customers[Int(tree.above[member])] += 1
        }
        for member in 0..<count where result.amounts[member] > 0 && customers[member] < limits[member].customersPerMonth {
            note(.customersPerMonth, member, .fails, customers[member], limits[member].customersPerMonth, false)
        }
        for member in 0..<count where result.amounts[member] > 0 {
            guard let share = limits[member].payPerOwnSales else { continue }
            let sales = Int64(clamping: ownSales[member])
            let fits = Int128(result.amounts[member]) * Int128(billion) <= Int128(sales) * Int128(share.billionths)
            note(.payPerOwnSales, member, fits ? .passes : .fails, result.amounts[member], sales)
        }
        earlyPayments(note)
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

    /// Whether the plan's `soldOrUsed` has left no more than what the limit allows: all that was earned × (sold + used) ÷ bought.
    private func isMended(_ short: SoldOrUsedShortfall, _ sold: Int64, _ bought: Int64) -> Bool {
        let other = Int128(max(0, short.otherMinor))
        let (earned, paid) = (Int128(max(0, short.earnedMinor)) + other, Int128(max(0, short.paidMinor)) + other)
        guard let whole = Int64(exactly: earned), let allowed = try? LegalChecks.soldPart(of: whole, soldOrUsed: sold, bought: bought) else { return false }
        return paid <= Int128(allowed)
    }

    /// What is compared for the company as a whole, or for the part of it in one country.
    private func companyFindings(_ sums: CompanySums, _ limits: LegalLimits, _ country: String?) -> [AuditFinding] {
        var findings: [AuditFinding] = []
        func note(_ check: AuditFinding.Check, _ outcome: CheckOutcome, _ part: Int64, _ whole: Int64) {
            findings.append(AuditFinding(check: check, member: nil, outcome: outcome, part: part, whole: whole, isHard: true, country: country))
        }
        if let share = limits.endUserAtLeast {
            let (sold, used, whole) = (Int64(clamping: sums.retail), Int64(clamping: sums.countable), Int64(clamping: sums.revenue))
            note(
                .endUserShare, LegalChecks.endUserShare(retail: sold, consumption: used, revenue: whole, atLeast: share),
                Int64(clamping: sums.retail + sums.countable), whole)
        }
        let (inside, rewarded) = (Int64(clamping: sums.inside), Int64(clamping: sums.revenue))
        note(
            .internalShare,
            LegalChecks.internalShare(internal: inside, rewarded: rewarded, atMost: limits.internalNumerator, over: limits.internalDenominator),
            inside, rewarded)
        if let share = limits.buyBackAtLeast {
            let months = terms.buyBackMonths ?? limits.buyBackMonths
            if months < limits.buyBackMonths {
                note(.buyBack, .fails, months, limits.buyBackMonths)
            } else if let promised = terms.buyBack {
                note(.buyBack, promised.billionths >= share.billionths ? .passes : .fails, promised.billionths, billion)
            } else {
                note(.buyBack, .nothingToJudge, 0, 0)
            }
        }
        if let days = limits.cancellationDays {
            let promised = terms.cancellationDays
            note(.cancellation, promised.map { $0 >= days ? .passes : .fails } ?? .nothingToJudge, promised ?? 0, promised == nil ? 0 : days)
        }
        return findings
    }

    /// What those who joined lately have bought in their first days, as far as the period has it.
    private func earlyPayments(_ note: Note) {
        let facts = result.facts
        for member in 0..<facts.memberCount where facts.isPromoter(member) {
            let limit = limits[member]
            guard let most = limit.earlyPaidAtMostMinor else { continue }
            var paid: Int64 = 0
            for order in Int(facts.firstOrder[member])..<Int(facts.firstOrder[member + 1])
            where LegalChecks.isEarly(daysSinceContract: Int64(facts.orderDay[order]) - Int64(facts.joinedDay[member]), days: limit.earlyDays) {
                paid &+= facts.amount[order]
            }
            note(.earlyPayments, member, LegalChecks.earlyPayments(total: paid, atMost: most), paid, most, true)
        }
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
            if let most = limits[Int(line.member)].levelsAtMost, Int(line.level) > most { deep[Int(line.member), default: 0] += 1 }
        }
        for (member, lines) in bad { note(.noProductSale, member, .fails, lines, 0, true) }
        for (member, lines) in deep { note(.levels, member, .fails, lines, Int64(limits[member].levelsAtMost ?? 0), true) }
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
                    lastDays: limits[member].lastDays, trailing: before, factor: 1)
                {
                    note(.inventoryLoading, member, .fails, volume, bound, false)
                    break
                }
                before &+= volume
            }
        }
    }
}
