import Chronology
import Ledger
import Money
import Persistence
import Web

extension Adjustment {
    /// Gives a member pay that no rule gave. It is approved as soon as due work is done. The same id again answers what was made.
    static func give(
        _ id: AdjustmentID, amountMinor: Int64, to member: Member, in program: Program, reason: String, _ write: Write
    ) throws -> Adjustment {
        if let known = try repeated(id, .commission, in: write) { return known }
        guard try MemberStore.isEnrolled(member.id, in: program.id, on: write.connection) else {
            throw Refusal.field("memberId", "Must be a member of the program.", code: "not_enrolled")
        }
        guard member.status == .active || member.status == .inactive else {
            throw Refusal.field("memberId", "Is suspended or has left: nothing is paid to them.", code: "member_not_active")
        }
        let commission = try handMade(id, amountMinor, to: member.id, in: program, write)
        return try keep(id, .commission, commission, amountMinor, reason, write)
    }

    /// Sets what a commission is worth to the member. Less takes back what is too much, where it lies now; more gives the rest by hand.
    static func correct(
        _ id: AdjustmentID, _ commission: Commission, toMinor amountMinor: Int64, reason: String, _ write: Write
    ) throws -> Adjustment {
        if let known = try repeated(id, .correction, in: write) { return known }
        guard amountMinor != commission.keptMinor else {
            throw Refusal.field("amount", "Is what the commission is worth already.", code: "nothing_to_correct")
        }
        try changeable(commission, write)
        guard amountMinor < commission.keptMinor else {
            guard let program = try ProgramStore.find(commission.programID, in: write.workspace.id, at: write.now, on: write.connection) else {
                throw Refusal.unknown("program")
            }
            let more = try Amount(minor: amountMinor).subtracting(Amount(minor: commission.keptMinor)).minor
            let made = try handMade(id, more, to: commission.memberID, in: program, unit: commission.unit, write)
            return try keep(id, .correction, made, more, reason, write)
        }
        let back = try Amount(minor: commission.keptMinor).subtracting(Amount(minor: amountMinor))
        try take(back, of: commission, cause: id, purpose: "correction", state: nil, write)
        return try keep(id, .correction, commission, -back.minor, reason, write)
    }

    /// Takes back all that is left of a commission, for good. What was paid already becomes a debt. Its sale leaves the caps and tiers of its rule.
    static func void(_ id: AdjustmentID, _ commission: Commission, reason: String, _ write: Write) throws -> Adjustment {
        if let known = try repeated(id, .void, in: write) { return known }
        try changeable(commission, write)
        let back = Amount(minor: commission.keptMinor)
        try take(back, of: commission, cause: id, purpose: "void", state: .canceled, write)
        try commission.leaveTiers(cause: id.text, in: write)
        return try keep(id, .void, commission, -back.minor, reason, write)
    }

    /// What this id stands for already: a form that was sent twice is answered, not done twice.
    private static func repeated(_ id: AdjustmentID, _ kind: Kind, in write: Write) throws -> Adjustment? {
        guard let known = try AdjustmentStore.find(id, in: write.workspace.id, on: write.connection) else { return nil }
        guard known.kind == kind else { throw Problem.conflict(code: "already_exists", detail: "This form was used for something else.") }
        return known
    }

    private static func changeable(_ commission: Commission, _ write: Write) throws {
        guard [.pending, .approved, .held, .paid].contains(commission.state), commission.keptMinor > 0 else {
            throw Problem.conflict(
                code: "commission_settled", detail: "Nothing is left of this commission: it is \(commission.state.rawValue).")
        }
        guard try !AdjustmentStore.isInPayout(commission.id, on: write.connection) else {
            throw Problem.conflict(
                code: "commission_in_payout",
                detail: "A payout or a request has this commission. Cancel it while it is a draft, or wait until it has arrived.")
        }
    }

    private static func handMade(
        _ id: AdjustmentID, _ amountMinor: Int64, to member: MemberID, in program: Program, unit: UnitCode? = nil, _ write: Write
    ) throws -> Commission {
        guard amountMinor > 0 else { throw Refusal.field("amount", "Must be above zero.") }
        let unit = try unit ?? UnitCode(program.currency)
        let commission = Commission(
            id: write.world.newID(), workspaceID: write.workspace.id, programID: program.id, cause: .manual, causeID: id.text, saleID: nil,
            memberID: member, ruleID: RuleID(stored: ""), ruleVersion: 0, line: 0, purpose: .reward, level: 0, baseMinor: amountMinor, rate: nil,
            sharePPM: 1_000_000, unit: unit, amountMinor: amountMinor, state: .pending, holdUntil: write.now, explanation: .empty,
            occurredAt: write.now, recordedAt: write.now)
        try CommissionStore.insert(commission, on: write.connection)
        try write.post(
            cause: id.text, purpose: "commission", effectiveAt: write.now,
            [
                Entry(.expense(program.id.text), unit, Amount(minor: amountMinor)),
                Entry(.pending(member.text), unit, Amount(minor: -amountMinor)),
            ])
        try write.emit(.commissionCreated, subject: commission.id.text, JSONText(commission.json))
        return commission
    }

    private static func take(
        _ back: Amount, of known: Commission, cause: AdjustmentID, purpose: String, state: Commission.State?, _ write: Write
    ) throws {
        var commission = known
        let entries = try commission.entries(taking: back, after: [], in: write)
        commission.reversedMinor = try Amount(minor: commission.reversedMinor).adding(back).minor
        if let state { commission.state = state }
        try CommissionStore.update(commission, on: write.connection)
        try commission.giveBackCap(back, count: state == nil ? 0 : 1, in: write)
        let given = Posting(
            workspace: write.workspace.id.text, cause: commission.causeID, purpose: "commission", effectiveAt: write.now, entries: [])
        try write.post(cause: cause.text, purpose: purpose, effectiveAt: write.now, corrects: .partial(of: given.id), entries)
        try write.emit(.commissionReversed, subject: commission.id.text, JSONText(commission.json))
    }

    private static func keep(
        _ id: AdjustmentID, _ kind: Kind, _ commission: Commission, _ amountMinor: Int64, _ reason: String, _ write: Write
    ) throws -> Adjustment {
        let adjustment = Adjustment(
            id: id, workspaceID: write.workspace.id, kind: kind, programID: commission.programID, memberID: commission.memberID,
            commissionID: commission.id, unit: commission.unit, amountMinor: amountMinor, reason: reason, author: write.actor.person,
            madeAt: write.now)
        try AdjustmentStore.insert(adjustment, on: write.connection)
        // The reason stands with the adjustment, where erasure reaches it; the chain names only ids and numbers.
        try write.audit(
            "commission.\(kind == .commission ? "give" : kind.rawValue)", subject: commission.id.text,
            JSONText([
                "adjustmentId": .text(id.text), "memberId": .text(commission.memberID.text), "amount": .integer(amountMinor),
                "unit": .text(commission.unit.code),
            ]))
        return adjustment
    }
}
