/// A fact that a condition looks at.
public enum ConditionField: Hashable, Sendable {
    case country
    case sku
    case category
    case amount
    case currency
    case customerIsNew
    case saleNumber
    case monthsSinceFirstSale
    case couponUsed
    /// A total of the member the rule would pay, such as `sales` or `amount`.
    case memberTotal(String)
    /// The key of the group that the member the rule would pay was in at the event; for the friend, the member who shared.
    case memberGroup
    /// The rank of the tier that the same member had reached at the event.
    case memberTier
    /// What experiments give the same member, each as the experiment's id, a colon and the variant's name.
    case memberVariant
    case metadata(String)

    /// The longest name behind `memberTotal.` or `metadata.`, in bytes.
    public static let longestNameBytes = 200

    /// Reads the contract's text, such as `country` or `metadata.channel`; nil for a field that doesn't exist.
    public init?(_ text: String) {
        switch text {
        case "country": self = .country
        case "sku": self = .sku
        case "category": self = .category
        case "amount": self = .amount
        case "currency": self = .currency
        case "customerIsNew": self = .customerIsNew
        case "saleNumber": self = .saleNumber
        case "monthsSinceFirstSale": self = .monthsSinceFirstSale
        case "couponUsed": self = .couponUsed
        case "memberGroup": self = .memberGroup
        case "memberTier": self = .memberTier
        case "memberVariant": self = .memberVariant
        default:
            if let name = Self.name(in: text, after: "memberTotal.") {
                self = .memberTotal(name)
            } else if let name = Self.name(in: text, after: "metadata.") {
                self = .metadata(name)
            } else {
                return nil
            }
        }
    }

    public var text: String {
        switch self {
        case .country: "country"
        case .sku: "sku"
        case .category: "category"
        case .amount: "amount"
        case .currency: "currency"
        case .customerIsNew: "customerIsNew"
        case .saleNumber: "saleNumber"
        case .monthsSinceFirstSale: "monthsSinceFirstSale"
        case .couponUsed: "couponUsed"
        case .memberGroup: "memberGroup"
        case .memberTier: "memberTier"
        case .memberVariant: "memberVariant"
        case .memberTotal(let name): "memberTotal." + name
        case .metadata(let name): "metadata." + name
        }
    }

    private static func name(in text: String, after prefix: String) -> String? {
        guard text.hasPrefix(prefix) else { return nil }
        let name = String(text.dropFirst(prefix.count))
        return name.isEmpty || name.utf8.count > longestNameBytes ? nil : name
    }
}
