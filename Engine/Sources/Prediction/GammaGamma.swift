import Statistics

/// What a customer spends on average: purchases vary about the customer's own mean, and means vary between customers; how much is spent
/// is taken to be independent of how often. Source: P. Fader, B. Hardie, "The Gamma-Gamma Model of Monetary Value" (2013).
public struct GammaGamma: Hashable, Sendable {
    /// A purchase is gamma distributed with shape p and a rate of the customer's own, which is gamma distributed with q and v.
    public let p: Double
    public let q: Double
    public let v: Double

    /// Nil unless all are positive and finite.
    public init?(p: Double, q: Double, v: Double) {
        guard [p, q, v].allSatisfy({ $0 > 0 && $0.isFinite }) else { return nil }
        (self.p, self.q, self.v) = (p, q, v)
    }

    /// What a purchase is worth on average over all customers; nil where so few spend so much that the mean does not exist (q ≤ 1).
    public var populationMean: Double? { q > 1 ? p * v / (q - 1) : nil }

    /// What the customer's further purchases are expected to be worth on average: between their own mean and everybody's. Nil where it
    /// does not exist.
    public func expectedAverageValue(_ history: PurchaseHistory) -> Double? {
        let x = Double(history.frequency)
        let divisor = p * x + q - 1
        return divisor > 0 ? p * (v + x * history.averageValue) / divisor : nil
    }

    /// The parameters of maximum likelihood, from customers with further purchases worth more than 0; `customerCount` says how many.
    public static func fit(_ histories: [PurchaseHistory], iterationsLimit: Int = FitNeeds.iterationsLimit) -> Result<Fit<GammaGamma>, FitProblem> {
        if histories.isEmpty { return .failure(.noCustomers) }
        for (place, history) in histories.enumerated() {
            if let problem = history.problem { return .failure(.impossibleHistory(at: place, problem)) }
        }
        let values = Values(histories)
        if values.rows.count < FitNeeds.repeatCustomers { return .failure(.tooFewValues(found: values.rows.count, needed: FitNeeds.repeatCustomers)) }
        if values.spread <= values.mean * 1e-6 { return .failure(.valuesDoNotVary(average: values.mean)) }
        let starts = [[5, 4], [1, 2], [0.5, 8], [30, 30]].map { start in
            [logarithm(start[0]), logarithm(start[1]), logarithm(max(0.5, start[1] - 1) / start[0])]
        }
        guard let found = Maximiser(iterationsLimit: iterationsLimit).best(of: starts, { meanLogLikelihood(at: $0, values) }) else {
            return .failure(.undetermined)
        }
        switch found.end {
        case .leftBounds: return .failure(.undetermined)
        case .ranOut: return .failure(.notConverged(iterations: found.iterations))
        case .converged: break
        }
        let parameters = found.point.map(exponential)
        guard let model = GammaGamma(p: parameters[0], q: parameters[1], v: parameters[2] * values.mean) else { return .failure(.undetermined) }
        let count = Double(values.rows.count)
        return .success(
            Fit(
                model: model, logLikelihood: (found.value - logarithm(values.mean)) * count, customerCount: values.rows.count,
                iterations: found.iterations))
    }

    /// Averages above 0, by how many purchases they are of, as multiples of their mean: then it does not matter what money is counted in.
    private struct Values {
        struct Row {
            /// The place in `frequencies`.
            var place: Int
            /// 1 for who spends as all do.
            var mean: Double
            var logMean: Double
        }

        var rows: [Row] = []
        var frequencies: [Double] = []
        var mean = 0.0
        /// The largest distance from the mean.
        var spread = 0.0

        init(_ histories: [PurchaseHistory]) {
            var places: [Int: Int] = [:]
            for history in histories where history.frequency > 0 && history.averageValue > 0 {
                let place = places[history.frequency] ?? frequencies.count
                if place == frequencies.count {
                    places[history.frequency] = place
                    frequencies.append(Double(history.frequency))
                }
                rows.append(Row(place: place, mean: history.averageValue, logMean: 0))
            }
            guard !rows.isEmpty else { return }
            mean = rows.reduce(0) { $0 + $1.mean } / Double(rows.count)
            spread = rows.reduce(0) { max($0, ($1.mean - mean).magnitude) }
            rows = rows.map { Row(place: $0.place, mean: $0.mean / mean, logMean: logarithm($0.mean / mean)) }
        }
    }

    /// Equation 1a of the note in logarithms, and its slope along the logarithms of the parameters.
    private static func meanLogLikelihood(at point: [Double], _ values: Values) -> Slope {
        let (p, q, v) = (exponential(point[0]), exponential(point[1]), exponential(point[2]))
        let (gammaQ, psiQ) = (logGamma(q), digamma(q))
        let front = values.frequencies.map { x in logGamma(p * x + q) - logGamma(p * x) - gammaQ + q * point[2] + p * x * logarithm(x) }
        let psiBoth = values.frequencies.map { x in digamma(p * x + q) }
        let psiP = values.frequencies.map { x in digamma(p * x) }
        let logs = values.frequencies.map(logarithm)
        var value = 0.0
        var (slopeP, slopeQ, slopeV) = (0.0, 0.0, 0.0)
        for row in values.rows {
            let x = values.frequencies[row.place]
            let whole = x * row.mean + v
            let logWhole = logarithm(whole)
            value += front[row.place] + (p * x - 1) * row.logMean - (p * x + q) * logWhole
            slopeP += x * (psiBoth[row.place] - psiP[row.place] + row.logMean + logs[row.place] - logWhole)
            slopeQ += psiBoth[row.place] - psiQ + point[2] - logWhole
            slopeV += q / v - (p * x + q) / whole
        }
        let count = Double(values.rows.count)
        return Slope(value: value / count, gradient: [slopeP * p / count, slopeQ * q / count, slopeV * v / count])
    }
}
