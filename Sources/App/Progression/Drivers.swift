import Chronology
import Persistence
import Statistics
import Web

/// What people may do at a stage before they move on.
enum DriverAct: String, Sendable, CaseIterable {
    case leadAgain, couponUsed, boughtAgain, sharedAgain, invited, rewarded, redeemed, badge, attended, hosted, brought

    /// Acts that are not the move itself.
    static func of(_ stage: Member.Stage) -> [DriverAct] {
        switch stage {
        case .prospect: [.leadAgain]
        case .customer: [.couponUsed, .boughtAgain, .rewarded, .redeemed, .badge, .attended]
        case .sharer: [.sharedAgain, .invited, .brought, .boughtAgain, .rewarded, .redeemed, .badge, .attended, .hosted]
        case .promoter: []
        }
    }
}

/// Which acts come before moving on. What people chose to do themselves is association, whatever its size; what lots were drawn for is measured.
struct DriverReport: Sendable {
    /// Days after coming in which an act counts as done.
    static let landmarkDays: Int64 = 14
    static let horizonDays: Int64 = 60

    struct Driver: Sendable {
        var stage: Member.Stage
        var act: DriverAct
        var precedence: Precedence
        var pValue: Double
        var adjustedPValue: Double

        var comparison: TwoProportions { precedence.comparison }
        var isSure: Bool { adjustedPValue < 0.05 }
    }

    /// A variant of an experiment beside control: who saw what was drawn by lot.
    struct Measured: Sendable {
        var experiment: Experiment
        var variant: String
        var control: Proportion
        var treatment: Proportion
        var interval: Interval?
    }

    var days: ClosedRange<LocalDay>
    /// The largest differences first.
    var drivers: [Driver]
    var measured: [Measured]

    static func find(
        _ days: ClosedRange<LocalDay>, now: Instant, in workspace: Workspace, vault: Vault, on connection: any Connection
    ) throws -> DriverReport {
        var found: [(stage: Member.Stage, act: DriverAct, precedence: Precedence)] = []
        let (from, until) = InsightQueryStore.bounds(days, workspace)
        for stage in Member.Stage.allCases {
            let acts = DriverAct.of(stage)
            guard !acts.isEmpty else { continue }
            let arrivals = JourneyStore.Arrivals(stage: stage, from: from, until: until, now: now, workspace: workspace.id)
            let people = try JourneyStore.people(arrivals, on: connection)
            guard people.count >= Friction.peopleMin else { continue }
            for act in acts {
                let firsts = try JourneyStore.firsts(act, arrivals, zone: workspace.zone, on: connection)
                let watched = people.map { Precedence.Person(didAt: firsts[$0.key], movedAt: $0.value.movedAt, watchedFor: $0.value.watchedFor) }
                guard let precedence = Precedence(watched, landmark: landmarkDays, horizon: horizonDays), precedence.did.users >= Friction.peopleMin,
                    precedence.didNot.users >= Friction.peopleMin
                else { continue }
                found.append((stage, act, precedence))
            }
        }
        let pValues = found.map { $0.precedence.comparison.fisherExact() }
        let adjusted = FalseDiscovery.adjusted(pValues)
        let drivers = found.indices.map {
            Driver(stage: found[$0].stage, act: found[$0].act, precedence: found[$0].precedence, pValue: pValues[$0], adjustedPValue: adjusted[$0])
        }
        return DriverReport(
            days: days, drivers: drivers.sorted { $0.comparison.difference > $1.comparison.difference },
            measured: try measured(now: now, in: workspace, vault: vault, on: connection))
    }

    private static let experimentsMax = 20

    /// Experiments on who buys: what they found for the move from prospect to customer.
    private static func measured(now: Instant, in workspace: Workspace, vault: Vault, on connection: any Connection) throws -> [Measured] {
        var measured: [Measured] = []
        for experiment in try ExperimentStore.newest(in: workspace.id, before: nil, limit: experimentsMax, on: connection)
        where experiment.metric == .conversion && experiment.state != .draft {
            guard let program = try ProgramStore.find(experiment.programID, in: workspace.id, at: now, on: connection) else { continue }
            let facts = try ExperimentFacts.load(experiment, currency: program.currency, vault: vault, on: connection)
            let analysis = ExperimentAnalysis(experiment, facts, now: now)
            let counts = analysis.counts
            guard let control = counts.first.flatMap({ $0?.people }) else { continue }
            for (place, variant) in experiment.variants.enumerated().dropFirst() {
                guard let people = counts[place]?.people else { continue }
                measured.append(
                    Measured(experiment: experiment, variant: variant.name, control: control, treatment: people, interval: analysis.course.tests[place - 1]?.interval))
            }
        }
        return measured
    }

    var json: JSONValue {
        [
            "from": .text(days.lowerBound.iso8601), "to": .text(days.upperBound.iso8601), "landmarkDays": .integer(Self.landmarkDays),
            "horizonDays": .integer(Self.horizonDays), "definition": .text(Self.definition),
            "drivers": .array(
                drivers.map { driver in
                    let interval = driver.comparison.newcombe(.fivePercent)
                    return [
                        "stage": .text(driver.stage.rawValue), "act": .text(driver.act.rawValue), "evidence": "association",
                        "didPeople": .integer(Int64(driver.precedence.did.users)), "didMoved": .integer(Int64(driver.precedence.did.conversions)),
                        "didNotPeople": .integer(Int64(driver.precedence.didNot.users)), "didNotMoved": .integer(Int64(driver.precedence.didNot.conversions)),
                        "difference": .decimal(driver.comparison.difference), "low": .decimal(interval.lower), "high": .decimal(interval.upper),
                        "pValue": .decimal(driver.pValue), "adjustedPValue": .decimal(driver.adjustedPValue),
                    ]
                }),
            "measured": .array(
                measured.map { one in
                    [
                        "experimentId": .text(one.experiment.id.text), "variant": .text(one.variant), "evidence": "experiment",
                        "people": .integer(Int64(one.treatment.users)), "moved": .integer(Int64(one.treatment.conversions)),
                        "controlPeople": .integer(Int64(one.control.users)), "controlMoved": .integer(Int64(one.control.conversions)),
                        "difference": .decimal(one.treatment.rate - one.control.rate), "low": one.interval.map { .decimal($0.lower) } ?? .null,
                        "high": one.interval.map { .decimal($0.upper) } ?? .null,
                    ]
                }),
        ]
    }

    static let definition =
        "Of the people who came to a stage, those who did something within the first 14 days beside those who did not: the part that moved on in the 60 days after. Who moved on within the first 14 days is on neither side. They chose themselves, so this is association; experiments drew lots."
}
