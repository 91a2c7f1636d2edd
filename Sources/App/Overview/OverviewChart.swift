import Chronology
import Foundation
import Web

/// Bars from zero, with a tick for what the same day of the period before had.
struct OverviewChart: PageModel {
    private static let height = 232
    private static let baseY = 204.0
    private static let topY = 24.0
    /// Names under the bars: more would not fit on a phone.
    private static let ticksMax = 5

    let facts: OverviewFacts
    let period: OverviewPeriod
    let language: PageLanguage
    let keyPast: String

    var page: PageObject {
        let bars = period.bars
        return [
            "keyNow": .text(language("overview.perDay.now")), "keyPast": .text(keyPast), "gaps": [],
            "height": .text(String(Self.height)),
            "title": .text(
                language(
                    period.isMonthly ? "overview.perMonth.title" : "overview.perDay.title",
                    ["from": language.shortDay(period.days.lowerBound), "to": language.shortDay(period.days.upperBound)])),
            "description": .text(description), "lines": PageValue(lines), "bars": PageValue(bars.indices.map { bar($0, bars[$0]) }),
            "notes": PageValue(notes),
        ]
    }

    static func label(_ days: ClosedRange<LocalDay>, _ period: OverviewPeriod, _ language: PageLanguage) -> String {
        period.isMonthly
            ? language.messages.formatter.monthName(epochMs: days.lowerBound.startInUTC.millisecondsSince1970, timeZone: "UTC")
            : language.shortDay(days.lowerBound)
    }

    /// One decimal place with a point, as SVG wants it.
    static func decimal(_ value: Double, places: Int = 1) -> String { String(format: "%.\(places)f", value) }

    private var description: String {
        guard let most = facts.bars.max(), most > 0, let least = facts.bars.min(), let index = facts.bars.firstIndex(of: most) else {
            return language("overview.perDay.none")
        }
        return language(
            "overview.perDay.description",
            [
                "least": language.integer(least), "most": language.integer(most), "day": Self.label(period.bars[index], period, language),
            ])
    }

    /// The first round number at or above the highest bar.
    private var top: Int64 {
        let most = max(facts.bars.max() ?? 0, facts.pastBars.max() ?? 0, 2)
        var power: Int64 = 1
        while power <= most / 10 { power *= 10 }
        return [1, 2, 4, 5, 6, 8, 10].map { $0 * power }.first { $0 >= most && $0 % 2 == 0 } ?? most
    }

    /// Room for the numbers at the side, in percent.
    private var left: Double { [4.0, 4.0, 6.0, 8.0, 11.0][min(String(top).count, 4)] }

    private func y(_ count: Int64) -> Double { Self.baseY - (Self.baseY - Self.topY) * Double(count) / Double(top) }

    private var lines: [PageObject] {
        [Int64(0), top / 2, top].map { value in
            [
                "kind": .text(value == 0 ? "base" : "grid"), "x": .text(percent(left)), "y": .text(Self.decimal(y(value))),
                "textY": .text(Self.decimal(y(value) + 4)), "label": .text(language.integer(value)),
            ]
        }
    }

    private var slot: Double { (100 - left) / Double(max(1, period.bars.count)) }

    private func bar(_ index: Int, _ days: ClosedRange<LocalDay>) -> PageObject {
        let count = facts.bars[index]
        let start = left + slot * Double(index)
        let width = min(slot * 0.56, 6)
        let hasPast = index < facts.pastBars.count
        let label = Self.label(days, period, language)
        let pastBars = period.pastBars
        let step = max(1, (period.bars.count + Self.ticksMax - 1) / Self.ticksMax)
        var tip = language.plural("overview.perDay.tipNow", count, ["day": label])
        if hasPast, index < pastBars.count {
            tip = language.plural(
                "overview.perDay.tip", count,
                ["day": label, "dayBefore": Self.label(pastBars[index], period, language), "before": language.integer(facts.pastBars[index])])
        }
        return [
            "kind": "bar", "x": .text(percent(start + (slot - width) / 2)), "width": .text(percent(width)), "y": .text(Self.decimal(y(count))),
            "height": .text(Self.decimal(Self.baseY - y(count))), "tip": .text(tip),
            "past": hasPast
                ? [
                    "x1": .text(percent(start + slot / 2 - width * 0.75)), "x2": .text(percent(start + slot / 2 + width * 0.75)),
                    "y": .text(Self.decimal(y(facts.pastBars[index]))),
                ] : nil,
            "tick": index % step == 0
                ? ["x": .text(percent(start + slot / 2)), "y": .text(String(Self.height - 8)), "label": .text(label)] : nil,
        ]
    }

    /// When a rule came into force: why a curve bends.
    private var notes: [PageObject] {
        facts.ruleStarts.compactMap { note -> PageObject? in
            guard let index = period.bars.firstIndex(where: { $0.contains(note.day) }) else { return nil }
            let x = left + slot * (Double(index) + 0.5)
            let isRight = x > 50
            return [
                "x": .text(percent(x)), "y": .text(Self.decimal(Self.baseY)), "shift": .text(isRight ? "-6" : "6"),
                "anchor": .text(isRight ? "end" : "start"),
                "text": .text(language("overview.perDay.ruleNote", ["day": language.shortDay(note.day), "rule": note.rule])),
            ]
        }
    }

    private func percent(_ value: Double) -> String { Self.decimal(value, places: 2) + "%" }
}
