public import Chronology

/// The most touches of one sale that are considered; the earlier ones are rejected with a reason.
public let consideredTouchesLimit = 1_000

/// Decides who gets the credit of a sale. A pure function: the order of `touches` does not matter, ties in time are broken
/// by the bytes of the touch id. Takes O(n log n).
///
/// A touch passes these gates in order; the first one that stops it is its reason:
/// 1. not discarded, of this program;
/// 2. in the window (saleAt − windowMs, saleAt]: a touch at the instant of the sale counts, one exactly `windowMs` old does not;
/// 3. not the buyer's own;
/// 4. owned by a member, unless it is a paid ad; among the latest `consideredTouchesLimit` that came so far;
/// 5. a code that requires a referral: a link of the same member at or before it, that passed the gates above;
/// 6. stand-down: a coupon or paid ad at t is stopped by a link or friend code of another member (for an ad without a member: of
///    any) in (t − standDownMs, t], that passed the gates above, whatever the order of claims says;
/// 7. order of claims: of the kinds left only the strongest stays. When that is `paid` and none of its touches has a member, the
///    ad takes the credit away: the sale is unattributed;
/// 8. the model divides the whole among what is left.
public func attribute(
    _ touches: [Touch], saleAt: Instant, programID: String, policy: AttributionPolicy
) -> AttributionDecision {
    guard !touches.isEmpty else {
        return AttributionDecision(
            status: .unattributed(.noTouches), model: policy.model, shares: [], rejected: [])
    }
    var sieve = TouchSieve(touches)
    sieve.reject { basicObjection(to: $0, saleAt: saleAt, programID: programID, windowMs: policy.windowMs) }
    sieve.rejectBeyondLimit()
    sieve.rejectCodesWithoutReferral()
    sieve.rejectStandingDown(standDownMs: policy.standDownMs)
    sieve.rejectOutranked(policy)

    let winners = sieve.remaining
    guard let latest = winners.last else {
        return AttributionDecision(
            status: .unattributed(.noneEligible), model: policy.model, shares: [], rejected: sieve.rejections)
    }
    let owned = winners.filter { $0.memberID != nil }
    sieve.reject { $0.memberID == nil ? .paidAdHasNoMember : nil }
    guard !owned.isEmpty else {
        return AttributionDecision(
            status: .unattributed(.paidAd(touchID: latest.id)), model: policy.model, shares: [],
            rejected: sieve.rejections)
    }
    let shares = divide(among: owned, saleAt: saleAt, policy: policy, sieve: &sieve)
    return AttributionDecision(
        status: .attributed, model: policy.model, shares: shares, rejected: sieve.rejections)
}

private func basicObjection(
    to touch: Touch, saleAt: Instant, programID: String, windowMs: Int64
) -> RejectionReason? {
    if let reason = touch.discarded { return .discarded(reason) }
    if touch.programID != programID { return .otherProgram(programID: touch.programID) }
    let ageMs = saleAt.millisecondsClamped(since: touch.at)
    if ageMs < 0 { return .afterSale(byMs: touch.at.millisecondsClamped(since: saleAt)) }
    if ageMs >= windowMs { return .tooOld(ageMs: ageMs, windowMs: windowMs) }
    if touch.isOwnPurchase { return .ownPurchase }
    if touch.memberID == nil && touch.kind != .paid { return .noMember }
    return nil
}
