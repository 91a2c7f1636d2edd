/// Income disclosure of one period: all participants, those with nothing included; actual, not annualised.
public struct Disclosure: Hashable, Sendable {
    public struct Row: Hashable, Sendable {
        /// 0: no rank.
        public var rank: Int
        public var count: Int
        public var zeroCount: Int
        /// Amounts in minor units; quantiles by linear interpolation, as numerators over `Disclosure.quantileDenominator`.
        public var totalMinor: Int128
        public var quantiles: [Int128]
        public var highestMinor: Int64
    }
    /// Percent points of the quantiles.
    public static let percentPoints = [10, 25, 50, 75, 90, 99]
    /// Quantile × 100 is exact: position (n − 1) × p ÷ 100.
    public static let quantileDenominator: Int128 = 100
    public var participants: Int
    public var zeroParticipants: Int
    public var all: Row
    public var byRank: [Row]
}

extension RunResult {
    /// Participants are the promoters that are not erased; amounts below 0 count as they are.
    public var disclosure: Disclosure {
        var byRank = [[Int64]](repeating: [], count: plan.ranks.count + 1)
        var all: [Int64] = []
        for member in 0..<facts.memberCount
        where facts.isPromoter(member) && facts.status[member] != MemberStatus.erased.rawValue {
            all.append(amounts[member])
            byRank[min(Int(state.paidAs[member]), plan.ranks.count)].append(amounts[member])
        }
        let rows = byRank.enumerated().map { Disclosure.row(rank: $0.offset, $0.element) }
        let whole = Disclosure.row(rank: 0, all)
        return Disclosure(participants: whole.count, zeroParticipants: whole.zeroCount, all: whole, byRank: rows)
    }
}

extension Disclosure {
    /// One row about the amounts of some participants, in minor units.
    public static func row(rank: Int, _ amounts: [Int64]) -> Row {
        let sorted = amounts.sorted()
        return Row(
            rank: rank, count: sorted.count, zeroCount: sorted.count { $0 == 0 },
            totalMinor: sorted.reduce(0) { $0 + Int128($1) }, quantiles: percentPoints.map { quantile(sorted, percent: $0) },
            highestMinor: sorted.last ?? 0)
    }

    /// The quantile × 100 of sorted values, by linear interpolation between neighbours; 0 of nothing.
    public static func quantile(_ sorted: [Int64], percent: Int) -> Int128 {
        guard !sorted.isEmpty else { return 0 }
        let (place, part) = ((sorted.count - 1) * percent).quotientAndRemainder(dividingBy: 100)
        let low = Int128(sorted[place])
        let high = Int128(sorted[min(place + 1, sorted.count - 1)])
        return low * quantileDenominator + (high - low) * Int128(part)
    }
}
