import Web

/// What a member may say about where to pay them: the kinds that the company offers, and their fields.
struct PayoutAccountChoice {
    private let model: PortalProfileModel

    init(_ model: PortalProfileModel) { self.model = model }

    private var chosen: PayoutAccount.Kind? {
        let wanted = model.typed?["kind"].flatMap { PayoutAccount.Kind(rawValue: $0) } ?? model.account?.kind
        return wanted.flatMap { model.offered.contains($0) ? $0 : nil } ?? model.offered.first
    }

    var kinds: [PageObject] {
        model.offered.map {
            ["value": .text($0.rawValue), "label": .text(model.language("portalProfile.kind.\($0.rawValue)")), "chosen": .flag($0 == chosen)]
        }
    }

    /// Those of all offered kinds, each once.
    var fields: [PageObject] {
        let wanted = Set(model.offered.flatMap(PayoutAccountForm.names)).subtracting(["bic"])
        return PayoutAccountForm.names.filter(wanted.contains).map { name in
            let typed = model.typed?[name] ?? ""
            let choices = PayoutAccountDetails.AccountType.allCases.map { type -> PageObject in
                [
                    "value": .text(type.rawValue), "label": .text(model.language("payoutAccount.accountType.\(type.rawValue)")),
                    "chosen": .flag(typed == type.rawValue),
                ]
            }
            return [
                "name": .text(name), "label": .text(model.language("portalProfile.field.\(name)")), "value": .text(typed),
                "error": PageValue(model.errors[name]),
                "select": name == "accountType" ? ["choices": PageValue(choices)] : nil, "line": .flag(name != "accountType"),
            ]
        }
    }
}
