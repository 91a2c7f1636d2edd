import Chronology
import Money
import Web

/// The overview, from the answer in one sentence to where the fans are.
struct OverviewModel: PageModel {
    let facts: OverviewFacts
    let period: OverviewPeriod
    let language: PageLanguage
    let session: OperatorSession

    private var unit: UnitCode { (try? UnitCode(facts.currency)) ?? .points }

    var page: PageObject {
        let needs = session.may(.salesRead) ? self.needs : []
        return [
            "periods": PageValue(
                OverviewPeriod.Kind.allCases.map { kind in
                    [
                        "label": .text(language("overview.period.\(kind.rawValue)")), "url": .text(kind == .month ? "/" : "/?period=\(kind.rawValue)"),
                        "current": .flag(kind == period.kind),
                    ]
                }),
            "lead": lead, "guide": facts.isNew ? ["url": "/guide"] : nil,
            "demo": facts.isDemo && session.may(.workspaceOwn) ? ["url": "/guide#start-empty"] : nil,
            "flowLabel": .text(language("overview.flow.label", ["now": range(period.days), "before": range(period.pastDays)])),
            "flow": PageValue(flow), "needHeading": .text(needHeading(needs.count)), "hasNeeds": .flag(!needs.isEmpty),
            "showNeeds": .flag(!facts.isNew || !needs.isEmpty), "needs": PageValue(needs),
            "csvURL": .text("/overview.csv?period=\(period.kind.rawValue)"),
            "perHeading": .text(language(period.isMonthly ? "overview.perMonth.heading" : "overview.perDay.heading")),
            "dayHeading": .text(language(period.isMonthly ? "overview.perMonth.month" : "overview.perDay.day")),
            "chart": .object(OverviewChart(facts: facts, period: period, language: language, keyPast: pastHeading).page),
            "pastHeading": .text(pastHeading), "days": PageValue(days), "hasMoves": .flag(!facts.channels.isEmpty), "unit": .text(facts.currency),
            "moves": PageValue(facts.channels.map(channel)),
            "movesTotal": [
                "clicks": .text(language.integer(facts.now.clicks)), "sales": .text(language.integer(facts.now.sales)),
                "value": .text(language.amount(facts.now.valueMinor, unit)), "pay": .text(language.amount(facts.channels.reduce(0) { $0 &+ $1.payMinor }, unit)),
            ],
            "movesNote": facts.otherCurrencies.isEmpty
                ? nil
                : .text(
                    language("overview.moves.otherCurrencies", ["unit": facts.currency, "others": facts.otherCurrencies.listed(language)])),
            "fans": PageValue(fans), "fansNote": .text(language("overview.fans.note")),
        ]
    }

    // MARK: The period in words

    private func range(_ days: ClosedRange<LocalDay>) -> String {
        language("overview.range", ["from": language.shortDay(days.lowerBound), "to": language.shortDay(days.upperBound)])
    }

    /// The period before, as it stands in a sentence.
    private var previous: String {
        switch period.kind {
        case .week: language("overview.previous.week")
        case .month:
            language(
                "overview.previous.month",
                ["month": language.messages.formatter.monthName(epochMs: period.pastDays.lowerBound.startInUTC.millisecondsSince1970, timeZone: "UTC")])
        case .quarter: language("overview.previous.quarter")
        case .year: language("overview.previous.year", ["year": String(period.pastDays.lowerBound.year)])
        }
    }

    private var before: String {
        period.kind == .week ? language("overview.before.week") : language("overview.before.longer", ["period": previous])
    }

    private var pastHeading: String { language(period.isMonthly ? "overview.perMonth.past" : "overview.perDay.past", ["before": previous]) }

    private var lead: PageValue {
        if facts.isNew { return language.sentence("overview.lead.empty") }
        let owed = language.money(facts.now.payMinor, unit)
        guard facts.now.sales > 0 else { return language.sentence("overview.lead.none") }
        guard facts.past.sales > 0 else {
            return language.sentence("overview.lead.first", count: facts.now.sales, ["amount": owed])
        }
        let ppm = Share.ppm(facts.now.sales - facts.past.sales, of: facts.past.sales)
        let key = ppm == 0 ? "same" : ppm > 0 ? "up" : "down"
        let best = facts.channels.first.map { language("overview.channel.\($0.cameBy)") } ?? ""
        return language.sentence(
            "overview.lead.\(key)", ["percent": language.percent(ppm: abs(ppm), decimals: 0), "before": before, "channel": best, "amount": owed])
    }

    // MARK: From click to pay

    private var flow: [PageObject] {
        let now = facts.now
        let past = facts.past
        return [
            step("/links", "clicks", language.integer(now.clicks), now.clicks, past.clicks, rate: nil, isMoney: false),
            step("/sales", "leads", language.integer(now.leads), now.leads, past.leads, rate: ("leadsOfClicks", now.leads, now.clicks), isMoney: false),
            step("/sales", "sales", language.integer(now.sales), now.sales, past.sales, rate: ("salesOfLeads", now.sales, now.leads), isMoney: false),
            step(
                "/sales", "pay", language.amount(now.payMinor, unit), now.payMinor, past.payMinor, rate: ("payOfValue", now.payMinor, now.valueMinor),
                isMoney: true),
        ]
    }

    private func step(
        _ url: String, _ name: String, _ value: String, _ now: Int64, _ past: Int64, rate: (name: String, part: Int64, whole: Int64)?, isMoney: Bool
    ) -> PageObject {
        var change: PageValue = .nothing
        let before = isMoney ? language.amount(past, unit) : language.integer(past)
        if past == 0, now > 0 {
            change = ["sign": "same", "text": .text(language("overview.change.new")), "against": ""]
        } else if past > 0 {
            let ppm = Share.ppm(now - past, of: past)
            let percent = ["percent": language.percent(ppm: abs(ppm))]
            if ppm == 0 {
                change = [
                    "sign": "same", "text": .text(language("overview.change.same")), "against": .text(language("overview.change.as", ["before": before])),
                ]
            } else {
                let key = ppm > 0 ? "more" : isMoney ? "less" : "fewer"
                change = [
                    // More pay is neither good nor bad in itself.
                    "sign": .text((ppm > 0 ? "up" : "down") + (isMoney ? " cost" : "")), "text": .text(language("overview.change.\(key)", percent)),
                    "against": .text(language("overview.change.than", ["before": before])),
                ]
            }
        }
        var shown: PageValue = .nothing
        // More sales than leads are no part of them: many buyers were no leads.
        if let rate, rate.whole > 0, rate.part <= rate.whole {
            shown = [
                "title": .text(language("overview.flow.\(rate.name)", ["amount": language.money(facts.now.valueMinor, unit)])),
                "text": .text(language.percent(ppm: Share.ppm(rate.part, of: rate.whole))),
            ]
        }
        return [
            "url": .text(url), "label": .text(language("overview.flow.\(name)", ["unit": facts.currency])), "value": .text(value), "rate": shown,
            "change": change,
        ]
    }

    // MARK: What needs somebody

    private func needHeading(_ count: Int) -> String {
        switch count {
        case 1: language("overview.need.one")
        case 2: language("overview.need.two")
        case 3: language("overview.need.three")
        default: language("overview.need.heading")
        }
    }

    private var needs: [PageObject] {
        let needs = facts.needs
        var rows: [PageObject] = []
        func add(_ name: String, _ count: Int64, tone: String, icon: String, url: String, _ values: [String: String]) {
            rows.append([
                "tone": .text(tone), "icon": .text(icon), "what": .text(language.plural("overview.need.\(name).what", count, values)),
                "why": .text(language.plural("overview.need.\(name).why", count, values)), "button": .text(rows.isEmpty ? "btn-primary" : "btn-plain"),
                "url": .text(url), "action": .text(language("overview.need.\(name).action")),
            ])
        }
        let money = facts.money
        if money.failureCount > 0 { add("failure", money.failureCount, tone: "bad", icon: "warning", url: "/payouts", [:]) }
        // People wait, and money seldom does.
        if facts.applicationCount > 0, session.may(.membersWrite) {
            add("applications", facts.applicationCount, tone: "accent", icon: "people", url: "/applications", [:])
        }
        if facts.complaintCount > 0, session.may(.membersRead) {
            add("complaints", facts.complaintCount, tone: "warn", icon: "warning", url: ComplaintPages.path, [:])
        }
        if money.draftCount > 0, session.may(.payoutsApprove) {
            add("approve", money.draftCount, tone: "accent", icon: "money", url: "/payouts", ["amount": language.money(money.draftMinor, unit)])
        }
        if money.requestCount > 0 {
            add("request", money.requestCount, tone: "accent", icon: "money", url: "/payouts", ["amount": language.money(money.requestMinor, unit)])
        }
        if money.heldCount > 0 {
            add("held", money.heldCount, tone: "warn", icon: "trust", url: "/commissions?state=held", ["amount": language.money(money.heldMinor, unit)])
        }
        if facts.watchedCount > 0 { add("watched", facts.watchedCount, tone: "warn", icon: "warning", url: "/coupons", [:]) }
        if money.dueCount > 0 {
            add("due", money.dueCount, tone: "accent", icon: "money", url: "/payouts", ["amount": language.money(money.dueMinor, unit)])
        }
        if needs.parkedCount > 0, let since = needs.parkedSince {
            add("parked", needs.parkedCount, tone: "accent", icon: "clock", url: "/sales?state=parked", ["since": language.minute(since)])
        }
        if needs.debtorCount > 0 {
            add("debt", needs.debtorCount, tone: "warn", icon: "undo", url: "/sales?state=returned", ["amount": language.money(needs.debtMinor, unit)])
        }
        if needs.nobodyCount > 0 {
            let days = "from=\(period.days.lowerBound.iso8601)&to=\(period.days.upperBound.iso8601)"
            add(
                "unattributed", needs.nobodyCount, tone: "warn", icon: "warning", url: "/sales?state=nobody&\(days)",
                ["amount": language.money(needs.nobodyMinor, unit)])
        }
        if needs.endingCount > 0, session.may(.linksRead) {
            add("expiring", needs.endingCount, tone: "", icon: "link", url: "/links", [:])
        }
        // The most pressing ones; the others come up once these are done.
        return Array(rows.prefix(3))
    }

    // MARK: Days, channels, fans

    private var days: [PageObject] {
        zip(period.bars.indices, period.bars).map { index, days in
            [
                "day": .text(OverviewChart.label(days, period, language)), "now": .text(language.integer(facts.bars[index])),
                "past": .text(index < facts.pastBars.count ? language.integer(facts.pastBars[index]) : "–"),
            ]
        }
    }

    private func channel(_ channel: OverviewStore.Channel) -> PageObject {
        let most = channel.weeks.max() ?? 0
        let points = channel.weeks.enumerated().map { index, count in
            let x = 100 * Double(index) / Double(max(1, channel.weeks.count - 1))
            let y = 22 - (most == 0 ? 0 : 20 * Double(count) / Double(most))
            return "\(OverviewChart.decimal(x)),\(OverviewChart.decimal(y))"
        }
        return [
            "name": .text(language("overview.moves.\(channel.cameBy)")), "spark": .text(points.joined(separator: " ")),
            "clicks": .text(channel.cameBy == "link" ? language.integer(facts.now.clicks) : "–"), "sales": .text(language.integer(channel.sales)),
            "value": .text(language.amount(channel.valueMinor, unit)), "pay": .text(language.amount(channel.payMinor, unit)),
        ]
    }

    private var fans: [PageObject] {
        [
            ("prospect", "prospects", "new"), ("customer", "customers", "bought"), ("sharer", "sharers", "shared"), ("promoter", "promoters", "enrolled"),
        ].map { stage, name, move in
            let moved = facts.stageMoves[stage] ?? 0
            return [
                "stage": .text(language("overview.fans.\(name)")), "count": .text(language.integer(facts.stages[stage] ?? 0)),
                "change": moved > 0 ? .text(language("overview.fans.\(move)", ["count": language.integer(moved)])) : nil,
            ]
        }
    }
}
