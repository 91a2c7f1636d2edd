import Chronology
import HTTPTypes
import Persistence
import Prediction
import Web

/// What customers are worth, for programs.
enum CustomerValueRoutes {
    static func add(to api: inout API) {
        let installation = api.installation
        api.read(
            "/insights/customer-value", id: "getCustomerValue", "How often each customer is expected to buy again, and for how much", tag: "Customers",
            access: .right(.salesRead),
            parameters: APIParameter.page + [
                APIParameter("programId", .described(.text, description: "Sales of this program only; all of the workspace without it.")),
                APIParameter("weeks", .described(.integer(1...Int64(CustomerValue.weeksLimit)), description: "How far ahead; \(CustomerValue.weeksUsual) by default.")),
                APIParameter("currency", .described(.text, description: "Sales in this currency; by default that of most sales. Currencies are never added.")),
            ], answer: schema
        ) { request, _, caller in
            let page = try PageRequest.from(request, CustomerKind.self)
            let program = try Query.id("programId", ProgramKind.self, in: request)
            let weeks = try Query.integer("weeks", in: 1...CustomerValue.weeksLimit, standard: CustomerValue.weeksUsual, request)
            let currency = try Query.externalID("currency", in: request)
            let value = try await installation.main.read { connection -> CustomerValue? in
                guard let workspace = try WorkspaceStore.find(caller.workspaceID, on: connection) else { throw Refusal.unknown("workspace") }
                let now = workspace.now(installation.world)
                if let program, try ProgramStore.find(program, in: workspace.id, at: now, on: connection) == nil {
                    throw Refusal.unknown("program", field: "programId")
                }
                return try CustomerValue.load(
                    in: workspace.id, program: program, currency: currency, weeks: weeks, now: now, zone: Zone(workspace.timeZone) ?? .utc, on: connection)
            }
            guard let value else { throw Refusal.field("currency", "Nothing was sold in this currency; leave it out for the one with most sales.") }
            return ListAnswer.one(value.json(page))
        }
    }

    private static let number = APISchema.nullable(.number)

    private static let schema = APISchema.object([
        .required("currency", .described(.nullable(.text), description: "Null where nothing was sold.")), .required("currencies", .array(.text)),
        .required("until", .described(.date, description: "The last day that counts, in the workspace's zone.")), .required("weeks", .integer()),
        .required(
            "problem",
            .described(
                .nullable(.object([.required("code", .text), .required("detail", .text)])),
                description: "Why there is no forecast, and what is needed; null when there is one.")),
        .required(
            "bgnbd",
            .nullable(
                .object([
                    .required("r", .number), .required("alpha", .number), .required("a", .number), .required("b", .number), .required("logLikelihood", .number),
                ]))),
        .required("gammaGamma", .nullable(.object([.required("p", .number), .required("q", .number), .required("v", .number)]))),
        .required(
            "totals",
            .nullable(
                .object([.required("customers", .integer()), .required("expectedPurchases", .number), .required("expectedValueMinor", .nullable(.integer()))]))),
        .required(
            "data",
            .array(
                .object([
                    .required("customerId", .text), .required("frequency", .integer()), .required("recency", .number), .required("age", .number),
                    .required("probabilityAlive", .number), .required("expectedPurchases", .number), .required("expectedValueMinor", .nullable(.integer())),
                ]))),
        .required("hasMore", .boolean), .required("nextCursor", .nullable(.text)),
    ])
}

extension CustomerValue {
    /// One page of customers by id, with what is the same for all.
    func json(_ page: PageRequest) -> JSONValue {
        var members: [JSONMember] = [
            JSONMember("currency", currency.map { .text($0) } ?? .null), JSONMember("currencies", .array(currencies.map { .text($0) })),
            JSONMember("until", .text(until.iso8601)), JSONMember("weeks", .integer(Int64(weeks))),
        ]
        var rows: [Customer] = []
        switch outcome {
        case .failure(let problem):
            members += [
                JSONMember("problem", ["code": .text(problem.code), "detail": .text(problem.sentence)]), JSONMember("bgnbd", .null), JSONMember("gammaGamma", .null),
                JSONMember("totals", .null),
            ]
        case .success(let forecast):
            let model = forecast.purchases.model
            var values = JSONValue.null
            if case .success(let fit) = forecast.values { values = ["p": .decimal(fit.model.p), "q": .decimal(fit.model.q), "v": .decimal(fit.model.v)] }
            members += [
                JSONMember("problem", .null),
                JSONMember(
                    "bgnbd",
                    [
                        "r": .decimal(model.r), "alpha": .decimal(model.alpha), "a": .decimal(model.a), "b": .decimal(model.b),
                        "logLikelihood": .decimal(forecast.purchases.logLikelihood),
                    ]), JSONMember("gammaGamma", values),
                JSONMember(
                    "totals",
                    [
                        "customers": .integer(Int64(forecast.customers.count)), "expectedPurchases": .decimal(forecast.expectedPurchases),
                        "expectedValueMinor": Self.minor(forecast.expectedValueMinor),
                    ]),
            ]
            let first = page.startingAfter.map { after in forecast.customers.firstIndex { $0.id.text > after } ?? forecast.customers.count } ?? 0
            rows = Array(forecast.customers[first...].prefix(page.limit + 1))
        }
        let shown = rows.prefix(page.limit)
        members += [
            JSONMember(
                "data",
                .array(
                    shown.map { row in
                        [
                            "customerId": .text(row.id.text), "frequency": .integer(Int64(row.history.frequency)), "recency": .decimal(row.history.recency),
                            "age": .decimal(row.history.age), "probabilityAlive": .decimal(row.probabilityAlive),
                            "expectedPurchases": .decimal(row.expectedPurchases), "expectedValueMinor": Self.minor(row.expectedValueMinor),
                        ]
                    })), JSONMember("hasMore", .boolean(rows.count > shown.count)),
            JSONMember("nextCursor", rows.count > shown.count ? shown.last.map { JSONValue.text($0.id.text) } ?? .null : .null),
        ]
        return .object(members)
    }

    private static func minor(_ value: Double?) -> JSONValue { value.map { .integer(whole($0)) } ?? .null }

    /// The whole number nearest to a statistic.
    static func whole(_ value: Double) -> Int64 { Int64(exactly: value.rounded()) ?? (value < 0 ? .min : .max) }
}
