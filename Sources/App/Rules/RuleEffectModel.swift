import Chronology
import Money
import Rules
import Web

/// What a change would have done: a sentence, the arithmetic of both wordings, and who feels it most.
struct RuleEffectModel: Sendable {
    static let moversMax = 6

    let effect: RuleEffect
    let names: PersonNames
    let place: RulePages.Place
    let language: PageLanguage

    private var period: String {
        let ms = effect.facts.days.lowerBound.startInUTC.millisecondsSince1970
        return effect.facts.isWholeMonth
            ? language.messages.formatter.monthAndYear(epochMs: ms, timeZone: "UTC")
            : language("ruleEffect.soFar", ["month": language.messages.formatter.monthAndYear(epochMs: ms, timeZone: "UTC")])
    }

    private var unit: UnitCode { effect.after.unit }
    /// Amounts of two units are never taken from each other.
    private var isComparable: Bool { effect.before.map { $0.unit == effect.after.unit } ?? true }

    var page: PageObject {
        let hasEvents = effect.salesCount + effect.leadsCount + effect.clicksCount > 0
        return [
            "heading": .text(language("ruleEffect.heading", ["period": period])), "what": .text(what),
            "hasFacts": .flag(hasEvents), "none": PageValue(hasEvents ? nil : language("ruleEffect.none")),
            "lead": hasEvents ? lead : [], "unit": .text(unit.code), "columns": columns, "rows": PageValue(hasEvents ? rows : []),
            "total": hasEvents ? .object(row("ruleEffect.total", { $0.totalMinor })) : nil, "hasMovers": .flag(hasEvents && !movers.isEmpty),
            "moversCaption": .text(language("ruleEffect.movers", ["period": period, "unit": unit.code])), "movers": PageValue(hasEvents ? movers : []),
            "notes": PageValue(hasEvents ? notes : []),
        ]
    }

    private var what: String {
        var parts = [language.plural("ruleEffect.sales", effect.salesCount)]
        if effect.leadsCount > 0 { parts.append(language.plural("ruleEffect.leads", effect.leadsCount)) }
        if effect.clicksCount > 0 { parts.append(language.plural("ruleEffect.clicks", effect.clicksCount)) }
        let events = parts.listed(language)
        return language(effect.before == nil ? "ruleEffect.whatNew" : "ruleEffect.what", ["events": events])
    }

    private var lead: PageValue {
        let before = effect.before?.totalMinor ?? 0
        let after = effect.after.totalMinor
        guard isComparable else {
            return language.sentence(
                "ruleEffect.lead.otherUnit",
                ["before": language.money(before, effect.before?.unit ?? unit), "after": language.money(after, unit)])
        }
        let gain = effect.difference.count { $0.value > 0 }
        let lose = effect.difference.count { $0.value < 0 }
        var values = [
            "amount": language.money(abs(after - before), unit), "gain": language.plural("ruleEffect.gain", Int64(gain)),
            "lose": language.plural("ruleEffect.lose", Int64(lose)),
        ]
        values["rates"] = rates(before, after)
        return language.sentence("ruleEffect.lead.\(after > before ? "more" : after < before ? "less" : "same")", values)
    }

    /// What part of all sales goes to people, with the program's other rules.
    private func rates(_ before: Int64, _ after: Int64) -> String {
        guard case .currency = unit.kind, effect.valueMinor > 0 else { return "" }
        func part(_ minor: Int64) -> String {
            let ppm = Int128(minor + effect.othersMinor) * 1_000_000 / Int128(effect.valueMinor)
            return language.percent(ppm: Int64(clamping: ppm))
        }
        return language("ruleEffect.rates", ["before": part(before), "after": part(after)])
    }

    private var columns: PageValue {
        [
            "facts": .text(language("ruleEffect.column.facts", ["period": period])),
            "before": .text(
                place.rule.map { language("ruleEffect.column.version", ["version": language.integer(Int64($0.terms.version))]) }
                    ?? language("ruleEffect.column.without")),
            "after": .text(language("ruleEffect.column.version", ["version": language.integer(Int64(place.nextVersion))])),
            "difference": .text(language("ruleEffect.column.difference")),
        ]
    }

    private var rows: [PageObject] {
        var rows = [countRow("ruleEffect.row.paid") { $0.paidCount }, row("ruleEffect.row.gross") { $0.grossMinor }]
        if effect.after.withheldMinor != 0 || effect.before?.withheldMinor ?? 0 != 0 { rows.append(row("ruleEffect.row.cap") { -$0.withheldMinor }) }
        if effect.after.returnedMinor != 0 || effect.before?.returnedMinor ?? 0 != 0 { rows.append(row("ruleEffect.row.returned") { -$0.returnedMinor }) }
        return rows
    }

    private func countRow(_ key: String, _ count: (RuleEffect.Side) -> Int64) -> PageObject {
        let before = effect.before.map(count) ?? 0
        return [
            "label": .text(language(key)), "before": .text(language.integer(before)), "after": .text(language.integer(count(effect.after))),
            "difference": .text(signed(count(effect.after) - before) { language.integer($0) }),
        ]
    }

    private func row(_ key: String, _ amount: (RuleEffect.Side) -> Int64) -> PageObject {
        let before = effect.before.map(amount) ?? 0
        return [
            "label": .text(language(key)), "before": .text(language.amount(before, effect.before?.unit ?? unit)),
            "after": .text(language.amount(amount(effect.after), unit)),
            "difference": .text(isComparable ? signed(amount(effect.after) - before) { language.amount($0, unit) } : "–"),
        ]
    }

    private func signed(_ value: Int64, _ text: (Int64) -> String) -> String { value > 0 ? "+" + text(value) : text(value) }

    private var movers: [PageObject] {
        guard isComparable else { return [] }
        return effect.movers(Self.moversMax).map { mover in
            let name = names.member(mover.member, language)
            return [
                "url": .text("/members/\(mover.member.text)"), "name": .text(name), "initials": .text(Initials.of(name)),
                "capped": effect.after.capped.contains(mover.member) ? .text(language("ruleEffect.capped")) : nil,
                "difference": .text(signed(mover.minor) { language.amount($0, unit) }),
            ]
        }
    }

    private var notes: [String] {
        var notes: [String] = []
        if effect.after.friendCount > 0 { notes.append(language.plural("ruleEffect.friends", effect.after.friendCount)) }
        if effect.planCount > 0 { notes.append(language.plural("ruleEffect.plan", effect.planCount)) }
        func cut(_ key: String, _ count: Int64, of total: Int64) {
            guard count < total else { return }
            notes.append(language("ruleEffect.\(key)", ["count": language.integer(count), "total": language.integer(total)]))
        }
        cut("cut", effect.salesCount + effect.leadsCount, of: effect.facts.total)
        cut("cutClicks", effect.clicksCount, of: effect.facts.clicksTotal)
        return notes
    }
}

extension RuleEffect {
    /// What each member would have got more or less.
    var difference: [MemberID: Int64] {
        after.byMember.merging((before?.byMember ?? [:]).mapValues { -$0 }) { $0 + $1 }.filter { $0.value != 0 }
    }

    /// Those who gain and lose most: half from each side.
    func movers(_ limit: Int) -> [(member: MemberID, minor: Int64)] {
        let sorted = difference.map { (member: $0.key, minor: $0.value) }.sorted { ($1.minor, $0.member) < ($0.minor, $1.member) }
        if sorted.count <= limit { return sorted }
        let losers = sorted.suffix(limit / 2).filter { $0.minor < 0 }
        return Array(sorted.prefix(limit - losers.count)) + losers
    }
}
