import Attribution
import Chronology
import Ledger
import Money
import Persistence
import Rules
import Web

extension Commission {
    struct Earned {
        var commissions: [Commission] = []
        /// Why rules paid nothing, for the receipt.
        var refusals: [JSONValue] = []
        /// What rules gave that is no money.
        var rewards: [Reward] = []
    }

    /// What is needed to apply rules to one event.
    struct Occasion {
        var cause: Cause
        var causeID: String
        var saleID: SaleID?
        var customerID: CustomerID?
        var facts: SaleFacts
        var credit: Credit
        var program: Program
    }

    /// Applies a program's rules to a sale, within their caps, and posts what they give.
    /// `code`: the code that the sale named, if we know it.
    static func earn(for sale: Sale, input: NewSale, code: Link?, program: Program, credit: Credit, in write: Write) throws -> Earned {
        guard let programCurrency = Currency(code: program.currency) else { return Earned() }
        let rules = try RuleStore.all(of: program.id, on: write.connection)
        guard !rules.isEmpty else { return Earned() }
        let first = try SaleStore.firstSaleAt(of: sale.customerID, in: program.id, on: write.connection) ?? sale.occurredAt
        let needsTotals = rules.contains { $0.terms.conditions.leaves.contains { if case .memberTotal = $0.field { true } else { false } } }
        let facts = SaleFacts(
            event: .sale, occurredAt: sale.occurredAt, programCurrency: programCurrency, currency: sale.currency,
            amount: Amount(minor: sale.amountMinor), country: sale.country, couponUsed: code.flatMap { $0.coupon(in: program) },
            customerIsNew: try input.newCustomer ?? (sale.saleNumber == 1 && !SaleStore.hasOther(than: sale.customerID, on: write.connection)), saleNumber: sale.saleNumber,
            monthsSinceFirstSale: program.zone.day(of: first).wholeMonths(until: program.zone.day(of: sale.occurredAt)),
            items: sale.items.map {
                SaleItem(sku: $0.sku, category: $0.category, quantity: $0.quantity, amount: Amount(minor: $0.amountMinor))
            },
            metadata: Dictionary(input.metadata.compactMap { member in member.value.fact.map { (member.name, $0) } }, uniquingKeysWith: { first, _ in first }),
            memberTotals: needsTotals ? try totals(credit, program: program, in: write) : [:])
        return try earn(
            Occasion(
                cause: .sale, causeID: sale.id.text, saleID: sale.id, customerID: sale.customerID, facts: facts, credit: credit, program: program),
            rules: rules, in: write)
    }

    /// What everybody who might be paid has sold before, zero included: a condition on a total needs a number.
    private static func totals(_ credit: Credit, program: Program, in write: Write) throws -> [String: [String: Int64]] {
        var people: Set<MemberID> = []
        for member in credit.creditedMembers {
            people.insert(member.memberID)
            people.formUnion(try MemberStore.enrollers(above: member.memberID, limit: CommissionRule.levelLimit, on: write.connection))
        }
        let sold = try CreditStore.totals(of: people.sorted(), in: program, on: write.connection)
        return Dictionary(people.map { ($0.text, sold[$0.text] ?? ["sales": 0, "amount": 0]) }, uniquingKeysWith: { first, _ in first })
    }

    /// Applies the rules in force at the event.
    static func earn(_ occasion: Occasion, rules: [Rule], in write: Write) throws -> Earned {
        var earned = Earned()
        let byRule = Dictionary(grouping: rules, by: \.id).sorted { $0.key < $1.key }
        var inForce = byRule.compactMap { _, versions -> Rule? in
            guard let terms = CommissionRule.version(of: versions.map(\.terms), inForceAt: occasion.facts.occurredAt) else { return nil }
            return versions.first { $0.terms.version == terms.version }
        }.filter { $0.terms.event.rawValue == occasion.cause.rawValue || ($0.terms.event == .recurring && occasion.cause == .sale) }
        guard !inForce.isEmpty else { return earned }
        // By level first, as commissions are listed: the first answer and every later one have the same order.
        inForce.sort { ($0.terms.level, $0.id) < ($1.terms.level, $1.id) }
        if let plan = try PlanCoverage.plan(covering: occasion.facts, of: occasion.program, on: write.connection) {
            earned.refusals = inForce.map { $0.planRefusal(plan) }
            return earned
        }
        let depth = inForce.map(\.terms.level).max() ?? 0
        let credited = try credited(occasion.credit, depth: depth, in: write)
        if !credited.isEmpty, let refused = try FriendEligibility.refused(occasion, credited: credited, in: write) {
            earned.refusals = inForce.map { $0.eligibilityRefusal(refused) }
            return earned
        }
        var occasion = occasion
        let wanted = MemberFacts.Wanted(inForce.map(\.terms.conditions))
        if wanted.isAny {
            let people = Set(credited.flatMap { [$0.memberID] + $0.enrollerIDs }).sorted().map { MemberID(stored: $0) }
            try MemberFacts.load(wanted, of: people, in: occasion.program.id, at: occasion.facts.occurredAt, on: write.connection).add(to: &occasion.facts)
        }
        let barred = try PayBar.of(
            credited.flatMap { [$0.memberID] + $0.enrollerIDs }.map { MemberID(stored: $0) }, customer: occasion.customerID, in: write)
        for rule in inForce {
            try apply(rule, to: occasion, credited: credited, barred: barred, earned: &earned, in: write)
        }
        try post(earned.commissions, occasion, in: write)
        for commission in earned.commissions {
            try write.emit(.commissionCreated, subject: commission.id.text, JSONText(commission.json))
            let isFriends = inForce.contains { $0.id == commission.ruleID && $0.terms.recipient == .friend }
            try commission.tellReward(isFriends ? .friend : .member, customer: occasion.customerID, in: write)
        }
        return earned
    }

    /// Points and credit are rewards beside money.
    private func tellReward(_ side: Reward.Side, customer: CustomerID?, in write: Write) throws {
        let kind: String
        switch unit.kind {
        case .currency: return
        case .credit: kind = "credit"
        case .points: kind = "points"
        }
        try write.emit(
            .rewardIssued, subject: id.text,
            JSONText([
                "rewardId": .null, "commissionId": .text(id.text), "side": .text(side.rawValue), "memberId": .text(memberID.text),
                "customerId": customer.map { .text($0.text) } ?? .null, "programId": .text(programID.text), "saleId": saleID.map { .text($0.text) } ?? .null, "kind": .text(kind), "amount": .integer(amountMinor), "unit": .text(unit.code),
            ]))
    }

    /// The shares one by one: a member's codes may bring different rates.
    private static func credited(_ credit: Credit, depth: Int, in write: Write) throws -> [CreditedMember] {
        var enrollers: [String: [String]] = [:]
        if depth > 0 {
            for id in Set(credit.decision.shares.map(\.memberID)) {
                enrollers[id] = try MemberStore.enrollers(above: MemberID(stored: id), limit: depth, on: write.connection).map(\.text)
            }
        }
        return credit.decision.shares.map { share in
            CreditedMember(
                memberID: share.memberID, share: share.share, enrollerIDs: enrollers[share.memberID] ?? [], rateOverride: share.rateOverride)
        }
    }

    private static func apply(
        _ rule: Rule, to occasion: Occasion, credited: [CreditedMember], barred: [MemberID: PayBar], earned: inout Earned, in write: Write
    ) throws {
        let outcome = evaluate(
            rule.terms, facts: occasion.facts, credited: credited, accumulatedBefore: try accumulated(rule, occasion, credited, in: write))
        try count(outcome, of: rule, occasion, in: write)
        if rule.terms.reward.isGivenApart {
            let granted = try Reward.grant(outcome, of: rule, occasion, credited: credited, barred: barred, in: write)
            if let reward = granted.reward { earned.rewards.append(reward) }
            earned.refusals += granted.refusals
            return
        }
        for refusal in outcome.refusals { earned.refusals.append(refusal.json(rule: rule)) }
        for (position, line) in outcome.lines.enumerated() {
            guard line.amount.minor > 0 else { continue }
            let member: MemberID
            switch line.payee {
            case .member(let id):
                member = MemberID(stored: id)
                if let bar = barred[member] {
                    earned.refusals.append(rule.barRefusal(member: member, bar, wanted: line.amount.minor))
                    continue
                }
            case .friend:
                switch try FriendAccount.payee(occasion, credited: credited, barred: barred, in: write) {
                case .member(let id): member = id
                case .refused(let reason):
                    earned.refusals.append(rule.friendRefusal(reason))
                    continue
                }
            }
            let budget = ProgramBudget(occasion, unit: line.unit)
            let wanted = try budget.map { min(line.amount, try $0.left(on: write.connection)) } ?? line.amount
            if let budget, wanted < line.amount {
                earned.refusals.append(rule.budgetRefusal(wanted: line.amount.minor, allowed: wanted.minor, unit: line.unit, budget.limit))
            }
            guard wanted > .zero else { continue }
            guard let allowed = try withinCap(wanted, rule: rule, member: member, occasion: occasion, unit: line.unit, in: write) else {
                earned.refusals.append(rule.capRefusal(member: member, wanted: line.amount.minor, allowed: 0, unit: line.unit))
                continue
            }
            if allowed < wanted { earned.refusals.append(rule.capRefusal(member: member, wanted: line.amount.minor, allowed: allowed.minor, unit: line.unit)) }
            let commission = Commission(
                id: write.world.newID(), workspaceID: write.workspace.id, programID: occasion.program.id, cause: occasion.cause,
                causeID: occasion.causeID, saleID: occasion.saleID, memberID: member, ruleID: rule.id, ruleVersion: rule.terms.version,
                line: position, purpose: Purpose(rawValue: line.purpose.rawValue) ?? .reward, level: line.level, baseMinor: line.base?.minor ?? 0, rate: line.rate?.text, sharePPM: line.share.ppm,
                unit: line.unit, amountMinor: allowed.minor, state: .pending,
                holdUntil: try occasion.facts.occurredAt.adding(milliseconds: occasion.program.settings.holdDays * 86_400_000),
                explanation: line.explanation(allowed: allowed, isCutByBudget: wanted < line.amount), occurredAt: occasion.facts.occurredAt, recordedAt: write.now)
            try CommissionStore.insert(commission, on: write.connection)
            try budget?.take(allowed.minor, for: commission.id.text, on: write.connection)
            earned.commissions.append(commission)
        }
    }

    private static func accumulated(
        _ rule: Rule, _ occasion: Occasion, _ credited: [CreditedMember], in write: Write
    ) throws -> [String: Amount] {
        guard case .tiered = rule.terms.reward else { return [:] }
        var before: [String: Amount] = [:]
        for id in Set(credited.flatMap { [$0.memberID] + $0.enrollerIDs }) {
            before[id] = try Amount.sum(
                UsageStore.tier(occasion.tierPlace(rule, id), on: write.connection).map { Amount(minor: $0.baseMinor) })
        }
        return before
    }

    /// What a sale adds to the tiers, also where it pays nothing yet.
    private static func count(_ outcome: RuleOutcome, of rule: Rule, _ occasion: Occasion, in write: Write) throws {
        guard let sale = occasion.saleID else { return }
        for (member, base) in outcome.counted.sorted(by: { $0.key < $1.key }) where base > .zero {
            try UsageStore.insertTierEntry(
                sale: sale, occasion.tierPlace(rule, member), version: rule.terms.version, baseMinor: base.minor, on: write.connection)
        }
    }

    /// What a cap lets through, counted at once; nil when it is used up.
    private static func withinCap(
        _ amount: Amount, rule: Rule, member: MemberID, occasion: Occasion, unit: UnitCode, in write: Write
    ) throws -> Amount? {
        guard let cap = rule.terms.cap else { return amount }
        let place = CapPlace(cap, member: member, customer: occasion.customerID, program: occasion.program, at: occasion.facts.occurredAt)
        let used = try UsageStore.cap(rule.id, scope: place.scope, period: place.period, unit: unit, on: write.connection)
        let decision = cap.allow(wanted: amount, used: CapUse(amount: Amount(minor: used.amountMinor), count: used.count))
        guard decision.allowed > .zero else { return nil }
        try UsageStore.addToCap(
            rule.id, scope: place.scope, period: place.period, unit: unit, amountMinor: cap.counted(decision.allowed).minor, count: 1,
            on: write.connection)
        return decision.allowed
    }

    /// One posting for all that an event gave: expense against what is owed to each member, pending.
    private static func post(_ commissions: [Commission], _ occasion: Occasion, in write: Write) throws {
        guard !commissions.isEmpty else { return }
        var entries: [Entry] = []
        for commission in commissions {
            entries.append(
                Entry(.expense(occasion.program.id.text), commission.unit, Amount(minor: commission.amountMinor)))
            entries.append(
                Entry(
                    .pending(commission.memberID.text), commission.unit, try Amount(minor: commission.amountMinor).negated()))
        }
        try write.post(cause: occasion.causeID, purpose: "commission", effectiveAt: occasion.facts.occurredAt, entries)
    }
}

extension Commission.Occasion {
    fileprivate func tierPlace(_ rule: Rule, _ member: String) -> TierPlace {
        TierPlace(
            rule: rule.id, member: MemberID(stored: member), period: program.zone.period(.month, of: facts.occurredAt),
            unit: .currency(facts.currency))
    }
}

extension Cap {
    /// What a commission adds to the cap's amount: nothing where the cap only counts, so that no sum overflows.
    func counted(_ amount: Amount) -> Amount {
        if case .amount = limit { amount } else { .zero }
    }
}

/// Which counter a cap looks at.
struct CapPlace {
    let scope: String
    let period: String

    init(_ cap: Cap, member: MemberID, customer: CustomerID?, program: Program, at instant: Instant) {
        scope =
            switch cap.per {
            case .customer: customer?.text ?? ""
            case .member: member.text
            case .program: ""
            }
        period = program.zone.period(PeriodKind(rawValue: cap.period.rawValue) ?? .lifetime, of: instant)
    }
}
