import Chronology
import Money
import Persistence
import Web

/// The answer to a question: rows by dimensions, each with its figures, and how fresh they are.
struct InsightAnswer: Sendable {
    struct Key: Hashable, Sendable {
        var values: [String]
        /// Nil where a row holds no money.
        var currency: String?
    }

    struct Freshness: Sendable {
        var event: Int64
        var behind: Int64
        /// Days and people that are to be counted anew, and a rebuild.
        var parts: Int64
        var at: Instant?

        var json: JSONValue {
            [
                "asOfEvent": .integer(event), "eventsBehind": .integer(behind), "partsBehind": .integer(parts),
                "countedAt": at.map { .text($0.rfc3339) } ?? .null,
            ]
        }
    }

    var question: InsightQuestion
    var rows: [(key: Key, figures: [InsightMeasure: InsightFigure])]
    var freshness: Freshness

    static func find(_ question: InsightQuestion, in workspace: Workspace, on connection: any Connection) throws -> InsightAnswer {
        var sums: [InsightTerm: [Key: Int64]] = [:]
        for term in Set(question.measures.flatMap(\.terms)) {
            sums[term] = try InsightQueryStore.sums(term, question, workspace: workspace, on: connection)
        }
        let byCurrency = question.dimensions.contains(.currency)
        var keys: Set<Key> = []
        for measure in question.measures {
            for term in measure.terms {
                for key in (sums[term] ?? [:]).keys where !measure.isMoney || key.currency != nil { keys.insert(key) }
            }
        }
        let hasCounts = question.measures.contains { !$0.isMoney }
        if question.dimensions.isEmpty, hasCounts { keys.insert(Key(values: [], currency: nil)) }
        guard keys.count <= InsightQuestion.rowsMax else {
            throw Refusal.field(
                "dimensions", "The answer would have more than \(InsightQuestion.rowsMax) rows. Ask for fewer dimensions, a shorter period, or filter.", code: "too_many_rows")
        }
        let sorted = keys.sorted { ($0.values.joined(separator: "\u{0}"), $0.currency ?? "") < ($1.values.joined(separator: "\u{0}"), $1.currency ?? "") }
        let rows = sorted.map { key in
            var figures: [InsightMeasure: InsightFigure] = [:]
            for measure in question.measures where byCurrency || measure.isMoney == (key.currency != nil) {
                func value(_ term: InsightTerm) -> Int64 {
                    sums[term]?[term.isMoney || term.dimensions.contains(.currency) && byCurrency ? key : Key(values: key.values, currency: nil)] ?? 0
                }
                let formula = measure.formula
                figures[measure] = InsightFigure(
                    measure: measure, numerator: formula.numerator.reduce(0) { $0 &+ value($1.0) &* $1.1 },
                    denominator: formula.denominator.isEmpty ? nil : formula.denominator.reduce(0) { $0 &+ value($1) })
            }
            return (key: key, figures: figures)
        }
        return InsightAnswer(question: question, rows: rows, freshness: try InsightQueryStore.freshness(workspace.id, on: connection))
    }

    /// The figure of the whole period; of money that of a currency.
    func whole(_ measure: InsightMeasure, _ currency: String?) -> InsightFigure? {
        rows.first { $0.key.currency == (measure.isMoney ? currency : nil) }?.figures[measure]
    }

    var currencies: [String] { rows.compactMap(\.key.currency) }

    private var hasMoney: Bool { question.measures.contains(where: \.isMoney) || question.dimensions.contains(.currency) }
    private var plain: [InsightDimension] { question.dimensions.filter { $0 != .currency } }

    var json: JSONValue {
        let names = plain.map(\.rawValue) + (hasMoney ? ["currency"] : []) + question.measures.map(\.rawValue)
        let columns = names.map { name -> JSONValue in
            if let measure = InsightMeasure(rawValue: name) {
                return ["name": .text(name), "kind": .text(measure.kind.rawValue), "definition": .text(measure.definition)]
            }
            return ["name": .text(name), "kind": "dimension", "definition": .text(InsightDimension(rawValue: name)?.definition ?? "")]
        }
        var notes: [JSONValue] = []
        let lines = rows.enumerated().map { index, row -> JSONValue in
            var cells: [JSONValue] = row.key.values.map { .text($0) }
            if hasMoney { cells.append(row.key.currency.map { .text($0) } ?? .null) }
            for measure in question.measures {
                let figure = row.figures[measure]
                cells.append(figure?.value ?? .null)
                if let figure, figure.value == .null { notes.append(["row": .integer(Int64(index)), "column": .text(measure.rawValue), "reason": figure.reason]) }
            }
            return .array(cells)
        }
        return [
            "from": .text(question.days.lowerBound.iso8601), "to": .text(question.days.upperBound.iso8601), "columns": .array(columns), "rows": .array(lines),
            "nulls": .array(notes), "freshness": freshness.json,
        ]
    }
}
