import Chronology
import Ledger
import Money
import Persistence

extension Commission {
    /// Commissions approved in one transaction at most.
    static let approvalsMax = 500

    /// Approves what is past its hold: from pending to available, after paying off the member's debt. Answers how many.
    static func approveDue(limit: Int = approvalsMax, in write: Write) throws -> Int {
        let due = try CommissionStore.due(in: write.workspace.id, at: write.now, limit: limit, on: write.connection)
        for commission in due { try commission.approve(in: write) }
        return due.count
    }

    private func approve(in write: Write) throws {
        let kept = keptMinor
        var approved = self
        approved.state = .approved
        try CommissionStore.update(approved, on: write.connection)
        if kept > 0 {
            let debt = try Journal.balance(workspace: write.workspace.id.text, of: .debt(memberID.text), unit: unit, on: write.connection).minor
            let paidOff = min(max(0, debt), kept)
            var entries = [Entry(.pending(memberID.text), unit, Amount(minor: kept))]
            if paidOff > 0 { entries.append(Entry(.debt(memberID.text), unit, Amount(minor: -paidOff))) }
            if kept > paidOff {
                entries.append(Entry(.available(memberID.text), unit, Amount(minor: -(kept - paidOff))))
            }
            try write.post(cause: id.text, purpose: "approval", effectiveAt: write.now, entries)
        }
        try write.emit(.commissionApproved, subject: id.text, JSONText(approved.json))
    }
}
