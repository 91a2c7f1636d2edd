import Chronology
import Ledger
import Money
import Persistence
import Rules
import Web

extension Commission {
    /// Takes back the part of each commission that belongs to what was refunded, at every level of the sale; of tiers what their month is
    /// no longer worth. What is paid or spent already becomes a debt, which later commissions pay off first.
    static func reverse(for sale: Sale, cause refund: Refund, in write: Write) throws {
        let places = try UsageStore.takeFromTiers(sale: sale, on: write.connection)
        var excess: [TierPlace: Int64] = [:]
        for place in places {
            let kept = try CommissionStore.kept(in: place, on: write.connection)
            excess[place] = max(0, kept - (try place.worth(on: write.connection).minor))
        }
        var reversal = Reversing(cause: refund.id.text, effectiveAt: refund.occurredAt, write: write)
        let all = try CommissionStore.of(sale: sale.id, on: write.connection).filter(\.state.isTakeable)
        if let program = sale.programID { try Standing.note(all.map(\.memberID), in: program, write) }
        let takeable = all.filter { $0.cause != .manual }
        var backBySplit = try parts(of: takeable, sale)
        // What somebody's hand changed goes on from there.
        let changed = try CorrectionPartStore.last(of: all.map(\.id), on: write.connection)
        for commission in all {
            guard let part = changed[commission.id] else { continue }
            backBySplit[commission.id] = Amount(minor: max(0, commission.keptMinor - (try part.keptMinor(of: sale))))
        }
        for commission in takeable {
            if let place = places.first(where: { $0.rule == commission.ruleID && $0.member == commission.memberID }) {
                let back = min(excess[place] ?? 0, commission.keptMinor)
                excess[place, default: 0] -= back
                try reversal.take(Amount(minor: back), of: commission, sale: sale)
            } else {
                try reversal.take(backBySplit[commission.id] ?? .zero, of: commission, sale: sale)
            }
        }
        try reversal.post(purpose: "reversal", corrects: sale.id.text)
        // What was added by hand was posted by itself, and is corrected by itself.
        for correction in all where correction.cause == .manual {
            try reversal.take(backBySplit[correction.id] ?? .zero, of: correction, sale: sale)
            try reversal.post(purpose: "reversal-\(correction.id.text)", corrects: correction.causeID)
        }
        for place in places {
            if let left = excess[place], left > 0 { try reversal.takeFromOthers(of: place, left) }
        }
    }

    /// What goes back of each with what is refunded of the sale so far: what a rule split among several is rounded once, as it was when given.
    private static func parts(of commissions: [Commission], _ sale: Sale) throws -> [CommissionID: Amount] {
        guard sale.amountMinor > 0 else { return Dictionary(commissions.map { ($0.id, Amount(minor: $0.keptMinor)) }, uniquingKeysWith: { first, _ in first }) }
        var parts: [CommissionID: Amount] = [:]
        let groups = Dictionary(grouping: commissions) { SplitOf(rule: $0.ruleID, version: $0.ruleVersion, purpose: $0.purpose, unit: $0.unit) }
        for group in groups.values {
            let split = group.sorted { ($0.line, $0.memberID.text) < ($1.line, $1.memberID.text) }
            let taken = try Reversal.amounts(
                commissions: split.map { (Amount(minor: $0.amountMinor), Amount(minor: $0.reversedMinor)) },
                refundedTotal: Amount(minor: sale.refundedMinor), saleAmount: Amount(minor: sale.amountMinor))
            for (commission, amount) in zip(split, taken) { parts[commission.id] = amount }
        }
        return parts
    }

    private struct SplitOf: Hashable {
        var rule: RuleID
        var version: Int
        var purpose: Purpose
        var unit: UnitCode
    }

    /// The sale behind a voided commission no longer counts for that member in the tiers of its rule, as if it had come back as a whole: a
    /// true-up would pay what was voided. What the month is then no longer worth is taken from the other sales.
    func leaveTiers(cause: String, in write: Write) throws {
        guard purpose == .reward, let saleID, let sale = try SaleStore.find(saleID, in: workspaceID, on: write.connection),
            let place = try UsageStore.takeFromTiers(sale: sale, on: write.connection).first(where: { $0.rule == ruleID && $0.member == memberID })
        else { return }
        let kept = try CommissionStore.kept(in: place, on: write.connection)
        let excess = try kept - place.worth(on: write.connection).minor
        guard excess > 0 else { return }
        var reversal = Reversing(cause: cause, effectiveAt: write.now, write: write)
        try reversal.takeFromOthers(of: place, excess)
    }
}

/// Gathers what one refund, or one commission that is voided, takes from others.
private struct Reversing {
    let cause: String
    let effectiveAt: Instant
    let write: Write
    private var entries: [Entry] = []

    init(cause: String, effectiveAt: Instant, write: Write) {
        self.cause = cause
        self.effectiveAt = effectiveAt
        self.write = write
    }

    /// Commissions of other sales looked at together.
    private static let pageSize = 200

    /// A lower tier takes back what other sales of the month were given for the higher one: true-ups first, then the newest.
    mutating func takeFromOthers(of place: TierPlace, _ excessMinor: Int64) throws {
        var left = excessMinor
        while left > 0 {
            let page = try CommissionStore.takeable(in: place, limit: Self.pageSize, on: write.connection)
            guard !page.isEmpty else { return }
            for commission in page where left > 0 {
                guard let id = commission.saleID, let sale = try SaleStore.find(id, in: write.workspace.id, on: write.connection) else {
                    throw DatabaseFailure(.corrupt, "the commission \(commission.id) of a tier has no sale")
                }
                let back = min(left, commission.keptMinor)
                left -= back
                try take(Amount(minor: back), of: commission, sale: sale, isOther: true)
                try post(purpose: "reversal-\(commission.id.text)", corrects: sale.id.text)
            }
        }
    }

    /// Takes `back` of a commission. It counts as reversed when nothing of it is left for good: its sale is refunded as a whole, or the
    /// tier it was given for is lost.
    mutating func take(_ back: Amount, of known: Commission, sale: Sale, isOther: Bool = false) throws {
        var commission = known
        let isReversed = commission.keptMinor == back.minor && (isOther || sale.refundedMinor == sale.amountMinor)
        guard back > .zero || isReversed else { return }
        if back > .zero { entries += try commission.entries(taking: back, after: entries, in: write) }
        commission.reversedMinor += back.minor
        try commission.giveBackCap(back, count: isReversed ? 1 : 0, in: write)
        if isReversed { commission.state = .reversed }
        try CommissionStore.update(commission, on: write.connection)
        try write.emit(.commissionReversed, subject: commission.id.text, JSONText(commission.json))
    }

    /// Posts what was taken as a correction of what the sale, or somebody's hand, gave.
    mutating func post(purpose: String, corrects given: String) throws {
        guard !entries.isEmpty else { return }
        let posting = Posting(
            workspace: write.workspace.id.text, cause: given, purpose: "commission", effectiveAt: effectiveAt, entries: [])
        try write.post(cause: cause, purpose: purpose, effectiveAt: effectiveAt, corrects: .partial(of: posting.id), entries)
        entries = []
    }
}

extension Commission {
    /// The entries that take `back` from where the commission lies now, given what this posting takes already.
    func entries(taking back: Amount, after entries: [Entry], in write: Write) throws -> [Entry] {
        let member = memberID.text
        let expense = Entry(.expense(programID.text), unit, try back.negated())
        switch state {
        case .pending: return [Entry(.pending(member), unit, back), expense]
        case .held: return [Entry(.held(member), unit, back), expense]
        default: break
        }
        if state == .approved { try Wallet.restore(self, upTo: back.minor, in: write) }
        let taken = entries.reduce(Int64(0)) { sum, entry in
            entry.account == .available(member) && entry.unit == unit ? sum + entry.amount.minor : sum
        }
        let available = try Journal.balance(workspace: write.workspace.id.text, of: .available(member), unit: unit, on: write.connection)
        // What is owed is a negative balance.
        let free = max(0, -available.minor - taken)
        let fromAvailable = state == .paid ? 0 : min(free, back.minor)
        let debt = back.minor - fromAvailable
        var taking = [expense]
        if fromAvailable > 0 { taking.append(Entry(.available(member), unit, Amount(minor: fromAvailable))) }
        if debt > 0 { taking.append(Entry(.debt(member), unit, Amount(minor: debt))) }
        return taking
    }

    /// What is taken back no longer counts against its rule's cap and the program's budget.
    func giveBackCap(_ back: Amount, count: Int64, in write: Write) throws {
        try ProgramBudget.giveBack(back.minor, of: id.text, program: programID, on: write.connection)
        guard let rule = try RuleStore.version(ruleID, ruleVersion, on: write.connection), let cap = rule.terms.cap,
            let program = try ProgramStore.find(programID, in: workspaceID, at: occurredAt, on: write.connection)
        else { return }
        let place = CapPlace(cap, member: memberID, customer: try buyer(in: write), program: program, at: occurredAt)
        try UsageStore.takeFromCap(
            ruleID, scope: place.scope, period: place.period, unit: unit, amountMinor: cap.counted(back).minor, count: count,
            on: write.connection)
    }

    /// The customer whose act it is for.
    private func buyer(in write: Write) throws -> CustomerID? {
        switch cause {
        case .sale: try saleID.flatMap { try SaleStore.find($0, in: workspaceID, on: write.connection)?.customerID }
        case .lead: try LeadStore.find(LeadID(stored: causeID), in: workspaceID, on: write.connection)?.customerID
        case .click, .manual: nil
        }
    }
}

extension Commission.State {
    var isTakeable: Bool {
        switch self {
        case .pending, .approved, .held, .paid: true
        case .canceled, .reversed, .refused: false
        }
    }
}
