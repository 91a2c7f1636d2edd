import Chronology
import Compensation
import Money
import Persistence
import Web

/// Why one line of a run gave what it gave, for the member it belongs to. Neither the buyer nor those in between are named.
struct PortalRankLineModel: PageModel {
    var line: NamedRunLine
    var run: Run
    /// When the order was, and what it was worth.
    var order: (at: Instant, amountMinor: Int64, isRefund: Bool)?
    var roundingScope: String?
    var rounding: String?
    var language: PageLanguage

    static func load(_ line: NamedRunLine, of run: Run, _ language: PageLanguage, on connection: any Connection) throws -> PortalRankLineModel {
        var model = PortalRankLineModel(line: line, run: run, language: language)
        if line.line.order >= 0 {
            let order = try OrderRows(of: run.id, on: connection).order(line.line.order)
            model.order = (Instant(millisecondsSince1970: order.occurredMs), order.amountMinor, order.refundOf != nil)
        }
        if let program = try ProgramStore.find(run.programID, in: run.workspaceID, at: run.createdAt, on: connection),
            let plan = try PlanStore.find(run.planID, version: run.planVersion, in: run.workspaceID, on: connection)
        {
            let bonus = try plan.plan(for: program).bonuses.first { $0.code == line.bonus }
            model.roundingScope = bonus?.roundingScope.code
            model.rounding = bonus?.rounding.code
        }
        return model
    }

    var title: String { language(line.orderID == nil ? "portalRank.line.period" : "portalRank.line.order", ["bonus": line.bonus]) }

    /// `5 % of €36.00, level 2`
    static func short(_ line: NamedRunLine, _ unit: UnitCode, _ language: PageLanguage) -> String {
        let stored = line.line
        let values = [
            "rate": RunReceiptModel.rate(stored.rateBillionths, language), "base": language.money(stored.baseMinor, unit),
            "level": language.integer(Int64(stored.level)),
        ]
        guard stored.rateBillionths != 0 else { return language("portalRank.short.amount") }
        return language(stored.level > 0 ? "portalRank.short.level" : "portalRank.short.rate", values)
    }

    var page: PageObject {
        let stored = line.line
        let unit = run.unit
        var rows: [PageObject] = []
        func add(_ key: String, _ value: String, isSum: Bool = false) {
            rows.append(["name": .text(language("portalRank.row.\(key)")), "value": .text(value), "sum": .flag(isSum)])
        }
        if let order { add(order.isRefund ? "refund" : "sale", language.money(order.amountMinor, unit)) }
        if stored.baseMinor != 0 { add("base", language.money(stored.baseMinor, unit)) }
        if stored.rateBillionths != 0 { add("rate", RunReceiptModel.rate(stored.rateBillionths, language)) }
        if stored.level > 0 { add("level", language.integer(Int64(stored.level))) }
        add("gave", language.money(stored.amountMinor, unit), isSum: stored.cutMinor == 0)
        if stored.cutMinor != 0 {
            add("cut", language.money(-stored.cutMinor, unit))
            add("kept", language.money(stored.amountMinor - stored.cutMinor, unit), isSum: true)
        }
        return [
            "title": .text(title), "back": .text("/portal/rank?run=\(run.id.text)"), "lead": lead, "at": order.map { language.time($0.at) } ?? nil,
            "period": .text(RunPeriod.text(run, language)), "rows": PageValue(rows),
            "rounding": rounding.map { rounding in
                .text("\(language("runRounding.\(rounding)")) \(language("runScope.\(roundingScope ?? "order")"))")
            } ?? nil,
        ]
    }

    private var lead: PageValue {
        let stored = line.line
        let values = [
            "amount": language.money(stored.amountMinor, run.unit), "rate": RunReceiptModel.rate(stored.rateBillionths, language),
            "base": language.money(stored.baseMinor, run.unit), "level": language.integer(Int64(stored.level)), "bonus": line.bonus,
        ]
        let key: String =
            switch stored.reason {
            case .earned where stored.order >= 0 && stored.level > 0: "level"
            case .earned where stored.order >= 0: "order"
            case .earned where stored.source >= 0: "source"
            case .earned: "period"
            default: stored.reason.word
            }
        return language.sentence("portalRank.why.\(key)", values)
    }
}
