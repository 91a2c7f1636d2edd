internal import Chronology
internal import Money

/// Gathers lines and refusals of one rule.
struct OutcomeBuilder {
    private let rule: CommissionRule
    private let facts: SaleFacts
    private var lines: [RuleLine] = []
    private var refusals: [RuleRefusal] = []
    private var retained: Int128 = 0
    private var counted: [String: Amount] = [:]

    init(_ rule: CommissionRule, facts: SaleFacts) {
        self.rule = rule
        self.facts = facts
    }

    func finished() throws(MoneyFailure) -> RuleOutcome {
        guard let retained = Int64(exactly: retained) else { throw .overflow }
        return RuleOutcome(
            ruleID: rule.id, version: rule.version, lines: lines, refusals: refusals, retained: Amount(minor: retained),
            counted: counted)
    }

    /// The whole rule came to nothing.
    func refused(_ reason: RuleRefusalReason) -> RuleOutcome {
        let refusal = RuleRefusal(ruleID: rule.id, version: rule.version, memberID: nil, reason: reason)
        return RuleOutcome(
            ruleID: rule.id, version: rule.version, lines: [], refusals: [refusal], retained: .zero, counted: [:])
    }

    mutating func refuse(_ reason: RuleRefusalReason, memberID: String?) {
        refusals.append(
            RuleRefusal(ruleID: rule.id, version: rule.version, memberID: memberID, reason: reason))
    }

    mutating func pay(_ group: ClaimGroup, accumulatedBefore: [String: Amount]) throws(MoneyFailure) {
        switch rule.reward {
        case .percent(let rate):
            try payPercent(group, rate: rate)
        case .tiered(let table):
            try payTiers(group, table: table, accumulatedBefore: accumulatedBefore)
        case .flat(let amount, let currency):
            try payFixed(group, amount: amount, unit: .currency(currency))
        case .credit(let amount, let currency):
            try payFixed(group, amount: amount, unit: .credit(currency))
        case .points(let amount, let unit):
            try payFixed(group, amount: amount, unit: unit)
        case .coupon, .gift, .freeMonths, .freeShipping, .custom:
            for claim in group.claims {
                guard let payee = claim.payee else { continue }
                refuse(.notPayable(kind: rule.reward.code), memberID: payee.memberID)
            }
        }
    }

    /// Weights are rate × share, at most 10^12 × 10^6 together, so times any base they fit Int128.
    private mutating func payPercent(_ group: ClaimGroup, rate: Rate) throws(MoneyFailure) {
        let weights = group.claims.map { claim in
            claim.partsPPM.reduce(Int64(0)) { $0 + ($1.rateOverride ?? rate).billionths * $1.ppm }
        }
        let weightSum = weights.reduce(0, +)
        let total = try Rounding.halfEven(
            Int128(group.base.amount.minor) * Int128(weightSum),
            over: Int128(Rate.billionthsPerWhole) * Int128(SharePPM.whole.ppm))
        let parts = weightSum == 0 ? weights : try Allocation.largestRemainder(total: total, weights: weights)
        for (claim, part) in zip(group.claims, parts) {
            let rates = Set(claim.partsPPM.map { $0.rateOverride ?? rate })
            add(
                part, to: claim, purpose: .reward, base: group.base.amount, rate: rates.count == 1 ? rates.first : nil,
                unit: .currency(facts.currency))
        }
    }

    private mutating func payFixed(_ group: ClaimGroup, amount: Amount, unit: UnitCode) throws(MoneyFailure) {
        let weights = group.claims.map(\.ppm)
        let whole = try amount.multiplied(by: group.base.pieces)
        let total = try Allocation.proportion(
            of: whole, part: weights.reduce(0, +), whole: Int64(SharePPM.whole.ppm))
        let parts = try Allocation.largestRemainder(total: total.minor, weights: weights)
        for (claim, part) in zip(group.claims, parts) {
            add(part, to: claim, purpose: .reward, base: nil, rate: nil, unit: unit)
        }
    }

    private mutating func payTiers(
        _ group: ClaimGroup, table: TierTable, accumulatedBefore: [String: Amount]
    ) throws(MoneyFailure) {
        let weights = group.claims.map(\.ppm)
        let creditedBase = try Allocation.proportion(
            of: group.base.amount, part: weights.reduce(0, +), whole: Int64(SharePPM.whole.ppm))
        let bases = try Allocation.largestRemainder(total: creditedBase.minor, weights: weights).map(Amount.init(minor:))
        for (claim, base) in zip(group.claims, bases) {
            guard let memberID = claim.payee?.memberID else { continue }
            let before = max(accumulatedBefore[memberID] ?? .zero, .zero)
            counted[memberID] = base
            try pay(claim, base: base, before: before, table: table)
        }
    }

    /// The table's worth of the volume with this sale, less its worth before. Where a retroactive tier is newly reached, the part of this
    /// sale and that of the volume before it are lines of their own.
    private mutating func pay(_ claim: Claim, base: Amount, before: Amount, table: TierTable) throws(MoneyFailure) {
        let after = try before.adding(base)
        let total = try table.worth(of: after).subtracting(table.worth(of: before))
        let rate = table.rate(at: after)
        let rateBefore = table.rate(at: before)
        if total == .zero, rate < rateBefore, table.mode == .retroactive {
            return refuse(.tiersFall, memberID: claim.payee?.memberID ?? "")
        }
        guard table.mode == .retroactive else {
            let slices = try table.slices(before: before, base: base)
            return add(
                total.minor, to: claim, purpose: .reward, base: base, rate: slices.count == 1 ? slices[0].rate : nil, slices: slices,
                unit: .currency(facts.currency))
        }
        let isNewTier = rate > rateBefore && before > .zero
        let reward = isNewTier ? min(total, try rate.applied(to: base)) : total
        add(reward.minor, to: claim, purpose: .reward, base: base, rate: rate, unit: .currency(facts.currency))
        guard reward < total else { return }
        add(
            try total.subtracting(reward).minor, to: claim, purpose: .trueUp, base: before,
            rate: try Rate(billionths: rate.billionths - rateBefore.billionths), unit: .currency(facts.currency))
    }

    private mutating func add(
        _ minor: Int64, to claim: Claim, purpose: RuleLine.Purpose, base: Amount?, rate: Rate?, slices: [TierSlice] = [],
        unit: UnitCode
    ) {
        guard let payee = claim.payee else {
            retained += Int128(minor)
            return
        }
        guard minor != 0 else { return refuse(.zeroAmount, memberID: payee.memberID) }
        lines.append(
            RuleLine(
                ruleID: rule.id, version: rule.version, level: rule.level, payee: payee, purpose: purpose,
                share: SharePPM(ppm: Int(claim.ppm)) ?? .whole, base: base, rate: rate, slices: slices,
                amount: Amount(minor: minor), unit: unit))
    }
}
