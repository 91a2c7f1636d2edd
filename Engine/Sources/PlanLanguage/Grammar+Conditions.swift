import Compensation
import Money

/// Everything that a metric or a test of one may say.
private struct MetricParts {
    var volume = Volume.qualifying
    var owner = VolumeOwner.both
    var tree = TreeCode.enroller
    var depth: Int?
    var limit = LegLimit(share: .whole, of: .requirement)
    var limitsPersonal: Bool?
    var rank = 0
    var minimum: Int64 = 0
    var anywhere = false
    var slot = 1
    var tracker = ""
    var within = 1
    var bound: Int64 = 0
}

private struct TestParts {
    var metric: Metric
    var bound: Int64
}

/// Conditions, and the metrics in them.
struct ConditionGrammar {
    let reference: Shape<Condition>
    let metricReference: Shape<Metric>
    let conditionSchema: PlanJSON
    let metricSchema: PlanJSON

    /// Conditions hold conditions, so the inner ones are looked up when they are read.
    private final class Whole {
        var shape: Shape<Condition>?
    }

    init() {
        let whole = Whole()
        let inner = Shape<Condition>(
            schema: PlanLanguage.reference("condition"), read: { node, reading in whole.shape?.read(node, &reading) },
            write: { condition, writing in whole.shape?.write(condition, writing) })
        let test = tagged("metric", Self.metrics(withBound: true) { TestParts(metric: $0, bound: $1.bound) } take: { ($0.metric, $0.bound) })
        let leaf = mapped(
            test, to: { Condition.atLeast($0.metric, $0.bound) },
            from: { if case .atLeast(let metric, let bound) = $0 { TestParts(metric: metric, bound: bound) } else { nil } })
        let words: [(String, Condition)] = [("active", .active), ("always", .always), ("never", .never)]
        let shape = word(words, or: keyedShape(Self.kinds(inner), nested: [("metric", leaf)]))
        whole.shape = shape
        conditionSchema = shape.schema
        reference = inner
        let metric = tagged("metric", Self.metrics(withBound: false) { metric, _ in metric } take: { ($0, 0) })
        metricSchema = metric.schema
        metricReference = metric.named("metric")
    }

    private static func kinds(_ inner: Shape<Condition>) -> [Variant<Condition>] {
        struct Several {
            var conditions: [Condition]
        }
        struct One {
            var condition: Condition
        }
        struct Statuses {
            var statuses: Set<MemberStatus>
        }
        struct Attribute {
            var name: String
            var value: String
        }
        struct RankBound {
            var rank: Int
        }
        let several = list(inner, 1...Condition.termsLimit)
        return [
            variant("all", "All hold.", Several(conditions: []), [required("all", \Several.conditions, several, "All of these hold.")],
                make: { .all($0.conditions) }, take: { if case .all(let terms) = $0 { Several(conditions: terms) } else { nil } }),
            variant("any", "One holds.", Several(conditions: []), [required("any", \Several.conditions, several, "At least one of these holds.")],
                make: { .any($0.conditions) }, take: { if case .any(let terms) = $0 { Several(conditions: terms) } else { nil } }),
            variant("not", "It does not hold.", One(condition: .never), [required("not", \One.condition, inner, "This does not hold.")],
                make: { .not($0.condition) }, take: { if case .not(let term) = $0 { One(condition: term) } else { nil } }),
            variant("status", "The member's status.", Statuses(statuses: []),
                [required("status", \Statuses.statuses, distinct(choice(MemberStatus.allCases) { $0.code }, 1...5) { $0.code }, "The member's status is one of these.")],
                make: { .status($0.statuses) }, take: { if case .status(let all) = $0 { Statuses(statuses: all) } else { nil } }),
            variant("attribute", "An extra column of the members.", Attribute(name: "", value: ""),
                [
                    required("attribute", \Attribute.name, codeShape, "The name of an extra column of the members."),
                    required("equals", \Attribute.value, wordShape, "Exactly this text stands there."),
                ],
                make: { .attribute($0.name, equals: $0.value) },
                take: { if case .attribute(let name, let value) = $0 { Attribute(name: name, value: value) } else { nil } }),
            variant("paidRank", "The paid-as rank.", RankBound(rank: 0),
                [required("paidRank", \RankBound.rank, rankShape, "The paid-as rank is this one or higher. Not for `active` and rank conditions.")],
                make: { .paidRank(atLeast: $0.rank) }, take: { if case .paidRank(let rank) = $0 { RankBound(rank: rank) } else { nil } }),
            variant("highestRank", "The highest rank ever.", RankBound(rank: 0),
                [required("highestRank", \RankBound.rank, rankShape, "The highest rank ever, this period included, is this one or higher. Not for `active` and rank conditions.")],
                make: { .highestRank(atLeast: $0.rank) }, take: { if case .highestRank(let rank) = $0 { RankBound(rank: rank) } else { nil } }),
        ]
    }

    private typealias Known = Field<MetricParts>
    private static var volume: Known { optional("volume", \.volume, volumeShape, standard: .qualifying, "Which volume counts.") }
    private static var tree: Known { optional("tree", \.tree, treeShape, standard: .enroller, "The tree on which it is counted.") }
    private static var owner: Known {
        optional(
        "of", \.owner, choice(VolumeOwner.allCases) { $0.code }, standard: .both, "Own orders, those of own customers, or both.")
    }
    private static var depth: Known { optional("depth", \.depth, count(0...Plan.levelsLimit), "So many promoters down; missing: without end.") }
    private static var rank: Known { required("rank", \.rank, rankShape, "This rank or a higher one, as achieved.") }
    private static var anywhere: Known {
        optional(
        "anywhere", \.anywhere, booleanShape, standard: false, "True: anybody in the leg; false: the head of the leg.")
    }
    private static var minimum: Known { required("legMinor", \.minimum, boundShape, "Volume that a leg or customer must have at least, in minor units.") }
    private static var share: Known { required("share", \.limit.share, shareShape, "The most that one leg may count.") }
    private static var limitOf: Known {
        required(
        "shareOf", \.limit.of, choice(LegLimit.Of.allCases) { $0.code }, "Share of the requirement, or of the actual total.")
    }
    private static var limitsPersonal: Known {
        optional(
        "limitsPersonal", \.limitsPersonal, booleanShape, "Whether personal volume is limited like a leg; missing: with `requirement` yes, with `total` no.")
    }
    private static var slot: Known { required("slot", \.slot, count(1...1_000), "The leg: 1 left, 2 right.") }
    private static var tracker: Known { required("tracker", \.tracker, codeShape, "The name of a tracker.") }
    private static var within: Known { required("withinPeriods", \.within, count(1...64), "So many periods, this one included.") }

    private static func metrics<Whole>(
        withBound: Bool, make: @escaping (Metric, MetricParts) -> Whole, take: @escaping (Whole) -> (Metric, Int64)
    ) -> [Variant<Whole>] {
        func kind(
            _ name: String, _ about: String, _ unit: String, _ fields: [Known], _ build: @escaping (MetricParts) -> Metric,
            _ parts: @escaping (Metric) -> MetricParts?
        ) -> Variant<Whole> {
            let bound: [Known] = withBound ? [required("atLeast" + unit, \.bound, boundShape, "It is at least this.")] : []
            return variant(
                name, about, MetricParts(), fields + bound, make: { make(build($0), $0) },
                take: { whole in
                    let (metric, bound) = take(whole)
                    guard var found = parts(metric) else { return nil }
                    found.bound = bound
                    return found
                })
        }
        return [
            kind("personalVolume", "Own orders and those of own customers.", "Minor", [volume, owner, tree], { .personalVolume($0.volume, of: $0.owner, on: $0.tree) }) {
                if case .personalVolume(let volume, let owner, let tree) = $0 { MetricParts(volume: volume, owner: owner, tree: tree) } else { nil }
            },
            kind("groupVolume", "Personal volume and that of everybody below.", "Minor", [volume, tree, depth], { .groupVolume($0.volume, on: $0.tree, depth: $0.depth) }) {
                if case .groupVolume(let volume, let tree, let depth) = $0 { MetricParts(volume: volume, tree: tree, depth: depth) } else { nil }
            },
            kind("limitedGroupVolume", "Group volume with a limit on what one leg counts.", "Minor", [volume, tree, share, limitOf, limitsPersonal],
                { .limitedGroupVolume($0.volume, on: $0.tree, limit: LegLimit(share: $0.limit.share, of: $0.limit.of, limitsPersonal: $0.limitsPersonal)) }
            ) {
                guard case .limitedGroupVolume(let volume, let tree, let limit) = $0 else { return nil }
                let usual = LegLimit(share: limit.share, of: limit.of).limitsPersonal
                return MetricParts(volume: volume, tree: tree, limit: limit, limitsPersonal: limit.limitsPersonal == usual ? nil : limit.limitsPersonal)
            },
            kind("groupVolumeOutside", "Group volume without heads of a rank and all below them.", "Minor", [volume, tree, rank], { .groupVolumeOutside($0.volume, on: $0.tree, rank: $0.rank) }) {
                if case .groupVolumeOutside(let volume, let tree, let rank) = $0 { MetricParts(volume: volume, tree: tree, rank: rank) } else { nil }
            },
            kind("outsideVolume", "Group volume less the largest leg.", "Minor", [volume, tree], { .outsideVolume($0.volume, on: $0.tree) }) {
                if case .outsideVolume(let volume, let tree) = $0 { MetricParts(volume: volume, tree: tree) } else { nil }
            },
            kind("largestLeg", "The volume of the largest leg.", "Minor", [volume, tree], { .largestLeg($0.volume, on: $0.tree) }) {
                if case .largestLeg(let volume, let tree) = $0 { MetricParts(volume: volume, tree: tree) } else { nil }
            },
            kind("legsWithVolume", "How many legs have a volume.", "", [volume, tree, minimum], { .legsWithVolume($0.volume, on: $0.tree, atLeast: $0.minimum) }) {
                if case .legsWithVolume(let volume, let tree, let minimum) = $0 { MetricParts(volume: volume, tree: tree, minimum: minimum) } else { nil }
            },
            kind("legsWithRank", "How many legs have a rank.", "", [rank, tree, anywhere], { .legsWithRank($0.rank, on: $0.tree, anywhere: $0.anywhere) }) {
                if case .legsWithRank(let rank, let tree, let anywhere) = $0 { MetricParts(tree: tree, rank: rank, anywhere: anywhere) } else { nil }
            },
            kind("activeLegs", "How many legs are active.", "", [tree, anywhere], { .activeLegs(on: $0.tree, anywhere: $0.anywhere) }) {
                if case .activeLegs(let tree, let anywhere) = $0 { MetricParts(tree: tree, anywhere: anywhere) } else { nil }
            },
            kind("enrolledActive", "Active promoters whose nearest promoter above, on the enroller tree, is the member.", "", [], { _ in .enrolledActive }) {
                if case .enrolledActive = $0 { MetricParts() } else { nil }
            },
            kind("enrolledActiveInLeg", "Those of them that stand in one leg.", "", [slot, tree], { .enrolledActiveInLeg($0.slot, on: $0.tree) }) {
                if case .enrolledActiveInLeg(let slot, let tree) = $0 { MetricParts(tree: tree, slot: slot) } else { nil }
            },
            kind("customers", "Own customers with an order and at least a volume.", "", [volume, minimum], { .customers($0.volume, atLeast: $0.minimum) }) {
                if case .customers(let volume, let minimum) = $0 { MetricParts(volume: volume, minimum: minimum) } else { nil }
            },
            kind("tenureMonths", "Whole months since joining.", "Months", [], { _ in .tenureMonths }) {
                if case .tenureMonths = $0 { MetricParts() } else { nil }
            },
            kind("consecutivePeriods", "How many periods in a row a tracker held.", "Periods", [tracker], { .consecutivePeriods(tracker: $0.tracker) }) {
                if case .consecutivePeriods(let tracker) = $0 { MetricParts(tracker: tracker) } else { nil }
            },
            kind("qualifiedPeriods", "In how many of the last periods a tracker held.", "Periods", [tracker, within], { .qualifiedPeriods(tracker: $0.tracker, within: $0.within) }) {
                if case .qualifiedPeriods(let tracker, let within) = $0 { MetricParts(tracker: tracker, within: within) } else { nil }
            },
        ]
    }
}
