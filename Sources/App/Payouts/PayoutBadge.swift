import Web

extension Payout.State {
    func badge(_ language: PageLanguage) -> PageValue {
        let (tone, icon) =
            switch self {
            case .draft, .sent: ("", "clock")
            case .approved, .paid: ("good", "check")
            case .failed: ("bad", "warning")
            case .unknown: ("warn", "warning")
            case .canceled: ("", "none")
            }
        return ["tone": .text(tone), "icon": .text(icon), "label": .text(language("payouts.state.\(rawValue)"))]
    }
}

extension Payout.Item.State {
    func badge(_ language: PageLanguage) -> PageValue {
        let (tone, icon) =
            switch self {
            case .waiting, .sent: ("", "clock")
            case .paid: ("good", "check")
            case .failed, .returned: ("bad", "undo")
            case .unknown: ("warn", "warning")
            case .canceled: ("", "none")
            }
        return ["tone": .text(tone), "icon": .text(icon), "label": .text(language("payout.item.\(rawValue)"))]
    }
}
