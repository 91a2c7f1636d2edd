/// One comparison, look after look. A function of the facts only: given the same looks it says the same, whoever looked when.
public struct SequentialTest: Hashable, Sendable {
    public let method: AlwaysValid
    public let alpha: ErrorRate
    /// The difference at the latest look; nil before the first.
    public private(set) var estimate: Estimate?
    /// The least of all looks: 1 before the first.
    public private(set) var pValue = 1.0
    /// What no look has ruled out; nil before the first. Empty when looks contradict each other, as when the effect changes with time.
    public private(set) var interval: Interval?
    public private(set) var looks = 0

    public init(_ method: AlwaysValid, alpha: ErrorRate) {
        self.method = method
        self.alpha = alpha
    }

    /// Takes in the difference of everything so far. A difference that doesn't vary is no look.
    public mutating func look(at difference: Estimate) {
        guard let p = method.pValue(difference), let now = method.interval(difference, alpha) else { return }
        estimate = difference
        pValue = min(pValue, p)
        interval = interval?.intersection(now) ?? now
        looks += 1
    }

    /// What can be said now. An estimate that lies outside what earlier looks left over waits for more.
    public var finding: Finding {
        guard let estimate, let interval else { return .notLookedAt }
        if interval.isEmpty { return .contradictory }
        guard interval.contains(estimate.value) else { return .open }
        if interval.lower > 0 { return .above }
        return interval.upper < 0 ? .below : .open
    }

    public enum Finding: Hashable, Sendable {
        case notLookedAt, open, above, below, contradictory
    }
}
