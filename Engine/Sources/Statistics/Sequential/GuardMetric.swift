/// Something that must not get worse while the metric gets better: refunds, held commissions, cost per new customer. More is worse.
///
/// A treatment is let through when it is shown to be worse by less than the margin (non-inferiority), by an always-valid interval of
/// 90 %: each end of it is wrong with a chance of at most 10 % over all looks.
/// Source: Schuirmann's one-sided bound (J. Pharmacokinetics and Biopharmaceutics 15, 1987) with the bounds of `AlwaysValid`.
public struct GuardMetric: Hashable, Sendable {
    public let name: String
    /// How much worse is still borne, in the metric's own units; more than 0.
    public let margin: Double
    public private(set) var test: SequentialTest

    /// Nil unless the margin is positive and finite. Effects of the margin's size are looked for.
    public init?(name: String, margin: Double) {
        guard let method = AlwaysValid(tau: margin) else { return nil }
        self.name = name
        self.margin = margin
        test = SequentialTest(method, alpha: .tenPercent)
    }

    /// Takes in treatment − control of everything so far.
    public mutating func look(at difference: Estimate) { test.look(at: difference) }

    public var state: State {
        guard let interval = test.interval, !interval.isEmpty else { return .open }
        if interval.upper < margin { return .kept }
        return interval.lower > margin ? .broken : .open
    }

    public enum State: String, Hashable, Sendable {
        /// Worse by less than the margin, if at all.
        case kept
        /// Not known yet.
        case open
        /// Worse by more than the margin.
        case broken
    }
}
