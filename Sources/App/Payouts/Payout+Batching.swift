import Chronology
import Ledger
import Money
import Persistence
import Web

struct NewPayout: Sendable {
    var programID: ProgramID
    var cutoff: Instant
    /// Nil: the program's own. Sales may be in others.
    var unit: UnitCode?
    /// Only members who are paid in one of these ways; nil: all.
    var kinds: Set<PayoutAccount.Kind>?
    /// Does everything and takes it back: what a real run would do.
    var isDryRun: Bool
}

extension Payout {
    /// Members paid by one batch; the rest waits for the next.
    static let itemsMax = 10_000

    /// Reserves what is due to each member: from available to in payout. A dry run is the same run, rolled back.
    static func make(_ input: NewPayout, in write: Write) throws -> Payout {
        guard input.isDryRun else { return try batch(input, in: write) }
        do {
            return try write.connection.savepoint { throw DryRun(payout: try batch(input, in: write)) }
        } catch let run as DryRun {
            return run.payout
        }
    }

    private struct DryRun: Error { var payout: Payout }

    private static func batch(_ input: NewPayout, in write: Write) throws -> Payout {
        guard let program = try ProgramStore.find(input.programID, in: write.workspace.id, at: write.now, on: write.connection) else {
            throw Refusal.unknown("program", field: "programId")
        }
        guard input.cutoff <= write.now else { throw Refusal.field("cutoff", "Must not be in the future.") }
        let unit = try input.unit ?? UnitCode(program.currency)
        var payout = Payout(
            id: write.world.newID(), workspaceID: write.workspace.id, programID: program.id, state: .draft, unit: unit, cutoff: input.cutoff,
            items: [], createdBy: write.actor.person, createdAt: write.now)
        let rows = try PayoutStore.payable(program: program.id, unit: unit, cutoff: input.cutoff, on: write.connection)
        let requests = try PayoutRequestStore.waiting(program: program.id, unit: unit, on: write.connection)
        let byMember = Dictionary(grouping: rows, by: \.member)
        let fromRuns = try RunPayableStore.due(program: program.id, unit: unit, cutoff: input.cutoff, on: write.connection)
        // What a request did not set aside already.
        var reserved: [Item] = []
        var taken: [PayoutRequest] = []
        for member in Set(byMember.keys).union(requests.keys).union(fromRuns.keys).sorted() {
            guard payout.items.count < itemsMax else { break }
            let commissions = byMember[member] ?? []
            let due = try Amount.sum(commissions.map { Amount(minor: $0.keptMinor) } + [Amount(minor: fromRuns[member] ?? 0)]).minor
            let available = -(try Journal.balance(
                workspace: write.workspace.id.text, of: .available(member.text), unit: unit, on: write.connection).minor)
            var item = Item(memberID: member, amountMinor: max(0, min(due, available)), state: .waiting, commissionIDs: [])
            if item.amountMinor > 0 { item.commissionIDs = commissions.map(\.commission) }
            let fresh = item
            if let request = requests[member] {
                item.amountMinor = try Amount(minor: item.amountMinor).adding(Amount(minor: request.amountMinor)).minor
                item.commissionIDs += request.commissionIDs
            }
            let account = try PayoutStore.account(of: member, on: write.connection)
            if let reason = try exclusion(item, account, of: program, input, unit, in: write) {
                payout.excluded.append(Exclusion(memberID: member, amountMinor: item.amountMinor, reason: reason))
                continue
            }
            item.accountVersion = account?.version
            payout.items.append(item)
            if fresh.amountMinor > 0 { reserved.append(fresh) }
            if let request = requests[member] { taken.append(request) }
        }
        guard input.isDryRun || !payout.items.isEmpty else {
            throw Problem.conflict(
                code: "nothing_due",
                detail: "Nobody can be paid now: \(payout.excluded.count) members wait for another reason, which a dry run names.")
        }
        try PayoutStore.insert(payout, on: write.connection)
        try RunPayableStore.take(reserved.map(\.memberID).filter { fromRuns[$0] != nil }, into: payout, on: write.connection)
        for var request in taken {
            request.state = .taken
            request.payoutID = payout.id
            request.settledAt = write.now
            try PayoutRequestStore.settle(request, on: write.connection)
        }
        try payout.move(reserved, purpose: "reserve", from: AccountName.available, to: AccountName.inPayout, in: write)
        try write.audit("payout.create", subject: payout.id.text, JSONText(["total": .integer(payout.totalMinor), "unit": .text(unit.code)]))
        return payout
    }

    private static func exclusion(
        _ item: Item, _ account: PayoutAccount?, of program: Program, _ input: NewPayout, _ unit: UnitCode, in write: Write
    ) throws -> Exclusion.Reason? {
        guard item.amountMinor > 0 else { return .nothingAvailable }
        // The minimum is an amount of the program's currency.
        guard unit.code != program.currency || item.amountMinor >= program.settings.minimumPayoutMinor else { return .belowMinimum }
        if let reason = try bar(item.memberID, account, in: write) { return reason }
        if let kinds = input.kinds, let account, !kinds.contains(account.kind) { return .otherAccount }
        return nil
    }

    /// Why a member can't be paid now, whatever the amount.
    static func bar(_ id: MemberID, _ account: PayoutAccount?, in write: Write) throws -> Exclusion.Reason? {
        guard let member = try MemberStore.find(id, in: write.workspace.id, on: write.connection), member.mayBePaid else { return .memberNotActive }
        guard let account else { return .noAccount }
        return account.usableFrom <= write.now ? nil : .accountWaiting
    }

    /// Makes items' money available again, after paying off what their members owe by now.
    func giveBack(_ items: [Item], purpose: String, in write: Write) throws {
        for start in stride(from: 0, to: items.count, by: Self.itemsPerPosting) {
            let entries = try items[start..<min(start + Self.itemsPerPosting, items.count)].flatMap {
                try Self.returned($0.amountMinor, unit, to: $0.memberID, in: write)
            }
            let part = start / Self.itemsPerPosting
            try write.post(cause: id.text, purpose: part == 0 ? purpose : "\(purpose).\(part)", effectiveAt: write.now, entries)
        }
    }

    /// The entries that take an amount out of payout: to the member's debt first, then to what is available.
    static func returned(_ amountMinor: Int64, _ unit: UnitCode, to member: MemberID, in write: Write) throws -> [Entry] {
        let debt = try Journal.balance(workspace: write.workspace.id.text, of: .debt(member.text), unit: unit, on: write.connection).minor
        let paidOff = min(max(0, debt), amountMinor)
        var entries = [Entry(.inPayout(member.text), unit, Amount(minor: amountMinor))]
        if paidOff > 0 { entries.append(Entry(.debt(member.text), unit, Amount(minor: -paidOff))) }
        if amountMinor > paidOff { entries.append(Entry(.available(member.text), unit, Amount(minor: paidOff - amountMinor))) }
        return entries
    }

    /// Three entries of an item at most, 1,000 of a posting.
    private static let itemsPerPosting = 300

    /// Moves items' money between two accounts of each member, in postings of at most 1,000 entries.
    func move(
        _ items: [Item], purpose: String, from: (String) -> AccountName, to: (String) -> AccountName, in write: Write
    ) throws {
        var start = 0
        while start < items.count {
            let part = items[start..<min(start + 500, items.count)]
            let entries = part.flatMap { item in
                [
                    Entry(from(item.memberID.text), unit, Amount(minor: item.amountMinor)),
                    Entry(to(item.memberID.text), unit, Amount(minor: -item.amountMinor)),
                ]
            }
            try write.post(
                cause: id.text, purpose: start == 0 ? purpose : "\(purpose).\(start / 500)", effectiveAt: write.now, entries)
            start += 500
        }
    }
}

extension Actor {
    /// The person behind an act: two keys of one operator are one person.
    var person: String {
        switch self {
        case .operator_(let id): id.text
        case .apiKey(_, let id): id.text
        case .command, .system, .member: text
        }
    }
}
