import Chronology
import Ledger
import Money
import Persistence
import Web

/// What is known of a payment: it arrived, it never did, it came back after it had arrived, or nobody can say yet.
struct PayoutOutcome: Sendable {
    enum Result: String, Sendable, CaseIterable { case paid, failed, returned, unknown }

    var memberID: MemberID
    var result: Result
    var reference: String
}

extension Payout {
    /// A second person says yes. Who made the batch cannot. Whoever can't be paid any more, or has another account by now, is left out: what
    /// is approved is what was looked at.
    static func approve(_ id: PayoutID, in write: Write) throws -> Payout {
        var payout = try find(id, in: write)
        if payout.state == .approved, payout.approvedBy == write.actor.person { return payout }
        guard payout.state == .draft else { throw payout.wrongState("approved", needed: .draft) }
        guard payout.createdBy != write.actor.person else {
            throw Problem.forbidden(code: "same_person", detail: "Who made a payout cannot approve it. Ask another person of your team.")
        }
        var leftOut: [Exclusion] = []
        try NewApprover.refuse(in: write)
        for item in payout.items where item.state == .waiting {
            guard let reason = try payout.barNow(item, in: write) else { continue }
            try payout.leaveOut(item, reason: reason.rawValue, in: write)
            leftOut.append(Exclusion(memberID: item.memberID, amountMinor: item.amountMinor, reason: reason))
        }
        try PayoutStore.exclude(leftOut, from: id, on: write.connection)
        payout = try find(id, in: write)
        guard payout.items.contains(where: { $0.state == .waiting }) else {
            throw Problem.conflict(code: "nobody_payable", detail: "Nobody of this payout can be paid any more. Cancel it.")
        }
        payout.state = .approved
        payout.approvedBy = write.actor.person
        payout.approvedAt = write.now
        try PayoutStore.setState(payout, on: write.connection)
        try write.audit("payout.approve", subject: id.text, JSONText(["leftOut": .integer(Int64(leftOut.count))]))
        try payout.tell(.payoutApproved, before: .draft, in: write)
        return payout
    }

    /// Gives everything back: only before it was approved.
    static func cancel(_ id: PayoutID, in write: Write) throws -> Payout {
        var payout = try find(id, in: write)
        if payout.state == .canceled { return payout }
        guard payout.state == .draft else { throw payout.wrongState("canceled", needed: .draft) }
        let waiting = payout.items.filter { $0.state == .waiting }
        try payout.giveBack(waiting, purpose: "cancel", in: write)
        for item in waiting {
            try PayoutStore.release(id, item.memberID, on: write.connection)
            try PayoutStore.setItem(id, item.memberID, state: .canceled, reference: nil, settledAt: write.now, on: write.connection)
        }
        payout.state = .canceled
        try PayoutStore.setState(payout, on: write.connection)
        try write.audit("payout.cancel", subject: id.text)
        return try find(id, in: write)
    }

    /// Hands an approved batch over: its file was given to the bank, or its rail took it.
    static func dispatch(_ id: PayoutID, in write: Write) throws -> Payout {
        var payout = try find(id, in: write)
        if payout.state == .sent { return payout }
        guard payout.state == .approved else { throw payout.wrongState("sent", needed: .approved) }
        payout.state = .sent
        payout.sentAt = write.now
        try PayoutStore.setState(payout, on: write.connection)
        for item in payout.items where item.state == .waiting {
            try PayoutStore.setItem(id, item.memberID, state: .sent, reference: nil, settledAt: nil, on: write.connection)
        }
        try write.audit("payout.dispatch", subject: id.text)
        try payout.tell(.payoutSent, before: .approved, in: write)
        return try find(id, in: write)
    }

    /// Records what happened to one member's payment, once: the evidence decides, and it stays. Only a return may follow what arrived.
    static func record(_ outcome: PayoutOutcome, of id: PayoutID, in write: Write) throws -> Payout {
        try record([outcome], of: id, in: write)
    }

    /// The same of several payments of a batch, each named once.
    static func record(_ outcomes: [PayoutOutcome], of id: PayoutID, in write: Write) throws -> Payout {
        let payout = try find(id, in: write)
        let items = Dictionary(payout.items.map { ($0.memberID, $0) }, uniquingKeysWith: { first, _ in first })
        var isChanged = false
        guard Set(outcomes.map(\.memberID)).count == outcomes.count else {
            throw Problem.conflict(code: "named_twice", detail: "One payment is named twice: say once what became of it.")
        }
        for outcome in outcomes {
            guard let item = items[outcome.memberID] else { throw Refusal.unknown("member", field: "memberId") }
            if try payout.record(outcome, of: item, in: write) { isChanged = true }
        }
        return isChanged ? try settle(id, in: write) : payout
    }

    /// Answers whether it was new.
    private func record(_ outcome: PayoutOutcome, of item: Item, in write: Write) throws -> Bool {
        if item.isRecorded(outcome) { return false }
        guard [.sent, .unknown, .failed, .paid].contains(state), item.mayBecome(outcome.result) else {
            throw Problem.conflict(
                code: "payout_settled",
                detail: "This payment is \(item.state.rawValue): evidence can be recorded only for one that was sent, and only a return for one that arrived.")
        }
        if outcome.result == .unknown, item.state == .unknown { return false }
        var outcome = outcome
        // What never arrived can't come back.
        if outcome.result == .returned, item.state != .paid { outcome.result = .failed }
        try book(outcome, of: item, in: write)
        switch outcome.result {
        case .returned:
            try PayoutStore.setReturned(id, item.memberID, reference: outcome.reference, at: write.now, on: write.connection)
        case .paid, .failed, .unknown:
            let state: Item.State = outcome.result == .paid ? .paid : outcome.result == .failed ? .failed : .unknown
            try PayoutStore.setItem(
                id, item.memberID, state: state, reference: outcome.reference, settledAt: state == .unknown ? nil : write.now, on: write.connection)
        }
        try write.audit(
            "payout.outcome", subject: id.text,
            JSONText(["memberId": .text(outcome.memberID.text), "outcome": .text(outcome.result.rawValue)]))
        return true
    }

    private func book(_ outcome: PayoutOutcome, of item: Item, in write: Write) throws {
        let suffix = ".\(item.memberID.text)"
        switch outcome.result {
        case .paid:
            try move([item], purpose: "paid" + suffix, from: AccountName.inPayout, to: AccountName.paidOut, in: write)
            try PayoutStore.markPaid(item.commissionIDs, on: write.connection)
            if let member = try MemberStore.find(item.memberID, in: write.workspace.id, on: write.connection) {
                try Mail.queue(
                    .payoutPaid(amountMinor: item.amountMinor, unit: unit.code, reference: outcome.reference), to: .person(member.personID),
                    occasion: "\(id.text):\(member.id.text)", locale: member.locale, in: write)
            }
            for commission in item.commissionIDs {
                try write.emit(.commissionPaid, subject: commission.text, JSONText(["id": .text(commission.text), "payoutId": .text(id.text)]))
            }
        case .failed:
            try giveBack([item], purpose: "returned" + suffix, in: write)
            try PayoutStore.release(id, item.memberID, on: write.connection)
        case .returned:
            // What had left is the member's again: their debt first, then available to the next batch.
            let back = try Self.returned(item.amountMinor, unit, to: item.memberID, in: write).dropFirst()
            let entries = [Entry(.paidOut(item.memberID.text), unit, Amount(minor: item.amountMinor))] + back
            try write.post(cause: id.text, purpose: "came_back" + suffix, effectiveAt: write.now, entries)
            try PayoutStore.markUnpaid(item.commissionIDs, on: write.connection)
            try PayoutStore.release(id, item.memberID, on: write.connection)
        case .unknown: break
        }
    }

    /// The batch is unknown while an item is, sent while one is on its way, paid when every one is; else some failed.
    private static func settle(_ id: PayoutID, in write: Write) throws -> Payout {
        var payout = try find(id, in: write)
        if payout.items.contains(where: { [.waiting, .sent, .unknown].contains($0.state) }) {
            let state: State = payout.items.contains { $0.state == .unknown } ? .unknown : .sent
            if state != payout.state {
                payout.state = state
                try PayoutStore.setState(payout, on: write.connection)
            }
            return payout
        }
        let before = payout.state
        payout.state = payout.items.allSatisfy { $0.state == .paid || $0.state == .canceled } ? .paid : .failed
        try PayoutStore.setState(payout, on: write.connection)
        if payout.state != before { try payout.tell(payout.state == .paid ? .payoutPaid : .payoutFailed, before: before, in: write) }
        return payout
    }

    private func tell(_ type: EventType, before: State, in write: Write) throws {
        try write.emit(
            type, subject: id.text, JSONText(json.without(["items", "excluded"])), changes: .state(before.rawValue, state.rawValue))
    }

    static func find(_ id: PayoutID, in write: Write) throws -> Payout {
        guard let payout = try PayoutStore.find(id, in: write.workspace.id, on: write.connection) else { throw Refusal.unknown("payout") }
        return payout
    }

    private func wrongState(_ wanted: String, needed: State) -> Problem {
        .conflict(
            code: "wrong_state", detail: "A payout that is \(state.rawValue) cannot be \(wanted): it must be \(needed.rawValue).")
    }
}

extension Payout.Item {
    /// Whether this very evidence was recorded before.
    fileprivate func isRecorded(_ outcome: PayoutOutcome) -> Bool {
        switch outcome.result {
        case .returned: returnReference == outcome.reference || (state == .failed && reference == outcome.reference)
        case .paid, .failed, .unknown: state.rawValue == outcome.result.rawValue && reference == outcome.reference
        }
    }

    fileprivate func mayBecome(_ result: PayoutOutcome.Result) -> Bool {
        [.sent, .unknown].contains(state) || (state == .paid && result == .returned)
    }
}
