import Compensation
import Money
import Web

/// My rank: where I stand, what is missing, my volume, my legs, and my lines.
struct PortalRankModel: PageModel {
    var period: RunMember
    var runs: [Run]
    var isFirstPage: Bool
    var hasMore: Bool
    var names: PersonNames
    var language: PageLanguage

    private var run: Run { period.run }
    private var unit: UnitCode { run.unit }
    private var lines: ArraySlice<NamedRunLine> { period.lines.prefix(PortalRankPages.linesPerPage) }

    static func empty(_ language: PageLanguage) -> PageObject {
        [
            "hasRun": false, "lead": language.sentence("portalRank.none"), "hasPeriods": false, "periods": [], "next": nil, "isHighest": false,
            "hasLegs": false, "legs": [], "hasLines": false, "lines": [], "more": nil, "first": nil, "rank": nil, "facts": [], "period": nil, "hasNothings": false,
            "nothings": [],
        ]
    }

    var page: PageObject {
        let statement = period.statement
        return [
            "hasRun": true, "lead": lead, "period": .text(RunPeriod.text(run, language)), "rank": .text(period.rank(statement?.paidRank ?? 0, language)),
            "hasPeriods": .flag(runs.count > 1),
            "periods": PageValue(
                runs.map { other -> PageObject in
                    ["label": .text(RunPeriod.text(other, language)), "url": .text("/portal/rank?run=\(other.id.text)"), "current": .flag(other.id == run.id)]
                }),
            "facts": PageValue(facts(statement)),
            "next": period.progress.map { progress -> PageValue in
                [
                    "heading": .text(language("portalRank.next", ["rank": period.rank(progress.rank, language)])),
                    "parts": PageValue(progress.parts.map(part)),
                ]
            } ?? nil, "isHighest": .flag(period.progress == nil && !period.ranks.isEmpty && statement != nil), "hasLegs": .flag(!period.legs.isEmpty),
            "legs": PageValue(period.legs.map(leg)), "hasLines": .flag(!lines.isEmpty), "lines": PageValue(lines.map(row)),
            "hasNothings": .flag(!period.nothings.isEmpty),
            "nothings": PageValue(period.nothings.map { nothing -> PageObject in ["why": nothing.sentence("portalNothing", name: "", unit, language)] }),
            "more": hasMore ? PageValue(lines.last.map { "/portal/rank?run=\(run.id.text)&startingAfter=\($0.number)#lines" }) : nil,
            "first": isFirstPage ? nil : .text("/portal/rank?run=\(run.id.text)#lines"),
        ]
    }

    private var lead: PageValue {
        guard let statement = period.statement else { return language.sentence("portalRank.lead.nothing", ["period": RunPeriod.text(run, language)]) }
        return language.sentence(
            "portalRank.lead.earned",
            [
                "amount": language.money(statement.amountMinor, unit), "rank": period.rank(statement.paidRank, language),
                "period": RunPeriod.text(run, language),
            ])
    }

    private func facts(_ statement: StoredStatement?) -> [PageObject] {
        guard let statement else { return [] }
        func fact(_ key: String, _ value: String) -> PageObject { ["name": .text(language("portalRank.fact.\(key)")), "value": .text(value)] }
        return [
            fact("personal", language.amount(statement.personalVolume, unit)), fact("group", language.amount(statement.groupVolume, unit)),
            fact("highest", period.rank(statement.highestRank, language)),
            fact("active", language(statement.isActive ? "portalRank.active" : "portalRank.inactive")),
        ]
    }

    private func part(_ part: RankProgress.Part) -> PageObject {
        let isVolume = part.metric?.isVolume ?? false
        func text(_ value: Int64) -> String { isVolume ? language.amount(value, unit) : language.integer(value) }
        let label = language("runMetric.\(part.metric?.code ?? "active")")
        let state = language("runMember.haveOf", ["have": text(part.have), "need": text(part.need)])
        return [
            "label": .text(label), "have": .text(state), "width": .text(part.width), "met": .flag(part.isMet),
            "bar": .text(language("portalRank.bar", ["label": label, "state": state])),
            "missing": part.isMet ? nil : .text(language("runMember.missing", ["missing": text(part.need &- part.have)])),
        ]
    }

    private func leg(_ leg: RunMember.Leg) -> PageObject {
        let name = names.member(leg.memberID, language)
        return ["name": .text(name), "initials": .text(Initials.of(name)), "volume": .text(language.amount(leg.volume, unit))]
    }

    private func row(_ line: NamedRunLine) -> PageObject {
        [
            "title": .text(language(line.orderID == nil ? "portalRank.line.period" : "portalRank.line.order", ["bonus": line.bonus])),
            "why": .text(PortalRankLineModel.short(line, unit, language)), "amount": .text(language.money(line.line.amountMinor, unit)),
            "reason": line.line.reason == .earned ? nil : .text(language("runReason.\(line.line.reason.word)")),
            "url": .text("/portal/rank/\(run.id.text)/lines/\(line.number)"),
        ]
    }
}
