public import Money

public enum TierMode: String, Hashable, Sendable, CaseIterable {
    /// Each rate is for the part of the volume inside its own tier.
    case marginal
    /// The rate of the tier reached is for the whole volume; reaching one pays the difference on what came before.
    case retroactive
}

/// One step of a table: from this accumulated volume on (inclusive), this rate.
public struct Tier: Hashable, Sendable {
    /// In minor units of the sale's currency.
    public let from: Amount
    public let rate: Rate

    public init(from: Amount, rate: Rate) {
        self.from = from
        self.rate = rate
    }
}

/// Rates by accumulated volume. Below the first tier the rate is 0.
public struct TierTable: Hashable, Sendable {
    public let mode: TierMode
    /// At least one; `from` rises strictly and is never negative.
    public let tiers: [Tier]

    public static let tiersLimit = 100

    /// Throws `.tiersEmpty`, `.tooManyTiers`, `.tiersNotRising`.
    public init(mode: TierMode, tiers: [Tier]) throws(RuleFailure) {
        guard let first = tiers.first else { throw .tiersEmpty }
        guard tiers.count <= Self.tiersLimit else { throw .tooManyTiers }
        guard first.from >= .zero, zip(tiers, tiers.dropFirst()).allSatisfy({ $0.from < $1.from }) else {
            throw .tiersNotRising
        }
        self.mode = mode
        self.tiers = tiers
    }

    /// The rate of the tier that `volume` has reached.
    public func rate(at volume: Amount) -> Rate {
        tiers.last { $0.from <= volume }?.rate ?? .zero
    }

    /// What a whole volume is worth, rounded once, half to even; below 0 nothing. More volume is never worth less: where the rates of a
    /// retroactive table fall, what the volume before was worth remains. Throws `.overflow` beyond Int64.
    public func worth(of volume: Amount) throws(MoneyFailure) -> Amount {
        guard volume > .zero else { return .zero }
        switch mode {
        case .marginal:
            let exact = try slices(before: .zero, base: volume).reduce(Int128(0)) { $0 + Int128($1.base.minor) * Int128($1.rate.billionths) }
            return Amount(minor: try Rounding.halfEven(exact, over: Int128(Rate.billionthsPerWhole)))
        case .retroactive:
            var worth = try rate(at: volume).applied(to: volume)
            for (tier, next) in zip(tiers, tiers.dropFirst()) where next.from <= volume && next.rate < tier.rate {
                worth = max(worth, try tier.rate.applied(to: Amount(minor: next.from.minor - 1)))
            }
            return worth
        }
    }

    /// The volume from `before` to `before + base`, cut at the tiers: what each rate is paid on. Empty slices are left out.
    /// `before` below 0 counts as 0. Throws `.overflow` when the end does not fit Int64.
    public func slices(before: Amount, base: Amount) throws(MoneyFailure) -> [TierSlice] {
        let start = max(before, .zero)
        let end = try start.adding(base)
        guard end > start else { return [] }
        var slices: [TierSlice] = []
        var lower = start
        let bounds = tiers.map(\.from).filter { $0 > start && $0 < end } + [end]
        for upper in bounds {
            slices.append(TierSlice(base: try upper.subtracting(lower), rate: rate(at: lower)))
            lower = upper
        }
        return slices
    }
}

/// A part of a sale that one tier's rate is paid on.
public struct TierSlice: Hashable, Sendable {
    public let base: Amount
    public let rate: Rate

    public init(base: Amount, rate: Rate) {
        self.base = base
        self.rate = rate
    }
}
