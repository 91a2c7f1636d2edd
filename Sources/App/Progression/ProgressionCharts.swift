import Statistics
import Web

/// The drawings of how people go on.
enum ProgressionCharts {
    // MARK: Flows

    private static let flowHeight = 220
    private static let (flowTop, flowBase) = (26.0, 190.0)
    private static let nodeWidth = 12.0

    /// Stages side by side, as high as many came to them, and between them bands as wide as many went on (Sankey's drawing).
    static func flows(_ flows: [(from: String?, to: String, count: Int64)], _ language: PageLanguage) -> PageChart? {
        let stages = Member.Stage.allCases
        let came = stages.map { stage in flows.filter { $0.to == stage.rawValue }.reduce(0) { $0 + $1.count } }
        // Who stood at a stage before the period may leave it in the period: what goes on can be more than came.
        let left = stages.map { stage in flows.filter { $0.from == stage.rawValue }.reduce(0) { $0 + $1.count } }
        let sizes = zip(came, left).map { max($0, $1) }
        guard let most = sizes.max(), most > 0 else { return nil }
        func height(_ count: Int64) -> Double { (flowBase - flowTop) * Double(count) / Double(most) }
        func x(_ place: Int) -> Double { Double(place) * (1_000 - nodeWidth) / Double(stages.count - 1) }
        var chart = PageChart(title: language("progression.flow"), description: language("progression.flowText"), height: flowHeight)
        var (out, into) = (Array(repeating: 0.0, count: stages.count), Array(repeating: 0.0, count: stages.count))
        for (from, source) in stages.enumerated() {
            for (to, target) in stages.enumerated() where to > from {
                let count = flows.filter { $0.from == source.rawValue && $0.to == target.rawValue }.reduce(0) { $0 + $1.count }
                guard count > 0 else { continue }
                let wide = max(1, height(count))
                let (x0, x1, y0, y1) = (x(from) + nodeWidth, x(to), flowTop + out[from], flowTop + into[to])
                let middle = (x0 + x1) / 2
                func d(_ value: Double) -> String { PageChart.decimal(value) }
                let path =
                    "M\(d(x0)) \(d(y0))C\(d(middle)) \(d(y0)) \(d(middle)) \(d(y1)) \(d(x1)) \(d(y1))V\(d(y1 + wide))C\(d(middle)) \(d(y1 + wide)) \(d(middle)) \(d(y0 + wide)) \(d(x0)) \(d(y0 + wide))Z"
                let tip = language.plural(
                    "progression.flowTip", count, ["from": language("progression.stage.\(source.rawValue)"), "to": language("progression.stage.\(target.rawValue)")])
                chart.shapes.append(PageChart.Shape(kind: "flow", path: path, tip: tip))
                out[from] += wide
                into[to] += wide
            }
        }
        for (place, stage) in stages.enumerated() {
            let (left, tall) = (x(place), max(1.5, height(sizes[place])))
            chart.shapes.append(
                PageChart.Shape(
                    kind: "node", path: "M\(PageChart.decimal(left)) \(PageChart.decimal(flowTop))h\(PageChart.decimal(nodeWidth))v\(PageChart.decimal(tall))h-\(PageChart.decimal(nodeWidth))Z"))
            let anchor = place == 0 ? "start" : place == stages.count - 1 ? "end" : "middle"
            let middle = place == 0 ? 0 : place == stages.count - 1 ? 100 : (left + nodeWidth / 2) / 10
            chart.words.append(PageChart.Word(x: middle, y: 16, text: language.integer(came[place]), anchor: anchor, isStrong: true))
            chart.words.append(PageChart.Word(x: middle, y: Double(flowHeight) - 8, text: language("progression.stage.\(stage.rawValue)"), anchor: anchor))
        }
        return chart
    }

    // MARK: Staying

    private static let stayHeight = 236
    private static let (stayTop, stayBase) = (14.0, 202.0)
    private static let kinds = ["", "two", "three"]
    /// Corners of a curve; more would not be seen.
    private static let cornersMax = 200

    /// The part that has gone on, by days since they came, each with its interval.
    static func staying(_ curves: [(Member.Stage, Survival)], until last: Int64, _ language: PageLanguage) -> PageChart {
        let top = max(0.05, curves.flatMap { curve in curve.1.steps.filter { $0.time <= last }.map { 1 - $0.share } }.max() ?? 0.05)
        let scale = [0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 1].first { $0 >= top } ?? 1
        func y(_ part: Double) -> Double { stayBase - (stayBase - stayTop) * min(part, scale) / scale }
        func x(_ day: Int64) -> Double { 1_000 * Double(day) / Double(max(1, last)) }
        let words = ProgressionWords(programs: [], language: language)
        var chart = PageChart(
            title: language("progression.staying"), description: language("progression.stayingText"), height: stayHeight, left: 9,
            lines: [0, scale / 2, scale].map { PageChart.Line(y: y($0), label: words.percent($0), isBase: $0 == 0) })
        for (stage, curve) in curves {
            let kind = kinds[StayingReport.stages.firstIndex(of: stage) ?? 0]
            let steps = curve.steps.filter { $0.time <= last }
            let thinned = steps.enumerated().filter { $0.offset % (steps.count / cornersMax + 1) == 0 || $0.offset == steps.count - 1 }.map(\.element)
            let end = x(min(last, curve.longest))
            chart.shapes.append(
                PageChart.Shape(kind: "band \(kind)", path: band(thinned.map { (x($0.time), y(1 - $0.interval.upper), y(1 - $0.interval.lower)) }, end: end, base: stayBase)))
            chart.shapes.append(PageChart.Shape(kind: "curve \(kind)", path: stairs(thinned.map { (x($0.time), y(1 - $0.share)) }, end: end, base: stayBase)))
            chart.keys.append(PageChart.Key(kind: kind, label: language("progression.stage.\(stage.rawValue)")))
        }
        for mark in [0, last / 3, last * 2 / 3, last] {
            chart.words.append(
                PageChart.Word(
                    x: x(mark) / 10, y: Double(stayHeight) - 10, text: language.plural("progression.dayCount", mark), anchor: mark == 0 ? "start" : mark == last ? "end" : "middle"))
        }
        return chart
    }

    private static func stairs(_ steps: [(x: Double, y: Double)], end: Double, base: Double) -> String {
        steps.reduce("M0 \(PageChart.decimal(base))") { $0 + "H\(PageChart.decimal($1.x))V\(PageChart.decimal($1.y))" } + "H\(PageChart.decimal(end))"
    }

    private static func band(_ steps: [(x: Double, low: Double, high: Double)], end: Double, base: Double) -> String {
        var path = stairs(steps.map { ($0.x, $0.high) }, end: end, base: base)
        for step in steps.reversed() {
            path += "V\(PageChart.decimal(step.low))H\(PageChart.decimal(step.x))"
        }
        return path + "V\(PageChart.decimal(base))Z"
    }
}
