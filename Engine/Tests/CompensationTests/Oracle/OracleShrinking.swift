import Compensation
import CompensationOracle
import Money

extension OracleCase {
    /// A smaller case that still disagrees: parts are taken away as long as it does.
    func shrunk() async throws -> OracleCase {
        var best = self
        var goesOn = true
        let refuses = try await outcome().differences.contains { $0.contains("refuses") }
        while goesOn {
            goesOn = false
            for smaller in best.candidates() {
                guard try await smaller.disagrees(refusing: refuses) else { continue }
                best = smaller
                goesOn = true
                break
            }
        }
        return best
    }

    private func disagrees(refusing: Bool) async throws -> Bool {
        guard plan.problems.isEmpty, (try? engineFacts()) != nil else { return false }
        let found = try await outcome().differences
        return !found.isEmpty && found.contains { $0.contains("refuses") } == refusing
    }

    private func candidates() -> [OracleCase] {
        var found: [OracleCase] = []
        func add(_ change: (inout OracleCase) -> Void) {
            var smaller = self
            change(&smaller)
            found.append(smaller)
        }
        // Half of everything first, then one after the other.
        if facts.orders.count > 3 {
            add { $0.facts.orders.removeLast($0.facts.orders.count / 2) }
            add { $0.facts.orders.removeFirst($0.facts.orders.count / 2) }
        }
        for place in plan.bonuses.indices { add { $0.plan.bonuses.remove(at: place) } }
        for place in facts.orders.indices { add { $0.facts.orders.remove(at: place) } }
        for member in facts.members.reversed() {
            let stands = facts.members.contains { $0.enrollerId == member.id || $0.places.contains { $0.parentId == member.id } }
            if stands || facts.orders.contains(where: { $0.buyerId == member.id }) || facts.moves.contains(where: { $0.memberId == member.id || $0.parentId == member.id })
                || overrides.contains(where: { $0.memberId == member.id }) { continue }
            add { $0.facts.members.removeAll { $0.id == member.id } }
        }
        for place in overrides.indices { add { $0.overrides.remove(at: place) } }
        for place in facts.moves.indices { add { $0.facts.moves.remove(at: place) } }
        if carryIn != Carry() { add { $0.carryIn = Carry() } }
        for place in carryIn.members.indices { add { $0.carryIn.members.remove(at: place) } }
        for place in carryIn.legs.indices { add { $0.carryIn.legs.remove(at: place) } }
        for place in carryIn.awards.indices { add { $0.carryIn.awards.remove(at: place) } }
        for place in carryIn.tiers.indices { add { $0.carryIn.tiers.remove(at: place) } }
        for place in history.indices { add { $0.history.remove(at: place) } }
        for order in history.indices {
            for place in history[order].paid.indices { add { $0.history[order].paid.remove(at: place) } }
        }
        if plan.soldOrUsed != nil { add { $0.plan.soldOrUsed = nil } }
        if plan.soldOrUsed?.bonuses.isEmpty == false { add { $0.plan.soldOrUsed?.bonuses = [] } }
        if plan.planCap != nil { add { $0.plan.planCap = nil } }
        if !plan.personCapMinor.isEmpty { add { $0.plan.personCapMinor = [] } }
        if !plan.trackers.isEmpty { add { $0.plan.trackers.removeLast() } }
        if plan.active != .always { add { $0.plan.active = .always } }
        for place in plan.ranks.indices where plan.ranks[place].condition != .never && plan.ranks[place].condition != .always {
            add { $0.plan.ranks[place].condition = .never }
            add { $0.plan.ranks[place].condition = .always }
        }
        if !plan.ranks.isEmpty { add { $0.plan.ranks.removeLast() } }
        for place in plan.bonuses.indices {
            let bonus = plan.bonuses[place]
            let plain = Bonus(code: bonus.code, rule: bonus.rule)
            for change in [
                { (bonus: inout Bonus) in bonus.eligibility = .always }, { $0.orders = plain.orders }, { $0.capMinor = [] },
                { $0.base = plain.base }, { $0.tree = .enroller }, { $0.roundingScope = .order }, { $0.rounding = .halfEven },
                { $0.marks = nil }, { $0.skipsTags = [] }, { $0.rankBasis = .paidAs }, { $0.refunds = nil },
            ] {
                var changed = bonus
                change(&changed)
                if changed != bonus { add { $0.plan.bonuses[place] = changed } }
            }
        }
        for place in facts.members.indices {
            if !facts.members[place].places.isEmpty { add { $0.facts.members[place].places = [] } }
            if facts.members[place].status != .active { add { $0.facts.members[place].status = .active } }
            if let above = facts.members[place].enrollerId,
                let higher = facts.members.first(where: { $0.id == above })?.enrollerId {
                add { $0.facts.members[place].enrollerId = higher }
            }
        }
        return found
    }

    /// The case as text, short enough to read where it is small.
    var description: String {
        var text = ["period \(facts.period.start) … \(facts.period.end)"]
        for member in facts.members {
            let places = member.places.map { "\($0.tree.code):\($0.parentId)/\($0.slot ?? 0)" }
            text.append("member \(member.id) \(member.kind.code) \(member.status.code) joined \(member.joinedAt) < \(member.enrollerId ?? "-") \(places.joined(separator: " ")) \(member.attributes.map { $0 ?? "-" }) \(member.hasEarlierOrders ? "ordered" : "")")
        }
        for order in facts.orders {
            text.append("order \(order.id) by \(order.buyerId) at \(order.occurredAt) placed \(order.placedAt.map { "\($0)" } ?? "-") \(order.amountMinor) cv \(order.commissionVolume.map(String.init) ?? "-") qv \(order.qualifyingVolume.map(String.init) ?? "-") \(order.product ?? "-") \(order.refundOf.map { "refund of \($0)" } ?? "")")
        }
        for move in facts.moves { text.append("move \(move)") }
        for override in overrides { text.append("override \(override.memberId) \(override.kind)") }
        for order in history { text.append("history \(order)") }
        if carryIn != Carry() { text.append("carry \(carryIn)") }
        text.append("active \(plan.active)")
        for rank in plan.ranks { text.append("rank \(rank.code): \(rank.condition)") }
        text.append("rank rule \(plan.rankRule), trackers \(plan.trackers), sold or used \(plan.soldOrUsed.map { "\($0)" } ?? "-"), person cap \(plan.personCapMinor), plan cap \(plan.planCap?.text ?? "-")")
        for bonus in plan.bonuses { text.append("bonus \(bonus)") }
        return text.joined(separator: "\n").replacing("Compensation.", with: "").replacing("Money.", with: "")
            .replacing("buyer: nil, products: Set([]), excludedProducts: Set([]), turn: OrderFilter.Turn.any, fromMinor: nil, belowMinor: nil", with: "all")
    }
}
