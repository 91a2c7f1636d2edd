internal import Chronology
internal import Money

/// A payee's part of the credit, merged from all shares that lead to the payee.
struct Claim {
    /// Nil: the level is empty.
    let payee: RulePayee?
    /// Whose totals conditions look at.
    let judgedMemberID: String?
    /// Parts of the whole by the rate that a code brought, nil for the rule's own.
    var partsPPM: [(rateOverride: Rate?, ppm: Int64)]

    var ppm: Int64 { partsPPM.reduce(0) { $0 + $1.ppm } }

    var unpaid: Claim { Claim(payee: nil, judgedMemberID: nil, partsPPM: partsPPM) }
}

/// Claims that are paid on the same base, with one total.
struct ClaimGroup {
    let base: RuleBase
    /// Those without a payee are retained.
    var claims: [Claim]
}

/// What a payee is paid on.
struct RuleBase: Hashable {
    let amount: Amount
    /// How often a fixed amount is given.
    let pieces: Int64
}

/// The friend gets the whole, however the credit is shared.
func friendClaims(_ credited: [CreditedMember]) -> [Claim] {
    var largest = credited.first
    for member in credited where member.share > largest?.share ?? .zero { largest = member }
    return [Claim(payee: .friend, judgedMemberID: largest?.memberID, partsPPM: [(nil, Int64(SharePPM.whole.ppm))])]
}

/// The members on `level` in the order in which the credit names them first; shares without one make one claim without a payee.
func memberClaims(_ credited: [CreditedMember], level: Int) -> [Claim] {
    var positions: [String?: Int] = [:]
    var claims: [Claim] = []
    for member in credited where member.share > .zero {
        let payeeID = level == 0 ? member.memberID : member.enrollerIDs.dropFirst(level - 1).first
        let part = (rateOverride: level == 0 ? member.rateOverride : nil, ppm: Int64(member.share.ppm))
        if let position = positions[payeeID] {
            claims[position].partsPPM.append(part)
        } else {
            positions[payeeID] = claims.count
            claims.append(Claim(payee: payeeID.map { .member($0) }, judgedMemberID: payeeID, partsPPM: [part]))
        }
    }
    return claims
}

/// Judges the conditions for each payee. Who fails, or is missing, becomes a refusal; their claim joins the first group without a payee,
/// so that the others get no more than their part. Different bases come only from per-item rules that ask for either
/// an item or a member's total.
func groupsOfOneBase(
    _ claims: [Claim], rule: CommissionRule, facts: SaleFacts, outcome: inout OutcomeBuilder
) -> [ClaimGroup] {
    let dependsOnMember = rule.conditions.leaves.contains { leaf in
        switch leaf.field {
        case .memberTotal, .memberGroup, .memberTier, .memberVariant: true
        default: false
        }
    }
    var groups: [ClaimGroup] = []
    var positions: [RuleBase: Int] = [:]
    var unpaid: [Claim] = []
    var shared: Judgement?
    for claim in claims {
        guard claim.payee != nil else {
            outcome.refuse(.noSuchLevel(level: rule.level), memberID: nil)
            unpaid.append(claim.unpaid)
            continue
        }
        let judgement = shared ?? judge(rule, facts: facts, memberID: claim.judgedMemberID)
        if !dependsOnMember { shared = judgement }
        switch judgement {
        case .fails(let failures):
            outcome.refuse(.conditionFailed(failures), memberID: claim.payee?.memberID)
            unpaid.append(claim.unpaid)
        case .holds(let base):
            if let position = positions[base] {
                groups[position].claims.append(claim)
            } else {
                positions[base] = groups.count
                groups.append(ClaimGroup(base: base, claims: [claim]))
            }
        }
    }
    if !groups.isEmpty { groups[0].claims += unpaid }
    return groups
}

private enum Judgement {
    case holds(RuleBase)
    case fails([LeafFailure])
}

/// The whole sale, or item by item; `facts` has an item when the rule is per item.
private func judge(_ rule: CommissionRule, facts: SaleFacts, memberID: String?) -> Judgement {
    guard rule.isPerItem else {
        let verdict = rule.conditions.evaluate { facts.value(of: $0, memberID: memberID, item: nil) }
        return verdict.holds ? .holds(RuleBase(amount: facts.amount, pieces: 1)) : .fails(verdict.failures)
    }
    var amount: Int128 = 0
    var pieces: Int128 = 0
    var firstFailures: [LeafFailure] = []
    var hasMatch = false
    for item in facts.items {
        let verdict = rule.conditions.evaluate { facts.value(of: $0, memberID: memberID, item: item) }
        if verdict.holds {
            hasMatch = true
            amount += Int128(item.amount.minor)
            pieces += Int128(max(0, item.quantity))
        } else if firstFailures.isEmpty {
            firstFailures = verdict.failures
        }
    }
    guard hasMatch else { return .fails(firstFailures) }
    // Sums beyond Int64 are held at its end: the payment then overflows and is refused.
    return .holds(RuleBase(amount: Amount(minor: Int64(clamping: amount)), pieces: Int64(clamping: pieces)))
}
