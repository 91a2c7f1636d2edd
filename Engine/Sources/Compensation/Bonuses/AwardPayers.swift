import Money

/// Rank advancement and milestones: fixed amounts, once, in payments, taken back when not kept.
struct AwardPayer {
    let bonus: Bonus
    let number: Int
    let state: RunState

    struct Outcome {
        var lines: [Line] = []
        var awards: [Carry.Award] = []
    }

    func run(_ rule: RankAdvancementRule) throws(RunFailure) -> Outcome {
        let eligible = try state.eligibility(of: bonus)
        return try run(
            payments: rule.payments, keepPeriods: rule.keepPeriods,
            amount: { rank in rule.amountsMinor.indices.contains(rank - 1) ? rule.amountsMinor[rank - 1] : 0 },
            isKept: { member, rank in Int(state.paidAs[member]) >= rank },
            reached: { member, known in
                let rank = Int(state.paidAs[member])
                guard eligible[member] != 0, rank > 0 else { return [] }
                let ranks = rule.paysSkipped ? Array(1...rank) : [rank]
                // What was reached before the plan remembered it was reached all the same.
                let before = state.carryOfMember[member]
                let highest = before < 0 ? 0 : state.carry.members[Int(before)].highestRank
                return ranks.filter { $0 > highest && !known.contains($0) }
            })
    }

    func run(_ rule: MilestoneRule) throws(RunFailure) -> Outcome {
        let eligible = try state.eligibility(of: bonus)
        let holds = try state.holds(rule.condition)
        return try run(
            payments: rule.payments, keepPeriods: rule.keepPeriods, amount: { _ in rule.amountMinor },
            isKept: { member, _ in holds[member] != 0 },
            reached: { member, known in
                eligible[member] != 0 && holds[member] != 0 && known.isEmpty ? [0] : []
            })
    }

    private func run(
        payments: Int, keepPeriods: Int, amount: (Int) -> Int64, isKept: (Int, Int) -> Bool,
        reached: (Int, Set<Int>) -> [Int]
    ) throws(RunFailure) -> Outcome {
        let facts = state.facts
        var outcome = Outcome()
        var known: [Int: Set<Int>] = [:]
        for var award in state.carry.awards where award.bonus == bonus.code {
            guard let member = facts.member(id: award.id) else {
                outcome.awards.append(award)
                continue
            }
            known[member, default: []].insert(award.rank)
            if !award.isClawedBack {
                award.agePeriods = min(award.agePeriods, Int(Int32.max)) + 1
                if award.agePeriods <= keepPeriods, !isKept(member, award.rank) {
                    guard award.paidMinor != .min else { throw .overflow(where: bonus.code) }
                    append(member, award.rank, -award.paidMinor, .clawback, &outcome.lines)
                    award.isClawedBack = true
                } else if award.paymentsMade < payments {
                    try pay(&award, member, payments, amount(award.rank), &outcome.lines)
                }
            }
            outcome.awards.append(award)
        }
        for member in 0..<facts.memberCount where facts.isPromoter(member) {
            for rank in reached(member, known[member] ?? []) where amount(rank) != 0 {
                var award = Carry.Award(bonus: bonus.code, id: facts.memberId(member), rank: rank)
                try pay(&award, member, payments, amount(rank), &outcome.lines)
                outcome.awards.append(award)
            }
        }
        return outcome
    }

    private func pay(
        _ award: inout Carry.Award, _ member: Int, _ payments: Int, _ total: Int64, _ lines: inout [Line]
    ) throws(RunFailure) {
        let parts: [Int64]
        do {
            parts = try Allocation.largestRemainder(total: total, weights: Array(repeating: 1, count: max(1, payments)))
        } catch { throw .overflow(where: bonus.code) }
        let part = parts[max(0, min(award.paymentsMade, parts.count - 1))]
        let (paid, overflow) = award.paidMinor.addingReportingOverflow(part)
        guard !overflow else { throw .overflow(where: bonus.code) }
        award.paymentsMade += 1
        award.paidMinor = paid
        append(member, award.rank, part, .payment, &lines)
    }

    private func append(_ member: Int, _ rank: Int, _ amount: Int64, _ reason: LineReason, _ lines: inout [Line]) {
        guard amount != 0 else { return }
        lines.append(Line(member: Int32(member), bonus: number, level: rank, reason: reason, amount: amount))
    }
}
