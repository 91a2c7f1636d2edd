import Chronology
public import Compensation
import Foundation

/// Several plans on the same facts.
public struct ComparisonResult: Sendable {
    public struct PlanTotals: Sendable {
        public var code: String
        public var path: String
        /// By member, as `ComparisonResult.members`.
        public internal(set) var amounts: [Int64] = []
        public internal(set) var totalMinor: Int128 = 0
        public internal(set) var breakageMinor: Int128 = 0
        public internal(set) var capsMinor: Int128 = 0
        public internal(set) var bonuses: [(code: String, amountMinor: Int128)] = []
        public internal(set) var ranks: [(code: String, amountMinor: Int128)] = []

        init(code: String, path: String) {
            self.code = code
            self.path = path
        }

        mutating func take(_ run: RunResult) {
            totalMinor += run.totalMinor
            if bonuses.isEmpty { bonuses = run.plan.bonuses.map { ($0.code, 0) } }
            if ranks.isEmpty { ranks = ([""] + run.plan.ranks.map(\.code)).map { ($0, 0) } }
            for (number, record) in run.breakage.enumerated() {
                bonuses[number].amountMinor += run.totalMinor(bonus: number)
                breakageMinor += Int128(record.nobodyMinor ?? 0) + Int128(record.unqualifiedMinor ?? 0)
                capsMinor += record.cappedMinor
            }
            for member in 0..<run.facts.memberCount where run.facts.isPromoter(member) {
                ranks[run.ranks(of: member).paidAs].amountMinor += Int128(run.amountMinor(of: member))
            }
        }
    }

    /// How a plan's amounts lie: over all promoters, those with nothing included.
    public struct Distribution: Sendable {
        public var paidCount = 0
        /// 10, 25, 50, 75, 90 and 99 percent points, in hundredths of minor units.
        public var quantiles: [Int128] = []
        /// Shares of all that is paid, in millionths: of the lower half, and of the top 10 and 1 percent.
        public var lowerHalfPPM: Int128 = 0
        public var topTenthPPM: Int128 = 0
        public var topHundredthPPM: Int128 = 0
        /// Gini coefficient in millionths: 0 when all earn the same.
        public var giniPPM: Int128 = 0
        /// Cumulated shares of all that is paid at 0, 5, 10 … 100 % of the promoters, in millionths.
        public var lorenzPPM: [Int128] = []
    }

    /// Against the first plan.
    public struct Change: Sendable {
        public var winners = 0
        public var losers = 0
        public var unchanged = 0
        public var gainedMinor: Int128 = 0
        public var lostMinor: Int128 = 0
        /// Who gains and loses most, at most ten each.
        public var most: [(member: String, beforeMinor: Int64, afterMinor: Int64)] = []
        public var least: [(member: String, beforeMinor: Int64, afterMinor: Int64)] = []
        /// Those who had something before and have nothing now.
        public var lostAll = 0
    }

    public internal(set) var plans: [PlanTotals]
    public let periods: [Period]
    public internal(set) var members: [String] = []
    public internal(set) var salesMinor: Int128 = 0
    public internal(set) var commissionVolume: Int128 = 0

    static let listedLimit = 10

    init(plans: [PlanTotals], periods: [Period]) {
        self.plans = plans
        self.periods = periods
    }

    public func distribution(of plan: Int) -> Distribution {
        let sorted = plans[plan].amounts.sorted()
        var found = Distribution()
        found.paidCount = sorted.count { $0 != 0 }
        found.quantiles = Disclosure.percentPoints.map { Disclosure.quantile(sorted, percent: $0) }
        // Shares are of what is paid; whoever owes counts as nothing.
        let positive = sorted.map { max(0, $0) }
        let total = positive.reduce(Int128(0)) { $0 + Int128($1) }
        guard total > 0 else {
            found.lorenzPPM = Array(repeating: 0, count: 21)
            return found
        }
        var sums: [Int128] = [0]
        sums.reserveCapacity(positive.count + 1)
        for amount in positive { sums.append(sums[sums.count - 1] + Int128(amount)) }
        let count = positive.count
        found.lowerHalfPPM = sums[count / 2] * 1_000_000 / total
        found.topTenthPPM = (total - sums[count - max(1, count / 10)]) * 1_000_000 / total
        found.topHundredthPPM = (total - sums[count - max(1, count / 100)]) * 1_000_000 / total
        found.lorenzPPM = (0...20).map { sums[count * $0 / 20] * 1_000_000 / total }
        // G = (2 Σ i·x(i) − (n + 1) Σ x) ÷ (n Σ x), i from 1.
        var weighted: Int128 = 0
        for (place, amount) in positive.enumerated() { weighted += Int128(place + 1) * Int128(amount) }
        found.giniPPM = (2 * weighted - Int128(count + 1) * total) * 1_000_000 / (Int128(count) * total)
        return found
    }

    public func change(to plan: Int) -> Change {
        var change = Change()
        var moved: [(place: Int, by: Int128)] = []
        for place in members.indices {
            let (before, after) = (plans[0].amounts[place], plans[plan].amounts[place])
            if after > before {
                change.winners += 1
                change.gainedMinor += Int128(after) - Int128(before)
            } else if after < before {
                change.losers += 1
                change.lostMinor += Int128(before) - Int128(after)
                if after <= 0, before > 0 { change.lostAll += 1 }
            } else {
                change.unchanged += 1
            }
            if after != before { moved.append((place, Int128(after) - Int128(before))) }
        }
        moved.sort { $0.by != $1.by ? $0.by > $1.by : members[$0.place].utf8.lexicographicallyPrecedes(members[$1.place].utf8) }
        func rows(_ some: some Sequence<(place: Int, by: Int128)>) -> [(member: String, beforeMinor: Int64, afterMinor: Int64)] {
            some.map { (members[$0.place], plans[0].amounts[$0.place], plans[plan].amounts[$0.place]) }
        }
        change.most = rows(moved.prefix(Self.listedLimit).filter { $0.by > 0 })
        change.least = rows(moved.suffix(Self.listedLimit).filter { $0.by < 0 }.reversed())
        return change
    }
}
