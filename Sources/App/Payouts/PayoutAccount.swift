import Chronology
import Persistence
import Web

/// Where a member is paid. What it says is sealed in the vault; here is what may be seen.
struct PayoutAccount: Sendable {
    enum Kind: String, Sendable, CaseIterable {
        case iban, ach, paypal, external

        static func readSet(_ value: JSONValue) -> JSONReader.Reading<Set<Kind>> {
            let refused = JSONReader.Reading<Set<Kind>>.refused("Must be a list of one or more of \(allCases.map(\.rawValue).joined(separator: ", ")).")
            guard case .array(let elements) = value, !elements.isEmpty, elements.count <= allCases.count else { return refused }
            var kinds: Set<Kind> = []
            for element in elements {
                guard case .text(let word) = element, let kind = Kind(rawValue: word) else { return refused }
                kinds.insert(kind)
            }
            return .accepted(kinds)
        }
    }

    var memberID: MemberID
    var kind: Kind
    var ending: String
    var changedAt: Instant
    var usableFrom: Instant
    /// Counts its changes, from 1.
    var version: Int64 = 1
}

/// The account's own words: `{kind, iban | routingNumber, accountNumber | email | reference, holder}`.
struct PayoutAccountDetails: Sendable {
    var kind: PayoutAccount.Kind
    var holder: String?
    /// The IBAN, account number, mail or reference.
    var number: String
    var routing: String?

    static func read(_ body: JSONReader) -> PayoutAccountDetails {
        let kind = body.custom("kind", standIn: PayoutAccount.Kind.iban) { value -> JSONReader.Reading<PayoutAccount.Kind> in
            if case .text(let text) = value, let kind = PayoutAccount.Kind(rawValue: text) { return .accepted(kind) }
            return .refused("Must be iban, ach, paypal or external.")
        }
        let holder = body.optionalName("holder", maximumLength: 70)
        var routing: String?
        let number: String
        switch kind {
        case .iban:
            number = body.custom("iban", standIn: "") { value in
                guard case .text(let text) = value, let iban = IBAN(text) else {
                    return .refused("Must be an IBAN: its length or its check digits are not right.")
                }
                return .accepted(iban.text)
            }
            routing = body.optionalCustom("bic") { value in
                guard case .text(let text) = value, let bic = BIC(text) else { return .refused("Must be a BIC of 8 or 11 letters and digits.") }
                return .accepted(bic.text)
            }
        case .ach:
            number = body.text("accountNumber", maximumLength: 17)
            routing = body.custom("routingNumber", standIn: nil) { value -> JSONReader.Reading<String?> in
                guard case .text(let text) = value, RoutingNumber.isValid(text) else {
                    return .refused("Must be a routing number of nine digits with its check digit.")
                }
                return .accepted(text)
            }
        case .paypal: number = body.custom("email", standIn: "", Normalised.readEmail)
        case .external: number = body.text("reference", maximumLength: 200)
        }
        return PayoutAccountDetails(kind: kind, holder: holder, number: number, routing: routing)
    }

    var json: JSONValue {
        [
            "kind": .text(kind.rawValue), "holder": holder.map { .text($0) } ?? .null, "number": .text(number),
            "routing": routing.map { .text($0) } ?? .null,
        ]
    }

    init(kind: PayoutAccount.Kind, holder: String?, number: String, routing: String?) {
        self.kind = kind
        self.holder = holder
        self.number = number
        self.routing = routing
    }

    /// The details as they were sealed.
    init?(sealed text: String) {
        let value = JSONText(text: text).value
        guard case .text(let kind)? = value["kind"], let kind = PayoutAccount.Kind(rawValue: kind), case .text(let number)? = value["number"]
        else { return nil }
        func optional(_ name: String) -> String? { if case .text(let text)? = value[name] { text } else { nil } }
        self.init(kind: kind, holder: optional("holder"), number: number, routing: optional("routing"))
    }
}

/// An American routing number: nine digits, weighted 3-7-1 to a multiple of ten.
enum RoutingNumber {
    static func isValid(_ text: String) -> Bool {
        let digits = text.utf8.map { Int($0) - 0x30 }
        guard digits.count == 9, digits.allSatisfy({ (0...9).contains($0) }) else { return false }
        return zip(digits, [3, 7, 1, 3, 7, 1, 3, 7, 1]).reduce(0) { $0 + $1.0 * $1.1 } % 10 == 0
    }
}

extension PayoutAccount {
    /// A changed account is not paid to for this long.
    static let waitMs: Int64 = 3 * 86_400_000

    /// Sets where a member is paid. The first account may be used at once, a changed one after the wait.
    static func set(_ details: PayoutAccountDetails, for member: Member, in write: Write) throws -> PayoutAccount {
        let known = try PayoutStore.account(of: member.id, on: write.connection)
        let before = try PersonStore.fields(of: [member.personID], [.payoutAccount], vault: write.vault, on: write.connection)[member.personID]
        let text = JSONText(details.json).text
        if let known, before?[.payoutAccount] == text { return known }
        let account = PayoutAccount(
            memberID: member.id, kind: details.kind, ending: String(details.number.suffix(4)), changedAt: write.now,
            usableFrom: known == nil ? write.now : try write.now.adding(milliseconds: waitMs))
        try PersonStore.set(.payoutAccount, text, of: member.personID, in: write)
        try PersonStore.replaceLookup(.payoutAccount, details.number, of: member.personID, in: write)
        try PayoutStore.put(account, workspace: write.workspace.id, on: write.connection)
        if known != nil {
            try Mail.queue(.payoutAccountChanged(ending: account.ending), to: .person(member.personID), locale: member.locale, in: write)
        }
        try write.audit("payout_account.set", subject: member.id.text, JSONText(["kind": .text(details.kind.rawValue)]))
        return account
    }

    var json: JSONValue {
        [
            "memberId": .text(memberID.text), "kind": .text(kind.rawValue), "ending": .text(ending), "changedAt": .text(changedAt.rfc3339),
            "usableFrom": .text(usableFrom.rfc3339),
        ]
    }
}
