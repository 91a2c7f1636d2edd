public import Money

/// The outcome of one legal check on one number.
public enum CheckOutcome: Hashable, Sendable {
    case passes
    case fails
    /// Nothing to judge, such as no revenue at all.
    case nothingToJudge
}

/// The formulas of the audit, each on plain numbers. Comparisons are exact; no ratio is rounded.
public enum LegalChecks {
    /// rev(non-participants, own + downline) ÷ rev(total) must be above the share.
    public static func nonParticipantShare(nonParticipants: Int64, total: Int64, above share: Rate) -> CheckOutcome {
        guard total > 0 else { return .nothingToJudge }
        return Int128(nonParticipants) * Int128(billion) > Int128(total) * Int128(share.billionths) ? .passes : .fails
    }

    /// (retail + countable consumption) ÷ revenue must be at least the share.
    public static func endUserShare(retail: Int64, consumption: Int64, revenue: Int64, atLeast share: Rate) -> CheckOutcome {
        guard revenue > 0 else { return .nothingToJudge }
        let counted = (Int128(retail) + Int128(consumption)) * Int128(billion)
        return counted >= Int128(revenue) * Int128(share.billionths) ? .passes : .fails
    }

    /// internal ÷ rewarded must be at most numerator ÷ denominator.
    public static func internalShare(internal inside: Int64, rewarded: Int64, atMost numerator: Int64, over denominator: Int64) -> CheckOutcome {
        guard rewarded > 0 else { return .nothingToJudge }
        return Int128(inside) * Int128(denominator) <= Int128(rewarded) * Int128(numerator) ? .passes : .fails
    }

    /// The part of a member's own consumption in a month that counts: below the limit, so at most limit − 1 minor unit.
    public static func countableConsumption(_ consumed: Int64, below limit: Int64) -> Int64 { max(0, min(consumed, limit - 1)) }

    /// (sold + used) ÷ bought must be at least the share.
    public static func seventyPercentRule(soldOrUsed: Int64, bought: Int64, atLeast share: Rate) -> CheckOutcome {
        guard bought > 0 else { return .nothingToJudge }
        return Int128(soldOrUsed) * Int128(billion) >= Int128(bought) * Int128(share.billionths) ? .passes : .fails
    }

    /// The same with a share in millionths.
    public static func seventyPercentRule(soldOrUsed: Int64, bought: Int64, atLeast share: SharePPM) -> CheckOutcome {
        guard bought > 0 else { return .nothingToJudge }
        return Int128(soldOrUsed) * 1_000_000 >= Int128(bought) * Int128(share.ppm) ? .passes : .fails
    }

    /// What a bonus is worth under the 70 % rule: all of it, or bonus × (sold + used) ÷ bought. Throws `.overflow`.
    public static func seventyPercentBonus(
        _ bonusMinor: Int64, soldOrUsed: Int64, bought: Int64, atLeast share: Rate
    ) throws(MoneyFailure) -> Int64 {
        guard seventyPercentRule(soldOrUsed: soldOrUsed, bought: bought, atLeast: share) == .fails else { return bonusMinor }
        return try soldPart(of: bonusMinor, soldOrUsed: soldOrUsed, bought: bought)
    }

    /// Earned × (sold + used) ÷ bought, rounded once, half to even; less than nothing sold is nothing. Throws as `Rounding.halfEven`.
    public static func soldPart(of earnedMinor: Int64, soldOrUsed: Int64, bought: Int64) throws(MoneyFailure) -> Int64 {
        try Rounding.halfEven(Int128(earnedMinor) * Int128(max(0, soldOrUsed)), over: Int128(bought))
    }

    /// Refund ÷ cost of goods of at most `monthsLimit` months must be at least the share; older goods are not judged.
    public static func buyBack(refund: Int64, cost: Int64, ageMonths: Int64, monthsLimit: Int64, atLeast share: Rate) -> CheckOutcome {
        guard cost > 0, ageMonths <= monthsLimit else { return .nothingToJudge }
        return Int128(refund) * Int128(billion) >= Int128(cost) * Int128(share.billionths) ? .passes : .fails
    }

    /// UK: what a participant paid within the first days, the contract day being day 1.
    public static func earlyPayments(total: Int64, atMost limit: Int64) -> CheckOutcome { total <= limit ? .passes : .fails }
    /// Whether a payment falls in the first `days` days; the contract day is day 1.
    public static func isEarly(daysSinceContract: Int64, days: Int64) -> Bool { daysSinceContract >= 0 && daysSinceContract < days }

    /// DAC7: left out only with fewer than `salesBelow` sales and at most `considerationAtMost`.
    public static func isReportable(sales: Int64, considerationMinor: Int64, salesBelow: Int64 = 30, considerationAtMost: Int64 = 200_000) -> Bool {
        !(sales < salesBelow && considerationMinor <= considerationAtMost)
    }

    /// An order just over a threshold of a condition, in the last days, larger than trailing consumption explains.
    public static func looksLoaded(
        volumeWithout: Int64, orderVolume: Int64, threshold: Int64, daysBeforeEnd: Int64, lastDays: Int64, trailing: Int64,
        factor: Int64
    ) -> Bool {
        volumeWithout < threshold && volumeWithout + orderVolume >= threshold && daysBeforeEnd < lastDays
            && orderVolume > trailing.multipliedReportingOverflow(by: factor).partialValue
    }
}
