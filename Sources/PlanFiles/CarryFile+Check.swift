import Compensation

/// What no run can have written: a file that was changed by hand or is another program's. The engine may then count on every number.
extension CarryFile {
    /// Most money of one entry, in minor units: any sum of a few stays within 64 bits.
    private static let amountLimit: UInt64 = 4_000_000_000_000_000_000
    private static let periodsLimit = 1_000_000
    /// Billionths of a minor unit.
    private static let exactLimit = UInt128(amountLimit) * 1_000_000_000_000

    /// Nil: all is well. Otherwise what is wrong, as one clause.
    var problem: String? {
        var seen: Set<IdKey> = []
        /// The first entry that is wrong, or that stands there twice.
        func first<Entry>(_ what: String, _ entries: [Entry], _ key: (Entry) -> String?, _ wrong: (Entry) -> String?) -> String? {
            seen.removeAll(keepingCapacity: true)
            for entry in entries {
                let name = key(entry)
                if let name, !seen.insert(IdKey(name)).inserted { return "\(what) of \(shown(name)) stands there twice" }
                if let wrong = wrong(entry) { return "\(what)\(name.map { " of \(shown($0))" } ?? ""): \(wrong)" }
            }
            return nil
        }
        return first("the member", carry.members, { $0.id }) { member in
            if member.id.isEmpty { return "the id is empty" }
            if !isRank(member.highestRank) || !isRank(member.keptRank) { return "a rank is within 0 to \(Plan.ranksLimit)" }
            if !(0...Self.periodsLimit).contains(member.missedPeriods) { return "missedPeriods is within 0 to \(Self.periodsLimit)" }
            if member.debtMinor < 0 || !isAmount(member.debtMinor) { return "debt is within 0 to \(Self.amountLimit)" }
            return member.trackers.count > Plan.trackersLimit ? "there are at most \(Plan.trackersLimit) trackers" : nil
        } ?? first("the leg", carry.legs, { _ in nil }) { leg in
            if leg.slot != 1, leg.slot != 2 { return "slot of \(shown(leg.id)) is 1 or 2" }
            return isAge(leg.agePeriods) && isAmount(leg.volume) ? nil : "agePeriods or volume of \(shown(leg.id)) is out of range"
        } ?? first("the banked amount", carry.banked, { "\($0.bonus) \($0.id)" }) { banked in
            banked.amountMinor >= 0 && isAmount(banked.amountMinor) ? nil : "amount is within 0 to \(Self.amountLimit)"
        } ?? first("the tier", carry.tiers, { "\($0.bonus) \($0.year) \($0.id)" }) { tier in
            isAmount(tier.baseMinor) && tier.companyExact.magnitude <= Self.exactLimit && (0...9_999).contains(tier.year) ? nil : "a number is out of range"
        } ?? first("the award", carry.awards, { "\($0.bonus) \($0.rank) \($0.id)" }) { award in
            if !isRank(award.rank) { return "rank is within 0 to \(Plan.ranksLimit)" }
            return isAge(award.agePeriods) && isAge(award.paymentsMade) && isAmount(award.paidMinor) ? nil : "a number is out of range"
        } ?? first("the order", history, { $0.orderId }) { order in
            let numbers = [
                order.amountMinor, order.commissionVolume, order.qualifyingVolume, order.refundedAmountMinor, order.refundedCommissionVolume,
                order.refundedQualifyingVolume,
            ]
            if !numbers.allSatisfy(isAmount) { return "a number is out of range" }
            for paid in order.paid {
                guard (0...Int(Int16.max)).contains(paid.level), [paid.amountMinor, paid.reversedMinor, paid.periodPaidMinor, paid.periodBaseMinor].allSatisfy(isAmount)
                else { return "what was paid to \(shown(paid.memberId)) is out of range" }
            }
            return nil
        }
    }

    private func shown(_ name: String) -> String { "“\(name.prefix(80))”" }
    private func isRank(_ rank: Int) -> Bool { (0...Plan.ranksLimit).contains(rank) }
    private func isAge(_ periods: Int) -> Bool { (0...Self.periodsLimit).contains(periods) }
    private func isAmount(_ amount: Int64) -> Bool { amount.magnitude <= Self.amountLimit }
}
