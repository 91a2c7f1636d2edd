public import Chronology
public import Money

/// One line of an order.
public struct SaleItem: Hashable, Sendable {
    public let sku: String
    public let category: String?
    /// At least 1; a smaller one counts as 0 pieces for flat rewards.
    public let quantity: Int64
    /// Of the whole line, not of one piece.
    public let amount: Amount

    public init(sku: String, category: String? = nil, quantity: Int64 = 1, amount: Amount) {
        self.sku = sku
        self.category = category
        self.quantity = quantity
        self.amount = amount
    }
}

/// What a rule may know of a click, a lead or a sale.
public struct SaleFacts: Hashable, Sendable {
    public let event: EventKind
    public let occurredAt: Instant
    /// The program's own currency.
    public let programCurrency: Currency
    /// The sale's; for clicks and leads the program's.
    public let currency: Currency
    /// 0 for clicks and leads.
    public let amount: Amount
    public let country: String?
    public let couponUsed: String?
    public let customerIsNew: Bool
    /// 1 for a customer's first sale.
    public let saleNumber: Int64
    /// Whole months in the program's zone since the customer's first sale (`LocalDay.wholeMonths`), 0 for the first.
    public let monthsSinceFirstSale: Int64
    public let items: [SaleItem]
    public let metadata: [String: FactValue]
    /// By member, then by name (`sales`, `amount`, …).
    public let memberTotals: [String: [String: Int64]]
    /// By member: the key of the group they were in at the event. Who is in none is left out.
    public var memberGroups: [String: String] = [:]
    /// By member: the rank of the tier they had reached at the event. Who has none is left out, and counts as rank 0.
    public var memberTiers: [String: Int64] = [:]
    /// What experiments give each member who might be paid, as conditions name it; nobody has an entry outside of all.
    public var memberVariants: [String: [String]] = [:]

    /// The most items that rules look at.
    public static let itemsLimit = 1_000

    public enum EventKind: String, Hashable, Sendable, CaseIterable {
        case click
        case lead
        case sale
    }

    public init(
        event: EventKind, occurredAt: Instant, programCurrency: Currency, currency: Currency, amount: Amount,
        country: String? = nil, couponUsed: String? = nil, customerIsNew: Bool = false, saleNumber: Int64 = 1,
        monthsSinceFirstSale: Int64 = 0, items: [SaleItem] = [], metadata: [String: FactValue] = [:],
        memberTotals: [String: [String: Int64]] = [:]
    ) {
        self.event = event
        self.occurredAt = occurredAt
        self.programCurrency = programCurrency
        self.currency = currency
        self.amount = amount
        self.country = country
        self.couponUsed = couponUsed
        self.customerIsNew = customerIsNew
        self.saleNumber = saleNumber
        self.monthsSinceFirstSale = monthsSinceFirstSale
        self.items = items
        self.metadata = metadata
        self.memberTotals = memberTotals
    }
}

/// A member with credit for the sale, and who stands above.
public struct CreditedMember: Hashable, Sendable {
    public let memberID: String
    public let share: SharePPM
    /// The enroller line at the time of the sale: level 1 first. Only the first `CommissionRule.levelLimit` are looked at.
    public let enrollerIDs: [String]
    /// The rate of the code that was used, in place of a percent rule's own on level 0.
    public let rateOverride: Rate?

    public init(memberID: String, share: SharePPM, enrollerIDs: [String] = [], rateOverride: Rate? = nil) {
        self.memberID = memberID
        self.share = share
        self.enrollerIDs = enrollerIDs
        self.rateOverride = rateOverride
    }
}
