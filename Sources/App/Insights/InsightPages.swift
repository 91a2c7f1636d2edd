import Chronology
import Hummingbird
import Money
import Persistence
import Web

/// How the period goes: the usual figures beside those of the period before, each with its meaning and the way to its rows.
enum InsightPages {
    static let path = "/insights"

    static func add(to api: inout API, gate: PageGate) {
        api.page("/insights", .salesRead, gate) { visit in
            let period = period(visit)
            let (now, past) = try await figures(period, visit)
            return try visit.blocks(InsightModel(now: now, past: past, period: period, language: visit.language).blocks, current: path)
        }
        api.page("/insights.csv", .salesRead, gate) { visit in
            let (now, past) = try await figures(period(visit), visit)
            let header: [CSVCell] = ["measure", "currency", "value", "numerator", "denominator", "valueBefore", "definition"].map { .text($0) }
            let rows = InsightKPIs.measures.map { measure -> [CSVCell] in
                let (figure, before) = (now.figure(measure), past.figure(measure, now.currency))
                return [
                    .text(measure.rawValue), .text(measure.isMoney ? now.currency ?? "" : ""), .number(InsightModel.plain(figure)),
                    .number(String(figure.numerator)), .number(figure.denominator.map { String($0) } ?? ""), .number(InsightModel.plain(before)),
                    .text(measure.definition),
                ]
            }
            return visit.csv(name: "insights.csv", [header] + rows)
        }
    }

    private static func period(_ visit: PageVisit) -> OverviewPeriod {
        let zone = visit.language.zone
        let kind = visit.query["period"].flatMap { OverviewPeriod.Kind(rawValue: $0) } ?? .month
        return OverviewPeriod(kind, today: zone.day(of: visit.now), zone: zone)
    }

    private static func figures(_ period: OverviewPeriod, _ visit: PageVisit) async throws -> (InsightKPIs, InsightKPIs) {
        let id = visit.workspaceID
        return try await visit.installation.main.read { connection in
            guard let workspace = try WorkspaceStore.find(id, on: connection) else { throw Problem.notFound() }
            return (
                try InsightKPIs.find(period.days, in: workspace, on: connection), try InsightKPIs.find(period.pastDays, in: workspace, on: connection)
            )
        }
    }
}

/// The figures as a page.
struct InsightModel: Sendable {
    var now: InsightKPIs
    var past: InsightKPIs
    var period: OverviewPeriod
    var language: PageLanguage

    private static let groups: [(String, [InsightMeasure])] = [
        ("reach", [.impressions, .visits, .shares, .clicks, .clickThroughRate, .leads, .activeMembers, .kFactor]),
        ("sales", [.sales, .affiliateSales, .referralRate, .conversionRate, .revenue, .affiliateRevenue, .refunds, .averageOrderValue]),
        ("spent", [.costs, .commissionCost, .payoutShare, .costPerAcquisition, .returnOnInvestment, .earningsPerClick]),
        ("customers", [.newCustomers, .repeatPurchaseRate, .retention, .customerLifetimeValue, .stageMoves, .satisfaction, .netPromoterScore]),
    ]

    static func plain(_ figure: InsightFigure) -> String {
        switch figure.value {
        case .number(let number): number.token
        default: ""
        }
    }

    private static func url(_ measure: InsightMeasure) -> String? {
        switch measure {
        case .clicks, .clickThroughRate, .earningsPerClick, .conversionRate: "/links"
        case .leads: "/leads"
        case .sales, .affiliateSales, .revenue, .affiliateRevenue, .refunds, .referralRate, .averageOrderValue: "/sales"
        case .commissionCost, .payoutShare: "/commissions"
        case .costs, .costPerAcquisition, .returnOnInvestment: CostPages.path
        case .newCustomers, .repeatPurchaseRate, .retention, .customerLifetimeValue, .kFactor: "/customers"
        case .activeMembers, .shares, .stageCount, .stageMoves: "/members"
        case .satisfaction, .netPromoterScore: SurveyPages.path
        case .visits, .impressions: nil
        }
    }

    var blocks: PageBlocks {
        PageBlocks(
            heading: say("title"),
            links: [PageBlocks.Link(url: "/insights.csv?period=\(period.kind.rawValue)", label: say("csv"), style: "btn-quiet", icon: "download")],
            tabs: OverviewPeriod.Kind.allCases.map {
                (url: $0 == .month ? "/insights" : "/insights?period=\($0.rawValue)", label: language("overview.period.\($0.rawValue)"), isCurrent: $0 == period.kind)
            }, lead: lead,
            blocks: Self.groups.map { group in
                PageBlocks.Block(heading: say("group.\(group.0)"), table: table(group.1, say("group.\(group.0)")), note: group.0 == "customers" ? note : nil)
            })
    }

    private func say(_ key: String) -> String { language("insights.\(key)") }

    private var lead: PageValue {
        let sales = now.figure(.sales).numerator
        guard sales > 0 else { return language.sentence("insights.lead.none") }
        let rate = now.figure(.referralRate).ppm ?? 0
        return language.sentence("insights.lead.some", count: sales, ["percent": language.percent(ppm: rate, decimals: 0)])
    }

    private var note: String {
        let fresh = now.answer.freshness
        let key = fresh.parts > 0 ? "insights.counting" : fresh.behind > 0 ? "insights.behind" : "insights.fresh"
        return language(key, ["event": language.integer(fresh.event), "behind": language.integer(fresh.behind), "parts": language.integer(fresh.parts)])
    }

    private func table(_ measures: [InsightMeasure], _ label: String) -> PageTable {
        PageTable(
            label: label,
            columns: [
                PageTable.Column(label: say("column.measure")), PageTable.Column(label: say("column.now"), isNumber: true),
                PageTable.Column(label: say("column.past"), isNumber: true, isExtra: true), PageTable.Column(label: say("column.change"), isNumber: true),
                PageTable.Column(label: say("column.meaning"), isExtra: true),
            ],
            rows: measures.map { measure in
                let (figure, before) = (now.figure(measure), past.figure(measure, now.currency))
                return PageTable.Row(cells: [
                    .name(say("measure.\(measure.rawValue)"), url: Self.url(measure)), .number(text(figure)), .number(text(before)),
                    .number(change(figure, before)), .text(say("definition.\(measure.rawValue)")),
                ])
            }, language: language)
    }

    private func text(_ figure: InsightFigure) -> String {
        switch figure.measure.kind {
        case .count: return language.integer(figure.numerator)
        case .money, .moneyPerOne:
            guard let whole = figure.whole, let unit = now.currency.flatMap({ try? UnitCode($0) }) else { return "–" }
            return language.money(whole, unit)
        case .ratio: return figure.ppm.map { language.percent(ppm: $0) } ?? "–"
        }
    }

    private func change(_ figure: InsightFigure, _ before: InsightFigure) -> String {
        let (now, past) = figure.measure.kind == .ratio ? (figure.ppm, before.ppm) : (figure.whole, before.whole)
        guard let now, let past, past > 0 else { return "–" }
        let ppm = Share.ppm(now - past, of: past)
        return ppm == 0 ? say("change.same") : language(ppm > 0 ? "insights.change.more" : "insights.change.less", ["percent": language.percent(ppm: abs(ppm))])
    }
}
