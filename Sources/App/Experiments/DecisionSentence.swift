import Statistics
import Web

/// What to do, in one sentence.
struct DecisionSentence: Sendable {
    enum Metric: Sendable {
        case rate
        case value
        case money(exponent: Int, unit: String)
    }

    let metric: Metric
    let control: String
    let language: PageLanguage

    func callAsFunction(_ decision: Decision) -> String {
        switch decision {
        case .use(let verdict):
            say("use", values(verdict))
        case .keepControl(let verdict):
            say("keepControl", values(verdict))
        case .noDifferenceWorth(let effect):
            say("noDifferenceWorth", ["control": control, "effect": size(effect)])
        case .goOn(let next):
            if let waits = next.waitsForGuard {
                say("waitsForGuard", ["guard": guardName(waits)])
            } else if let days = next.daysLeft {
                language.plural("experiments.verdict.goOnDays", Int64(days))
            } else {
                say("goOn", [:])
            }
        case .doNotDecide(.sampleRatio): say("sampleRatio", [:])
        case .doNotDecide(.tooFew): say("tooFew", [:])
        case .doNotDecide(.guardBroken(let variant, let name)): say("guardBroken", ["variant": variant, "guard": guardName(name)])
        case .doNotDecide(.contradictory(let variant)): say("contradictory", ["variant": variant])
        }
    }

    func guardName(_ key: String) -> String { language("experiments.guard.\(key)") }

    private func say(_ key: String, _ values: [String: String]) -> String { language("experiments.verdict.\(key)", values) }

    private func values(_ verdict: Decision.Verdict) -> [String: String] {
        [
            "variant": verdict.variant, "control": control, "difference": size(verdict.difference.magnitude), "low": signed(verdict.interval.lower),
            "high": signed(verdict.interval.upper),
        ]
    }

    /// A difference without its sign: points for rates.
    func size(_ value: Double) -> String {
        switch metric {
        case .rate: language("experiments.points", ["points": Self.plain(value * 100)])
        case .value: Self.plain(value)
        case .money(let exponent, let unit): "\(Self.plain(value / Self.power(exponent))) \(unit)"
        }
    }

    func signed(_ value: Double) -> String { (value < 0 ? "\u{2212}" : "+") + size(value.magnitude) }

    /// Without its unit, for the side of a chart.
    func short(_ value: Double) -> String {
        let number =
            switch metric {
            case .rate: value.magnitude * 100
            case .value: value.magnitude
            case .money(let exponent, _): value.magnitude / Self.power(exponent)
            }
        return (value < 0 ? "\u{2212}" : value > 0 ? "+" : "") + Self.plain(number)
    }

    /// A rate or mean by itself.
    func level(_ value: Double) -> String {
        switch metric {
        case .rate: language.percent(ppm: Int64((value * 1_000_000).rounded()), decimals: 2)
        case .value, .money: size(value)
        }
    }

    private static func power(_ exponent: Int) -> Double { (0..<exponent).reduce(1.0) { value, _ in value * 10 } }

    /// Three digits that count, never in powers of ten.
    static func plain(_ value: Double) -> String {
        guard value.isFinite else { return "–" }
        let size = value.magnitude
        let places = size >= 100 ? 0 : size >= 10 ? 1 : size >= 1 || size < 0.005 && size < 0.0005 ? 2 : size >= 0.1 ? 2 : 3
        return OverviewChart.decimal(value, places: places)
    }
}
