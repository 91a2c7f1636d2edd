extension Plan {
    /// The trees beside the enroller's that the plan reads, sorted, `placement` always among them, each with the highest
    /// slot that its bonuses leave room for (nil: any).
    public var placementTrees: [(tree: TreeCode, width: Int?)] {
        var widths: [TreeCode: Int?] = [.placement: nil]
        func need(_ tree: TreeCode, width: Int? = nil) {
            guard tree != .enroller else { return }
            let known = widths[tree] ?? nil
            widths[tree] = [known, width].compactMap { $0 }.min()
        }
        need(rankRule.tree)
        for condition in conditions { for tree in condition.metrics.compactMap(\.tree) { need(tree) } }
        for bonus in bonuses {
            switch bonus.rule {
            case .matrix(_, let width): need(bonus.tree, width: width)
            case .binary: need(bonus.tree, width: 2)
            case .slab(let rule):
                need(bonus.tree)
                for metric in [rule.by, rule.on] { if let tree = metric.tree { need(tree) } }
            case .pool(let rule):
                need(bonus.tree)
                switch rule.shares {
                case .byMetric(let metric, _), .byPosition(let metric, _): if let tree = metric.tree { need(tree) }
                case .byRank: break
                }
            default: need(bonus.tree)
            }
        }
        return widths.sorted { $0.key.code.utf8.lexicographicallyPrecedes($1.key.code.utf8) }.map { ($0.key, $0.value) }
    }

    /// The extra columns of members that the plan reads, sorted.
    public var attributeNames: [String] {
        var names: Set<String> = []
        for condition in conditions { names.formUnion(condition.attributeNames) }
        for bonus in bonuses { if case .pool(let rule) = bonus.rule, let name = rule.perAttribute { names.insert(name) } }
        return names.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
    }

    private var conditions: [Condition] {
        var all = [active] + ranks.map(\.condition) + trackers.map(\.condition)
        for bonus in bonuses {
            all.append(bonus.eligibility)
            switch bonus.rule {
            case .unilevel(let rule), .matrix(let rule, _): if case .removeInactive(let keeps) = rule.compression { all.append(keeps) }
            case .fastStart(let rule): if case .removeInactive(let keeps) = rule.compression { all.append(keeps) }
            case .matching(let rule): if case .removeInactive(let keeps) = rule.compression { all.append(keeps) }
            case .binary(let rule): all.append(rule.flush)
            case .milestone(let rule): all.append(rule.condition)
            default: break
            }
        }
        return all
    }
}

extension Condition {
    /// The condition and all inside of it, outer ones first.
    private var parts: [Condition] {
        var found: [Condition] = []
        var waiting = [self]
        while let condition = waiting.popLast() {
            found.append(condition)
            switch condition {
            case .all(let terms), .any(let terms): waiting += terms
            case .not(let term): waiting.append(term)
            default: break
            }
        }
        return found
    }

    var metrics: [Metric] { parts.compactMap { if case .atLeast(let metric, _) = $0 { metric } else { nil } } }
    var attributeNames: [String] { parts.compactMap { if case .attribute(let name, _) = $0 { name } else { nil } } }
}

extension Metric {
    /// The tree that it is counted on; nil: none, or the enroller's in any case.
    var tree: TreeCode? {
        switch self {
        case .personalVolume(_, _, let tree), .groupVolume(_, let tree, _), .limitedGroupVolume(_, let tree, _),
            .groupVolumeOutside(_, let tree, _), .outsideVolume(_, let tree), .largestLeg(_, let tree), .legsWithVolume(_, let tree, _),
            .legsWithRank(_, let tree, _), .activeLegs(let tree, _), .enrolledActiveInLeg(_, let tree):
            tree
        case .enrolledActive, .customers, .tenureMonths, .consecutivePeriods, .qualifiedPeriods: nil
        }
    }
}
