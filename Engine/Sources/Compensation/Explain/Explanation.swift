import Money

/// Why somebody got a line, or nothing, as data; words come from the message catalogue.
public struct Explanation: Hashable, Sendable {
    /// One person on the way up from the buyer.
    public struct Ancestor: Hashable, Sendable {
        public var member: Int
        public var isPromoter: Bool
        public var isActive: Bool
        public var isEligible: Bool
        public var rank: Int
        /// Promoters from the buyer, 1 the nearest; 0 for the buyer and customers.
        public var level: Int
        /// What this bonus paid this person on the order; nil: nothing.
        public var line: Int?
    }
    public enum Nothing: Hashable, Sendable {
        case notInTheUpline
        case orderNotCounted
        case customer
        case inactive
        case notEligible
        case rateIsZero(level: Int, rank: Int)
        case outsideTheWindow
        case bonusHasNoOrderLines
        /// The rule gave the order's levels to others.
        case passedOver
    }
    public var bonus: Int
    public var member: Int
    public var order: Int?
    public var path: [Ancestor]
    /// More people stand in between than `pathLimit`.
    public var isPathCut: Bool
    public var line: Line?
    /// The cut of the line by caps, and what the member's bonus lost in all.
    public var cutMinor: Int64
    public var nothing: Nothing?

    /// Most people of one path.
    public static let pathLimit = 1_000
}

extension RunResult {
    /// The receipt of a kept line.
    public func explain(line place: Int) throws(RunFailure) -> Explanation {
        let line = lines[place]
        var explanation = try path(
            member: Int(line.member), buyer: line.order >= 0 ? facts.buyer(ofOrder: Int(line.order)) : Int(max(line.source, -1)),
            bonus: Int(line.bonus), order: line.order >= 0 ? Int(line.order) : nil)
        explanation.line = line
        explanation.cutMinor = line.cutMinor
        return explanation
    }

    /// For each bonus, why the member got nothing on the order; bonuses that paid are left out.
    public func explainNothing(member: Int, order: Int) throws(RunFailure) -> [Explanation] {
        var found: [Explanation] = []
        for (number, bonus) in plan.bonuses.enumerated() {
            var explanation = try path(member: member, buyer: facts.buyer(ofOrder: order), bonus: number, order: order)
            if explanation.path.contains(where: { $0.member == member && $0.line != nil }) { continue }
            explanation.nothing = try nothing(bonus, number, member, order, explanation)
            found.append(explanation)
        }
        return found
    }

    private func nothing(
        _ bonus: Bonus, _ number: Int, _ member: Int, _ order: Int, _ explanation: Explanation
    ) throws(RunFailure) -> Explanation.Nothing {
        guard bonus.rule.hasOrderLines else { return .bonusHasNoOrderLines }
        guard facts.isPromoter(member) else { return .customer }
        guard OrderTest(bonus, state: engineState).passes(order) else { return .orderNotCounted }
        guard let own = explanation.path.first(where: { $0.member == member }) else { return .notInTheUpline }
        if case .fastStart(let rule) = bonus.rule {
            let window = OrderWalk<LevelFinder>.Window(joinedDay: facts.joinedDay, rule: rule.window, orderDay: facts.orderDay)
            if !window.holds(order: order, buyer: facts.buyer(ofOrder: order)) { return .outsideTheWindow }
        }
        if !own.isActive { return .inactive }
        if !own.isEligible { return .notEligible }
        switch bonus.rule {
        case .unilevel(let rule), .matrix(let rule, _):
            if rule.rates.rate(rank: own.rank, level: own.level) == .zero { return .rateIsZero(level: own.level, rank: own.rank) }
        case .fastStart(let rule):
            if rule.rates.rate(rank: own.rank, level: own.level) == .zero { return .rateIsZero(level: own.level, rank: own.rank) }
        default: break
        }
        return .passedOver
    }

    private func path(member: Int, buyer: Int, bonus number: Int, order: Int?) throws(RunFailure) -> Explanation {
        let bonus = plan.bonuses[number]
        var explanation = Explanation(
            bonus: number, member: member, order: order, path: [], isPathCut: false, line: nil, cutMinor: 0, nothing: nil)
        guard buyer >= 0 else { return explanation }
        let tree = try engineState.tree(bonus.tree)
        let eligible = try engineState.eligibility(of: bonus)
        let ranks = engineState.ranks(of: bonus)
        var ofOrder: [Int: Int] = [:]
        if let order {
            for (place, line) in lines.enumerated()
            where Int(line.order) == order && Int(line.bonus) == number && ofOrder[Int(line.member)] == nil {
                ofOrder[Int(line.member)] = place
            }
        }
        var next = buyer
        var level = 0
        while next >= 0 {
            guard explanation.path.count < Explanation.pathLimit else {
                explanation.isPathCut = true
                break
            }
            let isPromoter = facts.isPromoter(next)
            if isPromoter, next != buyer { level += 1 }
            explanation.path.append(
                Explanation.Ancestor(
                    member: next, isPromoter: isPromoter, isActive: state.active[next] != 0,
                    isEligible: eligible[next] != 0, rank: Int(ranks[next]), level: isPromoter && next != buyer ? level : 0,
                    line: ofOrder[next]))
            next = Int(tree.parent[next])
        }
        return explanation
    }
}
