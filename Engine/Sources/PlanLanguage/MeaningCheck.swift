import Compensation

/// What a schema can't say: names that refer to nothing, bonuses that read later ones, and the like. Problems are given at
/// the place of the text that they are about.
struct MeaningCheck {
    let root: PlanNode

    func run(_ plan: Plan, _ reading: inout Reading) {
        if plan.ranks.contains(where: { $0.code == noRank }) { reading.contradict(root.child("ranks") ?? root, "“none” is no name for a rank: it means having none") }
        let trackers = plan.trackers.map(\.code)
        for node in trackerNodes(root) where !trackers.contains(node.text ?? "") {
            reading.contradict(node, "the plan has no tracker “\(node.text ?? "")”", allowed: trackers)
        }
        for problem in plan.problems {
            var node = node(problem.place)
            if problem.reason == .duplicateCode { node = secondOfTwo(node) ?? node }
            let (message, allowed) = words(problem.reason, plan)
            reading.contradict(node, message, allowed: allowed)
        }
    }

    /// `bonuses.level.rates` → the deepest value on the way that exists; entries of lists go by their names.
    private func node(_ place: String) -> PlanNode {
        var node = root
        for step in place.split(separator: ".").map(String.init) {
            if let child = node.child(step) {
                node = child
            } else if let item = node.items?.first(where: { item in ["bonus", "rank", "tracker"].contains { item.child($0)?.text == step } }) {
                node = item
            } else {
                break
            }
        }
        return node
    }

    /// The later one of two entries with one name.
    private func secondOfTwo(_ list: PlanNode) -> PlanNode? {
        var names: Set<String> = []
        for item in list.items ?? [] {
            for key in ["bonus", "rank", "tracker"] {
                guard let name = item.child(key), let text = name.text else { continue }
                if !names.insert(text).inserted { return name }
                break
            }
        }
        return nil
    }

    /// Where trackers are named: the key `tracker` beside `metric`.
    private func trackerNodes(_ root: PlanNode) -> [PlanNode] {
        var found: [PlanNode] = []
        var waiting = [root]
        while let node = waiting.popLast() {
            if node.child("metric") != nil, let tracker = node.child("tracker"), tracker.text != nil { found.append(tracker) }
            waiting += (node.items ?? []) + (node.entries ?? []).map(\.value)
        }
        return found
    }

    private func words(_ reason: PlanProblem.Reason, _ plan: Plan) -> (String, [String]) {
        switch reason {
        case .duplicateCode: ("a name stands here twice", [])
        case .unknownTree(let code): ("there is no tree “\(code)”", [])
        case .unknownBonus(let code): ("the plan has no bonus “\(code)”", plan.bonuses.map(\.code))
        case .unknownTracker(let code): ("the plan has no tracker “\(code)”", plan.trackers.map(\.code))
        case .unknownAttribute(let name): ("the members have no column “\(name)”", [])
        case .unknownRank(let rank): ("there is no rank number \(rank)", [])
        case .readsLaterBonus(let code): ("“\(code)” must stand before the bonus that reads it", [])
        case .matchOnMatch(let code): ("“\(code)” is a match itself, and no match is paid on a match", [])
        case .readsRankTooEarly: ("this condition helps to decide ranks or activity and so can't read them", [])
        case .conditionTooDeep: ("conditions stand more than \(Condition.depthLimit) deep inside each other", [])
        case .tooMany(let what): ("too many \(what)", [])
        case .outOfOrder(let what): what == "companyShare" ? ("`companyShare` goes with `marginal` only", ["marginal"]) : ("“\(what)” must rise from entry to entry", [])
        case .notPositive(let what): ("\(what) must be above 0", [])
        case .trackerNotYetKnown(let code): ("the tracker “\(code)” is judged after this condition", [])
        case .debitNeedsOrderLines: ("`debit` and `averageRate` are for bonuses whose lines belong to orders", ["volume"])
        case .rateAboveWhole: ("a rate above 100% is not possible here", [])
        case .volumeBonusNeedsVolume: ("this bonus needs a volume as its base", ["cv", "qv", "amount"])
        }
    }
}
