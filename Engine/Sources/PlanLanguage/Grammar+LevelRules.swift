import Compensation
import Money

/// What each kind of bonus may say. This file: bonuses along the line above a buyer.
struct RuleGrammar {
    let rules: [Variant<BonusRule>]

    init(condition: Shape<Condition>, metric: Shape<Metric>, orders: Shape<OrderFilter>, compression: Shape<Compression>) {
        let levels = Levels(compression: compression)
        let volumes = VolumeRuleGrammar(condition: condition, metric: metric, levels: levels)
        rules =
            [
                Self.direct(orders), Self.unilevel(levels), Self.matrix(levels), Self.fastStart(levels), Self.tiered,
                Self.rankDifferential, Self.generation(levels), Self.infinity,
            ] + volumes.rules
    }

    /// Rates by level and rank, and compression.
    struct Levels {
        let compression: Shape<Compression>
        let table = mapped(
            byRank("levels", list(rate, 0...Plan.levelsLimit), filler: [], "The rates of level 1, 2, …; deeper levels earn nothing."),
            to: { RateTable(rows: $0) }, from: { $0.rows })
        func rates<Rule>(_ path: WritableKeyPath<Rule, RateTable>, _ what: String) -> Field<Rule> {
            required("rates", path, table, "The rate of each \(what), the same for every rank or by rank.")
        }

        func compression<Rule>(_ path: WritableKeyPath<Rule, Compression>) -> Field<Rule> {
            optional("compression", path, compression, standard: .none, "What happens where the person at a level is not qualified.")
        }
    }

    private static var ownPurchases: Shape<DirectRule.OwnPurchases> { choice(DirectRule.OwnPurchases.allCases) { $0.code } }
    private static let ownPurchasesAbout =
        "A promoter's own orders pay nobody, the seller above them, or the buyer."

    private static func direct(_ orders: Shape<OrderFilter>) -> Variant<BonusRule> {
        struct Percent {
            var orders = OrderFilter()
            var rates: [Rate] = []
        }
        struct Flat {
            var orders = OrderFilter()
            var amounts: [Int64] = []
        }
        let about = "Which orders the term is for; missing: all that are left."
        let terms = keyed([
            variant(
                "percent", "A rate.", Percent(),
                [
                    required("percent", \Percent.rates, byRank("rate", rate, filler: .zero, "The rate."), "The rate on the base, the same for every rank or by rank."),
                    optional("orders", \Percent.orders, orders, standard: OrderFilter(), isNothing: true, about),
                ],
                make: { DirectRule.Term(orders: $0.orders, reward: .percent($0.rates)) },
                take: { if case .percent(let rates) = $0.reward { Percent(orders: $0.orders, rates: rates) } else { nil } }),
            variant(
                "flatMinor", "An amount.", Flat(),
                [
                    required("flatMinor", \Flat.amounts, byRank("amountMinor", amountShape, filler: 0, "The amount for each order, in minor units."), "The amount for each order, in minor units, the same for every rank or by rank."),
                    optional("orders", \Flat.orders, orders, standard: OrderFilter(), isNothing: true, about),
                ],
                make: { DirectRule.Term(orders: $0.orders, reward: .flat($0.amounts)) },
                take: { if case .flat(let amounts) = $0.reward { Flat(orders: $0.orders, amounts: amounts) } else { nil } }),
        ])
        return variant(
            "direct", "% or a flat amount to the seller, the nearest promoter above the buyer.", DirectRule(terms: []),
            [
                required("terms", \DirectRule.terms, list(terms, 1...100), "The first term whose orders fit decides."),
                optional("ownPurchases", \DirectRule.ownPurchases, ownPurchases, standard: .excluded, ownPurchasesAbout),
            ],
            make: { .direct($0) }, take: { if case .direct(let rule) = $0 { rule } else { nil } })
    }

    private static var firstLevel: Shape<FirstLevel> { choice(FirstLevel.allCases) { $0.code } }
    private static let firstLevelAbout =
        "Level 1 is the nearest promoter above the buyer, the buyer (when a promoter), or the nearest promoter above the seller."

    private static func unilevel(_ levels: Levels) -> Variant<BonusRule> {
        variant(
            "unilevel", "The n-th counted promoter above the buyer earns rate[rank][n] × base.", UnilevelRule(rates: RateTable(rows: [])),
            [
                levels.rates(\UnilevelRule.rates, "level"), levels.compression(\UnilevelRule.compression),
                optional("firstLevel", \UnilevelRule.firstLevel, firstLevel, standard: .aboveBuyer, firstLevelAbout),
            ],
            make: { .unilevel($0) }, take: { if case .unilevel(let rule) = $0 { rule } else { nil } })
    }

    private static func matrix(_ levels: Levels) -> Variant<BonusRule> {
        struct Parts {
            var rule = UnilevelRule(rates: RateTable(rows: []))
            var width = 2
        }
        return variant(
            "matrix", "Unilevel on a placement tree of a fixed width.", Parts(),
            [
                required("width", \Parts.width, count(1...1_000), "How many places each member has below; slots are 1 to this."),
                levels.rates(\Parts.rule.rates, "level"), levels.compression(\Parts.rule.compression),
                optional("firstLevel", \Parts.rule.firstLevel, firstLevel, standard: .aboveBuyer, firstLevelAbout),
            ],
            make: { .matrix($0.rule, width: $0.width) },
            take: { if case .matrix(let rule, let width) = $0 { Parts(rule: rule, width: width) } else { nil } })
    }

    private static func fastStart(_ levels: Levels) -> Variant<BonusRule> {
        struct Days {
            var days: Int
        }
        struct Months {
            var months: Int
        }
        let window = keyed([
            variant(
                "days", "Days.", Days(days: 1), [required("days", \Days.days, count(1...3_660), "Local days; the day of joining is day 1.")],
                make: { FastStartRule.Window.days($0.days) }, take: { if case .days(let days) = $0 { Days(days: days) } else { nil } }),
            variant(
                "calendarMonths", "Months.", Months(months: 1),
                [required("calendarMonths", \Months.months, count(1...120), "Calendar months; the month of joining is month 1.")],
                make: { FastStartRule.Window.calendarMonths($0.months) },
                take: { if case .calendarMonths(let months) = $0 { Months(months: months) } else { nil } }),
        ])
        return variant(
            "fastStart", "Unilevel on the orders of new members.", FastStartRule(rates: RateTable(rows: []), window: .days(1)),
            [
                levels.rates(\FastStartRule.rates, "level"), required("window", \FastStartRule.window, window, "For how long a member is new."),
                levels.compression(\FastStartRule.compression),
            ],
            make: { .fastStart($0) }, take: { if case .fastStart(let rule) = $0 { rule } else { nil } })
    }

    private static var tiered: Variant<BonusRule> {
        variant(
            "tiered", "Slabs over a running total of the seller's base.", TieredRule(tiers: []),
            [
                required("tiers", \TieredRule.tiers, slabs("The rate from there on."), "In rising order; the first one starts at 0 or below."),
                optional("mode", \TieredRule.mode, choice(TieredRule.Mode.allCases) { $0.code }, standard: .marginal, "Each part at its slab's rate; or also a true-up on all that came before when a slab is reached."),
                optional("scope", \TieredRule.scope, choice(TieredRule.Scope.allCases) { $0.code }, standard: .period, "When the running total starts again."),
                optional("measure", \TieredRule.measure, choice(TieredRule.Measure.allCases) { $0.code }, standard: .base, "What slab bounds are: the base, or what the company has kept of it (only marginal, rates of at most 100%)."),
                optional("ownPurchases", \TieredRule.ownPurchases, ownPurchases, standard: .excluded, ownPurchasesAbout),
            ],
            make: { .tiered($0) }, take: { if case .tiered(let rule) = $0 { rule } else { nil } })
    }

    private static var rankDifferential: Variant<BonusRule> {
        variant(
            "rankDifferential", "Going up from the buyer, each eligible person whose rate is above all rates collected so far earns the difference.",
            RankDifferentialRule(rates: []),
            [
                required("rates", \RankDifferentialRule.rates, byRank("rate", rate, filler: .zero, "The rate."), "The rate by rank."),
                optional("buyerCollects", \RankDifferentialRule.buyerCollects, booleanShape, standard: false, "Whether a buyer who is an eligible promoter collects first."),
            ],
            make: { .rankDifferential($0) }, take: { if case .rankDifferential(let rule) = $0 { rule } else { nil } })
    }

    private static func generation(_ levels: Levels) -> Variant<BonusRule> {
        struct Leader {
            var rank: Int
        }
        let boundary = word(
            [("ownRank", GenerationRule.Boundary.ownRank)],
            or: mapped(
                record(Leader(rank: 0), [required("rank", \Leader.rank, rankShape, "Leaders are those at this rank or above, whoever the payee is.")]),
                to: { GenerationRule.Boundary.rank($0.rank) }, from: { if case .rank(let rank) = $0 { Leader(rank: rank) } else { nil } }))
        return variant(
            "generation", "Volume by generations of leaders: the number of leaders below the payee, down to and including the buyer.",
            GenerationRule(rates: RateTable(rows: [])),
            [
                levels.rates(\GenerationRule.rates, "generation"),
                optional("leaders", \GenerationRule.boundary, boundary, standard: .ownRank, "Who closes a generation: those at the payee's own rank or above, or at a fixed rank or above."),
                optional("unqualifiedLeaders", \GenerationRule.unqualifiedLeaders, choice(GenerationRule.Unqualified.allCases) { $0.code }, standard: .compress, "Whether a leader who isn't eligible closes one (`block`) or not."),
                optional("fromRank", \GenerationRule.fromRank, rankOrNoneShape, standard: 1, isNothing: true, "The lowest rank that earns; missing: the first rank."),
            ],
            make: { .generation($0) }, take: { if case .generation(let rule) = $0 { rule } else { nil } })
    }

    private static var infinity: Variant<BonusRule> {
        variant(
            "infinity", "A rate on everything deeper than a level, until a leader of an equal or higher rank.",
            InfinityRule(rates: [], belowLevel: 0),
            [
                required("rates", \InfinityRule.rates, byRank("rate", rate, filler: .zero, "The rate."), "The rate by rank."),
                required("belowLevel", \InfinityRule.belowLevel, count(0...10_000), "The last level that another bonus pays; levels count promoters above the buyer."),
                optional("blocking", \InfinityRule.blocking, choice(InfinityRule.Blocking.allCases) { $0.code }, standard: .stop, "An equal or higher rank below stops it, or only what exceeds the rates collected below is paid."),
            ],
            make: { .infinity($0) }, take: { if case .infinity(let rule) = $0 { rule } else { nil } })
    }
}
