import Chronology
import Money
import Persistence
import Rules

/// What a changed rule would have paid for the facts of last month, beside what the rule as it stands pays for them. Both are worked out by
/// the engine that pays; nothing is posted.
struct RuleEffect: Sendable {
    /// What one wording of the rule gives.
    struct Side: Sendable {
        var unit: UnitCode
        /// Events for which it pays somebody.
        var paidCount: Int64 = 0
        /// Before the cap, and before returns.
        var grossMinor: Int64 = 0
        var withheldMinor: Int64 = 0
        /// What returned goods took back.
        var returnedMinor: Int64 = 0
        /// Rewards for friends, which no ledger account holds.
        var friendCount: Int64 = 0
        var byMember: [MemberID: Int64] = [:]
        var capped: Set<MemberID> = []

        var totalMinor: Int64 { byMember.values.reduce(0) { $0.addingReportingOverflow($1).partialValue } }
    }

    var facts: PastFacts
    var currency: Currency
    var salesCount: Int64 = 0
    var leadsCount: Int64 = 0
    var clicksCount: Int64 = 0
    /// Sales that a plan alone pays (`planExcludesRules`): no rule is worked out on them.
    var planCount: Int64 = 0
    /// What the sales in the program's currency are worth after returns.
    var valueMinor: Int64 = 0
    /// Nil for a new rule.
    var before: Side?
    var after: Side
    /// What the other rules of the program give for the same facts, in the program's currency.
    var othersMinor: Int64 = 0

    /// `rule` is the rule as it stands, nil for a new one; `draft` is what it would become.
    static func reckon(
        _ draft: CommissionRule, replacing rule: Rule?, of program: Program, limits: PastFacts.Limits = PastFacts.Limits(), at now: Instant,
        in installation: Installation
    ) async throws -> RuleEffect? {
        guard let currency = Currency(code: program.currency) else { return nil }
        let (others, facts, wanted) = try await installation.main.read { connection in
            let others = try RuleStore.newestOfAll(in: program.id, on: connection).filter { $0.id != rule?.id && $0.terms.isInForce(at: now) }
            let wanted = PastFacts.Wanted(others.map(\.terms) + [draft] + (rule.map { [$0.terms] } ?? []))
            return (others, try PastFacts.lastMonth(of: program, wanted, limits: limits, at: now, on: connection), wanted)
        }
        let clicks =
            facts.clicksTotal == 0
            ? []
            : try await installation.clicks.read { connection in
                try PastClickStore.newest(
                    of: program, from: facts.from, until: facts.until, expected: facts.clicksTotal, limit: limits.clicksMax, on: connection)
            }
        return try await installation.main.read { [vault = installation.vault] connection in
            func replay(_ terms: CommissionRule, _ id: RuleID?) throws -> RuleReplay {
                try RuleReplay(terms, rule: id, program: program, from: facts.from, on: connection)
            }
            // All rules at once, so that the events pass by once.
            var replays = try [replay(draft, rule?.id)] + (rule.map { [try replay($0.terms, $0.id)] } ?? []) + others.map { try replay($0.terms, $0.id) }
            var effect = RuleEffect(facts: facts, currency: currency, before: nil, after: replays[0].side)
            // Plans change at the borders of days.
            var planDays: [LocalDay: Bool] = [:]
            func isPlans(_ facts: SaleFacts) throws -> Bool {
                let day = program.zone.day(of: facts.occurredAt)
                guard facts.event == .sale, facts.currency == currency else { return false }
                if let known = planDays[day] { return known }
                let covers = try PlanCoverage.plan(covering: facts, of: program, on: connection) != nil
                planDays[day] = covers
                return covers
            }
            func take(_ event: PastEvent) throws {
                guard try !isPlans(event.facts) else {
                    effect.planCount += 1
                    return
                }
                for number in replays.indices { try replays[number].take(event) }
            }
            try facts.forEach(of: program, wanted, vault: vault, on: connection) { event in
                if event.facts.event == .sale {
                    effect.salesCount += 1
                    if event.facts.currency == currency { effect.valueMinor = effect.valueMinor.addingReportingOverflow(event.keptMinor).partialValue }
                } else {
                    effect.leadsCount += 1
                }
                try take(event)
            }
            try facts.forEach(clicks, of: program, wanted, vault: vault, on: connection) { event in
                effect.clicksCount += 1
                try take(event)
            }
            effect.after = replays[0].side
            if rule != nil { effect.before = replays[1].side }
            for other in replays.dropFirst(rule == nil ? 1 : 2) where other.side.unit == .currency(currency) {
                effect.othersMinor = effect.othersMinor.addingReportingOverflow(other.side.totalMinor).partialValue
            }
            return effect
        }
    }
}

/// One rule at work on past events in their order, with caps and tiers of its own.
private struct RuleReplay {
    private let terms: CommissionRule
    private let program: Program
    private var capUse: [CapKey: CapUse] = [:]
    private var volumes: [VolumeKey: Amount] = [:]
    private(set) var side: RuleEffect.Side

    private struct CapKey: Hashable {
        var scope: String
        var period: String
    }

    private struct VolumeKey: Hashable {
        var member: String
        var period: String
        var currency: Currency
    }

    /// `rule` is the rule whose cap may be used in part when the period begins.
    init(_ terms: CommissionRule, rule: RuleID?, program: Program, from: Instant, on connection: any Connection) throws {
        // The wording as if it had always been in force.
        self.terms = try terms.always()
        self.program = program
        side = RuleEffect.Side(unit: terms.reward.unit(in: program))
        if let rule, let cap = terms.cap, cap.period != .day, cap.period != .month {
            capUse = try Self.used(cap, of: rule, unit: side.unit, program: program, from: from, on: connection)
        }
    }

    /// What a cap that began before the period had given by then: its counter, less what came since.
    private static func used(
        _ cap: Cap, of rule: RuleID, unit: UnitCode, program: Program, from: Instant, on connection: any Connection
    ) throws -> [CapKey: CapUse] {
        let period = program.zone.period(PeriodKind(rawValue: cap.period.rawValue) ?? .lifetime, of: from)
        var used: [CapKey: CapUse] = [:]
        for counter in try UsageStore.caps(rule, period: period, unit: unit, on: connection) {
            used[CapKey(scope: counter.scope, period: period)] = CapUse(amount: Amount(minor: counter.amountMinor), count: counter.count)
        }
        for given in try PastFactsStore.given(by: rule, in: program.workspaceID, since: from, on: connection) {
            let place = CapPlace(cap, member: given.member, customer: given.customer, program: program, at: given.occurredAt)
            let key = CapKey(scope: place.scope, period: place.period)
            guard place.period == period, let known = used[key] else { continue }
            used[key] = CapUse(
                amount: Amount(minor: max(0, known.amount.minor - cap.counted(Amount(minor: given.keptMinor)).minor)),
                count: max(0, known.count - (given.keptMinor > 0 ? 1 : 0)))
        }
        return used
    }

    mutating func take(_ event: PastEvent) throws {
        guard terms.event.accepts(event.facts.event) else { return }
        var isTiered = false
        if case .tiered = terms.reward { isTiered = true }
        // Tiers are worth what the table gives for what is left of the month's sales.
        let facts = isTiered && !terms.isPerItem ? event.facts.with(amount: Amount(minor: event.keptMinor)) : event.facts
        let outcome = evaluate(terms, facts: facts, credited: event.credited, accumulatedBefore: volumes(of: event, facts))
        let month = program.zone.period(.month, of: facts.occurredAt)
        for (member, base) in outcome.counted {
            let key = VolumeKey(member: member, period: month, currency: facts.currency)
            volumes[key] = try (volumes[key] ?? .zero).adding(base)
        }
        var isPaid = false
        for line in outcome.lines {
            guard let member = line.payee.memberID.map({ MemberID(stored: $0) }) else {
                side.friendCount += 1
                continue
            }
            guard line.amount > .zero, event.barred[member] == nil else { continue }
            let allowed = try withinCap(line.amount, member: member, event)
            side.grossMinor = side.grossMinor.addingReportingOverflow(line.amount.minor).partialValue
            side.withheldMinor = side.withheldMinor.addingReportingOverflow(line.amount.minor - allowed.minor).partialValue
            if allowed < line.amount { side.capped.insert(member) }
            guard allowed > .zero else { continue }
            var kept = allowed
            if event.refundedMinor > 0, !isTiered || terms.isPerItem {
                let back = try Allocation.proportion(of: allowed, part: event.refundedMinor, whole: event.facts.amount.minor)
                kept = try allowed.subtracting(back)
                side.returnedMinor += back.minor
                giveBack(back, isWhole: kept == .zero, member: member, event)
            }
            side.byMember[member, default: 0] += kept.minor
            isPaid = true
        }
        if isPaid { side.paidCount += 1 }
    }

    private func volumes(of event: PastEvent, _ facts: SaleFacts) -> [String: Amount] {
        guard case .tiered = terms.reward else { return [:] }
        let month = program.zone.period(.month, of: facts.occurredAt)
        return Dictionary(
            Set(event.credited.flatMap { [$0.memberID] + $0.enrollerIDs }).map { id in
                (id, volumes[VolumeKey(member: id, period: month, currency: facts.currency)] ?? .zero)
            }, uniquingKeysWith: { first, _ in first })
    }

    /// What comes back makes room under the cap, as if it had come back before the next sale.
    private mutating func giveBack(_ back: Amount, isWhole: Bool, member: MemberID, _ event: PastEvent) {
        guard let cap = terms.cap else { return }
        let place = CapPlace(cap, member: member, customer: event.customerID, program: program, at: event.facts.occurredAt)
        let key = CapKey(scope: place.scope, period: place.period)
        guard let use = capUse[key] else { return }
        capUse[key] = CapUse(amount: Amount(minor: max(0, use.amount.minor - cap.counted(back).minor)), count: use.count - (isWhole ? 1 : 0))
    }

    private mutating func withinCap(_ amount: Amount, member: MemberID, _ event: PastEvent) throws -> Amount {
        guard let cap = terms.cap else { return amount }
        let place = CapPlace(cap, member: member, customer: event.customerID, program: program, at: event.facts.occurredAt)
        let key = CapKey(scope: place.scope, period: place.period)
        let use = capUse[key] ?? .none
        let allowed = cap.allow(wanted: amount, used: use).allowed
        guard allowed > .zero else { return .zero }
        capUse[key] = CapUse(amount: try use.amount.adding(cap.counted(allowed)), count: use.count + 1)
        return allowed
    }
}

extension RuleEvent {
    fileprivate func accepts(_ event: SaleFacts.EventKind) -> Bool {
        switch self {
        case .click: event == .click
        case .lead: event == .lead
        case .sale, .recurring: event == .sale
        }
    }
}

extension CommissionRule {
    /// The same terms without beginning and end.
    fileprivate func always() throws(RuleFailure) -> CommissionRule {
        try CommissionRule(
            id: id, version: version, event: event, reward: reward, recipient: recipient, level: level, conditions: conditions, months: months,
            isPerItem: isPerItem, cap: cap, effectiveFrom: .earliest)
    }
}

extension RewardTerms {
    /// The unit that the reward is paid in; that of the program where it is a part of a sale, or nothing that a ledger holds.
    func unit(in program: Program) -> UnitCode {
        switch self {
        case .flat(_, let currency): .currency(currency)
        case .credit(_, let currency): .credit(currency)
        case .points(_, let unit): unit
        default: Currency(code: program.currency).map { .currency($0) } ?? .points
        }
    }
}

extension SaleFacts {
    fileprivate func with(amount: Amount) -> SaleFacts {
        var facts = SaleFacts(
            event: event, occurredAt: occurredAt, programCurrency: programCurrency, currency: currency, amount: amount, country: country,
            couponUsed: couponUsed, customerIsNew: customerIsNew, saleNumber: saleNumber, monthsSinceFirstSale: monthsSinceFirstSale, items: items,
            metadata: metadata, memberTotals: memberTotals)
        facts.memberGroups = memberGroups
        facts.memberTiers = memberTiers
        facts.memberVariants = memberVariants
        return facts
    }
}
