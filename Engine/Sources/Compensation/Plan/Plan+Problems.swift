import Money

extension Plan {
    /// What contradicts itself in the plan, in reading order; empty: it can be computed.
    public var problems: [PlanProblem] {
        var found: [PlanProblem] = []
        func add(_ place: String, _ reason: PlanProblem.Reason) { found.append(PlanProblem(place: place, reason: reason)) }
        if ranks.count > Plan.ranksLimit { add("ranks", .tooMany("ranks")) }
        if bonuses.count > Plan.bonusesLimit { add("bonuses", .tooMany("bonuses")) }
        if trackers.count > Plan.trackersLimit { add("trackers", .tooMany("trackers")) }
        if Set(bonuses.compactMap { $0.marks?.tag }).count > OrderMark.tagsLimit { add("bonuses", .tooMany("tags")) }
        if Set(ranks.map(\.code)).count != ranks.count { add("ranks", .duplicateCode) }
        if Set(bonuses.map(\.code)).count != bonuses.count { add("bonuses", .duplicateCode) }
        if Set(trackers.map(\.code)).count != trackers.count { add("trackers", .duplicateCode) }
        if active.readsRank || active.contains({ $0 == .active || $0.readsActivity }) { add("active", .readsRankTooEarly) }
        func checkTrackers(_ condition: Condition, _ place: String, known: Set<Tracker.Moment>) {
            for tracker in trackers where !known.contains(tracker.moment) && condition.contains({ $0.trackerRead == tracker.code }) {
                add(place, .trackerNotYetKnown(tracker.code))
            }
        }
        checkTrackers(active, "active", known: [.beforeActivity])
        for tracker in trackers { checkTrackers(tracker.condition, "trackers.\(tracker.code)", known: []) }
        for rank in ranks {
            checkTrackers(rank.condition, "ranks.\(rank.code)", known: [.beforeActivity, .beforeRanks])
            if rank.condition.contains({ leaf in
                switch leaf {
                case .paidRank, .highestRank: true
                default: false
                }
            }) { add("ranks.\(rank.code)", .readsRankTooEarly) }
        }
        for (number, bonus) in bonuses.enumerated() { check(bonus, number, add) }
        for code in (soldOrUsed?.bonuses ?? []).sorted() where !bonuses.contains(where: { $0.code == code }) {
            add("soldOrUsed.bonuses", .unknownBonus(code))
        }
        return found
    }

    private func check(_ bonus: Bonus, _ number: Int, _ add: (String, PlanProblem.Reason) -> Void) {
        let place = "bonuses.\(bonus.code)"
        if let treatment = bonus.refunds, treatment != .volume, !bonus.rule.hasOrderLines {
            add(place + ".refunds", .debitNeedsOrderLines)
        }
        if case .commission = bonus.base, bonus.rule.hasVolumeBase { add(place + ".base", .volumeBonusNeedsVolume) }
        if case .commission(let code) = bonus.base { reads(code, number, place + ".base", add) }
        switch bonus.rule {
        case .unilevel(let rule), .matrix(let rule, _): check(rule.rates, place, add)
        case .fastStart(let rule): check(rule.rates, place, add)
        case .matching(let rule):
            check(rule.rates, place, add)
            for code in rule.bonuses.sorted() {
                reads(code, number, place + ".bonuses", add)
                if let other = bonuses.first(where: { $0.code == code }), case .matching = other.rule {
                    add(place + ".bonuses", .matchOnMatch(code))
                }
            }
        case .tiered(let rule):
            check(rule.tiers, place, add)
            if rule.measure == .companyShare {
                if rule.tiers.contains(where: { $0.rate > .whole }) { add(place + ".tiers", .rateAboveWhole) }
                if rule.mode == .retroactive { add(place + ".mode", .outOfOrder("companyShare")) }
            }
        case .slab(let rule): check(rule.slabs, place, add)
        case .differential(let rule): check(rule.slabs, place, add)
        case .breakaway(let rule): check(rule.slabs, place, add)
        case .generation(let rule): check(rule.rates, place, add)
        case .binary(let rule):
            switch rule.match {
            case .cycles(let left, let right, _, _) where left <= 0 || right <= 0: add(place + ".match", .notPositive("units"))
            case .unitPairs(let unit, _, _) where unit <= 0 || unit > FactsBuilder.volumeLimit:
                add(place + ".match", .notPositive("unit"))
            default: break
            }
            if let periods = rule.expiresAfterPeriods, periods < 1 { add(place + ".expiresAfterPeriods", .notPositive("periods")) }
        case .rankAdvancement(let rule): if rule.payments < 1 { add(place + ".payments", .notPositive("payments")) }
        case .milestone(let rule): if rule.payments < 1 { add(place + ".payments", .notPositive("payments")) }
        case .pool(let rule):
            if case .byMetric(_, let unit) = rule.shares, unit <= 0 { add(place + ".shares", .notPositive("per")) }
        case .direct, .rankDifferential, .infinity: break
        }
    }

    private func reads(_ code: String, _ number: Int, _ place: String, _ add: (String, PlanProblem.Reason) -> Void) {
        guard let other = bonuses.firstIndex(where: { $0.code == code }) else { return add(place, .unknownBonus(code)) }
        if other >= number { add(place, .readsLaterBonus(code)) }
    }

    private func check(_ table: RateTable, _ place: String, _ add: (String, PlanProblem.Reason) -> Void) {
        if table.depth > Plan.levelsLimit { add(place + ".rates", .tooMany("levels")) }
    }

    private func check(_ slabs: [Slab], _ place: String, _ add: (String, PlanProblem.Reason) -> Void) {
        for (one, other) in zip(slabs, slabs.dropFirst()) where one.fromMinor >= other.fromMinor {
            return add(place + ".slabs", .outOfOrder("from"))
        }
    }
}

extension Tracker {
    enum Moment: Hashable { case beforeActivity, beforeRanks, afterRanks }

    /// A tracker that reads no activity helps to decide it, one that reads no rank helps to decide ranks.
    var moment: Moment {
        if condition.readsRank { return .afterRanks }
        return condition.contains { $0 == .active || $0.readsActivity } ? .beforeRanks : .beforeActivity
    }
}

extension Condition {
    /// The tracker that a leaf reads.
    var trackerRead: String? {
        switch self {
        case .atLeast(.consecutivePeriods(let code), _), .atLeast(.qualifiedPeriods(let code, _), _): code
        default: nil
        }
    }

    /// A leaf that counts active members.
    var readsActivity: Bool {
        guard case .atLeast(let metric, _) = self else { return false }
        switch metric {
        case .activeLegs, .enrolledActive, .enrolledActiveInLeg: return true
        default: return false
        }
    }
}
