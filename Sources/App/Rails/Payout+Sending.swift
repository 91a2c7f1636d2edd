import Chronology
import Money
import Persistence
import Web

extension Payout {
    /// Lines in one call to PayPal: of 15,000 that it takes, few enough that one refusal concerns few.
    static let payPalLinesMax = 500

    /// Hands an approved batch to a provider: its payments are set on their way in the background. What each is known by at the provider
    /// is written here, before anybody is called.
    static func send(_ id: PayoutID, by wanted: RailKind?, seal: RailSeal, in write: Write) throws -> Payout {
        let payout = try find(id, in: write)
        if let known = try RailCallStore.rail(of: id, on: write.connection) {
            guard wanted == nil || wanted == known else {
                throw Problem.conflict(code: "payout_sent", detail: "This payout was sent by \(known.rawValue) already.")
            }
            return payout
        }
        guard payout.state == .approved else {
            throw Problem.conflict(
                code: "wrong_state", detail: "A payout that is \(payout.state.rawValue) cannot be sent: it must be approved and handed to nobody yet.")
        }
        let kind = try wanted ?? RailStore.choice(for: payout.programID, on: write.connection)
        if let kind, !kind.isProvider {
            throw Refusal.field("rail", "\(kind.rawValue) leaves by a file: GET /payouts/{id}/file?format=\(kind.rawValue), then POST /payouts/{id}/dispatch. By itself a payout leaves by paypal, stripe or external.")
        }
        guard let kind else {
            throw Refusal.field("rail", "Is required: the program has none of its own. It is paypal, stripe or external.")
        }
        guard let rail = try RailStore.find(kind, in: write.workspace.id, seal: seal, on: write.connection) else {
            throw Problem.conflict(code: "rail_not_connected", detail: "\(kind.rawValue) is not connected. Connect it under /rails first.")
        }
        let departures = try payout.departures(by: rail, in: write)
        let sent = try dispatch(id, in: write)
        try RailCallStore.setRail(kind, of: id, on: write.connection)
        try sent.plan(departures, rail, in: write)
        try write.audit("payout.send", subject: id.text, JSONText(["rail": .text(kind.rawValue), "lines": .integer(Int64(departures.count))]))
        return sent
    }

    private struct Departure {
        var item: Item
        var person: PersonID
        var details: PayoutAccountDetails
    }

    /// Every payment with where it goes: to the accounts that were approved, of the rail's own kind, in amounts that it can say.
    private func departures(by rail: Rail, in write: Write) throws -> [Departure] {
        let live = items.filter { $0.state == .waiting }
        let members = try MemberStore.find(live.map(\.memberID), on: write.connection)
        let fields = try PersonStore.fields(of: members.values.map(\.personID), [.payoutAccount], vault: write.vault, on: write.connection)
        return try live.map { item in
            guard let member = members[item.memberID], let details = fields[member.personID]?[.payoutAccount].flatMap(PayoutAccountDetails.init(sealed:)),
                let account = try PayoutStore.account(of: item.memberID, on: write.connection)
            else { throw refuse("no_account", item, "has no payout account any more") }
            guard isSame(account, item) else { throw refuse("account_changed", item, "has another payout account than the one that was approved") }
            guard member.mayBePaid else { throw refuse("member_not_active", item, "was suspended or has left since") }
            guard details.kind == rail.kind.accountKind else {
                throw refuse("other_accounts", item, "is paid by \(details.kind.rawValue): a batch for \(rail.kind.rawValue) is made with \"kinds\": [\"\(rail.kind.accountKind.rawValue)\"]")
            }
            let isSayable =
                switch rail.kind {
                case .paypal: PayPalAmount.text(item.amountMinor, unit) != nil
                case .stripe: StripeAmount.number(item.amountMinor, unit) != nil
                case .external, .nacha, .wise: true
                }
            guard isSayable else {
                throw refuse("currency_not_supported", item, "is paid in \(unit.code), which \(rail.kind.rawValue) does not pay, or not in this amount")
            }
            return Departure(item: item, person: member.personID, details: details)
        }
    }

    private func refuse(_ code: String, _ item: Item, _ why: String) -> Problem {
        .conflict(code: code, detail: "The member \(item.memberID) \(why). Leave them out, then send the payout.")
    }

    private func plan(_ departures: [Departure], _ rail: Rail, in write: Write) throws {
        let now = write.world.now()
        let size = rail.kind == .paypal ? Self.payPalLinesMax : 1
        for start in stride(from: 0, to: departures.count, by: size) {
            let call = call(.pay, .waiting, rail.kind, due: now, in: write)
            try RailCallStore.insert(call, on: write.connection)
            for part in departures[start..<min(start + size, departures.count)] {
                let line = RailLine(
                    id: write.world.newID(), callID: call.id, payoutID: id, memberID: part.item.memberID, state: .waiting, hasMessage: false,
                    updatedAt: write.now, itemState: .sent, amountMinor: part.item.amountMinor)
                let sealed = try RailDestination(part.details).seal(for: line.id, of: part.person, in: write)
                try RailLineStore.insert(line, destinationSealed: sealed, on: write.connection)
            }
        }
        guard rail.kind == .stripe else { return }
        let first = try now.adding(milliseconds: RailPace.pauseMs(afterTries: 3))
        try RailCallStore.insert(call(.watch, .accepted, rail.kind, due: first, in: write), on: write.connection)
    }

    private func call(_ purpose: RailCall.Purpose, _ state: RailCall.State, _ rail: RailKind, due: Instant, in write: Write) -> RailCall {
        RailCall(
            id: write.world.newID(), workspaceID: workspaceID, payoutID: id, rail: rail, purpose: purpose, state: state, tries: 0, dueAt: due,
            createdAt: write.world.now())
    }

    /// Asks the provider again now, also about what had stopped. Safe at any time: every try has the key of the first.
    static func askAgain(_ id: PayoutID, in write: Write) throws -> Payout {
        let payout = try find(id, in: write)
        guard try RailCallStore.rail(of: id, on: write.connection) != nil else {
            throw Problem.conflict(code: "no_rail", detail: "This payout was not sent by a provider: there is nobody to ask.")
        }
        try RailCallStore.hurry(id, at: write.world.now(), on: write.connection)
        try write.audit("payout.ask", subject: id.text)
        return payout
    }
}

/// Amounts as PayPal writes them: decimals, none for three currencies.
enum PayPalAmount {
    /// Currencies of PayPal Payouts (developer.paypal.com, currency codes).
    static let currencies: Set<String> = [
        "AUD", "BRL", "CAD", "CNY", "CZK", "DKK", "EUR", "HKD", "HUF", "ILS", "JPY", "MYR", "MXN", "TWD", "NZD", "NOK", "PHP", "PLN", "GBP", "SGD",
        "SEK", "CHF", "THB", "USD",
    ]
    private static let whole: Set<String> = ["HUF", "JPY", "TWD"]

    /// Nil when PayPal does not pay this.
    static func text(_ amountMinor: Int64, _ unit: UnitCode) -> String? {
        guard currencies.contains(unit.code) else { return nil }
        guard whole.contains(unit.code), unit.exponent > 0 else { return Amount(minor: amountMinor).decimalText(exponent: unit.exponent) }
        return amountMinor % 100 == 0 ? String(amountMinor / 100) : nil
    }

    /// What `12.50` is in minor units; nil when it is no such amount.
    static func minor(_ text: String, _ unit: UnitCode) -> Int64? {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        guard (1...2).contains(parts.count), let whole = Int64(parts[0]), whole >= 0, parts[0].utf8.first != UInt8(ascii: "+") else { return nil }
        var digits = parts.count == 2 ? String(parts[1]) : ""
        guard digits.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else { return nil }
        while digits.utf8.count > unit.exponent, digits.hasSuffix("0") { digits.removeLast() }
        guard digits.utf8.count <= unit.exponent else { return nil }
        digits += String(repeating: "0", count: unit.exponent - digits.utf8.count)
        let scale = (0..<unit.exponent).reduce(Int64(1)) { value, _ in value * 10 }
        let (scaled, isOver) = whole.multipliedReportingOverflow(by: scale)
        return isOver ? nil : scaled + (Int64(digits) ?? 0)
    }
}

/// Amounts as Stripe writes them: whole numbers of the currency's smallest unit, with the exceptions that Stripe names.
enum StripeAmount {
    private static let zeroDecimal: Set<String> = [
        "BIF", "CLP", "DJF", "GNF", "JPY", "KMF", "KRW", "MGA", "PYG", "RWF", "VND", "VUV", "XAF", "XOF", "XPF",
    ]
    private static let threeDecimal: Set<String> = ["BHD", "JOD", "KWD", "OMR", "TND"]
    /// 99,999,999 of the smallest unit.
    static let numberMax: Int64 = 99_999_999

    /// Nil when Stripe can't say this amount: its last digit is not zero, or it is too large.
    static func number(_ amountMinor: Int64, _ unit: UnitCode) -> Int64? {
        guard unit.code.utf8.count == 3 else { return nil }
        let exponent = zeroDecimal.contains(unit.code) ? 0 : threeDecimal.contains(unit.code) ? 3 : 2
        var number = amountMinor
        for _ in 0..<max(0, exponent - unit.exponent) {
            let (scaled, isOver) = number.multipliedReportingOverflow(by: 10)
            guard !isOver else { return nil }
            number = scaled
        }
        for _ in 0..<max(0, unit.exponent - exponent) {
            guard number % 10 == 0 else { return nil }
            number /= 10
        }
        guard exponent < 3 || number % 10 == 0 else { return nil }
        return number <= numberMax ? number : nil
    }
}
