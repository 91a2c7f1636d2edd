import Chronology
import HTTPTypes
import Hummingbird
import Persistence
import Web

/// Questions to the counts: any, the usual figures, where people stand, where they are lost, and who comes back.
enum InsightRoutes {
    private static let period = [APIParameter("from", .string(maximumLength: 10)), APIParameter("to", .string(maximumLength: 10))]
    private static let freshness = APISchema.object([
        .required("asOfEvent", .integer()), .required("eventsBehind", .integer()),
        .required("partsBehind", .described(.integer(), description: "Days and people that are still to be counted anew.")), .required("countedAt", .nullable(.dateTime)),
    ])

    static func add(to api: inout API) {
        let installation = api.installation
        api.read(
            "/insights/query", id: "queryInsights", "Measures by dimensions for a period", tag: "Insights", access: .right(.salesRead),
            parameters: [
                APIParameter(
                    "measures",
                    .described(.string(maximumLength: 1_000), description: "Names with commas between them: \(InsightMeasure.allCases.map(\.rawValue).joined(separator: ", "))."),
                    isRequired: true),
                APIParameter(
                    "dimensions",
                    .described(.string(maximumLength: 200), description: "At most \(InsightQuestion.dimensionsMax) of \(InsightDimension.allCases.map(\.rawValue).joined(separator: ", "))."
                    )),
                APIParameter("filters", .described(.string(maximumLength: 1_000), description: "dimension:value pairs with commas between them.")),
            ] + period,
            answer: .object([
                .required("from", .text), .required("to", .text),
                .required("columns", .array(.object([.required("name", .text), .required("kind", .text), .required("definition", .text)]))),
                .required("rows", .array(.array(.any))),
                .required("nulls", .array(.object([.required("row", .integer()), .required("column", .text), .required("reason", .text)]))),
                .required("freshness", freshness),
            ]), failures: [422]
        ) { request, _, caller in
            try await answer(installation, request, caller) { query, workspace, today, connection in
                try InsightAnswer.find(InsightQuestion.read(query, today: today), in: workspace, on: connection).json
            }
        }
        api.read(
            "/insights/kpis", id: "getKPIs", "The usual figures of a period, each with what was divided by what", tag: "Insights",
            access: .right(.salesRead), parameters: period,
            answer: .object([
                .required("from", .text), .required("to", .text), .required("currency", .nullable(.text)),
                .required("kpis", .described(.map(.any), description: "By measure: value, numerator, denominator, definition, kind, currency; reason where there is no value.")),
                .required("otherCurrencies", .described(.map(.any), description: "The same for money in other currencies: nothing is added or converted.")),
                .required("freshness", freshness),
            ]), failures: [422]
        ) { request, _, caller in
            try await answer(installation, request, caller) { query, workspace, today, connection in
                try InsightKPIs.find(InsightQuestion.period(query["from"], query["to"], today: today), in: workspace, on: connection).json
            }
        }
        api.read(
            "/insights/progression", id: "getProgression", "Where people stand, who moved, and how long they stayed", tag: "Insights",
            access: .right(.salesRead), parameters: period,
            answer: .object([
                .required("from", .text), .required("to", .text), .required("stages", .array(.any)), .required("flows", .array(.any)), .required("freshness", freshness),
            ]), failures: [422]
        ) { request, _, caller in
            try await answer(installation, request, caller) { query, workspace, today, connection in
                let days = try InsightQuestion.period(query["from"], query["to"], today: today)
                return try InsightProgression.json(days, in: workspace, on: connection)
            }
        }
        api.read(
            "/insights/funnel", id: "getFunnel", "From showing to sale, by channel, device or other dimensions", tag: "Insights", access: .right(.salesRead),
            parameters: period + [APIParameter("by", .described(.string(maximumLength: 100), description: "program, channel and device, with commas between them."))],
            answer: .object([.required("from", .text), .required("to", .text), .required("groups", .array(.any)), .required("freshness", freshness)]),
            failures: [422]
        ) { request, _, caller in
            try await answer(installation, request, caller) { query, workspace, today, connection in
                try InsightFunnel.json(query, today: today, in: workspace, on: connection)
            }
        }
        api.read(
            "/insights/retention", id: "getRetention", "Of the customers of each month, how many bought again in each later month", tag: "Insights",
            access: .right(.salesRead), parameters: [APIParameter("months", .integer(1...InsightRetention.monthsMax))],
            answer: .object([.required("definition", .text), .required("cohorts", .array(.any)), .required("freshness", freshness)]), failures: [422]
        ) { request, _, caller in
            try await answer(installation, request, caller) { query, workspace, today, connection in
                let months = query["months"].map { Int64($0) ?? 0 } ?? InsightRetention.monthsUsual
                guard (1...InsightRetention.monthsMax).contains(months) else {
                    throw Refusal.field("months", "Must be a number from 1 to \(InsightRetention.monthsMax).")
                }
                return try InsightRetention.json(months: months, today: today, in: workspace, on: connection)
            }
        }
    }

    private static func answer(
        _ installation: Installation, _ request: Request, _ caller: Caller,
        _ body: @escaping @Sendable ([String: String], Workspace, LocalDay, any Connection) throws -> JSONValue
    ) async throws -> Response {
        var query: [String: String] = [:]
        for (name, value) in request.uri.queryParameters { query[String(name)] = String(value) }
        let asked = query
        return ListAnswer.one(
            try await installation.main.read { connection in
                guard let workspace = try WorkspaceStore.find(caller.workspaceID, on: connection) else { throw Refusal.unknown("workspace") }
                return try body(asked, workspace, workspace.zone.day(of: workspace.now(installation.world)), connection)
            })
    }
}
