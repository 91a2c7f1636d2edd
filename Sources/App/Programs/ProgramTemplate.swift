import Money
import Web

/// A program to begin with: settings and rules that suit a kind of business, in the currency of who takes it.
enum ProgramTemplate: String, Sendable, CaseIterable {
    case referral, shop, software, services, marketplace, empty

    var settings: ProgramSettings {
        var settings = ProgramSettings()
        switch self {
        case .referral: (settings.windowDays, settings.holdDays, settings.binding) = (30, 14, .months(12))
        case .shop: (settings.windowDays, settings.holdDays, settings.binding) = (30, 30, .months(12))
        case .software: (settings.windowDays, settings.holdDays, settings.binding) = (60, 30, .months(12))
        case .services: (settings.windowDays, settings.holdDays, settings.binding) = (90, 14, .months(24))
        case .marketplace: (settings.windowDays, settings.holdDays, settings.binding) = (30, 14, .lifetime)
        case .empty: break
        }
        return settings
    }

    /// The rules as the API takes them. Names are the reader's: members see them on receipts.
    func rules(_ currency: Currency, language: PageLanguage) -> [JSONValue] {
        let sharer = language("programNew.rule.sharer")
        let first: JSONValue = ["all": [["field": "saleNumber", "op": "eq", "value": 1]]]
        switch self {
        case .shop:
            return [
                [
                    "name": .text(sharer), "event": "sale", "reward": ["kind": "percent", "rate": "0.10"], "conditions": first,
                    "cap": ["amount": .integer(Self.round(500, currency)), "per": "member", "period": "month"],
                ]
            ]
        case .software:
            return [["name": .text(sharer), "event": "recurring", "reward": ["kind": "percent", "rate": "0.20"], "months": 12]]
        case .services:
            return [
                [
                    "name": .text(sharer), "event": "sale", "conditions": first,
                    "reward": ["kind": "flat", "amount": .integer(Self.round(50, currency)), "currency": .text(currency.code)],
                ]
            ]
        case .marketplace:
            return [
                ["name": .text(sharer), "event": "recurring", "reward": ["kind": "percent", "rate": "0.05"], "months": "lifetime"],
                [
                    "name": .text(language("programNew.rule.above")), "event": "recurring", "reward": ["kind": "percent", "rate": "0.02"], "months": "lifetime",
                    "level": 1,
                ],
            ]
        case .referral, .empty: return []
        }
    }

    /// So many units of money; a hundred times as many where a currency has no smaller one.
    private static func round(_ units: Int64, _ currency: Currency) -> Int64 {
        if currency.exponent == 0 { return units * 100 }
        return (0..<currency.exponent).reduce(units) { minor, _ in minor * 10 }
    }
}
