/// Why a bonus paid a member nothing in the whole period, as data; words come from the message catalogue.
public struct PeriodNothing: Hashable, Sendable {
    public enum Reason: Hashable, Sendable {
        case customer
        case inactive
        case notEligible
        /// There are lines, and caps, refunds or adjustments took all of them back.
        case takenAway
        /// All of it was cut because too little was sold or used of what the member bought; minor units.
        case soldOrUsed(soldOrUsedMinor: Int64, boughtMinor: Int64)
        /// A binary bonus: what lay on the legs, in minor units, with what was carried in and without what was flushed, was no whole match.
        case unmatched(leftMinor: Int64, rightMinor: Int64)
        /// The member might have earned, but the rule found nothing for them; what it looks for is its `BonusRule.code`'s matter.
        case rule
    }
    /// Place in the plan's bonuses.
    public var bonus: Int
    public var reason: Reason

    public init(bonus: Int, reason: Reason) {
        self.bonus = bonus
        self.reason = reason
    }
}

extension RunResult {
    /// For each bonus that paid the member nothing in the period: why. Bonuses that paid, or took something back, are left out.
    public func explainNothing(member: Int) throws(RunFailure) -> [PeriodNothing] {
        var found: [PeriodNothing] = []
        let own = linesOf(member)
        for (number, bonus) in plan.bonuses.enumerated() where amountMinor(of: member, bonus: number) == 0 {
            let ofBonus = own.filter { Int(lines[$0].bonus) == number }
            if let short = shortfall(of: member), ofBonus.contains(where: { lines[$0].reason == .capSoldOrUsed }) {
                found.append(
                    PeriodNothing(bonus: number, reason: .soldOrUsed(soldOrUsedMinor: short.soldOrUsedMinor, boughtMinor: short.boughtMinor)))
            } else {
                found.append(PeriodNothing(bonus: number, reason: try reason(bonus, member, hasLines: !ofBonus.isEmpty)))
            }
        }
        return found
    }

    private func reason(_ bonus: Bonus, _ member: Int, hasLines: Bool) throws(RunFailure) -> PeriodNothing.Reason {
        if hasLines { return .takenAway }
        guard facts.isPromoter(member) else { return .customer }
        if try engineState.eligibility(of: bonus)[member] == 0 { return state.active[member] == 0 ? .inactive : .notEligible }
        guard case .binary = bonus.rule else { return .rule }
        let legs = binary.first { $0.member == member && $0.bonus == bonus.code }
        func volume(_ leg: BinaryStatement.Leg?) -> Int64 { leg.map { $0.carriedIn &+ $0.new &- $0.flushed } ?? 0 }
        return .unmatched(leftMinor: volume(legs?.left), rightMinor: volume(legs?.right))
    }

    /// The places of a member's lines, which stand together.
    private func linesOf(_ member: Int) -> Range<Int> {
        func first(from wanted: Int32) -> Int {
            var (low, high) = (0, lines.count)
            while low < high {
                let middle = (low + high) / 2
                if lines[middle].member < wanted { low = middle + 1 } else { high = middle }
            }
            return low
        }
        return first(from: Int32(member))..<first(from: Int32(member) + 1)
    }
}
