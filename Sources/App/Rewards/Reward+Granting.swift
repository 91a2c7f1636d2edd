import Chronology
import Money
import Persistence
import Rules
import Web

extension Reward {
    struct Granted {
        var reward: Reward?
        /// Why nothing, or nothing to somebody, is given.
        var refusals: [JSONValue] = []
    }

    /// Writes down what a rule gives that is no money, within the rule's cap. It cannot be split: of several credited members it goes to the
    /// one with the largest share.
    static func grant(
        _ outcome: RuleOutcome, of rule: Rule, _ occasion: Commission.Occasion, credited: [CreditedMember], barred: [MemberID: PayBar],
        in write: Write
    ) throws -> Granted {
        var granted = Granted()
        var receivers: [MemberID?] = []
        for refusal in outcome.refusals {
            if case .notPayable = refusal.reason {
                receivers.append(refusal.memberID.map { MemberID(stored: $0) })
            } else {
                granted.refusals.append(refusal.json(rule: rule))
            }
        }
        guard !receivers.isEmpty else { return granted }
        let side: Side = rule.terms.recipient == .friend ? .friend : .member
        let member: MemberID
        if side == .friend {
            guard occasion.customerID != nil, let sharer = FriendAccount.sharer(credited) else {
                granted.refusals.append(rule.friendRefusal("friendUnknown"))
                return granted
            }
            if let bar = barred[sharer] {
                granted.refusals.append(rule.friendRefusal(FriendAccount.refusal(bar)))
                return granted
            }
            member = sharer
        } else {
            let shares = shares(credited, level: rule.terms.level)
            let ranked = receivers.compactMap { $0 }.enumerated().sorted { (-(shares[$0.element] ?? 0), $0.offset) < (-(shares[$1.element] ?? 0), $1.offset) }
            let open = ranked.map(\.element).filter { barred[$0] == nil }
            for (_, barredMember) in ranked {
                if let bar = barred[barredMember] { granted.refusals.append(rule.barRefusal(member: barredMember, bar, wanted: 0)) }
            }
            guard let first = open.first else { return granted }
            for other in open.dropFirst() { granted.refusals.append(rule.indivisibleRefusal(other)) }
            member = first
        }
        // Whoever may choose may take the dearest: so much is kept for it, and the rest given back at the choice.
        let value = try ([rule.terms.reward] + rule.choices).compactMap { try worth($0, in: write) }.max()
        let unit = UnitCode.currency(occasion.facts.programCurrency)
        let budget = ProgramBudget(occasion, unit: unit)
        if let budget, try budget.left(on: write.connection).minor < max(value ?? 0, 1) {
            granted.refusals.append(rule.budgetRefusal(wanted: value ?? 0, allowed: 0, unit: unit, budget.limit))
            return granted
        }
        guard try isWithinCap(rule, value: value ?? 0, member: member, occasion, in: write) else {
            granted.refusals.append(rule.capRefusal(member: member, wanted: value ?? 0, allowed: 0, unit: unit))
            return granted
        }
        let holdUntil = try occasion.facts.occurredAt.adding(milliseconds: occasion.program.settings.holdDays * 86_400_000)
        let reward = Reward(
            id: write.world.newID(), workspaceID: write.workspace.id, programID: occasion.program.id, ruleID: rule.id, ruleVersion: rule.terms.version,
            cause: occasion.cause, causeID: occasion.causeID, saleID: occasion.saleID, side: side, memberID: member, customerID: occasion.customerID,
            terms: JSONText(rule.document["reward"] ?? .null), choices: JSONText(rule.document["choices"] ?? []),
            isChecked: rule.document["check"] == .boolean(true), valueMinor: value, unit: unit, holdUntil: holdUntil, dueAt: holdUntil,
            occurredAt: occasion.facts.occurredAt, recordedAt: write.now)
        try RewardStore.insert(reward, on: write.connection)
        try budget?.take(value ?? 0, for: reward.id.text, on: write.connection)
        granted.reward = reward
        return granted
    }

    /// What leads to each member of a level.
    private static func shares(_ credited: [CreditedMember], level: Int) -> [MemberID: Int] {
        var shares: [MemberID: Int] = [:]
        for member in credited {
            guard let id = level == 0 ? member.memberID : member.enrollerIDs.dropFirst(level - 1).first else { continue }
            shares[MemberID(stored: id), default: 0] += member.share.ppm
        }
        return shares
    }

    /// What it is worth in the program's currency, where that is known.
    static func worth(_ terms: RewardTerms, in write: Write) throws -> Int64? {
        if case .credit(let amount, _) = terms { return amount.minor }
        guard case .coupon(let id) = terms else { return terms.valueMinor }
        return try CouponStore.find(CouponID(stored: id), in: write.workspace.id, on: write.connection)?.amountMinor
    }

    /// Counts it against its rule's cap, whole or not at all.
    private static func isWithinCap(_ rule: Rule, value: Int64, member: MemberID, _ occasion: Commission.Occasion, in write: Write) throws -> Bool {
        guard let cap = rule.terms.cap else { return true }
        let place = CapPlace(cap, member: member, customer: occasion.customerID, program: occasion.program, at: occasion.facts.occurredAt)
        let unit = UnitCode.currency(occasion.facts.programCurrency)
        let used = try UsageStore.cap(rule.id, scope: place.scope, period: place.period, unit: unit, on: write.connection)
        // What has no known value counts as the least there is, so that a used-up cap lets nothing through.
        let wanted = Amount(minor: max(value, 1))
        guard cap.allow(wanted: wanted, used: CapUse(amount: Amount(minor: used.amountMinor), count: used.count)).allowed == wanted else { return false }
        try UsageStore.addToCap(
            rule.id, scope: place.scope, period: place.period, unit: unit, amountMinor: cap.counted(Amount(minor: value)).minor, count: 1,
            on: write.connection)
        return true
    }

    /// What comes to nothing no longer counts against its rule's cap and the program's budget.
    func giveBackCap(in write: Write) throws { try giveBack(valueMinor ?? 0, count: 1, in: write) }

    /// So much less counts against its rule's cap and the program's budget.
    func giveBack(_ minor: Int64, count: Int64, in write: Write) throws {
        try ProgramBudget.giveBack(minor, of: id.text, program: programID, on: write.connection)
        guard let rule = try RuleStore.version(ruleID, ruleVersion, on: write.connection), let cap = rule.terms.cap,
            let program = try ProgramStore.find(programID, in: workspaceID, at: occurredAt, on: write.connection), let currency = Currency(code: program.currency)
        else { return }
        let place = CapPlace(cap, member: memberID, customer: customerID, program: program, at: occurredAt)
        try UsageStore.takeFromCap(
            ruleID, scope: place.scope, period: place.period, unit: .currency(currency), amountMinor: cap.counted(Amount(minor: minor)).minor, count: count,
            on: write.connection)
    }
}

extension Rule {
    func indivisibleRefusal(_ member: MemberID) -> JSONValue {
        [
            "ruleId": .text(id.text), "version": .integer(Int64(terms.version)), "rule": .text(name), "memberId": .text(member.text),
            "reason": "indivisible",
        ]
    }
}
