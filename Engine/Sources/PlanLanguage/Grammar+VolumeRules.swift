import Compensation
import Money

/// Bonuses on volumes, on other bonuses, and awards.
struct VolumeRuleGrammar {
    let rules: [Variant<BonusRule>]

    init(condition: Shape<Condition>, metric: Shape<Metric>, levels: RuleGrammar.Levels) {
        rules = [
            Self.slab(metric), Self.differential, Self.breakaway, Self.binary(condition), Self.matching(levels), Self.pool(metric),
            Self.rankAdvancement, Self.milestone(condition),
        ]
    }

    private static func slab(_ metric: Shape<Metric>) -> Variant<BonusRule> {
        let some = Metric.tenureMonths
        return variant(
            "slab", "A rate chosen by one metric, times another.", SlabRule(slabs: [], by: some, on: some),
            [
                required("slabs", \SlabRule.slabs, slabs("The rate from there on."), "In rising order."),
                required("by", \SlabRule.by, metric, "The metric that chooses the slab."),
                required("on", \SlabRule.on, metric, "The metric that the rate multiplies."),
            ],
            make: { .slab($0) }, take: { if case .slab(let rule) = $0 { rule } else { nil } })
    }

    private static var differential: Variant<BonusRule> {
        variant(
            "differential", "Own slab rate × own group volume − Σ leg slab rate × leg volume.", DifferentialRule(slabs: []),
            [
                required("slabs", \DifferentialRule.slabs, slabs("The rate from there on."), "By the group's volume, in rising order."),
                optional("slabVolume", \DifferentialRule.slabVolume, volumeShape, standard: .qualifying, "Which volume chooses the slab."),
                optional("clamp", \DifferentialRule.clamp, choice(DifferentialRule.Clamp.allCases) { $0.code }, standard: .total, "Whether the total or each leg's part is never below 0."),
                optional("ineligible", \DifferentialRule.ineligible, choice(DifferentialRule.Ineligible.allCases) { $0.code }, standard: .breakage, "An ineligible person's slab still deducts above and the amount is breakage, or only what was taken below deducts."),
            ],
            make: { .differential($0) }, take: { if case .differential(let rule) = $0 { rule } else { nil } })
    }

    private static var breakaway: Variant<BonusRule> {
        variant(
            "breakaway", "A differential in which legs at the top slab leave the group, with an override on them.", BreakawayRule(slabs: [], override: .zero),
            [
                required("slabs", \BreakawayRule.slabs, slabs("The rate from there on."), "By the whole group's volume; the last slab is the top."),
                required("override", \BreakawayRule.override, rate, "The rate on legs that broke away."),
                optional("slabVolume", \BreakawayRule.slabVolume, volumeShape, standard: .qualifying, "Which volume chooses the slab."),
                optional("guaranteedMinor", \BreakawayRule.guaranteedMinor, amountShape, standard: 0, "The base volume, in minor units, on which the override is guaranteed; 0: no guarantee."),
            ],
            make: { .breakaway($0) }, take: { if case .breakaway(let rule) = $0 { rule } else { nil } })
    }

    private static func binary(_ condition: Shape<Condition>) -> Variant<BonusRule> {
        variant(
            "binary", "Left and right volume with carry. Needs a tree in which slot 1 is left and slot 2 right.", BinaryRule(match: .steps([])),
            [
                required("match", \BinaryRule.match, match, "How left and right volume is matched."),
                optional("matchCap", \BinaryRule.capMinor, byRank("amountMinor", amountShape, filler: 0, startsAtNone: true, "The most, in minor units."), standard: [], isNothing: true, "The most that the match pays in a period, by rank; missing: no cap. It stands before `cap`."),
                optional("overCap", \BinaryRule.overCap, choice(BinaryRule.OverCap.allCases) { $0.code }, standard: .truncate, "Above the cap the volume is used up, stays unmatched (`bankVolume`), or its money is paid later (`bankAmount`)."),
                optional("flush", \BinaryRule.flush, condition, standard: .not(.active), "Whose volume is flushed."),
                optional("expiresAfterPeriods", \BinaryRule.expiresAfterPeriods, count(1...1_000), "Volume of this age expires after matching, oldest first; missing: never."),
                optional("ownVolume", \BinaryRule.ownVolume, choice(BinaryRule.OwnVolume.allCases) { $0.code }, standard: .none, "Whether, and in which leg, personal volume counts."),
            ],
            make: { .binary($0) }, take: { if case .binary(let rule) = $0 { rule } else { nil } })
    }

    private static var match: Shape<BinaryRule.Match> {
        struct Percent {
            var rates: [Rate] = []
        }
        struct Cycles {
            var left: Int64 = 1
            var right: Int64 = 1
            var mirrored = false
            var values: [Int64] = []
        }
        struct Steps {
            var steps: [BinaryRule.Step] = []
        }
        struct Pairs {
            var unit: Int64 = 1
            var ratio = false
            var rates: [Rate] = []
        }
        let unit = integer(1...FactsBuilder.volumeLimit)
        let step = record(
            BinaryRule.Step(volume: 1, amountMinor: 0),
            [
                required("volumeMinor", \BinaryRule.Step.volume, unit, "The volume that both legs must reach, in minor units."),
                required("amountMinor", \BinaryRule.Step.amountMinor, amountShape, "What it pays, in minor units."),
            ])
        let byRankRates = byRank("rate", rate, filler: .zero, "The rate.")
        return tagged(
            "kind",
            [
                variant(
                    "percentOfWeaker", "A rate on the weaker leg; both legs lose its volume.", Percent(),
                    [required("rates", \Percent.rates, byRankRates, "The rate, the same for every rank or by rank.")],
                    make: { .percentOfWeaker($0.rates) }, take: { if case .percentOfWeaker(let rates) = $0 { Percent(rates: rates) } else { nil } }),
                variant(
                    "cycles", "Whole cycles of left and right volume.", Cycles(),
                    [
                        required("leftMinor", \Cycles.left, unit, "Left volume of a cycle, in minor units."),
                        required("rightMinor", \Cycles.right, unit, "Right volume of a cycle, in minor units."),
                        optional("mirrored", \Cycles.mirrored, booleanShape, standard: false, "Whether the larger part is taken from the fuller leg."),
                        required("value", \Cycles.values, byRank("amountMinor", amountShape, filler: 0, "What a cycle pays, in minor units."), "What a cycle pays, in minor units, the same for every rank or by rank."),
                    ],
                    make: { .cycles(left: $0.left, right: $0.right, mirrored: $0.mirrored, valueMinor: $0.values) },
                    take: {
                        guard case .cycles(let left, let right, let mirrored, let values) = $0 else { return nil }
                        return Cycles(left: left, right: right, mirrored: mirrored, values: values)
                    }),
                variant(
                    "steps", "The highest step that both legs reach, once a period; both legs lose its volume.", Steps(),
                    [required("steps", \Steps.steps, list(step, 1...1_000), "In rising order.")],
                    make: { .steps($0.steps) }, take: { if case .steps(let steps) = $0 { Steps(steps: steps) } else { nil } }),
                variant(
                    "unitPairs", "Pairs of a unit of volume; rate × unit for each pair.", Pairs(),
                    [
                        required("unitMinor", \Pairs.unit, unit, "The unit, in minor units."),
                        optional("ratio", \Pairs.ratio, choice([false, true]) { $0 ? "2:1" : "1:1" }, standard: false, "One unit on each side, or two on the fuller side."),
                        required("rates", \Pairs.rates, byRankRates, "The rate, the same for every rank or by rank."),
                    ],
                    make: { .unitPairs(unit: $0.unit, twoToOne: $0.ratio, rates: $0.rates) },
                    take: {
                        guard case .unitPairs(let unit, let ratio, let rates) = $0 else { return nil }
                        return Pairs(unit: unit, ratio: ratio, rates: rates)
                    }),
            ])
    }

    private static func matching(_ levels: RuleGrammar.Levels) -> Variant<BonusRule> {
        variant(
            "matching", "A rate on what the k-th generation below earned from named bonuses, after their caps.", MatchingRule(bonuses: [], rates: RateTable(rows: [])),
            [
                required("bonuses", \MatchingRule.bonuses, distinct(codeShape, 1...Plan.bonusesLimit) { $0 }, "Earlier bonuses, none of them a match."),
                levels.rates(\MatchingRule.rates, "generation"), levels.compression(\MatchingRule.compression),
            ],
            make: { .matching($0) }, take: { if case .matching(let rule) = $0 { rule } else { nil } })
    }

    private static func pool(_ metric: Shape<Metric>) -> Variant<BonusRule> {
        struct ByRank {
            var shares: [Int64] = []
        }
        struct ByMetric {
            var metric = Metric.tenureMonths
            var unit: Int64 = 1
        }
        struct ByPosition {
            var score = Metric.tenureMonths
            var weights: [Int64] = []
        }
        let weight = integer(0...1_000_000_000)
        let shares = tagged(
            "by",
            [
                variant(
                    "rank", "By rank.", ByRank(),
                    [required("shares", \ByRank.shares, byRank("shares", weight, filler: 0, "The number of shares."), "The number of shares, the same for every rank or by rank.")],
                    make: { PoolRule.Shares.byRank($0.shares) }, take: { if case .byRank(let shares) = $0 { ByRank(shares: shares) } else { nil } }),
                variant(
                    "metric", "Whole units of a metric.", ByMetric(),
                    [
                        required("of", \ByMetric.metric, metric, "The metric that is counted."),
                        required("unit", \ByMetric.unit, integer(1...FactsBuilder.volumeLimit), "How much of the metric is one share (volumes in minor units)."),
                    ],
                    make: { .byMetric($0.metric, per: $0.unit) },
                    take: { if case .byMetric(let metric, let unit) = $0 { ByMetric(metric: metric, unit: unit) } else { nil } }),
                variant(
                    "position", "By the place in a list by score.", ByPosition(),
                    [
                        required("score", \ByPosition.score, metric, "Position 1 has the highest score; ties: whose last order is earlier, then joined_at, then id."),
                        required("weights", \ByPosition.weights, list(weight, 1...1_000), "The shares of position 1, 2, …"),
                    ],
                    make: { .byPosition(score: $0.score, weights: $0.weights) },
                    take: { if case .byPosition(let score, let weights) = $0 { ByPosition(score: score, weights: weights) } else { nil } }),
            ])
        return variant(
            "pool", "A share of the company's base volume, split among those eligible.", PoolRule(rate: .zero, shares: .byRank([])),
            [
                required("rate", \PoolRule.rate, rate, "The share of the company's base volume."),
                required("shares", \PoolRule.shares, shares, "How the pool is split."),
                optional("perAttribute", \PoolRule.perAttribute, codeShape, "One pool for each value of this extra column (such as `country`), fed by buyers and shared by members with that value; missing: one pool."),
            ],
            make: { .pool($0) }, take: { if case .pool(let rule) = $0 { rule } else { nil } })
    }

    private static var rankAdvancement: Variant<BonusRule> {
        struct Award {
            var rank: Int
            var amount: Int64
        }
        let award = record(
            Award(rank: 0, amount: 0),
            [
                required("rank", \Award.rank, rankShape, "The rank that is reached for the first time."),
                required("amountMinor", \Award.amount, amountShape, "What it pays, in minor units."),
            ])
        let awards = list(award, 1...Plan.ranksLimit)
        let amounts = Shape<[Int64]>(
            schema: awards.schema,
            read: { node, reading in
                guard let found = awards.read(node, &reading) else { return nil }
                guard Set(found.map(\.rank)).count == found.count else {
                    reading.contradict(node, "a rank stands in the list twice")
                    return nil
                }
                var amounts = [Int64](repeating: 0, count: found.map(\.rank).max() ?? 0)
                for award in found { amounts[award.rank - 1] = award.amount }
                return amounts
            },
            write: { amounts, writing in
                awards.write(amounts.enumerated().filter { $0.element != 0 || amounts.count == $0.offset + 1 }.map { Award(rank: $0.offset + 1, amount: $0.element) }, writing)
            })
        return variant(
            "rankAdvancement", "Fixed amounts for reaching a rank for the first time.", RankAdvancementRule(amountsMinor: []),
            [
                required("amounts", \RankAdvancementRule.amountsMinor, amounts, "What each rank pays; ranks that are missing pay nothing."),
                payments(\RankAdvancementRule.payments),
                optional("keepPeriods", \RankAdvancementRule.keepPeriods, count(0...1_000), standard: 0, "A rank lost within so many periods after: what was paid is taken back and the rest not paid."),
                optional("paysSkipped", \RankAdvancementRule.paysSkipped, booleanShape, standard: true, "Whether ranks that were jumped over pay too."),
            ],
            make: { .rankAdvancement($0) }, take: { if case .rankAdvancement(let rule) = $0 { rule } else { nil } })
    }

    private static func milestone(_ condition: Shape<Condition>) -> Variant<BonusRule> {
        variant(
            "milestone", "A fixed amount the first time that the bonus's eligibility and the condition hold.", MilestoneRule(condition: .never, amountMinor: 0),
            [
                required("condition", \MilestoneRule.condition, condition, "What must hold."),
                required("amountMinor", \MilestoneRule.amountMinor, amountShape, "What it pays, in minor units."),
                payments(\MilestoneRule.payments),
                optional("keepPeriods", \MilestoneRule.keepPeriods, count(0...1_000), standard: 0, "The condition must hold for so many periods after; else what was paid is taken back."),
            ],
            make: { .milestone($0) }, take: { if case .milestone(let rule) = $0 { rule } else { nil } })
    }

    private static func payments<Rule>(_ path: WritableKeyPath<Rule, Int>) -> Field<Rule> {
        optional("payments", path, count(1...120), standard: 1, "Equal payments, the first in the period of the achievement, split by largest remainder.")
    }
}
