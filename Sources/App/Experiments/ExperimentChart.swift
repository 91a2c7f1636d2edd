import Chronology
import Statistics
import Web

/// How surely each day's look knew the difference of the leading variant from control: an interval a day, and the line of no difference.
struct ExperimentChart: Sendable {
    private static let height = 232
    private static let (topY, baseY) = (16.0, 200.0)
    private static let left = 11.0
    /// More bars would not be told apart.
    private static let barsMax = 60
    private static let ticksMax = 5

    let analysis: ExperimentAnalysis
    let sentence: DecisionSentence
    let language: PageLanguage

    private struct Bar {
        var at: Instant
        var interval: Interval
        var look: ExperimentCourse.Look
    }

    /// Nil while no look could be taken.
    var page: PageObject? {
        guard let treatment = leading else { return nil }
        let bars = bars(of: treatment)
        guard !bars.isEmpty else { return nil }
        // What the first looks allow is far wider than what matters later: half of the looks decide the scale.
        let widths = bars.map { max($0.interval.lower.magnitude, $0.interval.upper.magnitude) }.sorted()
        let scale = max(widths[widths.count / 2] * 1.25, .leastNormalMagnitude)
        let name = analysis.experiment.variants[treatment + 1].name
        let slot = (100 - Self.left) / Double(bars.count)
        let step = max(1, (bars.count + Self.ticksMax - 1) / Self.ticksMax)
        func y(_ value: Double) -> Double {
            let clipped = max(-scale, min(scale, value))
            return (Self.topY + Self.baseY) / 2 - clipped / scale * (Self.baseY - Self.topY) / 2
        }
        func decimal(_ value: Double) -> PageValue { .text(OverviewChart.decimal(value)) }
        func percent(_ value: Double) -> PageValue { .text(OverviewChart.decimal(value, places: 2) + "%") }
        let values = ["variant": name, "control": sentence.control]
        return [
            "heading": .text(language("experiments.chart", values)), "showChart": .text(language("experiments.chartChart")), "showTable": .text(language("experiments.chartTable")),
            "title": .text(language("experiments.chart", values)), "key": .text(language("experiments.chartKey")),
            "description": .text(language("experiments.chartText", values.merging(["interval": words(bars.last?.interval)]) { $1 })), "height": .text(String(Self.height)),
            "lines": PageValue(
                [scale, 0, -scale].map { value -> PageObject in
                    ["kind": .text(value == 0 ? "base" : "grid"), "x": percent(Self.left), "y": decimal(y(value)), "textY": decimal(y(value) + 4), "label": .text(value == 0 ? "0" : sentence.short(value))]
                }),
            "bars": PageValue(
                bars.enumerated().map { index, bar -> PageObject in
                    let (high, low) = (y(bar.interval.upper), y(bar.interval.lower))
                    let width = min(slot * 0.56, 6)
                    return [
                        "kind": .text(bar.interval.contains(0) ? "bar quiet" : "bar"), "x": percent(Self.left + slot * (Double(index) + 0.5) - width / 2), "width": percent(width),
                        "y": decimal(high), "height": decimal(max(1.5, low - high)), "tip": .text("\(language.day(bar.at)): \(words(bar.interval))"),
                        "tick": index % step == 0
                            ? ["x": percent(Self.left + slot * (Double(index) + 0.5)), "y": .text(String(Self.height - 8)), "label": .text(language.shortDay(language.zone.day(of: bar.at)))] : nil,
                    ]
                }),
            "columns": PageValue(
                ["day", "people", "control", "variant", "between"].map { key -> PageObject in
                    ["label": .text(language("experiments.column.\(key)")), "class": .text(key == "day" ? "" : "r")]
                }),
            "days": PageValue(
                bars.reversed().map { bar -> PageObject in
                    let (control, variant) = (bar.look.variants[0], bar.look.variants[treatment + 1])
                    return [
                        "day": .text(language.day(bar.at)), "people": .text(language.integer(Int64(control.users + variant.users))), "control": .text(level(control)),
                        "variant": .text(level(variant)), "between": .text(words(bar.interval)),
                    ]
                }),
        ]
    }

    /// The treatment that the answer is about, or the one with the largest difference.
    private var leading: Int? {
        let tests = analysis.course.tests
        if case .use(let verdict) = analysis.decision, let place = analysis.experiment.variants.firstIndex(where: { $0.name == verdict.variant }) { return place - 1 }
        return tests.indices.filter { tests[$0] != nil }.max { (tests[$0]?.estimate?.value ?? 0) < (tests[$1]?.estimate?.value ?? 0) }
    }

    private func bars(of treatment: Int) -> [Bar] {
        let known = analysis.course.looks.compactMap { look -> Bar? in
            guard look.intervals.indices.contains(treatment), let interval = look.intervals[treatment], !interval.isEmpty else { return nil }
            return Bar(at: look.at, interval: interval, look: look)
        }
        let step = (known.count + Self.barsMax - 1) / Self.barsMax
        guard step > 1 else { return known }
        // The last look is always among them.
        return known.enumerated().filter { (known.count - 1 - $0.offset) % step == 0 }.map(\.element)
    }

    private func level(_ tally: ExperimentCourse.Tally) -> String {
        let counts = tally.counts("")
        return (analysis.isByValue ? counts?.values?.mean : counts?.people.rate).map(sentence.level) ?? "–"
    }

    private func words(_ interval: Interval?) -> String {
        guard let interval else { return "–" }
        return language("experiments.between", ["low": sentence.signed(interval.lower), "high": sentence.signed(interval.upper)])
    }
}
