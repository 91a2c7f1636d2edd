import Chronology
import Persistence
import Statistics
import Web

/// What people who came to a stage are told apart by.
enum FrictionDimension: String, Sendable, CaseIterable {
    case offer, cameBy, channel, device, country, language, content, shareChannel, shareContent
    /// The month in which they came to the stage.
    case cohort

    /// Those that a person's row says, in the order of its columns.
    static let ofPeople: [FrictionDimension] = [.offer, .cameBy, .channel, .device, .country, .language, .content, .shareChannel, .shareContent]
    /// Those that showings, clicks and leads are counted by.
    static let ofTraffic: [FrictionDimension] = [.offer, .channel, .device]

    /// Of `fan t` and `member m`; '' where nothing is known.
    var column: String {
        switch self {
        case .offer: "coalesce(t.program_id, '')"
        case .cameBy: "coalesce(t.came_by, '')"
        case .channel: "coalesce(t.channel, '')"
        case .device: "coalesce(t.device, '')"
        case .country: "coalesce(nullif(t.country, ''), m.country, '')"
        case .language: "coalesce(nullif(t.language, ''), m.locale, '')"
        case .content: "coalesce(t.content, '')"
        case .shareChannel: "coalesce(t.share_channel, '')"
        case .shareContent: "coalesce(t.share_content, '')"
        case .cohort: "''"
        }
    }

    /// Whether it says anything of people at a stage: what somebody shared is known of those alone who did.
    func suits(_ step: FrictionStep) -> Bool {
        switch self {
        case .shareChannel, .shareContent: step == .sharer
        default: true
        }
    }

    fileprivate var query: InsightDimension? {
        switch self {
        case .offer: .program
        case .channel: .channel
        case .device: .device
        default: nil
        }
    }
}

/// From where to where: people by their stages, and before that what they saw and did without a name.
enum FrictionStep: String, Sendable, CaseIterable {
    case impressions, clicks, prospect, customer, sharer

    static let stages: [FrictionStep] = [.prospect, .customer, .sharer]

    var stage: Member.Stage? { Member.Stage(rawValue: rawValue) }
}

/// Where people are lost more than their peers, after all comparisons made at once.
struct FrictionReport: Sendable {
    /// Days within which moving on counts.
    static let horizonDaysUsual: Int64 = 30
    static let horizonDaysMax: Int64 = 365
    /// Values of a dimension that are compared, the largest.
    static let valuesMax = 200

    struct Name: Hashable, Sendable {
        var step: FrictionStep
        var dimension: FrictionDimension
        /// Empty in the name of a scope.
        var value = ""
    }

    var days: ClosedRange<LocalDay>
    var horizonDays: Int64
    /// All comparisons, those that lose most first.
    var findings: [Friction.Finding<Name>]

    /// What is told: surely worse than the peers. People first, then what has no name yet: a click is less than a customer.
    var worse: [Friction.Finding<Name>] { Self.peopleFirst(findings.filter { $0.adjustedPValue < 0.05 && $0.difference < 0 }) }
    /// Where it goes better, those that gain most first.
    var better: [Friction.Finding<Name>] { Self.peopleFirst(findings.reversed().filter { $0.adjustedPValue < 0.05 && $0.difference > 0 }) }

    private static func peopleFirst(_ findings: [Friction.Finding<Name>]) -> [Friction.Finding<Name>] {
        findings.filter { $0.group.name.step.stage != nil } + findings.filter { $0.group.name.step.stage == nil }
    }

    static func find(
        _ days: ClosedRange<LocalDay>, horizonDays: Int64, now: Instant, in workspace: Workspace, on connection: any Connection
    ) throws -> FrictionReport {
        var groups: [Friction.Group<Name>] = []
        for step in FrictionStep.stages {
            guard let arrivals = arrivals(step, days, horizonDays: horizonDays, now: now, in: workspace) else { continue }
            groups += try people(step, arrivals, horizonDays: horizonDays, on: connection)
            groups += try cohorts(step, arrivals, horizonDays: horizonDays, in: workspace, on: connection)
        }
        for (step, before, after) in [(FrictionStep.impressions, InsightMeasure.impressions, InsightMeasure.clicks), (.clicks, .clicks, .leads)] {
            for dimension in FrictionDimension.ofTraffic { groups += try traffic(step, dimension, before, after, days, in: workspace, on: connection) }
        }
        return FrictionReport(days: days, horizonDays: horizonDays, findings: Friction.compare(groups))
    }

    /// Those who came in the period and could be watched for the whole horizon; nil for what are no people.
    static func arrivals(_ step: FrictionStep, _ days: ClosedRange<LocalDay>, horizonDays: Int64, now: Instant, in workspace: Workspace) -> JourneyStore.Arrivals? {
        guard let stage = step.stage else { return nil }
        let (from, until) = InsightQueryStore.bounds(days, workspace)
        let watched = Instant(millisecondsSince1970: now.millisecondsSince1970 - horizonDays * 86_400_000)
        return JourneyStore.Arrivals(stage: stage, from: from, until: min(until, watched), now: now, workspace: workspace.id)
    }

    private static func people(
        _ step: FrictionStep, _ arrivals: JourneyStore.Arrivals, horizonDays: Int64, on connection: any Connection
    ) throws -> [Friction.Group<Name>] {
        let alike = try JourneyStore.alike(arrivals, horizonMs: horizonDays * 86_400_000, on: connection)
        return FrictionDimension.ofPeople.enumerated().filter { $0.element.suits(step) }.flatMap { place, dimension -> [Friction.Group<Name>] in
            var sums: [String: (came: Int, moved: Int)] = [:]
            for one in alike {
                sums[one.values[place], default: (0, 0)].came += one.came
                sums[one.values[place], default: (0, 0)].moved += one.moved
            }
            return named(sums, step, dimension)
        }
    }

    private static func cohorts(
        _ step: FrictionStep, _ arrivals: JourneyStore.Arrivals, horizonDays: Int64, in workspace: Workspace, on connection: any Connection
    ) throws -> [Friction.Group<Name>] {
        let first = workspace.zone.day(of: arrivals.from)
        guard arrivals.from < arrivals.until else { return [] }
        var month = LocalDay(year: first.year, month: first.month, day: 1) ?? first
        var sums: [String: (came: Int, moved: Int)] = [:]
        while workspace.zone.start(of: month) < arrivals.until, sums.count < 64 {
            var part = arrivals
            part.from = max(arrivals.from, workspace.zone.start(of: month))
            part.until = min(arrivals.until, workspace.zone.start(of: month.plus(months: 1)))
            sums[String(month.iso8601.prefix(7))] = try JourneyStore.cohort(part, horizonMs: horizonDays * 86_400_000, on: connection)
            month = month.plus(months: 1)
        }
        return named(sums, step, .cohort)
    }

    private static func traffic(
        _ step: FrictionStep, _ dimension: FrictionDimension, _ before: InsightMeasure, _ after: InsightMeasure, _ days: ClosedRange<LocalDay>,
        in workspace: Workspace, on connection: any Connection
    ) throws -> [Friction.Group<Name>] {
        guard let by = dimension.query else { return [] }
        let answer = try InsightAnswer.find(InsightQuestion(measures: [before, after], dimensions: [by], days: days), in: workspace, on: connection)
        var sums: [String: (came: Int, moved: Int)] = [:]
        for row in answer.rows {
            let (came, moved) = (row.figures[before]?.numerator ?? 0, row.figures[after]?.numerator ?? 0)
            sums[row.key.values.first ?? ""] = (Int(came), Int(moved))
        }
        // More than came can't have moved on: then they are not told of the same people, and nothing can be compared.
        guard sums.values.allSatisfy({ $0.moved <= $0.came }), sums.values.contains(where: { $0.moved > 0 }) else { return [] }
        return named(sums, step, dimension)
    }

    private static func named(_ sums: [String: (came: Int, moved: Int)], _ step: FrictionStep, _ dimension: FrictionDimension) -> [Friction.Group<Name>] {
        let scope = Name(step: step, dimension: dimension)
        // Of whom nothing is known are no peers: they often came another way altogether.
        let known = sums.filter { !$0.key.isEmpty }
        guard known.count > 1 else { return [] }
        return known.sorted { ($0.value.came, $1.key) > ($1.value.came, $0.key) }.prefix(valuesMax).map {
            Friction.Group(scope: scope, name: Name(step: step, dimension: dimension, value: $0.key), came: $0.value.came, moved: $0.value.moved)
        }
    }

    var json: JSONValue {
        [
            "from": .text(days.lowerBound.iso8601), "to": .text(days.upperBound.iso8601), "horizonDays": .integer(horizonDays),
            "comparisons": .integer(Int64(findings.count)), "definition": .text(Self.definition), "findings": .array((worse + better).prefix(100).map(Self.json)),
        ]
    }

    static let definition =
        "Of those who came to a step, and could be watched for the whole horizon, the part that moved on within it, beside everybody else at the same step. Told are differences whose adjusted p-value (Benjamini and Hochberg, over all comparisons) is below 0.05. Association, not cause."

    private static func json(_ finding: Friction.Finding<Name>) -> JSONValue {
        let name = finding.group.name
        return [
            "step": .text(name.step.rawValue), "dimension": .text(name.dimension.rawValue), "value": .text(name.value),
            "came": .integer(Int64(finding.group.came)), "moved": .integer(Int64(finding.group.moved)), "peersCame": .integer(Int64(finding.peers.users)),
            "peersMoved": .integer(Int64(finding.peers.conversions)), "difference": .decimal(finding.difference), "low": .decimal(finding.interval.lower),
            "high": .decimal(finding.interval.upper), "pValue": .decimal(finding.pValue), "adjustedPValue": .decimal(finding.adjustedPValue),
            "lost": .decimal(finding.lost), "evidence": "association",
        ]
    }
}
