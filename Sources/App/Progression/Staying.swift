import Chronology
import Persistence
import Statistics
import Web

/// How long people stay in each stage before they move on, those included who have not yet.
struct StayingReport: Sendable {
    static let stages: [Member.Stage] = [.prospect, .customer, .sharer]
    /// Steps of a curve that are told.
    static let stepsMax = 400

    var days: ClosedRange<LocalDay>
    /// Nil for a stage to which nobody came.
    var curves: [Member.Stage: Survival]

    static func find(_ days: ClosedRange<LocalDay>, now: Instant, in workspace: Workspace, on connection: any Connection) throws -> StayingReport {
        let (from, until) = InsightQueryStore.bounds(days, workspace)
        var curves: [Member.Stage: Survival] = [:]
        for stage in stages {
            let arrivals = JourneyStore.Arrivals(stage: stage, from: from, until: until, now: now, workspace: workspace.id)
            curves[stage] = Survival(try JourneyStore.watched(arrivals, on: connection))
        }
        return StayingReport(days: days, curves: curves)
    }

    static let definition =
        "Kaplan and Meier's estimate of the part of those who came to a stage in the period that has not moved on to a later one, by days since; who stands there still, or fell back, is counted until then. Intervals of 95 % by Greenwood on the scale of ln(−ln)."

    var json: JSONValue {
        [
            "from": .text(days.lowerBound.iso8601), "to": .text(days.upperBound.iso8601), "definition": .text(Self.definition),
            "stages": .array(
                Self.stages.map { stage in
                    let curve = curves[stage]
                    return [
                        "stage": .text(stage.rawValue), "people": .integer(Int64(curve?.count ?? 0)),
                        "moved": .integer(Int64(curve?.steps.reduce(0) { $0 + $1.moved } ?? 0)), "medianDays": curve?.median.map { .integer($0) } ?? .null,
                        "longestDays": curve.map { .integer($0.longest) } ?? .null,
                        "steps": .array(
                            (curve?.steps ?? []).prefix(Self.stepsMax).map { step in
                                [
                                    "day": .integer(step.time), "atRisk": .integer(Int64(step.atRisk)), "moved": .integer(Int64(step.moved)),
                                    "share": .decimal(step.share), "low": .decimal(step.interval.lower), "high": .decimal(step.interval.upper),
                                ]
                            }),
                    ]
                }),
        ]
    }
}

/// What was spent on each move of people, and what one move cost: whether the money serves all four kinds of them.
struct SpendReport: Sendable {
    var days: ClosedRange<LocalDay>
    var spent: [JourneyStore.Spent]
    /// Moves into each stage.
    var moves: [Member.Stage: Int64]

    static func find(_ days: ClosedRange<LocalDay>, in workspace: Workspace, on connection: any Connection) throws -> SpendReport {
        let answer = try InsightAnswer.find(InsightQuestion(measures: [.stageMoves], dimensions: [.stage], days: days), in: workspace, on: connection)
        var moves: [Member.Stage: Int64] = [:]
        for row in answer.rows { if let stage = row.key.values.first.flatMap({ Member.Stage(rawValue: $0) }) { moves[stage] = row.figures[.stageMoves]?.numerator ?? 0 } }
        return SpendReport(days: days, spent: try JourneyStore.spent(days, in: workspace.id, on: connection), moves: moves)
    }

    var currencies: [String] { Set(spent.map(\.currency)).sorted() }

    /// What was told for a stage, or, of nil, for none.
    func amount(_ stage: Member.Stage?, _ currency: String) -> Int64 { spent.filter { $0.stage == stage && $0.currency == currency }.reduce(0) { $0 &+ $1.amountMinor } }

    /// What one move into a stage cost, half away from zero; nil while nobody moved.
    func each(_ stage: Member.Stage, _ currency: String) -> Int64? {
        InsightFigure(measure: .costPerAcquisition, numerator: amount(stage, currency), denominator: moves[stage] ?? 0).whole
    }

    static let definition = "What the company told it spent on a stage (`stage` of a cost) ÷ moves of people into that stage in the period. Currencies are never added."

    var json: JSONValue {
        [
            "from": .text(days.lowerBound.iso8601), "to": .text(days.upperBound.iso8601), "definition": .text(Self.definition),
            "stages": .array(
                currencies.flatMap { currency in
                    Member.Stage.allCases.map { stage in
                        let each = each(stage, currency)
                        return [
                            "stage": .text(stage.rawValue), "currency": .text(currency), "value": each.map { .integer($0) } ?? .null,
                            "numerator": .integer(amount(stage, currency)), "denominator": .integer(moves[stage] ?? 0),
                            "reason": each == nil ? "Nobody moved into this stage in the period." : .null,
                        ]
                    }
                }),
            "unassigned": .array(currencies.map { ["currency": .text($0), "amount": .integer(amount(nil, $0))] }),
            "channels": .array(
                spent.map {
                    [
                        "stage": $0.stage.map { .text($0.rawValue) } ?? .null, "channel": .text($0.channel), "currency": .text($0.currency),
                        "amount": .integer($0.amountMinor),
                    ]
                }),
        ]
    }
}
