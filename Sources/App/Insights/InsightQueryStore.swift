import Chronology
import Money
import Persistence

/// Reads the counts. Every query goes over days, not over events, but for stages and what can't be added up: who was active, who came back.
enum InsightQueryStore {
    private typealias Key = InsightAnswer.Key

    static func freshness(_ workspace: WorkspaceID, on connection: any Connection) throws -> InsightAnswer.Freshness {
        let cursor = try InsightCursorStore.find(workspace, on: connection)
        let last = try EventStore.lastSequence(in: workspace, on: connection)
        return InsightAnswer.Freshness(event: cursor?.position ?? 0, behind: last - (cursor?.position ?? 0),
            parts: try InsightTodoStore.count(in: workspace, on: connection) + (cursor?.rebuild == nil ? 0 : 1), at: cursor?.updatedAt)
    }

    static func sums(
        _ term: InsightTerm, _ question: InsightQuestion, workspace: Workspace, on connection: any Connection
    ) throws -> [InsightAnswer.Key: Int64] {
        let id = workspace.id
        let days = question.days
        switch term {
        case .clicks: return try traffic("click", question, id, connection)
        case .visits: return try traffic("visit", question, id, connection)
        case .impressions: return try traffic("impression", question, id, connection)
        case .shares: return try counted("share_day", "sum(count)", "", term, question, id, connection)
        case .costs: return try counted("cost", "sum(amount)", "", term, question, id, connection)
        case .sales: return try rolled("sales", term, question, days, id, connection)
        case .leads: return try rolled("leads", term, question, days, id, connection)
        case .newCustomers: return try rolled("newCustomers", term, question, days, id, connection)
        case .revenue: return try rolled("revenue", term, question, days, id, connection)
        case .refunds: return try rolled("refunds", term, question, days, id, connection)
        case .commissionCost: return try rolled("commissionCost", term, question, days, id, connection)
        case .broughtSales: return try rolled("sales", term, question, days, id, connection, brought)
        case .broughtNewCustomers: return try rolled("newCustomers", term, question, days, id, connection, brought)
        case .broughtRevenue: return try rolled("revenue", term, question, days, id, connection, brought)
        case .broughtMargin: return try margin(question, workspace, connection)
        case .revenueSoFar: return try rolled("revenue", term, question, LocalDay.earliest...days.upperBound, id, connection)
        case .refundsSoFar: return try rolled("refunds", term, question, LocalDay.earliest...days.upperBound, id, connection)
        case .customersSoFar: return try rolled("newCustomers", term, question, LocalDay.earliest...days.upperBound, id, connection)
        case .buyersAgainSoFar: return try rolled("secondPurchases", term, question, LocalDay.earliest...days.upperBound, id, connection)
        case .customersBefore: return try rolled("newCustomers", term, question, LocalDay.earliest...days.lowerBound.plus(days: -1), id, connection)
        case .activeMembers: return [Key(values: [], currency: nil): try active(days, workspace, connection)]
        case .cohortCustomers: return [Key(values: [], currency: nil): try cohort(days, workspace, connection).all]
        case .cohortReturned: return [Key(values: [], currency: nil): try cohort(days, workspace, connection).returned]
        case .stageCount, .stageMoves: return try stages(term, question, workspace, connection)
        case .satisfactionAnswers: return try answers("kind = 'csat'", term, question, id, connection)
        case .contentAnswers: return try answers("kind = 'csat' AND score >= 4", term, question, id, connection)
        case .recommendationAnswers: return try answers("kind = 'nps'", term, question, id, connection)
        case .promoterAnswers: return try answers("kind = 'nps' AND score >= 9", term, question, id, connection)
        case .detractorAnswers: return try answers("kind = 'nps' AND score <= 6", term, question, id, connection)
        }
    }

    private static let brought = "AND came_by IN ('link', 'code', 'bound')"

    private static func column(_ dimension: InsightDimension) -> String {
        switch dimension {
        case .program: "program_id"
        case .cameBy: "came_by"
        case .month: "substr(day, 1, 7)"
        case .channel, .device, .country, .currency, .stage, .day: dimension.rawValue
        }
    }

    private static func text(_ day: LocalDay) -> String { day <= LocalDay.earliest ? "0000-00-00" : day.iso8601 }

    private static func rolled(
        _ measure: String, _ term: InsightTerm, _ question: InsightQuestion, _ days: ClosedRange<LocalDay>, _ workspace: WorkspaceID,
        _ connection: any Connection, _ more: String = "", extra: [InsightDimension] = []
    ) throws -> [InsightAnswer.Key: Int64] {
        try grouped(
            "insight_day", "sum(value)", "AND measure = '\(measure)' \(more)", term, question, days, workspace, connection, extra: extra)
    }

    private static func traffic(
        _ kind: String, _ question: InsightQuestion, _ workspace: WorkspaceID, _ connection: any Connection
    ) throws -> [InsightAnswer.Key: Int64] {
        try grouped("traffic_day", "sum(count)", "AND kind = '\(kind)'", .clicks, question, question.days, workspace, connection)
    }

    private static func counted(
        _ table: String, _ value: String, _ more: String, _ term: InsightTerm, _ question: InsightQuestion, _ workspace: WorkspaceID, _ connection: any Connection
    ) throws -> [InsightAnswer.Key: Int64] {
        try grouped(table, value, more, term, question, question.days, workspace, connection)
    }

    private static func answers(
        _ which: String, _ term: InsightTerm, _ question: InsightQuestion, _ workspace: WorkspaceID, _ connection: any Connection
    ) throws -> [InsightAnswer.Key: Int64] {
        try counted("survey_answer", "count(*)", "AND \(which)", term, question, workspace, connection)
    }

    private static func grouped(
        _ table: String, _ value: String, _ more: String, _ term: InsightTerm, _ question: InsightQuestion, _ days: ClosedRange<LocalDay>,
        _ workspace: WorkspaceID, _ connection: any Connection, extra: [InsightDimension] = []
    ) throws -> [InsightAnswer.Key: Int64] {
        let plain = question.dimensions.filter { $0 != .currency } + extra
        let withCurrency = term.isMoney || term.dimensions.contains(.currency) && question.dimensions.contains(.currency)
        let columns = plain.map(column) + (withCurrency ? ["currency"] : [])
        var filter: SQL = ""
        for (dimension, wanted) in question.filters.sorted(by: { $0.key.rawValue < $1.key.rawValue })
        where dimension != .currency || term.dimensions.contains(.currency) {
            filter = "\(sql: filter) AND \(raw: column(dimension)) = \(wanted)"
        }
        let group = columns.isEmpty ? "" : "GROUP BY " + columns.indices.map { String($0 + 1) }.joined(separator: ", ")
        let rows = try connection.rows(
            """
            SELECT \(raw: (columns + ["CAST(coalesce(\(value), 0) AS BIGINT)"]).joined(separator: ", ")) FROM \(raw: table)
            WHERE workspace_id = \(workspace) AND day >= \(text(days.lowerBound)) AND day <= \(text(days.upperBound)) \(raw: more) \(sql: filter)
            \(raw: group) LIMIT \(InsightQuestion.rowsMax + 1)
            """)
        var sums: [InsightAnswer.Key: Int64] = [:]
        for row in rows {
            let values = try plain.indices.map { try row.get(at: $0, as: String.self) }
            let currency: String? = withCurrency ? try row.get(at: plain.count) : nil
            sums[Key(values: values, currency: currency), default: 0] &+= try row.get(at: columns.count, as: Int64.self)
        }
        return sums
    }

    /// What is left of revenue by each program's margin rate.
    private static func margin(_ question: InsightQuestion, _ workspace: Workspace, _ connection: any Connection) throws -> [InsightAnswer.Key: Int64] {
        let sums = try rolled("revenue", .broughtRevenue, question, question.days, workspace.id, connection, brought, extra: [.program])
        var rates: [String: Int64] = [:]
        var margins: [InsightAnswer.Key: Int64] = [:]
        for (key, sum) in sums {
            let program = key.values.last ?? ""
            if rates[program] == nil {
                let now = workspace.zone.start(of: question.days.upperBound.plus(days: 1))
                let found = try ProgramStore.find(ProgramID(stored: program), in: workspace.id, at: now, on: connection)
                rates[program] = found?.settings.marginRate?.billionths ?? Rate.billionthsPerWhole
            }
            let kept = Int64(clamping: Int128(sum) * Int128(rates[program] ?? 0) / Int128(Rate.billionthsPerWhole))
            margins[Key(values: Array(key.values.dropLast()), currency: key.currency), default: 0] &+= kept
        }
        return margins
    }

    private static func active(_ days: ClosedRange<LocalDay>, _ workspace: Workspace, _ connection: any Connection) throws -> Int64 {
        let (from, until) = bounds(days, workspace)
        return try connection.value(
            """
            SELECT count(*) FROM (
                SELECT c.member_id FROM sale s JOIN sale_credit c ON c.sale_id = s.id
                WHERE s.workspace_id = \(workspace.id) AND s.occurred_at >= \(from) AND s.occurred_at < \(until)
                UNION
                SELECT member_id FROM share_day WHERE workspace_id = \(workspace.id) AND day >= \(days.lowerBound.iso8601) AND day <= \(days.upperBound.iso8601)
            ) active
            """) ?? 0
    }

    static func bounds(_ days: ClosedRange<LocalDay>, _ workspace: Workspace) -> (from: Instant, until: Instant) {
        (workspace.zone.start(of: days.lowerBound), workspace.zone.start(of: days.upperBound.plus(days: 1)))
    }

    /// Customers who first bought 24 to 12 months before the end, and those of them who bought again in the last 12.
    private static func cohort(_ days: ClosedRange<LocalDay>, _ workspace: Workspace, _ connection: any Connection) throws -> (all: Int64, returned: Int64) {
        let end = days.upperBound.plus(days: 1)
        let (first, middle, last) = (
            workspace.zone.start(of: end.plus(months: -24)), workspace.zone.start(of: end.plus(months: -12)), workspace.zone.start(of: end)
        )
        guard
            let row = try connection.row(
                """
                SELECT count(*), CAST(coalesce(sum(CASE WHEN EXISTS (
                        SELECT 1 FROM sale r WHERE r.customer_id = k.customer_id AND r.occurred_at >= \(middle) AND r.occurred_at < \(last)) THEN 1 ELSE 0 END), 0) AS BIGINT)
                FROM (SELECT DISTINCT s.customer_id FROM sale s WHERE s.workspace_id = \(workspace.id) AND s.occurred_at >= \(first) AND s.occurred_at < \(middle)
                        AND NOT EXISTS (SELECT 1 FROM sale e WHERE e.customer_id = s.customer_id AND e.occurred_at < \(first))) k
                """)
        else { return (0, 0) }
        return (try row.get(at: 0), try row.get(at: 1))
    }

    private static func stages(
        _ term: InsightTerm, _ question: InsightQuestion, _ workspace: Workspace, _ connection: any Connection
    ) throws -> [InsightAnswer.Key: Int64] {
        let (from, until) = bounds(question.days, workspace)
        var condition: SQL = term == .stageCount
            ? "at < \(until) AND (until_at IS NULL OR until_at >= \(until))" : "at >= \(from) AND at < \(until)"
        if let stage = question.filters[.stage] { condition = "\(sql: condition) AND stage = \(stage)" }
        let rows = try connection.rows(
            "SELECT stage, count(*) FROM fan_stage WHERE workspace_id = \(workspace.id) AND \(sql: condition) GROUP BY stage ORDER BY stage")
        var sums: [InsightAnswer.Key: Int64] = [:]
        for row in rows {
            let stage: String = try row.get(at: 0)
            let values = question.dimensions.contains(.stage) ? [stage] : []
            sums[Key(values: values, currency: nil), default: 0] += try row.get(at: 1, as: Int64.self)
        }
        return sums
    }
}
