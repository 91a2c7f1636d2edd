import Chronology
import Ledger
import Money
import Persistence
import Web

extension PayoutRequest {
    /// What a member could ask for now in a program, and what stands against it.
    struct Possible: Sendable {
        var unit: UnitCode
        var amountMinor: Int64
        var minimumMinor: Int64
        var commissionIDs: [CommissionID]
        /// Nil when a request would be taken.
        var refusal: Refused?
        /// From when a changed account may be paid to.
        var usableFrom: Instant?
    }

    enum Refused: String, Sendable, CaseIterable { case requestWaiting, memberNotActive, nothingAvailable, belowMinimum, noAccount, accountWaiting }

    /// In the program's currency, then in every other in which something is due to the member.
    static func possibilities(_ member: Member, in program: Program, at now: Instant, on connection: any Connection) throws -> [Possible] {
        let others = try PayoutStore.otherUnits(program: program, member: member.id, on: connection)
        return try ([try UnitCode(program.currency)] + others).map { try possible(member, in: program, unit: $0, at: now, on: connection) }
    }

    static func possible(
        _ member: Member, in program: Program, unit: UnitCode, at now: Instant, on connection: any Connection
    ) throws -> Possible {
        let commissions = try PayoutStore.payable(program: program.id, member: member.id, unit: unit, cutoff: now, on: connection)
        let fromRuns = try RunPayableStore.due(program: program.id, member: member.id, unit: unit, cutoff: now, on: connection)[member.id] ?? 0
        let due = try Amount.sum(commissions.map { Amount(minor: $0.keptMinor) } + [Amount(minor: fromRuns)]).minor
        let available = try Journal.balance(workspace: member.workspaceID.text, of: .available(member.id.text), unit: unit, on: connection)
        let account = try PayoutStore.account(of: member.id, on: connection)
        // What is owed is a negative balance.
        let amount = max(0, min(due, -available.minor))
        var possible = Possible(
            unit: unit, amountMinor: amount, minimumMinor: unit.code == program.currency ? program.settings.minimumPayoutMinor : 0,
            commissionIDs: commissions.map(\.commission))
        if try PayoutRequestStore.waiting(of: member.id, in: program.id, unit: unit, on: connection) != nil {
            possible.refusal = .requestWaiting
        } else if !member.mayBePaid {
            possible.refusal = .memberNotActive
        } else if amount == 0 {
            possible.refusal = .nothingAvailable
        } else if amount < possible.minimumMinor {
            possible.refusal = .belowMinimum
        } else if let account {
            if account.usableFrom > now {
                possible.refusal = .accountWaiting
                possible.usableFrom = account.usableFrom
            }
        } else {
            possible.refusal = .noAccount
        }
        return possible
    }

    /// Sets all that is available in a program aside for a member: from available to in payout.
    static func make(for member: Member, in program: Program, unit: UnitCode? = nil, _ write: Write) throws -> PayoutRequest {
        let possible = try possible(member, in: program, unit: unit ?? UnitCode(program.currency), at: write.now, on: write.connection)
        if let refusal = possible.refusal { throw refusal.problem(possible) }
        let request = PayoutRequest(
            id: write.world.newID(), workspaceID: write.workspace.id, programID: program.id, memberID: member.id, unit: possible.unit,
            amountMinor: possible.amountMinor, state: .waiting, requestedBy: write.actor.person, requestedAt: write.now,
            commissionIDs: possible.commissionIDs)
        try PayoutRequestStore.insert(request, on: write.connection)
        try RunPayableStore.reserve(for: request, until: write.now, on: write.connection)
        try write.post(
            cause: request.id.text, purpose: "reserve", effectiveAt: write.now,
            [
                Entry(.available(member.id.text), request.unit, Amount(minor: request.amountMinor)),
                Entry(.inPayout(member.id.text), request.unit, Amount(minor: -request.amountMinor)),
            ])
        try write.audit(
            "payout.request", subject: request.id.text,
            JSONText(["memberId": .text(member.id.text), "amount": .integer(request.amountMinor), "unit": .text(request.unit.code)]))
        return request
    }

    /// Takes a request back while no batch has it.
    static func cancel(_ id: PayoutRequestID, in write: Write) throws -> PayoutRequest {
        guard var request = try PayoutRequestStore.find(id, in: write.workspace.id, on: write.connection) else { throw Refusal.unknown("request") }
        if request.state == .canceled { return request }
        guard request.state == .waiting else {
            throw Problem.conflict(code: "request_taken", detail: "A payout has this request already. Cancel that payout while it is a draft.")
        }
        try write.post(
            cause: request.id.text, purpose: "cancel", effectiveAt: write.now,
            Payout.returned(request.amountMinor, request.unit, to: request.memberID, in: write))
        request.state = .canceled
        request.settledAt = write.now
        try PayoutRequestStore.settle(request, on: write.connection)
        try write.audit("payout.request.cancel", subject: id.text)
        return request
    }
}

extension PayoutRequest.Refused {
    func problem(_ possible: PayoutRequest.Possible) -> Problem {
        let unit = possible.unit
        func money(_ minor: Int64) -> String { "\(Amount(minor: minor).decimalText(exponent: unit.exponent)) \(unit.code)" }
        return switch self {
        case .requestWaiting:
            .conflict(code: "request_waiting", detail: "A request of this member waits already. It is paid with the next batch.")
        case .memberNotActive: .conflict(code: "member_not_active", detail: "Only an active member can be paid.")
        case .nothingAvailable: .conflict(code: "nothing_available", detail: "Nothing is available to this member now.")
        case .belowMinimum:
            .conflict(
                code: "below_minimum",
                detail: "\(money(possible.amountMinor)) is available; the program pays from \(money(possible.minimumMinor)).")
        case .noAccount: .conflict(code: "no_account", detail: "Say first where the member is paid: PUT /members/{id}/payout-account.")
        case .accountWaiting:
            .conflict(
                code: "account_waiting",
                detail: "The payout account was changed. It can be paid to from \(possible.usableFrom?.rfc3339 ?? "later").")
        }
    }
}
