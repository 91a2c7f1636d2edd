public import Chronology
public import Money

/// The most that a rule pays to one customer, one member or in the whole program, in one period.
public struct Cap: Hashable, Sendable {
    public enum Limit: Hashable, Sendable {
        case amount(Amount)
        case count(Int64)
    }

    public enum Scope: String, Hashable, Sendable, CaseIterable {
        case customer
        case member
        case program
    }

    public let limit: Limit
    public let per: Scope
    public let period: CapPeriod

    /// Throws `.capOutOfRange` for a limit below 0.
    public init(_ limit: Limit, per: Scope, period: CapPeriod) throws(RuleFailure) {
        switch limit {
        case .amount(let amount): guard amount >= .zero else { throw .capOutOfRange }
        case .count(let count): guard count >= 0 else { throw .capOutOfRange }
        }
        self.limit = limit
        self.per = per
        self.period = period
    }

    /// What of `wanted` may still be paid when `used` has been. Amounts of 0 and below (corrections) always pass.
    /// An amount cap pays the part that is left; a count cap pays all or nothing.
    public func allow(wanted: Amount, used: CapUse) -> CapDecision {
        guard wanted > .zero else { return CapDecision(wanted: wanted, allowed: wanted) }
        switch limit {
        case .count(let limit):
            return CapDecision(wanted: wanted, allowed: used.count < limit ? wanted : .zero)
        case .amount(let limit):
            // What is left may exceed Int64 when `used` is negative; it is then more than any amount wanted.
            let left = max(0, Int128(limit.minor) - Int128(used.amount.minor))
            return CapDecision(wanted: wanted, allowed: Int128(wanted.minor) <= left ? wanted : Amount(minor: Int64(left)))
        }
    }
}

public enum CapPeriod: String, Hashable, Sendable, CaseIterable {
    case day
    /// From Monday.
    case week
    case month
    case year
    case lifetime

    /// The first day of the period that `day` (in the program's zone) lies in; nil for `lifetime`.
    public func start(containing day: LocalDay) -> LocalDay? {
        switch self {
        case .day: day
        case .week: LocalDay(dayNumber: day.dayNumber - Int64(day.weekday - 1))
        case .month: LocalDay(year: day.year, month: day.month, day: 1)
        case .year: LocalDay(year: day.year, month: 1, day: 1)
        case .lifetime: nil
        }
    }
}

/// What a cap's counter stands at.
public struct CapUse: Hashable, Sendable {
    public let amount: Amount
    public let count: Int64

    public static let none = CapUse(amount: .zero, count: 0)

    public init(amount: Amount, count: Int64) {
        self.amount = amount
        self.count = count
    }
}

/// What a cap lets through.
public struct CapDecision: Hashable, Sendable {
    public enum Outcome: String, Hashable, Sendable {
        case whole
        case partial
        case capReached
    }

    public let wanted: Amount
    public let allowed: Amount

    public var outcome: Outcome {
        if allowed == wanted { return .whole }
        return allowed == .zero ? .capReached : .partial
    }

    /// What the cap kept back. `allowed` lies between 0 and `wanted`, so this always fits.
    public var withheld: Amount { Amount(minor: wanted.minor - allowed.minor) }
}
