import Money

/// Who has sold or used too little of what they bought, and what the rule has left of their earnings. All in minor units.
public struct SoldOrUsedShortfall: Hashable, Sendable {
    public var member: Int
    /// May be below 0, when more came back than was sold.
    public var soldOrUsedMinor: Int64
    public var boughtMinor: Int64
    /// By the bonuses of the rule, after their own caps; what stands outside of caps is not among it.
    public var earnedMinor: Int64
    /// What is left of it, before the caps of person and plan.
    public var paidMinor: Int64
    /// Earned by the other bonuses.
    public var otherMinor: Int64
}

/// What each promoter has bought, and has sold or used of it.
struct SoldOrUsedSums {
    /// By member; all order money together is within Int64, as the facts see to.
    private(set) var bought: [Int64]
    private(set) var sold: [Int64]

    init(_ facts: Facts) {
        bought = [Int64](repeating: 0, count: facts.memberCount)
        sold = bought
        let above = facts.trees[0].above
        for order in 0..<facts.orderCount {
            let buyer = Int(facts.buyer[order])
            if facts.isPromoter(buyer) {
                bought[buyer] &+= facts.amount[order]
            } else if above[buyer] >= 0 {
                sold[Int(above[buyer])] &+= facts.amount[order]
            }
        }
    }

    /// Sold, and own purchases below the limit.
    func soldOrUsed(_ member: Int, below limit: Int64) -> Int64 {
        sold[member] &+ LegalChecks.countableConsumption(bought[member], below: limit)
    }
}

extension CapPass {
    /// Before the caps of person and plan: those limit what is paid out, this says how much of it was earned with what was bought.
    mutating func scaleToSold(_ rule: SoldOrUsedRule, _ all: inout [Line]) throws(RunFailure) {
        let sums = SoldOrUsedSums(state.facts)
        let isCut = state.plan.bonuses.map { rule.bonuses.isEmpty || rule.bonuses.contains($0.code) }
        var runs = LineRuns(all)
        for member in 0..<state.facts.memberCount {
            let places = runs.places(of: member, in: all)
            let bought = sums.bought[member]
            guard bought > 0 else { continue }
            let soldOrUsed = sums.soldOrUsed(member, below: rule.usedBelowMinor)
            guard LegalChecks.seventyPercentRule(soldOrUsed: soldOrUsed, bought: bought, atLeast: rule.atLeast) == .fails else { continue }
            var earned: Int128 = 0
            var other: Int128 = 0
            for place in places where !all[place].reason.isOutsideCaps {
                if isCut[Int(all[place].bonus)] { earned += Int128(all[place].amountMinor) } else { other += Int128(all[place].amountMinor) }
            }
            guard let earnedMinor = Int64(exactly: earned), let otherMinor = Int64(exactly: other) else { throw .overflow(where: "soldOrUsed") }
            var shortfall = SoldOrUsedShortfall(
                member: member, soldOrUsedMinor: soldOrUsed, boughtMinor: bought, earnedMinor: earnedMinor, paidMinor: earnedMinor,
                otherMinor: otherMinor)
            if earnedMinor > 0 {
                shortfall.paidMinor = try paid(rule, shortfall)
                try take(earnedMinor - shortfall.paidMinor, places, .capSoldOrUsed, &all) { isCut[Int($0.bonus)] }
            }
            shortfalls.append(shortfall)
        }
    }

    private func paid(_ rule: SoldOrUsedRule, _ found: SoldOrUsedShortfall) throws(RunFailure) -> Int64 {
        guard rule.below == .proRata else { return 0 }
        do {
            return try LegalChecks.soldPart(of: found.earnedMinor, soldOrUsed: found.soldOrUsedMinor, bought: found.boughtMinor)
        } catch { throw .overflow(where: "soldOrUsed") }
    }
}

extension RunResult {
    /// What the plan's 70 % rule has found about a member; nil: nothing, or the plan has none.
    public func shortfall(of member: Int) -> SoldOrUsedShortfall? {
        var (low, high) = (0, shortfalls.count)
        while low < high {
            let middle = (low + high) / 2
            if shortfalls[middle].member < member { low = middle + 1 } else { high = middle }
        }
        return low < shortfalls.count && shortfalls[low].member == member ? shortfalls[low] : nil
    }
}
