import Statistics

/// Pareto/NBD: customers buy at random times, each at a rate of their own, and leave for good at a random time, each with a rate of their own
/// (both gamma distributed). Sources: D. Schmittlein, D. Morrison, R. Colombo, "Counting Your Customers", Management Science 33 (1987);
/// P. Fader, B. Hardie, "A Note on Deriving the Pareto/NBD Model and Related Expressions" (2005), and for what is known of a customer from
/// the start, "Incorporating Time-Invariant Covariates into the Pareto/NBD and BG/NBD Models" (2007).
///
/// What the first purchase was worth may speak for the rate of buying: who spent twice the typical amount buys 1.5^weight times as often.
public struct ParetoNBD: Hashable, Sendable {
    /// The rate of buying per week is gamma distributed with shape r and rate α.
    public let r: Double
    public let alpha: Double
    /// The rate of leaving per week is gamma distributed with shape s and rate β.
    public let s: Double
    public let beta: Double
    public let firstValueWeight: Double
    public let typicalFirstValue: Double

    /// Nil unless the parameters are positive and finite.
    public init?(r: Double, alpha: Double, s: Double, beta: Double, firstValueWeight: Double = 0, typicalFirstValue: Double = 1) {
        guard [r, alpha, s, beta, typicalFirstValue].allSatisfy({ $0 > 0 && $0.isFinite }), firstValueWeight.isFinite else { return nil }
        (self.r, self.alpha, self.s, self.beta) = (r, alpha, s, beta)
        (self.firstValueWeight, self.typicalFirstValue) = (firstValueWeight, typicalFirstValue)
    }

    /// The chance that the customer will ever buy again.
    public func probabilityAlive(_ history: PurchaseHistory) -> Double {
        let moments = Moments(r, alpha(of: history), s, beta, history)
        return moments.stayed / moments.whole
    }

    /// How many more purchases (days with one) are expected in the next `weeks`.
    public func expectedPurchases(_ history: PurchaseHistory, weeks: Double) -> Double {
        guard weeks > 0 else { return 0 }
        let rate = (r + Double(history.frequency)) / (alpha(of: history) + history.age)
        let end = beta + history.age
        // (1 − e^(−(s−1)·growth))/(s − 1), which at s = 1 is the growth itself.
        let growth = logarithm((end + weeks) / end)
        let share = (s - 1).magnitude < 1e-9 ? growth : (1 - exponential((1 - s) * growth)) / (s - 1)
        return probabilityAlive(history) * rate * end * share
    }

    private func alpha(of history: PurchaseHistory) -> Double {
        firstValueWeight == 0 ? alpha : alpha * exponential(-firstValueWeight * Self.weight(history, typicalFirstValue))
    }

    /// 0 for a typical first purchase, more for a larger one.
    private static func weight(_ history: PurchaseHistory, _ typical: Double) -> Double { logarithm((1 + history.firstValue / typical) / 2) }
}

extension ParetoNBD {
    /// The parameters of maximum likelihood; with `usesFirstValue` the weight of the first purchase's value too. Slow work: not on an event loop.
    public static func fit(
        _ histories: [PurchaseHistory], usesFirstValue: Bool = false, iterationsLimit: Int = FitNeeds.iterationsLimit
    ) -> Result<Fit<ParetoNBD>, FitProblem> {
        if let problem = problem(of: histories) { return .failure(problem) }
        let count = Double(histories.count)
        let meanAge = histories.reduce(0) { $0 + $1.age } / count
        let typical = histories.reduce(0) { $0 + $1.firstValue } / count
        let weighs = usesFirstValue && typical > 0
        let weights = weighs ? histories.map { weight($0, typical) } : []
        let starts = [[0.5, 0.3, 0.5, 0.3], [1, 1, 1, 1], [2, 1, 0.3, 2]].map { start in
            [logarithm(start[0]), logarithm(start[1] * meanAge), logarithm(start[2]), logarithm(start[3] * meanAge)] + (weighs ? [0] : [])
        }
        let frequencyMax = histories.reduce(0) { max($0, $1.frequency) }
        let found = Maximiser(iterationsLimit: iterationsLimit).best(of: starts) { meanLogLikelihood(at: $0, histories, weights, frequencyMax) }
        guard let found else { return .failure(.undetermined) }
        switch found.end {
        case .leftBounds: return .failure(.undetermined)
        case .ranOut: return .failure(.notConverged(iterations: found.iterations))
        case .converged: break
        }
        let model = ParetoNBD(
            r: exponential(found.point[0]), alpha: exponential(found.point[1]), s: exponential(found.point[2]), beta: exponential(found.point[3]),
            firstValueWeight: weighs ? found.point[4] : 0, typicalFirstValue: weighs ? typical : 1)
        guard let model else { return .failure(.undetermined) }
        return .success(
            Fit(model: model, logLikelihood: found.value * count, customerCount: histories.count, iterations: found.iterations))
    }

    private static func meanLogLikelihood(at point: [Double], _ histories: [PurchaseHistory], _ weights: [Double], _ frequencyMax: Int) -> Slope {
        let (r, s, beta) = (exponential(point[0]), exponential(point[2]), exponential(point[3]))
        let ofR = RisingLogs(base: r, to: frequencyMax, logarithm)
        var value = 0.0
        var slope = [Double](repeating: 0, count: point.count)
        for (place, history) in histories.enumerated() {
            let logAlpha = point[1] - (weights.isEmpty ? 0 : point[4] * weights[place])
            let alpha = exponential(logAlpha)
            let x = history.frequency
            let moments = Moments(r, alpha, s, beta, history)
            value += ofR.values[x] + r * logAlpha + s * point[3] + moments.logScale + logarithm(moments.whole)
            let shareStayed = moments.stayed / moments.whole
            let shareLeft = s / moments.whole
            let alphaSlope = r - alpha * (r + Double(x)) * (shareStayed / (alpha + history.age) + shareLeft * moments.inverseAlpha)
            slope[0] += r * (ofR.slopes[x] + logAlpha - shareStayed * logarithm(alpha + history.age) - shareLeft * moments.logAlpha)
            slope[1] += alphaSlope
            slope[2] += s * (point[3] - shareStayed * logarithm(beta + history.age) + moments.left / moments.whole - shareLeft * moments.logBeta)
            slope[3] += s - beta * (s * shareStayed / (beta + history.age) + (s + 1) * shareLeft * moments.inverseBeta)
            if !weights.isEmpty { slope[4] -= weights[place] * alphaSlope }
        }
        let count = Double(histories.count)
        return Slope(value: value / count, gradient: slope.map { $0 / count })
    }
}

/// What the likelihood of a customer is made of: still there at the end, or gone at some time τ since the last purchase, which is the
/// integral of (α+τ)^−(r+x) · (β+τ)^−(s+1) over those times. All without the factor e^logScale, and means over τ for the slopes.
private struct Moments {
    let stayed: Double
    let whole: Double
    let logScale: Double
    private(set) var left = 0.0
    private(set) var logAlpha = 0.0
    private(set) var logBeta = 0.0
    private(set) var inverseAlpha = 0.0
    private(set) var inverseBeta = 0.0

    init(_ r: Double, _ alpha: Double, _ s: Double, _ beta: Double, _ history: PurchaseHistory) {
        let rate = r + Double(history.frequency)
        let (start, end) = (history.recency, history.age)
        let (logA, logB) = (logarithm(alpha + start), logarithm(beta + start))
        logScale = -rate * logA - s * logB
        stayed = exponential(-rate * (logarithm(alpha + end) - logA) - s * (logarithm(beta + end) - logB))
        // Beyond these times the integrand is under e^−40 of what it is at the start.
        let last = min(end, (alpha + start) * exponential(min(700, 40 / rate)) - alpha, (beta + start) * exponential(min(700, 40 / s)) - beta)
        if last > start {
            // Over the logarithm of the time the integrand is smooth, however steep it is over time.
            let base = min(alpha, beta)
            let (low, high) = (logarithm(base + start), logarithm(base + last))
            let half = (high - low) / 2
            for (place, weight) in GaussLegendre.points {
                let sum = exponential(low + half * (1 + place))
                let time = sum - base
                let (logAt, logBt) = (logarithm(alpha + time), logarithm(beta + time))
                let mass = half * weight * sum * exponential(-rate * (logAt - logA) - s * (logBt - logB) - logBt)
                left += mass
                logAlpha += mass * logAt
                logBeta += mass * logBt
                inverseAlpha += mass / (alpha + time)
                inverseBeta += mass / (beta + time)
            }
        }
        whole = stayed + s * left
    }
}

/// Places in −1…1 and weights with which a sum is the integral of a smooth function. Source: Press et al., Numerical Recipes, 4.6.
private enum GaussLegendre {
    static let points: [(place: Double, weight: Double)] = (0..<count).map { number in
        var place = cosine(Double.pi * (Double(number) + 0.75) / (Double(count) + 0.5))
        var slope = 1.0
        for _ in 0..<20 {
            var (now, before) = (1.0, 0.0)
            for degree in 0..<count { (now, before) = ((Double(2 * degree + 1) * place * now - Double(degree) * before) / Double(degree + 1), now) }
            slope = Double(count) * (place * now - before) / (place * place - 1)
            let step = now / slope
            place -= step
            if step.magnitude < 1e-16 { break }
        }
        return (place, 2 / ((1 - place * place) * slope * slope))
    }

    private static let count = 32
}
