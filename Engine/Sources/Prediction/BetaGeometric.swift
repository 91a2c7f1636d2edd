import Statistics

/// BG/NBD: customers buy at random times, each at a rate of their own (gamma distributed), and may leave for good after any purchase, each
/// with a chance of their own (beta distributed). Source: P. Fader, B. Hardie, K. L. Lee, "Counting Your Customers the Easy Way: An
/// Alternative to the Pareto/NBD Model", Marketing Science 24 (2005).
public struct BetaGeometric: Hashable, Sendable {
    /// The rate of buying per week is gamma distributed with shape r and rate α.
    public let r: Double
    public let alpha: Double
    /// The chance of leaving after a purchase is beta distributed with a and b.
    public let a: Double
    public let b: Double

    /// Nil unless all are positive and finite.
    public init?(r: Double, alpha: Double, a: Double, b: Double) {
        guard [r, alpha, a, b].allSatisfy({ $0 > 0 && $0.isFinite }) else { return nil }
        (self.r, self.alpha, self.a, self.b) = (r, alpha, a, b)
    }

    /// The chance that the customer will ever buy again; 1 for who bought once, as leaving happens after a repeat purchase only.
    public func probabilityAlive(_ history: PurchaseHistory) -> Double {
        guard history.frequency > 0 else { return 1 }
        let x = Double(history.frequency)
        let odds = logarithm(a / (b + x - 1)) + (r + x) * logarithm((alpha + history.age) / (alpha + history.recency))
        return 1 / (1 + exponential(odds))
    }

    /// How many more purchases (days with one) are expected in the next `weeks`.
    public func expectedPurchases(_ history: PurchaseHistory, weeks: Double) -> Double {
        guard weeks > 0 else { return 0 }
        let x = Double(history.frequency)
        return probabilityAlive(history) * expectedOfLiving(rho: r + x, beta: alpha + history.age, b: b + x, weeks)
    }

    /// How many purchases after the first a new customer is expected to make in the first `weeks`.
    public func expectedPurchasesOfNew(weeks: Double) -> Double {
        expectedPurchases(PurchaseHistory(frequency: 0, recency: 0, age: 0), weeks: weeks)
    }

    /// (c − (β/(β+t))^ρ · c·₂F₁(ρ, b; c; z))/(a − 1) with c = a + b − 1 and z = t/(β+t), for a customer of whom it is certain that they
    /// are there: rate gamma(ρ, β), chance of leaving beta(a, b).
    private func expectedOfLiving(rho: Double, beta: Double, b: Double, _ weeks: Double) -> Double {
        // At a = 1 the fraction is 0/0 though its limit is not; a hair beside it stands for it.
        let a = (self.a - 1).magnitude < Self.besideOne ? 1 + Self.besideOne : self.a
        let c = a + b - 1
        let z = weeks / (beta + weeks)
        let power = rho * logarithm(beta / (beta + weeks))
        // c·₂F₁ term by term, all but the first positive: c + ρbz·(1 + …). What grows too large is scaled down and the scale remembered.
        var sum = c
        var term = rho * b * z
        var scale = 0.0
        for k in 0..<Self.termsLimit {
            sum += term
            if term <= sum.magnitude * 1e-17 { break }
            let j = Double(k)
            term *= (rho + 1 + j) * (b + 1 + j) / ((c + 1 + j) * (2 + j)) * z
            if term > Self.largeTerm {
                term /= Self.largeTerm
                sum /= Self.largeTerm
                scale += logarithm(Self.largeTerm)
            }
        }
        return max(0, (c - exponential(power + scale) * sum) / (a - 1))
    }

    private static let besideOne = 1e-5
    private static let largeTerm = 1e200
    private static let largeProduct = 1e100
    /// Enough for a horizon thousands of times as long as what was observed.
    private static let termsLimit = 1_000_000
}

extension BetaGeometric {
    /// The parameters of maximum likelihood. Slow work for many customers (about a second for a million): not on an event loop.
    public static func fit(_ histories: [PurchaseHistory], iterationsLimit: Int = FitNeeds.iterationsLimit) -> Result<Fit<BetaGeometric>, FitProblem> {
        if let problem = problem(of: histories) { return .failure(problem) }
        let groups = HistoryGroups(histories)
        // Shares of the mean age stand for α; the rest are shapes that are usual, from uneven to even customers.
        let starts = [[0.3, 0.3, 0.8, 2.5], [1, 1, 1, 1], [2, 0.5, 0.2, 5], [0.1, 0.05, 3, 3]].map { start in
            [logarithm(start[0]), logarithm(start[1] * groups.meanAge), logarithm(start[2]), logarithm(start[3])]
        }
        let maximiser = Maximiser(iterationsLimit: iterationsLimit)
        guard let found = maximiser.best(of: starts, { meanLogLikelihood(at: $0, groups) }) else { return .failure(.undetermined) }
        switch found.end {
        case .leftBounds: return .failure(.undetermined)
        case .ranOut: return .failure(.notConverged(iterations: found.iterations))
        case .converged: break
        }
        let parameters = found.point.map(exponential)
        guard let model = BetaGeometric(r: parameters[0], alpha: parameters[1], a: parameters[2], b: parameters[3]) else { return .failure(.undetermined) }
        return .success(
            Fit(
                model: model, logLikelihood: found.value * Double(groups.customerCount), customerCount: groups.customerCount,
                iterations: found.iterations))
    }

    /// The logarithm of how likely these histories are.
    public func logLikelihood(_ histories: [PurchaseHistory]) -> Double {
        let groups = HistoryGroups(histories)
        return Self.meanLogLikelihood(at: [r, alpha, a, b].map(logarithm), groups).value * Double(groups.customerCount)
    }

    /// Equation 6 of the paper in logarithms, and its slope along the logarithms of the parameters.
    private static func meanLogLikelihood(at point: [Double], _ all: HistoryGroups) -> Slope {
        let (r, alpha, a, b) = (exponential(point[0]), exponential(point[1]), exponential(point[2]), exponential(point[3]))
        let ofR = RisingLogs(base: r, to: all.frequencyMax, logarithm)
        let ofB = RisingLogs(base: b, to: all.frequencyMax, logarithm)
        let ofBoth = RisingLogs(base: a + b, to: all.frequencyMax, logarithm)
        let (logAlpha, logA) = (point[1], point[2])
        let logTimes = all.times.map { logarithm(alpha + $0) }
        let logLefts = (0...all.frequencyMax).map { x in x == 0 ? 0 : logA - logarithm(b + Double(x) - 1) }
        var value = 0.0
        var product = 1.0
        var (slopeR, slopeAlpha, slopeA, slopeB) = (0.0, 0.0, 0.0, 0.0)
        for group in all.groups {
            let x = group.frequency
            let rate = r + Double(x)
            let logAge = logTimes[group.agePlace]
            // Still there at the end of the time; or left right after the last purchase.
            let stayed = -rate * logAge
            var (whole, shareLeft, logRecency) = (stayed, 0.0, 0.0)
            if x > 0 {
                logRecency = logTimes[group.recencyPlace]
                let left = logLefts[x] - rate * logRecency
                let odds = exponential(left - stayed)
                if odds < Self.largeTerm {
                    shareLeft = odds / (1 + odds)
                    // Σ ln(1 + odds) as the logarithm of a product: a logarithm for hundreds of customers.
                    if group.count == 1 { product *= 1 + odds } else { whole += logarithm(1 + odds) }
                    if product > Self.largeProduct {
                        value += logarithm(product)
                        product = 1
                    }
                } else {
                    (shareLeft, whole) = (1, left)
                }
            }
            let shareStayed = 1 - shareLeft
            value += group.count * (ofR.values[x] + r * logAlpha + ofB.values[x] - ofBoth.values[x] + whole)
            slopeR += group.count * (ofR.slopes[x] + logAlpha - shareStayed * logAge - shareLeft * logRecency)
            slopeAlpha += group.count * (r / alpha - rate * (shareStayed / (alpha + group.age) + shareLeft / (alpha + group.recency)))
            slopeA += group.count * (shareLeft / a - ofBoth.slopes[x])
            slopeB += group.count * (ofB.slopes[x] - ofBoth.slopes[x])
            if x > 0 { slopeB -= group.count * shareLeft / (b + Double(x) - 1) }
        }
        value += logarithm(product)
        let count = Double(all.customerCount)
        return Slope(value: value / count, gradient: [slopeR * r / count, slopeAlpha * alpha / count, slopeA * a / count, slopeB * b / count])
    }
}
