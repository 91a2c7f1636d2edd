import Chronology
import Ledger
import Money
import Persistence
import Web

extension Wallet {
    /// What somebody asks to be moved.
    struct Order: Sendable {
        var unit: UnitCode
        var amountMinor: Int64
        var reason: String?
        var programID: ProgramID?
        var subject: String?
        /// Also for whoever has left the program: it is about what they had while they were in it.
        var isForFormer = false
    }

    /// Gives or takes with a reason.
    static func adjust(_ member: Member, _ order: Order, in write: Write) throws -> WalletMovement {
        try checkActive(member)
        let movement: WalletMovement
        if order.amountMinor > 0 {
            movement = try give(.adjustment, to: member.id, order, in: write)
        } else {
            movement = try take(.adjustment, from: member, order, -order.amountMinor, in: write)
        }
        try note("adjust", movement, in: write)
        return movement
    }

    /// Spends.
    static func redeem(_ member: Member, _ order: Order, in write: Write) throws -> WalletMovement {
        try checkActive(member)
        let movement = try take(.redemption, from: member, order, order.amountMinor, in: write)
        try note("redeem", movement, in: write)
        return movement
    }

    /// Brings back what was spent; it can be spent as long as what is earned now.
    static func giveBack(_ member: MemberID, _ order: Order, in write: Write) throws -> WalletMovement {
        let movement = try give(.return, to: member, order, in: write)
        try note("return", movement, in: write)
        return movement
    }

    /// Moves from one member to another, where the company allows it. What is moved lapses when it would have lapsed.
    static func transfer(from sender: Member, to receiver: Member, _ order: Order, in write: Write) throws -> WalletMovement {
        guard sender.id != receiver.id else { throw Refusal.field("toMemberId", "Must be another member.") }
        try checkActive(sender)
        try checkActive(receiver, field: "toMemberId")
        guard try WalletUnitStore.find(order.unit, in: write.workspace.id, on: write.connection).mayTransfer else {
            throw Refusal.field("unit", "Stays with whoever earned it: the company allows no transfers of \(order.unit.code).", code: "transfers_not_allowed")
        }
        try lapse(sender.id, order.unit, in: write)
        try checkCovered(order.amountMinor, sender.id, order.unit, in: write)
        let pieces = try WalletLotStore.take(order.amountMinor, member: sender.id, unit: order.unit, on: write.connection)
        let sent = try movement(.sent, sender.id, order, -order.amountMinor, cause: nil, in: write)
        _ = try movement(.received, receiver.id, order, order.amountMinor, cause: sent.id, in: write)
        let entries = [Entry(.available(sender.id.text), order.unit, Amount(minor: order.amountMinor))] + (try arriving(order.amountMinor, order.unit, at: receiver.id, in: write))
        // What the sender's lots lost is taken already; what arrives keeps its days.
        try write.post(cause: sent.id.text, purpose: "wallet", effectiveAt: write.now, lots: .moved(pieces, cause: sent.id.text), entries)
        try note("transfer", sent, in: write)
        return sent
    }

    /// Gives what no sale earned: for a badge, an answer, a party.
    static func give(_ kind: WalletMovement.Kind, to member: MemberID, _ order: Order, in write: Write) throws -> WalletMovement {
        let given = try movement(kind, member, order, order.amountMinor, cause: nil, in: write)
        let against = kind == .return ? AccountName.paidOut(member.text) : .expense(given.programID.text)
        try write.post(
            cause: given.id.text, purpose: "wallet", effectiveAt: write.now, lots: .usual(program: given.programID, cause: given.id.text),
            [Entry(against, order.unit, Amount(minor: order.amountMinor))] + arriving(order.amountMinor, order.unit, at: member, in: write))
        return given
    }

    /// Takes back what was given too much for a subject, spent or not: what cannot be taken is owed. What lapsed of it is given again before.
    static func takeBack(_ member: MemberID, _ amount: Int64, _ order: Order, in write: Write) throws -> WalletMovement {
        try lapse(member, order.unit, in: write)
        if let subject = order.subject, let program = order.programID {
            var left = amount
            for cause in try WalletMovementStore.given(member, order.unit, subject: subject, on: write.connection) where left > 0 {
                left -= try restore(Lapsed(cause: cause.text, member: member, program: program, unit: order.unit, subject: subject), upTo: left, in: write)
            }
        }
        let available = -(try Journal.balance(workspace: write.workspace.id.text, of: .available(member.text), unit: order.unit, on: write.connection).minor)
        let covered = min(max(0, available), amount)
        let taken = try movement(.adjustment, member, order, -amount, cause: nil, in: write)
        var entries = [Entry(.expense(taken.programID.text), order.unit, Amount(minor: -amount))]
        if covered > 0 { entries.append(Entry(.available(member.text), order.unit, Amount(minor: covered))) }
        if amount > covered { entries.append(Entry(.debt(member.text), order.unit, Amount(minor: amount - covered))) }
        try write.post(cause: taken.id.text, purpose: "wallet", effectiveAt: write.now, entries)
        try note("adjust", taken, in: write)
        return taken
    }

    private static func take(_ kind: WalletMovement.Kind, from member: Member, _ order: Order, _ amount: Int64, in write: Write) throws -> WalletMovement {
        try lapse(member.id, order.unit, in: write)
        try checkCovered(amount, member.id, order.unit, in: write)
        let taken = try movement(kind, member.id, order, -amount, cause: nil, in: write)
        let to = kind == .redemption ? AccountName.paidOut(member.id.text) : .expense(taken.programID.text)
        try write.post(
            cause: taken.id.text, purpose: "wallet", effectiveAt: write.now,
            [Entry(.available(member.id.text), order.unit, Amount(minor: amount)), Entry(to, order.unit, Amount(minor: -amount))])
        return taken
    }

    // MARK: Lapsing

    /// Wallets in which something lapses in one transaction at most.
    static let lapsesMax = 200

    /// Lets lapse what is past its day. Answers in how many wallets.
    static func lapseDue(limit: Int = lapsesMax, in write: Write) throws -> Int {
        let due = try WalletLotStore.due(in: write.workspace.id, at: write.now, limit: limit, on: write.connection)
        for (member, unit) in due { try lapse(member, unit, in: write) }
        return due.count
    }

    /// Takes back what was not spent in time. Whoever spends comes here first, so that nothing is spent after its day.
    static func lapse(_ member: MemberID, _ unit: UnitCode, in write: Write) throws {
        for (program, amount) in try WalletLotStore.lapse(member: member, unit: unit, at: write.now, on: write.connection) {
            let lapsed = try movement(.expiry, member, Order(unit: unit, amountMinor: amount, programID: program), -amount, cause: nil, in: write)
            try write.post(
                cause: lapsed.id.text, purpose: "wallet", effectiveAt: write.now, lots: .done,
                [Entry(.available(member.text), unit, Amount(minor: amount)), Entry(.expense(program.text), unit, Amount(minor: -amount))])
        }
    }

    /// What lapsed of a commission is gone already: before that is taken back, it is given again, so that nobody loses it twice.
    static func restore(_ commission: Commission, upTo amount: Int64, in write: Write) throws {
        guard holds(commission.unit) else { return }
        let id = commission.id.text
        _ = try restore(
            Lapsed(cause: id, member: commission.memberID, program: commission.programID, unit: commission.unit, subject: id), upTo: amount, in: write)
    }

    /// Where something lapsed of.
    private struct Lapsed {
        var cause: String
        var member: MemberID
        var program: ProgramID
        var unit: UnitCode
        var subject: String
    }

    private static func restore(_ lapsed: Lapsed, upTo amount: Int64, in write: Write) throws -> Int64 {
        let restored = try WalletLotStore.restore(upTo: amount, cause: lapsed.cause, on: write.connection)
        guard restored > 0 else { return 0 }
        let order = Order(unit: lapsed.unit, amountMinor: restored, programID: lapsed.program, subject: lapsed.subject)
        let given = try movement(.restored, lapsed.member, order, restored, cause: nil, in: write)
        let piece = LotPiece(programID: lapsed.program, amountMinor: restored, expiresAt: write.now)
        try write.post(
            cause: given.id.text, purpose: "wallet", effectiveAt: write.now, lots: .carried([piece], cause: lapsed.cause),
            [
                Entry(.expense(lapsed.program.text), lapsed.unit, Amount(minor: restored)),
                Entry(.available(lapsed.member.text), lapsed.unit, Amount(minor: -restored)),
            ])
        return restored
    }

    // MARK: Parts

    /// The entries that bring an amount to a member: to their debt first.
    private static func arriving(_ amount: Int64, _ unit: UnitCode, at member: MemberID, in write: Write) throws -> [Entry] {
        let debt = try Journal.balance(workspace: write.workspace.id.text, of: .debt(member.text), unit: unit, on: write.connection).minor
        let paidOff = min(max(0, debt), amount)
        var entries: [Entry] = []
        if paidOff > 0 { entries.append(Entry(.debt(member.text), unit, Amount(minor: -paidOff))) }
        if amount > paidOff { entries.append(Entry(.available(member.text), unit, Amount(minor: paidOff - amount))) }
        return entries
    }

    private static func movement(
        _ kind: WalletMovement.Kind, _ member: MemberID, _ order: Order, _ amount: Int64, cause: WalletMovementID?, in write: Write
    ) throws -> WalletMovement {
        let programs = try MemberStore.programs(of: member, on: write.connection)
        guard let program = order.programID ?? programs.first else {
            throw Refusal.field("memberId", "Must be a member of a program.", code: "not_enrolled")
        }
        if !order.isForFormer, kind == .adjustment || kind == .redemption || kind == .bonus, !programs.contains(program) {
            throw Refusal.field("programId", "Must be a program that they are in.", code: "not_enrolled")
        }
        let id: WalletMovementID = write.world.newID()
        let movement = WalletMovement(
            id: id, memberID: member, programID: program, unit: order.unit, kind: kind, amountMinor: amount, causeID: cause ?? id,
            subject: order.subject, reason: order.reason, author: write.actor.person, madeAt: write.now)
        try WalletMovementStore.insert(movement, in: write.workspace.id, on: write.connection)
        if kind == .adjustment || kind == .bonus { try Standing.note([member], in: program, write) }
        return movement
    }

    private static func checkActive(_ member: Member, field: String = "memberId") throws {
        guard member.status == .active || member.status == .inactive else {
            throw Refusal.field(field, "Is suspended or has left: nothing moves in their wallet.", code: "member_not_active")
        }
    }

    private static func checkCovered(_ amount: Int64, _ member: MemberID, _ unit: UnitCode, in write: Write) throws {
        let available = -(try Journal.balance(workspace: write.workspace.id.text, of: .available(member.text), unit: unit, on: write.connection).minor)
        guard available >= amount else {
            let (has, missing) = (Amount(minor: max(0, available)).decimalText(exponent: unit.exponent), Amount(minor: amount - max(0, available)).decimalText(exponent: unit.exponent))
            throw Problem.conflict(
                code: "insufficient_balance",
                detail: "\(has) \(unit.code) can be spent, \(missing) too few. What is pending can be spent when its days of hold are over.")
        }
    }

    private static func note(_ action: String, _ movement: WalletMovement, in write: Write) throws {
        try write.audit(
            "wallet.\(action)", subject: movement.id.text,
            JSONText(["memberId": .text(movement.memberID.text), "amount": .integer(movement.amountMinor), "unit": .text(movement.unit.code)]))
    }
}
