import Chronology
import HTTPTypes
import Hummingbird
import Persistence
import Web

/// How people go on from stage to stage: how long they stay, where they are lost, what comes before moving on, and what a move cost.
enum ProgressionRoutes {
    private static let period = [APIParameter("from", .string(maximumLength: 10)), APIParameter("to", .string(maximumLength: 10))]
    private static let always: [APIField] = [.required("from", .text), .required("to", .text), .required("definition", .text)]

    static func add(to api: inout API) {
        let installation = api.installation
        api.read(
            "/insights/survival", id: "getSurvival", "How long people stay in a stage before they move on, with those who have not yet", tag: "Insights",
            access: .right(.salesRead), parameters: period, answer: .object(always + [.required("stages", .array(.any))]), failures: [422]
        ) { request, _, caller in
            try await answer(installation, request, caller) { _, days, now, workspace, connection in
                try StayingReport.find(days, now: now, in: workspace, on: connection).json
            }
        }
        api.read(
            "/insights/friction", id: "getFriction", "Where people are lost more than their peers", tag: "Insights", access: .right(.salesRead),
            parameters: period + [
                APIParameter("horizonDays", .described(.integer(1...FrictionReport.horizonDaysMax), description: "Days within which moving on counts; 30."))
            ],
            answer: .object(always + [.required("horizonDays", .integer()), .required("comparisons", .integer()), .required("findings", .array(.any))]),
            failures: [422]
        ) { request, _, caller in
            try await answer(installation, request, caller) { query, days, now, workspace, connection in
                try FrictionReport.find(days, horizonDays: horizon(query["horizonDays"]), now: now, in: workspace, on: connection).json
            }
        }
        api.read(
            "/insights/drivers", id: "getDrivers", "What people do before they move on, and what experiments measured", tag: "Insights",
            access: .right(.salesRead), parameters: period,
            answer: .object(
                always + [
                    .required("landmarkDays", .integer()), .required("horizonDays", .integer()), .required("drivers", .array(.any)),
                    .required("measured", .array(.any)),
                ]), failures: [422]
        ) { request, _, caller in
            try await answer(installation, request, caller) { _, days, now, workspace, connection in
                try DriverReport.find(days, now: now, in: workspace, vault: installation.vault, on: connection).json
            }
        }
        api.read(
            "/insights/spend", id: "getSpend", "What was spent on each move of people, and what one cost", tag: "Insights", access: .right(.salesRead),
            parameters: period,
            answer: .object(always + [.required("stages", .array(.any)), .required("unassigned", .array(.any)), .required("channels", .array(.any))]),
            failures: [422]
        ) { request, _, caller in
            try await answer(installation, request, caller) { _, days, _, workspace, connection in
                try SpendReport.find(days, in: workspace, on: connection).json
            }
        }
    }

    static func horizon(_ text: String?) throws -> Int64 {
        guard let text else { return FrictionReport.horizonDaysUsual }
        guard let days = Int64(text), (1...FrictionReport.horizonDaysMax).contains(days) else {
            throw Refusal.field("horizonDays", "Must be a whole number from 1 to \(FrictionReport.horizonDaysMax).")
        }
        return days
    }

    private static func answer(
        _ installation: Installation, _ request: Request, _ caller: Caller,
        _ body: @escaping @Sendable ([String: String], ClosedRange<LocalDay>, Instant, Workspace, any Connection) throws -> JSONValue
    ) async throws -> Response {
        var query: [String: String] = [:]
        for (name, value) in request.uri.queryParameters { query[String(name)] = String(value) }
        let asked = query
        return ListAnswer.one(
            try await installation.main.read { connection in
                guard let workspace = try WorkspaceStore.find(caller.workspaceID, on: connection) else { throw Refusal.unknown("workspace") }
                let now = workspace.now(installation.world)
                let days = try InsightQuestion.period(asked["from"], asked["to"], today: workspace.zone.day(of: now))
                return try body(asked, days, now, workspace, connection)
            })
    }
}
