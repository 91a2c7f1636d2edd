import Chronology
import Persistence
import Web

/// Where a member is paid. What it says is sealed in the vault; here is what may be seen.
struct PayoutAccount: Sendable {
    enum Kind: String, Sendable, CaseIterable {
        case iban, ach, paypal, stripe, wise, external

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
