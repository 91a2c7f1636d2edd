internal import Chronology
internal import Money

/// Divides the whole among `touches`, which are in order of time, each with a member and at least one.
func divide(
    among touches: [Touch], saleAt: Instant, policy: AttributionPolicy, sieve: inout TouchSieve
) -> [AttributionShare] {
    guard let first = touches.first, let last = touches.last else { return [] }
    switch policy.model {
    case .last:
        sieve.reject { $0.id == last.id ? nil : .notLast(touchID: last.id) }
        return [share(of: last, .whole, touches.count == 1 ? .onlyTouch : .lastTouch(touchCount: touches.count))]
            .compactMap(\.self)
    case .first:
        sieve.reject { $0.id == first.id ? nil : .notFirst(touchID: first.id) }
        return [share(of: first, .whole, touches.count == 1 ? .onlyTouch : .firstTouch(touchCount: touches.count))]
            .compactMap(\.self)
    case .linear, .position, .timeDecay:
        let parts = parts(of: touches, policy: policy)
        var decayed: [String: RejectionReason] = [:]
        var shares: [AttributionShare] = []
        for (position, touch) in touches.enumerated() {
            let ageMs = saleAt.millisecondsClamped(since: touch.at)
            if parts[position] == .zero {
                decayed[touch.id] = .decayed(ageMs: ageMs, halfLifeMs: policy.halfLifeMs)
            } else if let share = share(
                of: touch, parts[position],
                reason(policy: policy, position: position, touchCount: touches.count, ageMs: ageMs))
            {
                shares.append(share)
            }
        }
        sieve.reject { decayed[$0.id] }
        return shares
    }
}

private func share(of touch: Touch, _ part: SharePPM, _ reason: ShareReason) -> AttributionShare? {
    guard let memberID = touch.memberID else { return nil }
    return AttributionShare(
        memberID: memberID, share: part, touchID: touch.id, reason: reason, rateOverride: touch.rateOverride)
}

private func reason(policy: AttributionPolicy, position: Int, touchCount: Int, ageMs: Int64) -> ShareReason {
    guard touchCount > 1 else { return .onlyTouch }
    return switch policy.model {
    case .position: .position(place: position + 1, touchCount: touchCount)
    case .timeDecay: .timeDecay(ageMs: ageMs, halfLifeMs: policy.halfLifeMs)
    case .last, .first, .linear: .equalPart(touchCount: touchCount)
    }
}

/// Always as many parts as touches, summing to the whole.
private func parts(of touches: [Touch], policy: AttributionPolicy) -> [SharePPM] {
    let weights =
        switch policy.model {
        case .position: positionWeights(touchCount: touches.count)
        case .timeDecay: decayWeights(touches, halfLifeMs: policy.halfLifeMs)
        case .last, .first, .linear: Array(repeating: Int64(1), count: touches.count)
        }
    // The weights are never negative and one of them is positive, so the split can't fail.
    return (try? SharePPM.split(weights: weights)) ?? touches.map { _ in .zero }
}

/// 40/20/40 with the middle 20 in equal parts: multiplied by the number in the middle, so that the weights are whole.
private func positionWeights(touchCount: Int) -> [Int64] {
    guard touchCount > 2 else { return Array(repeating: 1, count: touchCount) }
    let middleCount = Int64(touchCount - 2)
    return [2 * middleCount] + Array(repeating: 1, count: touchCount - 2) + [2 * middleCount]
}

/// 2^(−age / half-life) relative to the latest touch, which weighs 2^62. Ages differ by less than the window.
private func decayWeights(_ touches: [Touch], halfLifeMs: Int64) -> [Int64] {
    guard let latest = touches.last else { return [] }
    return touches.map { touch in
        decayWeight(elapsedMs: latest.at.millisecondsClamped(since: touch.at), halfLifeMs: halfLifeMs)
    }
}
