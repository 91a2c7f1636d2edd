import Prediction
import Web

/// Several models fitted to the same customers, each held against what came where that is known. Nothing of what came later is fitted.
struct LifetimeComparison {
    struct Row {
        var name: String
        /// Nil for what is no model.
        var logLikelihood: Double?
        var parameters: Int
        var expectedPurchases: Double
        /// Per customer; nil where the file ends.
        var meanAbsoluteError: Double?
        var rootMeanSquareError: Double?
    }

    var rows: [Row] = []
    var actualPurchases: Int?
    private let file: PurchaseFile
    private let weeks: Double

    init(_ file: PurchaseFile, weeks: Int) throws(FitProblem) {
        self.file = file
        self.weeks = Double(weeks)
        if file.goesPast { actualPurchases = file.customers.reduce(0) { $0 + $1.laterPurchases } }
        let histories = file.customers.map(\.history)
        let plain = try BetaGeometric.fit(histories).get()
        add("BG/NBD", plain.logLikelihood, parameters: 4) { plain.model.expectedPurchases($0, weeks: Double(weeks)) }
        if case .success(let fit) = ParetoNBD.fit(histories) {
            add("Pareto/NBD", fit.logLikelihood, parameters: 4) { fit.model.expectedPurchases($0, weeks: Double(weeks)) }
        }
        if case .success(let fit) = ParetoNBD.fit(histories, usesFirstValue: true) {
            add("Pareto/NBD with the first purchase's value", fit.logLikelihood, parameters: 5) { fit.model.expectedPurchases($0, weeks: Double(weeks)) }
        }
        add("as often as until now", nil, parameters: 0) { $0.age > 0 ? Double($0.frequency) / $0.age * Double(weeks) : 0 }
    }

    private mutating func add(_ name: String, _ logLikelihood: Double?, parameters: Int, _ expect: (PurchaseHistory) -> Double) {
        let expected = file.customers.map { expect($0.history) }
        var row = Row(name: name, logLikelihood: logLikelihood, parameters: parameters, expectedPurchases: expected.reduce(0, +))
        if file.goesPast {
            let errors = zip(expected, file.customers).map { $0.0 - Double($0.1.laterPurchases) }
            let count = Double(max(1, errors.count))
            row.meanAbsoluteError = errors.reduce(0) { $0 + $1.magnitude } / count
            row.rootMeanSquareError = (errors.reduce(0) { $0 + $1 * $1 } / count).squareRoot()
        }
        rows.append(row)
    }

    var json: JSONValue {
        let models = rows.map { row -> JSONValue in
            [
                "model": .text(row.name), "logLikelihood": .decimal(row.logLikelihood), "parameters": .integer(Int64(row.parameters)),
                "expectedPurchases": .decimal(row.expectedPurchases), "meanAbsoluteError": .decimal(row.meanAbsoluteError),
                "rootMeanSquareError": .decimal(row.rootMeanSquareError),
            ]
        }
        return ["actualPurchases": actualPurchases.map { .integer(Int64($0)) } ?? .null, "models": .array(models)]
    }

    var table: String {
        var lines = [actualPurchases.map { "\(file.customers.count) customers bought \($0) times in the weeks after." } ?? "What came after is not in the file."]
        for row in rows {
            var line = "\(row.name): foretold \(LifetimeForecast.plain(row.expectedPurchases, 1))"
            if let mean = row.meanAbsoluteError, let square = row.rootMeanSquareError {
                line += ", off by \(LifetimeForecast.plain(mean, 4)) a customer (root mean square \(LifetimeForecast.plain(square, 4)))"
            }
            if let likelihood = row.logLikelihood { line += ", log-likelihood \(LifetimeForecast.plain(likelihood, 2)) with \(row.parameters) parameters" }
            lines.append(line)
        }
        return lines.joined(separator: "\n")
    }
}
