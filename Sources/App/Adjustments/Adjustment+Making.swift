import Chronology
import Ledger
import Money
import Persistence
import Web

extension Adjustment {
    /// Gives a member pay that no rule gave. It is approved at once. The same id again answers what was made.
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
        let commission = try handMade(id, amountMinor, to: member.id, in: program, unit: try UnitCode(program.currency), correcting: nil, write)
        return try keep(id, .commission, commission, amountMinor, reason, write)
    }

    /// Sets what a commission is worth to the member with all its earlier corrections; nil when it is worth that already. Less takes back
    /// what is too much, where it lies now, beginning with what was added last; more gives the rest by hand, where the commission lies.
    /// `shownMinor`: what whoever corrects it believes that it is worth.
    static func correct(
        _ id: AdjustmentID, _ commission: Commission, toMinor amountMinor: Int64, shownMinor: Int64?, reason: String, _ write: Write
    ) throws -> Adjustment? {
        if let known = try repeated(id, .correction, in: write) { return known }
        let worth = try worth(of: commission, write)
        guard amountMinor != worth.keptMinor else { return nil }
        guard shownMinor == nil || shownMinor == worth.keptMinor else {
            let text = Amount(minor: worth.keptMinor).decimalText(exponent: commission.unit.exponent)
            throw Problem.conflict(code: "worth_changed", detail: "It is worth \(text) \(commission.unit.code) by now. Look at it again.")
        }
        try changeable(worth, write)
        let more = try Amount(minor: amountMinor).subtracting(Amount(minor: worth.keptMinor)).minor
        let sale = try commission.saleID.flatMap { try SaleStore.find($0, in: write.workspace.id, on: write.connection) }
        var changed: [(CommissionID, CorrectionPart)] = []
        var made = commission
        if more > 0 {
            guard let program = try ProgramStore.find(commission.programID, in: write.workspace.id, at: write.now, on: write.connection) else {
                throw Refusal.unknown("program")
            }
            made = try handMade(id, more, to: commission.memberID, in: program, unit: commission.unit, correcting: commission, write)
            changed.append((made.id, CorrectionPart(keptMinor: more, refundedMinor: sale?.refundedMinor ?? 0)))
        } else {
            var left = -more
            for part in worth.parts where left > 0 && part.keptMinor > 0 {
                let back = min(left, part.keptMinor)
                left -= back
                try take(Amount(minor: back), of: part, cause: id, purpose: purpose("correction", part, of: commission), state: nil, write)
                changed.append((part.id, CorrectionPart(keptMinor: part.keptMinor - back, refundedMinor: sale?.refundedMinor ?? 0)))
            }
        }
        let kept = try keep(id, .correction, made, more, reason, correcting: commission.id, worthMinor: amountMinor, write)
        for (commission, part) in changed { try CorrectionPartStore.insert(part, of: commission, by: id, on: write.connection) }
        return kept
    }

    /// Takes back all that is left of a commission and of its corrections, for good. What was paid already becomes a debt. Its sale leaves
    /// the caps and tiers of its rule.
    static func void(_ id: AdjustmentID, _ commission: Commission, reason: String, _ write: Write) throws -> Adjustment {
        if let known = try repeated(id, .void, in: write) { return known }
        let worth = try worth(of: commission, write)
        guard worth.keptMinor > 0 else { throw settled(commission) }
        try changeable(worth, write)
        for part in worth.parts where part.state.isTakeable {
            try take(
                Amount(minor: part.keptMinor), of: part, cause: id, purpose: purpose("void", part, of: commission), state: .canceled, write)
        }
        try commission.leaveTiers(cause: id.text, in: write)
        return try keep(id, .void, commission, -worth.keptMinor, reason, write)
    }

    /// One purpose for each posting of a change.
    private static func purpose(_ word: String, _ part: Commission, of root: Commission) -> String {
        part.id == root.id ? word : "\(word)-\(part.id.text)"
    }

    private static func worth(of commission: Commission, _ write: Write) throws -> CommissionWorth {
        if let root = commission.correctsID {
            throw Problem.conflict(
                code: "commission_is_correction", detail: "This is a correction of the commission \(root): change that one, and this goes with it.")
        }
        return try CommissionWorth.of(commission, on: write.connection)
    }

    /// What this id stands for already: a form that was sent twice is answered, not done twice.
    private static func repeated(_ id: AdjustmentID, _ kind: Kind, in write: Write) throws -> Adjustment? {
        guard let known = try AdjustmentStore.find(id, in: write.workspace.id, on: write.connection) else { return nil }
        guard known.kind == kind else { throw Problem.conflict(code: "already_exists", detail: "This form was used for something else.") }
        return known
    }

    private static func settled(_ commission: Commission) -> Problem {
        Problem.conflict(code: "commission_settled", detail: "Nothing is left of this commission: it is \(commission.state.rawValue).")
    }

    private static func changeable(_ worth: CommissionWorth, _ write: Write) throws {
        guard worth.root.state.isTakeable else { throw settled(worth.root) }
        for part in worth.parts where try AdjustmentStore.isInPayout(part.id, on: write.connection) {
            throw Problem.conflict(
                code: "commission_in_payout",
                detail: "A payout or a request has this commission. Cancel it while it is a draft, or wait until it has arrived.")
        }
    }

    /// What somebody's hand gives: pay by itself, which is approved at once, or what is added to a commission, which goes where that lies.
    private static func handMade(
        _ id: AdjustmentID, _ amountMinor: Int64, to member: MemberID, in program: Program, unit: UnitCode, correcting root: Commission?, _ write: Write
    ) throws -> Commission {
        guard amountMinor > 0 else { throw Refusal.field("amount", "Must be above zero.") }
        let waits = root.map { $0.state == .pending || $0.state == .held } ?? false
        var commission = Commission(
            id: write.world.newID(), workspaceID: write.workspace.id, programID: program.id, cause: .manual, causeID: id.text, saleID: root?.saleID,
            memberID: member, ruleID: RuleID(stored: ""), ruleVersion: 0, line: 0, purpose: .reward, level: root?.level ?? 0, baseMinor: amountMinor,
            rate: nil, sharePPM: 1_000_000, unit: unit, amountMinor: amountMinor, state: .pending,
            holdUntil: waits ? root?.holdUntil ?? write.now : write.now,
            explanation: root.map { JSONText(["corrects": .text($0.id.text)]) } ?? .empty, occurredAt: write.now, recordedAt: write.now)
        try CommissionStore.insert(commission, on: write.connection)
        try write.post(
            cause: id.text, purpose: "commission", effectiveAt: write.now,
            [
                Entry(.expense(program.id.text), unit, Amount(minor: amountMinor)),
                Entry(.pending(member.text), unit, Amount(minor: -amountMinor)),
            ])
        try write.emit(.commissionCreated, subject: commission.id.text, JSONText(commission.json))
        switch root?.state {
        case .pending: break
        case .held:
            try commission.move(to: .held, cause: id.text, purpose: "hold-\(commission.id.text)", in: write)
            commission.state = .held
        default:
            try commission.approve(in: write)
            commission.state = .approved
            try Commission.tell([commission], in: write)
        }
        return commission
    }

    private static func take(
        _ back: Amount, of known: Commission, cause: AdjustmentID, purpose: String, state: Commission.State?, _ write: Write
    ) throws {
        var commission = known
        let entries = back > .zero ? try commission.entries(taking: back, after: [], in: write) : []
        commission.reversedMinor = try Amount(minor: commission.reversedMinor).adding(back).minor
        if let state { commission.state = state }
        try CommissionStore.update(commission, on: write.connection)
        try commission.giveBackCap(back, count: state == nil ? 0 : 1, in: write)
        guard !entries.isEmpty else { return }
        let given = Posting(
            workspace: write.workspace.id.text, cause: commission.causeID, purpose: "commission", effectiveAt: write.now, entries: [])
        try write.post(cause: cause.text, purpose: purpose, effectiveAt: write.now, corrects: .partial(of: given.id), entries)
        try write.emit(.commissionReversed, subject: commission.id.text, JSONText(commission.json))
    }

    private static func keep(
        _ id: AdjustmentID, _ kind: Kind, _ commission: Commission, _ amountMinor: Int64, _ reason: String, correcting root: CommissionID? = nil,
        worthMinor: Int64? = nil, _ write: Write
    ) throws -> Adjustment {
        let adjustment = Adjustment(
            id: id, workspaceID: write.workspace.id, kind: kind, programID: commission.programID, memberID: commission.memberID,
            commissionID: commission.id, unit: commission.unit, amountMinor: amountMinor, reason: reason, author: write.actor.person,
            madeAt: write.now, correctsID: root, worthMinor: worthMinor)
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
