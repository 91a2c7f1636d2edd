public import Money

/// The 70 % rule: who has sold or used less of what they bought than a share is paid only a part, or nothing.
///
/// All amounts are order money of the period, in minor units, refunds taken off. Bought: own orders. Sold: those of own customers. Used: own
/// orders as far as they stay below a limit.
public struct SoldOrUsedRule: Hashable, Sendable {
    /// What is paid to those below the share.
    public enum Below: Hashable, Sendable, CaseIterable {
        /// Earnings × (sold + used) ÷ bought, rounded once, half to even; less than nothing sold counts as nothing.
        case proRata
        case nothing
        public var code: String { self == .proRata ? "proRata" : "nothing" }
    }
    /// At exactly this share all is paid.
    public var atLeast: SharePPM
    public var below: Below
    /// Own purchases count as used below this limit, so at most one minor unit less of them; 0: none count.
    public var usedBelowMinor: Int64
    /// Whose lines are cut; empty: those of all bonuses.
    public var bonuses: Set<String>

    /// 199.99 of 200.00, as the legal audit has it.
    public static let usedBelowStandardMinor: Int64 = 20_000

    public init(
        atLeast: SharePPM, below: Below = .proRata, usedBelowMinor: Int64 = usedBelowStandardMinor, bonuses: Set<String> = []
    ) {
        self.atLeast = atLeast
        self.below = below
        self.usedBelowMinor = usedBelowMinor
        self.bonuses = bonuses
    }
}
