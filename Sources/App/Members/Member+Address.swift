import Chronology
import Ledger
import Money
import Persistence
import Web

extension Member {
    /// Whoever has a member's mailbox can sign in as them. So another mail address is told to the old one, and where there is money or an
    /// account to be paid to, it takes the right to change where people are paid.
    func moveMail(to address: String, in write: Write) throws {
        let before = try PersonStore.fields(of: [personID], [.email], vault: write.vault, on: write.connection)[personID]?[.email]
        guard before != address else { return }
        if !write.rights.contains(.payoutsWrite), try hasMoneyOrAccount(on: write.connection) {
            throw Problem.forbidden(
                code: "missing_right",
                detail: "This member has money or a payout account here. To change their mail address takes the right payouts:write as well as members:write.")
        }
        // Queued before the address changes: it goes to the old one.
        try Mail.queue(
            .memberAddressChanged(atMs: write.world.now().millisecondsSince1970, ending: Self.masked(address)), to: .person(personID), locale: locale, in: write)
        try write.audit("member.address", subject: id.text)
    }

    private func hasMoneyOrAccount(on connection: any Connection) throws -> Bool {
        if try PayoutStore.account(of: id, on: connection) != nil { return true }
        return try Journal.balances(workspace: workspaceID.text, member: id.text, on: connection).contains {
            [$0.pending, $0.held, $0.available, $0.inPayout].contains { $0.minor > 0 }
        }
    }

    /// Enough to know one's own by, too little to write to.
    private static func masked(_ address: String) -> String {
        let parts = address.split(separator: "@", maxSplits: 1)
        return "\(parts.first?.prefix(1) ?? "")…@\(parts.last ?? "")"
    }
}
