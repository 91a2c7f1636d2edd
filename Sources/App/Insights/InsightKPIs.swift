import Chronology
import Persistence
import Web

/// The usual figures of a period: money of the currency most used, other currencies beside it, nothing added.
struct InsightKPIs: Sendable {
    var answer: InsightAnswer
    var currency: String?

    static let measures: [InsightMeasure] = InsightMeasure.allCases
    /// Two questions: one takes no more measures.
    static func find(_ days: ClosedRange<LocalDay>, in workspace: Workspace, on connection: any Connection) throws -> InsightKPIs {
        let answer = try InsightAnswer.find(InsightQuestion(measures: measures, days: days), in: workspace, on: connection)
        let (from, _) = InsightQueryStore.bounds(days, workspace)
        return InsightKPIs(answer: answer, currency: try OverviewStore.currencies(in: workspace.id, since: from, on: connection).first)
    }

    func figure(_ measure: InsightMeasure, _ other: String? = nil) -> InsightFigure {
        answer.whole(measure, other ?? currency)
            ?? InsightFigure(measure: measure, numerator: 0, denominator: measure.formula.denominator.isEmpty ? nil : 0)
    }

    private func json(_ measure: InsightMeasure, _ currency: String?) -> JSONValue {
        let figure = figure(measure, currency)
        return [
            "value": figure.value, "numerator": .integer(figure.numerator), "denominator": figure.denominator.map { .integer($0) } ?? .null,
            "definition": .text(measure.definition), "kind": .text(measure.kind.rawValue),
            "currency": measure.isMoney ? currency.map { .text($0) } ?? .null : .null, "reason": figure.reason,
        ]
    }

    var json: JSONValue {
        let others = answer.currencies.filter { $0 != currency }
        return [
            "from": .text(answer.question.days.lowerBound.iso8601), "to": .text(answer.question.days.upperBound.iso8601),
            "currency": currency.map { .text($0) } ?? .null,
            "kpis": .object(Self.measures.map { JSONMember($0.rawValue, json($0, currency)) }),
            "otherCurrencies": .object(
                others.map { other in JSONMember(other, .object(Self.measures.filter(\.isMoney).map { JSONMember($0.rawValue, json($0, other)) })) }),
            "freshness": answer.freshness.json,
        ]
    }
}

/// Where people stand, who moved from where to where, and how long they stayed in the stage they left.
enum InsightProgression {
    static func json(_ days: ClosedRange<LocalDay>, in workspace: Workspace, on connection: any Connection) throws -> JSONValue {
        let question = InsightQuestion(measures: [.stageCount, .stageMoves], dimensions: [.stage], days: days)
        let answer = try InsightAnswer.find(question, in: workspace, on: connection)
        let (from, until) = InsightQueryStore.bounds(days, workspace)
        let stages = try Member.Stage.allCases.map { stage -> JSONValue in
            let figures = answer.rows.first { $0.key.values == [stage.rawValue] }?.figures
            let stay = try InsightProgressionStore.stays(stage.rawValue, from: from, until: until, in: workspace.id, on: connection)
            return [
                "stage": .text(stage.rawValue),
                "people": figure(figures?[.stageCount]?.numerator ?? 0, InsightMeasure.stageCount.definition),
                "moves": figure(figures?[.stageMoves]?.numerator ?? 0, InsightMeasure.stageMoves.definition),
                "medianMsInStage": [
                    "value": stay.medianMs.map { .integer($0) } ?? .null, "numerator": .integer(stay.count), "denominator": .null,
                    "definition": "The median of how long people who left this stage in the period had stood there; the numerator is how many left.",
                    "reason": stay.medianMs == nil ? "Nobody left this stage in the period." : .null,
                ],
            ]
        }
        let flows = try InsightProgressionStore.flows(from: from, until: until, in: workspace.id, on: connection).map { flow -> JSONValue in
            ["from": flow.from.map { .text($0) } ?? .null, "to": .text(flow.to), "people": .integer(flow.count)]
        }
        return [
            "from": .text(days.lowerBound.iso8601), "to": .text(days.upperBound.iso8601), "stages": .array(stages), "flows": .array(flows),
            "freshness": answer.freshness.json,
        ]
    }

    private static func figure(_ value: Int64, _ definition: String) -> JSONValue {
        ["value": .integer(value), "numerator": .integer(value), "denominator": .null, "definition": .text(definition)]
    }
}

/// From showing to sale: each step as a part of the one before.
enum InsightFunnel {
    static let steps: [InsightMeasure] = [.impressions, .visits, .clicks, .leads, .sales]

    static func json(_ query: [String: String], today: LocalDay, in workspace: Workspace, on connection: any Connection) throws -> JSONValue {
        let question = try InsightQuestion.read(query, today: today, by: "by", measures: steps)
        let answer = try InsightAnswer.find(question, in: workspace, on: connection)
        let groups = answer.rows.map { row -> JSONValue in
            var before: Int64?
            let steps = Self.steps.map { step -> JSONValue in
                let count = row.figures[step]?.numerator ?? 0
                let part = InsightFigure(measure: .conversionRate, numerator: count, denominator: before ?? 0)
                defer { before = count }
                return [
                    "step": .text(step.rawValue), "count": .integer(count), "value": part.value, "numerator": .integer(count),
                    "denominator": before.map { .integer($0) } ?? .null,
                    "definition": .text("\(step.definition) The value is the part of the step before."),
                ]
            }
            return [
                "by": .object(zip(question.dimensions, row.key.values).map { JSONMember($0.rawValue, .text($1)) }), "steps": .array(steps),
            ]
        }
        return [
            "from": .text(question.days.lowerBound.iso8601), "to": .text(question.days.upperBound.iso8601), "groups": .array(groups),
            "freshness": answer.freshness.json,
        ]
    }
}

/// Customers by the month of their first purchase, and how many of them bought in each month after it.
enum InsightRetention {
    static let monthsUsual: Int64 = 12
    static let monthsMax: Int64 = 36
    static let definition =
        "Of the customers whose first sale was in the cohort's month, the part with a sale in the month so many later. Months of the workspace's zone; the last is not over."

    static func json(months: Int64, today: LocalDay, in workspace: Workspace, on connection: any Connection) throws -> JSONValue {
        let this = LocalDay(year: today.year, month: today.month, day: 1) ?? today
        let starts = (0...months).map { this.plus(months: $0 - months + 1) }
        let counts = try InsightProgressionStore.cohorts(starts.map { workspace.zone.start(of: $0) }, in: workspace.id, on: connection)
        let cohorts = starts.dropLast().indices.map { cohort -> JSONValue in
            let size = counts[cohort]?[cohort] ?? 0
            let cells = (cohort..<starts.count - 1).map { month -> JSONValue in
                let part = InsightFigure(measure: .retention, numerator: counts[cohort]?[month] ?? 0, denominator: size)
                return [
                    "monthsLater": .integer(Int64(month - cohort)), "value": part.value, "numerator": .integer(part.numerator), "denominator": .integer(size),
                    "definition": .text(definition),
                ]
            }
            return ["month": .text(String(starts[cohort].iso8601.prefix(7))), "customers": .integer(size), "months": .array(cells)]
        }
        return [
            "definition": .text(definition), "cohorts": .array(cohorts),
            "freshness": try InsightQueryStore.freshness(workspace.id, on: connection).json,
        ]
    }
}

enum InsightProgressionStore {
    static func flows(
        from: Instant, until: Instant, in workspace: WorkspaceID, on connection: any Connection
    ) throws -> [(from: String?, to: String, count: Int64)] {
        try connection.rows(
            """
            SELECT from_stage, stage, count(*) FROM fan_stage WHERE workspace_id = \(workspace) AND at >= \(from) AND at < \(until)
            GROUP BY from_stage, stage ORDER BY coalesce(from_stage, ''), stage
            """
        ).map { (try $0.get(at: 0), try $0.get(at: 1), try $0.get(at: 2)) }
    }

    /// How many left a stage in a period, and the median of how long they had stood there.
    static func stays(
        _ stage: String, from: Instant, until: Instant, in workspace: WorkspaceID, on connection: any Connection
    ) throws -> (count: Int64, medianMs: Int64?) {
        let left: SQL = "FROM fan_stage WHERE workspace_id = \(workspace) AND stage = \(stage) AND until_at >= \(from) AND until_at < \(until)"
        let count: Int64 = try connection.value("SELECT count(*) \(sql: left)") ?? 0
        guard count > 0 else { return (0, nil) }
        let middle = try connection.rows(
            "SELECT until_at - at AS stay \(sql: left) ORDER BY stay LIMIT \(count % 2 == 0 ? 2 : 1) OFFSET \((count - 1) / 2)"
        ).map { try $0.get(at: 0, as: Int64.self) }
        return (count, middle.reduce(0, +) / Int64(max(1, middle.count)))
    }

    /// By the number of a cohort's month and that of a later month: how many customers bought. Months begin at the given instants.
    static func cohorts(_ starts: [Instant], in workspace: WorkspaceID, on connection: any Connection) throws -> [Int: [Int: Int64]] {
        guard let first = starts.first, let last = starts.last else { return [:] }
        func month(_ column: String) -> String {
            let branches = starts.enumerated().dropFirst().map { "WHEN \(column) < \($0.element.millisecondsSince1970) THEN \($0.offset - 1)" }
            return "CAST(CASE WHEN \(column) < \(first.millisecondsSince1970) THEN -1 \(branches.joined(separator: " ")) ELSE -1 END AS BIGINT)"
        }
        var counts: [Int: [Int: Int64]] = [:]
        for row in try connection.rows(
            """
            SELECT f.cohort, m.month, count(*) FROM (
                SELECT customer_id, \(raw: month("min(occurred_at)")) AS cohort FROM sale WHERE workspace_id = \(workspace) GROUP BY customer_id) f
            JOIN (SELECT DISTINCT customer_id, \(raw: month("occurred_at")) AS month FROM sale
                  WHERE workspace_id = \(workspace) AND occurred_at >= \(first) AND occurred_at < \(last)) m ON m.customer_id = f.customer_id
            WHERE f.cohort >= 0 GROUP BY f.cohort, m.month
            """)
        {
            let (cohort, month, count): (Int, Int, Int64) = (try row.get(at: 0), try row.get(at: 1), try row.get(at: 2))
            counts[cohort, default: [:]][month] = count
        }
        return counts
    }
}
