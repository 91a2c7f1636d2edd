import Chronology
import HTTPTypes
import Hummingbird
import Persistence
import Web

/// How each depth of the network does, for programs.
enum LevelRoutes {
    private static let figure = APISchema.object([
        .required("value", .nullable(.number)), .required("numerator", .integer()), .required("denominator", .nullable(.integer())),
        .required("definition", .text), .required("reason", .nullable(.text)),
    ])
    private static let money = APISchema.object([
        .required("definition", .text), .required("amounts", .array(.object([.required("currency", .text), .required("value", .integer())]))),
    ])
    private static let level = APISchema.object(
        [.required("depth", .integer()), .required("isUnderPerforming", .boolean)] + LevelJSON.counts.map { .required($0.name, figure) }
            + [.required("revenue", money), .required("commissionCost", money)])
    private static let finding = APISchema.object([
        .required("depth", .integer()), .required("activeShare", .number), .required("peersActiveShare", .number), .required("difference", .number),
        .required("interval", .object([.required("lower", .number), .required("upper", .number)])), .required("pValue", .number),
        .required("adjustedPValue", .number), .required("sentence", .text), .required("suggestion", .enumeration(NetworkLevel.Suggestion.allCases.map(\.rawValue))),
        .required("suggestionText", .text),
    ])

    static func add(to api: inout API, site: Site) {
        let installation = api.installation
        let language = PageLanguage(messages: site.catalogue.messages(for: "en"), zone: .utc)
        api.read(
            "/insights/levels", id: "getLevels", "How each depth of the network does, which levels lag behind, and how healthy the network is", tag: "Insights",
            access: .right(.salesRead),
            parameters: [
                APIParameter("from", .string(maximumLength: 10)), APIParameter("to", .string(maximumLength: 10)),
                APIParameter("programId", .described(.text, description: "Only of this program. Shares count whatever program they were for.")),
            ],
            answer: .object([
                .required("from", .text), .required("to", .text), .required("levels", .array(level)),
                .required("levelsCompared", .described(.integer(), description: "Those with people enough to be compared with the others.")),
                .required("findings", .array(finding)), .required("health", .object([
                    .required("recruitsMedian", figure), .required("recruitsMean", figure), .required("deepestLevel", figure), .required("medianLevel", figure),
                    .required("membersDeeper", figure),
                    .required("byCurrency", .array(.object([
                        .required("currency", .text), .required("gini", figure), .required("largestTenShare", figure), .required("retailShare", figure),
                    ]))),
                ])),
            ]), failures: [422]
        ) { request, _, caller in
            let program = try Query.id("programId", ProgramKind.self, in: request)
            var query: [String: String] = [:]
            for (name, value) in request.uri.queryParameters { query[String(name)] = String(value) }
            let asked = query
            let found = try await installation.main.read { connection in
                guard let workspace = try WorkspaceStore.find(caller.workspaceID, on: connection) else { throw Refusal.unknown("workspace") }
                let days = try InsightQuestion.period(asked["from"], asked["to"], today: workspace.zone.day(of: workspace.now(installation.world)))
                return try NetworkLevels.find(days, program: program, in: workspace, on: connection)
            }
            return ListAnswer.one(LevelJSON(found: found, words: LevelWords(language: language)).json)
        }
    }
}
