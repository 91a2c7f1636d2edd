import Chronology
import Money
import Persistence
import Web

/// Takes entries in, one after the other, in one transaction.
struct ReconciliationRun {
    let write: Write
    let seal: ReconciliationEntry.Seal
    let file: ReconciliationID
    let format: BankFile.Format
    private(set) var summary = ReconciliationSummary()
    private var payouts: [PayoutID: Payout] = [:]
    private var told: [PayoutID: [MemberID: Set<BankEntry.Meaning>]] = [:]
    private var touched: Set<PayoutID> = []
    private var shortened: [String: PayoutID?] = [:]
    private var amounts: [String: Bool] = [:]

    init(_ file: ReconciliationID, _ format: BankFile.Format, seal: ReconciliationEntry.Seal, in write: Write) {
        (self.file, self.format, self.seal, self.write) = (file, format, seal, write)
    }

    /// Differences looked at again after an entry fitted.
    private static let differencesMax = 200
    private static let turnsMax = 10

    mutating func take(_ entries: [BankFile.Numbered]) throws {
        let known = try ReconciliationStore.known(entries.map(\.identity), in: write.workspace.id, on: write.connection)
        for numbered in entries {
            if known.contains(numbered.identity) {
                summary.known += 1
            } else {
                try take(numbered)
            }
        }
        try lookAgain()
    }

    private mutating func take(_ numbered: BankFile.Numbered) throws {
        var entry = numbered.entry
        let target = try target(of: entry)
        // A credit that names a payment of ours is that payment coming back.
        if entry.meaning == .other, target != nil { entry.meaning = .returned }
        var row = ReconciliationEntry(
            id: write.world.newID(), reconciliationID: file, entry: entry, state: .ignored, hasPayload: false, createdAt: write.now)
        let verdict: ReconciliationVerdict?
        if let target {
            row.payoutID = target.payout
            if case .line(_, let member) = target { row.memberID = member }
            row.entry.isBatch = row.memberID == nil
            verdict = try told(judge(row.entry, target), of: row)
            row.take(verdict)
        } else {
            verdict = nil
            row.state = entry.meaning == .other ? .ignored : .unmatched
        }
        // Other people's money that came in is none of our business, unless a person may yet see a payment of ours in it.
        let isKept = try row.state != .ignored || mayBeReturn(entry)
        let payload = isKept ? ReconciliationEntry.payload(entry) : nil
        let sealed = try payload.map { try sealPayload($0, of: &row) }
        let expiresAt = try write.world.now().adding(milliseconds: ReconciliationEntry.payloadKeptMs)
        try ReconciliationStore.insert(
            row, identity: numbered.identity, payload: sealed, expiresAt: expiresAt, in: write.workspace.id, on: write.connection)
        let changes = try apply(verdict, of: row)
        summary.add(row, changes, amounts: changes.compactMap { change in amount(of: change.memberID, in: row.payoutID) })
    }

    private func sealPayload(_ plain: [UInt8], of row: inout ReconciliationEntry) throws -> [UInt8] {
        if let member = try row.memberID.flatMap({ try MemberStore.find($0, in: write.workspace.id, on: write.connection) }),
            let key = try PersonStore.key(of: member.personID, vault: write.vault, on: write.connection)
        {
            row.personID = member.personID
            return try Vault.seal(plain, under: key, for: row.id.text)
        }
        return try seal.seal(plain, for: row.id.text)
    }

    // MARK: Whose it is

    /// The payment or batch that an entry names; nil when it names none, or more than one.
    private mutating func target(of entry: BankEntry) throws -> Payout.Target? {
        for text in entry.references {
            var lines: Set<Payout.Target> = []
            var batches: Set<Payout.Target> = []
            for reference in PaymentReference.all(in: text) {
                guard let target = try target(reference) else { continue }
                if case .line = target { lines.insert(target) } else { batches.insert(target) }
            }
            if lines.count == 1 { return lines.first }
            if lines.isEmpty, batches.count == 1, entry.isBatch || !format.isXML { return batches.first }
        }
        return nil
    }

    private mutating func target(_ reference: PaymentReference) throws -> Payout.Target? {
        switch reference {
        case .batch(let id): return try payout(id).map { .batch($0.id) }
        case .number(let id, let number):
            guard let payout = try payout(id), number <= payout.items.count else { return nil }
            return .line(id, payout.items[number - 1].memberID)
        case .short(let signs, let number):
            guard let id = try payout(endingIn: signs) else { return nil }
            return try target(.number(id, number))
        case .member(let id, let member):
            guard let payout = try payout(id), payout.items.contains(where: { $0.memberID == member }) else { return nil }
            return .line(id, member)
        case .railLine(let text):
            guard let line = RailLineID(text), let payment = try RailLineStore.payment(line, in: write.workspace.id, on: write.connection),
                try payout(payment.payout) != nil
            else { return nil }
            return .line(payment.payout, payment.member)
        }
    }

    private mutating func payout(_ id: PayoutID) throws -> Payout? {
        if let known = payouts[id] { return known }
        let found = try PayoutStore.find(id, in: write.workspace.id, on: write.connection)
        payouts[id] = found
        return found
    }

    private mutating func payout(endingIn signs: String) throws -> PayoutID? {
        if let known = shortened[signs] { return known }
        let found = try ReconciliationStore.filed(endingIn: signs, in: write.workspace.id, on: write.connection)
        shortened[signs] = .some(found)
        return found
    }

    /// Whether a credit without a reference may be a payment that came back: one of ours has its amount.
    private mutating func mayBeReturn(_ entry: BankEntry) throws -> Bool {
        let key = "\(entry.amountMinor ?? 0) \(entry.currency ?? "")"
        if let known = amounts[key] { return known }
        let isOne = try !ReconciliationListStore.candidates(for: entry, in: write.workspace.id, limit: 1, on: write.connection).isEmpty
        amounts[key] = isOne
        return isOne
    }

    // MARK: What it means

    private mutating func judge(_ entry: BankEntry, _ target: Payout.Target) throws -> ReconciliationVerdict? {
        guard let payout = try payout(target.payout) else { return nil }
        if told[payout.id] == nil { told[payout.id] = try ReconciliationStore.evidence(of: payout.id, on: write.connection) }
        switch target {
        case .batch: return .ofBatch(entry, payout, told: told[payout.id] ?? [:])
        case .line(_, let member):
            guard let item = payout.items.first(where: { $0.memberID == member }) else { return nil }
            return .ofLine(entry, item, payout, told: told[payout.id]?[member] ?? [])
        }
    }

    /// The same charge or return in a file of another format is the same. As many as the other format told are retold, and no more.
    private func told(_ verdict: ReconciliationVerdict?, of row: ReconciliationEntry) throws -> ReconciliationVerdict? {
        guard case .difference(let found)? = verdict, found == .bookedTwice || found == .returnedTwice, let payout = row.payoutID else { return verdict }
        let told = try ReconciliationStore.told(row.entry.meaning, payout, row.memberID, on: write.connection).filter { telling in
            telling.day == nil || row.entry.bookedOn == nil || telling.day == row.entry.bookedOn
        }
        let counts = Dictionary(told.map { ($0.format, 1) }, uniquingKeysWith: +)
        let others = counts.filter { $0.key != format }.values.max() ?? 0
        return counts[format] ?? 0 < others ? .matched([]) : verdict
    }

    /// Does what a verdict says; answers the payments that changed.
    @discardableResult
    private mutating func apply(_ verdict: ReconciliationVerdict?, of row: ReconciliationEntry) throws -> [Change] {
        guard case .matched(let effects)? = verdict, let id = row.payoutID, let payout = payouts[id] else { return [] }
        let numbers = Dictionary(payout.items.enumerated().map { ($1.memberID, $0 + 1) }, uniquingKeysWith: { first, _ in first })
        let changes = effects.compactMap { effect in effect.result.map { Change(memberID: effect.memberID, result: $0) } }
        if !changes.isEmpty {
            let outcomes = changes.map { change in
                PayoutOutcome(memberID: change.memberID, result: change.result, reference: row.entry.evidence(number: numbers[change.memberID] ?? 0, row.id))
            }
            payouts[id] = try Payout.record(outcomes, of: id, in: write)
            touched.insert(id)
        }
        for effect in effects {
            try ReconciliationStore.addEvidence(
                row.id, id, effect.memberID, row.entry.meaning, isChange: effect.result != nil, on: write.connection)
            told[id, default: [:]][effect.memberID, default: []].insert(row.entry.meaning)
        }
        if !effects.isEmpty { touched.insert(id) }
        return changes
    }

    struct Change: Sendable {
        var memberID: MemberID
        var result: PayoutOutcome.Result
    }

    /// What did not fit may fit now that more is known: a debit that came before the rejection that explains its amount.
    private mutating func lookAgain() throws {
        var turn = 0
        while !touched.isEmpty, turn < Self.turnsMax {
            turn += 1
            let ids = touched.sorted()
            touched = []
            for id in ids {
                for row in try ReconciliationStore.differences(of: id, limit: Self.differencesMax, on: write.connection) {
                    let target: Payout.Target = row.memberID.map { .line(id, $0) } ?? .batch(id)
                    guard let verdict = try judge(row.entry, target), case .matched = verdict else { continue }
                    var settled = row
                    settled.take(verdict)
                    try ReconciliationStore.settle(settled, on: write.connection)
                    let changes = try apply(verdict, of: settled)
                    summary.resolved += 1
                    summary.count(changes, amounts: changes.compactMap { change in amount(of: change.memberID, in: id) })
                }
            }
        }
    }

    private func amount(of member: MemberID, in payout: PayoutID?) -> (unit: String, minor: Int64)? {
        guard let payout = payout.flatMap({ payouts[$0] }), let item = payout.items.first(where: { $0.memberID == member }) else { return nil }
        return (payout.unit.code, item.amountMinor)
    }

    // MARK: By hand

    /// Says what an open entry is about. Amount and currency must fit to the cent all the same.
    mutating func assign(_ id: ReconciliationEntryID, to payoutID: PayoutID, _ member: MemberID) throws -> ReconciliationEntry {
        guard var row = try ReconciliationStore.find(id, in: write.workspace.id, on: write.connection) else { throw Refusal.unknown("entry") }
        if row.state == .matched, row.payoutID == payoutID, row.memberID == member { return row }
        guard row.state.mayBeAssigned || row.state == .setAside else { throw row.notOpen }
        guard let payout = try payout(payoutID) else { throw Refusal.unknown("payout", field: "payoutId") }
        guard payout.items.contains(where: { $0.memberID == member }) else { throw Refusal.unknown("member", field: "memberId") }
        if row.entry.meaning == .other { row.entry.meaning = .returned }
        let verdict = try judge(row.entry, .line(payoutID, member))
        if case .difference(let difference)? = verdict {
            throw Problem.conflict(code: "does_not_fit", detail: "The entry does not fit this payment: \(difference.sentence)")
        }
        (row.payoutID, row.memberID) = (payoutID, member)
        row.take(verdict)
        (row.decidedBy, row.decidedAt, row.decisionReason) = (write.actor.person, write.now, nil)
        try ReconciliationStore.settle(row, on: write.connection)
        try moveUnderPerson(row, member)
        try apply(verdict, of: row)
        try write.audit("reconciliation.assign", subject: id.text, JSONText(["payoutId": .text(payoutID.text), "memberId": .text(member.text)]))
        try lookAgain()
        return row
    }

    private func moveUnderPerson(_ row: ReconciliationEntry, _ member: MemberID) throws {
        guard let sealed = try ReconciliationStore.payload(row.id, on: write.connection), row.personID == nil,
            let found = try MemberStore.find(member, in: write.workspace.id, on: write.connection),
            let key = try PersonStore.key(of: found.personID, vault: write.vault, on: write.connection)
        else { return }
        let plain = try seal.open(sealed, for: row.id.text)
        try ReconciliationStore.setPayload(row.id, try Vault.seal(plain, under: key, for: row.id.text), person: found.personID, on: write.connection)
    }
}

extension ReconciliationEntry {
    mutating func take(_ verdict: ReconciliationVerdict?) {
        difference = nil
        switch verdict {
        case .matched?: state = .matched
        case .noted?: state = .noted
        case .difference(let found)?: (state, difference) = (.difference, found)
        case nil: state = .unmatched
        }
    }

    var notOpen: Problem {
        .conflict(code: "entry_settled", detail: "This entry is \(state.rawValue): there is nothing to decide about it.")
    }

    /// Says that there is nothing to do about an entry, and why.
    static func setAside(_ id: ReconciliationEntryID, reason: String, in write: Write) throws -> ReconciliationEntry {
        guard var row = try ReconciliationStore.find(id, in: write.workspace.id, on: write.connection) else { throw Refusal.unknown("entry") }
        if row.state == .setAside, row.decisionReason == reason { return row }
        guard row.state.isOpen else { throw row.notOpen }
        (row.state, row.difference, row.decisionReason) = (.setAside, nil, reason)
        (row.decidedBy, row.decidedAt) = (write.actor.person, write.now)
        try ReconciliationStore.settle(row, on: write.connection)
        try write.audit("reconciliation.set_aside", subject: id.text)
        return row
    }
}

extension BankEntry {
    /// What stands at the payment as its evidence: the bank's own reference and the payment's number, which no other payment of the batch has.
    fileprivate func evidence(number: Int, _ id: ReconciliationEntryID) -> String {
        let said = bankReference ?? [status, bookedOn?.iso8601, id.text].compactMap { $0 }.joined(separator: " ")
        let digits = String(number)
        return "\(said.prefix(150)) #\(String(repeating: "0", count: max(0, 6 - digits.count)))\(digits)"
    }
}

extension ReconciliationEntry.Difference {
    /// For programs and the command line.
    var sentence: String {
        switch self {
        case .amountDiffers: "its amount is another."
        case .currencyDiffers: "its currency is another."
        case .amountMissing: "it has no amount."
        case .batchAmountDiffers: "its amount is not the sum of the payments that it can be about."
        case .bookedTwice: "the account was charged for this payment already."
        case .returnedTwice: "this payment came back already."
        case .paidAfterFailed: "the payment had failed."
        case .rejectedAfterPaid: "the payment had been made."
        case .notSent: "the payment has not been handed over yet."
        case .leftOut: "the payment was left out of its batch."
        }
    }
}
