import Prediction

/// What is expected of each customer in the weeks to come: by BG/NBD how often they buy, by Gamma-Gamma for how much.
struct LifetimeForecast {
    struct Row {
        var id: String
        var history: PurchaseHistory
        var probabilityAlive: Double
        var expectedPurchases: Double
        /// Nil where too few amounts are known to say anything.
        var expectedAverageValue: Double?
        /// Within the weeks, not discounted.
        var expectedValue: Double? { expectedAverageValue.map { $0 * expectedPurchases } }
        /// The more the further up.
        var rank: Double { expectedValue ?? expectedPurchases }
    }

    /// Held against what came, where that is known.
    struct Outcome {
        var purchases: Int
        /// Between what was expected of a customer and what came.
        var meanAbsoluteError: Double
    }

    var weeks: Int
    var purchases: Fit<BetaGeometric>
    var values: Result<Fit<GammaGamma>, FitProblem>
    var rows: [Row]
    var outcome: Outcome?

    var expectedPurchases: Double { rows.reduce(0) { $0 + $1.expectedPurchases } }

    /// Throws `FitProblem` where purchases cannot be fitted.
    init(_ file: PurchaseFile, weeks: Int) throws(FitProblem) {
        self.weeks = weeks
        let histories = file.customers.map(\.history)
        let purchases = try BetaGeometric.fit(histories).get()
        let values = GammaGamma.fit(histories)
        rows = file.customers.map { customer in
            Row(
                id: customer.id, history: customer.history, probabilityAlive: purchases.model.probabilityAlive(customer.history),
                expectedPurchases: purchases.model.expectedPurchases(customer.history, weeks: Double(weeks)),
                expectedAverageValue: Self.averageValue(customer.history, values))
        }
        if file.goesPast {
            let errors = zip(rows, file.customers).reduce(0) { $0 + ($1.0.expectedPurchases - Double($1.1.laterPurchases)).magnitude }
            outcome = Outcome(
                purchases: file.customers.reduce(0) { $0 + $1.laterPurchases }, meanAbsoluteError: errors / Double(max(1, rows.count)))
        }
        self.purchases = purchases
        self.values = values
    }

    /// What a further purchase of a customer is worth; nil where too little is known.
    static func averageValue(_ history: PurchaseHistory, _ values: Result<Fit<GammaGamma>, FitProblem>) -> Double? {
        switch values {
        case .success(let fit): fit.model.expectedAverageValue(history)
        case .failure(.valuesDoNotVary(let average)): average
        case .failure: nil
        }
    }
}

extension FitProblem {
    /// Why there are no parameters, and what would help.
    var sentence: String {
        switch self {
        case .noCustomers: "Nobody bought anything by that day."
        case .tooFewCustomers(let found, let needed): "There are \(found) customers; at least \(needed) are needed."
        case .tooFewRepeatCustomers(let found, let needed):
            "\(found) customers bought on more than one day; at least \(needed) are needed to say how soon customers come back."
        case .impossibleHistory(let place, let problem): "The history of customer \(place + 1) can't be: \(problem)."
        case .tooFewValues(let found, let needed): "\(found) customers bought again for more than 0; at least \(needed) are needed to say what purchases are worth."
        case .valuesDoNotVary(let average): "All customers spend the same, \(average) a purchase."
        case .undetermined: "These purchases do not determine the model's parameters. More time or more customers would."
        case .notConverged(let iterations): "The most likely parameters were not found within \(iterations) steps."
        }
    }
}
