import Attribution
import Chronology
import Hummingbird
import Persistence
import Statistics
import Web

/// How people go on: where they stand, how long they stay, where they are lost, what comes before moving on, and what a move cost.
enum ProgressionPages {
    static let path = "/insights/progression"
    static let daysOffered: [Int64] = [90, 180, 365]
    static let daysUsual: Int64 = 180
    /// People who are listed behind a finding.
    static let peopleMax = 200

    /// What takes long to work out, and is worked out again after this long.
    static let remembersMs: Int64 = 600_000
    static let remembersMax = 100

    private struct Reports: Sendable {
        var staying: StayingReport
        var friction: FrictionReport
        var drivers: DriverReport
    }

    private struct Asked: Hashable, Sendable {
        var workspace: WorkspaceID
        var days: ClosedRange<LocalDay>
        var time: Int64
    }

    static func add(to api: inout API, gate: PageGate) {
        let memo = Memo<Asked, Reports>(limit: remembersMax)
        api.page("/insights/progression", .salesRead, gate) { visit in
            let days = days(visit)
            let (id, now, vault) = (visit.workspaceID, visit.now, visit.installation.vault)
            let model = try await visit.installation.main.read { connection -> ProgressionModel in
                guard let workspace = try WorkspaceStore.find(id, on: connection) else { throw Problem.notFound() }
                let (from, until) = InsightQueryStore.bounds(days, workspace)
                let reports = try memo.value(Asked(workspace: id, days: days, time: now.millisecondsSince1970 / remembersMs)) {
                    Reports(
                        staying: try StayingReport.find(days, now: now, in: workspace, on: connection),
                        friction: try FrictionReport.find(days, horizonDays: FrictionReport.horizonDaysUsual, now: now, in: workspace, on: connection),
                        drivers: try DriverReport.find(days, now: now, in: workspace, vault: vault, on: connection))
                }
                return ProgressionModel(
                    days: days, flows: try InsightProgressionStore.flows(from: from, until: until, in: id, on: connection),
                    standing: try InsightAnswer.find(InsightQuestion(measures: [.stageCount], dimensions: [.stage], days: days), in: workspace, on: connection),
                    staying: reports.staying, friction: reports.friction, drivers: reports.drivers,
                    spend: try SpendReport.find(days, in: workspace, on: connection),
                    programs: try ProgramStore.list(in: id, at: now, after: nil, limit: CustomerValuePages.programsMax, on: connection), language: visit.language)
            }
            return try visit.blocks(model.blocks, current: path)
        }
        api.page("/insights/progression/people", .salesRead, gate) { visit in try await people(visit) }
    }

    /// The days until today that somebody chose.
    private static func days(_ visit: PageVisit) -> ClosedRange<LocalDay> {
        let chosen = visit.query["days"].flatMap { Int64($0) }.flatMap { daysOffered.contains($0) ? $0 : nil } ?? daysUsual
        let today = visit.language.zone.day(of: visit.now)
        return today.plus(days: 1 - chosen)...today
    }

    /// The rows behind a finding: who came that way and has not gone on.
    private static func people(_ visit: PageVisit) async throws -> Response {
        guard let step = visit.query["step"].flatMap({ FrictionStep(rawValue: $0) }), let stage = step.stage, stage != .promoter,
            let dimension = visit.query["dimension"].flatMap({ FrictionDimension(rawValue: $0) }), let value = visit.query["value"], value.utf8.count <= 200
        else { throw Problem.notFound() }
        let (days, id, now, vault, language) = (days(visit), visit.workspaceID, visit.now, visit.installation.vault, visit.language)
        let horizon = FrictionReport.horizonDaysUsual
        let found = try await visit.installation.main.read { connection -> (fans: [(id: String, at: Instant)], count: Int64, names: PersonNames, programs: [Program]) in
            guard let workspace = try WorkspaceStore.find(id, on: connection) else { throw Problem.notFound() }
            var period = days
            if dimension == .cohort {
                guard let month = try? LocalDay(iso8601: value + "-01") else { throw Problem.notFound() }
                period = max(days.lowerBound, month)...max(days.lowerBound, min(days.upperBound, month.plus(months: 1).plus(days: -1)))
            }
            guard let arrivals = FrictionReport.arrivals(step, period, horizonDays: horizon, now: now, in: workspace) else { throw Problem.notFound() }
            let (fans, count) = try JourneyStore.lost(
                arrivals, by: dimension, value: dimension == .cohort ? "" : value, horizonMs: horizon * 86_400_000, limit: peopleMax, on: connection)
            let names = try PersonNames.load(
                members: fans.compactMap { MemberID($0.id) }, customers: fans.compactMap { CustomerID($0.id) }, vault: vault, on: connection)
            return (fans, count, names, try ProgramStore.list(in: id, at: now, after: nil, limit: CustomerValuePages.programsMax, on: connection))
        }
        let words = ProgressionWords(programs: found.programs, language: language)
        let rows = found.fans.map { fan -> PageTable.Row in
            if let member = MemberID(fan.id) { return PageTable.Row(cells: [.person(found.names.member(member, language), url: "/members/\(fan.id)"), .time(fan.at)]) }
            guard let customer = CustomerID(fan.id) else { return PageTable.Row(cells: [.text(fan.id), .time(fan.at)]) }
            return PageTable.Row(cells: [.person(found.names.customer(customer, language), url: "/customers/\(fan.id)"), .time(fan.at)])
        }
        func say(_ key: String, _ values: [String: String] = [:]) -> String { language("progression.people.\(key)", values) }
        let which = words.group(dimension, value)
        return try visit.blocks(
            PageBlocks(
                heading: say("title.\(stage.rawValue)", ["group": which]), crumb: (url: path, label: language("progression.title")),
                lead: language.sentence("progression.people.lead", count: found.count, ["days": language.integer(horizon)]),
                blocks: [
                    PageBlocks.Block(
                        table: rows.isEmpty
                            ? nil
                            : PageTable(
                                label: which, columns: [PageTable.Column(label: say("who")), PageTable.Column(label: say("since"))], rows: rows, language: language),
                        empty: rows.isEmpty ? say("none") : nil, note: found.count > Int64(rows.count) ? say("more", ["shown": language.integer(Int64(rows.count))]) : nil)
                ]), current: path)
    }
}

/// What people are told apart by, in words.
struct ProgressionWords: Sendable {
    let programs: [Program]
    let language: PageLanguage

    /// "device phone", "program Friends of Halm".
    func group(_ dimension: FrictionDimension, _ value: String) -> String { language("progression.dimension.\(dimension.rawValue)", ["value": self.value(dimension, value)]) }

    func value(_ dimension: FrictionDimension, _ value: String) -> String {
        switch dimension {
        case .offer: programs.first { $0.id.text == value }?.name ?? value
        case .cameBy: TouchKind(rawValue: value).map { language("progression.cameBy.\($0.rawValue)") } ?? value
        case .country: language.country(value)
        case .cohort: (try? LocalDay(iso8601: value + "-01")).map {
                language.messages.formatter.monthName(epochMs: $0.startInUTC.millisecondsSince1970, timeZone: "UTC") + " " + value.prefix(4)
            } ?? value
        default: value
        }
    }

    func percent(_ rate: Double) -> String { language.percent(ppm: Int64((rate * 1_000_000).rounded()), decimals: 1) }

    /// In points of a percent, with its sign.
    func points(_ rate: Double) -> String { (rate < 0 ? "−" : "+") + percent(rate.magnitude) }
}
