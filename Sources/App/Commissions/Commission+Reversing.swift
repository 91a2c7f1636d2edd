import Chronology
import Ledger
import Money
import Persistence
import Rules
import Web

extension Commission {
    /// Takes back the part of each commission that belongs to what was refunded, at every level of the sale. What is paid or spent
    /// already becomes a debt, which later commissions pay off first.
    static func reverse(for sale: Sale, cause refund: Refund, in write: Write) throws {
        var entries: [Entry] = []
        try UsageStore.takeFromTiers(
            sale: sale.id, refundedMinor: sale.refundedMinor, amountMinor: sale.amountMinor, on: write.connection)
        for var commission in try CommissionStore.of(sale: sale.id, on: write.connection) {
            guard [.pending, .approved, .held, .paid].contains(commission.state) else { continue }
            let back = try Reversal.amount(
                commission: Amount(minor: commission.amountMinor), alreadyReversed: Amount(minor: commission.reversedMinor),
                refundedTotal: Amount(minor: sale.refundedMinor), saleAmount: Amount(minor: sale.amountMinor))
            guard back > .zero else { continue }
            entries += try commission.reversal(of: back, entries: entries, in: write)
            commission.reversedMinor += back.minor
            try commission.giveBack(back, of: sale, isWhole: commission.keptMinor == 0, in: write)
            if commission.keptMinor == 0 { commission.state = .reversed }
            try CommissionStore.update(commission, on: write.connection)
            try write.emit(.commissionReversed, subject: commission.id.text, JSONText(commission.json))
        }
        guard !entries.isEmpty else { return }
        try write.post(cause: refund.id.text, purpose: "reversal", effectiveAt: refund.occurredAt, entries)
    }

    /// The entries that take `back` from where the commission lies now, given what this posting takes already.
    private func reversal(of back: Amount, entries earlier: [Entry], in write: Write) throws -> [Entry] {
        let expense = Entry(.expense(programID.text), unit, try back.negated())
        switch state {
        case .pending: return [Entry(.pending(memberID.text), unit, back), expense]
        case .held: return [Entry(.held(memberID.text), unit, back), expense]
        default: break
        }
        let taken = earlier.reduce(Int64(0)) { sum, entry in
            entry.account == .available(memberID.text) && entry.unit == unit ? sum + entry.amount.minor : sum
        }
        let available = try Journal.balance(
            workspace: write.workspace.id.text, of: .available(memberID.text), unit: unit, on: write.connection)
        // What is owed is a negative balance.
        let free = max(0, -available.minor - taken)
        let fromAvailable = state == .paid ? 0 : min(free, back.minor)
        let debt = back.minor - fromAvailable
        var entries = [expense]
        if fromAvailable > 0 { entries.append(Entry(.available(memberID.text), unit, Amount(minor: fromAvailable))) }
        if debt > 0 { entries.append(Entry(.debt(memberID.text), unit, Amount(minor: debt))) }
        return entries
    }

    /// A refund gives back what the commission used of its rule's cap.
    private func giveBack(_ back: Amount, of sale: Sale, isWhole: Bool, in write: Write) throws {
        guard let rule = try RuleStore.version(ruleID, ruleVersion, on: write.connection),
            let program = try ProgramStore.find(programID, in: workspaceID, at: occurredAt, on: write.connection)
        else { return }
        if let cap = rule.terms.cap {
            let place = CapPlace(cap, member: memberID, customer: sale.customerID, program: program, at: occurredAt)
            try UsageStore.takeFromCap(
                ruleID, scope: place.scope, period: place.period, unit: unit, amountMinor: back.minor, count: isWhole ? 1 : 0,
                on: write.connection)
        }
    }
}
