import Chronology
import Ledger
import Money
import Persistence
import Web

/// A member who is taken out of a batch before it is sent, with why.
struct LeftOut: Sendable {
    var memberID: MemberID
    var reason: String
}

extension Payout {
    static let reasonMaximum = 200

    /// Takes a member's payment out of a batch that was not sent yet: the money is available again, and the next batch includes it.
    static func leaveOut(_ left: LeftOut, of id: PayoutID, in write: Write) throws -> Payout {
        let payout = try find(id, in: write)
        guard let item = payout.items.first(where: { $0.memberID == left.memberID }) else { throw Refusal.unknown("member", field: "memberId") }
        if item.state == .canceled { return payout }
        guard payout.state == .draft || payout.state == .approved, item.state == .waiting else {
            throw Problem.conflict(
                code: "payout_sent", detail: "The payout is \(payout.state.rawValue): only a payment that was not sent yet can be left out.")
        }
        guard payout.items.contains(where: { $0.state == .waiting && $0.memberID != left.memberID }) else {
            throw Problem.conflict(
                code: "last_payment",
                detail: payout.state == .draft
                    ? "This is the payout's only payment. Cancel the payout instead."
                    : "This is the payout's only payment. Mark the payout as sent and record the payment as failed.")
        }
        try payout.leaveOut(item, reason: left.reason, in: write)
        try write.audit(
            "payout.leave_out", subject: id.text, JSONText(["memberId": .text(left.memberID.text), "amount": .integer(item.amountMinor)]))
        return try find(id, in: write)
    }

    func leaveOut(_ item: Item, reason: String, in write: Write) throws {
        try giveBack([item], purpose: "left_out.\(item.memberID.text)", in: write)
        try PayoutStore.release(id, item.memberID, on: write.connection)
        try PayoutStore.leaveOut(id, item.memberID, reason: reason, at: write.now, on: write.connection)
    }

    /// Why an item of a batch can't be paid any more, or not to the account that it was made for.
    func barNow(_ item: Item, in write: Write) throws -> Exclusion.Reason? {
        let account = try PayoutStore.account(of: item.memberID, on: write.connection)
        if let account, !isSame(account, item) { return .accountChanged }
        return try Self.bar(item.memberID, account, in: write)
    }

    /// Whether an account is the one that an item was made for.
    func isSame(_ account: PayoutAccount, _ item: Item) -> Bool {
        item.accountVersion.map { $0 == account.version } ?? (account.changedAt <= createdAt)
    }
}
