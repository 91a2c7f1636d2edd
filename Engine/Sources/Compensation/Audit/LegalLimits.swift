public import Money

/// Limits of a country; a lawyer sets them. The defaults stand with their sources in `LegalSource`.
public struct LegalLimits: Hashable, Sendable {
    public var nonParticipantAbove: Rate?
    public var endUserAtLeast: Rate?
    /// Internal share of rewarded volume, as a fraction.
    public var internalNumerator: Int64
    public var internalDenominator: Int64
    public var consumptionBelowMinor: Int64
    public var soldOrUsedAtLeast: Rate?
    public var customersPerMonth: Int64
    /// What the company must give back for goods of at most `buyBackMonths`.
    public var buyBackAtLeast: Rate?
    public var buyBackMonths: Int64
    /// What somebody new may pay in the first `earlyDays` days, the day of joining being day 1; nil: no limit.
    public var earlyPaidAtMostMinor: Int64?
    public var earlyDays: Int64
    /// For how many days somebody new must be able to cancel; nil: no such right.
    public var cancellationDays: Int64?
    /// China: pay ÷ own sales, and paid levels.
    public var payPerOwnSales: Rate?
    public var levelsAtMost: Int?
    public var lastDays: Int64

    /// The defaults of the documentation.
    public init(
        nonParticipantAbove: Rate? = try? Rate("0.5"), endUserAtLeast: Rate? = try? Rate("0.8"), internalNumerator: Int64 = 1,
        internalDenominator: Int64 = 3, consumptionBelowMinor: Int64 = 20_000, soldOrUsedAtLeast: Rate? = try? Rate("0.7"),
        customersPerMonth: Int64 = 10, buyBackAtLeast: Rate? = try? Rate("0.9"), buyBackMonths: Int64 = 12,
        earlyPaidAtMostMinor: Int64? = nil, earlyDays: Int64 = 7, cancellationDays: Int64? = nil, payPerOwnSales: Rate? = nil,
        levelsAtMost: Int? = nil, lastDays: Int64 = 3
    ) {
        self.nonParticipantAbove = nonParticipantAbove
        self.endUserAtLeast = endUserAtLeast
        self.internalNumerator = internalNumerator
        self.internalDenominator = internalDenominator
        self.consumptionBelowMinor = consumptionBelowMinor
        self.soldOrUsedAtLeast = soldOrUsedAtLeast
        self.customersPerMonth = customersPerMonth
        self.buyBackAtLeast = buyBackAtLeast
        self.buyBackMonths = buyBackMonths
        self.earlyPaidAtMostMinor = earlyPaidAtMostMinor
        self.earlyDays = earlyDays
        self.cancellationDays = cancellationDays
        self.payPerOwnSales = payPerOwnSales
        self.levelsAtMost = levelsAtMost
        self.lastDays = lastDays
    }

    /// China: pay at most 30 % of own sales, one level.
    public static var china: LegalLimits { LegalLimits(payPerOwnSales: try? Rate("0.3"), levelsAtMost: 1) }

    /// The United Kingdom: at most £200 in the first 7 days, 14 days to cancel. `earlyPaidAtMostMinor` is in the plan's unit.
    public static func unitedKingdom(earlyPaidAtMostMinor: Int64?) -> LegalLimits {
        LegalLimits(earlyPaidAtMostMinor: earlyPaidAtMostMinor, cancellationDays: 14)
    }

    /// The limits of countries that have their own, for a plan that pays in a unit. £200 holds only where the plan pays in pounds: elsewhere
    /// somebody has to say what it is worth.
    public static func countries(unit: String) -> [String: LegalLimits] {
        ["CN": .china, "GB": .unitedKingdom(earlyPaidAtMostMinor: unit == "GBP" ? 20_000 : nil)]
    }
}

/// What the company promises its participants, in its terms. Nil: not said, so that nothing can be judged.
public struct LegalTerms: Hashable, Sendable {
    public var buyBack: Rate?
    public var buyBackMonths: Int64?
    public var cancellationDays: Int64?

    public init(buyBack: Rate? = nil, buyBackMonths: Int64? = nil, cancellationDays: Int64? = nil) {
        self.buyBack = buyBack
        self.buyBackMonths = buyBackMonths
        self.cancellationDays = cancellationDays
    }
}

/// Where a limit comes from.
public struct LegalSource: Hashable, Sendable {
    public let check: AuditFinding.Check
    /// ISO 3166; nil: the default for every country.
    public let country: String?
    public let source: String

    /// Every check of the audit has at least one.
    public static let all: [LegalSource] = [
        LegalSource(
            check: .nonParticipantShare, country: nil,
            source: "FTC v. BurnLounge, 753 F.3d 878 (9th Cir. 2014): rewards must come from sales to people outside; the half is a default of ours"),
        LegalSource(
            check: .endUserShare, country: nil,
            source: "FTC v. Herbalife, stipulated order of 15 July 2016 (C.D. Cal. 2:16-cv-05217): 80 % of revenue to end users, else pay is cut"),
        LegalSource(
            check: .internalShare, country: nil,
            source: "FTC v. Herbalife 2016: at most one third of rewarded volume may be participants' own consumption"),
        LegalSource(
            check: .internalConsumption, country: nil,
            source: "FTC v. Herbalife 2016: own consumption counts below $200 a person and month"),
        LegalSource(
            check: .soldOrUsed, country: nil,
            source: "In re Amway Corp., 93 F.T.C. 618 (1979): 70 % of what was bought must be sold or used before more is rewarded"),
        LegalSource(check: .customersPerMonth, country: nil, source: "In re Amway Corp. 1979: sales to ten customers a month"),
        LegalSource(
            check: .buyBack, country: nil,
            source: "In re Amway Corp. 1979 and the DSA Code of Ethics: goods of the last 12 months are taken back for at least 90 % of their cost"),
        LegalSource(
            check: .earlyPayments, country: "GB",
            source: "Trading Schemes Regulations 1997 (SI 1997/30) under the Fair Trading Act 1973: at most £200 in the first 7 days"),
        LegalSource(check: .cancellation, country: "GB", source: "Trading Schemes Regulations 1997 (SI 1997/30), reg. 5: 14 days to cancel"),
        LegalSource(
            check: .payPerOwnSales, country: "CN",
            source: "Regulation on Direct Selling Administration (State Council Decree 443, 2005), art. 24: at most 30 % of own sales"),
        LegalSource(
            check: .levels, country: "CN", source: "Regulation on Prohibition of Pyramid Selling (State Council Decree 444, 2005): one level"),
        LegalSource(
            check: .noProductSale, country: nil,
            source: "In re Koscot Interplanetary, 86 F.T.C. 1106 (1975): nothing is paid for recruiting, on kits or on fees"),
        LegalSource(check: .planPayout, country: nil, source: "The plan's own cap"),
        LegalSource(
            check: .inventoryLoading, country: nil,
            source: "Koscot 1975, Omnitrition (9th Cir. 1996): buying stock to keep a rank; days and thresholds are defaults of ours"),
    ]
}
