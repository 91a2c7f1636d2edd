import Web

/// Where a sale stands, as people look for it: by its refunds and by what it gave.
enum SaleState: String, Sendable, CaseIterable {
    case pending, approved, held, paid, partlyReturned, returned, nothing, nobody, parked, refused, canceled

    /// What the filter offers.
    static let offered: [SaleState] = [.pending, .approved, .held, .paid, .partlyReturned, .returned, .nothing, .nobody, .parked]

    static func of(_ sale: Sale, _ commissions: [Commission]) -> SaleState {
        if sale.refundedMinor > 0 { return sale.refundedMinor == sale.amountMinor ? .returned : .partlyReturned }
        let states = Set(commissions.map(\.state))
        if states.isEmpty { return .nothing }
        if states.contains(.held) { return .held }
        if states.contains(.pending) { return .pending }
        if states.contains(.approved) { return .approved }
        if states.contains(.paid) { return .paid }
        return states.contains(.refused) ? .refused : .canceled
    }

    var tone: String {
        switch self {
        case .paid, .approved: "good"
        case .held, .refused: "warn"
        default: ""
        }
    }

    var icon: String {
        switch self {
        case .paid, .approved: "check"
        case .pending: "clock"
        case .held: "clock"
        case .partlyReturned, .returned: "undo"
        case .nothing, .nobody, .refused, .canceled, .parked: "none"
        }
    }

    func badge(_ language: PageLanguage) -> PageValue {
        ["tone": .text(tone), "icon": .text(icon), "label": .text(language("sales.state.\(rawValue)"))]
    }
}
