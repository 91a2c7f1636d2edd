internal import Chronology
public import Money

/// The most members who can share the credit of one sale.
public let creditedMembersLimit = 1_000

/// What `rule` pays for one click, lead or sale. A pure function that never traps: what can't be paid is a refusal with its reason.
///
/// - Percent: half-even(rate × base) once for the rule, split over the credited members by largest remainder. Where codes bring rates of their
///   own (level 0 only), the sum of rate × share takes the place of the rate. A member with several shares gets one line; so does an
///   enroller above several members.
/// - Tiers: the base is split over the payees. Each part is worth what the table gives for the payee's volume with it, less what it gives
///   for the volume so far, `accumulatedBefore` (`TierTable.worth`).
/// - Flat, points, credit: the amount once (per item: times the pieces that pass), split as above.
/// - The friend gets the whole once. Conditions on a member's totals then look at the member with the largest share.
///
/// Conditions are judged for each payee; the part of one who fails stays with the company, as does that of an empty level.
/// Caps are not applied here: their counters are the database's, see `Cap.allow`.
public func evaluate(
    _ rule: CommissionRule, facts: SaleFacts, credited: [CreditedMember], accumulatedBefore: [String: Amount] = [:]
) -> RuleOutcome {
    var outcome = OutcomeBuilder(rule, facts: facts)
    if let objection = objection(to: rule, facts: facts, credited: credited) {
        return outcome.refused(objection)
    }
    let claims = rule.recipient == .friend ? friendClaims(credited) : memberClaims(credited, level: rule.level)
    do {
        for group in groupsOfOneBase(claims, rule: rule, facts: facts, outcome: &outcome) {
            try outcome.pay(group, accumulatedBefore: accumulatedBefore)
        }
        return try outcome.finished()
    } catch {
        return OutcomeBuilder(rule, facts: facts).refused(.overflow)
    }
}

/// What stops the rule as a whole, whoever is paid.
private func objection(
    to rule: CommissionRule, facts: SaleFacts, credited: [CreditedMember]
) -> RuleRefusalReason? {
    guard rule.event.accepts(facts.event) else { return .otherEvent(rule.event) }
    guard rule.isInForce(at: facts.occurredAt) else {
        return .notInForce(from: rule.effectiveFrom, until: rule.effectiveUntil)
    }
    guard credited.count <= creditedMembersLimit else { return .tooManyMembers(limit: creditedMembersLimit) }
    guard facts.items.count <= SaleFacts.itemsLimit else { return .tooManyItems(limit: SaleFacts.itemsLimit) }
    let shareSum = credited.reduce(0) { $0 + $1.share.ppm }
    guard shareSum > 0 else { return .noAttribution }
    guard shareSum <= SharePPM.whole.ppm else { return .sharesExceedWhole }
    if case .count(let months) = rule.months, facts.monthsSinceFirstSale >= months {
        return .monthsOver(months: months, monthsSinceFirstSale: facts.monthsSinceFirstSale)
    }
    if case .flat(_, let currency) = rule.reward, currency != facts.programCurrency {
        return .otherCurrency(rule: currency, program: facts.programCurrency)
    }
    if rule.needsProgramCurrency, facts.currency != facts.programCurrency {
        return .saleInOtherCurrency(sale: facts.currency, program: facts.programCurrency)
    }
    guard facts.amount >= .zero, facts.items.allSatisfy({ $0.amount >= .zero }) else { return .negativeAmount }
    guard !rule.isPerItem || !facts.items.isEmpty else { return .noItems }
    return nil
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
    /// Bounds of tiers and amounts of caps are in the program's currency, so a part of a sale in another cannot be held against them.
    fileprivate var needsProgramCurrency: Bool {
        if case .tiered = reward { return true }
        if case .amount = cap?.limit { return reward.isPartOfAmount }
        return false
    }
}
