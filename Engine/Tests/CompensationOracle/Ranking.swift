import Compensation

/// Activity, trackers and ranks, by repeating "everybody looks at everybody" until nothing changes.
extension Measuring {
    func giveRanks(_ overrides: [Override]) throws {
        for override in overrides {
            guard let person = society.byId[override.memberId] else { throw OracleFailure.unknownMember(override.memberId) }
            switch override.kind {
            case .forcedRank(let rank): person.forcedRank = rank
            case .activityWaiver: person.isWaivedActive = true
            case .eligibilityWaiver(let bonus): person.waivedBonuses.insert(bonus)
            case .adjustment: break
            }
        }
        // What the trackers said in earlier periods, with a free place for this one.
        for person in society.people {
            person.histories = plan.trackers.indices.map { place in
                guard let earlier = person.entry?.trackers, place < earlier.count else { return 0 }
                return earlier[place] << 1
            }
        }
        try track { !readsRank($0) && !readsActivity($0) }
        for person in society.promoters { person.isActive = try person.isWaivedActive || holds(plan.active, person) }
        try track { !readsRank($0) && readsActivity($0) }
        try achieve()
        for person in society.people { keep(person) }
        try track(readsRank)
    }

    private func track(_ isMeant: (Condition) -> Bool) throws {
        for (place, tracker) in plan.trackers.enumerated() where isMeant(tracker.condition) {
            for person in society.promoters where try holds(tracker.condition, person) { person.histories[place] |= 1 }
        }
    }

    private func achieve() throws {
        let reads = plan.ranks.contains { readsRank($0.condition) }
        for person in society.people { person.achieved = person.isPromoter ? person.forcedRank ?? 0 : 0 }
        var rounds = 0
        while true {
            var next: [(person: Person, rank: Int)] = []
            for person in society.promoters where person.forcedRank == nil {
                let rank = try highest(person)
                if rank != person.achieved { next.append((person, rank)) }
            }
            if next.isEmpty { return }
            for (person, rank) in next { person.achieved = rank }
            if !reads { return }
            rounds += 1
            if rounds > society.people.count + 64 { throw OracleFailure.ranksDoNotSettle }
        }
    }

    private func highest(_ person: Person) throws -> Int {
        var found = 0
        for (place, rank) in plan.ranks.enumerated() {
            if try holds(rank.condition, person) { found = place + 1 } else if plan.rankRule.isCumulative { break }
        }
        return found
    }

    private func keep(_ person: Person) {
        let before = person.entry?.keptRank ?? 0
        person.kept = person.achieved
        if person.achieved < before, (person.entry?.missedPeriods ?? 0) < plan.rankRule.gracePeriods {
            person.kept = before
            person.missed = (person.entry?.missedPeriods ?? 0) + 1
        }
        person.paidAs = person.forcedRank ?? (person.isActive ? person.kept : 0)
        person.highest = max(person.entry?.highestRank ?? 0, person.paidAs)
    }

    func readsActivity(_ condition: Condition) -> Bool {
        switch condition {
        case .all(let parts), .any(let parts): parts.contains(where: readsActivity)
        case .not(let part): readsActivity(part)
        case .active, .atLeast(.activeLegs, _), .atLeast(.enrolledActive, _), .atLeast(.enrolledActiveInLeg, _): true
        default: false
        }
    }

    func readsRank(_ condition: Condition) -> Bool {
        switch condition {
        case .all(let parts), .any(let parts): parts.contains(where: readsRank)
        case .not(let part): readsRank(part)
        case .paidRank, .highestRank, .atLeast(.legsWithRank, _), .atLeast(.groupVolumeOutside, _): true
        default: false
        }
    }
}
