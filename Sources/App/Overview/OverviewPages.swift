import Chronology
import Hummingbird
import Persistence
import Web

/// The operator's home: how the period goes, what needs somebody, what moves people.
enum OverviewPages {
    static let weeksCount = 8
    /// Links that end within these days are named.
    static let endingDays: Int64 = 7
    static let notesMax = 3

    static func add(to api: inout API, gate: PageGate) {
        api.page("/", .workspaceRead, gate) { visit in
            let period = period(visit)
            let model = OverviewModel(facts: try await facts(period, visit), period: period, language: visit.language, session: visit.session)
            return try visit.page("overview", title: visit.language("overview.title"), current: "/", model.page)
        }
        api.page("/overview.csv", .workspaceRead, gate) { visit in
            let period = period(visit)
            let facts = try await facts(period, visit)
            let rows = zip(period.bars.indices, period.bars).map { index, days -> [CSVCell] in
                [
                    .text(days.lowerBound.iso8601), .number(String(facts.bars[index])),
                    .number(index < facts.pastBars.count ? String(facts.pastBars[index]) : ""),
                ]
            }
            return visit.csv(name: "sales-per-day.csv", [[.text("day"), .text("sales"), .text("salesBefore")]] + rows)
        }
    }

    private static func period(_ visit: PageVisit) -> OverviewPeriod {
        let wanted = visit.query["period"] ?? ""
        let kind = OverviewPeriod.Kind(rawValue: wanted == "7d" ? "week" : wanted) ?? .month
        return OverviewPeriod(kind, today: visit.language.zone.day(of: visit.now), zone: visit.language.zone)
    }

    private static func facts(_ period: OverviewPeriod, _ visit: PageVisit) async throws -> OverviewFacts {
        let workspace = visit.workspaceID
        let now = visit.now
        let ending = try now.adding(milliseconds: endingDays * 86_400_000)
        let (person, maySeeMoney) = (visit.session.operatorID, visit.session.may(.ledgerRead))
        let weeksFrom = period.zone.start(of: period.days.upperBound.plus(days: 1 - Int64(weeksCount) * 7))
        return try await visit.installation.main.read { connection in
            let currencies = try OverviewStore.currencies(in: workspace, since: period.pastFrom, on: connection)
            let currency = currencies.first ?? "EUR"
            func counts(_ bars: [ClosedRange<LocalDay>], _ from: Instant, _ until: Instant) throws -> [Int64] {
                var byDay: [LocalDay: Int64] = [:]
                for step in try OverviewStore.salesByStep(in: workspace, from: from, until: until, on: connection) {
                    byDay[period.zone.day(of: step.at), default: 0] += step.count
                }
                return bars.map { bar in byDay.reduce(Int64(0)) { bar.contains($1.key) ? $0 + $1.value : $0 } }
            }
            let starts = try OverviewStore.ruleStarts(in: workspace, from: period.from, until: period.until, limit: notesMax, on: connection)
            return OverviewFacts(
                currency: currency, otherCurrencies: Array(currencies.dropFirst()),
                now: try OverviewStore.figures(
                    in: workspace, days: period.days, from: period.from, until: period.until, currency: currency, on: connection),
                past: try OverviewStore.figures(
                    in: workspace, days: period.pastDays, from: period.pastFrom, until: period.pastUntil, currency: currency, on: connection),
                bars: try counts(period.bars, period.from, period.until), pastBars: try counts(period.pastBars, period.pastFrom, period.pastUntil),
                channels: try OverviewStore.channels(
                    in: workspace, from: period.from, until: period.until, currency: currency, weeksFrom: weeksFrom, weeksCount: weeksCount,
                    on: connection),
                stages: try FanStore.stages(in: workspace, on: connection),
                stageMoves: try FanStore.moves(in: workspace, from: period.from, until: period.until, on: connection),
                needs: try OverviewStore.needs(
                    in: workspace, from: period.from, until: period.until, now: now, endingUntil: ending, currency: currency, on: connection),
                money: maySeeMoney
                    ? try OverviewNeedsStore.money(in: workspace, at: now, currency: currency, maker: person, on: connection) : OverviewNeedsStore.Money(),
                applicationCount: try OverviewNeedsStore.applications(in: workspace, on: connection),
                watchedCount: try CouponStore.watched(in: workspace, on: connection),
                complaintCount: try ComplaintStore.openCount(in: workspace, on: connection),
                isDemo: try GuideStore.isDemo(workspace, on: connection),
                isNew: try !SaleListStore.hasAny(in: workspace, on: connection) && !OverviewStore.hasLinks(in: workspace, on: connection),
                ruleStarts: try starts.compactMap { start in
                    try RuleStore.version(start.rule, start.version, on: connection).map { (period.zone.day(of: start.at), $0.name) }
                })
        }
    }
}

/// All that the overview shows.
struct OverviewFacts: Sendable {
    var currency: String
    var otherCurrencies: [String]
    var now: OverviewStore.Figures
    var past: OverviewStore.Figures
    var bars: [Int64]
    var pastBars: [Int64]
    var channels: [OverviewStore.Channel]
    var stages: [String: Int64]
    var stageMoves: [String: Int64]
    var needs: OverviewStore.Needs
    var money: OverviewNeedsStore.Money
    var applicationCount: Int64
    /// Coupons whose first uses have come.
    var watchedCount: Int64
    /// Friends who did not want to be written to.
    var complaintCount: Int64
    var isDemo: Bool
    /// Neither a link nor a sale exists.
    var isNew: Bool
    var ruleStarts: [(day: LocalDay, rule: String)]
}
