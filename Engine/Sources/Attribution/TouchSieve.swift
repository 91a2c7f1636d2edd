internal import Chronology

/// The touches of a sale in order of time, and what stopped each of them.
struct TouchSieve {
    private let touches: [Touch]
    private var reasons: [RejectionReason?]

    init(_ unordered: [Touch]) {
        touches = unordered.sorted(by: precedes)
        reasons = Array(repeating: nil, count: touches.count)
        var seen: Set<String> = []
        for position in touches.indices where !seen.insert(touches[position].id).inserted {
            reasons[position] = .repeatedTouch
        }
    }

    /// What nothing has stopped, in order of time.
    var remaining: [Touch] {
        touches.indices.filter { reasons[$0] == nil }.map { touches[$0] }
    }

    var rejections: [Rejection] {
        touches.indices.compactMap { position in
            reasons[position].map { Rejection(touchID: touches[position].id, reason: $0) }
        }
    }

    /// Rejects what remains and has an objection.
    mutating func reject(_ objection: (Touch) -> RejectionReason?) {
        for position in touches.indices where reasons[position] == nil {
            reasons[position] = objection(touches[position])
        }
    }

    mutating func rejectBeyondLimit() {
        var considered = 0
        for position in touches.indices.reversed() where reasons[position] == nil {
            considered += 1
            if considered > consideredTouchesLimit {
                reasons[position] = .tooManyTouches(limit: consideredTouchesLimit)
            }
        }
    }

    mutating func rejectCodesWithoutReferral() {
        var firstLinkAt: [String: Instant] = [:]
        for touch in remaining where touch.kind == .link {
            if let memberID = touch.memberID, firstLinkAt[memberID] == nil { firstLinkAt[memberID] = touch.at }
        }
        reject { touch in
            guard touch.requiresReferral, let memberID = touch.memberID else { return nil }
            guard let linkAt = firstLinkAt[memberID], linkAt <= touch.at else { return .codeNeedsReferral }
            return nil
        }
    }

    /// Walks forward in time and remembers the latest two referrals of different members: one of them is always
    /// another member's.
    mutating func rejectStandingDown(standDownMs: Int64) {
        guard standDownMs > 0 else { return }
        let referrals = remaining.filter { $0.kind == .link || $0.kind == .friendCode }
        var nextReferral = 0
        var latest: Touch?
        var latestOfAnother: Touch?
        reject { touch in
            while nextReferral < referrals.count, referrals[nextReferral].at <= touch.at {
                if let known = latest, known.memberID != referrals[nextReferral].memberID { latestOfAnother = known }
                latest = referrals[nextReferral]
                nextReferral += 1
            }
            guard touch.kind == .coupon || touch.kind == .paid else { return nil }
            let other = latest?.memberID == touch.memberID ? latestOfAnother : latest
            guard let other, touch.at.millisecondsClamped(since: other.at) < standDownMs else { return nil }
            return .standDown(seconds: standDownMs / 1_000, touchID: other.id)
        }
    }

    mutating func rejectOutranked(_ policy: AttributionPolicy) {
        var strongest: (rank: Int, touch: Touch)?
        for touch in remaining {
            let rank = policy.rank(of: touch.kind)
            if rank <= strongest?.rank ?? .max { strongest = (rank, touch) }
        }
        guard let strongest else { return }
        reject { touch in
            guard policy.rank(of: touch.kind) > strongest.rank else { return nil }
            return .outranked(by: strongest.touch.kind, touchID: strongest.touch.id)
        }
    }
}

/// Earlier first; at one instant by the bytes of the id, then by the remaining facts so that even repeated ids have one order.
private func precedes(_ one: Touch, _ other: Touch) -> Bool {
    if one.at != other.at { return one.at < other.at }
    if one.id != other.id { return one.id.utf8.lexicographicallyPrecedes(other.id.utf8) }
    return "\(one)".utf8.lexicographicallyPrecedes("\(other)".utf8)
}
