import Chronology
import HTTPTypes
import Ledger
import Money
import Persistence
import Web

extension CommissionDecision {
    /// Decides about all of them that can be decided about; the rest is named with its reason.
    static func make(_ action: Action, _ ids: [CommissionID], reason: String?, in write: Write) throws -> CommissionDecision {
        if action == .hold, reason == nil { throw Refusal.field("reason", "Must say why they are held.", code: "reason_missing") }
        var decision = CommissionDecision(
            id: write.world.newID(), workspaceID: write.workspace.id, action: action, reason: reason, author: write.actor.person,
            decidedAt: write.now, items: [])
        let named = Array(Set(ids).sorted().prefix(Commission.approvalsMax))
        let beside = try CommissionStore.corrections(beside: named, limit: Commission.approvalsMax, on: write.connection)
        for id in Set(named + beside).sorted() {
            do {
                // One that is refused leaves nothing behind and stops no other.
                let item = try write.connection.savepoint { try decision.decide(id, in: write) }
                decision.items.append(item)
            } catch {
                guard let problem = Refusal.of(error), problem.status.code < 500 else { throw error }
                decision.skipped.append(Skipped(commissionID: id, code: problem.code))
            }
        }
        guard !decision.items.isEmpty else {
            let codes = Set(decision.skipped.map(\.code)).sorted().joined(separator: ", ")
            throw Problem.conflict(code: "nothing_to_decide", detail: "Nothing changed: \(codes.isEmpty ? "no commission was named" : codes).")
        }
        try CommissionDecisionStore.insert(decision, on: write.connection)
        return decision
    }

    /// Brings each back to where it was, as long as nothing else happened to it. For a few minutes.
    static func undo(_ id: CommissionDecisionID, in write: Write) throws -> CommissionDecision {
        guard var decision = try CommissionDecisionStore.find(id, in: write.workspace.id, on: write.connection) else { throw Refusal.unknown("decision") }
        guard decision.undoneAt == nil else { throw Problem.conflict(code: "undone_already", detail: "This was taken back already.") }
        guard decision.mayBeUndone(at: write.now) else {
            throw Problem.conflict(code: "too_late", detail: "A decision can be taken back for \(undoMs / 60_000) minutes. Decide anew instead.")
        }
        for item in decision.items {
            do {
                try write.connection.savepoint { try decision.takeBack(item, in: write) }
            } catch {
                guard let problem = Refusal.of(error), problem.status.code < 500 else { throw error }
                decision.skipped.append(Skipped(commissionID: item.commissionID, code: problem.code))
            }
        }
        decision.undoneBy = write.actor.person
        decision.undoneAt = write.now
        try CommissionDecisionStore.markUndone(decision, on: write.connection)
        return decision
    }

    private func decide(_ id: CommissionID, in write: Write) throws -> Item {
        var commission = try Commission.known(id, in: write)
        let item = Item(commissionID: id, before: commission.state, after: try after(commission, now: write.now), holdUntilBefore: commission.holdUntil)
        guard try !AdjustmentStore.isInPayout(id, on: write.connection) else { throw Self.inPayout }
        // Payouts look at the end of the hold.
        if item.after == .approved, commission.holdUntil > write.now {
            commission.holdUntil = write.now
            try CommissionStore.postpone(id, until: write.now, on: write.connection)
        }
        try commission.move(to: item.after, cause: self.id.text, purpose: "\(action.rawValue)-\(id.text)", in: write)
        try write.audit("commission.\(action.rawValue)", subject: id.text, JSONText(["decisionId": .text(self.id.text), "before": .text(item.before.rawValue)]))
        return item
    }

    private func takeBack(_ item: Item, in write: Write) throws {
        let commission = try Commission.known(item.commissionID, in: write)
        guard commission.state == item.after else {
            throw Problem.conflict(code: "changed_since", detail: "It is \(commission.state.rawValue) by now.")
        }
        guard try !AdjustmentStore.isInPayout(commission.id, on: write.connection) else { throw Self.inPayout }
        try CommissionStore.postpone(commission.id, until: item.holdUntilBefore, on: write.connection)
        try commission.move(to: item.before, cause: id.text, purpose: "undo-\(commission.id.text)", in: write)
        try write.audit("commission.undo", subject: commission.id.text, JSONText(["decisionId": .text(id.text), "after": .text(item.before.rawValue)]))
    }

    /// Where a commission goes, if it can.
    private func after(_ commission: Commission, now: Instant) throws -> Commission.State {
        switch (action, commission.state) {
        case (.approve, .pending), (.approve, .held): return .approved
        case (.hold, .pending), (.hold, .approved): return .held
        case (.release, .held): return commission.holdUntil > now ? .pending : .approved
        default:
            throw Problem.conflict(code: "wrong_state", detail: "A commission that is \(commission.state.rawValue) can't be changed so.")
        }
    }

    private static let inPayout = Problem.conflict(
        code: "commission_in_payout", detail: "A payout or a request has this commission. Cancel it while it is a draft, or wait until it has arrived.")
}

extension Commission {
    /// Puts all that is kept of it elsewhere, and its state with it. What is stopped after it paid off a debt raises that debt again.
    func move(to after: State, cause: String, purpose: String, in write: Write) throws {
        let kept = Amount(minor: keptMinor)
        if kept > .zero {
            let expense = AccountName.expense(programID.text)
            let leaving = try entries(taking: kept, after: [], in: write).filter { $0.account != expense }
            try write.post(
                cause: cause, purpose: purpose, effectiveAt: write.now, lots: .usual(program: programID, cause: id.text),
                leaving + arriving(at: after, in: write))
        }
        var moved = self
        moved.state = after
        try CommissionStore.update(moved, on: write.connection)
        let (news, changes) = (JSONText(moved.json), JSONText.state(state.rawValue, after.rawValue))
        if after == .held { try write.emit(.holdPlaced, subject: id.text, news, changes: changes) }
        if state == .held { try write.emit(.holdReleased, subject: id.text, news, changes: changes) }
        if after == .approved { try write.emit(.commissionApproved, subject: id.text, news, changes: changes) }
    }

    /// The entries that bring all that is kept to where a state has it; what is approved pays off the member's debt first.
    func arriving(at state: State, in write: Write) throws -> [Entry] {
        let member = memberID.text
        switch state {
        case .pending: return [Entry(.pending(member), unit, Amount(minor: -keptMinor))]
        case .held: return [Entry(.held(member), unit, Amount(minor: -keptMinor))]
        default: break
        }
        let debt = try Journal.balance(workspace: write.workspace.id.text, of: .debt(member), unit: unit, on: write.connection).minor
        let paidOff = min(max(0, debt), keptMinor)
        var entries: [Entry] = []
        if paidOff > 0 { entries.append(Entry(.debt(member), unit, Amount(minor: -paidOff))) }
        if keptMinor > paidOff { entries.append(Entry(.available(member), unit, Amount(minor: -(keptMinor - paidOff)))) }
        return entries
    }
}
